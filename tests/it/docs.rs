//! The documents say what the tests prove: every test that is named there is there.

use std::path::Path;

/// All sources below a folder, one after the other.
pub(crate) fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_manners_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manners = std::fs::read_to_string(root.join("docs/manners.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests/it"), &mut code);
    let rows = manners.lines().filter(|line| line.starts_with("| FRB") || line.starts_with("| - "));
    let mut seen = 0;
    for row in rows {
        let test = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        let test = test.trim().trim_matches('`');
        assert!(code.contains(&format!("fn {test}(")), "there is no test {test}: {row}");
        seen += 1;
    }
    assert!(seen > 70, "only {seen} rows were found");
}

#[test]
fn every_id_of_the_list_is_in_the_manners() {
    let ids = [
        1..=4,
        10..=16,
        20..=24,
        30..=37,
        50..=51,
        60..=66,
        70..=71,
        80..=88,
        90..=90,
        100..=106,
        110..=120,
        130..=137,
        140..=141,
    ];
    let manners = include_str!("../../docs/manners.md");
    for id in ids.into_iter().flatten() {
        assert!(manners.contains(&format!("FRB{id:03}")), "FRB{id:03} is missing");
    }
}

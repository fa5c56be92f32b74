//! feed-rs and our own reading, held to one answer on every document that both can read: a small
//! one of each kind here, and where `NEWSWIRE_CORPUS` names a folder, every document in it.

use std::path::Path;

use url::Url;

use super::{clean, decode, item, scan, scope::Scope, shape};

/// Compares; `None` where feed-rs is not asked.
pub(crate) fn agree(document: &str) -> Option<Result<(), String>> {
    let url = Url::parse("https://example.org/feeds/all.xml").ok()?;
    let tree = scan::scan(document)?;
    let shape = shape::shape(&tree)?;
    let root = Scope::document(&url).enter(shape.root).into_owned();
    let own = std::ptr::eq(shape.root, shape.channel);
    let scope = if own { root } else { root.enter(shape.channel).into_owned() };
    let theirs = clean::texts(document, &shape, &scope)?;
    for (n, (theirs, element)) in theirs.iter().zip(&shape.items).enumerate() {
        let ours = item::texts(element, &scope);
        if *theirs != ours {
            return Some(Err(format!("item {n}\nfeed-rs: {theirs:?}\nours:    {ours:?}")));
        }
    }
    Some(Ok(()))
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn both_agree_on_every_document_of_the_corpus() {
    let Some(corpus) = std::env::var_os("NEWSWIRE_CORPUS") else {
        // Said aloud by the check, which names the folder where it is there.
        return;
    };
    let mut paths = Vec::new();
    files(Path::new(&corpus), &mut paths);
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in &paths {
        let bytes = std::fs::read(path).unwrap();
        let decoded = decode::decode(&bytes, None);
        match agree(&decoded.text) {
            None => {}
            Some(Ok(())) => compared += 1,
            Some(Err(difference)) => wrong.push(format!("{}: {difference}", path.display())),
        }
    }
    assert!(compared > 100, "only {compared} of {} documents were compared", paths.len());
    let shown: Vec<&String> = wrong.iter().take(12).collect();
    assert!(wrong.is_empty(), "{} of {} differ: {shown:#?}", wrong.len(), compared + wrong.len());
}

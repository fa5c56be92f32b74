//! Checks of outputs together: paths that two of them share, and what depends on other sections.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use super::definition::Section;
use super::diagnostic::Report;
use super::section::{Document, Layer};
use super::settings::Config;
use crate::render::{Coding, Format, Images, Output};
use crate::{images, store};

/// Runs the checks. Each `[[output]]` of the document is one of the outputs of the config.
pub(super) fn check(document: &Document, config: &Config, report: &mut Report) {
    let folders = Folders::of(&config.outputs);
    let is_server_known = !document.are_uncertain(&[Section::Web], &["listen"]);
    for (layer, output) in document.all(Section::Output).zip(&config.outputs) {
        check_output(layer, output, &config.store, report);
        shared_paths(layer, output, &folders, report);
        if is_server_known {
            missing_page(layer, output, report);
        }
    }
}

/// Warnings about an output, the database and the program.
fn check_output(layer: &Layer, output: &Output, store: &store::Settings, report: &mut Report) {
    let mut warn = |code, name: &str, message: &str, help: &str| {
        report.push(layer.warning(code, name, message).help(help));
    };
    if output.directory.as_ref().is_some_and(|folder| store.path.starts_with(folder)) {
        let message = "the database is in the folder that is published";
        warn("database_in_output_directory", "directory", message, "name another folder: \"www\"");
    }
    if output.presentation.images == Images::Proxy && !images::AVAILABLE {
        let message = "this program was built without images: the pages have links instead";
        let help = "build it with the feature images, or set images = \"link\"";
        warn("images_not_built", "images", message, help);
    }
    if output.max_age.is_some_and(|age| age > store.retention) {
        let message = "max_age is longer than retention: old stories are shown without text";
        let help = "raise retention in [store], or lower max_age";
        warn("retention_below_max_age", "max_age", message, help);
    }
}

/// Where the outputs write their files.
struct Folders<'c> {
    ids: HashSet<&'c str>,
    /// The real path of each `directory`.
    directories: HashMap<&'c Path, PathBuf>,
    /// The folders in which an output chooses the names of the files that it writes and removes, with its id.
    written: HashMap<PathBuf, &'c str>,
}

impl<'c> Folders<'c> {
    fn of(outputs: &'c [Output]) -> Self {
        let (mut directories, mut written) = (HashMap::new(), HashMap::new());
        for output in outputs {
            let Some(directory) = output.directory.as_deref() else { continue };
            let real = directories.entry(directory).or_insert_with(|| real_path(directory));
            // Those of a static site have the names of stories, feeds and tags.
            let of_site = ["feed", "story", "tag"].into_iter().filter(|_| output.site);
            for name in of_site.chain(["archive"]) {
                written.insert(real.join(&output.id).join(name), &*output.id);
            }
        }
        Self { ids: outputs.iter().map(|output| &*output.id).collect(), directories, written }
    }

    /// The folder of an output, or the nearest one around it, that another output writes.
    fn around(&self, folder: &Path) -> Option<(PathBuf, &'c str)> {
        let mut found = folder.ancestors().filter_map(|it| self.written.get_key_value(it));
        found.next().map(|(folder, id)| (folder.clone(), *id))
    }
}

/// Reports paths of an output that another one has too.
fn shared_paths(layer: &Layer, output: &Output, folders: &Folders<'_>, report: &mut Report) {
    let id = &output.id;
    let mut error = |name: &str, message: String, help: &str| {
        report.push(layer.error("duplicate_output", name, message).help(help));
    };
    let mut others = id.match_indices('.').map(|(end, _)| &id[..end]);
    if let Some(other) = others.find(|it| folders.ids.contains(it) && is_document(id, it)) {
        let message = format!("the id {id:?} is the path of a document of the output {other:?}");
        error("id", message, "choose another id");
    }
    let Some(directory) = output.directory.as_deref() else { return };
    let Some(real) = folders.directories.get(directory) else { return };
    let own = real.join(id);
    if let Some((folder, other)) = folders.around(&own) {
        let shown = folder.display();
        if folder == own {
            let message = format!("{shown} would be of this output and of the output {other:?}");
            error("id", message, "choose another id or directory");
        } else {
            let directory = directory.display();
            let message = format!("{directory} is in {shown}, a folder of the output {other:?}");
            error("directory", message, "name a folder outside of it");
        }
    }
}

/// Whether the id is the name of a document of the output `other`, or of a compressed one: its folder has the same path.
fn is_document(id: &str, other: &str) -> bool {
    let end = id.strip_prefix(other).and_then(|end| end.strip_prefix('.'));
    let names = Format::ALL.iter().flat_map(|format| {
        let name = format.extension();
        let packed = Coding::COMPRESSED.map(|coding| format!("{name}.{}", coding.suffix()));
        packed.into_iter().chain([name.to_owned()])
    });
    end.is_some_and(|end| names.into_iter().any(|name| name == end))
}

/// The absolute path without symlinks, as far as it exists.
fn real_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            part => real.push(part),
        }
        real = real.canonicalize().unwrap_or(real);
    }
    real
}

/// Warns of a feed in files whose page is nowhere.
fn missing_page(layer: &Layer, output: &Output, report: &mut Report) {
    let is_uncertain = ["link", "site"].iter().any(|name| layer.is_uncertain(name));
    let needs_page = output.directory.is_some() && output.formats.contains(&Format::Rss);
    if is_uncertain || !needs_page || output.page().is_some() {
        return;
    }
    let message =
        "no page of this output is served or written, so that its RSS feed links to itself";
    let help = "set link to a page about it, or site = true to write its pages";
    report.push(layer.warning("no_link", "link", message).help(help));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Files, PathChecks, Style};

    #[test]
    fn ids_that_are_names_of_documents_are_found() {
        for id in ["a.json", "a.atom", "a.rss.gz", "a.json.zst"] {
            assert!(is_document(id, "a"), "{id}");
        }
        for id in ["a", "a.b", "a.json.x", "ab.json", "a.json.atom", "a.", ".json"] {
            assert!(!is_document(id, "a"), "{id}");
        }
    }

    #[test]
    fn folders_inside_those_of_other_outputs_may_be_used_unless_files_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        let codes = |keys: &str, id: &str, inner: &str| {
            let first = format!("[[output]]\nid = \"planet\"\ndirectory = \"www\"\n{keys}");
            let second = format!("[[output]]\nid = \"{id}\"\ndirectory = \"www/{inner}\"\n");
            std::fs::write(&path, format!("version = 1\n{first}\n{second}")).unwrap();
            let report = Files::gather(&path).read(PathChecks::Existence).report;
            report.draw(Style::Plain).matches("[duplicate_output]").count()
        };
        let site = "site = true";
        for (keys, id, inner, errors) in [
            ("", "news", "planet", 0),
            (site, "news", "planet", 0),
            (site, "news", "planet/x", 0),
            ("", "tag", "planet", 0),
            (site, "tag", "planet", 1),
            (site, "news", "planet/tag", 1),
            ("", "archive", "planet", 1),
            ("", "news", "planet/archive/x", 1),
        ] {
            assert_eq!(codes(keys, id, inner), errors, "{keys} {id} in {inner}");
        }
    }

    #[test]
    fn paths_are_compared_without_symlinks_and_before_they_exist() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert_eq!(
            real_path(&folder.path().join("link/www/../www/planet")),
            real.join("www/planet")
        );
        assert_eq!(real_path(&real), real);
    }
}

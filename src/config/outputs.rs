//! Checks of outputs together: paths that two of them share, and what depends on other sections.

use std::path::{Component, Path, PathBuf};

use super::definition::Section;
use super::diagnostic::Report;
use super::section::{Document, Layer};
use super::settings::Config;
use crate::render::{Coding, Format, Images, Output};
use crate::{images, store};

/// Runs the checks. Each `[[output]]` of the document is one of the outputs of the config.
pub(super) fn check(document: &Document, config: &Config, report: &mut Report) {
    let is_server_known = !document.are_uncertain(&[Section::Web], &["listen"]);
    for (layer, output) in document.all(Section::Output).zip(&config.outputs) {
        check_output(layer, output, &config.store, report);
        shared_paths(layer, output, &config.outputs, report);
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

/// Reports paths of an output that another one has too.
fn shared_paths(layer: &Layer, output: &Output, outputs: &[Output], report: &mut Report) {
    let mut error = |name: &str, message: String, help: &str| {
        report.push(layer.error("duplicate_output", name, message).help(help));
    };
    if let Some(other) = outputs.iter().find(|other| is_document(&output.id, &other.id)) {
        let (id, other) = (&output.id, &other.id);
        let message = format!("the id {id:?} is the path of a document of the output {other:?}");
        error("id", message, "choose another id");
    }
    let Some(directory) = output.directory.as_deref() else { return };
    let folder = real_path(directory);
    let is_inside = |other: &&Output| {
        let outer = other.directory.as_deref().map(|outer| real_path(outer).join(&other.id));
        outer.is_some_and(|outer| folder.starts_with(outer))
    };
    if let Some(other) = outputs.iter().find(is_inside) {
        let (directory, other) = (directory.display(), &other.id);
        let message = format!("{directory} is in the folder of the output {other:?}");
        error("directory", message, "name a folder outside of it");
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

//! Checks of outputs: paths that two of them share, what depends on other sections, keys of digests that contradict each
//! other, and what podcast directories require.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use url::Url;

use super::definition::Section;
use super::diagnostic::Report;
use super::section::{Document, Layer};
use super::settings::Config;
use crate::images;
use crate::outputs::{self, FEED_LIST};
use crate::render::{Coding, Format, Images, Output};
use crate::store;
use crate::text::quoted::in_quotes;

/// Runs the checks. Each `[[output]]` of the document is one of the outputs of the config.
pub(super) fn check(document: &Document, config: &Config, report: &mut Report) {
    let folders = Folders::of(&config.outputs);
    let is_server_known = !document.are_uncertain(&[Section::Web], &["listen"]);
    let mut listing = HashMap::new();
    for (layer, output) in document.all(Section::Output).zip(&config.outputs) {
        check_output(layer, output, &config.store, report);
        feed_list_in(layer, output, &mut listing, report);
        shared_paths(layer, output, &folders, report);
        if is_server_known {
            missing_page(layer, output, report);
        }
    }
    followed_lists(document, &listing, report);
}

/// Reports a file that the list of feeds in the directory of an output does not replace. `listing` gets the path of the list.
fn feed_list_in<'c>(
    layer: &Layer,
    output: &'c Output,
    listing: &mut HashMap<PathBuf, &'c str>,
    report: &mut Report,
) {
    let public = output.directory.as_deref().filter(|_| output.token.is_none());
    let Some(directory) = public else { return };
    let known = listing.insert(real_path(directory).join(FEED_LIST), &output.id);
    if known.is_none() && outputs::has_foreign_list(directory) {
        let path = directory.join(FEED_LIST);
        let message = format!("{} was not written by Newswire and is not replaced", path.display());
        let warning = layer.warning("list_not_replaced", "directory", message);
        report.push(warning.help("rename it, so that the feeds of the output are listed there"));
    }
}

/// Reports followed lists at a path where Newswire writes the list of the feeds: feeds would never leave it.
fn followed_lists(document: &Document, listing: &HashMap<PathBuf, &str>, report: &mut Report) {
    for layer in document.all(Section::Subscriptions) {
        let Some(path) = layer.get::<PathBuf>("file") else { continue };
        let Some(output) = listing.get(&real_path(path)) else { continue };
        let message = format!(
            "the output {output} writes the list of its feeds to this file",
            output = in_quotes(output)
        );
        let error = layer.error("contradiction", "file", message);
        report.push(error.help("rename the list that is followed"));
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
        let message = format!(
            "the id {id} is the path of a document of the output {other}",
            id = in_quotes(id),
            other = in_quotes(other)
        );
        error("id", message, "choose another id");
    }
    let Some(directory) = output.directory.as_deref() else { return };
    let Some(real) = folders.directories.get(directory) else { return };
    let own = real.join(id);
    if let Some((folder, other)) = folders.around(&own) {
        let shown = folder.display();
        if folder == own {
            let message = format!(
                "{shown} would be of this output and of the output {other}",
                other = in_quotes(other)
            );
            error("id", message, "choose another id or directory");
        } else {
            let directory = directory.display();
            let message = format!(
                "{directory} is in {shown}, a folder of the output {other}",
                other = in_quotes(other)
            );
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

/// Maximum number of digests in a document: each has the text of many stories.
const MAX_DIGESTS: usize = 100;
/// Keys that have no meaning for a digest, each with a reason.
const CONTRADICTIONS: &[(&str, &str)] = &[
    ("podcast", "a digest has no episodes: use another output for the podcast"),
    ("per_feed_percent", "items counts digests: limit the stories of a feed with per_feed"),
    ("max_age", "a digest has the stories of its period: the number of digests is items"),
    ("title_prefix", "the title of a digest is its date, and each story names its source"),
    ("date", "the date of a digest is the end of its period"),
];

/// Errors about keys that have no meaning with a digest.
pub(super) fn check_digest(layer: &Layer, report: &mut Report) {
    if matches!(layer.get::<&str>("digest").copied(), None | Some("off")) {
        return;
    }
    let mut error = |name: &str, message: &str, help: &str| {
        report.push(layer.error("contradiction", name, message).help(help));
    };
    if layer.get::<&str>("digest") == Some(&"daily") && layer.sets("digest_day") {
        let message = "digest_day has no effect on a daily digest";
        error("digest_day", message, "set digest to \"weekly\", or remove digest_day");
    }
    for (name, why) in CONTRADICTIONS {
        if layer.sets(name) {
            let help = format!("remove {name}, or digest");
            error(name, &format!("{name} has no effect with digest: {why}"), &help);
        }
    }
    if let Some(items) = layer.get::<usize>("items")
        && *items > MAX_DIGESTS
    {
        let message = format!("items counts digests here, and {items} are too many for a document");
        error("items", &message, "lower it to 100: older digests are on archive pages");
    }
}

/// Warnings about a podcast that directories would reject.
pub(super) fn check_podcast(layer: &Layer, report: &mut Report) {
    if !layer.sets("podcast") {
        return;
    }
    let mut warn = |code, name: &str, message: &str, help: &str| {
        report.push(layer.warning(code, name, message).help(help));
    };
    let missing: Vec<&str> =
        ["icon", "language"].into_iter().filter(|name| !layer.may_set(name)).collect();
    if !missing.is_empty() {
        let message = format!("podcast directories require {}", missing.join(" and "));
        let help = format!("set {} in this output", missing.join(" and "));
        warn("podcast_incomplete", "podcast", &message, &help);
    }
    if let Some(icon) = layer.get::<Url>("icon")
        && !has_extension(icon.path(), &["png", "jpg", "jpeg"])
    {
        let help = "name a square PNG or JPEG file of 1400 to 3000 pixels";
        let message = "podcast directories accept only PNG and JPEG pictures";
        warn("podcast_incomplete", "icon", message, help);
    }
    if let Some(formats) = layer.get::<Vec<&str>>("formats")
        && !formats.contains(&"rss")
    {
        let message = "podcast directories read only RSS, and this output has other formats";
        warn("podcast_incomplete", "formats", message, "add \"rss\"");
    }
    if let Some(email) = layer.text("podcast_email")
        && !is_mail_address(email)
    {
        let message = format!("{email} is not a mail address", email = in_quotes(email));
        let help = "write a mail address: \"radio@example.org\"";
        warn("podcast_incomplete", "podcast_email", &message, help);
    }
    without_episodes(layer, report);
}

/// Reports a filter that keeps all episodes out of a podcast.
fn without_episodes(layer: &Layer, report: &mut Report) {
    let wants = |rules: &Layer, wanted| rules.get::<bool>("enclosures") == Some(&wanted);
    let includes = layer.rules("include");
    let includes_none = !includes.is_empty() && includes.iter().all(|rules| wants(rules, false));
    let excludes_all = |rules: &&Layer| wants(rules, true) && rules.sets_only("enclosures");
    let included = includes.first().filter(|_| includes_none);
    let found = included.or_else(|| layer.rules("exclude").iter().find(excludes_all));
    if let Some(rules) = found {
        let message = "a podcast shows only items with an audio or video file";
        let warning = rules.warning("filter_matches_nothing", "enclosures", message);
        report.push(warning.help("remove enclosures, or podcast"));
    }
}

/// Whether the path has one of these extensions, or none.
fn has_extension(path: &str, wanted: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    name.rsplit_once('.').is_none_or(|(_, extension)| wanted.contains(&extension))
}

fn is_mail_address(text: &str) -> bool {
    let parts = text.split_once('@');
    !text.contains(char::is_whitespace)
        && parts.is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
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
    fn a_followed_list_is_not_where_newswire_writes_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        let list =
            "<opml version=\"2.0\"><body><outline xmlUrl=\"https://a.example/\"/></body></opml>";
        let www = folder.path().join("www");
        std::fs::create_dir(&www).unwrap();
        for name in ["subscriptions.opml", "own.opml"] {
            std::fs::write(www.join(name), list).unwrap();
        }
        let output = |id: &str| format!("[[output]]\nid = \"{id}\"\ndirectory = {www:?}\n");
        for (name, errors) in [("own.opml", 0), ("../www/subscriptions.opml", 1)] {
            let followed = format!("[[subscriptions]]\nfile = {:?}\n", www.join(name));
            let text = format!("version = 1\n{}{}{followed}", output("a"), output("b"));
            std::fs::write(&path, text).unwrap();
            let report = Files::gather(&path).read(PathChecks::Existence).report;
            let drawn = report.draw(Style::Plain);
            assert_eq!(report.errors(), errors, "{name}: {drawn}");
            assert_eq!(drawn.matches("warning[list_not_replaced]").count(), 1, "{name}: {drawn}");
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

//! What a static site has in its folder, and what each page was made from.
//!
//! The manifest is a file in the folder, so that it is lost, copied and restored with the pages. Changes are appended; it is
//! written anew when most of its lines are out of date. A line that a kill has cut off does not count: its page is then
//! rendered once more and, being the same, not written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::files::{sibling, write_atomically};
use crate::render::{Coding, Format};
use crate::text::sha256::sha256;

/// File name of the manifest.
const NAME: &str = "site-manifest.txt";
/// First line of the manifest.
const HEAD: &str = "newswire static site 1";
/// Last line of the manifest of a complete site.
const COMPLETE: &str = "complete";
/// Folders with pages, below the folder of the output.
const FOLDERS: [&str; 4] = ["", "feed", "tag", "story"];
/// Names of the files beside the pages.
const ASSETS: [&str; 7] =
    ["style.css", "icon.svg", "theme.css", "logo.svg", "logo.png", "logo.jpg", "logo.webp"];

/// What is written for an item, a list or another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A file with this digest.
    File(u128),
    /// No file: the story is shown on other pages only.
    Shown,
    /// No file: the story is shown, and another item leads it.
    Follows,
    /// Nothing: the output does not show the item.
    Hidden,
}

/// What a path was made from, and what was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Digest of all that the content depends on; 0: unknown.
    pub(super) basis: u128,
    pub(super) content: Content,
}

impl Entry {
    fn is_file(&self) -> bool {
        matches!(self.content, Content::File(_))
    }
}

/// The manifest of one folder.
#[derive(Debug)]
pub(super) struct Manifest {
    folder: PathBuf,
    entries: BTreeMap<String, Entry>,
    /// Lines that are not in the file yet.
    unwritten: String,
    /// Paths whose file the folder still has, although they have no file any more.
    stale: BTreeSet<String>,
    /// Number of lines in the file.
    lines: usize,
    is_complete: bool,
}

/// The first 16 bytes of a digest of SHA-256.
pub(super) fn short(digest: [u8; 32]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(first)
}

/// Whether a static site was written into the folder.
pub(super) fn exists(folder: &Path) -> bool {
    folder.join(NAME).exists()
}

/// Whether the site in the folder was written to its end, and no file was removed or changed since. What is in the files
/// is not read: none is newer than the manifest, which is written after them.
pub(super) fn is_current(folder: &Path) -> bool {
    read(folder).is_ok_and(|recorded| recorded.is_complete && recorded.is_untouched(folder))
}

/// How the folder differs from its manifest.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn differences(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let recorded = read(folder)?;
    if !recorded.is_complete {
        found.push(format!("the pages in {} are not complete", folder.display()));
    }
    for (path, entry) in recorded.entries {
        let Content::File(digest) = entry.content else { continue };
        let file = folder.join(&path);
        match fs::read(&file) {
            Ok(bytes) if short(sha256(&bytes)) != digest => {
                found.push(format!("{} is not what was published last", file.display()));
            }
            Ok(bytes) => {
                let packed = folder.join(sibling(&path, Coding::Gzip));
                let same = |gzip: Vec<u8>| Coding::Gzip.decodes_to(&gzip, &bytes);
                if has_gzip(&path) && !fs::read(&packed).is_ok_and(same) {
                    found.push(format!("{} is not what was published last", packed.display()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                found.push(format!("{} does not exist", file.display()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Whether a file has a compressed sibling: pictures are compressed already.
pub(super) fn has_gzip(path: &str) -> bool {
    let (_, extension) = path.rsplit_once('.').unwrap_or_default();
    ["html", "css", "svg"].contains(&extension) || Format::from_extension(extension).is_some()
}

/// Reads the manifest of a folder; empty if the folder has no manifest.
fn read(folder: &Path) -> io::Result<Recorded> {
    let text = match fs::read_to_string(folder.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Recorded::default()),
        text => text?,
    };
    let mut entries = BTreeMap::new();
    if text.lines().next() != Some(HEAD) {
        return Ok(Recorded::default());
    }
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    for line in whole.lines().skip(1) {
        let mut parts = line.splitn(3, ' ');
        let (Some(basis), Some(content), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let content = match content {
            "shown" => Some(Content::Shown),
            "follows" => Some(Content::Follows),
            "hidden" => Some(Content::Hidden),
            digest => u128::from_str_radix(digest, 16).ok().map(Content::File),
        };
        match (u128::from_str_radix(basis, 16), content) {
            (Ok(basis), Some(content)) => {
                entries.insert(path.to_owned(), Entry { basis, content });
            }
            _ => drop(entries.remove(path)),
        }
    }
    let is_complete = whole.ends_with(&format!("{COMPLETE}\n"));
    // Behind half a line nothing can be appended.
    let lines = Some(whole.lines().count()).filter(|_| whole.len() == text.len());
    Ok(Recorded { entries, is_complete, lines })
}

/// What the file of a manifest has.
#[derive(Debug, Default)]
struct Recorded {
    entries: BTreeMap<String, Entry>,
    /// Whether the site was written to its end.
    is_complete: bool,
    /// Number of lines; `None`: the file has to be written anew.
    lines: Option<usize>,
}

impl Recorded {
    /// Whether the folder has all files, and none that is newer than the manifest.
    fn is_untouched(&self, folder: &Path) -> bool {
        let modified = |path: &str| fs::symlink_metadata(folder.join(path))?.modified();
        let Ok(written) = modified(NAME) else { return false };
        let is_old = |path: &str| modified(path).is_ok_and(|at| at <= written);
        let is_untouched = |path: &String| {
            is_old(path) && (!has_gzip(path) || is_old(&sibling(path, Coding::Gzip)))
        };
        let mut files = self.entries.iter().filter(|(_, entry)| entry.is_file());
        files.all(|(path, _)| is_untouched(path))
    }
}

impl Manifest {
    /// Reads the manifest and the folder. Files that differ from the manifest count as made from something else, and so
    /// do pages that it does not list.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn load(folder: &Path) -> io::Result<Self> {
        let recorded = read(folder)?;
        // Otherwise the manifest is written again, and is newer than all files.
        let is_untouched = recorded.is_untouched(folder);
        let Recorded { entries: mut recorded, is_complete, lines } = recorded;
        let mut entries = BTreeMap::new();
        for below in FOLDERS {
            for path in files_in(folder, below)? {
                let bytes = fs::read(folder.join(&path))?;
                let has_sibling =
                    !has_gzip(&path) || folder.join(sibling(&path, Coding::Gzip)).is_file();
                // A file without its sibling is written again.
                let digest = if has_sibling { short(sha256(&bytes)) } else { 0 };
                let content = Content::File(digest);
                let recorded = recorded.remove(&path).filter(|entry| entry.content == content);
                let entry = recorded.unwrap_or(Entry { basis: 0, content });
                entries.insert(path, entry);
            }
        }
        let is_lost = recorded.values().any(Entry::is_file);
        entries.extend(recorded.into_iter().filter(|(_, entry)| !entry.is_file()));
        // Lines of lost files may be of pages that are not written again.
        let lines = lines.filter(|_| !is_lost).unwrap_or(usize::MAX);
        let is_complete = is_complete && is_untouched;
        let folder = folder.to_owned();
        let (unwritten, stale) = Default::default();
        Ok(Self { folder, entries, unwritten, stale, lines, is_complete })
    }

    /// The entry of a path.
    pub(super) fn get(&self, path: &str) -> Option<Entry> {
        self.entries.get(path).copied()
    }

    /// Whether the folder has a file with this digest at the path.
    pub(super) fn has_file(&self, path: &str, digest: u128) -> bool {
        self.get(path).is_some_and(|entry| entry.content == Content::File(digest))
    }

    /// Records what was written at a path.
    pub(super) fn put(&mut self, path: &str, entry: Entry) {
        let before = self.get(path);
        if before == Some(entry) {
            return;
        }
        let is_file = matches!(entry.content, Content::File(_));
        if is_file {
            self.stale.remove(path);
        } else if matches!(before, Some(Entry { content: Content::File(_), .. })) {
            self.stale.insert(path.to_owned());
        }
        let content = match entry.content {
            Content::File(digest) => format!("{digest:032x}"),
            Content::Shown => "shown".to_owned(),
            Content::Follows => "follows".to_owned(),
            Content::Hidden => "hidden".to_owned(),
        };
        self.unwritten.push_str(&format!("{:032x} {content} {path}\n", entry.basis));
        self.entries.insert(path.to_owned(), entry);
    }

    /// The paths of which `is_wanted` is false.
    pub(super) fn unwanted(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        self.entries.keys().filter(|path| !is_wanted(path)).cloned().collect()
    }

    /// Removes the file of a path, and its sibling, and forgets it.
    ///
    /// # Errors
    /// When the file system fails.
    pub(super) fn remove(&mut self, path: &str) -> io::Result<()> {
        if matches!(self.get(path), Some(Entry { content: Content::File(_), .. })) {
            self.remove_file(path)?;
        }
        self.entries.remove(path);
        self.unwritten.push_str(&format!("- - {path}\n"));
        Ok(())
    }

    /// Removes the files of paths that were recorded without one since. Returns how many.
    ///
    /// # Errors
    /// When the file system fails.
    pub(super) fn remove_stale(&mut self) -> io::Result<usize> {
        let mut removed = 0;
        while let Some(path) = self.stale.first().cloned() {
            self.remove_file(&path)?;
            self.stale.remove(&path);
            removed += 1;
        }
        Ok(removed)
    }

    /// Removes the file of a path, and its sibling.
    fn remove_file(&self, path: &str) -> io::Result<()> {
        for name in [path.to_owned(), sibling(path, Coding::Gzip)] {
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Stores what changed.
    ///
    /// # Errors
    /// When the file system fails.
    pub(super) fn store(&mut self, complete: Completeness) -> io::Result<()> {
        let is_complete = complete == Completeness::Complete;
        if self.unwritten.is_empty() && self.is_complete == is_complete {
            return Ok(());
        }
        let end = if is_complete { format!("{COMPLETE}\n") } else { String::new() };
        let added = self.unwritten.lines().count() + usize::from(is_complete);
        let path = self.folder.join(NAME);
        if self.lines.saturating_add(added) > 2 * self.entries.len() + 64 || !path.exists() {
            self.rewrite(&end)?;
        } else {
            let mut file = fs::OpenOptions::new().append(true).open(&path)?;
            file.write_all(format!("{}{end}", self.unwritten).as_bytes())?;
            file.sync_data()?;
            self.lines += added;
        }
        self.unwritten.clear();
        self.is_complete = is_complete;
        Ok(())
    }

    fn rewrite(&mut self, end: &str) -> io::Result<()> {
        let entries = std::mem::take(&mut self.entries);
        self.unwritten.clear();
        for (path, entry) in entries {
            self.put(&path, entry);
        }
        let text = format!("{HEAD}\n{}{end}", self.unwritten);
        self.lines = self.entries.len() + 2;
        write_atomically(&self.folder, NAME, text.as_bytes()).map(drop)
    }

    /// Removes every file of the site and the manifest.
    ///
    /// # Errors
    /// When the file system fails.
    pub(super) fn clear(mut self) -> io::Result<()> {
        for path in self.unwanted(|_| false) {
            self.remove(&path)?;
        }
        for below in &FOLDERS[1..] {
            // A folder with files of others stays.
            let _ = fs::remove_dir(self.folder.join(below));
        }
        fs::remove_file(self.folder.join(NAME))
    }
}

/// Whether it is the name of the first page or of a page of a month. Other pages are those of the operator.
fn is_list(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".html") else { return false };
    let month = stem.split_once("-p").map_or(stem, |(month, _)| month);
    stem == "index" || month.parse::<super::contents::Month>().is_ok()
}

/// Whether it is the name of a page of a feed, tag or story, or of a document of a feed or tag.
fn is_page(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|end| end == "html" || Format::from_extension(end).is_some())
}

/// Whether every page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    Complete,
    Incomplete,
}

/// The paths of the files of a site that are in a folder, relative to the folder of the output.
fn files_in(folder: &Path, below: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder.join(below)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        match below {
            "" if ASSETS.contains(&name) || is_list(name) => paths.push(name.to_owned()),
            "" => {}
            below if is_page(name) => paths.push(format!("{below}/{name}")),
            _ => {}
        }
    }
    Ok(paths)
}

//! The folders that outputs were written to: files that are left there after a change of the config, and outputs that were
//! not written to their folder yet.
//!
//! Newswire deletes no document: clients may still request it. But a document that is never written again looks to its
//! subscribers like a feed without news, so that the operator has to know of it.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::differences::has_own_items;
use super::files::existing;
use super::{site_manifest, static_site};
use crate::render::{Format, Output};
use crate::store::{self, OutputFolder, Transaction};

/// Files of an output in a folder that no publication writes any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftFiles {
    /// Id of the output, which the config may not have any more.
    pub output: String,
    /// The folder.
    pub directory: PathBuf,
    /// Names of documents, and of folders with a slash at the end, below it.
    pub files: Vec<String>,
}

impl fmt::Display for LeftFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, directory, files } = self;
        let (files, directory) = (files.join(", "), directory.display());
        write!(f, "output {output} is no longer written to {directory}, which still has {files}")
    }
}

/// What to do about [`LeftFiles`].
pub const LEFT_FILES_REMEDY: &str = "delete these files, or let the web server redirect their URLs: subscribers see a feed without news";

/// The folders of all outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFolders {
    /// Those that are written to, and those with files that are left.
    pub folders: Vec<OutputFolder>,
    /// The files that are left.
    pub left: Vec<LeftFiles>,
}

/// The folders of these outputs, and those with files that are left of others or of other settings.
///
/// # Errors
/// When the database fails.
pub fn output_folders(
    reader: &Transaction<'_>,
    outputs: &[Output],
) -> Result<OutputFolders, store::Error> {
    let written = outputs.iter().filter_map(|output| Some((folder_of(output)?, Some(output))));
    let written: Vec<_> = written.collect();
    let mut former = reader.output_folders()?;
    let places: HashSet<_> = written.iter().map(|(folder, _)| place(folder)).collect();
    former.retain(|folder| !places.contains(&place(folder)));
    let (mut folders, mut left) = (Vec::new(), Vec::new());
    for (folder, output) in written.into_iter().chain(former.into_iter().map(|it| (it, None))) {
        let directory = PathBuf::from(&folder.path);
        let files = left_in(&directory, &folder.output, output);
        if !files.is_empty() {
            left.push(LeftFiles { output: folder.output.clone(), directory, files });
        } else if output.is_none() {
            continue;
        }
        folders.push(folder);
    }
    folders.sort_by(|a, b| (&a.output, &a.path).cmp(&(&b.output, &b.path)));
    Ok(OutputFolders { folders, left })
}

/// The folder that an output is written to.
fn folder_of(output: &Output) -> Option<OutputFolder> {
    let path = std::path::absolute(output.directory.as_ref()?).ok()?;
    Some(OutputFolder { output: output.id.clone(), path: path.to_str()?.to_owned() })
}

/// An output and the folder itself, whatever path leads to it: its documents are not left there after a change of the
/// path.
fn place(folder: &OutputFolder) -> (String, PathBuf) {
    let path = Path::new(&folder.path);
    (folder.output.clone(), path.canonicalize().unwrap_or_else(|_| path.to_owned()))
}

/// The files of the output `id` in a folder that `output` does not write; `None`: it writes none there.
fn left_in(directory: &Path, id: &str, output: Option<&Output>) -> Vec<String> {
    let is_written = |format: &Format| output.is_some_and(|output| output.formats.contains(format));
    let mut files = Vec::new();
    let pages = directory.join(id);
    let mut has_pages = output.is_none() && site_manifest::exists(&pages);
    for format in Format::ALL.iter().filter(|format| !is_written(format)) {
        let name = format!("{id}.{}", format.extension());
        let own = |(path, coding): (PathBuf, _)| has_own_items(*format, &path, coding);
        if existing(&directory.join(&name)).any(own) {
            files.push(name);
        }
        let archived = has_pages_in(&pages.join("archive"), *format);
        match output {
            Some(_) if archived => files.push(format!("{id}/archive/*.{}", format.extension())),
            _ => has_pages |= archived,
        }
    }
    if has_pages {
        files.push(format!("{id}/"));
    }
    files
}

/// Whether a folder has an archive page in a format.
fn has_pages_in(archive: &Path, format: Format) -> bool {
    let Ok(entries) = std::fs::read_dir(archive) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('.'));
        parts.is_some_and(|(number, end)| {
            let extension = end.split('.').next();
            number.parse::<u32>().is_ok() && extension == Some(format.extension())
        })
    })
}

/// What the config says of an output that was not written yet: its documents in the directory, or its pages.
///
/// # Errors
/// When the database fails.
pub fn unwritten(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Option<String>, store::Error> {
    let (Some(directory), id) = (&output.directory, &output.id) else { return Ok(None) };
    let directory = directory.display();
    if !is_written(reader, output)? {
        return Ok(Some(format!("output {id} was not written to {directory} yet")));
    }
    let has_pages = static_site::folder(output).is_none_or(|it| site_manifest::exists(&it));
    let is_missing = output.site && !has_pages;
    Ok(is_missing.then(|| format!("the pages of output {id} were not written to {directory} yet")))
}

/// Whether the documents of an output were written to its directory.
pub(super) fn is_written(reader: &Transaction<'_>, output: &Output) -> Result<bool, store::Error> {
    let Some(folder) = folder_of(output) else { return Ok(false) };
    let (place_of, folders) = (place(&folder), reader.output_folders()?);
    Ok(folders.contains(&folder) || folders.iter().any(|written| place(written) == place_of))
}

//! The copies of images on disk: a folder of files, bounded in bytes, number and age. What is in it is known from
//! the names of the files, so that a restart needs no list.
//!
//! Nothing here needs to survive a loss of power: a copy that is missing is made again.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::images::{ImageCopies, ImageCopy, ImageFormat};
use crate::text::sha256;

/// Age at which a copy is made again.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Time for which an image that cannot be shown is not requested again.
const FAILED_FOR: SignedDuration = SignedDuration::from_hours(6);
/// Maximum number of images.
const MAX_IMAGES: usize = 20_000;
/// What a file takes on disk at least, in bytes.
const LEAST: u64 = 4096;
/// Extension of the empty file of an image that cannot be shown.
const FAILED: &str = "failed";

/// What identifies an image: a digest of its URL and of how it is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ImageId(pub(super) [u8; 16]);

/// Which copy of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The copy for the text of a story.
    Full,
    /// The small copy for lists.
    Thumbnail,
}

/// A copy on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) format: ImageFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Size of the file in bytes.
    size: u64,
}

/// What the cache knows of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cached {
    /// One or two copies are stored.
    Copies {
        full: Stored,
        /// `None`: the other one is as small.
        thumbnail: Option<Stored>,
    },
    /// It cannot be shown.
    Failed,
}

impl Cached {
    /// The copy to be shown, and which one it is.
    pub(super) fn copy(self, variant: Variant) -> Option<(Stored, Variant)> {
        let Self::Copies { full, thumbnail } = self else { return None };
        let thumbnail = thumbnail.filter(|_| variant == Variant::Thumbnail);
        Some(thumbnail.map_or((full, Variant::Full), |copy| (copy, Variant::Thumbnail)))
    }

    fn size(self) -> u64 {
        let Self::Copies { full, thumbnail } = self else { return LEAST };
        full.size.max(LEAST) + thumbnail.map_or(0, |copy| copy.size.max(LEAST))
    }
}

#[derive(Debug)]
struct Entry {
    cached: Cached,
    /// Time when it was made, in whole seconds.
    at: Timestamp,
    /// Number of the last use: the largest was used last.
    used: u64,
}

/// The cache of one folder.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<ImageId, Entry>,
    /// Sum of the sizes of all entries, in bytes.
    bytes: u64,
    /// Maximum of `bytes`; older entries are removed.
    limit: u64,
    uses: u64,
}

impl Cache {
    /// The cache in a folder, which need not exist. Files with other names are removed.
    pub(super) fn open(folder: PathBuf) -> Self {
        let mut state = State { limit: u64::MAX, ..State::default() };
        let (mut full, mut thumbnails, mut failed) = (HashMap::new(), HashMap::new(), Vec::new());
        for file in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let read = file.metadata().and_then(|meta| Ok((meta.len(), meta.modified()?)));
            let name = file.file_name();
            let at = |modified| Timestamp::try_from(modified).unwrap_or_default();
            match (name.to_str().and_then(parse), read) {
                (Some((id, Named::Failed)), Ok((_, modified))) => failed.push((id, at(modified))),
                (Some((id, Named::Copy(variant, copy))), Ok((size, modified))) => {
                    let copy = Stored { size, ..copy };
                    match variant {
                        Variant::Full => drop(full.insert(id, (copy, at(modified)))),
                        Variant::Thumbnail => drop(thumbnails.insert(id, copy)),
                    }
                }
                // The rest of a write that was killed.
                _ => drop(fs::remove_file(file.path())),
            }
        }
        for (id, at) in failed {
            state.insert(id, Cached::Failed, at);
        }
        for (id, (full, at)) in full {
            state.insert(id, Cached::Copies { full, thumbnail: thumbnails.remove(&id) }, at);
        }
        Self { folder, state: Mutex::new(state) }
    }

    /// Sets the largest size in bytes, which applies from the next image on.
    pub(super) fn limit(&self, bytes: u64) {
        self.state().limit = bytes;
    }

    /// What is known of an image; `None`: it has to be requested.
    pub(super) fn find(&self, id: ImageId, now: Timestamp) -> Option<Cached> {
        let mut state = self.state();
        state.uses += 1;
        let used = state.uses;
        let entry = state.entries.get_mut(&id).filter(|entry| !entry.is_expired(now))?;
        entry.used = used;
        Some(entry.cached)
    }

    /// The path of a copy.
    pub(super) fn path(&self, id: ImageId, (copy, variant): (Stored, Variant)) -> PathBuf {
        self.folder.join(name(id, variant, copy))
    }

    /// Keeps the copies of an image; `None`: it cannot be shown. Removes what exceeds the bounds. Blocks.
    pub(super) fn keep(
        &self,
        id: ImageId,
        copies: Option<&ImageCopies>,
        now: Timestamp,
    ) -> io::Result<Cached> {
        crate::files::create_folder(&self.folder)?;
        let cached = match copies {
            None => {
                write(&self.folder.join(failed_name(id)), &[], now)?;
                Cached::Failed
            }
            Some(ImageCopies { full, thumbnail }) => {
                let thumbnail = thumbnail.as_ref();
                let write = |copy: &ImageCopy, variant| {
                    let ImageCopy { format, width, height, .. } = *copy;
                    let stored = Stored { format, width, height, size: copy.bytes.len() as u64 };
                    write(&self.path(id, (stored, variant)), &copy.bytes, now).map(|()| stored)
                };
                Cached::Copies {
                    thumbnail: thumbnail.map(|it| write(it, Variant::Thumbnail)).transpose()?,
                    full: write(full, Variant::Full)?,
                }
            }
        };
        let stale = {
            let mut state = self.state();
            let mut stale: Vec<_> = state.remove(id).into_iter().collect();
            state.insert(id, cached, now);
            stale.extend(state.evict(now));
            stale
        };
        let current = self.names(id, cached);
        for path in stale.into_iter().flat_map(|(id, cached)| self.names(id, cached)) {
            if !current.contains(&path) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(cached)
    }

    /// Deletes copies that are too old, and the longest unused beyond the limit. Blocks.
    pub(super) fn tidy(&self, now: Timestamp) {
        let stale = self.state().evict(now);
        for path in stale.into_iter().flat_map(|(id, cached)| self.names(id, cached)) {
            let _ = fs::remove_file(path);
        }
    }

    /// Forgets an image whose file is missing.
    pub(super) fn forget(&self, id: ImageId) {
        self.state().remove(id);
    }

    /// The files of an image.
    fn names(&self, id: ImageId, cached: Cached) -> Vec<PathBuf> {
        match cached {
            Cached::Failed => vec![self.folder.join(failed_name(id))],
            Cached::Copies { full, thumbnail } => {
                let small = thumbnail.map(|copy| self.path(id, (copy, Variant::Thumbnail)));
                small.into_iter().chain([self.path(id, (full, Variant::Full))]).collect()
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change leaves a valid state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_expired(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        age > match self.cached {
            Cached::Copies { .. } => MAX_AGE,
            Cached::Failed => FAILED_FOR,
        }
    }
}

impl State {
    fn insert(&mut self, id: ImageId, cached: Cached, at: Timestamp) {
        self.remove(id);
        self.uses += 1;
        self.bytes += cached.size();
        self.entries.insert(id, Entry { cached, at, used: self.uses });
    }

    fn remove(&mut self, id: ImageId) -> Option<(ImageId, Cached)> {
        let entry = self.entries.remove(&id)?;
        self.bytes -= entry.cached.size();
        Some((id, entry.cached))
    }

    /// Removes what has expired and, if the bounds are exceeded, what was used least recently, down to nine tenths.
    fn evict(&mut self, now: Timestamp) -> Vec<(ImageId, Cached)> {
        let expired = self.entries.iter().filter(|(_, entry)| entry.is_expired(now));
        let mut gone: Vec<ImageId> = expired.map(|(id, _)| *id).collect();
        let exceeds = self.bytes > self.limit || self.entries.len() > MAX_IMAGES;
        let mut removed: Vec<_> = gone.drain(..).filter_map(|id| self.remove(id)).collect();
        if exceeds {
            let mut by_use: Vec<(u64, ImageId)> =
                self.entries.iter().map(|(id, entry)| (entry.used, *id)).collect();
            by_use.sort_unstable_by_key(|(used, _)| *used);
            for (_, id) in by_use {
                if self.bytes <= self.limit / 10 * 9 && self.entries.len() <= MAX_IMAGES / 10 * 9 {
                    break;
                }
                removed.extend(self.remove(id));
            }
        }
        removed
    }
}

/// Writes a file that appears as a whole.
fn write(path: &Path, bytes: &[u8], now: Timestamp) -> io::Result<()> {
    let folder = crate::files::folder(path);
    let file = tempfile::Builder::new().prefix(".image.").tempfile_in(folder)?;
    fs::write(file.path(), bytes)?;
    file.as_file().set_modified(crate::files::system_time(now))?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// What the name of a file contains.
enum Named {
    Failed,
    Copy(Variant, Stored),
}

fn hex(id: ImageId) -> String {
    sha256::hex(&id.0)
}

fn failed_name(id: ImageId) -> String {
    format!("{}.{FAILED}", hex(id))
}

/// File name of a copy: `ID.full.1280x720.jpg`.
fn name(id: ImageId, variant: Variant, copy: Stored) -> String {
    let variant = match variant {
        Variant::Full => "full",
        Variant::Thumbnail => "thumbnail",
    };
    let Stored { width, height, format, .. } = copy;
    format!("{}.{variant}.{width}x{height}.{}", hex(id), format.extension())
}

fn parse(name: &str) -> Option<(ImageId, Named)> {
    let parts: Vec<&str> = name.split('.').collect();
    let id = parse_id(parts.first()?)?;
    if let [_, FAILED] = parts[..] {
        return Some((id, Named::Failed));
    }
    let [_, variant, dimensions, extension] = parts[..] else { return None };
    let variant = match variant {
        "full" => Variant::Full,
        "thumbnail" => Variant::Thumbnail,
        _ => return None,
    };
    let (width, height) = dimensions.split_once('x')?;
    let format = ImageFormat::ALL.into_iter().find(|it| it.extension() == extension)?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    Some((id, Named::Copy(variant, Stored { format, width, height, size: 0 })))
}

fn parse_id(hex: &str) -> Option<ImageId> {
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut id = [0; 16];
    for (byte, digits) in id.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(ImageId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn copies(size: usize) -> ImageCopies {
        let copy = |width, size| ImageCopy {
            bytes: vec![7; size],
            format: ImageFormat::Jpeg,
            width,
            height: 9,
        };
        ImageCopies { full: copy(1280, size), thumbnail: Some(copy(480, size / 4)) }
    }

    fn id(number: u8) -> ImageId {
        ImageId([number; 16])
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn copies_and_failures_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("images"));
        cache.keep(id(1), Some(&copies(10_000)), at(0)).unwrap();
        cache.keep(id(2), None, at(0)).unwrap();
        fs::write(folder.path().join("images/.image.x1"), "rest").unwrap();
        drop(cache);
        let cache = Cache::open(folder.path().join("images"));
        let found = cache.find(id(1), at(1)).unwrap();
        let (copy, variant) = found.copy(Variant::Thumbnail).unwrap();
        assert_eq!((copy.width, copy.height, copy.size), (480, 9, 2_500));
        assert_eq!(fs::read(cache.path(id(1), (copy, variant))).unwrap().len(), 2_500);
        assert_eq!(cache.find(id(2), at(1)), Some(Cached::Failed));
        assert_eq!(cache.find(id(3), at(1)), None);
        assert_eq!(files(&folder.path().join("images")), 3);
    }

    #[test]
    fn what_was_not_used_is_evicted_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned());
        cache.limit(100_000);
        for number in 0..4 {
            cache.keep(id(number), Some(&copies(20_000)), at(0)).unwrap();
        }
        assert!(cache.find(id(0), at(1)).is_some());
        cache.keep(id(9), Some(&copies(20_000)), at(2)).unwrap();
        let kept: Vec<bool> =
            [0, 1, 2, 3, 9].map(|number| cache.find(id(number), at(3)).is_some()).into();
        assert_eq!(kept, [true, false, false, true, true]);
        assert_eq!(files(folder.path()), 6);
        assert!(cache.state().bytes <= 90_000);
    }

    #[test]
    fn what_is_too_old_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned());
        cache.keep(id(1), Some(&copies(5_000)), at(0)).unwrap();
        cache.keep(id(2), None, at(0)).unwrap();
        let hour = 3_600;
        assert_eq!(cache.find(id(2), at(7 * hour)), None);
        cache.tidy(at(7 * hour));
        assert_eq!(files(folder.path()), 2);
        assert!(cache.find(id(1), at(29 * 24 * hour)).is_some());
        assert!(cache.find(id(1), at(31 * 24 * hour)).is_none());
        cache.tidy(at(31 * 24 * hour));
        assert_eq!((files(folder.path()), cache.state().bytes), (0, 0));
    }

    #[test]
    fn an_image_that_is_made_again_replaces_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned());
        cache.keep(id(1), None, at(0)).unwrap();
        cache.keep(id(1), Some(&copies(5_000)), at(1)).unwrap();
        assert_eq!(files(folder.path()), 2);
        let mut other = copies(6_000);
        other.full.height = 10;
        cache.keep(id(1), Some(&other), at(2)).unwrap();
        assert_eq!(files(folder.path()), 2);
    }
}

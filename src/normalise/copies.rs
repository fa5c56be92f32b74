//! Copies of pictures, films and players. A page that loads them by scripts has each twice: where the script puts it, and
//! in a `<noscript>`. Only what a browser with scripts shows is published.

use std::collections::HashSet;

/// Extensions of pictures, in lower case.
const PICTURES: &[&str] = &["avif", "bmp", "gif", "heic", "jpeg", "jpg", "png", "svg", "webp"];
/// Extensions of sound and films, in lower case.
const MEDIA: &[&str] = &["m3u8", "m4a", "m4v", "mov", "mp3", "mp4", "oga", "ogg", "ogv", "webm"];

/// Parameters of queries that choose another size or form of the same picture.
const FORMS: &[&str] = &[
    "auto", "blur", "crop", "dpr", "fit", "fm", "format", "h", "height", "q", "quality", "resize",
    "size", "w", "width",
];

/// What a fragment shows outside of `<noscript>`.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(HashSet<String>);

impl Shown {
    /// Adds a normalised URL.
    pub(super) fn add(&mut self, url: &str) {
        self.0.insert(key(url));
    }

    /// Adds the URLs of a normalised `srcset`.
    pub(super) fn add_all(&mut self, srcset: Option<&str>) {
        urls(srcset).for_each(|url| self.add(url));
    }

    /// Whether a normalised URL leads to the same picture or player as one that was added.
    pub(super) fn has(&self, url: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&key(url))
    }

    /// Whether [`Self::has`] a URL of a normalised `srcset`.
    pub(super) fn has_any(&self, srcset: Option<&str>) -> bool {
        urls(srcset).any(|url| self.has(url))
    }
}

/// The URLs of a normalised `srcset`.
fn urls(srcset: Option<&str>) -> impl Iterator<Item = &str> {
    let candidates = srcset.unwrap_or_default().split(", ");
    candidates.filter_map(|candidate| candidate.split(' ').next()).filter(|url| !url.is_empty())
}

/// What is the same for all sizes and forms of a picture: its URL without scheme, size and extension.
fn key(url: &str) -> String {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    let address = address.split('#').next().unwrap_or_default();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(stem) = stem(name, PICTURES) {
        return format!("{folder}/{}", without_size(stem));
    }
    if stem(name, MEDIA).is_some() {
        return path.to_owned();
    }
    let decisive = query.split('&').filter(|part| {
        let parameter = part.split('=').next().unwrap_or_default();
        !FORMS.contains(&parameter)
    });
    decisive.fold(format!("{path}?"), |key, part| key + part + "&")
}

/// The file name without its extensions, if the last one is of these.
fn stem<'n>(name: &'n str, extensions: &[&str]) -> Option<&'n str> {
    let bare = |name: &'n str| {
        let (stem, extension) = name.rsplit_once('.')?;
        extensions.contains(&&*extension.to_ascii_lowercase()).then_some(stem)
    };
    let stem = bare(name)?;
    // `a.jpg.webp`.
    Some(bare(stem).unwrap_or(stem))
}

/// The name without the size that content management systems append: `-300x200` or `-scaled`.
fn without_size(stem: &str) -> &str {
    let Some((name, suffix)) = stem.rsplit_once('-') else { return stem };
    let number = |side: &str| !side.is_empty() && side.bytes().all(|byte| byte.is_ascii_digit());
    let is_size =
        suffix.split_once('x').is_some_and(|(width, height)| number(width) && number(height));
    if is_size || suffix == "scaled" { name } else { stem }
}

/// Whether a URL, with its query, names a file that is a picture.
pub(super) fn names_picture(url: &str) -> bool {
    let lower = url.split('#').next().unwrap_or_default().to_ascii_lowercase();
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    lower.match_indices('.').any(|(at, _)| {
        let rest = &lower[at + 1..];
        PICTURES.iter().any(|extension| rest.strip_prefix(extension).is_some_and(ends))
    })
}

/// Whether the path of a URL ends as that of a film or of sound.
pub(super) fn names_media(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    stem(path.rsplit('/').next().unwrap_or_default(), MEDIA).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_forms_of_a_picture_are_copies() {
        let mut shown = Shown::default();
        shown.add("https://e.org/a/b-300x200.jpg?w=300#x");
        shown.add("https://e.org/image?id=1&w=20");
        shown.add("https://e.org/v.mp4?x=1");
        for copy in [
            "https://e.org/a/b.jpg",
            "http://e.org/a/b-scaled.webp",
            "https://e.org/a/b-1x1.jpg.webp?x",
            "https://e.org/image?w=900&id=1",
            "https://e.org/v.mp4",
        ] {
            assert!(shown.has(copy), "{copy}");
        }
        for other in [
            "https://e.org/b.jpg",
            "https://f.org/a/b.jpg",
            "https://e.org/a/b-2.jpg",
            "https://e.org/image?id=2&w=20",
            "https://e.org/v.webm",
        ] {
            assert!(!shown.has(other), "{other}");
        }
    }

    #[test]
    fn a_url_names_a_picture_in_its_path_or_its_query() {
        for url in ["/a.jpg", "https://e.org/A.JPEG?w=1", "/_next/image?url=%2Fa.png&w=640"] {
            assert!(names_picture(url), "{url}");
        }
        for url in ["/a", "https://e.jpg.org/", "/a.jpgx", "/a.html#b.jpg", "a.gif.php"] {
            assert!(!names_picture(url), "{url}");
        }
    }
}

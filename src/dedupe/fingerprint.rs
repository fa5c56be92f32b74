//! What is compared of an item: its words, hashed, with all that a comparison needs beside them. Made once,
//! when an item is new or has changed; stored; never made again from HTML. Pure.

use std::collections::HashSet;

use jiff::Timestamp;

use super::canonical;
use super::ids::global_id;
use super::likeness::{Shingle, Weights, shingles};
use super::paragraphs::{Paragraph, Role, Text, links, only_picture};
use super::sketch::Sketch;
use super::titles::Title;
use super::tuning::{BANDS, MAX_SAMPLES, MENTIONS};
use super::words::{Kind, Word, Words, hash64};
use crate::model::{Digest, Item, PageOwner, StoredItem, site};

/// Raised when fingerprints are made differently; those of another version are not read.
const VERSION: u8 = 9;

/// Maximum number of keys of a sketch: those of the title and of the whole text, bands and samples.
const MAX_KEYS: usize = 2 + BANDS + MAX_SAMPLES;

/// What is compared of an item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fingerprint {
    /// Time of publication, from the publisher.
    pub published: Option<Timestamp>,
    /// Time of first sight.
    pub seen: Timestamp,
    /// Title of the item.
    pub title: Title,
    /// Text of the item.
    pub text: Text,
    /// Digest of the item's own words; `None` where they are fewer than nine English words.
    pub text_digest: Option<u64>,
    /// Keys that similar texts share.
    pub sketch: Sketch,
    /// Digest of its canonical URL; `None`: the URL does not identify it.
    pub url_key: Option<Digest>,
    /// Digest of the URL of its audio or video file, or of the only picture of an item without a text.
    pub file: Option<Digest>,
    /// Hash of its URL as it is written.
    pub url: Option<u64>,
    /// Hash of the site of its URL.
    pub site: Option<u64>,
    /// Hash of the publisher's id, unless that is its page.
    pub guid: Option<u64>,
    /// Hash of the publisher's id, where it is unique in the world.
    pub global_id: Option<u64>,
    /// Whose page it links to.
    pub page_owner: PageOwner,
    /// Whether that page can be its own.
    pub page_kind: PageKind,
    /// Canonical URLs that a text of a few words links to.
    pub mentions: Vec<Digest>,
}

/// What the URL of a page shows about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageKind {
    /// It may be the page of one item.
    #[default]
    Item,
    /// Neither a number nor a name of several words: it may be a section, such as `/news`.
    Section,
}

/// The facts about an item beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// First time of publication that the publisher gave.
    pub published: Option<Timestamp>,
    /// Time of first sight.
    pub seen: Timestamp,
    /// Digest of its canonical URL; `None`: the URL does not identify it.
    pub url_key: Option<Digest>,
    /// Whose page it links to.
    pub page_owner: PageOwner,
}

impl Fingerprint {
    /// Number of bytes of the stored form in which the sketch ends at the latest.
    pub const WITH_SKETCH: usize =
        3 + 8 + 9 + 2 * 17 + 5 * 9 + (4 + 16 * MENTIONS) + (4 + 4 * MAX_KEYS);

    /// The fingerprint of an item with this text, which was read from it. `boilerplate` are digests of
    /// paragraphs that are its site's.
    #[must_use]
    pub fn new(item: &Item, text: Text, facts: Facts, boilerplate: &HashSet<u64>) -> Self {
        let own = text.own_words(boilerplate);
        Self::with_sketch(item, text, facts, &own)
    }

    /// As [`Fingerprint::new`]; `own` are the item's own words.
    #[must_use]
    pub fn with_sketch(item: &Item, text: Text, facts: Facts, own: &Words) -> Self {
        let mut fingerprint = Self::without_sketch(item, text, facts, own);
        fingerprint.sketch = Sketch::new(&fingerprint.title, own, fingerprint.text_digest);
        fingerprint
    }

    /// As [`Fingerprint::with_sketch`], without the sketch: no other item is found by its text.
    #[must_use]
    pub fn without_sketch(item: &Item, text: Text, facts: Facts, own: &Words) -> Self {
        let Facts { published, seen, url_key, page_owner } = facts;
        let title = Title::new(item.title.as_deref());
        let text_digest = own.exact_digest();
        let content = item.content.as_deref().filter(|_| text_digest.is_none()).unwrap_or_default();
        let mentions = links(content).take(MENTIONS);
        let is_page = |guid: &&str| {
            item.url.as_deref() == Some(guid)
                || canonical::url_key(guid).is_some_and(|key| Some(key) == url_key)
        };
        let guid = item.guid.as_deref();
        let url = item.url.as_deref().and_then(|url| url::Url::parse(url).ok());
        Self {
            sketch: Sketch::default(),
            text_digest,
            mentions: mentions.filter_map(|link| canonical::url_key(&link)).collect(),
            file: match item.details.enclosures.iter().find(|file| file.is_played()) {
                Some(file) => canonical::url_key(&file.url),
                // Weather reports and notices have icons.
                None if !own.0.is_empty() => None,
                None => only_picture(content).and_then(|url| canonical::url_key(&url)),
            },
            url: item.url.as_deref().map(hash64),
            site: url.as_ref().map(|url| hash64(site(url))),
            guid: guid.filter(|guid| !is_page(guid)).map(hash64),
            global_id: guid.filter(|guid| global_id(guid).is_some()).map(hash64),
            published,
            seen,
            title,
            text,
            url_key,
            page_owner,
            page_kind: match item.url.as_deref() {
                Some(url) if !canonical::may_name_an_item(url) => PageKind::Section,
                _ => PageKind::Item,
            },
        }
    }

    /// The fingerprint of a kept item, from the text that is kept of it: where the stored one is gone.
    #[must_use]
    pub fn of_kept(kept: &StoredItem, boilerplate: &HashSet<u64>) -> Self {
        let StoredItem { item, seen, url_key, page_owner, .. } = kept;
        let text = Text::of_item(item.content.as_deref(), item.summary.as_deref());
        let (published, seen) = (item.published, *seen);
        let facts = Facts { published, seen, url_key: *url_key, page_owner: *page_owner };
        Self::new(item, text, facts, boilerplate)
    }

    /// The fingerprint with what comparisons need, computed once.
    #[must_use]
    pub fn comparable(self, boilerplate: &HashSet<u64>, weights: &Weights) -> Comparable {
        let words = self.text.compared_words(boilerplate);
        let lines = self.text.lines().collect();
        let shingles = shingles(&words.0, weights);
        Comparable {
            weight: shingles.iter().map(|shingle| shingle.weight).sum(),
            size: words.size(),
            digest: words.digest(),
            lines,
            shingles,
            words,
            fingerprint: Self { text: Text::default(), ..self },
        }
    }

    /// The fingerprint in the form that the store keeps.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = self.title.words().len() + self.text.words.len();
        let mut out = Vec::with_capacity(96 + words * Word::BYTES + self.sketch.0.len() * 4);
        out.push(VERSION);
        out.push(self.page_owner as u8);
        out.push(self.page_kind as u8);
        out.extend(self.seen.as_millisecond().to_le_bytes());
        put(&mut out, self.published.map(|at| at.as_millisecond().to_le_bytes()));
        put(&mut out, self.url_key);
        put(&mut out, self.file);
        for hash in [self.url, self.site, self.guid, self.global_id, self.text_digest] {
            put(&mut out, hash.map(u64::to_le_bytes));
        }
        put_list(&mut out, &self.mentions, |mention| *mention);
        put_list(&mut out, &self.sketch.0, |key| key.to_le_bytes());
        out.extend((self.title.width() as u32).to_le_bytes());
        put_list(&mut out, self.title.words(), |word| word.to_bytes());
        put_list(&mut out, &self.text.paragraphs, |Paragraph { digest, words, role }| {
            let (mut bytes, [low, high]) = ([*role as u8; 11], words.to_le_bytes());
            bytes[..8].copy_from_slice(&digest.to_le_bytes());
            (bytes[8], bytes[9]) = (low, high);
            bytes
        });
        put_list(&mut out, &self.text.words, |word| word.to_bytes());
        out
    }

    /// Reads the stored form; `None` if another version wrote it.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let rest = &mut rest;
        let [page_owner, page_kind] = take(rest)?;
        let at = |bytes| Timestamp::from_millisecond(i64::from_le_bytes(bytes)).ok();
        Some(Self {
            page_owner: *[PageOwner::FeedSite, PageOwner::ClaimedSite, PageOwner::OtherSite]
                .iter()
                .find(|known| **known as u8 == page_owner)?,
            page_kind: *[PageKind::Item, PageKind::Section]
                .iter()
                .find(|known| **known as u8 == page_kind)?,
            seen: at(take(rest)?)?,
            published: maybe(rest)?.and_then(at),
            url_key: maybe(rest)?,
            file: maybe(rest)?,
            url: maybe(rest)?.map(u64::from_le_bytes),
            site: maybe(rest)?.map(u64::from_le_bytes),
            guid: maybe(rest)?.map(u64::from_le_bytes),
            global_id: maybe(rest)?.map(u64::from_le_bytes),
            text_digest: maybe(rest)?.map(u64::from_le_bytes),
            mentions: list(rest, |mention: [u8; 16]| Some(mention))?,
            sketch: Sketch(list(rest, |key| Some(u32::from_le_bytes(key)))?),
            title: {
                let width = u32::from_le_bytes(take(rest)?);
                Title::of_words(list(rest, |word| Some(Word::from_bytes(word)))?, width as usize)
            },
            text: Text {
                paragraphs: list(rest, |bytes: [u8; 11]| {
                    Some(Paragraph {
                        digest: u64::from_le_bytes(*bytes.first_chunk()?),
                        words: u16::from_le_bytes([bytes[8], bytes[9]]),
                        role: *Role::ALL.get(usize::from(bytes[10]))?,
                    })
                })?,
                words: list(rest, |word| Some(Word::from_bytes(word)))?,
            },
        })
    }

    /// Its sketch alone, read from the stored form without the words.
    #[must_use]
    pub fn sketch_from_bytes(bytes: &[u8]) -> Option<Sketch> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let rest = &mut rest;
        take::<10>(rest)?;
        maybe::<8>(rest)?;
        maybe::<16>(rest)?;
        maybe::<16>(rest)?;
        for _ in 0..5 {
            maybe::<8>(rest)?;
        }
        list(rest, |mention: [u8; 16]| Some(mention))?;
        Some(Sketch(list(rest, |key| Some(u32::from_le_bytes(key)))?))
    }
}

/// A fingerprint with its own words and their shingles, which many comparisons share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparable {
    /// The facts beside its words; its text is left out.
    pub fingerprint: Fingerprint,
    /// The words of its text, without boilerplate.
    pub words: Words,
    /// Length of the text in English words.
    pub size: usize,
    /// Hash of all words in their order.
    pub digest: u64,
    /// Digests of its short paragraphs, also of those that are links: a round-up has the headlines of its parts.
    pub lines: Vec<u64>,
    /// Shingles of the text by hash, ascending, each once.
    pub shingles: Vec<Shingle>,
    /// Weight of all shingles together.
    pub weight: f32,
}

impl Comparable {
    /// Whether both texts have the same words in the same order.
    #[must_use]
    pub fn has_words_of(&self, other: &Self) -> bool {
        self.words.0.len() == other.words.0.len() && self.digest == other.digest
    }

    /// The names and numbers in its text.
    pub(super) fn names(&self) -> impl Iterator<Item = &Word> {
        self.words.0.iter().filter(|word| word.kind != Kind::Plain)
    }

    /// Whether most of its words are characters of a script without spaces.
    #[must_use]
    pub fn is_of_characters(&self) -> bool {
        self.size * 10 < self.words.0.len() * 8
    }

    /// Bytes that it takes, what the allocator adds not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let words = self.words.0.len() + 2 * self.fingerprint.title.len();
        let sketch = self.fingerprint.sketch.0.len() * size_of::<u32>();
        size_of::<Self>()
            + sketch
            + words * size_of::<Word>()
            + self.lines.len() * size_of::<u64>()
            + self.shingles.len() * size_of::<Shingle>()
    }
}

fn put<const N: usize>(out: &mut Vec<u8>, value: Option<[u8; N]>) {
    out.push(u8::from(value.is_some()));
    out.extend(value.iter().flatten());
}

fn put_list<T, const N: usize>(out: &mut Vec<u8>, list: &[T], bytes: impl Fn(&T) -> [u8; N]) {
    out.extend((list.len() as u32).to_le_bytes());
    for value in list {
        out.extend_from_slice(&bytes(value));
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (value, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*value)
}

fn maybe<const N: usize>(rest: &mut &[u8]) -> Option<Option<[u8; N]>> {
    match take::<1>(rest)? {
        [0] => Some(None),
        _ => take(rest).map(Some),
    }
}

fn list<T, const N: usize>(
    rest: &mut &[u8],
    value: impl Fn([u8; N]) -> Option<T>,
) -> Option<Vec<T>> {
    let length = (u32::from_le_bytes(take(rest)?) as usize).checked_mul(N)?;
    let bytes = rest.get(..length)?;
    *rest = &rest[length..];
    bytes.chunks_exact(N).map(|chunk| value(*chunk.first_chunk()?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fingerprint(content: &str, guid: &str) -> Fingerprint {
        let item = Item {
            title: Some("Ferry runs aground off Onver in fog".to_owned()),
            content: Some(content.to_owned()),
            url: Some("https://gull.example/ferry".to_owned()),
            guid: Some(guid.to_owned()),
            ..Item::default()
        };
        let facts = Facts {
            published: Timestamp::from_second(1_700_000_000).ok(),
            seen: Timestamp::UNIX_EPOCH,
            url_key: canonical::url_key("https://gull.example/ferry"),
            page_owner: PageOwner::ClaimedSite,
        };
        let text = Text::of_item(item.content.as_deref(), None);
        Fingerprint::new(&item, text, facts, &HashSet::new())
    }

    #[test]
    fn a_fingerprint_is_read_back_as_it_was_stored() {
        let long = "<p>The ferry ran aground in thick fog at 6:30 near Onver this morning, with 41 on board.</p>";
        let quote = "<blockquote><p>We sang until the tide came back.</p></blockquote>";
        for content in
            ["", "<a href=\"https://e.example/x?a=1&amp;b=2\">x</a>", &format!("{long}{quote}")]
        {
            for guid in ["17", "tag:gull.example,2026:17", "https://gull.example/ferry"] {
                let made = fingerprint(content, guid);
                let bytes = made.to_bytes();
                assert_eq!(
                    Fingerprint::from_bytes(&bytes).as_ref(),
                    Some(&made),
                    "{content} {guid}"
                );
                let beginning = &bytes[..bytes.len().min(Fingerprint::WITH_SKETCH)];
                assert_eq!(Fingerprint::sketch_from_bytes(beginning), Some(made.sketch));
            }
        }
        let page = fingerprint(long, "https://gull.example/ferry");
        assert_eq!(page.guid, None, "a guid that is the page adds nothing");
        assert!(page.global_id.is_some());
        let bare = fingerprint(long, "1225c695-cfb8-4ebb-aaaa-80da344efa6a");
        assert_eq!(bare.global_id, None, "a template may have it");
        let icon = "<img src=\"https://e.example/cloudy.png\">";
        assert!(fingerprint(icon, "17").file.is_some());
        assert_eq!(fingerprint(&format!("{icon} 12 °C, wind 3"), "17").file, None);
        let link = fingerprint("<a href=\"https://e.example/x\">x</a>", "17");
        assert_eq!(link.mentions, [canonical::url_key("https://e.example/x").unwrap()]);
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_rejected(cut in 0_usize..400, flip in 0_usize..400, bits in 1_u8..) {
            let mut bytes = fingerprint("<p>The ferry ran aground in thick fog this morning.</p>", "17").to_bytes();
            let cut = cut % bytes.len();
            prop_assert_eq!(Fingerprint::from_bytes(&bytes[..cut]), None);
            let flip = flip % bytes.len();
            bytes[flip] ^= bits;
            // Any result is allowed, but no panic.
            let _ = Fingerprint::from_bytes(&bytes);
        }
    }
}

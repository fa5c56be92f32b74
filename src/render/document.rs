//! A rendered document with everything that a response needs: codings, validators, deltas. It is prepared
//! once and shared by all requests.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use super::output::Format;
use crate::text::dates;
use crate::text::sha256::{hex, sha256};

/// A document, ready to be served in any coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Format of the document.
    pub format: Format,
    /// The document as it was rendered, not compressed.
    pub body: Bytes,
    /// The strong validator of `body`, quotes included; see [`Document::tag`].
    pub etag: String,
    /// Time of the last change of its content; `None`: unknown, only the validator is sent.
    pub modified: Option<Timestamp>,
    /// `modified` as the value of `PreviousPublication-Modified`, RFC 9110 5.6.7.
    pub last_modified: Option<Bytes>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Freshness lifetime, RFC 9111 4.2.
    pub max_age: Duration,
    /// `max_age` as the value of `Cache-Control` for public documents.
    pub cache_control: Bytes,
    /// Its own URL (`rel=self`); empty if it has none.
    pub url: String,
    /// The strong validator in each coding, as the value of `ETag`.
    tags: [Bytes; Coding::ALL.len()],
    effort: Effort,
    /// The body in each compressed coding, filled at first use.
    compressed: [OnceLock<Bytes>; Coding::COMPRESSED.len()],
    /// Its items in document order, filled at first use.
    parts: OnceLock<Vec<Part>>,
}

impl Document {
    /// Hashes `body`, which may block an async thread. A coding is compressed at first use.
    #[must_use]
    pub fn prepare(
        format: Format,
        body: Vec<u8>,
        modified: impl Into<Option<Timestamp>>,
        max_age: Duration,
    ) -> Self {
        let digest = sha256(&body);
        Self::with_digest(format, body, &digest, modified, max_age)
    }

    /// As [`Document::prepare`], for a body with a known digest.
    #[must_use]
    pub fn with_digest(
        format: Format,
        body: Vec<u8>,
        digest: &[u8; 32],
        modified: impl Into<Option<Timestamp>>,
        max_age: Duration,
    ) -> Self {
        let (modified, tag) = (modified.into(), etag_of(digest));
        Self {
            format,
            effort: Effort::Full,
            compressed: Default::default(),
            parts: OnceLock::new(),
            tags: Coding::ALL.map(|coding| in_coding(&tag, coding).into()),
            etag: tag,
            body: body.into(),
            modified,
            last_modified: modified.map(|at| dates::http(at).into()),
            content_type: format.content_type(),
            max_age,
            // RFC 9111 5.2.2.
            cache_control: format!("public, max-age={}", max_age.as_secs()).into(),
            url: String::new(),
        }
    }

    /// Sets the compression effort.
    #[must_use]
    pub fn with_effort(self, effort: Effort) -> Self {
        Self { effort, ..self }
    }

    /// Sets its own URL.
    #[must_use]
    pub fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    /// The same document for clients that reach the server at the URL `to` instead of `from`. Both end with a
    /// slash. The part before the first item is changed, and in items the URLs of `own`: the page and the documents of the
    /// output with this id, which only digests have.
    #[must_use]
    pub fn with_base_url(&self, from: &str, to: &str, own: Option<&str>) -> Self {
        let (head, items) =
            self.body.split_at(self.parts().first().map_or(self.body.len(), |p| p.range.start));
        let mut body = replaced(head, from, to);
        let mut items = items.to_vec();
        for end in ["/", "."] {
            let Some(id) = own else { break };
            items = replaced(&items, &format!("{from}{id}{end}"), &format!("{to}{id}{end}"));
        }
        body.extend_from_slice(&items);
        let parts = self.moved_parts(&body);
        // The body depends on these two alone.
        let variant = hex(&sha256(to)[..4]);
        let etag = format!("\"{}.{variant}\"", self.etag.trim_matches('"'));
        Self {
            tags: Coding::ALL.map(|coding| in_coding(&etag, coding).into()),
            etag,
            body: body.into(),
            url: self.url.replacen(from, to, 1),
            compressed: Default::default(),
            parts: OnceLock::from(parts),
            ..self.clone()
        }
    }

    /// The items of this document in `body`. They have the same hashes, so that a client with one of the documents has them
    /// in the other one too.
    fn moved_parts(&self, body: &[u8]) -> Vec<Part> {
        let moved = parts(self.format, body).into_iter().zip(self.parts());
        moved.map(|(part, known)| Part { hash: known.hash, ..part }).collect()
    }

    /// The bytes in one coding, shared, not copied. The first call for a coding compresses, which takes
    /// milliseconds and may block an async thread unless the document [is ready](Self::is_ready).
    #[must_use]
    pub fn bytes(&self, coding: Coding) -> Bytes {
        match self.slot(coding) {
            None => self.body.clone(),
            Some(slot) => {
                slot.get_or_init(|| coding.encode(&self.body, self.effort).into()).clone()
            }
        }
    }

    /// Whether [`Document::bytes`] does not have to compress.
    #[must_use]
    pub fn is_ready(&self, coding: Coding) -> bool {
        self.slot(coding).is_none_or(|slot| slot.get().is_some())
    }

    fn slot(&self, coding: Coding) -> Option<&OnceLock<Bytes>> {
        let at = Coding::COMPRESSED.iter().position(|compressed| *compressed == coding)?;
        self.compressed.get(at)
    }

    fn parts(&self) -> &[Part] {
        self.parts.get_or_init(|| parts(self.format, &self.body))
    }

    /// The strong validator in one coding; each has its own (RFC 9110 8.8.3.3). Shared, not copied.
    #[must_use]
    pub fn tag(&self, coding: Coding) -> Bytes {
        self.tags[coding as usize].clone()
    }

    /// Sorted hashes of the items, which a client with this document has. See [`Document::since`].
    #[must_use]
    pub fn marks(&self) -> Box<[u64]> {
        let mut marks: Vec<u64> = self.parts().iter().map(|part| part.hash).collect();
        marks.sort_unstable();
        marks.into()
    }

    /// The document with only the items that are new or changed since the one with these marks; `None`: that
    /// would be the whole document.
    #[must_use]
    pub fn since(&self, marks: &[u64]) -> Option<Vec<u8>> {
        since(self.format, &self.body, self.parts(), marks)
    }
}

/// The strong validator of a body, quotes included.
#[must_use]
pub fn etag(body: &[u8]) -> String {
    etag_of(&sha256(body))
}

fn etag_of(digest: &[u8; 32]) -> String {
    // 128 bits are enough to distinguish two versions of one document.
    format!("\"{}\"", hex(&digest[..16]))
}

/// The strong validator of the same body in a coding.
#[must_use]
pub fn in_coding(etag: &str, coding: Coding) -> String {
    match coding {
        Coding::Identity => etag.to_owned(),
        coding => format!("\"{}-{}\"", etag.trim_matches('"'), coding.suffix()),
    }
}

/// The validator of the document itself, whatever the coding and the address of the server: the inverse of
/// [`in_coding`] and of [`Document::with_base_url`].
#[must_use]
pub fn without_variant(etag: &str) -> String {
    match etag.trim_matches('"').split_once(['-', '.']) {
        Some((hash, _)) => format!("\"{hash}\""),
        None => etag.to_owned(),
    }
}

/// How much time compression may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For documents that are sent often.
    Full,
    /// For documents that are sent rarely: gzip takes half the time, and the result is an eighth larger.
    Fast,
}

/// A content coding that documents are stored and sent in, RFC 9110 8.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not compressed.
    Identity,
    /// `gzip`, RFC 1952.
    Gzip,
    /// `br`, RFC 7932.
    Brotli,
    /// `zstd`, RFC 8878.
    Zstd,
}

impl Coding {
    /// Every coding; the position is its discriminant.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];

    /// The codings that compress.
    pub const COMPRESSED: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// The value of `Content-Encoding`; `None` for identity.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The extension for file names and validators; empty for identity.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "gz",
            Self::Brotli => "br",
            Self::Zstd => "zst",
        }
    }

    /// `body` in this coding. The same body always gives the same bytes.
    #[must_use]
    pub fn encode(self, body: &[u8], effort: Effort) -> Vec<u8> {
        // Brotli 5: within a few per cent of 11 on feeds, at a fiftieth of the time.
        let (gzip, brotli, zstd) = match effort {
            Effort::Full => (6, 5, 9),
            Effort::Fast => (2, 2, 3),
        };
        // Writing into memory cannot fail.
        match self {
            Self::Identity => body.to_vec(),
            Self::Gzip => {
                // No time stamp and no file name in the header.
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(gzip));
                let _ = encoder.write_all(body);
                encoder.finish().unwrap_or_default()
            }
            Self::Brotli => {
                let parameters =
                    brotli::enc::BrotliEncoderParams { quality: brotli, ..Default::default() };
                let mut compressed = Vec::new();
                let _ = brotli::BrotliCompress(&mut &*body, &mut compressed, &parameters);
                compressed
            }
            Self::Zstd => zstd::bulk::compress(body, zstd).unwrap_or_default(),
        }
    }

    /// Whether `encoded` decodes to `body`, whichever version of the compressor wrote it.
    #[must_use]
    pub fn decodes_to(self, encoded: &[u8], body: &[u8]) -> bool {
        self.decode(encoded, body.len()).is_some_and(|decoded| decoded == body)
    }

    /// The body of which these bytes are the coding; `None`: they are damaged, or the body is longer than `longest` bytes.
    #[must_use]
    pub fn decode(self, encoded: &[u8], longest: usize) -> Option<Vec<u8>> {
        let mut decoded = Vec::with_capacity(encoded.len());
        // One byte more is enough to detect a longer body.
        let limit = longest as u64 + 1;
        match self {
            Self::Identity => encoded.take(limit).read_to_end(&mut decoded),
            Self::Gzip => {
                flate2::read::GzDecoder::new(encoded).take(limit).read_to_end(&mut decoded)
            }
            Self::Brotli => {
                brotli::Decompressor::new(encoded, 16 * 1024).take(limit).read_to_end(&mut decoded)
            }
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(encoded).ok()?;
                decoder.take(limit).read_to_end(&mut decoded)
            }
        }
        .ok()?;
        Some(decoded).filter(|decoded| decoded.len() <= longest)
    }
}

/// One item in the bytes of a document, for delta responses (RFC 3229 with `IM: feed`).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    range: Range<usize>,
    /// Hash of the bytes; it changes with any change of the item.
    hash: u64,
}

/// The items of a document, in document order.
///
/// The document was rendered here and passed the check. A raw `<` or line end in it is always markup, so
/// that the bounds of an item are found without a parser.
fn parts(format: Format, body: &[u8]) -> Vec<Part> {
    let (list, open, close): (&[u8], &[u8], &[u8]) = match format {
        Format::Atom => (b"", b"\n  <entry", b"\n  </entry>"),
        Format::Rss => (b"", b"\n    <item>", b"\n    </item>"),
        Format::Json => (b"\n  \"items\": [", b"\n    {", b"\n    }"),
    };
    let mut parts = Vec::new();
    let Some(mut at) = find(body, list, 0).map(|at| at + list.len()) else { return parts };
    while let Some(start) = find(body, open, at) {
        let Some(end) = find(body, close, start).map(|end| end + close.len()) else { break };
        // Other lists with objects may follow.
        if format == Format::Json && !body[at..start].iter().all(|byte| *byte == b',') {
            break;
        }
        let mut hasher = DefaultHasher::new();
        body[start..end].hash(&mut hasher);
        parts.push(Part { range: start..end, hash: hasher.finish() });
        at = end;
    }
    parts
}

/// The document with only those items that are not in `known` (sorted hashes); `None`: that would be the
/// whole document.
fn since(format: Format, body: &[u8], parts: &[Part], known: &[u64]) -> Option<Vec<u8>> {
    let (first, last) = (parts.first()?, parts.last()?);
    let new = |part: &&Part| known.binary_search(&part.hash).is_err();
    let wanted: Vec<&Part> = parts.iter().filter(new).collect();
    if wanted.len() == parts.len() {
        return None;
    }
    let mut delta = body[..first.range.start].to_vec();
    for (n, part) in wanted.into_iter().enumerate() {
        if n > 0 && format == Format::Json {
            delta.push(b',');
        }
        delta.extend_from_slice(&body[part.range.clone()]);
    }
    delta.extend_from_slice(&body[last.range.end..]);
    Some(delta)
}

/// The bytes with every `from` replaced.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(bytes.len() + 64);
    let mut at = 0;
    while let Some(found) = find(bytes, from.as_bytes(), at) {
        body.extend_from_slice(&bytes[at..found]);
        body.extend_from_slice(to.as_bytes());
        at = found + from.len();
    }
    body.extend_from_slice(&bytes[at..]);
    body
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    if wanted.is_empty() {
        return Some(from);
    }
    let rest = body.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(body: &str) -> Document {
        let modified = Timestamp::constant(1_700_000_000, 0);
        Document::prepare(Format::Atom, body.into(), modified, Duration::from_secs(60))
    }

    #[test]
    fn each_coding_has_its_own_stable_etag() {
        let (one, same, other) = (prepared("a"), prepared("a"), prepared("b"));
        assert_eq!(one, same);
        assert_ne!(one.etag, other.etag);
        let text = |coding| String::from_utf8(one.tag(coding).to_vec()).unwrap();
        let mut tags = Coding::ALL.map(text).to_vec();
        assert_eq!(tags[0], one.etag);
        assert!(tags.iter().all(|tag| without_variant(tag) == one.etag));
        assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')));
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 4);
    }

    #[test]
    fn every_coding_decodes_to_the_same_body() {
        let text = "<feed>äöü</feed>\n".repeat(1000);
        let [gzip, br, zst] =
            Coding::COMPRESSED.map(|coding| coding.encode(text.as_bytes(), Effort::Full));
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*gzip).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*br, &mut unpacked).unwrap();
        assert_eq!(unpacked, text.as_bytes());
        assert_eq!(zstd::bulk::decompress(&zst, 1 << 20).unwrap(), text.as_bytes());
        assert!([gzip, br, zst].iter().all(|packed| packed.len() < text.len() / 10));
        assert_eq!(Coding::Identity.encode(b"as it is", Effort::Full), b"as it is");
        for (coding, effort) in Coding::ALL.map(|coding| (coding, Effort::Fast)) {
            let packed = coding.encode(text.as_bytes(), effort);
            assert!(coding.decodes_to(&packed, text.as_bytes()), "{coding:?}");
            for other in [&text[1..], &text[..text.len() - 1], ""] {
                assert!(!coding.decodes_to(&packed, other.as_bytes()), "{coding:?}");
            }
            assert!(!coding.decodes_to(&packed[..packed.len() - 1], text.as_bytes()));
            assert!(!coding.decodes_to(b"", text.as_bytes()));
        }
    }
}

//! One rendered document with all that serving it needs, made once and shared by every request.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::coding::Coding;
use super::delta::{self, Part};
use super::output::Format;

/// A document, ready to be served in any coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which of the three it is.
    pub format: Format,
    /// As it was written.
    pub body: Bytes,
    /// The same, compressed.
    pub gzip: Bytes,
    /// The same, compressed.
    pub br: Bytes,
    /// The same, compressed.
    pub zst: Bytes,
    /// The strong validator of `body`, quotes included; see [`Document::tag`].
    pub etag: String,
    /// When its content last really changed; `None`: nobody knows, and the validator has to do.
    pub modified: Option<Timestamp>,
    /// The same as Last-Modified has it, RFC 9110 5.6.7.
    pub last_modified: Option<Bytes>,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// How long a reader may go without asking again.
    pub max_age: Duration,
    /// The same, as `Cache-Control` has it for everybody.
    pub cache_control: Bytes,
    /// Where it lives; empty: nobody said.
    pub url: String,
    /// The strong validator in each coding, as a header has it.
    tags: [Bytes; Coding::ALL.len()],
    /// Its entries.
    parts: Vec<Part>,
}

impl Document {
    /// Hashes and compresses `body`. Takes milliseconds per megabyte: not for an async thread.
    #[must_use]
    pub fn prepare(
        format: Format,
        body: Vec<u8>,
        modified: impl Into<Option<Timestamp>>,
        max_age: Duration,
    ) -> Self {
        let modified = modified.into();
        let tag = etag(&body);
        let [gzip, br, zst] = Coding::COMPRESSED.map(|coding| coding.encode(&body).into());
        Self {
            format,
            gzip,
            br,
            zst,
            tags: Coding::ALL.map(|coding| in_coding(&tag, coding).into()),
            etag: tag,
            parts: delta::parts(format, &body),
            body: body.into(),
            modified,
            last_modified: modified.map(|at| http_date(at).into()),
            content_type: format.content_type(),
            max_age,
            // RFC 9111 5.2.2.
            cache_control: format!("public, max-age={}", max_age.as_secs()).into(),
            url: String::new(),
        }
    }

    /// Says where it lives.
    #[must_use]
    pub fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    /// The bytes in one coding; shared, not copied.
    #[must_use]
    pub fn bytes(&self, coding: Coding) -> Bytes {
        match coding {
            Coding::Identity => self.body.clone(),
            Coding::Gzip => self.gzip.clone(),
            Coding::Brotli => self.br.clone(),
            Coding::Zstd => self.zst.clone(),
        }
    }

    /// The strong validator in one coding: another for each (RFC 9110 8.8.3.3). Shared, not copied.
    #[must_use]
    pub fn tag(&self, coding: Coding) -> Bytes {
        self.tags[coding as usize].clone()
    }

    /// What a reader has who has this document, to tell later what it lacks.
    #[must_use]
    pub fn marks(&self) -> Box<[u64]> {
        delta::marks(&self.parts)
    }

    /// The document with the entries that are new or different since one with these marks;
    /// `None` where that would be all of it.
    #[must_use]
    pub fn since(&self, marks: &[u64]) -> Option<Vec<u8>> {
        delta::since(self.format, &self.body, &self.parts, marks)
    }
}

fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The strong validator of a body, quotes included.
#[must_use]
pub fn etag(body: &[u8]) -> String {
    // 128 bits are plenty to tell two versions of one document apart.
    let hash = digest(body).iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("\"{hash}\"")
}

/// A strong validator as it stands for the same body in another coding.
#[must_use]
pub fn in_coding(etag: &str, coding: Coding) -> String {
    match coding {
        Coding::Identity => etag.to_owned(),
        coding => format!("\"{}-{}\"", etag.trim_matches('"'), coding.suffix()),
    }
}

/// The validator that one in a coding belongs to: [`in_coding`] undone.
#[must_use]
pub fn without_coding(etag: &str) -> String {
    match etag.trim_matches('"').split_once('-') {
        Some((hash, _)) => format!("\"{hash}\""),
        None => etag.to_owned(),
    }
}

/// SHA-256.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(body: &str) -> Document {
        let modified = Timestamp::constant(1_700_000_000, 0);
        Document::prepare(Format::Atom, body.into(), modified, Duration::from_secs(60))
    }

    #[test]
    fn each_coding_has_its_own_strong_etag_and_the_same_body_the_same_one() {
        let (one, same, other) = (prepared("a"), prepared("a"), prepared("b"));
        assert_eq!(one, same);
        assert_ne!(one.etag, other.etag);
        let text = |coding| String::from_utf8(one.tag(coding).to_vec()).unwrap();
        let mut tags = Coding::ALL.map(text).to_vec();
        assert_eq!(tags[0], one.etag);
        assert!(tags.iter().all(|tag| without_coding(tag) == one.etag));
        assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')));
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 4);
    }

    #[test]
    fn the_date_is_as_headers_have_it() {
        let date = prepared("a").last_modified;
        assert_eq!(date.as_deref(), Some(&b"Tue, 14 Nov 2023 22:13:20 GMT"[..]));
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(digest(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}

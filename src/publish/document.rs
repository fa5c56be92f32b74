//! One rendered document with all that serving it needs, made once and shared by every request.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::output::Format;

/// A content coding that a document is kept in, RFC 9110 8.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
}

impl Coding {
    /// The `Content-Encoding`; none for the document as it is.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }
}

/// A document, ready to be served in any coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// As it was written.
    pub body: Bytes,
    /// The same, compressed.
    pub gzip: Bytes,
    /// The same, compressed.
    pub br: Bytes,
    /// The strong validator of `body`, quotes included; see [`Document::etag`].
    pub etag: String,
    /// When its content last really changed.
    pub modified: Timestamp,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// How long a reader may go without asking again.
    pub max_age: Duration,
}

impl Document {
    /// Hashes and compresses `body`. Takes milliseconds per megabyte: not for an async thread.
    #[must_use]
    pub fn prepare(format: Format, body: Vec<u8>, modified: Timestamp, max_age: Duration) -> Self {
        let hash = digest(&body);
        // 128 bits are plenty to tell two versions of one document apart.
        let etag = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self {
            gzip: gzip(&body).into(),
            br: brotli(&body).into(),
            body: body.into(),
            etag: format!("\"{etag}\""),
            modified,
            content_type: format.content_type(),
            max_age,
        }
    }

    /// The bytes in one coding; shared, not copied.
    #[must_use]
    pub fn bytes(&self, coding: Coding) -> Bytes {
        match coding {
            Coding::Identity => self.body.clone(),
            Coding::Gzip => self.gzip.clone(),
            Coding::Brotli => self.br.clone(),
        }
    }

    /// The strong validator in one coding: another for each (RFC 9110 8.8.3.3).
    #[must_use]
    pub fn etag(&self, coding: Coding) -> String {
        let hash = self.etag.trim_matches('"');
        match coding {
            Coding::Identity => format!("\"{hash}\""),
            Coding::Gzip => format!("\"{hash}-gz\""),
            Coding::Brotli => format!("\"{hash}-br\""),
        }
    }
}

/// SHA-256.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    // No time stamp and no file name in the header: the same body gives the same bytes.
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    // Writing into memory cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

fn brotli(body: &[u8]) -> Vec<u8> {
    // Quality 5: within a few per cent of 11 on feeds, at a fiftieth of the time.
    let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    let mut compressed = Vec::new();
    let _ = brotli::BrotliCompress(&mut &*body, &mut compressed, &parameters);
    compressed
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn prepared(body: &str) -> Document {
        let modified = Timestamp::constant(1_700_000_000, 0);
        Document::prepare(Format::Atom, body.into(), modified, Duration::from_secs(60))
    }

    #[test]
    fn every_coding_gives_back_the_same_body() {
        let text = "<feed>äöü</feed>\n".repeat(1000);
        let document = prepared(&text);
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*document.gzip).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*document.br, &mut unpacked).unwrap();
        assert_eq!(unpacked, text.as_bytes());
        assert!(document.br.len() < text.len() / 10 && document.gzip.len() < text.len() / 10);
    }

    #[test]
    fn each_coding_has_its_own_strong_etag_and_the_same_body_the_same_one() {
        let (one, same, other) = (prepared("a"), prepared("a"), prepared("b"));
        assert_eq!(one, same);
        assert_ne!(one.etag, other.etag);
        let tags = [Coding::Identity, Coding::Gzip, Coding::Brotli].map(|c| one.etag(c));
        assert_eq!(tags[0], one.etag);
        assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')));
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(digest(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}

//! The content codings that documents are kept and sent in, RFC 9110 8.4.1.

use std::io::Write as _;

use flate2::write::GzEncoder;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl Coding {
    /// Every coding, each at its own number.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];

    /// Those that make a document smaller.
    pub const COMPRESSED: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// The `Content-Encoding`; none for the document as it is.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The short form, for the end of a file name or a validator; empty for the document as it is.
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
    pub fn encode(self, body: &[u8]) -> Vec<u8> {
        // Writing into memory cannot fail; an empty answer would be seen as broken, not as short.
        match self {
            Self::Identity => body.to_vec(),
            Self::Gzip => {
                // No time stamp and no file name in the header.
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                let _ = encoder.write_all(body);
                encoder.finish().unwrap_or_default()
            }
            Self::Brotli => {
                // Quality 5: within a few per cent of 11 on feeds, at a fiftieth of the time.
                let parameters =
                    brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
                let mut compressed = Vec::new();
                let _ = brotli::BrotliCompress(&mut &*body, &mut compressed, &parameters);
                compressed
            }
            Self::Zstd => zstd::bulk::compress(body, 9).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_coding_gives_back_the_same_body() {
        let text = "<feed>äöü</feed>\n".repeat(1000);
        let [gzip, br, zst] = Coding::COMPRESSED.map(|coding| coding.encode(text.as_bytes()));
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*gzip).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*br, &mut unpacked).unwrap();
        assert_eq!(unpacked, text.as_bytes());
        assert_eq!(zstd::bulk::decompress(&zst, 1 << 20).unwrap(), text.as_bytes());
        assert!([gzip, br, zst].iter().all(|packed| packed.len() < text.len() / 10));
        assert_eq!(Coding::Identity.encode(b"as it is"), b"as it is");
    }
}

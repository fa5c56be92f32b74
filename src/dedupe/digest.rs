//! One way to hash several parts, so that parts can never run together.

use crate::model::Digest;
use crate::text::sha256::Sha256;

/// The first 16 bytes of the SHA-256 over the parts, each behind its length.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::default();
    for part in parts {
        hasher.part(part);
    }
    hasher.finish()
}

/// A digest of parts that are added one by one.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Appends a part, after its length.
    pub fn part(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    /// Adds a part that may be absent; absent is not empty.
    pub fn maybe(&mut self, part: Option<&str>) {
        match part {
            Some(part) => self.part(part.as_bytes()),
            None => self.0.update([0xff; 8]),
        }
    }

    /// The digest of all parts.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.0.finish_short()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b""]), digest(&[]));
    }

    #[test]
    fn absent_is_not_empty() {
        let (mut absent, mut empty) = (Hasher::default(), Hasher::default());
        absent.maybe(None);
        empty.maybe(Some(""));
        assert_ne!(absent.finish(), empty.finish());
    }
}

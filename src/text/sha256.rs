//! SHA-256 by the library that TLS uses as well.

use ring::digest;

/// A SHA-256 over bytes that come in parts.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// A digest of no bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Appends bytes to the input of the digest.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes.as_ref());
    }

    /// The digest of all bytes.
    ///
    /// # Panics
    /// Never: the digest has 32 bytes.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finish().as_ref().try_into().expect("a SHA-256 has 32 bytes")
    }

    /// The first 16 bytes of the digest of all bytes.
    #[must_use]
    pub fn finish_short(self) -> [u8; 16] {
        let digest = self.finish();
        std::array::from_fn(|at| digest[at])
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

/// The SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(bytes);
    hash.finish()
}

/// Bytes in hexadecimal digits, two a byte, in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_give_the_digest_of_the_whole() {
        let mut parts = Sha256::new();
        parts.update("a");
        parts.update("bc");
        assert_eq!(parts.clone().finish_short(), sha256("abc")[..16]);
        assert_eq!(parts.finish(), sha256("abc"));
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256("abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(hex(&sha256("abc")[..4]), "ba7816bf");
    }
}

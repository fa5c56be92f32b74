//! UUIDs that are made from names.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use uuid::{Builder, Uuid};

/// The UUID of a name within a namespace; the same for the same two.
///
/// # Panics
/// Never: a SHA-1 has 20 bytes.
#[must_use]
pub fn named(namespace: &Uuid, name: &[u8]) -> Uuid {
    // RFC 9562 5.5
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[namespace.as_bytes(), name].concat());
    let first = hash.as_ref().first_chunk().expect("a SHA-1 has 20 bytes");
    Builder::from_sha1_bytes(*first).into_uuid()
}

/// The URN of a text that is no URI, RFC 9562 4; the same for the same text.
#[must_use]
pub fn urn_of(text: &str) -> String {
    named(&Uuid::NAMESPACE_URL, text.as_bytes()).urn().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_uuid_of_the_rfc() {
        // RFC 9562 A.4
        let uuid = named(&Uuid::NAMESPACE_DNS, b"www.example.com");
        assert_eq!(uuid.to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}

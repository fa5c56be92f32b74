//! Ids of items: the publisher's own, where it is unique in the world, and those that are minted. Also the digests that
//! items are recognised by: one way to hash several parts, so that parts can never run together. Pure.

use uuid::Uuid;

use super::canonical;
use crate::model::{Digest, FeedId, site};
use crate::text::sha256::Sha256;
use crate::text::uuid::named;

/// Under this namespace ids are minted; chosen once, at random.
const NAMESPACE: Uuid = Uuid::from_u128(0x7b1d_9b52_7a0e_4a55_9c39_5d0a_6f2c_e1d7);

/// An id that no other item can have: from the feed's own id and what the item is recognised by.
#[must_use]
pub fn own_id(feed: &FeedId, identity: &Digest) -> String {
    let name = [feed.as_str().as_bytes(), b"\n", identity].concat();
    named(&NAMESPACE, &name).urn().to_string()
}

/// The publisher's id where it names one thing in the whole world, RFC 4287 4.2.6.
#[must_use]
pub fn global_id(guid: &str) -> Option<&str> {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    if guid.len() > 1024 || !guid.chars().all(fits) {
        return None;
    }
    // As it is written: a reader that resolves ids would write "HTTP:" anew.
    let global = match guid.split(':').next().unwrap_or_default() {
        // A page, but not a whole site: "https://example.org/" on an item names the site.
        "http" | "https" => canonical::canonical(guid).is_some(),
        // RFC 4151 2.1: tag:authority,date:specific
        "tag" => guid.contains(','),
        "urn" => guid.len() > 12 && guid.matches(':').count() >= 2,
        _ => false,
    };
    global.then_some(guid)
}

/// The site that a publisher's id names as its own: of an address, or of a tag (RFC 4151 2.1).
#[must_use]
pub fn authority(guid: &str) -> Option<String> {
    let host = match guid.strip_prefix("tag:") {
        Some(tag) => format!("https://{}/", tag.split([',', ':']).next()?.rsplit('@').next()?),
        None => guid.to_owned(),
    };
    let url = url::Url::parse(&host).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(site(&url).to_owned())
}

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
    fn only_an_id_that_is_unique_in_the_world_is_published_as_it_is() {
        for global in [
            "tag:example.org,2025:1",
            "https://example.org/?p=1",
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
        ] {
            assert_eq!(global_id(global), Some(global));
        }
        for local in [
            "1",
            "post 17",
            "https://example.org/",
            "http://e.org/a b",
            "tag:x",
            "yt:video:abc",
            "urn:x",
            "HTTP://example.org/thing",
        ] {
            assert_eq!(global_id(local), None, "{local}");
        }
    }

    #[test]
    fn the_site_in_an_id_is_recognised() {
        assert_eq!(authority("tag:ann@blog.example.org,2026:7").as_deref(), Some("example.org"));
        assert_eq!(authority("https://a.example.org/?p=7").as_deref(), Some("example.org"));
        assert_eq!(authority("17"), None);
        assert_eq!(authority("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a"), None);
    }

    #[test]
    fn a_minted_id_depends_on_the_feed_and_the_item_alone() {
        let (a, b) = (FeedId::new("a").unwrap(), FeedId::new("b").unwrap());
        assert_eq!(own_id(&a, &[1; 16]), own_id(&a, &[1; 16]));
        assert_ne!(own_id(&a, &[1; 16]), own_id(&b, &[1; 16]));
        assert!(own_id(&a, &[1; 16]).starts_with("urn:uuid:"));
    }

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

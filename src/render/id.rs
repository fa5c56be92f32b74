//! Ids and URLs that XML, validators and readers accept.

use std::borrow::Cow;

use uuid::Uuid;

use crate::model::OutputItem;

use crate::text::chars;
use crate::text::uuid::urn_of;

/// The id of an item in every format.
///
/// The store assigns IRIs (RFC 4287 4.2.6), which are written unchanged. Anything else, for example from a
/// publisher, becomes a UUID that is made from it and never changes.
pub(super) fn of(entry: &OutputItem) -> Cow<'_, str> {
    iri(&entry.outward_id)
}

/// The text if it is an IRI that is valid for its scheme, else a UUID that is made from it: as documents have ids.
#[must_use]
pub fn iri(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let well_formed = match scheme {
        "tag" => is_tag(rest),
        "urn" => is_urn(rest),
        _ => true,
    };
    if well_formed && is_iri(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(urn_of(text))
}

/// Whether it is `authority,date:specific`, RFC 4151 2.1.
fn is_tag(rest: &str) -> bool {
    let Some((authority, rest)) = rest.split_once(',') else { return false };
    let Some((date, _)) = rest.split_once(':') else { return false };
    let number =
        |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = date.split('-');
    let year = parts.next().is_some_and(|year| number(year, 4));
    let name = |c: char| c.is_ascii_alphanumeric() || "-._@".contains(c);
    !authority.is_empty()
        && authority.chars().all(name)
        && year
        && date.len() <= "2025-12-31".len()
        && parts.all(|part| number(part, 2))
}

/// Whether it is `nid:nss`, RFC 8141 2, and for `uuid` a UUID, RFC 9562 4.
fn is_urn(rest: &str) -> bool {
    let Some((nid, nss)) = rest.split_once(':') else { return false };
    if nid.eq_ignore_ascii_case("uuid") {
        return nss.len() == 36 && Uuid::try_parse(nss).is_ok();
    }
    (2..=32).contains(&nid.len())
        && !nss.is_empty()
        && nid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !nid.starts_with('-')
        && !nid.ends_with('-')
}

/// Whether it is an absolute IRI: a scheme, no white space, no delimiters.
pub(super) fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && rest.chars().all(|c| {
            chars::is_clean(c)
                && !c.is_control()
                && !c.is_whitespace()
                && !"<>\"{}|\\^`".contains(c)
        })
}

/// Whether it is an http or https URL with a host.
pub(super) fn is_web(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    is_iri(url) && host.is_some_and(|host| host.starts_with(|c: char| !"/?#:".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_ids_stay_unchanged() {
        for id in [
            "https://example.org/ä?q=1#f",
            "tag:a.org,2025:b/c",
            "tag:me@a.org,2025-01-31:x",
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
            "urn:x-a:b",
            "yt:video:abc",
        ] {
            assert_eq!(iri(id), id);
        }
    }

    #[test]
    fn invalid_ids_become_stable_uuids() {
        for id in [
            "1",
            "http://x/\u{7}",
            "http://e.org/a b",
            "tag:a.org,200301:x",
            "tag:a.org:x",
            "tag:a.org,2025-1:x",
            "tag:,2025:x",
            "urn:x",
            "urn:a+b:1",
            "urn:-a:1",
            "urn:uuid:8d5261ba-bf62-ac81-946c-9276ea617917c",
            "urn:uuid:x",
        ] {
            assert!(iri(id).starts_with("urn:uuid:"), "{id}");
            assert_ne!(iri(id), id);
        }
        assert_eq!(iri("1"), "urn:uuid:b80c8fef-a677-5340-85fb-2c162d75df03");
        assert_ne!(iri("a b:c"), iri("a  b:c"));
    }
}

//! Ids and addresses as XML, validators and readers take them.

use std::borrow::Cow;

use uuid::Uuid;

use crate::model::OutputItem;

use super::text;

/// The id under which every format names the entry.
///
/// The store mints IRIs (RFC 4287 4.2.6), and an IRI goes out byte by byte. Anything else, which a
/// careless publisher, an old database or a bug may bring, is named by a UUID made from it: still
/// one id, for ever.
pub(super) fn of(entry: &OutputItem) -> Cow<'_, str> {
    iri(&entry.outward_id)
}

/// `text` where it is an IRI, and well-formed for its scheme; else a UUID made from it.
pub(super) fn iri(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let well_formed = match scheme {
        "tag" => is_tag(rest),
        "urn" => is_urn(rest),
        _ => true,
    };
    if well_formed && is_iri(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).urn().to_string())
}

/// `authority,date:specific`, RFC 4151 2.1.
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

/// `nid:nss`, RFC 8141 2; a UUID must be one, RFC 9562 4.
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

/// An absolute IRI as far as XML and readers care: a scheme, no white space, no delimiter.
pub(super) fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && rest.chars().all(|c| {
            text::is_clean(c) && !c.is_control() && !c.is_whitespace() && !"<>\"{}|\\^`".contains(c)
        })
}

/// An http or https address with a host.
pub(super) fn is_web(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    is_iri(url) && host.is_some_and(|host| host.starts_with(|c: char| !"/?#:".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_formed_goes_out_byte_by_byte() {
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
    fn what_is_not_is_named_by_a_uuid_that_never_changes() {
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

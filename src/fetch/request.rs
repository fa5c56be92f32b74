//! The headers of a request: always the same few, without data about subscribers.

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::settings::{Secret, Settings};
use crate::model::Validators;
use crate::text::sha256::{Sha256, hex};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A feed, or a list of feeds; of a known one, the new items are enough.
    Feed,
    /// A complete feed, although an older document is known: the server fails on requests for new items.
    WholeFeed,
    /// A picture of an item, as a copy for the pages.
    Image,
}

/// All formats that Newswire reads, then any other type.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
     application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1",
);

/// The formats of images that Newswire reads.
const ACCEPT_IMAGE: HeaderValue =
    HeaderValue::from_static("image/webp, image/png, image/jpeg, image/gif, image/*;q=0.1");

/// Constant, because some servers include the coding in the entity tag.
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

/// The User-Agent header without a contact.
const BARE_USER_AGENT: &str = concat!("newswire/", env!("CARGO_PKG_VERSION"));

/// The User-Agent header, such as `newswire/1.2.3 (+https://who-polls.example/)`.
#[must_use]
pub fn user_agent(settings: &Settings) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match (&settings.user_agent, &settings.contact) {
        (Some(own), _) => own.clone(),
        (None, Some(contact)) => format!("newswire/{version} (+{contact})"),
        (None, None) => format!("newswire/{version}"),
    }
}

/// Identifies the settings that can change the response, beside the URL. Validators of a response to another
/// shape are not sent. The version of Newswire is not part of it, so that an upgrade keeps the validators.
#[must_use]
pub fn request_shape(settings: &Settings) -> String {
    let mut shape = match &settings.user_agent {
        Some(own) => format!("1 ua={own}"),
        None => "1".to_owned(),
    };
    if !settings.headers.is_empty() {
        let mut hash = Sha256::new();
        for (name, Secret(value)) in &settings.headers {
            hash.update(format!("{name}: {value}\n"));
        }
        let hash = hash.finish();
        shape.push_str(&hex(&hash[..8]));
    }
    shape
}

/// The configured headers, for requests to the origin of the configured URL.
pub(crate) fn own_headers(settings: &Settings) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, Secret(value)) in &settings.headers {
        let value = HeaderValue::from_str(value).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// The email address in the contact, for the `From` field (RFC 9110 10.1.2).
fn mail_address(contact: &str) -> Option<&str> {
    let address = contact.strip_prefix("mailto:").unwrap_or(contact).trim();
    let (user, domain) = address.split_once('@')?;
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
    };
    (plain(user) && plain(domain)).then_some(address)
}

/// The headers with `Host` in front, as RFC 9110 7.2 recommends. Over TLS the protocol may be HTTP/2, which has
/// `:authority` instead; there the HTTP client adds what is needed.
pub(crate) fn with_host(url: &Url, headers: &HeaderMap) -> HeaderMap {
    let mut all = HeaderMap::with_capacity(headers.len() + 2);
    if url.scheme() == "http"
        && let Some(host) = url.host_str()
    {
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        if let Ok(host) = HeaderValue::from_str(&host) {
            all.insert(header::HOST, host);
        }
    }
    all.extend(headers.clone());
    all
}

/// The headers of one request, with both validators byte for byte as received (RFC 9110 13.1.2, 13.1.3).
pub(crate) fn headers(settings: &Settings, wanted: Wanted, validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    // The config rejects other values; a request without a name would be worse than one without a contact.
    let agent = HeaderValue::from_str(&user_agent(settings));
    let agent = agent.unwrap_or(HeaderValue::from_static(BARE_USER_AGENT));
    headers.insert(header::USER_AGENT, agent);
    let mail = settings.contact.as_deref().and_then(mail_address);
    if let Some(Ok(mail)) = mail.map(HeaderValue::from_str) {
        headers.insert(header::FROM, mail);
    }
    headers.insert(
        header::ACCEPT,
        match wanted {
            Wanted::Feed | Wanted::WholeFeed => ACCEPT,
            Wanted::Image => ACCEPT_IMAGE,
        },
    );
    headers.insert(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
    let conditions = [
        (header::IF_NONE_MATCH, &validators.etag),
        (header::IF_MODIFIED_SINCE, &validators.last_modified),
    ];
    for (name, validator) in conditions {
        // Validators that are not valid header values are not sent.
        let value = validator.as_deref().and_then(|bytes| HeaderValue::from_bytes(bytes).ok());
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    if wanted == Wanted::Feed && !validators.is_empty() {
        // RFC 3229 10.5.3, instance manipulation "feed": only new items.
        headers.insert("a-im", HeaderValue::from_static("feed"));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_agent_contains_the_contact() {
        let contact = Settings {
            contact: Some("https://planet.example/about".to_owned()),
            ..Settings::default()
        };
        assert!(user_agent(&contact).ends_with(" (+https://planet.example/about)"));
        assert!(user_agent(&contact).starts_with("newswire/"));
    }

    #[test]
    fn a_contact_that_is_a_mail_address_is_sent_in_from() {
        let from = |contact: &str| {
            let contact = Some(contact.to_owned());
            let sent = headers(
                &Settings { contact, ..Settings::default() },
                Wanted::Feed,
                &Validators::default(),
            );
            sent.get(header::FROM).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(from("mailto:ann@example.org").as_deref(), Some("ann@example.org"));
        assert_eq!(from("feeds+x@example.org").as_deref(), Some("feeds+x@example.org"));
        for contact in ["https://planet.example/@ann", "@ann", "a b@c", "ann@example.org, bob@x"] {
            assert_eq!(from(contact), None, "{contact}");
        }
    }

    #[test]
    fn no_request_is_without_a_user_agent() {
        let odd = Settings { contact: Some("a\nb".to_owned()), ..Settings::default() };
        let sent = headers(&odd, Wanted::Feed, &Validators::default());
        assert!(sent[header::USER_AGENT].to_str().unwrap().starts_with("newswire/"));
    }

    #[test]
    fn host_is_the_first_header() {
        let plain = headers(&Settings::default(), Wanted::Feed, &Validators::default());
        let sent = with_host(&Url::parse("http://a.test:81/x").unwrap(), &plain);
        let first = sent.iter().next().map(|(name, value)| (name.as_str(), value.as_bytes()));
        assert_eq!(first, Some(("host", &b"a.test:81"[..])));
        let tls = with_host(&Url::parse("https://a.test/x").unwrap(), &plain);
        assert!(!tls.contains_key(header::HOST));
    }

    #[test]
    fn validators_are_sent_unchanged_or_not_at_all() {
        let odd = Validators {
            etag: Some(b"W/\"\xe4 odd".to_vec()),
            last_modified: Some(b"yesterday".to_vec()),
        };
        let sent = headers(&Settings::default(), Wanted::Feed, &odd);
        assert_eq!(sent[header::IF_NONE_MATCH].as_bytes(), b"W/\"\xe4 odd");
        assert_eq!(sent[header::IF_MODIFIED_SINCE].as_bytes(), b"yesterday");
        let split = Validators { etag: Some(b"x\r\nHost: evil".to_vec()), last_modified: None };
        assert!(
            !headers(&Settings::default(), Wanted::Feed, &split)
                .contains_key(header::IF_NONE_MATCH)
        );
    }

    #[test]
    fn an_upgrade_or_a_new_contact_keeps_the_validators() {
        let contact = Settings { contact: Some("a".to_owned()), ..Settings::default() };
        assert_eq!(request_shape(&contact), request_shape(&Settings::default()));
        let disguised = Settings { user_agent: Some("b".to_owned()), ..Settings::default() };
        assert_ne!(request_shape(&disguised), request_shape(&Settings::default()));
    }
}

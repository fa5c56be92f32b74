//! The headers of a request: always the same few, without data about subscribers.

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::settings::{Secret, Settings};
use crate::model::Validators;

/// All formats that Newswire reads, then any other type.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
     application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1",
);

/// Constant, because some servers include the coding in the entity tag.
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

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
        let hash = hash.finalize();
        shape.push_str(&hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>());
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

/// The headers of one request, with both validators byte for byte as received (RFC 9110 13.1.2, 13.1.3).
pub(crate) fn headers(settings: &Settings, validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(header::ACCEPT, ACCEPT);
    headers.insert(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
    if let Ok(agent) = HeaderValue::from_str(&user_agent(settings)) {
        headers.insert(header::USER_AGENT, agent);
    }
    let conditions = [
        (header::IF_NONE_MATCH, &validators.etag),
        (header::IF_MODIFIED_SINCE, &validators.last_modified),
    ];
    for (name, validator) in conditions {
        // Validators that are no valid header values are not sent.
        let value = validator.as_deref().and_then(|bytes| HeaderValue::from_bytes(bytes).ok());
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    if !validators.is_empty() {
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
    fn validators_are_sent_unchanged_or_not_at_all() {
        let odd = Validators {
            etag: Some(b"W/\"\xe4 odd".to_vec()),
            last_modified: Some(b"yesterday".to_vec()),
        };
        let sent = headers(&Settings::default(), &odd);
        assert_eq!(sent[header::IF_NONE_MATCH].as_bytes(), b"W/\"\xe4 odd");
        assert_eq!(sent[header::IF_MODIFIED_SINCE].as_bytes(), b"yesterday");
        let split = Validators { etag: Some(b"x\r\nHost: evil".to_vec()), last_modified: None };
        assert!(!headers(&Settings::default(), &split).contains_key(header::IF_NONE_MATCH));
    }

    #[test]
    fn an_upgrade_or_a_new_contact_keeps_the_validators() {
        let contact = Settings { contact: Some("a".to_owned()), ..Settings::default() };
        assert_eq!(request_shape(&contact), request_shape(&Settings::default()));
        let disguised = Settings { user_agent: Some("b".to_owned()), ..Settings::default() };
        assert_ne!(request_shape(&disguised), request_shape(&Settings::default()));
    }
}

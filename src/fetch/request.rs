//! What a request is sent with: its headers, always the same few, without data about subscribers; and an HTTP client with
//! its resolver and guard, the certificates that it trusts, and the connections that it probably keeps. Also tries whether
//! a server can be reached, without a request.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use url::{Host, Origin, Url};

use super::resolve::GuardedResolver;
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

/// How long an idle connection is kept for other feeds of the same host. Short, because a poll cycle may
/// contact thousands of hosts.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Largest number of origins that are remembered.
const MAX_ORIGINS: usize = 1024;

/// What a request is sent with. Feeds with the same certificates, networks and proxy share one.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) client: Client,
    pub(crate) resolver: GuardedResolver,
    pub(crate) kept: Arc<KeptConnections>,
}

/// Origins to which the client may have an idle connection, with the time of the last exchange.
#[derive(Debug, Default)]
pub(crate) struct KeptConnections(Mutex<HashMap<Origin, Timestamp>>);

impl KeptConnections {
    /// Records that an exchange with the origin of this URL ended well.
    pub(crate) fn insert(&self, url: &Url, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_ORIGINS {
            kept.retain(|_, at| is_recent(*at, now));
        }
        kept.insert(url.origin(), now);
    }

    /// Whether the next request to this URL may use a kept connection. That request is the only user of it.
    pub(crate) fn take(&self, url: &Url, now: Timestamp) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&url.origin()).is_some_and(|at| is_recent(at, now))
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let limit = SignedDuration::try_from(KEEP_ALIVE).unwrap_or(SignedDuration::MAX);
    now.duration_since(at).abs() <= limit
}

/// The certificates of the system, once they are read. More than a hundred files are read and parsed, and each client
/// would do that again and keep them.
static SYSTEM_CERTIFICATES: Mutex<Option<Arc<Verifier>>> = Mutex::new(None);

/// TLS of a client that trusts the certificates of the system. They are read once in a process.
///
/// # Errors
/// When the system has none.
pub(super) fn trusted_by_system() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut system = SYSTEM_CERTIFICATES.lock().unwrap_or_else(PoisonError::into_inner);
    let verifier = match &*system {
        Some(verifier) => Arc::clone(verifier),
        None => Arc::clone(system.insert(Arc::new(Verifier::new(Arc::clone(&provider))?))),
    };
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Time limit of one try, the lookup of the name included.
const REACH_LIMIT: Duration = Duration::from_secs(5);
/// Largest number of addresses that are tried.
const MAX_TRIED_ADDRESSES: usize = 4;

/// Whether a connection to the server of this URL, or to the proxy in front of it, can be opened. It is closed at once.
pub(super) async fn reaches(connector: &Connector, url: &Url, settings: &Settings) -> bool {
    if connector.resolver.guard.check_url(url).is_err() {
        return false;
    }
    let server = settings.proxy.as_ref().unwrap_or(url);
    tokio::time::timeout(REACH_LIMIT, opens(connector, server)).await.unwrap_or(false)
}

async fn opens(connector: &Connector, server: &Url) -> bool {
    let (Some(host), Some(port)) = (server.host(), server.port_or_known_default()) else {
        // A proxy of a scheme without a usual port. The poll shows whether it works.
        return true;
    };
    let addresses: Vec<IpAddr> = match host {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        Host::Domain(name) => connector.resolver.lookup(name).await.unwrap_or_default(),
    };
    for address in addresses.into_iter().take(MAX_TRIED_ADDRESSES) {
        if TcpStream::connect(SocketAddr::new(address, port)).await.is_ok() {
            return true;
        }
    }
    false
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

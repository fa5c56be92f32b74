//! Access control: which requests are answered, who sees the operator pages, and who may read an output.
//! Pure.
//!
//! Any web page can make its reader's browser send requests to this server under a name of its own
//! that resolves to it (DNS rebinding). So a request is answered only if it names this server by one of
//! its own names, and that is checked first.
//!
//! The operator pages are for this machine alone, unless the config opens them: a reverse proxy on it
//! publishes the feeds, and must not publish what the operator sees. The client address that a proxy
//! reports is never believed; that a request was forwarded is. A proxy that adds no header and speaks
//! HTTP/1.1 cannot be distinguished from a local client: docs/reverse-proxy.md describes what to configure.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, VIA};
use axum::http::{HeaderMap, Method, Request, StatusCode, Version};
use url::form_urlencoded;

use crate::outputs::ServedOutput;

use super::base_url::BaseUrl;
use super::response::Audience;
use super::settings::{ListenAddress, Settings, StatusPages};
use super::site::Peer;

/// The local end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalEnd {
    /// Address that the listener is bound to; `None`: a Unix socket.
    pub(super) bound: Option<IpAddr>,
    /// Local address that the client connected to; `None`: a Unix socket.
    pub(super) connected: Option<IpAddr>,
}

/// Why a request is not answered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// It names no host, or several.
    NoHost,
    /// It names a host that is not this server.
    UnknownHost,
    /// Its method is neither GET nor HEAD.
    Method,
    /// Its target is too long.
    LongTarget,
}

/// Maximum length of the target of a request in bytes: the least that servers should support (RFC 9110 4.1).
const MAX_TARGET: usize = 8_000;

/// Whether a request is answered, whatever its path.
pub(super) fn admit<B>(
    request: &Request<B>,
    local: LocalEnd,
    settings: &Settings,
) -> Result<(), Rejection> {
    match requested_host(request)? {
        Some(host) if !is_own_name(host, local, settings) => return Err(Rejection::UnknownHost),
        // HTTP/1.0 has no Host field, and no browser speaks it.
        None if request.version() > Version::HTTP_10 => return Err(Rejection::NoHost),
        _ => {}
    }
    let target = request.uri().path_and_query();
    match *request.method() {
        Method::GET | Method::HEAD if target.is_some_and(|it| it.as_str().len() > MAX_TARGET) => {
            Err(Rejection::LongTarget)
        }
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Rejection::Method),
    }
}

/// The URL of the server that a request was sent to, for a request that [`admit`] has passed.
pub(super) fn base_url<B>(request: &Request<B>, settings: &Settings) -> BaseUrl {
    match requested_host(request) {
        Ok(Some(host)) if settings.public_url.is_none() => BaseUrl::of_host(host),
        _ => BaseUrl::default(),
    }
}

/// Why a request may not see the operator pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum OperatorRefusal {
    /// `[web] status` is off.
    Off,
    /// The client is neither on this machine nor in one of the networks `operators`.
    OtherMachine,
    /// The client is in one of the networks `operators`, and the request names a host that is not in `hosts`.
    OtherName,
    /// The client is on this machine, and the request names another host than an operator would: probably a proxy
    /// that keeps the host and does not show that it forwards.
    OtherLocalName,
    /// A proxy forwards the request.
    Proxied,
    /// A page of another site makes the request.
    OtherSite,
}

impl OperatorRefusal {
    /// The status to answer with. Apart from a link on another site, the pages do not seem to exist.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::OtherSite => StatusCode::FORBIDDEN,
            _ => StatusCode::NOT_FOUND,
        }
    }

    /// Message for the log, and what the operator can do; `None`: the config wants it so, or the request is not theirs.
    pub(super) fn explanation(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Off | Self::OtherSite => None,
            Self::OtherMachine => Some((
                "the client is not on this machine",
                "add the network of the client to operators in [web] if it is yours",
            )),
            Self::OtherName => Some((
                "the request names another host",
                "request the page at 127.0.0.1 or localhost, or add the name to hosts in [web]",
            )),
            // With this machine in `operators`, such a proxy would publish the pages.
            Self::OtherLocalName => Some((
                "the request names another host",
                "request the page at 127.0.0.1 or localhost; through a proxy, see docs/reverse-proxy.md",
            )),
            Self::Proxied => Some((
                "a proxy forwards the request",
                "request the page without the proxy, or see docs/reverse-proxy.md",
            )),
        }
    }
}

/// Whether a request may see the operator pages.
pub(super) fn admit_operator<B>(
    request: &Request<B>,
    peer: Peer,
    settings: &Settings,
) -> Result<(), OperatorRefusal> {
    let headers = request.headers();
    match settings.status {
        StatusPages::Off => return Err(OperatorRefusal::Off),
        StatusPages::Open => {}
        StatusPages::Local => admit_near(request, peer, settings)?,
    }
    // Fetch Metadata: requests of other sites, by link, picture or frame.
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
        return Err(OperatorRefusal::OtherSite);
    }
    Ok(())
}

/// Whether a request comes directly from this machine or from a network of operators, under a name that no other
/// person controls.
fn admit_near<B>(
    request: &Request<B>,
    peer: Peer,
    settings: &Settings,
) -> Result<(), OperatorRefusal> {
    // nginx before 1.29.7 uses HTTP/1.0 for upstreams; browsers and monitors speak HTTP/1.1.
    if request.version() < Version::HTTP_11 || is_forwarded(request.headers()) {
        return Err(OperatorRefusal::Proxied);
    }
    let address = match peer {
        Peer::Address(address) => address.to_canonical(),
        // Unix sockets are used by proxies.
        Peer::Unix => return Err(OperatorRefusal::Proxied),
    };
    let host = match requested_host(request) {
        Ok(Some(host)) => without_port(host),
        _ => "",
    };
    if is_loopback(host) && address.is_loopback() {
        return Ok(());
    }
    // A number cannot be made to resolve to this server (DNS rebinding).
    let is_safe = is_loopback(host)
        || host.parse::<IpAddr>().is_ok()
        || settings.hosts.iter().any(|name| name.eq_ignore_ascii_case(host));
    let is_operator = settings.operators.iter().any(|network| network.contains(&address));
    match (is_operator, is_safe) {
        (true, true) => Ok(()),
        _ if address.is_loopback() => Err(OperatorRefusal::OtherLocalName),
        (true, false) => Err(OperatorRefusal::OtherName),
        (false, _) => Err(OperatorRefusal::OtherMachine),
    }
}

/// Whether a request may read an output.
#[derive(Debug)]
pub(super) enum OutputAccess<'o> {
    /// It may, and the response is for this audience.
    Granted(&'o Arc<ServedOutput>, Audience),
    /// It may not: the status to answer with.
    Denied(StatusCode),
}

/// Decides whether a request may read an output; `None`: no such output.
///
/// A subscriber sends the token of an output as `?token=…` or as `Authorization: Bearer …`. Without a token
/// the answer is 404, with a wrong one 401, so that a subscriber whose token was changed learns why. Both
/// are the same for names without an output.
pub(super) fn authorize<'o>(
    output: Option<&'o Arc<ServedOutput>>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> OutputAccess<'o> {
    let token = output.map(|output| (output, output.token.as_ref()));
    if let Some((output, None)) = token {
        return OutputAccess::Granted(output, Audience::Public);
    }
    let in_query = query.and_then(|query| {
        form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token")
    });
    let in_header = headers.get(AUTHORIZATION).map(|value| bearer_token(value.as_bytes()));
    if let Some((output, Some(token))) = token {
        // RFC 6750 2: clients use one way at a time; the header comes first.
        if in_header.is_some_and(|sent| token.matches(sent)) {
            return OutputAccess::Granted(output, Audience::Subscriber);
        }
        if in_query.as_ref().is_some_and(|(_, sent)| token.matches(sent.as_bytes())) {
            return OutputAccess::Granted(output, Audience::Linked(token.clone()));
        }
    }
    let has_token = in_query.is_some() || in_header.is_some();
    OutputAccess::Denied(if has_token { StatusCode::UNAUTHORIZED } else { StatusCode::NOT_FOUND })
}

/// The token of `Bearer …`, RFC 6750 2.1; empty for any other scheme.
fn bearer_token(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => b"",
    }
}

/// The host that a request names, with its port; `None`: it names none.
fn requested_host<B>(request: &Request<B>) -> Result<Option<&str>, Rejection> {
    // RFC 9112 3.2.2: an absolute target takes precedence over the Host field.
    if let Some(authority) = request.uri().authority() {
        return Ok(Some(authority.as_str()));
    }
    let mut fields = request.headers().get_all(HOST).iter();
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        // RFC 9112 3.2: 400 also for an invalid value.
        (Some(field), None) => field.to_str().map(Some).map_err(|_| Rejection::NoHost),
        (Some(_), Some(_)) => Err(Rejection::NoHost),
    }
}

/// The host without its port, brackets and final dot.
fn without_port(host: &str) -> &str {
    if let Some(literal) = host.strip_prefix('[') {
        return literal.split(']').next().unwrap_or_default();
    }
    let name = host.split(':').next().unwrap_or_default();
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether `host` is a name or an address of this server.
fn is_own_name(host: &str, local: LocalEnd, settings: &Settings) -> bool {
    let host = without_port(host);
    if is_loopback(host) {
        return true;
    }
    let public = settings.public_url.as_ref().and_then(|url| url.host_str()).map(without_port);
    if settings.hosts.is_empty() && public.is_none() {
        // Bound to a public address, and no name is configured: any name may be its own. `check` warns.
        match local.bound {
            Some(address) if address.to_canonical().is_loopback() => {}
            _ => return true,
        }
    }
    let names = settings.hosts.iter().map(String::as_str).chain(public);
    if names.into_iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return true;
    }
    let Ok(host) = host.parse::<IpAddr>() else { return false };
    let listen = settings.listen.iter().filter_map(|address| match address {
        ListenAddress::Tcp(address) => Some(address.ip()),
        _ => None,
    });
    let addresses = [local.connected, local.bound].into_iter().flatten().chain(listen);
    let mut addresses = addresses.chain(settings.hosts.iter().filter_map(|name| name.parse().ok()));
    addresses.any(|address| address.to_canonical() == host.to_canonical() && !host.is_unspecified())
}

/// Whether `host` always resolves to this machine. RFC 6761 6.3: so do `localhost` and its subdomains.
fn is_loopback(host: &str) -> bool {
    let ends_with = |name: &str| {
        host.len() > name.len()
            && host.as_bytes()[host.len() - name.len()..].eq_ignore_ascii_case(name.as_bytes())
    };
    host.eq_ignore_ascii_case("localhost")
        || ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether a header shows that a proxy forwards the request.
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || headers.contains_key("x-real-ip")
        || headers.keys().any(|name| name.as_str().starts_with("x-forwarded-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(bound: &str, connected: &str) -> LocalEnd {
        LocalEnd { bound: Some(ip(bound)), connected: Some(ip(connected)) }
    }

    fn loopback() -> LocalEnd {
        at("127.0.0.1", "127.0.0.1")
    }

    fn request_to(target: &str, fields: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn admitted(host: &str, local: LocalEnd, settings: &Settings) -> Result<(), Rejection> {
        admit(&request_to("/", &[("host", host)]), local, settings)
    }

    #[test]
    fn without_configured_names_only_local_names_are_answered() {
        let settings = Settings::default();
        for host in [
            "localhost",
            "LocalHost:8420",
            "localhost.",
            "planet.localhost:80",
            "127.0.0.1:8420",
            "127.9.9.9",
            "[::1]:8420",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(admitted(host, loopback(), &settings), Ok(()), "{host}");
        }
        for host in [
            "evil.test",
            "evil.test:8420",
            "localhost.evil.test",
            "notlocalhost",
            ".localhost",
            "",
            "127.0.0.1.evil.test",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[",
            "127.1",
            "x@localhost",
        ] {
            assert_eq!(
                admitted(host, loopback(), &settings),
                Err(Rejection::UnknownHost),
                "{host}"
            );
        }
    }

    #[test]
    fn configured_names_are_answered() {
        let settings = Settings {
            public_url: Some("https://planet.example.org/x/".parse().unwrap()),
            hosts: vec![
                "feeds.example".to_owned(),
                "192.0.2.1".to_owned(),
                "2001:db8::1".to_owned(),
            ],
            ..Settings::default()
        };
        // Also if it is bound to a public address.
        for local in
            [loopback(), at("0.0.0.0", "192.0.2.7"), LocalEnd { bound: None, connected: None }]
        {
            for host in [
                "planet.example.org",
                "Planet.Example.org.:443",
                "feeds.example:8420",
                "192.0.2.1:1",
                "[2001:db8:0::1]:8420",
                "localhost",
            ] {
                assert_eq!(admitted(host, local, &settings), Ok(()), "{host}");
            }
            for host in ["evil.test", "x.feeds.example", "192.0.2.2"] {
                assert_eq!(admitted(host, local, &settings), Err(Rejection::UnknownHost), "{host}");
            }
        }
    }

    #[test]
    fn the_address_of_the_connection_is_answered() {
        let named = Settings { hosts: vec!["feeds.example".to_owned()], ..Settings::default() };
        let local = at("::", "::ffff:192.0.2.7");
        assert_eq!(admitted("192.0.2.7:8420", local, &named), Ok(()));
        assert_eq!(admitted("192.0.2.8:8420", local, &named), Err(Rejection::UnknownHost));
    }

    #[test]
    fn a_public_listener_without_configured_names_answers_any_name() {
        let settings = Settings::default();
        let everywhere = at("0.0.0.0", "192.0.2.7");
        for local in
            [everywhere, at("192.0.2.7", "192.0.2.7"), LocalEnd { bound: None, connected: None }]
        {
            assert_eq!(admitted("planet.example.org", local, &settings), Ok(()));
        }
        let request = request_to("/", &[]);
        assert_eq!(admit(&request, everywhere, &settings), Err(Rejection::NoHost));
    }

    #[test]
    fn an_absolute_target_takes_precedence_over_the_host_field() {
        let settings = Settings::default();
        let judge = |target: &str, fields: &[(&'static str, &str)]| {
            admit(&request_to(target, fields), loopback(), &settings)
        };
        let (here, there) = (("host", "localhost"), ("host", "evil.test"));
        assert_eq!(judge("/", &[]), Err(Rejection::NoHost));
        assert_eq!(judge("/", &[here, there]), Err(Rejection::NoHost));
        assert_eq!(judge("/", &[here, here]), Err(Rejection::NoHost));
        assert_eq!(judge("http://evil.test/", &[here]), Err(Rejection::UnknownHost));
        assert_eq!(judge("http://localhost/", &[there]), Ok(()));
        let mut old = request_to("/", &[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(admit(&old, loopback(), &settings), Ok(()));
    }

    #[test]
    fn only_get_and_head_are_answered() {
        for (method, expected) in [
            (Method::GET, Ok(())),
            (Method::HEAD, Ok(())),
            (Method::POST, Err(Rejection::Method)),
            (Method::OPTIONS, Err(Rejection::Method)),
        ] {
            let mut request = request_to("/", &[("host", "localhost")]);
            *request.method_mut() = method;
            assert_eq!(admit(&request, loopback(), &Settings::default()), expected);
        }
    }

    #[test]
    fn operator_pages_are_for_this_machine_alone() {
        let settings = Settings {
            public_url: Some("https://planet.example.org/".parse().unwrap()),
            ..Settings::default()
        };
        let here = Peer::Address(ip("127.0.0.1"));
        let host = |host| request_to("/status", &[("host", host)]);
        for peer in [here, Peer::Address(ip("::1")), Peer::Address(ip("::ffff:127.0.0.1"))] {
            assert_eq!(admit_operator(&host("localhost:8420"), peer, &settings), Ok(()));
            assert_eq!(admit_operator(&host("[::1]:8420"), peer, &settings), Ok(()));
        }
        let far = Peer::Address(ip("192.0.2.9"));
        let judge = |request: &Request<()>, peer| admit_operator(request, peer, &settings);
        assert_eq!(judge(&host("localhost"), far), Err(OperatorRefusal::OtherMachine));
        assert_eq!(judge(&host("localhost"), Peer::Unix), Err(OperatorRefusal::Proxied));
        let refused = Err(OperatorRefusal::OtherLocalName);
        assert_eq!(judge(&host("planet.example.org"), here), refused);
        assert_eq!(judge(&request_to("/status", &[]), here), refused);
        let listed = Settings { hosts: vec!["planet.lan".to_owned()], ..settings.clone() };
        assert_eq!(admit_operator(&host("Planet.lan:8420"), here, &listed), refused);
        for field in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "via", "x-real-ip"] {
            let request = request_to("/status", &[("host", "localhost"), (field, "for=127.0.0.1")]);
            assert_eq!(judge(&request, here), Err(OperatorRefusal::Proxied), "{field}");
        }
        assert_eq!(OperatorRefusal::OtherMachine.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn no_advice_for_a_local_client_opens_the_operator_pages_to_a_proxy() {
        let here = "127.0.0.0/8".parse().unwrap();
        let settings = Settings { operators: vec![here], ..Settings::default() };
        let request = request_to("/status", &[("host", "planet.example.org")]);
        let peer = Peer::Address(ip("127.0.0.1"));
        for settings in [settings, Settings::default()] {
            let refusal = admit_operator(&request, peer, &settings).unwrap_err();
            let (_, help) = refusal.explanation().unwrap();
            assert!(!help.contains("hosts") && !help.contains("operators"), "{help}");
        }
    }

    #[test]
    fn networks_of_operators_see_the_operator_pages_without_a_proxy() {
        // A container: the bridge is the peer of each request.
        let settings = Settings {
            operators: vec!["172.16.0.0/12".parse().unwrap()],
            hosts: vec!["planet.lan".to_owned()],
            public_url: Some("https://planet.example.org/".parse().unwrap()),
            ..Settings::default()
        };
        let judge = |host, field: Option<&'static str>, peer: &str| {
            let fields: Vec<_> = [Some(("host", host)), field.map(|name| (name, "1"))]
                .into_iter()
                .flatten()
                .collect();
            admit_operator(&request_to("/status", &fields), Peer::Address(ip(peer)), &settings)
        };
        for peer in ["172.17.0.1", "::ffff:172.17.0.1"] {
            for host in ["localhost:8420", "127.0.0.1:8420", "192.168.1.5:8420", "Planet.lan"] {
                assert_eq!(judge(host, None, peer), Ok(()), "{host}");
            }
            // The name that the proxy serves, and one that a web page chose.
            for host in ["planet.example.org", "evil.test"] {
                let refused = Err(OperatorRefusal::OtherName);
                assert_eq!(judge(host, None, peer), refused, "{host}");
            }
            let proxied = judge("localhost", Some("x-forwarded-for"), peer);
            assert_eq!(proxied, Err(OperatorRefusal::Proxied));
        }
        assert_eq!(judge("localhost", None, "172.32.0.1"), Err(OperatorRefusal::OtherMachine));
    }

    #[test]
    fn http_1_0_counts_as_a_proxy() {
        // nginx with `proxy_pass http://127.0.0.1:8420` and nothing else.
        let mut request =
            request_to("/status", &[("host", "127.0.0.1:8420"), ("connection", "close")]);
        *request.version_mut() = Version::HTTP_10;
        let here = Peer::Address(ip("127.0.0.1"));
        let judge =
            |status| admit_operator(&request, here, &Settings { status, ..Settings::default() });
        assert_eq!(judge(StatusPages::Local), Err(OperatorRefusal::Proxied));
        assert_eq!(judge(StatusPages::Open), Ok(()));
    }

    #[test]
    fn the_config_opens_or_closes_the_operator_pages() {
        let with = |status| Settings { status, ..Settings::default() };
        let far = Peer::Address(ip("192.0.2.9"));
        let forwarded =
            request_to("/status", &[("host", "any.test"), ("x-forwarded-for", "192.0.2.9")]);
        assert_eq!(admit_operator(&forwarded, far, &with(StatusPages::Open)), Ok(()));
        assert_eq!(admit_operator(&forwarded, Peer::Unix, &with(StatusPages::Open)), Ok(()));
        let (near, here) =
            (request_to("/status", &[("host", "localhost")]), Peer::Address(ip("::1")));
        let closed = admit_operator(&near, here, &with(StatusPages::Off));
        assert_eq!(closed, Err(OperatorRefusal::Off));
    }

    #[test]
    fn other_sites_cannot_request_operator_pages() {
        for (site, expected) in [
            ("cross-site", Err(OperatorRefusal::OtherSite)),
            ("Cross-Site", Err(OperatorRefusal::OtherSite)),
            ("same-origin", Ok(())),
            ("none", Ok(())),
        ] {
            for status in [StatusPages::Local, StatusPages::Open] {
                let settings = Settings { status, ..Settings::default() };
                let request = request_to("/", &[("host", "localhost"), ("sec-fetch-site", site)]);
                let here = Peer::Address(ip("127.0.0.1"));
                assert_eq!(admit_operator(&request, here, &settings), expected, "{site}");
            }
        }
    }
}

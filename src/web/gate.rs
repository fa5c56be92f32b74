//! Whom newswire answers, and who may see the operator's pages: pure.
//!
//! A page of any site can make its reader's browser ask this server under a name of its own that
//! leads here (DNS rebinding). So only requests that call us by a name of ours are answered, and the
//! others before any work. The operator's pages are for this machine alone, unless the config opens
//! them: a reverse proxy on it publishes the feeds, and not by the way what the operator sees. What a
//! proxy says of whom it asks for is never believed; that it says so is. One that says nothing and
//! speaks HTTP/1.1 cannot be told from a reader: README says what to set.

use std::net::IpAddr;

use axum::http::header::{FORWARDED, HOST, VIA};
use axum::http::{HeaderMap, Method, Request, StatusCode, Version};

use super::settings::{Settings, StatusPages};
use super::site::Peer;

/// What a connection came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entrance {
    /// The address that is listened on, as the system has it; `None`: a socket in the file system.
    pub(super) bound: Option<IpAddr>,
    /// The address of ours that the connection was made to.
    pub(super) reached: Option<IpAddr>,
}

/// Why a request is not answered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It names no host, or two.
    NoHost,
    /// It names a host that is not ours.
    Stranger,
    /// It wants to do what nobody can here.
    Method,
}

/// Lets a request in, whatever it asks for.
pub(super) fn admit<B>(
    request: &Request<B>,
    entrance: Entrance,
    settings: &Settings,
) -> Result<(), Refusal> {
    match named(request)? {
        Some(host) if !is_ours(host, entrance, settings) => return Err(Refusal::Stranger),
        // Older than the names of hosts; no browser speaks it.
        None if request.version() > Version::HTTP_10 => return Err(Refusal::NoHost),
        _ => {}
    }
    match *request.method() {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Refusal::Method),
    }
}

/// Lets a request see the operator's pages; else how it is refused.
pub(super) fn backstage<B>(
    request: &Request<B>,
    peer: Peer,
    settings: &Settings,
) -> Result<(), StatusCode> {
    let is_local = || match peer {
        Peer::Address(address) => address.to_canonical().is_loopback(),
        // A socket in the file system is there for a proxy.
        Peer::Unix => false,
    };
    // What nginx speaks to those behind it, unless told otherwise; people and monitors do not.
    let is_old = || request.version() < Version::HTTP_11;
    let by_local_name = || matches!(named(request), Ok(Some(host)) if is_loopback(bare(host)));
    let headers = request.headers();
    match settings.status {
        StatusPages::Off => return Err(StatusCode::NOT_FOUND),
        StatusPages::Open => {}
        StatusPages::Local
            if is_local() && by_local_name() && !is_old() && !is_forwarded(headers) => {}
        StatusPages::Local => return Err(StatusCode::NOT_FOUND),
    }
    // Fetch Metadata: not what a page of another site asks for, by a link, a picture or a frame.
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(())
}

/// What a request takes us for, with the port; `None`: it does not say.
fn named<B>(request: &Request<B>) -> Result<Option<&str>, Refusal> {
    // RFC 9112 3.2.2: where the target is a whole address, it counts and not the field.
    if let Some(authority) = request.uri().authority() {
        return Ok(Some(authority.as_str()));
    }
    let mut fields = request.headers().get_all(HOST).iter();
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        // RFC 9112 3.2: 400, also where the value makes no sense.
        (Some(field), None) => field.to_str().map(Some).map_err(|_| Refusal::NoHost),
        (Some(_), Some(_)) => Err(Refusal::NoHost),
    }
}

/// The host without its port, brackets and the dot at its end.
fn bare(host: &str) -> &str {
    if let Some(literal) = host.strip_prefix('[') {
        return literal.split(']').next().unwrap_or_default();
    }
    let name = host.split(':').next().unwrap_or_default();
    name.strip_suffix('.').unwrap_or(name)
}

fn is_ours(host: &str, entrance: Entrance, settings: &Settings) -> bool {
    let host = bare(host);
    if is_loopback(host) {
        return true;
    }
    let public = settings.public_url.as_ref().and_then(|url| url.host_str()).map(bare);
    if settings.hosts.is_empty() && public.is_none() {
        // Listens to the world and was told no name: it may go by any. `check` warns of it.
        match entrance.bound {
            Some(address) if address.to_canonical().is_loopback() => {}
            _ => return true,
        }
    }
    let names = settings.hosts.iter().map(String::as_str).chain(public);
    if names.into_iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return true;
    }
    let Ok(host) = host.parse::<IpAddr>() else { return false };
    let listen = settings.listen.map(|address| address.ip());
    let addresses = [entrance.reached, entrance.bound, listen].into_iter().flatten();
    let mut addresses = addresses.chain(settings.hosts.iter().filter_map(|name| name.parse().ok()));
    addresses.any(|address| address.to_canonical() == host.to_canonical() && !host.is_unspecified())
}

/// RFC 6761 6.3: `localhost` and all below it never lead elsewhere.
fn is_loopback(host: &str) -> bool {
    let ends = |name: &str| {
        host.len() > name.len()
            && host.as_bytes()[host.len() - name.len()..].eq_ignore_ascii_case(name.as_bytes())
    };
    host.eq_ignore_ascii_case("localhost")
        || ends(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// A proxy passes on what somebody else asked.
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

    fn at(bound: &str, reached: &str) -> Entrance {
        Entrance { bound: Some(ip(bound)), reached: Some(ip(reached)) }
    }

    fn loopback() -> Entrance {
        at("127.0.0.1", "127.0.0.1")
    }

    fn asked(target: &str, fields: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn admitted(host: &str, entrance: Entrance, settings: &Settings) -> Result<(), Refusal> {
        admit(&asked("/", &[("host", host)]), entrance, settings)
    }

    #[test]
    fn a_server_that_was_told_nothing_goes_by_the_names_of_this_machine_alone() {
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
            assert_eq!(admitted(host, loopback(), &settings), Err(Refusal::Stranger), "{host}");
        }
    }

    #[test]
    fn it_goes_by_the_names_that_it_was_told() {
        let settings = Settings {
            public_url: Some("https://planet.example.org/x/".parse().unwrap()),
            hosts: vec![
                "feeds.example".to_owned(),
                "192.0.2.1".to_owned(),
                "2001:db8::1".to_owned(),
            ],
            ..Settings::default()
        };
        // Also where it listens to the world: who tells a name means no other.
        for entrance in
            [loopback(), at("0.0.0.0", "192.0.2.7"), Entrance { bound: None, reached: None }]
        {
            for host in [
                "planet.example.org",
                "Planet.Example.org.:443",
                "feeds.example:8420",
                "192.0.2.1:1",
                "[2001:db8:0::1]:8420",
                "localhost",
            ] {
                assert_eq!(admitted(host, entrance, &settings), Ok(()), "{host}");
            }
            for host in ["evil.test", "x.feeds.example", "192.0.2.2"] {
                assert_eq!(admitted(host, entrance, &settings), Err(Refusal::Stranger), "{host}");
            }
        }
    }

    #[test]
    fn an_address_that_a_connection_came_to_is_a_name_of_ours() {
        let named = Settings { hosts: vec!["feeds.example".to_owned()], ..Settings::default() };
        let entrance = at("::", "::ffff:192.0.2.7");
        assert_eq!(admitted("192.0.2.7:8420", entrance, &named), Ok(()));
        assert_eq!(admitted("192.0.2.8:8420", entrance, &named), Err(Refusal::Stranger));
    }

    #[test]
    fn who_listens_to_the_world_and_was_told_no_name_may_go_by_any() {
        let settings = Settings::default();
        let everywhere = at("0.0.0.0", "192.0.2.7");
        for entrance in
            [everywhere, at("192.0.2.7", "192.0.2.7"), Entrance { bound: None, reached: None }]
        {
            assert_eq!(admitted("planet.example.org", entrance, &settings), Ok(()));
        }
        let request = asked("/", &[]);
        assert_eq!(admit(&request, everywhere, &settings), Err(Refusal::NoHost));
    }

    #[test]
    fn a_request_names_one_host_and_its_target_counts_first() {
        let settings = Settings::default();
        let judge = |target: &str, fields: &[(&'static str, &str)]| {
            admit(&asked(target, fields), loopback(), &settings)
        };
        let (here, there) = (("host", "localhost"), ("host", "evil.test"));
        assert_eq!(judge("/", &[]), Err(Refusal::NoHost));
        assert_eq!(judge("/", &[here, there]), Err(Refusal::NoHost));
        assert_eq!(judge("/", &[here, here]), Err(Refusal::NoHost));
        assert_eq!(judge("http://evil.test/", &[here]), Err(Refusal::Stranger));
        assert_eq!(judge("http://localhost/", &[there]), Ok(()));
        let mut old = asked("/", &[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(admit(&old, loopback(), &settings), Ok(()));
    }

    #[test]
    fn nobody_may_do_more_than_read() {
        for (method, verdict) in [
            (Method::GET, Ok(())),
            (Method::HEAD, Ok(())),
            (Method::POST, Err(Refusal::Method)),
            (Method::OPTIONS, Err(Refusal::Method)),
        ] {
            let mut request = asked("/", &[("host", "localhost")]);
            *request.method_mut() = method;
            assert_eq!(admit(&request, loopback(), &Settings::default()), verdict);
        }
    }

    #[test]
    fn the_operators_pages_are_for_this_machine_alone() {
        let settings = Settings {
            public_url: Some("https://planet.example.org/".parse().unwrap()),
            ..Settings::default()
        };
        let here = Peer::Address(ip("127.0.0.1"));
        let host = |host| asked("/status", &[("host", host)]);
        for peer in [here, Peer::Address(ip("::1")), Peer::Address(ip("::ffff:127.0.0.1"))] {
            assert_eq!(backstage(&host("localhost:8420"), peer, &settings), Ok(()));
            assert_eq!(backstage(&host("[::1]:8420"), peer, &settings), Ok(()));
        }
        let hidden = Err(StatusCode::NOT_FOUND);
        let far = Peer::Address(ip("192.0.2.9"));
        assert_eq!(backstage(&host("localhost"), far, &settings), hidden);
        assert_eq!(backstage(&host("localhost"), Peer::Unix, &settings), hidden);
        assert_eq!(backstage(&host("planet.example.org"), here, &settings), hidden);
        assert_eq!(backstage(&asked("/status", &[]), here, &settings), hidden);
        for field in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "via", "x-real-ip"] {
            let request = asked("/status", &[("host", "localhost"), (field, "for=127.0.0.1")]);
            assert_eq!(backstage(&request, here, &settings), hidden, "{field}");
        }
    }

    #[test]
    fn a_proxy_that_says_nothing_of_itself_is_known_by_the_age_of_what_it_speaks() {
        // nginx with `proxy_pass http://127.0.0.1:8420` and nothing else.
        let mut request = asked("/status", &[("host", "127.0.0.1:8420"), ("connection", "close")]);
        *request.version_mut() = Version::HTTP_10;
        let here = Peer::Address(ip("127.0.0.1"));
        let judge = |status| backstage(&request, here, &Settings { status, ..Settings::default() });
        assert_eq!(judge(StatusPages::Local), Err(StatusCode::NOT_FOUND));
        assert_eq!(judge(StatusPages::Open), Ok(()));
    }

    #[test]
    fn the_config_opens_the_operators_pages_or_closes_them() {
        let with = |status| Settings { status, ..Settings::default() };
        let far = Peer::Address(ip("192.0.2.9"));
        let forwarded = asked("/status", &[("host", "any.test"), ("x-forwarded-for", "192.0.2.9")]);
        assert_eq!(backstage(&forwarded, far, &with(StatusPages::Open)), Ok(()));
        assert_eq!(backstage(&forwarded, Peer::Unix, &with(StatusPages::Open)), Ok(()));
        let (near, here) = (asked("/status", &[("host", "localhost")]), Peer::Address(ip("::1")));
        let closed = backstage(&near, here, &with(StatusPages::Off));
        assert_eq!(closed, Err(StatusCode::NOT_FOUND));
    }

    #[test]
    fn no_page_of_another_site_gets_at_the_operators_pages() {
        for (site, verdict) in [
            ("cross-site", Err(StatusCode::FORBIDDEN)),
            ("Cross-Site", Err(StatusCode::FORBIDDEN)),
            ("same-origin", Ok(())),
            ("none", Ok(())),
        ] {
            for status in [StatusPages::Local, StatusPages::Open] {
                let settings = Settings { status, ..Settings::default() };
                let request = asked("/", &[("host", "localhost"), ("sec-fetch-site", site)]);
                let here = Peer::Address(ip("127.0.0.1"));
                assert_eq!(backstage(&request, here, &settings), verdict, "{site}");
            }
        }
    }
}

//! Maps errors of the HTTP stack to kinds of failures, by the chain of their causes.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, PeerIncompatible};
use url::Url;

use super::resolve::{LookupError, ResolveError};
use super::settings::Settings;
use crate::model::{Failure, FailureKind};

/// Help for failures that usually end without an action of the operator.
pub(crate) const RETRIED: &str = "newswire polls the feed again later";

/// The failure for an error of reqwest.
pub(crate) fn failure(error: &reqwest::Error) -> Failure {
    let mut kind = None;
    let mut last = String::new();
    each_cause(error, &mut |cause| {
        last = cause.to_string();
        if kind.is_none() {
            kind = specific(cause);
        }
    });
    if let Some(failure) = kind {
        // Servers without TLS often close the connection when they see the first bytes of the handshake.
        let in_handshake = error.is_connect() && failure.kind == FailureKind::Truncated;
        return if in_handshake {
            no_tls("the connection ended during the handshake")
        } else {
            failure
        };
    }
    if let Some(failure) = http2_end(error).and_then(Http2End::failure) {
        return failure;
    }
    let last = printable(&last);
    if error.is_timeout() {
        return timed_out();
    }
    if error.is_connect() {
        let message = format!("cannot connect to the server: {last}");
        return Failure::new(FailureKind::Connect, message)
            .help("newswire polls the feed again later; try the URL from this machine with curl");
    }
    if is_closed(error) {
        return reset();
    }
    let message = format!("the exchange was interrupted: {last}");
    Failure::new(FailureKind::BadResponse, message)
        .help("newswire polls the feed again later; report it to the site owner if it persists")
}

/// The failure. If there is a proxy, the proxy refused.
pub(crate) fn through_proxy(failure: Failure, settings: &Settings) -> Failure {
    let Some(proxy) = &settings.proxy else { return failure };
    let help = "check that the proxy runs, and proxy in [fetch] or in the [[feed]]";
    let message = match failure.kind {
        FailureKind::Refused => format!("the proxy {} refuses the connection", address(proxy)),
        FailureKind::Connect if failure.message.ends_with(NO_TUNNEL) => {
            return refused_login(proxy, settings);
        }
        FailureKind::Connect => {
            format!("cannot connect through the proxy {}: {}", address(proxy), failure.message)
        }
        _ => return failure,
    };
    Failure::new(failure.kind, message).help(help)
}

/// The error of hyper-util when a proxy answers 407 to CONNECT.
const NO_TUNNEL: &str = "proxy authorization required";

/// The failure when a proxy requires a login, or rejects the one in the config (HTTP 407).
pub(crate) fn refused_login(proxy: &Url, settings: &Settings) -> Failure {
    let (problem, help) = match settings.proxy_login {
        None => ("requires a login", "set proxy_authorization in [fetch] or in the [[feed]]"),
        Some(_) => ("rejects the login", "check proxy_authorization in [fetch] or in the [[feed]]"),
    };
    let message = format!("the proxy {} {problem} (HTTP 407)", address(proxy));
    Failure::new(FailureKind::Connect, message).help(help)
}

/// Host and port of a proxy.
fn address(proxy: &Url) -> String {
    let host = proxy.host_str().unwrap_or_default();
    let port = proxy.port_or_known_default().map_or(String::new(), |port| format!(":{port}"));
    format!("{host}{port}")
}

/// How an HTTP/2 server ended a stream or the connection (RFC 9113 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Http2End {
    /// `NO_ERROR`: the connection was closed before the request was processed.
    Closed,
    /// `REFUSED_STREAM`
    Refused,
    /// `ENHANCE_YOUR_CALM`
    TooManyRequests,
    /// `HTTP_1_1_REQUIRED`
    OldProtocolRequired,
    /// Any other code.
    Error,
}

impl Http2End {
    /// The end by the text of an error: its type belongs to a crate that is hidden behind the HTTP client.
    fn of(text: &str) -> Option<Self> {
        const BY_SERVER: [&str; 2] = ["stream error received: ", "connection error received: "];
        // The client found an error of the server, whatever code it sends for it.
        const BY_CLIENT: [&str; 2] = ["stream error detected: ", "connection error detected: "];
        let is_by_client = BY_CLIENT.iter().any(|end| text.starts_with(*end));
        if is_by_client || text.starts_with("stream closed because of a broken pipe") {
            return Some(Self::Error);
        }
        let code = BY_SERVER.iter().find_map(|end| text.strip_prefix(*end))?;
        let codes = [
            ("not a result of an error", Self::Closed),
            ("refused stream", Self::Refused),
            ("detected excessive load", Self::TooManyRequests),
            ("endpoint requires HTTP/1.1", Self::OldProtocolRequired),
        ];
        let known = codes.into_iter().find(|(text, _)| code.starts_with(*text));
        Some(known.map_or(Self::Error, |(_, end)| end))
    }

    /// The failure, if there was no response before the end; `None`: the text of the error is the best one.
    fn failure(self) -> Option<Failure> {
        match self {
            Self::Closed => Some(reset()),
            Self::Refused => {
                let message = "the server refused the request (HTTP/2 REFUSED_STREAM)";
                Some(Failure::new(FailureKind::Reset, message).help(RETRIED))
            }
            Self::OldProtocolRequired => {
                let message = "the server offers HTTP/2, but requires HTTP/1.1 for this URL (HTTP_1_1_REQUIRED)";
                Some(Failure::new(FailureKind::BadResponse, message).help(
                    "ask the site owner to serve the feed over HTTP/2, or to offer HTTP/1.1 only",
                ))
            }
            Self::TooManyRequests | Self::Error => None,
        }
    }
}

/// How HTTP/2 ended the stream or the connection, if that is the cause of the error.
fn http2_end(error: &(dyn Error + 'static)) -> Option<Http2End> {
    let mut end = None;
    each_cause(error, &mut |cause| end = end.or_else(|| Http2End::of(&cause.to_string())));
    end
}

/// Whether the server asks for fewer requests, as with a 429 (RFC 9113 7, `ENHANCE_YOUR_CALM`).
pub(crate) fn is_throttled(error: &reqwest::Error) -> bool {
    http2_end(error) == Some(Http2End::TooManyRequests)
}

/// Whether the server closed or reset the connection before a response.
pub(crate) fn is_closed(error: &reqwest::Error) -> bool {
    let mut closed = http2_end(error) == Some(Http2End::Closed);
    each_cause(error, &mut |cause| {
        let lost = |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled();
        closed |= cause.downcast_ref::<hyper::Error>().is_some_and(lost);
        closed |= cause.downcast_ref::<io::Error>().is_some_and(|io| is_reset(io.kind()));
    });
    closed
}

fn is_reset(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset)
}

fn reset() -> Failure {
    Failure::new(FailureKind::Reset, "the server closed the connection before its response")
        .help(RETRIED)
}

fn timed_out() -> Failure {
    Failure::new(FailureKind::Timeout, "the server did not respond in time")
        .help("raise timeout if the server is always this slow")
}

/// Whether the connection, or the stream of HTTP/2, ended before the announced end of the body.
pub(crate) fn is_truncation(error: &(dyn Error + 'static)) -> bool {
    let mut truncated = http2_end(error).is_some();
    each_cause(error, &mut |cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        truncated |= io.is_some_and(|kind| kind == io::ErrorKind::UnexpectedEof || is_reset(kind));
    });
    truncated
}

/// The failure for a cause that determines its kind.
fn specific(cause: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = cause.downcast_ref::<LookupError>() {
        return Some(lookup(error));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls(error));
    }
    let io = cause.downcast_ref::<io::Error>()?;
    if is_out_of_files(io) {
        return Some(out_of_files());
    }
    match io.kind() {
        io::ErrorKind::UnexpectedEof => {
            let message = "the connection ended in the middle of the response";
            Some(Failure::new(FailureKind::Truncated, message).help(RETRIED))
        }
        io::ErrorKind::ConnectionRefused => Some(
            Failure::new(FailureKind::Refused, "the server refuses the connection")
                .help("newswire polls the feed again later; check the port in the URL"),
        ),
        io::ErrorKind::TimedOut => Some(timed_out()),
        kind if is_reset(kind) => Some(reset()),
        _ => None,
    }
}

/// Whether the process or the system has no free file descriptor.
fn is_out_of_files(error: &io::Error) -> bool {
    /// `ENFILE` and `EMFILE` of `errno(3)`; the same on all architectures of Linux.
    const NONE_FREE: [i32; 2] = [23, 24];
    error.raw_os_error().is_some_and(|number| NONE_FREE.contains(&number))
}

/// Whether a cause of the error is that no file descriptor is free.
pub(crate) fn is_for_lack_of_files(error: &(dyn Error + 'static)) -> bool {
    let mut found = false;
    each_cause(error, &mut |cause| {
        found |= cause.downcast_ref::<io::Error>().is_some_and(is_out_of_files);
    });
    found
}

fn out_of_files() -> Failure {
    let message = "newswire has no free file descriptor for the connection";
    Failure::new(FailureKind::Connect, message)
        .help("raise the limit of open files: LimitNOFILE= in the unit, or 'ulimit -n'")
}

/// The failure for a host name without an address that may be contacted.
pub(crate) fn lookup(error: &LookupError) -> Failure {
    let message = printable(&error.to_string());
    match error {
        LookupError::Resolve(ResolveError::NoFiles) => out_of_files(),
        LookupError::Resolve(ResolveError::NotFound(_)) => {
            Failure::new(FailureKind::NameNotFound, message).help("check the URL")
        }
        LookupError::Resolve(ResolveError::Failed(..)) => {
            Failure::new(FailureKind::Resolver, message)
                .help("check the name servers of this machine (/etc/resolv.conf)")
        }
        LookupError::Onion(_) => Failure::new(FailureKind::NameNotFound, message).help(
            "set proxy = \"socks5h://127.0.0.1:9050\" in its [[feed]], with Tor on this machine",
        ),
        LookupError::Blocked { blocked, .. } => {
            Failure::new(FailureKind::BlockedAddress, message).help(blocked.help())
        }
    }
}

fn tls(error: &rustls::Error) -> Failure {
    let text = printable(&error.to_string());
    // The first bytes are not a TLS record: usually an HTTP response.
    if matches!(error, rustls::Error::InvalidMessage(_)) {
        return no_tls(&text);
    }
    // An error of the verifier, which has no variant of its own.
    if text.contains("CaUsedAsEndEntity") {
        let message = "TLS failed: the server uses the certificate of an authority as its own";
        return Failure::new(FailureKind::Tls, message).help(
            "issue the certificate of the server from the authority; one that signs itself needs basicConstraints=CA:FALSE (openssl req -x509 -addext)",
        );
    }
    let help = match error {
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            let message = "TLS failed: the server supports neither TLS 1.2 nor TLS 1.3";
            return Failure::new(FailureKind::Tls, message)
                .help("the site owner has to enable one of them");
        }
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            "the site owner has to correct the certificate; for your own server, set ca to its authority"
        }
        _ => "the site owner has to correct the TLS settings of the server",
    };
    Failure::new(FailureKind::Tls, format!("TLS failed: {text}")).help(help)
}

fn no_tls(why: &str) -> Failure {
    let message = format!("the server does not use TLS on this port: {why}");
    Failure::new(FailureKind::NoTls, message)
        .help("check the port, or write http:// instead of https://")
}

/// Visits the error and all its causes. The error inside an `io::Error` is not its `source`.
fn each_cause(error: &(dyn Error + 'static), visit: &mut dyn FnMut(&(dyn Error + 'static))) {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        visit(cause);
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
}

/// The text with spaces instead of control characters, for logs and terminals.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wrong_certificate_is_to_be_corrected() {
        use rustls::{CertificateError, Error};
        let help = |error: Error| tls(&error).help.unwrap_or_default();
        assert!(help(Error::InvalidCertificate(CertificateError::Expired)).contains("certificate"));
        let old = tls(&Error::AlertReceived(AlertDescription::ProtocolVersion));
        assert!(old.message.contains("neither TLS 1.2 nor TLS 1.3"), "{old}");
        assert!(!help(Error::AlertReceived(AlertDescription::HandshakeFailure)).contains("certif"));
    }

    #[test]
    fn a_lack_of_file_descriptors_is_named() {
        let inner = io::Error::from_raw_os_error(24);
        let outer = io::Error::other(inner);
        let failure = specific(&io::Error::from_raw_os_error(23)).unwrap();
        assert!(failure.to_string().contains("no free file descriptor"), "{failure}");
        assert!(is_for_lack_of_files(&outer));
        assert!(!is_for_lack_of_files(&io::Error::from_raw_os_error(2)));
    }
}

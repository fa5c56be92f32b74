//! An error of the HTTP stack to a failure kind: walks its chain of causes.

use std::error::Error;
use std::io;

use super::resolve::{NoAddress, ResolveError};
use crate::model::{Failure, FailureKind};

/// Most such things are over soon, and nobody need do anything.
const LATER: &str = "it is asked again later";

/// What an error of reqwest means for the feed.
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
        return failure;
    }
    let last = printable(&last);
    if error.is_timeout() {
        return too_slow();
    }
    if error.is_connect() {
        let message =
            format!("no connection to the server: {last}: {LATER}, or try it from here with curl");
        return Failure::new(FailureKind::Connect, message);
    }
    let message =
        format!("the exchange broke off: {last}: {LATER}; if it lasts, tell the site owner");
    Failure::new(FailureKind::BadResponse, message)
}

fn too_slow() -> Failure {
    let message = format!(
        "the server did not answer in time: {LATER}; raise timeout if it always is so slow"
    );
    Failure::new(FailureKind::Timeout, message)
}

/// Whether a body ended before its announced end.
pub(crate) fn is_cut(error: &(dyn Error + 'static)) -> bool {
    let mut cut = false;
    each_cause(error, &mut |cause| {
        let io = cause.downcast_ref::<io::Error>();
        cut |= io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof);
    });
    cut
}

/// Causes that tell by themselves what went wrong.
fn specific(cause: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(none) = cause.downcast_ref::<NoAddress>() {
        let kind = match none {
            NoAddress::Resolve(ResolveError::NotFound(_)) => FailureKind::NameNotFound,
            NoAddress::Resolve(ResolveError::Failed(..)) => FailureKind::Resolver,
            NoAddress::Blocked { .. } => FailureKind::BlockedAddress,
        };
        return Some(Failure::new(kind, printable(&none.to_string())));
    }
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        let message = format!(
            "TLS failed: {}: the site's certificate must be put right",
            printable(&tls.to_string())
        );
        return Some(Failure::new(FailureKind::Tls, message));
    }
    let io = cause.downcast_ref::<io::Error>()?;
    match io.kind() {
        io::ErrorKind::UnexpectedEof => Some(Failure::new(
            FailureKind::Truncated,
            format!("the connection ended in the middle of the answer: {LATER}"),
        )),
        io::ErrorKind::ConnectionRefused => {
            let message = format!(
                "no connection to the server: it refuses: {LATER}; check the port of the address"
            );
            Some(Failure::new(FailureKind::Refused, message))
        }
        io::ErrorKind::TimedOut => Some(too_slow()),
        _ => None,
    }
}

/// Visits the error and all its causes; an `io::Error` hides the one that it wraps from `source`.
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

/// Without control characters: a message ends up in logs and terminals.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

//! `newswire probe`: what newswire understands of one document, from the web or from a file.
//!
//! With `--conformance` it reads a list of files and prints one JSON object for each, for the tests
//! that hold newswire against other readers. Leaves reading to `parse`.

mod document;
mod form;
mod show;

use std::io::{self, BufRead, Write};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

pub(super) use self::document::Document;
use crate::clock::Clock;
use crate::config::Config;
use crate::fetch::{self, Fetcher, SystemResolver};
use crate::model::{Failure, FailureKind, FetchOutcome, Validators};
use crate::parse::{self, Parsed};

/// As many items as are read of a feed that says nothing else.
pub(super) const MAX_ITEMS: usize = 100_000;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("failed to read {0}: {1}: name a file or an http(s) address")]
    File(String, io::Error),
    /// No HTTP client can be made.
    #[error(transparent)]
    Fetcher(#[from] fetch::FetcherError),
    /// The server, or what it sent.
    #[error("{0}: {1}")]
    Failed(String, Failure),
}

crate::model::codes! {
    Error:
    Self::File(..) => "file_unreadable",
    ;
    Self::Fetcher(error) => error,
    Self::Failed(_, failure) => failure,
}

/// Looks at one document, and writes what it finds to `out`.
///
/// # Errors
/// When it cannot be had, or is no feed.
pub async fn run(
    target: &str,
    config: Option<&Config>,
    form: Form,
    out: &mut impl Write,
) -> Result<(), Error> {
    let (url, document) = match Url::parse(target) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let settings = config.map(|config| config.fetch.clone()).unwrap_or_default();
            ask(url, &settings).await?
        }
        _ => read(Path::new(target))?,
    };
    let parsed = parse::parse(parse::Input {
        bytes: &document.bytes,
        content_type: document.content_type.as_deref(),
        url: &url,
        max_items: MAX_ITEMS,
    });
    let parsed = parsed.map_err(|failure| Error::Failed(target.to_owned(), failure))?;
    let text = match form {
        Form::People => show::show(&url, &document, &parsed),
        Form::Json => format!("{:#}\n", whole(target, &url, &document, &parsed)),
    };
    // A reader that went away has read enough.
    let _ = out.write_all(text.as_bytes());
    Ok(())
}

/// For whom the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// To read.
    People,
    /// For programs.
    Json,
}

/// Asks the server as a poll would, the guard and the limits included.
pub(super) async fn ask(url: Url, settings: &fetch::Settings) -> Result<(Url, Document), Error> {
    let fetcher = Fetcher::new(Arc::new(SystemResolver::new()))?;
    let fetched = fetched(&fetcher, &url, settings).await;
    fetched.map_err(|failure| Error::Failed(url.to_string(), failure))
}

/// The document at `url`, and the address that it came from.
pub(super) async fn fetched(
    fetcher: &Fetcher,
    url: &Url,
    settings: &fetch::Settings,
) -> Result<(Url, Document), Failure> {
    let validators = &Validators::default();
    let now = Clock::system().now();
    let request = fetch::Request { url, validators, known_body: None, settings, now };
    let response = fetcher.fetch(request).await;
    match (response.outcome, response.body) {
        (_, Some(body)) => {
            let document = Document {
                bytes: body.bytes,
                content_type: body.content_type,
                hops: response.hops,
                validators: response.validators.unwrap_or_default(),
            };
            Ok((response.url, document))
        }
        (FetchOutcome::Failed(failure), None) => Err(failure),
        (outcome, None) => {
            let status = response.status.unwrap_or_default();
            let message =
                format!("the server sends no document: {} (HTTP {status})", outcome.slug());
            Err(Failure::new(FailureKind::BadResponse, message))
        }
    }
}

fn read(path: &Path) -> Result<(Url, Document), Error> {
    let failed = |error| Error::File(path.display().to_string(), error);
    let bytes = std::fs::read(path).map_err(failed)?;
    let absolute = std::path::absolute(path).map_err(failed)?;
    let url = Url::from_file_path(absolute).unwrap_or_else(|()| nowhere());
    Ok((url, Document { bytes, ..Document::default() }))
}

/// A base that no reference resolves against.
fn nowhere() -> Url {
    Url::parse("about:blank").expect("a constant is a URL")
}

/// Everything, as one JSON object.
fn whole(target: &str, url: &Url, document: &Document, parsed: &Parsed) -> Value {
    let mut value = form::form(target, url, parsed);
    let bytes = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    value["url"] = json!(url.as_str());
    value["content_type"] = json!(document.content_type);
    value["redirects"] =
        document.hops.iter().map(|hop| json!([hop.status, hop.location])).collect();
    value["etag"] = json!(bytes(&document.validators.etag));
    value["last_modified"] = json!(bytes(&document.validators.last_modified));
    value["charset"] = json!({ "name": parsed.charset, "found_by": parsed.charset_by.name() });
    value["hints"] = json!(parsed.feed.hints);
    value["partial"] = json!(parsed.feed.partial);
    value["parse_warnings"] = json!(parsed.parse_warnings);
    value
}

/// Reads lines `PATH <TAB> CONTENT_TYPE <TAB> BASE_URI` and writes one JSON object a document.
/// What a document does, be it a panic, is an answer and ends nothing.
///
/// # Errors
/// When the lines cannot be read or the answers not be written.
pub fn conformance(lines: impl BufRead, out: &mut impl Write) -> io::Result<()> {
    for line in lines.lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let path = parts.next().unwrap_or_default();
        let content_type = parts.next().filter(|part| !part.is_empty());
        let base = parts.next().and_then(|base| Url::parse(base).ok());
        let value = answer(path, content_type, base.as_ref());
        writeln!(out, "{value}")?;
    }
    out.flush()
}

fn answer(path: &str, content_type: Option<&str>, base: Option<&Url>) -> Value {
    let refused = |error: String| json!({ "file": path, "ok": false, "error": error });
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return refused(error.to_string()),
    };
    let url = base.cloned().unwrap_or_else(nowhere);
    let input = parse::Input { bytes: &bytes, content_type, url: &url, max_items: MAX_ITEMS };
    match catch_unwind(|| parse::parse(input).map(|parsed| form::form(path, &url, &parsed))) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => refused(failure.to_string()),
        Err(_) => json!({ "file": path, "ok": false, "panic": true, "error": "a panic" }),
    }
}

//! Why `newswire add` added no feed.

use url::Url;

use crate::cli::append_feeds;
use crate::cli::document::DocumentError;
use crate::cli::init;
use crate::config::Report;
use crate::fetch::FetcherError;
use crate::parse::LeftOut;
use crate::text::chars::shortened;

/// Why no feed was added.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The argument is not an http(s) URL.
    #[error("{:?} is not the URL of a feed or of a web page", shortened(.0))]
    Url(String),
    /// The argument has a scheme in the place of the host: `https//example.org`.
    #[error("{:?} is not the URL of a feed or of a web page", shortened(written))]
    Scheme {
        /// The argument.
        written: String,
        /// The URL that is meant.
        meant: Url,
    },
    /// The argument is the path of a file.
    #[error("{0:?} is a file, not a URL")]
    File(String),
    /// The argument contains a user name or a password.
    #[error("the URL contains a user name or a password")]
    Password,
    /// An option that names one feed, and several URLs.
    #[error("--id and --title can be used with only one URL")]
    OneUrl,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Fetcher(#[from] FetcherError),
    /// The document of this URL cannot be fetched or parsed.
    #[error("{}", document_error(page.as_deref(), url, error))]
    Document {
        /// URL of the document, before redirects.
        url: Url,
        /// URL of the page that leads to it; `None`: it is the URL of the command.
        page: Option<Box<Url>>,
        /// What failed.
        error: Box<DocumentError>,
    },
    /// The config would have errors with the value of an option.
    #[error("cannot add a feed with {option}: {}", append_feeds::reasons(.report))]
    Option {
        /// The option, as it is written: `--title`.
        option: &'static str,
        /// The errors that the config would have.
        report: Box<Report>,
    },
    /// The page links to more than one feed.
    #[error("{} links to several feeds{}", shortened(page.as_str()), others(left_out))]
    Several {
        /// URL of the page, after redirects.
        page: Box<Url>,
        /// The commands that add one of the feeds, one per line.
        commands: String,
        /// Number of feeds without a command.
        left_out: LeftOut,
    },
    /// The page links to no feed.
    #[error("{} is a web page that links to no feed", shortened(page.as_str()))]
    Unlinked {
        /// URL of the page, after redirects.
        page: Url,
        /// The commands that try usual URLs of feeds, one per line.
        usual: String,
    },
    /// The config cannot be changed.
    #[error(transparent)]
    Append(#[from] append_feeds::Error),
    /// A new config cannot be created.
    #[error(transparent)]
    Init(#[from] init::Error),
}

crate::model::codes! {
    Error:
    Self::Url(_) => "invalid_feed_url": "write it as \"https://example.org/feed\"",
    Self::Scheme { meant, .. } => "invalid_feed_url": format!("a scheme ends with \"://\"; did you mean \"{meant}\"?"),
    Self::File(_) => "invalid_feed_url": "add a [[feed]] with file = \"PATH\" to the config",
    Self::Document { error, .. } if matches!(**error, DocumentError::Held { .. }) => "held": "repeat the command after that time",
    Self::Option { report, .. } => "invalid_value": append_feeds::remedies(report),
    Self::Password => "password_in_url": "remove them, and set authorization in the [[feed]]",
    Self::OneUrl => "one_url": "add the feeds one by one, or leave the option out",
    Self::Several { commands, .. } => "multiple_feeds": format!("add one of them:\n{commands}"),
    Self::Unlinked { usual, .. } => "no_feed_linked": format!("look for the URL of its feed, or try one of these:\n{usual}"),
    ;
    Self::Fetcher(error) => error,
    Self::Document { error, .. } => error,
    Self::Append(error) => error,
    Self::Init(error) => error,
}

impl Error {
    /// The URL that a promise forbids to request now.
    pub(super) fn held(&self) -> Option<&Url> {
        match self {
            Self::Document { error, .. } => match &**error {
                DocumentError::Held { denied, .. } => Some(&denied.url),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The URL of the document, unless the error names it, and the page that leads to it.
fn document_error(page: Option<&Url>, url: &Url, error: &DocumentError) -> String {
    match (error, page) {
        (DocumentError::Held { .. }, _) => error.to_string(),
        (error, None) => format!("{}: {error}", shortened(url.as_str())),
        (error, Some(page)) => {
            format!("{} leads to {}: {error}", shortened(page.as_str()), shortened(url.as_str()))
        }
    }
}

/// The part of the message about feeds that are not listed.
fn others(left_out: &LeftOut) -> String {
    match left_out {
        LeftOut::Exactly(0) => String::new(),
        left_out => format!("; {left_out} more are not listed here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::chars::MAX_SHOWN;

    #[test]
    fn messages_contain_a_long_url_cut() {
        let long = "x".repeat(2 * MAX_SHOWN);
        let page: Url = format!("https://example.org/{long}").parse().expect("a URL");
        let commands = String::new();
        let left_out = LeftOut::Exactly(0);
        for error in [
            Error::Url(long.clone()),
            Error::Scheme { written: long.clone(), meant: page.clone() },
            Error::Several { page: Box::new(page.clone()), commands, left_out },
            Error::Unlinked { page, usual: String::new() },
        ] {
            let text = error.to_string();
            assert!(text.contains('…') && text.chars().count() < MAX_SHOWN + 60, "{text}");
        }
    }
}

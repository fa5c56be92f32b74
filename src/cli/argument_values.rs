//! Values of arguments: how they are read, and what is wrong with them.

use std::fmt;
use std::path::Path;

use tracing::level_filters::LevelFilter;

use crate::config::{self, Loaded, Severity};
use crate::opml;
use crate::telemetry::{self, UnknownLevel};
use crate::web::ListenAddress;

/// A value of `run --listen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listen {
    /// No web server.
    Off,
    /// An address to listen on.
    At(ListenAddress),
}

impl Listen {
    /// The addresses of all options; `None`: there is no option.
    pub(super) fn addresses(options: &[Self]) -> Option<Vec<ListenAddress>> {
        let address = |option: &Self| match option {
            Self::Off => None,
            Self::At(address) => Some(address.clone()),
        };
        (!options.is_empty()).then(|| options.iter().filter_map(address).collect())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

/// Reads a value of `--listen` as `listen` in [web], with the same errors.
pub(super) fn listen(text: &str) -> Result<Listen, String> {
    let config = format!("version = 1\n[web]\nlisten = {}\n", config::quoted(text));
    let Loaded { report, listen, .. } = config::read(config, Path::new("--listen"), Path::new("/"));
    let mut found = report.diagnostics.into_iter();
    if let Some(error) = found.find(|found| found.severity == Severity::Error) {
        let help = Some(error.label).filter(|label| !label.is_empty()).or(error.help);
        return Err(format!("{}: {}", error.message, help.unwrap_or_default()));
    }
    Ok(listen.into_iter().next().map_or(Listen::Off, Listen::At))
}

/// Reads a log level.
pub(super) fn log_level(text: &str) -> Result<LevelFilter, UnknownLevel> {
    telemetry::level_of(text.trim())
}

/// Reads the id or the URL of a feed. `feed:` addresses are accepted, as `newswire add` accepts them.
pub(super) fn feed_name(text: &str) -> Result<String, String> {
    Ok(opml::without_feed_scheme(text.trim()).into_owned())
}

/// Reads `KEY=VALUE`, with spaces around both removed.
pub(super) fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
        None | Some(("", _)) => Err("write KEY=VALUE".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
    }
}

/// Reads a tag: not empty, on one line, without commas, which separate tags in lists.
pub(super) fn tag(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.is_empty() || text.contains(|c: char| c == ',' || c.is_control()) {
        true => Err("a tag must not be empty or contain a comma".to_owned()),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_listen_has_the_values_and_the_errors_of_the_config() {
        let at = |text: &str| Listen::At(text.parse().expect("an address"));
        for text in ["127.0.0.1:8420", "localhost:80", ":8420", "unix:/run/n/web.sock"] {
            assert_eq!(listen(text), Ok(at(text)), "{text}");
        }
        assert_eq!(listen("off"), Ok(Listen::Off));
        for (text, meant) in [("80", "127.0.0.1:80"), ("127.0.0.1", "127.0.0.1:8420")] {
            let error = listen(text).expect_err(text);
            assert!(error.contains(&format!("did you mean {meant:?}?")), "{error}");
        }
        let error = listen("example.org:1").expect_err("a name");
        assert!(error.contains("write address and port"), "{error}");
        let addresses = |options: &[Listen]| Listen::addresses(options);
        assert_eq!(addresses(&[]), None);
        assert_eq!(addresses(&[Listen::Off]), Some(Vec::new()));
        assert_eq!(addresses(&[at(":1"), at(":2")]).map(|all| all.len()), Some(2));
    }

    #[test]
    fn the_option_log_level_has_the_levels_of_the_config() {
        assert_eq!(log_level("debug"), Ok(LevelFilter::DEBUG));
        for text in ["off", "3", "foo", ""] {
            let error = log_level(text).expect_err(text).to_string();
            assert!(error.contains("levels are error, warn, info, debug and trace"), "{error}");
        }
    }

    #[test]
    fn a_feed_may_be_named_by_its_feed_address() {
        for (text, name) in [
            ("feed:https://example.org/f", "https://example.org/f"),
            ("feed://example.org/f", "http://example.org/f"),
            ("feed://https://example.org/f", "https://example.org/f"),
            ("feed:example.org/f?from=http://a.test", "http://example.org/f?from=http://a.test"),
            ("https://example.org/f", "https://example.org/f"),
            ("garden", "garden"),
        ] {
            assert_eq!(feed_name(text), Ok(name.to_owned()));
        }
    }
}

//! The command line beside its definition: values of arguments, and what is wrong with them; commands that other programs
//! have under another name; `newswire --version --verbose`.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use tracing::level_filters::LevelFilter;
use url::Url;

use super::terminal::shell_word;
use crate::config::{self, Loaded, Severity};
use crate::opml;
use crate::parse;
use crate::store;
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

/// What users write, and the command that they mean.
const GUESSES: &[(&[&str], &str)] = &[
    (&["unset"], "newswire set FEED KEY="),
    (&["rm", "delete", "del", "unsubscribe", "drop"], "newswire remove FEED"),
    (&["subscribe", "new", "follow"], "newswire add URL"),
    (
        &["fetch", "refresh", "update", "pull", "sync", "crawl", "reload-feeds"],
        "newswire poll FEED",
    ),
    (&["start", "serve", "server", "daemon", "up", "watch"], "newswire run"),
    (
        &["stop", "quit", "shutdown", "down", "kill"],
        "systemctl stop newswire', or Ctrl-C where it runs: 'newswire run",
    ),
    (&["restart"], "newswire reload' for another config, or 'systemctl restart newswire"),
    (&["ls", "feeds", "show", "subscriptions"], "newswire list"),
    (&["log", "history", "journal"], "newswire logs FEED"),
    (&["info", "stat", "stats", "state"], "newswire status"),
    (&["disable", "mute", "suspend"], "newswire pause FEED"),
    (&["enable", "unmute", "unpause", "continue"], "newswire resume FEED"),
    (&["edit", "rename", "configure", "change"], "newswire set FEED KEY=VALUE"),
    (&["validate", "lint", "test", "doctor"], "newswire check"),
    (&["fsck", "integrity", "db"], "newswire verify' and 'newswire repair"),
    (&["dump", "save", "snapshot"], "newswire backup FILE"),
    (&["version"], "newswire --version"),
];

/// What users write for something that no command does alone, and the help.
const NOTES: &[(&[&str], &str)] = &[
    (
        &["upgrade"],
        "'newswire poll FEED' polls a feed; a new version of Newswire is installed as this one was",
    ),
    (
        &["search", "find", "grep"],
        "the pages of the outputs have a search; 'newswire why ITEM' shows one item",
    ),
    (
        &["web", "open", "browse", "ui", "view"],
        "'newswire run' serves the pages and prints their addresses on a terminal",
    ),
];

/// The help for a command that does not exist under this name; empty if no other is meant. It replaces the similar
/// words that `error` suggests.
pub(super) fn help(error: &mut clap::Error) -> String {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return String::new();
    };
    let Some(text) = meant(word) else { return String::new() };
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::Suggested);
    format!("  help: {text}\n")
}

/// What a word that is no command probably means.
fn meant(word: &str) -> Option<String> {
    let find = |table: &[(&[&str], &'static str)]| {
        table.iter().find(|(words, _)| words.contains(&word)).map(|(_, text)| *text)
    };
    let is_url = || Url::parse(&opml::without_feed_scheme(word)).is_ok_and(|url| url.has_host());
    match (find(GUESSES), find(NOTES)) {
        (Some(command), _) => Some(format!("use '{command}'")),
        (None, Some(note)) => Some(note.to_owned()),
        (None, None) => {
            is_url().then(|| format!("add the feed: newswire add {}", shell_word(word)))
        }
    }
}

/// The command that a word names where other programs have a subcommand: `newswire config validate`.
pub(super) fn of_config(word: &str) -> Option<&'static str> {
    match word {
        "validate" | "check" | "test" | "lint" => Some("newswire check"),
        "show" | "list" | "get" | "print" | "dump" => Some("newswire config"),
        _ => None,
    }
}

/// Whether the command line is `--version --verbose`; clap handles `--version` alone.
pub(super) fn is_version_requested(arguments: &[OsString]) -> bool {
    let has =
        |names: [&str; 2]| arguments.iter().any(|given| names.iter().any(|name| given == name));
    arguments.len() == 2 && has(["--version", "-V"]) && has(["--verbose", "-v"])
}

/// Version, commit, build, target, and the versions of SQLite, feed-rs and the schema.
pub(super) fn version() -> String {
    let lines = [
        ("commit", option_env!("NEWSWIRE_COMMIT").unwrap_or("unknown").to_owned()),
        ("build", if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned()),
        ("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
        ("SQLite", store::sqlite_version().to_owned()),
        ("feed-rs", parse::FEED_RS.to_owned()),
        ("schema", store::SCHEMA.to_string()),
    ];
    let lines: String = lines.iter().map(|(name, value)| format!("{name:<8} {value}\n")).collect();
    format!("newswire {}\n{lines}", env!("CARGO_PKG_VERSION"))
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

    #[test]
    fn words_of_other_programs_lead_to_a_command() {
        for (word, part) in [
            ("rm", "'newswire remove FEED'"),
            ("unset", "'newswire set FEED KEY='"),
            ("upgrade", "'newswire poll FEED'"),
            ("search", "have a search"),
            ("web", "'newswire run'"),
            ("open", "'newswire run'"),
            ("https://example.org/feed", "newswire add https://example.org/feed"),
            ("feed:example.org", "newswire add feed:example.org"),
        ] {
            let text = meant(word).expect(word);
            assert!(text.contains(part), "{word}: {text}");
        }
        for word in ["pol", "example", "x:y"] {
            assert_eq!(meant(word), None, "{word}");
        }
        assert_eq!(of_config("validate"), Some("newswire check"));
        assert_eq!(of_config("show"), Some("newswire config"));
        assert_eq!(of_config("garden"), None);
    }

    #[test]
    fn no_word_has_two_meanings() {
        let words = || GUESSES.iter().chain(NOTES).flat_map(|(words, _)| *words);
        let all: std::collections::BTreeSet<_> = words().collect();
        assert_eq!(all.len(), words().count());
    }

    #[test]
    fn the_printed_version_of_feed_rs_is_in_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        let wanted = format!("name = \"feed-rs\"\nversion = \"{}\"", parse::FEED_RS);
        assert!(lock.contains(&wanted), "{wanted}");
    }
}

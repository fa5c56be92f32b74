//! Commands that other programs have under another name.

use clap::error::{ContextKind, ContextValue};
use url::Url;

use super::terminal::shell_word;
use crate::opml;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}

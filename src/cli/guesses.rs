//! Commands that other programs have under another name.

use clap::error::{ContextKind, ContextValue};

/// What users write, and the command that they mean.
const GUESSES: &[(&[&str], &str)] = &[
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

/// The help for a command that does not exist under this name; empty if no other is meant. It replaces the similar
/// words that `error` suggests.
pub(super) fn help(error: &mut clap::Error) -> String {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return String::new();
    };
    let meant = GUESSES.iter().find(|(words, _)| words.contains(&word.as_str()));
    let Some((_, command)) = meant else { return String::new() };
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::Suggested);
    format!("  help: use '{command}'\n")
}

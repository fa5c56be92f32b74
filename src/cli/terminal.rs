//! Printing: results to standard output, everything else to standard error.

use std::io::{self, Write as _};

use super::exit::Exit;
use super::fitting;
use crate::config;
use crate::model::Coded;

/// Coloured on a terminal, unless `NO_COLOR` is set.
pub(super) fn style(stream: &impl io::IsTerminal) -> config::Style {
    if stream.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        config::Style::Coloured
    } else {
        config::Style::Plain
    }
}

/// Prints an error with its help and its code. Returns its exit code.
pub(super) fn report(error: &impl Coded) -> Exit {
    let mut text = format!("newswire: {error}\n");
    if let Some(help) = error.help() {
        text.push_str(&format!("  help: {help}\n"));
    }
    text.push_str(&explain_line(error.code()));
    print_error(&text);
    Exit::of(error)
}

/// The line that refers to `newswire explain`.
pub(super) fn explain_line(code: &str) -> String {
    format!("  more: newswire explain {code}\n")
}

/// Prints to standard output. Errors are ignored: a closed pipe ends the output without an error.
pub(super) fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints text for people to standard output: fitted to the width of a terminal.
pub(super) fn print_text(text: &str) {
    match fitting::width(&io::stdout()) {
        Some(width) => print(&fitting::folded(text, width)),
        None => print(text),
    }
}

/// Prints to standard error, with user names and passwords in URLs masked.
pub(super) fn print_error(text: &str) {
    let mut shown = text.to_owned();
    config::redact_logins(&mut shown);
    if let Some(width) = fitting::width(&io::stderr()) {
        shown = fitting::folded(&shown, width);
    }
    let _ = io::stderr().write_all(shown.as_bytes());
}

/// The text as one word of a shell, with quotes if it needs them.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/%+,@".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

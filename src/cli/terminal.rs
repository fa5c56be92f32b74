//! Printing: results to standard output, everything else to standard error.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::error::CommandError;
use super::exit::Exit;
use super::fitting;
use crate::config;
use crate::model::Coded;

/// Coloured on a terminal that has colours, unless `NO_COLOR` is set.
pub(super) fn style(stream: &impl io::IsTerminal) -> config::Style {
    if stream.is_terminal() && fitting::has_escapes() {
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

/// As [`report`], for `map_err`.
pub(super) fn failed(error: impl Coded) -> Exit {
    report(&error)
}

/// The line that refers to `newswire explain`.
pub(super) fn explain_line(code: &str) -> String {
    format!("  more: newswire explain {code}\n")
}

/// The first error of standard output; `None`: there was none. A closed pipe is not an error: it ends the output.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Standard output. Its users may ignore errors, because [`after_output`] reports the first one.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandardOutput;

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).inspect_err(keep_failure)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().inspect_err(keep_failure)
    }
}

/// Keeps an error of standard output for [`after_output`].
pub(super) fn keep_failure(error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) {
        return;
    }
    let copy = match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    };
    FAILURE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(copy);
}

/// The exit code of a command that ended with `exit`. If its output could not be written, that is reported, and is the
/// exit code of a command that was otherwise successful.
pub(super) fn after_output(exit: Exit) -> Exit {
    let failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(failure) = failure else { return exit };
    let failed = report(&CommandError::Stdio(failure));
    if exit == Exit::Ok { failed } else { exit }
}

/// Prints to standard output. See [`StandardOutput`] for errors.
pub(super) fn print(text: &str) {
    let mut out = StandardOutput;
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

//! What newswire says: answers to standard output, the rest to standard error.

use std::fmt::Display;
use std::io::{self, Write as _};

use super::exit::Exit;
use crate::config;

pub(super) fn style(stream: &impl io::IsTerminal) -> config::Style {
    if stream.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        config::Style::Coloured
    } else {
        config::Style::Plain
    }
}

pub(super) fn complain(error: &impl Display, exit: Exit) -> Exit {
    eprint(&format!("newswire: {error}\n"));
    exit
}

/// Writes to standard output; a reader that went away has read enough.
pub(super) fn say(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes to standard error, and never a login that somebody put into an address.
pub(super) fn eprint(text: &str) {
    let mut shown = text.to_owned();
    config::veil_logins(&mut shown);
    let _ = io::stderr().write_all(shown.as_bytes());
}

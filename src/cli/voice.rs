//! What newswire says: answers to standard output, the rest to standard error; errors with the code that
//! leads to more.

use std::io::{self, Write as _};

use super::exit::Exit;
use super::fault::Fault;
use crate::config;
use crate::model::Coded;

pub(super) fn style(stream: &impl io::IsTerminal) -> config::Style {
    if stream.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        config::Style::Coloured
    } else {
        config::Style::Plain
    }
}

pub(super) fn failing(fault: &Fault) -> Exit {
    complain(fault, Exit::from(fault))
}

pub(super) fn complain(error: &impl Coded, exit: Exit) -> Exit {
    eprint(&format!("newswire: {error}\n{}", more(error.code())));
    exit
}

/// Where there is more to read.
pub(super) fn more(code: &str) -> String {
    format!("  more: newswire explain {code}\n")
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

//! What a command says: answers to standard output, errors to standard error with the code that leads to
//! more. A reader that went away has read enough.

use std::io::{self, Write as _};

use super::exit::Exit;
use super::fault::Fault;
use crate::model::Coded;

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

pub(super) fn eprint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

//! The token of an output.

use super::report::{Diagnostic, Report};
use super::secret;
use super::section::Section;
use crate::render::Token;

/// Long enough that nobody guesses it.
const LENGTH: usize = 16;

/// What opens an output; nothing that is written to a folder has one.
pub(super) fn read(section: &Section<'_>, report: &mut Report) -> Option<Token> {
    let secret = secret::read(section, "token", report)?;
    let mut fault = |code, message: &str, help: &str| {
        let fault = Diagnostic::error(code, section.span("token"), message);
        report.push(fault.help(help));
    };
    if secret.len() < LENGTH || secret.contains(' ') {
        let help = "make one with 'openssl rand -hex 16'";
        fault("bad_token", "a token has 16 characters or more, and no space", help);
    }
    if section.has("directory") {
        let help = "leave directory out, or token, and let your web server ask for a password";
        fault("contradiction", "a token does not guard the files in directory", help);
    }
    Some(Token::new(secret))
}

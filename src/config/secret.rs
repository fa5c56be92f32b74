//! Secrets: the config only names where they are stored.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use toml::de::{DeTable, DeValue};
use unicode_normalization::UnicodeNormalization as _;

use super::definition::{Key, Kind};
use super::diagnostic::{Diagnostic, Report};
use super::format::Written;
use super::named_file;
use super::section::{quoted, toml};
use super::suggest::nearest;
use super::value::{Invalid, Item, Reader, wrong_type};
use crate::fetch::Secret;
use crate::text::quoted::in_quotes;

const HELP: &str = "write { file = \"…\" }, { credential = \"…\" } or { env = \"…\" }";
/// The keys of a reference to a secret.
pub(super) const REFERENCES: &[&str] = &["file", "credential", "env"];
/// Mode bits that let the group or others read or write a file.
const OTHERS: u32 = 0o066;

/// Headers that Newswire sets itself, or that belong to one connection (RFC 9110 7.6.1).
#[rustfmt::skip]
const RESERVED_HEADERS: &[&str] = &[
    "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "accept-encoding",
    "if-none-match", "if-modified-since", "range",
];

/// Reads the secret of a key, or the secrets of `headers` with their names.
pub(super) fn read(
    key: &'static Key,
    value: &Item<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<(String, Secret)>> {
    if !matches!(key.kind, Kind::Secrets) {
        let secret = reference(key.name, value, reader)?;
        return Some(vec![(key.name.to_owned(), Secret(secret))]);
    }
    let Some(table) = value.get_ref().as_table() else {
        reader.report.push(wrong_type(key, value));
        return None;
    };
    let errors = reader.report.errors();
    let mut secrets = Vec::new();
    for (name, value) in table {
        if let Err(invalid) = header_name(name.get_ref()) {
            reader.report.push(invalid.at(name.span()));
        }
        // RFC 9110 5.1: names of headers have no case.
        let is_same = |other: &str| other.eq_ignore_ascii_case(name.get_ref());
        let mut before = table.keys().filter(|other| other.span().start < name.span().start);
        if let Some(first) = before.find(|other| is_same(other.get_ref())) {
            let message = format!("the header {} is set twice, but sent only once", name.get_ref());
            let warning = Diagnostic::warning("no_effect", name.span(), message);
            reader.report.push(warning.also(first.span(), "first here").help("remove one of them"));
        }
        let secret = reference(name.get_ref(), value, reader);
        secrets.extend(secret.map(|secret| (name.get_ref().to_string(), Secret(secret))));
    }
    (reader.report.errors() == errors).then_some(secrets)
}

/// Reads `{ file = "…" }`, `{ credential = "…" }` (systemd) or `{ env = "…" }`.
fn reference(name: &str, value: &Item<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let Reader { state, report } = reader;
    let Some(table) = value.get_ref().as_table() else {
        let message = format!("{name} is a secret, and secrets belong in separate files");
        report.push(Invalid::new("bad_secret", message, HELP).at(value.span()));
        return None;
    };
    let (kind, text) = single_reference(table, value, report)?;
    let found = match kind {
        "file" => {
            let written = Written { key: kind, text: &text, state };
            written.path().and_then(|path| private_file(&path))
        }
        "credential" => credential(&text).and_then(|path| content(&path)).map_err(unreadable),
        _ => {
            std::env::var(&text).map_err(|_| unreadable(format!("the variable ${text} is not set")))
        }
    };
    let secret = found.map(|secret| secret.trim().to_owned()).and_then(|secret| {
        let ascii = secret.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        // RFC 7617 2.1: a password is encoded as UTF-8.
        let is_proxy = name == "proxy_authorization";
        let password = (name == "authorization" || is_proxy) && is_login(&secret);
        if is_proxy && !is_login(&secret) {
            return Err(unreadable("it is not user:password".to_owned()));
        }
        match ascii || password && !secret.contains(char::is_control) {
            _ if secret.is_empty() => Err(unreadable("it is empty".to_owned())),
            true => Ok(secret),
            false => Err(unreadable("it is not one line of ASCII".to_owned())),
        }
    });
    let is_bare = |secret: &String| !is_login(secret) && !secret.contains(' ');
    if name == "authorization" && secret.as_ref().is_ok_and(is_bare) {
        let message = "authorization has neither a user and a password nor a scheme";
        let warning = Diagnostic::warning("unlikely_secret", value.span(), message);
        report.push(
            warning
                .help("write user:password, or the whole value with its scheme, such as Bearer …"),
        );
    }
    secret
        .map_err(|invalid| {
            let message = format!("cannot read {name}: {}", invalid.message);
            // What is suggested would replace the path alone.
            report.push(Invalid::new(invalid.code, message, invalid.advice()).at(value.span()));
        })
        .ok()
}

/// The one key of a reference, with its text.
fn single_reference(
    table: &DeTable<'_>,
    value: &Item<'_>,
    report: &mut Report,
) -> Option<(&'static str, String)> {
    let mut found = Vec::new();
    let errors = report.errors();
    for (name, value) in table {
        let known = REFERENCES.iter().find(|known| **known == name.get_ref().as_ref());
        match (known, value.get_ref().as_str()) {
            (Some(known), Some(text)) if !text.trim().is_empty() => {
                found.push((*known, text.trim().to_owned()));
            }
            (Some(known), text) => {
                let (code, problem) = match text {
                    Some(_) => ("empty_value", "is empty"),
                    None => ("wrong_type", "must be a text in quotes"),
                };
                let error = Diagnostic::error(code, value.span(), format!("{known} {problem}"));
                report.push(error.help(HELP));
            }
            (None, _) => {
                let message = format!("unknown key {} of a secret", in_quotes(name.get_ref()));
                let error = Diagnostic::error("unknown_key", name.span(), message);
                report.push(match nearest(name.get_ref(), REFERENCES.iter().copied()) {
                    Some(near) => error.meant(near),
                    None => error.help(HELP),
                });
            }
        }
    }
    if report.errors() > errors {
        return None;
    }
    if found.len() != 1 {
        let message = "a secret needs one of file, credential and env";
        report.push(Invalid::new("bad_secret", message, HELP).at(value.span()));
    }
    (found.len() == 1).then(|| found.remove(0))
}

fn unreadable(why: String) -> Invalid {
    let help = "the file, credential or variable must have the secret in one line of text";
    Invalid::new("bad_secret", why, help)
}

/// The content of a file that other users cannot read.
fn private_file(path: &Path) -> Result<String, Invalid> {
    let shown = path.display();
    let metadata = path.metadata().map_err(|error| unreadable(format!("{shown}: {error}")))?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & OTHERS != 0 {
        let why = format!("its group or other users can access {shown} (mode {mode:04o})");
        return Err(Invalid::new("readable_secret", why, format!("chmod 600 {shown}")));
    }
    content(path).map_err(unreadable)
}

/// The file of a credential; systemd restricts who can read it.
fn credential(name: &str) -> Result<PathBuf, String> {
    if name.contains('/') || name.starts_with('.') {
        return Err(format!("{name} is not the name of a credential", name = in_quotes(name)));
    }
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    let folder =
        folder.ok_or("$CREDENTIALS_DIRECTORY is not set; systemd sets it for a service")?;
    Ok(Path::new(&folder).join(name))
}

/// Maximum size of a file with a secret, in bytes.
const MAX_SECRET: u64 = 64 << 10;

fn content(path: &Path) -> Result<String, String> {
    named_file::read_text(path, MAX_SECRET).map_err(|error| format!("{}: {error}", path.display()))
}

/// Checks the name of a header (RFC 9110 5.6.2).
fn header_name(name: &str) -> Result<(), Invalid> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let (message, help) = match name.to_ascii_lowercase().as_str() {
        _ if name.is_empty() || !name.bytes().all(token) => (
            format!("{name} is not a header name", name = in_quotes(name)),
            "write a name like \"X-Api-Key\"",
        ),
        "user-agent" => {
            ("User-Agent is not a secret".to_owned(), "write user_agent = \"…\" in [fetch]")
        }
        lower if RESERVED_HEADERS.contains(&lower) => {
            (format!("Newswire sets the header {name} itself"), "remove it")
        }
        _ => return Ok(()),
    };
    Err(Invalid::new("bad_header", message, help))
}

/// Whether a secret is `user:password`, not the value of a header such as `Bearer …`.
fn is_login(secret: &str) -> bool {
    secret.split_once(':').is_some_and(|(user, _)| !user.contains(' '))
}

/// The value of `Authorization`: unchanged, or made from `user:password` (RFC 7617 2).
pub(super) fn authorization(secret: &str) -> String {
    if !is_login(secret) {
        return secret.to_owned();
    }
    // RFC 7617 2.1: UTF-8 in normal form C.
    let normal: String = secret.nfc().collect();
    format!("Basic {}", STANDARD.encode(normal.as_bytes()))
}

/// A value without its secrets, and where they are stored.
pub(super) fn shown(kind: Kind, value: &DeValue<'_>) -> (String, Option<String>) {
    let stored = |value: &DeValue<'_>| {
        let pairs = value.as_table().into_iter().flat_map(DeTable::iter);
        let pairs =
            pairs.map(|(name, value)| format!("{} {}", name.get_ref(), toml(value.get_ref())));
        pairs.collect::<Vec<_>>().join(", ")
    };
    let Some(table) = value.as_table().filter(|_| matches!(kind, Kind::Secrets)) else {
        return ("\"***\"".to_owned(), Some(stored(value)));
    };
    let shown = table.keys().map(|name| format!("{} = \"***\"", quoted(name.get_ref())));
    let references = table
        .iter()
        .map(|(name, value)| format!("{}: {}", name.get_ref(), stored(value.get_ref())));
    let shown = format!("{{ {} }}", shown.collect::<Vec<_>>().join(", "));
    (shown, Some(references.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_encoded_as_utf_8_and_other_values_stay() {
        for (secret, value) in [
            ("me:pass", "Basic bWU6cGFzcw=="),
            // RFC 7617 2.1.
            ("test:123£", "Basic dGVzdDoxMjPCow=="),
            ("me:two words", "Basic bWU6dHdvIHdvcmRz"),
            ("me:pa\u{308}ss", "Basic bWU6cMOkc3M="),
            ("Bearer a:b", "Bearer a:b"),
            ("Digest username=\"x\", uri=\"http://e\"", "Digest username=\"x\", uri=\"http://e\""),
        ] {
            assert_eq!(authorization(secret), value);
        }
    }
}

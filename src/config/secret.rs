//! A secret, which is never a value of the config: where it is, and what it is.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::named_file;
use super::report::{Diagnostic, Report};
use super::section::Section;

const HELP: &str = "write { file = \"…\" }, { credential = \"…\" } or { env = \"…\" }";
/// Where it may be.
const WHERE: &[&str] = &["file", "credential", "env"];
/// Maximum size of a file with a secret, in bytes.
const MAX_SECRET: u64 = 64 << 10;
/// Somebody else may read or change it.
const OTHERS: u32 = 0o066;

/// The secret under `key`: in `{ file = "…" }`, `{ credential = "…" }` (systemd) or `{ env = "…" }`.
pub(super) fn read(section: &Section<'_>, key: &str, report: &mut Report) -> Option<String> {
    let span = section.span(key);
    let fault = |message: String| Diagnostic::error("bad_secret", span.clone(), message).help(HELP);
    if !section.value(key)?.get_ref().is_table() {
        let message = format!("{key} is a secret, and secrets are never values in this file");
        report.push(fault(message));
        return None;
    }
    let before = report.errors();
    let table = section.inner(key, "a secret", report)?;
    table.refuse_unknown(WHERE, report);
    let named: Vec<(&str, String)> =
        WHERE.iter().filter_map(|name| Some((*name, table.words(name, report)?))).collect();
    let found = match named.as_slice() {
        _ if report.errors() > before => return None,
        [("file", _)] => file(&table.path("file", report)?),
        [("credential", name)] => credential(name).and_then(|path| text(&path)).map_err(fault_of),
        [(_, name)] => std::env::var(name).map_err(|_| fault_of(format!("${name} is not set"))),
        _ => Err(fault_of("one of file, credential and env".to_owned())),
    };
    let secret = found.map(|secret| secret.trim().to_owned()).and_then(|secret| {
        match secret.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            _ if secret.is_empty() => Err(fault_of("it is empty".to_owned())),
            true => Ok(secret),
            false => Err(fault_of("not a line of ASCII".to_owned())),
        }
    });
    match secret {
        Ok(secret) => Some(secret),
        Err(Unread { code, why, help }) => {
            let fault = fault(format!("{key} cannot be read: {why}"));
            report.push(Diagnostic { code, ..fault }.help(help));
            None
        }
    }
}

/// Why it cannot be had.
struct Unread {
    code: &'static str,
    why: String,
    help: String,
}

fn fault_of(why: String) -> Unread {
    Unread { code: "bad_secret", why, help: HELP.to_owned() }
}

/// A file that nobody else may read.
fn file(path: &Path) -> Result<String, Unread> {
    let shown = path.display();
    let metadata = path.metadata().map_err(|error| fault_of(format!("{shown}: {error}")))?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & OTHERS != 0 {
        return Err(Unread {
            code: "open_secret",
            why: format!("its group or others have access to {shown} (mode {mode:04o})"),
            help: format!("chmod 600 {shown}"),
        });
    }
    text(path).map_err(fault_of)
}

/// What systemd put there; it sees to who may read it.
fn credential(name: &str) -> Result<PathBuf, String> {
    if name.contains('/') || name.starts_with('.') {
        return Err(format!("{name:?} is no name of a credential"));
    }
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    let folder = folder.ok_or("$CREDENTIALS_DIRECTORY is not set: systemd sets it")?;
    Ok(Path::new(&folder).join(name))
}

fn text(path: &Path) -> Result<String, String> {
    named_file::read_text(path, MAX_SECRET).map_err(|error| format!("{}: {error}", path.display()))
}

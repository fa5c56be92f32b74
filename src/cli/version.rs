//! `newswire --version --verbose`: versions of the program and its parts, for bug reports.

use std::ffi::OsString;

use crate::{parse, store};

/// Whether the command line is `--version --verbose`; clap handles `--version` alone.
pub(super) fn is_requested(arguments: &[OsString]) -> bool {
    let has =
        |names: [&str; 2]| arguments.iter().any(|given| names.iter().any(|name| given == name));
    arguments.len() == 2 && has(["--version", "-V"]) && has(["--verbose", "-v"])
}

/// Version, commit, build, target, and the versions of SQLite, feed-rs and the schema.
pub(super) fn verbose() -> String {
    let lines = [
        ("commit", option_env!("NEWSWIRE_COMMIT").unwrap_or("unknown").to_owned()),
        ("build", if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned()),
        ("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
        ("SQLite", store::sqlite_version().to_owned()),
        ("feed-rs", parse::FEED_RS.to_owned()),
        ("schema", store::SCHEMA.to_string()),
    ];
    let lines: String = lines.iter().map(|(name, value)| format!("{name:<8} {value}\n")).collect();
    format!("newswire {}\n{lines}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_version_of_feed_rs_is_in_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        let wanted = format!("name = \"feed-rs\"\nversion = \"{}\"", parse::FEED_RS);
        assert!(lock.contains(&wanted), "{wanted}");
    }
}

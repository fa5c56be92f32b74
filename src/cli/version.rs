//! `newswire --version --verbose`: what this binary is made of, for reports.

use std::ffi::OsString;

use crate::{parse, store};

/// Whether the command line asks for it; clap answers to `--version` alone by itself.
pub(super) fn asked(arguments: &[OsString]) -> bool {
    let has =
        |names: [&str; 2]| arguments.iter().any(|given| names.iter().any(|name| given == name));
    arguments.len() == 2 && has(["--version", "-V"]) && has(["--verbose", "-v"])
}

/// Version, commit and the parts that decide what newswire understands.
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
    fn the_version_of_feed_rs_is_the_one_that_is_linked() {
        let lock = include_str!("../../Cargo.lock");
        let wanted = format!("name = \"feed-rs\"\nversion = \"{}\"", parse::FEED_RS);
        assert!(lock.contains(&wanted), "{wanted}");
    }
}

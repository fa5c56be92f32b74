//! The settings of mimalloc, which it reads from the environment before the program starts. Those of jemalloc, the allocator of
//! the packages, are compiled in.
//!
//! By default it keeps what is freed for a second: with hostile feeds that doubles the peak of the memory, and an idle daemon keeps
//! what its last polls needed.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Milliseconds after which freed memory goes back to the system.
const SETTING: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "0");

/// Starts the program again in the same process with the setting, unless the environment has a setting of the allocator. To be
/// called before anything is opened. Where the program cannot be started again, it continues without.
pub(super) fn set_up() {
    let mimalloc = cfg!(all(not(feature = "jemalloc"), target_os = "linux", target_env = "gnu"));
    if !mimalloc || has_setting(std::env::vars_os().map(|(name, _)| name)) {
        return;
    }
    let mut arguments = std::env::args_os();
    // The name of a process is that of its file, so that it is not started as `/proc/self/exe`.
    if let (Some(name), Ok(program)) = (arguments.next(), std::env::current_exe()) {
        let (variable, value) = SETTING;
        let _ = Command::new(program).arg0(name).args(arguments).env(variable, value).exec();
    }
}

/// Whether an environment has a setting of the allocator.
fn has_setting(mut names: impl Iterator<Item = OsString>) -> bool {
    names.any(|name| name.as_encoded_bytes().starts_with(b"MIMALLOC_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_operator_are_left_as_they_are() {
        let has = |name: &str| has_setting([name.into()].into_iter());
        assert!(has("MIMALLOC_PURGE_DELAY"));
        assert!(has("MIMALLOC_SHOW_STATS"));
        assert!(!has("HOME"));
    }

    #[test]
    fn the_program_is_started_again_only_once() {
        assert!(has_setting([SETTING.0.into()].into_iter()));
    }
}

//! What a command needs of the system before it works: the runtime with its threads, if the system permits them, and the
//! settings of the allocator.
//!
//! mimalloc reads its settings from the environment before the program starts. Those of jemalloc, the allocator of the
//! packages, are compiled in. By default mimalloc keeps what is freed for a second: with hostile feeds that doubles the
//! peak of the memory, and an idle daemon keeps what its last polls needed.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::{CommandError, Exit};
use super::terminal::failed;

/// Number of threads for parsing and for the database. More threads only wait for each other and use memory.
const BLOCKING_THREADS: usize = 8;
/// The signal for a write past the largest file size that is permitted (`ulimit -f`, `LimitFSIZE`).
const SIGXFSZ: i32 = 25;
/// Time after which an idle thread of these ends: never, because a thread that ended may not be started again.
const KEEP_THREADS: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Runs a command in a runtime.
///
/// # Errors
/// When the system refuses a thread; the error is printed.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Exit> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let no_threads = |error| failed(CommandError::Runtime(error));
    // Tokio panics, or waits forever, when the system refuses a thread. One more is the writer of the database.
    probe(workers + BLOCKING_THREADS + 1, waiting).map_err(no_threads)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(KEEP_THREADS)
        .build()
        .map_err(no_threads)?;
    Ok(runtime.block_on(async {
        // Otherwise it ends the process, and no write fails with an error. The handler stays until the process ends.
        let _caught = signal(SignalKind::from_raw(SIGXFSZ));
        future.await
    }))
}

/// Starts `count` threads that exist at the same time, and ends them. `start` starts a thread that ends when the
/// channel is closed.
///
/// # Errors
/// When the system refuses one of them.
fn probe(
    count: usize,
    start: impl Fn(Receiver<()>) -> io::Result<JoinHandle<()>>,
) -> io::Result<()> {
    let mut threads = Vec::with_capacity(count);
    let mut result = Ok(());
    for _ in 0..count {
        let (open, closed) = mpsc::channel();
        match start(closed) {
            Ok(thread) => threads.push((open, thread)),
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    for (open, thread) in threads {
        drop(open);
        // It only waited.
        let _ = thread.join();
    }
    result
}

/// A thread that waits until the channel is closed.
fn waiting(closed: Receiver<()>) -> io::Result<JoinHandle<()>> {
    Builder::new().spawn(move || {
        // It ends with an error: nothing is sent.
        let _ = closed.recv();
    })
}

/// Milliseconds after which freed memory goes back to the system.
const SETTING: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "0");

/// Starts the program again in the same process with the setting, unless the environment has a setting of the allocator. To be
/// called before anything is opened. Where the program cannot be started again, it continues without.
pub(super) fn set_up_allocator() {
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
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_refused_thread_is_an_error_and_the_others_end() {
        let started = Cell::new(0);
        let limited = |closed| {
            if started.get() == 3 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            started.set(started.get() + 1);
            waiting(closed)
        };
        assert_eq!(probe(4, limited).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        started.set(0);
        assert!(probe(3, limited).is_ok());
        assert_eq!(started.get(), 3);
    }

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

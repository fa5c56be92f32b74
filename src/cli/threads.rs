//! Whether the system permits the threads that the runtime needs.

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread::{Builder, JoinHandle};

/// Starts `count` threads that exist at the same time, and ends them. `start` starts a thread that ends when the
/// channel is closed.
///
/// # Errors
/// When the system refuses one of them.
pub(super) fn probe(
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
pub(super) fn waiting(closed: Receiver<()>) -> io::Result<JoinHandle<()>> {
    Builder::new().spawn(move || {
        // It ends with an error: nothing is sent.
        let _ = closed.recv();
    })
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
}

//! The progress of `newswire poll`: one line at the bottom of the terminal that is written anew after each feed.

use std::io::{self, Stderr, Write as _};

use crossterm::cursor::MoveToColumn;
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType};

/// Progress on standard error, which has to be a terminal. The line is cleared when this is dropped.
pub(super) struct Progress {
    done: usize,
    count: usize,
    terminal: Stderr,
}

impl Progress {
    /// No feed of `count` is polled yet.
    pub(super) fn of(count: usize) -> Self {
        let mut progress = Self { done: 0, count, terminal: io::stderr() };
        progress.write("");
        progress
    }

    /// Counts one more polled feed and shows the new number.
    pub(super) fn advance(&mut self) {
        self.done += 1;
        self.write("");
    }

    /// Prints a line above the progress.
    pub(super) fn print(&mut self, line: &str) {
        self.write(&format!("{line}\n"));
    }

    /// Replaces the line. A terminal that cannot be written to does not stop the polls.
    fn write(&mut self, above: &str) {
        let (done, count) = (self.done, self.count);
        let _ = queue!(self.terminal, MoveToColumn(0), Clear(ClearType::CurrentLine))
            .and_then(|()| write!(self.terminal, "{above}{done} of {count} feeds polled"))
            .and_then(|()| self.terminal.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let _ = queue!(self.terminal, MoveToColumn(0), Clear(ClearType::CurrentLine))
            .and_then(|()| self.terminal.flush());
    }
}

//! Messages to the service manager (`sd_notify(3)`). Without one they have no effect.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use sd_notify::NotifyState;

/// Interval of the status line of the unit.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of the messages that extend the time limit of a start or a stop.
const EXTENSION_INTERVAL: Duration = Duration::from_secs(5);
/// Time by which each of these messages extends the limit.
const EXTENSION: Duration = Duration::from_secs(30);

/// Sends a message; errors are ignored.
pub(crate) fn notify(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

/// Extends the time limit of the start or the stop until it is dropped.
#[derive(Debug)]
pub(crate) struct TimeExtension {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for TimeExtension {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Extends the time limit of the start or the stop during a step that takes longer with a larger database or a slower
/// disk. `step` is its name in the status line.
#[must_use]
pub(crate) fn extend_time(step: &'static str) -> TimeExtension {
    let (end, ended) = channel::<()>();
    let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
    let extend =
        move || notify(&[NotifyState::ExtendTimeoutUsec(extension), NotifyState::Status(step)]);
    // Before the step: it may end before the thread runs.
    extend();
    let repeat = move || {
        while ended.recv_timeout(EXTENSION_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            extend();
        }
    };
    let thread = std::thread::Builder::new().name("extension".to_owned()).spawn(repeat);
    TimeExtension { end: Some(end), thread: thread.ok() }
}

/// Interval of the status line and of the signals to the watchdog: at most a third of its period.
pub(crate) fn status_interval() -> Duration {
    sd_notify::watchdog_enabled().map_or(STATUS_INTERVAL, |period| STATUS_INTERVAL.min(period / 3))
}

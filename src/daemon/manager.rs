//! The word to the service manager, `sd_notify(3)`: nothing is said, and nothing breaks, where there
//! is none.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use sd_notify::NotifyState;

/// The status line of the unit is never older than this.
const STATUS: Duration = Duration::from_secs(5);
/// How often a start that takes its time says that it goes on,
const SIGN: Duration = Duration::from_secs(5);
/// and how much longer it may take from then on.
const LONGER: Duration = Duration::from_secs(30);

/// Says something; a word that gets lost harms nothing.
pub(crate) fn tell(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

/// Says that a start goes on, for as long as this lives.
#[derive(Debug)]
pub struct Patience {
    over: Option<Sender<()>>,
    signing: Option<JoinHandle<()>>,
}

impl Drop for Patience {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(signing) = self.signing.take() {
            let _ = signing.join();
        }
    }
}

/// For what may take minutes, as bringing a large database up to date does.
#[must_use]
pub fn patience(what: &'static str) -> Patience {
    let (over, waiting) = channel::<()>();
    let longer = u32::try_from(LONGER.as_micros()).unwrap_or(u32::MAX);
    let sign = move || {
        while waiting.recv_timeout(SIGN) == Err(RecvTimeoutError::Timeout) {
            tell(&[NotifyState::ExtendTimeoutUsec(longer), NotifyState::Status(what)]);
        }
    };
    let signing = std::thread::Builder::new().name("patience".to_owned()).spawn(sign);
    Patience { over: Some(over), signing: signing.ok() }
}

/// How often the status line is written, and the watchdog, if there is one, told that all is well:
/// well within its period.
pub(crate) fn rhythm() -> Duration {
    sd_notify::watchdog_enabled().map_or(STATUS, |period| STATUS.min(period / 3))
}

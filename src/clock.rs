//! The only reader of the time.
//!
//! Stamps are wall-clock ([`Clock::now`]), spacing and time-outs are monotonic
//! ([`Clock::elapsed`]). Tests move a [`Clock::manual`] and never sleep.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Tells the time; cheap to clone, clones share one time.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System { started: Instant },
    Manual(Arc<watch::Sender<Moment>>),
}

/// One point in time on both scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Wall-clock: for stamps and for what is persisted. May jump.
    pub wall: Timestamp,
    /// Monotonic since the clock was made: for spacing and time-outs. Never jumps back.
    pub elapsed: Duration,
}

impl Clock {
    /// The machine's own time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the clock is where the time is read")]
    pub fn system() -> Self {
        Self(Kind::System { started: Instant::now() })
    }

    /// A clock that moves only by [`Clock::advance`] and [`Clock::set_wall`].
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        let moment = Moment { wall: start, elapsed: Duration::ZERO };
        Self(Kind::Manual(Arc::new(watch::Sender::new(moment))))
    }

    /// Both scales at once.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the clock is where the time is read")]
    pub fn moment(&self) -> Moment {
        match &self.0 {
            Kind::System { started } => {
                Moment { wall: Timestamp::now(), elapsed: started.elapsed() }
            }
            Kind::Manual(moment) => *moment.borrow(),
        }
    }

    /// Wall-clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.moment().wall
    }

    /// Monotonic, since the clock was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.moment().elapsed
    }

    /// Returns once [`Clock::elapsed`] has reached `until`.
    pub async fn sleep_until(&self, until: Duration) {
        match &self.0 {
            Kind::System { started } => tokio::time::sleep_until((*started + until).into()).await,
            Kind::Manual(moment) => {
                let mut moved = moment.subscribe();
                // The sender lives in `self`, so waiting cannot fail.
                let _ = moved.wait_for(|m| m.elapsed >= until).await;
            }
        }
    }

    /// Moves a manual clock on, both scales; does nothing to the machine's.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(moment) = &self.0 {
            let by_signed = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
            moment.send_modify(|m| {
                m.elapsed += by;
                m.wall = m.wall.saturating_add(by_signed).unwrap_or(Timestamp::MAX);
            });
        }
    }

    /// Makes a manual clock's wall-clock jump, as after a suspend or a correction.
    pub fn set_wall(&self, wall: Timestamp) {
        if let Kind::Manual(moment) = &self.0 {
            moment.send_modify(|m| m.wall = wall);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_on_a_manual_clock_wakes_when_the_clock_is_moved() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Duration::from_secs(3600)).await }
        });
        clock.advance(Duration::from_secs(3600));
        sleeper.await.unwrap();
        assert_eq!(clock.now().as_second(), 3600);
    }

    #[test]
    fn a_jump_of_the_wall_clock_leaves_the_monotonic_scale_alone() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.set_wall(Timestamp::from_second(1_000_000).unwrap());
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }
}

//! The clock: the only place where the time of the system is read.
//!
//! Timestamps use the wall clock ([`Clock::now`]); intervals and time limits use the monotonic clock
//! ([`Clock::elapsed`]). Tests advance a [`Clock::manual`] instead of sleeping.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Time of the oldest release of this version, in seconds since 1970, unless the build records its own: 1 November
/// 2026.
const OLDEST_BUILD: i64 = 1_793_491_200;

/// A clock. Clones share the same time.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System { started: Instant },
    Manual(Arc<watch::Sender<Moment>>, Arc<watch::Sender<Timestamp>>),
}

/// One point in time on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock (UTC), for timestamps and stored values. It may jump.
    pub wall: Timestamp,
    /// Monotonic time since the clock was created, for intervals and time limits.
    pub elapsed: Duration,
    /// Time since the machine was started, suspends included.
    pub since_boot: Duration,
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "only the clock reads the time")]
    pub fn system() -> Self {
        Self(Kind::System { started: Instant::now() })
    }

    /// A clock that moves only by [`Clock::advance`] and [`Clock::set_wall`].
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        let (elapsed, since_boot) = (Duration::ZERO, Duration::ZERO);
        let moment = Moment { wall: start, elapsed, since_boot };
        let earliest = watch::Sender::new(Timestamp::MIN);
        Self(Kind::Manual(Arc::new(watch::Sender::new(moment)), Arc::new(earliest)))
    }

    /// The current time on both clocks.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "only the clock reads the time")]
    pub fn moment(&self) -> Moment {
        match &self.0 {
            Kind::System { started } => {
                let (elapsed, since_boot) = (started.elapsed(), self.since_boot());
                Moment { wall: Timestamp::now(), elapsed, since_boot }
            }
            Kind::Manual(moment, _) => *moment.borrow(),
        }
    }

    /// The current wall-clock time (UTC).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.moment().wall
    }

    /// Monotonic time since the clock was created.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.moment().elapsed
    }

    /// Time since the machine was started, suspends included.
    #[must_use]
    pub fn since_boot(&self) -> Duration {
        match &self.0 {
            Kind::System { .. } => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
                Duration::from_secs(seconds) + Duration::from_nanos(nanos)
            }
            Kind::Manual(moment, _) => moment.borrow().since_boot,
        }
    }

    /// Identifies the clock that [`Clock::since_boot`] counts on; `None`: unknown.
    #[must_use]
    pub fn boot(&self) -> Option<String> {
        match &self.0 {
            Kind::System { .. } => {
                let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
                // A container may count from another time.
                let namespace = std::fs::read_link("/proc/self/ns/time").unwrap_or_default();
                Some(format!("{} {}", boot.trim(), namespace.display()))
            }
            Kind::Manual(..) => Some("manual".to_owned()),
        }
    }

    /// The earliest possible time: that of the build. A clock that shows an earlier time is wrong.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        match &self.0 {
            Kind::System { .. } => {
                let built = option_env!("NEWSWIRE_BUILD_TIME").and_then(|time| time.parse().ok());
                Timestamp::from_second(built.unwrap_or(OLDEST_BUILD)).unwrap_or(Timestamp::MIN)
            }
            Kind::Manual(_, earliest) => *earliest.borrow(),
        }
    }

    /// Sets the earliest possible time of a manual clock.
    pub fn set_earliest(&self, at: Timestamp) {
        if let Kind::Manual(_, earliest) = &self.0 {
            earliest.send_replace(at);
        }
    }

    /// Returns once [`Clock::elapsed`] has reached `until`.
    pub async fn sleep_until(&self, until: Duration) {
        match &self.0 {
            Kind::System { started } => tokio::time::sleep_until((*started + until).into()).await,
            Kind::Manual(moment, _) => {
                let mut moved = moment.subscribe();
                // `self` holds the sender, so waiting cannot fail.
                let _ = moved.wait_for(|m| m.elapsed >= until).await;
            }
        }
    }

    /// Advances a manual clock on both scales. Has no effect on the system clock.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(moment, _) = &self.0 {
            let by_signed = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
            moment.send_modify(|m| {
                m.elapsed += by;
                m.since_boot += by;
                m.wall = m.wall.saturating_add(by_signed).unwrap_or(Timestamp::MAX);
            });
        }
    }

    /// Sets the wall-clock time of a manual clock, as after a suspend or a correction.
    pub fn set_wall(&self, wall: Timestamp) {
        if let Kind::Manual(moment, _) = &self.0 {
            moment.send_modify(|m| m.wall = wall);
        }
    }
}

/// Measures time from its start, for limits of the network that have no other clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A stopwatch that starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "only the clock reads the time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_on_a_manual_clock_wakes_when_it_is_advanced() {
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
    fn a_jump_of_the_wall_clock_does_not_change_the_monotonic_time() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.set_wall(Timestamp::from_second(1_000_000).unwrap());
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }
}

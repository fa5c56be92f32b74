//! Whether newswire lives and is of use: when each of its parts last turned, and what is wrong now.
//!
//! The parts tell; the watchdog and `/readyz` ask. Nothing in here waits or does I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// A part that has to go on turning, whatever feeds and readers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The loop that starts polls.
    Scheduler,
    /// The thread that writes to the database.
    Writer,
    /// The threads that answer requests.
    Web,
}

impl Part {
    /// Every part.
    pub const ALL: &'static [Self] = &[Self::Scheduler, Self::Writer, Self::Web];

    /// The stable name.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Scheduler => "scheduler",
            Self::Writer => "writer",
            Self::Web => "web",
        }
    }
}

/// Why newswire is not of full use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No poll has ended and been stored since the start.
    NoCycleYet,
    /// No room for the database.
    StoreFull,
    /// The database cannot be written to.
    StoreReadonly,
    /// The database fails in another way.
    StoreFailing,
    /// The config as it stands in the file was refused; the one before is in force.
    ConfigRefused,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: &'static [Self] = &[
        Self::NoCycleYet,
        Self::StoreFull,
        Self::StoreReadonly,
        Self::StoreFailing,
        Self::ConfigRefused,
    ];

    /// The stable name, as `/readyz` tells it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::NoCycleYet => "no_cycle_yet",
            Self::StoreFull => "store_full",
            Self::StoreReadonly => "store_readonly",
            Self::StoreFailing => "store_failing",
            Self::ConfigRefused => "config_refused",
        }
    }

    /// What it means and what to do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NoCycleYet => "no feed has been polled and stored since the start: wait",
            Self::StoreFull => "no room for the database: make some where it lies",
            Self::StoreReadonly => "the database cannot be written to: see its permissions",
            Self::StoreFailing => "the database fails: the log tells how",
            Self::ConfigRefused => {
                "the config was refused, the one before is in force: run 'newswire check'"
            }
        }
    }
}

/// The signs of life of one process; clones share them.
#[derive(Debug, Clone)]
pub struct Vitals(Arc<Signs>);

#[derive(Debug)]
struct Signs {
    /// Milliseconds on the monotonic scale, plus one; nought: never.
    ticks: [AtomicU64; Part::ALL.len()],
    /// One bit a trouble.
    troubles: AtomicU32,
}

impl Default for Vitals {
    fn default() -> Self {
        let troubles = AtomicU32::new(bit(Trouble::NoCycleYet));
        Self(Arc::new(Signs { ticks: Default::default(), troubles }))
    }
}

impl Vitals {
    /// `part` has turned, at this point of the clock's monotonic scale (`Clock::elapsed`).
    pub fn tick(&self, part: Part, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1);
        self.0.ticks[part as usize].fetch_max(now + 1, Ordering::Relaxed);
    }

    /// When `part` last turned, to the millisecond; `None`: it never did.
    #[must_use]
    pub fn last_tick(&self, part: Part) -> Option<Duration> {
        let last = self.0.ticks[part as usize].load(Ordering::Relaxed);
        last.checked_sub(1).map(Duration::from_millis)
    }

    /// This is wrong from now on.
    pub fn ails(&self, trouble: Trouble) {
        self.0.troubles.fetch_or(bit(trouble), Ordering::Relaxed);
    }

    /// This is right again.
    pub fn heals(&self, trouble: Trouble) {
        self.0.troubles.fetch_and(!bit(trouble), Ordering::Relaxed);
    }

    /// Everything that is wrong now; nothing: newswire is ready.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        let troubles = self.0.troubles.load(Ordering::Relaxed);
        Trouble::ALL.iter().copied().filter(|trouble| troubles & bit(*trouble) != 0).collect()
    }
}

fn bit(trouble: Trouble) -> u32 {
    1 << trouble as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_known_by_its_own_last_tick() {
        let vitals = Vitals::default();
        assert!(Part::ALL.iter().all(|part| vitals.last_tick(*part).is_none()));
        let other = vitals.clone();
        other.tick(Part::Writer, Duration::ZERO);
        other.tick(Part::Web, Duration::from_secs(5));
        other.tick(Part::Web, Duration::from_secs(3));
        assert_eq!(vitals.last_tick(Part::Writer), Some(Duration::ZERO));
        assert_eq!(vitals.last_tick(Part::Web), Some(Duration::from_secs(5)), "never back");
        assert_eq!(vitals.last_tick(Part::Scheduler), None);
    }

    #[test]
    fn a_new_process_is_not_ready_and_troubles_come_and_go() {
        let vitals = Vitals::default();
        assert_eq!(vitals.troubles(), [Trouble::NoCycleYet]);
        vitals.heals(Trouble::NoCycleYet);
        assert!(vitals.troubles().is_empty());
        for trouble in Trouble::ALL {
            vitals.ails(*trouble);
            vitals.ails(*trouble);
        }
        assert_eq!(vitals.troubles(), Trouble::ALL);
        vitals.heals(Trouble::StoreFull);
        vitals.heals(Trouble::StoreFull);
        assert_eq!(vitals.troubles().len(), Trouble::ALL.len() - 1);
    }
}

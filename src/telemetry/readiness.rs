//! Whether newswire works: the last heartbeat of each part, and the problems that it has now.
//!
//! The parts report here. The watchdog, `/readyz` and the status page read it. Nothing blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// A part of the daemon that must keep running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The loop that starts polls.
    Scheduler,
    /// The thread that writes to the database.
    Writer,
    /// The threads of the web server.
    Web,
}

impl Part {
    /// All parts, in the order of their definition.
    pub const ALL: &'static [Self] = &[Self::Scheduler, Self::Writer, Self::Web];

    /// The stable name, as `/readyz?verbose` has it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Scheduler => "scheduler",
            Self::Writer => "writer",
            Self::Web => "web",
        }
    }
}

/// A problem of newswire itself: while it has one, it is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// No poll has ended and been stored since the start.
    NotPolledYet,
    /// The file system of the database is full.
    StoreFull,
    /// The database is read-only.
    StoreReadonly,
    /// The database fails for another reason.
    StoreFailing,
    /// Files of an output cannot be written.
    OutputUnwritable,
    /// Files of an output cannot be written, because their file system is full.
    OutputDiskFull,
    /// The write-ahead log of the database has grown large, because it cannot be reused.
    LogLarge,
    /// The database contains damaged data.
    StoreDamaged,
    /// The wall clock of the system is wrong.
    ClockUntrusted,
    /// The wall clock of the system has jumped within the last day.
    ClockJumped,
    /// The config file has errors; the previous config still applies.
    ConfigRejected,
    /// A followed list of feeds cannot be fetched or read.
    ListFailing,
}

impl Problem {
    /// Every problem.
    pub const ALL: &'static [Self] = &[
        Self::NotPolledYet,
        Self::StoreFull,
        Self::StoreReadonly,
        Self::StoreFailing,
        Self::OutputUnwritable,
        Self::OutputDiskFull,
        Self::LogLarge,
        Self::StoreDamaged,
        Self::ClockUntrusted,
        Self::ClockJumped,
        Self::ConfigRejected,
        Self::ListFailing,
    ];

    /// The stable name, as `/readyz` and `/status.json` have it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::NotPolledYet => "not_polled_yet",
            Self::StoreFull => "store_full",
            Self::StoreReadonly => "store_readonly",
            Self::StoreFailing => "store_failing",
            Self::OutputUnwritable => "output_unwritable",
            Self::OutputDiskFull => "output_disk_full",
            Self::LogLarge => "store_log_large",
            Self::StoreDamaged => "store_damaged",
            Self::ClockUntrusted => "clock_untrusted",
            Self::ClockJumped => "clock_jumped",
            Self::ConfigRejected => "config_rejected",
            Self::ListFailing => "list_failing",
        }
    }

    /// Whether newswire is not ready because of it. The others are warnings: it works, and the operator has to know.
    #[must_use]
    pub fn degrades(self) -> bool {
        !matches!(
            self,
            Self::ClockJumped | Self::ConfigRejected | Self::ListFailing | Self::LogLarge
        )
    }

    /// Whether polls wait until it is solved, because they cannot be stored.
    #[must_use]
    pub fn stops_polls(self) -> bool {
        matches!(self, Self::StoreFull | Self::StoreReadonly | Self::StoreFailing)
    }

    /// What is wrong, without a full stop.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotPolledYet => "no poll has been stored since the start",
            Self::StoreFull => "the file system of the database is full",
            Self::StoreReadonly => "the database is read-only",
            Self::StoreFailing => "the database fails",
            Self::OutputUnwritable => "files of an output cannot be written",
            Self::OutputDiskFull => "the file system of an output is full",
            Self::LogLarge => {
                "the write-ahead log of the database is large; a program reads the database for a long time"
            }
            Self::StoreDamaged => "the database contains damaged data",
            Self::ClockUntrusted => {
                "the clock of the system is wrong; nothing is polled or deleted"
            }
            Self::ClockJumped => {
                "the clock of the system has jumped; nothing is polled for ten minutes or deleted for a day"
            }
            Self::ConfigRejected => "the config has errors; the previous config still applies",
            Self::ListFailing => "a followed list of feeds cannot be fetched or read",
        }
    }

    /// What to do, a sentence.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NotPolledYet => "Wait for the first poll.",
            Self::StoreFull | Self::OutputDiskFull => "Free space on that file system.",
            Self::StoreReadonly => "Check the mount options and the permissions of the file.",
            Self::StoreFailing => "See the log.",
            Self::OutputUnwritable => {
                "See the log for the file, and give newswire access to its folder."
            }
            Self::LogLarge => "Find the program with 'fuser newswire.db', and end it.",
            Self::StoreDamaged => "Run 'newswire verify', then 'newswire repair'.",
            Self::ClockUntrusted | Self::ClockJumped => {
                "Check the clock and the time synchronisation (timedatectl)."
            }
            Self::ConfigRejected => "Run 'newswire check'.",
            Self::ListFailing => "Run 'newswire status', which shows the list and the reason.",
        }
    }
}

/// The state of one process; clones share it.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Milliseconds on the monotonic scale plus one, by part; 0: no heartbeat yet.
    heartbeats: [AtomicU64; Part::ALL.len()],
    /// One bit for each problem.
    problems: AtomicU32,
}

impl Default for Readiness {
    fn default() -> Self {
        let problems = AtomicU32::new(bit(Problem::NotPolledYet));
        Self(Arc::new(Shared { heartbeats: Default::default(), problems }))
    }
}

impl Readiness {
    /// Records that `part` runs at this point of the monotonic scale (`Clock::elapsed`).
    pub fn heartbeat(&self, part: Part, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1);
        self.0.heartbeats[part as usize].fetch_max(now + 1, Ordering::Relaxed);
    }

    /// Time of the last heartbeat of `part`, in whole milliseconds; `None`: there was none.
    #[must_use]
    pub fn last_heartbeat(&self, part: Part) -> Option<Duration> {
        let last = self.0.heartbeats[part as usize].load(Ordering::Relaxed);
        last.checked_sub(1).map(Duration::from_millis)
    }

    /// Records that newswire has this problem.
    pub fn add(&self, problem: Problem) {
        self.0.problems.fetch_or(bit(problem), Ordering::Relaxed);
    }

    /// Records that the problem is solved.
    pub fn remove(&self, problem: Problem) {
        self.0.problems.fetch_and(!bit(problem), Ordering::Relaxed);
    }

    /// The problems that newswire has now. If there are none, it is ready.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.0.problems.load(Ordering::Relaxed);
        Problem::ALL.iter().copied().filter(|problem| problems & bit(*problem) != 0).collect()
    }
}

fn bit(problem: Problem) -> u32 {
    1 << problem as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_own_last_heartbeat() {
        let readiness = Readiness::default();
        assert!(Part::ALL.iter().all(|part| readiness.last_heartbeat(*part).is_none()));
        let clone = readiness.clone();
        clone.heartbeat(Part::Writer, Duration::ZERO);
        clone.heartbeat(Part::Web, Duration::from_secs(5));
        clone.heartbeat(Part::Web, Duration::from_secs(3));
        assert_eq!(readiness.last_heartbeat(Part::Writer), Some(Duration::ZERO));
        assert_eq!(readiness.last_heartbeat(Part::Web), Some(Duration::from_secs(5)), "never back");
        assert_eq!(readiness.last_heartbeat(Part::Scheduler), None);
    }

    #[test]
    fn a_new_process_is_not_ready_and_problems_come_and_go() {
        let readiness = Readiness::default();
        assert_eq!(readiness.problems(), [Problem::NotPolledYet]);
        readiness.remove(Problem::NotPolledYet);
        assert!(readiness.problems().is_empty());
        for problem in Problem::ALL {
            readiness.add(*problem);
            readiness.add(*problem);
        }
        assert_eq!(readiness.problems(), Problem::ALL);
        readiness.remove(Problem::StoreFull);
        readiness.remove(Problem::StoreFull);
        assert_eq!(readiness.problems().len(), Problem::ALL.len() - 1);
    }
}

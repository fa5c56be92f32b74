//! How often a feed publishes, and the interval that follows from it. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::Validators;
use crate::schedule::{self, IntervalMode, PollCost};

/// What is known about how often a feed publishes, before a poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace<'a> {
    pub(super) schedule: &'a schedule::Settings,
    /// Times of the newest items; the time when the feed was added, if it has none.
    pub(super) times: &'a [Timestamp],
    pub(super) has_items: bool,
    /// Validators of the last document; `None`: there was none.
    pub(super) validators: Option<&'a Validators>,
    pub(super) now: Timestamp,
}

impl Pace<'_> {
    /// The interval by the settings and by what is learned so far.
    pub(super) fn interval(&self) -> Duration {
        self.schedule.interval_of(self.learned(self.times, self.validators))
    }

    /// The interval that is learned with the times of new items and the validators of a new response; `None`: it is
    /// fixed, or nothing is known.
    pub(super) fn after(
        &self,
        new: Vec<Timestamp>,
        validators: Option<&Validators>,
    ) -> Option<Duration> {
        // Without an item, the only known time is that when the feed was added.
        let known = if self.has_items || new.is_empty() { self.times } else { &[] };
        let times: Vec<Timestamp> = known.iter().copied().chain(new).collect();
        self.learned(&times, validators.or(self.validators))
    }

    fn learned(&self, times: &[Timestamp], validators: Option<&Validators>) -> Option<Duration> {
        match self.schedule.interval_mode {
            IntervalMode::Fixed => None,
            IntervalMode::Auto => {
                let (start, cost) = (self.schedule.interval, PollCost::of(validators));
                schedule::learned(times, start, cost, self.now)
            }
        }
    }
}

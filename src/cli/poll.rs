//! `newswire poll`: polls the feeds that are due once, for cron. Shows progress on a terminal, otherwise
//! one line per feed.

mod progress;

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::progress::Progress;
use super::error::CommandError;
use super::exit::Exit;
use super::fitting;
use super::known;
use super::online::Promises;
use super::terminal::{print_error, print_text, report};
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::control::{ControlError, Reply, Request, send};
use crate::daemon::{self, Engine, FeedSelection};
use crate::fetch::SystemResolver;
use crate::model::FetchOutcome;
use crate::poll::{PollEnd, Polled, Target, Trigger, result_line};
use crate::text::amounts::count;
use crate::text::sha256::Sha256;

/// The result of polling once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Number of feeds that were polled.
    pub polled: usize,
    /// Number of these polls that failed.
    pub failed: usize,
    /// Number of new items.
    pub new: usize,
    /// Number of items whose content changed.
    pub changed: usize,
    /// Number of items that the burst guard holds.
    pub burst: usize,
    /// Number of feeds that may not be requested now.
    pub held: usize,
    /// Number of feeds on new hosts that are left for the next run.
    pub left: usize,
    /// Whether nothing was polled because the clock was set.
    pub clock_jumped: bool,
}

impl Summary {
    /// Counts the end of one poll.
    fn add(&mut self, end: &PollEnd) {
        let PollEnd::Polled(polled) = end else {
            self.held += 1;
            return;
        };
        self.polled += 1;
        self.failed += usize::from(!polled.outcome.is_success());
        self.new += polled.recorded.new;
        self.changed += polled.recorded.changed;
        self.burst += polled.burst;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { polled, failed, new, changed, burst, held, left, clock_jumped } = self;
        if *clock_jumped {
            return f.write_str(
                "the clock was set since the last run: nothing polled until the next run",
            );
        }
        let polled = count(*polled as u64, "feed");
        let new = count(*new as u64, "new item");
        write!(f, "{polled} polled, {failed} failed; {new}, {changed} changed")?;
        if *burst > 0 {
            write!(f, ", {} held", count(*burst as u64, "item"))?;
        }
        if *held > 0 {
            write!(f, "; {} held", count(*held as u64, "feed"))?;
        }
        match left {
            0 => Ok(()),
            left => {
                write!(f, "; {} on new hosts left for the next run", count(*left as u64, "feed"))
            }
        }
    }
}

/// The turn of this installation within a time: always the same for this machine and this database.
pub(super) fn turn(database: &Path, within: Duration) -> Duration {
    let machine = ["/etc/machine-id", "/proc/sys/kernel/hostname"].map(std::fs::read);
    let mut hash = Sha256::new();
    for part in machine.into_iter().flatten() {
        hash.update(part);
    }
    let path = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
    hash.update(path.as_os_str().as_encoded_bytes());
    let hash: [u8; 32] = hash.finish();
    let share = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    within.mul_f64(f64::from(share) / f64::from(u32::MAX))
}

/// Why the selected feeds are polled.
pub(super) fn trigger(selection: &FeedSelection, promises: Promises, now: Timestamp) -> Trigger {
    match selection {
        _ if promises == Promises::Ignore => Trigger::Forced { since: now },
        FeedSelection::Due => Trigger::Due,
        FeedSelection::All | FeedSelection::WithPaused | FeedSelection::Named(_) => {
            Trigger::Command
        }
    }
}

/// Polls once, publishes, and writes the result of each feed to `out`.
///
/// # Errors
/// When a named feed is unknown, the database fails, or an output cannot be published.
pub(super) async fn run(
    config: Config,
    (selection, trigger): (&FeedSelection, Trigger),
    out: &mut impl Write,
) -> Result<Summary, daemon::Error> {
    let clock = Clock::system();
    let engine = Engine::open(config, clock.clone(), Arc::new(SystemResolver::new())).await?;
    let count = engine.count(selection)?;
    let moves = io::stderr().is_terminal() && fitting::has_escapes();
    let mut progress = moves.then(|| Progress::of(count));
    let mut summary = Summary::default();
    let report = |target: &Target, end: &PollEnd| {
        summary.add(end);
        match &mut progress {
            Some(progress) => {
                let failed = matches!(end, PollEnd::Polled(polled) if is_failed(polled));
                if failed || matches!(end, PollEnd::Held(_)) {
                    progress.print(&result_line(&target.id, end, clock.now()));
                }
                progress.advance();
            }
            // A closed pipe does not stop the polls.
            None => drop(writeln!(out, "{}", result_line(&target.id, end, clock.now()))),
        }
    };
    let result = daemon::pass(&engine, (selection, trigger), report).await;
    drop(progress);
    summary.left = result.map_err(|error| engine.examined(error))?;
    summary.clock_jumped = engine.clock_jumped() && !trigger.is_forced();
    Ok(summary)
}

/// Prints a warning for each followed list that fails.
pub(super) fn warn_of_lists(config: Option<&Config>, now: Timestamp) {
    let lists = config.map(|config| daemon::list_statuses(&config.followed, now));
    let lists = lists.unwrap_or_default();
    for list in &lists {
        if let (Some(failure), Some(text), Some(remedy)) =
            (&list.failure, list.text(now), list.remedy())
        {
            let (place, code) = (&list.place, &failure.code);
            print_error(&format!("warning: list {place}: {text} ({code})\n  help: {remedy}\n"));
        }
    }
}

/// Lets a running daemon poll the feeds, all if none is named, and prints each result; `None`: no daemon is running.
pub(super) fn in_daemon(
    (config, database): (Option<&Config>, &Path),
    feeds: &[String],
    promises: Promises,
) -> Option<Result<(), Exit>> {
    let (feeds, force) = (feeds.to_vec(), promises == Promises::Ignore);
    let request = Request::Poll { feeds, force };
    let reply = match send(database, &request, |line| print_text(&format!("{line}\n"))) {
        Err(ControlError::NotRunning { .. }) => return None,
        reply => reply,
    };
    Some(match reply {
        Ok(Reply::Done { message, .. }) => {
            print_text(&format!("{message}\n"));
            Ok(())
        }
        Ok(Reply::UnknownFeed(name)) => {
            let known = config.map(|config| known::feeds(config, database)).unwrap_or_default();
            Err(report(&known::unloaded(&name, &known)))
        }
        Ok(Reply::Failed(reason) | Reply::Rejected(reason) | Reply::Progress(reason)) => {
            Err(report(&CommandError::NotPolled(reason)))
        }
        Err(error) => Err(report(&error)),
    })
}

fn is_failed(polled: &Polled) -> bool {
    matches!(polled.outcome, FetchOutcome::Failed(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installations_have_different_turns_and_each_keeps_its_own() {
        let minute = Duration::from_secs(60);
        let turns: Vec<Duration> =
            (0..20).map(|n| turn(Path::new(&format!("/{n}.db")), minute)).collect();
        let mut seconds: Vec<u64> = turns.iter().map(Duration::as_secs).collect();
        seconds.sort_unstable();
        seconds.dedup();
        assert!(seconds.len() > 10 && turns.iter().all(|turn| *turn <= minute), "{turns:?}");
        assert_eq!(turn(Path::new("/7.db"), minute), turns[7]);
    }
}

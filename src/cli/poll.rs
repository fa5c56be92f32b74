//! `newswire poll`: polls the feeds that are due once, for cron. Shows progress on a terminal, otherwise
//! one line per feed.
//!
//! With `--dry-run` it polls into a copy of the database and shows the result. Nothing is kept or published.

use std::io::{self, IsTerminal as _, Stderr, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::cursor::MoveToColumn;
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::exit::{CommandError, Exit};
use super::known;
use super::online::Promises;
use super::run::stop_signal;
use super::terminal::{self, print_error, print_text, report};
use super::why::item::{name, visibility_text};
use super::why::removed_text;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::control::{ControlError, Reply, Request, send};
use crate::daemon::{self, Engine, FeedSelection};
use crate::fetch::SystemResolver;
use crate::model::{FetchOutcome, ItemKey, OutputItem};
use crate::outputs::{self, Visibility};
use crate::poll::{Ledger, PollEnd, Polled, Target, Trigger, result_line};
use crate::render::Output;
use crate::store::{self, ItemSummary, OpenError, Reader, Transaction};
use crate::text::amounts::count;
use crate::text::sha256::Sha256;

/// The result of polling once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Number of feeds that were polled.
    pub polled: usize,
    /// Number of these polls that failed.
    pub failed: usize,
    /// Number of these polls whose server asked for fewer requests.
    pub throttled: usize,
    /// Number of these polls whose server answered that the feed is gone.
    pub gone: usize,
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
    /// How it was stopped before all feeds were polled.
    pub stopped: Option<Stopped>,
}

/// How a signal stopped the polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Exit code of the process.
    pub exit: Exit,
    /// Number of feeds that were not polled.
    pub unpolled: usize,
}

impl Summary {
    /// Counts the end of one poll.
    fn add(&mut self, end: &PollEnd) {
        let PollEnd::Polled(polled) = end else {
            self.held += 1;
            return;
        };
        self.polled += 1;
        match polled.outcome {
            FetchOutcome::Modified | FetchOutcome::NotModified => {}
            FetchOutcome::Throttled => self.throttled += 1,
            FetchOutcome::Gone => self.gone += 1,
            FetchOutcome::Failed(_) => self.failed += 1,
        }
        self.new += polled.recorded.new;
        self.changed += polled.recorded.changed;
        self.burst += polled.burst;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { polled, failed, throttled, gone, new, changed, burst, held, left, .. } = self;
        if self.clock_jumped {
            return f.write_str(
                "the clock was set since the last run: nothing polled until the next run",
            );
        }
        let polled = count(*polled as u64, "feed");
        let new = count(*new as u64, "new item");
        write!(f, "{polled} polled, {failed} failed")?;
        for (number, what) in [(throttled, "throttled"), (gone, "gone")] {
            if *number > 0 {
                write!(f, ", {number} {what}")?;
            }
        }
        write!(f, "; {new}, {changed} changed")?;
        if *burst > 0 {
            write!(f, ", {} held", count(*burst as u64, "item"))?;
        }
        if *held > 0 {
            write!(f, "; {} held", count(*held as u64, "feed"))?;
        }
        if *left > 0 {
            write!(f, "; {} on new hosts left for the next run", count(*left as u64, "feed"))?;
        }
        if let Some(Stopped { unpolled, .. }) = &self.stopped {
            let unpolled = count(*unpolled as u64, "feed");
            write!(f, "; stopped by a signal before {unpolled}, what was stored is published")?;
        }
        Ok(())
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
    let moves = io::stderr().is_terminal() && terminal::has_escapes();
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
    let (sender, receiver) = oneshot::channel();
    // A task of its own, so that a second signal ends a publication too.
    tokio::spawn(async move {
        // The pass may have ended.
        let _ = sender.send(stop_signal().await);
    });
    let mut signal = None;
    let stop = async {
        match receiver.await {
            Ok(exit) => signal = Some(exit),
            Err(_) => std::future::pending().await,
        }
    };
    let result = daemon::pass_until(&engine, (selection, trigger), stop, report).await;
    drop(progress);
    let passed = result.map_err(|error| engine.examined(error))?;
    summary.left = passed.left;
    let stopped = signal.zip(passed.unpolled.filter(|unpolled| *unpolled > 0));
    summary.stopped = stopped.map(|(exit, unpolled)| Stopped { exit, unpolled });
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

/// Progress on standard error, which has to be a terminal. The line is cleared when this is dropped.
struct Progress {
    done: usize,
    count: usize,
    terminal: Stderr,
}

impl Progress {
    /// No feed of `count` is polled yet.
    fn of(count: usize) -> Self {
        let mut progress = Self { done: 0, count, terminal: io::stderr() };
        progress.write("");
        progress
    }

    /// Counts one more polled feed and shows the new number.
    fn advance(&mut self) {
        self.done += 1;
        self.write("");
    }

    /// Prints a line above the progress.
    fn print(&mut self, line: &str) {
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

/// Why a dry run failed.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// No temporary folder can be created.
    #[error("failed to create a temporary folder for a copy of the database: {0}")]
    TempDir(#[from] io::Error),
    /// Polling is not possible.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
}

crate::model::codes! {
    DryRunError:
    Self::TempDir(_) => "temp_dir_unusable": "set TMPDIR to a folder with enough free space",
    ;
    Self::Daemon(error) => error,
}

/// Largest number of new items that are listed.
const MAX_LISTED: usize = 1_000;

/// Polls once. Writes one line per feed to `out`, then the new items that an output would show (`+`) and
/// those that an output would not show (`-`) with the reason.
///
/// # Errors
/// When the database cannot be copied or fails.
pub async fn rehearse(
    mut config: Config,
    (selection, trigger): (&FeedSelection, Trigger),
    out: &mut impl Write,
) -> Result<(), DryRunError> {
    let folder = tempfile::Builder::new().prefix("newswire-dry-run-").tempdir()?;
    let copy = folder.path().join("copy.db");
    match store::copy(&config.store.path, &copy) {
        // Without a database every item is new.
        Ok(()) | Err(OpenError::Missing { .. } | OpenError::Empty { .. }) => {}
        Err(error) => return Err(daemon::Error::from(error).into()),
    }
    // The requests count, although their results are not kept.
    let ledger = Ledger::beside(&config.store.path);
    config.store.path.clone_from(&copy);
    let outputs = std::mem::take(&mut config.outputs);
    let clock = Clock::system();
    let resolver = Arc::new(SystemResolver::new());
    let engine = Engine::open_with_ledger(config, clock.clone(), resolver, Some(ledger)).await?;
    let (before, start) = (newest(&copy)?, clock.now());
    let mut polled = 0_u32;
    let report = |target: &Target, end: &PollEnd| {
        polled += 1;
        let _ = writeln!(out, "{}", result_line(&target.id, end, clock.now()));
    };
    daemon::pass(&engine, (selection, trigger), report).await?;
    if polled == 0 {
        let _ = writeln!(out, "no feed is due; 'newswire poll --dry-run FEED' polls one");
    }
    list_removed(&copy, start, out)?;
    list_new(&copy, &outputs, (before, clock.now()), out)?;
    let _ = writeln!(out, "dry run: nothing was stored or published");
    Ok(())
}

/// Key of the newest item.
fn newest(database: &Path) -> Result<ItemKey, daemon::Error> {
    Ok(Reader::open(database)?.read(|reader| reader.newest_item())?)
}

/// Lists what the selectors of `remove` took away from the documents since `start`.
fn list_removed(
    database: &Path,
    start: jiff::Timestamp,
    out: &mut impl Write,
) -> Result<(), daemon::Error> {
    let statuses = Reader::open(database)?.read(|reader| reader.feed_statuses())?;
    for status in statuses.iter().filter(|it| it.last_success_at.is_some_and(|at| at >= start)) {
        for removed in &status.removed {
            let _ = writeln!(out, "{}: removed {}", status.info.id, removed_text(removed));
        }
    }
    Ok(())
}

/// Lists the items after `before` with their visibility.
fn list_new(
    database: &Path,
    outputs: &[Output],
    (before, now): (ItemKey, jiff::Timestamp),
    out: &mut impl Write,
) -> Result<(), daemon::Error> {
    Reader::open(database)?.read(|reader| list_new_in(reader, outputs, (before, now), out))
}

fn list_new_in(
    reader: &Transaction<'_>,
    outputs: &[Output],
    (before, now): (ItemKey, jiff::Timestamp),
    out: &mut impl Write,
) -> Result<(), daemon::Error> {
    let shown = outputs.iter().map(|output| outputs::select(reader, output, now));
    let shown: Vec<Vec<OutputItem>> = shown.collect::<Result<_, _>>()?;
    let visibility = |item: &ItemSummary| -> Result<Vec<(String, Visibility)>, outputs::Error> {
        let visibility = outputs.iter().zip(&shown).map(|(output, shown)| {
            let visibility = outputs::visibility(reader, (output, shown), item, now)?;
            Ok((output.id.clone(), visibility))
        });
        visibility.collect()
    };
    for key in (before.0 + 1..=reader.newest_item()?.0).take(MAX_LISTED) {
        let found = reader.find_items(&key.to_string(), None)?;
        let Some(item) = found.iter().find(|item| item.key.0 == key) else { continue };
        if let Some(rule) = &item.filtered_by {
            let _ = writeln!(out, "  - {}: filtered by {rule}", name(item));
            continue;
        }
        let by_output = visibility(item)?;
        let is_shown = |visibility: &Visibility| {
            matches!(
                visibility,
                Visibility::Shown(_)
                    | Visibility::Follows(_)
                    | Visibility::InDigest(_)
                    | Visibility::NotInDigest
            )
        };
        if outputs.is_empty() || by_output.iter().any(|(_, visibility)| is_shown(visibility)) {
            let _ = writeln!(out, "  + {}", name(item));
        }
        for (output, visibility) in by_output.iter().filter(|(_, v)| !is_shown(v)) {
            let _ = writeln!(
                out,
                "  - {}, output {output}: {}",
                name(item),
                visibility_text(visibility)
            );
        }
    }
    Ok(())
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

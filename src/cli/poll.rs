//! `newswire poll`: polls the feeds that are due once, for cron. Shows a progress bar on a terminal, otherwise
//! one line per feed.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Engine, FeedSelection};
use crate::fetch::SystemResolver;
use crate::model::FetchOutcome;
use crate::poll::{Polled, Target};
use crate::store::Reader;
use crate::text::amounts::{ago, count};

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
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { polled, failed, new, changed } = self;
        let polled = count(*polled as u64, "feed");
        let new = count(*new as u64, "new item");
        write!(f, "{polled} polled, {failed} failed; {new}, {changed} changed")
    }
}

/// Whether feeds that were polled less than five minutes ago are polled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecentFeeds {
    /// They are skipped.
    Skip,
    /// They are polled (`--force`), with conditional requests and the limits of their hosts.
    Poll,
}

/// Minimal time between two polls of a feed that is named on the command line.
const MIN_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// The selection without the feeds that were polled within [`MIN_WAIT`], which are listed on `out`.
fn without_recent(
    selection: FeedSelection,
    engine: &Engine,
    database: &Path,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<FeedSelection, daemon::Error> {
    let names = match selection {
        FeedSelection::Due => return Ok(selection),
        FeedSelection::All => engine.targets().iter().map(|t| t.id.to_string()).collect(),
        FeedSelection::Named(names) => names,
    };
    let statuses = Reader::open(database)?.read(|reader| reader.feed_statuses())?;
    let recent = |name: &String| {
        statuses.iter().find(|status| {
            let named = status.info.id.as_str() == name || status.info.url == *name;
            named && status.last_poll_at.is_some_and(|at| now.duration_since(at) < MIN_WAIT)
        })
    };
    let mut others = Vec::new();
    for name in names {
        match recent(&name).and_then(|status| status.last_poll_at) {
            Some(at) => {
                let ago = ago(at, now);
                let _ = writeln!(out, "{name}: skipped, polled {ago}; --force polls it again");
            }
            None => others.push(name),
        }
    }
    Ok(FeedSelection::Named(others))
}

/// Polls once, publishes, and writes the result of each feed to `out`.
///
/// # Errors
/// When a named feed is unknown, the database fails, or an output cannot be published.
pub(super) async fn run(
    config: Config,
    selection: FeedSelection,
    recent: RecentFeeds,
    out: &mut impl Write,
) -> Result<Summary, daemon::Error> {
    let (clock, database) = (Clock::system(), config.store.path.clone());
    let engine = Engine::open(config, clock.clone(), Arc::new(SystemResolver::new())).await?;
    let selection = match recent {
        RecentFeeds::Skip => without_recent(selection, &engine, &database, clock.now(), out)?,
        RecentFeeds::Poll => selection,
    };
    let count = engine.count(&selection)?;
    let bar = io::stderr().is_terminal().then(|| bar(count));
    let mut summary = Summary::default();
    let report = |target: &Target, polled: &Polled| {
        summary.polled += 1;
        summary.failed += usize::from(!polled.outcome.is_success());
        summary.new += polled.recorded.new;
        summary.changed += polled.recorded.changed;
        match &bar {
            Some(bar) => {
                bar.set_message(target.id.to_string());
                bar.inc(1);
                if let FetchOutcome::Failed(failure) = &polled.outcome {
                    bar.println(format!("{}: {failure}", target.id));
                }
            }
            // A closed pipe does not stop the polls.
            None => drop(writeln!(out, "{}", line(target, polled))),
        }
    };
    let result = daemon::pass(&engine, &selection, report).await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    result.map(|()| summary)
}

fn bar(count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
    let bar = ProgressBar::new(count as u64);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

/// The result of one feed, one line.
pub(super) fn line(target: &Target, polled: &Polled) -> String {
    let id = &target.id;
    match &polled.outcome {
        FetchOutcome::Failed(failure) => {
            let help = failure.help.as_deref();
            let help = help.map_or_else(String::new, |help| format!("; {help}"));
            format!("{id}: failed ({}): {failure}{help}", failure.kind.slug())
        }
        FetchOutcome::Throttled | FetchOutcome::Gone => {
            format!("{id}: {}, {}", polled.outcome.slug(), polled.plan.reason.text)
        }
        FetchOutcome::NotModified => format!("{id}: not modified"),
        FetchOutcome::Modified => {
            format!("{id}: {} new, {} changed", polled.recorded.new, polled.recorded.changed)
        }
    }
}

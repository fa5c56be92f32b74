//! `newswire poll`: one pass over what is due, for cron. A progress bar on a terminal, else one
//! line a feed.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};

use super::words::ago;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Engine, Error, Which};
use crate::fetch::SystemResolver;
use crate::model::FetchOutcome;
use crate::poll::{Polled, Target};
use crate::store::Reader;
use crate::text::amounts::count;

/// What a pass brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Feeds that were asked.
    pub polled: usize,
    /// Of these, how many failed.
    pub failed: usize,
    /// Items never seen before.
    pub new: usize,
    /// Items that were changed in place.
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

/// Whether a feed may be asked again that was asked just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Not within five minutes.
    Patient,
    /// At once; still conditionally, and host by host.
    Force,
}

/// Whether what a pass brings is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// All of it, and it is published.
    All,
    /// Nothing: a rehearsal.
    Nothing,
}

impl From<bool> for Haste {
    /// What `--force` says.
    fn from(force: bool) -> Self {
        if force { Self::Force } else { Self::Patient }
    }
}

impl From<bool> for Keeps {
    /// What `--dry-run` says.
    fn from(rehearsal: bool) -> Self {
        if rehearsal { Self::Nothing } else { Self::All }
    }
}

/// No site owner should pay for an impatient finger.
const REST: SignedDuration = SignedDuration::from_mins(5);

/// The same choice without the feeds that were asked just now; `out` is told of them.
fn rested(
    which: Which,
    engine: &Engine,
    database: &Path,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<Which, Error> {
    let asked = match which {
        Which::Due => return Ok(which),
        Which::All => engine.targets().iter().map(|target| target.id.to_string()).collect(),
        Which::Named(names) => names,
    };
    let statuses = Reader::open(database)?.read(|reader| reader.feed_statuses())?;
    let recent = |name: &String| {
        statuses.iter().find(|status| {
            let named = status.info.id.as_str() == name || status.info.url == *name;
            named && status.last_poll_at.is_some_and(|at| now.duration_since(at) < REST)
        })
    };
    let mut rested = Vec::new();
    for name in asked {
        match recent(&name).and_then(|status| status.last_poll_at) {
            Some(at) => {
                let _ = writeln!(
                    out,
                    "{name}: polled {}, left alone; --force asks again",
                    ago(at, now)
                );
            }
            None => rested.push(name),
        }
    }
    Ok(Which::Named(rested))
}

/// Polls once, publishes, and tells on `out` what each feed said.
///
/// # Errors
/// When newswire itself cannot go on, or an output cannot be published.
pub async fn run(
    config: Config,
    which: Which,
    haste: Haste,
    out: &mut impl Write,
) -> Result<Summary, Error> {
    let (clock, database) = (Clock::system(), config.store.path.clone());
    let engine = Engine::open(config, clock.clone(), Arc::new(SystemResolver::new())).await?;
    let which = match haste {
        Haste::Patient => rested(which, &engine, &database, clock.now(), out)?,
        Haste::Force => which,
    };
    let count = engine.count(&which)?;
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
            // A reader that went away is no reason not to poll on.
            None => drop(writeln!(out, "{}", line(target, polled))),
        }
    };
    let result = daemon::pass(&engine, &which, report).await;
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

/// One feed, one line, readable alone.
pub(super) fn line(target: &Target, polled: &Polled) -> String {
    let id = &target.id;
    match &polled.outcome {
        FetchOutcome::Failed(failure) => {
            format!("{id}: failed ({}): {failure}", failure.kind.slug())
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

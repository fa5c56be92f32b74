//! `newswire poll --dry-run`: polls into a copy of the database and shows the result. Nothing is kept or
//! published.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::why::feed::removed_text;
use super::why::item::{name, visibility_text};
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Engine, FeedSelection};
use crate::fetch::SystemResolver;
use crate::model::{ItemKey, OutputItem};
use crate::outputs::{self, Visibility};
use crate::poll::{Ledger, PollEnd, Target, Trigger, result_line};
use crate::render::Output;
use crate::store::{self, ItemSummary, OpenError, Reader, Transaction};

/// Why a dry run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No temporary folder can be created.
    #[error("failed to create a temporary folder for a copy of the database: {0}")]
    TempDir(#[from] io::Error),
    /// Polling is not possible.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
}

crate::model::codes! {
    Error:
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
pub async fn run(
    mut config: Config,
    (selection, trigger): (&FeedSelection, Trigger),
    out: &mut impl Write,
) -> Result<(), Error> {
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

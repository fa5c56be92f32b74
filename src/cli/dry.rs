//! `newswire poll --dry-run`: asks and reads as a poll does, and tells what would come of it. Works on a copy
//! of the database; nothing is kept, and nothing published.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::item::{name, why};
use super::poll::line;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Engine, Which};
use crate::fetch::SystemResolver;
use crate::model::{ItemKey, OutputItem};
use crate::outputs::{self, Visibility};
use crate::poll::{Polled, Target};
use crate::render::Output;
use crate::store::{self, ItemSummary, OpenError, Reader, Transaction};

/// Why nothing was rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No room for the copy.
    #[error(
        "failed to make room for a copy of the database: {0}: set TMPDIR to a folder with room"
    )]
    Room(#[from] io::Error),
    /// newswire itself cannot go on.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
}

crate::model::codes! {
    Error:
    Self::Room(_) => "no_room_for_copy",
    ;
    Self::Daemon(error) => error,
}

/// So many new items are named.
const NAMED: usize = 1_000;

/// Polls once, and tells `out` what each feed brings: one line a feed, then every item that is new (+), and
/// every one that no output would show (-), with the reason.
///
/// # Errors
/// When the database cannot be copied, or newswire itself cannot go on.
pub async fn run(mut config: Config, which: Which, out: &mut impl Write) -> Result<(), Error> {
    let folder = tempfile::Builder::new().prefix("newswire-dry-run-").tempdir()?;
    let copy = folder.path().join("copy.db");
    match store::copy(&config.store.path, &copy) {
        // Before the first poll all is new.
        Ok(()) | Err(OpenError::Missing { .. }) => {}
        Err(error) => return Err(daemon::Error::from(error).into()),
    }
    config.store.path.clone_from(&copy);
    let outputs = std::mem::take(&mut config.outputs);
    let clock = Clock::system();
    let engine = Engine::open(config, clock.clone(), Arc::new(SystemResolver::new())).await?;
    let before = newest(&copy)?;
    let report = |target: &Target, polled: &Polled| {
        let _ = writeln!(out, "{}", line(target, polled));
    };
    daemon::pass(&engine, &which, report).await?;
    tell(&copy, &outputs, (before, clock.now()), out)?;
    let _ = writeln!(out, "nothing was kept");
    Ok(())
}

/// The last item that is there.
fn newest(database: &Path) -> Result<ItemKey, daemon::Error> {
    Ok(Reader::open(database)?.read(|reader| reader.newest_item())?)
}

/// What came behind `before`, and what would become of it.
fn tell(
    database: &Path,
    outputs: &[Output],
    (before, now): (ItemKey, jiff::Timestamp),
    out: &mut impl Write,
) -> Result<(), daemon::Error> {
    Reader::open(database)?.read(|reader| tell_in(reader, outputs, (before, now), out))
}

fn tell_in(
    reader: &Transaction<'_>,
    outputs: &[Output],
    (before, now): (ItemKey, jiff::Timestamp),
    out: &mut impl Write,
) -> Result<(), daemon::Error> {
    let shown = outputs.iter().map(|output| outputs::select(reader, output, now));
    let shown: Vec<Vec<OutputItem>> = shown.collect::<Result<_, _>>()?;
    let stand = |item: &ItemSummary| -> Result<Vec<(String, Visibility)>, outputs::Error> {
        let stands = outputs.iter().zip(&shown).map(|(output, shown)| {
            let stand = outputs::visibility(reader, (output, shown), item, now)?;
            Ok((output.id.clone(), stand))
        });
        stands.collect()
    };
    for key in (before.0 + 1..=reader.newest_item()?.0).take(NAMED) {
        let found = reader.find_items(&key.to_string(), None)?;
        let Some(item) = found.iter().find(|item| item.key.0 == key) else { continue };
        let stands = stand(item)?;
        let is_shown =
            |stand: &Visibility| matches!(stand, Visibility::Shown(_) | Visibility::Follows(_));
        if outputs.is_empty() || stands.iter().any(|(_, stand)| is_shown(stand)) {
            let _ = writeln!(out, "  + {}", name(item));
        }
        for (output, stand) in stands.iter().filter(|(_, stand)| !is_shown(stand)) {
            let _ = writeln!(out, "  - {}: {output}: {}", name(item), why(stand));
        }
    }
    Ok(())
}

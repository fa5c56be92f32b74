//! `newswire replay`: what another config would have made of the stored history. Works on a copy; the
//! database and what is published stay as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::decide::policies;
use super::item::{name, receipt};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{ItemKey, OutputItem};
use crate::outputs;
use crate::store::{self, ItemSummary, OpenError, Reader, Store, Transaction, Write};
use crate::stories::Matcher;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A database fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An output cannot be put together.
    #[error(transparent)]
    Publication(#[from] outputs::Error),
    /// No room for the copy.
    #[error(
        "failed to make room for a copy of the database: {0}: set TMPDIR to a folder with room"
    )]
    Room(#[from] std::io::Error),
}

crate::model::codes! {
    Error:
    Self::Room(_) => "no_room_for_copy",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
    Self::Publication(error) => error,
}

/// What would be different in one output.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// Stories in it as it is, and as it would be.
    pub stories: [usize; 2],
    /// What would go, with the reason.
    pub gone: Vec<(String, String)>,
    /// What would come, with the reason.
    pub come: Vec<(String, String)>,
}

/// What would be different, output by output.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// How many items were judged anew.
    pub items: usize,
    /// Of these, how many would be in another story.
    pub moved: usize,
    /// By output.
    pub outputs: BTreeMap<String, Difference>,
}

/// Runs the history since `age` ago through `new`, and holds it against what `old` shows now.
///
/// # Errors
/// See [`Error`].
pub async fn run(
    old: &Config,
    new: &Config,
    age: SignedDuration,
    clock: &Clock,
) -> Result<Replay, Error> {
    let now = clock.now();
    let folder = tempfile::Builder::new().prefix("newswire-replay-").tempdir()?;
    let copy = folder.path().join("copy.db");
    store::copy(&old.store.path, &copy)?;
    let since = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let items = regroup(&copy, new, since, clock).await?;
    let (before, after) = (Reader::open(&old.store.path)?, Reader::open(&copy)?);
    before
        .read(|before| after.read(|after| compare(before, after, (old, new), (since, items, now))))
}

/// What would be shown under the new config, output by output.
fn compare(
    before: &Transaction<'_>,
    after: &Transaction<'_>,
    (old, new): (&Config, &Config),
    (since, items, now): (Timestamp, usize, Timestamp),
) -> Result<Replay, Error> {
    let mut replay = Replay { items, ..Replay::default() };
    for output in &old.outputs {
        let shown = outputs::select(before, output, now)?;
        let would = match new.outputs.iter().find(|new| new.id == output.id) {
            Some(output) => outputs::select(after, output, now)?,
            None => Vec::new(),
        };
        let look = Look { before, after, now };
        replay
            .outputs
            .insert(output.id.clone(), look.difference(&output.id, (&shown, &would), new)?);
    }
    for output in new.outputs.iter().filter(|new| old.outputs.iter().all(|old| old.id != new.id)) {
        let would = outputs::select(after, output, now)?;
        let look = Look { before, after, now };
        replay.outputs.insert(output.id.clone(), look.difference(&output.id, (&[], &would), new)?);
    }
    replay.moved = moved(before, after, since)?;
    Ok(replay)
}

/// Makes the copy agree with the new config and finds all stories since anew, those of its feeds by their
/// settings; answers how many items were looked at.
async fn regroup(
    copy: &Path,
    new: &Config,
    since: Timestamp,
    clock: &Clock,
) -> Result<usize, Error> {
    let store = Arc::new(Store::open(copy, clock.clone())?);
    let feeds = new.subscriptions.iter().map(|subscription| subscription.feed.clone()).collect();
    store.register(feeds, clock.now()).await?;
    let items = store.write(Write::Regroup { since }).await?;
    let policies = store.reader().read(|reader| policies(new, reader))?;
    // An index of what is not matched anew: the rest comes into it in its order.
    let matcher = Matcher::new(store, clock.clone(), policies, Duration::ZERO);
    matcher.catch_up().await?;
    Ok(items)
}

/// How many items would be in another story.
fn moved(
    before: &Transaction<'_>,
    after: &Transaction<'_>,
    since: Timestamp,
) -> Result<usize, store::Error> {
    let (old, new) = (before.stories(since)?, after.stories(since)?);
    Ok(old.iter().filter(|(key, story)| new.get(key) != Some(story)).count())
}

/// Both databases, side by side.
struct Look<'a> {
    before: &'a Transaction<'a>,
    after: &'a Transaction<'a>,
    now: Timestamp,
}

impl Look<'_> {
    fn difference(
        &self,
        output: &str,
        (shown, would): (&[OutputItem], &[OutputItem]),
        new: &Config,
    ) -> Result<Difference, Error> {
        let keys =
            |entries: &[OutputItem]| entries.iter().map(|entry| entry.key).collect::<Vec<_>>();
        let (old_keys, new_keys) = (keys(shown), keys(would));
        let mut difference =
            Difference { stories: [shown.len(), would.len()], ..Difference::default() };
        for key in old_keys.iter().filter(|key| !new_keys.contains(key)) {
            let why = self.why(*key, (output, would), self.after, new)?;
            difference.gone.extend(why);
        }
        for key in new_keys.iter().filter(|key| !old_keys.contains(key)) {
            let why = self.why(*key, (output, would), self.before, new)?;
            difference.come.extend(why);
        }
        Ok(difference)
    }

    /// An item by name, and what `there` says of it.
    fn why(
        &self,
        key: ItemKey,
        (output, would): (&str, &[OutputItem]),
        there: &Transaction<'_>,
        new: &Config,
    ) -> Result<Option<(String, String)>, Error> {
        let found = there.find_items(&key.0.to_string(), None)?;
        let Some(item) = found.into_iter().find(|item| item.key == key) else { return Ok(None) };
        let said = name(&item);
        let remembered = there.item_history(item.clone())?;
        let lead = |other: &&(crate::model::Match, ItemSummary, Timestamp)| {
            other.0.same && other.1.story == item.story && item.story.0 != item.key.0
        };
        let reason = match remembered.matches.iter().find(lead) {
            Some((tie, other, _)) => format!("one story with {}: {}", name(other), receipt(tie)),
            None if std::ptr::eq(there, self.before) => "not shown before".to_owned(),
            None => {
                let output = new.outputs.iter().find(|new| new.id == output);
                match output {
                    Some(output) => {
                        let stand = outputs::visibility(there, (output, would), &item, self.now)?;
                        super::item::why(&stand)
                    }
                    None => "the output is not there".to_owned(),
                }
            }
        };
        Ok(Some((said, reason)))
    }
}

impl Replay {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} items judged anew, {} would be in another story; nothing was changed\n",
            self.items, self.moved
        );
        for (output, difference) in &self.outputs {
            let [old, new] = difference.stories;
            let _ = writeln!(text, "\n{output}: {old} stories now, {new} then");
            for (mark, list) in [('-', &difference.gone), ('+', &difference.come)] {
                for (item, why) in list {
                    let _ = writeln!(text, "  {mark} {item}\n      {why}");
                }
            }
            if difference.gone.is_empty() && difference.come.is_empty() {
                text.push_str("  no difference\n");
            }
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let list = |list: &[(String, String)]| {
            list.iter().map(|(item, why)| json!({ "item": item, "why": why })).collect::<Vec<_>>()
        };
        json!({
            "items": self.items,
            "moved": self.moved,
            "outputs": self.outputs.iter().map(|(output, difference)| json!({
                "output": output,
                "stories_now": difference.stories[0],
                "stories_then": difference.stories[1],
                "gone": list(&difference.gone),
                "come": list(&difference.come),
            })).collect::<Vec<_>>(),
        })
    }
}

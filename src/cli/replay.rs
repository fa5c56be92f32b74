//! `newswire replay`: matches the stored items again under another config and shows the differences. Works on
//! a copy of the database; with `--apply` also on the database. Nothing is published.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::check;
use super::operator_decisions::policies;
use super::why::item::{match_text, name, visibility_text};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{ItemKey, OutputItem};
use crate::outputs::{self, FilterEffect};
use crate::store::{self, ItemSummary, OpenError, Reader, Store, Transaction, Write};
use crate::stories::Matcher;

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database or its copy cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database or its copy failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An output cannot be rendered.
    #[error(transparent)]
    Publication(#[from] outputs::Error),
    /// No temporary folder can be created.
    #[error("failed to create a temporary folder for a copy of the database: {0}")]
    TempDir(#[from] std::io::Error),
}

crate::model::codes! {
    Error:
    Self::TempDir(_) => "temp_dir_unusable": "set TMPDIR to a folder with enough free space",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
    Self::Publication(error) => error,
}

/// The difference in one output.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutputDifference {
    /// Number of stories before and after.
    pub stories: [usize; 2],
    /// Items that would no longer be shown, each with the reason.
    pub removed: Vec<(String, String)>,
    /// Items that would be shown in addition, each with the reason.
    pub added: Vec<(String, String)>,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// Number of items that were matched again.
    pub items: usize,
    /// Number of these items that would be in another story.
    pub regrouped: usize,
    /// Whether the result is in the database.
    pub applied: bool,
    /// What each rule of the new config would keep out of its feeds, of the items that were seen in this time.
    pub filters: Vec<FilterEffect>,
    /// The difference in each output, by its id.
    pub outputs: BTreeMap<String, OutputDifference>,
}

/// Matches the items that are younger than `age` again under `new`, and compares the outputs with those of
/// `old`.
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
    let items = match_again(&copy, new, since, clock).await?;
    let (before, after) = (Reader::open(&old.store.path)?, Reader::open(&copy)?);
    before
        .read(|before| after.read(|after| compare(before, after, (old, new), (since, items, now))))
}

/// Matches the items that are younger than `age` again in the database.
///
/// # Errors
/// When the database fails, or when a daemon uses it: its outputs would show the items of a story separately meanwhile.
pub async fn apply(config: &Config, age: SignedDuration, clock: &Clock) -> Result<usize, Error> {
    let since = clock.now().checked_sub(age).unwrap_or(Timestamp::MIN);
    match_again(&config.store.path, config, since, clock).await
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
        let comparison = Comparison { before, after, now };
        let difference = comparison.difference(&output.id, (&shown, &would), new)?;
        replay.outputs.insert(output.id.clone(), difference);
    }
    for output in new.outputs.iter().filter(|new| old.outputs.iter().all(|old| old.id != new.id)) {
        let would = outputs::select(after, output, now)?;
        let comparison = Comparison { before, after, now };
        let difference = comparison.difference(&output.id, (&[], &would), new)?;
        replay.outputs.insert(output.id.clone(), difference);
    }
    replay.regrouped = regrouped(before, after, since)?;
    replay.filters = check::filter_effects(after, new, since)?;
    Ok(replay)
}

/// Applies the new config to a database and matches all items since `since` again. Returns their number.
async fn match_again(
    path: &Path,
    new: &Config,
    since: Timestamp,
    clock: &Clock,
) -> Result<usize, Error> {
    let store = Arc::new(Store::open(path, clock.clone())?);
    let feeds = new.subscriptions.iter().map(|subscription| subscription.feed.clone()).collect();
    store.register(feeds, new.lists(), clock.now()).await?;
    let items = store.write(Write::Regroup { since }).await?;
    let policies = store.reader().read(|reader| policies(new, reader))?;
    // The index contains the older items; the others are added in their order.
    let matcher = Matcher::new(store, clock.clone(), policies, Duration::ZERO);
    matcher.catch_up().await?;
    Ok(items)
}

/// Number of items that would be in another story.
fn regrouped(
    before: &Transaction<'_>,
    after: &Transaction<'_>,
    since: Timestamp,
) -> Result<usize, store::Error> {
    let (old, new) = (before.stories(since)?, after.stories(since)?);
    Ok(old.iter().filter(|(key, story)| new.get(key) != Some(story)).count())
}

/// The database and its copy.
struct Comparison<'a> {
    before: &'a Transaction<'a>,
    after: &'a Transaction<'a>,
    now: Timestamp,
}

impl Comparison<'_> {
    fn difference(
        &self,
        output: &str,
        (shown, would): (&[OutputItem], &[OutputItem]),
        new: &Config,
    ) -> Result<OutputDifference, Error> {
        let keys =
            |entries: &[OutputItem]| entries.iter().map(|entry| entry.key).collect::<Vec<_>>();
        let (old_keys, new_keys) = (keys(shown), keys(would));
        let stories = [shown.len(), would.len()];
        let mut difference = OutputDifference { stories, ..OutputDifference::default() };
        for key in old_keys.iter().filter(|key| !new_keys.contains(key)) {
            let why = self.why(*key, (output, would), self.after, new)?;
            difference.removed.extend(why);
        }
        for key in new_keys.iter().filter(|key| !old_keys.contains(key)) {
            let why = self.why(*key, (output, would), self.before, new)?;
            difference.added.extend(why);
        }
        Ok(difference)
    }

    /// Name of an item, and the reason from `source`, which is the database or its copy.
    fn why(
        &self,
        key: ItemKey,
        (output, would): (&str, &[OutputItem]),
        source: &Transaction<'_>,
        new: &Config,
    ) -> Result<Option<(String, String)>, Error> {
        let found = source.find_items(&key.0.to_string(), None)?;
        let Some(item) = found.into_iter().find(|item| item.key == key) else { return Ok(None) };
        let item_name = name(&item);
        let remembered = source.item_history(item.clone())?;
        let lead = |other: &&(crate::model::Match, ItemSummary, Timestamp)| {
            other.0.same && other.1.story == item.story && item.story.0 != item.key.0
        };
        let reason = match remembered.matches.iter().find(lead) {
            Some((tie, other, _)) => {
                let story = match std::ptr::eq(source, self.before) {
                    true => "was the same story as",
                    false => "same story as",
                };
                format!("{story} {}: {}", name(other), match_text(tie))
            }
            None if std::ptr::eq(source, self.before) => "not shown before".to_owned(),
            None => {
                let output = new.outputs.iter().find(|new| new.id == output);
                match output {
                    Some(output) => {
                        let shown = (output, would);
                        visibility_text(&outputs::visibility(source, shown, &item, self.now)?)
                    }
                    None => "the new config does not contain the output".to_owned(),
                }
            }
        };
        Ok(Some((item_name, reason)))
    }
}

impl Replay {
    /// The result as text.
    #[must_use]
    pub fn text(&self) -> String {
        let (items, regrouped) = (self.items, self.regrouped);
        let mut text = match (self.applied, regrouped) {
            (true, _) => format!("{items} items matched again, {regrouped} in another story now\n"),
            (false, 0) => format!("{items} items matched again, none would be in another story\n"),
            (false, _) => format!(
                "{items} items matched again, {regrouped} would be in another story; nothing was changed\n\
                 stop the daemon and run 'newswire replay --apply' to regroup them\n"
            ),
        };
        for FilterEffect { rule, examined, matched, titles } in &self.filters {
            let _ = writeln!(text, "\nfilter of feeds: {rule}");
            let _ =
                writeln!(text, "  would keep out {matched} of {examined} items; stored items stay");
            for title in titles {
                let _ = writeln!(text, "  - {title}");
            }
        }
        for (output, difference) in &self.outputs {
            let [old, new] = difference.stories;
            let _ = writeln!(text, "\n{output}: stories: {old} before, {new} after");
            for (mark, list) in [('-', &difference.removed), ('+', &difference.added)] {
                for (item, why) in list {
                    let _ = writeln!(text, "  {mark} {item}\n      {why}");
                }
            }
            if difference.removed.is_empty() && difference.added.is_empty() {
                text.push_str("  no difference\n");
            }
        }
        text
    }

    /// The result as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let list = |list: &[(String, String)]| {
            list.iter().map(|(item, why)| json!({ "item": item, "why": why })).collect::<Vec<_>>()
        };
        json!({
            "items": self.items,
            "regrouped": self.regrouped,
            "applied": self.applied,
            "filters": self.filters.iter().map(|effect| json!({
                "rule": effect.rule,
                "examined": effect.examined,
                "matched": effect.matched,
                "titles": effect.titles,
            })).collect::<Vec<_>>(),
            "outputs": self.outputs.iter().map(|(output, difference)| json!({
                "output": output,
                "stories_before": difference.stories[0],
                "stories_after": difference.stories[1],
                "removed": list(&difference.removed),
                "added": list(&difference.added),
            })).collect::<Vec<_>>(),
        })
    }
}

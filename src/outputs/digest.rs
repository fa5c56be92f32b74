//! Outputs with digests: closes periods, and reads closed ones as entries.
//!
//! A period is closed once, by one write, with all stories that are in no digest yet. What arrives later for it is in
//! the next digest. A closed digest keeps its text, whatever becomes of its items.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::archive::first;
use super::error::Error;
use super::select::{BATCH, Feeds, Position, Taken, complete, feeds_taken};
use crate::clock::Clock;
use crate::model::{FeedId, FeedInfo, FeedKey, FeedProfile, Item, ItemKey, OutputItem, StoryKey};
use crate::render::{Digest, Format, Output, Selector, digest_id, digest_text};
use crate::store::{
    self, ArchivePage, ClosedPeriods, DigestState, ItemHead, StoredDigest, Transaction,
};

/// Number of arrivals that are read in one step.
const ARRIVALS: usize = 1024;

/// When this process closes periods; all copies are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Closings {
    /// Monotonic time from which periods are closed.
    from: Duration,
    /// When periods were last closed, by the id of the output.
    last: Arc<Mutex<HashMap<String, Timestamp>>>,
}

impl Closings {
    /// The same, but from this monotonic time on.
    pub(super) fn starting(self, from: Duration) -> Self {
        Self { from, ..self }
    }

    /// How long no period is closed from now on.
    pub(super) fn wait(&self, clock: &Clock) -> Duration {
        self.from.saturating_sub(clock.elapsed())
    }

    /// Periods of the output are closed now.
    pub(super) fn note(&self, output: &str, now: Timestamp) {
        self.last().insert(output.to_owned(), now);
    }

    /// In what time the output has to be published for its next digest; `None`: it has no digests.
    pub(super) fn next(&self, output: &Output, clock: &Clock) -> Option<Duration> {
        let (rule, wait, now) = (output.digest?, self.wait(clock), clock.now());
        if wait > Duration::ZERO {
            return Some(wait);
        }
        let Some(last) = self.last().get(&output.id).copied() else {
            return Some(Duration::ZERO);
        };
        let end = rule.end_after(last.min(now), &output.presentation.zone());
        Some(Duration::try_from(end.duration_since(now)).unwrap_or_default())
    }

    // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
    fn last(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the periods that have ended; `None`: all are closed.
///
/// # Errors
/// When the store fails.
pub(super) fn close(
    reader: &Transaction<'_>,
    (output, digest): (&Output, Digest),
    now: Timestamp,
) -> Result<Option<ClosedPeriods>, Error> {
    let zone = output.presentation.zone();
    let end = digest.end_until(now, &zone);
    let known = reader.digest_state(&output.id)?;
    let is_first = known.is_none();
    let state = match known {
        Some(known) => known,
        None => {
            // The period that ended last is the first digest.
            let closed_until = digest.start_of(end, &zone);
            let seen = reader.last_item_before(closed_until)?;
            DigestState { closed_until, seen, ..DigestState::default() }
        }
    };
    if state.closed_until > digest.end_after(now, &zone) {
        // The clock was ahead. What was closed by it stays closed.
        let state = DigestState { closed_until: end, ..state };
        return Ok(Some(ClosedPeriods { output: output.id.clone(), state, digests: Vec::new() }));
    }
    if state.closed_until >= end {
        return Ok(None);
    }
    let feeds = feeds_taken(reader, output)?;
    let period = Periods { output, digest, zone, closed_until: state.closed_until, end, is_first };
    let arrived = Arrived::load(reader, &period, (&state, &feeds), now)?;
    let listed = listed_before(reader, &output.id, &arrived)?;
    let newest = reader.digest_numbers(&output.id)?.map_or(0, |(_, newest)| newest);
    let mut digests = Vec::new();
    for (ends_at, leads) in arrived.leads {
        let new = leads.iter().filter(|lead| !listed.contains(&lead.story));
        let leads: Vec<ItemKey> = new.map(|lead| lead.key).collect();
        let entries = entries_of(reader, output, &leads, &feeds)?;
        if entries.is_empty() {
            continue;
        }
        let starts_at = digest.start_of(ends_at, &period.zone);
        let text = digest_text(output, (starts_at, ends_at), &entries);
        let number = newest + 1 + u32::try_from(digests.len()).unwrap_or_default();
        digests.push(StoredDigest {
            number,
            id: digest_id(output, ends_at),
            ends_at,
            closed_at: now,
            title: text.title,
            summary: text.summary,
            html: text.html,
            items: entries.iter().map(|entry| entry.key).collect(),
        });
    }
    let state = DigestState { closed_until: end, ..arrived.state };
    Ok(Some(ClosedPeriods { output: output.id.clone(), state, digests }))
}

/// The periods that are closed now.
struct Periods<'o> {
    output: &'o Output,
    digest: Digest,
    zone: TimeZone,
    /// End of the last period that was closed before.
    closed_until: Timestamp,
    /// End of the last period that is closed now.
    end: Timestamp,
    /// Whether no period was closed before.
    is_first: bool,
}

/// The digest that a story is in.
enum Place {
    /// The digest of the period with this end.
    In(Timestamp),
    /// A digest that is not closed yet.
    Later,
    /// No digest.
    Never,
}

impl Periods<'_> {
    fn place(
        &self,
        reader: &Transaction<'_>,
        (head, is_released): (&ItemHead, bool),
        now: Timestamp,
    ) -> Result<Place, Error> {
        let inside = self.end.checked_sub(SignedDuration::from_millis(1)).unwrap_or(self.end);
        // A date after now is by a clock that was ahead.
        let at = if is_released || head.sort_at > now { inside } else { head.sort_at };
        if at >= self.end {
            return Ok(Place::Later);
        }
        let mut ends_at = self.digest.end_after(at, &self.zone);
        if ends_at <= self.closed_until {
            // What a feed had published before it was added is not late.
            let added = reader.feed_added_at(head.feed)?;
            if self.is_first || (!is_released && added.is_some_and(|added| at < added)) {
                return Ok(Place::Never);
            }
            ends_at = self.digest.end_after(self.closed_until, &self.zone);
        }
        // Closed by a clock that was ahead.
        while ends_at <= self.end && reader.has_digest(&self.output.id, ends_at)? {
            ends_at = self.digest.end_after(ends_at, &self.zone);
        }
        Ok(if ends_at > self.end { Place::Later } else { Place::In(ends_at) })
    }
}

/// The stories that arrived since periods were closed, by the end of the period that lists them.
struct Arrived {
    leads: BTreeMap<Timestamp, Vec<ItemHead>>,
    state: DigestState,
}

impl Arrived {
    fn load(
        reader: &Transaction<'_>,
        periods: &Periods<'_>,
        (state, feeds): (&DigestState, &Feeds),
        now: Timestamp,
    ) -> Result<Self, Error> {
        let selector = Selector::new(periods.output, now);
        let settled_before: HashSet<ItemKey> = state.ahead.iter().copied().collect();
        let mut position = ArchivePage { seen: state.seen, late: state.late, ..first() };
        let mut leads: BTreeMap<Timestamp, Vec<ItemHead>> = BTreeMap::new();
        let (mut settled, mut waiting) = (Vec::new(), None::<ItemKey>);
        loop {
            let arrivals = reader.arrivals(&position, ARRIVALS)?;
            for heads in arrivals.heads.chunks(BATCH) {
                let taken = Taken::load(reader, heads, feeds, &selector)?;
                for head in heads {
                    let is_known = settled_before.contains(&head.key);
                    let lead = if is_known { None } else { taken.completed(*head) };
                    let is_released = head.key <= position.seen;
                    let place = match lead {
                        Some(_) => periods.place(reader, (head, is_released), now)?,
                        None => Place::Never,
                    };
                    match (place, lead) {
                        (Place::In(ends_at), Some(lead)) => {
                            leads.entry(ends_at).or_default().push(lead);
                        }
                        (Place::Later, _) => {
                            waiting = Some(waiting.map_or(head.key, |least| least.min(head.key)));
                            continue;
                        }
                        _ => {}
                    }
                    settled.push(head.key);
                }
            }
            (position.seen, position.late) = (arrivals.seen, arrivals.late);
            if arrivals.count < ARRIVALS {
                break;
            }
        }
        let seen = waiting.map_or(position.seen, |least| ItemKey(least.0 - 1));
        settled.retain(|key| *key > seen);
        settled.sort_unstable();
        settled.dedup();
        let state = DigestState { seen, late: position.late, ahead: settled, ..state.clone() };
        Ok(Self { leads, state })
    }
}

/// Those of the stories that a digest listed with another lead, whose feed has left the output since.
fn listed_before(
    reader: &Transaction<'_>,
    output: &str,
    arrived: &Arrived,
) -> Result<HashSet<StoryKey>, Error> {
    let stories: Vec<StoryKey> = arrived.leads.values().flatten().map(|lead| lead.story).collect();
    let members = reader.members(&stories)?;
    let heads = members.values().flatten();
    let keys: Vec<ItemKey> = heads.clone().map(|head| head.key).collect();
    let listed = reader.listed(output, &keys)?;
    Ok(heads.filter(|head| listed.contains(&head.key)).map(|head| head.story).collect())
}

/// The stories of a digest, newest first, at most `per_feed` of a feed.
fn entries_of(
    reader: &Transaction<'_>,
    output: &Output,
    leads: &[ItemKey],
    feeds: &Feeds,
) -> Result<Vec<OutputItem>, Error> {
    let mut entries: Vec<OutputItem> = reader.output_items(leads, feeds)?.into_values().collect();
    complete(reader, output, &mut entries, feeds)?;
    entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
    let mut of_feed: HashMap<FeedKey, usize> = HashMap::new();
    entries.retain(|entry| {
        let count = of_feed.entry(entry.feed.key).or_default();
        *count += 1;
        output.per_feed.is_none_or(|limit| *count <= limit)
    });
    Ok(entries)
}

/// A digest as an entry of its output.
fn entry(output: &Output, feed: &Arc<FeedInfo>, digest: StoredDigest) -> OutputItem {
    let number = i64::from(digest.number);
    OutputItem {
        key: ItemKey(number),
        story: StoryKey(number),
        outward_id: digest.id,
        first_seen: digest.closed_at,
        sort_at: digest.ends_at,
        item: Item {
            url: output.story_page(number),
            title: Some(digest.title),
            summary: Some(digest.summary),
            content: Some(digest.html),
            published: Some(digest.ends_at),
            language: output.presentation.language.clone(),
            ..Item::default()
        },
        feed: Arc::clone(feed),
        also: Vec::new(),
    }
}

/// The output itself, as the feed that its digests are from.
fn itself(output: &Output) -> Arc<FeedInfo> {
    Arc::new(FeedInfo {
        key: FeedKey(0),
        id: FeedId::derive(&output.base_url),
        url: output.self_url(output.formats.first().copied().unwrap_or(Format::Atom)),
        title: output.title.clone(),
        tags: Vec::new(),
        profile: FeedProfile {
            site_url: output.has_pages.then(|| format!("{}{}/", output.base_url, output.id)),
            atom_id: Some(output.identity.id.clone()),
            ..FeedProfile::default()
        },
    })
}

/// Digests as entries, newest first.
fn entries(output: &Output, digests: Vec<StoredDigest>) -> Vec<OutputItem> {
    let feed = itself(output);
    let mut entries: Vec<OutputItem> =
        digests.into_iter().map(|digest| entry(output, &feed, digest)).collect();
    entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
    entries
}

/// The entries of the subscription document: the newest digests, and all that are on no archive page yet.
///
/// # Errors
/// When the store fails.
pub(super) fn newest(reader: &Transaction<'_>, output: &Output) -> Result<Vec<OutputItem>, Error> {
    let archived = *complete_pages(reader, output)?.end() * Digest::ARCHIVE_PAGE;
    let newest = reader.digest_numbers(&output.id)?.map_or(0, |(_, newest)| newest);
    let least = usize::try_from(newest - archived).unwrap_or_default();
    let limit = output.items.max(least);
    Ok(entries(output, reader.digests(&output.id, (1, u32::MAX), limit)?))
}

/// The numbers of the oldest and the newest archive page that is complete and has a digest to show.
///
/// # Errors
/// When the store fails.
pub(super) fn complete_pages(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<RangeInclusive<u32>, store::Error> {
    let (oldest, newest) = reader.digest_numbers(&output.id)?.unwrap_or((1, 0));
    Ok((oldest - 1) / Digest::ARCHIVE_PAGE + 1..=newest / Digest::ARCHIVE_PAGE)
}

/// The digests of an archive page, newest first.
///
/// # Errors
/// When the store fails.
pub(super) fn of_page(
    reader: &Transaction<'_>,
    output: &Output,
    page: u32,
) -> Result<Vec<OutputItem>, Error> {
    let last = page.saturating_mul(Digest::ARCHIVE_PAGE);
    let first = last.saturating_sub(Digest::ARCHIVE_PAGE - 1);
    Ok(entries(output, reader.digests(&output.id, (first, last), usize::MAX >> 1)?))
}

/// The digests of these numbers, newest first.
///
/// # Errors
/// When the store fails.
pub(super) fn of_numbers(
    reader: &Transaction<'_>,
    output: &Output,
    keys: impl IntoIterator<Item = ItemKey>,
) -> Result<Vec<OutputItem>, Error> {
    let numbers = keys.into_iter().map(|key| key.0);
    Ok(entries(output, reader.digests_of_numbers(&output.id, numbers)?))
}

/// The newest digests that ended at or after `start` and are before a position, at most `limit`.
///
/// # Errors
/// When the store fails.
pub(super) fn before(
    reader: &Transaction<'_>,
    output: &Output,
    (start, before): (Timestamp, Position),
    limit: usize,
) -> Result<Vec<OutputItem>, Error> {
    let number = u32::try_from(before.key.0).unwrap_or_default();
    let range = (start, (before.sort_at, number));
    Ok(entries(output, reader.digests_before(&output.id, range, limit)?))
}

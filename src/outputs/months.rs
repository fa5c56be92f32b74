//! The months of the calendar in which an output has stories.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::contents::{Contents, Month, Query};
use super::error::Error;
use super::found::{CANDIDATES, Scope};
use super::select::BATCH;
use crate::model::{FeedKey, ItemKey};
use crate::store::{ItemHead, Start, Transaction};

/// Maximum number of months with a page.
const MONTHS: usize = 240;
/// Number of items and feeds that are looked at for the months whose newest item shows no story.
const LOOKED_AT: usize = 8 * CANDIDATES;

impl Contents {
    /// The months, the newest first, at most [`MONTHS`]. A month is listed without stories only where very many items would have to
    /// be looked at to find that it has none.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn find_months(&self, reader: &Transaction<'_>) -> Result<Vec<Month>, Error> {
        if self.output.digest.is_some() {
            return self.digest_months(reader);
        }
        let (zone, all) = (self.zone(), Query::default());
        let mut scope = Scope::of(reader, &self.output, &all)?;
        let feeds: Vec<FeedKey> = scope.feeds().taken.keys().copied().collect();
        let newest = self.newest_of_months(reader, &feeds)?;
        let month_of = |at: Timestamp| Month::of(at, &zone);
        // Nearly always the newest item of a month shows a story.
        let mut shown = HashSet::new();
        for heads in newest.chunks(BATCH) {
            let stories = scope.stories(heads)?;
            shown.extend(stories.into_iter().map(|(place, _)| month_of(place.sort_at)));
        }
        let (mut months, mut looked_at) = (Vec::with_capacity(newest.len()), 0);
        for month in newest.iter().map(|head| month_of(head.sort_at)) {
            let mut has_stories = shown.contains(&month) || looked_at >= LOOKED_AT;
            if !has_stories {
                scope.set_month(month.start(&zone), month.end(&zone));
                let found = scope.find(1)?;
                looked_at += found.looked_at + feeds.len();
                // The page of a month that is not looked at to its end leads on.
                has_stories = !found.entries.is_empty() || found.more.is_some();
            }
            months.extend(Some(month).filter(|_| has_stories));
        }
        Ok(months)
    }

    /// The newest item of each month in which one of these feeds has an item, the newest first.
    fn newest_of_months(
        &self,
        reader: &Transaction<'_>,
        feeds: &[FeedKey],
    ) -> Result<Vec<ItemHead>, Error> {
        let zone = self.zone();
        let mut months: Vec<ItemHead> = Vec::new();
        let mut before = Timestamp::MAX;
        let mut found = reader.newest_before(feeds, before)?;
        while let Some((newest, feed)) = found.filter(|_| months.len() < MONTHS) {
            let month = Month::of(newest, &zone);
            let position = Start::Position(before, ItemKey(i64::MIN));
            months.extend(reader.newest_items(feed, position, 1)?);
            before = month.start(&zone).min(newest);
            // A look at each feed is needed only where this one has no item in the month before.
            let own = reader.newest_before(&[feed], before)?;
            let is_next = |(at, _): &(Timestamp, FeedKey)| Month::of(*at, &zone) == month.before();
            found = match own.filter(is_next) {
                Some(own) => Some(own),
                None => reader.newest_before(feeds, before)?,
            };
        }
        Ok(months)
    }

    /// The months in which digests were closed, the newest first.
    fn digest_months(&self, reader: &Transaction<'_>) -> Result<Vec<Month>, Error> {
        let (zone, ends) = (self.zone(), reader.digest_ends(&self.output.id)?);
        let months: BTreeSet<Month> =
            ends.into_iter().map(|(_, at)| Month::of(at, &zone)).collect();
        Ok(months.into_iter().rev().take(MONTHS).collect())
    }
}

//! Everything that the operator's pages are made from, read at one moment: two statements for all
//! feeds however many there are, and what lies on the shelf.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::question::Judged;
use crate::health::judge;
use crate::model::Incident;
use crate::publish::{Listing, Refusal, Shelf};
use crate::store::{Error, Hour, Reader};

/// As long as polls are kept.
const HISTORY: SignedDuration = SignedDuration::from_hours(14 * 24);
/// So many incidents are looked at.
const INCIDENTS: usize = 200;

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) now: Timestamp,
    /// Since when newswire is up.
    pub(super) since: Timestamp,
    pub(super) feeds: Vec<Judged>,
    pub(super) hours: Vec<Hour>,
    pub(super) incidents: Vec<Incident>,
    pub(super) listings: Vec<Arc<Listing>>,
    pub(super) refusals: BTreeMap<String, Refusal>,
}

impl Seen {
    /// Looks; blocks.
    pub(super) fn look(
        reader: &Reader,
        shelf: &Shelf,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let statuses = reader.statuses()?.into_iter();
        Ok(Self {
            now,
            since,
            feeds: statuses
                .map(|status| {
                    let health = judge(&status, now);
                    (status, health)
                })
                .collect(),
            hours: reader.hours(now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN))?,
            incidents: reader.incidents(INCIDENTS)?,
            listings: shelf.listings(),
            refusals: shelf.refusals(),
        })
    }
}

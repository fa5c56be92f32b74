//! Everything that the operator's pages are made from, read at one moment: two statements for all
//! feeds however many there are, and what is served.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::health::{Judged, judge_all};
use crate::model::Incident;
use crate::outputs::{Refusal, Served, ServedOutput};
use crate::store::{Error, HourCounts};
use crate::telemetry::Trouble;
use crate::web::site::Backstage;

/// As long as polls are kept.
const HISTORY: SignedDuration = SignedDuration::from_hours(14 * 24);
/// So many incidents that are over are looked at.
const INCIDENTS: usize = 200;

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) now: Timestamp,
    /// Since when newswire is up.
    pub(super) since: Timestamp,
    /// What newswire itself suffers from.
    pub(super) troubles: Vec<Trouble>,
    pub(super) feeds: Vec<Judged>,
    pub(super) hours: Vec<HourCounts>,
    pub(super) incidents: Vec<Incident>,
    pub(super) outputs: Vec<Arc<ServedOutput>>,
    pub(super) refusals: BTreeMap<String, Refusal>,
}

impl Seen {
    /// Looks; blocks.
    pub(super) fn look(
        backstage: &Backstage,
        served: &Served,
        since: Timestamp,
    ) -> Result<Self, Error> {
        let (reader, now) = (&backstage.reader, backstage.clock.now());
        let mut troubles = backstage.vitals.troubles();
        // That passes by itself.
        troubles.retain(|trouble| *trouble != Trouble::NoCycleYet);
        let (feeds, hours, incidents) = reader.read(|reader| {
            let hours = reader.poll_hours(now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN))?;
            Ok::<_, Error>((reader.feed_statuses()?, hours, reader.incidents(INCIDENTS)?))
        })?;
        Ok(Self {
            now,
            since,
            troubles,
            feeds: judge_all(feeds, now),
            hours,
            incidents,
            outputs: served.outputs(),
            refusals: served.refusals(),
        })
    }
}

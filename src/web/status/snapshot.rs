//! Everything that the overview shows, read at one moment: three queries however many feeds there are.
//! Also its JSON, `/status.json`, which `docs/reference/json.md` documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::chart::quantile;
use crate::health::json::subscribers as json_of;
use crate::health::{self, JudgedFeed, judge_all, tally};
use crate::model::{Incident, SubscriberCount};
use crate::outputs::{Refusal, Served, ServedOutput};
use crate::store::{Error, HourCounts};
use crate::telemetry::Problem;
use crate::web::monitoring::{last_whole, subscribers_from, with_today};
use crate::web::site::OperatorPages;

/// Age of the oldest hour that is shown: as long as polls are kept.
const HISTORY: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Maximum number of resolved incidents that are read.
const MAX_RESOLVED: usize = 200;

/// The state of newswire at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Time of the snapshot.
    pub(super) now: Timestamp,
    /// Time when the process started.
    pub(super) started_at: Timestamp,
    /// Problems of newswire itself.
    pub(super) problems: Vec<Problem>,
    pub(super) feeds: Vec<JudgedFeed>,
    pub(super) hours: Vec<HourCounts>,
    /// Open and resolved incidents.
    pub(super) incidents: Vec<Incident>,
    pub(super) outputs: Vec<Arc<ServedOutput>>,
    /// Numbers of subscribers of the last days, by output and day.
    pub(super) subscribers: Vec<SubscriberCount>,
    /// Failed publications by output id.
    pub(super) failed_outputs: BTreeMap<String, Refusal>,
}

impl Snapshot {
    /// Reads the current state. Blocks.
    pub(super) fn read(
        pages: &OperatorPages,
        (served, started_at): (&Served, Timestamp),
        today: Vec<SubscriberCount>,
    ) -> Result<Self, Error> {
        let (reader, now) = (&pages.reader, pages.clock.now());
        let mut problems = pages.readiness.problems();
        // It ends with the first poll.
        problems.retain(|problem| *problem != Problem::NotPolledYet);
        let (statuses, hours, incidents, stored) = reader.read(|reader| {
            let hours = reader.poll_hours(now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN))?;
            let stored = reader.subscriber_counts(subscribers_from(now))?;
            let incidents = reader.incidents(MAX_RESOLVED)?;
            Ok::<_, Error>((reader.feed_statuses()?, hours, incidents, stored))
        })?;
        Ok(Self {
            now,
            started_at,
            problems,
            feeds: judge_all(statuses, now),
            hours,
            incidents,
            subscribers: with_today(stored, today),
            outputs: served.outputs(),
            failed_outputs: served.refusals(),
        })
    }

    /// Time of the next poll; `None`: no feed will be polled.
    pub(super) fn next_poll_at(&self) -> Option<Timestamp> {
        self.feeds.iter().filter_map(|feed| feed.status.next_poll()).min()
    }

    /// The numbers of subscribers of an output, by day.
    pub(super) fn subscribers(&self, output: &str) -> impl Iterator<Item = &SubscriberCount> {
        self.subscribers.iter().filter(move |count| count.output == output)
    }

    /// The number of subscribers of the last whole day of an output, or else of today.
    pub(super) fn last_subscribers(&self, output: &str) -> Option<&SubscriberCount> {
        last_whole(self.subscribers(output), self.now)
    }

    /// The snapshot as JSON. Times are RFC 3339 in UTC.
    pub(super) fn to_json(&self) -> Value {
        let states = tally(self.feeds.iter().map(|feed| &feed.health));
        let states =
            states.into_iter().map(|(state, count)| (state.slug().to_owned(), count.into()));
        let feeds = self.feeds.iter().map(|feed| health::json::feed(&feed.status, &feed.health));
        let problems = self.problems.iter().map(|problem| {
            json!({ "code": problem.slug(), "text": problem.text(), "remedy": problem.remedy() })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "generated_at": self.now.to_string(),
            "started_at": self.started_at.to_string(),
            "next_poll_at": self.next_poll_at().map(|at| at.to_string()),
            "problems": problems.collect::<Vec<_>>(),
            "feeds_by_state": states.collect::<serde_json::Map<String, Value>>(),
            "feeds": feeds.collect::<Vec<_>>(),
            "outputs": self.outputs.iter().map(|output| self.output(output)).collect::<Vec<_>>(),
            "incidents": self.incidents.iter().map(health::json::incident).collect::<Vec<_>>(),
            "hours": self.hours.iter().map(hour).collect::<Vec<_>>(),
        })
    }

    fn output(&self, output: &ServedOutput) -> Value {
        let failure = self.failed_outputs.get(&output.id);
        let formats = output.documents.iter().map(|(format, _)| format.extension());
        json!({
            "id": output.id,
            "title": output.title,
            "items": output.items,
            "changed_at": output.modified().map(|at| at.to_string()),
            "formats": formats.collect::<Vec<_>>(),
            "subscribers": self.subscribers(&output.id).map(json_of).collect::<Vec<_>>(),
            "failing_since": failure.map(|failure| failure.since.to_string()),
            "failure_text": failure.map(|failure| &failure.why),
        })
    }
}

fn hour(hour: &HourCounts) -> Value {
    json!({
        "starts_at": hour.at.to_string(),
        "polls": hour.polls,
        "failed_polls": hour.failed,
        "unchanged_polls": hour.unchanged,
        "received_bytes": hour.wire_bytes,
        "new_items": hour.new_items,
        "delivery_delay_median_seconds": quantile(&hour.delays, 0.5),
        "delivery_delay_p90_seconds": quantile(&hour.delays, 0.9),
    })
}

//! The status page for programs.

use serde_json::{Value, json};

use super::seen::Seen;
use crate::health::{self, tally};

/// One object; times are RFC 3339.
pub(super) fn render(seen: &Seen) -> Value {
    let states = tally(seen.feeds.iter().map(|(_, health)| health));
    let states = states.into_iter().map(|(state, count)| (state.slug().to_owned(), count.into()));
    let outputs = seen.outputs.iter().map(|output| {
        let refusal = seen.refusals.get(&output.id);
        json!({
            "id": output.id,
            "title": output.title,
            "stories": output.items,
            "changed_at": output.modified().map(|at| at.to_string()),
            "formats": output.documents.iter().map(|(f, _)| f.extension()).collect::<Vec<_>>(),
            "refused_since": refusal.map(|refusal| refusal.since.to_string()),
            "refused": refusal.map(|refusal| &refusal.why),
        })
    });
    let troubles = seen.troubles.iter();
    let troubles =
        troubles.map(|trouble| json!({ "slug": trouble.slug(), "remedy": trouble.remedy() }));
    let hours = seen.hours.iter().map(|hour| {
        json!({
            "at": hour.at.to_string(),
            "polls": hour.polls,
            "failed": hour.failed,
            "unchanged": hour.unchanged,
            "wire_bytes": hour.wire_bytes,
            "new_items": hour.new_items,
            "delay_seconds_median": super::steps::quantile(&hour.delays, 0.5),
            "delay_seconds_p90": super::steps::quantile(&hour.delays, 0.9),
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "at": seen.now.to_string(),
        "since": seen.since.to_string(),
        "next_poll_at": seen.feeds.iter().map(|(s, _)| s.next_poll_at).min().map(|at| at.to_string()),
        "troubles": troubles.collect::<Vec<_>>(),
        "states": states.collect::<serde_json::Map<String, Value>>(),
        "feeds": seen.feeds.iter().map(|(s, h)| health::json::feed(s, h)).collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
        "incidents": seen.incidents.iter().map(health::json::incident).collect::<Vec<_>>(),
        "hours": hours.collect::<Vec<_>>(),
    })
}

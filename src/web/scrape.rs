//! The metrics page: asks the rooms how all is now, and puts it beside what was counted.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use jiff::Timestamp;

use crate::health::{Health, judge, tally};
use crate::model::FeedStatus;
use crate::outputs::Served;
use crate::store::Reader;
use crate::telemetry::{Exposition, FeedSample, Sample, StoreSample};

use super::error::Error;
use super::settings::MetricsPage;

/// How all is now; blocks. A database that fails is no reason to tell nothing of the rest.
pub(super) fn sample(
    reader: &Reader,
    served: &Served,
    wanted: MetricsPage,
    now: Timestamp,
) -> Result<Sample, Error> {
    let statuses = reader.read(|reader| reader.feed_statuses());
    let states = match &statuses {
        Ok(statuses) => {
            let healths: Vec<Health> = statuses.iter().map(|feed| judge(feed, now)).collect();
            tally(&healths).into_iter().map(|(state, count)| (state.slug(), count)).collect()
        }
        Err(_) => Vec::new(),
    };
    let statuses = statuses.unwrap_or_default();
    let feed = |status: &FeedStatus| FeedSample {
        id: status.info.id.to_string(),
        last_success: status.last_success_at,
        failures: status.failures,
    };
    let feeds = match wanted {
        MetricsPage::Feeds => statuses.iter().map(feed).collect(),
        MetricsPage::On | MetricsPage::Off => Vec::new(),
    };
    let outputs = served.outputs().iter().map(|output| (output.id.clone(), output.items)).collect();
    let store = reader.sizes().ok().map(|sizes| StoreSample {
        bytes: sizes.database,
        wal_bytes: sizes.log,
        free_bytes: sizes.free,
    });
    Ok(Sample { now, states, feeds, outputs, store })
}

/// The form that the client understands: Prometheus names the newer one where it does.
pub(super) fn exposition(headers: &HeaderMap) -> Exposition {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut offers = lines.flat_map(|line| line.split(','));
    let is_open = |offer: &str| {
        let mut parts = offer.split(';').map(str::trim);
        let named =
            parts.next().is_some_and(|n| n.eq_ignore_ascii_case("application/openmetrics-text"));
        let refused = |part: &str| {
            matches!(part.split_once('='), Some((name, value)) if
            name.eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0))
        };
        named && !parts.any(refused)
    };
    if offers.any(is_open) { Exposition::OpenMetrics } else { Exposition::Prometheus }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_newer_form_is_for_those_who_ask_for_it() {
        let asked = |accept: &'static str| {
            exposition(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
        };
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                          text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(asked(prometheus), Exposition::OpenMetrics);
        assert_eq!(asked("text/html, Application/OpenMetrics-Text"), Exposition::OpenMetrics);
        for accept in ["", "*/*", "text/plain", "application/openmetrics-text; Q=0"] {
            assert_eq!(asked(accept), Exposition::Prometheus, "{accept}");
        }
        assert_eq!(exposition(&HeaderMap::new()), Exposition::Prometheus);
    }
}

//! `[web]`: where newswire serves, to whom, and by which names.

use super::report::Report;
use super::section::{Placed, Section, take};
use super::value;
use crate::web;

pub(super) fn web(section: &Section<'_>, report: &mut Report) -> web::Settings {
    use web::{MetricsPage, StatusPages};
    let statuses =
        [("local", StatusPages::Local), ("open", StatusPages::Open), ("off", StatusPages::Off)];
    let metrics =
        [("on", MetricsPage::On), ("feeds", MetricsPage::Feeds), ("off", MetricsPage::Off)];
    let base = web::Settings::default();
    web::Settings {
        listen: section
            .parsed("listen", "bad_address", value::listen, report)
            .unwrap_or(base.listen),
        public_url: section.parsed("public_url", "bad_url", value::public_url, report),
        hosts: hosts(section, report),
        status: section.one_of("status", &statuses, report).unwrap_or(base.status),
        samples: section.parsed("samples", "bad_address", value::listen, report).flatten(),
        metrics: section.one_of("metrics", &metrics, report).unwrap_or(base.metrics),
    }
}

/// The names that requests may call this server by.
fn hosts(section: &Section<'_>, report: &mut Report) -> Vec<String> {
    let names = section.list("hosts", report).unwrap_or_default();
    let read = |name: Placed| take(value::host(&name.text), "bad_host", name.span, report);
    names.into_iter().filter_map(read).collect()
}

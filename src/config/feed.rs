//! `[[feed]]`: a feed with the settings in force for it.

use std::sync::Arc;

use super::report::{Diagnostic, Report};
use super::section::Section;
use super::servers::Servers;
use super::table::{self, Defaults};
use super::{dedupe, key, value};
use crate::model::{Feed, FeedId, Removal};
use crate::poll::Subscription;

/// A feed; `None` when it has no address that can be asked.
pub(super) fn feed(
    section: &Section<'_>,
    defaults: &Defaults,
    servers: &Servers,
    report: &mut Report,
) -> Option<Subscription> {
    section.refuse_unknown(&key::feed_names(), report);
    let has_any = |table| key::names(table).iter().any(|name| section.has(name));
    let url = section.parsed("url", "bad_url", value::web_url, report);
    let server = url.as_ref().and_then(|url| servers.of(url)).unwrap_or(&defaults.schedule);
    let schedule = match has_any("schedule") {
        true => Arc::new(table::schedule(section, server, report)),
        false => Arc::clone(server),
    };
    let fetch = match has_any("fetch") {
        true => Arc::new(table::fetch(section, &defaults.fetch, report)),
        false => Arc::clone(&defaults.fetch),
    };
    if let Some(refused) = url.as_ref().and_then(|url| fetch.refuses(url)) {
        let message = format!("every poll will be refused: {refused}");
        let fault = Diagnostic::warning("refused_address", section.span("url"), message);
        report.push(fault.help(refused.help.as_deref().unwrap_or_default()));
    }
    let dedupe = match has_any("dedupe") {
        true => Arc::new(dedupe::dedupe(section, &defaults.dedupe, report)),
        false => Arc::clone(&defaults.dedupe),
    };
    let id = section.parsed("id", "bad_id", |text| value::id(text).map(str::to_owned), report);
    if !section.has("url") {
        let fault = Diagnostic::error("missing_key", section.span("url"), "a feed without url");
        report.push(fault.help("write url = \"https://…\", the address of the feed"));
    }
    let feed = Feed {
        id: id.and_then(|id| FeedId::new(&id).ok()),
        title: section.words("title", report),
        tags: table::texts(section.list("tags", report)),
        url: url?,
        removal: Removal::Hide,
    };
    Some(Subscription {
        feed,
        schedule,
        fetch,
        dedupe,
        max_items: table::max_items(section, defaults.max_items, report),
    })
}

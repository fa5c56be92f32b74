//! The overview `/status`: what needs attention, the outputs, the activity, and every feed. Also its query: which feeds
//! it lists, and in which order.

use std::cmp::Reverse;

use askama::Template;
use jiff::Timestamp;
use url::form_urlencoded;

use super::chart::{self, Chart, Interval, Period, charts, intervals};
use super::snapshot::Snapshot;
use crate::health::{JudgedFeed, State, tally};
use crate::model::{Incident, SubscriberCount};
use crate::telemetry::Problem;
use crate::text::amounts::{ahead, count, span};
use crate::web::links::search_words;
use crate::web::parts::{RemedyParts, Time, feed_name};

/// Maximum number of feeds that are described under "Needs attention".
const MAX_ATTENTION: usize = 12;
/// Maximum number of resolved incidents.
const MAX_RESOLVED: usize = 8;

#[derive(Template)]
#[template(path = "status.html", config = "src/web/askama.toml")]
struct Overview {
    root: &'static str,
    summary: String,
    activity: String,
    /// Whether the browser reloads the page every minute.
    refresh: bool,
    /// URL that changes `refresh`.
    refresh_toggle: String,
    states: Vec<StateLink>,
    problems: Vec<ProblemParts>,
    attention: Vec<Attention>,
    /// Number of feeds that need attention beyond `attention`.
    more_attention: usize,
    outputs: Vec<OutputRow>,
    activities: Vec<Activity>,
    resolved: Vec<Resolved>,
    form: Form,
    columns: Vec<Column>,
    rows: Vec<FeedRow>,
    heading: String,
    previous: Option<String>,
    next: Option<String>,
    version: &'static str,
    chart_size: chart::Size,
}

/// A link to the feeds in one state.
struct StateLink {
    slug: &'static str,
    name: &'static str,
    count: usize,
    url: String,
    selected: bool,
}

/// A problem of newswire itself.
struct ProblemParts {
    name: String,
    text: &'static str,
    remedy: &'static str,
}

/// A feed that needs attention.
struct Attention {
    row: FeedRow,
    remedy: Option<RemedyParts>,
}

struct OutputRow {
    title: String,
    page: String,
    items: usize,
    /// Number of subscribers, and how it is made up; `None`: the feed was never requested.
    subscribers: Option<(u64, String)>,
    changed: Option<Time>,
    formats: String,
    /// Whether a token protects it, so that it gets no link.
    private: bool,
    failure: Option<OutputFailure>,
}

/// Why an output is not published.
struct OutputFailure {
    since: Time,
    text: String,
}

/// The charts of a period and their numbers.
struct Activity {
    name: &'static str,
    charts: Vec<Chart>,
    intervals: Vec<Interval>,
}

/// A resolved incident, for the list of recent ones.
struct Resolved {
    at: Time,
    kind: &'static str,
    name: String,
    text: String,
}

/// The values of the search form.
struct Form {
    words: String,
    state: &'static str,
    sort: &'static str,
    /// Whether `sort` is the default.
    default_sort: bool,
    tags: Vec<TagOption>,
    /// Whether all feeds are selected.
    all: bool,
}

struct TagOption {
    tag: String,
    selected: bool,
}

/// A column of the table, with the URL that sorts by it.
struct Column {
    name: &'static str,
    url: String,
    sorted: bool,
}

/// A row of the table of feeds.
struct FeedRow {
    url: String,
    title: String,
    id: String,
    tags: String,
    state: &'static str,
    state_name: &'static str,
    text: String,
    last_new: Option<Time>,
    next_poll: String,
    reason: String,
    items: u64,
}

/// The page as HTML.
pub(super) fn render(snapshot: &Snapshot, filter: &FeedFilter) -> Result<String, askama::Error> {
    let selected = filter.select(&snapshot.feeds);
    let from = (filter.page * PAGE_SIZE).min(selected.len());
    let rows = &selected[from..(from + PAGE_SIZE).min(selected.len())];
    let page_url = |page: usize| FeedFilter { page, ..filter.clone() }.url();
    let toggled = FeedFilter { refresh: !filter.refresh, ..filter.clone() };
    let attention = attention(snapshot, filter);
    Overview {
        root: "",
        summary: summary(snapshot),
        activity: activity(snapshot),
        refresh: filter.refresh,
        refresh_toggle: toggled.url(),
        states: state_links(snapshot, filter),
        problems: snapshot.problems.iter().map(problem).collect(),
        more_attention: attention.len().saturating_sub(MAX_ATTENTION),
        attention: attention.into_iter().take(MAX_ATTENTION).collect(),
        outputs: outputs(snapshot),
        activities: [Period::Day, Period::Fortnight]
            .map(|period| period_activity(snapshot, period))
            .into(),
        resolved: resolved(snapshot),
        form: form(snapshot, filter),
        columns: columns(filter),
        rows: rows.iter().map(|feed| row(feed, snapshot.now)).collect(),
        heading: heading(selected.len(), snapshot.feeds.len(), filter),
        previous: (filter.page > 0).then(|| page_url(filter.page - 1)),
        next: (from + rows.len() < selected.len()).then(|| page_url(filter.page + 1)),
        version: env!("CARGO_PKG_VERSION"),
        chart_size: chart::SIZE,
    }
    .render()
}

/// The first sentence: how many things need attention.
fn summary(snapshot: &Snapshot) -> String {
    let all = snapshot.feeds.len() as u64;
    let feeds = count(all, "feed");
    let attention = snapshot.feeds.iter().filter(|feed| feed.health.needs_attention).count();
    match (all, attention + snapshot.failed_outputs.len() + snapshot.problems.len()) {
        (0, 0) => "There are no feeds yet. Run 'newswire add URL' to subscribe to one.".to_owned(),
        (_, 0) => format!("Nothing needs attention. {feeds}."),
        (_, 1) => format!("1 thing needs attention. {feeds}."),
        (_, many) => format!("{many} things need attention. {feeds}."),
    }
}

/// The second sentence: uptime, next poll and number of items.
fn activity(snapshot: &Snapshot) -> String {
    let now = snapshot.now;
    let uptime = now.duration_since(snapshot.started_at).as_secs().max(0).unsigned_abs();
    let next = match snapshot.next_poll_at() {
        Some(at) if at <= now => "next poll now".to_owned(),
        Some(at) => format!("next poll {}", ahead(at, now)),
        None => "no polls".to_owned(),
    };
    let items: u64 = snapshot.feeds.iter().map(|feed| feed.status.items).sum();
    let time = now.strftime("%H:%M UTC");
    format!("{time}: running for {}, {next}, {} stored.", span(uptime), count(items, "item"))
}

fn state_links(snapshot: &Snapshot, filter: &FeedFilter) -> Vec<StateLink> {
    let counts = tally(snapshot.feeds.iter().map(|feed| &feed.health));
    let url = |state| FeedFilter { state, page: 0, ..filter.clone() }.url();
    let all = StateLink {
        slug: "all",
        name: "all",
        count: snapshot.feeds.len(),
        url: url(None),
        selected: filter.state.is_none(),
    };
    let link = |(state, count): (State, usize)| StateLink {
        slug: state.slug(),
        name: state.group(),
        count,
        url: url(Some(state)),
        selected: filter.state == Some(state),
    };
    let shown =
        counts.into_iter().filter(|(state, count)| *count > 0 || filter.state == Some(*state));
    std::iter::once(all).chain(shown.map(link)).collect()
}

fn problem(problem: &Problem) -> ProblemParts {
    ProblemParts {
        name: problem.slug().replace('_', " "),
        text: problem.text(),
        remedy: problem.remedy(),
    }
}

/// The feeds that need attention, the worst first; none on a filtered or further page.
fn attention(snapshot: &Snapshot, filter: &FeedFilter) -> Vec<Attention> {
    if !filter.selects_all() || filter.page > 0 {
        return Vec::new();
    }
    let mut feeds: Vec<&JudgedFeed> =
        snapshot.feeds.iter().filter(|feed| feed.health.needs_attention).collect();
    feeds.sort_by_key(|feed| (feed.health.state, feed.health.since));
    let attention = |feed: &JudgedFeed| Attention {
        row: row(feed, snapshot.now),
        remedy: feed.health.remedy.as_ref().map(RemedyParts::new),
    };
    feeds.into_iter().map(attention).collect()
}

/// How a number of subscribers is made up: `12 clients, 30 by services, on 2026-11-28`.
fn made_up(subscribers: &SubscriberCount) -> String {
    let clients = count(subscribers.clients, "client");
    format!("{clients}, {} by services, on {}", subscribers.reported, subscribers.date())
}

fn outputs(snapshot: &Snapshot) -> Vec<OutputRow> {
    let failure = |id: &str| {
        let failure = snapshot.failed_outputs.get(id)?;
        let since = Time::new(failure.since, snapshot.now);
        Some(OutputFailure { since, text: failure.why.clone() })
    };
    let published = snapshot.outputs.iter().map(|output| {
        let formats = output.documents.iter().map(|(format, _)| format.name());
        OutputRow {
            title: output.title.clone(),
            page: format!("{}/", output.id),
            items: output.items,
            subscribers: snapshot.last_subscribers(&output.id).map(|it| (it.total(), made_up(it))),
            changed: output.modified().map(|at| Time::new(at, snapshot.now)),
            formats: formats.collect::<Vec<_>>().join(", "),
            private: output.token.is_some(),
            failure: failure(&output.id),
        }
    });
    let is_published = |id: &str| snapshot.outputs.iter().any(|output| output.id == id);
    let unpublished = snapshot.failed_outputs.keys().filter(|id| !is_published(id));
    let unpublished = unpublished.map(|id| OutputRow {
        title: id.clone(),
        page: id.clone(),
        items: 0,
        subscribers: None,
        changed: None,
        formats: String::new(),
        private: true,
        failure: failure(id),
    });
    published.chain(unpublished).collect()
}

fn period_activity(snapshot: &Snapshot, period: Period) -> Activity {
    let intervals = intervals(&snapshot.hours, period, snapshot.now);
    Activity { name: period.name(), charts: charts(&intervals, period), intervals }
}

/// The incidents that were resolved last, the latest first.
fn resolved(snapshot: &Snapshot) -> Vec<Resolved> {
    let mut incidents: Vec<(Timestamp, &Incident)> = snapshot
        .incidents
        .iter()
        .filter_map(|incident| Some((incident.resolved_at?, incident)))
        .collect();
    incidents.sort_by_key(|(at, _)| Reverse(*at));
    let resolved = |(at, incident): &(Timestamp, &Incident)| Resolved {
        at: Time::new(*at, snapshot.now),
        kind: incident.kind.word(),
        name: incident.name.clone(),
        text: incident.text.clone(),
    };
    incidents.iter().take(MAX_RESOLVED).map(resolved).collect()
}

fn form(snapshot: &Snapshot, filter: &FeedFilter) -> Form {
    let mut tags: Vec<&String> =
        snapshot.feeds.iter().flat_map(|feed| &feed.status.info.tags).collect();
    tags.sort();
    tags.dedup();
    let option =
        |tag: &String| TagOption { tag: tag.clone(), selected: filter.tag.as_ref() == Some(tag) };
    Form {
        words: filter.words.clone(),
        state: filter.state.map_or("", State::slug),
        sort: filter.sort_by.name(),
        default_sort: filter.sort_by == SortBy::default(),
        tags: tags.into_iter().map(option).collect(),
        all: filter.selects_all(),
    }
}

fn columns(filter: &FeedFilter) -> Vec<Column> {
    let columns = [
        ("Feed", SortBy::Name),
        ("State", SortBy::State),
        ("Last new item", SortBy::LastNew),
        ("Next poll", SortBy::NextPoll),
        ("Items", SortBy::Items),
    ];
    let column = |(name, sort_by): (&'static str, SortBy)| Column {
        name,
        url: FeedFilter { sort_by, page: 0, ..filter.clone() }.url(),
        sorted: filter.sort_by == sort_by,
    };
    columns.map(column).into()
}

fn row(feed: &JudgedFeed, now: Timestamp) -> FeedRow {
    let JudgedFeed { status, health } = feed;
    FeedRow {
        url: format!("status/{}", status.info.id),
        title: feed_name(&status.info),
        id: status.info.id.to_string(),
        tags: status.info.tags.join(", "),
        state: health.state.slug(),
        state_name: health.state.name(),
        text: health.text.clone(),
        last_new: status.last_new_at.map(|at| Time::new(at, now)),
        next_poll: ahead(status.next_poll_at, now),
        reason: status.reason_text.clone(),
        items: status.items,
    }
}

/// The heading of the table.
fn heading(selected: usize, all: usize, filter: &FeedFilter) -> String {
    let all = count(all as u64, "feed");
    if filter.selects_all() { all } else { format!("{selected} of {all}") }
}

/// Number of feeds on a page of the table.
const PAGE_SIZE: usize = 1_000;

/// The order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum SortBy {
    /// State, the worst first.
    #[default]
    State,
    /// Title of the feed, in alphabetical order.
    Name,
    /// Time of the last new item, the latest first.
    LastNew,
    /// Time of the next poll, the earliest first.
    NextPoll,
    /// Number of items, the largest first.
    Items,
}

impl SortBy {
    /// Every order with its name in the query.
    const NAMED: [(Self, &'static str); 5] = [
        (Self::State, "state"),
        (Self::Name, "name"),
        (Self::LastNew, "last_new"),
        (Self::NextPoll, "next_poll"),
        (Self::Items, "items"),
    ];

    /// The name in the query.
    fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(order, _)| *order == self).map_or("", |(_, name)| name)
    }
}

/// The query of the overview.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FeedFilter {
    /// Words that the title, id or URL of a feed must contain, all of them.
    words: String,
    state: Option<State>,
    tag: Option<String>,
    sort_by: SortBy,
    /// Number of the page, from 0.
    page: usize,
    /// Whether the browser reloads the page every minute.
    refresh: bool,
}

impl FeedFilter {
    /// Parses a query string; unknown parameters and values are ignored.
    pub(super) fn parse(query: Option<&str>) -> Self {
        let mut filter = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "q" => filter.words = search_words(&value),
                "state" => filter.state = State::from_slug(&value),
                "tag" => filter.tag = Some(value.into_owned()).filter(|tag| !tag.is_empty()),
                "sort" => {
                    let named = SortBy::NAMED.iter().find(|(_, name)| *name == value);
                    filter.sort_by = named.map(|(order, _)| *order).unwrap_or_default();
                }
                "refresh" => filter.refresh = true,
                "page" => filter.page = value.parse::<usize>().unwrap_or(1).saturating_sub(1),
                _ => {}
            }
        }
        filter
    }

    /// The relative URL of the overview with this query.
    fn url(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.words.is_empty() {
            query.append_pair("q", &self.words);
        }
        if let Some(state) = self.state {
            query.append_pair("state", state.slug());
        }
        if let Some(tag) = &self.tag {
            query.append_pair("tag", tag);
        }
        if self.sort_by != SortBy::default() {
            query.append_pair("sort", self.sort_by.name());
        }
        if self.refresh {
            query.append_pair("refresh", "");
        }
        if self.page > 0 {
            query.append_pair("page", &(self.page + 1).to_string());
        }
        match query.finish() {
            query if query.is_empty() => "status".to_owned(),
            query => format!("status?{query}"),
        }
    }

    /// Whether it selects all feeds.
    fn selects_all(&self) -> bool {
        self.words.is_empty() && self.state.is_none() && self.tag.is_none()
    }

    /// The selected feeds, sorted.
    fn select<'f>(&self, feeds: &'f [JudgedFeed]) -> Vec<&'f JudgedFeed> {
        let words: Vec<String> = self.words.split_whitespace().map(str::to_lowercase).collect();
        let is_selected = |feed: &&JudgedFeed| {
            let info = &feed.status.info;
            self.state.is_none_or(|state| feed.health.state == state)
                && self.tag.as_ref().is_none_or(|tag| info.tags.contains(tag))
                && (words.is_empty() || {
                    let text = format!("{} {} {}", info.title, info.id, info.url).to_lowercase();
                    words.iter().all(|word| text.contains(word))
                })
        };
        let mut selected: Vec<&JudgedFeed> = feeds.iter().filter(is_selected).collect();
        selected.sort_by_cached_key(|feed| feed.status.info.title.to_lowercase());
        match self.sort_by {
            SortBy::Name => {}
            SortBy::State => selected.sort_by_key(|feed| feed.health.state),
            SortBy::LastNew => selected.sort_by_key(|feed| Reverse(feed.status.last_new_at)),
            SortBy::NextPoll => selected.sort_by_key(|feed| feed.status.next_poll_at),
            SortBy::Items => selected.sort_by_key(|feed| Reverse(feed.status.items)),
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_its_url() {
        let query = "q=%C3%A9t%C3%A9+&state=silent&tag=a%26b&sort=next_poll&page=3&refresh";
        let filter = FeedFilter::parse(Some(query));
        assert_eq!(
            filter.url(),
            "status?q=%C3%A9t%C3%A9&state=silent&tag=a%26b&sort=next_poll&refresh=&page=3"
        );
        assert_eq!(FeedFilter::parse(Some(&filter.url()[7..])), filter);
    }

    #[test]
    fn unknown_parameters_and_values_are_ignored() {
        let filter = FeedFilter::parse(Some("state=x&sort=y&page=-1&tag=&z"));
        assert_eq!((filter.url().as_str(), filter.selects_all()), ("status", true));
    }
}

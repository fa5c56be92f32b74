//! The status page: what needs the operator, what newswire does, and every feed. Decides nothing:
//! that is `health`'s.

use askama::Template;
use jiff::Timestamp;

use super::plot::{self, Plot};
use super::question::{Order, PAGE, Question};
use super::seen::Seen;
use super::shape::{Remedied, Stamp, ahead, name};
use super::steps::{Span, Step, steps};
use crate::health::{Judged, State, tally};
use crate::telemetry::Trouble;
use crate::text::amounts::{count, span};

/// So many feeds that need the operator are told of at length.
const AT_LENGTH: usize = 12;
/// So many incidents that are over are shown.
const LATELY: usize = 8;

#[derive(Template)]
#[template(path = "status.html", config = "src/web/askama.toml")]
struct Overview {
    root: &'static str,
    lede: String,
    facts: String,
    /// Whether the browser asks again by itself, and the address that changes it.
    fresh: (bool, String),
    states: Vec<Chip>,
    /// What newswire itself suffers from: in a word, and what to do.
    troubles: Vec<(String, &'static str)>,
    needs: Vec<Need>,
    more_needs: usize,
    outputs: Vec<Output>,
    spans: Vec<Charts>,
    lately: Vec<Past>,
    question: Asked,
    columns: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    found: String,
    earlier: Option<String>,
    later: Option<String>,
    version: &'static str,
    room: plot::Room,
}

/// A group of feeds, to be chosen.
struct Chip {
    slug: &'static str,
    name: &'static str,
    count: usize,
    href: String,
    chosen: bool,
}

/// A feed that needs the operator.
struct Need {
    row: Row,
    remedy: Option<Remedied>,
}

/// An output as it stands.
struct Output {
    title: String,
    page: String,
    stories: usize,
    changed: Option<Stamp>,
    formats: String,
    private: bool,
    refused: Option<(Stamp, String)>,
}

/// The plots of a span and the figures behind them.
struct Charts {
    name: &'static str,
    plots: Vec<Plot>,
    steps: Vec<Step>,
}

/// An incident that is over.
struct Past {
    stamp: Stamp,
    word: &'static str,
    name: String,
    text: String,
}

/// What was asked, for the form.
struct Asked {
    words: String,
    state: &'static str,
    order: &'static str,
    tags: Vec<(String, bool)>,
    open: bool,
}

/// A feed in the table.
struct Row {
    href: String,
    title: String,
    id: String,
    tags: String,
    state: &'static str,
    why: String,
    news: Option<Stamp>,
    next: String,
    reason: String,
    items: u64,
}

/// The page as HTML.
pub(super) fn render(seen: &Seen, question: &Question) -> Result<String, askama::Error> {
    let now = seen.now;
    let found = question.answer(&seen.feeds);
    let from = (question.page * PAGE).min(found.len());
    let shown = &found[from..(from + PAGE).min(found.len())];
    let paged = |page: usize| Question { page, ..question.clone() }.address();
    let (needs, more_needs) = needs(seen, question);
    Overview {
        root: "",
        lede: lede(seen),
        facts: facts(seen),
        fresh: (question.fresh, Question { fresh: !question.fresh, ..question.clone() }.address()),
        states: chips(seen, question),
        troubles: troubles(seen),
        needs,
        more_needs,
        outputs: outputs(seen),
        spans: [Span::Day, Span::Fortnight].map(|over| charts(seen, over)).into(),
        lately: lately(seen),
        question: asked(seen, question),
        columns: columns(question),
        rows: shown.iter().map(|judged| row(judged, now)).collect(),
        found: found_words(found.len(), seen.feeds.len(), question),
        earlier: (question.page > 0).then(|| paged(question.page - 1)),
        later: (from + shown.len() < found.len()).then(|| paged(question.page + 1)),
        version: env!("CARGO_PKG_VERSION"),
        room: plot::ROOM,
    }
    .render()
}

/// How it stands, in a sentence.
fn lede(seen: &Seen) -> String {
    let all = seen.feeds.len() as u64;
    let feeds = count(all, "feed");
    let need = seen.feeds.iter().filter(|(_, health)| health.needs_you()).count();
    match (all, need + seen.refusals.len() + seen.troubles.len()) {
        (0, 0) => "There are no feeds yet. 'newswire add URL' subscribes to one.".to_owned(),
        (_, 0) => format!("All is well: nothing needs you. {feeds}."),
        (_, 1) => format!("One thing needs you. {feeds}."),
        (_, many) => format!("{many} things need you. {feeds}."),
    }
}

/// What newswire does, in a sentence.
fn facts(seen: &Seen) -> String {
    let up = seen.now.duration_since(seen.since).as_secs().max(0).unsigned_abs();
    let next = seen.feeds.iter().map(|(status, _)| status.next_poll_at).min();
    let next = match next {
        Some(at) if at <= seen.now => "the next poll is due now".to_owned(),
        Some(at) => format!("the next poll is {}", ahead(at, seen.now)),
        None => "nothing to poll".to_owned(),
    };
    let items: u64 = seen.feeds.iter().map(|(status, _)| status.items).sum();
    let at = seen.now.strftime("%H:%M UTC");
    format!("At {at}: up for {}; {next}; {} kept.", span(up), count(items, "item"))
}

fn chips(seen: &Seen, question: &Question) -> Vec<Chip> {
    let counts = tally(seen.feeds.iter().map(|(_, health)| health));
    let of = |state| Question { state, page: 0, ..question.clone() }.address();
    let all = Chip {
        slug: "all",
        name: "all",
        count: seen.feeds.len(),
        href: of(None),
        chosen: question.state.is_none(),
    };
    let chip = |(state, count): (State, usize)| Chip {
        slug: state.slug(),
        name: state.group(),
        count,
        href: of(Some(state)),
        chosen: question.state == Some(state),
    };
    let there =
        counts.into_iter().filter(|(state, count)| *count > 0 || question.state == Some(*state));
    std::iter::once(all).chain(there.map(chip)).collect()
}

/// What newswire itself suffers from.
fn troubles(seen: &Seen) -> Vec<(String, &'static str)> {
    let told = |trouble: &Trouble| (trouble.slug().replace('_', " "), trouble.remedy());
    seen.troubles.iter().map(told).collect()
}

/// The feeds that need the operator, the worst first; and how many more there are.
fn needs(seen: &Seen, question: &Question) -> (Vec<Need>, usize) {
    if !question.is_open() || question.page > 0 {
        return (Vec::new(), 0);
    }
    let mut needs: Vec<&Judged> =
        seen.feeds.iter().filter(|(_, health)| health.needs_you()).collect();
    needs.sort_by_key(|(_, health)| (health.state, health.since));
    let need = |judged: &&Judged| Need {
        row: row(judged, seen.now),
        remedy: judged.1.remedy.as_ref().map(Remedied::of),
    };
    let more = needs.len().saturating_sub(AT_LENGTH);
    (needs.iter().take(AT_LENGTH).map(need).collect(), more)
}

fn outputs(seen: &Seen) -> Vec<Output> {
    let mut outputs: Vec<Output> = Vec::new();
    let refused = |id: &str| {
        let refusal = seen.refusals.get(id)?;
        Some((Stamp::of(refusal.since, seen.now), refusal.why.clone()))
    };
    for output in &seen.outputs {
        let formats = output.documents.iter().map(|(format, _)| format.name());
        outputs.push(Output {
            title: output.title.clone(),
            page: output.id.clone(),
            stories: output.items,
            changed: output.modified().map(|at| Stamp::of(at, seen.now)),
            formats: formats.collect::<Vec<_>>().join(", "),
            private: output.token.is_some(),
            refused: refused(&output.id),
        });
    }
    // Those that were never published have no output.
    for id in seen.refusals.keys().filter(|id| !seen.outputs.iter().any(|l| l.id == **id)) {
        outputs.push(Output {
            title: id.clone(),
            page: id.clone(),
            stories: 0,
            changed: None,
            formats: String::new(),
            private: true,
            refused: refused(id),
        });
    }
    outputs
}

fn charts(seen: &Seen, over: Span) -> Charts {
    let steps = steps(&seen.hours, over, seen.now);
    Charts { name: over.name(), plots: plot::plots(&steps, over), steps }
}

fn lately(seen: &Seen) -> Vec<Past> {
    let mut over: Vec<_> = seen
        .incidents
        .iter()
        .filter_map(|incident| Some((incident.resolved_at?, incident)))
        .collect();
    over.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let past = |(at, incident): &(Timestamp, &crate::model::Incident)| Past {
        stamp: Stamp::of(*at, seen.now),
        word: incident.kind.word(),
        name: incident.name.clone(),
        text: incident.text.clone(),
    };
    over.iter().take(LATELY).map(past).collect()
}

fn asked(seen: &Seen, question: &Question) -> Asked {
    let mut tags: Vec<&String> =
        seen.feeds.iter().flat_map(|(status, _)| &status.info.tags).collect();
    tags.sort();
    tags.dedup();
    let order = Order::NAMED.iter().find(|(order, _)| *order == question.order);
    Asked {
        words: question.words.clone(),
        state: question.state.map_or("", State::slug),
        order: order.map_or("", |(_, name)| name),
        tags: tags
            .into_iter()
            .map(|tag| (tag.clone(), question.tag.as_ref() == Some(tag)))
            .collect(),
        open: question.is_open(),
    }
}

/// The heads of the table: words, the address that sorts by it, whether it is sorted so.
fn columns(question: &Question) -> Vec<(&'static str, String, bool)> {
    let heads = [
        ("Feed", Order::Name),
        ("State", Order::Health),
        ("Last news", Order::News),
        ("Next poll", Order::Next),
        ("Items", Order::Items),
    ];
    let head = |(name, order): (&'static str, Order)| {
        let address = Question { order, page: 0, ..question.clone() }.address();
        (name, address, question.order == order)
    };
    heads.map(head).into()
}

fn row((status, health): &Judged, now: Timestamp) -> Row {
    Row {
        href: format!("status/{}", status.info.id),
        title: name(&status.info),
        id: status.info.id.to_string(),
        tags: status.info.tags.join(", "),
        state: health.state.slug(),
        why: health.why.clone(),
        news: status.last_new_at.map(|at| Stamp::of(at, now)),
        next: ahead(status.next_poll_at, now),
        reason: status.reason_text.clone(),
        items: status.items,
    }
}

fn found_words(found: usize, all: usize, question: &Question) -> String {
    let all = count(all as u64, "feed");
    if question.is_open() { all } else { format!("{found} of {all}") }
}

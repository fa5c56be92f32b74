//! `newswire status`: each feed with its last poll, its next poll and the reason. Only reads the database, so it
//! works while the daemon runs.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, Color};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::exit::Exit;
use super::terminal;
use crate::health::{self, Health, ListStatus, State, judge, tally};
use crate::model::{
    FeedStatus, Incident, IncidentKind, Outcome, ParseWarning, ReasonKind, SubscriberCount,
};
use crate::telemetry::Problem;
use crate::text::amounts::{ago, ahead, count};

/// The table and the notes below it, for a terminal of this width.
#[must_use]
pub(super) fn table(feeds: &[FeedStatus], now: Timestamp, width: Option<usize>) -> String {
    let healths: Vec<_> = feeds.iter().map(|feed| judge(feed, now)).collect();
    let drawn = drawn(feeds, &healths, (now, width));
    let items = count(feeds.iter().map(|feed| feed.items).sum(), "item");
    let mut text = format!(
        "{drawn}\n\n{}, {}, {items}\n",
        count(feeds.len() as u64, "feed"),
        states(&healths)
    );
    text.push_str(&duplicates(feeds));
    for feed in feeds {
        if let Some(url) = &feed.address.effective {
            let id = &feed.info.id;
            text.push_str(&format!("{id}: moved permanently; set url = \"{url}\" in the config\n"));
        }
        let first = feed.parse_warnings.first();
        if let Some(ParseWarning { code, message, .. }) = first {
            let more = feed.parse_warnings.len() - 1;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            text.push_str(&format!("{}: warning ({code}): {message}{more}\n", feed.info.id));
        }
    }
    text.extend(feeds.iter().filter(|feed| feed.activity.filtered > 0).map(filtered));
    // Feeds that moved are listed above. The message of the first failure is of use, although it needs no attention.
    let is_listed = |health: &Health| match health.state {
        State::Moved => false,
        State::Failing => true,
        _ => health.needs_attention,
    };
    for (feed, health) in feeds.iter().zip(&healths).filter(|(_, health)| is_listed(health)) {
        text.push_str(&format!("{}: {} ({})\n", feed.info.id, health.text, health.code));
        let command = health.remedy.as_ref().and_then(|remedy| remedy.command.as_ref());
        text.extend(
            command
                .map(|command| format!("{:>1$}{command}\n", "", feed.info.id.as_str().len() + 2)),
        );
    }
    text
}

/// Number of feeds in each state but OK: "0 failing" is always shown, other states only if they occur.
fn states(healths: &[Health]) -> String {
    let shown = |(state, count): &(State, usize)| match state {
        State::Failing => true,
        State::Ok => false,
        _ => *count > 0,
    };
    let states = tally(healths).into_iter().filter(shown);
    let states = states.map(|(state, count)| format!("{count} {}", state.group()));
    states.collect::<Vec<_>>().join(", ")
}

/// Each followed list that fails, with the reason and the remedy.
#[must_use]
pub(super) fn failing_lists(lists: &[ListStatus], now: Timestamp) -> String {
    let lines = |list: &ListStatus| {
        let (failure, text, remedy) = (list.failure.as_ref()?, list.text(now)?, list.remedy()?);
        let ListStatus { place, .. } = list;
        Some(format!("list {place}: {text} ({})\n  {remedy}\n", failure.code))
    };
    lists.iter().filter_map(lines).collect()
}

/// Each incident of Newswire itself, with the reason and the remedy.
#[must_use]
pub(super) fn own_incidents(incidents: &[Incident]) -> String {
    let line =
        |it: &Incident| format!("{}: {} ({})\n  {}\n", it.name, it.text, it.state, it.remedy);
    incidents.iter().map(line).collect()
}

/// Whether an incident is one of Newswire itself that lasts and keeps it from storing or publishing.
#[must_use]
pub(super) fn is_own(incident: &Incident) -> bool {
    let kinds = [IncidentKind::Disk, IncidentKind::Damage, IncidentKind::Rejected];
    let degrades = Problem::ALL.iter().find(|it| it.slug() == incident.state);
    incident.resolved_at.is_none()
        && kinds.contains(&incident.kind)
        && degrades.is_none_or(|problem| problem.degrades())
}

/// The columns of the table after the id.
const COLUMNS: [&str; 6] = ["STATE", "ITEMS", "LAST POLL", "OUTCOME", "NEXT POLL", "WHY"];
/// The columns that the table has, from the widest table to the narrowest. The others are below each feed.
const LAYOUTS: [&[usize]; 3] = [&[0, 1, 2, 3, 4, 5], &[0, 1, 2, 3, 4], &[0, 1, 4]];

/// The table. In a narrow terminal columns are below each feed; ids stay whole, because commands need them.
fn drawn(
    feeds: &[FeedStatus],
    healths: &[Health],
    (now, width): (Timestamp, Option<usize>),
) -> String {
    let fits = |table: &str| width.is_none_or(|width| terminal::widest(table) <= width);
    let each = || feeds.iter().zip(healths);
    for (layout, columns) in LAYOUTS.iter().enumerate() {
        let heading = columns.iter().map(|column| COLUMNS[*column]);
        let heading: Vec<&str> = std::iter::once("FEED").chain(heading).collect();
        let row = |(feed, health): (&'_ FeedStatus, &Health)| {
            let all = cells(feed, health, (now, layout == 0));
            columns.iter().map(|column| all[*column].clone()).collect::<Vec<_>>()
        };
        let names = feeds.iter().map(|feed| feed.info.id.as_str());
        let rows: Vec<(&str, Vec<Cell>)> = names.zip(each().map(row)).collect();
        let table = terminal::table(&heading, &rows, None);
        if !fits(&table) {
            continue;
        }
        let below = |feed: &FeedStatus| match layout {
            0 => String::new(),
            1 => format!("\n     {}", reason(feed)),
            _ => format!("\n     {}; {}", last_poll(feed, now), reason(feed)),
        };
        let below = std::iter::once(String::new()).chain(feeds.iter().map(below));
        let lines = table.lines().zip(below).map(|(line, below)| format!("{line}{below}"));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let lines = |(feed, health): (&FeedStatus, &Health)| {
        let (id, state, items) = (&feed.info.id, health.state, count(feed.items, "item"));
        let (next, last) = (next_poll(feed, state, now), last_poll(feed, now));
        let state = state.slug();
        format!(" {id}\n     {state}, {items}, next poll {next}\n     {last}; {}", reason(feed))
    };
    each().map(lines).collect::<Vec<_>>().join("\n")
}

/// The cells of all columns. The outcome is whole if the reason is not below it.
fn cells(feed: &FeedStatus, health: &Health, (now, whole): (Timestamp, bool)) -> [Cell; 6] {
    [
        state(health.state),
        Cell::new(feed.items).set_alignment(CellAlignment::Right),
        Cell::new(feed.last_poll_at.map_or_else(|| "never".to_owned(), |at| ago(at, now))),
        outcome(feed, whole),
        Cell::new(next_poll(feed, health.state, now)),
        Cell::new(&feed.reason_text),
    ]
}

/// Time and outcome of the last poll.
fn last_poll(feed: &FeedStatus, now: Timestamp) -> String {
    let outcome = feed.last_outcome.map_or("-", Outcome::slug);
    feed.last_poll_at.map_or_else(
        || "not polled yet".to_owned(),
        |at| format!("last poll {}: {outcome}", ago(at, now)),
    )
}

/// The number of items that filters keep out of a feed.
fn filtered(feed: &FeedStatus) -> String {
    let (id, items) = (&feed.info.id, count(feed.activity.filtered, "item"));
    format!("{id}: {items} filtered; 'newswire why {id}' shows the rules\n")
}

fn next_poll(feed: &FeedStatus, state: State, now: Timestamp) -> String {
    if state == State::Paused { "never".to_owned() } else { ahead(feed.next_poll_at, now) }
}

/// When feeds are overdue by this time, and none was polled in it, no daemon polls them.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

/// The state of all feeds, lists and incidents of Newswire itself together, as an exit code and a line of text.
#[must_use]
pub(super) fn overall(
    feeds: &[FeedStatus],
    (lists, incidents): (&[ListStatus], &[Incident]),
    now: Timestamp,
) -> (Exit, String) {
    let failing: Vec<&ListStatus> = lists.iter().filter(|it| it.needs_attention()).collect();
    let (exit, why) = match (of_feeds(feeds, now), failing.is_empty()) {
        // A missing list is why there are no feeds.
        (_, false) if feeds.is_empty() => (Exit::Degraded, "no feeds".to_owned()),
        ((Exit::Ok, why), false) => (Exit::Degraded, why),
        (judged, _) => judged,
    };
    let lists = failing.iter().filter_map(|list| {
        Some(format!("; list {} fails: {}", list.place, list.failure.as_ref()?.text))
    });
    let own = incidents.iter().map(|it| format!("; {} ({})", it.text, it.state));
    let exit = if exit == Exit::Ok && !incidents.is_empty() { Exit::Degraded } else { exit };
    (exit, lists.chain(own).fold(why, |line, more| line + &more))
}

/// Why nothing is known about feeds, or no longer, which their states do not show; `None`: they are polled.
#[must_use]
pub(super) fn unpolled(feeds: &[FeedStatus], now: Timestamp) -> Option<(Exit, String)> {
    let all = feeds.len();
    if all == 0 {
        return Some((Exit::Degraded, "no feeds: 'newswire add URL' adds one".to_owned()));
    }
    let last = feeds.iter().filter_map(|feed| feed.last_poll_at).max();
    if last.is_none() && feeds.iter().any(|feed| feed.reason != ReasonKind::Paused) {
        let why = "no feed was polled yet: 'newswire run' or 'newswire poll' polls them";
        return Some((Exit::Degraded, why.to_owned()));
    }
    let is_overdue = |at| now.duration_since(at) > OVERDUE;
    let overdue = |feed: &&FeedStatus| feed.next_poll().is_some_and(is_overdue);
    let late = feeds.iter().filter(overdue).count();
    // Paused feeds and those with a long interval are not due: it is enough that nothing was polled while others were.
    let is_idle = last.is_none_or(|last| now.duration_since(last) > OVERDUE);
    if late == all || late > 0 && is_idle {
        let last = last.map_or_else(|| "never".to_owned(), |at| ago(at, now));
        let which = if late == all { "all".to_owned() } else { format!("{late} of {all}") };
        let why = format!("{which} feeds are overdue, last poll: {last}");
        let why = format!("{why}; check that 'newswire run' is running");
        return Some((Exit::Down, why));
    }
    None
}

fn of_feeds(feeds: &[FeedStatus], now: Timestamp) -> (Exit, String) {
    if let Some(unpolled) = unpolled(feeds, now) {
        return unpolled;
    }
    let healths: Vec<Health> = feeds.iter().map(|feed| judge(feed, now)).collect();
    let ok = healths.iter().filter(|health| health.state == State::Ok).count();
    let why = format!("{ok} of {} feeds ok, {}", feeds.len(), states(&healths));
    // Items arrive from feeds in these states.
    let works = |health: &Health| matches!(health.state, State::Held | State::Moved);
    let fails = |health: &Health| health.needs_attention && !works(health);
    let mut polled = healths.iter().filter(|health| health.state != State::Paused).peekable();
    if polled.peek().is_some() && polled.all(fails) {
        return (Exit::Down, why);
    }
    let attention = feeds.iter().zip(&healths).filter(|(_, health)| health.needs_attention);
    match attention.clone().min_by_key(|(_, health)| health.state) {
        None => (Exit::Ok, why),
        Some((worst, _)) => {
            let id = &worst.info.id;
            let which = match attention.count() {
                1 => format!("{id} needs attention"),
                number => format!("{number} need attention, including {id}"),
            };
            (Exit::Degraded, format!("{why}; {which}"))
        }
    }
}

/// The overall state in the format of monitoring plugins (Nagios, Icinga).
#[must_use]
pub(super) fn plugin_line(exit: Exit, why: &str) -> String {
    let state = match exit {
        Exit::Ok => "OK",
        Exit::Degraded => "WARNING",
        Exit::Unknown => "UNKNOWN",
        _ => "CRITICAL",
    };
    format!("NEWSWIRE {state}: {why}\n")
}

fn state(state: State) -> Cell {
    let cell = Cell::new(state.slug());
    match state {
        State::Failing | State::Quarantined | State::Gone => cell.fg(Color::Red),
        State::Silent | State::Throttled | State::Held | State::Moved => cell.fg(Color::Yellow),
        State::Offline | State::Paused | State::New | State::Ok => cell,
    }
}

/// Feeds whose URLs redirect to the same document.
fn duplicates(feeds: &[FeedStatus]) -> String {
    let mut by_target: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for feed in feeds {
        let target = feed.last_url.as_deref().unwrap_or(&feed.info.url);
        by_target.entry(target).or_default().push(feed.info.id.as_str());
    }
    let several = by_target.into_iter().filter(|(_, ids)| ids.len() > 1);
    let line = |(target, ids): (&str, Vec<&str>)| {
        format!("{}: the same document, {target}; keep one of them\n", ids.join(", "))
    };
    several.map(line).collect()
}

/// The outcome of the last poll, with its status after repeated failures if `whole`.
fn outcome(feed: &FeedStatus, whole: bool) -> Cell {
    let slug = feed.last_outcome.map_or("-", Outcome::slug);
    let text = match repeated(feed).filter(|_| whole) {
        None => slug.to_owned(),
        Some(repeated) => format!("{slug} ({repeated})"),
    };
    if feed.failures > 0 { Cell::new(text).fg(Color::Red) } else { Cell::new(text) }
}

/// Status of the last poll and number of polls without success, such as "503; 3 polls without success". Their failures
/// may be of several kinds.
fn repeated(feed: &FeedStatus) -> Option<String> {
    let status = feed.last_status.filter(|_| feed.failures > 1)?;
    Some(format!("{status}; {} polls without success", feed.failures))
}

/// The reason for the next poll, after the repeated failures.
fn reason(feed: &FeedStatus) -> String {
    let repeated = repeated(feed).map_or_else(String::new, |repeated| format!("{repeated}; "));
    format!("{repeated}{}", feed.reason_text)
}

/// The status as JSON: one object per feed and per list; times are RFC 3339.
#[must_use]
pub(super) fn json(
    feeds: &[FeedStatus],
    lists: &[ListStatus],
    subscribers: &[SubscriberCount],
    now: Timestamp,
) -> Value {
    let feed = |status: &FeedStatus| health::json::feed(status, &judge(status, now));
    json!({
        "feeds": feeds.iter().map(feed).collect::<Vec<_>>(),
        "lists": lists.iter().map(|list| health::json::list(list, now)).collect::<Vec<_>>(),
        "subscribers": subscribers.iter().map(health::json::subscribers).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{ListFailure, ListPlace};
    use crate::model::{FailureKind, FeedId, FeedInfo, FeedKey, FeedProfile};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn status(failures: u32) -> FeedStatus {
        let info = FeedInfo {
            key: FeedKey(1),
            id: FeedId::new("garden").unwrap(),
            url: "https://garden.example/feed".to_owned(),
            title: "Garden".to_owned(),
            tags: vec!["green".to_owned()],
            profile: FeedProfile::default(),
        };
        FeedStatus {
            next_poll_at: at(10_000),
            reason: ReasonKind::Interval,
            reason_text: "interval 1h".to_owned(),
            failures,
            last_poll_at: Some(at(6_400)),
            last_outcome: Some(match failures {
                0 => Outcome::NotModified,
                _ => Outcome::Failed(FailureKind::ServerError),
            }),
            last_status: Some(304),
            last_message: (failures > 0).then(|| "the server answers 500".to_owned()),
            last_success_at: Some(at(6_400)),
            items: 17,
            dialect: Some("rss2".to_owned()),
            parse_warnings: vec![ParseWarning::new(
                "bare_less_than",
                Some(7),
                "`<` where no tag begins",
            )],
            ..FeedStatus::unpolled(info)
        }
    }

    #[test]
    fn a_narrow_terminal_shows_whole_ids_and_the_reason_below() {
        let mut feed = status(3);
        feed.info.id = FeedId::new("blog.example.org-feed.xml").unwrap();
        let wide = table(std::slice::from_ref(&feed), at(6_500), Some(200));
        assert_eq!(wide, table(std::slice::from_ref(&feed), at(6_500), None));
        let narrow = table(std::slice::from_ref(&feed), at(6_500), Some(80));
        let lines: Vec<&str> = narrow.lines().collect();
        assert!(
            lines[0].ends_with("NEXT POLL") && lines[1].starts_with(" blog.example.org-feed.xml  ")
        );
        assert!(lines[2].starts_with("     ") && lines[2].contains(&feed.reason_text), "{narrow}");
        assert!(
            lines[2].contains("; 3 polls without success; ") && terminal::widest(lines[1]) <= 80,
            "{narrow}"
        );
    }

    #[test]
    fn ids_are_whole_in_the_narrowest_terminal() {
        let feed = |id: &str| {
            let mut feed = status(0);
            feed.info.id = FeedId::new(id).unwrap();
            feed
        };
        let feeds = [feed("127.0.0.1-feed-number-one"), feed("127.0.0.1-feed-number-two")];
        let narrow = table(&feeds, at(6_500), Some(60));
        let lines: Vec<&str> = narrow.lines().collect();
        assert!(lines[0].ends_with("NEXT POLL") && !lines[0].contains("OUTCOME"), "{narrow}");
        assert!(lines[1].starts_with(" 127.0.0.1-feed-number-one  "), "{narrow}");
        assert_eq!(lines[2], "     last poll 1m ago: not_modified; interval 1h", "{narrow}");
        let narrow = table(&feeds, at(6_500), Some(40));
        for id in ["one", "two"] {
            let line = format!(" 127.0.0.1-feed-number-{id}\n");
            assert!(narrow.contains(&line), "{narrow}");
        }
        assert!(narrow.contains(", 17 items, next poll in 58m\n"), "{narrow}");
        assert_eq!(table(&feeds, at(6_500), Some(20)), narrow);
    }

    #[test]
    fn the_table_shows_last_poll_next_poll_and_reason() {
        let text = table(&[status(0)], at(6_500), None);
        for word in [
            "garden",
            "17",
            "1m ago",
            "not_modified",
            "in 58m",
            "interval 1h",
            "1 feed, 0 failing, 17 items",
        ] {
            assert!(text.contains(word), "{word} is missing in:\n{text}");
        }
    }

    #[test]
    fn the_message_of_a_failing_feed_is_shown_in_full() {
        let text = table(&[status(3)], at(6_500), None);
        assert!(text.contains("garden: the server answers 500"), "{text}");
        assert!(text.contains("1 feed, 1 failing"), "{text}");
    }

    #[test]
    fn filtered_items_are_counted() {
        let mut feed = status(0);
        assert!(!table(&[feed.clone()], at(6_500), None).contains("filtered"));
        feed.activity.filtered = 3;
        let text = table(&[feed], at(6_500), None);
        let line = "garden: 3 items filtered; 'newswire why garden' shows the rules\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn parse_warnings_are_shown() {
        let text = table(&[status(0)], at(6_500), None);
        assert!(
            text.contains("garden: warning (bare_less_than): `<` where no tag begins"),
            "{text}"
        );
    }

    #[test]
    fn a_feed_that_moved_is_shown_with_the_line_to_change() {
        let mut moved = status(0);
        moved.address.effective = Some("https://new.example/feed".parse().unwrap());
        let text = table(&[moved], at(6_500), None);
        let line =
            "garden: moved permanently; set url = \"https://new.example/feed\" in the config";
        assert!(text.contains(line), "{text}");
    }

    /// A list that failed once.
    fn failing_list(has_copy: bool) -> ListStatus {
        ListStatus {
            place: ListPlace::Web("https://list.example/x.opml".parse().unwrap()),
            has_copy,
            last_request_at: Some(at(6_400)),
            next_request_at: None,
            failure: Some(ListFailure {
                code: "not_found".to_owned(),
                text: "the server answers 404".to_owned(),
                since: at(6_400),
                failures: 1,
            }),
        }
    }

    #[test]
    fn a_failing_list_is_shown_with_its_remedy_and_is_a_warning() {
        let text = failing_lists(&[failing_list(true)], at(6_500));
        let line = "list https://list.example/x.opml: the server answers 404; the feeds of its \
                    last copy are polled (not_found)\n  Open the list";
        assert!(text.starts_with(line), "{text}");
        let check = |feeds: &[FeedStatus], has_copy| {
            let (exit, line) = overall(feeds, (&[failing_list(has_copy)], &[]), at(6_500));
            (exit, line.contains("; list https://list.example/x.opml fails: the server"))
        };
        assert_eq!(check(&[status(0)], true), (Exit::Ok, false), "a single failure");
        assert_eq!(check(&[status(0)], false), (Exit::Degraded, true));
        assert_eq!(check(&[status(2)], false), (Exit::Down, true));
        assert_eq!(check(&[], false), (Exit::Degraded, true));
        let json = json(&[], &[failing_list(true)], &[], at(6_500));
        assert_eq!(json["lists"][0]["code"], "not_found");
        assert_eq!(json["lists"][0]["failing_since"], "1970-01-01T01:46:40Z");
    }

    #[test]
    fn feeds_that_redirect_to_the_same_document_are_shown() {
        let (one, mut two) = (status(0), status(0));
        two.info.id = FeedId::new("old-garden").unwrap();
        two.info.url = "https://old.example/feed".to_owned();
        two.last_url = Some(one.info.url.clone());
        let text = table(&[one, two], at(6_500), None);
        assert!(
            text.contains("garden, old-garden: the same document, https://garden.example/feed"),
            "{text}"
        );
    }

    #[test]
    fn the_overall_state_is_ok_degraded_or_down() {
        let exit = |feeds: &[FeedStatus], now| overall(feeds, (&[], &[]), at(now)).0;
        assert_eq!(exit(&[status(0), status(0)], 6_500), Exit::Ok);
        assert_eq!(exit(&[status(0), status(2)], 6_500), Exit::Degraded);
        assert_eq!(exit(&[status(2), status(1)], 6_500), Exit::Degraded);
        assert_eq!(exit(&[status(2), status(3)], 6_500), Exit::Down);
        assert_eq!(exit(&[status(1)], 6_500), Exit::Ok, "a single failure passes");
        assert_eq!(exit(&[], 6_500), Exit::Degraded);
        let new = FeedStatus { last_poll_at: None, next_poll_at: at(0), ..status(0) };
        assert_eq!(exit(&[new.clone(), new], 6_500), Exit::Degraded, "none of them fails");
        // Due at 10,000 and not polled.
        assert_eq!(exit(&[status(0)], 10_000 + 3_600), Exit::Ok);
        let (down, why) = overall(&[status(0)], (&[], &[]), at(10_000 + 3_601));
        assert_eq!(down, Exit::Down);
        let line = plugin_line(down, &why);
        assert!(line.starts_with("NEWSWIRE CRITICAL: all feeds are overdue"), "{line}");
        let paused = FeedStatus { next_poll_at: Timestamp::MAX, ..status(0) };
        let (down, why) = overall(&[status(0), paused.clone()], (&[], &[]), at(10_000 + 3_601));
        assert!(down == Exit::Down && why.starts_with("1 of 2 feeds are overdue"), "{why}");
        // Others are polled.
        let polled = FeedStatus { last_poll_at: Some(at(13_000)), ..paused };
        assert_eq!(exit(&[status(0), polled], 10_000 + 3_601), Exit::Ok);
    }

    #[test]
    fn only_feeds_that_are_ok_are_counted_as_ok() {
        let check = |feeds: &[FeedStatus]| overall(feeds, (&[], &[]), at(6_500));
        let named = |id: &str, feed: FeedStatus| {
            let info = FeedInfo { id: FeedId::new(id).unwrap(), ..feed.info.clone() };
            FeedStatus { info, ..feed }
        };
        let paused = FeedStatus {
            reason: ReasonKind::Paused,
            last_poll_at: None,
            next_poll_at: at(0),
            last_outcome: None,
            ..status(0)
        };
        let new = FeedStatus { last_poll_at: None, last_outcome: None, ..status(0) };
        let mut held = named("held", status(0));
        held.activity.held = 2;
        let throttled = FeedStatus { last_outcome: Some(Outcome::Throttled), ..status(2) };
        let ok = "2 of 5 feeds ok, 0 failing, 1 throttled, 1 paused, 1 not polled yet";
        let feeds = [status(0), status(0), throttled, paused.clone(), new];
        assert_eq!(check(&feeds), (Exit::Ok, ok.to_owned()));
        let line = "1 of 2 feeds ok, 0 failing, 1 with held items; held needs attention";
        assert_eq!(check(&[status(0), held.clone()]), (Exit::Degraded, line.to_owned()));
        let line = "0 of 2 feeds ok, 1 failing, 1 with held items; 2 need attention, including bad";
        assert_eq!(check(&[held, named("bad", status(2))]), (Exit::Degraded, line.to_owned()));
        let line = "0 of 1 feeds ok, 0 failing, 1 paused";
        assert_eq!(check(std::slice::from_ref(&paused)), (Exit::Ok, line.to_owned()));
        let line = "0 of 2 feeds ok, 1 failing, 1 paused";
        assert_eq!(check(&[paused, status(2)]), (Exit::Down, line.to_owned()));
    }

    #[test]
    fn times_in_json_are_rfc_3339() {
        let feed = &json(&[status(0)], &[], &[], at(6_500))["feeds"][0];
        assert_eq!(feed["next_poll_at"], "1970-01-01T02:46:40Z");
        assert_eq!(feed["items"], 17);
        assert_eq!(feed["last_new_at"], Value::Null);
    }
}

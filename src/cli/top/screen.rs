//! What stands on the screen: a pure function of what was seen, what is wanted and the room there is.

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::snapshot::Snapshot;
use super::view::{Filter, View};
use crate::cli::words::{ago, ahead, bytes};
use crate::health::{JudgedFeed, State, tally};
use crate::model::Outcome;
use crate::store::HourCounts;
use crate::text::bidi;

/// The room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: u16,
    pub(super) rows: u16,
}

/// What a piece of text means; the terminal decides on the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Bold,
    Quiet,
    Good,
    Warn,
    Bad,
}

/// One line of the screen.
pub(super) type Line = Vec<(Ink, String)>;

/// So many of the last polls are shown, where there is room.
const EVENTS: usize = 5;
/// Without so many rows there is no room for more than feeds.
const ROOM: usize = 20;

/// The whole screen.
pub(super) fn draw(snapshot: &Snapshot, view: &View, size: Size) -> Vec<Line> {
    let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
    let mut lines = head(snapshot, view, columns);
    let mut foot = if rows >= ROOM { events(snapshot, columns) } else { Vec::new() };
    if !view.printed {
        foot.push(keys(view, columns));
    }
    let found = view.answer(&snapshot.feeds);
    let table = Table::for_width(columns);
    lines.push(table.heading());
    let room = rows.saturating_sub(lines.len() + foot.len());
    let above = view.above.min(found.len().saturating_sub(room));
    let shown = found.iter().skip(above).take(room);
    lines.extend(shown.map(|judged| table.row(judged, snapshot.now)));
    if found.is_empty() && room > 0 {
        lines.push(vec![(Ink::Quiet, "no feed of this kind".to_owned())]);
    }
    if !view.printed {
        lines.resize(rows.saturating_sub(foot.len()).max(lines.len()), Vec::new());
    }
    lines.extend(foot);
    lines.truncate(rows);
    lines
}

/// How it stands, and what was done lately.
fn head(snapshot: &Snapshot, view: &View, columns: usize) -> Vec<Line> {
    let mut first: Line = vec![(Ink::Bold, format!("newswire  {} feeds", snapshot.feeds.len()))];
    let counts = tally(snapshot.feeds.iter().map(|feed| &feed.health));
    for (state, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        first.push((Ink::Plain, "  ".to_owned()));
        first.push((ink(state), format!("{count} {}", state.group())));
    }
    let time = snapshot.now.strftime("%H:%M:%S UTC").to_string();
    let time = if view.paused { format!("paused  {time}") } else { time };
    let used: usize = first.iter().map(|(_, text)| text.width()).sum();
    if used + time.len() + 2 <= columns {
        first.push((Ink::Quiet, format!("{time:>0$}", columns - used)));
    }
    let this_hour = snapshot.now.as_second().div_euclid(3_600);
    let number = |hour: &HourCounts| hour.at.as_second().div_euclid(3_600);
    let by_hour: Vec<u64> = (this_hour - 23..=this_hour)
        .map(|n| snapshot.hours.iter().find(|hour| number(hour) == n).map_or(0, |h| h.polls))
        .collect();
    let sum = |of: fn(&HourCounts) -> u64| snapshot.hours.iter().map(of).sum::<u64>();
    let day = format!(
        "24 hours  {} polls, {} failed, {} new items, {}  ",
        sum(|hour| hour.polls),
        sum(|hour| hour.failed),
        sum(|hour| hour.new_items),
        bytes(sum(|hour| hour.wire_bytes) as f64),
    );
    let due = snapshot.feeds.iter().filter(|feed| feed.status.next_poll_at <= snapshot.now).count();
    let next = snapshot.feeds.iter().map(|feed| feed.status.next_poll_at);
    let next = match (due, next.min()) {
        (0, Some(at)) => format!("next poll {}", ahead(at, snapshot.now)),
        (0, None) => "nothing to poll: 'newswire add URL' subscribes to a feed".to_owned(),
        (due, _) => format!("{due} due or under way"),
    };
    let mut lines = vec![first, vec![(Ink::Plain, day), (Ink::Good, spark(&by_hour))]];
    lines.push(vec![(Ink::Plain, next)]);
    lines.push(Vec::new());
    lines.into_iter().map(|line| cut(line, columns)).collect()
}

/// One block an hour.
fn spark(amounts: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = amounts.iter().copied().max().unwrap_or_default().max(1);
    let block = |amount: &u64| match amount {
        0 => ' ',
        amount => BLOCKS[usize::try_from((amount * 7).div_ceil(most)).unwrap_or(7).min(7)],
    };
    amounts.iter().map(block).collect()
}

/// The columns of the table, by the room there is.
struct Table {
    feed: usize,
    why: usize,
}

const STATE: usize = 12;
const TIME: usize = 10;

impl Table {
    fn for_width(columns: usize) -> Self {
        let feed = (columns / 4).clamp(12, 36);
        Self { feed, why: columns.saturating_sub(feed + STATE + 3 * TIME) }
    }

    fn heading(&self) -> Line {
        let text = [
            (self.feed, "FEED"),
            (STATE, "STATE"),
            (TIME, "POLLED"),
            (TIME, "NEXT"),
            (TIME, "NEWS"),
            (self.why, "WHY"),
        ];
        vec![(Ink::Bold, text.map(|(width, word)| fit(word, width)).concat())]
    }

    fn row(&self, JudgedFeed { status, health }: &JudgedFeed, now: Timestamp) -> Line {
        let past = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| ago(at, now));
        let why = if health.text.is_empty() { &status.reason_text } else { &health.text };
        let quiet = if health.text.is_empty() { Ink::Quiet } else { Ink::Plain };
        vec![
            (Ink::Plain, fit(status.info.id.as_str(), self.feed)),
            (ink(health.state), fit(health.state.slug(), STATE)),
            (Ink::Plain, fit(&past(status.last_poll_at), TIME)),
            (Ink::Plain, fit(&ahead(status.next_poll_at, now), TIME)),
            (Ink::Plain, fit(&past(status.last_new_at), TIME)),
            (quiet, fit(why, self.why)),
        ]
    }
}

fn ink(state: State) -> Ink {
    match state {
        State::Quarantined | State::Failing | State::Gone => Ink::Bad,
        State::Silent | State::Throttled | State::Held | State::Moved => Ink::Warn,
        State::Offline | State::New => Ink::Quiet,
        State::Ok => Ink::Good,
    }
}

/// The last polls.
fn events(snapshot: &Snapshot, columns: usize) -> Vec<Line> {
    let polled = |judged: &&JudgedFeed| judged.status.last_poll_at;
    let mut last: Vec<&JudgedFeed> =
        snapshot.feeds.iter().filter(|judged| polled(judged).is_some()).collect();
    last.sort_by_key(|judged| std::cmp::Reverse(polled(judged)));
    if last.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Vec::new(), vec![(Ink::Bold, "LAST POLLS".to_owned())]];
    for JudgedFeed { status, .. } in last.into_iter().take(EVENTS) {
        let time = status.last_poll_at.map(|at| at.strftime("%H:%M:%S").to_string());
        let outcome = status.last_outcome.map_or("", Outcome::slug);
        let http = status.last_status.map_or_else(String::new, |status| format!(" {status}"));
        let fresh = status.last_new_at.is_some() && status.last_new_at == status.last_poll_at;
        let news = if fresh { ", brought news" } else { "" };
        let message = status.last_message.as_deref().map(|message| format!(": {message}"));
        let text =
            format!("{} {outcome}{http}{news}{}", status.info.id, message.unwrap_or_default());
        let ink = if status.failures > 0 { Ink::Bad } else { Ink::Plain };
        let line = vec![(Ink::Quiet, format!("{}  ", time.unwrap_or_default())), (ink, text)];
        lines.push(cut(line, columns));
    }
    lines
}

fn keys(view: &View, columns: usize) -> Line {
    let text = if view.typing {
        format!("name: {}_   Enter keeps it, Esc clears it", view.words)
    } else {
        let pause = if view.paused { "p go on" } else { "p pause" };
        let words =
            if view.words.is_empty() { String::new() } else { format!(" \"{}\"", view.words) };
        let filter = if view.filter == Filter::All && words.is_empty() {
            "f filter".to_owned()
        } else {
            format!("f filter: {}{words}", view.filter.name())
        };
        format!("q quit   s sort: {}   {filter}   / name   {pause}   ↑↓ scroll", view.order.name())
    };
    cut(vec![(Ink::Quiet, text)], columns)
}

/// A text as wide as its column, with a space behind it; what a terminal would obey is left out.
fn fit(text: &str, width: usize) -> String {
    let room = width.saturating_sub(1);
    let mut fitted = shortened(text, room);
    let rest = width.saturating_sub(fitted.width());
    fitted.extend(std::iter::repeat_n(' ', rest));
    fitted
}

/// A line no wider than the screen.
fn cut(line: Line, columns: usize) -> Line {
    let mut room = columns;
    let mut kept = Line::new();
    for (ink, text) in line {
        let text = shortened(&text, room);
        room = room.saturating_sub(text.width());
        kept.push((ink, text));
    }
    kept
}

fn shortened(text: &str, room: usize) -> String {
    let clean =
        || text.chars().filter(|c| !c.is_control() && !bidi::is_control(*c) && !bidi::is_mark(*c));
    let whole: usize = clean().map(|c| c.width().unwrap_or(0)).sum();
    if whole <= room {
        return clean().collect();
    }
    let (mut short, mut used) = (String::new(), 0);
    for c in clean() {
        used += c.width().unwrap_or(0);
        if used + 1 > room {
            break;
        }
        short.push(c);
    }
    if room > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::super::view::Key;
    use super::*;
    use crate::health::judge;
    use crate::model::{Address, FeedId, FeedInfo, FeedKey, FeedProfile, FeedStatus, ReasonKind};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn feed(id: &str, outcome: &str, failures: u32) -> JudgedFeed {
        let status = FeedStatus {
            info: FeedInfo {
                key: FeedKey(1),
                id: FeedId::new(id).unwrap(),
                url: format!("https://{id}.example/feed"),
                title: id.to_owned(),
                tags: Vec::new(),
                profile: FeedProfile::default(),
            },
            next_poll_at: at(3_600),
            reason: ReasonKind::Interval,
            reason_text: "interval 1h".to_owned(),
            failures,
            failing_since: (failures > 0).then(|| at(-90_000)),
            last_poll_at: Some(at(-60)),
            last_outcome: Outcome::from_slug(outcome),
            last_status: Some(200),
            last_message: (failures > 0).then(|| "500 \u{1b}[2J日本語\u{202e}".repeat(9)),
            last_url: None,
            last_success_at: None,
            last_new_at: Some(at(-7_200)),
            items: 3,
            dialect: None,
            parse_warnings: Vec::new(),
            address: Address::default(),
            activity: Default::default(),
        };
        let health = judge(&status, at(0));
        JudgedFeed { status, health }
    }

    fn snapshot() -> Snapshot {
        let mut feeds = vec![feed("broken", "server_error", 4)];
        feeds.extend((0..40).map(|n| feed(&format!("feed-{n:02}"), "modified", 0)));
        Snapshot { now: at(0), feeds, hours: Vec::new() }
    }

    fn text(lines: &[Line]) -> Vec<String> {
        let line = |line: &Line| line.iter().map(|(_, text)| text.as_str()).collect::<String>();
        lines.iter().map(line).collect()
    }

    #[test]
    fn the_screen_is_filled_and_never_overflows_whatever_its_size() {
        for (columns, rows) in [(80, 24), (40, 10), (200, 60), (12, 3), (1, 1), (0, 0)] {
            let lines = draw(&snapshot(), &View::default(), Size { columns, rows });
            assert!(lines.len() <= usize::from(rows), "{columns}x{rows}: {}", lines.len());
            for line in text(&lines) {
                let width = line.width();
                let room = usize::from(columns).max(12 + STATE + 3 * TIME);
                assert!(width <= room, "{columns}x{rows}: {width} in {line:?}");
                assert!(!line.chars().any(|c| c.is_control() || bidi::is_control(c)), "{line:?}");
            }
        }
    }

    #[test]
    fn the_worst_stands_on_top_and_the_last_polls_below() {
        let lines = text(&draw(&snapshot(), &View::default(), Size { columns: 100, rows: 30 }));
        assert!(lines[0].starts_with("newswire  41 feeds  1 failing  40 OK"), "{}", lines[0]);
        assert_eq!(lines[2], "next poll in 1h");
        assert!(lines[5].starts_with("broken"), "{lines:#?}");
        assert!(lines[5].contains("failing") && lines[5].contains("2h ago"));
        assert!(lines[6].contains("interval 1h"));
        assert!(lines.iter().any(|line| line == "LAST POLLS"));
        assert!(lines[29].starts_with("q quit"));
    }

    #[test]
    fn keys_filter_sort_search_scroll_and_end_it() {
        let (snapshot, mut view) = (snapshot(), View::default());
        let shown = |view: &View| view.answer(&snapshot.feeds).len();
        assert!(view.press(Key::Letter('f'), &snapshot));
        assert_eq!((view.filter.name(), shown(&view)), ("needs you", 1));
        view.press(Key::Back, &snapshot);
        for key in ['/', 'd', '-', '0', 'q'] {
            view.press(Key::Letter(key), &snapshot);
        }
        view.press(Key::Erase, &snapshot);
        view.press(Key::Enter, &snapshot);
        assert_eq!((view.words.as_str(), shown(&view)), ("d-0", 10));
        view.press(Key::Back, &snapshot);
        view.press(Key::Letter('s'), &snapshot);
        assert_eq!((view.order.name(), shown(&view)), ("next poll", 41));
        view.press(Key::Scroll(1_000), &snapshot);
        assert_eq!(view.above, 40);
        view.press(Key::Letter('p'), &snapshot);
        assert!(view.paused);
        assert!(!view.press(Key::Letter('q'), &snapshot));
        assert!(!view.press(Key::Leave, &snapshot));
    }

    #[test]
    fn amounts_are_drawn_by_their_share_of_the_most() {
        assert_eq!(spark(&[0, 1, 50, 100]), " ▂▅█");
    }
}

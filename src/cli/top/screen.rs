//! The lines of the screen: a pure function of the snapshot, the view and the size of the terminal.

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::view::{Filter, View};
use crate::health::{JudgedFeed, State, tally};
use crate::model::Outcome;
use crate::store::HourCounts;
use crate::text::amounts::{ago, ahead, bytes};
use crate::text::bidi;

/// What is shown, as it was in the database at one time.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// Time of the snapshot (UTC).
    pub(super) now: Timestamp,
    /// All feeds with their states.
    pub(super) feeds: Vec<JudgedFeed>,
    /// Numbers of polls and items of the last 24 hours.
    pub(super) hours: Vec<HourCounts>,
}

/// Size of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: u16,
    pub(super) rows: u16,
}

/// Style of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextStyle {
    Plain,
    Bold,
    Dim,
    Good,
    Warning,
    Bad,
}

/// One line of the screen.
pub(super) type Line = Vec<(TextStyle, String)>;

/// Number of the last polls that are shown.
const LAST_POLLS: usize = 5;
/// Minimal number of rows with which the last polls are shown.
const MIN_ROWS: usize = 20;

/// All lines of the screen, for a terminal of this size.
pub(super) fn draw(snapshot: &Snapshot, view: &View, size: Size) -> Vec<Line> {
    let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
    let mut lines = head(snapshot, view, columns);
    let mut foot = if rows >= MIN_ROWS { last_polls(snapshot, columns) } else { Vec::new() };
    if !view.printed {
        foot.push(keys(view, columns));
    }
    let found = view.select(&snapshot.feeds);
    let table = Table::for_width(columns);
    lines.push(table.heading());
    let room = rows.saturating_sub(lines.len() + foot.len());
    let first = view.scrolled.min(found.len().saturating_sub(room));
    let shown = found.iter().skip(first).take(room);
    lines.extend(shown.map(|judged| table.row(judged, snapshot.now)));
    if found.is_empty() && room > 0 {
        lines.push(vec![(TextStyle::Dim, "no matching feed".to_owned())]);
    }
    if !view.printed {
        lines.resize(rows.saturating_sub(foot.len()).max(lines.len()), Vec::new());
    }
    lines.extend(foot);
    lines.truncate(rows);
    lines
}

/// Number of feeds by state, the last 24 hours, the next poll.
fn head(snapshot: &Snapshot, view: &View, columns: usize) -> Vec<Line> {
    let mut first: Line =
        vec![(TextStyle::Bold, format!("newswire  {} feeds", snapshot.feeds.len()))];
    let counts = tally(snapshot.feeds.iter().map(|feed| &feed.health));
    for (state, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        first.push((TextStyle::Plain, "  ".to_owned()));
        first.push((state_style(state), format!("{count} {}", state.group())));
    }
    let time = snapshot.now.strftime("%H:%M:%S UTC").to_string();
    let time = if view.paused { format!("paused  {time}") } else { time };
    let used: usize = first.iter().map(|(_, text)| text.width()).sum();
    if used + time.len() + 2 <= columns {
        first.push((TextStyle::Dim, format!("{time:>0$}", columns - used)));
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
    let next = snapshot.feeds.iter().filter_map(|feed| feed.status.next_poll());
    let next = match (due, next.min()) {
        (0, Some(at)) => format!("next poll {}", ahead(at, snapshot.now)),
        (0, None) if snapshot.feeds.is_empty() => {
            "nothing to poll: 'newswire add URL' subscribes to a feed".to_owned()
        }
        (0, None) => "no polls: all feeds are paused or gone".to_owned(),
        (due, _) => format!("{due} due or being polled"),
    };
    let mut lines = vec![first, vec![(TextStyle::Plain, day), (TextStyle::Good, spark(&by_hour))]];
    lines.push(vec![(TextStyle::Plain, next)]);
    lines.push(Vec::new());
    lines.into_iter().map(|line| cut(line, columns)).collect()
}

/// A bar chart of one line, one character per hour.
fn spark(amounts: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = amounts.iter().copied().max().unwrap_or_default().max(1);
    let block = |amount: &u64| match amount {
        0 => ' ',
        amount => BLOCKS[usize::try_from((amount * 7).div_ceil(most)).unwrap_or(7).min(7)],
    };
    amounts.iter().map(block).collect()
}

/// Widths of the columns of the table.
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
            (TIME, "NEW ITEM"),
            (self.why, "WHY"),
        ];
        vec![(TextStyle::Bold, text.map(|(width, word)| fit(word, width)).concat())]
    }

    fn row(&self, JudgedFeed { status, health }: &JudgedFeed, now: Timestamp) -> Line {
        let past = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| ago(at, now));
        let why = if health.text.is_empty() { &status.reason_text } else { &health.text };
        let why_style = if health.text.is_empty() { TextStyle::Dim } else { TextStyle::Plain };
        vec![
            (TextStyle::Plain, fit(status.info.id.as_str(), self.feed)),
            (state_style(health.state), fit(health.state.slug(), STATE)),
            (TextStyle::Plain, fit(&past(status.last_poll_at), TIME)),
            (TextStyle::Plain, fit(&ahead(status.next_poll_at, now), TIME)),
            (TextStyle::Plain, fit(&past(status.last_new_at), TIME)),
            (why_style, fit(why, self.why)),
        ]
    }
}

fn state_style(state: State) -> TextStyle {
    match state {
        State::Quarantined | State::Failing | State::Gone => TextStyle::Bad,
        State::Silent | State::Throttled | State::Held | State::Moved => TextStyle::Warning,
        State::Offline | State::Paused | State::New => TextStyle::Dim,
        State::Ok => TextStyle::Good,
    }
}

/// The last polls, the newest first.
fn last_polls(snapshot: &Snapshot, columns: usize) -> Vec<Line> {
    let polled = |judged: &&JudgedFeed| judged.status.last_poll_at;
    let mut last: Vec<&JudgedFeed> =
        snapshot.feeds.iter().filter(|judged| polled(judged).is_some()).collect();
    last.sort_by_key(|judged| std::cmp::Reverse(polled(judged)));
    if last.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Vec::new(), vec![(TextStyle::Bold, "LAST POLLS".to_owned())]];
    for JudgedFeed { status, .. } in last.into_iter().take(LAST_POLLS) {
        let time = status.last_poll_at.map(|at| at.strftime("%H:%M:%S").to_string());
        let outcome = status.last_outcome.map_or("", Outcome::slug);
        let http = status.last_status.map_or_else(String::new, |status| format!(" {status}"));
        let fresh = status.last_new_at.is_some() && status.last_new_at == status.last_poll_at;
        let news = if fresh { ", new items" } else { "" };
        let message = status.last_message.as_deref().map(|message| format!(": {message}"));
        let text =
            format!("{} {outcome}{http}{news}{}", status.info.id, message.unwrap_or_default());
        let style = if status.failures > 0 { TextStyle::Bad } else { TextStyle::Plain };
        let line = vec![(TextStyle::Dim, format!("{}  ", time.unwrap_or_default())), (style, text)];
        lines.push(cut(line, columns));
    }
    lines
}

fn keys(view: &View, columns: usize) -> Line {
    let text = if view.typing {
        format!("search: {}_   Enter applies, Esc clears", view.search)
    } else {
        let pause = if view.paused { "p continue" } else { "p pause" };
        let search =
            if view.search.is_empty() { String::new() } else { format!(" \"{}\"", view.search) };
        let filter = if view.filter == Filter::All && search.is_empty() {
            "f filter".to_owned()
        } else {
            format!("f filter: {}{search}", view.filter.name())
        };
        format!(
            "q quit   s sort: {}   {filter}   / search   {pause}   ↑↓ scroll",
            view.order.name()
        )
    };
    cut(vec![(TextStyle::Dim, text)], columns)
}

/// A text padded or cut to its column, with a space at the end. Control characters are removed.
fn fit(text: &str, width: usize) -> String {
    let room = width.saturating_sub(1);
    let mut fitted = shortened(text, room);
    let rest = width.saturating_sub(fitted.width());
    fitted.extend(std::iter::repeat_n(' ', rest));
    fitted
}

/// A line cut to the width of the screen.
fn cut(line: Line, columns: usize) -> Line {
    let mut room = columns;
    let mut kept = Line::new();
    for (style, text) in line {
        let text = shortened(&text, room);
        room = room.saturating_sub(text.width());
        kept.push((style, text));
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
    use crate::model::{FeedId, FeedInfo, FeedKey, FeedProfile, FeedStatus, ReasonKind};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn feed(id: &str, outcome: &str, failures: u32) -> JudgedFeed {
        let info = FeedInfo {
            key: FeedKey(1),
            id: FeedId::new(id).unwrap(),
            url: format!("https://{id}.example/feed"),
            title: id.to_owned(),
            tags: Vec::new(),
            profile: FeedProfile::default(),
        };
        let status = FeedStatus {
            next_poll_at: at(3_600),
            reason: ReasonKind::Interval,
            reason_text: "interval 1h".to_owned(),
            failures,
            failing_since: (failures > 0).then(|| at(-90_000)),
            last_poll_at: Some(at(-60)),
            last_outcome: Outcome::from_slug(outcome),
            last_status: Some(200),
            last_message: (failures > 0).then(|| "500 \u{1b}[2J日本語\u{202e}".repeat(9)),
            last_new_at: Some(at(-7_200)),
            items: 3,
            ..FeedStatus::unpolled(info)
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
    fn the_screen_never_overflows() {
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
    fn failing_feeds_are_at_the_top_and_the_last_polls_below() {
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
    fn keys_filter_sort_search_scroll_and_quit() {
        let (snapshot, mut view) = (snapshot(), View::default());
        let shown = |view: &View| view.select(&snapshot.feeds).len();
        assert!(view.press(Key::Letter('f'), &snapshot));
        assert_eq!((view.filter.name(), shown(&view)), ("needs attention", 1));
        view.press(Key::Back, &snapshot);
        for key in ['/', 'd', '-', '0', 'q'] {
            view.press(Key::Letter(key), &snapshot);
        }
        view.press(Key::Erase, &snapshot);
        view.press(Key::Enter, &snapshot);
        assert_eq!((view.search.as_str(), shown(&view)), ("d-0", 10), "{view:?}");
        view.press(Key::Back, &snapshot);
        view.press(Key::Letter('s'), &snapshot);
        assert_eq!((view.order.name(), shown(&view)), ("next poll", 41));
        view.press(Key::Scroll(1_000), &snapshot);
        assert_eq!(view.scrolled, 40);
        view.press(Key::Letter('p'), &snapshot);
        assert!(view.paused);
        assert!(!view.press(Key::Letter('q'), &snapshot));
        assert!(!view.press(Key::Leave, &snapshot));
    }

    #[test]
    fn the_bar_chart_is_relative_to_the_largest_value() {
        assert_eq!(spark(&[0, 1, 50, 100]), " ▂▅█");
    }
}

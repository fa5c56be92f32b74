//! Sort order, filter and scroll position of `newswire top`, changed by keys, and the keys in the bytes that a terminal
//! sends. Pure; unknown sequences are [`Key::Other`].

use std::cmp::Reverse;

use super::screen::Snapshot;
use crate::health::{Health, JudgedFeed, State};

/// Sort order of the feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    #[default]
    Health,
    Next,
    Last,
    News,
    Name,
}

impl Order {
    const ALL: [Self; 5] = [Self::Health, Self::Next, Self::Last, Self::News, Self::Name];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Next => "next poll",
            Self::Last => "last poll",
            Self::News => "last new item",
            Self::Name => "name",
        }
    }
}

/// Which feeds are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Filter {
    #[default]
    All,
    NeedsAttention,
    Only(State),
}

impl Filter {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NeedsAttention => "needs attention",
            Self::Only(state) => state.slug(),
        }
    }

    fn takes(self, health: &Health) -> bool {
        match self {
            Self::All => true,
            Self::NeedsAttention => health.needs_attention,
            Self::Only(only) => health.state == only,
        }
    }
}

/// A key, independent of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Letter(char),
    Enter,
    Erase,
    Back,
    Leave,
    Scroll(isize),
    Other,
}

/// What the screen shows: order, filter and position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct View {
    pub(super) order: Order,
    pub(super) filter: Filter,
    /// Text that the name of a feed must contain; may be empty.
    pub(super) search: String,
    /// Whether letters are added to `search`.
    pub(super) typing: bool,
    pub(super) paused: bool,
    /// Number of feeds above the visible part.
    pub(super) scrolled: usize,
    /// Whether the output goes to no terminal, so that no keys are shown.
    pub(super) printed: bool,
}

impl View {
    /// The view for output without a terminal.
    pub(super) fn printed() -> Self {
        Self { printed: true, ..Self::default() }
    }

    /// Handles a key. Returns `false` when the user quits.
    pub(super) fn press(&mut self, key: Key, snapshot: &Snapshot) -> bool {
        match key {
            Key::Leave => return false,
            Key::Scroll(by) => {
                let last = self.select(&snapshot.feeds).len().saturating_sub(1);
                self.scrolled = self.scrolled.saturating_add_signed(by).min(last);
            }
            _ if self.typing => match key {
                Key::Letter(c) => self.search.push(c),
                Key::Erase => drop(self.search.pop()),
                Key::Enter => self.typing = false,
                Key::Back => (self.typing, self.search) = (false, String::new()),
                _ => {}
            },
            Key::Letter('q') => return false,
            Key::Back if self.search.is_empty() && self.filter == Filter::All => return false,
            Key::Back => {
                (self.search, self.filter, self.scrolled) = (String::new(), Filter::All, 0);
            }
            Key::Letter('s') => self.order = next(&Order::ALL, self.order),
            Key::Letter('f') => {
                (self.filter, self.scrolled) = (next(&filters(snapshot), self.filter), 0);
            }
            Key::Letter('p' | ' ') => self.paused = !self.paused,
            Key::Letter('/') => (self.typing, self.scrolled) = (true, 0),
            Key::Letter('j') => return self.press(Key::Scroll(1), snapshot),
            Key::Letter('k') => return self.press(Key::Scroll(-1), snapshot),
            Key::Letter(_) | Key::Enter | Key::Erase | Key::Other => {}
        }
        true
    }

    /// The feeds that pass filter and search, sorted.
    pub(super) fn select<'s>(&self, feeds: &'s [JudgedFeed]) -> Vec<&'s JudgedFeed> {
        let search = self.search.to_lowercase();
        let matches = |JudgedFeed { status, health }: &&JudgedFeed| {
            let name = || format!("{} {}", status.info.id, status.info.title).to_lowercase();
            self.filter.takes(health) && (search.is_empty() || name().contains(&search))
        };
        let mut found: Vec<&JudgedFeed> = feeds.iter().filter(matches).collect();
        match self.order {
            Order::Name => {}
            Order::Health => {
                found.sort_by_key(|feed| (feed.health.state, feed.status.next_poll_at));
            }
            Order::Next => found.sort_by_key(|feed| feed.status.next_poll_at),
            Order::Last => found.sort_by_key(|feed| Reverse(feed.status.last_poll_at)),
            Order::News => found.sort_by_key(|feed| Reverse(feed.status.last_new_at)),
        }
        found
    }
}

/// The filters that at least one feed passes.
fn filters(snapshot: &Snapshot) -> Vec<Filter> {
    let occurs = |state: &&State| snapshot.feeds.iter().any(|feed| feed.health.state == **state);
    let states = State::ALL.iter().filter(occurs).map(|state| Filter::Only(*state));
    [Filter::All, Filter::NeedsAttention].into_iter().chain(states).collect()
}

/// The value after `current`; after the last one the first.
fn next<T: Copy + PartialEq>(all: &[T], current: T) -> T {
    let at = all.iter().position(|one| *one == current).map_or(0, |at| at + 1);
    all[at % all.len()]
}

/// Decodes the bytes of one read; terminals send the bytes of one key together.
pub(super) fn keys(bytes: &[u8]) -> Vec<Key> {
    let text = String::from_utf8_lossy(bytes);
    let (mut keys, mut rest) = (Vec::new(), &*text);
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        keys.push(match first {
            '\u{1b}' => match rest.strip_prefix(['[', 'O']) {
                Some(sequence) => {
                    let (key, behind) = sequenced(sequence);
                    rest = behind;
                    key
                }
                None => Key::Back,
            },
            // Ctrl-C and Ctrl-D, which cause no signal in raw mode.
            '\u{3}' | '\u{4}' => Key::Leave,
            '\r' | '\n' => Key::Enter,
            '\u{7f}' | '\u{8}' => Key::Erase,
            c if c.is_control() => Key::Other,
            c => Key::Letter(c),
        });
    }
    keys
}

/// Decodes a control sequence (ECMA-48 5.4): parameters and one final byte.
fn sequenced(sequence: &str) -> (Key, &str) {
    let end = sequence.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(sequence.len());
    let (parameters, rest) = sequence.split_at(end);
    let Some(last) = rest.chars().next() else { return (Key::Other, "") };
    let key = match (last, parameters) {
        ('A', _) => Key::Scroll(-1),
        ('B', _) => Key::Scroll(1),
        ('H', _) | ('~', "1" | "7") => Key::Scroll(isize::MIN),
        ('F', _) | ('~', "4" | "8") => Key::Scroll(isize::MAX),
        ('~', "5") => Key::Scroll(-20),
        ('~', "6") => Key::Scroll(20),
        _ => Key::Other,
    };
    (key, &rest[last.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_from_the_sequences_of_terminals() {
        assert_eq!(keys(b"q/\x1b"), [Key::Letter('q'), Key::Letter('/'), Key::Back]);
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[6~"), [-1, 1, 20].map(Key::Scroll));
        assert_eq!(
            keys("ü\r\x7f\x03".as_bytes()),
            [Key::Letter('ü'), Key::Enter, Key::Erase, Key::Leave]
        );
    }

    #[test]
    fn unknown_sequences_are_no_keys() {
        assert_eq!(keys(b"\x1b[1;5Zx"), [Key::Other, Key::Letter('x')]);
        assert_eq!(keys(b"\x1b[12"), [Key::Other]);
        assert_eq!(keys(b""), []);
    }
}

//! What the person at the terminal wants to see: pure, driven by keys.

use std::cmp::Reverse;

use super::snapshot::Snapshot;
use crate::health::{JudgedFeed, State};

/// What stands first.
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
            Self::News => "last news",
            Self::Name => "name",
        }
    }
}

/// Which feeds are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Filter {
    #[default]
    All,
    NeedYou,
    Only(State),
}

impl Filter {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NeedYou => "needs you",
            Self::Only(state) => state.slug(),
        }
    }

    fn takes(self, state: State) -> bool {
        match self {
            Self::All => true,
            Self::NeedYou => state.needs_attention(),
            Self::Only(only) => state == only,
        }
    }
}

/// A key, whatever terminal it comes from.
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

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct View {
    pub(super) order: Order,
    pub(super) filter: Filter,
    /// In the name, where not empty.
    pub(super) words: String,
    /// Whether letters go into `words`.
    pub(super) typing: bool,
    pub(super) paused: bool,
    /// So many feeds are above the screen.
    pub(super) above: usize,
    /// Nobody can press a key.
    pub(super) printed: bool,
}

impl View {
    /// For paper.
    pub(super) fn printed() -> Self {
        Self { printed: true, ..Self::default() }
    }

    /// Takes a key; `false`: the person has seen enough.
    pub(super) fn press(&mut self, key: Key, snapshot: &Snapshot) -> bool {
        match key {
            Key::Leave => return false,
            Key::Scroll(by) => {
                let last = self.answer(&snapshot.feeds).len().saturating_sub(1);
                self.above = self.above.saturating_add_signed(by).min(last);
            }
            _ if self.typing => match key {
                Key::Letter(c) => self.words.push(c),
                Key::Erase => drop(self.words.pop()),
                Key::Enter => self.typing = false,
                Key::Back => (self.typing, self.words) = (false, String::new()),
                _ => {}
            },
            Key::Letter('q') => return false,
            Key::Back if self.words.is_empty() && self.filter == Filter::All => return false,
            Key::Back => (self.words, self.filter, self.above) = (String::new(), Filter::All, 0),
            Key::Letter('s') => self.order = after(&Order::ALL, self.order),
            Key::Letter('f') => {
                (self.filter, self.above) = (after(&filters(snapshot), self.filter), 0);
            }
            Key::Letter('p' | ' ') => self.paused = !self.paused,
            Key::Letter('/') => (self.typing, self.above) = (true, 0),
            Key::Letter('j') => return self.press(Key::Scroll(1), snapshot),
            Key::Letter('k') => return self.press(Key::Scroll(-1), snapshot),
            Key::Letter(_) | Key::Enter | Key::Erase | Key::Other => {}
        }
        true
    }

    /// The feeds that are wanted, in the order that is.
    pub(super) fn answer<'s>(&self, feeds: &'s [JudgedFeed]) -> Vec<&'s JudgedFeed> {
        let words = self.words.to_lowercase();
        let meant = |JudgedFeed { status, health }: &&JudgedFeed| {
            let name = || format!("{} {}", status.info.id, status.info.title).to_lowercase();
            self.filter.takes(health.state) && (words.is_empty() || name().contains(&words))
        };
        let mut found: Vec<&JudgedFeed> = feeds.iter().filter(meant).collect();
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

/// Those that would show something.
fn filters(snapshot: &Snapshot) -> Vec<Filter> {
    let there = |state: &&State| snapshot.feeds.iter().any(|feed| feed.health.state == **state);
    let states = State::ALL.iter().filter(there).map(|state| Filter::Only(*state));
    [Filter::All, Filter::NeedYou].into_iter().chain(states).collect()
}

/// The one behind, round and round.
fn after<T: Copy + PartialEq>(all: &[T], current: T) -> T {
    let at = all.iter().position(|one| *one == current).map_or(0, |at| at + 1);
    all[at % all.len()]
}

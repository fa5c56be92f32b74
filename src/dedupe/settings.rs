//! `[dedupe]`: what counts as the same thing, and what is let through.

use std::time::Duration;

/// How far the search for the same story goes across feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcrossFeeds {
    /// Each feed for itself.
    Off,
    /// The same page is the same story.
    Link,
    /// The same page or much the same text.
    #[default]
    Cluster,
}

/// What becomes of an item that its publisher changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Updates {
    /// What it says is replaced; its place and its id stay.
    #[default]
    Silent,
    /// It stays as it was first seen.
    Ignore,
    /// As silent, but a change worth reading is dated, so that readers show it again.
    Bump,
}

/// How much is asked of texts before they are one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Likeness {
    /// Almost the whole.
    Strict,
    /// What the labelled pairs of the tests bear.
    #[default]
    Normal,
    /// Less, at the price of joining what is not one.
    Loose,
}

/// What counts as the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How far the search for the same story goes across feeds.
    pub across_feeds: AcrossFeeds,
    /// Texts that were published further apart are not compared.
    pub window: Duration,
    /// How much is asked of texts.
    pub likeness: Likeness,
    /// What becomes of changed items.
    pub updates: Updates,
    /// A feed that is new here brings so many of its newest items.
    pub new_feed_items: usize,
    /// Whether a burst that no publisher writes is held.
    pub bursts: Bursts,
}

/// What becomes of far more new items at once than a feed ever brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bursts {
    /// What is plainly news is let through, the rest waits for a word of the operator.
    #[default]
    Hold,
    /// All of it is let through.
    Pass,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            across_feeds: AcrossFeeds::default(),
            window: Duration::from_secs(72 * 3600),
            likeness: Likeness::default(),
            updates: Updates::default(),
            new_feed_items: 50,
            bursts: Bursts::default(),
        }
    }
}

impl Settings {
    /// What the need for shared text is multiplied by.
    pub(super) fn strictness(&self) -> f32 {
        match self.likeness {
            Likeness::Strict => 1.4,
            Likeness::Normal => 1.0,
            Likeness::Loose => 0.8,
        }
    }
}

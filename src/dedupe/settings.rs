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
    Text,
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

/// What identifies an item within its feed: `[dedupe] identity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdentityRule {
    /// The guid, else the link; an item with a known key and another title, text and date may be new.
    #[default]
    Auto,
    /// The guid, else the link, always: an item with a known key is an update, whatever it says.
    Key,
    /// The guid, else the link, together with the title.
    Title,
    /// The guid, else the link, together with the date of publication.
    Date,
}

/// How much is asked of texts before they are one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Similarity {
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
    /// What identifies an item within its feed.
    pub identity: IdentityRule,
    /// How far the search for the same story goes across feeds.
    pub across_feeds: AcrossFeeds,
    /// Texts that were published further apart are not compared.
    pub window: Duration,
    /// How much is asked of texts.
    pub similarity: Similarity,
    /// What becomes of changed items.
    pub updates: Updates,
    /// Number of newest items that are shown of the first document of a feed.
    pub initial_items: usize,
    /// Whether a burst that no publisher writes is held.
    pub burst_guard: BurstGuard,
}

/// What becomes of far more new items at once than a feed ever brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BurstGuard {
    /// What is plainly news is let through, the rest waits for a word of the operator.
    #[default]
    Hold,
    /// All of it is let through.
    Off,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            identity: IdentityRule::default(),
            across_feeds: AcrossFeeds::default(),
            window: Duration::from_secs(72 * 3600),
            similarity: Similarity::default(),
            updates: Updates::default(),
            initial_items: 50,
            burst_guard: BurstGuard::default(),
        }
    }
}

impl Settings {
    /// What the need for shared text is multiplied by.
    pub(super) fn strictness(&self) -> f32 {
        match self.similarity {
            Similarity::Strict => 1.4,
            Similarity::Normal => 1.0,
            Similarity::Loose => 0.8,
        }
    }
}

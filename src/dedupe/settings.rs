//! `[dedupe]`: which items are the same story, and which new items are shown.

use std::time::Duration;

/// How far the search for the same story goes across feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcrossFeeds {
    /// Feeds are not compared.
    Off,
    /// The same page is the same story.
    Link,
    /// The same page or much the same text.
    #[default]
    Text,
}

/// What happens with an item that its publisher changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Updates {
    /// Its text is replaced; its position and its id stay.
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
    /// Always the guid, else the link: an item with a known key is an update, whatever its text.
    Key,
    /// The guid, else the link, together with the title.
    Title,
    /// The guid, else the link, together with the date of publication.
    Date,
}

/// How much two texts must share to be one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Similarity {
    /// Half of the differences that `normal` allows, and no headline without a text.
    Strict,
    /// The level that the labelled pairs of the tests measure.
    #[default]
    Normal,
    /// Three quarters of the shared text that `normal` demands; some matches are wrong.
    Loose,
}

/// Settings of the section `[dedupe]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What identifies an item within its feed.
    pub identity: IdentityRule,
    /// How far the search for the same story goes across feeds.
    pub across_feeds: AcrossFeeds,
    /// Texts that were published further apart are not compared.
    pub window: Duration,
    /// How much two texts must share.
    pub similarity: Similarity,
    /// What happens with changed items.
    pub updates: Updates,
    /// Number of newest items that are shown of the first document of a feed.
    pub initial_items: usize,
    /// Whether an unusual burst of items is held.
    pub burst_guard: BurstGuard,
}

/// What happens with far more new items at once than a feed had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BurstGuard {
    /// Recent items are shown, the others wait until the operator releases them.
    #[default]
    Hold,
    /// All of them are shown.
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
    /// The part of a text that must be in the other, where `need` is that of `normal`.
    pub(super) fn need(&self, need: f32) -> f32 {
        match self.similarity {
            Similarity::Strict => 1.0 - (1.0 - need) * STRICT,
            Similarity::Normal => need,
            Similarity::Loose => need * LOOSE,
        }
    }

    /// Factor of the differences that are allowed.
    pub(super) fn tolerance(&self) -> f32 {
        match self.similarity {
            Similarity::Strict => STRICT,
            Similarity::Normal => 1.0,
            Similarity::Loose => 1.0 / LOOSE,
        }
    }
}

/// Part of the differences that `strict` allows.
const STRICT: f32 = 0.5;
/// Part of the needed text that `loose` demands.
const LOOSE: f32 = 0.75;

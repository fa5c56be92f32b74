//! `[dedupe]`: what counts as the same thing.

/// How far the search for the same story goes across feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcrossFeeds {
    /// Each feed for itself.
    Off,
    /// The same canonical URL is the same story.
    #[default]
    Link,
}

/// What counts as the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// How far the search for the same story goes across feeds.
    pub across_feeds: AcrossFeeds,
}

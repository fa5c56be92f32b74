//! Whether a new item is the same story as one that another feed brought before.

use super::settings::{AcrossFeeds, Settings};
use crate::model::{Candidate, FeedKey, StoryKey};

/// The story that a new item of `feed` joins, given the kept items with its canonical URL, the
/// earliest first; `None`: it begins one.
///
/// A story holds one item of a feed at most: a feed tells its own items apart by its own ids.
#[must_use]
pub fn same_story(
    settings: &Settings,
    feed: FeedKey,
    candidates: &[Candidate],
) -> Option<StoryKey> {
    if settings.across_feeds == AcrossFeeds::Off {
        return None;
    }
    let own = |story: StoryKey| candidates.iter().any(|c| c.story == story && c.feed == feed);
    candidates.iter().map(|candidate| candidate.story).find(|story| !own(*story))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ItemKey;

    fn candidate(key: i64, story: i64, feed: i64) -> Candidate {
        Candidate { key: ItemKey(key), story: StoryKey(story), feed: FeedKey(feed) }
    }

    fn joined(candidates: &[Candidate], across_feeds: AcrossFeeds) -> Option<StoryKey> {
        same_story(&Settings { across_feeds }, FeedKey(9), candidates)
    }

    #[test]
    fn a_page_that_another_feed_carries_is_the_same_story() {
        assert_eq!(joined(&[candidate(1, 1, 2)], AcrossFeeds::Link), Some(StoryKey(1)));
        assert_eq!(joined(&[candidate(1, 1, 2)], AcrossFeeds::Off), None);
        assert_eq!(joined(&[], AcrossFeeds::Link), None);
    }

    #[test]
    fn two_items_of_one_feed_are_never_one_story() {
        assert_eq!(joined(&[candidate(1, 1, 9)], AcrossFeeds::Link), None);
        assert_eq!(joined(&[candidate(1, 1, 2), candidate(5, 1, 9)], AcrossFeeds::Link), None);
    }
}

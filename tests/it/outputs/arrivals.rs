//! Stories that arrive late: which others leave the document for them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use newswire::model::{Item, OutputItem, StoryKey};
use newswire::render::{Output, Selector};

use super::sample::{at, entry, feed, output};

/// An entry of this day of November by this feed.
fn story(key: i64, of: i64, day: i64) -> OutputItem {
    let feed = Arc::new(feed(of, &format!("{of}.example.org"), "Feed"));
    let date = format!("2025-11-{day:02}T12:00:00Z");
    entry(key, &format!("urn:ex:{key}"), &date, &feed, Item::default())
}

/// The keys in the document after these stories were added to those selected by date.
fn after(
    output: &Output,
    selected: Vec<OutputItem>,
    late: Vec<OutputItem>,
    latest: &[i64],
) -> Vec<i64> {
    let mut selected = selected;
    let latest: HashSet<StoryKey> = latest.iter().copied().map(StoryKey).collect();
    Selector::new(output, at("2025-11-30T12:00:00Z")).add_late(&mut selected, late, &latest);
    selected.iter().map(|entry| entry.key.0).collect()
}

#[test]
fn the_oldest_that_did_not_arrive_lately_leaves_for_a_late_story() {
    let output = Output { items: 3, ..output() };
    let selected = || vec![story(9, 1, 20), story(8, 2, 19), story(7, 3, 18)];
    assert_eq!(after(&output, selected(), vec![story(10, 4, 3)], &[10]), [9, 8, 10]);
    assert_eq!(after(&output, selected(), vec![story(10, 4, 3)], &[10, 9, 7]), [9, 7, 10]);
    let two = vec![story(11, 4, 3), story(10, 4, 5)];
    assert_eq!(after(&output, selected(), two, &[11, 10, 7]), [7, 10, 11], "in the order of dates");
    let room = Output { items: 4, ..output };
    assert_eq!(after(&room, selected(), vec![story(10, 4, 3)], &[10]), [9, 8, 7, 10]);
}

#[test]
fn a_late_story_takes_the_place_of_another_of_its_feed_if_that_is_limited() {
    let output = Output { items: 3, per_feed: Some(2), ..output() };
    let selected = || vec![story(9, 1, 20), story(8, 2, 19), story(7, 1, 18)];
    assert_eq!(after(&output, selected(), vec![story(10, 1, 3)], &[10]), [9, 8, 10]);
    assert_eq!(after(&output, selected(), vec![story(10, 1, 3)], &[10, 7]), [8, 7, 10]);
    // Both of its feed arrived later.
    assert_eq!(after(&output, selected(), vec![story(6, 1, 3)], &[9, 7, 6]), [9, 8, 7]);
    assert_eq!(after(&output, selected(), vec![story(10, 2, 3)], &[10]), [9, 8, 10]);
}

#[test]
fn what_is_shown_for_its_age_does_not_leave_for_a_late_story() {
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    let output = Output { items: 2, max_age: days(12), ..output() };
    let selected = || vec![story(9, 1, 20), story(8, 2, 19), story(7, 3, 18)];
    assert_eq!(after(&output, selected(), vec![story(10, 4, 3)], &[10]), [9, 8, 10]);
    let output = Output { max_age: days(20), ..output };
    assert_eq!(after(&output, selected(), vec![story(10, 4, 3)], &[10]), [9, 8, 7, 10]);
}

//! The dates that a publisher changes, of which the last one is remembered. Pure.

use jiff::Timestamp;

use crate::model::{ItemKey, ParsedItem};
use crate::store::Redated;

/// The date that the publisher gave an item.
pub(super) fn date_of(item: &ParsedItem) -> Option<Timestamp> {
    item.published.or(item.updated)
}

/// The new date of a stored item, if it has one. Milliseconds are stored.
pub(super) fn redated(
    key: ItemKey,
    was: Option<Timestamp>,
    is: Option<Timestamp>,
) -> Option<Redated> {
    let date = is?;
    let same = was.is_some_and(|was| was.as_millisecond() == date.as_millisecond());
    (!same).then_some(Redated { key, date })
}

/// Minimum number of new dates, and half of the stored items of the document, that may be the time of the build.
const OF_BUILD: usize = 3;

/// Removes new dates that change at each build and so prove nothing. `known` is the number of stored items of the document.
pub(super) fn remember(redated: &mut Vec<Redated>, known: usize) {
    if redated.len() >= OF_BUILD && 2 * redated.len() > known {
        redated.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_forgotten_if_most_stored_items_have_new_ones() {
        for (redated, known, expected) in
            [(1, 1, 1), (2, 2, 2), (3, 3, 0), (3, 5, 0), (3, 6, 3), (4, 10, 4)]
        {
            let date = Timestamp::UNIX_EPOCH;
            let mut dates: Vec<Redated> =
                (0..redated).map(|n| Redated { key: ItemKey(n), date }).collect();
            remember(&mut dates, known);
            assert_eq!(dates.len(), expected, "{redated} of {known}");
        }
    }
}

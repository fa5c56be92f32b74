//! Fills the pages of an output's archive, RFC 5005 4, in order of arrival; pure.

use crate::model::ItemKey;
use crate::store::{ArchivePage, Arrivals};

/// The page that an archive begins with.
pub(crate) fn first() -> ArchivePage {
    ArchivePage { number: 1, items: Vec::new(), seen: ItemKey(0), late: 0 }
}

/// Puts `taken` (of these arrivals, in their order) on `growing` and as many pages behind it as are
/// needed, each of `size`. The last one answered is the one that grows from now on.
pub(crate) fn grow(
    mut growing: ArchivePage,
    size: usize,
    taken: &[ItemKey],
    arrivals: &Arrivals,
) -> Vec<ArchivePage> {
    let mut full = Vec::new();
    for key in taken {
        growing.items.push(*key);
        if growing.items.len() >= size {
            let next = ArchivePage { number: growing.number + 1, ..first() };
            growing.seen = growing.items.iter().copied().max().unwrap_or_default();
            full.push(std::mem::replace(&mut growing, next));
        }
    }
    (growing.seen, growing.late) = (arrivals.seen, arrivals.late);
    full.push(growing);
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[i64]) -> Vec<ItemKey> {
        keys.iter().copied().map(ItemKey).collect()
    }

    fn arrivals(seen: i64) -> Arrivals {
        Arrivals { seen: ItemKey(seen), late: 1, ..Arrivals::default() }
    }

    #[test]
    fn a_full_page_is_left_alone_and_the_next_one_begins() {
        let page = |number, items: &[i64], seen, late| ArchivePage {
            number,
            items: keys(items),
            seen: ItemKey(seen),
            late,
        };
        let pages = grow(first(), 2, &keys(&[3, 4, 8, 7, 9]), &arrivals(12));
        assert_eq!(pages, [page(1, &[3, 4], 4, 0), page(2, &[8, 7], 8, 0), page(3, &[9], 12, 1)]);
        let again = grow(pages[2].clone(), 2, &[], &arrivals(20));
        assert_eq!(again, [page(3, &[9], 20, 1)]);
        let full = grow(pages[2].clone(), 2, &keys(&[21]), &arrivals(21));
        assert_eq!(full, [page(3, &[9, 21], 21, 1), page(4, &[], 21, 1)]);
    }
}

//! Fills the pages of an output's archive, RFC 5005 4, in order of arrival; pure.

use crate::model::ItemKey;
use crate::store::ArchivePage;

/// The page that an archive begins with.
pub(crate) fn first() -> ArchivePage {
    ArchivePage { number: 1, items: Vec::new(), seen: ItemKey(0) }
}

/// Puts `taken` (of all items up to `seen`, in order of arrival) on `growing` and as many pages
/// behind it as are needed, each of `size`. The last one answered is the one that grows from now on.
pub(crate) fn grow(
    mut growing: ArchivePage,
    size: usize,
    taken: &[ItemKey],
    seen: ItemKey,
) -> Vec<ArchivePage> {
    let mut full = Vec::new();
    for key in taken {
        growing.items.push(*key);
        if growing.items.len() >= size {
            let next = ArchivePage { number: growing.number + 1, items: Vec::new(), seen: *key };
            growing.seen = *key;
            full.push(std::mem::replace(&mut growing, next));
        }
    }
    growing.seen = seen;
    full.push(growing);
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[i64]) -> Vec<ItemKey> {
        keys.iter().copied().map(ItemKey).collect()
    }

    #[test]
    fn a_full_page_is_left_alone_and_the_next_one_begins() {
        let pages = grow(first(), 2, &keys(&[3, 4, 7, 8, 9]), ItemKey(12));
        let expected = [(1, vec![3, 4], 4), (2, vec![7, 8], 8), (3, vec![9], 12)];
        let expected = expected.map(|(number, items, seen)| ArchivePage {
            number,
            items: keys(&items),
            seen: ItemKey(seen),
        });
        assert_eq!(pages, expected);
        let again = grow(expected[2].clone(), 2, &[], ItemKey(20));
        assert_eq!(again, [ArchivePage { seen: ItemKey(20), ..expected[2].clone() }]);
        let full = grow(expected[2].clone(), 2, &keys(&[21]), ItemKey(21));
        assert_eq!((full[0].items.clone(), full[1].items.len()), (keys(&[9, 21]), 0));
    }
}

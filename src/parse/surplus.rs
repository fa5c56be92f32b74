//! Items beyond `max_items`, which are dropped while a document is read.

use jiff::Timestamp;

use super::item;
use super::tree::{Element, Node};

/// Smallest number of items from which items are dropped while reading, so that it is done rarely.
pub(crate) const MIN_ITEMS: usize = 1_000;

/// The items of an open element.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// Number of items that are kept so far.
    pub(crate) count: usize,
    /// Dates of the first ones, as far as they were needed.
    stamps: Vec<Timestamp>,
}

impl Items {
    /// Keeps the newest `max` items of `parent`, whose items these are. Returns the number of dropped items, and that
    /// of the elements in them.
    pub(crate) fn keep_newest(&mut self, parent: &mut Element<'_>, max: usize) -> (usize, usize) {
        let later = parent.elements().filter(|inner| inner.is_item());
        self.stamps.extend(later.skip(self.stamps.len()).map(item::stamp).collect::<Vec<_>>());
        let kept = newest(&self.stamps, max);
        let mut each = kept.iter().copied();
        self.stamps.retain(|_| each.next().unwrap_or_default());
        let (mut kept, mut elements) = (kept.into_iter(), 0);
        parent.nodes.retain(|node| match node {
            Node::Element(element) if element.is_item() => {
                let keep = kept.next().unwrap_or_default();
                elements += if keep { 0 } else { element.size() };
                keep
            }
            _ => true,
        });
        let dropped = self.count.saturating_sub(max);
        self.count = self.count.min(max);
        (dropped, elements)
    }
}

/// Which of the items with these dates are the newest `max`; of equally old ones the first.
pub(crate) fn newest(stamps: &[Timestamp], max: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..stamps.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(stamps[*index]));
    let mut kept = vec![false; stamps.len()];
    for index in order.into_iter().take(max) {
        kept[index] = true;
    }
    kept
}

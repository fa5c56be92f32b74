//! The copies of an item that several outputs published, as one item: each part from the output that changes it least,
//! and of those that show it alike from the newest document.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::model::ItemKey;
use crate::outputs::{PublishedItem, PublishedItems};
use crate::render::{Content, Format, Output, ShownDate};

/// The item in one output.
#[derive(Debug)]
struct Copy<'d> {
    output: &'d Output,
    item: &'d PublishedItem,
    /// Whether it is in the subscription document, whose texts are the newest.
    is_current: bool,
}

/// The copies of all items, by their ids.
#[derive(Debug, Default)]
pub(super) struct Copies<'d> {
    by_id: HashMap<&'d str, Vec<Copy<'d>>>,
    /// The ids in the order of the documents.
    ids: Vec<&'d str>,
}

/// An item that was made of its copies.
#[derive(Debug)]
pub(super) struct Merged<'d> {
    pub(super) item: PublishedItem,
    /// The output with its text.
    pub(super) output: &'d Output,
    /// Time of first sight; `None`: no output shows it.
    pub(super) first_seen: Option<Timestamp>,
    /// The outputs that show the item.
    pub(super) outputs: Vec<&'d Output>,
}

impl<'d> Copies<'d> {
    /// Adds the items of an output that the database does not know.
    pub(super) fn add(
        &mut self,
        output: &'d Output,
        published: &'d PublishedItems,
        known: &HashMap<String, ItemKey>,
    ) {
        let mut here = HashSet::new();
        for (n, items) in published.lists().enumerate() {
            for item in items {
                if known.contains_key(&item.id) || !here.insert(item.id.as_str()) {
                    continue;
                }
                let copies = self.by_id.entry(item.id.as_str()).or_default();
                if copies.is_empty() {
                    self.ids.push(item.id.as_str());
                }
                copies.push(Copy { output, item, is_current: n == 0 });
            }
        }
    }

    /// The items, in the order of the documents.
    pub(super) fn merged(&self) -> impl Iterator<Item = Merged<'d>> {
        self.ids.iter().filter_map(|id| merge(&self.by_id[id]))
    }
}

fn merge<'d>(copies: &[Copy<'d>]) -> Option<Merged<'d>> {
    // A copy on an archive page may be months old: a newer text matters more than links that no output changed.
    let text = least(copies, |Copy { output, is_current, .. }| {
        (content(output), !is_current, output.rewrite.strip_tracking)
    })?;
    let title = least(copies, |Copy { output, is_current, .. }| {
        let is_changed = !output.rewrite.titles.is_empty();
        let is_prefixed = output.presentation.title_prefix.is_some();
        // Atom and RSS show another title where the item has none.
        (is_changed, is_prefixed, !is_current, !output.formats.contains(&Format::Json))
    })?;
    let links = least(copies, |copy| copy.output.rewrite.strip_tracking)?;
    let date = least(copies, |copy| with_first_sight(copy.output))?;
    let seen = copies.iter().find(|copy| with_first_sight(copy.output));
    let named = copies.iter().find(|copy| copy.item.feed_url.is_some()).unwrap_or(text);
    let mut item = text.item.clone();
    item.item.title.clone_from(&title.item.item.title);
    item.item.links.clone_from(&links.item.item.links);
    item.item.comments.clone_from(&links.item.item.comments);
    item.item.published = date.item.item.published;
    item.item.updated = date.item.item.updated;
    item.feed_url.clone_from(&named.item.feed_url);
    item.feed_title.clone_from(&named.item.feed_title);
    Some(Merged {
        item,
        output: text.output,
        first_seen: seen.and_then(|copy| copy.item.item.published),
        outputs: copies.iter().map(|copy| copy.output).collect(),
    })
}

/// The copy with the least rank; of several, the newest one, else the first one.
fn least<'c, 'd, R: Ord>(
    copies: &'c [Copy<'d>],
    rank: impl Fn(&Copy<'d>) -> R,
) -> Option<&'c Copy<'d>> {
    copies.iter().min_by_key(|copy| (rank(copy), Reverse(copy.is_current)))
}

/// How much of the text an output leaves out.
fn content(output: &Output) -> u8 {
    match output.presentation.content {
        Content::Full => 0,
        Content::Summary => 1,
        Content::None => 2,
    }
}

fn with_first_sight(output: &Output) -> bool {
    output.presentation.date == ShownDate::FirstSeen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Files, PathChecks};
    use crate::model::{ParsedItem, Text};

    #[test]
    fn an_edited_text_and_title_count_more_than_old_ones_with_all_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        let outputs = "[[output]]\nid = \"whole\"\n\
                       [[output]]\nid = \"stripped\"\nstrip_tracking = true\nformats = [\"atom\"]\n\
                       [[output]]\nid = \"short\"\ncontent = \"summary\"\n";
        std::fs::write(&path, format!("version = 1\n{outputs}")).unwrap();
        let config = Files::gather(&path).read(PathChecks::Existence).config.unwrap();
        let text = |value: &str| Some(Text { value: value.to_owned(), ..Text::default() });
        let published = |name: &str| PublishedItem {
            id: "1".to_owned(),
            feed_url: None,
            feed_title: None,
            is_digest: false,
            item: ParsedItem { title: text(name), content: text(name), ..ParsedItem::default() },
        };
        let items = ["old", "edited", "short"].map(published);
        let merged = |current: [bool; 3]| {
            let copies = config.outputs.iter().zip(&items).zip(current);
            let copy = |((output, item), is_current)| Copy { output, item, is_current };
            let merged = merge(&copies.map(copy).collect::<Vec<_>>()).unwrap().item.item;
            (merged.title.unwrap().value, merged.content.unwrap().value)
        };
        let pair = |title: &str, text: &str| (title.to_owned(), text.to_owned());
        assert_eq!(merged([false, true, false]), pair("edited", "edited"));
        assert_eq!(merged([true, true, true]), pair("old", "old"));
        assert_eq!(merged([false, false, false]), pair("old", "old"));
        // A text that was cut is never the whole one.
        assert_eq!(merged([false, false, true]), pair("short", "old"));
    }
}

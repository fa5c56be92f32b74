//! Where things are in a document: which dialect it is, which element is the channel, which are items.

use super::space::Space;
use super::tree::{Element, Tree};
use crate::model::Dialect;

/// The parts of a document.
#[derive(Debug)]
pub(crate) struct Shape<'t, 'a> {
    pub(crate) dialect: Dialect,
    /// The outermost element of the feed.
    pub(crate) root: &'t Element<'a>,
    /// The element that describes the feed.
    pub(crate) channel: &'t Element<'a>,
    /// The items, in document order.
    pub(crate) items: Vec<&'t Element<'a>>,
    /// feed-rs knows this dialect in this spelling.
    pub(crate) plain: bool,
}

/// Finds the feed in a tree; `None` when there is none.
pub(crate) fn shape<'t, 'a>(tree: &'t Tree<'a>) -> Option<Shape<'t, 'a>> {
    let root = find(&tree.root, 0)?;
    let own = std::ptr::eq(root, &tree.root);
    let mut shape = match root.name.to_ascii_lowercase().as_str() {
        "feed" => atom(tree, root),
        "entry" => Shape { items: vec![root], ..atom(tree, root) },
        "rdf" => rdf(tree, root),
        "rss" => rss(root),
        _ => channel(root),
    };
    shape.plain &= own && tree.clean;
    Some(shape)
}

/// The outermost element that is a feed; some stand in a wrapper.
fn find<'t, 'a>(element: &'t Element<'a>, depth: usize) -> Option<&'t Element<'a>> {
    let named = |names: &[&str]| names.iter().any(|name| element.name.eq_ignore_ascii_case(name));
    let known = matches!(element.space, Space::Rss | Space::Atom | Space::Rdf | Space::Other);
    let holds = |name| element.elements().any(|inner| inner.name.eq_ignore_ascii_case(name));
    if known && (named(&["rss", "rdf"]) || named(&["feed"])) {
        return Some(element);
    }
    let filled = ["item", "items", "title", "abstract"].into_iter().any(holds)
        || element.attribute("href").or_else(|| element.attribute("lastmod")).is_some();
    if known && named(&["channel"]) && filled || element.is(Space::Atom, "entry") {
        return Some(element);
    }
    if depth >= 4 || named(&["svg", "opml", "urlset", "sitemapindex"]) {
        return None;
    }
    element.elements().find_map(|inner| find(inner, depth + 1))
}

fn atom<'t, 'a>(tree: &'t Tree<'a>, root: &'t Element<'a>) -> Shape<'t, 'a> {
    let old = tree.namespace.contains("purl.org/atom")
        || tree.namespace.contains("purl.org/echo")
        || root.attribute("version").is_some_and(|version| version.starts_with("0."));
    let dialect = if old { Dialect::Atom03 } else { Dialect::Atom };
    let entry = |inner: &&Element<'_>| {
        matches!(inner.space, Space::Atom | Space::Rss) && inner.name.eq_ignore_ascii_case("entry")
    };
    let items = root.elements().filter(entry).collect();
    let plain = tree.namespace == "http://www.w3.org/2005/Atom" && root.name == "feed" && !old;
    Shape { dialect, root, channel: root, items, plain }
}

fn rss<'t, 'a>(root: &'t Element<'a>) -> Shape<'t, 'a> {
    let mut channels = root.all(Space::Rss, "channel").chain(root.all(Space::Other, "channel"));
    let channel = channels.next().unwrap_or(root);
    let mut items = items(channel);
    // RSS 0.9x carries items beside the channel, and some publish several channels.
    let beside = channels.next();
    if !std::ptr::eq(channel, root) {
        items.extend(beside.into_iter().chain(channels).flat_map(self::items));
        items.extend(root.all(Space::Rss, "item"));
    }
    let version = root.attribute("version");
    let plain = root.space == Space::Rss
        && root.name == "rss"
        && beside.is_none()
        && !std::ptr::eq(channel, root)
        && items.len() == channel.all(Space::Rss, "item").count()
        && matches!(version, Some("2.0" | "0.91" | "0.92"));
    Shape { dialect: Dialect::Rss2, root, channel, items, plain }
}

fn rdf<'t, 'a>(tree: &'t Tree<'a>, root: &'t Element<'a>) -> Shape<'t, 'a> {
    let channel = root.child(Space::Rss, "channel").unwrap_or(root);
    let beside = self::items(root);
    let all_beside = items(channel).is_empty();
    let items: Vec<_> =
        if std::ptr::eq(channel, root) || all_beside { beside } else { chain(beside, channel) };
    let linked = items.iter().all(|item| item.child(Space::Rss, "link").is_some());
    let exact = tree.namespace == "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    Shape { dialect: Dialect::Rss1, root, channel, items, plain: exact && all_beside && linked }
}

fn chain<'t, 'a>(
    mut beside: Vec<&'t Element<'a>>,
    channel: &'t Element<'a>,
) -> Vec<&'t Element<'a>> {
    beside.extend(items(channel));
    beside
}

/// A bare channel: CDF, RSS 1.1, or RSS that lost its root.
fn channel<'t, 'a>(root: &'t Element<'a>) -> Shape<'t, 'a> {
    let mut items = items(root);
    // CDF says in attributes what RSS says in elements.
    let marked = |element: &Element<'_>| {
        element.attribute("href").or_else(|| element.attribute("lastmod")).is_some()
    };
    let cdf = marked(root)
        || items.iter().copied().any(marked)
        || root.child(Space::Rss, "abstract").is_some();
    let inside = root.all(Space::Rss, "items").flat_map(self::items);
    items.extend(inside);
    let dialect = match (cdf, root.name) {
        (true, _) => Dialect::Cdf,
        (false, "Channel") => Dialect::Rss1,
        _ => Dialect::Rss2,
    };
    Shape { dialect, root, channel: root, items, plain: false }
}

/// The items directly in an element.
fn items<'t, 'a>(element: &'t Element<'a>) -> Vec<&'t Element<'a>> {
    element
        .elements()
        .filter(|inner| {
            matches!(inner.space, Space::Rss | Space::Other)
                && inner.name.eq_ignore_ascii_case("item")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn read(text: &str) -> Option<(Dialect, usize, bool)> {
        let tree = scan(text)?;
        let shape = shape(&tree)?;
        Some((shape.dialect, shape.items.len(), shape.plain))
    }

    #[test]
    fn every_dialect_is_told_by_its_shape() {
        let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
            xmlns='http://purl.org/rss/1.0/'>";
        for (text, expected) in [
            (
                "<rss version='2.0'><channel><item/><item/></channel></rss>",
                (Dialect::Rss2, 2, true),
            ),
            ("<rss><channel><item/></channel><item/></rss>", (Dialect::Rss2, 2, false)),
            ("<rss version='0.93'><channel><item/></channel></rss>", (Dialect::Rss2, 1, false)),
            ("<rss version='0.91'><item/></rss>", (Dialect::Rss2, 1, false)),
            ("<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>", (Dialect::Atom, 1, true)),
            (
                "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry/></feed>",
                (Dialect::Atom03, 1, false),
            ),
            ("<feed><entry/><entry/></feed>", (Dialect::Atom, 2, false)),
            (
                &format!("{rdf}<channel/><item><link>x</link></item></rdf:RDF>"),
                (Dialect::Rss1, 1, true),
            ),
            (&format!("{rdf}<channel><item/></channel></rdf:RDF>"), (Dialect::Rss1, 1, false)),
            ("<channel href='x'><item href='y'/></channel>", (Dialect::Cdf, 1, false)),
            (
                "<html><body><rss version='2.0'><channel><item/></channel></rss></body></html>",
                (Dialect::Rss2, 1, false),
            ),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_feed_has_no_shape() {
        for text in [
            "<html><body><p>hello</p></body></html>",
            "<opml><body><outline/></body></opml>",
            "<svg><feed/></svg>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

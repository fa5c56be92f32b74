//! The layout of a feed: its dialect, channel element and item elements.

use url::Url;

use super::context::Context;
use super::item;
use super::namespace::Namespace;
use super::start::is_of_page;
use super::structure::is_item;
use super::tree::{Element, Tree, newest};
use crate::model::Dialect;

/// The parts of a feed.
#[derive(Debug)]
pub(crate) struct Layout<'t, 'a> {
    pub(crate) dialect: Dialect,
    /// The outermost element of the feed.
    pub(crate) root: &'t Element<'a>,
    /// The element that describes the feed.
    pub(crate) channel: &'t Element<'a>,
    /// The items, in document order.
    pub(crate) items: Vec<&'t Element<'a>>,
    /// Whether feed-rs reads this dialect and the document is clean.
    pub(crate) known_to_feed_rs: bool,
}

impl Layout<'_, '_> {
    /// The base of the references in the channel; CDF has an attribute for it.
    pub(crate) fn base(&self, context: &Context) -> Option<Url> {
        let base = self.channel.attribute("base").filter(|_| self.dialect == Dialect::Cdf);
        base.and_then(|base| Url::parse(&context.resolve(base)).ok())
            .or_else(|| context.base.clone())
    }

    /// Leaves out entries that are drafts.
    pub(crate) fn leave_out_drafts(&mut self) {
        let all = self.items.len();
        self.items.retain(|item| !is_draft(item));
        // feed-rs reads all of them.
        self.known_to_feed_rs &= self.items.len() == all;
    }

    /// Keeps the newest `max` items in document order, or the first ones if they have no dates. Returns the
    /// number of dropped items.
    pub(crate) fn keep_newest(&mut self, max: usize) -> usize {
        let surplus = self.items.len().saturating_sub(max);
        if surplus > 0 {
            let stamps: Vec<_> = self.items.iter().copied().map(item::stamp).collect();
            let mut kept = newest(&stamps, max).into_iter();
            self.items.retain(|_| kept.next().unwrap_or_default());
            // feed-rs reads all of them.
            self.known_to_feed_rs = false;
        }
        surplus
    }
}

/// Whether an entry is a draft. RFC 5023 13.1.1: only `yes` asks that it is not made visible.
fn is_draft(item: &Element<'_>) -> bool {
    let named = |element: &&Element<'_>, name: &str| element.name.eq_ignore_ascii_case(name);
    let controls = item.elements().filter(|inner| named(inner, "control"));
    let mut drafts = controls.flat_map(Element::elements).filter(|inner| named(inner, "draft"));
    drafts.any(|draft| draft.text().trim().eq_ignore_ascii_case("yes"))
}

/// Finds the feed in a tree; `None` if no element is a feed.
pub(crate) fn layout<'t, 'a>(tree: &'t Tree<'a>) -> Option<Layout<'t, 'a>> {
    let root = find(&tree.root, 0)?;
    let own = std::ptr::eq(root, &tree.root);
    let mut layout = match root.name.to_ascii_lowercase().as_str() {
        "feed" => atom(tree, root),
        // The scanner empties an entry that is cut.
        "entry" if root.nodes.is_empty() => Layout { items: Vec::new(), ..atom(tree, root) },
        "entry" => Layout { items: vec![root], ..atom(tree, root) },
        "rdf" => rdf(tree, root),
        "rss" => rss(root),
        _ => channel(root),
    };
    layout.known_to_feed_rs &= own && tree.clean;
    Some(layout)
}

/// Whether a feed is a quotation in a text, as in a script or a manual; `before` is the text before it.
pub(crate) fn is_quoted(tree: &Tree<'_>, layout: &Layout<'_, '_>, before: &str) -> bool {
    // Notices end with a line.
    let in_line = !before.trim_end_matches([' ', '\t']).ends_with(['\n', '\r', '>']);
    let last = before.trim_end().lines().next_back().unwrap_or_default();
    let is_opened = last.ends_with(['`', '"', '\'', '(', '=']) || last.starts_with("```");
    let is_notice = !in_line && !is_opened && !layout.items.is_empty();
    (tree.followed_by_text || tree.partial) && !is_notice
}

/// Maximum depth of a feed in wrappers.
const MAX_WRAPPERS: usize = 4;

/// The outermost element that is a feed, also inside wrappers, which have no namespace. A web page is not one, whatever
/// elements are in it.
fn find<'t, 'a>(element: &'t Element<'a>, depth: usize) -> Option<&'t Element<'a>> {
    if is_html(element) {
        return None;
    }
    if is_feed(element) && (depth == 0 || is_filled(element)) {
        return Some(element);
    }
    let mut others = ["svg", "opml", "urlset", "sitemapindex"].into_iter();
    let is_other = others.any(|name| element.name.eq_ignore_ascii_case(name));
    if depth >= MAX_WRAPPERS || is_other || element.namespace != Namespace::Rss {
        return None;
    }
    element.elements().find_map(|inner| find(inner, depth + 1))
}

/// Whether an element is of HTML.
pub(crate) fn is_html(element: &Element<'_>) -> bool {
    element.namespace == Namespace::Xhtml || is_of_page(element.name)
}

fn is_feed(element: &Element<'_>) -> bool {
    let named = |name: &str| element.name.eq_ignore_ascii_case(name);
    let holds = |name| element.elements().any(|inner| inner.name.eq_ignore_ascii_case(name));
    match element.namespace {
        Namespace::Atom if element.name.eq_ignore_ascii_case("entry") => true,
        Namespace::Rss | Namespace::Atom | Namespace::Rdf | Namespace::Other => {
            named("rss")
                || named("feed")
                || named("rdf") && (is_filled(element) || !is_other_rdf(element))
                || named("channel")
                    && (["item", "items", "title", "abstract"].into_iter().any(holds)
                        || !items(element).is_empty()
                        || element.attribute("href").is_some()
                        || element.attribute("lastmod").is_some())
        }
        _ => false,
    }
}

/// Whether RDF is about something else, as licences, people and programs: it has elements, and none of RSS.
fn is_other_rdf(element: &Element<'_>) -> bool {
    let mut inner = element.elements().peekable();
    inner.peek().is_some() && inner.all(|inner| inner.namespace != Namespace::Rss)
}

/// Whether an element has what a feed has.
fn is_filled(element: &Element<'_>) -> bool {
    let has_title = || element.elements().any(|inner| inner.name.eq_ignore_ascii_case("title"));
    !items(element).is_empty() || inner_channel(element, 0).is_some() || has_title()
}

fn atom<'t, 'a>(tree: &'t Tree<'a>, root: &'t Element<'a>) -> Layout<'t, 'a> {
    let old = tree.root_namespace.contains("purl.org/atom")
        || tree.root_namespace.contains("purl.org/echo")
        || root.attribute("version").is_some_and(|version| version.starts_with("0."));
    let dialect = if old { Dialect::Atom03 } else { Dialect::Atom };
    let entry = |inner: &&Element<'_>| {
        matches!(inner.namespace, Namespace::Atom | Namespace::Rss)
            && inner.name.eq_ignore_ascii_case("entry")
    };
    let items = items(root);
    let known_to_feed_rs = tree.root_namespace == "http://www.w3.org/2005/Atom"
        && root.name == "feed"
        && !old
        && items.len() == root.elements().filter(entry).count();
    Layout { dialect, root, channel: root, items, known_to_feed_rs }
}

fn rss<'t, 'a>(root: &'t Element<'a>) -> Layout<'t, 'a> {
    let channels =
        || root.all(Namespace::Rss, "channel").chain(root.all(Namespace::Other, "channel"));
    let channel = channels().next().or_else(|| inner_channel(root, 0)).unwrap_or(root);
    // RSS 0.9x has items next to the channel, and some documents have several channels.
    let items = items(root);
    let version = root.attribute("version");
    let known_to_feed_rs = root.namespace == Namespace::Rss
        && root.name == "rss"
        && channels().count() == 1
        && items.len() == channel.all(Namespace::Rss, "item").count()
        && matches!(version, Some("2.0" | "0.91" | "0.92"));
    Layout { dialect: Dialect::Rss2, root, channel, items, known_to_feed_rs }
}

/// The channel inside a wrapper.
fn inner_channel<'t, 'a>(element: &'t Element<'a>, depth: usize) -> Option<&'t Element<'a>> {
    let wrappers = || element.elements().filter(|inner| !is_item(inner.name));
    let channel = wrappers().find(|inner| inner.name.eq_ignore_ascii_case("channel"));
    let deeper = || wrappers().find_map(|inner| inner_channel(inner, depth + 1));
    channel.or_else(|| if depth < MAX_DEPTH { deeper() } else { None })
}

fn rdf<'t, 'a>(tree: &'t Tree<'a>, root: &'t Element<'a>) -> Layout<'t, 'a> {
    let channel =
        root.child(Namespace::Rss, "channel").or_else(|| inner_channel(root, 0)).unwrap_or(root);
    let items = items(root);
    let all_outside = items.len() == root.all(Namespace::Rss, "item").count();
    let linked = items.iter().all(|item| item.child(Namespace::Rss, "link").is_some());
    let exact = tree.root_namespace == "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    Layout {
        dialect: Dialect::Rss1,
        root,
        channel,
        items,
        known_to_feed_rs: exact && all_outside && linked,
    }
}

/// A channel without root element: CDF, RSS 1.1, or incomplete RSS.
fn channel<'t, 'a>(root: &'t Element<'a>) -> Layout<'t, 'a> {
    let items = items(root);
    // CDF has attributes where RSS has elements.
    let marked = |element: &Element<'_>| {
        element.attribute("href").or_else(|| element.attribute("lastmod")).is_some()
    };
    let cdf = marked(root)
        || items.iter().copied().any(marked)
        || root.child(Namespace::Rss, "abstract").is_some();
    let dialect = match (cdf, root.name) {
        (true, _) => Dialect::Cdf,
        (false, "Channel") => Dialect::Rss1,
        _ => Dialect::Rss2,
    };
    Layout { dialect, root, channel: root, items, known_to_feed_rs: false }
}

/// Maximum depth of items and channels below the root.
const MAX_DEPTH: usize = 8;

/// The items of a feed at any depth, in document order.
fn items<'t, 'a>(root: &'t Element<'a>) -> Vec<&'t Element<'a>> {
    let mut found = Vec::new();
    collect(root, 0, &mut found);
    found
}

fn collect<'t, 'a>(element: &'t Element<'a>, depth: usize, found: &mut Vec<&'t Element<'a>>) {
    let in_channel = element.name.eq_ignore_ascii_case("channel");
    for inner in element.elements() {
        let of_feed = match inner.namespace {
            Namespace::Rss | Namespace::Atom => true,
            Namespace::Other => depth == 0 || in_channel,
            _ => false,
        };
        if of_feed && is_item(inner.name) {
            found.push(inner);
            // An item that is not closed contains the next one.
            let swallowed = inner.elements().filter(|next| {
                next.namespace == inner.namespace && next.name.eq_ignore_ascii_case(inner.name)
            });
            found.extend(swallowed);
        } else if depth < MAX_DEPTH && may_wrap(inner) {
            collect(inner, depth + 1, found);
        }
    }
}

/// Whether an element may be a wrapper around items: neither an item nor a text.
fn may_wrap(element: &Element<'_>) -> bool {
    const NOT: &[&str] = &["content", "description", "encoded", "summary", "title", "body"];
    let known = matches!(
        element.namespace,
        Namespace::Rss | Namespace::Atom | Namespace::Rdf | Namespace::Xhtml | Namespace::Other
    );
    known
        && element.has_elements()
        && !is_item(element.name)
        && !NOT.iter().any(|name| element.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn read(text: &str) -> Option<(Dialect, usize, bool)> {
        let tree = scan(text)?;
        let layout = layout(&tree)?;
        Some((layout.dialect, layout.items.len(), layout.known_to_feed_rs))
    }

    #[test]
    fn every_dialect_is_detected_by_its_layout() {
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
                "<xml><data><rss version='2.0'><channel><item/></channel></rss></data></xml>",
                (Dialect::Rss2, 1, false),
            ),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn documents_without_a_feed_have_no_layout() {
        for text in [
            "<html><body><p>hello</p></body></html>",
            "<opml><body><outline/></body></opml>",
            "<svg><feed/></svg>",
            "<html><body><rss version='2.0'><channel><item/></channel></rss></body></html>",
            "<h:html xmlns:h='http://www.w3.org/1999/xhtml'><h:pre><feed><title/></feed></h:pre></h:html>",
            "<title>x</title><textarea><rss><channel><item/></channel></rss></textarea>",
            "<my-app><feed><title/></feed></my-app>",
            "<data><feed/></data>",
            "<rdf:RDF xmlns:rdf='urn:x'><foaf:Person xmlns:foaf='urn:f'/></rdf:RDF>",
            "<rdf:RDF xmlns='http://web.resource.org/cc/'><Work><license/></Work></rdf:RDF>",
            "<s:Envelope xmlns:s='urn:s'><s:Body><rss><channel><item/></channel></rss></s:Body></s:Envelope>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

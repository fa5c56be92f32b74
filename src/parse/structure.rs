//! Repairs of the structure of a feed: elements that are not closed, and namespaces that are not those of a
//! feed. Both are decided by local names and by where an element is.

use super::namespace::Namespace;
use super::tree::Element;

/// Elements of a channel or an item that contain text only.
const TEXTS: &[&str] = &[
    "category",
    "comments",
    "copyright",
    "creator",
    "date",
    "docs",
    "generator",
    "guid",
    "id",
    "language",
    "lastbuilddate",
    "link",
    "managingeditor",
    "pubdate",
    "published",
    "rating",
    "rights",
    "subject",
    "title",
    "ttl",
    "updated",
    "webmaster",
];

/// Elements that may contain HTML.
const BODIES: &[&str] =
    &["content", "description", "encoded", "subtitle", "summary", "tagline", "abstract"];

/// Further elements of a channel or an item, which contain no items.
const PARTS: &[&str] = &[
    "author",
    "cloud",
    "contributor",
    "enclosure",
    "image",
    "issued",
    "modified",
    "skipdays",
    "skiphours",
    "source",
    "textinput",
];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether it is the name of a part of a channel or an item.
pub(crate) fn is_part(name: &str) -> bool {
    [TEXTS, BODIES, PARTS].iter().any(|names| is_one_of(name, names))
}

/// Whether it is the name of an item.
pub(crate) fn is_item(name: &str) -> bool {
    is_one_of(name, &["item", "entry"])
}

/// Whether it is the name of an element that groups items.
pub(crate) fn is_group(name: &str) -> bool {
    is_one_of(name, &["rss", "rdf", "feed", "channel", "items", "item", "entry"])
}

/// Whether it is the name of an element that contains elements rather than text.
pub(crate) fn is_container(name: &str) -> bool {
    is_group(name) || is_one_of(name, &["image", "textinput", "skipdays", "skiphours"])
}

/// Whether the text of the element is the source of HTML.
pub(crate) fn is_html(element: &Element<'_>) -> bool {
    let is_body = is_one_of(element.name, BODIES)
        && matches!(element.namespace, Namespace::Rss | Namespace::Content);
    is_body || element.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("html"))
}

/// An element that is open or begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'a> {
    /// Vocabulary of the element.
    pub(crate) namespace: Namespace,
    /// Its name without prefix.
    pub(crate) local: &'a str,
    /// Whether it has attributes.
    pub(crate) has_attributes: bool,
}

impl Name<'_> {
    fn is_of_feed(&self) -> bool {
        matches!(self.namespace, Namespace::Rss | Namespace::Atom)
    }

    /// Whether the element contains no items if it is closed: a part, or an element of a module.
    fn holds_no_items(&self) -> bool {
        match self.namespace {
            Namespace::Rss | Namespace::Atom => is_part(self.local),
            Namespace::Other | Namespace::Rdf | Namespace::Xhtml => false,
            _ => true,
        }
    }
}

/// The number of elements that stay open when an element begins, in a document with unclosed elements. `open`
/// is in order, the outermost first.
pub(crate) fn stay_open(open: &[Name<'_>], next: Name<'_>) -> usize {
    if next.is_of_feed() && is_item(next.local) {
        return before_item(open, next);
    }
    let Some(last) = open.last().filter(|last| last.is_of_feed() || last.holds_no_items()) else {
        return open.len();
    };
    let in_item = |names: &[&str]| is_one_of(next.local, names);
    let known = !matches!(next.namespace, Namespace::Xhtml | Namespace::Other | Namespace::Rdf);
    let ends = if is_one_of(last.local, TEXTS) {
        is_part(next.local) && !(in_item(&["category"]) && last.local == "category")
    } else if is_one_of(last.local, BODIES) {
        // HTML has elements with some of these names, but a link in HTML has attributes.
        let html = in_item(&["link", "source", "summary", "image", "content"]);
        is_part(next.local) && (!html || in_item(&["link"]) && !next.has_attributes)
    } else {
        // They have attributes only.
        is_one_of(last.local, &["enclosure", "thumbnail"]) && is_part(next.local)
    };
    open.len() - usize::from(known && ends)
}

/// An item ends the item before it, and unclosed parts of the channel.
fn before_item(open: &[Name<'_>], next: Name<'_>) -> usize {
    // An entry may contain a whole feed, or an entry in an element of a module.
    let embeds = |name: &Name<'_>| {
        is_one_of(name.local, &["feed", "channel", "rss", "inline", "entrylink", "feedlink"])
    };
    let same = |name: &Name<'_>| name.is_of_feed() && name.local.eq_ignore_ascii_case(next.local);
    if let Some(at) = open.iter().rposition(|name| same(name) || embeds(name))
        && same(&open[at])
    {
        return at;
    }
    open.iter().rposition(|name| !name.holds_no_items()).map_or(0, |at| at + 1)
}

/// The vocabulary of a feed, and the namespaces that the document uses instead of it.
#[derive(Debug, Default)]
pub(crate) struct Home<'a> {
    /// Vocabulary by the name of the root: Atom for `<feed>`, RSS for the others.
    namespace: Option<Namespace>,
    /// Prefixes with the vocabulary that they have by their declaration.
    adopted: Vec<(&'a str, Namespace)>,
}

/// The vocabulary of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// The namespace that the document declares.
    Declared(Namespace),
    /// By its name and place.
    Adopted(Namespace),
    /// By its name and place, for the first time for this prefix.
    NewlyAdopted(Namespace),
}

impl<'a> Home<'a> {
    /// The vocabulary of a prefix as far as it is known.
    pub(crate) fn known(&self, prefix: &str, declared: Namespace) -> Namespace {
        let adopted = self.adopted.contains(&(prefix, declared));
        self.namespace.filter(|_| adopted).unwrap_or(declared)
    }

    /// The vocabulary of an element with this prefix, local name and parent; `declared` is its vocabulary by the
    /// declaration of the prefix.
    pub(crate) fn resolve(
        &mut self,
        prefix: &'a str,
        local: &str,
        declared: Namespace,
        parent: Option<Name<'_>>,
    ) -> Resolved {
        let named = |names: &[&str]| is_one_of(local, names);
        let root = self.namespace.is_none()
            && (named(&["rss", "feed", "rdf"]) || parent.is_none() && named(&["channel", "entry"]));
        if root {
            let atom = named(&["feed", "entry"]);
            self.namespace = Some(if atom { Namespace::Atom } else { Namespace::Rss });
        }
        let Some(home) = self.namespace else { return by_name(prefix, local, declared) };
        if declared == home || declared == Namespace::Rdf {
            return Resolved::Declared(declared);
        }
        if self.adopted.contains(&(prefix, declared)) {
            return Resolved::Adopted(home);
        }
        if !root && !prefix.is_empty() && declared != Namespace::Other {
            return Resolved::Declared(declared);
        }
        let within = |names: &[&str]| parent.is_some_and(|parent| is_one_of(parent.local, names));
        let structural = match home {
            Namespace::Atom => named(&["entry"]) && within(&["feed"]),
            _ => {
                named(&["channel", "item"]) && within(&["rss", "rdf"])
                    || prefix.is_empty() && named(&["item"]) && within(&["channel", "items"])
            }
        };
        let foreign = prefix.is_empty() || declared == Namespace::Other;
        if root || foreign && structural {
            self.adopted.push((prefix, declared));
            return Resolved::NewlyAdopted(home);
        }
        // A single element that declares another default namespace.
        let part = prefix.is_empty()
            && matches!(declared, Namespace::Other | Namespace::Xhtml)
            && is_part(local)
            && parent.is_some_and(|parent| {
                parent.namespace == home
                    && (is_item(parent.local) || is_one_of(parent.local, &["channel", "feed"]))
            });
        if part { Resolved::Adopted(home) } else { by_name(prefix, local, declared) }
    }
}

/// Elements that are known by their name alone, whatever namespace their prefix has.
fn by_name(prefix: &str, local: &str, declared: Namespace) -> Resolved {
    if prefix.is_empty() || declared != Namespace::Other {
        return Resolved::Declared(declared);
    }
    match local {
        "encoded" => Resolved::Adopted(Namespace::Content),
        "creator" => Resolved::Adopted(Namespace::Dc),
        "origLink" | "origEnclosureLink" => Resolved::Adopted(Namespace::FeedBurner),
        _ => Resolved::Declared(declared),
    }
}

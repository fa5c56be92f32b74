//! One item's element to a `ParsedItem`: for each field, the elements that may carry it in order of
//! trust. Works for every XML dialect; what a dialect does not have is simply not found.

use super::construct::{self, Custom, text};
use super::dates;
use super::hints::{atom_links, first_date};
use super::media;
use super::people;
use super::scope::Scope;
use super::space::Space::{self, Atom, Content, Dc, FeedBurner, Itunes, Media, Rdf, Rss, Wfw};
use super::tree::Element;
use crate::model::{Category, Dialect, Link, ParsedItem, Person, SourceInfo, Text};

/// More of them on one item are spam.
const MAX_CATEGORIES: usize = 200;

/// The texts of an item: whatever people read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) title: Option<Text>,
    pub(crate) summary: Option<Text>,
    pub(crate) content: Option<Text>,
    pub(crate) rights: Option<Text>,
}

/// Reads the texts of an item.
pub(crate) fn texts(element: &Element<'_>, outer: &Scope) -> Texts {
    let scope = outer.enter(element);
    let (summary, content) = bodies(element, &scope);
    Texts { title: title(element, &scope), summary, content, rights: rights(element, &scope) }
}

/// Reads everything but the texts of an item.
pub(crate) fn facts(element: &Element<'_>, dialect: Dialect, outer: &Scope) -> ParsedItem {
    let scope = outer.enter(element);
    let links = links(element, dialect, &scope);
    let attached = media::attached(element, &links, &scope);
    let (id, id_is_permalink) = id(element, &scope);
    let language = element.child(Dc, "language").and_then(Element::trimmed);
    ParsedItem {
        id,
        id_is_permalink,
        published: first_date(
            element,
            &[
                (Atom, "published"),
                (Atom, "issued"),
                (Rss, "pubDate"),
                (Dc, "issued"),
                (Dc, "date"),
                (Dc, "created"),
                (Atom, "created"),
                (Rss, "published"),
            ],
        ),
        updated: first_date(
            element,
            &[
                (Atom, "updated"),
                (Atom, "modified"),
                (Dc, "modified"),
                (Rss, "updated"),
                (Rss, "lastBuildDate"),
            ],
        )
        .or_else(|| dates::date(element.attribute("lastmod")?)),
        authors: authors(element, &scope),
        contributors: contributors(element, &scope),
        categories: categories(element),
        enclosures: attached.enclosures,
        thumbnails: attached.thumbnails,
        comments: comments(element, &scope, &links),
        comments_feed: element
            .child(Wfw, "commentRss")
            .and_then(Element::trimmed)
            .map(|url| scope.resolve(&url)),
        source: source(element, &scope),
        language: language.or_else(|| scope.language.clone()),
        duration: element
            .child(Itunes, "duration")
            .and_then(|found| media::duration(&found.text())),
        links,
        ..ParsedItem::default()
    }
}

/// The id, and whether it is the item's page.
fn id(element: &Element<'_>, scope: &Scope) -> (Option<String>, bool) {
    if let Some(id) = element.child(Atom, "id").and_then(Element::trimmed) {
        return (Some(id), false);
    }
    if let Some((guid, id)) =
        element.child(Rss, "guid").and_then(|guid| Some((guid, guid.trimmed()?)))
    {
        // RSS 2.0: a guid is a permalink unless it says that it is not.
        let denied =
            guid.attribute("isPermaLink").is_some_and(|value| value.eq_ignore_ascii_case("false"));
        let address = id.starts_with("http://") || id.starts_with("https://");
        return (Some(id), !denied && address);
    }
    let about = element.attribute_in(Rdf, "about").or_else(|| element.attribute("about"));
    if let Some(about) = about.filter(|about| !about.is_empty()) {
        return (Some(scope.resolve(about)), false);
    }
    let other = element.child(Dc, "identifier").or_else(|| element.child(Rss, "id"));
    (other.and_then(Element::trimmed), false)
}

fn title(element: &Element<'_>, scope: &Scope) -> Option<Text> {
    first_text(
        element,
        scope,
        &[
            (Atom, "title", Custom::Plain),
            (Rss, "title", Custom::Title),
            (Dc, "title", Custom::Title),
            (Media, "title", Custom::Title),
            (Itunes, "title", Custom::Title),
        ],
    )
}

fn first_text(
    element: &Element<'_>,
    scope: &Scope,
    names: &[(Space, &str, Custom)],
) -> Option<Text> {
    names.iter().find_map(|(space, name, custom)| {
        element.all(*space, name).find_map(|found| text(found, scope, *custom))
    })
}

/// Summary and content.
fn bodies(element: &Element<'_>, scope: &Scope) -> (Option<Text>, Option<Text>) {
    let content = first_text(
        element,
        scope,
        &[
            (Atom, "content", Custom::Plain),
            (Content, "encoded", Custom::Html),
            (Space::Xhtml, "body", Custom::Html),
            (Rss, "fullitem", Custom::Html),
            (Rss, "content", Custom::Html),
            (Rss, "body", Custom::Html),
        ],
    );
    let summary = first_text(
        element,
        scope,
        &[
            (Atom, "summary", Custom::Plain),
            (Rss, "description", Custom::Html),
            (Rss, "abstract", Custom::Html),
            (Dc, "description", Custom::Html),
            (Itunes, "summary", Custom::Plain),
            (Media, "description", Custom::Plain),
        ],
    );
    let summary = summary.or_else(|| {
        let group = element.child(Media, "group")?;
        first_text(group, scope, &[(Media, "description", Custom::Plain)])
    });
    let lone = match element.child(Atom, "summary") {
        Some(_) => Lone::Summary,
        None => Lone::Content,
    };
    settle(summary, content, lone)
}

/// What the only text of an item is: RSS has one element for both, Atom says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lone {
    Summary,
    Content,
}

/// Puts each text in its place.
pub(crate) fn settle(
    summary: Option<Text>,
    content: Option<Text>,
    lone: Lone,
) -> (Option<Text>, Option<Text>) {
    match (summary, content) {
        (Some(summary), None) if lone == Lone::Content => (None, Some(summary)),
        // Said twice is said once.
        (Some(summary), Some(content)) if summary.value == content.value => (None, Some(content)),
        bodies => bodies,
    }
}

fn links(element: &Element<'_>, dialect: Dialect, scope: &Scope) -> Vec<Link> {
    let mut links = Vec::new();
    // FeedBurner puts its own counter into `link`.
    let original = element.child(FeedBurner, "origLink").and_then(Element::trimmed);
    let original = original.filter(|original| original.contains("://"));
    links.extend(original.map(|original| construct::page_link(&original, scope)));
    for link in element.all(Rss, "link") {
        match (link.trimmed(), link.attribute("href")) {
            (Some(address), _) => links.push(construct::page_link(&address, &scope.enter(link))),
            (None, Some(_)) => links.extend(construct::atom_link(link, scope)),
            (None, None) => {}
        }
    }
    if let Some(href) = element.attribute("href").filter(|_| dialect == Dialect::Cdf) {
        links.push(construct::page_link(href, scope));
    }
    links.extend(atom_links(element, scope));
    if let Some(source) =
        element.child(Atom, "content").and_then(|content| content.attribute("src"))
    {
        // RFC 4287 4.1.3.2: content that is elsewhere.
        links.push(Link { rel: "content".to_owned(), ..construct::page_link(source, scope) });
    }
    links.retain(|link| !link.href.is_empty());
    links
}

/// Who wrote it: the elements that name most, and of those all.
pub(crate) fn authors(element: &Element<'_>, scope: &Scope) -> Vec<Person> {
    let atom: Vec<Person> =
        element.all(Atom, "author").filter_map(|author| atom_person(author, scope)).collect();
    let named = |space, name: &'static str| -> Vec<Person> {
        element.all(space, name).filter_map(|found| people::person(&found.text())).collect()
    };
    let lists = [
        atom,
        named(Dc, "creator"),
        named(Dc, "author"),
        rss_authors(element, scope),
        named(Rss, "managingEditor"),
        named(Itunes, "author"),
    ];
    unique(lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default())
}

/// RSS `author` is one line; some write Atom's elements into it.
fn rss_authors(element: &Element<'_>, scope: &Scope) -> Vec<Person> {
    let read = |author: &Element<'_>| {
        atom_person(author, scope).or_else(|| people::person(&author.text()))
    };
    element.all(Rss, "author").filter_map(read).collect()
}

pub(crate) fn contributors(element: &Element<'_>, scope: &Scope) -> Vec<Person> {
    let atom = element.all(Atom, "contributor").filter_map(|found| atom_person(found, scope));
    let dc = element.all(Dc, "contributor").filter_map(|found| people::person(&found.text()));
    unique(atom.chain(dc).collect())
}

/// RFC 4287 3.2.
pub(crate) fn atom_person(element: &Element<'_>, scope: &Scope) -> Option<Person> {
    let scope = scope.enter(element);
    let part = |names: &[&str]| {
        element
            .elements()
            .find(|inner| {
                matches!(inner.space, Atom | Rss | Itunes)
                    && names.iter().any(|name| inner.name.eq_ignore_ascii_case(name))
            })
            .and_then(Element::trimmed)
    };
    let Some(name) = part(&["name"]) else {
        let whole =
            if element.has_elements() { String::new() } else { element.text().into_owned() };
        let mut person = people::person(&whole).unwrap_or_default();
        person.email = part(&["email"]).or(person.email);
        person.uri = part(&["uri", "url", "homepage"]).map(|uri| scope.resolve(&uri));
        return (person != Person::default()).then_some(person);
    };
    let mut person = people::person(&name).unwrap_or_default();
    person.email = part(&["email"]).or(person.email);
    person.uri = part(&["uri", "url", "homepage"]).map(|uri| scope.resolve(&uri));
    Some(person)
}

fn unique(people: Vec<Person>) -> Vec<Person> {
    let mut kept: Vec<Person> = Vec::with_capacity(people.len().min(MAX_CATEGORIES));
    for person in people.into_iter().take(MAX_CATEGORIES) {
        if !kept.contains(&person) {
            kept.push(person);
        }
    }
    kept
}

/// The categories of an item or a channel, each once; the dialect's own before borrowed ones.
pub(crate) fn categories(element: &Element<'_>) -> Vec<Category> {
    let mut found = Vec::new();
    nested(element, &mut found, 0);
    if let Some(keywords) = element.child(Itunes, "keywords").and_then(Element::trimmed) {
        found.extend(keywords.split(',').map(|word| (1, category(word, None, None))));
    }
    found.sort_by_key(|(rank, _)| *rank);
    let mut kept: Vec<Category> = Vec::new();
    for (_, category) in found {
        if !category.term.is_empty() && !kept.contains(&category) && kept.len() < MAX_CATEGORIES {
            kept.push(category);
        }
    }
    kept
}

fn nested(element: &Element<'_>, found: &mut Vec<(u8, Category)>, depth: usize) {
    for inner in element.elements().take(MAX_CATEGORIES) {
        let is_category = inner.name.eq_ignore_ascii_case("category");
        if !is_category && !inner.is(Dc, "subject") {
            continue;
        }
        let attribute = |name| inner.attribute(name);
        let text = inner.text();
        match inner.space {
            Rss => {
                let term = if text.trim().is_empty() { attribute("term") } else { Some(&*text) };
                let scheme = attribute("domain").or_else(|| attribute("scheme"));
                found.push((0, category(term.unwrap_or_default(), scheme, attribute("label"))));
                nested(inner, found, depth + 1);
            }
            Itunes => {
                let scheme = Some("http://www.itunes.com/");
                found.push((2, category(attribute("text").unwrap_or_default(), scheme, None)));
                if depth < 4 {
                    nested(inner, found, depth + 1);
                }
            }
            Dc if !is_category => found.push((3, category(&text, None, None))),
            Atom => {
                let term = attribute("term").unwrap_or(&text);
                found.push((4, category(term, attribute("scheme"), attribute("label"))));
            }
            Media => {
                found.push((5, category(&text, attribute("scheme"), attribute("label"))));
            }
            _ => {}
        }
    }
}

fn category(term: &str, scheme: Option<&str>, label: Option<&str>) -> Category {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Category {
        term: term.trim().to_owned(),
        scheme: scheme.and_then(given),
        label: label.and_then(given),
    }
}

pub(crate) fn rights(element: &Element<'_>, scope: &Scope) -> Option<Text> {
    first_text(
        element,
        scope,
        &[
            (Atom, "rights", Custom::Plain),
            (Atom, "copyright", Custom::Plain),
            (Rss, "copyright", Custom::Title),
            (Dc, "rights", Custom::Title),
            (Media, "copyright", Custom::Title),
        ],
    )
}

fn comments(element: &Element<'_>, scope: &Scope, links: &[Link]) -> Option<String> {
    let rss = element.child(Rss, "comments").and_then(Element::trimmed);
    let html = |link: &&Link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html"));
    // RFC 4685 4
    let replies = || links.iter().filter(|link| link.rel == "replies").find(html);
    rss.map(|url| scope.resolve(&url)).or_else(|| replies().map(|link| link.href.clone()))
}

/// Where it was copied from: `atom:source` or RSS `source`.
fn source(element: &Element<'_>, scope: &Scope) -> Option<SourceInfo> {
    if let Some(source) = element.child(Atom, "source") {
        let scope = scope.enter(source);
        let links = atom_links(source, &scope);
        let rel =
            |rel: &str| links.iter().find(|link| link.rel == rel).map(|link| link.href.clone());
        return Some(SourceInfo {
            id: source.child(Atom, "id").and_then(Element::trimmed),
            title: source
                .child(Atom, "title")
                .and_then(|title| text(title, &scope, Custom::Plain))
                .map(|title| title.value),
            url: rel("alternate"),
            feed_url: rel("self"),
        });
    }
    let source = element.child(Rss, "source")?;
    // RSS 2.0: `url` is the address of the channel's document, not of a page.
    let feed_url =
        source.attribute("url").filter(|url| !url.is_empty()).map(|url| scope.resolve(url));
    let title = source.trimmed();
    (feed_url.is_some() || title.is_some()).then(|| SourceInfo {
        title,
        feed_url,
        ..SourceInfo::default()
    })
}

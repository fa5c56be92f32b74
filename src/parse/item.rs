//! An item element to a `ParsedItem`. Each field has a list of elements in order of precedence, for
//! all XML dialects together.

use jiff::Timestamp;
use url::Url;

use super::constructs::{self, UntypedAs, atom_links, text};
use super::context::Context;
use super::dates::{self, first_date};
use super::media;
use super::namespace::Namespace::{
    self, Atom, Content, Dc, FeedBurner, FullText, Itunes, Media, Rdf, Rss, Wfw,
};
use super::tree::Element;
use crate::model::{Category, Dialect, Link, ParsedItem, Person, SourceInfo, Surplus, Text};

/// Maximum number of categories and of people of an item. Fewer are published; more would cost quadratic time.
const MAX_PARTS: usize = 200;

/// The texts of an item.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) title: Option<Text>,
    pub(crate) summary: Option<Text>,
    pub(crate) content: Option<Text>,
    pub(crate) rights: Option<Text>,
}

/// The texts of an item, read by newswire.
pub(crate) fn texts(element: &Element<'_>, outer: &Context) -> Texts {
    let context = outer.enter(element);
    let (summary, content) = bodies(element, &context);
    Texts { title: title(element, &context), summary, content, rights: rights(element, &context) }
}

/// An item without its texts.
pub(crate) fn facts(element: &Element<'_>, dialect: Dialect, outer: &Context) -> ParsedItem {
    let context = outer.enter(element);
    let links = links(element, dialect, &context);
    let media_of = media::media_of(element, &links, &context);
    let (id, id_is_permalink) = id(element, &context);
    let language = element.child(Dc, "language").and_then(Element::trimmed);
    let (authors, surplus_authors) = own_authors(element, &context);
    let (categories, surplus_categories) = categories(element);
    let (podcast, surplus_podcast) = media::podcast(element, &context);
    let surplus = Surplus {
        authors: surplus_authors,
        categories: surplus_categories,
        files: media_of.surplus_files,
        images: media_of.surplus_images,
        ..surplus_podcast
    };
    ParsedItem {
        id,
        id_is_permalink,
        published: published(element, &context),
        updated: updated(element, &context),
        authors,
        contributors: contributors(element, &context),
        categories,
        enclosures: media_of.enclosures,
        thumbnails: media_of.thumbnails,
        comments: comments(element, &context, &links),
        comments_feed: address(element, Wfw, "commentRss", &context),
        source: source(element, &context),
        language: language.or_else(|| context.language.clone()),
        duration: element
            .child(Itunes, "duration")
            .and_then(|found| media::duration(&found.text())),
        links,
        podcast,
        surplus,
        ..ParsedItem::default()
    }
}

/// Time by which the newest items are found; the earliest time if the item has no date.
pub(crate) fn stamp(element: &Element<'_>) -> Timestamp {
    // What cannot be read is reported when the item is read.
    let context = Context::default();
    let published = published(element, &context);
    published.or_else(|| updated(element, &context)).unwrap_or(Timestamp::MIN)
}

fn published(element: &Element<'_>, context: &Context) -> Option<Timestamp> {
    first_date(
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
        context,
    )
}

fn updated(element: &Element<'_>, context: &Context) -> Option<Timestamp> {
    let named = first_date(
        element,
        &[
            (Atom, "updated"),
            (Atom, "modified"),
            (Dc, "modified"),
            (Rss, "updated"),
            (Rss, "lastBuildDate"),
        ],
        context,
    );
    named.or_else(|| dates::date(element.attribute("lastmod")?, context))
}

/// The id, and whether it is also the URL of the item's page.
fn id(element: &Element<'_>, context: &Context) -> (Option<String>, bool) {
    if let Some(id) = element.all(Atom, "id").find_map(Element::trimmed) {
        return (Some(id), false);
    }
    if let Some((guid, id)) =
        element.all(Rss, "guid").find_map(|guid| Some((guid, guid.trimmed()?)))
    {
        // RSS 2.0: a guid is a permalink unless `isPermaLink` is false.
        let denied =
            guid.attribute("isPermaLink").is_some_and(|value| value.eq_ignore_ascii_case("false"));
        let address = is_web_url(&id);
        return (Some(id), !denied && address);
    }
    let about = element.attribute_in(Rdf, "about").or_else(|| element.attribute("about"));
    if let Some(about) = about.filter(|about| !about.is_empty()) {
        return (Some(context.resolve_as_written(about)), false);
    }
    let other = element.child(Dc, "identifier").or_else(|| element.child(Rss, "id"));
    (other.and_then(Element::trimmed), false)
}

fn title(element: &Element<'_>, context: &Context) -> Option<Text> {
    first_text(
        element,
        context,
        &[
            (Atom, "title", UntypedAs::Plain),
            (Rss, "title", UntypedAs::Title),
            (Dc, "title", UntypedAs::Title),
            (Media, "title", UntypedAs::Title),
            (Itunes, "title", UntypedAs::Title),
        ],
    )
}

fn first_text(
    element: &Element<'_>,
    context: &Context,
    names: &[(Namespace, &str, UntypedAs)],
) -> Option<Text> {
    names.iter().find_map(|(namespace, name, untyped)| {
        element.all(*namespace, name).find_map(|found| text(found, context, *untyped))
    })
}

/// The longest text of the first of these elements that has one.
fn longest_text(
    element: &Element<'_>,
    context: &Context,
    names: &[(Namespace, &str, UntypedAs)],
) -> Option<Text> {
    names.iter().find_map(|(namespace, name, untyped)| {
        let texts =
            element.all(*namespace, name).filter_map(|found| text(found, context, *untyped));
        texts.reduce(
            |longest, next| {
                if next.value.len() > longest.value.len() { next } else { longest }
            },
        )
    })
}

/// Summary and content of an item.
fn bodies(element: &Element<'_>, context: &Context) -> (Option<Text>, Option<Text>) {
    let content = longest_text(
        element,
        context,
        &[
            (Atom, "content", UntypedAs::Plain),
            (Content, "encoded", UntypedAs::Html),
            (Namespace::Xhtml, "body", UntypedAs::Html),
            (Rss, "fullitem", UntypedAs::Html),
            (Rss, "content", UntypedAs::Html),
            (Rss, "body", UntypedAs::Html),
            (FullText, "full-text", UntypedAs::Title),
            (FullText, "fulltext", UntypedAs::Title),
            (FullText, "content", UntypedAs::Html),
        ],
    );
    let content = content.or_else(|| content_items(element, context));
    let summary = longest_text(
        element,
        context,
        &[
            (Atom, "summary", UntypedAs::Plain),
            (Rss, "description", UntypedAs::Html),
            (Rss, "abstract", UntypedAs::Html),
            (Dc, "description", UntypedAs::Html),
            (Itunes, "summary", UntypedAs::Title),
            (Media, "description", UntypedAs::Lines),
        ],
    );
    let summary = summary.or_else(|| {
        let parts = || element.elements().filter(|inner| inner.namespace == Media);
        let read = |part: &Element<'_>| {
            first_text(part, context, &[(Media, "description", UntypedAs::Lines)])
        };
        parts().find_map(read).or_else(|| parts().flat_map(Element::elements).find_map(read))
    });
    let summary =
        summary.or_else(|| first_text(element, context, &[(Itunes, "subtitle", UntypedAs::Title)]));
    let single = match element.child(Atom, "summary") {
        Some(_) => SingleText::Summary,
        None => SingleText::Content,
    };
    arrange(summary, content, single)
}

/// The text in the old form of RSS 1.0 module `content`: `content:items`.
fn content_items(element: &Element<'_>, context: &Context) -> Option<Text> {
    let list = element.child(Content, "items")?.elements().next()?;
    let items = list.all(Rdf, "li").filter_map(|part| part.child(Content, "item"));
    items.flat_map(|item| item.all(Rdf, "value")).find_map(|v| text(v, context, UntypedAs::Html))
}

/// What the only text of an item is: the content in RSS, the summary if Atom labels it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SingleText {
    Summary,
    Content,
}

/// Summary and content, with a single text in its place and without duplicates.
pub(crate) fn arrange(
    summary: Option<Text>,
    content: Option<Text>,
    single: SingleText,
) -> (Option<Text>, Option<Text>) {
    match (summary, content) {
        (Some(summary), None) if single == SingleText::Content => (None, Some(summary)),
        // A summary that is the same as the content is dropped.
        (Some(summary), Some(content)) if summary.value == content.value => (None, Some(content)),
        bodies => bodies,
    }
}

fn links(element: &Element<'_>, dialect: Dialect, context: &Context) -> Vec<Link> {
    let mut links = Vec::new();
    // FeedBurner replaces `link` by a URL that counts clicks.
    let original = element.child(FeedBurner, "origLink").and_then(Element::trimmed);
    let original = original.filter(|original| original.contains("://"));
    links.extend(original.map(|original| constructs::page_link(&original, context)));
    for link in element.all(Rss, "link") {
        match (link.trimmed(), link.attribute("href")) {
            (Some(address), _) => {
                let page = constructs::page_link(&address, &context.enter(link));
                links.push(below_home(&page.href, element, context).unwrap_or(page));
            }
            (None, Some(_)) => links.extend(constructs::atom_link(link, context)),
            (None, None) => {}
        }
    }
    if dialect == Dialect::Cdf
        && let Some(href) = cdf_page(element)
    {
        links.push(constructs::page_link(href, context));
    }
    links.extend(atom_links(element, context));
    links.retain(|link| !link.href.is_empty());
    // RSS 1.0 5.5: `rdf:about` should be the same URL as `link`.
    if links.is_empty()
        && let Some(about) = element.attribute_in(Rdf, "about")
        && is_web_url(about)
    {
        links.push(constructs::page_link(about, context));
    }
    if let Some(content) = content_elsewhere(element, context) {
        // A file such as a PDF is what the item is about. Podcast clients drop it as an enclosure.
        if !media::is_media(content.media_type.as_deref().unwrap_or_default()) {
            let has_page = links.iter().any(|link| link.rel == "alternate");
            let is_page = content.media_type.as_deref().is_none_or(|kind| kind.contains("html"));
            let rel = if has_page { "related" } else { "alternate" };
            links.extend(
                (!has_page || !is_page).then(|| Link { rel: rel.to_owned(), ..content.clone() }),
            );
        }
        links.push(content);
    }
    links
}

/// The guid that an item whose link is the page of the feed marks as its permalink, if it is another page of its host. Many
/// guids without the mark are made up.
fn below_home(link: &str, element: &Element<'_>, context: &Context) -> Option<Link> {
    let bare = |link: &str| link.trim_end_matches('/').to_owned();
    let home = context.home.as_deref().filter(|home| bare(home) == bare(link))?;
    let is_marked = |guid: &&Element<'_>| {
        guid.attribute("isPermaLink").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let id = element.all(Rss, "guid").find(is_marked)?.trimmed()?;
    let host = |url: &str| Some(Url::parse(url).ok()?.host_str()?.to_owned());
    let is_below = is_web_url(&id) && bare(&id) != bare(home) && host(&id)? == host(home)?;
    is_below.then(|| constructs::page_link(&id, context))
}

/// The page of an item or a channel of CDF, in an attribute or in an element `A`.
pub(crate) fn cdf_page<'e>(element: &'e Element<'_>) -> Option<&'e str> {
    let anchor = || element.child(Rss, "a")?.attribute("href");
    element.attribute("href").or_else(anchor)
}

fn is_web_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// The content of an entry at another URL (RFC 4287 4.1.3.2), with its media type in lower case without parameters.
fn content_elsewhere(element: &Element<'_>, context: &Context) -> Option<Link> {
    let content = element.child(Atom, "content")?;
    let link = constructs::page_link(content.attribute("src")?, &context.enter(content));
    let bare = |media_type: &str| {
        let bare = media_type.split(';').next().unwrap_or_default();
        bare.trim().to_ascii_lowercase()
    };
    let media_type = content.attribute("type").map(bare).filter(|bare| !bare.is_empty());
    (!link.href.is_empty()).then(|| Link { rel: "content".to_owned(), media_type, ..link })
}

/// The authors of an item, or else of its `atom:source` (RFC 4287 4.2.1), and the number of authors left out.
fn own_authors(element: &Element<'_>, context: &Context) -> (Vec<Person>, usize) {
    let own = authors(element, context);
    match element.child(Atom, "source").filter(|_| own.0.is_empty()) {
        Some(source) => authors(source, &context.enter(source)),
        None => own,
    }
}

/// The authors, from the first kind of element that names any, and the number of authors left out.
pub(crate) fn authors(element: &Element<'_>, context: &Context) -> (Vec<Person>, usize) {
    let atom: Vec<Person> =
        element.all(Atom, "author").filter_map(|author| atom_person(author, context)).collect();
    let named = |namespace, name: &'static str| -> Vec<Person> {
        element
            .all(namespace, name)
            .flat_map(Element::values)
            .flat_map(|it| constructs::people(&it))
            .collect()
    };
    let lists = [
        atom,
        named(Dc, "creator"),
        named(Dc, "author"),
        rss_authors(element, context),
        // Who speaks in a podcast, rather than who is responsible for it.
        named(Itunes, "author"),
        named(Rss, "managingEditor"),
        credited_authors(element),
    ];
    let mut people = lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default();
    // Podcasts often have the address in `author`, and the name in `itunes:author`.
    if let [person] = people.as_mut_slice()
        && person.name.is_empty()
        && let Some(other) = named(Itunes, "author").pop()
    {
        person.name = other.name;
    }
    unique(people.into_iter())
}

/// The authors that Media RSS credits. Some sites credit the address of their picture too.
fn credited_authors(element: &Element<'_>) -> Vec<Person> {
    let is_author = |credit: &&Element<'_>| {
        credit.attribute("role").is_some_and(|role| role.trim().eq_ignore_ascii_case("author"))
    };
    let credits = element.all(Media, "credit").filter(is_author).map(Element::text);
    credits
        .filter(|name| !is_web_url(name.trim()))
        .filter_map(|name| constructs::person(&name))
        .collect()
}

/// RSS `author` is a line of text, but some publishers use the child elements of Atom.
fn rss_authors(element: &Element<'_>, context: &Context) -> Vec<Person> {
    let read = |author: &Element<'_>| match author.has_elements() {
        true => atom_person(author, context)
            .map_or_else(|| constructs::people(&author.text()), |it| vec![it]),
        false => constructs::people(&author.text()),
    };
    element.all(Rss, "author").flat_map(read).collect()
}

pub(crate) fn contributors(element: &Element<'_>, context: &Context) -> Vec<Person> {
    let atom = element.all(Atom, "contributor").filter_map(|found| atom_person(found, context));
    let dc = element.all(Dc, "contributor").filter_map(|found| constructs::person(&found.text()));
    unique(atom.chain(dc)).0
}

/// A person construct, RFC 4287 3.2.
pub(crate) fn atom_person(element: &Element<'_>, context: &Context) -> Option<Person> {
    let context = context.enter(element);
    let child = |names: &[&str]| {
        element.elements().find(|inner| {
            matches!(inner.namespace, Atom | Rss | Itunes)
                && names.iter().any(|name| inner.name.eq_ignore_ascii_case(name))
        })
    };
    let part = |name: &str| child(&[name]).and_then(Element::trimmed);
    let uri = || {
        let uri = child(&["uri", "url", "homepage"])?;
        Some(context.resolve_in(uri, &uri.trimmed()?))
    };
    let Some(name) = part("name") else {
        let whole =
            if element.has_elements() { String::new() } else { element.text().into_owned() };
        let mut person = constructs::person(&whole).unwrap_or_default();
        person.email = part("email").or(person.email);
        person.uri = uri();
        return (person != Person::default()).then_some(person);
    };
    let mut person = constructs::person(&name).unwrap_or_default();
    person.email = part("email").or(person.email);
    person.uri = uri();
    Some(person)
}

/// The first people without duplicates, and the number of people left out.
pub(crate) fn unique(people: impl Iterator<Item = Person>) -> (Vec<Person>, usize) {
    let mut kept: Vec<Person> = Vec::new();
    let mut surplus = 0;
    for person in people {
        if kept.len() == MAX_PARTS {
            surplus += 1;
        } else if !kept.contains(&person) {
            kept.push(person);
        }
    }
    (kept, surplus)
}

/// The first categories of an item or a channel without duplicates, those of the dialect first, and the number of
/// categories left out.
pub(crate) fn categories(element: &Element<'_>) -> (Vec<Category>, usize) {
    let mut found = Vec::new();
    nested(element, &mut found);
    for (rank, namespace) in [(1, Itunes), (6, Media)] {
        if let Some(keywords) = element.child(namespace, "keywords").and_then(Element::trimmed) {
            found.extend(keywords.split(',').map(|word| (rank, category(word, None, None))));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let (mut kept, mut surplus) = (Vec::<Category>::new(), 0);
    for (_, category) in found.into_iter().filter(|(_, category)| !category.term.is_empty()) {
        if kept.len() == MAX_PARTS {
            surplus += 1;
        } else if !kept.contains(&category) {
            kept.push(category);
        }
    }
    (kept, surplus)
}

fn nested(element: &Element<'_>, found: &mut Vec<(u8, Category)>) {
    for inner in element.elements() {
        let is_category = inner.name.eq_ignore_ascii_case("category");
        if !is_category && !inner.is(Dc, "subject") {
            continue;
        }
        let attribute = |name| inner.attribute(name);
        let text = inner.text();
        match inner.namespace {
            Rss => {
                let term = if text.trim().is_empty() { attribute("term") } else { Some(&*text) };
                let scheme = attribute("domain").or_else(|| attribute("scheme"));
                found.push((0, category(term.unwrap_or_default(), scheme, attribute("label"))));
                nested(inner, found);
            }
            Itunes => {
                let scheme = Some("http://www.itunes.com/");
                found.push((2, category(attribute("text").unwrap_or_default(), scheme, None)));
                nested(inner, found);
            }
            Dc if !is_category => {
                found.extend(inner.values().iter().map(|term| (3, category(term, None, None))));
            }
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

pub(crate) fn rights(element: &Element<'_>, context: &Context) -> Option<Text> {
    first_text(
        element,
        context,
        &[
            (Atom, "rights", UntypedAs::Plain),
            (Atom, "copyright", UntypedAs::Plain),
            (Rss, "copyright", UntypedAs::Title),
            (Dc, "rights", UntypedAs::Title),
            (Media, "copyright", UntypedAs::Title),
        ],
    )
}

fn comments(element: &Element<'_>, context: &Context, links: &[Link]) -> Option<String> {
    let rss = address(element, Rss, "comments", context);
    let html = |link: &&Link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html"));
    // RFC 4685 4
    let replies = || links.iter().filter(|link| link.rel == "replies").find(html);
    rss.or_else(|| replies().map(|link| link.href.clone()))
}

/// The URL in a child element.
pub(crate) fn address(
    element: &Element<'_>,
    namespace: Namespace,
    name: &str,
    context: &Context,
) -> Option<String> {
    let child = element.child(namespace, name)?;
    Some(context.resolve_in(child, &child.trimmed()?))
}

/// The feed that the item was copied from: `atom:source` or RSS `source`.
fn source(element: &Element<'_>, context: &Context) -> Option<SourceInfo> {
    if let Some(source) = element.child(Atom, "source") {
        let context = context.enter(source);
        let links = atom_links(source, &context);
        let rel =
            |rel: &str| links.iter().find(|link| link.rel == rel).map(|link| link.href.clone());
        return Some(SourceInfo {
            id: source.child(Atom, "id").and_then(Element::trimmed),
            title: source
                .child(Atom, "title")
                .and_then(|title| text(title, &context, UntypedAs::Plain))
                .map(|title| title.value),
            url: rel("alternate"),
            feed_url: rel("self"),
        });
    }
    let source = element.child(Rss, "source")?;
    // RSS 2.0: `url` is the URL of the feed, not of a page.
    let url = source.attribute("url").filter(|url| !url.is_empty());
    let feed_url = url.map(|url| context.resolve_in(source, url));
    let title = source.trimmed();
    (feed_url.is_some() || title.is_some()).then(|| SourceInfo {
        title,
        feed_url,
        ..SourceInfo::default()
    })
}

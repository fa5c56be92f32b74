//! The element that describes the feed to the head of a `ParsedFeed`.

use super::construct::{self, Custom, text};
use super::dates;
use super::hints::{self, atom_links, first_date};
use super::item::{atom_person, authors, categories, contributors, rights};
use super::people;
use super::scope::Scope;
use super::shape::Shape;
use super::space::Space::{self, Atom, Dc, Itunes, Media, Rdf, Rss};
use super::tree::Element;
use crate::model::{Dialect, FeedImage, Generator, Image, Link, ParsedFeed, Person, Text};

/// Reads everything but the items.
pub(crate) fn channel(shape: &Shape<'_, '_>, scope: &Scope) -> ParsedFeed {
    let (channel, root) = (shape.channel, shape.root);
    let links = links(channel, shape.dialect, scope);
    let hints = hints::hints(channel, &links);
    let title =
        first(channel, scope, &[(Atom, "title"), (Rss, "title"), (Dc, "title")], Custom::Title);
    let subtitle = first(
        channel,
        scope,
        &[
            (Atom, "subtitle"),
            (Atom, "tagline"),
            (Rss, "description"),
            (Rss, "abstract"),
            (Dc, "description"),
            (Itunes, "summary"),
            (Itunes, "subtitle"),
        ],
        Custom::Html,
    );
    ParsedFeed {
        dialect: Some(shape.dialect),
        id: id(channel, scope),
        title,
        subtitle,
        published: first_date(
            channel,
            &[(Atom, "published"), (Rss, "pubDate"), (Dc, "issued"), (Dc, "created")],
        ),
        updated: first_date(
            channel,
            &[
                (Atom, "updated"),
                (Atom, "modified"),
                (Rss, "lastBuildDate"),
                (Dc, "modified"),
                (Dc, "date"),
                (Rss, "pubDate"),
            ],
        )
        .or_else(|| dates::date(channel.attribute("lastmod")?)),
        authors: feed_authors(channel, scope),
        contributors: contributors(channel, scope),
        categories: categories(channel),
        rights: rights(channel, scope),
        language: language(channel, root, scope),
        generator: generator(channel, scope),
        icon: channel
            .child(Atom, "icon")
            .and_then(Element::trimmed)
            .map(|icon| scope.resolve(&icon)),
        image: image(channel, root, scope),
        hints,
        links,
        ..ParsedFeed::default()
    }
}

fn first(
    element: &Element<'_>,
    scope: &Scope,
    names: &[(Space, &str)],
    rss: Custom,
) -> Option<Text> {
    names.iter().find_map(|(space, name)| {
        let custom = if *space == Atom { Custom::Plain } else { rss };
        element.all(*space, name).find_map(|found| text(found, scope, custom))
    })
}

fn id(channel: &Element<'_>, scope: &Scope) -> Option<String> {
    let own = channel.child(Atom, "id").or_else(|| channel.child(Rss, "guid"));
    let about = || channel.attribute_in(Rdf, "about").filter(|about| !about.is_empty());
    own.and_then(Element::trimmed).or_else(|| about().map(|about| scope.resolve(about)))
}

fn links(channel: &Element<'_>, dialect: Dialect, scope: &Scope) -> Vec<Link> {
    let mut links = Vec::new();
    for link in channel.all(Rss, "link") {
        match (link.trimmed(), link.attribute("href")) {
            (Some(address), _) => links.push(construct::page_link(&address, &scope.enter(link))),
            (None, Some(_)) => links.extend(construct::atom_link(link, scope)),
            (None, None) => {}
        }
    }
    if let Some(href) = channel.attribute("href").filter(|_| dialect == Dialect::Cdf) {
        links.push(construct::page_link(href, scope));
    }
    links.extend(atom_links(channel, scope));
    links.retain(|link| !link.href.is_empty());
    links
}

fn feed_authors(channel: &Element<'_>, scope: &Scope) -> Vec<Person> {
    let named = authors(channel, scope);
    if !named.is_empty() {
        return named;
    }
    let owner = channel.child(Itunes, "owner").and_then(|owner| atom_person(owner, scope));
    let master = || people::person(&channel.child(Rss, "webMaster")?.text());
    owner.or_else(master).into_iter().collect()
}

fn language(channel: &Element<'_>, root: &Element<'_>, scope: &Scope) -> Option<String> {
    let child = |space, name| channel.child(space, name).and_then(Element::trimmed);
    let attribute = |element: &Element<'_>| {
        element.attribute_in(Space::Xml, "lang").filter(|lang| !lang.is_empty()).map(str::to_owned)
    };
    child(Rss, "language")
        .or_else(|| child(Dc, "language"))
        .or_else(|| attribute(channel))
        .or_else(|| attribute(root))
        .or_else(|| scope.language.clone())
}

fn generator(channel: &Element<'_>, scope: &Scope) -> Option<Generator> {
    let element = channel.child(Atom, "generator").or_else(|| channel.child(Rss, "generator"));
    let Some(element) = element else {
        let agent = channel.elements().find(|found| found.name == "generatorAgent")?;
        let uri = agent.attribute_in(Rdf, "resource")?.to_owned();
        return Some(Generator { name: uri.clone(), uri: Some(uri), version: None });
    };
    let attribute = |name| element.attribute(name).filter(|value| !value.is_empty());
    let uri = attribute("uri").or_else(|| attribute("url")).map(|uri| scope.resolve(uri));
    Some(Generator {
        name: element.trimmed().unwrap_or_default(),
        uri,
        version: attribute("version").map(str::to_owned),
    })
}

/// `image` of RSS, which RSS 1.0 puts beside the channel; `logo` of Atom; `image` of iTunes.
fn image(channel: &Element<'_>, root: &Element<'_>, scope: &Scope) -> Option<FeedImage> {
    let bare = |url: &str| {
        let picture = Image { url: scope.resolve(url), ..Image::default() };
        (!picture.url.is_empty()).then(|| FeedImage::from(picture))
    };
    let itunes = channel.child(Itunes, "image");
    channel
        .all(Rss, "image")
        .chain(root.all(Rss, "image"))
        .find_map(|image| rss_image(image, scope))
        .or_else(|| bare(&channel.child(Atom, "logo")?.text()))
        .or_else(|| bare(itunes?.attribute("href").or_else(|| itunes?.attribute("url"))?))
        .or_else(|| {
            let link = channel.all(Itunes, "link").find(|l| l.attribute("rel") == Some("image"))?;
            bare(link.attribute("href")?)
        })
        .or_else(|| bare(&itunes?.text()))
        .or_else(|| bare(channel.child(Rss, "logo")?.attribute("href")?))
        .or_else(|| {
            let picture = channel.child(Media, "thumbnail").or(channel.child(Media, "content"))?;
            let kind = picture.attribute("type").is_none_or(|kind| kind.starts_with("image"));
            bare(picture.attribute("url").filter(|_| kind)?)
        })
}

fn rss_image(image: &Element<'_>, scope: &Scope) -> Option<FeedImage> {
    let child = |name| image.child(Rss, name).and_then(Element::trimmed);
    let size = |name| child(name).and_then(|size| size.parse().ok());
    let words = |name| {
        let found = image.child(Rss, name)?;
        text(found, scope, Custom::Title).map(|text| text.value)
    };
    let url = child("url").map(|url| scope.resolve(&url)).unwrap_or_default();
    let found = FeedImage {
        picture: Image { url, width: size("width"), height: size("height") },
        title: words("title"),
        link: child("link").map(|link| scope.resolve(&link)),
        description: words("description"),
    };
    (found != FeedImage::default()).then_some(found)
}

//! The channel element to a `ParsedFeed` without items, the hints of the publisher about polling, and what items have from
//! their feed.

use super::constructs::{self, UntypedAs, atom_links, text};
use super::context::Context;
use super::dates::{self, first_date};
use super::item::{address, atom_person, authors, categories, cdf_page, contributors, rights};
use super::layout::Layout;
use super::media::whole_number;
use super::namespace::Namespace::{self, Atom, Dc, Itunes, Media, Rdf, Rss};
use super::tree::Element;
use crate::model::{
    Dialect, FeedImage, Generator, Hints, Image, Link, ParsedFeed, ParsedItem, Person, SourceInfo,
    Text, TextKind,
};

/// The feed without its items.
pub(crate) fn channel(layout: &Layout<'_, '_>, context: &Context) -> ParsedFeed {
    let (channel, root) = (layout.channel, layout.root);
    let links = links(channel, layout.dialect, context);
    let hints = polling_hints(channel, &links);
    let title = first(
        channel,
        context,
        &[(Atom, "title"), (Rss, "title"), (Dc, "title")],
        UntypedAs::Title,
    );
    let subtitle = first(
        channel,
        context,
        &[
            (Atom, "subtitle"),
            (Atom, "tagline"),
            (Rss, "description"),
            (Rss, "abstract"),
            (Dc, "description"),
            (Itunes, "summary"),
            (Itunes, "subtitle"),
        ],
        UntypedAs::Html,
    );
    ParsedFeed {
        dialect: Some(layout.dialect),
        id: id(channel, context),
        title,
        subtitle,
        published: first_date(
            channel,
            &[(Atom, "published"), (Rss, "pubDate"), (Dc, "issued"), (Dc, "created")],
            context,
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
            context,
        )
        .or_else(|| dates::date(channel.attribute("lastmod")?, context)),
        authors: feed_authors(channel, context),
        contributors: contributors(channel, context),
        categories: categories(channel).0,
        rights: rights(channel, context),
        language: context.feed_language.clone(),
        generator: generator(channel, context),
        icon: address(channel, Atom, "icon", context),
        image: image(channel, root, context),
        hints,
        links,
        ..ParsedFeed::default()
    }
}

fn first(
    element: &Element<'_>,
    context: &Context,
    names: &[(Namespace, &str)],
    rss: UntypedAs,
) -> Option<Text> {
    names.iter().find_map(|(namespace, name)| {
        let untyped = if *namespace == Atom { UntypedAs::Plain } else { rss };
        element.all(*namespace, name).find_map(|found| text(found, context, untyped))
    })
}

fn id(channel: &Element<'_>, context: &Context) -> Option<String> {
    let id = channel.child(Atom, "id").or_else(|| channel.child(Rss, "guid"));
    let about = || channel.attribute_in(Rdf, "about").filter(|about| !about.is_empty());
    id.and_then(Element::trimmed).or_else(|| about().map(|about| context.resolve_as_written(about)))
}

pub(crate) fn links(channel: &Element<'_>, dialect: Dialect, context: &Context) -> Vec<Link> {
    let mut links = Vec::new();
    for link in channel.all(Rss, "link") {
        match (link.trimmed(), link.attribute("href")) {
            (Some(address), _) => links.push(constructs::page_link(&address, &context.enter(link))),
            (None, Some(_)) => links.extend(constructs::atom_link(link, context)),
            (None, None) => {}
        }
    }
    if dialect == Dialect::Cdf
        && let Some(href) = cdf_page(channel)
    {
        links.push(constructs::page_link(href, context));
    }
    links.extend(atom_links(channel, context));
    links.retain(|link| !link.href.is_empty());
    links
}

fn feed_authors(channel: &Element<'_>, context: &Context) -> Vec<Person> {
    let (named, _) = authors(channel, context);
    if !named.is_empty() {
        return named;
    }
    let owner = channel.child(Itunes, "owner").and_then(|owner| atom_person(owner, context));
    let master = || constructs::person(&channel.child(Rss, "webMaster")?.text());
    owner.or_else(master).into_iter().collect()
}

/// The language of the feed, by its element or by `xml:lang`.
pub(crate) fn language(
    channel: &Element<'_>,
    root: &Element<'_>,
    context: &Context,
) -> Option<String> {
    let child = |namespace, name| channel.child(namespace, name).and_then(Element::trimmed);
    let attribute = |element: &Element<'_>| {
        element
            .attribute_in(Namespace::Xml, "lang")
            .filter(|lang| !lang.is_empty())
            .map(str::to_owned)
    };
    child(Rss, "language")
        .or_else(|| child(Dc, "language"))
        .or_else(|| attribute(channel))
        .or_else(|| attribute(root))
        .or_else(|| context.language.clone())
}

fn generator(channel: &Element<'_>, context: &Context) -> Option<Generator> {
    let element = channel.child(Atom, "generator").or_else(|| channel.child(Rss, "generator"));
    let Some(element) = element else {
        let agent = channel.elements().find(|found| found.name == "generatorAgent")?;
        let uri = agent.attribute_in(Rdf, "resource")?.to_owned();
        return Some(Generator { name: uri.clone(), uri: Some(uri), version: None });
    };
    let attribute = |name| element.attribute(name).filter(|value| !value.is_empty());
    let uri = attribute("uri").or_else(|| attribute("url"));
    let uri = uri.map(|uri| context.resolve_in(element, uri));
    Some(Generator {
        name: element.trimmed().unwrap_or_default(),
        uri,
        version: attribute("version").map(str::to_owned),
    })
}

/// `image` of RSS (in RSS 1.0 next to the channel), `logo` of Atom, or `image` of iTunes.
fn image(channel: &Element<'_>, root: &Element<'_>, context: &Context) -> Option<FeedImage> {
    let bare = |element: &Element<'_>, url: &str| {
        let picture = Image { url: context.resolve_in(element, url), ..Image::default() };
        (!picture.url.is_empty()).then(|| FeedImage::from(picture))
    };
    let named = |element: &Element<'_>, name: &str| bare(element, element.attribute(name)?);
    let itunes = channel.child(Itunes, "image");
    let logo = channel.child(Atom, "logo");
    channel
        .all(Rss, "image")
        .chain(root.all(Rss, "image"))
        .find_map(|image| rss_image(image, context))
        .or_else(|| bare(logo?, &logo?.text()))
        .or_else(|| named(itunes?, "href").or_else(|| named(itunes?, "url")))
        .or_else(|| {
            let link = channel.all(Itunes, "link").find(|l| l.attribute("rel") == Some("image"))?;
            named(link, "href")
        })
        .or_else(|| bare(itunes?, &itunes?.text()))
        .or_else(|| named(channel.child(Rss, "logo")?, "href"))
        .or_else(|| {
            let picture = channel.child(Media, "thumbnail").or(channel.child(Media, "content"))?;
            let kind = picture.attribute("type").is_none_or(|kind| kind.starts_with("image"));
            named(picture, "url").filter(|_| kind)
        })
}

fn rss_image(image: &Element<'_>, context: &Context) -> Option<FeedImage> {
    let context = &context.enter(image);
    let child = |name| image.child(Rss, name).and_then(Element::trimmed);
    let size = |name| child(name).and_then(|size| size.parse().ok());
    let words = |name| {
        let found = image.child(Rss, name)?;
        text(found, context, UntypedAs::Title).map(|text| text.value)
    };
    let url = address(image, Rss, "url", context).unwrap_or_default();
    let found = FeedImage {
        picture: Image { url, width: size("width"), height: size("height") },
        title: words("title"),
        link: address(image, Rss, "link", context),
        description: words("description"),
    };
    (found != FeedImage::default()).then_some(found)
}

const DAYS: &[&str] =
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Hints of the publisher about polling: `ttl`, skip hours and days, update period, hubs.
fn polling_hints(channel: &Element<'_>, links: &[Link]) -> Hints {
    let rel = |rel: &str| {
        links.iter().find(|link| link.rel == rel && !link.href.is_empty()).map(|l| l.href.clone())
    };
    let hubs = links.iter().filter(|link| link.rel == "hub").map(|link| link.href.clone());
    Hints {
        // RSS 2.0: `ttl` is in minutes.
        ttl: number(channel, Namespace::Rss, "ttl").and_then(|minutes| minutes.checked_mul(60)),
        period: period(channel),
        skip_hours: skip_hours(channel),
        skip_days: skip_days(channel),
        expired: false,
        hubs: hubs.take(8).collect(),
        self_url: rel("self"),
        // RFC 5005 3 and 4.
        older: rel("prev-archive").or_else(|| rel("next")),
        complete: channel.child(Namespace::History, "complete").is_some(),
    }
}

fn number(element: &Element<'_>, namespace: Namespace, name: &str) -> Option<u64> {
    whole_number(&element.child(namespace, name)?.text())
}

/// Seconds between two updates (RSS 1.0 syndication module).
fn period(channel: &Element<'_>) -> Option<u64> {
    let period =
        channel.child(Namespace::Syndication, "updatePeriod")?.text().trim().to_lowercase();
    let seconds = match period.as_str() {
        "hourly" => 3600,
        "daily" => 86_400,
        "weekly" => 7 * 86_400,
        "monthly" => 30 * 86_400,
        "yearly" => 365 * 86_400,
        _ => return None,
    };
    let frequency = number(channel, Namespace::Syndication, "updateFrequency").unwrap_or(1).max(1);
    Some((seconds / frequency).max(1))
}

fn skip_hours(channel: &Element<'_>) -> Vec<u8> {
    let Some(skip) = channel.child(Namespace::Rss, "skipHours") else { return Vec::new() };
    let hour = |element: &Element<'_>| element.text().trim().parse::<u8>().ok();
    // RSS 0.92 counts from 1 to 24.
    let hours = skip.all(Namespace::Rss, "hour").filter_map(hour).filter(|hour| *hour <= 24);
    sorted(hours.map(|hour| hour % 24).collect())
}

fn skip_days(channel: &Element<'_>) -> Vec<u8> {
    let Some(skip) = channel.child(Namespace::Rss, "skipDays") else { return Vec::new() };
    let day = |element: &Element<'_>| {
        let name = element.text().trim().to_lowercase();
        DAYS.iter().position(|known| *known == name)
    };
    let days = skip.all(Namespace::Rss, "day").filter_map(day);
    sorted(days.filter_map(|day| u8::try_from(day).ok()).collect())
}

fn sorted(mut numbers: Vec<u8>) -> Vec<u8> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Which sources of items are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    /// Those that are other feeds: some publishers name their own feed, or the topic of the item.
    OtherFeeds,
    /// All: the document is a merged feed, and any feed may be on its host.
    All,
}

/// Completes the items of a feed.
pub(crate) fn complete(feed: &mut ParsedFeed, context: &Context, sources: Sources) {
    let named = |person: &&crate::model::Person| !person.name.is_empty() || person.uri.is_some();
    let authors: Vec<_> = feed.item_authors.iter().filter(named).cloned().collect();
    let hosts = own_hosts(feed, context);
    for item in &mut feed.items {
        if item.authors.is_empty() && !authors.is_empty() {
            item.authors.clone_from(&authors);
            item.authors_are_inherited = true;
            item.surplus.authors = feed.surplus_authors;
        }
        // What holds for the podcast holds for its episodes.
        if !item.enclosures.is_empty() {
            let inherited = feed.explicit.filter(|explicit| *explicit);
            item.podcast.explicit = item.podcast.explicit.or(inherited);
            item.podcast.block |= feed.block;
        }
        let title = item.title.as_ref().map(|title| title.value.as_str());
        let is_own = |source: &SourceInfo| is_own(source, title, &hosts);
        if sources == Sources::OtherFeeds && item.source.as_ref().is_some_and(is_own) {
            item.source = None;
        }
        if sources == Sources::All {
            restore(item);
        }
    }
}

/// Restores what Newswire publishes in another form than it is stored.
fn restore(item: &mut ParsedItem) {
    // A related page with a title is another feed that has the story.
    item.links.retain(|link| link.rel != "related" || link.title.is_none());
    // All titles are plain text, in which a word joiner marks what looks like markup.
    let source = item.source.as_mut().and_then(|source| source.title.as_mut());
    let title = item.title.as_mut().map(|title| {
        title.kind = TextKind::Plain;
        &mut title.value
    });
    for title in title.into_iter().chain(source) {
        title.retain(|c| c != '\u{2060}');
    }
}

/// The hosts of the feed: of its URL, its home page and the URL that it gives for itself.
fn own_hosts(feed: &ParsedFeed, context: &Context) -> Vec<String> {
    let links = feed.links.iter().filter(|link| matches!(link.rel.as_str(), "alternate" | "self"));
    let links = links.filter_map(|link| url::Url::parse(&link.href).ok());
    let all = context.base.iter().cloned().chain(links);
    all.filter_map(|url| host(&url).map(str::to_owned)).collect()
}

fn host(url: &url::Url) -> Option<&str> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

/// Whether the source of an item is not another feed: it is on the host of this feed, or has the title of the
/// item, as in Discourse, where it is the topic.
fn is_own(source: &SourceInfo, title: Option<&str>, hosts: &[String]) -> bool {
    // `atom:source` always describes another feed.
    if source.id.is_some() || source.url.is_some() {
        return false;
    }
    let url = source.feed_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let host = url.as_ref().and_then(host);
    let here = host.is_some_and(|host| hosts.iter().any(|own| own == host));
    let same = |name: &String| title.is_some_and(|title| title.trim() == name.trim());
    here || source.title.as_ref().is_some_and(same)
}

#[cfg(test)]
mod tests {
    use super::super::{Input, parse, parse_published};
    use crate::model::Text;

    #[test]
    fn a_published_title_is_read_as_it_was_stored() {
        let url = "http://a.test/planet".parse().unwrap();
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title type='text'>Vec&lt;T> &amp;amp;</title>\
            <link rel='related' href='http://b.test/1' title='B'/><link rel='related' href='http://c.test/'/></entry></feed>";
        let rss = "<rss version='2.0'><channel><title>P</title><item><title>Vec&#x3C;\u{2060}T&#x3E; &#x26;\u{2060}amp;\
            </title></item></channel></rss>";
        let json = r#"{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "Vec<T> &amp;"}]}"#;
        for document in [atom, rss, json] {
            let bytes = document.as_bytes();
            let input = Input { bytes, content_type: None, url: &url, max_items: 10 };
            let item = parse_published(input).unwrap().feed.items.remove(0);
            assert_eq!(item.title, Some(Text::plain("Vec<T> &amp;")), "{document}");
            assert!(item.links.iter().all(|link| link.href == "http://c.test/"), "{document}");
        }
    }

    #[test]
    fn episodes_of_a_blocked_podcast_are_blocked() {
        for (block, expected) in [
            ("<itunes:block>Yes</itunes:block>", [true, false]),
            ("<podcast:block>yes</podcast:block>", [true, false]),
            (
                "<podcast:block id='spotify'>yes</podcast:block><itunes:block>no</itunes:block>",
                [false; 2],
            ),
            ("", [false; 2]),
        ] {
            let text = format!(
                "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' \
                 xmlns:podcast='https://podcastindex.org/namespace/1.0'><channel><title>F</title>{block}\
                 <item><title>A</title><enclosure url='http://a.test/1.mp3' type='audio/mpeg'/></item>\
                 <item><title>B</title></item></channel></rss>"
            );
            let url = "http://a.test/feed".parse().unwrap();
            let bytes = text.as_bytes();
            let input = Input { bytes, content_type: None, url: &url, max_items: 10 };
            let items = parse(input).unwrap().feed.items;
            let blocked: Vec<bool> = items.iter().map(|item| item.podcast.block).collect();
            assert_eq!(blocked, expected, "{block}");
        }
    }

    #[test]
    fn a_ttl_with_a_fraction_is_read() {
        let text = "<rss version='2.0'><channel><title>F</title><ttl> 360.5 </ttl></channel></rss>";
        let url = "http://a.test/feed".parse().unwrap();
        let input = Input { bytes: text.as_bytes(), content_type: None, url: &url, max_items: 10 };
        assert_eq!(parse(input).unwrap().feed.hints.ttl, Some(360 * 60));
    }

    #[test]
    fn a_merged_feed_keeps_sources_on_its_host_and_with_titles_of_items() {
        let text = "<rss version=\"2.0\"><channel><title>Planet</title><link>http://a.test/</link>\
            <item><guid>1</guid><title>One</title><source url=\"http://a.test/feed\">Site</source></item>\
            <item><guid>2</guid><title>Two</title><source url=\"http://b.test/feed\">Two</source></item>\
            </channel></rss>";
        let url = "http://a.test/planet.rss".parse().unwrap();
        let input = Input { bytes: text.as_bytes(), content_type: None, url: &url, max_items: 10 };
        let sources = |parsed: super::super::Parsed| -> Vec<Option<String>> {
            let items = parsed.feed.items.into_iter();
            items.map(|item| item.source.and_then(|source| source.feed_url)).collect()
        };
        assert_eq!(sources(parse(input).unwrap()), [None, None]);
        let kept = ["http://a.test/feed", "http://b.test/feed"].map(|url| Some(url.to_owned()));
        assert_eq!(sources(parse_published(input).unwrap()), kept);
    }
}

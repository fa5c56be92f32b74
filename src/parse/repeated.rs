//! Elements that an item or a channel may have only once, but has several times with different texts. One is read,
//! the others are reported.

use super::context::Context;
use super::namespace::Namespace::{self, Atom, Content, Dc, FeedBurner, Itunes, Podcast, Rss, Wfw};
use super::tree::Element;

/// Names in a namespace.
type Names = (Namespace, &'static [&'static str]);

/// Elements of which the longest text is read in an item, and the first in a channel.
const LONGEST: &[Names] = &[
    (Rss, &["description", "content", "fullitem", "body", "abstract"]),
    (Atom, &["content", "summary"]),
    (Content, &["encoded"]),
    (Dc, &["description"]),
    (Itunes, &["summary"]),
];

/// Elements of which the first one with a value is read.
#[rustfmt::skip]
const FIRST: &[Names] = &[
    (Rss, &[
        "title", "link", "guid", "pubDate", "comments", "source", "copyright", "published", "updated", "id",
        "language", "lastBuildDate", "ttl", "generator", "webMaster", "skipHours", "skipDays", "image",
    ]),
    (Atom, &[
        "id", "title", "published", "updated", "issued", "modified", "created", "rights", "source", "subtitle",
        "icon", "logo", "generator",
    ]),
    (Dc, &["title", "created", "modified", "issued", "language", "identifier", "date"]),
    (Itunes, &["title", "duration", "season", "episode", "explicit", "owner"]),
    (Podcast, &["season", "episode", "chapters"]),
    (Wfw, &["commentRss"]),
    (FeedBurner, &["origLink"]),
];

/// Reports repeated elements of an item or a channel, named by `owner`.
pub(crate) fn report(element: &Element<'_>, owner: &str, context: &Context) {
    let mut seen: Vec<&Element<'_>> = Vec::new();
    for inner in element.elements() {
        let among = |names: &[Names]| {
            let names = names.iter().find(|(namespace, _)| *namespace == inner.namespace);
            names.is_some_and(|(_, names)| {
                names.iter().any(|name| inner.name.eq_ignore_ascii_case(name))
            })
        };
        let is_text = among(LONGEST);
        if !is_text && !among(FIRST) || value(inner).is_none() {
            continue;
        }
        match seen.iter().find(|first| first.is(inner.namespace, inner.name)) {
            None => seen.push(inner),
            Some(first) if value(first) == value(inner) => {}
            Some(_) => {
                let name = &inner.name;
                let rule = if is_text && element.is_item() { "longest" } else { "first" };
                context.report_each("repeated_element", || {
                    format!("<{name}> occurs several times in {owner}; the {rule} one is read")
                });
            }
        }
    }
    if element.namespace == Atom {
        alternates(element, owner, context);
    }
}

/// Reports that a document has several channels.
pub(crate) fn channels(root: &Element<'_>, context: &Context) {
    let channels = root.elements().filter(|inner| inner.name.eq_ignore_ascii_case("channel"));
    if channels.count() > 1 {
        context.report_each("repeated_element", || {
            "<channel> occurs several times; the title and the other elements of the first one are read, and the \
             items of all"
                .to_owned()
        });
    }
}

/// RFC 4287 4.1.2: at most one alternate link with the same type and language.
fn alternates(element: &Element<'_>, owner: &str, context: &Context) {
    let mut seen: Vec<[Option<&str>; 3]> = Vec::new();
    for link in element.all(Atom, "link") {
        let rel = link.attribute("rel");
        let Some(href) = link.attribute("href").filter(|_| matches!(rel, None | Some("alternate")))
        else {
            continue;
        };
        let key = [link.attribute("type"), link.attribute("hreflang"), Some(href)];
        match seen.iter().find(|known| known[..2] == key[..2]) {
            None => seen.push(key),
            Some(known) if known[2] == key[2] => {}
            Some(_) => context.report_each("repeated_element", || {
                format!("<link rel=\"alternate\"> occurs several times in {owner}; the first one is read")
            }),
        }
    }
}

/// The content of an element, its text or its URL; `None` if it is empty.
fn value<'e>(element: &'e Element<'_>) -> Option<(String, Option<&'e str>)> {
    let url = ["url", "href", "src"].into_iter().find_map(|name| element.attribute(name));
    let text = element.text();
    let text = text.trim();
    (!text.is_empty() || url.is_some()).then(|| (text.to_owned(), url))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use crate::model::{ParseWarning, ParsedFeed};
    use crate::parse::{Input, parse};

    fn read(document: &str) -> (ParsedFeed, Vec<ParseWarning>) {
        let url = Url::parse("https://example.org/feed").unwrap();
        let input =
            Input { bytes: document.as_bytes(), content_type: None, url: &url, max_items: 100 };
        let parsed = parse(input).unwrap();
        (parsed.feed, parsed.parse_warnings)
    }

    fn rss(channel: &str, item: &str) -> String {
        format!(
            "<rss version='2.0'><channel><title>F</title>{channel}<item>{item}</item></channel></rss>"
        )
    }

    fn atom(feed: &str, entry: &str) -> String {
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{feed}<entry>{entry}</entry></feed>"
        )
    }

    fn messages(document: &str) -> Vec<String> {
        let warnings = read(document).1.into_iter();
        warnings.filter(|it| it.code == "repeated_element").map(|it| it.message).collect()
    }

    #[test]
    fn the_longest_of_several_texts_is_read_and_the_others_are_reported() {
        for (texts, name) in [
            ("<description>long text</description><description>short</description>", "description"),
            (
                "<description>short</description><description/><description>long text</description>",
                "description",
            ),
        ] {
            let document = rss("", texts);
            let item = read(&document).0.items.remove(0);
            assert_eq!(item.content.unwrap().value, "long text", "{texts}");
            let expected =
                format!("<{name}> occurs several times in an item; the longest one is read");
            assert_eq!(messages(&document), [expected], "{texts}");
        }
        let document = atom(
            "",
            "<content>a</content><content type='html'>long text</content><summary>b</summary><summary>longer</summary>",
        );
        let item = read(&document).0.items.remove(0);
        assert_eq!(item.content.unwrap().value, "long text");
        assert_eq!(item.summary.unwrap().value, "longer");
        assert_eq!(messages(&document).len(), 2);
    }

    #[test]
    fn the_first_of_several_other_elements_is_read_and_the_others_are_reported() {
        let item = |inner: &str| read(&rss("", inner)).0.items.remove(0);
        let twice = |name: &str, first: &str, second: &str| {
            format!("<{name}/><{name}>{first}</{name}><{name}>{second}</{name}>")
        };
        assert_eq!(item(&twice("title", "A", "B")).title.unwrap().value, "A");
        assert_eq!(item(&twice("guid", "A", "B")).id.as_deref(), Some("A"));
        let dates =
            twice("pubDate", "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT");
        assert_eq!(item(&dates).published.unwrap().to_string(), "2024-01-01T00:00:00Z");
        let links = twice("link", "https://example.org/a", "https://example.org/b");
        assert_eq!(item(&links).page(), Some("https://example.org/a"));
        for inner in [
            twice("title", "A", "B"),
            twice("guid", "A", "B"),
            dates,
            links,
            twice("comments", "https://example.org/a", "https://example.org/b"),
            twice("source", "A", "B"),
        ] {
            assert_eq!(messages(&rss("", &inner)).len(), 1, "{inner}");
        }
        for inner in [
            twice("title", "A", "A"),
            twice("category", "A", "B"),
            twice("author", "A", "B"),
            "<enclosure url='/a.mp3'/><enclosure url='/b.mp3'/>".to_owned(),
        ] {
            assert_eq!(messages(&rss("", &inner)), [""; 0], "{inner}");
        }
        let two = "<link href='/a'/><link href='/b'/>";
        assert_eq!(read(&atom("", two)).0.items[0].page(), Some("https://example.org/a"));
        assert_eq!(messages(&atom("", two)).len(), 1);
        let languages = "<link href='/a' hreflang='en'/><link href='/b' hreflang='de'/>";
        assert_eq!(messages(&atom("", languages)), [""; 0]);
    }

    #[test]
    fn repeated_elements_of_the_feed_are_reported() {
        for channel in
            ["<title>G</title>", "<ttl>5</ttl><ttl>6</ttl>", "<link>/a</link><link>/b</link>"]
        {
            let document = rss(channel, "");
            assert_eq!(read(&document).0.title.unwrap().value, "F");
            assert_eq!(messages(&document).len(), 1, "{channel}");
        }
        let subtitles = "<subtitle>a</subtitle><subtitle>longer</subtitle>";
        assert_eq!(read(&atom(subtitles, "")).0.subtitle.unwrap().value, "a");
        let message = "<subtitle> occurs several times in the feed; the first one is read";
        assert_eq!(messages(&atom(subtitles, "")), [message]);
        let images = "<image><url>/a.png</url></image><image><url>/b.png</url></image>";
        assert_eq!(messages(&rss(images, "")).len(), 1);
        assert_eq!(messages(&atom("<title>G</title>", "")).len(), 1);
        let channels = "<rss><channel><title>A</title><item><title>1</title></item></channel>\
            <channel><title>B</title><item><title>2</title></item></channel></rss>";
        let (feed, _) = read(channels);
        assert_eq!((feed.title.unwrap().value.as_str(), feed.items.len()), ("A", 2));
        assert_eq!(messages(channels).len(), 1);
    }

    #[test]
    fn repeated_members_of_json_are_reported() {
        let document = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "F", "title": "G",
            "items": [{"id": "1", "content_html": "a", "content_html": "b", "summary": "c", "summary": null}],
            "items": [{"id": "2", "title": "x", "title": "x"}]}"#;
        let (feed, _) = read(document);
        assert_eq!(feed.title.unwrap().value, "G");
        let ids: Vec<_> = feed.items.iter().map(|item| item.id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(feed.items[0].content.as_ref().unwrap().value, "b");
        assert_eq!(feed.items[0].summary.as_ref().unwrap().value, "c");
        let expected = |name: &str, rule: &str| {
            format!("member {name:?} occurs several times in an object; {rule} read")
        };
        let expected = [
            expected("title", "the last one is"),
            expected("content_html", "the last one is"),
            expected("items", "all items are"),
        ];
        assert_eq!(messages(document), expected);
    }

    #[test]
    fn members_of_another_type_are_read_or_reported() {
        let document = r#"{"version": "https://jsonfeed.org/version/1.1", "title": ["F"], "items": [
            {"id": 1, "title": {"a": 1}, "tags": "a, b", "authors": ["Ann", {"name": "Bo"}], "author": "Cy"},
            {"id": 2, "content_html": true, "tags": [1, {}], "attachments": {"url": "/a.mp3"}, "content_text": 5},
            {"id": 3, "attachments": [{"mime_type": "audio/mpeg"}], "image": ["/a.png"], "summary": null}]}"#;
        let (feed, warnings) = read(document);
        let [first, second, _] = feed.items.as_slice() else { panic!() };
        let terms = |index: usize| {
            feed.items[index].categories.iter().map(|it| it.term.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (terms(0), terms(1)),
            (vec!["a".to_owned(), "b".to_owned()], vec!["1".to_owned()])
        );
        let names: Vec<_> = first.authors.iter().map(|author| author.name.as_str()).collect();
        assert_eq!(names, ["Ann", "Bo", "Cy"]);
        assert_eq!(second.enclosures[0].url, "https://example.org/a.mp3");
        assert_eq!(second.content.as_ref().unwrap().value, "5");
        let found: Vec<_> = warnings.iter().filter(|it| it.code == "wrong_type").collect();
        assert_eq!(found.len(), 6, "{found:?}");
        let title = r#"member "title" of the feed is or contains a list; left out"#;
        assert_eq!(found[0].message, title);
    }
}

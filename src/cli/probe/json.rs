//! A parsed document as JSON, in the form in which parsers are compared. Relative links in HTML are made
//! absolute, as in all output of Newswire.

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::model::{Category, Dialect, Link, ParsedItem, Person, Text, TextKind};
use crate::parse::Parsed;

/// Maximum number of authors of the feed that are repeated in each entry without authors.
const MAX_INHERITED: usize = 5;

/// HTML attributes that contain one URL.
const URL_ATTRIBUTES: &[&str] = &[
    "action",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "href",
    "longdesc",
    "poster",
    "profile",
    "src",
    "usemap",
];

/// The feed and its entries.
pub(super) fn document(file: &str, document: &Url, parsed: &Parsed) -> Value {
    let feed = &parsed.feed;
    let author = names(&feed.authors);
    let entry = |item| entry(item, author.as_deref(), parsed, document);
    let entries: Vec<Value> = feed.items.iter().map(entry).collect();
    let generator = feed.generator.as_ref();
    json!({
        "file": file,
        "ok": true,
        "entries": entries,
        "feed": {
            "format": feed.dialect.map(Dialect::slug),
            "id": feed.id,
            "title": text(feed.title.as_ref(), document),
            "subtitle": text(feed.subtitle.as_ref(), document),
            "link": page(&feed.links),
            "links": links(&feed.links),
            "published": date(feed.published),
            "updated": date(feed.updated),
            "author": author,
            "authors": people(&feed.authors),
            "contributors": people(&feed.contributors),
            "categories": categories(&feed.categories),
            "rights": text(feed.rights.as_ref(), document),
            "language": feed.language,
            "ttl": feed.hints.ttl.map(|seconds| seconds / 60),
            "generator": generator.map(|g| json!({ "name": g.name, "uri": g.uri, "version": g.version })),
            "icon": feed.icon,
            "image": feed.image.as_ref().map(|image| json!({
                "url": image.picture.url,
                "width": image.picture.width,
                "height": image.picture.height,
                "title": image.title,
                "link": image.link,
                "description": image.description,
            })),
        },
    })
}

/// An entry; `feed_author` are the names of the authors of the feed.
fn entry(item: &ParsedItem, feed_author: Option<&str>, parsed: &Parsed, document: &Url) -> Value {
    // RSS has one element for summary and content.
    let atom = matches!(parsed.feed.dialect, Some(Dialect::Atom | Dialect::Atom03));
    let summary = item.summary.as_ref().or(item.content.as_ref().filter(|_| !atom));
    let external = item.links.iter().find(|link| link.rel == "content");
    let external = external.map(|link| json!({ "src": link.href, "type": link.media_type }));
    let content = item.content.as_ref().map(|content| {
        json!({
            "value": text(Some(content), document),
            "type": if content.kind == TextKind::Html { "text/html" } else { "text/plain" },
            "language": content.language,
        })
    });
    // Many authors of the feed, repeated in many entries, would be more than any memory holds.
    let is_repeated = item.authors_are_inherited && item.authors.len() > MAX_INHERITED;
    let authors = if is_repeated { &[][..] } else { &item.authors };
    json!({
        "id": item.id,
        "title": text(item.title.as_ref(), document),
        "link": item.page(),
        "links": links(&item.links),
        "published": date(item.published),
        "updated": date(item.updated),
        "summary": text(summary, document),
        "content": content.into_iter().chain(external).collect::<Vec<_>>(),
        // RFC 4287 4.2.1: the author of the feed is the author of entries without one.
        "author": names(authors).as_deref().or(feed_author.filter(|_| !is_repeated)),
        "authors": people(authors),
        "contributors": people(&item.contributors),
        "categories": categories(&item.categories),
        "enclosures": item.enclosures.iter().map(|file| {
            json!({ "url": file.url, "type": file.media_type, "length": file.length })
        }).collect::<Vec<_>>(),
        "thumbnails": item.thumbnails.iter().map(|image| {
            json!({ "url": image.url, "width": image.width, "height": image.height })
        }).collect::<Vec<_>>(),
        "rights": text(item.rights.as_ref(), document),
        "comments": item.comments,
        "comments_feed": item.comments_feed,
        "language": item.language,
        "source": item.source.as_ref().map(|source| json!({
            "id": source.id,
            "title": source.title,
            "link": source.url.as_ref().or(source.feed_url.as_ref()),
        })),
    })
}

fn date(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn text(text: Option<&Text>, document: &Url) -> Option<String> {
    let text = text?;
    let own = text.base.as_deref().and_then(|base| Url::parse(base).ok());
    Some(match text.kind {
        TextKind::Html => absolute(&text.value, own.as_ref().unwrap_or(document)),
        TextKind::Plain => text.value.clone(),
    })
}

fn page(links: &[Link]) -> Option<&str> {
    links.iter().find(|link| link.rel == "alternate").map(|link| link.href.as_str())
}

fn links(links: &[Link]) -> Value {
    let of = |link: &Link| {
        json!({
            "href": link.href,
            "rel": link.rel,
            "type": link.media_type,
            "title": link.title,
            "hreflang": link.hreflang,
            "length": link.length,
        })
    };
    links.iter().map(of).collect()
}

fn names(people: &[Person]) -> Option<String> {
    let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn people(people: &[Person]) -> Value {
    people.iter().map(|p| json!({ "name": p.name, "email": p.email, "uri": p.uri })).collect()
}

fn categories(categories: &[Category]) -> Value {
    let of = |c: &Category| json!({ "term": c.term, "scheme": c.scheme, "label": c.label });
    categories.iter().map(of).collect()
}

/// The HTML with the URLs in its tags made absolute; everything else is unchanged.
fn absolute(html: &str, base: &Url) -> String {
    let (mut made, mut rest) = (String::with_capacity(html.len()), html);
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        made.push_str(before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        rest = after;
        tag_absolute(tag, base, &mut made);
    }
    made.push_str(rest);
    made
}

fn tag_absolute(tag: &str, base: &Url, made: &mut String) {
    let mut rest = tag;
    while let Some(equals) = rest.find('=') {
        let (name, value) = rest.split_at(equals + 1);
        let bare = name[..equals].trim_end().rsplit(|c: char| c.is_whitespace()).next();
        let is_url = URL_ATTRIBUTES.iter().any(|a| bare.is_some_and(|b| b.eq_ignore_ascii_case(a)));
        made.push_str(name);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            rest = value;
            continue;
        };
        let Some(end) = value[1..].find(quote) else {
            rest = value;
            break;
        };
        let inner = &value[1..=end];
        let joined = base.join(inner).ok().filter(|_| is_url && !inner.contains(':'));
        made.push(quote);
        made.push_str(joined.as_ref().map_or(inner, Url::as_str));
        made.push(quote);
        rest = &value[end + 2..];
    }
    made.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_in_tags_are_made_absolute_and_the_rest_is_unchanged() {
        let base = Url::parse("https://example.org/a/").unwrap();
        for (html, expected) in [
            ("<a href=\"b\">b</a>", "<a href=\"https://example.org/a/b\">b</a>"),
            (
                "<img alt='href=x' SRC='/i.png'/>",
                "<img alt='href=x' SRC='https://example.org/i.png'/>",
            ),
            ("1 < 2 <b title=x>c=d</b>", "1 < 2 <b title=x>c=d</b>"),
            ("<a href=\"mailto:x\">", "<a href=\"mailto:x\">"),
            ("<a href=\"x", "<a href=\"x"),
        ] {
            assert_eq!(absolute(html, &base), expected);
        }
    }
}

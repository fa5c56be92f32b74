//! JSON Feed 1.0 and 1.1. Every field is optional. A value of another type than the standard has is ignored, and what is
//! left out because of it is reported.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::constructs::{UntypedAs, as_meant, trimmed_plain, untyped_kind};
use super::context::Context;
use super::{constructs, dates, item, json_repair, json_tree, markup};
use crate::model::{
    Category, Dialect, Enclosure, Failure, FailureKind, FeedImage, Hints, Image, Link,
    ParseWarning, ParsedFeed, ParsedItem, Person, Surplus, Text,
};
use crate::text::chars;
use crate::text::quoted::in_quotes;

/// Maximum number of people, tags and files each.
const MAX_PARTS: usize = 100;

/// Parses a JSON Feed: the feed, and the number of items dropped because of `max_items`.
pub(crate) fn read(
    text: &str,
    max_items: usize,
    context: &Context,
    parse_warnings: &mut Vec<ParseWarning>,
) -> Result<(ParsedFeed, usize), Failure> {
    let (document, is_cut) = document(text, max_items, parse_warnings)?;
    report_followed(&document, parse_warnings);
    let json_tree::Document { feed, items, dropped, others, partial, repeated, .. } = document;
    report_repeated(&repeated, context);
    let top = (items.is_some() || is_feed(&feed)).then_some(&feed);
    let Some(feed) = top.or_else(|| feed.values().find_map(|value| find_feed(value, 1))) else {
        return Err(if is_cut { cut_before_items() } else { no_feed() });
    };
    let mut context = context.with_web_base(|| feed_links(feed, &Context::default())).into_owned();
    let language = string(feed, "language");
    context.feed_language.clone_from(&language);
    let context = &context;
    // Inside a wrapper, all items were read.
    let inner = feed.get("items").and_then(Value::as_array).filter(|_| top.is_none());
    let (items, dropped, others) = match inner {
        Some(list) => json_tree::newest_of(list, max_items),
        None => (items, dropped, others),
    };
    let items = items.as_ref();
    if partial {
        let message = "too many values; the rest is ignored".to_owned();
        parse_warnings.push(ParseWarning::new("too_many_elements", None, message));
    }
    if items.is_none() {
        let message = "the JSON Feed has no items".to_owned();
        parse_warnings.push(ParseWarning::new("no_items", None, message));
    }
    check_feed(feed, context);
    if others > 0 {
        context.report("bad_item", || "an item of the JSON Feed is not an object; left out".into());
    }
    let items = items.into_iter().flatten();
    let (item_authors, surplus_authors) = people(feed, context);
    let feed = ParsedFeed {
        dialect: Some(Dialect::Json),
        // JSON Feed 1.1: the URL of the feed identifies it.
        id: string(feed, "feed_url").map(|url| context.resolve(&url)),
        title: string(feed, "title").map(title),
        subtitle: string(feed, "description").map(Text::plain),
        links: feed_links(feed, context),
        authors: item_authors.clone(),
        item_authors,
        surplus_authors,
        language: language.clone(),
        icon: address(feed, "favicon", context),
        image: image(feed, "icon", context).map(FeedImage::from),
        hints: hints(feed, context),
        items: items.map(|found| item(found, language.as_deref(), context)).collect(),
        partial: partial || is_cut,
        ..ParsedFeed::default()
    };
    Ok((feed, dropped))
}

/// Failure for a document whose missing part may have been a feed.
fn cut_before_items() -> Failure {
    let message = "the JSON document ends before its items";
    Failure::new(FailureKind::Malformed, message).help("report it to the publisher")
}

/// Failure for a document without a feed.
fn no_feed() -> Failure {
    let message = "the JSON document is not a JSON Feed: it has neither version nor items";
    Failure::new(FailureKind::NotAFeed, message).help("check the URL")
}

/// Reports that something is behind the document.
fn report_followed(document: &json_tree::Document, parse_warnings: &mut Vec<ParseWarning>) {
    if document.is_followed {
        let message = "content after the document".to_owned();
        parse_warnings.push(ParseWarning::new("junk_after", None, message));
    }
}

/// Reports members that an object has several times.
fn report_repeated(repeated: &[(String, usize)], context: &Context) {
    for (name, count) in repeated {
        let rule = if name == "items" { "all items are" } else { "the last one is" };
        for _ in 0..*count {
            context.report_each("repeated_element", || {
                format!(
                    "member {name} occurs several times in an object; {rule} read",
                    name = in_quotes(name)
                )
            });
        }
    }
}

/// The document, repaired if it is invalid, and whether its end is missing.
fn document(
    text: &str,
    max_items: usize,
    parse_warnings: &mut Vec<ParseWarning>,
) -> Result<(json_tree::Document, bool), Failure> {
    let error = match json_tree::read(text, max_items) {
        Ok(document) => return Ok((document, false)),
        Err(error) => error,
    };
    let repaired = json_repair::repaired(text);
    let read = repaired.map(|it| (json_tree::read(&it.text, max_items), it.is_cut));
    let Some((Ok(document), is_cut)) = read else {
        let message = format!("cannot parse the JSON document: {error}");
        let help = "report it to the publisher";
        return Err(Failure::new(FailureKind::Malformed, message).help(help));
    };
    let (code, message) = match is_cut {
        true => ("cut", "document ends inside a value; the items before it are read".to_owned()),
        false => ("broken_markup", format!("invalid JSON, repaired: {error}")),
    };
    parse_warnings.push(ParseWarning::new(code, None, message));
    Ok((document, is_cut))
}

/// The outermost object that is a feed, also inside a wrapper.
fn find_feed(value: &Value, depth: usize) -> Option<&Map<String, Value>> {
    let object = value.as_object()?;
    if is_feed(object) {
        return Some(object);
    }
    let inner = object.values().filter(|_| depth < 3);
    inner.filter_map(|value| find_feed(value, depth + 1)).next()
}

fn is_feed(feed: &Map<String, Value>) -> bool {
    let version = feed.get("version").and_then(Value::as_str);
    version.is_some_and(|version| version.contains("jsonfeed"))
        || feed.get("items").is_some_and(Value::is_array)
}

/// Time by which the newest items are found; the earliest time if the item has no date.
pub(super) fn stamp(item: &Map<String, Value>) -> Timestamp {
    // What cannot be read is reported when the item is read.
    let context = Context::default();
    let date = |name| string(item, name).and_then(|date| dates::date(&date, &context));
    date("date_published").or_else(|| date("date_modified")).unwrap_or(Timestamp::MIN)
}

/// A string or a number, as text.
fn string(map: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match map.get(name)? {
        Value::String(text) => {
            let text = chars::without_c1(text);
            markup::inside_cdata(&text).unwrap_or(&text).trim().to_owned()
        }
        // JSON Feed 1: an id may be a number.
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The plain text of an item, with its indentation.
fn content_text(item: &Map<String, Value>) -> Option<String> {
    let Value::String(written) = item.get("content_text")? else {
        return string(item, "content_text");
    };
    let text = chars::without_c1(written);
    let text = markup::inside_cdata(&text).unwrap_or(&text);
    Some(trimmed_plain(text).to_owned()).filter(|text| !text.is_empty())
}

/// Plain text by the standard, but some publishers write HTML.
fn title(value: String) -> Text {
    Text { kind: untyped_kind(&value, UntypedAs::Title), ..Text::plain(value) }
}

fn address(map: &Map<String, Value>, name: &str, context: &Context) -> Option<String> {
    string(map, name).map(|address| context.resolve(&address))
}

fn image(map: &Map<String, Value>, name: &str, context: &Context) -> Option<Image> {
    address(map, name, context).map(|url| Image { url, ..Image::default() })
}

/// The objects of a list, or the object itself.
fn objects<'m>(
    map: &'m Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'m Map<String, Value>> {
    members(map, name).filter_map(Value::as_object)
}

/// The values of a list, or the value itself.
fn members<'m>(map: &'m Map<String, Value>, name: &str) -> impl Iterator<Item = &'m Value> {
    let (list, single) = match map.get(name) {
        Some(Value::Array(list)) => (Some(list), None),
        other => (None, other),
    };
    list.into_iter().flatten().chain(single)
}

fn link(map: &Map<String, Value>, name: &str, rel: &str, context: &Context) -> Option<Link> {
    let href = address(map, name, context)?;
    Some(Link { href, rel: rel.to_owned(), ..Link::default() })
}

fn feed_links(feed: &Map<String, Value>, context: &Context) -> Vec<Link> {
    let named = [("home_page_url", "alternate"), ("feed_url", "self"), ("next_url", "next")];
    named.iter().filter_map(|(name, rel)| link(feed, name, rel, context)).collect()
}

fn hints(feed: &Map<String, Value>, context: &Context) -> Hints {
    let hubs = objects(feed, "hubs").filter_map(|hub| address(hub, "url", context));
    Hints {
        expired: feed.get("expired").and_then(Value::as_bool).unwrap_or_default(),
        hubs: hubs.take(8).collect(),
        self_url: address(feed, "feed_url", context),
        older: address(feed, "next_url", context),
        ..Hints::default()
    }
}

/// `authors` of 1.1, `author` of 1.0, and the number of people left out.
fn people(map: &Map<String, Value>, context: &Context) -> (Vec<Person>, usize) {
    // Some publishers write an object or a name instead of a list, or names in it.
    let person = |author: &Value| match author {
        Value::Object(author) => {
            let person = Person {
                name: string(author, "name").unwrap_or_default(),
                uri: address(author, "url", context),
                email: None,
            };
            (person != Person::default()).then_some(person)
        }
        Value::String(name) => constructs::person(&chars::without_c1(name)),
        _ => None,
    };
    item::unique(members(map, "authors").chain(members(map, "author")).filter_map(person))
}

/// The first of the parts, and the number of the others.
fn first<T>(mut parts: Vec<T>) -> (Vec<T>, usize) {
    let surplus = parts.len().saturating_sub(MAX_PARTS);
    parts.truncate(MAX_PARTS);
    (parts, surplus)
}

fn item(item: &Map<String, Value>, feed_language: Option<&str>, context: &Context) -> ParsedItem {
    check_item(item, context);
    let page = link(item, "url", "alternate", context);
    // JSON Feed 1.1: `external_url` is the page that the item is about.
    let external =
        link(item, "external_url", if page.is_some() { "via" } else { "alternate" }, context);
    let html = string(item, "content_html")
        .map(|html| Text { base: context.html_base(), ..Text::html(as_meant(&html)) });
    let category = |tag: &str| Category { term: tag.trim().to_owned(), ..Category::default() };
    let is_list = item.get("tags").is_some_and(Value::is_array);
    let tags = members(item, "tags").flat_map(|tag| match tag {
        Value::String(tag) if is_list => vec![category(&chars::without_c1(tag))],
        Value::String(tags) => {
            tags.split(',').map(|tag| category(&chars::without_c1(tag))).collect()
        }
        Value::Number(number) => vec![category(&number.to_string())],
        _ => Vec::new(),
    });
    let tags = tags.filter(|category| !category.term.is_empty());
    let (categories, surplus_categories) = first(tags.collect());
    let files = objects(item, "attachments").filter_map(|file| enclosure(file, context));
    let (enclosures, surplus_files) = first(files.collect());
    let (authors, surplus_authors) = people(item, context);
    let id = string(item, "id");
    ParsedItem {
        // JSON Feed 1.1: ideally, the id is the URL of the item.
        id_is_permalink: id.as_deref().is_some_and(is_web_url),
        id,
        title: string(item, "title").map(title),
        links: page.into_iter().chain(external).collect(),
        published: string(item, "date_published").and_then(|date| dates::date(&date, context)),
        updated: string(item, "date_modified").and_then(|date| dates::date(&date, context)),
        summary: string(item, "summary").map(Text::plain),
        content: html.or_else(|| content_text(item).map(Text::plain)),
        authors,
        categories,
        enclosures,
        surplus: Surplus {
            authors: surplus_authors,
            categories: surplus_categories,
            files: surplus_files,
            ..Surplus::default()
        },
        thumbnails: ["image", "banner_image"]
            .iter()
            .filter_map(|name| image(item, name, context))
            .collect(),
        language: string(item, "language").or_else(|| feed_language.map(str::to_owned)),
        ..ParsedItem::default()
    }
}

/// Whether a text begins as a URL of the web does.
fn is_web_url(text: &str) -> bool {
    let begins = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("http://") || begins("https://")
}

fn enclosure(file: &Map<String, Value>, context: &Context) -> Option<Enclosure> {
    // RFC 8259 6: up to 2^53 whole numbers are exact. A larger one is no size.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    let number = |name| {
        let written = string(file, name)?.parse::<f64>().ok();
        let written = written.filter(|number| *number > 0.0 && *number < 9_007_199_254_740_992.0);
        written.map(|number| number as u64)
    };
    Some(Enclosure {
        url: address(file, "url", context)?,
        media_type: string(file, "mime_type").unwrap_or_default(),
        length: number("size_in_bytes"),
        title: string(file, "title"),
        duration: number("duration_in_seconds").and_then(|seconds| seconds.try_into().ok()),
    })
}

/// What is read of a member.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A string or a number.
    Text,
    /// Strings and numbers, or one of them.
    Texts,
    /// Objects and strings, or one of them.
    People,
    /// Objects with a URL, or one of them.
    Files,
    Bool,
}

const FEED_KINDS: &[(&str, Kind)] = &[
    ("title", Kind::Text),
    ("home_page_url", Kind::Text),
    ("feed_url", Kind::Text),
    ("description", Kind::Text),
    ("next_url", Kind::Text),
    ("icon", Kind::Text),
    ("favicon", Kind::Text),
    ("language", Kind::Text),
    ("authors", Kind::People),
    ("author", Kind::People),
    ("hubs", Kind::Files),
    ("expired", Kind::Bool),
];

const ITEM_KINDS: &[(&str, Kind)] = &[
    ("id", Kind::Text),
    ("url", Kind::Text),
    ("external_url", Kind::Text),
    ("title", Kind::Text),
    ("content_html", Kind::Text),
    ("content_text", Kind::Text),
    ("summary", Kind::Text),
    ("image", Kind::Text),
    ("banner_image", Kind::Text),
    ("date_published", Kind::Text),
    ("date_modified", Kind::Text),
    ("language", Kind::Text),
    ("tags", Kind::Texts),
    ("authors", Kind::People),
    ("author", Kind::People),
    ("attachments", Kind::Files),
];

/// Reports members of the feed that are left out because of their type.
fn check_feed(feed: &Map<String, Value>, context: &Context) {
    check_kinds(feed, FEED_KINDS, "the feed", context);
}

/// Reports members of an item that are left out because of their type.
fn check_item(item: &Map<String, Value>, context: &Context) {
    check_kinds(item, ITEM_KINDS, "an item", context);
}

fn check_kinds(map: &Map<String, Value>, kinds: &[(&str, Kind)], owner: &str, context: &Context) {
    for (name, kind) in kinds {
        let left_out = map.get(*name).and_then(|value| left_out(value, *kind));
        if let Some(found) = left_out {
            context.report_each("wrong_type", || {
                format!(
                    "member {name} of {owner} is or contains {found}; left out",
                    name = in_quotes(name)
                )
            });
        }
    }
}

/// What of a value is left out, in words; `None` if all of it is read. Null is not a value.
fn left_out(value: &Value, kind: Kind) -> Option<&'static str> {
    match (kind, value) {
        (_, Value::Null)
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Text | Kind::Texts, Value::String(_) | Value::Number(_))
        | (Kind::People, Value::String(_) | Value::Object(_)) => None,
        (Kind::Files, Value::Object(file)) => match file.get("url") {
            Some(Value::String(url)) if !url.trim().is_empty() => None,
            _ => Some("an object without URL"),
        },
        (Kind::Texts | Kind::People | Kind::Files, Value::Array(list)) => {
            list.iter().find_map(|value| match value {
                Value::Array(_) => Some("a list in a list"),
                value => left_out(value, kind),
            })
        }
        (_, other) => Some(type_of(other)),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

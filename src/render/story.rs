//! A story as a web page shows it: the same facts as in the documents, as plain text, and its
//! content as HTML that loads nothing.

use jiff::Timestamp;

use super::output::{AlsoAt, Look};
use super::shown::Shown;
use super::text;
use crate::model::{Entry, ItemKey};
use crate::text::html::{self, tag_length};

/// The longest beginning of a text, in characters.
const BEGINNING: usize = 300;

/// One story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The row of its item.
    pub key: ItemKey,
    /// Never empty.
    pub title: String,
    /// Whether the publisher gave it that title, or it was made from the text.
    pub titled: bool,
    /// Its page.
    pub url: Option<String>,
    /// When it came into the order: what it stands under.
    pub at: Timestamp,
    /// The id of its feed.
    pub feed: String,
    /// The title of the feed that it is attributed to.
    pub source: String,
    /// Names.
    pub authors: Vec<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// How its text begins; empty where it has none.
    pub beginning: String,
    /// Whether the text goes on behind its beginning.
    pub goes_on: bool,
    /// The same story elsewhere: page and name of the feed.
    pub also: Vec<(String, String)>,
    /// Attached files: address and name.
    pub files: Vec<(String, String)>,
    /// The page with the comments.
    pub comments: Option<String>,
}

impl Story {
    /// What a page shows of `entry`.
    #[must_use]
    pub fn of(entry: &Entry, look: &Look) -> Self {
        let look = plain_look(look);
        let shown = Shown::new(entry, &look);
        let text = shown.body.content.as_deref().map(html::to_text);
        let text = text.as_deref().or(shown.body.summary.as_deref());
        let beginning = text.and_then(|text| text::beginning(text, BEGINNING)).unwrap_or_default();
        let named = |url: &str, title: Option<String>| {
            let name = url.rsplit('/').find(|part| !part.is_empty()).unwrap_or(url);
            (url.to_owned(), title.unwrap_or_else(|| name.to_owned()))
        };
        Self {
            key: entry.key,
            title: shown.made_title(),
            titled: shown.own_title().is_some(),
            url: shown.url.map(str::to_owned),
            at: entry.sort_at,
            feed: entry.feed.id.to_string(),
            source: shown.origin.title.clone(),
            authors: shown.authors.iter().map(|author| author.name.clone()).collect(),
            language: shown.language.map(str::to_owned),
            goes_on: beginning.ends_with('…') && beginning.chars().count() > BEGINNING / 2,
            beginning,
            also: shown.also().map(|(url, feed, _)| (url.to_owned(), feed)).collect(),
            files: shown
                .files()
                .map(|file| named(&file.url, file.title.as_deref().and_then(text::line)))
                .collect(),
            comments: shown.comments().map(str::to_owned),
        }
    }
}

/// The whole text of a story as HTML, safe to stand in a page, and loading nothing: a picture is a
/// link to it, for whoever reads the page should be made known to nobody.
#[must_use]
pub fn content_html(entry: &Entry, look: &Look) -> String {
    let look = plain_look(look);
    let shown = Shown::new(entry, &look);
    match (&shown.body.content, &shown.body.summary) {
        (Some(content), _) => without_media(content),
        (None, Some(summary)) => {
            format!("<p>{}</p>", html::escape(summary).replace('\n', "<br>"))
        }
        (None, None) => String::new(),
    }
}

/// As much of a story as the output shows, but not what it does for readers that show little: on a
/// page the source and who else has it stand in their own places.
fn plain_look(look: &Look) -> Look {
    Look { title_prefix: None, also_at: AlsoAt::Links, ..look.clone() }
}

/// The HTML with every picture, sound and film replaced by a link to it, so that a page loads nothing.
fn without_media(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let (mut rest, mut in_link) = (html, false);
    while let Some(at) = rest.find('<') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let (tag, behind) = rest.split_at(tag_length(rest));
        rest = behind;
        match tag_name(tag) {
            "img" | "audio" | "video" if !tag.starts_with("</") => {
                push_link(&mut kept, tag, in_link)
            }
            "audio" | "img" | "picture" | "source" | "track" | "video" => {}
            name => {
                if name == "a" {
                    in_link = !tag.starts_with("</");
                }
                kept.push_str(tag);
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Appends a link to the file that `tag` would load, named by its alternative text. Inside of another
/// link, appends the name alone.
fn push_link(kept: &mut String, tag: &str, in_link: bool) {
    let (source, name) = (attribute(tag, "src"), attribute(tag, "alt"));
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or(match tag_name(tag) {
        "img" => "picture",
        "audio" => "sound",
        _ => "film",
    });
    let name = name.replace('<', "&lt;").replace('>', "&gt;");
    match source.filter(|_| !in_link) {
        Some(source) => {
            kept.push_str("<a href=\"");
            kept.push_str(source);
            kept.push_str("\" rel=\"noopener noreferrer nofollow\">[");
            kept.push_str(&name);
            kept.push_str("]</a>");
        }
        None => {
            kept.push('[');
            kept.push_str(&name);
            kept.push(']');
        }
    }
}

/// The value of an attribute, still escaped. A serialiser puts all values in double quotes.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag.split_once(char::is_whitespace)?.1;
    while let Some((key, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"')?;
        if key.split_whitespace().next_back() == Some(name) {
            return Some(value);
        }
        rest = behind;
    }
    None
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_becomes_a_link() {
        let rel = "rel=\"noopener noreferrer nofollow\"";
        for (html, expected) in [
            (
                "<p>a<img alt=\"dish &amp; <x>\" src=\"https://e.org/b.jpg?a&amp;b\" width=\"1\"></p>",
                format!(
                    "<p>a<a href=\"https://e.org/b.jpg?a&amp;b\" {rel}>[dish &amp; &lt;x&gt;]</a></p>"
                ),
            ),
            (
                "<a href=\"https://e.org/\"><img src=\"https://e.org/b.jpg\" alt=\"\"></a>",
                "<a href=\"https://e.org/\">[picture]</a>".to_owned(),
            ),
            (
                "<video src=\"https://e.org/v\" poster=\"https://e.org/p\"><track src=\"x\"></video>z",
                format!("<a href=\"https://e.org/v\" {rel}>[film]</a>z"),
            ),
            (
                "<picture><source srcset=\"x\"><img title=\"src=\" alt=\"A\"></picture>",
                "[A]".to_owned(),
            ),
            ("no <b>media</b> &lt;img src=x&gt;", "no <b>media</b> &lt;img src=x&gt;".to_owned()),
        ] {
            assert_eq!(without_media(html), expected);
        }
    }
}

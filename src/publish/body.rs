//! The text of an entry as an output shows it: all of it, a summary or none, and "also at".

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::Item;

use super::look::{AlsoAt, Content, Look};
use super::text;

/// The longest summary made of a text, in characters, the ellipsis included.
const SUMMARY_LENGTH: usize = 300;

/// What is shown of a story below its title.
pub(super) struct Body<'a> {
    /// Plain, beside or instead of the content.
    pub(super) summary: Option<Cow<'a, str>>,
    /// HTML.
    pub(super) content: Option<Cow<'a, str>>,
}

/// Another feed that carries the story: its page and its name.
pub(super) type Elsewhere<'a> = (&'a str, String);

impl<'a> Body<'a> {
    pub(super) fn new(
        item: &'a Item,
        look: &Look,
        also: impl Iterator<Item = Elsewhere<'a>>,
    ) -> Self {
        let summary = item.summary.as_deref().and_then(text::some).map(text::without_tags);
        let content = item.content.as_deref().and_then(text::some);
        let mut body = match look.content {
            Content::Full => Self { summary, content: content.map(with_direction) },
            Content::Summary => {
                let made = || text::beginning(&text::of_html(content.as_deref()?), SUMMARY_LENGTH);
                Self { summary: summary.or_else(|| made().map(Cow::Owned)), content: None }
            }
            Content::None => return Self { summary: None, content: None },
        };
        if look.also_at == AlsoAt::Content {
            body.add(&also_line(also));
        }
        body
    }

    /// Adds HTML below the text.
    fn add(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        let summary = || Some(format!("<p>{}</p>", text::to_html(&self.summary.take()?)));
        let text = self.content.take().map(Cow::into_owned).or_else(summary);
        self.content = Some(Cow::Owned(text.unwrap_or_default() + line));
    }
}

/// Text from right to left stands right in a reader whose page runs from left to right.
fn with_direction(html: Cow<'_, str>) -> Cow<'_, str> {
    if text::runs_left(&html) && !html.contains(" dir=") {
        return Cow::Owned(format!("<div dir=\"auto\">{html}</div>"));
    }
    html
}

/// `Also at: A, B`, as HTML; empty where there is nobody.
fn also_line<'a>(also: impl Iterator<Item = Elsewhere<'a>>) -> String {
    let mut line = String::new();
    for (url, name) in also {
        line.push_str(if line.is_empty() { "<p>Also at: " } else { ", " });
        let (url, name) = (text::to_html(url), text::to_html(&name));
        // Writing into a String cannot fail.
        let _ = write!(line, "<a href=\"{url}\"><bdi>{name}</bdi></a>");
    }
    if !line.is_empty() {
        line.push_str("</p>");
    }
    line
}

//! A story as a web page shows it: the same facts as in the documents, as plain text, and its
//! content as HTML that loads nothing.

use jiff::Timestamp;

use super::output::{AlsoAt, Look};
use super::shown::Shown;
use super::text;
use crate::model::{ItemKey, OutputItem, plain};

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
    pub fn of(entry: &OutputItem, look: &Look) -> Self {
        let look = plain_look(look);
        let shown = Shown::new(entry, &look);
        let text = shown.body.content.as_deref().map(text::of_html);
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
pub fn html(entry: &OutputItem, look: &Look) -> String {
    let look = plain_look(look);
    let shown = Shown::new(entry, &look);
    match (&shown.body.content, &shown.body.summary) {
        (Some(content), _) => plain::without_media(content),
        (None, Some(summary)) => {
            format!("<p>{}</p>", text::to_html(summary).replace('\n', "<br>"))
        }
        (None, None) => String::new(),
    }
}

/// As much of a story as the output shows, but not what it does for readers that show little: on a
/// page the source and who else has it stand in their own places.
fn plain_look(look: &Look) -> Look {
    Look { title_prefix: None, also_at: AlsoAt::Links, ..look.clone() }
}

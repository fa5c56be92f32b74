//! What an entry shows, the same in every format: id, title, dates, authors, origin.
//!
//! The three writers only put these facts into their own words; a rule about what a subscriber
//! sees belongs here, a rule about how a format spells it belongs to the format.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::model::{Category, Enclosure, Image, Item, OutputItem, Person};

use super::files;
use super::id::{self, is_web};
use super::output::{AlsoAt, Content, Look, ShownDate};
use super::text;

/// Readers know no earlier item: 1990-01-01T00:00:00Z.
const OLDEST: Timestamp = Timestamp::constant(631_152_000, 0);

/// What an empty output was last changed at: a constant, so that its bytes are stable.
const NEVER: Timestamp = Timestamp::UNIX_EPOCH;

/// One entry, ready to be written.
pub(super) struct Shown<'a> {
    /// What was stored.
    pub(super) entry: &'a OutputItem,
    /// See [`id::of`].
    pub(super) id: Cow<'a, str>,
    /// Plain, one line; `None` where the publisher gave none.
    title: Option<String>,
    /// The page, http or https.
    pub(super) url: Option<&'a str>,
    /// When it was published.
    pub(super) published: Timestamp,
    /// Never before `published`.
    pub(super) updated: Timestamp,
    /// Names and pages; empty where the publisher named nobody.
    pub(super) authors: Vec<Author<'a>>,
    /// What stands below the title.
    pub(super) body: Body<'a>,
    /// BCP 47.
    pub(super) language: Option<&'a str>,
    /// Where it comes from.
    pub(super) origin: Origin<'a>,
    look: &'a Look,
}

/// Who wrote it.
pub(super) struct Author<'a> {
    pub(super) name: String,
    pub(super) page: Option<&'a str>,
}

/// The feed that an entry is attributed to.
pub(super) struct Origin<'a> {
    /// An IRI.
    pub(super) id: Cow<'a, str>,
    /// Plain, never empty.
    pub(super) title: String,
    /// The feed document.
    pub(super) feed_url: Option<&'a str>,
    /// The site.
    pub(super) page: Option<&'a str>,
    /// Plain.
    pub(super) rights: Option<Cow<'a, str>>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(entry: &'a OutputItem, look: &'a Look) -> Self {
        let item = &entry.item;
        let (published, updated) = dates(entry, look.date);
        let language = item.language.as_deref().or(entry.feed.profile.language.as_deref());
        let page = |url: &'a Option<String>| url.as_deref().filter(|url| is_web(url));
        Self {
            entry,
            id: id::of(entry),
            title: item.title.as_deref().and_then(text::line),
            // A link without a page of its own leads to what it points at, or it would lead nowhere.
            url: page(&item.url).or_else(|| page(&item.details.via)),
            published,
            updated,
            authors: item.details.authors.iter().filter_map(author).collect(),
            body: Body::new(item, look, also(entry).map(|(url, feed, _)| (url, feed))),
            language: language.filter(|language| is_language(language)),
            origin: origin(entry),
            look,
        }
    }

    /// The publisher's title behind the output's prefix, for a format that can be without.
    pub(super) fn own_title(&self) -> Option<String> {
        self.title.as_ref().map(|title| self.prefixed(title.clone()))
    }

    /// The title, for a format that cannot be without: made from the text where there is none.
    pub(super) fn made_title(&self) -> String {
        let item = &self.entry.item;
        let of_content = || text::title_of(&text::of_html(item.content.as_deref()?));
        let of_summary = || text::title_of(item.summary.as_deref()?);
        let of_file = || self.files().find_map(|file| text::line(file.title.as_deref()?));
        let made = || of_content().or_else(of_summary).or_else(of_file);
        let title = self.title.clone().or_else(made);
        self.prefixed(title.unwrap_or_else(|| self.origin.title.clone()))
    }

    fn prefixed(&self, title: String) -> String {
        match &self.look.title_prefix {
            Some(prefix) => prefix.before(&title, &self.origin.title),
            None => title,
        }
    }

    /// Who wrote it, never empty: attribution that every reader shows needs a visible name, and
    /// hardly any reader shows `atom:source`.
    pub(super) fn authors_or_origin(&self) -> Vec<Author<'_>> {
        if self.authors.is_empty() {
            return vec![Author { name: self.origin.title.clone(), page: None }];
        }
        self.authors.iter().map(|a| Author { name: a.name.clone(), page: a.page }).collect()
    }

    /// What is to be played or kept, the main one first: what can be played, if anything can.
    pub(super) fn enclosures(&self) -> impl Iterator<Item = &'a Enclosure> {
        let kept = || self.files().filter(|file| files::is_enclosure(file));
        let main = kept().find(|file| files::is_played(file)).or_else(|| kept().next());
        let others = self.files().filter(move |file| {
            files::is_enclosure(file) && main.is_none_or(|main| main.url != file.url)
        });
        main.into_iter().chain(others)
    }

    /// Every attached file once, in the publisher's order.
    pub(super) fn files(&self) -> impl Iterator<Item = &'a Enclosure> {
        let files = &self.entry.item.details.enclosures;
        files.iter().enumerate().filter_map(move |(at, file)| {
            let again = files[..at].iter().any(|earlier| earlier.url == file.url);
            (is_web(&file.url) && !again).then_some(file)
        })
    }

    /// The categories that have a name.
    pub(super) fn categories(&self) -> impl Iterator<Item = (&'a Category, String)> {
        let categories = &self.entry.item.details.categories;
        categories.iter().filter_map(|category| Some((category, text::line(&category.term)?)))
    }

    /// The same story elsewhere: page, feed, and its title there.
    pub(super) fn also(&self) -> impl Iterator<Item = (&'a str, String, Option<String>)> {
        also(self.entry)
    }

    /// The same story elsewhere: page and one title, for a link.
    pub(super) fn also_titles(&self) -> impl Iterator<Item = (&'a str, String)> {
        self.also().map(|(url, feed, title)| {
            let Some(title) = title else { return (url, feed) };
            let (feed, title) = text::isolated(&feed, &title);
            (url, format!("{feed}: {title}"))
        })
    }

    /// The page that a link-blog points at.
    pub(super) fn via(&self) -> Option<&'a str> {
        let via = self.entry.item.details.via.as_deref();
        via.filter(|via| is_web(via) && self.url != Some(via))
    }

    /// The page with the comments.
    pub(super) fn comments(&self) -> Option<&'a str> {
        self.entry.item.details.comments.as_deref().filter(|url| is_web(url))
    }

    /// A picture that stands for it.
    pub(super) fn image(&self) -> Option<&'a Image> {
        self.entry.item.details.image.as_ref().filter(|image| is_web(&image.url))
    }

    /// In seconds: of the item, else of its main file.
    pub(super) fn duration(&self) -> Option<u32> {
        let details = &self.entry.item.details;
        details.duration.or_else(|| self.enclosures().next()?.duration)
    }
}

/// When it was published and when it was last changed, in this order of time.
///
/// Readers put off or drop an item without a date, from the future, or from before 1990.
fn dates(entry: &OutputItem, date: ShownDate) -> (Timestamp, Timestamp) {
    let published = Some(entry.published())
        .filter(|at| (OLDEST..=entry.first_seen).contains(at))
        .filter(|_| date == ShownDate::Published)
        .unwrap_or(entry.first_seen)
        .max(OLDEST);
    (published, entry.updated().max(published))
}

/// The same story in other feeds: page, feed, and its title there.
fn also(entry: &OutputItem) -> impl Iterator<Item = (&str, String, Option<String>)> {
    entry.also.iter().filter_map(|also| {
        let url = also.url.as_deref().filter(|url| is_web(url))?;
        let feed = text::line(&also.feed.title).unwrap_or_else(|| also.feed.id.to_string());
        Some((url, feed, also.title.as_deref().and_then(text::line)))
    })
}

/// BCP 47 as far as `xml:lang` and JSON Feed check it.
pub(super) fn is_language(tag: &str) -> bool {
    let subtag =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let primary = tag.split('-').next().unwrap_or_default();
    primary.len() >= 2
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && tag.split('-').all(subtag)
}

fn author(person: &Person) -> Option<Author<'_>> {
    let page = person.uri.as_deref().filter(|uri| is_web(uri));
    // Never the e-mail address: it was given to the publisher, not to the world.
    let name = text::line(&person.name).or_else(|| page.map(str::to_owned))?;
    Some(Author { name, page })
}

/// The feed that the entry came from; where that one had copied it from another, the other:
/// an entry that has a source keeps it (RFC 4287 4.2.11).
fn origin(entry: &OutputItem) -> Origin<'_> {
    let feed = &*entry.feed;
    let title = text::line(&feed.title).unwrap_or_else(|| feed.id.to_string());
    if let Some(source) = &entry.item.details.source {
        let feed_url = source.feed_url.as_deref().filter(|url| is_web(url));
        let page = source.url.as_deref().filter(|url| is_web(url));
        if let (Some(address), Some(title)) =
            (feed_url.or(page), source.title.as_deref().and_then(text::line))
        {
            let id = id::iri(source.id.as_deref().unwrap_or(address));
            return Origin { id, title, feed_url, page, rights: None };
        }
    }
    Origin {
        id: id::iri(feed.profile.atom_id.as_deref().unwrap_or(&feed.url)),
        title,
        feed_url: Some(&*feed.url).filter(|url| is_web(url)),
        page: feed.profile.site_url.as_deref().filter(|url| is_web(url)),
        rights: feed.profile.rights.as_deref().and_then(text::some).map(text::without_tags),
    }
}

/// When the document was last changed: never "now", or every build would be a new document.
pub(super) fn updated(entries: &[Shown<'_>]) -> Timestamp {
    entries.iter().map(|shown| shown.updated).max().unwrap_or(NEVER)
}

/// RFC 3339, in whole seconds.
pub(super) fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 822 with four digits of the year, as RSS has it.
pub(super) fn rfc822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

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

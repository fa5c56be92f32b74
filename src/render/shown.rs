//! Items prepared for a document, the same for every format: id, title, dates, authors, origin.
//!
//! Rules about what subscribers see are here. How a format writes it is in `atom`, `rss` and `json`.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::model::{Category, Enclosure, FeedInfo, Image, Item, OutputItem, Person};

use super::direction::with_direction;
use super::media;
use super::output::{AlsoAt, Content, Presentation, ShownDate};
use super::story_html::without_title;
use super::text::{self, is_web};
use super::texts::Texts;
use crate::text::shown::{descriptions, shown_text};
use crate::text::{bidi, html};

/// Earliest date of an item; some readers drop older ones: 1990-01-01T00:00:00Z.
const OLDEST: Timestamp = Timestamp::constant(631_152_000, 0);

/// An item, ready to be written.
pub(super) struct ShownItem<'a> {
    /// The item as it is stored.
    pub(super) entry: &'a OutputItem,
    /// Permanent id, see [`text::id_of`].
    pub(super) id: Cow<'a, str>,
    /// The publisher's title, one line of plain text; `None`: there is none.
    title: Option<String>,
    /// URL of the page, http or https.
    pub(super) url: Option<&'a str>,
    /// Date of publication as it is shown, not before 1990.
    pub(super) published: Timestamp,
    /// Date of the last change, not before `published`.
    pub(super) updated: Timestamp,
    /// Authors; empty if the publisher names none.
    pub(super) authors: Vec<Author<'a>>,
    /// Summary and content, as the output shows them.
    pub(super) body: Body<'a>,
    /// Language of the item, a BCP 47 tag; `None`: unknown.
    pub(super) language: Option<&'a str>,
    /// The feed that it is attributed to.
    pub(super) origin: Origin<'a>,
    presentation: &'a Presentation,
}

pub(super) struct Author<'a> {
    pub(super) name: String,
    pub(super) page: Option<&'a str>,
}

/// The feed that an item is attributed to.
pub(super) struct Origin<'a> {
    /// Permanent id of the feed, an IRI.
    pub(super) id: Cow<'a, str>,
    /// Title, plain text, never empty.
    pub(super) title: String,
    /// URL of the feed.
    pub(super) feed_url: Option<&'a str>,
    /// URL of the site.
    pub(super) page: Option<&'a str>,
    /// Copyright notice of the feed, plain text.
    pub(super) rights: Option<Cow<'a, str>>,
}

impl<'a> ShownItem<'a> {
    pub(super) fn new(entry: &'a OutputItem, presentation: &'a Presentation) -> Self {
        let item = &entry.item;
        let (published, updated) = dates(entry, presentation.date);
        let language = item.language.as_deref().or(entry.feed.profile.language.as_deref());
        let language = language.filter(|language| is_language(language));
        let page = |url: &'a Option<String>| url.as_deref().filter(|url| is_web(url));
        Self {
            entry,
            id: text::id_of(entry),
            title: item.title.as_deref().and_then(text::line),
            // A link post without its own page leads to the page that it is about.
            url: page(&item.url).or_else(|| page(&item.details.via)).or_else(|| {
                item.details.related.iter().map(String::as_str).find(|url| is_web(url))
            }),
            published,
            updated,
            authors: item.details.authors.iter().filter_map(author).collect(),
            body: Body::new(item, language, presentation, also_at(entry)),
            language,
            origin: origin(entry),
            presentation,
        }
    }

    /// The publisher's title with the prefix of the output; `None`: there is none.
    pub(super) fn own_title(&self) -> Option<String> {
        self.title.as_ref().map(|title| self.prefixed(title.clone()))
    }

    /// The title with the prefix, for formats that require one: made from the text if there is none.
    pub(super) fn made_title(&self) -> String {
        let item = &self.entry.item;
        let of_content = || text::title_of(&shown_text(item.content.as_deref()?));
        let of_summary = || text::title_of(item.summary.as_deref()?);
        let of_file = || self.files().find_map(|file| text::line(file.title.as_deref()?));
        let of_pictures = || text::title_of(&descriptions(item.content.as_deref()?));
        let made = || of_content().or_else(of_summary).or_else(of_file).or_else(of_pictures);
        let title = self.title.clone().or_else(made);
        self.prefixed(title.unwrap_or_else(|| self.origin.title.clone()))
    }

    fn prefixed(&self, title: String) -> String {
        match &self.presentation.title_prefix {
            Some(prefix) => prefix.apply(&title, &self.origin.title),
            None => title,
        }
    }

    /// The authors, or the feed if there are none, because hardly any reader shows `atom:source`.
    pub(super) fn authors_or_origin(&self) -> Vec<Author<'_>> {
        if self.authors.is_empty() {
            return vec![Author { name: self.origin.title.clone(), page: None }];
        }
        self.authors.iter().map(|a| Author { name: a.name.clone(), page: a.page }).collect()
    }

    /// The enclosures, the main one first: the first playable one, else the first.
    pub(super) fn enclosures(&self) -> impl Iterator<Item = &'a Enclosure> {
        let kept = || self.files().filter(|file| media::is_enclosure(file));
        let main = kept().find(|file| file.is_played()).or_else(|| kept().next());
        let others = self.files().filter(move |file| {
            media::is_enclosure(file) && main.is_none_or(|main| main.url != file.url)
        });
        main.into_iter().chain(others)
    }

    /// The attached files without duplicates, in the publisher's order.
    pub(super) fn files(&self) -> impl Iterator<Item = &'a Enclosure> {
        let files = &self.entry.item.details.enclosures;
        files.iter().enumerate().filter_map(move |(at, file)| {
            let again = files[..at].iter().any(|earlier| earlier.url == file.url);
            (is_web(&file.url) && !again).then_some(file)
        })
    }

    /// The categories with a name, and that name.
    pub(super) fn categories(&self) -> impl Iterator<Item = (&'a Category, String)> {
        let categories = &self.entry.item.details.categories;
        categories.iter().filter_map(|category| Some((category, text::line(&category.term)?)))
    }

    /// The same story in other feeds.
    pub(super) fn also_at(&self) -> impl Iterator<Item = OtherFeed<'a>> {
        also_at(self.entry)
    }

    /// URL of the page that a link post is about: the first one that the publisher names as related. JSON Feed, and Atom without
    /// one, name it alone.
    pub(super) fn about(&self) -> Option<&'a str> {
        self.related().next().or_else(|| self.via())
    }

    /// URL of the page that the publisher has it from, or that a link post is about.
    pub(super) fn via(&self) -> Option<&'a str> {
        let via = self.entry.item.details.via.as_deref();
        via.filter(|via| is_web(via) && self.url != Some(via))
    }

    /// Related pages that no other link of the item names.
    pub(super) fn related(&self) -> impl Iterator<Item = &'a str> {
        let also = &self.entry.also;
        let related = self.entry.item.details.related.iter().map(String::as_str);
        related.filter(move |url| {
            let is_also = also.iter().any(|also| also.url.as_deref() == Some(*url));
            is_web(url) && self.url != Some(*url) && !is_also
        })
    }

    /// URL of the comments.
    pub(super) fn comments(&self) -> Option<&'a str> {
        self.entry.item.details.comments.as_deref().filter(|url| is_web(url))
    }

    /// The picture of the item.
    pub(super) fn image(&self) -> Option<&'a Image> {
        self.entry.item.details.image.as_ref().filter(|image| is_web(&image.url))
    }

    /// Playing time in seconds: of the item, else of its main file.
    pub(super) fn duration(&self) -> Option<u32> {
        let details = &self.entry.item.details;
        details.duration.or_else(|| self.enclosures().next()?.duration)
    }
}

/// Publication date, and date of the last change, which is not before it.
///
/// Readers drop items without a date, from the future, or from before 1990.
fn dates(entry: &OutputItem, date: ShownDate) -> (Timestamp, Timestamp) {
    let published = Some(entry.published())
        // An item of the history that was published again is placed later than it was first seen.
        .filter(|at| (OLDEST..=entry.first_seen.max(entry.sort_at)).contains(at))
        .filter(|_| date == ShownDate::Published)
        .unwrap_or(entry.first_seen)
        .max(OLDEST);
    (published, entry.updated().max(published))
}

/// Another feed with the same story.
pub(super) struct OtherFeed<'a> {
    /// URL of the page, http or https.
    pub(super) url: &'a str,
    /// Title of the feed, plain text.
    pub(super) feed: String,
    /// Title of the item there, plain text.
    pub(super) title: Option<String>,
}

impl OtherFeed<'_> {
    /// Feed and title as the text of a link.
    pub(super) fn link_title(&self) -> String {
        let Some(title) = &self.title else { return self.feed.clone() };
        let (feed, title) = bidi::isolated(&self.feed, title);
        format!("{feed}: {title}")
    }
}

fn also_at(entry: &OutputItem) -> impl Iterator<Item = OtherFeed<'_>> {
    entry.also.iter().filter_map(|also| {
        let url = also.url.as_deref().filter(|url| is_web(url))?;
        let feed = feed_name(&also.feed);
        Some(OtherFeed { url, feed, title: also.title.as_deref().and_then(text::line) })
    })
}

/// The title of a feed as documents and pages show it, plain text; its id if nothing of the title would be visible.
#[must_use]
pub fn feed_name(feed: &FeedInfo) -> String {
    text::line(&feed.title).unwrap_or_else(|| feed.id.to_string())
}

/// Whether the text has the syntax of a BCP 47 language tag, as validators check it.
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
    // Not the e-mail address, which was not given for publication.
    let name = text::line(&person.name).or_else(|| page.map(str::to_owned))?;
    Some(Author { name, page })
}

/// The feed that the item came from, or its source if that feed had copied it from another one (RFC 4287
/// 4.2.11).
fn origin(entry: &OutputItem) -> Origin<'_> {
    let feed = &*entry.feed;
    let title = feed_name(feed);
    if let Some(source) = &entry.item.details.source {
        let feed_url = source.feed_url.as_deref().filter(|url| is_web(url));
        let page = source.url.as_deref().filter(|url| is_web(url));
        if let (Some(address), Some(title)) =
            (feed_url.or(page), source.title.as_deref().and_then(text::line))
        {
            let id = text::iri(source.id.as_deref().unwrap_or(address));
            return Origin { id, title, feed_url, page, rights: None };
        }
    }
    // Subscribers must not learn the path of a file.
    let address = if is_web(&feed.url) { &*feed.url } else { feed.id.as_str() };
    Origin {
        id: text::iri(feed.profile.atom_id.as_deref().unwrap_or(address)),
        title,
        feed_url: Some(&*feed.url).filter(|url| is_web(url)),
        page: feed.profile.site_url.as_deref().filter(|url| is_web(url)),
        rights: feed.profile.rights.as_deref().and_then(text::non_blank),
    }
}

/// Date of the last change of a document; `since` for one without entries. Not the current time, or every
/// rendering would differ.
pub(super) fn updated(entries: &[ShownItem<'_>], since: Timestamp) -> Timestamp {
    entries.iter().map(|shown| shown.updated).max().unwrap_or(since)
}

/// Maximum length of a summary that is made from the text, in characters.
const MAX_SUMMARY: usize = 300;

/// Summary and content of an item, as its output shows them.
pub(super) struct Body<'a> {
    /// Plain text, in addition to the content or instead of it.
    pub(super) summary: Option<Cow<'a, str>>,
    /// Sanitised HTML with absolute URLs.
    pub(super) content: Option<Cow<'a, str>>,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        item: &'a Item,
        language: Option<&str>,
        presentation: &Presentation,
        also_at: impl Iterator<Item = OtherFeed<'a>>,
    ) -> Self {
        let summary = item.summary.as_deref().and_then(text::non_blank);
        let content = item.content.as_deref().and_then(text::non_blank);
        let mut body = match presentation.content {
            Content::Full => {
                Self { summary, content: content.map(|content| with_direction(content, language)) }
            }
            Content::Summary => Self { summary: summary_of(item, summary, content), content: None },
            Content::None => return Self { summary: None, content: None },
        };
        if presentation.also_at == AlsoAt::Content {
            let texts = Texts::of(presentation.language.as_deref());
            let named = |feed: String| text::without_markup(&feed).into_owned();
            let links = also_at_links(also_at.map(|other| (other.url, named(other.feed))), texts);
            if let Some(links) = links {
                body.append(&format!("<p>{links}</p>"));
            }
        }
        body
    }

    /// Appends HTML to the content.
    fn append(&mut self, line: &str) {
        let summary = || {
            let summary = self.summary.take()?;
            Some(format!("<p>{}</p>", html::escape(&text::without_markup(&summary))))
        };
        let text = self.content.take().map(Cow::into_owned).or_else(summary);
        self.content = Some(Cow::Owned(text.unwrap_or_default() + line));
    }
}

/// The summary of an item without content: that of the publisher, else the beginning of the text; behind the title.
fn summary_of<'a>(
    item: &Item,
    summary: Option<Cow<'a, str>>,
    content: Option<Cow<'a, str>>,
) -> Option<Cow<'a, str>> {
    let title = item.title.as_deref().and_then(text::line).unwrap_or_default();
    let behind =
        |text: &str| text::non_blank(text::behind_title(text, &title)).map(Cow::into_owned);
    let made = || {
        let text = shown_text(&without_title(&content?, Some(&title)));
        text::beginning(&behind(&text)?, MAX_SUMMARY)
    };
    summary.and_then(|summary| behind(&summary)).or_else(made).map(Cow::Owned)
}

/// `Also at: A, B` as HTML, of URLs and names of feeds; `None`: no other feed has the story.
pub(super) fn also_at_links(
    others: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    texts: &Texts,
) -> Option<String> {
    let links = others.map(|(url, feed)| {
        let (url, feed) = (html::escape(url.as_ref()), html::escape(feed.as_ref()));
        format!("<a href=\"{url}\"><bdi>{feed}</bdi></a>")
    });
    let links: Vec<String> = links.collect();
    (!links.is_empty()).then(|| texts.introduced(texts.also_at, &links.join(texts.comma)))
}

/// How the line that names other feeds begins in a document, in each language.
pub fn also_at_starts() -> impl Iterator<Item = String> {
    Texts::all().map(|texts| format!("<p>{}", texts.introduced(texts.also_at, "<a href=\"")))
}

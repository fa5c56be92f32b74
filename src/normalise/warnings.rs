//! What is left out of a feed when it is normalised, as parse warnings.
//!
//! All items of a document are examined, also those that are known, so that the warnings of a feed do not depend on
//! which items are new. Only lengths and numbers are looked at, unless a limit may be exceeded.

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

use super::enclosures::{self, MAX_ENCLOSURES};
use super::escaping::references;
use super::html;
use super::item::{MAX_ID, text_base};
use super::limits::{MAX_CANDIDATES, MAX_DEPTH, MAX_FORMULA, MAX_LABEL, Omissions};
use super::links::{self, LinkBase, PERSON, WEB};
use super::metadata::{self, MAX_CATEGORIES, MAX_PEOPLE};
use super::plain_text::{self, NAME, SUMMARY, TITLE, text_of_html};
use crate::model::{ParseWarning, ParsedFeed, ParsedItem, Podcast, Text, TextKind};

/// Parse warnings about what is left out of the items of a feed, each kind with its number.
#[must_use]
pub fn warnings(feed: &ParsedFeed, document_url: &Url, now: Timestamp) -> Vec<ParseWarning> {
    let mut losses = Losses::default();
    losses.feed(feed);
    for item in &feed.items {
        losses.item(item, document_url, now);
    }
    losses.parse_warnings()
}

/// Numbers of what is left out.
#[derive(Debug, Default)]
struct Losses {
    /// Items whose date is before 1990 or in the future.
    unlikely_dates: usize,
    /// Parts beyond the limits.
    authors: usize,
    categories: usize,
    files: usize,
    images: usize,
    transcripts: usize,
    chapters: usize,
    /// Texts that are cut.
    titles: usize,
    summaries: usize,
    contents: usize,
    names: usize,
    rights: usize,
    /// Ids that are replaced by their hashes.
    ids: usize,
    /// Links that are not published.
    links: usize,
    /// Parts of the HTML of contents.
    html: Omissions,
}

impl Losses {
    fn feed(&mut self, feed: &ParsedFeed) {
        self.titles += usize::from(feed.title.as_ref().is_some_and(|text| is_cut(text, TITLE)));
        self.rights += usize::from(feed.rights.as_ref().is_some_and(|text| is_cut(text, TITLE)));
        self.ids += usize::from(feed.id.as_ref().is_some_and(|id| id.trim().len() > MAX_ID));
    }

    fn item(&mut self, item: &ParsedItem, base: &Url, now: Timestamp) {
        let (kept, _) = metadata::dates(item.published, item.updated, now);
        let dated = item.published.or(item.updated).is_some();
        self.unlikely_dates += usize::from(kept.is_none() && dated);
        self.parts(item, base);
        self.texts(item, base);
        self.names(item);
        self.links(item, base);
    }

    fn parts(&mut self, item: &ParsedItem, base: &Url) {
        let surplus = &item.surplus;
        self.authors += surplus.authors;
        self.categories += surplus.categories;
        self.files += surplus.files;
        self.images += surplus.images;
        self.transcripts += surplus.transcripts;
        self.chapters += surplus.chapters;
        if item.authors.len() > MAX_PEOPLE {
            self.authors += metadata::authors(&item.authors, base).1;
        }
        if item.categories.len() > MAX_CATEGORIES {
            self.categories += metadata::categories(&item.categories).1;
        }
        if item.enclosures.len() > MAX_ENCLOSURES {
            self.files += enclosures::enclosures(&item.enclosures, base).1;
        }
    }

    fn texts(&mut self, item: &ParsedItem, base: &Url) {
        self.titles += usize::from(item.title.as_ref().is_some_and(|text| is_cut(text, TITLE)));
        self.rights += usize::from(item.rights.as_ref().is_some_and(|text| is_cut(text, TITLE)));
        self.ids += usize::from(item.id.as_ref().is_some_and(|id| id.trim().len() > MAX_ID));
        let mut omissions = Omissions::default();
        let mut long = |text: &Text| {
            let own = text_base(text, base);
            let link_base = LinkBase { base: own.as_ref().unwrap_or(base), page: item.page() };
            let (is_cut, omitted) = html::losses(text, link_base);
            omissions = omitted;
            is_cut
        };
        match (&item.content, &item.summary) {
            (Some(content), summary) => {
                self.contents += usize::from(long(content));
                let cut =
                    summary.as_ref().is_some_and(|it| is_cut(it, SUMMARY) && !repeats(it, content));
                self.summaries += usize::from(cut);
            }
            // A summary alone is the content.
            (None, Some(summary)) => self.contents += usize::from(long(summary)),
            (None, None) => {}
        }
        self.html.candidates += omissions.candidates;
        self.html.labels += omissions.labels;
        self.html.formulas += omissions.formulas;
        self.html.elements += omissions.elements;
    }

    fn names(&mut self, item: &ParsedItem) {
        let is_long = |name: &&str| plain_text::is_cut(name, NAME);
        let people = item.authors.iter().map(|author| author.name.as_str());
        let terms = item.categories.iter().flat_map(|category| {
            [Some(category.term.as_str()), category.label.as_deref()].into_iter().flatten()
        });
        let files = item.enclosures.iter().filter_map(|file| file.title.as_deref());
        let chapters = item.podcast.chapter_list.iter().filter_map(|it| it.title.as_deref());
        self.names += people.chain(terms).chain(files).chain(chapters).filter(is_long).count();
        let source = item.source.as_ref().and_then(|source| source.title.as_deref());
        self.names += usize::from(source.is_some_and(|title| plain_text::is_cut(title, TITLE)));
    }

    fn links(&mut self, item: &ParsedItem, base: &Url) {
        let of_page = |rel: &str| matches!(rel, "alternate" | "related" | "via");
        let pages = item.links.iter().filter(|link| of_page(&link.rel)).map(|link| &link.href);
        let files = item.enclosures.iter().map(|file| &file.url);
        let images = item.thumbnails.iter().map(|image| &image.url);
        let source =
            item.source.iter().flat_map(|source| source.url.iter().chain(&source.feed_url));
        let Podcast { transcripts, chapters, chapter_list, .. } = &item.podcast;
        let episode = transcripts.iter().chain(chapters).map(|file| &file.url);
        let chapters =
            chapter_list.iter().flat_map(|chapter| chapter.url.iter().chain(&chapter.image));
        let all = pages.chain(files).chain(images).chain(&item.comments).chain(source);
        let all = all.chain(episode).chain(chapters);
        let people = item.authors.iter().filter_map(|author| author.uri.as_ref());
        self.links += all.filter(|link| links::absolute(link, base, WEB).is_none()).count();
        self.links += people.filter(|link| links::absolute(link, base, PERSON).is_none()).count();
    }

    fn parse_warnings(&self) -> Vec<ParseWarning> {
        let dates =
            format!("dates before 1990 or in the future, left out: {}", self.unlikely_dates);
        let parts = listed([
            (self.authors, "authors"),
            (self.categories, "categories"),
            (self.files, "files"),
            (self.images, "images"),
            (self.transcripts, "transcripts"),
            (self.chapters, "chapters"),
        ]);
        let parts = format!(
            "at most {MAX_PEOPLE} authors, {MAX_CATEGORIES} categories and {MAX_ENCLOSURES} files of an item are \
             kept; left out: {parts}"
        );
        let texts = listed([
            (self.contents, "contents"),
            (self.titles, "titles"),
            (self.summaries, "summaries"),
            (self.names, "names"),
            (self.rights, "rights statements"),
            (self.ids, "ids, now hashes"),
        ]);
        let texts = format!("too long and cut: {texts}");
        let links = format!(
            "links that are invalid, not of http or https, or longer than 8 KiB, left out: {}",
            self.links
        );
        let Omissions { candidates, labels, formulas, elements } = self.html;
        let html = listed([
            (candidates, "sizes of images"),
            (labels, "descriptions"),
            (formulas, "formulas"),
            (elements, "nested elements"),
        ]);
        let html = format!(
            "beyond the limits of the HTML ({MAX_CANDIDATES} sizes of an image, {MAX_LABEL} characters of a \
             description, {} KiB of a formula, {MAX_DEPTH} nested elements), left out or cut: {html}",
            MAX_FORMULA / 1024
        );
        let omitted = candidates + labels + formulas + elements;
        let numbers = [
            ("unlikely_date", self.unlikely_dates, dates),
            ("too_many_parts", self.number_of_parts(), parts),
            ("long_text", self.number_of_texts(), texts),
            ("unusable_link", self.links, links),
            ("reduced_html", omitted, html),
        ];
        let any = numbers.into_iter().filter(|(_, number, _)| *number > 0);
        any.map(|(code, _, message)| ParseWarning::new(code, None, message)).collect()
    }

    fn number_of_parts(&self) -> usize {
        self.authors + self.categories + self.files + self.images + self.transcripts + self.chapters
    }

    fn number_of_texts(&self) -> usize {
        self.titles + self.contents + self.summaries + self.names + self.rights + self.ids
    }
}

/// The numbers that are not zero with their nouns.
fn listed<const N: usize>(numbers: [(usize, &str); N]) -> String {
    let any = numbers.into_iter().filter(|(number, _)| *number > 0);
    any.map(|(number, noun)| format!("{noun} ({number})")).collect::<Vec<_>>().join(", ")
}

/// A text construct as plain text.
fn shown(text: &Text) -> Cow<'_, str> {
    match text.kind {
        TextKind::Html => Cow::Owned(text_of_html(&text.value)),
        TextKind::Plain => references(&text.value),
    }
}

/// Whether a text construct is cut when it becomes a line of at most `max` characters.
fn is_cut(text: &Text, max: usize) -> bool {
    text.value.len() > max && plain_text::is_cut(&shown(text), max)
}

/// Whether the content begins with the cut summary, which is then left out.
fn repeats(summary: &Text, content: &Text) -> bool {
    plain_text::line(&shown(summary), SUMMARY) == plain_text::line(&shown(content), SUMMARY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Category, Chapter, Enclosure, Image, Link, Person, SourceInfo, Surplus};

    /// The parse warnings about one item, as `code: message`.
    fn about(item: ParsedItem) -> Vec<String> {
        let feed = ParsedFeed { items: vec![item], ..ParsedFeed::default() };
        let base = Url::parse("https://example.org/feed").unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let warnings = warnings(&feed, &base, now);
        warnings.into_iter().map(|found| format!("{}: {}", found.code, found.message)).collect()
    }

    fn one(item: ParsedItem, code: &str, end: &str) {
        let found = about(item);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(code) && found[0].ends_with(end), "{found:?} {end}");
    }

    #[test]
    fn an_ordinary_item_has_no_warning() {
        let item = ParsedItem {
            id: Some("1".into()),
            title: Some(Text::html("A &amp; B")),
            content: Some(Text::html("<p>text</p>".repeat(100))),
            summary: Some(Text::plain("word ".repeat(150))),
            published: Timestamp::from_second(1_700_000_000).ok(),
            links: vec![Link {
                href: "https://example.org/1".into(),
                rel: "alternate".into(),
                ..Link::default()
            }],
            authors: vec![Person { name: "A".into(), ..Person::default() }; 30],
            ..ParsedItem::default()
        };
        assert_eq!(about(item), [""; 0]);
    }

    #[test]
    fn parts_beyond_the_limits_are_counted() {
        let names = |number: usize| (0..number).map(|number| format!("n{number}"));
        let authors = names(30).map(|name| Person { name, ..Person::default() }).collect();
        one(ParsedItem { authors, ..ParsedItem::default() }, "too_many_parts", "authors (10)");
        let categories = names(60).map(|term| Category { term, ..Category::default() }).collect();
        one(
            ParsedItem { categories, ..ParsedItem::default() },
            "too_many_parts",
            "categories (10)",
        );
        let file = |name: String| Enclosure {
            url: format!("https://e.org/{name}"),
            ..Enclosure::default()
        };
        let enclosures = names(53).map(file).collect();
        one(ParsedItem { enclosures, ..ParsedItem::default() }, "too_many_parts", "files (3)");
        let surplus = Surplus { transcripts: 1, chapters: 2, images: 3, ..Surplus::default() };
        let end = "images (3), transcripts (1), chapters (2)";
        one(ParsedItem { surplus, ..ParsedItem::default() }, "too_many_parts", end);
    }

    #[test]
    fn texts_beyond_the_limits_are_counted() {
        let text = |size: usize| Some(Text::html("word ".repeat(size)));
        one(ParsedItem { title: text(101), ..ParsedItem::default() }, "long_text", "titles (1)");
        one(
            ParsedItem { rights: text(101), ..ParsedItem::default() },
            "long_text",
            "statements (1)",
        );
        one(
            ParsedItem { content: text(60_000), ..ParsedItem::default() },
            "long_text",
            "contents (1)",
        );
        one(
            ParsedItem { summary: text(60_000), ..ParsedItem::default() },
            "long_text",
            "contents (1)",
        );
        let (summary, content) = (text(300), Some(Text::html("other words")));
        one(ParsedItem { summary, content, ..ParsedItem::default() }, "long_text", "summaries (1)");
        // A summary that is the content again is left out anyway.
        let same = ParsedItem { summary: text(300), content: text(400), ..ParsedItem::default() };
        assert_eq!(about(same), [""; 0]);
        // Each character becomes several bytes of HTML.
        let content = Some(Text::plain("<".repeat(100_000)));
        one(ParsedItem { content, ..ParsedItem::default() }, "long_text", "contents (1)");
        let term = "c".repeat(201);
        let categories = vec![Category { term, ..Category::default() }];
        one(ParsedItem { categories, ..ParsedItem::default() }, "long_text", "names (1)");
        let id = Some("i".repeat(3_000));
        one(ParsedItem { id, ..ParsedItem::default() }, "long_text", "ids, now hashes (1)");
    }

    #[test]
    fn what_is_left_out_of_html_is_counted() {
        let candidates = "https://e.org/a 9w, ".repeat(30);
        let label = "word ".repeat(300);
        for (html, end) in [
            (format!("<img src=a srcset='{candidates}'>"), "sizes of images (6)"),
            (format!("<img src=data:, data-srcset='{candidates}'>"), "sizes of images (6)"),
            (format!("<picture><source srcset='{candidates}'></picture>"), "sizes of images (6)"),
            (
                format!("<img src=a alt='{label}'><a href=b title='{label}'>x</a>"),
                "descriptions (2)",
            ),
            (format!("<p title='{label}'>x</p>"), ""),
            (format!("<math><mi>{}</mi></math>", "x".repeat(20_000)), "formulas (1)"),
            (format!("<math alttext=x><mi>{}</mi></math>", "x".repeat(20_000)), ""),
            (format!("<math>{}x</math>", "<mrow>".repeat(70)), "formulas (1)"),
            ("<div>".repeat(130) + "x", "nested elements (6)"),
            ("<p id=x>".repeat(3_000) + "<a href=#x>y</a>", ""),
        ] {
            let item = ParsedItem { content: Some(Text::html(html)), ..ParsedItem::default() };
            match end {
                "" => assert_eq!(about(item), [""; 0]),
                end => one(item, "reduced_html", end),
            }
        }
    }

    #[test]
    fn links_that_are_not_published_are_counted() {
        let link =
            |href: &str, rel: &str| Link { href: href.into(), rel: rel.into(), ..Link::default() };
        let links = vec![link("javascript:x", "alternate"), link("feed:x", "self")];
        one(ParsedItem { links, ..ParsedItem::default() }, "unusable_link", ": 1");
        let url = "ftp://e.org/a.mp3".to_owned();
        let enclosures = vec![Enclosure { url, ..Enclosure::default() }];
        one(ParsedItem { enclosures, ..ParsedItem::default() }, "unusable_link", ": 1");
        let url = format!("https://e.org/{}", "a".repeat(9_000));
        let thumbnails = vec![Image { url, ..Image::default() }];
        let source = Some(SourceInfo { feed_url: Some("http://".into()), ..SourceInfo::default() });
        let chapter = Chapter { image: Some("data:,".into()), ..Chapter::default() };
        let podcast = Podcast { chapter_list: vec![chapter], ..Podcast::default() };
        let comments = Some("mailto:a@e.org".into());
        let item = ParsedItem { thumbnails, source, podcast, comments, ..ParsedItem::default() };
        one(item, "unusable_link", ": 4");
    }
}

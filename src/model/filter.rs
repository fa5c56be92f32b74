//! Filters: conditions on items. An output selects its stories with a filter, and a feed keeps items out with one. Pure.
//!
//! A filter has tables of conditions. An item meets a table if it meets each condition of the table. It passes the
//! filter if it meets one table of `include`, or `include` has no table, and no table of `exclude`.
//!
//! Titles, texts and names are compared as they are seen ([`as_seen`]), whatever white space the publisher wrote.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::Duration;

use jiff::Timestamp;
use regex::Regex;
use url::Url;

use super::feed::FeedId;
use super::item::Item;
use crate::text::chars::as_seen;

/// The tables `include` and `exclude` of an output, a feed, a server or a list of feeds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An item must meet one of them; empty: every item passes.
    pub include: Vec<Conditions>,
    /// An item must meet none of them.
    pub exclude: Vec<Conditions>,
}

/// One table of conditions. A condition that is not set is always met.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// The table as the config has it, with the name of its key: `exclude = { title = "…" }`.
    pub text: String,
    /// Tags of the feed: at least one of them.
    pub tags: Vec<String>,
    /// Ids of feeds: the item's feed is one of them.
    pub feeds: Vec<String>,
    /// Matched against the link of the item, and against the link that a link-blog points at.
    pub links: Vec<LinkPattern>,
    /// Matched against the title; an item without a title does not match.
    pub title: Option<Regex>,
    /// Matched against the text of the content, else against the summary.
    pub content: Option<Regex>,
    /// Names of authors, compared without case.
    pub authors: Vec<String>,
    /// Categories (term or label), compared without case.
    pub categories: Vec<String>,
    /// Languages, RFC 4647 3.3.1: `en` is also met by `en-GB`, and nothing by an unknown language.
    pub languages: Vec<String>,
    /// Whether the item must have an attached file or must have none; `None`: either.
    pub enclosures: Option<bool>,
    /// Smallest number of words of the text.
    pub min_words: Option<usize>,
    /// Largest number of words of the text.
    pub max_words: Option<usize>,
    /// Largest age at first sight; an item without a date is new.
    pub max_age: Option<Duration>,
}

/// A pattern of links.
#[derive(Debug, Clone)]
pub enum LinkPattern {
    /// A host with its subdomains, lower case.
    Host(String),
    /// Matched against the whole URL.
    Regex(Regex),
}

/// An item as a filter sees it.
#[derive(Debug)]
pub struct Subject<'a> {
    feed: &'a FeedId,
    tags: &'a [String],
    item: &'a Item,
    first_seen: Timestamp,
    /// Its title and its text without markup as they are seen, made when a condition needs them.
    title: OnceCell<Option<Cow<'a, str>>>,
    text: OnceCell<String>,
}

/// Why an item does not pass a filter.
#[derive(Debug, Clone, Copy)]
pub enum Refusal<'f> {
    /// It meets no table of `include`.
    NotIncluded,
    /// It meets this table of `exclude`.
    Excluded(&'f Conditions),
    /// The output is a podcast, and the item has no audio or video file.
    NoEpisode,
}

impl Refusal<'_> {
    /// The rule, as status, log and pages show it.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::NotIncluded => Filter::NOT_INCLUDED,
            Self::Excluded(conditions) => &conditions.text,
            Self::NoEpisode => "podcast: no audio or video file",
        }
    }
}

impl<'a> Subject<'a> {
    /// An item of a feed with these tags.
    #[must_use]
    pub fn new(
        feed: &'a FeedId,
        tags: &'a [String],
        item: &'a Item,
        first_seen: Timestamp,
    ) -> Self {
        let (title, text) = Default::default();
        Self { feed, tags, item, first_seen, title, text }
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| as_seen(&self.item.text()).into_owned())
    }

    fn title(&self) -> Option<&str> {
        self.title.get_or_init(|| self.item.title.as_deref().map(as_seen)).as_deref()
    }

    fn links(&self) -> impl Iterator<Item = &str> {
        let links = [&self.item.url, &self.item.details.via].into_iter().flatten();
        links.chain(&self.item.details.related).map(String::as_str)
    }

    /// Time from publication to first sight; zero without a date.
    fn age(&self) -> Duration {
        let published = self.item.published.unwrap_or(self.first_seen);
        Duration::try_from(self.first_seen.duration_since(published)).unwrap_or_default()
    }
}

impl Filter {
    /// The rule of an item that meets no table of `include`.
    pub const NOT_INCLUDED: &'static str = "include: no table matches";

    /// Whether it has no conditions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Every table of conditions, of `include` and of `exclude`.
    pub fn tables(&self) -> impl Iterator<Item = &Conditions> {
        self.include.iter().chain(&self.exclude)
    }

    /// Whether items of a feed can pass, by its id and tags alone.
    #[must_use]
    pub fn takes_feed(&self, feed: &FeedId, tags: &[String]) -> bool {
        let included = self.include.is_empty()
            || self.include.iter().any(|conditions| conditions.takes_feed(feed, tags));
        let excluded =
            |conditions: &Conditions| conditions.is_of_feeds() && conditions.takes_feed(feed, tags);
        included && !self.exclude.iter().any(excluded)
    }

    /// Why an item does not pass; `None`: it passes.
    #[must_use]
    pub fn refusal(&self, subject: &Subject<'_>) -> Option<Refusal<'_>> {
        if !self.include.is_empty() && !self.include.iter().any(|table| table.is_met(subject)) {
            return Some(Refusal::NotIncluded);
        }
        self.exclude.iter().find(|table| table.is_met(subject)).map(Refusal::Excluded)
    }
}

impl Conditions {
    /// Whether it has conditions on the feed only, so that all items of a feed meet it, or none.
    #[must_use]
    pub fn is_of_feeds(&self) -> bool {
        let of_items = !self.links.is_empty()
            || !self.authors.is_empty()
            || !self.categories.is_empty()
            || !self.languages.is_empty()
            || self.title.is_some()
            || self.content.is_some()
            || self.enclosures.is_some()
            || self.min_words.is_some()
            || self.max_words.is_some()
            || self.max_age.is_some();
        !of_items
    }

    /// Whether id and tags of a feed meet the conditions on them.
    #[must_use]
    pub fn takes_feed(&self, feed: &FeedId, tags: &[String]) -> bool {
        (self.feeds.is_empty() || self.feeds.iter().any(|known| known == feed.as_str()))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag)))
    }

    /// Whether an item meets every condition.
    #[must_use]
    pub fn is_met(&self, subject: &Subject<'_>) -> bool {
        let item = subject.item;
        let within = |wanted: &[String], found: bool| wanted.is_empty() || found;
        self.takes_feed(subject.feed, subject.tags)
            && self.enclosures.is_none_or(|wanted| has_file(item) == wanted)
            && within(&self.languages, has_language(&self.languages, item))
            && within(&self.authors, has_author(&self.authors, item))
            && within(&self.categories, has_category(&self.categories, item))
            && self.max_age.is_none_or(|age| subject.age() <= age)
            && (self.links.is_empty() || subject.links().any(|link| self.has_link(link)))
            && self.title.as_ref().is_none_or(|regex| has_title(regex, subject))
            && self.content.as_ref().is_none_or(|regex| has_text(regex, subject))
            && self.has_words(subject)
    }

    fn has_link(&self, link: &str) -> bool {
        let url = OnceCell::new();
        self.links.iter().any(|pattern| match pattern {
            LinkPattern::Regex(regex) => regex.is_match(link),
            LinkPattern::Host(wanted) => {
                let url: &Option<Url> = url.get_or_init(|| Url::parse(link).ok());
                let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
                let rest = host.strip_suffix(wanted.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        })
    }

    fn has_words(&self, subject: &Subject<'_>) -> bool {
        if self.min_words.is_none() && self.max_words.is_none() {
            return true;
        }
        let found = words(subject.text());
        self.min_words.is_none_or(|min| found >= min)
            && self.max_words.is_none_or(|max| found <= max)
    }
}

fn has_title(regex: &Regex, subject: &Subject<'_>) -> bool {
    subject.title().is_some_and(|title| regex.is_match(title))
}

fn has_text(regex: &Regex, subject: &Subject<'_>) -> bool {
    let Item { content, summary, .. } = subject.item;
    (content.is_some() || summary.is_some()) && regex.is_match(subject.text())
}

/// Number of words of a text. In scripts without spaces two characters count as one word.
fn words(text: &str) -> usize {
    let (mut words, mut unspaced) = (0, 0);
    for part in text.split_whitespace() {
        let here = part.chars().filter(|c| is_unspaced(*c)).count();
        unspaced += here;
        words += usize::from(part.chars().any(|c| c.is_alphanumeric() && !is_unspaced(c)));
    }
    words + unspaced.div_ceil(2)
}

/// Whether a character belongs to a script that is written without spaces: Thai, Lao, Burmese, Khmer, Chinese or
/// Japanese.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn has_file(item: &Item) -> bool {
    item.details.enclosures.iter().any(super::item::Enclosure::is_file)
}

fn has_author(names: &[String], item: &Item) -> bool {
    item.details.authors.iter().any(|author| is_any_of(names, &author.name))
}

fn has_category(categories: &[String], item: &Item) -> bool {
    item.details.categories.iter().any(|category| {
        is_any_of(categories, &category.term)
            || category.label.as_deref().is_some_and(|label| is_any_of(categories, label))
    })
}

/// RFC 4647 3.3.1, basic filtering.
fn has_language(ranges: &[String], item: &Item) -> bool {
    let Some(tag) = item.language.as_deref() else { return false };
    ranges.iter().any(|range| {
        let mut subtags = tag.split('-');
        range
            .split('-')
            .all(|wanted| subtags.next().is_some_and(|s| s.eq_ignore_ascii_case(wanted)))
    })
}

fn is_any_of(wanted: &[String], found: &str) -> bool {
    let found = as_seen(found).to_lowercase();
    wanted.iter().any(|wanted| as_seen(wanted).to_lowercase() == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Category, Enclosure, Person};
    use crate::text::chars::pattern_as_seen;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn regex(text: &str) -> Option<Regex> {
        Some(Regex::new(text).unwrap())
    }

    fn feed() -> FeedId {
        FeedId::new("a").unwrap()
    }

    fn meets(conditions: &Conditions, item: &Item) -> bool {
        conditions.is_met(&Subject::new(&feed(), &texts(&["x", "c"]), item, at(0)))
    }

    fn passes(include: &[Conditions], exclude: &[Conditions], item: &Item) -> bool {
        let filter = Filter { include: include.to_vec(), exclude: exclude.to_vec() };
        filter.refusal(&Subject::new(&feed(), &[], item, at(0))).is_none()
    }

    #[test]
    fn tables_are_alternatives_and_their_conditions_are_not() {
        let item = |title: &str, language: &str| Item {
            title: Some(title.to_owned()),
            language: Some(language.to_owned()),
            ..Item::default()
        };
        let title = |text| Conditions { title: regex(text), ..Conditions::default() };
        let both = Conditions { languages: texts(&["de"]), ..title("Rust") };
        assert!(passes(std::slice::from_ref(&both), &[], &item("Rust", "de")));
        assert!(!passes(std::slice::from_ref(&both), &[], &item("Rust", "en")));
        assert!(passes(&[both.clone(), title("Go")], &[], &item("Go", "en")));
        assert!(!passes(&[], std::slice::from_ref(&both), &item("Rust", "de")));
        assert!(passes(&[], std::slice::from_ref(&both), &item("Rust", "en")), "one is not met");
        assert!(!passes(&[], &[title("Go"), both], &item("Rust", "de")));
        assert!(passes(&[], &[], &Item::default()));
    }

    #[test]
    fn a_filter_takes_feeds_by_id_and_tags() {
        let tags = |tags: &[&str]| Conditions { tags: texts(tags), ..Conditions::default() };
        let feeds = |feeds: &[&str]| Conditions { feeds: texts(feeds), ..Conditions::default() };
        let takes = |include: &[Conditions], exclude: &[Conditions]| {
            let filter = Filter { include: include.to_vec(), exclude: exclude.to_vec() };
            filter.takes_feed(&feed(), &texts(&["x", "c"]))
        };
        assert!(takes(&[], &[]));
        assert!(takes(&[tags(&["rust", "c"])], &[]) && !takes(&[tags(&["rust"])], &[]));
        assert!(takes(&[tags(&["rust"]), feeds(&["a"])], &[]), "alternatives");
        assert!(!takes(&[], &[feeds(&["a"])]) && takes(&[], &[feeds(&["b"])]));
        let both = Conditions { title: regex("Ad"), ..tags(&["x"]) };
        assert!(takes(&[], std::slice::from_ref(&both)), "only some of its items are excluded");
        let both = Conditions { tags: texts(&["rust"]), ..feeds(&["a"]) };
        assert!(!takes(std::slice::from_ref(&both), &[]) && takes(&[], &[both]));
    }

    #[test]
    fn links_are_matched_by_host_or_by_regular_expression() {
        let item = |url: &str, via: Option<&str>| {
            let mut item = Item { url: Some(url.to_owned()), ..Item::default() };
            item.details.via = via.map(str::to_owned);
            item
        };
        let host = |host: &str| Conditions {
            links: vec![LinkPattern::Host(host.to_owned())],
            ..Conditions::default()
        };
        assert!(meets(&host("nytimes.com"), &item("https://www.nytimes.com/a", None)));
        assert!(meets(&host("nytimes.com"), &item("https://NYTimes.com:443/a", None)));
        assert!(!meets(&host("nytimes.com"), &item("https://notnytimes.com/a", None)));
        assert!(!meets(&host("nytimes.com"), &item("https://a.example/?u=nytimes.com", None)));
        assert!(meets(&host("b.example"), &item("https://a.example/", Some("https://b.example/"))));
        let shorts = LinkPattern::Regex(Regex::new("/shorts/").unwrap());
        let shorts = Conditions { links: vec![shorts], ..Conditions::default() };
        assert!(meets(&shorts, &item("https://www.youtube.com/shorts/abc", None)));
        assert!(!meets(&shorts, &item("https://www.youtube.com/watch?v=abc", None)));
        assert!(!meets(&shorts, &Item::default()), "an item without a link");
    }

    #[test]
    fn conditions_test_title_text_author_and_category() {
        let mut item = Item {
            title: Some("Sponsored: soap".to_owned()),
            content: Some("<p class=\"hidden\">fish &amp; <b>ch</b>ips</p>".to_owned()),
            ..Item::default()
        };
        item.details.authors = vec![Person { name: "Ada".to_owned(), ..Person::default() }];
        item.details.categories =
            vec![Category { term: "f".to_owned(), label: Some("Food".to_owned()), scheme: None }];
        let none = Conditions::default;
        assert!(meets(&none(), &item));
        assert!(meets(&Conditions { title: regex("(?i)^sponsored"), ..none() }, &item));
        assert!(meets(&Conditions { content: regex("fish & chips"), ..none() }, &item));
        assert!(!meets(&Conditions { content: regex("hidden"), ..none() }, &item), "no markup");
        assert!(meets(&Conditions { authors: texts(&["ADA"]), ..none() }, &item));
        assert!(meets(&Conditions { categories: texts(&["food"]), ..none() }, &item));
        assert!(!meets(&Conditions { categories: texts(&["x"]), ..none() }, &item));
        let untitled = Conditions { title: regex(""), ..none() };
        assert!(!meets(&untitled, &Item::default()), "it has no title");
        let textless = Conditions { content: regex(""), ..none() };
        assert!(!meets(&textless, &Item::default()), "it has no text");
    }

    #[test]
    fn texts_and_names_are_compared_as_a_reader_sees_them() {
        let item = |title: &str, html: &str| Item {
            title: Some(title.to_owned()),
            content: Some(html.to_owned()),
            ..Item::default()
        };
        let none = Conditions::default;
        for (title, pattern) in [
            ("Publicite\u{301}: savon", "(?i)^publicité"),
            ("Publicité", "Publicite\u{301}"),
            ("10\u{a0}% off", "10 % off"),
            ("10 % off", "10\u{a0}%"),
            ("gar\u{ad}bage col\u{200b}lector", "^garbage collector$"),
        ] {
            let pattern = Regex::new(&pattern_as_seen(pattern)).ok();
            assert!(meets(&Conditions { title: pattern, ..none() }, &item(title, "")), "{title}");
        }
        for (html, pattern) in [
            ("<p>The garbage\n collector runs</p>", "garbage collector"),
            ("<p>The garbage&nbsp;collector</p>", "garbage collector"),
            ("<p>Sponsored by</p>\n<p>END</p>", "^Sponsored by END$"),
            ("<table><tr><td>cell1</td><td>cell2</td></tr></table>", "cell1 cell2"),
            ("<p><span>Spon</span><span>sored</span></p>", "^Sponsored$"),
        ] {
            let pattern = Conditions { content: regex(pattern), ..none() };
            assert!(meets(&pattern, &item("", html)), "{html}");
        }
        let mut named = Item::default();
        let (name, term) = ("Cafe\u{301}\u{a0}Noir".to_owned(), "Cafe\u{301}".to_owned());
        named.details.authors = vec![Person { name, ..Person::default() }];
        named.details.categories = vec![Category { term, ..Category::default() }];
        assert!(meets(&Conditions { authors: texts(&["café noir"]), ..none() }, &named));
        assert!(meets(&Conditions { categories: texts(&["Café"]), ..none() }, &named));
    }

    #[test]
    fn conditions_test_language_and_files() {
        let speaks = |ranges: &[&str], tag: Option<&str>| {
            let conditions = Conditions { languages: texts(ranges), ..Conditions::default() };
            let language = tag.map(str::to_owned);
            meets(&conditions, &Item { language, ..Item::default() })
        };
        assert!(speaks(&["en"], Some("en-GB")) && speaks(&["EN-gb"], Some("en-GB-oxendict")));
        assert!(!speaks(&["en-US"], Some("en")) && !speaks(&["e"], Some("en")));
        assert!(speaks(&["de", "en"], Some("en")) && !speaks(&["en"], None));
        for (types, has) in [
            (&[][..], false),
            (&["image/png", ""], false),
            (&["image/png", "audio/mpeg"], true),
            (&["application/pdf"], true),
        ] {
            let mut item = Item::default();
            let file = |media_type: &&str| Enclosure {
                media_type: (*media_type).to_owned(),
                ..Enclosure::default()
            };
            item.details.enclosures = types.iter().map(file).collect();
            let wants = |has| Conditions { enclosures: Some(has), ..Conditions::default() };
            assert_eq!(meets(&wants(true), &item), has, "{types:?}");
            assert_eq!(meets(&wants(false), &item), !has, "{types:?}");
        }
    }

    #[test]
    fn conditions_test_length_and_age() {
        let item = |text: &str| Item { summary: Some(text.to_owned()), ..Item::default() };
        let least = |min| Conditions { min_words: Some(min), ..Conditions::default() };
        let most = |max| Conditions { max_words: Some(max), ..Conditions::default() };
        assert!(meets(&least(3), &item("one - two, three")), "a dash is not a word");
        assert!(!meets(&least(4), &item("one - two, three")) && meets(&least(0), &Item::default()));
        assert!(
            meets(&most(3), &item("one two three")) && !meets(&most(2), &item("one two three"))
        );
        assert!(meets(&least(3), &item("東京の天気")) && !meets(&least(4), &item("東京の天気")));
        let aged = |seconds: i64| Item { published: Some(at(-seconds)), ..Item::default() };
        let age = Some(Duration::from_secs(60));
        let young = Conditions { max_age: age, ..Conditions::default() };
        assert!(meets(&young, &aged(60)) && !meets(&young, &aged(61)));
        assert!(meets(&young, &Item::default()), "without a date it is new");
    }
}

//! The text of an item in paragraphs, and which of them are the item's own: neither quotations nor what the site adds.
//! Pure.
//!
//! HTML is walked once. The words and a digest of each paragraph are kept, so that a paragraph that turns out to be
//! boilerplate later can be left out without reading the HTML again.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::lexicon::lines;
use super::tuning::{
    BOILERPLATE_ITEMS, BOILERPLATE_SHARE, BOILERPLATE_WORDS, MAX_WORDS, NAME_WORDS, OWN_WORDS,
    SPEECH_WORDS,
};
use super::words::{Word, Words, digest_of, read};
use crate::text::html::{Edge, Piece, Tag, pieces};

/// Maximum number of words that are kept of a text: more than are compared, because some are boilerplate.
const KEPT_WORDS: usize = 2 * MAX_WORDS;

/// The text of an item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The paragraphs in order; together they have all of `words`.
    pub(super) paragraphs: Vec<Paragraph>,
    /// The words of all paragraphs, in order.
    pub(super) words: Vec<Word>,
}

/// One paragraph of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paragraph {
    /// Hash of its words.
    pub(super) digest: u64,
    /// Number of its words.
    pub(super) words: u16,
    pub(super) role: Role,
}

/// What a paragraph is to its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    /// The item's own words, as far as its markup shows.
    #[default]
    Own,
    /// Inside `blockquote`, or one direct speech: a quotation.
    Quoted,
    /// Inside `figcaption`, `aside` and the like.
    Aside,
    /// Boilerplate by itself: "Read also", the name of the firm, links only.
    Boilerplate,
    /// A plain summary in the place of a text: the item's own words, unless the feed repeats it.
    Summary,
}

impl Role {
    pub(super) const ALL: [Self; 5] =
        [Self::Own, Self::Quoted, Self::Aside, Self::Boilerplate, Self::Summary];
}

impl Text {
    /// The text of an item: its content, sanitised HTML, else its summary, plain text.
    #[must_use]
    pub fn of_item(content: Option<&str>, summary: Option<&str>) -> Self {
        Self::with_plain(content, summary).0
    }

    /// As [`Text::of_item`], also as plain text: one walk serves both.
    #[must_use]
    pub fn with_plain(content: Option<&str>, summary: Option<&str>) -> (Self, String) {
        match (content, summary) {
            (Some(content), _) => Self::read(content),
            (None, Some(summary)) => (Self::of_summary(summary), summary.to_owned()),
            (None, None) => Default::default(),
        }
    }

    /// The text of sanitised HTML.
    #[must_use]
    pub fn of_html(html: &str) -> Self {
        Self::read(html).0
    }

    /// The text of sanitised HTML, also as plain text: with a space where markup ends a word.
    fn read(html: &str) -> (Self, String) {
        let (mut text, mut plain) = (Self::default(), String::with_capacity(html.len()));
        let mut open = Open::default();
        let mut block = Block { start: 0, linked: 0 };
        for piece in pieces(html) {
            match piece {
                Piece::Text(piece) => block.add(piece, &open, &mut plain),
                Piece::Char(c) => block.add(c.encode_utf8(&mut [0; 4]), &open, &mut plain),
                Piece::Tag(tag) => {
                    if tag.breaks_words() {
                        text.close(&block, &plain[block.start..], open.role());
                        plain.push(' ');
                        block = Block { start: plain.len(), linked: 0 };
                    }
                    open.count(tag);
                }
            }
        }
        text.close(&block, &plain[block.start..], open.role());
        (text, plain)
    }

    fn of_summary(summary: &str) -> Self {
        let Words(words) = Words::of_text(summary);
        let digest = digest_of(&words);
        let paragraph = Paragraph { digest, words: words.len() as u16, role: Role::Summary };
        Self { paragraphs: vec![paragraph], words }
    }

    /// Ends a paragraph, if it has words.
    fn close(&mut self, block: &Block, text: &str, role: Role) {
        let from = self.words.len();
        // The rest of a book decides nothing.
        if from >= KEPT_WORDS {
            return;
        }
        read(text, &mut self.words);
        self.words.truncate(KEPT_WORDS);
        let words = &self.words[from..];
        if !words.is_empty() {
            let role = block.role(text, role, words.len());
            let (digest, words) = (digest_of(words), words.len() as u16);
            self.paragraphs.push(Paragraph { digest, words, role });
        }
    }

    /// The words that are the item's own: without quotations, boilerplate and asides, unless
    /// there are no others. `boilerplate` are digests of paragraphs, see [`super::boilerplate`].
    #[must_use]
    pub fn own_words(&self, boilerplate: &HashSet<u64>) -> Words {
        self.words_of(boilerplate, |_| true)
    }

    /// As [`Text::own_words`], without `boilerplate` also where there are no other words: what a feed repeats proves
    /// nothing.
    #[must_use]
    pub fn compared_words(&self, boilerplate: &HashSet<u64>) -> Words {
        self.words_of(boilerplate, |p| !boilerplate.contains(&p.digest))
    }

    /// The item's own words, of those paragraphs that are `allowed`.
    fn words_of(&self, boilerplate: &HashSet<u64>, allowed: impl Fn(&Paragraph) -> bool) -> Words {
        let clean = |p: &Paragraph| match p.role {
            Role::Summary => allowed(p),
            role => role != Role::Boilerplate && !boilerplate.contains(&p.digest),
        };
        let mut words = self.select(|p| matches!(p.role, Role::Own | Role::Summary) && clean(p));
        if words.len() < OWN_WORDS {
            words = self.select(|p| p.role != Role::Aside && clean(p));
        }
        if words.len() < OWN_WORDS {
            words = self.select(allowed);
        }
        words.truncate(MAX_WORDS);
        Words(words)
    }

    fn select(&self, wanted: impl Fn(&Paragraph) -> bool) -> Vec<Word> {
        let (mut words, mut at) = (Vec::with_capacity(self.words.len()), 0);
        for paragraph in &self.paragraphs {
            let end = (at + usize::from(paragraph.words)).min(self.words.len());
            if wanted(paragraph) {
                words.extend_from_slice(&self.words[at..end]);
            }
            at = end;
        }
        words
    }

    /// Digests of its paragraphs that may be a headline.
    pub(super) fn lines(&self) -> impl Iterator<Item = u64> + '_ {
        let headline = NAME_WORDS..=BOILERPLATE_WORDS;
        let short =
            self.paragraphs.iter().filter(move |p| headline.contains(&usize::from(p.words)));
        short.map(|p| p.digest)
    }

    /// Digests of its paragraphs.
    pub(super) fn digests(&self) -> impl Iterator<Item = u64> + '_ {
        self.paragraphs.iter().map(|p| p.digest)
    }
}

/// The paragraph that is being read.
#[derive(Debug)]
struct Block {
    /// Where it begins in the plain text.
    start: usize,
    /// Letters and digits inside links.
    linked: usize,
}

impl Block {
    fn add(&mut self, text: &str, open: &Open, plain: &mut String) {
        plain.push_str(text);
        if open.links > 0 {
            self.linked += letters(text);
        }
    }

    /// What the paragraph is, of which the markup says that it is `role`.
    fn role(&self, text: &str, role: Role, words: usize) -> Role {
        let linked = || self.linked > 0 && self.linked * 10 >= letters(text) * 9;
        let short = words <= BOILERPLATE_WORDS;
        if short && (linked() || is_boilerplate(text)) || is_about(text) {
            Role::Boilerplate
        } else if role == Role::Own && words >= SPEECH_WORDS && is_speech(text) {
            Role::Quoted
        } else {
            role
        }
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Elements that are open.
#[derive(Debug, Default)]
struct Open {
    links: usize,
    quotes: usize,
    asides: usize,
}

impl Open {
    fn role(&self) -> Role {
        match (self.quotes, self.asides) {
            (_, 1..) => Role::Aside,
            (1.., _) => Role::Quoted,
            _ => Role::Own,
        }
    }

    fn count(&mut self, tag: Tag<'_>) {
        let open = match tag.name {
            "a" => &mut self.links,
            "blockquote" => &mut self.quotes,
            "figcaption" | "aside" | "nav" | "footer" => &mut self.asides,
            _ => return,
        };
        *open = match tag.edge {
            Edge::Start => *open + 1,
            Edge::End => open.saturating_sub(1),
        };
    }
}

/// The addresses that sanitised HTML links to.
pub(super) fn links(html: &str) -> impl Iterator<Item = String> + '_ {
    html.split("href=\"").skip(1).filter_map(|rest| {
        // A serialiser of HTML writes no other reference into an address.
        rest.split_once('"').map(|(href, _)| href.replace("&amp;", "&"))
    })
}

/// The address of the picture of a text that has no other.
pub(super) fn only_picture(html: &str) -> Option<String> {
    let mut pictures = html.split("<img").skip(1).map(|rest| rest.split('>').next());
    let (picture, None) = (pictures.next()??, pictures.next()) else { return None };
    let (_, address) = picture.split_once(" src=\"")?;
    address.split_once('"').map(|(src, _)| src.replace("&amp;", "&"))
}

/// Maximum number of paragraphs of a feed that are stored.
const MOST_BOILERPLATE: usize = 256;

/// Digests of the paragraphs that at least half of these texts have.
#[must_use]
pub fn boilerplate<'t>(texts: impl Iterator<Item = &'t Text>) -> HashSet<u64> {
    let (mut counts, mut all): (HashMap<u64, usize>, usize) = (HashMap::new(), 0);
    for text in texts {
        all += 1;
        let mut digests: Vec<u64> = text.digests().collect();
        digests.sort_unstable();
        digests.dedup();
        for digest in digests {
            *counts.entry(digest).or_default() += 1;
        }
    }
    let enough = BOILERPLATE_ITEMS.max((all as f32 * BOILERPLATE_SHARE).ceil() as usize);
    let common = counts.into_iter().filter(|(_, count)| *count >= enough);
    let mut found: Vec<u64> = common.map(|(digest, _)| digest).collect();
    found.sort_unstable();
    found.truncate(MOST_BOILERPLATE);
    found.into_iter().collect()
}

/// How boilerplate begins, by the first character.
static BEGINNINGS: LazyLock<HashMap<char, Vec<&str>>> = LazyLock::new(|| {
    let mut beginnings = HashMap::<_, Vec<_>>::new();
    for line in lines(include_str!("data/boilerplate.txt")) {
        beginnings.entry(line.chars().next().unwrap_or_default()).or_default().push(line);
    }
    beginnings
});
/// Length in characters of the longest of them.
const LONGEST_BEGINNING: usize = 32;

fn is_boilerplate(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '©');
    let Some(first) = text.chars().flat_map(char::to_lowercase).next() else { return false };
    let Some(known) = BEGINNINGS.get(&first) else { return false };
    let beginning = text.chars().take(LONGEST_BEGINNING);
    let beginning: String = beginning.flat_map(char::to_lowercase).collect();
    known.iter().any(|start| {
        let rest = beginning.strip_prefix(start);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// Whether a paragraph is one long direct speech, which is a quotation too.
fn is_speech(text: &str) -> bool {
    let opens = |c: char| matches!(c, '"' | '“' | '„' | '«' | '”');
    let closes = |c: char| matches!(c, '"' | '“' | '”' | '»');
    let text = text.trim();
    text.starts_with(opens) && text.ends_with(closes)
}

/// How the law has firms begin what they put under everything, however long.
const LEGAL: &[&str] = &[
    "This release contains",
    "This press release contains",
    "This news release contains",
    "Forward-looking",
];

/// The paragraph that a firm puts under everything: "About Lumora: Lumora makes …".
fn is_about(text: &str) -> bool {
    let text = text.trim_start();
    if LEGAL.iter().any(|start| text.starts_with(start)) {
        return true;
    }
    let Some(rest) = text.strip_prefix("About ") else { return false };
    let head = rest.char_indices().nth(34).map_or(rest, |(at, _)| &rest[..at]);
    head.starts_with(char::is_uppercase) && head.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(html: &str) -> Words {
        Text::of_html(html).own_words(&HashSet::new())
    }

    fn same(a: &str, b: &str) -> bool {
        words(a).digest() == words(b).digest()
    }

    #[test]
    fn markup_case_and_quotation_marks_change_no_word() {
        assert!(same("<p>It’s <b>Ca</b>fé time</p>", "IT'S CAFE\u{301} time!"));
        assert!(!same("one two", "two one"));
        assert!(same("<p>a</p><p>b</p>", "a b"));
    }

    #[test]
    fn no_more_words_are_kept_of_a_book_than_decide() {
        let book = "word ".repeat(50_000);
        let paragraphs = "<p>one two three</p>".repeat(20_000);
        let texts = [Text::of_html(&format!("<p>{book}</p>")), Text::of_html(&paragraphs)];
        for text in texts {
            assert_eq!(text.words.len(), KEPT_WORDS);
            let counted: usize = text.paragraphs.iter().map(|p| usize::from(p.words)).sum();
            assert_eq!(counted, KEPT_WORDS);
        }
        assert_eq!(Text::of_item(None, Some(&book)).words.len(), MAX_WORDS);
    }

    #[test]
    fn boilerplate_is_left_out() {
        let story = "<p>The harbour of Onverwacht was closed on Sunday after a barge sank.</p>";
        let page = format!(
            "<figure><figcaption>The harbour.</figcaption></figure>{story}<p>Read also: <a href=x>Ten \
             barges that sank</a></p><ul><li><a href=y>More barges</a></li></ul>"
        );
        assert_eq!(words(&page), words(story));
        let notice = "<p>We publish every day, come back tomorrow for more of it.</p>";
        let with_notice = Text::of_html(&format!("{notice}{story}"));
        let known = Text::of_html(notice).digests().collect();
        assert_eq!(with_notice.own_words(&known), words(story), "learnt after the text was read");
        assert_ne!(with_notice.own_words(&HashSet::new()), words(story));
    }

    #[test]
    fn a_quotation_is_not_the_items_own_text_unless_there_is_no_other() {
        let quote =
            "<blockquote><p>To be or not to be, that is the question here.</p></blockquote>";
        let own = "<p>I never understood what he was waiting for, really.</p>";
        assert_eq!(words(&format!("{own}{quote}")), words(own));
        assert_eq!(words(quote).0.len(), 11);
    }

    #[test]
    fn what_half_of_the_items_have_is_boilerplate() {
        let texts: Vec<Text> = (0..6)
            .map(|n| format!("<p>Story number {n} of the day.</p><p>We need your help.</p>"))
            .map(|html| Text::of_html(&html))
            .collect();
        let notice = Text::of_html("<p>We need your help.</p>");
        assert_eq!(boilerplate(texts.iter()), notice.digests().collect());
    }

    #[test]
    fn a_text_that_every_item_has_is_not_compared() {
        let notice = "Please accept cookies to continue reading this article on our site.";
        let html = |_| Text::of_html(&format!("<p>{notice}</p>"));
        let summary = |_| Text::of_item(None, Some(notice));
        for texts in [(0..4).map(html).collect::<Vec<_>>(), (0..4).map(summary).collect()] {
            let learnt = boilerplate(texts.iter());
            assert_eq!(texts[0].compared_words(&learnt), Words::default());
            assert_eq!(texts[0].own_words(&learnt).0.len(), 11, "an edit of it still shows");
        }
    }

    #[test]
    fn two_items_prove_nothing() {
        let text = Text::of_html("<p>a b c</p>");
        assert!(boilerplate([&text; 2].into_iter()).is_empty());
    }
}

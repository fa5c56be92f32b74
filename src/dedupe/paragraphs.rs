//! The paragraphs of an item's text, and which of them are the item's own: not a quotation, not what the
//! site puts around and between. Pure.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::tuning::{FURNITURE_WORDS, MAX_WORDS, SPEECH_WORDS};
use super::words::{Word, Words, digest_of, lines, read};
use crate::model::markup::{Edge, Piece, Tag, pieces};

/// A paragraph and what its markup says of it.
#[derive(Debug, Default)]
struct Block {
    text: String,
    /// Characters of it, and those of them inside links.
    length: usize,
    linked: usize,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Role {
    #[default]
    Own,
    /// Inside `blockquote`: somebody else's words.
    Quoted,
    /// Inside `figcaption`, `aside` and the like.
    Beside,
}

/// One in a text: its words and what it is.
struct Paragraph {
    words: Vec<Word>,
    digest: u64,
    role: Role,
    furniture: bool,
}

impl Words {
    /// The words of an item: of its content, sanitised HTML, else of its summary, plain text.
    #[must_use]
    pub fn of_item(content: Option<&str>, summary: Option<&str>, site: &HashSet<u64>) -> Self {
        match (content, summary) {
            (Some(content), _) => Self::of_html(content, site),
            (None, Some(summary)) => Self::of_text(summary),
            (None, None) => Self::default(),
        }
    }

    /// The words of sanitised HTML. `site` are digests of paragraphs that belong to the site, see
    /// [`super::furniture`].
    #[must_use]
    pub fn of_html(html: &str, site: &HashSet<u64>) -> Self {
        let paragraphs: Vec<Paragraph> = paragraphs(html).collect();
        // Somebody else's words and the site's are left out, unless there are no others.
        let levels: [fn(&Paragraph, &HashSet<u64>) -> bool; 3] = [
            |p, site| p.role == Role::Own && !p.furniture && !site.contains(&p.digest),
            |p, site| p.role != Role::Beside && !p.furniture && !site.contains(&p.digest),
            |_, _| true,
        ];
        let mut words = Vec::new();
        for kept in levels {
            let kept = paragraphs.iter().filter(|paragraph| kept(paragraph, site));
            words = kept.flat_map(|paragraph| paragraph.words.iter().copied()).collect();
            if words.len() >= 8 {
                break;
            }
        }
        words.truncate(MAX_WORDS);
        Self(words)
    }
}

/// Digests of the paragraphs of sanitised HTML, each once.
#[must_use]
pub fn paragraph_digests(html: &str) -> HashSet<u64> {
    paragraphs(html).map(|paragraph| paragraph.digest).collect()
}

/// The addresses that sanitised HTML links to.
pub fn links(html: &str) -> impl Iterator<Item = String> + '_ {
    html.split("href=\"").skip(1).filter_map(|rest| {
        // A serialiser of HTML writes no other reference into an address.
        rest.split_once('"').map(|(href, _)| href.replace("&amp;", "&"))
    })
}

fn paragraphs(html: &str) -> impl Iterator<Item = Paragraph> {
    let blocks = blocks(html).into_iter();
    blocks.filter_map(|block| {
        let mut words = Vec::new();
        read(&block.text, &mut words);
        let digest = digest_of(&words);
        let short = words.len() <= FURNITURE_WORDS;
        let linked = block.linked * 10 >= block.length * 9;
        let furniture = short && (linked || is_furniture(&block.text)) || is_about(&block.text);
        let speech =
            block.role == Role::Own && words.len() >= SPEECH_WORDS && is_speech(&block.text);
        let role = if speech { Role::Quoted } else { block.role };
        (!words.is_empty()).then_some(Paragraph { words, digest, role, furniture })
    })
}

fn blocks(html: &str) -> Vec<Block> {
    let (mut blocks, mut block) = (Vec::new(), Block::default());
    let (mut links, mut quotes, mut beside) = (0_usize, 0_usize, 0_usize);
    let add = |block: &mut Block, text: &str, links: usize| {
        block.text.push_str(text);
        let length = text.chars().filter(|c| c.is_alphanumeric()).count();
        block.length += length;
        block.linked += if links > 0 { length } else { 0 };
    };
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => add(&mut block, text, links),
            Piece::Char(c) => add(&mut block, c.encode_utf8(&mut [0; 4]), links),
            Piece::Tag(tag) => {
                if tag.breaks_words() {
                    let role = match (quotes, beside) {
                        (_, 1..) => Role::Beside,
                        (1.., _) => Role::Quoted,
                        _ => Role::Own,
                    };
                    blocks.push(Block { role, ..std::mem::take(&mut block) });
                }
                count(&mut links, tag, &["a"]);
                count(&mut quotes, tag, &["blockquote"]);
                count(&mut beside, tag, &["figcaption", "aside", "nav", "footer"]);
            }
        }
    }
    blocks.push(block);
    blocks
}

/// How many of these elements are open after the tag.
fn count(open: &mut usize, tag: Tag<'_>, names: &[&str]) {
    if names.contains(&tag.name) {
        *open = match tag.edge {
            Edge::Start => *open + 1,
            Edge::End => open.saturating_sub(1),
        };
    }
}

static FURNITURE: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/furniture.txt")));
fn is_furniture(text: &str) -> bool {
    let beginning: String = text.trim_start().chars().take(32).collect::<String>().to_lowercase();
    let beginning = beginning.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '©');
    FURNITURE.iter().any(|start| {
        let rest = beginning.strip_prefix(start);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// A paragraph that is one long direct speech is somebody else's words, too.
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
    let head = text.char_indices().nth(40).map_or(text, |(at, _)| &text[..at]);
    head.strip_prefix("About ")
        .is_some_and(|name| name.starts_with(char::is_uppercase) && name.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(html: &str) -> Words {
        Words::of_html(html, &HashSet::new())
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
    fn what_belongs_to_the_site_is_left_out() {
        let story = "<p>The harbour of Onverwacht was closed on Sunday after a barge sank.</p>";
        let page = format!(
            "<figure><figcaption>The harbour.</figcaption></figure>{story}<p>Read also: <a href=x>Ten \
             barges that sank</a></p><ul><li><a href=y>More barges</a></li></ul>"
        );
        assert_eq!(words(&page), words(story));
        let digest = paragraph_digests(story).into_iter().next().unwrap();
        let with_footer =
            format!("<p>We publish every day, come back tomorrow for more of it.</p>{story}");
        let site = HashSet::from([digest]);
        assert_ne!(Words::of_html(&with_footer, &site), words(&with_footer));
    }

    #[test]
    fn a_quotation_is_somebody_elses_words_unless_there_are_no_others() {
        let quote =
            "<blockquote><p>To be or not to be, that is the question here.</p></blockquote>";
        let own = "<p>I never understood what he was waiting for, really.</p>";
        assert_eq!(words(&format!("{own}{quote}")), words(own));
        assert_eq!(words(quote).0.len(), 11);
    }
}

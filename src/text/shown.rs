//! What a fragment of HTML that `normalise` wrote shows, as plain text for excerpts and titles. For comparison and search
//! there is [`super::html::to_text`], whose results are stored and must not change.

use super::html::{Edge, Piece, Tag, attribute, pieces, unescaped};

/// The text of a fragment: without what is struck out, if there is other text, and without references to footnotes. Blocks
/// are separated by a space.
#[must_use]
pub fn shown_text(html: &str) -> String {
    let without_deleted = Reading::of(html, Deleted::Dropped).text;
    if !without_deleted.is_empty() {
        return without_deleted;
    }
    Reading::of(html, Deleted::Kept).text
}

/// The descriptions of the pictures of a fragment, without the names of files.
#[must_use]
pub fn descriptions(html: &str) -> String {
    let images = pieces(html).filter_map(|piece| match piece {
        Piece::Tag(tag) if tag.name == "img" => attribute(tag.source, "alt"),
        _ => None,
    });
    let is_file = |alt: &&str| {
        let extension = alt.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let kinds = ["avif", "gif", "jpeg", "jpg", "png", "svg", "webp"];
        !alt.contains(' ') && extension.is_some_and(|it| kinds.contains(&&*it))
    };
    let described: Vec<_> = images
        .map(str::trim)
        .filter(|alt| !alt.is_empty() && !is_file(alt))
        .map(unescaped)
        .collect();
    described.join(" ")
}

/// What is done with text that is struck out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deleted {
    Dropped,
    Kept,
}

/// What separates two characters, by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Gap {
    #[default]
    None,
    /// One link ends, and the next begins.
    Link,
    Space,
    /// White space with a line break of the source.
    Line,
    /// The edge of a block.
    Block,
}

/// A `<sup>` or `<sub>` that is open.
struct Script {
    /// Where its text begins, and what is before it.
    begins: usize,
    gap: Gap,
    /// Whether a part of its text is a link to a place of a page, and whether another part is not.
    has_link: bool,
    has_other: bool,
}

/// A link that is open, or the last one.
struct Link<'h> {
    url: &'h str,
    /// Where its text begins and ends.
    begins: usize,
    ends: Option<usize>,
}

struct Reading<'h> {
    text: String,
    gap: Gap,
    deleted: Deleted,
    /// Number of open elements whose text is struck out.
    struck: usize,
    /// The open element whose content is not shown.
    hidden: Option<&'h str>,
    is_verbatim: bool,
    is_in_reading: bool,
    script: Option<Script>,
    link: Option<Link<'h>>,
}

impl<'h> Reading<'h> {
    fn of(html: &'h str, deleted: Deleted) -> Self {
        let mut reading = Self {
            text: String::with_capacity(html.len()),
            gap: Gap::None,
            deleted,
            struck: 0,
            hidden: None,
            is_verbatim: false,
            is_in_reading: false,
            script: None,
            link: None,
        };
        for piece in pieces(html) {
            match piece {
                Piece::Tag(tag) => reading.tag(&tag),
                _ if reading.hidden.is_some() || reading.struck > 0 => {}
                Piece::Text(text) => reading.push(text),
                Piece::Char(c) => reading.push(c.encode_utf8(&mut [0; 4])),
            }
        }
        reading
    }

    fn push(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let is_space = |c: char| c.is_ascii_whitespace();
            let word = rest.find(is_space).unwrap_or(rest.len());
            self.word(&rest[..word]);
            let behind = rest[word..].trim_start_matches(is_space);
            let space = &rest[word..rest.len() - behind.len()];
            let gap = match space.contains('\n') {
                true if self.is_verbatim => Gap::Block,
                true => Gap::Line,
                false if space.is_empty() => Gap::None,
                false => Gap::Space,
            };
            self.gap = self.gap.max(gap);
            rest = behind;
        }
    }

    fn word(&mut self, word: &str) {
        let Some(first) = word.chars().next() else { return };
        self.fill(first);
        let of_link =
            self.link.as_ref().filter(|link| link.ends.is_none() && link.url.contains('#'));
        if let Some(script) = &mut self.script {
            let is_link = of_link.is_some_and(|link| link.begins >= script.begins);
            script.has_link |= is_link;
            script.has_other |= !is_link && word.contains(char::is_alphanumeric);
        }
        self.text.push_str(word);
    }

    /// Adds the space between the text and what follows.
    fn fill(&mut self, next: char) {
        let gap = std::mem::take(&mut self.gap);
        let Some(last) = self.text.chars().next_back() else { return };
        let is_space = match gap {
            Gap::None => false,
            Gap::Link => last.is_alphanumeric() && (next.is_alphanumeric() || "#@".contains(next)),
            Gap::Line => !breaks_no_words(last, next),
            Gap::Space | Gap::Block => true,
        };
        if is_space && last != ' ' {
            self.text.push(' ');
        }
    }

    fn tag(&mut self, tag: &Tag<'h>) {
        let is_start = tag.edge == Edge::Start;
        match tag.name {
            // Only shown by browsers without players, or without ruby.
            "audio" | "video" | "rp" => {
                self.hidden = is_start.then_some(tag.name);
                self.gap = self.gap.max(if tag.name == "rp" { Gap::None } else { Gap::Block });
            }
            "del" | "s" if self.deleted == Deleted::Dropped => {
                self.struck =
                    if is_start { self.struck + 1 } else { self.struck.saturating_sub(1) };
            }
            _ if self.hidden.is_some() || self.struck > 0 => {
                if tag.breaks_words() {
                    self.gap = Gap::Block;
                }
            }
            "sup" | "sub" if is_start => self.begin_script(),
            "sup" | "sub" => self.end_script(tag.name),
            "a" if is_start => self.begin_link(attribute(tag.source, "href").unwrap_or_default()),
            "a" => {
                let length = self.text.len();
                if let Some(link) = &mut self.link {
                    link.ends = Some(length);
                }
            }
            "q" => self.push(if is_start { "“" } else { "”" }),
            "rt" if is_start => {
                self.end_reading();
                self.push("(");
                self.is_in_reading = true;
            }
            "rt" | "ruby" => self.end_reading(),
            _ => {
                self.is_verbatim = if tag.name == "pre" { is_start } else { self.is_verbatim };
                if tag.breaks_words() {
                    self.gap = Gap::Block;
                }
            }
        }
    }

    fn begin_link(&mut self, url: &'h str) {
        let ends = self.link.as_ref().filter(|last| last.url != url).and_then(|last| last.ends);
        if ends == Some(self.text.len()) {
            self.gap = self.gap.max(Gap::Link);
        }
        self.link = Some(Link { url, begins: self.text.len(), ends: None });
    }

    fn begin_script(&mut self) {
        let (begins, gap) = (self.text.len(), self.gap);
        self.script = Some(Script { begins, gap, has_link: false, has_other: false });
    }

    fn end_script(&mut self, name: &str) {
        let Some(Script { begins, gap, has_link, has_other }) = self.script.take() else { return };
        let text = self.text.split_off(begins);
        if name == "sup" && has_link && !has_other {
            // The reference is gone, and so is the edge of its link.
            self.gap = if gap == Gap::Link { Gap::None } else { gap }.max(self.gap);
            return;
        }
        let word = text.trim_start();
        self.text.push_str(&text[..text.len() - word.len()]);
        let word = script(&self.text, name, word);
        self.text.push_str(&word);
    }

    fn end_reading(&mut self) {
        if std::mem::take(&mut self.is_in_reading) {
            self.push(")");
        }
    }
}

/// The text of a `<sup>` or `<sub>` beside its base. What would be read as part of a number or a word gets a form of its
/// own: 10⁶ is not 106, nor is 10₂ 102. Ordinals (2nd), abbreviations (Mme) and formulas of chemistry (CO2) stay as they are.
#[must_use]
pub fn script(base: &str, name: &str, text: &str) -> String {
    let is_sign = |c: char| "+-−*/=·".contains(c);
    let short = text.trim();
    let last = |text: &str| text.chars().next_back();
    let joined = last(base).is_some_and(|c| c.is_alphanumeric() || ")]".contains(c));
    let raised: Option<String> = short.chars().map(superscript).collect();
    // Behind a digit it would be another number: the base of a logarithm or of a numeral.
    if name == "sub"
        && last(base).is_some_and(|c| c.is_ascii_digit())
        && let Some(lowered) = short.chars().map(subscript).collect::<Option<String>>()
    {
        return text.replace(short, &lowered);
    }
    match (name, raised) {
        ("sup", Some(raised)) if !short.is_empty() => text.replace(short, &raised),
        _ if !joined => text.to_owned(),
        (_, _)
            if short.contains(is_sign)
                && short
                    .chars()
                    .all(|c| c.is_alphanumeric() || is_sign(c) || " ()".contains(c)) =>
        {
            format!("{}({short})", if name == "sup" { '^' } else { '_' })
        }
        ("sup", _) if is_power(base, short) => format!("^{short}"),
        _ => text.to_owned(),
    }
}

/// Whether a letter is an exponent: it is one that no ordinal and no abbreviation ends with, beside one letter or a number.
fn is_power(base: &str, letter: &str) -> bool {
    matches!(letter, "i" | "j" | "k" | "m" | "n" | "p" | "q" | "x" | "y" | "z") && {
        // Long words and numbers have no exponent.
        let mut word = base.chars().rev().take(12).take_while(|c| c.is_alphanumeric());
        word.clone().count() == 1 || word.all(|c| c.is_ascii_digit())
    }
}

/// The form of a digit or sign that Unicode has for exponents; commas and spaces separate notes.
fn superscript(c: char) -> Option<char> {
    Some(match c {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' | '4'..='9' => char::from_u32(0x2070 + c.to_digit(10)?)?,
        '+' => '⁺',
        '-' | '−' | '–' => '⁻',
        '=' => '⁼',
        '(' => '⁽',
        ')' => '⁾',
        ',' | ' ' => c,
        _ => return None,
    })
}

/// The form of a digit for an index.
fn subscript(c: char) -> Option<char> {
    char::from_u32(0x2080 + c.to_digit(10)?)
}

/// Whether a line break in the source between two characters shows nothing, because neither of their scripts has spaces
/// between words (CSS Text 3, 4.1.3): Chinese and Japanese, not Korean.
#[must_use]
pub fn breaks_no_words(before: char, after: char) -> bool {
    is_ideographic(before) && is_ideographic(after)
}

fn is_ideographic(c: char) -> bool {
    matches!(
        c,
        '\u{2e80}'..='\u{312f}'
            | '\u{3190}'..='\u{a4cf}'
            | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe4f}'
            | '\u{ff01}'..='\u{ff9f}'
            | '\u{20000}'..='\u{3fffd}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_shown(cases: &[(&str, &str)]) {
        for (html, text) in cases {
            assert_eq!(shown_text(html), *text, "{html}");
        }
    }

    #[test]
    fn an_excerpt_does_not_change_numbers() {
        assert_shown(&[
            ("<p>10<sup>6</sup> t, 10<sup>-9</sup> m</p>", "10⁶ t, 10⁻⁹ m"),
            ("1<sup>1</sup>⁄<sub>2</sub> cups", "1¹⁄2 cups"),
            ("10<sub>2</sub> is 2<sub>10</sub>, H2<sub>g</sub>", "10₂ is 2₁₀, H2g"),
            ("2<sup>nd</sup>, CO<sub>2</sub>, x<sub>i+1</sub>", "2nd, CO2, x_(i+1)"),
            ("<del>100</del><ins>80</ins> euros", "80 euros"),
            ("<p>word <s>old <b>x</b></s>new</p>", "word new"),
            ("<p><s>all</s></p>", "all"),
            ("a <sup>2</sup>b", "a ²b"),
        ]);
    }

    #[test]
    fn a_reference_to_a_footnote_is_no_part_of_an_excerpt() {
        assert_shown(&[
            (
                "1925<sup><a href=\"#fn:1\">1</a></sup> and <a href=\"#n\"><sup>[2]</sup></a>so",
                "1925 and so",
            ),
            ("word<sup>[<a href=\"#a\">1</a>, <a href=\"#b\">2</a>]</sup>.", "word."),
            ("<a href=\"x\">link</a><a href=\"https://a.test/b#n\"><sup>1</sup></a>.", "link."),
            ("of 2026 <sup><a href=\"#a\">1</a></sup> on", "of 2026 on"),
            ("<a href=\"#s\">10<sup>6</sup> reasons</a>", "10⁶ reasons"),
            ("10<sup><a href=\"https://a.test/6\">6</a></sup>", "10⁶"),
            ("word<sup>1</sup>", "word¹"),
            ("see<sup>note <a href=\"#a\">1</a></sup>", "seenote 1"),
        ]);
    }

    #[test]
    fn adjacent_links_are_two_words() {
        assert_shown(&[
            ("<a href=\"a\">gulls</a><a href=\"b\">harbours</a>", "gulls harbours"),
            ("<a href=\"a\">#gulls</a><a href=\"b\">#ports</a>", "#gulls #ports"),
            ("<a href=\"a\">har</a><a href=\"a\">bour</a>", "harbour"),
            ("<a href=\"a\">a</a>b <a href=\"c\">c</a>, <a href=\"d\">d</a>", "ab c, d"),
            ("(<a href=\"a\">a</a><a href=\"b\">)</a>", "(a)"),
        ]);
    }

    #[test]
    fn readings_quotations_and_blocks_are_as_a_browser_shows_them() {
        assert_shown(&[
            ("<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>は", "東京(とうきょう)は"),
            ("<q>yes</q> &amp; <i>n</i>o", "“yes” & no"),
            ("<p>one</p>\n<p>two<br>three</p><ul><li>a</li><li>b</li></ul>", "one two three a b"),
            ("a<video controls=\"\">No films.</video>b", "a b"),
            ("<p>今日は\n天気</p>\n<p>雨</p><pre>一\n二</pre>", "今日は天気 雨 一 二"),
            ("a\nb 한\n글 日\nx", "a b 한 글 日 x"),
        ]);
    }

    #[test]
    fn the_descriptions_of_pictures_are_not_names_of_files() {
        let html = "<img src=\"a\" alt=\"A &amp; B.\"><p>x</p><img alt=\"IMG_12.JPG\"><img src=\"c\"><img alt=\"c\">";
        assert_eq!(descriptions(html), "A & B. c");
        assert_eq!(shown_text("<img alt=\"a\" src=\"b\">"), "");
    }
}

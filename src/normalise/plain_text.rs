//! Plain text: the visible text of HTML, and titles, names and summaries as lines of limited length.
//!
//! The results are not HTML and must be escaped in HTML.

use super::display::{Ends, Hiding, Skipped, hides_content};
use super::embedded::emoji;
use super::limits::readable;
use super::math::{self, Formula, Formulas};
use super::tokens::{self, Sink, Tag};
use super::writer::is_void;
use crate::text::bidi::{self, balanced};
use crate::text::chars::{self, boundary_before, clean, is_invisible};
use crate::text::shown::{breaks_no_words, script};

/// Maximum size in bytes of an HTML field, without what is not shown anyway. The rest is ignored, because ammonia takes
/// quadratic time on hostile input.
pub(super) const MAX_HTML: usize = crate::model::Text::MAX;

/// The visible text of an HTML fragment, with a line break between blocks, or else its `alt` texts. What browsers hide is
/// its text if there is no other.
///
/// Reads at most 256 KiB.
#[must_use]
pub fn text_of_html(html: &str) -> String {
    let html = &*readable(html).html;
    if !html.contains(['<', '&', '\n']) {
        return one_line(html);
    }
    let formulas = Formulas::of(html);
    let read = |hiding| {
        let mut reading = tokens::read(html, || Reading { formulas, hiding, ..Reading::default() });
        reading.end_formula();
        reading
    };
    let mut reading = read(Hiding::Dropped);
    if reading.has_hidden && is_blank(&reading.text) && is_blank(&reading.alt) {
        reading = read(Hiding::Shown);
    }
    let Reading { text, alt, .. } = reading;
    let text = text.trim();
    if is_blank(text) { one_line(&alt) } else { text.to_owned() }
}

/// The first [`MAX_HTML`] bytes of the HTML, cut between two characters.
pub(super) fn head(html: &str) -> &str {
    if html.len() <= MAX_HTML {
        return html;
    }
    let end = (0..=MAX_HTML).rev().find(|at| html.is_char_boundary(*at)).unwrap_or(0);
    &html[..end]
}

#[derive(Default)]
struct Reading {
    text: String,
    alt: String,
    /// The open element whose content is not shown.
    hidden: Option<Skipped>,
    hiding: Hiding,
    /// Whether content was dropped that browsers do not show.
    has_hidden: bool,
    /// The formulas of the fragment, whose twins are hidden from screen readers.
    formulas: Formulas,
    /// Number of open elements inside such a twin, with itself; its name.
    twin: Option<(String, usize)>,
    /// The formula whose end tag was not read yet.
    formula: Option<Formula>,
    /// Number of open `<pre>` elements.
    verbatim: usize,
    /// Where the text of an open `<sup>` or `<sub>` begins.
    script: Option<usize>,
    /// Whether the text is that of an `<rt>`.
    is_in_reading: bool,
    /// Where the space of a line break in the source ends, if the text ends with it.
    line: Option<usize>,
    /// Where a deleted text ends.
    deleted: Option<usize>,
}

impl Sink for Reading {
    fn text(&mut self, characters: &str) {
        if self.hidden.is_some() || self.twin.is_some() {
            return;
        }
        if let Some(formula) = &mut self.formula {
            return formula.text(characters);
        }
        self.formulas.pass(characters);
        self.push(characters);
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let name = &*tag.name;
        if let Some(hidden) = &mut self.hidden {
            let (ended, itself) = hidden.ended_by(tag);
            if !ended {
                return false;
            }
            self.hidden = None;
            if itself {
                return false;
            }
        }
        if !self.is_shown(tag) {
            return false;
        }
        if self.hides(tag) {
            self.has_hidden = true;
            self.hidden = Some(Skipped::new(name, Ends::Content));
            return true;
        }
        match (name, tag.end) {
            ("td" | "th", _) => self.push(" "),
            ("pre", false) => self.verbatim += 1,
            ("pre", true) => self.verbatim = self.verbatim.saturating_sub(1),
            ("img", false) => match emoji(tag) {
                Some(emoji) => self.push(&emoji),
                None => {
                    self.alt.push_str(tag.attribute("alt").unwrap_or_default());
                    self.alt.push(' ');
                }
            },
            _ => self.signs(name, tag.end),
        }
        if is_block(name) || name == "br" {
            self.script = None;
            self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
            // Nested blocks are separated by one line break.
            let most = if name == "br" { "\n\n" } else { "\n" };
            if !self.text.is_empty() && !self.text.ends_with(most) {
                self.text.push('\n');
            }
        }
        // HTML 4.8.8, 4.5.13: the text in a player is for browsers without players, that in <rp> for those without ruby.
        let is_hidden = is_hidden(name) || matches!(name, "audio" | "video" | "rp");
        if !tag.end && is_hidden && !tag.self_closing {
            self.hidden = Some(Skipped::new(name, Ends::Common));
        }
        !tag.end
    }
}

impl Reading {
    /// Adds visible text.
    fn push(&mut self, characters: &str) {
        let characters = chars::clean(characters);
        if self.verbatim > 0 {
            return self.text.push_str(&characters);
        }
        let mut rest = &*characters;
        while !rest.is_empty() {
            let word = rest.find([' ', '\t', '\n']).unwrap_or(rest.len());
            self.word(&rest[..word]);
            rest = &rest[word..];
            let behind = rest.trim_start_matches([' ', '\t', '\n']);
            self.space(&rest[..rest.len() - behind.len()]);
            rest = behind;
        }
    }

    fn word(&mut self, word: &str) {
        let Some(first) = word.chars().next() else { return };
        let joins = |before: &str| {
            before.chars().next_back().is_some_and(|last| breaks_no_words(last, first))
        };
        if self.line == Some(self.text.len()) && self.text.strip_suffix(' ').is_some_and(joins) {
            self.text.pop();
        }
        self.text.push_str(word);
    }

    fn space(&mut self, space: &str) {
        if space.is_empty() {
            return;
        }
        let is_line = space.contains('\n') || self.line == Some(self.text.len());
        if !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
            self.line = is_line.then_some(self.text.len());
        } else if is_line && self.text.ends_with(' ') {
            self.line = Some(self.text.len());
        }
    }

    /// Adds the signs that a browser shows around and in an element.
    fn signs(&mut self, name: &str, is_end: bool) {
        match (name, is_end) {
            ("q", false) => self.push("“"),
            ("q", true) => self.push("”"),
            ("del" | "s" | "strike", true) => self.deleted = Some(self.text.len()),
            // Not one number of the old and the new one.
            ("ins", false) if self.deleted == Some(self.text.len()) => self.push(" "),
            ("sup" | "sub", false) => self.script = Some(self.text.len()),
            ("sup" | "sub", true) => {
                let begin = self.script.take().filter(|at| self.text.is_char_boundary(*at));
                if let Some(at) = begin {
                    let text = self.text.split_off(at);
                    let text = script(&self.text, name, &text);
                    self.text.push_str(&text);
                }
            }
            // Readings of characters; browsers hide <rp>, which has brackets for others.
            ("rt", false) => {
                self.end_reading();
                self.push("(");
                self.is_in_reading = true;
            }
            ("rt" | "ruby", true) | ("rb" | "rp" | "rtc", false) => self.end_reading(),
            _ => {}
        }
    }

    fn end_reading(&mut self) {
        if std::mem::take(&mut self.is_in_reading) {
            self.push(")");
        }
    }

    /// Whether a tag begins what browsers do not show. What is hidden of a formula is its text.
    fn hides(&self, tag: &Tag<'_>) -> bool {
        self.hiding == Hiding::Dropped
            && !self.formulas.exist
            && !tag.end
            && !is_void(&tag.name)
            && !tag.self_closing
            && hides_content(tag)
    }

    /// Whether a tag is outside of formulas and their twins.
    fn is_shown(&mut self, tag: &Tag<'_>) -> bool {
        if let Some((name, open)) = &mut self.twin {
            match *tag.name == **name {
                true if tag.end => *open -= 1,
                true => *open += usize::from(!tag.self_closing),
                false => {}
            }
            let broken = is_block(&tag.name) && !is_block(name);
            if *open == 0 || broken {
                self.twin = None;
            }
            return broken;
        }
        if let Some(formula) = &mut self.formula {
            let breaks = breaks_out(&tag.name);
            if breaks || formula.tag(tag) {
                self.end_formula();
            }
            return breaks;
        }
        if tag.end || !self.formulas.exist {
            return true;
        }
        self.formula = self.formulas.begun_by(tag);
        if self.formula.is_some() || math::is_math(&tag.name) {
            return false;
        }
        let hidden = math::is_twin(tag);
        let void = matches!(&*tag.name, "img" | "input" | "embed" | "source" | "br" | "hr" | "wbr");
        if hidden && !void && !tag.self_closing {
            self.twin = Some((tag.name.clone().into_owned(), 1));
        }
        !hidden
    }

    fn end_formula(&mut self) {
        if let Some(formula) = self.formula.take() {
            let text = self.formulas.end(formula);
            self.push(&text);
        }
    }
}

/// Whether the content of an element is not shown.
pub(super) fn is_hidden(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "title"
            | "textarea"
            | "iframe"
            | "noembed"
            | "noframes"
            | "svg"
            | "select"
            | "datalist"
            | "annotation"
            | "annotation-xml"
    )
}

/// Whether an element is a block, which begins on a new line.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "footer"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tr"
            | "ul"
    )
}

/// Whether a tag closes an open foreign or hidden element, HTML 13.2.6.5.
pub(super) fn breaks_out(name: &str) -> bool {
    is_block(name) || matches!(name, "b" | "br" | "code" | "em" | "i" | "img" | "span" | "strong")
}

/// Maximum length of a title in characters.
pub(super) const TITLE: usize = 500;
/// Maximum length of a summary in characters.
pub(super) const SUMMARY: usize = 1_000;
/// Maximum length of a name, category or file title in characters.
pub(super) const NAME: usize = 200;

/// Whether a text has no visible character.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// The text as one line of at most `max` characters with balanced text direction; `None` if it is blank.
pub(super) fn line(text: &str, max: usize) -> Option<String> {
    if is_blank(text) {
        return None;
    }
    let whole = balanced(one_line(text));
    match cut(&whole, max) {
        Some(cut) => Some(cut.replace(bidi::is_control, "")),
        None => Some(whole),
    }
}

/// Whether [`line`] cuts the text.
pub(super) fn is_cut(text: &str, max: usize) -> bool {
    text.len() > max && !is_blank(text) && cut(&balanced(one_line(text)), max).is_some()
}

/// Collapses and trims white space. A single no-break space is kept, because it is typography.
pub(super) fn one_line(text: &str) -> String {
    let glue = |c| matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}');
    let text = clean(text);
    let mut line = String::with_capacity(text.len());
    if text.is_ascii() {
        for word in text.split_ascii_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        return line;
    }
    for word in text.split(|c: char| c.is_whitespace() && !glue(c)) {
        let word = word.trim();
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

/// The start of a text longer than `max` characters, with an ellipsis, cut after a word if possible.
fn cut(text: &str, max: usize) -> Option<String> {
    if text.len() <= max {
        return None;
    }
    let (end, _) = text.char_indices().nth(max)?;
    // The ellipsis takes one character.
    let end = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    let end = boundary_before(text, end);
    let kept = &text[..end];
    let word = kept.rfind(char::is_whitespace).filter(|at| *at > end - end / 5).unwrap_or(end);
    Some(format!("{}…", kept[..word].trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_html_is_its_visible_text() {
        for (html, text) in [
            ("AT&amp;T &lt;b&gt; &euro;&#8217;", "AT&T <b> €’"),
            ("&amp;amp;", "&amp;"),
            ("a <b>bold</b>\n  word", "a bold word"),
            ("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
            ("<div><div><p>a</p></div></div><ul><li>b<li>c</ul>", "a\nb\nc"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
            ("<pre>a\n  b</pre>", "a\n  b"),
            ("a<script>x<b>y</script>b<style>z</style>c<!-- d -->", "abc"),
            ("a<svg><title>t</title><text>u</text></svg>b<svg><p>c", "ab\nc"),
            ("<iframe src=x>inside</iframe>after<iframe/>more", "aftermore"),
            ("<video><source src=x>Your browser shows no films.</video>after", "after"),
            ("a < b & c <3", "a < b & c <3"),
            ("just text\n here", "just text here"),
            ("x&#7;y&#x85;z&#0;", "xy…z"),
            ("a<span style='display:none'>x<b>y</b><br>z</span> b", "a b"),
            ("<div hidden><p>x</p></div><p>a</p>", "a"),
            ("<p>a</p><p hidden>x</p><p>b</p>", "a\nb"),
            ("<div hidden><p>x</p></div>", "x"),
        ] {
            assert_eq!(text_of_html(html), text, "{html}");
        }
    }

    #[test]
    fn an_exponent_is_not_read_as_part_of_a_number() {
        for (html, text) in [
            ("10<sup>6</sup> m", "10⁶ m"),
            ("x<sup>2</sup>+y<SUP> 10 </SUP>", "x²+y ¹⁰ "),
            ("2<sup>-3</sup>, 2<sup>−3</sup>", "2⁻³, 2⁻³"),
            ("a word<sup><a href='#f1'>1</a></sup>", "a word¹"),
            ("a word<sup>1, 2</sup>", "a word¹, ²"),
            ("a word<sup>[1]</sup>", "a word[1]"),
            ("2<sup>n</sup> and e<sup>x</sup>", "2^n and e^x"),
            ("2<sup>n+1</sup>", "2^(n+1)"),
            ("x<sub>i+1</sub>", "x_(i+1)"),
            ("the 2<sup>nd</sup> and 1<sup>er</sup>, XX<sup>e</sup>", "the 2nd and 1er, XXe"),
            ("CO<sub>2</sub> and M<sup>me</sup> n<sup>o</sup> 5", "CO2 and Mme no 5"),
            ("Brand<sup>TM</sup> <sup>new</sup>", "BrandTM new"),
            ("a<sup>1<p>b</p></sup>", "a1\nb"),
        ] {
            assert_eq!(text_of_html(html), text.trim_end(), "{html}");
        }
    }

    #[test]
    fn quotations_and_readings_have_their_signs() {
        for (html, text) in [
            ("she said <q>yes</q>", "she said “yes”"),
            ("<ruby>漢<rt>かん</rt></ruby>字", "漢(かん)字"),
            ("now <del>100</del><ins>80</ins> euros", "now 100 80 euros"),
            (
                "<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby>",
                "漢(かん)字(じ)",
            ),
            ("<ruby>漢<rt>かん字<rt>じ</ruby>", "漢(かん字)(じ)"),
        ] {
            assert_eq!(text_of_html(html), text, "{html}");
        }
    }

    #[test]
    fn a_line_break_of_the_source_separates_no_japanese_words() {
        for (html, text) in [
            ("今日は\n  天気。\n<b>いい</b>", "今日は天気。いい"),
            ("今日は \n<b> 天気</b>", "今日は天気"),
            ("今日は 天気", "今日は 天気"),
            ("今日は\n天気", "今日は天気"),
            ("오늘은\n날씨가", "오늘은 날씨가"),
            ("日本\nJapan\n日本", "日本 Japan 日本"),
            ("<p>今日</p>\n<p>天気<br>\n雨</p>", "今日\n天気\n雨"),
        ] {
            assert_eq!(text_of_html(html), text, "{html:?}");
        }
    }

    #[test]
    fn an_image_of_an_emoji_is_the_emoji() {
        for (html, text) in [
            ("Gulls <img class=emoji alt=🙂 src=/e.png> win", "Gulls 🙂 win"),
            ("Gulls <img alt=Gull src=/e.png> win", "Gulls win"),
        ] {
            assert_eq!(text_of_html(html), text, "{html}");
        }
    }

    #[test]
    fn alt_texts_are_used_if_there_is_no_other_text() {
        assert_eq!(
            text_of_html("<p><img alt='A cat' src=x><img alt=' and a dog'></p>"),
            "A cat and a dog"
        );
        assert_eq!(text_of_html("<p>Look: <img alt='A cat' src=x></p>"), "Look:");
    }

    #[test]
    fn html_beyond_the_size_limit_is_ignored() {
        let long = format!("<p>{}", "ü".repeat(MAX_HTML));
        assert!(text_of_html(&long).len() <= MAX_HTML);
        assert!(head(&long).len() <= MAX_HTML && head(&long).ends_with('ü'));
    }

    #[test]
    fn a_line_has_no_breaks_and_no_double_spaces() {
        assert_eq!(line(" a\n\n b\t c\u{2028}d ", 99).as_deref(), Some("a b c d"));
        assert_eq!(line("Oui\u{a0}! ", 99).as_deref(), Some("Oui\u{a0}!"));
        for blank in ["", " \n", "\u{a0}", "\u{200b}\u{200d}", "\u{7}"] {
            assert_eq!(line(blank, 99), None, "{blank:?}");
        }
    }

    #[test]
    fn a_long_line_ends_in_an_ellipsis_at_a_word() {
        assert_eq!(
            line("one two three four five six", 25).as_deref(),
            Some("one two three four five…")
        );
        assert_eq!(line(&"x".repeat(30), 10).as_deref(), Some("xxxxxxxxx…"));
        assert_eq!(line(&"x".repeat(10), 10).as_deref(), Some(&*"x".repeat(10)));
    }

    #[test]
    fn a_cut_keeps_combining_characters_with_their_base() {
        let family = "👨\u{200d}👩\u{200d}👧".repeat(9);
        for max in 2..40 {
            let cut = line(&family, max).unwrap();
            assert!(cut.chars().count() <= max, "{max}");
            assert!(!cut.trim_end_matches('…').ends_with('\u{200d}'), "{max}");
        }
        assert_eq!(line("abcde\u{301}fg", 6).as_deref(), Some("abcd…"));
    }
}

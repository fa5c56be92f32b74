//! Our reading of tokens, held to that of html5ever.

use proptest::prelude::*;

use super::tokens::{Sink, Tag, usual, whole};

/// The tokens as text. What is not shown is left out, and only pieces that are blank stay apart.
#[derive(Default)]
struct Record {
    tokens: Vec<String>,
    raw: bool,
}

impl Sink for Record {
    fn text(&mut self, text: &str) {
        let blank = |last: &&mut String| last.trim().is_empty() || last.starts_with("Tag ");
        match self.tokens.last_mut() {
            _ if self.raw => {}
            Some(last) if !blank(&last) => last.push_str(text),
            _ => self.tokens.push(text.to_owned()),
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        self.tokens.push(format!("{tag:?}"));
        self.raw = tag.raw() && tag.name != "xmp";
        true
    }
}

fn usually(html: &str) -> Option<Vec<String>> {
    let mut record = Record::default();
    usual(html, &mut record).map(|()| record.tokens)
}

#[test]
fn the_web_is_usual() {
    for html in [
        "<p class=a>AT&amp;T &#8217; <b>x</b>\n\n<IMG SRC='a?b=1&c=2' alt=\"\"/><br />a & b < c",
        "<!-- more --><script async>if (a < b) {}</script><iframe src=x></iframe>&nbsp;",
    ] {
        assert_eq!(usually(html), Some(whole(html, Record::default()).tokens), "{html}");
    }
    for html in ["<p", "<p a", "<!x>", "<?x>", "a\rb", "&copy 1", "<!-- <p> -->", "<xmp>a</xmp>"] {
        assert_eq!(usually(html), None, "{html}");
    }
}

fn html() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        "</",
        ">",
        "/>",
        "=",
        "'",
        "\"",
        " ",
        "\n",
        "\u{c}",
        "a",
        "B",
        "é",
        "\u{a0}",
        "&",
        ";",
        "#",
        "1",
        "x",
        "&amp;",
        "&#39;",
        "&#x80;",
        "&lt",
        "&not",
        "&NotEqualTilde;",
        "&b=",
        "p",
        "<p",
        "<p>",
        "<br/>",
        "</p>",
        "<a href=",
        "<img src='x' ",
        "<tr>",
        "<script>",
        "</script>",
        "<title>",
        "</title ",
        "<style/>",
        "<!--",
        "-->",
        "--!>",
        "-",
        "!",
        "?",
        "<pre>",
        "<td a=b c='d' E>",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_of_reading_give_the_same_tokens(html in html()) {
        if let Some(tokens) = usually(&html) {
            prop_assert_eq!(tokens, whole(&html, Record::default()).tokens);
        }
    }
}

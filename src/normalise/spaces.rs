//! Line breaks and spaces that a style keeps (`white-space: pre-wrap`), which HTML without the style does not.

use super::style::declarations;
use super::tokens::Tag;

/// What of the white space in the texts of an element is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// One space, as usual.
    One,
    /// Line breaks.
    Lines,
    /// Line breaks and all spaces.
    All,
}

impl Spaces {
    /// That of the style of an element; `None` if it is as in the element around it.
    pub(super) fn of(tag: &Tag<'_>) -> Option<Self> {
        let style =
            tag.attribute("style").filter(|style| style.contains(':'))?.to_ascii_lowercase();
        let (_, value) = declarations(&style).rfind(|(name, _)| *name == "white-space")?;
        match value {
            "pre" | "pre-wrap" | "break-spaces" => Some(Self::All),
            "pre-line" => Some(Self::Lines),
            "normal" | "nowrap" | "initial" => Some(Self::One),
            _ => None,
        }
    }

    /// A line of a text as it is shown.
    pub(super) fn shown(self, line: &str) -> String {
        match self {
            Self::All => firm_spaces(line.trim_end_matches('\r')),
            Self::One | Self::Lines => line.trim_end_matches('\r').to_owned(),
        }
    }
}

/// A line whose spaces can be seen: those at its start, and all but the last of several, are no-break spaces.
pub(super) fn firm_spaces(line: &str) -> String {
    let (mut firm, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(begins) = rest.find([' ', '\t']) {
        firm.push_str(&rest[..begins]);
        let behind = rest[begins..].trim_start_matches([' ', '\t']);
        let run = &rest[begins..rest.len() - behind.len()];
        let width: usize = run.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let is_indent = firm.is_empty();
        firm.extend(std::iter::repeat_n('\u{a0}', if is_indent { width } else { width - 1 }));
        firm.push_str(if is_indent { "" } else { " " });
        rest = behind;
    }
    firm + rest
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::super::links::LinkBase;

    #[test]
    fn lines_and_spaces_that_a_style_keeps_are_shown() {
        let base = Url::parse("https://e.org/").unwrap();
        for (html, kept) in [
            (
                "<p style='white-space: pre-wrap'>One\n  Two\nThree <b>x</b> y</p>",
                "<p>One<br>&nbsp;&nbsp;Two<br>Three <b>x</b> y</p>",
            ),
            ("<div style='white-space:pre-line'>One\n  Two</div>", "<div>One<br>  Two</div>"),
            (
                "<p><span style=white-space:pre>a    b</span>\nc</p>",
                "<p>a&nbsp;&nbsp;&nbsp; b\nc</p>",
            ),
            (
                "<div style=white-space:pre-wrap>\n<p>a\nb</p>\n<p style=white-space:normal>c\nd</p></div>",
                "<div>\n<p>a<br>b</p>\n<p>c\nd</p></div>",
            ),
            ("<pre style=white-space:pre-wrap>a\n  b</pre>", "<pre>a\n  b</pre>"),
            ("<p style=white-space:pre-wrap>a &amp; b\n&lt; c</p>", "<p>a &amp; b<br>&lt; c</p>"),
        ] {
            let link_base = LinkBase { base: &base, page: None };
            assert_eq!(fragment(html, link_base).as_deref(), Some(kept), "{html}");
        }
    }
}

//! What every code means, why it comes and what to do: the one source of those texts is `docs/codes.md`.
//!
//! An error that may end a command is [`Coded`]. Leaves printing to `cli`; which codes there are, the
//! rooms that have them say.

use std::sync::LazyLock;

/// The texts, as people read them in the repository.
pub const SOURCE: &str = include_str!("../../docs/codes.md");

/// An error that `newswire explain` knows.
pub trait Coded: std::fmt::Display {
    /// A stable slug.
    fn code(&self) -> &'static str;
}

/// Gives each kind of an error its code, those of errors that it passes on among them; a kind without
/// one does not compile. `CODES` are its own.
macro_rules! codes {
    ($error:ty: $($kind:pat $(if $guard:expr)? => $code:literal,)* $(; $($passed:pat => $inner:expr,)+)?) => {
        impl $error {
            /// The codes of its own kinds.
            pub const CODES: &'static [&'static str] = &[$($code),*];
        }

        impl $crate::model::code::Coded for $error {
            fn code(&self) -> &'static str {
                #[allow(unused_imports, reason = "not every error passes others on")]
                use $crate::model::code::Coded as _;
                match self {
                    $($kind $(if $guard)? => $code,)*
                    $($($passed => $inner.code(),)+)?
                }
            }
        }
    };
}
pub(crate) use codes;

/// What there is to say of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// The heading that it stands under.
    pub group: &'static str,
    /// The slug.
    pub code: &'static str,
    /// What it means.
    pub what: &'static str,
    /// Why it comes.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

static TEXTS: LazyLock<Vec<Text>> = LazyLock::new(|| read(SOURCE));

/// Every text, in the order of the document.
#[must_use]
pub fn texts() -> &'static [Text] {
    &TEXTS
}

/// What is said of a code; a slug may stand under several headings.
pub fn of(code: &str) -> impl Iterator<Item = &'static Text> {
    texts().iter().filter(move |text| text.code == code)
}

/// `## heading`, and below it for each code `### code`, a paragraph of what, one of why, one of what to
/// do.
fn read(source: &'static str) -> Vec<Text> {
    let mut texts = Vec::new();
    for part in source.split("\n## ").skip(1) {
        let group = part.lines().next().unwrap_or_default().trim();
        for entry in part.split("\n### ").skip(1) {
            let mut paragraphs = entry.split("\n\n").map(str::trim);
            let code = paragraphs.next().unwrap_or_default();
            let what = paragraphs.next().unwrap_or_default();
            let mut said = |name| {
                let paragraph = paragraphs.next().unwrap_or_default();
                paragraph.strip_prefix(name).unwrap_or_default().trim()
            };
            let (why, remedy) = (said("Why:"), said("Do:"));
            texts.push(Text { group, code, what, why, remedy });
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_text_says_what_why_and_what_to_do() {
        assert!(texts().len() > 120, "{}", texts().len());
        for text in texts() {
            for (part, said) in
                [("what", text.what), ("why", text.why), ("what to do", text.remedy)]
            {
                assert!(said.len() > 7 && said.ends_with('.'), "{}: {part}: {said:?}", text.code);
            }
            let slug = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
            assert!(!text.code.is_empty() && text.code.chars().all(slug), "{:?}", text.code);
        }
    }

    #[test]
    fn no_code_stands_twice_under_one_heading() {
        let mut seen = HashSet::new();
        for text in texts() {
            assert!(seen.insert((text.group, text.code)), "{} stands twice", text.code);
        }
    }

    #[test]
    fn an_entry_without_a_remedy_is_seen() {
        let read = read("# T\n\n## Group\n\nIntro.\n\n### a_code\n\nWhat it is.\n\nWhy: so.\n");
        assert_eq!((read[0].group, read[0].code, read[0].why), ("Group", "a_code", "so."));
        assert_eq!(read[0].remedy, "");
    }
}

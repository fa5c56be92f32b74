//! The codes of errors, warnings and reasons, and their texts, which are read from `docs/codes.md`.
//!
//! Each room defines the codes of its errors. `cli` prints them and maps them to exit codes.

use std::borrow::Cow;
use std::sync::LazyLock;

/// `docs/codes.md`, the only source of the texts.
pub const SOURCE: &str = include_str!("../../docs/codes.md");

/// An error that can end a command. Its text (`Display`) is what failed; code and help are separate.
pub trait Coded: std::fmt::Display {
    /// The stable slug; `newswire explain` describes it.
    fn code(&self) -> &'static str;

    /// What the operator can do about this case, a fragment without a full stop; `None`: only the general
    /// text of the code.
    fn help(&self) -> Option<Cow<'static, str>>;
}

/// Implements [`Coded`]: a code, and after a colon the help, for each variant. After a semicolon follow the
/// variants that pass on the code and the help of the error that they contain. A variant without a code
/// does not compile. `CODES` lists the codes of the type's own variants.
macro_rules! codes {
    (
        $error:ty:
        $($kind:pat $(if $guard:expr)? => $code:literal $(: $help:expr)?,)*
        $(; $($passed:pat => $inner:expr,)+)?
    ) => {
        impl $error {
            /// The codes of the variants of this type.
            pub const CODES: &'static [&'static str] = &[$($code),*];
        }

        #[allow(unused_variables, reason = "a pattern may bind values that only the help uses")]
        impl $crate::model::code::Coded for $error {
            fn code(&self) -> &'static str {
                #[allow(unused_imports, reason = "not every error passes others on")]
                use $crate::model::code::Coded as _;
                match self {
                    $($kind $(if $guard)? => $code,)*
                    $($($passed => $inner.code(),)+)?
                }
            }

            fn help(&self) -> Option<std::borrow::Cow<'static, str>> {
                #[allow(unused_imports, reason = "not every error passes others on")]
                use $crate::model::code::Coded as _;
                match self {
                    $($kind $(if $guard)? => $crate::model::code::optional_help!($($help)?),)*
                    $($($passed => $inner.help(),)+)?
                }
            }
        }
    };
}
/// `None`, or the help as a `Cow`.
macro_rules! optional_help {
    () => {
        None
    };
    ($help:expr) => {
        Some(std::borrow::Cow::from($help))
    };
}
pub(crate) use {codes, optional_help};

/// The text of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Its heading of the second level in `docs/codes.md`.
    pub group: &'static str,
    /// Slug of the code: the heading in `docs/codes.md` and the argument of `newswire explain`.
    pub code: &'static str,
    /// Meaning, one paragraph.
    pub what: &'static str,
    /// Usual causes, one paragraph.
    pub why: &'static str,
    /// What the operator can do.
    pub remedy: &'static str,
}

static TEXTS: LazyLock<Vec<Text>> = LazyLock::new(|| read(SOURCE));

/// All texts, in the order of the document.
#[must_use]
pub fn texts() -> &'static [Text] {
    &TEXTS
}

/// The texts of a code; the same slug may occur under several headings.
pub fn of(code: &str) -> impl Iterator<Item = &'static Text> {
    texts().iter().filter(move |text| text.code == code)
}

/// Parses `## heading` sections; each holds `### code` entries of three paragraphs: meaning, `Why:`, `Do:`.
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
    fn every_text_has_a_meaning_a_cause_and_a_remedy() {
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
    fn a_code_occurs_once_under_a_heading() {
        let mut seen = HashSet::new();
        for text in texts() {
            assert!(seen.insert((text.group, text.code)), "{} occurs twice", text.code);
        }
    }

    #[test]
    fn an_entry_without_a_remedy_has_an_empty_one() {
        let read = read("# T\n\n## Group\n\nIntro.\n\n### a_code\n\nWhat it is.\n\nWhy: so.\n");
        assert_eq!((read[0].group, read[0].code, read[0].why), ("Group", "a_code", "so."));
        assert_eq!(read[0].remedy, "");
    }
}

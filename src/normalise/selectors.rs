//! CSS selectors (Selectors Level 4) that name parts of the content of items. The crate `selectors` parses them and
//! compares them with the elements of `tree`.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};

use cssparser::{ParseError, ParseErrorKind, ToCss, serialize_string};
use precomputed_hash::PrecomputedHash;
use selectors::SelectorList;
use selectors::parser::{ParseRelative, SelectorParseErrorKind};

/// A list of selectors, as it is written in one text of `remove`.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    pub(super) list: SelectorList<Html>,
}

impl Selector {
    /// Maximum length of the text, in bytes.
    pub const MAX: usize = 500;

    /// Parses a selector, or several that are separated by commas.
    ///
    /// # Errors
    /// When it is not a selector, is longer than [`Selector::MAX`], or needs a browser, as `:hover` and `::before` do.
    pub fn parse(text: &str) -> Result<Self, BadSelector> {
        let text = text.trim();
        if text.len() > Self::MAX {
            return Err(BadSelector("it has more than 500 bytes".to_owned()));
        }
        let mut input = cssparser::Parser::new(text);
        let list =
            input.parse_entirely(|input| SelectorList::parse(&Syntax, input, ParseRelative::No));
        match list {
            Ok(list) => Ok(Self { text: text.to_owned(), list }),
            Err(error) => Err(BadSelector(reason(text, &error))),
        }
    }

    /// The selector as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Why a text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSelector(String);

fn reason(text: &str, error: &ParseError<Unusable>) -> String {
    use SelectorParseErrorKind as Kind;
    let kind = match &error.kind {
        ParseErrorKind::Basic(_) if text.is_empty() => return "it is empty".to_owned(),
        ParseErrorKind::Basic(_) => return "a part of it is incomplete or unexpected".to_owned(),
        ParseErrorKind::Custom(Unusable(kind)) => kind,
    };
    match kind {
        Kind::EmptySelector if text.is_empty() => "it is empty",
        Kind::EmptySelector => "a selector is missing before or after a comma or combinator",
        Kind::DanglingCombinator => "a selector is missing after a combinator",
        Kind::ClassNeedsIdent => "a dot must be followed by the name of a class",
        Kind::NoIdentForPseudo | Kind::PseudoElementExpectedIdent => {
            "a colon must be followed by the name of a pseudo-class"
        }
        Kind::UnsupportedPseudoClassOrElement | Kind::PseudoElementExpectedColon => {
            "it has a pseudo-class or a pseudo-element that is not supported"
        }
        Kind::NoQualifiedNameInAttributeSelector
        | Kind::UnexpectedTokenInAttributeSelector
        | Kind::ExpectedBarInAttr
        | Kind::BadValueInAttr
        | Kind::InvalidQualNameInAttr => "a condition in brackets is wrong: [name=\"value\"]",
        Kind::ExpectedNamespace | Kind::ExplicitNamespaceUnexpectedToken => {
            "namespaces are not supported"
        }
        _ => "a part of it is unexpected",
    }
    .to_owned()
}

/// The kind of an error of the crate.
struct Unusable(SelectorParseErrorKind);

impl From<SelectorParseErrorKind> for Unusable {
    fn from(kind: SelectorParseErrorKind) -> Self {
        Self(kind)
    }
}

/// What is accepted: everything that depends on the tree alone, with a cost that is at most proportional to
/// the number of elements before and above an element. `:has()` is not.
struct Syntax;

impl selectors::Parser<'_> for Syntax {
    type Impl = Html;
    type Error = Unusable;

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn allow_forgiving_selectors(&self) -> bool {
        false
    }
}

/// The types of the crate for HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Html;

impl selectors::SelectorImpl for Html {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Word;
    type Identifier = Word;
    type LocalName = Word;
    type NamespaceUrl = Word;
    type NamespacePrefix = Word;
    type BorrowedNamespaceUrl = str;
    type BorrowedLocalName = str;
    type NonTSPseudoClass = Never;
    type PseudoElement = Never;
}

/// A name or a value in a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Word(Box<str>);

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl ToCss for Word {
    fn to_css<W: fmt::Write>(&self, to: &mut W) -> fmt::Result {
        serialize_string(&self.0, to)
    }
}

impl PrecomputedHash for Word {
    fn precomputed_hash(&self) -> u32 {
        let mut hasher = rustc_hash::FxHasher::default();
        self.0.hash(&mut hasher);
        let hash = hasher.finish();
        (hash ^ (hash >> 32)) as u32
    }
}

/// A pseudo-class or pseudo-element that needs a browser; none is supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Never {}

impl ToCss for Never {
    fn to_css<W: fmt::Write>(&self, _: &mut W) -> fmt::Result {
        match *self {}
    }
}

impl selectors::parser::NonTSPseudoClass for Never {
    fn is_active_or_hover(&self) -> bool {
        match *self {}
    }

    fn is_user_action_state(&self) -> bool {
        match *self {}
    }
}

impl selectors::parser::PseudoElement for Never {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_that_depends_on_the_tree_alone_is_accepted() {
        for text in [
            ".share",
            "#related, .read-more a[href*='utm']",
            "div.a > p:first-child + p ~ ul li:nth-last-child(2n + 1)",
            "p:not(.keep, :empty)",
            ":is(aside, footer) p:only-child",
            "[data-Role=Ad i]",
        ] {
            assert_eq!(Selector::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn another_selector_is_an_error_with_the_reason() {
        let mut wrong = Vec::new();
        for (text, why) in [
            ("", "empty"),
            ("  ", "empty"),
            ("div >", "after a combinator"),
            ("p,", "comma"),
            (".", "incomplete"),
            (".1", ""),
            ("a:hover", "not supported"),
            ("p::before", "not supported"),
            ("p:has(a)", "not supported"),
            ("p:is(, a)", "missing"),
            ("[]", ""),
            ("[=a]", "in brackets"),
            ("svg|a", "namespaces"),
            ("a b)", "unexpected"),
            (&"a".repeat(501), "more than 500 bytes"),
        ] {
            let error = Selector::parse(text).expect_err(text).to_string();
            if !error.contains(why) {
                wrong.push((text.to_owned(), error));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

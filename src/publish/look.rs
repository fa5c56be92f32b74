//! How stories look in an output: `icon`, `language`, `content`, `title_prefix`, `date`, `also_at`.
//!
//! What is chosen here is the operator's taste; that every format shows it alike is `shown`'s business.

use std::str::FromStr;

use url::Url;

use super::text;

/// How much of a story an output shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// All that the publisher gave.
    #[default]
    Full,
    /// The publisher's summary, else the beginning of the text, as plain text.
    Summary,
    /// Title and link alone.
    None,
}

/// Which date a story carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShownDate {
    /// When it was published; first seen where the publisher does not say.
    #[default]
    Published,
    /// When newswire first saw it: for readers that skip what comes late with an old date.
    FirstSeen,
}

/// Where an output tells who else carries a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlsoAt {
    /// In links and fields, which hardly any reader shows.
    #[default]
    Links,
    /// And in a line below the text.
    Content,
}

/// How the stories of one output look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// A square picture for the whole output: `atom:icon`, RSS `image`, JSON Feed `icon`.
    pub icon: Option<Url>,
    /// BCP 47, of stories that do not say. None where the output has many languages.
    pub language: Option<String>,
    /// How much of a story is shown.
    pub content: Content,
    /// Put before each title.
    pub title_prefix: Option<TitlePrefix>,
    /// Which date a story carries.
    pub date: ShownDate,
    /// Where other feeds with the story are named.
    pub also_at: AlsoAt,
}

/// A text before each title, with `{source}` for the name of the feed: `"{source}: "`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitlePrefix(String);

/// The only name that a prefix knows.
const SOURCE: &str = "{source}";

/// Why a text is no title prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It would show nothing.
    #[error("a prefix that shows nothing")]
    Empty,
    /// It has braces around something else.
    #[error("{0} is unknown in a title prefix")]
    Unknown(String),
}

impl FromStr for TitlePrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let rest = text.replace(SOURCE, "");
        if let Some(at) = rest.find(['{', '}']) {
            let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
            return Err(PrefixError::Unknown(rest[at..end].to_owned()));
        }
        match text::line(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(PrefixError::Empty),
        }
    }
}

impl TitlePrefix {
    /// The title behind the prefix. Both are lines.
    pub(super) fn before(&self, title: &str, source: &str) -> String {
        let (source, title) = text::isolated(source, title);
        let composed = format!("{}{title}", self.0.replace(SOURCE, &source));
        text::line(&composed).unwrap_or(composed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_knows_the_source_and_nothing_else() {
        let prefix: TitlePrefix = "[{source}]  ".parse().unwrap();
        assert_eq!(prefix.before("A title", "Feed A"), "[Feed A] A title");
        let plain: TitlePrefix = "Planet: ".parse().unwrap();
        assert_eq!(plain.before("A title", "Feed A"), "Planet: A title");
        let unknown = |text: &str| text.parse::<TitlePrefix>().unwrap_err();
        assert_eq!(unknown("{feed}: "), PrefixError::Unknown("{feed}".to_owned()));
        assert_eq!(unknown("{source: "), PrefixError::Unknown("{source: ".to_owned()));
        assert_eq!(unknown("a} "), PrefixError::Unknown("}".to_owned()));
        assert_eq!(unknown(" \u{200b}"), PrefixError::Empty);
    }

    #[test]
    fn what_is_written_from_right_to_left_turns_nothing_round() {
        let prefix: TitlePrefix = "{source}: ".parse().unwrap();
        assert_eq!(prefix.before("חדשות", "Radio"), "\u{2068}Radio\u{2069}: \u{2068}חדשות\u{2069}");
        assert_eq!(prefix.before("News", "רדיו"), "\u{2068}רדיו\u{2069}: \u{2068}News\u{2069}");
        assert_eq!(prefix.before("{source}", "A"), "A: {source}");
    }
}

//! Something that is the matter for a while, told of once: from its beginning to its end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Declares [`IncidentKind`] with its slugs, so that no kind can be without one.
macro_rules! troubles {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $word:literal;)*) => {
        /// The kinds of incident; each has a stable slug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum IncidentKind { $($(#[$doc])* $kind,)* }

        impl IncidentKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// What people call it, at the beginning of a title.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// The kind of that name.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
            }
        }
    };
}

troubles! {
    /// A feed cannot be had, again and again.
    Failing = "failing", "Failing";
    /// A feed is left alone for a while: newswire panicked on it.
    Quarantined = "quarantined", "Quarantined";
    /// A feed answers and brings nothing any more.
    Silent = "silent", "Silent";
    /// A feed's server says that it is gone.
    Gone = "gone", "Gone";
    /// A feed lives elsewhere for good.
    Moved = "moved", "Moved";
    /// Items of a feed wait for a word of the operator.
    Held = "held", "Held";
    /// An output could not be published.
    Rejected = "rejected", "Not published";
    /// A new config was not taken.
    Config = "config", "Config rejected";
    /// Nothing can be written.
    Disk = "disk", "Cannot write";
}

/// Something that is, or was, the matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What kind of thing.
    pub kind: IncidentKind,
    /// The id of the feed or the output; empty: newswire itself.
    pub subject: String,
    /// The subject's name, for people; plain text.
    pub name: String,
    /// Slug of what exactly it is; another one is news.
    pub state: String,
    /// What is the matter, or what it came to: a sentence, plain.
    pub text: String,
    /// What to do: a sentence, plain; empty: nothing.
    pub remedy: String,
    /// What to write into the config; `None`: nothing there would help.
    pub toml: Option<String>,
    /// When it began.
    pub since: Timestamp,
    /// When it was first told of; with kind and subject it names the incident for ever.
    pub opened_at: Timestamp,
    /// When it last became another one.
    pub changed_at: Timestamp,
    /// `None`: it lasts.
    pub resolved_at: Option<Timestamp>,
}

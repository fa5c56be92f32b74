//! Incidents: conditions that last and need the operator, each from its start to its end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Declares [`IncidentKind`] with the slug and the title of each kind.
macro_rules! incident_kinds {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $word:literal;)*) => {
        /// The kinds of incident; each has a stable slug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum IncidentKind { $($(#[$doc])* $kind,)* }

        impl IncidentKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable slug.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// First word of a title.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// The kind with this slug.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
            }
        }
    };
}

incident_kinds! {
    /// A feed fails repeatedly.
    Failing = "failing", "Failing";
    /// A feed is not polled for a while because newswire panicked on it.
    Quarantined = "quarantined", "Quarantined";
    /// A feed answers but has stopped publishing.
    Silent = "silent", "Silent";
    /// A server reports that a feed is gone (410).
    Gone = "gone", "Gone";
    /// A feed has moved permanently.
    Moved = "moved", "Moved";
    /// Items of a feed are held until the operator releases them.
    Held = "held", "Held";
    /// A followed list of feeds cannot be fetched or read.
    List = "list", "List failing";
    /// An output could not be published.
    Rejected = "rejected", "Not published";
    /// A new config was rejected.
    Config = "config", "Config rejected";
    /// The database or a directory cannot be written.
    Disk = "disk", "Cannot write";
    /// The database contains damaged data.
    Damage = "damage", "Database damaged";
    /// The clock of the system is wrong, or has jumped.
    Clock = "clock", "Clock wrong";
}

/// A condition that needs, or needed, the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Kind of the incident.
    pub kind: IncidentKind,
    /// Id of the feed or output, or URL of the list; empty: newswire itself.
    pub subject: String,
    /// Name of the subject, to be shown; plain text.
    pub name: String,
    /// Slug of the exact condition; a change of it is reported.
    pub state: String,
    /// What is wrong, or how it ended: a sentence, plain text.
    pub text: String,
    /// What to do: a sentence, plain text; empty: nothing.
    pub remedy: String,
    /// Change of the config that helps; `None`: none.
    pub toml: Option<String>,
    /// Start of the condition.
    pub since: Timestamp,
    /// Time of the first report; identifies the incident together with kind and subject.
    pub opened_at: Timestamp,
    /// Time of the last change of the state.
    pub changed_at: Timestamp,
    /// End of the condition; `None`: it lasts.
    pub resolved_at: Option<Timestamp>,
}

//! The words for how a feed is doing.

/// Declares [`State`] with its slugs, the worst first.
macro_rules! states {
    ($($(#[$doc:meta])* $state:ident = $slug:literal, $group:literal;)*) => {
        /// How a feed is doing, the worst first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum State { $($(#[$doc])* $state,)* }

        impl State {
            /// Every state, the worst first.
            pub const ALL: &'static [Self] = &[$(Self::$state,)*];

            /// The stable name, in the database, the metrics and addresses.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$state => $slug,)* }
            }

            /// What feeds in this state are called together.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $(Self::$state => $group,)* }
            }

            /// The state of that name.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.slug() == slug)
            }
        }
    };
}

states! {
    /// newswire panicked on it again and again: it is left alone for a day.
    Quarantined = "quarantined", "quarantined";
    /// It cannot be had.
    Failing = "failing", "failing";
    /// It answers, and has gone dead.
    Silent = "silent", "silent";
    /// 410: its server says that it is gone.
    Gone = "gone", "gone";
    /// Its server asks to slow down.
    Throttled = "throttled", "throttled";
    /// Items of it wait for a word of the operator.
    Held = "held", "holding items back";
    /// It lives elsewhere for good.
    Moved = "moved", "moved";
    /// It could not be reached, and neither could the others: this machine is offline.
    Offline = "offline", "out of reach";
    /// It was not polled yet.
    New = "new", "not polled yet";
    /// Nothing is the matter.
    Well = "well", "well";
}

impl State {
    /// Whether somebody should look at it. Slowing down and waiting are newswire's own business.
    #[must_use]
    pub fn needs_you(self) -> bool {
        !matches!(self, Self::Throttled | Self::Offline | Self::New | Self::Well)
    }
}

//! The states of feeds.

/// Declares [`State`] with its slugs, the worst state first.
macro_rules! states {
    ($($(#[$doc:meta])* $state:ident = $slug:literal, $group:literal;)*) => {
        /// The state of a feed, ordered from the worst.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum State { $($(#[$doc])* $state,)* }

        impl State {
            /// Every state, the worst first.
            pub const ALL: &'static [Self] = &[$(Self::$state,)*];

            /// The stable name, as metrics, JSON and URLs have it.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$state => $slug,)* }
            }

            /// The label of the group of feeds in this state.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $(Self::$state => $group,)* }
            }

            /// The state with this slug.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.slug() == slug)
            }
        }
    };
}

states! {
    /// Newswire panicked on it several times in a row, and does not poll it for a day.
    Quarantined = "quarantined", "quarantined";
    /// Its last polls failed.
    Failing = "failing", "failing";
    /// It answers, but has had no new items for much longer than usual.
    Silent = "silent", "silent";
    /// Its server answers that it is gone (410).
    Gone = "gone", "gone";
    /// Its server asks for fewer requests.
    Throttled = "throttled", "throttled";
    /// The burst guard holds items of it until the operator releases them.
    Held = "held", "with held items";
    /// It has moved permanently.
    Moved = "moved", "moved";
    /// It could not be reached, because this machine seems to be offline.
    Offline = "offline", "offline";
    /// The operator paused it: it is not polled.
    Paused = "paused", "paused";
    /// It has not been polled yet.
    New = "new", "not polled yet";
    /// Its last poll succeeded.
    Ok = "ok", "OK";
}

impl State {
    /// The label of one feed in this state.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            state => state.slug(),
        }
    }

    /// Whether the operator should look at feeds in this state. The other states pass without them.
    #[must_use]
    pub fn needs_attention(self) -> bool {
        !matches!(self, Self::Throttled | Self::Offline | Self::Paused | Self::New | Self::Ok)
    }
}

//! Events: what operators act upon. Each has a name and a message id that never change.
//!
//! `docs/reference/events.md` lists them with their fields, and `systemd/newswire.catalog` has cause and
//! remedy of each. Tests compare both with this list. The rooms where they happen log them.

/// Declares [`Event`], so that every event has a name and a message id.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident = $slug:literal, $id:literal;)*) => {
        /// An event: the field `event` of a log line, and the `MESSAGE_ID` of its journal record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event { $($(#[$doc])* $event,)* }

        impl Event {
            /// All events, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$event,)*];

            /// The stable name: the value of the field `event`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$event => $slug,)* }
            }

            /// The `MESSAGE_ID` by which `journalctl -x` finds the catalog text: 128 bits in hexadecimal.
            #[must_use]
            pub fn message_id(self) -> &'static str {
                match self { $(Self::$event => $id,)* }
            }

            /// The event of that name.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|event| event.slug() == slug)
            }
        }
    };
}

events! {
    /// The daemon polls, publishes and serves.
    Started = "started", "a87c705907e84e35b55978460e80739d";
    /// The daemon ended because it was asked to.
    Stopped = "stopped", "5244c554688d445c9a41109bd45727f8";
    /// A poll brought new or changed items.
    FeedChanged = "feed_changed", "18dcc925a4db4973bf49e5645d126c30";
    /// A poll failed, and the one before did not.
    FeedFailing = "feed_failing", "66f1e3e7efbd4242a9615e1d32350257";
    /// A poll succeeded, and the one before had failed.
    FeedRecovered = "feed_recovered", "1e744892044f4f9ca2a5bca0dac352c5";
    /// The server asks for fewer requests.
    FeedThrottled = "feed_throttled", "36b7e4008548437a9baad27548471859";
    /// The server answers that the feed is gone (410).
    FeedGone = "feed_gone", "2c030468c65b41ca8c89cfca02f2da32";
    /// A permanent redirect is followed from now on.
    FeedMoved = "feed_moved", "7b2fb7b0d52441b3b8f26f6407e70e95";
    /// The feed answers, but has no new items for much longer than usual.
    FeedSilent = "feed_silent", "48eb0841ef93459aae02e905872d49e4";
    /// A silent feed has new items again.
    FeedResumed = "feed_resumed", "6a90530fda964aeeb4ef15f4f8a2c0c0";
    /// The burst guard holds items until the operator releases them.
    ItemsHeld = "items_held", "1d7fa961e22b4ba199a99562aef2deb6";
    /// Documents of an output changed.
    OutputPublished = "output_published", "165f4d7986b04780a3efbafdbdf850de";
    /// A new document failed the check; the previous one stays.
    OutputRejected = "output_rejected", "33c03f391a0c4125a23399c84028e245";
    /// A document cannot be written to its directory.
    OutputWriteFailed = "output_write_failed", "d15bd3b3a9494293a1b35d7eef47db61";
    /// A changed config was applied.
    ConfigReloaded = "config_reloaded", "a7d31e353dcf4f18922b5fb5a51f2f33";
    /// A changed config has errors; the previous one still applies.
    ConfigRejected = "config_rejected", "9c289b2c271242a59a219b65313eb859";
    /// The database cannot be written to.
    StoreFailing = "store_failing", "4df80b03981c4305b41bbfe7c3af5b4a";
    /// The database can be written to again.
    StoreRecovered = "store_recovered", "289c1a6056234f3e9430581c2fd952b0";
    /// The clock of the system has jumped, is wrong, or was set.
    ClockChanged = "clock_changed", "ebe562c5c37a46bcb2038d3cad6f3f77";
    /// A followed list of feeds changed.
    ListChanged = "list_changed", "62cb7dce17d54d07881a548f1a0a2873";
    /// A followed list of feeds cannot be read.
    ListFailing = "list_failing", "1275a547f0f54a78b1f181ba8465aa21";
    /// No host can be reached: this machine seems to be offline.
    Offline = "offline", "0e797875973c4c61a7d75ff65081dbd7";
    /// A host can be reached again.
    Online = "online", "77fceb181add4e20af9b65b391ee66a8";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_message_ids_of_events_are_unique() {
        let slugs: HashSet<_> = Event::ALL.iter().map(|event| event.slug()).collect();
        let ids: HashSet<_> = Event::ALL.iter().map(|event| event.message_id()).collect();
        assert_eq!((slugs.len(), ids.len()), (Event::ALL.len(), Event::ALL.len()));
        for event in Event::ALL {
            let id = event.message_id();
            let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            assert!(id.len() == 32 && id.chars().all(hex), "{id}");
            assert_eq!(Event::from_slug(event.slug()), Some(*event));
        }
    }
}

//! The events that an operator may rely on: each has a name and a message id that never change.
//!
//! `docs/events.md` lists them with their fields, `systemd/newswire.catalog` tells cause and remedy
//! of each; tests hold both against this list. Leaves logging them to the rooms where they happen.

/// Declares [`Event`] with names and message ids, so that no event can be without.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident = $slug:literal, $id:literal;)*) => {
        /// What happened: the field `event` of a log line, and the `MESSAGE_ID` of its record in the
        /// journal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event { $($(#[$doc])* $event,)* }

        impl Event {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$event,)*];

            /// The stable name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$event => $slug,)* }
            }

            /// What `journalctl -x` finds the event's text by: 128 bits in hexadecimal.
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
    /// It has ended as it was told to.
    Stopped = "stopped", "5244c554688d445c9a41109bd45727f8";
    /// A poll brought new items, or changed some.
    FeedChanged = "feed_changed", "18dcc925a4db4973bf49e5645d126c30";
    /// The first failure after a success.
    FeedFailing = "feed_failing", "66f1e3e7efbd4242a9615e1d32350257";
    /// The first success after failures.
    FeedRecovered = "feed_recovered", "1e744892044f4f9ca2a5bca0dac352c5";
    /// The server asks for fewer requests.
    FeedThrottled = "feed_throttled", "36b7e4008548437a9baad27548471859";
    /// The server says that the feed will not come back.
    FeedGone = "feed_gone", "2c030468c65b41ca8c89cfca02f2da32";
    /// The feed lives elsewhere for good, and is asked there from now on.
    FeedMoved = "feed_moved", "7b2fb7b0d52441b3b8f26f6407e70e95";
    /// It answers, but nothing has come for far longer than ever.
    FeedSilent = "feed_silent", "48eb0841ef93459aae02e905872d49e4";
    /// Far too much came at once, and waits for the operator.
    ItemsHeld = "items_held", "1d7fa961e22b4ba199a99562aef2deb6";
    /// Documents of an output became different.
    OutputPublished = "output_published", "165f4d7986b04780a3efbafdbdf850de";
    /// The gate found a fault in a new document; the last good one stays.
    OutputRefused = "output_refused", "33c03f391a0c4125a23399c84028e245";
    /// A document cannot be written to its folder.
    OutputUnwritten = "output_unwritten", "d15bd3b3a9494293a1b35d7eef47db61";
    /// A changed config is in force.
    ConfigReloaded = "config_reloaded", "a7d31e353dcf4f18922b5fb5a51f2f33";
    /// A changed config has errors; the one before stays in force.
    ConfigRefused = "config_refused", "9c289b2c271242a59a219b65313eb859";
    /// The database cannot be written to, for now.
    StoreTrouble = "store_trouble", "4df80b03981c4305b41bbfe7c3af5b4a";
    /// It can be again.
    StoreRecovered = "store_recovered", "289c1a6056234f3e9430581c2fd952b0";
    /// A followed list of feeds has changed.
    ListChanged = "list_changed", "62cb7dce17d54d07881a548f1a0a2873";
    /// A followed list of feeds cannot be had.
    ListFailing = "list_failing", "1275a547f0f54a78b1f181ba8465aa21";
    /// No host can be reached: it must be this machine.
    Offline = "offline", "0e797875973c4c61a7d75ff65081dbd7";
    /// A host was reached again.
    Online = "online", "77fceb181add4e20af9b65b391ee66a8";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_events_share_a_name_or_a_message_id_and_every_id_is_128_bits() {
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

//! While this machine is offline: tries every few seconds whether a server can be reached again, so that an outage ends
//! within a minute and not with the next planned poll. Only a connection is opened, one after the other to the servers
//! of the feeds that wait. If one opens, that feed is polled; its success ends the outage for all.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;

use tokio::task::JoinSet;

use super::engine::Engine;
use crate::model::{FeedKey, ReasonKind};
use crate::poll::Polled;

/// Time between two tries.
const PERIOD: Duration = Duration::from_secs(15);
/// Longest time between two tries: it doubles while a server opens connections and the poll fails all the same, as behind
/// a captive portal.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Looks for the end of an outage.
#[derive(Debug)]
pub(crate) struct OutageWatch {
    /// Feeds that wait because this machine seems to be offline.
    waiting: BTreeSet<FeedKey>,
    /// The feed whose server was tried last.
    last: FeedKey,
    /// Monotonic time of the next try.
    next: Duration,
    period: Duration,
    /// The try that runs, with the feed if its server was reached.
    tries: JoinSet<Option<FeedKey>>,
}

impl OutageWatch {
    /// The feeds that waited when the process before ended still wait.
    pub(crate) fn new(engine: &Engine) -> Self {
        let feeds = engine.setup().registered().iter();
        let waiting = feeds.filter(|feed| feed.reason == ReasonKind::Offline);
        Self {
            waiting: waiting.map(|feed| feed.key).collect(),
            last: FeedKey(i64::MIN),
            next: Duration::ZERO,
            period: PERIOD,
            tries: JoinSet::new(),
        }
    }

    /// Records the plans that a poll led to. `now` is monotonic time.
    pub(crate) fn record(&mut self, polled: &Polled, now: Duration) {
        let others = polled.replanned.iter().map(|(feed, _)| *feed);
        let feeds = others.chain([polled.feed]);
        if polled.plan.reason.kind == ReasonKind::Offline {
            self.waiting.extend(feeds);
            return;
        }
        for feed in feeds {
            self.waiting.remove(&feed);
        }
        if self.waiting.is_empty() {
            (self.next, self.period) = (now, PERIOD);
        }
    }

    /// Starts a try, if it is time for one.
    pub(crate) fn look(&mut self, engine: &Engine) {
        let now = engine.clock().elapsed();
        if self.waiting.is_empty() || now < self.next || !self.tries.is_empty() {
            return;
        }
        let after = (Bound::Excluded(self.last), Bound::Unbounded);
        let feed = self.waiting.range(after).next().or_else(|| self.waiting.first()).copied();
        let Some(feed) = feed else { return };
        let Some(target) = engine.target(feed).cloned() else {
            self.waiting.remove(&feed);
            return;
        };
        (self.last, self.next) = (feed, now + self.period);
        let poller = engine.poller().clone();
        self.tries.spawn(async move { poller.reaches(&target).await.then_some(feed) });
    }

    /// Waits until the server of a feed was reached, which has to be polled now.
    pub(crate) async fn reached(&mut self) -> FeedKey {
        loop {
            match self.tries.join_next().await {
                Some(Ok(Some(feed))) => {
                    self.period = (self.period * 2).min(LONGEST);
                    return feed;
                }
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }
}

//! The feeds of the config as commands name them: with the ids that they have, or get when they are polled first.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use url::Url;

use super::exit::CommandError;
use crate::config::{self, Config};
use crate::daemon;
use crate::model::{Address, FeedId, FeedInfo, FeedKey, FeedProfile, FeedStatus, ReasonKind};
use crate::poll::Subscription;
use crate::store::{self, ConfiguredFeed, Lists, Transaction};

/// A configured feed with its id.
#[derive(Debug)]
pub(super) struct Known<'c> {
    /// Id, and key if the database has the feed.
    pub(super) feed: ConfiguredFeed,
    /// The feed in the config.
    pub(super) subscription: &'c Subscription,
}

impl Known<'_> {
    /// Its state in the database with the settings of the config, as the next start of a daemon or of a pass has it.
    ///
    /// # Errors
    /// When the database fails.
    fn restated(
        &self,
        mut status: FeedStatus,
        reader: &Transaction<'_>,
        now: Timestamp,
    ) -> Result<FeedStatus, store::Error> {
        let Subscription { feed, schedule, .. } = self.subscription;
        if status.info.url != feed.url.as_str() {
            status.info.url = feed.url.to_string();
            status.next_poll_at = Timestamp::UNIX_EPOCH;
            (status.reason, status.failures) = (ReasonKind::New, 0);
            status.reason_text = "the address was changed".to_owned();
            status.address = Address::default();
            self.mark_paused(&mut status);
        } else if schedule.budget.is_none()
            // The interval of a server with a budget depends on its other feeds.
            && let Some(plan) = daemon::plan_under(reader, &reader.registered_feed(status.info.key)?, schedule, now)?
        {
            // As it is stored: in whole milliseconds.
            let at = Timestamp::from_millisecond(plan.at.as_millisecond());
            status.next_poll_at = at.unwrap_or(plan.at);
            (status.reason, status.reason_text) = (plan.reason.kind, plan.reason.text);
        }
        let info = &mut status.info;
        info.id = self.feed.id.clone();
        info.tags.clone_from(&feed.tags);
        let title = feed.title.as_ref().or(info.profile.title.as_ref()).cloned();
        info.title = title.unwrap_or_else(|| store::host_of(&info.url));
        Ok(status)
    }

    /// Its state before the first poll.
    fn unpolled(&self) -> FeedStatus {
        let feed = &self.subscription.feed;
        let title = feed.title.clone().unwrap_or_else(|| store::host_of(feed.url.as_str()));
        let mut status = FeedStatus::unpolled(FeedInfo {
            key: self.feed.key.unwrap_or(FeedKey(0)),
            id: self.feed.id.clone(),
            url: feed.url.to_string(),
            title,
            tags: feed.tags.clone(),
            profile: FeedProfile::default(),
        });
        self.mark_paused(&mut status);
        status
    }

    /// Gives a feed without a plan its reason if it is paused.
    fn mark_paused(&self, status: &mut FeedStatus) {
        if self.subscription.schedule.paused {
            status.reason = ReasonKind::Paused;
            status.reason_text = "paused in the config".to_owned();
        }
    }
}

/// The argument of a command that names a feed: its id or its URL.
#[derive(Debug, Clone)]
pub(super) struct FeedName<'n> {
    text: &'n str,
    /// The text as a URL, parsed once for all feeds.
    url: Option<Url>,
}

impl<'n> FeedName<'n> {
    pub(super) fn new(text: &'n str) -> Self {
        Self { text, url: Url::parse(text.trim()).ok() }
    }

    /// Whether it names the feed that has this id and this URL. Scheme and host of a URL may be in capitals.
    pub(super) fn is_of(&self, id: &FeedId, url: &str) -> bool {
        let is_url = |own: &Url| own.as_str() == url;
        id.as_str() == self.text || url == self.text || self.url.as_ref().is_some_and(is_url)
    }
}

/// The feed of the config that the argument of a command names.
pub(super) fn find<'k, 'c>(known: &'k [Known<'c>], name: &str) -> Option<&'k Known<'c>> {
    let name = FeedName::new(name);
    known.iter().find(|known| name.is_of(&known.feed.id, known.subscription.feed.url.as_str()))
}

/// The feeds of the config, in its order; without a database they have the ids that they will get.
pub(super) fn feeds<'c>(config: &'c Config, database: &Path) -> Vec<Known<'c>> {
    named(config, config::with_ids(&list(config), database))
}

/// The same in one transaction.
///
/// # Errors
/// When the database fails.
pub(super) fn within<'c>(
    config: &'c Config,
    reader: &Transaction<'_>,
) -> Result<Vec<Known<'c>>, store::Error> {
    Ok(named(config, reader.configured_feeds(&list(config))?))
}

fn list(config: &Config) -> Vec<crate::model::Feed> {
    config.subscriptions.iter().map(|subscription| subscription.feed.clone()).collect()
}

fn named(config: &Config, feeds: Vec<ConfiguredFeed>) -> Vec<Known<'_>> {
    let pairs = feeds.into_iter().zip(&config.subscriptions);
    pairs.map(|(feed, subscription)| Known { feed, subscription }).collect()
}

/// State of every feed: those in the database, and those that were added to the config since. While no process uses the
/// database, all of them are as the config has them.
///
/// # Errors
/// When the database fails.
pub(super) fn statuses(
    config: Option<&Config>,
    reader: &Transaction<'_>,
    now: Timestamp,
) -> Result<Vec<FeedStatus>, store::Error> {
    let mut statuses = reader.feed_statuses()?;
    let known = config.map(|config| within(config, reader)).transpose()?.unwrap_or_default();
    let is_stored = |known: &Known<'_>| {
        let url = known.subscription.feed.url.as_str();
        let is =
            |status: &FeedStatus| known.feed.key == Some(status.info.key) || status.info.url == url;
        statuses.iter().any(is)
    };
    let new: Vec<FeedStatus> =
        known.iter().filter(|known| !is_stored(known)).map(Known::unpolled).collect();
    // A running daemon may have another config.
    if let Some(config) = config.filter(|config| !store::is_in_use(&config.store.path)) {
        let by_key: HashMap<FeedKey, &Known<'_>> =
            known.iter().filter_map(|known| Some((known.feed.key?, known))).collect();
        let is_complete = config.lists() == Lists::Known;
        let of = |status: FeedStatus| match by_key.get(&status.info.key) {
            Some(known) => Some(known.restated(status, reader, now)),
            // It may be in a list that was not read yet.
            None => (!is_complete).then_some(Ok(status)),
        };
        statuses = statuses.into_iter().filter_map(of).collect::<Result<_, _>>()?;
    }
    statuses.extend(new);
    statuses.sort_by(|a, b| a.info.id.cmp(&b.info.id));
    Ok(statuses)
}

/// The feed that the argument of a command names.
pub(super) fn named_in<'s>(statuses: &'s [FeedStatus], name: &str) -> Option<&'s FeedStatus> {
    let name = FeedName::new(name);
    statuses.iter().find(|status| name.is_of(&status.info.id, &status.info.url))
}

/// The error for a name that no feed has, with the only id that contains it, or the most similar one.
pub(super) fn unknown<'i>(name: &str, ids: impl Iterator<Item = &'i str>) -> CommandError {
    let ids: Vec<&str> = ids.collect();
    let mut containing = ids.iter().filter(|id| name.len() > 2 && id.contains(name));
    let similar = match (containing.next(), containing.next()) {
        (Some(only), None) => Some(*only),
        _ => config::nearest(name, ids.iter().copied()),
    };
    let similar = similar.map(str::to_owned);
    CommandError::UnknownFeed { name: name.to_owned(), similar }
}

/// The same for the feeds of a config.
pub(super) fn unknown_in(name: &str, known: &[Known<'_>]) -> CommandError {
    unknown(name, known.iter().map(|known| known.feed.id.as_str()))
}

/// The error for a name that the daemon or the database does not know: no feed has it, or its feed is not loaded yet.
pub(super) fn unloaded(name: &str, known: &[Known<'_>]) -> CommandError {
    match find(known, name) {
        Some(_) => CommandError::NotLoaded(name.to_owned()),
        None => unknown_in(name, known),
    }
}

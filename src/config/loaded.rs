//! A config, checked and complete, and what came of reading it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::lists::Followed;
use super::report::Report;
use crate::poll::Subscription;
use crate::render::Output;
use crate::{fetch, store, telemetry, web};

/// A config, checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[fetch]`, as it holds for a feed that overrides nothing.
    pub fetch: fetch::Settings,
    /// `[fetch] concurrency`: simultaneous requests in all.
    pub concurrency: usize,
    /// `[dedupe]`, as it holds for a feed that overrides nothing.
    pub dedupe: Arc<crate::dedupe::Settings>,
    /// `[store]`, its path absolute or relative to the working directory.
    pub store: store::Settings,
    /// `[web]`
    pub web: web::Settings,
    /// `[log]`
    pub log: telemetry::Settings,
    /// Every `[[output]]`.
    pub outputs: Vec<Output>,
    /// Every `[[feed]]` with the settings in force for it, and behind them the feeds of lists.
    pub subscriptions: Vec<Subscription>,
    /// Every `[[subscriptions]]`.
    pub followed: Vec<Followed>,
}

impl Config {
    /// How long texts are compared at most, of all feeds.
    #[must_use]
    pub fn window(&self) -> Duration {
        let of_feeds = self.subscriptions.iter().map(|subscription| subscription.dedupe.window);
        of_feeds.chain([self.dedupe.window]).max().unwrap_or_default()
    }
}

/// What came of reading a config.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// `None` when there are errors.
    pub config: Option<Config>,
    /// Errors and warnings.
    pub report: Report,
    /// Where the database lies, as far as that can be made out: also of a broken config, so that the
    /// daemon that runs on it can be found.
    pub database: PathBuf,
    /// `[web] listen`, also of a config with errors.
    pub listen: Option<SocketAddr>,
}

//! Longer intervals for the feeds of servers with a bandwidth budget.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::site;
use crate::poll::Subscription;
use crate::schedule::{self, BudgetShare, stretch, stretched};

/// Expected size of the responses of a feed that was never polled, in bytes.
const UNKNOWN: f64 = 50_000.0;
/// The factor grows in steps of this size, so that small differences of the traffic change no plan.
const STEP: f64 = 0.25;

/// What is known about the traffic of a feed.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownTraffic {
    /// Mean size of its responses, those without a body included, in bytes; `None`: it was never polled.
    pub mean_bytes: Option<f64>,
    /// The learned interval; `None`: nothing is known.
    pub learned: Option<Duration>,
}

/// Makes the intervals of feeds longer until the feeds of each server with a budget fit into it. `traffic` is in the
/// order of the feeds.
pub fn apply_budgets(subscriptions: &mut [Subscription], traffic: &[KnownTraffic]) {
    let mut servers: HashMap<String, (u64, Vec<usize>)> = HashMap::new();
    for (n, subscription) in subscriptions.iter().enumerate() {
        if let Some(budget) = subscription.schedule.budget {
            let server = site(&subscription.feed.url).to_owned();
            servers.entry(server).or_insert((budget, Vec::new())).1.push(n);
        }
    }
    for (budget, feeds) in servers.into_values() {
        let share = |n: &usize| {
            let known = traffic.get(*n).copied().unwrap_or_default();
            BudgetShare {
                interval: subscriptions[*n].schedule.interval_of(known.learned),
                mean_bytes: known.mean_bytes.unwrap_or(UNKNOWN),
            }
        };
        let shares: Vec<BudgetShare> = feeds.iter().map(share).collect();
        let factor = (stretch(&shares, budget) / STEP - 1e-6).ceil() * STEP;
        if factor <= 1.0 {
            continue;
        }
        for n in feeds {
            let schedule = stretched_settings(&subscriptions[n].schedule, factor);
            subscriptions[n].schedule = Arc::new(schedule);
        }
    }
}

/// Longer by this factor, whether the interval is fixed or learned: a learned one is proportional to `interval`, within
/// the limits.
fn stretched_settings(settings: &schedule::Settings, factor: f64) -> schedule::Settings {
    let of = |limit| stretched(limit, factor);
    let (interval, min_interval) = (of(settings.interval), of(settings.min_interval));
    let max_interval = of(settings.max_interval).max(interval);
    schedule::Settings { interval, min_interval, max_interval, ..settings.clone() }
}

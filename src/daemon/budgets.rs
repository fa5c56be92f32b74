//! Longer intervals for the feeds of servers with a bandwidth budget.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::site;
use crate::poll::Subscription;
use crate::schedule::{self, BudgetShare, IntervalMode, stretch, stretched};

/// Expected size of the responses of a feed that was never polled, in bytes.
const UNKNOWN: f64 = 50_000.0;
/// The factor grows in steps of this size, so that small differences of the traffic change no plan.
const STEP: f64 = 0.25;

/// Makes the intervals of feeds longer until the feeds of each server with a budget fit into it. `mean_bytes` has the
/// mean size of the responses of each feed, those without a body included, in the order of the feeds.
pub fn apply_budgets(subscriptions: &mut [Subscription], mean_bytes: &[Option<f64>]) {
    let mut servers: HashMap<String, (u64, Vec<usize>)> = HashMap::new();
    for (n, subscription) in subscriptions.iter().enumerate() {
        if let Some(budget) = subscription.schedule.budget {
            let server = site(&subscription.feed.url).to_owned();
            servers.entry(server).or_insert((budget, Vec::new())).1.push(n);
        }
    }
    for (budget, feeds) in servers.into_values() {
        let shares: Vec<BudgetShare> = feeds
            .iter()
            .map(|n| BudgetShare {
                interval: usual_interval(&subscriptions[*n].schedule),
                mean_bytes: mean_bytes.get(*n).copied().flatten().unwrap_or(UNKNOWN),
            })
            .collect();
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

/// The interval that the traffic is computed from. A learned one is at least the shortest.
fn usual_interval(settings: &schedule::Settings) -> Duration {
    match settings.interval_mode {
        IntervalMode::Fixed => settings.interval,
        IntervalMode::Auto => settings.min_interval,
    }
}

fn stretched_settings(settings: &schedule::Settings, factor: f64) -> schedule::Settings {
    let interval = stretched(settings.interval, factor);
    let min_interval = match settings.interval_mode {
        IntervalMode::Fixed => settings.min_interval,
        IntervalMode::Auto => stretched(settings.min_interval, factor),
    };
    let max_interval = settings.max_interval.max(interval).max(min_interval);
    schedule::Settings { interval, min_interval, max_interval, ..settings.clone() }
}

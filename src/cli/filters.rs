//! What the filters of a config match of the stored items: warnings of `newswire check`, and a part of
//! `newswire replay`.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::config::{Config, Diagnostic, Report};
use crate::model::{FeedKey, Filter};
use crate::outputs::{self, FilterEffect, feed_filter_effects, output_filter_effects};
use crate::store::{Reader, Transaction};

/// Smallest number of examined items that a warning is based on: the rule may be for rare items.
const ENOUGH: usize = 100;
/// The same for a rule that leaves nothing to be shown.
const FEW: usize = 10;

/// The effect of each rule of the filters of feeds, on the items that were seen since.
///
/// # Errors
/// When the database fails.
pub(super) fn effects(
    reader: &Transaction<'_>,
    config: &Config,
    since: Timestamp,
) -> Result<Vec<FilterEffect>, outputs::Error> {
    let by_url: HashMap<&str, &[Filter]> = config
        .subscriptions
        .iter()
        .filter(|subscription| !subscription.filters.is_empty())
        .map(|subscription| (subscription.feed.url.as_str(), &*subscription.filters))
        .collect();
    let feeds = reader.feeds()?;
    let filters: HashMap<FeedKey, &[Filter]> =
        feeds.iter().filter_map(|feed| Some((feed.key, *by_url.get(feed.url.as_str())?))).collect();
    feed_filter_effects(reader, &filters, since)
}

/// Adds a warning for each rule that matches none or all of the stored items. Without a database, or with one that
/// cannot be read, there are none.
pub(super) fn check(config: &Config, report: &mut Report) {
    let Ok(reader) = Reader::open(&config.store.path) else { return };
    let all = reader.read(|reader| -> Result<_, outputs::Error> {
        let mut all = Vec::new();
        for output in &config.outputs {
            let name = format!("the output {:?}", output.id);
            all.push((name, output_filter_effects(reader, output)?));
        }
        all.push(("feeds".to_owned(), effects(reader, config, Timestamp::MIN)?));
        Ok(all)
    });
    for (owner, effects) in all.unwrap_or_default() {
        let is_refusal = |effect: &FilterEffect| {
            effect.rule.starts_with("exclude") || effect.rule == Filter::NOT_INCLUDED
        };
        let includes = effects.iter().filter(|effect| !is_refusal(effect)).count();
        let leaves_nothing = |effect: &FilterEffect| match effect.matched {
            0 => !is_refusal(effect) && includes == 1,
            all => is_refusal(effect) && all == effect.examined,
        };
        let least = |effect: &FilterEffect| if leaves_nothing(effect) { FEW } else { ENOUGH };
        for effect in effects.iter().filter(|effect| effect.examined >= least(effect)) {
            report.push(match effect.matched {
                0 => warning("filter_matches_nothing", &owner, effect, "none"),
                all if all == effect.examined => {
                    warning("filter_matches_all", &owner, effect, "each")
                }
                _ => continue,
            });
        }
    }
}

fn warning(code: &'static str, owner: &str, effect: &FilterEffect, how_many: &str) -> Diagnostic {
    let FilterEffect { rule, examined, .. } = effect;
    let message =
        format!("a filter of {owner} matches {how_many} of the newest {examined} items: {rule}");
    let help = "check it for typos; 'newswire replay' shows what a changed filter takes";
    Diagnostic::warning(code, 0..0, message).of_the_file().help(help)
}

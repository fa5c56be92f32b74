//! The difference between two setups, as text. Pure.

use std::fmt;
use std::sync::Arc;

use super::listeners::ListenerChange;
use super::setup::Setup;
use crate::normalise::Selector;
use crate::poll::{Subscription, Target};
use crate::render::{Logo, Output, Theme, Token};

/// The changes of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Ids of new feeds.
    pub added: Vec<String>,
    /// Ids of removed feeds. Their items stay in the database.
    pub removed: Vec<String>,
    /// Ids of feeds with other settings.
    pub changed: Vec<String>,
    /// Ids of new outputs.
    pub new_outputs: Vec<String>,
    /// Ids of removed outputs.
    pub removed_outputs: Vec<String>,
    /// Ids of outputs with other settings.
    pub changed_outputs: Vec<String>,
    /// Config keys outside feeds and outputs whose new values are applied.
    pub values: Vec<&'static str>,
    /// Config keys whose new values need a restart.
    pub restart: Vec<&'static str>,
}

impl Change {
    /// Compares two setups. `listener` is the change of the listening sockets.
    pub(crate) fn between(before: &Setup, after: &Setup, listener: &ListenerChange) -> Self {
        let name = |target: &&Target| target.id.to_string();
        let is_new = |target: &&Target| before.target(target.key).is_none();
        let is_gone = |target: &&Target| after.target(target.key).is_none();
        let (old_feeds, new_feeds) = (before.configured(), after.configured());
        let differs = |target: &&Target| {
            let pair = old_feeds.get(&target.key).zip(new_feeds.get(&target.key));
            pair.is_some_and(|(old, new)| !same_feed(old, new))
        };
        let ids = |outputs: &[Arc<Output>], is_listed: &dyn Fn(&Output) -> bool| -> Vec<String> {
            outputs.iter().filter(|o| is_listed(o)).map(|output| output.id.clone()).collect()
        };
        let (old, new) = (&before.output_set.outputs, &after.output_set.outputs);
        let find = |outputs: &[Arc<Output>], id: &str| -> Option<Arc<Output>> {
            outputs.iter().find(|output| output.id == id).cloned()
        };
        let other =
            |output: &Output| find(old, &output.id).is_some_and(|old| !same_output(&old, output));
        let needs_restart = |key: &&'static str| match *key {
            "store.path" | "log.format" => true,
            "web.listen" => matches!(listener, ListenerChange::AfterRestart),
            _ => false,
        };
        let (restart, values) = after.differing_keys(before).into_iter().partition(needs_restart);
        Self {
            added: after.targets.iter().filter(is_new).map(|target| name(&target)).collect(),
            removed: before.targets.iter().filter(is_gone).map(|target| name(&target)).collect(),
            changed: after.targets.iter().filter(differs).map(|target| name(&target)).collect(),
            new_outputs: ids(new, &|output| find(old, &output.id).is_none()),
            removed_outputs: ids(old, &|output| find(new, &output.id).is_none()),
            changed_outputs: ids(new, &other),
            values,
            restart,
        }
    }
}

/// Whether two outputs are equal. The debug output contains everything except the token and the texts of the theme.
fn same_output(old: &Output, new: &Output) -> bool {
    let token = |output: &Output| output.token.as_ref().map(Token::query);
    same_theme(&old.theme, &new.theme)
        && token(old) == token(new)
        && format!("{old:?}") == format!("{new:?}")
}

fn same_theme(old: &Theme, new: &Theme) -> bool {
    // Without `..`, so that no setting is forgotten.
    let Theme { stylesheet, stylesheet_only, header, footer, logo } = old;
    let same_logo = |old: &Option<Logo>, new: &Option<Logo>| match (old, new) {
        (None, None) => true,
        (Some(Logo { bytes, media_type }), Some(new)) => {
            *bytes == new.bytes && *media_type == new.media_type
        }
        _ => false,
    };
    *stylesheet == new.stylesheet
        && *stylesheet_only == new.stylesheet_only
        && *header == new.header
        && *footer == new.footer
        && same_logo(logo, &new.logo)
}

/// Whether a feed and its settings are equal.
fn same_feed(old: &Subscription, new: &Subscription) -> bool {
    // Without `..`, so that no setting is forgotten.
    let Subscription { feed, schedule, fetch, dedupe, filters, remove, max_items } = old;
    *feed == new.feed
        && *schedule == new.schedule
        && *fetch == new.fetch
        && *dedupe == new.dedupe
        && *max_items == new.max_items
        && remove.iter().map(Selector::as_str).eq(new.remove.iter().map(Selector::as_str))
        // The debug output of a regular expression is its pattern.
        && format!("{filters:?}") == format!("{:?}", new.filters)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMED: usize = 5;
        let lists = [
            ("feeds added", &self.added),
            ("feeds removed", &self.removed),
            ("feeds changed", &self.changed),
            ("outputs added", &self.new_outputs),
            ("outputs removed", &self.removed_outputs),
            ("outputs changed", &self.changed_outputs),
        ];
        let mut parts = Vec::new();
        for (what, names) in lists.iter().filter(|(_, names)| !names.is_empty()) {
            let more = if names.len() > NAMED { ", …" } else { "" };
            let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>();
            parts.push(format!("{what}: {} ({}{more})", names.len(), first.join(", ")));
        }
        if !self.values.is_empty() {
            parts.push(format!("changed: {}", self.values.join(", ")));
        }
        if parts.is_empty() {
            parts.push("no changes".to_owned());
        }
        if !self.restart.is_empty() {
            let keys = self.restart.join(", ");
            parts.push(format!("a restart is needed for: {keys}"));
        }
        f.write_str(&parts.join("; "))
    }
}

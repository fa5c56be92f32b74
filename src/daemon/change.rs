//! What a reload changed, in words: pure.

use std::collections::BTreeSet;
use std::fmt;

use super::doors::Next;
use super::setup::Setup;
use crate::poll::{Subscription, Target};

/// What another config changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Feeds that were not there before.
    pub added: Vec<String>,
    /// Feeds that are no longer there; what they brought is kept.
    pub removed: Vec<String>,
    /// Feeds that something else holds for now.
    pub changed: Vec<String>,
    /// Outputs that were not there before.
    pub new_outputs: Vec<String>,
    /// Outputs that are no longer there.
    pub gone_outputs: Vec<String>,
    /// Keys of newswire itself that have another value, which is in force.
    pub values: Vec<&'static str>,
    /// Keys that have another value, which only a restart heeds.
    pub restart: Vec<&'static str>,
}

impl Change {
    /// Compares two setups, of which the second came with this for a door.
    pub(crate) fn between(before: &Setup, after: &Setup, next: &Next) -> Self {
        let name = |target: &&Target| target.id.to_string();
        let is_new = |target: &&Target| before.target(target.key).is_none();
        let is_gone = |target: &&Target| after.target(target.key).is_none();
        let differs = |target: &&Target| {
            let old = before.target(target.key);
            old.is_some_and(|old| !same(&old.subscription, &target.subscription))
        };
        let outputs = |setup: &Setup| -> BTreeSet<String> {
            setup.edition.outputs.iter().map(|output| output.id.clone()).collect()
        };
        let (old, new) = (outputs(before), outputs(after));
        let restart = [
            ("store.path", before.store != after.store),
            ("log.format", before.log.format != after.log.format),
            ("web.listen", matches!(next, Next::Kept) && before.web.listen != after.web.listen),
        ];
        let values = [
            ("web.listen", matches!(next, Next::Other(_))),
            ("web", before.web != after.web && before.web.listen == after.web.listen),
            ("log.level", before.log.level != after.log.level),
            ("store.retention", before.retention != after.retention),
        ];
        Self {
            values: values.iter().filter(|(_, changed)| *changed).map(|(key, _)| *key).collect(),
            added: after.targets.iter().filter(is_new).map(|target| name(&target)).collect(),
            removed: before.targets.iter().filter(is_gone).map(|target| name(&target)).collect(),
            changed: after.targets.iter().filter(differs).map(|target| name(&target)).collect(),
            new_outputs: new.difference(&old).cloned().collect(),
            gone_outputs: old.difference(&new).cloned().collect(),
            restart: restart.iter().filter(|(_, changed)| *changed).map(|(key, _)| *key).collect(),
        }
    }
}

/// Whether nothing else holds for the feed.
fn same(old: &Subscription, new: &Subscription) -> bool {
    old.feed == new.feed
        && old.schedule == new.schedule
        && old.fetch == new.fetch
        && old.dedupe == new.dedupe
        && old.max_items == new.max_items
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMED: usize = 5;
        let lists = [
            ("feeds added", &self.added),
            ("feeds removed", &self.removed),
            ("feeds changed", &self.changed),
            ("outputs added", &self.new_outputs),
            ("outputs removed", &self.gone_outputs),
        ];
        let mut said = Vec::new();
        for (what, names) in lists.iter().filter(|(_, names)| !names.is_empty()) {
            let more = if names.len() > NAMED { ", …" } else { "" };
            let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>();
            said.push(format!("{what}: {} ({}{more})", names.len(), first.join(", ")));
        }
        if !self.values.is_empty() {
            said.push(format!("changed: {}", self.values.join(", ")));
        }
        if said.is_empty() {
            said.push("no feed and no output came or went or changed its keys".to_owned());
        }
        if !self.restart.is_empty() {
            let keys = self.restart.join(", ");
            said.push(format!("restart newswire for {keys}: until then the old value holds"));
        }
        f.write_str(&said.join("; "))
    }
}

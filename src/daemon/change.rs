//! The difference between two setups, as text. Pure.

use std::fmt;
use std::sync::Arc;

use super::listeners::ListenerChange;
use super::setup::Setup;
use crate::poll::{Subscription, Target};
use crate::render::{Output, Token};

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
        let differs = |target: &&Target| {
            let old = before.target(target.key);
            old.is_some_and(|old| !same(&old.subscription, &target.subscription))
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
        let restart = [
            ("store.path", before.store != after.store),
            ("log.format", before.log.format != after.log.format),
            (
                "web.listen",
                matches!(listener, ListenerChange::AfterRestart)
                    && before.web.listen != after.web.listen,
            ),
        ];
        let values = [
            ("web.listen", matches!(listener, ListenerChange::Replace(..))),
            ("web", before.web != after.web && before.web.listen == after.web.listen),
            ("log.level", before.log.level != after.log.level),
            ("store.retention", before.retention != after.retention),
        ];
        Self {
            values: values.iter().filter(|(_, changed)| *changed).map(|(key, _)| *key).collect(),
            added: after.targets.iter().filter(is_new).map(|target| name(&target)).collect(),
            removed: before.targets.iter().filter(is_gone).map(|target| name(&target)).collect(),
            changed: after.targets.iter().filter(differs).map(|target| name(&target)).collect(),
            new_outputs: ids(new, &|output| find(old, &output.id).is_none()),
            removed_outputs: ids(old, &|output| find(new, &output.id).is_none()),
            changed_outputs: ids(new, &other),
            restart: restart.iter().filter(|(_, changed)| *changed).map(|(key, _)| *key).collect(),
        }
    }
}

/// Whether two outputs are equal. The debug output contains everything except the token.
fn same_output(old: &Output, new: &Output) -> bool {
    let token = |output: &Output| output.token.as_ref().map(Token::query);
    format!("{old:?}") == format!("{new:?}") && token(old) == token(new)
}

/// Whether feed and settings are equal.
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

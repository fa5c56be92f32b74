//! `[[server]]`: servers with manners of their own, those that are known and those of the config.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeTable;
use url::Url;

use super::key;
use super::report::{Diagnostic, Report};
use super::section::{Section, take};
use super::table::{self, Defaults};
use super::value;
use crate::poll::Subscription;
use crate::schedule;

/// Servers that are known to need other manners.
pub(super) const KNOWN: &str = include_str!("servers.toml");

/// Servers with manners of their own, by registrable domain.
#[derive(Debug, Default)]
pub(super) struct Servers(HashMap<String, Arc<schedule::Settings>>);

impl Servers {
    /// The servers that are known to need other manners, and those that the config names.
    pub(super) fn read(root: &Section<'_>, defaults: &Defaults, report: &mut Report) -> Self {
        let mut servers = Self::default();
        let (known, _) = DeTable::parse_recoverable(KNOWN);
        let mut faults = Report::default();
        let sections = Section::root(known.get_ref(), Path::new(""));
        servers.add(&sections.all("server", "[[server]]", &mut faults), defaults, &mut faults);
        debug_assert!(faults.is_empty(), "{faults:?}");
        servers.add(&root.all("server", "[[server]]", report), defaults, report);
        servers
    }

    /// Takes in a list of `[[server]]`; those of the config build on those that are known.
    fn add(&mut self, sections: &[Section<'_>], defaults: &Defaults, report: &mut Report) {
        let mut named: HashMap<String, Range<usize>> = HashMap::new();
        for section in sections {
            section.refuse_unknown(&key::server_names(), report);
            let Some(text) = section.text("host", report) else {
                if !section.has("host") {
                    let span = section.span("host");
                    let fault = Diagnostic::error("missing_key", span, "a server without host");
                    report.push(fault.help("write host = \"example.org\""));
                }
                continue;
            };
            let host = take(value::site(&text.text), "bad_host", text.span.clone(), report);
            let Some(host) = host else { continue };
            if let Some(earlier) = named.insert(host.clone(), text.span.clone()) {
                let message = format!("the host {host:?} has two [[server]]");
                let fault = Diagnostic::error("duplicate_server", text.span, message);
                report.push(fault.also(earlier, "first here").help("make one of them"));
                continue;
            }
            let base = self.0.get(&host).unwrap_or(&defaults.schedule);
            // A server's minimum lifts the interval of all, however short that is.
            let mut heard = Report::default();
            let floor = section.parsed("min_interval", "", value::duration, &mut heard);
            let floor = floor.unwrap_or_default();
            let base = schedule::Settings {
                interval: base.interval.max(floor),
                max_interval: base.max_interval.max(floor),
                ..(**base).clone()
            };
            let settings = Arc::new(table::schedule(section, &base, report));
            self.0.insert(host, settings);
        }
    }

    pub(super) fn of(&self, url: &Url) -> Option<&Arc<schedule::Settings>> {
        self.0.get(crate::model::site(url))
    }
}

/// So many feeds on one server are a crowd,
const CROWD: usize = 10;
/// whose requests are kept further apart, unless the config says how far.
const APART: Duration = Duration::from_secs(10);

/// Keeps the requests to servers with many feeds further apart.
pub(super) fn spread_crowds(subscriptions: &mut [Subscription], defaults: &Defaults) {
    let mut crowds: HashMap<String, usize> = HashMap::new();
    for subscription in subscriptions.iter() {
        *crowds.entry(crate::model::site(&subscription.feed.url).to_owned()).or_default() += 1;
    }
    let apart = schedule::Settings { host_spacing: APART, ..(*defaults.schedule).clone() };
    let apart = Arc::new(apart);
    for subscription in subscriptions {
        let crowd =
            crowds.get(crate::model::site(&subscription.feed.url)).copied().unwrap_or_default();
        if crowd > CROWD && Arc::ptr_eq(&subscription.schedule, &defaults.schedule) {
            subscription.schedule = Arc::clone(&apart);
        }
    }
}

//! What no table can see alone: things named twice, things that are missing.

use std::collections::HashMap;
use std::ops::Range;

use super::report::{Diagnostic, Report};
use super::section::Section;
use crate::poll::Subscription;
use crate::web;

/// Reports every id and address that is used twice.
pub(super) fn twice(
    what: &str,
    code: &'static str,
    found: &[(String, Range<usize>)],
    report: &mut Report,
) {
    let mut first: HashMap<&str, &Range<usize>> = HashMap::with_capacity(found.len());
    for (name, span) in found {
        match first.get(name.as_str()) {
            None => drop(first.insert(name, span)),
            Some(earlier) => {
                let message = format!("the {what} {name:?} is used twice");
                let fault = Diagnostic::error(code, span.clone(), message);
                report
                    .push(fault.also((*earlier).clone(), "first here").help("remove one of them"));
            }
        }
    }
}

/// Where newswire's own pages are: an output of that id could not be reached.
const OWN: &[&str] = &[
    "health",
    "health.atom",
    "healthz",
    "metrics",
    "readyz",
    "status",
    "status.json",
    "style.css",
    "subscriptions.opml",
];

/// Reports every output that stands where a page of newswire's own does.
pub(super) fn taken(outputs: &[(String, Range<usize>)], report: &mut Report) {
    for (id, span) in outputs.iter().filter(|(id, _)| OWN.contains(&id.as_str())) {
        let message = format!("the output id {id:?} is the address of a page of newswire's own");
        let fault = Diagnostic::error("duplicate_output", span.clone(), message);
        report.push(fault.help("choose another id"));
    }
}

/// Makes one feed of all that have one address: it is asked once, for all of them.
pub(super) fn merged(
    feeds: Vec<(Subscription, Range<usize>)>,
    report: &mut Report,
) -> Vec<Subscription> {
    let mut first: HashMap<String, (usize, Range<usize>)> = HashMap::with_capacity(feeds.len());
    let mut kept: Vec<Subscription> = Vec::with_capacity(feeds.len());
    for (subscription, span) in feeds {
        let address = subscription.feed.url.to_string();
        let Some((n, earlier)) = first.get(&address) else {
            first.insert(address, (kept.len(), span));
            kept.push(subscription);
            continue;
        };
        let (feed, other) = (&mut kept[*n].feed, subscription.feed);
        let message = format!("the feed address {address:?} is used twice");
        if feed.id.is_some() && other.id.is_some() && feed.id != other.id {
            let fault = Diagnostic::error("duplicate_feed", span, message);
            let fault = fault.also(earlier.clone(), "first here, with another id");
            report.push(fault.help("one address is one feed: remove one of them"));
            continue;
        }
        let fault = Diagnostic::warning("merged_feeds", span, message);
        let fault = fault.also(earlier.clone(), "first here, and these settings hold");
        report.push(fault.help("it is asked once and has the tags of both; remove one of them"));
        feed.id = feed.id.take().or(other.id);
        feed.title = feed.title.take().or(other.title);
        let new: Vec<String> =
            other.tags.into_iter().filter(|tag| !feed.tags.contains(tag)).collect();
        feed.tags.extend(new);
    }
    kept
}

/// Warns of what is missing as a whole.
pub(super) fn missing(
    root: &Section<'_>,
    subscriptions: &[Subscription],
    web: &web::Settings,
    report: &mut Report,
) {
    let mut warn = |code, message: &str, help: &str| {
        report.push(Diagnostic::warning(code, 0..0, message).of_the_file().help(help));
    };
    if !root.has("feed") && !root.has("subscriptions") {
        warn(
            "no_feeds",
            "no feeds",
            "'newswire add URL' adds one, 'newswire import FILE --append' a list",
        );
    }
    if !root.has("output") {
        warn(
            "no_outputs",
            "no outputs: items are collected, but nothing is published",
            "add an [[output]] with an id",
        );
    }
    let asked =
        subscriptions.iter().any(|s| s.fetch.contact.is_none() && s.fetch.user_agent.is_none());
    if asked {
        warn(
            "no_contact",
            "no contact: site owners cannot tell who polls them",
            "set contact in [fetch] to a page or a mail address of yours",
        );
    }
    let mut heard = Report::default();
    let section = root.inner("web", "[web]", &mut heard);
    let listen = section.filter(|web| web.has("listen")).map(|web| web.span("listen"));
    let mut warn = |code, message: &str, help: &str| {
        let fault = Diagnostic::warning(code, listen.clone().unwrap_or_default(), message);
        let fault = if listen.is_none() { fault.of_the_file() } else { fault };
        report.push(fault.help(help));
    };
    let outside = web.listen.is_none_or(|address| !address.ip().is_loopback());
    if web.listen.is_some() && outside && web.public_url.is_none() && web.hosts.is_empty() {
        warn(
            "any_host",
            "serves on an address that others reach, and answers to any name: a web page of anybody can read it through a reader's browser",
            "set public_url in [web], or hosts to the names that it goes by",
        );
    }
    if web.public_url.is_none() && outside && root.has("output") {
        warn(
            "no_public_url",
            "no public_url: served feeds contain the host of each request, and files the address of this machine",
            "set public_url in [web] to the URL that feed readers use",
        );
    }
}

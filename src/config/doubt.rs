//! What holds but is hardly meant: outputs that no feed reaches, feeds that no output shows, filters
//! that match everything.
//!
//! Judged by tags and feeds alone; what else an output asks for is known only of items.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use url::Url;

use super::loaded::Config;
use super::near::nearest;
use super::report::{Diagnostic, Report};
use super::section::Section;
use crate::model::{Feed, FeedId};
use crate::render::{Format, Output, Rules};

/// Warns of all that is doubtful in a config as a whole; what an output asks for by name and no feed
/// has is an error, unless a list that is followed may bring it.
pub(super) fn doubts(
    (outputs, feeds): (&[Section<'_>], &[Section<'_>]),
    config: &Config,
    report: &mut Report,
) {
    let known: Vec<Known<'_>> =
        config.subscriptions.iter().map(|subscription| Known::of(&subscription.feed)).collect();
    for output in outputs {
        named(output, &known, config, report);
        everything(output, report);
    }
    // Some output may have had a fault of its own and be left out.
    if outputs.len() != config.outputs.len() {
        return;
    }
    for (section, output) in outputs.iter().zip(&config.outputs) {
        unreached(section, output, &known, report);
        unread(section, output, report);
        shown_files(section, output, config, report);
    }
    unshown((outputs, feeds), config, report);
}

/// What is known of a feed before it is asked.
struct Known<'c> {
    feed: &'c Feed,
    id: String,
}

impl<'c> Known<'c> {
    fn of(feed: &'c Feed) -> Self {
        let id = feed.id.clone().unwrap_or_else(|| FeedId::derive(&feed.url));
        Self { feed, id: id.to_string() }
    }

    fn has(&self, rules: &Rules) -> (bool, bool) {
        let tag = rules.tags.iter().any(|tag| self.feed.tags.contains(tag));
        (tag, rules.feeds.contains(&self.id))
    }

    /// Whether items of it may be shown.
    fn reaches(&self, output: &Output) -> bool {
        let (tag, feed) = self.has(&output.include);
        let (no_tag, no_feed) = self.has(&output.exclude);
        let taken =
            (output.include.tags.is_empty() || tag) && (output.include.feeds.is_empty() || feed);
        taken && !no_tag && !no_feed
    }
}

/// Tags and feeds that an output asks for and no feed has.
fn named(output: &Section<'_>, known: &[Known<'_>], config: &Config, report: &mut Report) {
    let tags: HashSet<&str> =
        known.iter().flat_map(|known| &known.feed.tags).map(String::as_str).collect();
    let ids: HashSet<&str> = known.iter().map(|known| known.id.as_str()).collect();
    // Their faults were reported when they were read.
    let mut heard = Report::default();
    for part in ["include", "exclude"] {
        let Some(rules) = output.inner(part, "rules", &mut heard) else { continue };
        for (key, names) in [("tags", &tags), ("feeds", &ids)] {
            for placed in rules.list(key, &mut heard).into_iter().flatten() {
                if names.contains(placed.text.as_str()) {
                    continue;
                }
                let what = if key == "tags" { "has the tag" } else { "has the id" };
                let message = format!("no feed {what} {:?}", placed.text);
                let certain = part == "include" && config.followed.is_empty();
                let fault = match certain {
                    true => Diagnostic::error("no_such_feed", placed.span, message),
                    false => Diagnostic::warning("no_such_feed", placed.span, message),
                };
                report.push(match nearest(&placed.text, names.iter().copied()) {
                    Some(near) => fault.meant(near),
                    None if key == "tags" => fault.help("give it to a feed, or take it out"),
                    None => {
                        fault.help("'newswire status' lists the ids; take it out if it is gone")
                    }
                });
            }
        }
    }
}

/// Filters that let all pass, or nothing.
fn everything(output: &Section<'_>, report: &mut Report) {
    let mut heard = Report::default();
    for part in ["include", "exclude"] {
        let Some(rules) = output.inner(part, "rules", &mut heard) else { continue };
        for key in ["title", "content"] {
            let Some(placed) = rules.text(key, &mut heard) else { continue };
            let all = |regex: Regex| regex.is_match("") && regex.is_match("Zq~7 \u{f8}");
            if !Regex::new(&placed.text).is_ok_and(all) {
                continue;
            }
            let message = match part {
                "include" => format!("this {key} is met by every story"),
                _ => format!("this {key} is met by every story, so that none is shown"),
            };
            let fault = Diagnostic::warning("matches_all", placed.span, message);
            report.push(fault.help("write a part of the text that it is about"));
        }
    }
}

/// Outputs that stay empty whatever the feeds bring.
fn unreached(section: &Section<'_>, output: &Output, known: &[Known<'_>], report: &mut Report) {
    let reaching = known.iter().filter(|known| known.reaches(output)).count();
    let told =
        |report: &Report| report.diagnostics.iter().any(|fault| fault.code == "no_such_feed");
    if reaching == 0 && !known.is_empty() && !told(report) {
        let message = format!("no feed reaches the output {:?}", output.id);
        let fault = Diagnostic::warning("unreached_output", section.span("include"), message);
        report.push(fault.help("include wants a tag and an id of one feed, and exclude neither"));
    } else if let Some(least) = output.min_feeds.filter(|least| *least > reaching && reaching > 0) {
        let message = format!("min_feeds = {least}, but only {reaching} feeds reach this output");
        let fault = Diagnostic::warning("unreached_output", section.span("min_feeds"), message);
        report.push(fault.help("it shows nothing: take fewer, or include more feeds"));
    }
}

/// Documents that few programs read.
fn unread(section: &Section<'_>, output: &Output, report: &mut Report) {
    if output.formats == [Format::Json] {
        let message = "many readers know no JSON Feed, and this output has no other format";
        let fault = Diagnostic::warning("few_readers", section.span("formats"), message);
        report.push(fault.help("add \"atom\" or \"rss\""));
    }
}

/// Folders that hold more than what is published, and ages that outlive the texts.
fn shown_files(section: &Section<'_>, output: &Output, config: &Config, report: &mut Report) {
    let store = &config.store;
    if output.directory.as_ref().is_some_and(|folder| store.path.starts_with(folder)) {
        let message = "the database lies in the folder that is published";
        let fault = Diagnostic::warning("public_database", section.span("directory"), message);
        report.push(fault.help("name a folder of its own: \"www\""));
    }
    if output.max_age.is_some_and(|age| age > store.retention) {
        let message = "max_age is longer than retention: old stories lose their texts";
        let fault = Diagnostic::warning("short_retention", section.span("max_age"), message);
        report.push(fault.help("raise retention in [store], or lower max_age"));
    }
}

/// Feeds that are polled for nothing, and tags that nobody asks for and that are nearly called as one.
fn unshown(
    (outputs, feeds): (&[Section<'_>], &[Section<'_>]),
    config: &Config,
    report: &mut Report,
) {
    if outputs.is_empty() || feeds.is_empty() {
        return;
    }
    let asked =
        |output: &Output| [output.include.tags.clone(), output.exclude.tags.clone()].concat();
    let asked: HashSet<String> = config.outputs.iter().flat_map(asked).collect();
    let known: HashMap<&str, &Feed> =
        config.subscriptions.iter().map(|s| (s.feed.url.as_str(), &s.feed)).collect();
    let mut heard = Report::default();
    for section in feeds {
        let Some(url) = section.text("url", &mut heard) else { continue };
        let parsed = Url::parse(url.text.trim()).ok();
        let feed = parsed.and_then(|url| known.get(url.as_str()).copied());
        let Some(known) = feed.map(Known::of) else { continue };
        if config.outputs.iter().any(|output| known.reaches(output)) {
            continue;
        }
        let tags = section.list("tags", &mut heard).unwrap_or_default();
        let slip = tags.into_iter().find_map(|tag| {
            let near = nearest(&tag.text, asked.iter().map(String::as_str))?;
            (near != tag.text).then(|| (tag, near.to_owned()))
        });
        report.push(match slip {
            Some((tag, near)) => {
                let message = format!("no output asks for the tag {:?}", tag.text);
                Diagnostic::warning("unused_tag", tag.span, message).meant(&near)
            }
            None => {
                let message = "no output shows this feed: it is polled for nothing";
                let fault = Diagnostic::warning("unshown_feed", url.span, message);
                fault.help("give it a tag that an output includes, or take it out")
            }
        });
    }
}

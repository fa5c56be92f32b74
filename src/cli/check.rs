//! `newswire check`: all errors and warnings of the config, and with `--online` what each feed answers.
//!
//! `--online` requests each feed as a poll would, within all limits and promises, and stores no items.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::add::summary::plain;
use super::arguments::{Format, Scope};
use super::document::DocumentError;
use super::online::{Online, Promises};
use super::{config_file, filters};
use crate::config::{Config, Diagnostic, Files, Loaded, PathChecks, Report, Style};
use crate::daemon::control::{CONTROL_SOCKET, is_socket_of};
use crate::fetch::FetcherError;
use crate::model::{Coded as _, Outcome, site};
use crate::poll::{Subscription, denial_line};
use crate::web::ListenAddress;

/// How the check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No errors, and every feed that was asked is there.
    Good,
    /// The config has errors.
    Broken,
    /// A feed could not be fetched or parsed.
    Unreached,
}

/// Prints the diagnostics of the config at `path`, and with `--online` what each of its feeds answers.
///
/// # Errors
/// When no HTTP client can be made.
pub(super) async fn run(
    path: &Path,
    (scope, promises): (Scope, Promises),
    form: Format,
    style: Style,
    print: impl Fn(&str),
) -> Result<Verdict, FetcherError> {
    let Loaded { config, mut report, .. } = Files::gather(path).read(PathChecks::Writing);
    if let Some(config) = &config {
        filters::check(config, &mut report);
        control_socket(config, &mut report);
    }
    // Text lists each feed when it answers; JSON is one value.
    let print_text = |text: &str| {
        if form == Format::Text {
            print(text);
        }
    };
    print_text(&report.draw(style));
    print_text(config.as_ref().map_or("", config_file::first_step));
    let answers = match config.filter(|_| scope == Scope::Feeds) {
        Some(config) => ask(&config, promises, |answer| print_text(&answer.text())).await?,
        None => Vec::new(),
    };
    let failed = answers.iter().filter(|answer| answer.answer.is_err()).count();
    if scope == Scope::Feeds && report.errors() == 0 {
        print_text(&format!("feeds: {}, of which {failed} failed\n", answers.len()));
    }
    if form == Format::Json {
        let diagnostics = report.to_json();
        let feeds = || answers.iter().map(Answer::json).collect::<Value>();
        let whole = match scope {
            Scope::Config => diagnostics,
            Scope::Feeds => json!({ "diagnostics": diagnostics, "feeds": feeds() }),
        };
        print(&format!("{whole:#}\n"));
    }
    Ok(match report.errors() {
        0 if failed > 0 => Verdict::Unreached,
        0 => Verdict::Good,
        _ => Verdict::Broken,
    })
}

/// Reports an address of the web server that is the path of the control socket.
fn control_socket(config: &Config, report: &mut Report) {
    let is_taken = |address: &&ListenAddress| is_socket_of(address, &config.store.path);
    if let Some(address) = config.web.listen.iter().find(is_taken) {
        let message = format!("cannot listen on {address}: {CONTROL_SOCKET}");
        let error = Diagnostic::error("bad_address", 0..0, message).of_the_file();
        report.push(error.help("name another file: \"unix:/run/newswire/web.sock\""));
    }
}

/// What one feed answered.
struct Answer {
    url: String,
    answer: Result<FeedAnswer, DocumentError>,
}

/// The answer of a feed that did not fail.
enum FeedAnswer {
    /// A document that can be read.
    Document {
        title: Option<String>,
        items: usize,
        /// Where it is now, after permanent redirects.
        moved: Option<String>,
    },
    /// It has not changed since the last poll.
    NotModified,
    /// It may not be requested now: until when, and why.
    Held(String),
}

impl Answer {
    fn text(&self) -> String {
        let mut text = String::new();
        let url = &self.url;
        let _ = match &self.answer {
            Ok(FeedAnswer::NotModified) => {
                writeln!(text, "ok      {url}: not modified since the last poll")
            }
            Ok(FeedAnswer::Held(why)) => writeln!(text, "held    {why}; --force requests it"),
            Ok(FeedAnswer::Document { title, items, moved }) => {
                let title = title.as_deref().unwrap_or("without a title");
                let moved = moved.as_ref().map_or_else(String::new, |to| {
                    format!("; moved permanently: set url = {to:?}")
                });
                writeln!(text, "ok      {url}: {title}, items: {items}{moved}")
            }
            Err(error) => {
                let help = error.help();
                let help = help.map_or_else(String::new, |help| format!("        help: {help}\n"));
                let code = error.code();
                writeln!(text, "failed  {url}: {error}\n{help}        newswire explain {code}")
            }
        };
        text
    }

    fn json(&self) -> Value {
        let (mut title, mut items, mut moved) = (None, None, None);
        if let Ok(FeedAnswer::Document { title: named, items: count, moved: to }) = &self.answer {
            (title, items, moved) = (named.as_deref(), Some(*count), to.as_deref());
        }
        let held = match &self.answer {
            Ok(FeedAnswer::Held(why)) => Some(why.as_str()),
            _ => None,
        };
        let failure = self.answer.as_ref().err();
        json!({
            "url": self.url,
            "ok": failure.is_none() && held.is_none(),
            "not_modified": matches!(self.answer, Ok(FeedAnswer::NotModified)),
            "held": held,
            "title": title,
            "items": items,
            "moved": moved,
            "code": failure.map(|failure| failure.code()),
            "message": failure.map(|failure| failure.to_string()),
            "help": failure.and_then(|failure| failure.help()),
        })
    }
}

/// Asks every feed once: hosts side by side, the feeds of one host one after the other.
async fn ask(
    config: &Config,
    promises: Promises,
    report: impl Fn(&Answer),
) -> Result<Vec<Answer>, FetcherError> {
    let online = Online::new(Some(config), promises)?;
    let places = Semaphore::new(config.concurrency);
    let mut hosts: BTreeMap<&str, Vec<(usize, &Subscription)>> = BTreeMap::new();
    for (n, subscription) in config.subscriptions.iter().enumerate() {
        hosts.entry(site(&subscription.feed.url)).or_default().push((n, subscription));
    }
    let host = async |feeds: Vec<(usize, &Subscription)>| {
        let mut answers = Vec::with_capacity(feeds.len());
        for (n, subscription) in feeds {
            let place = places.acquire().await;
            let answer = one(&online, subscription).await;
            drop(place);
            report(&answer);
            answers.push((n, answer));
        }
        answers
    };
    let mut answers: Vec<_> =
        join_all(hosts.into_values().map(host)).await.into_iter().flatten().collect();
    answers.sort_by_key(|(n, _)| *n);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn one(online: &Online, subscription: &Subscription) -> Answer {
    let asked = &subscription.feed.url;
    let fetched = online.fetch(asked, &subscription.fetch, &subscription.schedule).await;
    let answer = match fetched {
        Ok(document) => document.parse().map_err(DocumentError::from).map(|parsed| {
            let permanent = document.permanent_url(asked);
            FeedAnswer::Document {
                title: parsed.feed.title.as_ref().map(plain).filter(|title| !title.is_empty()),
                items: parsed.feed.items.len(),
                moved: (permanent != *asked).then(|| permanent.to_string()),
            }
        }),
        Err(DocumentError::Absent { outcome: Outcome::NotModified, .. }) => {
            Ok(FeedAnswer::NotModified)
        }
        Err(DocumentError::Held { denied, now }) => Ok(FeedAnswer::Held(denial_line(&denied, now))),
        Err(failure) => Err(failure),
    };
    Answer { url: asked.to_string(), answer }
}

//! `newswire check`: all errors and warnings of the config, also filters that match none or all of the stored items, and with
//! `--online` what each feed and each followed list answers.
//!
//! `--online` requests them as a poll would, within all limits and promises, and stores no items.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

use super::add::discover::plain;
use super::arguments::{Format, Scope};
use super::config_file;
use super::online::{Document, DocumentError, Online, Promises};
use crate::config::{Config, Diagnostic, Files, Followed, Loaded, PathChecks, Report, Style};
use crate::daemon::control::{CONTROL_SOCKET, is_socket_of};
use crate::fetch::{self, FetcherError};
use crate::model::{Coded as _, FeedKey, Filter, Outcome, site};
use crate::opml;
use crate::outputs::{self, FilterEffect, feed_filter_effects, output_filter_effects};
use crate::poll::{Subscription, denial_line};
use crate::schedule;
use crate::store::{Reader, Transaction};
use crate::text::quoted::in_quotes;
use crate::web::ListenAddress;

/// How the check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No errors, and every feed that was asked is there.
    Good,
    /// The config has errors.
    Broken,
    /// A feed or a list could not be fetched or parsed.
    Unreached,
}

/// Prints the diagnostics of the config at `path`, and with `--online` what each of its feeds and lists answers.
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
        check_filters(config, &mut report);
        control_socket(config, &mut report);
    }
    // Text lists each feed and each list when it answers; JSON is one value.
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
        print_text(&totals(&answers));
    }
    if form == Format::Json {
        let diagnostics = report.to_json();
        let of = |kind: Kind| -> Value {
            answers.iter().filter(|answer| answer.kind == kind).map(Answer::json).collect()
        };
        let (feeds, lists) = (of(Kind::Feed), of(Kind::List));
        let whole = match scope {
            Scope::Config => diagnostics,
            Scope::Feeds => json!({ "diagnostics": diagnostics, "feeds": feeds, "lists": lists }),
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

/// The number of feeds and of lists, and of those that failed.
fn totals(answers: &[Answer]) -> String {
    let line = |(kind, name): (Kind, &str)| {
        let all = answers.iter().filter(|answer| answer.kind == kind);
        let failed = all.clone().filter(|answer| answer.answer.is_err()).count();
        let is_shown = kind == Kind::Feed || all.clone().next().is_some();
        is_shown.then(|| format!("{name}: {}, of which {failed} failed\n", all.count()))
    };
    [(Kind::Feed, "feeds"), (Kind::List, "lists")].into_iter().filter_map(line).collect()
}

/// What is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A feed.
    Feed,
    /// A followed list of feeds.
    List,
}

/// A feed or a list with the settings of its request.
#[derive(Clone, Copy)]
struct Asked<'c> {
    kind: Kind,
    url: &'c Url,
    fetch: &'c fetch::Settings,
    schedule: &'c schedule::Settings,
}

/// What one feed or list answered.
struct Answer {
    kind: Kind,
    url: String,
    answer: Result<GoodAnswer, DocumentError>,
}

/// An answer that is not a failure.
enum GoodAnswer {
    /// A document that can be read.
    Document {
        title: Option<String>,
        /// Number of items of a feed, or of feeds of a list.
        count: usize,
        /// Where it is now, after permanent redirects.
        moved: Option<String>,
    },
    /// It has not changed since the last request with a result.
    NotModified,
    /// It may not be requested now: until when, and why.
    Held(String),
    /// It is paused, and was not requested.
    Paused,
}

impl Answer {
    fn text(&self) -> String {
        let mut text = String::new();
        let url = &self.url;
        let _ = match &self.answer {
            Ok(GoodAnswer::NotModified) => {
                let last = if self.kind == Kind::Feed { "the last poll" } else { "its last copy" };
                writeln!(text, "ok      {url}: not modified since {last}")
            }
            Ok(GoodAnswer::Paused) => writeln!(text, "paused  {url}: not requested"),
            Ok(GoodAnswer::Held(why)) => writeln!(text, "held    {why}; --force requests it"),
            Ok(GoodAnswer::Document { title, count, moved }) => {
                let content = match self.kind {
                    Kind::Feed => {
                        let title = title.as_deref().unwrap_or("without a title");
                        format!("{title}, items: {count}")
                    }
                    Kind::List => format!("list of feeds: {count}"),
                };
                let moved = moved.as_ref().map_or_else(String::new, |to| {
                    format!("; moved permanently: set url = {to}", to = in_quotes(to))
                });
                writeln!(text, "ok      {url}: {content}{moved}")
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
        let (mut title, mut number, mut moved) = (None, None, None);
        if let Ok(GoodAnswer::Document { title: named, count, moved: to }) = &self.answer {
            (title, number, moved) = (named.as_deref(), Some(*count), to.as_deref());
        }
        let held = match &self.answer {
            Ok(GoodAnswer::Held(why)) => Some(why.as_str()),
            _ => None,
        };
        let failure = self.answer.as_ref().err();
        let paused = matches!(self.answer, Ok(GoodAnswer::Paused));
        let mut json = json!({
            "url": self.url,
            "ok": failure.is_none() && held.is_none() && !paused,
            "not_modified": matches!(self.answer, Ok(GoodAnswer::NotModified)),
            "held": held,
            "paused": paused,
            "moved": moved,
            "code": failure.map(|failure| failure.code()),
            "message": failure.map(|failure| failure.to_string()),
            "help": failure.and_then(|failure| failure.help()),
        });
        match self.kind {
            Kind::Feed => {
                json["title"] = title.into();
                json["items"] = number.into();
            }
            Kind::List => json["listed_feeds"] = number.into(),
        }
        json
    }
}

/// Asks every feed and every list on the web once: hosts side by side, those of one host one after the other.
async fn ask(
    config: &Config,
    promises: Promises,
    report: impl Fn(&Answer),
) -> Result<Vec<Answer>, FetcherError> {
    let online = Online::new(Some(config), promises)?;
    let places = Semaphore::new(config.concurrency);
    let list_schedule = schedule::Settings::default();
    let feeds = config.subscriptions.iter().map(asked_feed);
    let lists = config.followed.iter().filter_map(|list| match list {
        Followed::Web { url, .. } => {
            Some(Asked { kind: Kind::List, url, fetch: &config.fetch, schedule: &list_schedule })
        }
        Followed::File { .. } => None,
    });
    let mut hosts: BTreeMap<&str, Vec<(usize, Asked<'_>)>> = BTreeMap::new();
    for (n, asked) in feeds.chain(lists).enumerate() {
        hosts.entry(site(asked.url)).or_default().push((n, asked));
    }
    let host = async |of_host: Vec<(usize, Asked<'_>)>| {
        let mut answers = Vec::with_capacity(of_host.len());
        for (n, asked) in of_host {
            let place = places.acquire().await;
            let answer = one(&online, asked).await;
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

fn asked_feed(subscription: &Subscription) -> Asked<'_> {
    let Subscription { feed, fetch, schedule, .. } = subscription;
    Asked { kind: Kind::Feed, url: &feed.url, fetch, schedule }
}

async fn one(online: &Online, asked: Asked<'_>) -> Answer {
    let Asked { kind, url, fetch, schedule } = asked;
    if schedule.paused {
        return Answer { kind, url: url.to_string(), answer: Ok(GoodAnswer::Paused) };
    }
    let answer = match online.fetch(url, fetch, schedule).await {
        Ok(document) => read(kind, &document).map(|(title, count)| {
            let permanent = document.permanent_url(url);
            let moved = (permanent != *url).then(|| permanent.to_string());
            GoodAnswer::Document { title, count, moved }
        }),
        Err(DocumentError::Absent { outcome: Outcome::NotModified, .. }) => {
            Ok(GoodAnswer::NotModified)
        }
        Err(DocumentError::Held { denied, now }) => Ok(GoodAnswer::Held(denial_line(&denied, now))),
        Err(failure) => Err(failure),
    };
    Answer { kind, url: url.to_string(), answer }
}

/// The title of a feed and the number of its items, or the number of feeds of a list.
fn read(kind: Kind, document: &Document) -> Result<(Option<String>, usize), DocumentError> {
    match kind {
        Kind::Feed => {
            let feed = document.parse()?.feed;
            let title = feed.title.as_ref().map(plain).filter(|title| !title.is_empty());
            Ok((title, feed.items.len()))
        }
        Kind::List => Ok((None, opml::read_followed(&document.bytes)?.feeds.len())),
    }
}

/// Smallest number of examined items that a warning is based on: the rule may be for rare items.
const ENOUGH: usize = 100;
/// The same for a rule that leaves nothing to be shown.
const FEW: usize = 10;

/// The effect of each rule of the filters of feeds, on the items that were seen since.
///
/// # Errors
/// When the database fails.
pub(super) fn filter_effects(
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
fn check_filters(config: &Config, report: &mut Report) {
    let Ok(reader) = Reader::open(&config.store.path) else { return };
    let all = reader.read(|reader| -> Result<_, outputs::Error> {
        let mut all = Vec::new();
        for output in &config.outputs {
            let name = format!("the output {}", in_quotes(&output.id));
            all.push((name, output_filter_effects(reader, output)?));
        }
        all.push(("feeds".to_owned(), filter_effects(reader, config, Timestamp::MIN)?));
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

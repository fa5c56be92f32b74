//! From values in force to the settings of the rooms.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Weekday;
use tracing::level_filters::LevelFilter;
use url::Url;

use super::diagnostic::{Diagnostic, Report};
use super::resolve::{Chain, Values, schedule as schedule_values};
use super::secret::authorization;
use super::section::Layer;
use crate::fetch::Secret;
use crate::model::{Conditions, Filter};
use crate::normalise::Selector;
use crate::render::{
    AlsoAt, Content, Digest, DigestPeriod, Format, Images, Output, OutputIdentity, PodcastCategory,
    PodcastChannel, Presentation, Rewrite, ShownDate, Theme, Token,
};
use crate::schedule::{IntervalMode, PublisherHints};
use crate::telemetry::Format as LogFormat;
use crate::{dedupe, fetch, schedule, store, telemetry, web};

/// Shortest token, in characters.
const MIN_TOKEN: usize = 16;

pub(super) fn schedule(chain: &Chain<'_>) -> schedule::Settings {
    let (values, interval) = schedule_values(chain);
    let duration = |name| values.duration(name).unwrap_or_default();
    schedule::Settings {
        interval,
        interval_mode: match values.duration("interval") {
            Some(_) => IntervalMode::Fixed,
            None => IntervalMode::Auto,
        },
        min_interval: duration("min_interval"),
        max_interval: duration("max_interval"),
        publisher_hints: match values.word("publisher_hints") {
            Some("ignore") => PublisherHints::Ignore,
            _ => PublisherHints::Follow,
        },
        per_host: values.number("per_host").unwrap_or(1),
        host_spacing: duration("host_spacing"),
        budget: None,
        paused: values.flag("paused").unwrap_or_default(),
    }
}

pub(super) fn fetch(values: &Values) -> fetch::Settings {
    let secrets = values.secrets("authorization").into_iter().flatten();
    let authorization = secrets.map(|(name, secret)| (name, Secret(authorization(&secret.0))));
    fetch::Settings {
        contact: values.text("contact"),
        user_agent: values.text("user_agent"),
        timeout: values.duration("timeout").unwrap_or_default(),
        max_body: values.size("max_body").unwrap_or_default(),
        max_redirects: values.number("max_redirects").unwrap_or_default(),
        allow_networks: values.networks("allow_networks").unwrap_or_default(),
        ca: values.certificates("ca"),
        headers: authorization.chain(values.secrets("headers").into_iter().flatten()).collect(),
        proxy: values.url("proxy"),
        proxy_login: values
            .secrets("proxy_authorization")
            .and_then(|found| Some(found.into_iter().next()?.1)),
    }
}

pub(super) fn dedupe(values: &Values) -> dedupe::Settings {
    use dedupe::{AcrossFeeds, BurstGuard, IdentityRule, Similarity, Updates};
    dedupe::Settings {
        identity: match values.word("identity") {
            Some("key") => IdentityRule::Key,
            Some("title") => IdentityRule::Title,
            Some("date") => IdentityRule::Date,
            _ => IdentityRule::Auto,
        },
        across_feeds: match values.word("across_feeds") {
            Some("off") => AcrossFeeds::Off,
            Some("link") => AcrossFeeds::Link,
            _ => AcrossFeeds::Text,
        },
        window: values.duration("window").unwrap_or_default(),
        similarity: match values.word("similarity") {
            Some("strict") => Similarity::Strict,
            Some("loose") => Similarity::Loose,
            _ => Similarity::Normal,
        },
        updates: match values.word("updates") {
            Some("ignore") => Updates::Ignore,
            Some("bump") => Updates::Bump,
            _ => Updates::Silent,
        },
        initial_items: values.number("initial_items").unwrap_or_default(),
        burst_guard: match values.word("burst_guard") {
            Some("off") => BurstGuard::Off,
            _ => BurstGuard::Hold,
        },
    }
}

pub(super) fn store(values: &Values) -> store::Settings {
    store::Settings {
        path: values.path("path").unwrap_or_default(),
        retention: values.duration("retention").unwrap_or_default(),
        write_log: None,
    }
}

pub(super) fn web(values: &Values) -> web::Settings {
    use web::{MetricsPage, StatusPages};
    web::Settings {
        listen: values.listen("listen").unwrap_or_default(),
        samples: values.address("samples").flatten(),
        image_cache: values.size("image_cache").unwrap_or_default(),
        operators: values.networks("operators").unwrap_or_default(),
        public_url: values.url("public_url"),
        hosts: values.texts("hosts"),
        status: match values.word("status") {
            Some("open") => StatusPages::Open,
            Some("off") => StatusPages::Off,
            _ => StatusPages::Local,
        },
        metrics: match values.word("metrics") {
            Some("feeds") => MetricsPage::Feeds,
            Some("off") => MetricsPage::Off,
            _ => MetricsPage::On,
        },
    }
}

pub(super) fn log(values: &Values) -> telemetry::Settings {
    telemetry::Settings {
        level: match values.word("level") {
            Some("error") => LevelFilter::ERROR,
            Some("warn") => LevelFilter::WARN,
            Some("debug") => LevelFilter::DEBUG,
            Some("trace") => LevelFilter::TRACE,
            _ => LevelFilter::INFO,
        },
        format: match values.word("format") {
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some("journal") => LogFormat::Journal,
            _ => LogFormat::Auto,
        },
    }
}

/// An output; `None` if it has no valid id.
pub(super) fn output(layer: &Layer, base_url: &Url, report: &mut Report) -> Option<Output> {
    let values = Values::of(&Chain::of(layer), layer.section.accepted());
    let token = token(layer, &values, report);
    if values.flag("site") == Some(true) && !layer.may_set("directory") {
        let message = "the pages of a static site need a folder";
        let error = Diagnostic::error("contradiction", layer.span("site"), message);
        report.push(error.help("set directory, or remove site: Newswire serves the same pages"));
    }
    let id = values.text("id")?;
    let digest = digest(&values);
    let formats = values.words("formats").into_iter().flatten();
    Some(Output {
        title: values.text("title").unwrap_or_else(|| id.clone()),
        description: values.text("description"),
        link: values.url("link"),
        author: values.text("author"),
        formats: formats.filter_map(Format::from_extension).collect(),
        directory: values.path("directory"),
        token,
        items: match digest {
            Some(_) if !layer.sets("items") => Digest::ITEMS,
            _ => values.number("items").unwrap_or_default(),
        },
        max_age: values.duration("max_age"),
        per_feed: values.number("per_feed"),
        per_feed_percent: values.number("per_feed_percent"),
        min_feeds: values.number("min_feeds"),
        filter: filter(layer),
        rewrite: Rewrite {
            strip_tracking: values.flag("strip_tracking").unwrap_or_default(),
            titles: values.replacements("title_replace").unwrap_or_default(),
        },
        theme: Theme {
            stylesheet: values.page_text("stylesheet"),
            header: values.page_text("header"),
            footer: values.page_text("footer"),
            logo: values.picture("logo"),
        },
        presentation: match digest {
            // The text of a digest is its list of stories.
            Some(_) => Presentation { content: Content::Full, ..presentation(&values) },
            None => presentation(&values),
        },
        digest,
        deltas: values.flag("deltas").unwrap_or_default(),
        site: values.flag("site").unwrap_or_default(),
        base_url: base_url.clone(),
        // The daemon replaces it by the id in the database.
        identity: OutputIdentity::new(&id, Timestamp::UNIX_EPOCH),
        query: None,
        id,
    })
}

fn digest(values: &Values) -> Option<Digest> {
    let every = match values.word("digest")? {
        "weekly" => DigestPeriod::Weekly(match values.word("digest_day") {
            Some("tuesday") => Weekday::Tuesday,
            Some("wednesday") => Weekday::Wednesday,
            Some("thursday") => Weekday::Thursday,
            Some("friday") => Weekday::Friday,
            Some("saturday") => Weekday::Saturday,
            Some("sunday") => Weekday::Sunday,
            _ => Weekday::Monday,
        }),
        _ => DigestPeriod::Daily,
    };
    let hour = values.number("digest_hour").and_then(|hour| i8::try_from(hour).ok());
    let excerpts = values.word("content") != Some("none");
    Some(Digest { every, hour: hour.unwrap_or_default(), excerpts })
}

fn presentation(values: &Values) -> Presentation {
    Presentation {
        icon: values.url("icon"),
        language: values.text("language"),
        title_prefix: values.title_prefix("title_prefix"),
        content: match values.word("content") {
            Some("summary") => Content::Summary,
            Some("none") => Content::None,
            _ => Content::Full,
        },
        date: match values.word("date") {
            Some("first_seen") => ShownDate::FirstSeen,
            _ => ShownDate::Published,
        },
        also_at: match values.word("also_at") {
            Some("content") => AlsoAt::Content,
            _ => AlsoAt::Links,
        },
        images: match values.word("images") {
            Some("direct") => Images::Direct,
            Some("proxy") => Images::Proxy,
            _ => Images::Link,
        },
        time_zone: values.time_zone("time_zone"),
        podcast: values.word("podcast").and_then(PodcastCategory::named).map(|category| {
            PodcastChannel {
                category,
                explicit: values.flag("podcast_explicit").unwrap_or_default(),
                email: values.text("podcast_email"),
            }
        }),
    }
}

/// The filter of a section with `include` and `exclude`.
pub(super) fn filter(layer: &Layer) -> Filter {
    let tables = |name: &str| {
        let tables = layer.rules(name).iter().filter(|table| !table.is_blank());
        tables.map(|table| conditions(name, table)).collect()
    };
    Filter { include: tables("include"), exclude: tables("exclude") }
}

/// The selectors of a section with `remove`.
pub(super) fn remove(layer: &Layer) -> Vec<Selector> {
    let values = Values::of(&Chain::default().own(layer), layer.section.accepted());
    values.selectors("remove").unwrap_or_default()
}

fn conditions(name: &str, layer: &Layer) -> Conditions {
    let values = Values::of(&Chain::default().own(layer), layer.section.accepted());
    Conditions {
        text: format!("{name} = {}", layer.inline()),
        tags: values.texts("tags"),
        feeds: values.texts("feeds"),
        links: values.links("links").unwrap_or_default(),
        title: values.regex("title"),
        content: values.regex("content"),
        authors: values.texts("authors"),
        categories: values.texts("categories"),
        languages: values.texts("languages"),
        enclosures: values.flag("enclosures"),
        min_words: values.number("min_words"),
        max_words: values.number("max_words"),
        max_age: values.duration("max_age"),
    }
}

/// The token of an output, which must be hard to guess and does not protect files.
fn token(layer: &Layer, values: &Values, report: &mut Report) -> Option<Token> {
    let (_, Secret(secret)) = values.secrets("token")?.into_iter().next()?;
    let mut error = |code, message: &str, help: &str| {
        report.push(Diagnostic::error(code, layer.span("token"), message).help(help));
    };
    if secret.len() < MIN_TOKEN || secret.contains(' ') {
        let message = "a token must have at least 16 characters and no space";
        error("bad_token", message, "create one with 'openssl rand -hex 16'");
    }
    if layer.may_set("directory") {
        let help = "remove directory or token; a web server can ask for a password itself";
        error("contradiction", "a token does not protect the files in directory", help);
    }
    Some(Token::new(secret))
}

/// Settings that feeds share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) schedule: Arc<schedule::Settings>,
    pub(super) fetch: Arc<fetch::Settings>,
    pub(super) dedupe: Arc<dedupe::Settings>,
    pub(super) max_items: usize,
}

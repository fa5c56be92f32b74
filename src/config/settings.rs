//! From effective values to the settings of the rooms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Weekday;
use tracing::level_filters::LevelFilter;

use super::diagnostic::Report;
use super::followed::Followed;
use super::resolve::{self, Chain};
use super::secret::authorization as authorization_value;
use super::section::Layer;
use crate::fetch::Secret;
use crate::model::{Conditions, Filter};
use crate::normalise::Selector;
use crate::poll::Subscription;
use crate::render::{
    AlsoAt, Content, Digest, DigestPeriod, Format, Images, Output, OutputIdentity, PageText,
    PodcastCategory, PodcastChannel, Presentation, Rewrite, ShownDate, Theme, Token,
};
use crate::schedule::{IntervalMode, PublisherHints};
use crate::telemetry::Format as LogFormat;
use crate::{dedupe, fetch, schedule, store, telemetry, web};

/// A complete config without errors.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[schedule]`, for a feed that overrides nothing.
    pub schedule: Arc<schedule::Settings>,
    /// `[fetch]`, for a feed that overrides nothing.
    pub fetch: fetch::Settings,
    /// `[fetch] concurrency`: largest number of simultaneous requests.
    pub concurrency: usize,
    /// `[dedupe]`, for a feed that overrides nothing.
    pub dedupe: Arc<dedupe::Settings>,
    /// `[store]`; its path is absolute or relative to the working directory.
    pub store: store::Settings,
    /// `[web]`
    pub web: web::Settings,
    /// `[log]`
    pub log: telemetry::Settings,
    /// Every `[[output]]`, in the order of the file.
    pub outputs: Vec<Output>,
    /// Every feed with its effective settings: of `[[feed]]`, then of followed lists.
    pub subscriptions: Vec<Subscription>,
    /// The lists of every `[[subscriptions]]`, in the order of the file.
    pub followed: Vec<Followed>,
}

impl Config {
    /// Whether the subscriptions have the feeds of all followed lists.
    #[must_use]
    pub fn lists(&self) -> store::Lists {
        let is_unknown = |list: &Followed| matches!(list, Followed::Web { is_known: false, .. });
        match self.followed.iter().any(is_unknown) {
            true => store::Lists::Unknown,
            false => store::Lists::Known,
        }
    }

    /// The longest `window` of all feeds.
    #[must_use]
    pub fn window(&self) -> Duration {
        let of_feeds = self.subscriptions.iter().map(|subscription| subscription.dedupe.window);
        of_feeds.chain([self.dedupe.window]).max().unwrap_or_default()
    }
}

/// Shortest token, in characters.
const MIN_TOKEN: usize = 16;

pub(super) fn schedule(chain: Chain<'_>) -> schedule::Settings {
    let (values, interval) = resolve::schedule(chain);
    let duration = |name| values.get(name).unwrap_or_default();
    schedule::Settings {
        interval,
        interval_mode: match values.get::<Duration>("interval") {
            Some(_) => IntervalMode::Fixed,
            None => IntervalMode::Auto,
        },
        min_interval: duration("min_interval"),
        max_interval: duration("max_interval"),
        publisher_hints: values
            .choice("publisher_hints", &[PublisherHints::Follow, PublisherHints::Ignore]),
        per_host: values.get("per_host").unwrap_or(1),
        host_spacing: duration("host_spacing"),
        budget: None,
        paused: values.get("paused").unwrap_or_default(),
    }
}

pub(super) fn fetch(values: &Chain<'_>) -> fetch::Settings {
    let secrets = |key| values.get::<Vec<(String, Secret)>>(key).unwrap_or_default().into_iter();
    let authorization = secrets("authorization")
        .map(|(name, secret)| (name, Secret(authorization_value(&secret.0))));
    fetch::Settings {
        contact: values.get("contact"),
        user_agent: values.get("user_agent"),
        timeout: values.get("timeout").unwrap_or_default(),
        max_body: values.get("max_body").unwrap_or_default(),
        max_redirects: values.get("max_redirects").unwrap_or_default(),
        allow_networks: values.list("allow_networks"),
        ca: values.get("ca"),
        headers: authorization.chain(secrets("headers")).collect(),
        proxy: values.get("proxy"),
        proxy_login: secrets("proxy_authorization").next().map(|(_, secret)| secret),
    }
}

pub(super) fn dedupe(values: &Chain<'_>) -> dedupe::Settings {
    use dedupe::{AcrossFeeds, BurstGuard, IdentityRule, Similarity, Updates};
    dedupe::Settings {
        identity: values.choice(
            "identity",
            &[IdentityRule::Auto, IdentityRule::Key, IdentityRule::Title, IdentityRule::Date],
        ),
        across_feeds: values
            .choice("across_feeds", &[AcrossFeeds::Text, AcrossFeeds::Link, AcrossFeeds::Off]),
        window: values.get("window").unwrap_or_default(),
        similarity: values
            .choice("similarity", &[Similarity::Strict, Similarity::Normal, Similarity::Loose]),
        updates: values.choice("updates", &[Updates::Silent, Updates::Ignore, Updates::Bump]),
        initial_items: values.get("initial_items").unwrap_or_default(),
        burst_guard: values.choice("burst_guard", &[BurstGuard::Hold, BurstGuard::Off]),
    }
}

pub(super) fn store(values: &Chain<'_>) -> store::Settings {
    store::Settings {
        path: values.get("path").unwrap_or_default(),
        retention: values.get("retention").unwrap_or_default(),
        write_log: None,
    }
}

pub(super) fn web(values: &Chain<'_>) -> web::Settings {
    use web::{MetricsPage, StatusPages};
    web::Settings {
        listen: values.get("listen").unwrap_or_default(),
        samples: values.get::<Option<SocketAddr>>("samples").flatten(),
        image_cache: values.get("image_cache").unwrap_or_default(),
        operators: values.list("operators"),
        public_url: values.get("public_url"),
        hosts: values.list("hosts"),
        status: values.choice("status", &[StatusPages::Local, StatusPages::Open, StatusPages::Off]),
        metrics: values.choice("metrics", &[MetricsPage::On, MetricsPage::Feeds, MetricsPage::Off]),
    }
}

pub(super) fn log(values: &Chain<'_>) -> telemetry::Settings {
    let level = values.get::<&str>("level");
    telemetry::Settings {
        level: level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO),
        format: values.choice(
            "format",
            &[LogFormat::Auto, LogFormat::Text, LogFormat::Json, LogFormat::Journal],
        ),
    }
}

/// An output; `None` if it has no valid id.
pub(super) fn output(layer: &Layer, web: &web::Settings, report: &mut Report) -> Option<Output> {
    let values = Chain::of(layer);
    let token = token(layer, &values, report);
    if values.get("site") == Some(true) && !layer.may_set("directory") {
        let message = "the pages of a static site need a folder";
        let error = layer.error("contradiction", "site", message);
        report.push(error.help("set directory, or remove site: Newswire serves the same pages"));
    }
    let id: String = values.get("id")?;
    let formats = values.get::<Vec<&str>>("formats").unwrap_or_default().into_iter();
    let digest = digest(&values);
    let site = values.get("site").unwrap_or_default();
    Some(Output {
        title: values.get("title").unwrap_or_else(|| id.clone()),
        description: values.get("description"),
        link: values.get("link"),
        author: values.get("author"),
        formats: formats.filter_map(Format::from_extension).collect(),
        directory: values.get("directory"),
        token,
        items: match digest {
            Some(_) if !layer.sets("items") => Digest::ITEMS,
            _ => values.get("items").unwrap_or_default(),
        },
        max_age: values.get("max_age"),
        per_feed: values.get("per_feed"),
        per_feed_percent: values.get("per_feed_percent"),
        min_feeds: values.get("min_feeds"),
        filter: filter(layer),
        rewrite: Rewrite {
            strip_tracking: values.get("strip_tracking").unwrap_or_default(),
            titles: values.get("title_replace").unwrap_or_default(),
        },
        theme: Theme {
            stylesheet: values.get("stylesheet"),
            stylesheet_only: values.get("stylesheet_only").unwrap_or_default(),
            header: values.get("header"),
            footer: values.get("footer"),
            logo: values.get("logo"),
        },
        presentation: match digest {
            // The text of a digest is its list of stories.
            Some(_) => Presentation { content: Content::Full, ..presentation(&values) },
            None => presentation(&values),
        },
        digest,
        deltas: values.get("deltas").unwrap_or_default(),
        site,
        has_pages: site || !web.listen.is_empty(),
        base_url: web.base_url(),
        // The daemon replaces it by the id in the database.
        identity: OutputIdentity::new(&id, Timestamp::UNIX_EPOCH),
        filtered: None,
        private_feeds: Arc::default(),
        id,
    })
}

fn digest(values: &Chain<'_>) -> Option<Digest> {
    let every = match values.get::<&str>("digest")? {
        "off" => return None,
        "weekly" => DigestPeriod::Weekly(match values.get("digest_day") {
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
    let hour = values.get::<usize>("digest_hour").and_then(|hour| i8::try_from(hour).ok());
    let excerpts = values.get("content") != Some("none");
    Some(Digest { every, hour: hour.unwrap_or_default(), excerpts })
}

fn presentation(values: &Chain<'_>) -> Presentation {
    Presentation {
        icon: values.get("icon"),
        language: values.get("language"),
        title_prefix: values.get("title_prefix"),
        content: values.choice("content", &[Content::Full, Content::Summary, Content::None]),
        date: values.choice("date", &[ShownDate::Published, ShownDate::FirstSeen]),
        also_at: values.choice("also_at", &[AlsoAt::Links, AlsoAt::Content]),
        page_text: values.choice("page_text", &[PageText::Excerpt, PageText::Full]),
        images: values.choice("images", &[Images::Link, Images::Direct, Images::Proxy]),
        time_zone: values.get("time_zone"),
        podcast: values.get("podcast").and_then(PodcastCategory::named).map(|category| {
            PodcastChannel {
                category,
                explicit: values.get("podcast_explicit").unwrap_or_default(),
                email: values.get("podcast_email"),
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
    Chain::of(layer).list("remove")
}

fn conditions(name: &str, layer: &Layer) -> Conditions {
    let values = Chain::of(layer);
    Conditions {
        text: format!("{name} = {}", layer.inline()),
        tags: values.list("tags"),
        feeds: values.list("feeds"),
        links: values.list("links"),
        title: values.get("title"),
        content: values.get("content"),
        authors: values.list("authors"),
        categories: values.list("categories"),
        languages: values.list("languages"),
        enclosures: values.get("enclosures"),
        min_words: values.get("min_words"),
        max_words: values.get("max_words"),
        max_age: values.get("max_age"),
    }
}

/// The token of an output, which must be hard to guess and does not protect files.
fn token(layer: &Layer, values: &Chain<'_>, report: &mut Report) -> Option<Token> {
    let secrets: Vec<(String, Secret)> = values.get("token")?;
    let (_, Secret(secret)) = secrets.into_iter().next()?;
    let mut error = |code, message: &str, help: &str| {
        report.push(layer.error(code, "token", message).help(help));
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

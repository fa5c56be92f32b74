//! Papers that run an agency's text, and blogs, as RSS documents.

use std::sync::Arc;

use newswire::config::Config;
use newswire::daemon::{Engine, FeedSelection};
use newswire::dedupe::Settings;
use newswire::render::Format;
use url::Url;

use super::origin::Answer;
use super::world::{HOUR, World, poll};

/// An agency's text in this number of paragraphs, as a paper may print it.
pub(crate) const AGENCY: [&str; 4] = [
    "The ferry Halcyon ran aground in thick fog off the northern pier of Onverwacht on Saturday morning, with \
     forty-one passengers and nine crew on board, the coast guard said.",
    "Nobody was hurt. Fishing boats took the passengers off within two hours, among them a school choir that went \
     on singing until the last child had reached the quay.",
    "The captain told investigators that the radar had shown a clear channel. The harbour master said a sandbank had \
     moved by sixty metres since the last survey in autumn.",
    "Tugs will try to free the ship at high water on Sunday evening. Until then the island is served by a smaller \
     boat that takes no cars.",
];

pub(crate) struct Story<'a> {
    pub(crate) guid: &'a str,
    pub(crate) title: &'a str,
    pub(crate) link: String,
    pub(crate) text: String,
    pub(crate) date: &'a str,
}

pub(crate) fn story<'a>(guid: &'a str, title: &'a str, paragraphs: &[&str]) -> Story<'a> {
    let text = paragraphs.iter().map(|p| format!("&lt;p&gt;{p}&lt;/p&gt;")).collect();
    let link = format!("https://{guid}.test/{guid}");
    Story { guid, title, link, text, date: "Sun, 01 Jun 2025 08:00:00 GMT" }
}

pub(crate) fn rss(items: &[Story<'_>]) -> Answer {
    let items: String = items
        .iter()
        .map(|story| {
            let Story { guid, title, link, text, date } = story;
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>{link}</link>\
                 <description>{text}</description><pubDate>{date}</pubDate></item>"
            )
        })
        .collect();
    Answer::ok(format!("<rss version=\"2.0\"><channel><title>F</title>{items}</channel></rss>"))
}

pub(crate) fn one(world: &World, host: &str, story: Story<'_>) -> Url {
    world.origin.route(host, "/feed", [rss(&[story])]);
    world.origin.url(host, "/feed")
}

pub(crate) fn with(config: Config, change: impl Fn(&mut Settings)) -> Config {
    let mut config = config;
    for subscription in &mut config.subscriptions {
        let mut settings = (*subscription.dedupe).clone();
        change(&mut settings);
        subscription.dedupe = Arc::new(settings);
    }
    config
}

/// The config with publications that are JSON only and write no files: for tests that ask what is published, not how.
pub(crate) fn in_json(mut config: Config) -> Config {
    for output in &mut config.outputs {
        (output.formats, output.directory) = (vec![Format::Json], None);
    }
    config
}

pub(crate) async fn all(engine: &Engine) {
    poll(engine, FeedSelection::All).await;
}

/// Two hours later, every feed again.
pub(crate) async fn again(world: &World, engine: &Engine) {
    world.clock.advance(2 * HOUR);
    all(engine).await;
}

//! HTML to what is published: safe in the eyes of a simple judge, and the same when cleaned again.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use newswire::model::{ParsedItem, Text};
use newswire::normalise::{Context, item};
use url::Url;

fn cleaned(html: &str) -> Option<String> {
    let url = Url::parse("https://example.org/").expect("a constant is a URL");
    let context = Context { now: Timestamp::UNIX_EPOCH, document_url: &url, feed_language: None };
    item(&ParsedItem { content: Some(Text::html(html)), ..ParsedItem::default() }, &context).content
}

fuzz_target!(|html: &str| {
    let Some(once) = cleaned(html) else { return };
    let lower = once.to_ascii_lowercase();
    for evil in ["<script", "<style", "<iframe", "<object", "<svg", "<math"] {
        assert!(!lower.contains(evil), "{evil} in {once:?}");
    }
    let tags = lower.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default());
    for tag in tags {
        // The names are outside of the quotes.
        let handler = tag.split('"').step_by(2).any(|names| names.contains(" on"));
        assert!(!tag.contains("=\"javascript:") && !handler, "{tag} in {once:?}");
    }
    assert_eq!(cleaned(&once).as_deref(), Some(once.as_str()));
});

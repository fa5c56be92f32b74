//! A document of any bytes; the first byte chooses the header that came with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use newswire::parse::{Input, parse};
use url::Url;

const HEADERS: [Option<&str>; 6] = [
    None,
    Some("text/xml"),
    Some("text/xml; charset=iso-8859-1"),
    Some("application/json; charset=utf-16"),
    Some("application/rss+xml; charset=\"shift_jis\""),
    Some("text/html; charset=nonsense"),
];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let url = Url::parse("https://example.org/feeds/all.xml").expect("a constant is a URL");
    let content_type = HEADERS[usize::from(*first) % HEADERS.len()];
    let read = || parse(Input { bytes, content_type, url: &url, max_items: 1000 });
    // The same bytes give the same answer.
    assert_eq!(read(), read());
});

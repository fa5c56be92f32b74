//! A list of feeds: OPML, a urls file, a planet's ini. What is read is written and read again.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use newswire::opml::{OpmlHead, read, write};

fuzz_target!(|data: &[u8]| {
    let Ok(list) = read(data) else { return };
    let head = OpmlHead { title: "Feeds".to_owned(), created: None };
    let written = write(&head, &list.feeds);
    let again = read(written.as_bytes()).expect("what newswire writes it reads");
    // Written by folder, so in another order.
    let urls = |entries: &[newswire::opml::ListedFeed]| {
        entries.iter().map(|entry| entry.url.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(urls(&list.feeds), urls(&again.feeds));
});

//! A document put together from what occurs in feeds: each byte is one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use newswire::parse::{Input, parse};
use url::Url;

const PIECES: &[&str] = &[
    "<?xml version='1.0' encoding='utf-8'?>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<rss version='2.0'>", "</rss>",
    "<rss version='0.91'>", "<channel>", "</channel>", "<item>", "</item>", "<title>", "</title>", "<link>", "</link>",
    "<guid isPermaLink='false'>", "</guid>", "<description>", "</description>", "<pubDate>", "</pubDate>",
    "Mon, 06 Jan 2025 10:00:00 +0100", "<![CDATA[", "]]>", "<b>", "</b>", "&lt;p&gt;", "&amp;", "&", "<", ">", "&#x41;",
    "&eacute;", "&b;", "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/x/'>", "</feed>", "<entry>", "</entry>",
    "<id>", "</id>", "<content type='xhtml'>", "<content type='html'>", "</content>", "<summary>", "</summary>",
    "<link rel='enclosure' href='a' length='1'/>", "<author>", "</author>", "<name>", "</name>", "a@b.c (N)", "作者（a@b.c）",
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>", "</rdf:RDF>",
    "<item rdf:about='x'>", "<dc:date>", "</dc:date>", "2025-01-06", "<media:group>", "</media:group>",
    "<media:content url='x' duration='99:99'/>", "<itunes:duration>", "</itunes:duration>", "٤٥:١٢", "<itunes:category text='x'>",
    "</itunes:category>", "<source url='x'>", "</source>", "<skipHours><hour>99</hour></skipHours>", "<ttl>99999999999999</ttl>",
    "{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{\"id\":1}", "]}", ",{\"authors\":{}}", "\u{feff}", "é", " ", "x",
    "<div xmlns='http://www.w3.org/1999/xhtml'>", "</div>", "<media:title/>", "<enclosure url='//x' length='-1'/>", "<category/>",
    "<content:encoded>", "</content:encoded>", "xmlns:", "='", "'", "\"", "/>", "<!--", "-->", "<?x", "?>",
];

fuzz_target!(|data: &[u8]| {
    let text: String = data.iter().map(|byte| PIECES[usize::from(*byte) % PIECES.len()]).collect();
    let url = Url::parse("https://example.org/feeds/all.xml").expect("a constant is a URL");
    let _ = parse(Input { bytes: text.as_bytes(), content_type: None, url: &url, max_items: 1000 });
});

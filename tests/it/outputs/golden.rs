//! Snapshots of the documents, byte by byte.

use newswire::model::OutputItem;
use newswire::render::{Format, check, render};

use super::sample::{entries, output};

fn document(format: Format, entries: &[OutputItem]) -> String {
    let bytes = render(&output(), format, entries);
    check(&output(), format, &bytes, entries).unwrap();
    assert_eq!(bytes, render(&output(), format, entries), "the same entries, the same bytes");
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_merged_feed_in_atom() {
    insta::assert_snapshot!(document(Format::Atom, &entries()));
}

#[test]
fn a_merged_feed_in_rss() {
    insta::assert_snapshot!(document(Format::Rss, &entries()));
}

#[test]
fn a_merged_feed_in_json() {
    insta::assert_snapshot!(document(Format::Json, &entries()));
}

#[test]
fn an_empty_feed_in_every_format() {
    let all: Vec<String> = Format::ALL.iter().map(|format| document(*format, &[])).collect();
    insta::assert_snapshot!(all.join("\n"));
}

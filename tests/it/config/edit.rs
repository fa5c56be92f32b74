//! Changes of one `[[feed]]`: everything else in the file stays as it is.

use std::path::Path;

use newswire::config::Files;
use newswire::edit::{EditError, FeedEdit, edit_feed};

const TEXT: &str = "# my planet\nversion = 1\n\n# the first\n[[feed]]\nurl = \"https://a.test/f\"   # stays\n\
    tags = [\"x\", \"y\"]  # two\n\n# the second\n[[feed]]\nid   = \"b\" \nurl = \"https://b.test/f\"\n\n[web]\nlisten = \"off\"\n";

fn files(text: &str) -> Files {
    Files::one(text.to_owned(), Path::new("n.toml"), Path::new(""))
}

fn after(name: &str, edit: FeedEdit<'_>) -> String {
    edit_feed(&files(TEXT), name, edit).unwrap().after
}

#[test]
fn a_key_is_set_and_comments_and_spaces_stay() {
    let set = |key, value| FeedEdit::Set { key, value };
    let paused = after("b", set("paused", "true"));
    assert_eq!(paused, TEXT.replace("b.test/f\"\n", "b.test/f\"\npaused = true\n"));
    let again = edit_feed(&files(&paused), "b", set("paused", "")).unwrap().after;
    assert_eq!(again, TEXT);
    let url = after("https://a.test/f", set("url", "https://c.test/f"));
    assert_eq!(url, TEXT.replace("a.test", "c.test"));
    let interval = after("b", set("interval", "2h"));
    assert!(interval.contains("interval = \"2h\"\n"), "{interval}");
    let selectors = after("b", set("remove", "[\".x\"]"));
    assert!(selectors.contains("remove = [\".x\"]\n"), "{selectors}");
    let rules = after("b", set("include", "{ title = \"a\" }"));
    assert!(rules.contains("include = { title = \"a\" }\n"), "{rules}");
    let quoted = after("b", set("title", "\"A \\\" B\""));
    assert!(quoted.contains("title = \"A \\\" B\"\n"), "{quoted}");
}

#[test]
fn tags_are_added_and_removed_and_the_comment_stays() {
    let tag = |add: &[&str], remove: &[&str]| {
        let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let (add, remove) = (owned(add), owned(remove));
        after("https://a.test/f", FeedEdit::Tag { add: &add, remove: &remove })
    };
    assert_eq!(tag(&["z", "x"], &[]), TEXT.replace("\"y\"]", "\"y\", \"z\"]"));
    assert_eq!(tag(&[], &["x"]), TEXT.replace("\"x\", ", ""));
    assert_eq!(tag(&[], &["x", "y"]), TEXT.replace("tags = [\"x\", \"y\"]  # two\n", ""));
}

#[test]
fn a_removed_feed_takes_only_its_own_section_along() {
    let second = "# the second\n[[feed]]\nid   = \"b\" \nurl = \"https://b.test/f\"\n\n";
    assert_eq!(after("b", FeedEdit::Remove), TEXT.replace(second, ""));
    let removed = after("b", FeedEdit::Remove);
    assert!(removed.contains("a.test") && !removed.contains("b.test"), "{removed}");
    assert!(
        removed.starts_with("# my planet\n") && removed.ends_with("[web]\nlisten = \"off\"\n"),
        "{removed}"
    );
}

#[test]
fn unknown_feeds_and_values_that_are_no_toml_are_errors() {
    let set = |value| FeedEdit::Set { key: "per_host", value };
    assert!(matches!(edit_feed(&files(TEXT), "c", set("1")), Err(EditError::NoFeed { .. })));
    assert!(matches!(edit_feed(&files(TEXT), "b", set("a b")), Err(EditError::Value { .. })));
    let windows = TEXT.replace('\n', "\r\n");
    let edited = edit_feed(&files(&windows), "b", set("2")).unwrap().after;
    assert_eq!(edited, windows.replace("b.test/f\"\r\n", "b.test/f\"\r\nper_host = 2\r\n"));
}

#[test]
fn a_feed_is_named_by_its_url_in_any_form() {
    let text = "[[feed]]\nurl = \"https://B.example:443\"\n";
    let pause = FeedEdit::Set { key: "paused", value: "true" };
    for name in ["https://B.example:443", "https://b.example/", "https://b.example"] {
        let after = edit_feed(&files(text), name, pause).unwrap().after;
        assert_eq!(after, format!("{text}paused = true\n"), "{name}");
    }
}

#[test]
fn a_feed_that_is_written_twice_or_inline_is_not_changed() {
    let pause = FeedEdit::Set { key: "paused", value: "true" };
    let feed = "[[feed]]\nurl = \"https://b.example/\"\n";
    let twice = edit_feed(&files(&format!("{feed}{feed}")), "https://b.example/", pause);
    let message = twice.unwrap_err().to_string();
    assert!(message.ends_with("n.toml:1, n.toml:3"), "{message}");
    let named = files(&format!("{feed}{feed}id = \"bb\"\n"));
    let named = edit_feed(&named, "bb", pause);
    assert!(matches!(named, Err(EditError::SeveralFeeds { .. })), "{named:?}");
    let inline = "feed = [{ url = \"https://b.example/\" }]\n";
    let inline = edit_feed(&files(inline), "https://b.example/", pause);
    assert!(matches!(inline, Err(EditError::Inline { .. })));
}

#[test]
fn a_secret_is_neither_written_nor_repeated() {
    for (key, value) in [
        ("authorization", "bob:hunter2"),
        ("authorization", "\"bob:hunter2\""),
        ("headers", "X-Key=hunter2"),
    ] {
        let error = edit_feed(&files(TEXT), "b", FeedEdit::Set { key, value }).unwrap_err();
        assert!(matches!(error, EditError::Secret(_)), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let reference = FeedEdit::Set { key: "authorization", value: "{ file = \"a\" }" };
    assert!(after("b", reference).contains("authorization = { file = \"a\" }\n"));
}

#[test]
fn what_is_not_changed_keeps_every_byte() {
    let text = "\u{feff}version = 1\r\n\n[[feed]]\r\nurl = \"https://a.test/\"\n# about nothing\n\n# about tags\ntags = [\"a\"] # t\r\npaused = true\n";
    let set = |key, value| FeedEdit::Set { key, value };
    let edited = |edit| edit_feed(&files(text), "https://a.test/", edit).unwrap().after;
    assert_eq!(edited(set("tags", "")), text.replace("# about tags\ntags = [\"a\"] # t\r\n", ""));
    assert_eq!(edited(set("paused", "false")), text.replace("= true", "= false"));
    let add = ["b".to_owned()];
    let tagged = edited(FeedEdit::Tag { add: &add, remove: &[] });
    assert_eq!(tagged, text.replace("[\"a\"]", "[\"a\", \"b\"]"));
}

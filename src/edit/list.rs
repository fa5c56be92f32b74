//! Changes of a list of texts that keep its form and the comments of the other elements.
//!
//! A comment behind an element, on its line, is part of the text before the next one. So that text has two parts: the
//! rest of the line of the element before, and the lines above the element itself.

use toml_edit::{Array, RawString, Value};

/// The text before an element or before the end of a list, in two parts; the second begins with a line end.
fn parts(text: &str) -> (String, String) {
    let at = text.find('\n').unwrap_or(text.len());
    (text[..at].to_owned(), text[at..].to_owned())
}

fn raw(text: Option<&RawString>) -> &str {
    text.and_then(RawString::as_str).unwrap_or_default()
}

/// The text before an element.
fn before(list: &Array, at: usize) -> Option<(String, String)> {
    list.get(at).map(|element| parts(raw(element.decor().prefix())))
}

/// The text between the last element and the end of the list.
fn end(list: &Array) -> (String, String) {
    let last = list.iter().last().filter(|_| !list.trailing_comma());
    let suffix = raw(last.and_then(|last| last.decor().suffix()));
    parts(&format!("{suffix}{}", raw(Some(list.trailing()))))
}

fn set_end(list: &mut Array, text: String) {
    let comma = list.trailing_comma();
    if !comma && let Some(last) = list.iter_mut().last() {
        last.decor_mut().set_suffix(text);
        list.set_trailing("");
    } else {
        list.set_trailing(text);
    }
}

/// Removes an element with its comments.
pub(super) fn remove(list: &mut Array, at: usize) {
    let Some(before) = before(list, at) else { return };
    let next = self::before(list, at + 1);
    let is_last = next.is_none();
    let after = next.unwrap_or_else(|| end(list));
    list.remove(at);
    let has_end = |last: &Value| !raw(last.decor().suffix()).is_empty();
    if is_last && !list.trailing_comma() && list.iter().last().is_some_and(has_end) {
        // A list with the commas in front: the last element has its comment already.
        list.set_trailing("");
        return;
    }
    // On one line, what follows takes the place of the element. Else the rest of the line before stays.
    let joined = match (before.1.is_empty(), after.1.is_empty()) {
        (_, true) if !is_last => format!("{}{}", before.0, before.1),
        (true, _) => format!("{}{}", after.0, after.1),
        // The end of the list must not become a part of the comment.
        (false, true) if before.0.contains('#') => format!("{}\n", before.0),
        (false, _) => format!("{}{}", before.0, after.1),
    };
    match list.get_mut(at) {
        Some(next) => next.decor_mut().set_prefix(joined),
        None => set_end(list, joined),
    }
}

/// Adds an element behind the last one, in the same form.
pub(super) fn push(list: &mut Array, text: &str) {
    let Some((_, above)) = before(list, list.len().wrapping_sub(1)) else {
        list.push(text);
        return;
    };
    let (rest, below) = end(list);
    // The comments above the last element are its own, and the one behind it stays there.
    let (prefix, end) = match above.rfind('\n') {
        Some(line) => (format!("{rest}\n{}", &above[line + 1..]), below),
        None => (" ".to_owned(), format!("{rest}{below}")),
    };
    let mut value = Value::from(text);
    value.decor_mut().set_prefix(prefix);
    set_end(list, String::new());
    list.push_formatted(value);
    set_end(list, end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Array {
        text.parse::<Value>().unwrap().as_array().unwrap().clone()
    }

    fn without(text: &str, at: usize) -> String {
        let mut list = list(text);
        remove(&mut list, at);
        list.to_string()
    }

    fn with(text: &str) -> String {
        let mut list = list(text);
        push(&mut list, "new");
        list.to_string()
    }

    const LINES: &str =
        "[\n  \"one\", # first\n  # before two\n  \"two\", # second\n  \"three\" # third\n]";

    #[test]
    fn an_element_goes_with_its_comments_and_the_others_keep_theirs() {
        for (at, expected) in [
            (0, "[\n  # before two\n  \"two\", # second\n  \"three\" # third\n]"),
            (1, "[\n  \"one\", # first\n  \"three\" # third\n]"),
            (2, "[\n  \"one\", # first\n  # before two\n  \"two\" # second\n]"),
        ] {
            assert_eq!(without(LINES, at), expected);
            let comma = LINES.replace("\"three\"", "\"three\",");
            let expected = match at {
                2 => expected.replace("\"two\"", "\"two\","),
                _ => expected.replace("\"three\"", "\"three\","),
            };
            assert_eq!(without(&comma, at), expected, "with a comma behind the last");
        }
        assert_eq!(without("[\"a\", \"b\", \"c\"]", 0), "[\"b\", \"c\"]");
        assert_eq!(without("[\"a\", \"b\", \"c\"]", 1), "[\"a\", \"c\"]");
        assert_eq!(without("[\"a\", \"b\", \"c\"]", 2), "[\"a\", \"b\"]");
        assert_eq!(without("[ \"a\", \"b\" ]", 1), "[ \"a\" ]");
        assert_eq!(without("[ \"a\", \"b\" ]", 0), "[ \"b\" ]");
        assert_eq!(without("[\"a\", # A\n  \"c\"]", 1), "[\"a\" # A\n]");
        let commas_first = "[\n  \"a\" # A\n  , \"b\" # B\n  , \"c\" # C\n]";
        assert_eq!(without(commas_first, 2), "[\n  \"a\" # A\n  , \"b\" # B\n  ]");
        assert_eq!(without(commas_first, 1), "[\n  \"a\" # A\n  , \"c\" # C\n]");
    }

    #[test]
    fn an_element_is_added_in_the_form_of_the_last_one() {
        assert_eq!(with("[]"), "[\"new\"]");
        assert_eq!(with("[\"a\"]"), "[\"a\", \"new\"]");
        assert_eq!(with("[ \"a\", 'b' ]"), "[ \"a\", 'b', \"new\" ]");
        assert_eq!(
            with(LINES),
            LINES.replace("\"three\" # third", "\"three\", # third\n  \"new\"")
        );
        let comma = LINES.replace("\"three\"", "\"three\",");
        assert_eq!(with(&comma), comma.replace("# third", "# third\n  \"new\","));
    }
}

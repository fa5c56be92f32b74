//! What the query of a URL selects of the stories of an output.

use url::form_urlencoded;

use crate::outputs::Query;

/// Maximum length of a search in characters.
const MAX_SEARCH: usize = 200;

/// Parses a query string; unknown parameters are ignored.
pub(super) fn parse(text: Option<&str>) -> Query {
    let mut query = Query::default();
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        let non_empty = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match &*name {
            "q" => query.words = search_words(&value),
            "feed" => query.feed = non_empty(),
            "tag" => query.tag = non_empty(),
            "month" => query.month = value.parse().ok(),
            "before" => query.after = value.parse().ok(),
            _ => {}
        }
    }
    query
}

/// The words of a search, without control characters and cut to a maximum length.
pub(super) fn search_words(text: &str) -> String {
    let words: String = text.chars().filter(|c| !c.is_control()).take(MAX_SEARCH).collect();
    words.trim().to_owned()
}

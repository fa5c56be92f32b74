//! Changes links and titles of the items that an output shows, by its config. Identity and outward id stay.

use std::borrow::Cow;

use crate::dedupe::canonical::without_trackers;
use crate::model::OutputItem;
use crate::render::Rewrite;
use crate::text::chars::{as_seen, boundary_before};

/// Maximum length of a title after replacements, in characters.
const MAX_TITLE: usize = 1_000;

/// Applies the changes to the items.
pub(super) fn apply(rewrite: &Rewrite, entries: &mut [OutputItem]) {
    for entry in entries {
        if rewrite.strip_tracking {
            strip_tracking(entry);
        }
        if !rewrite.titles.is_empty() {
            entry.item.title = entry.item.title.take().and_then(|title| replaced(title, rewrite));
        }
    }
}

/// The title after all replacements; `None`: nothing is left of it. They are made in the title as it is seen or, if none
/// matches there, as the feed has it: only that has invisible characters.
fn replaced(original: String, rewrite: &Rewrite) -> Option<String> {
    let seen = as_seen(&original);
    let title = matched(&seen, rewrite).or_else(|| matched(&original, rewrite));
    let Some(title) = title else { return Some(original) };
    let words: Vec<&str> = title.split_whitespace().collect();
    Some(words.join(" ")).filter(|title| !title.is_empty())
}

/// The title after the replacements; `None`: none matches.
fn matched(title: &str, rewrite: &Rewrite) -> Option<String> {
    let mut title = Cow::Borrowed(title);
    for (regex, text) in &rewrite.titles {
        let Cow::Owned(mut new) = regex.replace_all(&title, text.as_str()) else { continue };
        if let Some((end, _)) = new.char_indices().nth(MAX_TITLE) {
            new.truncate(boundary_before(&new, end));
        }
        title = Cow::Owned(new);
    }
    match title {
        Cow::Owned(title) => Some(title),
        Cow::Borrowed(_) => None,
    }
}

/// Removes parameters that track from the links of an item and in its text. The files keep their addresses, which are
/// what a podcast is counted and paid by.
fn strip_tracking(entry: &mut OutputItem) {
    let details = &mut entry.item.details;
    let also = entry.also.iter_mut().map(|also| &mut also.url);
    let links = [&mut entry.item.url, &mut details.via, &mut details.comments];
    let links = links.into_iter().chain(also).flatten();
    for link in links.chain(&mut details.related) {
        if let Some(bare) = without_trackers(link, "&") {
            *link = bare;
        }
    }
    if let Some(html) = &mut entry.item.content
        && let Some(bare) = bare_links(html)
    {
        *html = bare;
    }
}

/// The HTML with the links of its `href` attributes stripped; `None`: nothing changes. A serialiser wrote it: values are in
/// double quotes, and a quote in a value or `<` in a text is a reference.
fn bare_links(html: &str) -> Option<String> {
    const BEGIN: &str = " href=\"";
    let (mut bare, mut rest, mut changed) = (String::with_capacity(html.len()), html, false);
    while let Some(at) = rest.find(BEGIN) {
        let (before, behind) = rest.split_at(at + BEGIN.len());
        // In a text it is not an attribute: the last angle bracket before it does not open a tag.
        let is_attribute = before.rfind(['<', '>']).is_some_and(|at| before[at..].starts_with('<'));
        bare.push_str(before);
        let end = behind.find('"').unwrap_or(behind.len());
        let (link, behind) = behind.split_at(end);
        let stripped = without_trackers(link, "&amp;").filter(|_| is_attribute);
        changed |= stripped.is_some();
        bare.push_str(stripped.as_deref().unwrap_or(link));
        rest = behind;
    }
    bare.push_str(rest);
    changed.then_some(bare)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::text::chars::pattern_as_seen;

    fn titles(replacements: &[(&str, &str)]) -> Rewrite {
        let regex = |text: &str| Regex::new(&pattern_as_seen(text)).unwrap();
        let pair = |(pattern, text): &(&str, &str)| (regex(pattern), (*text).to_owned());
        Rewrite { titles: replacements.iter().map(pair).collect(), ..Rewrite::default() }
    }

    #[test]
    fn parts_of_titles_are_replaced_in_order() {
        let rewrite = titles(&[("(?i)^\\[ad\\] *", ""), ("(\\w+) beats (\\w+)", "$2 loses to $1")]);
        let new = |title: &str| replaced(title.to_owned(), &rewrite);
        assert_eq!(new("[AD] Ann  beats Bob").as_deref(), Some("Bob loses to Ann"), "two spaces");
        assert_eq!(new("[ad] Ann\u{a0}beats B\u{ad}ob").as_deref(), Some("Bob loses to Ann"));
        assert_eq!(new("10\u{a0}% of Bob").as_deref(), Some("10\u{a0}% of Bob"), "left as it is");
        assert_eq!(new("[ad] "), None, "it is untitled then");
        let growing = titles(&[("a", "aaaaaaaaaa"); 20]);
        let title = replaced("a".to_owned(), &growing).unwrap();
        assert_eq!(title.chars().count(), MAX_TITLE);
    }

    #[test]
    fn invisible_characters_and_wide_spaces_of_titles_can_be_replaced() {
        let new = |replacements: &[(&str, &str)], title: &str| {
            replaced(title.to_owned(), &titles(replacements))
        };
        assert_eq!(new(&[("\u{ad}", "")], "B\u{ad}ob").as_deref(), Some("Bob"));
        assert_eq!(new(&[("\u{a0}", " ")], "10\u{a0}%").as_deref(), Some("10 %"));
        assert_eq!(new(&[("\\u{a0}", "_")], "10\u{a0}%").as_deref(), Some("10_%"));
        assert_eq!(new(&[("x", "")], "B\u{ad}ob\u{a0}").as_deref(), Some("B\u{ad}ob\u{a0}"));
    }

    #[test]
    fn links_in_a_text_are_stripped_and_its_words_are_not() {
        let html = "<p>a href=\"https://a.b/?utm_a=1\" <a href=\"https://a.b/?utm_a=1&amp;x=2\" \
                    title=\"t\">?utm_a=1</a><img src=\"https://a.b/i?utm_a=1\"></p>";
        let bare = "<p>a href=\"https://a.b/?utm_a=1\" <a href=\"https://a.b/?x=2\" \
                    title=\"t\">?utm_a=1</a><img src=\"https://a.b/i?utm_a=1\"></p>";
        assert_eq!(bare_links(html).as_deref(), Some(bare));
        assert_eq!(bare_links(bare), None);
    }
}

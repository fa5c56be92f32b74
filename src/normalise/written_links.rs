//! The links in the HTML that `writer` wrote.

use std::collections::{HashMap, HashSet};

use memchr::memmem;

/// The addresses of the links that were written.
#[derive(Default)]
pub(super) struct WrittenLinks {
    /// Where a link with an address begins. Places may be outdated.
    places: HashMap<String, usize>,
    /// Where the search for links ended.
    searched: usize,
}

impl WrittenLinks {
    /// Whether the HTML has a link with this escaped address. Searches what was written since the last call.
    pub(super) fn contain(&mut self, html: &str, href: &str) -> bool {
        let is_there = |places: &HashMap<String, usize>, href: &str| {
            places.get(href).is_some_and(|at| href_at(html, *at) == Some(href))
        };
        for (at, href) in links(html, self.searched) {
            if !is_there(&self.places, href) {
                self.places.insert(href.to_owned(), at);
            }
        }
        self.searched = html.len();
        is_there(&self.places, href)
    }

    /// Records that the HTML changed behind a place.
    pub(super) fn change(&mut self, from: usize) {
        self.searched = self.searched.min(from);
    }
}

/// The HTML without those of the links at `labelled`, which have a label instead of content, that lead where another link
/// leads, such as the headline under the overlay of a teaser.
pub(super) fn without_overlays(html: String, labelled: &[usize]) -> String {
    if labelled.is_empty() {
        return html;
    }
    let is_other = |at: usize| labelled.binary_search(&at).is_err() && !is_empty(&html[at..]);
    let others = links(&html, 0).filter(|(at, _)| is_other(*at));
    let others: HashSet<&str> = others.map(|(_, href)| href).collect();
    let (mut kept, mut done) = (String::with_capacity(html.len()), 0);
    for at in labelled {
        let is_overlay = href_at(&html, *at).is_some_and(|href| others.contains(href));
        let Some(length) = html[*at..].find(END).filter(|_| is_overlay) else { continue };
        kept.push_str(&html[done..*at]);
        done = at + length + END.len();
    }
    kept + &html[done..]
}

const END: &str = "</a>";

/// Whether the element that begins the HTML is a link without anything in it.
fn is_empty(html: &str) -> bool {
    html.split_once('>').is_some_and(|(_, inside)| inside.starts_with(END))
}

/// The links from a place on: where each begins, and its escaped address.
fn links(html: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let written = html.get(from..).unwrap_or_default();
    let begins = memmem::find_iter(written.as_bytes(), "<a ").map(move |at| from + at);
    begins.filter_map(|at| Some((at, href_at(html, at)?)))
}

/// The escaped address of the link that begins at a place.
fn href_at(html: &str, at: usize) -> Option<&str> {
    let tag = html.get(at..)?.strip_prefix("<a ")?.split('>').next()?;
    // Quotation marks in values are escaped.
    let (_, href) = tag.split_once("href=\"")?;
    href.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_were_removed_are_not_written() {
        let (first, second) = ("<a href=\"x?a&amp;b\">é</a>", "<a title=\"t\" href=\"y\">");
        let mut html = format!("{first}{second}");
        let mut written = WrittenLinks::default();
        assert!(written.contain(&html, "y") && written.contain(&html, "x?a&amp;b"));
        html.truncate(first.len());
        written.change(html.len());
        assert!(!written.contain(&html, "y") && written.contain(&html, "x?a&amp;b"));
        html.push_str("<p>");
        html.push_str(second);
        assert!(written.contain(&html, "y") && !written.contain(&html, "x"));
    }
}

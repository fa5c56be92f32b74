//! Posts without a title that are no more than a headline and a link to its article, as bots of blogs write them. Pure.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::fingerprint::{Comparable, Fingerprint};
use super::likeness::Weights;
use super::settings::{AcrossFeeds, Settings, Similarity};
use super::sketch::Sketch;
use super::titles::Title;
use super::tuning::{EXACT_WORDS, HEADLINE_CHARS, HEADLINE_HOURS, HEADLINE_WORDS, NEAR_WORDS};
use super::verdict::{Verdict, is_rare};
use super::words::Words;
use crate::model::{Digest, PageOwner, Rule};

/// Bytes of the longest fingerprint in the stored form that may be that of such a post.
pub const LONGEST_POINTER: usize = 1_024;

/// By what the article of a post is found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pointer {
    /// The key that an item with the post's words as its title has.
    pub title: Sketch,
    /// The pages that the post links to.
    pub pages: Vec<Digest>,
}

impl Pointer {
    /// By what the article of a post is found; `None`: it has a title, or says too much.
    #[must_use]
    pub fn new(post: &Fingerprint) -> Option<Self> {
        let Words(words) = post.text.own_words(&HashSet::new());
        if !post.title.is_empty() || words.len() > 2 * NEAR_WORDS {
            return None;
        }
        let title = Title::of_words(words, usize::MAX);
        let title = Sketch::new(&title, &Words::default(), None);
        Some(Self { title, pages: post.mentions.clone() })
    }
}

/// Whether a post says no more than the headline of an item that was seen before it, or nothing at all, and where it is.
/// Only a post joins the story of an item, and not an item that of a post: the article leads its story.
#[must_use]
pub fn points_to(
    post: &Comparable,
    item: &Comparable,
    settings: &Settings,
    weights: &Weights,
) -> Option<Verdict> {
    let (from, to) = (&post.fingerprint, &item.fingerprint);
    if settings.across_feeds != AcrossFeeds::Text || !from.title.is_empty() || to.title.is_empty() {
        return None;
    }
    let dates = (from.published.unwrap_or(from.seen), to.published.unwrap_or(to.seen));
    let between = dates.0.duration_since(dates.1).abs();
    let within = SignedDuration::try_from(settings.window).unwrap_or(SignedDuration::MAX);
    let links = to.url_key.is_some_and(|page| from.mentions.contains(&page));
    let says = !post.words.0.is_empty();
    let repeats = says && post.digest == to.title.digest();
    // Without words its links say what it is about: the one article of a page, and not what others write about it.
    let only = to.page_owner != PageOwner::OtherSite
        && from.mentions.iter().all(|page| Some(*page) == to.url_key);
    // The links of a longer post are not known.
    let is_headline = || {
        to.title.len() >= HEADLINE_WORDS
            && to.title.width() >= HEADLINE_CHARS
            && is_rare(&to.title, weights)
            && between <= SignedDuration::from_hours(HEADLINE_HOURS)
            && settings.similarity != Similarity::Strict
    };
    let linked = links && (repeats || !says && only) && between <= within;
    let same = linked || repeats && post.size >= EXACT_WORDS && is_headline();
    same.then_some(Verdict { rule: Rule::SameTitle, score: 1.0, threshold: 1.0, same })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{Text, canonical};
    use super::*;

    const ARTICLE: &str = "https://ann.example/gulls/";
    const HEADLINE: &str = "How the gulls came to our harbour town";
    const LONG: &str = "How the herring gulls came to our harbour town in the winter of 1962";

    fn article(title: &str) -> Comparable {
        let text = Text::of_html("<p>They followed the trawlers, my grandmother said.</p>");
        let fingerprint = Fingerprint {
            title: Title::new(Some(title)),
            text,
            url_key: canonical::url_key(ARTICLE),
            page_owner: PageOwner::FeedSite,
            ..Fingerprint::default()
        };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    fn post(html: &str, hours: i64) -> Comparable {
        let text = Text::of_html(html);
        let words = text.own_words(&HashSet::new());
        let links = words.exact_digest().is_none() && html.contains("href");
        let page = links.then(|| canonical::url_key("https://ann.example/gulls?utm_source=m"));
        let fingerprint = Fingerprint {
            text,
            mentions: page.flatten().into_iter().collect(),
            published: Some(Timestamp::from_second(hours * 3_600).unwrap()),
            ..Fingerprint::default()
        };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    fn points(post: &Comparable, item: &Comparable) -> bool {
        points_to(post, item, &Settings::default(), &Weights::default()).is_some()
    }

    const LINK: &str =
        "<p><a href=\"https://ann.example/gulls/\">https://ann.example/gulls/</a></p>";

    #[test]
    fn a_headline_with_a_link_points_to_its_article() {
        for (title, post_says) in [
            (HEADLINE, format!("<p>{HEADLINE}</p>{LINK}")),
            (HEADLINE, LINK.to_owned()),
            ("Gulls", format!("<p>Gulls</p>{LINK}")),
            (LONG, format!("<p>{LONG}</p>{LINK}")),
        ] {
            assert!(points(&post(&post_says, 1), &article(title)), "{post_says}");
            assert!(!points(&article(title), &post(&post_says, 1)), "an article joins no post");
        }
    }

    #[test]
    fn a_post_with_own_words_or_another_link_points_to_nothing() {
        let item = article(HEADLINE);
        for says in [
            format!("<p>I do not agree</p>{LINK}"),
            format!("<p>{HEADLINE} and why it matters</p>{LINK}"),
            format!("<p>{HEADLINE}</p>"),
            "<p>A walk along the harbour</p>".to_owned(),
        ] {
            assert!(!points(&post(&says, 1), &item), "{says}");
        }
        let later = |hours| post(&format!("<p>{LONG}</p>{LINK}"), hours);
        assert!(!points(&later(40), &article(LONG)), "a headline alone counts for a day");
        let often = "We are here to help you today and all of the days to come";
        assert!(!points(&post(&format!("<p>{often}</p>"), 1), &article(often)));
        let elsewhere = Comparable {
            fingerprint: Fingerprint {
                url_key: canonical::url_key("https://b.example/x"),
                ..item.fingerprint.clone()
            },
            ..item
        };
        assert!(!points(&post(&format!("<p>{HEADLINE}</p>{LINK}"), 1), &elsewhere));
    }

    #[test]
    fn links_alone_point_only_to_the_one_article_of_their_page() {
        let item = article(HEADLINE);
        let with = |says: &str, pages: &[&str]| {
            let mut post = post(says, 1);
            post.fingerprint.mentions =
                pages.iter().filter_map(|page| canonical::url_key(page)).collect();
            post
        };
        let other = "https://b.example/bread/";
        assert!(points(&with(LINK, &[ARTICLE, ARTICLE]), &item));
        assert!(!points(&with(LINK, &[ARTICLE, other]), &item), "a list of links");
        let headline = format!("<p>{HEADLINE}</p>{LINK}");
        assert!(points(&with(&headline, &[ARTICLE, other]), &item));
        let mut about = item.clone();
        about.fingerprint.page_owner = PageOwner::OtherSite;
        assert!(!points(&with(LINK, &[ARTICLE]), &about), "an item of another site about the page");
    }

    #[test]
    fn a_post_is_searched_by_the_title_and_the_page_of_its_article() {
        let of = |html: &str| {
            Pointer::new(&Fingerprint { text: Text::of_html(html), ..Fingerprint::default() })
        };
        let titled = Sketch::new(&Title::new(Some(HEADLINE)), &Words::default(), None);
        assert_eq!(of(&format!("<p>{HEADLINE}</p>{LINK}")).unwrap().title, titled);
        assert_eq!(of(LINK).unwrap().title, Sketch::default());
        assert_eq!(of(&"A long text of many words. ".repeat(20)), None);
    }
}

//! `newswire why ITEM`: how an item came to be where it is. Which rule joined or parted it, with score and
//! threshold, from which poll, and where it stands in each output and why not.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::words::ago;
use crate::model::{Rule, Tie};
use crate::outputs::Visibility;
use crate::store::{Named, Receipt};

/// All that there is to say of one item.
#[derive(Debug)]
pub struct Item<'a> {
    /// What is remembered of it.
    pub receipt: &'a Receipt,
    /// Each output by its id, and where the item stands in it.
    pub stands: &'a [(String, Visibility)],
}

impl Item<'_> {
    /// For people.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> String {
        let Receipt { item, others, ties, renamed, changes, poll, decided } = self.receipt;
        let mut text = String::new();
        let mut say = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<14} {value}");
        };
        say("item", &name(item));
        say("id", &item.id);
        if let Some(url) = &item.url {
            say("page", url);
        }
        let published = item
            .published
            .map_or("says nothing of when".to_owned(), |at| format!("published {at}"));
        say("dates", &format!("{published}; stands at {}", item.sort_at));
        let how = match poll {
            Some((outcome, Some(status))) => {
                format!(", by the poll that ended {}, {status}", outcome.slug())
            }
            Some((outcome, None)) => format!(", by the poll that ended {}", outcome.slug()),
            None => String::new(),
        };
        say("first seen", &format!("{}, {}{how}", ago(item.first_seen, now), item.first_seen));
        for (way, at) in renamed {
            say("renamed", &format!("{}: another guid, the same {way}", ago(*at, now)));
        }
        if *changes > 0 {
            say("edited", &format!("{changes} times"));
        }
        let led = item.story.0 == item.key.0;
        match others.as_slice() {
            [] => say("story", "alone"),
            others if led => say("story", &format!("leads it, {} more", others.len())),
            others => say("story", &format!("follows {}", name(&others[0]))),
        }
        for other in others {
            say("", &name(other));
        }
        for other in decided {
            match other {
                None => say("operator", "stands alone, by newswire split"),
                Some(key) => say("operator", &format!("with {}, by newswire join", key.0)),
            }
        }
        for (tie, other, at) in ties {
            let verdict = if tie.same { "same" } else { "apart" };
            say(verdict, &format!("{}, {}: {}", receipt(tie), ago(*at, now), name(other)));
        }
        for (output, stand) in self.stands {
            say("output", &format!("{output}: {}", why(stand)));
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let receipt = self.receipt;
        let item = |item: &Named| {
            json!({
                "key": item.key.0,
                "id": item.id,
                "title": item.title,
                "url": item.url,
                "feed": item.feed_name,
                "held": item.held,
                "first_seen": item.first_seen.to_string(),
                "published": item.published.map(|at| at.to_string()),
                "sort_at": item.sort_at.to_string(),
            })
        };
        json!({
            "item": item(&receipt.item),
            "story": receipt.item.story.0,
            "others": receipt.others.iter().map(item).collect::<Vec<_>>(),
            "ties": receipt.ties.iter().map(|(tie, other, at)| json!({
                "same": tie.same,
                "rule": tie.rule.slug(),
                "score": tie.score,
                "threshold": tie.threshold,
                "at": at.to_string(),
                "other": item(other),
            })).collect::<Vec<_>>(),
            "renamed": receipt.renamed.iter().map(|(way, at)| json!({
                "way": way,
                "at": at.to_string(),
            })).collect::<Vec<_>>(),
            "changes": receipt.changes,
            "poll": receipt.poll.as_ref().map(|(outcome, status)| json!({
                "outcome": outcome.slug(),
                "status": status,
            })),
            "split": receipt.decided.contains(&None),
            "joined": receipt.decided.iter().flatten().map(|key| key.0).collect::<Vec<_>>(),
            "outputs": self.stands.iter().map(|(output, stand)| json!({
                "output": output,
                "place": match stand { Visibility::Shown(place) => Some(*place), _ => None },
                "why": why(stand),
            })).collect::<Vec<_>>(),
        })
    }
}

/// `4711 "Ferry runs aground" (harbour)`
pub(super) fn name(item: &Named) -> String {
    let title = item.title.as_deref().or(item.url.as_deref()).unwrap_or("untitled");
    format!("{} \"{title}\" ({})", item.key.0, item.feed_name)
}

/// The rule that decided about two items and what it found, in words: a measure is printed only where it is
/// a share of something that is named.
pub(super) fn receipt(tie: &Tie) -> String {
    let share = (tie.score * 100.0).round();
    let least = (tie.threshold * 100.0).round();
    let found = match (tie.rule, tie.same) {
        (Rule::SamePage, true) => "they link to the same page".to_owned(),
        (Rule::SamePage, false) => {
            "they link to the same page, but say different things".to_owned()
        }
        (Rule::SameId, true) => "they have the same globally unique id".to_owned(),
        (Rule::SameId, false) => "they have the same id, but say different things".to_owned(),
        (Rule::SameText, _) => "their texts are the same word for word".to_owned(),
        (Rule::SimilarText, true) => {
            format!("{share}% of the shorter text is in the other, at least {least}% is needed")
        }
        (Rule::SimilarText, false) if tie.score < tie.threshold => {
            format!(
                "only {share}% of the shorter text is in the other, at least {least}% is needed"
            )
        }
        (Rule::SimilarText, false) => {
            format!("{share}% of the shorter text is in the other, but the texts begin differently")
        }
        (Rule::SameTitle, true) => {
            "they have the same headline, and their texts allow it".to_owned()
        }
        (Rule::SameTitle, false) => {
            "they have the same headline, but their texts differ".to_owned()
        }
        (Rule::Series, _) => "their titles are two parts of a series".to_owned(),
        (Rule::SameSite, _) => "they are two pages of one site".to_owned(),
        (Rule::Template, _) => {
            format!("one template with different values in {share}% of the places compared")
        }
    };
    format!("{}: {found}", tie.rule.slug())
}

/// Where an item stands, and why there.
pub(super) fn why(stand: &Visibility) -> String {
    match stand {
        Visibility::Shown(place) => format!("shown, number {place} from the top"),
        Visibility::Follows(lead) => format!("shown with item {}, its story", lead.0),
        Visibility::Held(why) => {
            format!("waits ({why}): 'newswire release FEED' lets it through")
        }
        Visibility::FeedGone => "not shown: its feed is no longer configured".to_owned(),
        Visibility::FeedNotTaken => "not shown: the output does not take its feed".to_owned(),
        Visibility::NotTaken => "not shown: include or exclude leave it out".to_owned(),
        Visibility::PastRetention => "not shown: its text is past [store] retention".to_owned(),
        Visibility::TooFewFeeds(n) => {
            format!("not shown: its story is in {n} feeds, fewer than min_feeds")
        }
        Visibility::NoRoom => {
            "not shown: newer stories fill items, max_age or its feed's part".to_owned()
        }
    }
}

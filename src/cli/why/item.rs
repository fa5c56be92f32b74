//! `newswire why ITEM`: the poll that brought an item, the rules that matched or separated it with score and
//! threshold, and its position in each output or the reason why it is not shown.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::dedupe::{self, Difference};
use crate::model::{ItemKey, Match, Rule};
use crate::outputs::Visibility;
use crate::store::{ItemHistory, ItemSummary};
use crate::text::amounts::{ago, count};

/// Maximum number of matches whose texts are compared again.
pub(in crate::cli) const COMPARED: usize = 32;
/// Maximum number of differences that are shown of a match.
pub(in crate::cli) const DIFFERENCES: usize = 6;

/// What is known about one item.
#[derive(Debug)]
pub(in crate::cli) struct Why<'a> {
    /// The item with its story, its matches and its poll.
    pub(in crate::cli) history: &'a ItemHistory,
    /// Visibility of the item by the id of the output.
    pub(in crate::cli) visibility: &'a [(String, Visibility)],
    /// For each match the places where the texts differ.
    pub(in crate::cli) differences: Vec<Vec<Difference>>,
    /// The item of the story that matches the most others.
    pub(in crate::cli) centre: Option<ItemKey>,
}

impl Why<'_> {
    /// The report as text.
    #[must_use]
    pub(in crate::cli) fn text(&self, now: Timestamp) -> String {
        let ItemHistory { item, others, guid_changes, changes, poll, decisions, .. } = self.history;
        let mut text = String::new();
        let mut add = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<14} {value}");
        };
        add("item", &name(item));
        add("id", &item.id);
        if let Some(url) = &item.url {
            add("page", url);
        }
        let published = item.published.map_or("unknown".to_owned(), |at| at.to_string());
        add("published", &published);
        add("sorted at", &item.sort_at.to_string());
        let how = match poll {
            Some((outcome, Some(status))) => {
                format!(" in a poll with the outcome {} (HTTP {status})", outcome.slug())
            }
            Some((outcome, None)) => format!(" in a poll with the outcome {}", outcome.slug()),
            None => String::new(),
        };
        add("first seen", &format!("{}, {}{how}", ago(item.first_seen, now), item.first_seen));
        for (way, at) in guid_changes {
            add("new guid", &format!("{}: recognised by the same {way}", ago(*at, now)));
        }
        if *changes > 0 {
            let limit = match dedupe::is_limited(*changes) {
                true => "; at most one further change an hour is taken, others are ignored",
                false => "",
            };
            add("edited", &format!("{}{limit}", count(*changes, "time")));
        }
        let leads = item.story.0 == item.key.0;
        match others.as_slice() {
            [] => add("story", "only this item"),
            others if leads => {
                add("story", &format!("leads {}", count(others.len() as u64, "other item")));
            }
            others => add("story", &format!("belongs to {}", name(&others[0]))),
        }
        for other in others {
            add("", &name(other));
        }
        if let Some(joined) = self.joined() {
            add("joined by", &joined);
        }
        for other in decisions {
            match other {
                None => add("operator", "separated with 'newswire split'"),
                Some(key) => {
                    add("operator", &format!("joined with item {} with 'newswire join'", key.0));
                }
            }
        }
        self.add_matches(now, &mut add);
        for (output, visibility) in self.visibility {
            add("output", &format!("{output}: {}", visibility_text(visibility)));
        }
        text
    }

    /// Adds a line for each comparison, and a line for each place where the texts differ.
    fn add_matches(&self, now: Timestamp, add: &mut impl FnMut(&str, &str)) {
        for (n, (matched, other, at)) in self.history.matches.iter().enumerate() {
            let decision = if matched.same { "same story" } else { "separate" };
            add(decision, &format!("{}, {}: {}", match_text(matched), ago(*at, now), name(other)));
            for difference in self.differences.get(n).into_iter().flatten() {
                add("", &difference_text(difference));
            }
            if matched.same && other.story != self.history.item.story {
                add(
                    "",
                    "  in another story: it has an item of the feed already, or too few that match",
                );
            }
        }
    }

    /// The items of the story that the item matches; `None` if it is alone.
    fn joined(&self) -> Option<String> {
        let others = &self.history.others;
        if others.is_empty() {
            return None;
        }
        let in_story = |other: &ItemSummary| others.iter().any(|item| item.key == other.key);
        let compared = self.history.matches.iter().filter(|(_, other, _)| in_story(other));
        let (same, separate): (Vec<_>, Vec<_>) = compared.partition(|(matched, ..)| matched.same);
        let (matched, all) = (same.len(), same.len() + separate.len());
        if (others.len(), matched) == (1, 1) {
            return Some("matches the other item of the story".to_owned());
        }
        let matched = match (matched, all) {
            (_, 0) => "no comparison with an item of the story".to_owned(),
            (matched, all) if matched == all => {
                format!("matches all items of the story that it was compared with ({all})")
            }
            _ => {
                format!(
                    "matches {matched} of the {all} items of the story that it was compared with"
                )
            }
        };
        Some(match self.centre {
            Some(centre) if centre == self.history.item.key => {
                format!("{matched}; it is the centre, the item with the most matches")
            }
            Some(centre) if same.iter().any(|(_, other, _)| other.key == centre) => {
                format!("{matched}, also the centre, item {}", centre.0)
            }
            _ => matched,
        })
    }

    /// The report as JSON.
    #[must_use]
    pub(in crate::cli) fn json(&self) -> Value {
        let history = self.history;
        let item = |item: &ItemSummary| {
            json!({
                "key": item.key.0,
                "id": item.id,
                "title": item.title,
                "url": item.url,
                "feed": item.feed_name,
                "held": item.held,
                "filtered_by": item.filtered_by,
                "first_seen": item.first_seen.to_string(),
                "published": item.published.map(|at| at.to_string()),
                "sort_at": item.sort_at.to_string(),
            })
        };
        json!({
            "item": item(&history.item),
            "story": history.item.story.0,
            "others": history.others.iter().map(item).collect::<Vec<_>>(),
            "centre": self.centre.filter(|_| !history.others.is_empty()).map(|item| item.0),
            "matches": history.matches.iter().enumerate().map(|(n, (matched, other, at))| json!({
                "same": matched.same,
                "rule": matched.rule.slug(),
                "score": matched.score,
                "threshold": matched.threshold,
                "at": at.to_string(),
                "differences": self.differences.get(n).into_iter().flatten().map(|difference| json!({
                    "here": difference.here,
                    "there": difference.there,
                    "same_meaning": difference.same_meaning,
                })).collect::<Vec<_>>(),
                "other": item(other),
            })).collect::<Vec<_>>(),
            "guid_changes": history.guid_changes.iter().map(|(way, at)| json!({
                "recognised_by": way,
                "at": at.to_string(),
            })).collect::<Vec<_>>(),
            "edits": history.changes,
            "poll": history.poll.as_ref().map(|(outcome, status)| json!({
                "outcome": outcome.slug(),
                "status": status,
            })),
            "split": history.decisions.contains(&None),
            "joined": history.decisions.iter().flatten().map(|key| key.0).collect::<Vec<_>>(),
            "outputs": self.visibility.iter().map(|(output, visibility)| json!({
                "output": output,
                "position": match visibility { Visibility::Shown(at) => Some(*at), _ => None },
                "why": visibility_text(visibility),
            })).collect::<Vec<_>>(),
        })
    }
}

/// Number, title and feed of an item: `4711 "Ferry runs aground" (harbour)`.
pub(in crate::cli) fn name(item: &ItemSummary) -> String {
    let title = item.title.as_deref().or(item.url.as_deref()).unwrap_or("untitled");
    format!("{} \"{title}\" ({})", item.key.0, item.feed_name)
}

/// A place where two texts differ: `slot: 1.2 / 1.3`, `same: Monday = Nov. 23`.
fn difference_text(difference: &Difference) -> String {
    let Difference { here, there, same_meaning } = difference;
    match same_meaning {
        true => format!("  same: {there} = {here}"),
        false => format!("  slot: {there} / {here}"),
    }
}

/// The rule that decided about two items and what it found, in words: a measure is printed only where it is
/// a share of something that is named.
pub(in crate::cli) fn match_text(matched: &Match) -> String {
    let share = (matched.score * 100.0).round();
    let least = (matched.threshold * 100.0).round();
    let found = match (matched.rule, matched.same) {
        (Rule::SamePage, true) => "they link to the same page".to_owned(),
        (Rule::SamePage, false) => "they link to the same page, but their texts differ".to_owned(),
        (Rule::SameId, true) => "they have the same globally unique id".to_owned(),
        (Rule::SameId, false) => "they have the same id, but their texts differ".to_owned(),
        (Rule::SameText, _) => "their texts are the same word for word".to_owned(),
        (Rule::SimilarText, true) => {
            format!(
                "{share}% of the shorter text is in the other, {least}% is needed for texts of this length and beginning"
            )
        }
        (Rule::SimilarText, false) if matched.score < matched.threshold => {
            format!(
                "only {share}% of the shorter text is in the other, {least}% is needed for texts of this length and beginning"
            )
        }
        (Rule::SimilarText, false) => {
            format!("{share}% of the shorter text is in the other, but the texts begin differently")
        }
        (Rule::SameTitle, true) => {
            "they have the same headline, and their texts do not contradict it".to_owned()
        }
        (Rule::SameTitle, false) => {
            "they have the same headline, but too little text in common".to_owned()
        }
        (Rule::Series, _) => "their titles are two parts of a series".to_owned(),
        (Rule::OtherTitle, _) => {
            "their titles differ, and what the texts share is about neither".to_owned()
        }
        (Rule::Collection, _) => {
            "one contains the other among other texts, as a round-up does".to_owned()
        }
        (Rule::SameSite, _) => "they are two pages of one site".to_owned(),
        (Rule::Template, _) => {
            format!("one template with other words or numbers in {share}% of the places compared")
        }
    };
    format!("{}: {found}", matched.rule.slug())
}

/// Position of an item in an output, or why it is not shown.
pub(in crate::cli) fn visibility_text(visibility: &Visibility) -> String {
    match visibility {
        Visibility::Shown(position) => format!("shown at position {position}"),
        Visibility::Follows(lead) => format!("shown in the story of item {}", lead.0),
        Visibility::Held(why) => {
            format!("held ({why}); 'newswire release FEED' releases it")
        }
        Visibility::FeedGone => "not shown: its feed is no longer configured".to_owned(),
        Visibility::FeedNotTaken => "not shown: the output does not select its feed".to_owned(),
        Visibility::Filtered(rule) => format!("not shown: its feed filters it by {rule}"),
        Visibility::NotTaken(rule) => format!("not shown: the output filters it by {rule}"),
        Visibility::PastRetention => {
            "not shown: its text is older than [store] retention".to_owned()
        }
        Visibility::TooFewFeeds(n) => {
            let feeds = count(*n as u64, "feed");
            format!("not shown: its story is in {feeds}, fewer than min_feeds")
        }
        Visibility::InDigest(title) => format!("listed in the digest {title}"),
        Visibility::NotInDigest => {
            "in no digest: its period is not closed, or per_feed or its age left it out".to_owned()
        }
        Visibility::NoRoom => {
            "not shown: beyond the limits of the output (items, max_age, share of its feed)"
                .to_owned()
        }
    }
}

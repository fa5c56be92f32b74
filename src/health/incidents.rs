//! Incidents: conditions that last. Each is reported when it begins, when its code changes and when it ends,
//! not at every poll. Pure.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::judge::{Health, JudgedFeed, State, fails_for_long};
use crate::model::{FeedStatus, Incident, IncidentKind};
use crate::text::amounts::span;

/// Time within which a condition that returns continues its last incident.
const REOPEN_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// A condition that is an incident as long as it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Kind of the incident.
    pub kind: IncidentKind,
    /// Id of the feed or the output, or URL of the list; empty for newswire itself.
    pub subject: String,
    /// Name of the subject.
    pub name: String,
    /// Slug of the failure, the kind of silence or the problem.
    pub code: String,
    /// What is wrong, plain text.
    pub text: String,
    /// What to do, in sentences; empty if nothing.
    pub remedy: String,
    /// Lines for the config; `None`: no change of the config helps.
    pub toml: Option<String>,
    /// Time when it began; `None`: now.
    pub since: Option<Timestamp>,
}

/// The conditions of all feeds.
#[must_use]
pub fn conditions(feeds: &[JudgedFeed], now: Timestamp) -> Vec<Condition> {
    feeds.iter().filter_map(|feed| condition(&feed.status, &feed.health, now)).collect()
}

fn condition(status: &FeedStatus, health: &Health, now: Timestamp) -> Option<Condition> {
    let kind = match health.state {
        State::Quarantined => IncidentKind::Quarantined,
        // A failing feed whose server asks for fewer requests meanwhile does not work yet.
        State::Failing | State::Throttled if fails_for_long(status, now) => IncidentKind::Failing,
        State::Failing | State::Throttled => return None,
        State::Silent => IncidentKind::Silent,
        State::Gone => IncidentKind::Gone,
        State::Held => IncidentKind::Held,
        State::Moved => IncidentKind::Moved,
        State::Offline | State::Paused | State::New | State::Ok => return None,
    };
    let remedy = health.remedy.clone();
    let (remedy, toml) = remedy.map_or_else(Default::default, |remedy| {
        let command = remedy.command.map(|command| format!(" Run \"{command}\"."));
        (format!("{}{}", remedy.text, command.unwrap_or_default()), remedy.toml)
    });
    Some(Condition {
        kind,
        subject: status.info.id.to_string(),
        name: status.info.title.clone(),
        code: health.code.to_owned(),
        text: health.text.clone(),
        remedy,
        toml,
        since: health.since,
    })
}

/// The incidents that begin, change or end, given the `conditions` of now.
///
/// `known` are the open and the recently resolved incidents, `present` the ids of all feeds and outputs, and the URLs of
/// all lists.
#[must_use]
pub fn advance(
    known: &[Incident],
    conditions: &[Condition],
    present: &HashSet<String>,
    now: Timestamp,
) -> Vec<Incident> {
    let mut before: HashMap<(IncidentKind, &str), &Incident> = HashMap::new();
    for incident in known {
        let is_recent =
            incident.resolved_at.is_none_or(|at| now.duration_since(at) < REOPEN_WITHIN);
        // Of several incidents with the same key: the open one, else the last one.
        let rank = |incident: &Incident| (incident.resolved_at.is_none(), incident.opened_at);
        let held = before.get(&key(incident)).map(|held| rank(held));
        if is_recent && held.is_none_or(|held| held < rank(incident)) {
            before.insert(key(incident), incident);
        }
    }
    let mut changed = Vec::new();
    for condition in conditions {
        let since = condition.since.unwrap_or(now);
        match before.get(&(condition.kind, condition.subject.as_str())) {
            Some(same) if same.resolved_at.is_none() && same.state == condition.code => {}
            Some(same) if same.resolved_at.is_none() => {
                changed.push(opened(condition, same.since, same.opened_at, now));
            }
            // It was resolved in between.
            Some(same) => changed.push(opened(condition, since, same.opened_at, now)),
            None => changed.push(opened(condition, since, now, now)),
        }
    }
    let lasting: HashSet<(IncidentKind, &str)> =
        conditions.iter().map(|condition| (condition.kind, condition.subject.as_str())).collect();
    let over = known.iter().filter(|i| i.resolved_at.is_none() && !lasting.contains(&key(i)));
    changed.extend(over.map(|incident| resolved(incident, present, now)));
    changed
}

fn key(incident: &Incident) -> (IncidentKind, &str) {
    (incident.kind, &incident.subject)
}

fn opened(
    condition: &Condition,
    since: Timestamp,
    opened_at: Timestamp,
    now: Timestamp,
) -> Incident {
    let condition = condition.clone();
    Incident {
        kind: condition.kind,
        subject: condition.subject,
        name: condition.name,
        state: condition.code,
        text: condition.text,
        remedy: condition.remedy,
        toml: condition.toml,
        since,
        opened_at,
        changed_at: now,
        resolved_at: None,
    }
}

fn resolved(incident: &Incident, present: &HashSet<String>, now: Timestamp) -> Incident {
    let seconds = now.duration_since(incident.since).as_secs().max(0).unsigned_abs();
    let gone = !incident.subject.is_empty() && !present.contains(&incident.subject);
    let end = match incident.kind {
        _ if gone => "It was removed from the config.",
        IncidentKind::Failing | IncidentKind::Quarantined => "The feed works again.",
        IncidentKind::Silent => "The feed is no longer silent.",
        IncidentKind::Gone => "The feed answers again.",
        IncidentKind::Moved => "The config has the new URL, or the redirect has ended.",
        IncidentKind::Held => "No items are held.",
        IncidentKind::List => "The list works again.",
        IncidentKind::Rejected => "The output is published again.",
        IncidentKind::Config => "The config was accepted.",
        IncidentKind::Damage => "Newswire was started again.",
        IncidentKind::Clock => "The clock has been correct for a day.",
        IncidentKind::Disk => "The database and the files of the outputs can be written again.",
    };
    let text = format!("{end} The incident lasted {}: {}", span(seconds), incident.text);
    Incident {
        text,
        remedy: String::new(),
        toml: None,
        changed_at: now,
        resolved_at: Some(now),
        ..incident.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3_600).unwrap()
    }

    fn failing(code: &str) -> Condition {
        Condition {
            kind: IncidentKind::Failing,
            subject: "garden".to_owned(),
            name: "Garden".to_owned(),
            code: code.to_owned(),
            text: "the server answers 500".to_owned(),
            remedy: "wait".to_owned(),
            toml: None,
            since: Some(at(1)),
        }
    }

    /// Applies the result of `advance` as the store does.
    fn step(known: &mut Vec<Incident>, conditions: &[Condition], now: i64) -> usize {
        let present = HashSet::from(["garden".to_owned()]);
        let changed = advance(known, conditions, &present, at(now));
        for incident in &changed {
            let key = |i: &Incident| (i.kind, i.subject.clone(), i.opened_at);
            known.retain(|old| key(old) != key(incident));
            known.push(incident.clone());
        }
        changed.len()
    }

    #[test]
    fn an_incident_is_reported_when_it_begins_and_when_it_ends() {
        let mut known = Vec::new();
        assert_eq!(step(&mut known, &[failing("server_error")], 7), 1);
        for hour in 8..100 {
            assert_eq!(step(&mut known, &[failing("server_error")], hour), 0, "{hour}");
        }
        assert_eq!(step(&mut known, &[], 100), 1);
        assert_eq!(step(&mut known, &[], 101), 0);
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].opened_at, known[0].resolved_at), (at(7), Some(at(100))));
        assert!(
            known[0].text.starts_with("The feed works again. The incident lasted 4d: "),
            "{}",
            known[0].text
        );
    }

    #[test]
    fn another_code_changes_the_same_incident() {
        let mut known = Vec::new();
        step(&mut known, &[failing("server_error")], 7);
        assert_eq!(step(&mut known, &[failing("not_found")], 8), 1);
        assert_eq!((known.len(), known[0].opened_at, known[0].changed_at), (1, at(7), at(8)));
    }

    #[test]
    fn a_condition_that_returns_within_a_day_reopens_its_incident() {
        let mut known = Vec::new();
        step(&mut known, &[failing("server_error")], 7);
        step(&mut known, &[], 10);
        let back = Condition { since: None, ..failing("server_error") };
        step(&mut known, &[back], 20);
        assert_eq!((known.len(), known[0].resolved_at), (1, None));
        assert_eq!((known[0].opened_at, known[0].since), (at(7), at(20)), "resolved in between");
        step(&mut known, &[], 30);
        step(&mut known, &[failing("server_error")], 60);
        assert_eq!(known.len(), 2);
        // Of the two known incidents, the open one continues.
        assert_eq!(step(&mut known, &[failing("server_error")], 61), 0);
    }

    #[test]
    fn thousands_of_incidents_are_reported_once_each() {
        let condition = |n: usize| Condition { subject: format!("feed-{n}"), ..failing("timeout") };
        let all: Vec<Condition> = (0..10_000).map(condition).collect();
        let known = advance(&[], &all, &HashSet::new(), at(7));
        assert_eq!(known.len(), 10_000);
        assert_eq!(advance(&known, &all, &HashSet::new(), at(8)), []);
    }

    #[test]
    fn removing_a_feed_resolves_its_incident() {
        let mut known = Vec::new();
        step(&mut known, &[failing("server_error")], 7);
        let over = advance(&known, &[], &HashSet::new(), at(8));
        assert!(over[0].text.starts_with("It was removed from the config."), "{}", over[0].text);
    }
}

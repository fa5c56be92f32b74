//! From states to incidents: each told of when it begins, when it becomes another one, and when it
//! is over; never once a poll. Pure.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::judge::{Health, Judged};
use super::state::State;
use crate::model::words::span;
use crate::model::{FeedStatus, Incident, IncidentKind};

/// A feed that fails is an incident once it failed so often in a row,
const FAILURES: u32 = 3;
/// for so long: most failures pass by themselves.
const FAILING: SignedDuration = SignedDuration::from_hours(6);
/// What comes back so soon after it was over is the same incident.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// Something that is the matter now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What kind of thing.
    pub kind: IncidentKind,
    /// The id of the feed or the output; empty: newswire itself.
    pub subject: String,
    /// Its name, for people.
    pub name: String,
    /// Slug of what exactly.
    pub state: String,
    /// What is the matter: a sentence.
    pub text: String,
    /// What to do; empty: nothing.
    pub remedy: String,
    /// What to write into the config.
    pub toml: Option<String>,
    /// Since when; `None`: now.
    pub since: Option<Timestamp>,
}

/// What is the matter with the feeds.
#[must_use]
pub fn conditions(feeds: &[Judged], now: Timestamp) -> Vec<Condition> {
    feeds.iter().filter_map(|(status, health)| condition(status, health, now)).collect()
}

fn condition(status: &FeedStatus, health: &Health, now: Timestamp) -> Option<Condition> {
    let kind = match health.state {
        State::Quarantined => IncidentKind::Quarantined,
        State::Failing => {
            let lasting = now.duration_since(health.since?) >= FAILING;
            Some(IncidentKind::Failing).filter(|_| lasting && status.failures >= FAILURES)?
        }
        State::Silent => IncidentKind::Silent,
        State::Gone => IncidentKind::Gone,
        State::Held => IncidentKind::Held,
        State::Moved => IncidentKind::Moved,
        State::Throttled | State::Offline | State::New | State::Well => return None,
    };
    let remedy = health.remedy.clone();
    let (remedy, toml) = remedy.map_or_else(Default::default, |remedy| {
        let command = remedy.command.map(|command| format!(" Run: {command}"));
        (format!("{}{}", remedy.text, command.unwrap_or_default()), remedy.toml)
    });
    Some(Condition {
        kind,
        subject: status.info.id.to_string(),
        name: status.info.title.clone(),
        state: health.cause.to_owned(),
        text: health.why.clone(),
        remedy,
        toml,
        since: health.since,
    })
}

/// The incidents that are new, have become others or are over, now that this is the matter.
///
/// `known` are those that last and those that were over lately; `present` are the ids of all feeds
/// and outputs that there are.
#[must_use]
pub fn advance(
    known: &[Incident],
    conditions: &[Condition],
    present: &HashSet<String>,
    now: Timestamp,
) -> Vec<Incident> {
    let mut before: HashMap<(IncidentKind, &str), &Incident> = HashMap::new();
    for incident in known {
        let lately = incident.resolved_at.is_none_or(|at| now.duration_since(at) < AGAIN);
        // Of several, the one that lasts, else the last one.
        let rank = |incident: &Incident| (incident.resolved_at.is_none(), incident.opened_at);
        let held = before.get(&key(incident)).map(|held| rank(held));
        if lately && held.is_none_or(|held| held < rank(incident)) {
            before.insert(key(incident), incident);
        }
    }
    let mut changed = Vec::new();
    for condition in conditions {
        let since = condition.since.unwrap_or(now);
        match before.get(&(condition.kind, condition.subject.as_str())) {
            Some(same) if same.resolved_at.is_none() && same.state == condition.state => {}
            Some(same) if same.resolved_at.is_none() => {
                changed.push(told(condition, same.since, same.opened_at, now));
            }
            // All was well between.
            Some(same) => changed.push(told(condition, since, same.opened_at, now)),
            None => changed.push(told(condition, since, now, now)),
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

fn told(condition: &Condition, since: Timestamp, opened_at: Timestamp, now: Timestamp) -> Incident {
    let condition = condition.clone();
    Incident {
        kind: condition.kind,
        subject: condition.subject,
        name: condition.name,
        state: condition.state,
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
        _ if gone => "It is no longer in the config.",
        IncidentKind::Failing | IncidentKind::Quarantined => "It works again.",
        IncidentKind::Silent => "It brings news again, or its habits are known better now.",
        IncidentKind::Gone => "It answers again.",
        IncidentKind::Moved => "The config has its address now, or it has come back.",
        IncidentKind::Held => "Nothing waits any more.",
        IncidentKind::Refused => "It is published again.",
        IncidentKind::Config => "The config was taken.",
        IncidentKind::Disk => "Writing works again.",
    };
    let text = format!("{end} It lasted {}. It was: {}", span(seconds), incident.text);
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

    fn failing(state: &str) -> Condition {
        Condition {
            kind: IncidentKind::Failing,
            subject: "garden".to_owned(),
            name: "Garden".to_owned(),
            state: state.to_owned(),
            text: "the server answers 500".to_owned(),
            remedy: "wait".to_owned(),
            toml: None,
            since: Some(at(1)),
        }
    }

    /// Applies what `advance` answers, as the store does.
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
    fn an_incident_is_told_when_it_begins_and_when_it_is_over_and_not_in_between() {
        let mut known = Vec::new();
        assert_eq!(step(&mut known, &[failing("server_error")], 7), 1);
        for hour in 8..100 {
            assert_eq!(step(&mut known, &[failing("server_error")], hour), 0, "{hour}");
        }
        assert_eq!(step(&mut known, &[], 100), 1);
        assert_eq!(step(&mut known, &[], 101), 0);
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].opened_at, known[0].resolved_at), (at(7), Some(at(100))));
        assert!(known[0].text.starts_with("It works again. It lasted 4d."), "{}", known[0].text);
    }

    #[test]
    fn another_cause_is_news_of_the_same_incident() {
        let mut known = Vec::new();
        step(&mut known, &[failing("server_error")], 7);
        assert_eq!(step(&mut known, &[failing("not_found")], 8), 1);
        assert_eq!((known.len(), known[0].opened_at, known[0].changed_at), (1, at(7), at(8)));
    }

    #[test]
    fn what_comes_back_within_a_day_is_the_same_incident_and_later_it_is_another() {
        let mut known = Vec::new();
        step(&mut known, &[failing("server_error")], 7);
        step(&mut known, &[], 10);
        let back = Condition { since: None, ..failing("server_error") };
        step(&mut known, &[back], 20);
        assert_eq!((known.len(), known[0].resolved_at), (1, None));
        assert_eq!((known[0].opened_at, known[0].since), (at(7), at(20)), "all was well between");
        step(&mut known, &[], 30);
        step(&mut known, &[failing("server_error")], 60);
        assert_eq!(known.len(), 2);
        // And with both of them known, the one that lasts goes on.
        assert_eq!(step(&mut known, &[failing("server_error")], 61), 0);
    }

    #[test]
    fn thousands_of_incidents_are_told_of_once_each() {
        let condition = |n: usize| Condition { subject: format!("feed-{n}"), ..failing("timeout") };
        let all: Vec<Condition> = (0..10_000).map(condition).collect();
        let known = advance(&[], &all, &HashSet::new(), at(7));
        assert_eq!(known.len(), 10_000);
        assert_eq!(advance(&known, &all, &HashSet::new(), at(8)), []);
    }

    #[test]
    fn a_feed_that_left_the_config_is_no_incident() {
        let mut known = Vec::new();
        step(&mut known, &[failing("server_error")], 7);
        let over = advance(&known, &[], &HashSet::new(), at(8));
        assert!(over[0].text.starts_with("It is no longer in the config."), "{}", over[0].text);
    }
}

//! What the publisher asks of those who poll: `ttl`, skip hours and days, update period, hubs.

use super::construct;
use super::dates;
use super::scope::Scope;
use super::space::Space;
use super::tree::Element;
use crate::model::{Hints, Link};

const DAYS: &[&str] =
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The hints of a channel, with its links.
pub(crate) fn hints(channel: &Element<'_>, links: &[Link]) -> Hints {
    let rel = |rel: &str| {
        links.iter().find(|link| link.rel == rel && !link.href.is_empty()).map(|l| l.href.clone())
    };
    let hubs = links.iter().filter(|link| link.rel == "hub").map(|link| link.href.clone());
    Hints {
        // RSS 2.0: minutes.
        ttl: number(channel, Space::Rss, "ttl").and_then(|minutes| minutes.checked_mul(60)),
        period: period(channel),
        skip_hours: skip_hours(channel),
        skip_days: skip_days(channel),
        expired: false,
        hubs: hubs.take(8).collect(),
        self_url: rel("self"),
        // RFC 5005 3 and 4.
        older: rel("prev-archive").or_else(|| rel("next")),
        complete: channel.child(Space::History, "complete").is_some(),
    }
}

/// Every `atom:link` of an element, whatever the dialect around it.
pub(crate) fn atom_links(element: &Element<'_>, scope: &Scope) -> Vec<Link> {
    element
        .all(Space::Atom, "link")
        .filter_map(|link| construct::atom_link(link, scope))
        .filter(|link| !link.href.is_empty())
        .collect()
}

fn number(element: &Element<'_>, space: Space, name: &str) -> Option<u64> {
    element.child(space, name)?.text().trim().parse().ok()
}

/// RSS 1.0 syndication: how long from one update to the next.
fn period(channel: &Element<'_>) -> Option<u64> {
    let period = channel.child(Space::Syndication, "updatePeriod")?.text().trim().to_lowercase();
    let seconds = match period.as_str() {
        "hourly" => 3600,
        "daily" => 86_400,
        "weekly" => 7 * 86_400,
        "monthly" => 30 * 86_400,
        "yearly" => 365 * 86_400,
        _ => return None,
    };
    let frequency = number(channel, Space::Syndication, "updateFrequency").unwrap_or(1).max(1);
    Some((seconds / frequency).max(1))
}

fn skip_hours(channel: &Element<'_>) -> Vec<u8> {
    let Some(skip) = channel.child(Space::Rss, "skipHours") else { return Vec::new() };
    let hour = |element: &Element<'_>| element.text().trim().parse::<u8>().ok();
    // RSS 0.92 counts from 1 to 24.
    let hours = skip.all(Space::Rss, "hour").filter_map(hour).filter(|hour| *hour <= 24);
    sorted(hours.map(|hour| hour % 24).collect())
}

fn skip_days(channel: &Element<'_>) -> Vec<u8> {
    let Some(skip) = channel.child(Space::Rss, "skipDays") else { return Vec::new() };
    let day = |element: &Element<'_>| {
        let name = element.text().trim().to_lowercase();
        DAYS.iter().position(|known| *known == name)
    };
    let days = skip.all(Space::Rss, "day").filter_map(day);
    sorted(days.filter_map(|day| u8::try_from(day).ok()).collect())
}

fn sorted(mut numbers: Vec<u8>) -> Vec<u8> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The first date that can be read among elements in order of precedence.
pub(crate) fn first_date(
    element: &Element<'_>,
    names: &[(Space, &str)],
) -> Option<jiff::Timestamp> {
    names.iter().find_map(|(space, name)| {
        element.all(*space, name).find_map(|found| dates::date(&found.text()))
    })
}

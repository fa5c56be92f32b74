//! The archive of an output by month.

use jiff::tz::TimeZone;
use newswire::model::Conditions;

use super::page::{Planet, titles};
use super::site::run;
use crate::support::world::{HOUR, rss};

/// The notes with these dates.
fn dated(dates: &[(&str, &str)]) -> String {
    let notes: Vec<(&str, &str)> = dates.iter().map(|(title, _)| (*title, *title)).collect();
    let mut document = rss(&notes);
    for (at, (_, date)) in dates.iter().enumerate() {
        let made = format!("Sun, 01 Jun 2025 {:02}:00:00 GMT", 11 - at % 12);
        document = document.replace(&made, date);
    }
    document
}

async fn planet(zone: &str) -> Planet {
    let documents = [
        dated(&[
            ("March", "Sat, 15 Mar 2025 12:00:00 GMT"),
            ("Eve", "Sat, 31 May 2025 22:30:00 GMT"),
        ]),
        dated(&[
            ("May", "Thu, 15 May 2025 12:00:00 GMT"),
            ("Past", "Tue, 31 Dec 2024 12:00:00 GMT"),
        ]),
    ];
    let zone = TimeZone::get(zone).unwrap();
    Planet::of(documents, |output| output.presentation.time_zone = Some(zone)).await
}

#[test]
fn a_month_is_that_of_the_zone_of_the_output() {
    run(async {
        let utc = planet("UTC").await;
        assert_eq!(titles(&utc.get("/planet/?month=2025-05").await), ["Eve", "May"]);
        assert_eq!(titles(&utc.get("/planet/?month=2025-03").await), ["March"]);
        let berlin = planet("Europe/Berlin").await;
        assert_eq!(titles(&berlin.get("/planet/?month=2025-05").await), ["May"]);
        assert_eq!(titles(&berlin.get("/planet/?month=2025-06").await), ["Eve"]);
    });
}

#[test]
fn the_archive_lists_the_months_that_have_stories() {
    run(async {
        let planet = planet("UTC").await;
        let page = planet.get("/planet/").await.text();
        let links: Vec<&str> =
            page.split("href=\"../planet/?month=").skip(1).map(|link| &link[..7]).collect();
        assert_eq!(links, ["2025-05", "2025-03", "2024-12"]);
        assert!(page.contains("<details open><summary>2025</summary>"), "{page}");
        assert!(page.contains("<details><summary>2024</summary>"), "{page}");
        let past = planet.get("/planet/?month=2024-12").await.text();
        assert!(past.contains("Copy a URL into your feed reader."), "a document has no month");
        let both = planet.get("/planet/?month=2024-12&tag=news").await.text();
        assert!(both.contains("stories of this page: <bdi>#news</bdi>"), "{both}");
        assert!(past.contains("<details open><summary>2024</summary>"), "{past}");
        assert!(page.contains("rel=\"canonical\" href=\"../planet/\""), "{page}");
    });
}

#[test]
fn the_archive_lists_no_month_whose_items_the_output_does_not_show() {
    run(async {
        let documents = [
            dated(&[
                ("March", "Sat, 15 Mar 2025 12:00:00 GMT"),
                ("Another day in May", "Thu, 15 May 2025 12:00:00 GMT"),
            ]),
            dated(&[
                ("Not in May", "Fri, 16 May 2025 12:00:00 GMT"),
                ("Past", "Tue, 31 Dec 2024 12:00:00 GMT"),
            ]),
        ];
        let planet = Planet::of(documents, |output| {
            let title = regex::Regex::new("March|Not").ok();
            output.filter.exclude = vec![Conditions { title, ..Conditions::default() }];
        });
        let page = planet.await.get("/planet/").await.text();
        let links: Vec<&str> =
            page.split("href=\"../planet/?month=").skip(1).map(|link| &link[..7]).collect();
        assert_eq!(links, ["2025-05", "2024-12"]);
    });
}

#[test]
fn a_month_links_to_its_neighbours_and_is_found_by_search_engines() {
    run(async {
        let planet = planet("UTC").await;
        let page = planet.get("/planet/?month=2025-03").await.text();
        assert!(page.contains("<h1 dir=\"auto\">March 2025</h1>"), "{page}");
        let nav = page.split("<nav").nth(1).unwrap().split("</nav>").next().unwrap();
        let (newer, older) = (nav.find("May 2025").unwrap(), nav.find("December 2024").unwrap());
        assert!(newer < older, "{nav}");
        assert!(page.contains("rel=\"canonical\" href=\"../planet/?month=2025-03\""), "{page}");
        assert!(!page.contains("noindex"), "{page}");
        // The feed of a month is that of the output: it would never change.
        assert!(!page.contains("atom?month"), "{page}");
        let tagged = planet.get("/planet/?month=2025-05&tag=tech").await;
        assert_eq!(titles(&tagged), ["Eve"]);
        assert!(tagged.text().contains("noindex"));
        let found = planet.get("/planet/?month=2025-05&q=may").await;
        assert_eq!(titles(&found), ["May"]);
        assert_eq!(titles(&planet.get("/planet/?month=2025-03&q=may").await).len(), 0);
    });
}

#[test]
fn a_month_that_is_none_or_empty_shows_no_error() {
    run(async {
        let planet = planet("UTC").await;
        assert_eq!(titles(&planet.get("/planet/?month=2025-04").await).len(), 0);
        for none in ["2025-13", "x", "", "99999-01", "-001-01", "0000-00"] {
            let page = planet.get(&format!("/planet/?month={none}")).await;
            assert_eq!((page.status, titles(&page).len()), (200, 4), "{none}");
        }
        for edge in ["9999-12", "0000-01"] {
            let page = planet.get(&format!("/planet/?month={edge}")).await;
            assert_eq!((page.status, titles(&page).len()), (200, 0), "{edge}");
        }
    });
}

#[test]
fn months_are_looked_for_once_an_hour_but_a_new_month_appears_at_once() {
    run(async {
        let months = async |planet: &Planet| {
            let page = planet.get("/planet/").await.text();
            let links = page.split("href=\"../planet/?month=").skip(1);
            links.map(|link| link[..7].to_owned()).collect::<Vec<_>>()
        };
        let now = ("Now", "Sun, 01 Jun 2025 10:00:00 GMT");
        let may = ("May", "Thu, 15 May 2025 12:00:00 GMT");
        let late = ("Late", "Sat, 15 Feb 2025 12:00:00 GMT");
        let july = ("July", "Tue, 01 Jul 2025 00:10:00 GMT");
        let one = || dated(&[may]);
        let planet = Planet::of([dated(&[now]), one()], |_| ()).await;
        assert_eq!(months(&planet).await, ["2025-06", "2025-05"]);
        planet.again([dated(&[now, late]), one()], HOUR / 2).await;
        assert_eq!(months(&planet).await, ["2025-06", "2025-05"]);
        planet.again([dated(&[now, late, ("Other", now.1)]), one()], HOUR).await;
        assert_eq!(months(&planet).await, ["2025-06", "2025-05", "2025-02"]);
        planet.again([dated(&[now, late, july]), one()], HOUR * 24 * 30).await;
        assert_eq!(months(&planet).await, ["2025-07", "2025-06", "2025-05", "2025-02"]);
    });
}

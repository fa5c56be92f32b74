//! What identifies items if the operator says so: `identity`.

use newswire::daemon::FeedSelection;
use newswire::dedupe::IdentityRule::{self, Auto, Date, Key, Title};

use super::{CRANE, GATE, HOST, POWER, feed, polled, rss};
use crate::support::origin::Answer;
use crate::support::papers::with;
use crate::support::world::{HOUR, World, poll, shown_as};

#[tokio::test]
async fn only_guid_and_link_count_if_the_operator_says_so() {
    let date = "01 May 2025 08:10:09 GMT";
    let documents =
        ["1", "2"].map(|guid| feed(&[[guid, "https://site.test/a", "Crane", date, CRANE]]));
    for (rule, count) in [(Auto, 0), (Key, 1)] {
        let world = World::new().await;
        assert_eq!(polled(&world, rule, &documents).await.1, [1, count], "{rule:?}");
    }
}

/// Polls a document by each rule. Returns the numbers of new items, and the ids that are shown at the end.
async fn polled_by(
    world: &World,
    documents: &[(IdentityRule, String)],
) -> (Vec<usize>, Vec<String>) {
    let bodies = documents.iter().map(|(_, body)| Answer::ok(body.as_str()));
    world.origin.route(HOST, "/feed", bodies);
    let (mut counts, mut ids) = (Vec::new(), Vec::new());
    for (rule, _) in documents {
        let config = world.config(&[world.origin.url(HOST, "/feed")]);
        let engine = world.open_with(with(config, |settings| settings.identity = *rule)).await;
        counts.push(poll(&engine, FeedSelection::All).await[0].recorded.new);
        ids = shown_as(&engine, "id");
        world.clock.advance(2 * HOUR);
    }
    (counts, ids)
}

#[tokio::test]
async fn items_stay_the_same_when_the_operator_changes_what_identifies_them() {
    let documents = |guids: [&str; 3]| {
        let [one, two, three] = guids;
        let crane = (one, "https://site.test/1", "Crane", 1, CRANE);
        let gate = (two, "https://site.test/2", "Gate &amp; door", 2, GATE);
        let power = (three, "https://site.test/3", "Power", 3, POWER);
        [rss(&[gate, crane]), rss(&[power, gate, crane]), rss(&[power, gate, crane])]
    };
    for guids in [["1", "2", "3"], [""; 3]] {
        for (from, to) in [
            (Auto, Title),
            (Auto, Date),
            (Auto, Key),
            (Key, Title),
            (Title, Key),
            (Title, Date),
            (Title, Auto),
            (Date, Key),
            (Date, Title),
            (Date, Auto),
        ] {
            let [first, second, third] = documents(guids);
            let polls =
                [(from, first), (to, second.clone()), (to, third.replace("Ships", "Boats"))];
            let world = World::new().await;
            let (counts, ids) = polled_by(&world, &polls).await;
            assert_eq!((&*counts, ids.len()), (&[2, 1, 0][..], 3), "{from:?} to {to:?}, {guids:?}");
        }
    }
}

#[tokio::test]
async fn an_item_without_link_and_date_stays_the_same_when_the_default_rule_returns() {
    let document = |text: &str| {
        let item = |(id, title, text)| {
            format!(
                "<item><guid>{id}</guid><title>{title}</title><description>{text}</description></item>"
            )
        };
        let items = [("1", "Crane", text), ("2", "Gate", GATE)].map(item).concat();
        format!("<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
    };
    let polls = [(Title, document(CRANE)), (Auto, document(POWER)), (Auto, document(GATE))];
    let world = World::new().await;
    assert_eq!(polled_by(&world, &polls).await.0, [2, 0, 0]);
}

#[tokio::test]
async fn a_guid_that_is_used_again_is_another_item_after_the_change() {
    let link = "https://site.test/1";
    let at = |title, day, text| rss(&[("1", link, title, day, text)]);
    for (to, title, day, new) in [
        (Title, "Gate", 1, 1),
        (Title, "Crane", 2, 0),
        (Date, "Gate", 2, 1),
        (Date, "Gate", 1, 0),
        (Key, "Gate", 2, 0),
    ] {
        let polls = [(Auto, at("Crane", 1, CRANE)), (to, at(title, day, GATE))];
        let world = World::new().await;
        assert_eq!(polled_by(&world, &polls).await.0, [1, new], "{to:?} {title} {day}");
    }
}

//! Outputs that show the same items in different ways: each keeps what it had published.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Planet;

/// What an output shows of each item, by its id.
fn shown(planet: &Planet, output: &str) -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(&planet.text(&format!("{output}.json"))).unwrap();
    let items = document["items"].as_array().unwrap().iter();
    items.map(|item| (item["id"].to_string(), item.clone())).collect()
}

/// Loses the database when most items have left their feeds. The first output has these keys, the others have none.
async fn keep_what_they_had(keys: &str) {
    let planet = Planet::new(keys).await;
    // The tracking parameters are in no other test.
    let tracked = |name: &str| {
        let address = format!("https://{name}.test/");
        let text = super::feed(name, super::ITEMS, super::tag_guid);
        let text = text.replace(
            &format!("<link>{address}"),
            &format!("<link>{address}?utm_source=rss&amp;p="),
        );
        text.replace("?utm_source=rss&amp;p=</link>", "</link>")
    };
    for (host, name) in [("127.0.1.1", "gull"), ("127.0.2.1", "tide")] {
        let answer = crate::support::origin::Answer::ok(tracked(name));
        planet.origin.route(host, "/feed", [answer]);
    }
    planet.poll([0, 1]);
    let outputs = ["planet", "all", "tide"];
    let before = outputs.map(|output| shown(&planet, output));
    planet.lose_the_database();
    planet.ok(&["restore", "--from-outputs"]);
    planet.serve(0);
    planet.poll([1, 0]);
    for (output, before) in outputs.iter().zip(before) {
        assert!(before.len() >= 10, "{output}: {}", before.len());
        let mut after = shown(&planet, output);
        // The story that two feeds have is led by an item that another output shows too.
        after.retain(|id, _| before.contains_key(id));
        assert_eq!(after, before, "{output} beside one with {keys}");
    }
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_read_back_from_the_output_that_shows_them_whole() {
    keep_what_they_had("content = \"none\"\n").await;
    keep_what_they_had("content = \"summary\"\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_and_links_are_read_back_from_the_output_that_does_not_change_them() {
    let keys =
        "strip_tracking = true\ntitle_replace = [['\\d', 'N']]\ntitle_prefix = \"{source}: \"\n";
    keep_what_they_had(keys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_of_first_sight_and_of_publication_are_both_read_back() {
    keep_what_they_had("date = \"first_seen\"\n").await;
}

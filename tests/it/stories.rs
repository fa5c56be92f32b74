//! Stories as a subscriber sees them: one text in many feeds, the operator's word, receipts; whatever
//! comes first, and over restarts.

use std::collections::BTreeSet;
use std::time::Duration;

use newswire::daemon::FeedSelection;
use newswire::store::Reader;
use proptest::prelude::*;
use url::Url;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, again, all, one, rss, story};
use crate::support::world::{World, poll, shown, shown_as};

#[tokio::test]
async fn an_agencys_text_is_one_entry_that_names_every_paper_and_keeps_its_id() {
    let world = World::new().await;
    let [a, b, c, d] = AGENCY;
    let urls = [
        one(&world, "gull.test", story("1", "Halcyon aground in fog", &[a, b, c])),
        one(&world, "pier.test", story("2", "Choir sings on stranded ferry", &[a, b, d])),
        one(&world, "tide.test", story("3", "Sandbank moved, ferry stuck", &[a, b, c, d])),
    ];
    let engine = world.open(&urls[..2]).await;
    all(&engine).await;
    let first = shown(&engine);
    assert_eq!(first.len(), 1);
    drop(engine);
    // A fuller copy later, after a restart.
    let engine = world.open(&urls).await;
    again(&world, &engine).await;
    let now = shown(&engine);
    assert_eq!(now.len(), 1);
    assert_eq!((&now[0]["id"], &now[0]["title"]), (&first[0]["id"], &first[0]["title"]));
    let also = now[0]["_newswire"]["also_at"].as_array().unwrap();
    assert_eq!(also.len(), 2);
    assert_eq!(also[1]["url"], "https://3.test/3", "in the order in which they came");
    let atom = engine.served().document("planet.atom").unwrap();
    let atom = String::from_utf8_lossy(&atom.body).into_owned();
    assert_eq!(atom.matches("rel=\"related\"").count(), 2);
}

#[tokio::test]
async fn an_output_may_ask_for_stories_that_two_feeds_carry() {
    let world = World::new().await;
    let [a, b, c, d] = AGENCY;
    let urls = [
        one(&world, "gull.test", story("1", "Halcyon aground in fog", &[a, b, c])),
        one(&world, "pier.test", story("2", "Choir sings on ferry", &[a, b, c, d])),
        one(&world, "solo.test", story("3", "Bread is dear now", &["A loaf costs twice as much."])),
    ];
    let mut config = world.config(&urls);
    config.outputs[0].min_feeds = Some(2);
    let engine = world.open_with(config).await;
    all(&engine).await;
    let shown = shown_as(&engine, "title");
    assert!(shown.len() == 1 && shown[0] != "Bread is dear now", "{shown:?}");
}

#[tokio::test]
async fn a_link_to_the_home_page_makes_one_story_of_nothing() {
    let world = World::new().await;
    let notice = |guid, title, text| Story {
        link: "https://choir.test/home".to_owned(),
        ..story(guid, title, &[text])
    };
    let notices = [
        ("a.test", notice("1", "Rehearsal moved", "We sing on Friday and not on Thursday.")),
        ("b.test", notice("2", "Cake wanted", "For the summer party we need nine cakes.")),
    ];
    let mut urls = Vec::new();
    for (host, notice) in notices {
        let Answer::Plain { body, .. } = rss(&[notice]) else { unreachable!("a plain answer") };
        let home = "<title>F</title><link>https://choir.test/home</link>";
        let body = String::from_utf8(body).unwrap().replace("<title>F</title>", home);
        world.origin.route(host, "/feed", [Answer::ok(body)]);
        urls.push(world.origin.url(host, "/feed"));
    }
    let engine = world.open(&urls).await;
    all(&engine).await;
    assert_eq!(shown(&engine).len(), 2);
}

/// The stories of the world, each as the pages of its items.
fn stories(world: &World) -> BTreeSet<BTreeSet<String>> {
    let connection = rusqlite::Connection::open(world.database()).unwrap();
    let mut statement = connection.prepare("SELECT story_id, url FROM item").unwrap();
    let mut found: std::collections::BTreeMap<i64, BTreeSet<String>> = Default::default();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        found.entry(row.get(0).unwrap()).or_default().insert(row.get(1).unwrap());
    }
    found.into_values().collect()
}

/// Ten feeds, among them copies, abridged copies, a chain of likeness and templates.
fn documents() -> Vec<(&'static str, Vec<Story<'static>>)> {
    let [a, b, c, d] = AGENCY;
    let dated = |story: Story<'static>, date| Story { date, ..story };
    let weather = |town: &str, degrees: u8| {
        format!(
            "Today in {town} it is cloudy with {degrees} degrees, wind from the north and rain at night, and the \
                 sea is calm with waves of half a metre at the pier."
        )
    };
    let at = [
        "Sun, 01 Jun 2025 06:00:00 GMT",
        "Sun, 01 Jun 2025 07:00:00 GMT",
        "Sun, 01 Jun 2025 09:00:00 GMT",
    ];
    vec![
        ("a.test", vec![dated(story("a1", "Ferry aground", &[a, b, c, d]), at[1])]),
        ("b.test", vec![dated(story("b1", "Fog strands a ferry", &[a, b, c]), at[0])]),
        ("c.test", vec![dated(story("c1", "Choir sings on", &[a, c, d]), at[2])]),
        ("d.test", vec![dated(story("d1", "Tugs wait for high water", &[c, d]), at[2])]),
        (
            "e.test",
            vec![story(
                "e1",
                "Two boats and a ferry",
                &[b, d, "A fisherman gave away his sandwiches and his coat."],
            )],
        ),
        ("f.test", vec![story("f1", "Weather in Velden", &[&weather("Velden", 12)])]),
        ("g.test", vec![story("g1", "Weather in Arlen", &[&weather("Arlen", 17)])]),
        (
            "h.test",
            vec![story(
                "h1",
                "kelpd 1.2.3",
                &[
                    "Fixes a crash when the tide table is empty, and two leaks in the parser of buoys.",
                ],
            )],
        ),
        (
            "i.test",
            vec![story(
                "i1",
                "kelpd 1.2.4",
                &[
                    "Fixes a crash when the tide table is empty, and two leaks in the parser of buoys.",
                ],
            )],
        ),
        (
            "j.test",
            vec![
                story("j1", "Ferry aground", &[a, b]),
                story("j2", "Weather in Velden", &[&weather("Velden", 12)]),
            ],
        ),
    ]
}

/// Polls the documents in this order, with restarts after some of them.
async fn arrive(order: &[usize], restarts: &[bool]) -> BTreeSet<BTreeSet<String>> {
    let world = World::new().await;
    let documents = documents();
    let urls: Vec<Url> =
        documents.iter().map(|(host, _)| world.origin.url(host, "/feed")).collect();
    for (host, items) in documents {
        world.origin.route(host, "/feed", [rss(&items)]);
    }
    let open = || {
        let mut config = world.config(&urls);
        config.outputs.clear();
        world.open_with(config)
    };
    let mut engine = Some(open().await);
    for (n, restart) in order.iter().zip(restarts) {
        if *restart {
            drop(engine.take());
        }
        let engine = match &engine {
            Some(engine) => engine,
            None => engine.insert(open().await),
        };
        world.clock.advance(Duration::from_secs(400));
        poll(engine, FeedSelection::Named(vec![urls[*n].to_string()])).await;
    }
    stories(&world)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn the_same_documents_make_the_same_stories_in_any_order_and_over_restarts(
        order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle(),
        restarts in proptest::collection::vec(any::<bool>(), 10),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let plain: Vec<usize> = (0..10).collect();
        let there = runtime.block_on(arrive(&plain, &[false; 10]));
        prop_assert!(there.iter().any(|story| story.len() >= 3), "{:?}", there);
        prop_assert_eq!(there, runtime.block_on(arrive(&order, &restarts)));
    }
}

/// A text that shares nothing with that of the agency.
const BREAD: [&str; 3] = [
    "Bakers in the old town have raised the price of a loaf for the second time this year, and customers pay it \
     without a word, the guild reported after counting the receipts of forty shops.",
    "Flour costs a third more than in spring, because the mills on the upper river stood still for seven weeks during \
     the drought. Butter and eggs have become dearer as well.",
    "Two shops now sell the bread of yesterday at half the price. It is usually gone before ten in the morning.",
];

#[tokio::test]
async fn a_lead_that_becomes_another_text_leaves_the_story_to_the_other_papers() {
    let world = World::new().await;
    let [a, b, c, d] = AGENCY;
    let papers = [
        ("gull.test", story("1", "Halcyon aground in fog", &[a, b, c, d])),
        ("pier.test", story("2", "Choir sings on stranded ferry", &[a, b, c])),
        ("tide.test", story("3", "Sandbank moved, ferry stuck", &[a, b, d])),
        ("buoy.test", story("4", "Ferry waits for high water", &[a, c, d])),
        ("mole.test", story("5", "Island cut off after ferry strands", &[a, b, c, d])),
    ];
    let urls = papers.map(|(host, story)| one(&world, host, story));
    let engine = world.open(&urls).await;
    for url in &urls {
        poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
    }
    let first = shown(&engine);
    assert_eq!((first.len(), &first[0]["title"]), (1, &"Halcyon aground in fog".into()));
    one(&world, "gull.test", story("1", "Bread is dear again", &BREAD));
    again(&world, &engine).await;
    let mut now = shown(&engine);
    now.sort_by_key(|entry| entry["title"] != "Bread is dear again");
    let others = |entry: &serde_json::Value| -> usize {
        entry["_newswire"]["also_at"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(now.len(), 2, "{now:?}");
    assert_eq!((&now[0]["title"], others(&now[0])), (&"Bread is dear again".into(), 0));
    assert_eq!(others(&now[1]), 3, "{now:?}");
    // The receipt is that of the new text.
    let reader = Reader::open(&world.database()).unwrap();
    let receipt = reader.read(|reader| {
        let item = reader.find_items("1", None)?.remove(0);
        reader.item_history(item)
    });
    let receipt = receipt.unwrap();
    assert!(receipt.others.is_empty() && !receipt.matches.is_empty());
    assert!(receipt.matches.iter().all(|(tie, ..)| !tie.same && tie.score < tie.threshold));
    // A follower that becomes the text of another story joins it.
    one(&world, "pier.test", story("2", "Loaf costs more", &BREAD));
    again(&world, &engine).await;
    let mut now = shown(&engine);
    now.sort_by_key(others);
    assert_eq!(now.iter().map(others).collect::<Vec<_>>(), [1, 2], "{now:?}");
}

#[tokio::test]
async fn a_text_that_two_lists_of_a_host_carry_is_one_entry_and_other_texts_are_not() {
    let world = World::new().await;
    let on_list = |list: &str, guid: &'static str, text: &[&str]| Story {
        link: format!("https://lists.test/{list}/{guid}.html"),
        ..story(guid, "[PATCH] harbour: count the buoys once", text)
    };
    let [a, b, c, d] = AGENCY;
    let urls = [
        one(&world, "ports.lists.test", on_list("ports", "1", &[a, b, c])),
        one(&world, "buoys.lists.test", on_list("buoys", "2", &[a, b, c])),
        one(&world, "tugs.lists.test", on_list("tugs", "3", &[a, b, d])),
    ];
    let engine = world.open(&urls).await;
    all(&engine).await;
    assert_eq!(shown(&engine).len(), 2);
}

const COOKIES: &str = "We and our partners use cookies to store and access information on a device. Please accept \
    cookies to continue reading this article on our site. Manage your preferences at any time.";
const HEADLINES: [&str; 8] = [
    "Dog saves boy from river",
    "Parliament adopts pension law",
    "Volcano erupts near capital",
    "Bakery wins national prize",
    "Trains delayed after storm",
    "New species of frog found",
    "Museum buys lost painting",
    "School bans phones in class",
];

#[tokio::test]
async fn a_notice_in_the_place_of_every_text_makes_no_story() {
    let world = World::new().await;
    let notices = |feed: &str, headlines: &[&'static str], text: &str| {
        let guids: Vec<String> = (0..headlines.len()).map(|n| format!("{feed}{n}")).collect();
        let items = guids.iter().zip(headlines).map(|(guid, title)| story(guid, title, &[text]));
        let host = format!("{feed}.test");
        world.origin.route(&host, "/feed", [rss(&items.collect::<Vec<_>>())]);
        world.origin.url(&host, "/feed")
    };
    // A short text needs titles that agree; a long one is no evidence once a feed has it in several items.
    let long = AGENCY.join(" ");
    let urls = [
        notices("a", &HEADLINES[..4], COOKIES),
        notices("b", &HEADLINES[4..], COOKIES),
        notices("c", &["A headline of another paper"], COOKIES),
        notices(
            "d",
            &["Letter to readers"; 3],
            "Dear readers, here is what we published this week. Thank you.",
        ),
        notices(
            "e",
            &["Letter to readers"; 3],
            "Dear readers, here is what we published this week. Thank you.",
        ),
        notices("f", &HEADLINES[..4], &long),
        notices("g", &HEADLINES[4..], &long),
    ];
    let engine = world.open(&urls).await;
    all(&engine).await;
    assert_eq!(shown(&engine).len(), 4 + 4 + 1 + 3 + 3 + 4 + 4);
}

#[tokio::test]
async fn a_footer_that_papers_begin_to_add_makes_no_story_on_any_day() {
    const FOOTER: &str = "You are reading a free preview of this article. Subscribers get unlimited access to all \
        stories, podcasts, newsletters and the archive on every device. Start your free trial today and cancel \
        whenever you like, no questions asked. Already a subscriber? Log in to continue reading where you left off.";
    let world = World::new().await;
    let own = [
        "A local man praised the quick dog which pulled a boy of nine out of icy water.",
        "Members voted late at night to raise the age of retirement by two years.",
        "Ash clouds rose ten kilometres into the sky and flights were cancelled.",
        "The jury praised a rye loaf with caraway that ferments for three full days.",
        "Fallen trees blocked tracks on four lines and crews worked through the night.",
        "Biologists described a tiny green frog with golden eyes from a remote plateau.",
    ];
    let urls = ["a", "b", "c"].map(|feed| {
        let host = format!("{feed}.test");
        let place = (feed.as_bytes()[0] - b'a') as usize;
        let guids: Vec<String> = (0..2).map(|day| format!("{feed}{day}")).collect();
        let item = |day: usize| {
            let n = place + 3 * day;
            story(&guids[day], HEADLINES[n], &[own[n], FOOTER])
        };
        world.origin.route(&host, "/feed", [rss(&[item(0)]), rss(&[item(0), item(1)])]);
        world.origin.url(&host, "/feed")
    });
    let engine = world.open(&urls).await;
    all(&engine).await;
    assert_eq!(shown(&engine).len(), 3);
    again(&world, &engine).await;
    assert_eq!(shown(&engine).len(), 6);
}

#[tokio::test]
async fn every_decision_leaves_a_receipt() {
    let world = World::new().await;
    let [a, b, c, _] = AGENCY;
    let urls = [
        one(&world, "gull.test", story("1", "Halcyon aground in fog", &[a, b, c])),
        one(&world, "pier.test", story("2", "Choir sings on ferry", &[a, b, c])),
        one(&world, "h.test", story("3", "kelpd 1.2.3", &[b, c])),
        one(&world, "i.test", story("4", "kelpd 1.2.4", &[b, c])),
    ];
    let engine = world.open(&urls).await;
    for url in &urls {
        poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
    }
    let reader = Reader::open(&world.database()).unwrap();
    let receipt = |number: &str| {
        let item = reader.read(|reader| reader.find_items(number, None)).unwrap().remove(0);
        reader.read(|reader| reader.item_history(item)).unwrap()
    };
    let second = receipt("2");
    let (tie, other, _) = &second.matches[0];
    assert_eq!(
        (tie.same, tie.rule.slug(), other.feed_name.as_str()),
        (true, "same_text", "gull.test-feed")
    );
    assert_eq!(second.poll, Some((newswire::model::Outcome::Modified, Some(200))));
    let fourth = receipt("4");
    let parted: Vec<_> = fourth.matches.iter().filter(|(tie, _, _)| !tie.same).collect();
    assert!(parted.iter().any(|(tie, other, _)| tie.rule.slug() == "series" && other.key.0 == 3));
}

/// Runs the program in a folder that has its config.
fn newswire(folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let mut command = assert_cmd::Command::cargo_bin("newswire").unwrap();
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

/// Three feeds on this machine, of which two carry one text, and a config for them.
async fn on_disk(world: &World) -> std::path::PathBuf {
    let [a, b, c, d] = AGENCY;
    let items = [
        ("/gull", story("1", "Halcyon aground in fog", &[a, b, c])),
        ("/pier", story("2", "Choir sings on ferry", &[a, b, c, d])),
        ("/solo", story("3", "Bread is dear now", &["A loaf costs twice as much as in May."])),
    ];
    let mut config = format!(
        "version = 1\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\ncontact = \"me@example.org\"\n\
         allow_networks = [\"127.0.0.1\"]\n[store]\npath = \"{}\"\n[web]\nlisten = \"off\"\n\
         public_url = \"https://planet.test/\"\n[[output]]\nid = \"planet\"\n",
        world.database().display()
    );
    for (path, item) in items {
        world.origin.route("127.0.0.1", path, [rss(&[item])]);
        let url = world.origin.url("127.0.0.1", path);
        config.push_str(&format!("[[feed]]\nid = \"{}\"\nurl = \"{url}\"\n", &path[1..]));
    }
    let folder = world.folder.path().to_owned();
    std::fs::write(folder.join("newswire.toml"), config).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn why_split_and_join_work_and_decisions_are_permanent() {
    let world = World::new().await;
    let folder = on_disk(&world).await;
    let run = |arguments: &[&str]| newswire(&folder, arguments);
    for feed in ["gull", "pier", "solo"] {
        assert_eq!(run(&["poll", feed]).0, 0);
    }
    let (code, why) = run(&["why", "https://2.test/2"]);
    assert_eq!(code, 0, "{why}");
    for word in [
        "joined by",
        "matches the other item of the story",
        "belongs to 1",
        "Halcyon aground in fog",
        "100% of the shorter text is in the other",
        "planet: shown in the story of item 1",
        "modified (HTTP 200)",
    ] {
        assert!(why.contains(word), "{word} is missing in\n{why}");
    }
    assert!(run(&["why", "3"]).1.contains("planet: shown at position"));
    assert_eq!(run(&["split", "https://2.test/2"]).0, 0);
    assert_eq!(stories(&world).len(), 3);
    // The same text again, edited, and a third paper with it: the word holds.
    let [a, b, c, d] = AGENCY;
    let edited = story("2", "Choir sings on stranded ferry", &[a, b, c, d, "So they said."]);
    world.origin.route("127.0.0.1", "/pier", [rss(&[edited])]);
    assert_eq!(run(&["poll", "pier", "--force"]).0, 0);
    assert_eq!(stories(&world).len(), 3);
    assert_eq!(run(&["join", "3", "https://1.test/1"]).0, 0);
    assert_eq!(stories(&world).len(), 2);
    assert!(run(&["why", "3"]).1.contains("with 'newswire join'"));
    assert!(run(&["join", "2", "1"]).1.contains("one story, with item 3"));
    assert_eq!(run(&["split", "1"]).0, 0);
    assert_eq!(stories(&world).len(), 3, "nothing else holds those that were joined to it");
    let (code, said) = run(&["why", "https://nowhere.test/"]);
    assert_eq!((code, said.contains("no item has")), (64, true), "{said}");
    assert_eq!(run(&["join", "1", "1"]).0, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_shows_the_differences_and_changes_nothing() {
    let world = World::new().await;
    let folder = on_disk(&world).await;
    let run = |arguments: &[&str]| newswire(&folder, arguments);
    assert_eq!(run(&["poll", "--all"]).0, 0);
    let before = stories(&world);
    let (code, same) = run(&["replay"]);
    assert_eq!(code, 0, "{same}");
    assert!(
        same.contains("no difference") && same.contains("planet: stories: 2 before, 2 after"),
        "{same}"
    );
    let config = std::fs::read_to_string(folder.join("newswire.toml")).unwrap();
    let off = config.replace("[store]", "[dedupe]\nacross_feeds = \"off\"\n[store]");
    std::fs::write(folder.join("off.toml"), off).unwrap();
    let (code, other) = run(&["--config", "off.toml", "replay", "--since", "30d", "--json"]);
    assert_eq!(code, 0, "{other}");
    let json: serde_json::Value = serde_json::from_str(&other).unwrap();
    let planet = &json["outputs"][0];
    assert_eq!((&planet["stories_before"], &planet["stories_after"]), (&2.into(), &3.into()));
    assert_eq!(planet["added"].as_array().unwrap().len(), 1);
    let none =
        config.replace("id = \"planet\"\n", "id = \"planet\"\nexclude = { title = \"Bread\" }\n");
    std::fs::write(folder.join("none.toml"), none).unwrap();
    let (_, excluded) = run(&["--config", "none.toml", "replay"]);
    assert!(excluded.contains("the output filters it by exclude = { title"), "{excluded}");
    assert_eq!(stories(&world), before);
    assert_eq!(run(&["replay", "--since", "soon"]).0, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_applied_on_request() {
    let world = World::new().await;
    let folder = on_disk(&world).await;
    let run = |arguments: &[&str]| newswire(&folder, arguments);
    assert_eq!(run(&["poll", "--all"]).0, 0);
    assert_eq!(stories(&world).len(), 2);
    let path = folder.join("newswire.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let off = config.replace("[store]", "[dedupe]\nacross_feeds = \"off\"\n[store]");
    std::fs::write(&path, &off).unwrap();
    // The setting is for new items; the preview shows what it would change.
    assert_eq!(run(&["poll", "--all", "--force"]).0, 0);
    assert_eq!(stories(&world).len(), 2);
    let (code, preview) = run(&["replay"]);
    assert_eq!(code, 0, "{preview}");
    assert!(preview.contains("nothing was changed") && preview.contains("--apply"), "{preview}");
    assert_eq!(stories(&world).len(), 2);
    let (code, applied) = run(&["replay", "--apply"]);
    assert_eq!(code, 0, "{applied}");
    assert!(applied.contains("1 in another story now"), "{applied}");
    assert_eq!(stories(&world).len(), 3);
    std::fs::write(&path, &config).unwrap();
    assert_eq!(run(&["replay", "--apply"]).0, 0);
    assert_eq!(stories(&world).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_were_not_compared_when_they_arrived_are_compared_by_a_replay() {
    for setting in ["off", "link"] {
        let world = World::new().await;
        let folder = on_disk(&world).await;
        let run = |arguments: &[&str]| newswire(&folder, arguments);
        let path = folder.join("newswire.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let section = format!("[dedupe]\nacross_feeds = \"{setting}\"\n[store]");
        std::fs::write(&path, config.replace("[store]", &section)).unwrap();
        assert_eq!(run(&["poll", "--all"]).0, 0);
        assert_eq!(stories(&world).len(), 3, "{setting}");
        std::fs::write(&path, &config).unwrap();
        let (code, preview) = run(&["replay"]);
        assert_eq!(code, 0, "{preview}");
        assert!(preview.contains("planet: stories: 3 before, 2 after"), "{setting}: {preview}");
        assert_eq!(stories(&world).len(), 3, "{setting}");
        assert_eq!(run(&["replay", "--apply"]).0, 0);
        assert_eq!(stories(&world).len(), 2, "{setting}");
        // What was made for the replay is kept for items that arrive later.
        let connection = rusqlite::Connection::open(world.database()).unwrap();
        let count = "SELECT count(*) FROM fingerprint WHERE length(data) > 200";
        let kept: i64 = connection.query_row(count, [], |row| row.get(0)).unwrap();
        assert!(kept >= 2, "{setting}: {kept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn why_names_the_differences_of_two_texts() {
    let world = World::new().await;
    let folder = on_disk(&world).await;
    let [a, b, c, d] = AGENCY;
    let restyled = [a, b, c, d].map(|p| {
        p.replace("on Saturday", "on May 31").replace("forty-one", "41").replace("sixty", "seventy")
    });
    let restyled: Vec<&str> = restyled.iter().map(String::as_str).collect();
    let edited = Story {
        date: "Sun, 01 Jun 2025 09:00:00 GMT",
        ..story("2", "Choir sings on ferry", &restyled)
    };
    world.origin.route("127.0.0.1", "/pier", [rss(&[edited])]);
    let run = |arguments: &[&str]| newswire(&folder, arguments);
    for feed in ["gull", "pier"] {
        assert_eq!(run(&["poll", feed]).0, 0);
    }
    let (_, why) = run(&["why", "https://2.test/2"]);
    for word in ["same: Saturday = May 31", "slot: sixty / seventy"] {
        assert!(why.contains(word), "{word} is missing in\n{why}");
    }
    let (_, json) = run(&["why", "https://2.test/2", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let first = &json["matches"][0]["differences"][0];
    assert_eq!((&first["here"], &first["there"]), (&"May 31".into(), &"Saturday".into()));
    assert_eq!(first["same_meaning"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn release_shows_held_items() {
    let world = World::new().await;
    let folder = on_disk(&world).await;
    let config = std::fs::read_to_string(folder.join("newswire.toml")).unwrap();
    let config = config.replace("[store]", "[dedupe]\ninitial_items = 1\n[store]");
    std::fs::write(folder.join("newswire.toml"), config).unwrap();
    let [a, b, c, _] = AGENCY;
    let older = Story {
        date: "Sat, 31 May 2025 08:00:00 GMT",
        ..story("4", "Fog and a ferry", &[a, b, c])
    };
    let two = [story("3", "Bread is dear now", &["A loaf costs twice as much."]), older];
    world.origin.route("127.0.0.1", "/solo", [rss(&two)]);
    let run = |arguments: &[&str]| newswire(&folder, arguments);
    assert_eq!(run(&["poll", "--all"]).0, 0);
    assert!(run(&["why", "https://4.test/4"]).1.contains("held (history)"));
    let (code, said) = run(&["release", "solo"]);
    assert_eq!((code, said.as_str()), (0, "solo: 1 item released\n"));
    let why = run(&["why", "https://4.test/4"]).1;
    assert!(why.contains("same") && why.contains("same word for word"), "{why}");
    assert_eq!(run(&["release", "nobody"]).0, 64);
}

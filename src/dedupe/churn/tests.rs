//! Tests of `churn`.

use super::*;
use crate::model::EditCounts;

const DAY: i64 = 86_400;
/// A second of some day that is not midnight.
const NOON: i64 = 400 * DAY + 43_207;
const FERRY: &str = "The ferry to the island ran aground in thick fog this morning at six.";
const BREAD: &str = "Bakers in the old town have raised the price of a loaf again by far.";
const TEASER: &str = "Read the full report with all of the details on our website today.";

/// URL, title, date and text.
type Entry<'a> = (&'a str, &'a str, i64, &'a str);

fn seen((url, title, at, text): Entry<'_>) -> ItemTraits {
    let content = format!("{url} {title} {text}");
    ItemTraits {
        url: (!url.is_empty()).then(|| url.to_owned()),
        url_key: canonical::url_key(url),
        title: (!title.is_empty()).then(|| title.to_owned()),
        published: (at > 0).then(|| Timestamp::from_second(at).unwrap()),
        text_digest: Words::of_text(text).exact_digest().map(u64::cast_signed),
        content_digest: Some(super::super::ids::digest(&[content.as_bytes()])),
    }
}

/// A document in which no item has a known guid; `keys` are those of the items.
fn found(
    old: &[Entry<'_>],
    new: &[Entry<'_>],
    keys: (OwnKey, &[Entry<'_>]),
) -> Vec<(usize, i64, RecognisedBy)> {
    found_after(None, old, (new, GuidForm::Opaque), keys)
}

/// The same after a poll at this second.
fn found_after(
    last_poll: Option<i64>,
    old: &[Entry<'_>],
    (new, guid_form): (&[Entry<'_>], GuidForm),
    (own_key, known): (OwnKey, &[Entry<'_>]),
) -> Vec<(usize, i64, RecognisedBy)> {
    let last_poll = last_poll.map(|at| Timestamp::from_second(at).unwrap());
    let stored = |(n, entry): (usize, &Entry<'_>)| RecentItem {
        key: ItemKey(n as i64),
        seen: seen(*entry),
        dated: seen(*entry).published,
        edits: EditCounts::default(),
    };
    let all: Vec<RecentItem> = old.iter().chain(known).enumerate().map(stored).collect();
    let here = (old.len()..all.len()).map(|n| ItemKey(n as i64)).collect();
    let unrecognised: Vec<UnrecognisedItem> = new
        .iter()
        .enumerate()
        .map(|(index, entry)| UnrecognisedItem {
            index,
            own_key,
            substance: Substance::Words,
            guid_form,
            seen: seen(*entry),
            dated: seen(*entry).published,
            words: Words::of_text(entry.3),
        })
        .collect();
    let dates: Vec<Option<Timestamp>> =
        new.iter().chain(known).map(|entry| seen(*entry).published).collect();
    let (unrecognised, coverage) = (&*unrecognised, Coverage::All);
    let shown =
        Shown { unrecognised, dates: &dates, stored: &all, here: &here, coverage, last_poll };
    let pairs: Vec<(usize, ItemKey)> =
        candidates(&shown).iter().map(|pair| (pair.new.index, pair.old.key)).collect();
    assert_eq!(
        pairs.iter().collect::<HashSet<_>>().len(),
        pairs.len(),
        "each pair is compared once"
    );
    let words = compared(&shown).into_iter().map(|key| {
        let place = key.0 as usize;
        let entry = old.iter().chain(known).nth(place).unwrap();
        (key, Words::of_text(entry.3))
    });
    let found = recognised(&shown, &words.collect());
    found.iter().map(|found| (found.index, found.key.0, found.way)).collect()
}

/// Other items of the feed, which stay.
const OTHERS: [Entry<'static>; 2] = [
    ("https://e.example/x", "Fog on the coast", NOON - 90_001, "Drivers should be careful."),
    ("https://e.example/y", "A lamp at sea", NOON - 190_002, "It was seen from the pier."),
];

fn one(old: Entry<'_>, new: Entry<'_>) -> Option<RecognisedBy> {
    let found = found(&[old], &[new], (OwnKey::Present, &OTHERS));
    found.first().map(|(_, _, way)| *way)
}

#[test]
fn a_new_guid_for_the_same_page_path_title_or_text_at_the_same_time_is_the_same_item() {
    let old = ("http://old.example/2026/a-post", "A long post", NOON, FERRY);
    let longer = format!("{FERRY} It floats again.");
    for (url, title, at, text, way) in [
        ("https://old.example/2026/a-post", "A long post", NOON, FERRY, RecognisedBy::Page),
        ("https://old.example/2026/a-post", "A long post", NOON + 9_001, FERRY, RecognisedBy::Page),
        (
            "https://old.example/2026/a-post",
            "A long post",
            NOON + 9_001,
            &*longer,
            RecognisedBy::Page,
        ),
        ("https://old.example/2026/a-post", "Ferry aground", NOON, BREAD, RecognisedBy::Page),
        ("https://new.example/2026/a-post", "A long post", 0, &*longer, RecognisedBy::Path),
        ("https://new.example/?p=7", "A long post", NOON, &*longer, RecognisedBy::Title),
        ("https://new.example/?p=7", "A long post", NOON + 30, &*longer, RecognisedBy::Title),
        ("https://new.example/?p=7", "Ferry aground", NOON + 30, FERRY, RecognisedBy::Text),
    ] {
        let new = (url, title, at, text);
        assert_eq!(one(old, new), Some(way), "{new:?}");
    }
}

#[test]
fn an_item_with_another_date_number_or_text_is_new() {
    let midnight = 401 * DAY;
    // Midnight in another time zone.
    let evening = midnight - 2 * 3_600;
    let (a, b) = ("https://e.example/a", "https://e.example/b");
    for (old, new) in [
        // Recurring items with a constant text.
        (
            (a, "Weekly open thread", NOON, TEASER),
            (b, "Weekly open thread", NOON + 7 * DAY, TEASER),
        ),
        (
            (a, "Press briefing 1 May", NOON, TEASER),
            (b, "Press briefing 2 May", NOON + DAY, TEASER),
        ),
        ((a, "Press briefing 1 May", 0, TEASER), (b, "Press briefing 2 May", 0, TEASER)),
        ((a, "Episode 100", NOON, TEASER), (b, "Episode 103", NOON + DAY, TEASER)),
        ((a, "Council agenda", NOON, TEASER), (b, "Council minutes", NOON + DAY, TEASER)),
        ((a, "Morning news", 0, TEASER), (b, "Morning news", 0, TEASER)),
        // A date without time.
        ((a, "Traffic accident", midnight, FERRY), (b, "Traffic accident", midnight, BREAD)),
        ((a, "Pension law adopted", midnight, TEASER), (b, "Volcano erupts", midnight, TEASER)),
        ((a, "Road closed", midnight, TEASER), (b, "Road closed", midnight, TEASER)),
        ((a, "Pension law adopted", evening, TEASER), (b, "Volcano erupts", evening, TEASER)),
        ((a, "Road closed", evening, "By snow."), (b, "Road closed", evening, "By a tree.")),
        // The same path on another host.
        (
            ("https://a.example/news-2026/latest", "Morning bulletin", NOON, FERRY),
            ("https://b.example/news-2026/latest", "Morning bulletin", NOON + DAY, BREAD),
        ),
        // A constant page, and places in it.
        ((a, "Deal of the day", NOON, FERRY), (a, "Deal of the day", NOON + DAY, BREAD)),
        ((a, "Deal of the day", NOON, FERRY), (a, "A lamp for tonight", NOON + DAY, BREAD)),
        (
            ("https://e.example/all#d1", "Notes of the day", NOON, TEASER),
            ("https://e.example/all#d2", "Notes of the day", NOON + DAY, TEASER),
        ),
        ((a, "The walk, part 1", NOON, FERRY), (a, "The walk, part 2", NOON, BREAD)),
    ] {
        assert_eq!(one(old, new), None, "{old:?} {new:?}");
        let alone = found(&[old], &[new], (OwnKey::Present, &[]));
        assert_eq!(alone, [], "{old:?} {new:?}");
    }
}

#[test]
fn an_edit_of_headline_address_and_summary_at_once_makes_no_new_item() {
    const WAS: &str =
        "A storm hit the northern coast on Monday, injuring dozens of people and closing ports.";
    const IS: &str = "A storm hit the northern coast on Monday, injuring at least 40 people and closing all ports.";
    let (was, is) = ("Storm hits coast, dozens hurt", "Storm batters coast, at least 40 injured");
    for (a, b) in [
        (
            "https://e.example/storm-hits-coast/a-71234560",
            "https://e.example/storm-batters-coast/a-71234560",
        ),
        ("https://e.example/storm-hits-coast", "https://e.example/storm-batters-coast"),
    ] {
        assert!(one((a, was, NOON, WAS), (b, is, NOON, IS)).is_some(), "{b}");
        let later = one((a, was, NOON, WAS), (b, is, NOON + 7_203, IS));
        assert_eq!(later.is_some(), b.contains("71234560"), "{b}");
        assert_eq!(one((a, was, NOON, WAS), (b, "Bread is dear", NOON, BREAD)), None, "{b}");
        assert_eq!(one((a, was, NOON, WAS), (b, "A lamp at sea", NOON + 7_203, IS)), None, "{b}");
    }
    let day = |day: u8| format!("https://e.example/news/202603{day:02}");
    let (a, b) = (day(1), day(1) + "/late");
    assert_eq!(one((&a, was, NOON, WAS), (&b, is, NOON + 7_203, IS)), None, "a date is no id");
}

#[test]
fn a_page_proves_little_where_it_is_that_of_the_only_item() {
    let old = ("https://e.example/deal", "Deal of the day", NOON, FERRY);
    let longer = format!("{FERRY} Only today.");
    let alone = |at, text: &str| {
        let new = ("https://e.example/deal", "Deal of the day", at, text);
        found(&[old], &[new], (OwnKey::Present, &[])).len()
    };
    assert_eq!(alone(NOON + DAY, &longer), 0);
    assert_eq!(alone(NOON, &longer), 1, "the same time");
    assert_eq!(alone(NOON + DAY, FERRY), 1, "nothing is new");
}

#[test]
fn an_episode_with_a_constant_page_title_and_text_is_new() {
    let mut seen = seen(("https://e.example/show", "The news", NOON, TEASER));
    let (edits, dated) = (EditCounts::default(), seen.published);
    let old = RecentItem { key: ItemKey(1), seen: seen.clone(), dated, edits };
    seen.published = Some(Timestamp::from_second(NOON + DAY).unwrap());
    seen.content_digest = Some([7; 16]);
    let (substance, own_key) = (Substance::File, OwnKey::Present);
    let words = Words::of_text(TEASER);
    let guid_form = GuidForm::Opaque;
    let dated = seen.published;
    let new = UnrecognisedItem { index: 0, own_key, substance, guid_form, seen, dated, words };
    for dates in [vec![new.seen.published], vec![new.seen.published, None]] {
        let (stored, here) = ([old.clone()], HashSet::new());
        let unrecognised = std::slice::from_ref(&new);
        let (coverage, last_poll) = (Coverage::All, None);
        let (dates, stored, here) = (&*dates, &stored, &here);
        let shown = Shown { unrecognised, dates, stored, here, coverage, last_poll };
        assert_eq!(recognised(&shown, &HashMap::new()), []);
    }
}

#[test]
fn what_several_items_have_in_common_proves_nothing() {
    let thread = |url, at| (url, "Weekly open thread", at, TEASER);
    let (old, new) = (thread("https://e.example/1", 0), thread("https://e.example/3", 0));
    let known = [thread("https://e.example/2", 0)];
    for own_key in [OwnKey::Present, OwnKey::Absent] {
        assert_eq!(found(&[old], &[new], (own_key, &known)), [], "{own_key:?}");
    }
}

#[test]
fn items_without_a_key_are_known_by_title_and_text_unless_the_date_is_another() {
    let longer = format!("{FERRY} It floats.");
    let keyless =
        |old: Entry<'_>, new: Entry<'_>| found(&[old], &[new], (OwnKey::Absent, &OTHERS)).len();
    for (old, new) in [
        (("", "", NOON, FERRY), ("", "", NOON, &*longer)),
        (("", "Ferry aground", 0, FERRY), ("", "Ferry aground", 0, &*longer)),
        (("", "Ferry agruond here", 0, FERRY), ("", "Ferry aground here", 0, FERRY)),
        (("", "", 401 * DAY, FERRY), ("", "", 401 * DAY, &*longer)),
        (("", "", 0, FERRY), ("", "", 0, &*longer)),
        (
            ("", "Ferry aground", 0, "It ran aground."),
            ("", "Ferry aground", 0, "It ran aground here."),
        ),
        (("", "Ferry aground", NOON, FERRY), ("", "Ferry aground", NOON, BREAD)),
    ] {
        let expected = usize::from(new.3 != BREAD);
        assert_eq!(keyless(old, new), expected, "{old:?} {new:?}");
    }
    assert_eq!(keyless(("", "", 0, FERRY), ("", "", 0, BREAD)), 0);
    assert_eq!(keyless(("", "", NOON, FERRY), ("", "", NOON + 2 * DAY, &*longer)), 0);
    let morning = 401 * DAY + 8 * 3_600;
    assert_eq!(keyless(("", "Gate", morning, FERRY), ("", "The gate", morning, FERRY)), 1);
    let old = ("", "Gate two closed", NOON, FERRY);
    assert_eq!(keyless(old, ("", "Gate two closed again", NOON, FERRY)), 1);
    assert_eq!(keyless(old, ("", "Gate two closed again", NOON + 90_000, FERRY)), 0);
    assert_eq!(keyless(old, ("", "Gate two closed", NOON + 2 * DAY, FERRY)), 0);
}

#[test]
fn items_without_a_key_stay_the_same_when_all_have_the_time_of_the_build() {
    let at = |time| {
        let link = "https://e.example/";
        [(link, "Ferry aground", time, FERRY), (link, "Dear bread", time, BREAD)]
    };
    let found = found(&at(NOON), &at(NOON + 181), (OwnKey::Absent, &[]));
    assert_eq!(found.len(), 2);
}

#[test]
fn items_with_one_title_and_text_are_known_by_their_times() {
    let up = |n: i64, at| (format!("https://e.example/{n}?t={at}"), NOON + n * 3_600);
    let entries = |at| -> Vec<(String, i64)> { (0..5).map(|n| up(n, at)).collect() };
    let (old, new) = (entries(1), entries(2));
    let old: Vec<Entry<'_>> = old.iter().map(|(url, at)| (&**url, "Up", *at, "ok")).collect();
    let new: Vec<Entry<'_>> = new.iter().map(|(url, at)| (&**url, "Up", *at, "ok")).collect();
    let found = found(&old, &new, (OwnKey::Present, &[]));
    assert!(found.len() == 5 && found.iter().all(|(new, old, _)| *new as i64 == *old));
}

const TITLES: [&str; 5] = [
    "The red barn burns",
    "Five ways to sleep",
    "On ferries and fog",
    "Bread is dear now",
    "A lamp at sea",
];

#[test]
fn when_everything_moves_at_once_a_title_is_enough() {
    let urls = |host: &str| [0, 1, 2, 3, 4].map(|n| format!("https://{host}/{n}"));
    let (old, new) = (urls("old.example"), urls("new.example"));
    let texts = |part: &str| TITLES.map(|title| format!("{title}: {part}."));
    let (full, short) = (texts("all that was seen of it by all of us that day"), texts("more"));
    for (at, moved) in [(NOON + 2 * 3_600, 5), (NOON + 9 * DAY, 5)] {
        let entry = |urls: &'_ [String; 5], n: usize| urls[n].clone();
        let place = |n: usize| if at == NOON + 9 * DAY { at } else { at + 61 * n as i64 };
        let gone: Vec<(String, i64)> =
            (0..5).map(|n| (entry(&old, n), NOON + 61 * n as i64)).collect();
        let come: Vec<(String, i64)> = (0..5).map(|n| (entry(&new, n), place(n))).collect();
        let gone: Vec<Entry<'_>> =
            (0..5).map(|n| (&*gone[n].0, TITLES[n], gone[n].1, &*full[n])).collect();
        let come: Vec<Entry<'_>> =
            (0..5).map(|n| (&*come[n].0, TITLES[n], come[n].1, &*short[n])).collect();
        assert_eq!(found(&gone, &come, (OwnKey::Present, &[])).len(), moved, "{at}");
        assert_eq!(found(&gone, &come[..2], (OwnKey::Present, &[])), []);
    }
}

#[test]
fn when_several_guids_change_title_and_text_are_enough() {
    let texts = TITLES.map(|title| format!("{title}: what we have seen of it on that day."));
    let entry = |n: usize, url| (url, TITLES[n], 0, &*texts[n]);
    let gone = [entry(0, "https://e.example/b/0"), entry(1, "https://e.example/b/1")];
    let come = [entry(0, "https://e.example/p/00"), entry(1, "https://e.example/p/01")];
    assert_eq!(found(&gone, &come, (OwnKey::Present, &[])).len(), 2);
    assert_eq!(found(&gone, &come[..1], (OwnKey::Present, &[])), [], "one is a coincidence");
    assert_eq!(found(&gone, &come, (OwnKey::Present, &OTHERS)), [], "most did not change");
}

/// Items with these titles, pages on this host and dates, each with an own text of these words.
fn migrated<'a>(
    urls: &'a [String; 5],
    titles: &'a [&'a str; 5],
    texts: &'a [String; 5],
    date: impl Fn(i64) -> i64,
) -> Vec<Entry<'a>> {
    (0..5).map(|n| (&*urls[n], titles[n], date(n as i64), &*texts[n])).collect()
}

#[test]
fn when_all_dates_move_with_the_guids_title_and_text_are_enough() {
    let urls = |host: &str| [0, 1, 2, 3, 4].map(|n| format!("https://{host}/{n}"));
    let (old, new) = (urls("old.example"), urls("new.example"));
    let texts = TITLES.map(|title| format!("{title}: all that was seen of it by all that day."));
    let others = TITLES.map(|title| format!("{title}, and what came of it for us in the end."));
    let was = |n: i64| NOON + 10_000 + n * 9 * DAY + n * 421;
    let gone = migrated(&old, &TITLES, &texts, was);
    let last_poll = was(4) + 10 * DAY;
    let count = |texts, date: &dyn Fn(i64) -> i64| {
        let come = migrated(&new, &TITLES, texts, date);
        let come = (&*come, GuidForm::Opaque);
        found_after(Some(last_poll), &gone, come, (OwnKey::Present, &[])).len()
    };
    let dates: [&dyn Fn(i64) -> i64; 5] = [
        &|n| was(n) - 300,
        &|n| was(n) + 300 + 61 * n,
        &|n| was(n).div_euclid(DAY) * DAY + DAY / 2,
        &|n| was(n) + 9 * 3_600 * n + 1_207,
        // An import an hour.
        &|n| last_poll - n * 3_600 - 77,
    ];
    for (n, date) in dates.iter().enumerate() {
        assert_eq!(count(&texts, date), 5, "{n}");
        assert_eq!(count(&others, date), 0, "other texts, {n}");
    }
    for (n, date) in dates.iter().enumerate() {
        let come = migrated(&new, &TITLES, &texts, date);
        let come = (&come[..4], GuidForm::Opaque);
        let found = found_after(Some(last_poll), &gone, come, (OwnKey::Present, &[]));
        assert_eq!(found, [], "four may be a coincidence, {n}");
    }
}

#[test]
fn the_next_issues_of_a_programme_are_new() {
    let urls = |day: &str| [0, 1, 2, 3, 4].map(|n| format!("https://e.example/{day}/{n}"));
    let (old, new) = (urls("monday"), urls("tuesday"));
    let texts = TITLES.map(|title| format!("{title}: our show about all of it, with guests."));
    let was = |n: i64| NOON + n * 3_600 + n * 61;
    let gone = migrated(&old, &TITLES, &texts, was);
    let count = |last_poll, date: &dyn Fn(i64) -> i64| {
        let come = migrated(&new, &TITLES, &texts, date);
        let come = (&*come, GuidForm::Opaque);
        found_after(Some(last_poll), &gone, come, (OwnKey::Present, &[])).len()
    };
    for days in [1, 7] {
        let next = |n: i64| was(n) + days * DAY + n * 301;
        assert_eq!(count(was(4) + 600, &next), 0, "after the last poll, {days}");
        assert_eq!(count(next(4) + 600, &next), 0, "dated before it was shown, {days}");
    }
    let other_order = |n: i64| was(4 - n) + DAY + 17 * n;
    assert_eq!(count(was(4) + 600, &other_order), 0);
}

#[test]
fn a_guid_that_names_a_version_of_a_page_makes_no_new_item() {
    let (a, b) = ("https://e.example/articles/c1", "https://e.example/articles/c2");
    let old = (a, "Storm hits coast overnight", NOON, FERRY);
    for (new, is_one) in [
        ((a, "Two people die as gales batter coast", NOON + 9_001, BREAD), true),
        ((a, "Three people die as gales batter coast", NOON + 9 * DAY, BREAD), true),
        ((b, "Two people die as gales batter coast", NOON + 9_001, BREAD), false),
    ] {
        let judge = |form| {
            let found = found_after(None, &[old], (&[new], form), (OwnKey::Present, &OTHERS));
            found.len() == 1
        };
        assert_eq!(judge(GuidForm::Version), is_one, "{new:?}");
        assert!(!judge(GuidForm::Opaque), "{new:?}");
    }
    // Topics: a page that is shared, in the document or in the past; and the releases of one page.
    let topic = "https://e.example/topics";
    for (others, is_one) in [
        (vec![OTHERS[0], (topic, "One", NOON - 81_001, BREAD)], true),
        (vec![OTHERS[0], (topic, "One", 0, BREAD), (topic, "Two", 0, TEASER)], false),
    ] {
        let new = (a, "Two people die as gales batter coast", NOON + 9_001, BREAD);
        let keys = (OwnKey::Present, &*others);
        let found = found_after(None, &[old], (&[new], GuidForm::Version), keys);
        assert_eq!(found.len(), usize::from(is_one), "{others:?}");
    }
    let release = |n| (a, ["kelpd 2.16", "kelpd 2.17"][n], NOON + 9_001 * n as i64, FERRY);
    let new = (&[(a, release(1).1, release(1).2, BREAD)][..], GuidForm::Version);
    assert!(found_after(None, &[release(0)], new, (OwnKey::Present, &OTHERS)).is_empty());
    let longer = format!("{FERRY} It floats again.");
    let alone = |title, text, form| {
        let new = [(a, title, NOON + DAY, text)];
        found_after(None, &[old], (&new, form), (OwnKey::Present, &[])).len()
    };
    assert_eq!(alone(old.1, &longer, GuidForm::Version), 1);
    assert_eq!(alone(old.1, &longer, GuidForm::Opaque), 0);
    assert_eq!(alone("Bread is dear now", BREAD, GuidForm::Version), 0);
}

#[test]
fn a_text_that_was_written_anew_is_known_by_title_and_second_or_by_its_article() {
    let (a, b) = ("https://e.example/a", "https://e.example/b");
    let article = "https://e.example/storm-7123456";
    let title = "Storm hits coast";
    for (old, new, is_one) in [
        ((a, title, NOON, FERRY), (b, title, NOON, BREAD), true),
        ((a, title, NOON, FERRY), (b, title, NOON + 61, BREAD), false),
        ((a, "Storm", NOON, FERRY), (b, "Storm", NOON, BREAD), false),
        ((a, title, 401 * DAY, FERRY), (b, title, 401 * DAY, BREAD), false),
        ((a, title, NOON, FERRY), (b, "Bread is dear", NOON, BREAD), false),
        // The page of an article, and a page that may show the next issue.
        ((article, title, NOON, FERRY), (article, title, NOON + 9_001, BREAD), true),
        ((article, title, NOON, FERRY), (article, title, NOON + DAY, BREAD), false),
        ((article, title, NOON, FERRY), (article, "Bread is dear", NOON + 9_001, BREAD), false),
        ((a, title, NOON, FERRY), (a, title, NOON + 9_001, BREAD), false),
    ] {
        let found = |form| {
            let found = found_after(None, &[old], (&[new], form), (OwnKey::Present, &OTHERS));
            found.len() == 1
        };
        assert_eq!(found(GuidForm::Article), is_one, "{old:?} {new:?}");
        // The guid of a reply does not name the page alone.
        assert_eq!(found(GuidForm::Opaque), is_one && new.0 != article, "{old:?} {new:?}");
    }
}

#[test]
fn the_name_of_a_site_in_a_title_makes_no_new_item() {
    let (a, b) = ("https://e.example/?p=7", "https://n.example/seven");
    let title = "Setting up a home server";
    let old = (a, title, NOON, FERRY);
    for (new, at, text, is_one) in [
        ("Setting up a home server - Ann's Blog", NOON, "", true),
        ("Setting up a home server - Ann's Blog", NOON + 30, "On servers.", true),
        ("Ann's Blog: Setting up a home server", NOON, "On servers.", true),
        ("Setting up a home server, part 2", NOON, "", false),
        ("Setting up a home office", NOON, "", false),
        ("Setting up a home server - Ann's Blog", NOON + 9_001, "", false),
        ("Setting up a home server - Ann's Blog", NOON, BREAD, false),
    ] {
        assert_eq!(one(old, (b, new, at, text)).is_some(), is_one, "{new} {at} {text}");
    }
    let short = one((a, "Ferries", NOON, FERRY), (b, "Ferries for Onver", NOON, ""));
    assert_eq!(short, None, "one word");
}

#[test]
fn a_counter_in_a_title_makes_no_new_item_if_date_and_text_stay() {
    let (a, b) = ("https://e.example/lamp", "https://e.example/7a91");
    let eight = 401 * DAY + 8 * 3_600;
    for (was, is) in [
        ("A brass lamp – now $99.99", "A brass lamp – now $98.99"),
        ("A walk on the pier (30/40)", "A walk on the pier (31/40)"),
        ("A walk on the pier, starts 10:15", "A walk on the pier, starts 10:20"),
        ("A walk on the pier, 5 December", "A walk on the pier, 6 December"),
    ] {
        for page in [a, b] {
            let one = |at, text| one((a, was, eight, FERRY), (page, is, at, text)).is_some();
            assert!(one(eight, FERRY), "{is} {page}");
            // The next one of a series.
            assert!(!one(eight + DAY, FERRY), "{is} {page}");
            assert!(page == a || !one(eight, BREAD), "{is} {page}");
        }
        // A text that the feed has in several items.
        let known = ("https://e.example/z", was, eight - DAY, FERRY);
        let found = found(
            &[(a, was, eight, FERRY)],
            &[(b, is, eight, FERRY)],
            (OwnKey::Present, &[known, OTHERS[0]]),
        );
        assert_eq!(found, [], "{is}");
    }
}

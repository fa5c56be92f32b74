//! Tests of `verdict`.

use super::super::Text;
use super::*;

fn item((title, text): (&str, &str)) -> Comparable {
    let (title, text) = (Title::new(Some(title)), Text::of_html(text));
    let text_digest = text.own_words(&HashSet::new()).exact_digest();
    let fingerprint = Fingerprint { title, text, text_digest, ..Fingerprint::default() };
    fingerprint.comparable(&HashSet::new(), &Weights::default())
}

fn judge(a: &Comparable, b: &Comparable) -> Option<(Rule, bool)> {
    let found = |a, b| verdict(a, b, &Settings::default(), &Weights::default());
    let found = |a, b| found(a, b).map(|found| (found.rule, found.same));
    assert_eq!(found(a, b), found(b, a), "in both directions");
    found(a, b)
}

#[test]
fn parts_of_a_series_are_apart_also_if_their_text_names_a_number() {
    const MILL: &str = "In this two-part series we tell the story of the mill and the family that ran it. Listen \
                        with headphones. Subscribe wherever you get your podcasts.";
    const KELPD: &str = "Upgrade notes: this release follows kelpd 2.1.0 and 2.0.9; please read the manual before \
                         you upgrade, and report problems on the mailing list. Thanks to everybody.";
    const BOAT: &str = "In this series I describe how I built a small sailing boat from plywood in my garage over \
        two winters, with all the mistakes. If you are new here start with the first part, which lists the tools \
        and the plans. Continue on the site.";
    for (a, b, text) in [
        ("The Mill Murders, Part 1", "The Mill Murders, Part 2", MILL),
        ("The Mill Murders, Part II", "The Mill Murders, Part III", MILL),
        ("2. Teil: Die Mühle", "3. Teil: Die Mühle", MILL),
        ("kelpd 2.1.0", "kelpd 2.1.1", KELPD),
        ("Building a boat, 1/3", "Building a boat, 2/3", BOAT),
        ("Building a boat, Part A", "Building a boat, Part B", BOAT),
        ("Building a boat, Part α", "Building a boat, Part β", BOAT),
        (
            "港の物語 第1回",
            "港の物語 第2回",
            "港の物語を全2回でお届けします。古い水車とそれを守った一家の話です。ヘッドホンでお聴きください。番組の登録もお願いします。",
        ),
    ] {
        assert_eq!(judge(&item((a, text)), &item((b, text))), Some((Rule::Series, false)), "{a}");
    }
    let owners = |title| item((title, MILL));
    let found = judge(
        &owners("The two owners of the old mill of Onver"),
        &owners("The owners of the old mill of Onver"),
    );
    assert!(found.is_some_and(|(_, same)| same), "a headline leaves the number out: {found:?}");
}

#[test]
fn single_letters_in_title_and_text_are_apart() {
    const DOC: &str = "Read and sign up below. The course takes eight evenings and costs nothing. Bring a notebook and a \
                       pencil; laptops are not needed. We meet in the library, second floor, and end at nine.";
    for (a, b) in [
        ("Group A", "Group B"),
        ("Room I", "Room II"),
        ("Vitamin C", "Vitamin D"),
        ("Gruppe Ä", "Gruppe Ö"),
        ("Группа А", "Группа Б"),
    ] {
        let [one, two] =
            [a, b].map(|of| (format!("{of}: new dates"), format!("Dates of {of}. {DOC}")));
        for text in [&*two.1, &*one.1] {
            let found = judge(&item((&one.0, &one.1)), &item((&two.0, text)));
            assert_eq!(found, Some((Rule::Series, false)), "{a} / {b}");
        }
        let found = judge(&item((&one.0, &one.1)), &item((&one.0, &one.1)));
        assert!(found.is_some_and(|(_, same)| same), "{a}");
    }
}

#[test]
fn a_preposition_of_one_letter_makes_no_other_text() {
    const KYIV: &str = "У центрі столиці вранці стався вибух. Рятувальники гасять пожежу на двох поверхах будинку, мешканців \
                        евакуювали. За попередніми даними, ніхто не загинув, троє людей дістали легкі опіки. Причину \
                        встановлює поліція, вулиця закрита для машин, автобуси тим часом їздять через сусідній міст. \
                        Міська влада просить не підходити до місця події та стежити за повідомленнями, доки триває робота.";
    for (a, b) in
        [("Вибух у Києві", "Вибух в Києві"), ("Вибух і пожежа в центрі", "Вибух й пожежа в центрі")]
    {
        let found = judge(&item((a, KYIV)), &item((b, KYIV)));
        assert!(found.is_some_and(|(_, same)| same), "{a}: {found:?}");
    }
    let long = format!("{KYIV} {KYIV}");
    let found = judge(&item(("ВИБУХ У КИЄВІ", &long)), &item(("ВИБУХ В КИЄВІ", &long)));
    assert!(found.is_some_and(|(_, same)| same), "in capitals: {found:?}");
}

#[test]
fn a_common_headline_joins_teasers() {
    let at = |parts| {
        let mut item = item(parts);
        item.fingerprint.published = jiff::Timestamp::from_second(SECOND).ok();
        item
    };
    let same = |title, a, b| judge(&at((title, a)), &at((title, b))).is_some_and(|(_, same)| same);
    const FERRY: &str = "Ferry with forty passengers runs aground off the northern island";
    let (saved, fog) = (
        "Lifeboats brought everybody on board ashore within an hour, rescuers said.",
        "Thick fog was the cause of the accident of the ferry, said police.",
    );
    assert!(same(FERRY, saved, fog), "one is about the headline");
    const TAX: &str = "Hallitus korottaa polttoaineveroa ensi vuoden alusta lähtien";
    assert!(same(
        TAX,
        "Ministerin mukaan bensiini kallistuu neljä senttiä litralta, kuljetusyritykset vastustavat suunnitelmaa.",
        "Autoilijat maksavat tankkauksesta pian enemmän, sillä esityksestä sovittiin myöhään sunnuntaina.",
    ));
    assert!(same(FERRY, "All forty are safe after the rescue, which took until nine.", saved));
}

#[test]
fn forms_of_different_makers_under_one_name_are_different_things() {
    let soup = |of: &str| {
        format!(
            "Ready in twenty minutes, serves four. Ingredients: 1 onion, 2 cloves of garlic, 500 g {of}, 1 l stock, \
             salt, pepper. Chop the onion and garlic, fry gently in oil, add the rest and simmer for fifteen \
             minutes. Blend and serve with bread."
        )
    };
    let maintenance = |of: &str| {
        format!(
            "We will be performing scheduled maintenance on our {of}. During this window some requests may fail. \
             We apologise for any inconvenience this may cause and thank you for your patience."
        )
    };
    let (tomatoes, carrots) = (soup("tomatoes"), soup("carrots"));
    let (servers, network) = (maintenance("database servers"), maintenance("network equipment"));
    for (a, b) in [
        (("Quick tomato soup", &*tomatoes), ("Quick carrot soup", &*carrots)),
        (("Scheduled maintenance", &*servers), ("Scheduled maintenance", &*network)),
    ] {
        let found = judge(&item(a), &item(b));
        assert!(found.is_some_and(|(_, same)| !same), "{a:?}: {found:?}");
    }
    let edited = servers.replace("performing scheduled", "performing");
    let found = judge(
        &item(("Scheduled maintenance", &servers)),
        &item(("Scheduled maintenance", &edited)),
    );
    assert!(found.is_some_and(|(_, same)| same), "{found:?}");
}

#[test]
fn a_section_of_a_site_is_the_page_of_no_item() {
    let on_page = |url: &str, (title, text): (&str, &str)| {
        let mut item = item((title, text));
        item.fingerprint.url_key = super::super::canonical::url_key(url);
        item.fingerprint.page_owner = crate::model::PageOwner::FeedSite;
        if !super::super::canonical::may_name_an_item(url) {
            item.fingerprint.page_kind = PageKind::Section;
        }
        item
    };
    let hours = (
        "Christmas opening hours",
        "We are closed on the 24th and 25th, otherwise open from nine to six.",
    );
    let cook = (
        "We are hiring a cook",
        "Our kitchen needs a cook with experience in fish and bread from January.",
    );
    let (news, article) = ("https://x.example/news", "https://x.example/cook-wanted");
    let same = |a: &Comparable, b: &Comparable| judge(a, b).is_some_and(|(_, same)| same);
    assert!(!same(&on_page(news, hours), &on_page(news, cook)));
    assert!(same(&on_page(article, hours), &on_page(article, cook)), "edited meanwhile");
    let longer = ("Opening hours at Christmas", hours.1);
    assert!(same(&on_page(news, hours), &on_page(news, longer)));
    assert!(same(&on_page(news, hours), &on_page(news, ("Opening hours", ""))));
}

#[test]
fn the_longer_the_text_the_smaller_the_part_that_proves() {
    assert_eq!(need(5), NEED[0].1);
    assert_eq!(need(9_999), NEED[NEED.len() - 1].1);
    assert!((10..400).all(|n| need(n) >= need(n + 1)));
}

const PAGE: &str = "https://x.example/2026/storm";
/// A second of some day that is not midnight.
const SECOND: i64 = 400 * 86_400 + 43_207;

/// Title and text.
type Parts<'a> = (&'a str, &'a str);

/// An item of a site on its page `url`, with an id that its feed gave it.
fn on(url: &str, guid: u64, at: i64, parts: Parts<'_>) -> Comparable {
    let mut item = item(parts);
    let site = super::super::words::hash64("x.example");
    let time = |second| jiff::Timestamp::from_second(second).unwrap();
    item.fingerprint.url_key = super::super::canonical::url_key(url);
    item.fingerprint.url = Some(super::super::words::hash64(url));
    (item.fingerprint.site, item.fingerprint.guid) = (Some(site), Some(guid));
    item.fingerprint.page_owner = crate::model::PageOwner::ClaimedSite;
    (item.fingerprint.published, item.fingerprint.seen) = (Some(time(at)), time(at + 9_000));
    if !super::super::canonical::may_name_an_item(url) {
        item.fingerprint.page_kind = PageKind::Section;
    }
    item
}

const STORM: &str = "Storm hits northern coast overnight";
const GALES: &str = "Thousands of homes are without power after gales of up to 90mph.";
const KILLED: &str =
    "A man in his 50s was killed by a falling tree as gales left thousands without power.";

/// A text of this many words.
fn words(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("word{} ", n * 7919 % 40_009)).collect()
}

#[test]
fn a_post_that_two_feeds_of_its_site_have_under_own_ids_is_one() {
    let whole = words(0, 120);
    let longer = format!("{whole} other words below it");
    for (a, b) in [
        ((STORM, GALES), (STORM, KILLED)),
        ((STORM, GALES), (STORM, "")),
        ((STORM, GALES), (STORM, &*whole)),
        ((STORM, GALES), ("Storm: thousands without power", GALES)),
        (("Problem A", &*whole), ("Problem A", &*longer)),
        (("GDP012 Moewen in der Stadt", &*whole), ("Moewen in der Stadt", &*longer)),
        (("", GALES), ("", GALES)),
    ] {
        let found = judge(&on(PAGE, 1, SECOND, a), &on(PAGE, 2, SECOND, b));
        assert!(found.is_some_and(|(_, same)| same), "{a:?} {b:?}: {found:?}");
    }
}

#[test]
fn items_of_one_page_that_differ_are_apart_under_own_ids() {
    let (whole, other) = (words(0, 120), words(900, 120));
    let billing = "We are performing maintenance on the database servers of Onver from 10:00.";
    let search = "We are performing maintenance on the network equipment of Velden from 12:00.";
    let posts: [(&str, i64, Parts<'_>, Parts<'_>); 9] = [
        // The posts of a topic with the link of the topic.
        (PAGE, 60, (STORM, GALES), (STORM, KILLED)),
        (PAGE, 3_600, (STORM, &whole), (STORM, &other)),
        (PAGE, 0, (STORM, &whole), (STORM, &other)),
        // A live ticker.
        (PAGE, 0, ("Ferries cancelled until tomorrow", GALES), ("Two dead, police say", KILLED)),
        // A status page.
        (
            "https://x.example/incident-history",
            0,
            ("Maintenance", billing),
            ("Maintenance", search),
        ),
        ("https://x.example/incident-history", 0, ("Part 1", &whole), ("Part 2", &whole)),
        ("https://x.example/status", 0, ("Maintenance", billing), ("Maintenance", search)),
        // A section.
        ("https://x.example/news", 0, (STORM, GALES), (STORM, KILLED)),
        ("https://x.example/news", 0, ("We are hiring a cook", GALES), (STORM, KILLED)),
    ];
    for (page, later, a, b) in posts {
        let found = judge(&on(page, 1, SECOND, a), &on(page, 2, SECOND + later, b));
        assert!(!found.is_some_and(|(_, same)| same), "{page} {later} {a:?} {b:?}: {found:?}");
    }
}

#[test]
fn a_date_without_a_time_and_that_of_the_poll_make_no_post_one() {
    let midnight = SECOND - SECOND % 86_400;
    let [mut a, mut b] =
        [(1, GALES), (2, KILLED)].map(|(guid, text)| on(PAGE, guid, midnight, (STORM, text)));
    assert!(!judge(&a, &b).is_some_and(|(_, same)| same));
    for item in [&mut a, &mut b] {
        item.fingerprint.published = Some(item.fingerprint.seen);
    }
    assert!(!judge(&a, &b).is_some_and(|(_, same)| same));
}

#[test]
fn an_item_with_the_same_id_fits_better_than_one_with_another() {
    let score = |a: &Comparable, b: &Comparable| {
        verdict(a, b, &Settings::default(), &Weights::default()).unwrap().score
    };
    let (a, b) = (on(PAGE, 1, SECOND, (STORM, GALES)), on(PAGE, 2, SECOND, (STORM, KILLED)));
    assert!(score(&a, &b) < score(&a, &on(PAGE, 1, SECOND, (STORM, KILLED))));
}

#[test]
fn a_rewritten_article_leaves_a_short_post_that_did_not_point_to_it() {
    let text = |of: &str| format!("The {of} of the old town is an odd one. ").repeat(8);
    let rewritten = item(("Bakers raise the price of a loaf again", &text("bakery")));
    let post = item(("", "<p>The ferry ran aground this morning.</p>"));
    let stays = |before| is_still_one(&rewritten, &post, before, None);
    assert!(stays(Rule::SameTitle), "it points to the article");
    assert!(!stays(Rule::SameId) && !stays(Rule::SimilarText));
}

#[test]
fn one_file_under_one_title_and_date_is_one_story() {
    let of = |title: &str, text: &str, file: u8, at: i64| {
        let mut found = item((title, text));
        found.fingerprint.file = Some([file; 16]);
        found.fingerprint.published = Some(jiff::Timestamp::from_second(at).unwrap());
        found.fingerprint.seen = jiff::Timestamp::from_second(at + 60).unwrap();
        found
    };
    let notes = "Ann and Ben talk about the lamps of the old pier, and about those who lit them.";
    let other = "Buy our cups and shirts in the shop, and write to us if you want to be a guest.";
    let own = of("Monday", notes, 1, 90_007);
    assert_eq!(judge(&own, &of("Monday", other, 1, 90_007)), Some((Rule::SameTitle, true)));
    for apart in [
        of("Monday", other, 2, 90_007),
        of("Monday", other, 1, 180_007),
        of("Tuesday", other, 1, 90_007),
    ] {
        assert!(judge(&own, &apart).is_none_or(|(_, same)| !same));
    }
    let daily = |text| of("Monday", text, 1, 86_400);
    assert!(judge(&daily(notes), &daily(other)).is_none_or(|(_, same)| !same), "midnight");
}

//! Whether two items under different headlines share a text about them, or only what sites put under everything: a
//! cookie notice, a paywall, the words of a sponsor, or a form without the place or the product. Pure.

use std::collections::HashSet;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::fingerprint::Comparable;
use super::likeness::{Likeness, Weights, shared_words};
use super::titles::{Exchanged, Title, tells_apart};
use super::tuning::{
    COMMON, EQUAL, OTHER_PASSAGE, OWN_PASSAGE, SAME_PASSAGE, SHARED_BY_CHANCE, SHORT_WORD,
    VARIANT_WORDS,
};
use super::words::{Kind, Word, mix};

/// Whether nothing but what two sites repeat may be the same: the headlines differ, and the texts are short and equal,
/// or equal but for one passage of their own. `headline_support` decides.
pub(super) fn may_be_repeated(
    a: &Comparable,
    b: &Comparable,
    like: &Likeness,
    weights: &Weights,
) -> bool {
    let (title, other) = (&a.fingerprint.title, &b.fingerprint.title);
    if !title.contradicts(other) {
        return false;
    }
    let short = like.shorter < VARIANT_WORDS;
    if short && a.has_words_of(b) {
        return true;
    }
    let headlines = share_nothing(title.words(), other.words(), weights);
    headlines && (short && like.jaccard >= EQUAL || has_own_passage(a, b, weights))
}

/// The part of the words in which the headlines differ that both texts have, 0 to 1: the mean of both headlines.
pub(super) fn headline_support(a: &Comparable, b: &Comparable, weights: &Weights) -> f32 {
    let units = |words: &[Word]| units(words).map(|(unit, _)| unit).collect::<HashSet<u64>>();
    let (left, right) = (units(&a.words.0), units(&b.words.0));
    let weight = |word: &Word| match word.kind {
        _ if word.is_character() => 1.0 - COMMON,
        Kind::Number => 1.0 - COMMON,
        _ if !tells_apart(word) => 0.0,
        // If the only words that a headline adds are short, they decide.
        _ => (weights.of(word) - COMMON).max(if word.length <= 2 { SHORT_WORD } else { 0.0 }),
    };
    let support = |title: &Title, other: &Title| {
        let other = units(other.words());
        let (mut all, mut found) = (0.0, 0.0);
        for (unit, word) in self::units(title.words()).filter(|(unit, _)| !other.contains(unit)) {
            all += weight(word);
            found += if left.contains(&unit) && right.contains(&unit) { weight(word) } else { 0.0 };
        }
        if all > 0.0 { found / all } else { 0.0 }
    };
    let (title, other) = (&a.fingerprint.title, &b.fingerprint.title);
    (support(title, other) + support(other, title)) / 2.0
}

/// Words; of a script without spaces two characters each, because single ones are in every text.
pub(super) fn units(words: &[Word]) -> impl Iterator<Item = (u64, &Word)> {
    words.iter().enumerate().map(|(at, word)| {
        let next = words.get(at + 1).filter(|next| word.is_character() && next.is_character());
        let next = next.map_or(0, |next| mix(u64::from(next.hash)));
        (u64::from(word.hash) ^ next, word)
    })
}

/// An alphabet has fewer letters, and a text of some length in Chinese or Japanese has more characters.
const ALPHABET: usize = 70;

/// Whether a text is spelled in letters without spaces, as Thai is: it has three times as many of them as a Chinese one has
/// characters, and they recur.
pub(super) fn is_spelled(item: &Comparable) -> bool {
    if !item.is_of_characters() {
        return false;
    }
    let characters = || item.words.0.iter().filter(|word| word.is_character());
    let different: HashSet<u32> = characters().map(|word| word.hash).collect();
    different.len() < ALPHABET && 5 * different.len() < 2 * characters().count()
}

/// Whether two titles of one frame in a script without spaces differ in a name, and the texts differ by the same. Of other
/// scripts the words show it.
pub(super) fn renames(a: &Comparable, b: &Comparable) -> bool {
    let Some(Exchanged { own, theirs }) = a.fingerprint.title.exchanged(&b.fingerprint.title)
    else {
        return false;
    };
    let characters = |words: &[Word]| words.iter().any(Word::is_character);
    let has = |item: &Comparable, words: &[Word]| {
        let same = |(a, b): (&Word, &Word)| a.hash == b.hash;
        item.words.0.windows(words.len()).any(|window| window.iter().zip(words).all(same))
    };
    characters(own)
        && characters(theirs)
        && has(a, own)
        && !has(b, own)
        && has(b, theirs)
        && !has(a, theirs)
}

fn share_nothing(a: &[Word], b: &[Word], weights: &Weights) -> bool {
    let part = |a: &[Word], b: &[Word]| shared_words(a.iter(), b.iter(), weights);
    part(a, b).max(part(b, a)) < SHARED_BY_CHANCE
}

/// Whether two passages share nothing, or a single word.
fn share_at_most_a_word(a: &[Word], b: &[Word], weights: &Weights) -> bool {
    let there: HashSet<u32> = b.iter().map(|word| word.hash).collect();
    let counts = |word: &&Word| word.length > 3 || word.kind != Kind::Plain || word.load < 10;
    let shared = a.iter().filter(counts).map(|word| word.hash).filter(|word| there.contains(word));
    let shared: HashSet<u32> = shared.collect();
    shared.len() <= 1 || share_nothing(a, b, weights)
}

/// Whether two texts are the same word for word but for one passage, and these passages share nothing. Copies are cut
/// from the end, so the last passage is only their own if it is about their own headline.
fn has_own_passage(a: &Comparable, b: &Comparable, weights: &Weights) -> bool {
    let (left, right) = (a.words.0.as_slice(), b.words.0.as_slice());
    let hashes = |words: &[Word]| words.iter().map(|word| word.hash).collect::<Vec<_>>();
    let about = |passage: &[Word], item: &Comparable| {
        item.fingerprint
            .title
            .difference(&Title::default())
            .iter()
            .any(|word| passage.iter().any(|other| other.hash == word.hash))
    };
    let end = DiffOp::Equal { old_index: left.len(), new_index: right.len(), len: SAME_PASSAGE };
    let same = capture_diff_slices(Algorithm::Patience, &hashes(left), &hashes(right));
    let (mut from, mut own) = ((0, 0), 0);
    for op in same.into_iter().chain([end]) {
        let DiffOp::Equal { old_index, new_index, len } = op else { continue };
        if len < SAME_PASSAGE {
            continue;
        }
        let (x, y) = (&left[from.0..old_index], &right[from.1..new_index]);
        let (shorter, longer) = (x.len().min(y.len()), x.len().max(y.len()));
        let is_own = match (from, old_index < left.len()) {
            ((0, 0), _) => longer >= OWN_PASSAGE,
            (_, true) => shorter >= OWN_PASSAGE,
            (_, false) => shorter >= OWN_PASSAGE && about(x, a) && about(y, b),
        };
        if is_own && share_at_most_a_word(x, y, weights) {
            own += 1;
        } else if longer > OTHER_PASSAGE {
            return false;
        }
        from = (old_index + len, new_index + len);
    }
    own == 1
}

#[cfg(test)]
mod tests {
    use super::super::words::Words;
    use super::super::{Fingerprint, Settings, Text, verdict};
    use super::*;
    use crate::model::Rule;

    fn item((title, text): (&str, &str)) -> Comparable {
        let (title, text) = (Title::new(Some(title)), Text::of_html(text));
        let text_digest = text.own_words(&HashSet::new()).exact_digest();
        let fingerprint = Fingerprint { title, text, text_digest, ..Fingerprint::default() };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    /// The rule that joins two items, or keeps them separate; `None`: they share too little.
    fn compare(a: (&str, &str), b: (&str, &str)) -> Option<(Rule, bool)> {
        let (a, b) = (item(a), item(b));
        let judge = |a, b| verdict(a, b, &Settings::default(), &Weights::default());
        let found = judge(&a, &b).map(|found| (found.rule, found.same));
        assert_eq!(
            judge(&b, &a).map(|found| (found.rule, found.same)),
            found,
            "in both directions"
        );
        found
    }

    fn are_one(a: (&str, &str), b: (&str, &str)) -> bool {
        compare(a, b).is_some_and(|(_, same)| same)
    }

    /// What sites put under everything, and forms without the words of their titles.
    const REPEATED: &[&str] = &[
        "We and our partners use cookies to store and access information on a device. Please accept cookies to continue \
         reading this article on our site. Manage your preferences at any time.",
        "This episode is brought to you by Acme Mattress. Go to acme.example/show for ten percent off your first order. \
         You can support the show on Patreon and get ad free episodes. Find us on all podcast apps, leave us a review \
         and tell your friends. Music by the Blue Birds.",
        "Comments: 12 pages, 3 figures. Submitted to the journal. Subjects: mathematics and computer science.",
        "The product can overheat and cause a fire. Consumers should stop using it and ask for a refund.",
        "Lesen Sie den ganzen Artikel auf unserer Seite. Mit unserem Newsletter erhalten Sie jeden Morgen die \
         wichtigsten Nachrichten der Region kostenlos in Ihr Postfach.",
        "What's Changed: Bump actions/checkout from 3 to 4 by dependabot. Full Changelog.",
    ];
    const HEADLINES: &[&str] = &[
        "Dog saves boy from river",
        "Parliament adopts pension law after long debate",
        "Volcano erupts near capital",
        "Recall: Zed kettle",
        "Recall: Acme toaster",
        "Haus brennt nach Gewitter",
        "foo-server v2.0.0",
    ];

    #[test]
    fn a_short_text_about_neither_headline_is_no_evidence() {
        for text in REPEATED {
            for (n, a) in HEADLINES.iter().enumerate() {
                for b in &HEADLINES[..n] {
                    assert_eq!(
                        compare((a, text), (b, text)),
                        Some((Rule::OtherTitle, false)),
                        "{a} / {b} / {text}"
                    );
                }
            }
        }
    }

    #[test]
    fn other_names_places_and_numbers_in_a_title_are_another_thing() {
        const FORECAST: &str = "Today cloudy with light rain in the afternoon. Highs of 12 degrees, lows of 5 degrees. \
                                Wind from the west.";
        for (a, b, text) in [
            ("Weather for Berlin", "Weather for Hamburg", FORECAST),
            ("Berlin weather", "Weather in Hamburg", FORECAST),
            (
                "Tomorrow in the whole of the city of Berlin",
                "Tomorrow in the whole of the city of Hamburg",
                FORECAST,
            ),
            (
                "M 4.5 - 10 km S of Town",
                "M 4.6 - 12 km S of Town",
                "Depth 10 km. Reported by the survey. Felt by many.",
            ),
            (
                "CVE-2026-1001 in libfoo",
                "CVE-2026-1002 in libfoo",
                "A buffer overflow allows remote attackers to run code. Update now.",
            ),
            ("東京の天気", "大阪の天気", "今日は曇りのち雨、最高気温は十二度、風は西から。"),
            (
                "首尔天气",
                "釜山天气",
                "今天多云转雨，最高气温十二度，西风三级，请市民出行注意安全。",
            ),
            (
                "Погода в Москве",
                "Погода в Казани",
                "Сегодня облачно, днём небольшой дождь, температура до двенадцати градусов, ветер западный.",
            ),
            (
                "Library closed on Monday",
                "Pool closed on Monday",
                "Due to maintenance works the facility stays closed all day. We apologise for any inconvenience.",
            ),
        ] {
            let found = compare((a, text), (b, text));
            assert!(found.is_some_and(|(_, same)| !same), "{a} / {b}: {found:?}");
        }
    }

    #[test]
    fn a_passage_under_every_item_is_no_evidence() {
        const FOOTER: &str = "<p>You are reading a free preview of this article. Subscribers get unlimited access to all \
            stories, podcasts, newsletters and the archive on every device. Start your free trial today and cancel \
            whenever you like, no questions asked. Already a subscriber? Log in to continue reading where you left off. \
            Support independent local journalism in your community.</p>";
        let own = [
            (
                "Dog saves boy from river",
                "A local man praised the quick dog which pulled a boy of nine out of icy water.",
            ),
            (
                "Parliament adopts pension law",
                "Members voted late at night to raise the age of retirement by two years.",
            ),
            (
                "Volcano erupts near capital",
                "Ash clouds rose ten kilometres into the sky and flights were cancelled.",
            ),
            (
                "Bakery wins national prize",
                "The jury praised a rye loaf with caraway that ferments for three full days.",
            ),
            ("Trains delayed after storm", "Fallen trees blocked tracks …"),
            ("Cat stuck on church tower", "Firemen praised the calm old cat …"),
            ("Chess prodigy beats champion", "Rivals praised the young prodigy …"),
            ("New species of frog found", ""),
        ];
        for (n, (title, text)) in own.iter().enumerate() {
            for (other_title, other) in &own[..n] {
                for [a, b] in [
                    [text, other].map(|own| format!("<p>{own}</p>{FOOTER}")),
                    [text, other].map(|own| format!("{own} {FOOTER}")),
                ] {
                    assert!(!are_one((title, &a), (other_title, &b)), "{title} / {other_title}");
                }
            }
        }
        let [a, b] = [own[0], own[1]]
            .map(|(title, text)| (title, format!("<p>{}</p><p>{text}</p>{FOOTER}", REPEATED[0])));
        assert!(!are_one((a.0, &a.1), (b.0, &b.1)), "between a banner and a footer");
        // Below a banner an own passage shows by its headline.
        let [a, b] =
            [own[0], own[3]].map(|(title, text)| (title, format!("{FOOTER}<p>{text}</p>")));
        assert!(!are_one((a.0, &a.1), ("Bakery wins prize for a rye loaf", &b.1)));
    }

    #[test]
    fn a_name_in_title_and_text_is_another_thing_in_scripts_without_spaces() {
        const ZH: &str = "今天多云转晴，西北风三到四级，最高气温九摄氏度，最低气温零下二摄氏度。明天有小雨，请市民出行注意携带雨具，并注意添加衣物以防感冒。";
        const JA: &str = "は、あすの午前から夕方にかけて強い風が吹く見込みです。沿岸では高波に注意し、桟橋や防波堤には近づかないでください。";
        const TH: &str = "พรุ่งนี้ตั้งแต่เช้าถึงเย็นจะมีลมแรง ขอให้ระวังคลื่นสูงบริเวณชายฝั่งและอย่าเข้าใกล้ท่าเรือ ตรวจสอบข้อมูลล่าสุดได้ที่เว็บไซต์ของกรมอุตุนิยมวิทยา";
        const TH_LONG: &str = "พรุ่งนี้ตั้งแต่เช้าถึงเย็นจะมีลมแรง ขอให้ระวังคลื่นสูงบริเวณชายฝั่งและอย่าเข้าใกล้ท่าเรือ ตรวจสอบข้อมูลล่าสุดได้ที่เว็บไซต์ของกรมอุตุนิยมวิทยา และโปรดพกร่มเมื่อออกจากบ้าน";
        const OBITUARY: &str = "さんが昨日、病気のため自宅で亡くなりました。葬儀は近親者のみで行い、後日お別れの会を開きます。ご厚志は固く辞退いたします。";
        const STOCK: &str = "今日开盘后震荡走高，午后封住涨停板，成交额较前一交易日明显放大，换手率创近一个月新高。机构席位净买入居前。";
        for (a, b, from, to, text) in [
            ("北京天气预报", "上海天气预报", "北京", "上海", ZH),
            ("北京市气象台发布大风蓝色预警", "上海市气象台发布大风蓝色预警", "北京", "上海", ZH),
            ("大阪の強風注意報", "横浜の強風注意報", "大阪", "横浜", JA),
            (
                "大阪府に強風注意報が発表されました",
                "神奈川県に強風注意報が発表されました",
                "大阪府",
                "神奈川県",
                JA,
            ),
            ("พยากรณ์อากาศกรุงเทพ", "พยากรณ์อากาศเชียงใหม่", "กรุงเทพ", "เชียงใหม่", TH),
            ("訃報：田中一郎さん", "訃報：佐藤次郎さん", "田中一郎", "佐藤次郎", OBITUARY),
            ("贵州茅台盘中涨停", "五粮液盘中涨停", "贵州茅台", "五粮液", STOCK),
            ("甲组: new dates", "乙组: new dates", "甲组", "乙组", ZH),
            ("พยากรณ์อากาศกรุงเทพ", "พยากรณ์อากาศเชียงใหม่", "กรุงเทพ", "เชียงใหม่", TH_LONG),
        ] {
            let (left, right) = (format!("{from}{text}"), format!("{to}{text}"));
            assert!(!are_one((a, &left), (b, &right)), "{a} / {b}");
            // Thai characters are letters, of which every text has most pairs.
            if text != TH && text != TH_LONG {
                assert!(!are_one((a, text), (b, text)), "{a} / {b}, only in the titles");
            }
            assert!(are_one((a, &left), (a, &left)), "{a}");
            assert!(are_one((a, &left), (a, &format!("{left}以上。"))), "{a}, edited");
        }
    }

    #[test]
    fn short_words_glued_letters_and_the_order_of_characters_tell_titles_apart() {
        const EN: &str = "The office has published its new monthly figures for the economy. Prices rose more slowly than \
            in the month before. The next figures are published soon.";
        const HE: &str = "דבר תורה לשבת. השבוע נעסוק בפרשה מרתקת המלמדת אותנו על אמונה ועל חסד.";
        const JA: &str = "この講座では基礎から応用までを分かりやすく解説します。資料は当日会場で配布します。申し込みは不要で、どなたでも参加できます。";
        const KO: &str = "이번 강의에서는 주요 개념을 쉽게 설명합니다. 자료는 게시판에서 내려받을 수 있습니다. 질문은 댓글로 남겨 주세요.";
        const TH: &str =
            "ตรวจหวย ผลสลากกินแบ่งรัฐบาล รางวัลที่หนึ่ง เลขหน้าสามตัว เลขท้ายสามตัว ออกรางวัล จังหวัดนนทบุรี";
        for (a, b, text) in [
            ("UK inflation slows", "US inflation slows", EN),
            ("U.S. inflation slows", "Japan inflation slows", EN),
            ("A team: new dates", "B team: new dates", EN),
            ("O que muda", "B que muda", EN),
            ("Βιβλίο Α΄ Δημοτικού", "Βιβλίο Β΄ Δημοτικού", EN),
            ("Роман: Он", "Роман: Мы", EN),
            ("தமிழ் பாகம் ஒன்று", "தமிழ் பாகம் இரண்டு", EN),
            ("დიდი თავი ა", "დიდი თავი ბ", EN),
            ("פרשת נח", "פרשת בראשית", HE),
            ("פרשת נח: דבר תורה", "פרשת לך לך: דבר תורה", HE),
            ("דף יומי ברכות כ״ג", "דף יומי ברכות כ״ד", HE),
            ("דף יומי ברכות ל\"א", "דף יומי ברכות ל\"ב", HE),
            ("שמות פרק י", "שמות פרק יא", HE),
            ("갑 강의", "을 강의", KO),
            ("IT 강의", "AI 강의", KO),
            ("IT講座", "AI講座", JA),
            ("C言語入門", "R言語入門", JA),
            ("Ａ会場のご案内", "Ｂ会場のご案内", JA),
            ("A型の運勢", "AB型の運勢", JA),
            ("Ⅰ章", "Ⅱ章", JA),
            ("田中先生の講座", "中田先生の講座", JA),
            ("東京発大阪行き", "大阪発東京行き", JA),
            ("日本队击败德国队", "德国队击败日本队", JA),
            ("งวดวันที่ ๑ ธันวาคม", "งวดวันที่ ๑๖ ธันวาคม", TH),
            ("งวด๑ธันวาคม", "งวด๑๖ธันวาคม", TH),
        ] {
            assert!(!are_one((a, text), (b, text)), "{a} / {b}");
            assert!(are_one((a, text), (a, text)), "{a}");
        }
        for (a, b, text) in [
            ("U.S. inflation slows", "US inflation slows", EN),
            ("Inflation slows in U. S. | The Gull", "Inflation slows in US", EN),
            ("A ferry is aground", "The ferry aground", EN),
            ("Ferry aground on sand", "Ferry aground in sand", EN),
            ("Вибух у Києві", "Вибух в Києві", EN),
            ("Wypadek na drodze w Krakowie", "Wypadek z drodze we Krakowie", EN),
            ("דו״ח צה״ל", "דו\"ח צה\"ל", HE),
            ("ตอนที่ ๑๖", "ตอนที่ 16", TH),
            ("毎日新聞：田中先生の講座", "田中先生の講座 | 毎日新聞", JA),
            ("東京新聞：人事異動", "人事異動｜東京新聞", JA),
            ("V.I. Warshawski returns", "V. I. Warshawski returns", EN),
            ("田中先生の新しい講座", "田中先生の講座", JA),
        ] {
            assert!(are_one((a, text), (b, text)), "{a} / {b}");
        }
    }

    const WIRE: &str = "<p>The ferry Marisol ran aground in thick fog off Onver early on Sunday with 41 people on board. \
        Nobody was hurt, the coastguard said, and all passengers were taken off by two lifeboats within an hour.</p>";

    #[test]
    fn headlines_with_other_names_of_one_short_text_are_one_story() {
        const QUAKE: &str = "A strong earthquake woke thousands in Izmir early on Sunday. Walls cracked, but nobody was \
            hurt, Turkey's agency said. Israel and Germany offered help, and schools remain closed until Wednesday.";
        const CRASH: &str = "A coach with forty passengers left the road near Oslo on Friday and hit the front of the \
            Grand Hotel. Dozens were hurt, the police said, and the bus crash closed the street for hours.";
        const FALL: &str = "A man of fifty died after a fall near Oslo on Friday, the police said. He had set out alone \
            before dawn and was found by walkers in the afternoon. Nobody else was hurt.";
        const BRAND: &str = "Im Maschinenraum der Marisol ist am Sonntag ein Brand ausgebrochen. Die Besatzung der \
            Fähre löschte das Feuer mit Schaum, bevor es auf das Deck übergriff. Das Schiff kam mit eigener Kraft in \
            den Hafen.";
        for (a, b, text) in [
            ("Quake shakes Izmir", "Quake shakes Turkey", QUAKE),
            ("Dozens hurt in Oslo bus crash", "Dozens hurt as coach hits Grand Hotel", CRASH),
            ("Man Dies After Fall In Oslo", "Man Dies After Fall In Mountains", FALL),
            ("Brand auf Fähre gelöscht", "Brand auf Schiff gelöscht", BRAND),
            ("Ferry aground off Onver in fog", "Marisol aground off Onver in fog", WIRE),
        ] {
            assert!(are_one((a, text), (b, text)), "{a} / {b}");
        }
    }

    #[test]
    fn a_report_with_a_name_as_each_paper_writes_it_is_the_same_story() {
        let report: String =
            (0..300_u32).filter_map(|n| char::from_u32(0x4e00 + n * 7919 % 20_000)).collect();
        let texts = ["特朗普", "川普"].map(|name| format!("{name}周四说，{report}。"));
        let titles = ["特朗普宣布對歐盟加徵關稅", "川普宣布對歐盟加徵關稅"];
        assert!(are_one((titles[0], &texts[0]), (titles[1], &texts[1])));
        // Not many more different characters than an alphabet has.
        let report: String =
            (0..150_u32).filter_map(|n| char::from_u32(0x4e00 + n * n % 127 * 79)).collect();
        let texts = ["特朗普", "川普"].map(|name| format!("{name}周四说，{report}。"));
        assert!(are_one((titles[0], &texts[0]), (titles[1], &texts[1])));
    }

    #[test]
    fn common_words_of_a_headline_that_a_notice_has_are_no_evidence() {
        const NOTICE: &str = "Dear readers, with this letter you can have what they read about all of it, and then some, \
            for free. From here on there will be more of them, so that you never miss any.";
        let mut weights = Weights::default();
        (0..2_000).for_each(|_| weights.read(&Words::of_text(NOTICE)));
        let weights = weights.learnt().unwrap();
        let title = "Zugspitze: what you can read about all of this";
        let support =
            headline_support(&item((title, NOTICE)), &item(("Marisol", NOTICE)), &weights);
        assert_eq!(support, 0.0);
    }

    #[test]
    fn a_copy_under_an_edited_headline_is_the_same_story() {
        let plain = ("Ferry runs aground off Onver in fog", WIRE);
        for headline in [
            "Reuters - Ferry runs aground off Onver in fog",
            "FERRY RUNS AGROUND OFF ONVER IN FOG",
            "Ferry Runs Aground Off Onver in Fog | The Gull",
            "41 saved from stranded ferry Marisol",
            "All passengers safe after ferry hits sand",
            "",
        ] {
            assert!(are_one(plain, (headline, WIRE)), "{headline}");
        }
        assert!(are_one(
            ("Ferry runs aground off Onver in fog - The Gull", WIRE),
            ("AP: Ferry runs aground off Onver in fog", WIRE)
        ));
        assert!(are_one(("", WIRE), ("", WIRE)));
    }

    #[test]
    fn a_long_copy_is_the_same_story_under_any_headline() {
        let long: String = (0..90).map(|n| format!("word{} ", n * 7919 % 4001)).collect();
        assert!(are_one(("Ferris wins race", &long), ("Crab takes the trophy", &long)));
        let more = format!("<p>{long}</p><p>Read more about it tomorrow.</p>");
        assert!(are_one(("Ferris wins race", &long), ("Crab takes the trophy", &more)));
    }
}

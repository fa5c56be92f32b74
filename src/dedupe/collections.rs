//! Items that contain several texts which have nothing in common: a round-up, a newsletter, a digest, a live blog. Such an
//! item is the same story as none of these texts, and must not make them one. Pure.

use std::collections::{HashMap, HashSet};

use super::fingerprint::Comparable;
use super::headlines::units;
use super::likeness::{Weights, likeness};
use super::tuning::{
    CONTAINED, LEAD_WORDS, MOST, NAME_WORDS, NEAR_WORDS, NOTHING_IN_COMMON, OTHER_SUBJECT,
    OTHER_SUBJECT_NAMES, TITLE_ALIKE,
};
use super::words::{Kind, Word};

/// How an item is known that may be in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// They match, or one is known as a collection. That may be because of one passage.
    Matched,
    /// A rule refuses them.
    Refused,
    /// They are of one feed, and not compared.
    OwnFeed,
}

/// Whether `part`, which matches `item`, is only one of several texts in it: most of the item is something else, and it has
/// others of `beside` that have nothing in common with the part. Without a headline two short texts may be the beginning
/// and the end of one report; two long texts are not, and neither are three that have nothing in common.
#[must_use]
pub fn is_one_of_several<'c>(
    item: &Comparable,
    part: &Comparable,
    beside: impl Iterator<Item = (&'c Comparable, Beside)>,
    weights: &Weights,
) -> bool {
    if !has_more_than(item, part) {
        return false;
    }
    let (has_part, mut inside) = (contains(item, part), Vec::new());
    for (other, how) in beside.filter(|(other, _)| share_no_passage(part, other)) {
        let apart = have_other_subjects(part, other, weights);
        let headed = match how {
            Beside::Matched => has_headline(item, part) || has_headline(item, other),
            // What is no match may share only the notice of a site.
            Beside::Refused => has_headline(item, other),
            Beside::OwnFeed => false,
        };
        if apart && headed {
            return true;
        }
        if !has_part || !contains(item, other) {
            continue;
        }
        // A feed repeats its own report of yesterday as background, with the same names.
        let long = part.size.min(other.size) >= LEAD_WORDS && (apart || how != Beside::OwnFeed);
        let is_third = |text: &&Comparable| {
            share_no_passage(text, other) && have_other_subjects(text, other, weights)
        };
        if long || apart && inside.iter().any(is_third) {
            return true;
        }
        if apart {
            inside.push(other);
        }
    }
    false
}

/// Whether most of an item is something else than this part of it.
#[must_use]
pub fn has_more_than(item: &Comparable, part: &Comparable) -> bool {
    likeness(item, part).containment * item.weight.min(part.weight) < MOST * item.weight
}

/// Whether nearly all of a text, of more than a few words, is in an item.
fn contains(item: &Comparable, text: &Comparable) -> bool {
    text.size >= NEAR_WORDS
        && text.weight < item.weight
        && likeness(item, text).containment >= CONTAINED
}

/// Whether the text of an item has the headline of another one, of more than a few words, below a title that does not say
/// it, or below none.
fn has_headline(item: &Comparable, other: &Comparable) -> bool {
    let (own, title) = (&item.fingerprint.title, &other.fingerprint.title);
    let headline = title.words();
    let same = |(a, b): (&Word, &Word)| a.hash == b.hash;
    headline.len() >= NAME_WORDS
        && own.alike(title) < TITLE_ALIKE
        && (item.lines.contains(&title.digest())
            || item.words.0.windows(headline.len()).any(|text| text.iter().zip(headline).all(same)))
}

/// Whether two items share no passage. Two excerpts of one report do: both begin as it does.
fn share_no_passage(a: &Comparable, b: &Comparable) -> bool {
    likeness(a, b).containment < NOTHING_IN_COMMON
}

/// Whether two items share few words: two parts of one report share names and what it is about.
fn have_other_subjects(a: &Comparable, b: &Comparable, weights: &Weights) -> bool {
    let (left, right) = (content(a), content(b));
    let part = |of: &Content<'_>, other: &Content<'_>| {
        let weight = |word: &&Word| weights.of(word);
        let all: f32 = of.values().map(weight).sum();
        let both = of.iter().filter(|(unit, _)| other.contains_key(unit));
        let both: f32 = both.map(|(_, word)| weight(word)).sum();
        if all > 0.0 { both / all } else { 0.0 }
    };
    let names = |of: &Comparable| -> HashSet<u32> {
        of.names().filter(|word| word.kind == Kind::Name).map(|word| word.hash).collect()
    };
    part(&left, &right).max(part(&right, &left)) < OTHER_SUBJECT
        && names(a).intersection(&names(b)).count() <= OTHER_SUBJECT_NAMES
}

/// The words of an item, each once, without little words; of a script without spaces two characters each.
type Content<'w> = HashMap<u64, &'w Word>;

fn content(item: &Comparable) -> Content<'_> {
    let counts = |(_, word): &(u64, &Word)| {
        word.length > 3 || word.kind != Kind::Plain || word.is_character()
    };
    units(item.fingerprint.title.words()).chain(units(&item.words.0)).filter(counts).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Fingerprint, Text, Title};
    use super::*;

    fn item(title: &str, text: &str) -> Comparable {
        let (title, text) = (Title::new(Some(title)), Text::of_html(text));
        let fingerprint = Fingerprint { title, text, ..Fingerprint::default() };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    const FERRY: (&str, &str) = (
        "Ferry runs aground off Onver in fog",
        "The ferry Marisol ran aground in thick fog early on Sunday with 41 people on board. Nobody was hurt, the \
         coastguard said, and all passengers were taken off by two lifeboats within an hour.",
    );
    const BREAD: (&str, &str) = (
        "Bakers raise the price of a loaf",
        "Flour and heating cost more than a year ago, the guild explained, and most shops will therefore charge ten \
         cents extra from next month. Rolls and cakes stay as cheap as before.",
    );
    const CHESS: (&str, &str) = (
        "Pupil beats champion",
        "Twelve moves were enough for a girl of nine to win against the strongest player of the valley, who \
         congratulated his opponent and asked for another game.",
    );

    fn made_of(texts: &[(&str, &str)]) -> String {
        texts.iter().map(|(title, text)| format!("<h2>{title}</h2><p>{text}</p>")).collect()
    }

    /// Whether `part` is one of several texts in an item that also has `other`.
    fn is_part(whole: &str, part: (&str, &str), other: (&str, &str)) -> bool {
        is_part_of(whole, part, (other, Beside::Matched))
    }

    fn is_part_of(whole: &str, part: (&str, &str), (other, how): ((&str, &str), Beside)) -> bool {
        let (whole, part, other) =
            (item("The day", whole), item(part.0, part.1), item(other.0, other.1));
        is_one_of_several(&whole, &part, [(&other, how)].into_iter(), &Weights::default())
    }

    #[test]
    fn the_texts_of_a_round_up_are_parts_of_it() {
        for whole in [made_of(&[FERRY, BREAD]), made_of(&[CHESS, BREAD, FERRY])] {
            assert!(is_part(&whole, FERRY, BREAD) && is_part(&whole, BREAD, FERRY));
        }
        let linked =
            made_of(&[FERRY, BREAD]).replace("<h2>", "<h2><a>").replace("</h2>", "</a></h2>");
        assert!(is_part(&linked, FERRY, BREAD) && is_part(&linked, BREAD, FERRY));
        let untitled = item("", &made_of(&[FERRY, BREAD]));
        let (ferry, bread) = (item(FERRY.0, FERRY.1), item(BREAD.0, BREAD.1));
        assert!(is_one_of_several(
            &untitled,
            &ferry,
            [(&bread, Beside::Matched)].into_iter(),
            &Weights::default()
        ));
        let (rain, tram) = (
            (
                "北京天气预报",
                "今天多云转晴，西北风三到四级，最高气温九摄氏度，请市民出行注意携带雨具，以防感冒。",
            ),
            (
                "有轨电车停运",
                "由于轨道施工，一号线从周末起暂停运营，乘客可改乘临时巴士，票价保持不变。",
            ),
        );
        assert!(is_part(&made_of(&[rain, tram]), rain, tram));
    }

    #[test]
    fn a_headline_alone_makes_no_collection_of_a_longer_text() {
        let own = "Three more ships have run aground here since spring, which the pilots blame on a buoy that was moved. \
                   Fishermen ask for a light on the northern bank, and the harbour wants to dredge the channel before \
                   winter. The minister will visit the town and listen to both of them next week.";
        let excerpt = format!("{}: {}", FERRY.0, FERRY.1);
        for whole in [
            format!("<p>{}. {}</p><p>{own}</p>", FERRY.0, FERRY.1),
            format!("<h2>{}</h2><p>{}</p><p>{own}</p>", FERRY.0, FERRY.1),
            format!("<p>{}</p><p>{own}</p><p><a href=\"/f\">{}</a></p>", FERRY.1, FERRY.0),
        ] {
            let whole = item("A channel full of wrecks", &whole);
            for part in [item(FERRY.0, FERRY.1), item(FERRY.0, &excerpt)] {
                let beside = [(&part, Beside::Matched)].into_iter();
                assert!(!is_one_of_several(&whole, &part, beside, &Weights::default()));
            }
        }
    }

    #[test]
    fn a_copy_with_a_note_about_something_else_is_a_copy() {
        let whole =
            made_of(&[FERRY]) + "<p>Read too: Pupil of nine beats the champion in twelve.</p>";
        assert!(!is_part(&whole, FERRY, CHESS));
        assert!(is_part(&whole, CHESS, FERRY), "the note is only a part");
    }

    #[test]
    fn two_parts_of_one_report_make_no_collection() {
        let end = "The ferry Marisol belongs to a firm in Onver, which the coastguard has fined twice because of broken \
                   lifeboats. Its captain could not be reached on Sunday.";
        let whole = format!("<p>{}</p><p>{end}</p>", FERRY.1);
        assert!(!is_part(&whole, FERRY, ("Owner was fined twice", end)));
        assert!(!is_part(&whole, ("Owner was fined twice", end), FERRY));
        let rewrite = "Fines and rust: papers list every defect that inspectors wrote down since the ship was sold.";
        assert!(!is_part(&whole, FERRY, ("Owner was fined twice", rewrite)), "a text not in it");
    }

    #[test]
    fn three_short_texts_without_headlines_are_parts_and_two_may_be_one_report() {
        let plain = |texts: &[(&str, &str)]| {
            texts.iter().map(|(_, text)| format!("<p>{text}</p>")).collect::<String>()
        };
        assert!(!is_part(&plain(&[FERRY, BREAD]), FERRY, BREAD));
        let whole = item("The day", &plain(&[FERRY, BREAD, CHESS]));
        let [ferry, bread, chess] = [FERRY, BREAD, CHESS].map(|text| item(text.0, text.1));
        let beside = [(&bread, Beside::Refused), (&chess, Beside::OwnFeed)];
        assert!(is_one_of_several(&whole, &ferry, beside.into_iter(), &Weights::default()));
        let beside = [(&bread, Beside::Refused), (&bread, Beside::OwnFeed)];
        assert!(!is_one_of_several(&whole, &ferry, beside.into_iter(), &Weights::default()));
    }

    #[test]
    fn of_its_own_feed_a_report_may_have_a_notice_or_what_happened_before() {
        let notice = "Everything in this letter is written, printed and folded by volunteers. Whoever wants to help \
                      may knock on the green door beside the bakery any Tuesday evening.";
        let whole = made_of(&[FERRY, ("", notice), BREAD]);
        let own = |other| is_part_of(&whole, FERRY, (other, Beside::OwnFeed));
        assert!(!own(("Picture of the week", notice)));
        let [one, two] = ["tug", "court"].map(|word| {
            (0..30).map(|n| format!(" {word}{n} Marisol {word}{n} Onver")).collect::<String>()
        });
        let (one, two) = (("Tugs wait", one.as_str()), ("Owner in court", two.as_str()));
        let whole = made_of(&[one, two]);
        assert!(!is_part_of(&whole, one, (two, Beside::OwnFeed)));
        let day = format!("{} {} {}", BREAD.1, CHESS.1, FERRY.1.replace("Marisol", "Halcyon"));
        let day = ("The day", day.as_str());
        assert!(is_part_of(&made_of(&[one, day]), day, (one, Beside::OwnFeed)));
    }

    #[test]
    fn long_texts_with_the_same_names_are_parts() {
        let fine = (
            "Owner of the Marisol was fined twice",
            "The coastguard in Onver fined the owner of the Marisol twice because of broken lifeboats. Nobody was hurt \
             that Sunday, said the firm.",
        );
        let both = |a: &str, b: &str| format!("<p>{a}</p><p>{b}</p>");
        let whole = both(FERRY.1, fine.1);
        assert!(!is_part(&whole, FERRY, fine), "two paragraphs of a report");
        let [one, two] = ["tug", "court"].map(|word| {
            (0..30).map(|n| format!(" {word}{n} of Marisol Onver{word}{n}")).collect::<String>()
        });
        let (one, two) = ((FERRY.0, one.as_str()), (fine.0, two.as_str()));
        assert!(is_part(&both(one.1, two.1), one, two));
    }
}

//! What two texts in other spellings, numbers, times and shares have in common.

use proptest::prelude::*;

use super::*;

fn same(a: &str, b: &str) -> bool {
    Words::of_text(a).digest() == Words::of_text(b).digest()
}

fn kinds(text: &str) -> Vec<Kind> {
    Words::of_text(text).0.iter().map(|word| word.kind).collect()
}

#[test]
fn versions_times_and_days_are_numbers_and_names_are_names() {
    use Kind::{Name, Number, Plain};
    assert_eq!(
        kinds("Released 1.2.3 in Bern on Monday, 12:30."),
        [Plain, Number, Plain, Name, Plain, Number, Number]
    );
    assert_eq!(kinds("V. I. Lenin, Magnus VI"), [Name, Plain, Name, Number]);
    assert_eq!(kinds("It ends. Then"), [Plain, Plain, Plain], "a sentence begins with a capital");
}

#[test]
fn one_number_is_one_word_however_it_is_written() {
    for (a, b) in [
        ("ninety-one", "91"),
        ("forty one", "41"),
        ("nine hundred and fifty", "950"),
        ("two thousand three hundred", "2,300"),
        ("two hundred million", "200 million"),
        ("1,180 metres", "1180 metres"),
        ("120 000 euros", "120.000 euros"),
        ("$4.2bn", "4.2 billion"),
        ("8.7km", "8,7 kilometers"),
        ("the 24th", "the 24"),
        ("einundfünfzig", "51"),
        ("quarante-deux", "42"),
        ("noventa y siete", "97"),
        ("sessantuno", "61"),
        ("soixante-dix-sept", "77"),
        ("quatre-vingt-onze", "91"),
        ("dix-neuf", "19"),
        ("sessenta e um anos", "61 anos"),
        ("vingt et une pages", "21 pages"),
        ("treinta y uno", "31"),
        ("двадцать один", "21"),
        ("тридцать четыре", "34"),
        ("trzystu", "300"),
        ("二十三日", "23日"),
        ("二百万円", "200万円"),
        ("the eighteenth", "the 18th"),
        ("le 3e acte", "le troisième acte"),
        ("het 2e net", "het tweede net"),
        ("Magnus VI", "Magnus the Sixth".replace("the ", "").as_str()),
    ] {
        assert!(same(a, b), "{a} / {b}");
    }
    for (a, b) in [
        ("1.2.3", "123"),
        ("12:30", "1230"),
        ("1.18", "118"),
        ("nine, fifty", "59"),
        ("in 2025 300 people", "in 2025300 people"),
        ("4k", "4"),
        ("vi ser", "6 ser"),
    ] {
        assert!(!same(a, b), "{a} / {b}");
    }
}

#[test]
fn one_time_of_day_is_one_word_however_it_is_written() {
    for (a, b) in [
        ("at 3 p.m. sharp", "at 15:00 sharp"),
        ("at 3 pm sharp", "at 3pm sharp"),
        ("at 12 a.m. sharp", "at 0:00 sharp"),
        ("at 12.30 p.m. sharp", "at 12:30 sharp"),
        ("at 9.30 am sharp", "at 09:30 sharp"),
        ("at 1500 GMT", "at 15:00 GMT"),
        ("um 15 Uhr", "um 15.00 Uhr"),
        ("um vier Uhr", "um 4:00"),
        ("à 15h30", "à 15 h 30"),
        ("à 20 heures", "à 20h00"),
        ("om 8 uur", "om 8.00 uur"),
        ("午後三時", "午後3時"),
    ] {
        assert!(same(a, b), "{a} / {b}");
    }
    for (a, b) in [
        ("3 p.m.", "3 a.m."),
        ("3 p.m.", "3"),
        ("1500 people", "15:00 people"),
        ("13 p.m.", "1 p.m."),
        ("15h30", "15h45"),
        ("in 1530 a man", "15:30 a man"),
    ] {
        assert!(!same(a, b), "{a} / {b}");
    }
}

#[test]
fn a_share_and_a_spelling_are_one_word_however_they_are_written() {
    for (a, b) in [
        ("12 percent", "12%"),
        ("12 per cent", "twelve percent"),
        ("4,5 pour cent", "4,5 %"),
        ("30 por ciento", "30%"),
        ("30 Prozent", "30 %"),
        ("40 процентов", "40%"),
        ("harmonised", "harmonized"),
        ("St. Mark", "Saint Mark"),
        ("2,4 Mio. Euro", "2,4 Millionen Euro"),
        ("80 млн рублей", "80 миллионов рублей"),
    ] {
        assert!(same(a, b), "{a} / {b}");
    }
    assert!(!same("12 percent", "12"), "a share is not a number");
    assert!(!same("a per cent b", "a percent b"), "no number, no share");
}

#[test]
fn marks_that_many_leave_out_make_no_other_word() {
    for (a, b) in [
        ("Ещё три дёшевые ёлки", "Еще три дешевые елки"),
        ("четвёртого", "4"),
        ("كِتَابٌ جديد", "كتاب جديد"),
        ("مـيـنـاء", "ميناء"),
        ("שָׁלוֹם", "שלום"),
        ("सड़क चाँद", "सडक चांद"),
    ] {
        assert!(same(a, b), "{a} / {b}");
    }
    assert!(!same("año", "ano") && !same("schon", "schön"), "other words");
}

#[test]
fn initials_hebrew_numbers_and_digits_of_any_script_are_one_word() {
    for (a, b) in [
        ("the U.S. and the U.K.", "the US and the UK"),
        ("J. K. Rowling", "J.K. Rowling"),
        ("at 6 P.M. sharp", "at 18:00 sharp"),
        ("דף כ״ג", "דף כ\"ג"),
        ("דף כ״ג", "דף כג"),
        ("צה”ל", "צה\"ל"),
        ("כיתה ב׳", "כיתה ב'"),
        ("งวด๑๖ธันวาคม", "งวด16ธันวาคม"),
        ("الحلقة ٢١", "الحلقة 21"),
        ("अध्याय १६", "अध्याय 16"),
    ] {
        assert!(same(a, b), "{a} / {b}");
    }
    for (a, b) in [
        ("Part A. I am here", "Part AI am here"),
        ("he said \"no\"yes", "he said noyes"),
        ("ตอนที่ ๑", "ตอนที่ ๑๐"),
    ] {
        assert!(!same(a, b), "{a} / {b}");
    }
    assert_eq!(Words::of_text("இரண்டு").0.len(), 1, "a sign without a vowel ends no word");
}

#[test]
fn an_abbreviation_of_two_capitals_is_a_name_wherever_it_is() {
    use Kind::{Name, Plain};
    assert_eq!(kinds("US prices. Us or A"), [Name, Plain, Plain, Plain, Name]);
    assert_eq!(kinds("A組")[0], Name);
}

#[test]
fn a_syllable_of_hangul_is_two_letters() {
    let length = |text: &str| Words::of_text(text).0[0].length;
    assert_eq!((length("대"), length("정부"), length("예산안에")), (2, 4, Word::LONGEST));
    assert_eq!((width("정부, 대"), width("東京 ab")), (8, 7));
}

#[test]
fn a_title_before_a_name_is_no_name() {
    use Kind::{Name, Plain};
    assert_eq!(
        kinds("said Mayor Brandt and President Lund"),
        [Plain, Plain, Name, Plain, Plain, Name]
    );
}

#[test]
fn addresses_are_no_words() {
    assert!(same("Read it at https://e.org/a?b=c now", "Read it at sho.example/w7Qz now"));
    assert!(!same("and/or", ""), "a slash makes no address");
    assert!(!same("12.5/20", "12.6/20"));
}

#[test]
fn hashtags_are_no_words_and_numbers_of_issues_are() {
    assert!(same("Fog again today #weather #sea", "Fog again today"));
    assert!(!same("See #123", "See"));
}

#[test]
fn a_word_is_read_back_as_it_was_stored() {
    for word in Words::of_text("The 1.2 Bern of Ελλάδα, Москва, שלום, 東京 incomprehensibilities").0
    {
        assert_eq!(Word::from_bytes(word.to_bytes()), word);
    }
}

#[test]
fn a_script_without_spaces_has_a_word_a_character() {
    assert_eq!(Words::of_text("東京で地震").0.len(), 5);
    assert_eq!(Words::of_text("हिन्दी में").0.len(), 2);
}

#[test]
fn words_of_ascii_letters_are_read_alike_with_and_without_shortcut() {
    let text = "One hundred and ninety-one of 20 told Mr Brandt: \"At 9 pm, King Magnus VI rose.\" The DHCP client \
                cost $5 million; twenty per cent, 12% and 3 percent. On Monday (Nov. 23) #tag #7, a half of IV. \
                Organised at four in the afternoon by two thirds of x1 and 10km, a.m. and p.m. at 7.30 am";
    // A soft hyphen is not a letter, and not in ASCII.
    let mut hyphened = String::new();
    for c in text.chars() {
        hyphened.push(c);
        hyphened.push_str(if c.is_ascii_alphabetic() { "\u{ad}" } else { "" });
    }
    assert_eq!(Words::of_text(&hyphened), Words::of_text(text));
}

proptest! {
    #[test]
    fn a_text_is_normalised_in_pieces_as_in_one(text in "([a-z ]|[\u{300}-\u{345}ﬁ①…\u{a0}가각\u{1100}\u{1161}é]){0,40}") {
        prop_assert_eq!(normalised(&text), text.nfkc().collect::<String>());
    }
}

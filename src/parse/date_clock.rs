//! Times of day in dates, and the words beside them.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};

use super::dates::primary;

/// A time of day as written, also `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) time: Time,
    /// Whether the time is on the day after the date.
    pub(crate) next_day: bool,
}

impl Clock {
    /// The time on a day.
    pub(crate) fn on(self, day: Date) -> Option<DateTime> {
        let day = if self.next_day { day.tomorrow().ok()? } else { day };
        Some(day.to_datetime(self.time))
    }
}

impl From<Time> for Clock {
    fn from(time: Time) -> Self {
        Self { time, next_day: false }
    }
}

/// `10:14`, `10:14:55`, `10:14:55.123`, `1014`, `101455`. A leap second becomes second 59.
pub(crate) fn time(text: &str) -> Option<Clock> {
    let whole = text.split(['.', ',']).next().unwrap_or_default();
    let compact = matches!(whole.len(), 4 | 6) && whole.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts: [Option<&str>; 3] = [None; 3];
    if compact {
        parts = [whole.get(..2), whole.get(2..4), whole.get(4..6)];
    } else {
        for (part, found) in parts.iter_mut().zip(whole.split(':')) {
            *part = Some(found);
        }
    }
    let hour: i8 = parts[0]?.parse().ok()?;
    let minute: i8 = parts[1]?.parse().ok()?;
    let second: i8 = parts[2].map_or(Some(0), |part| part.parse().ok())?;
    // ISO 8601: 24:00 is the end of the day, which is 00:00 of the next one.
    let next_day = hour == 24;
    let time = Time::new(if next_day { 0 } else { hour }, minute, second.min(59), 0).ok()?;
    Some(Clock { time, next_day })
}

/// Whether a word is a time of day: `10:14`, `9:15-05:00`, `10:14CET`.
pub(crate) fn is_clock(word: &str) -> bool {
    word.find(':').is_some_and(|colon| colon <= 2)
}

/// `12h30`, `12h`, `3pm` as `12:30`, `12:00`, `3:00pm`, in a document of this language.
pub(crate) fn hours(lower: &str, language: Option<&str>) -> Option<String> {
    let end = lower.find(|c: char| !c.is_ascii_digit()).filter(|end| *end <= 2)?;
    let (hour, rest) = lower.split_at(end);
    if half_of(rest, language).is_some() {
        return Some(format!("{hour}:00{rest}"));
    }
    let minute = rest.strip_prefix(['h', 'u'])?;
    let minute = minute.strip_suffix("min").or(minute.strip_suffix('m')).unwrap_or(minute);
    let minute = if minute.is_empty() { "00" } else { minute };
    (minute.len() == 2 && minute.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("{hour}:{minute}"))
}

/// The part of the day of a time in twelve hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// Midnight to noon.
    Morning,
    /// Noon to midnight.
    Afternoon,
    /// The hours around noon.
    Noon,
    /// The evening, midnight and the hours after it.
    Night,
}

impl Half {
    /// The time in this part of the day. Times after 12:59 stay.
    pub(crate) fn time(self, clock: Clock) -> Option<Clock> {
        let hour = match (self, clock.time.hour()) {
            (Self::Afternoon, hour @ 1..=11)
            | (Self::Noon, hour @ 1..=9)
            | (Self::Night, hour @ 6..=11) => hour + 12,
            (Self::Morning | Self::Night, 12) => 0,
            (_, hour) => hour,
        };
        let time = Time::new(hour, clock.time.minute(), clock.time.second(), 0).ok()?;
        Some(Clock { time, ..clock })
    }
}

/// The words for parts of the day, without dots, marks and spaces: those of CLDR for a.m. and p.m., and others that pages
/// write. Words without a language are of any document. Those with one are short, and mean something else elsewhere.
#[rustfmt::skip]
const HALVES: &[(&str, Half, &str)] = &[
    // Latin
    ("", Half::Morning, "am morning vormittag vormittags morgens vorm matin dumatin mañana madrugada manhã madrugada mattina mattino ochtends ochtend \
        morgenochtend förmiddag förmiddagen formiddag aamupäivä aamupäivällä aamulla hommikul ennelõuna priekšp priekšpusdienā priešpiet \
        rano dop dopoledne dopoludnia dopoldne prijepodne prepodne ujutro délelőtt reggel hajnal hajnalban dimineața dimineaţa öö sabah sáng \
        buổisáng pagi matí goizeko goiza maidin paradites umaga asubuhi voormiddag"),
    ("", Half::Afternoon, "pm afternoon evening nachmittag nachmittags nachm abend abends laprès-midi après-midi soir dusoir tarde pomeriggio sera \
        namiddag middags avonds eftermiddag eftermiddagen kväll kvällen aften iltapäivä iltapäivällä illalla õhtul pärastlõuna pēcp pēcpusdienā popiet \
        popołudniu wieczorem odp odpoledne večer popoludní popoldne poslijepodne poslepodne popodne navečer uveče délután \
        după-amiaza seara ös akşam chiều buổichiều tối buổitối sore petang ptg tarda vespre arratsaldeko arratsaldea tráthnóna pasdites \
        mbasdite hapon jioni namiddag"),
    ("", Half::Noon, "noon mittag mittags midi mediodía mezzogiorno poledne południe délben öğle öğlen trưa buổitrưa siang tanghali"),
    ("", Half::Night, "midnight night nachts nacht minuit nuit noche notte noite nit noć noću noci éjjel gece đêm đêmkhuya malam gabi usiku"),
    ("is", Half::Morning, "fh"), ("is", Half::Afternoon, "eh"), ("fi", Half::Morning, "ap"), ("fi", Half::Afternoon, "ip"),
    ("sv", Half::Morning, "fm"), ("sv", Half::Afternoon, "em"), ("da", Half::Afternoon, "em"), ("da", Half::Morning, "fm"),
    ("et", Half::Morning, "el"), ("et", Half::Afternoon, "pl"), ("sl", Half::Afternoon, "pop"), ("lt", Half::Afternoon, "pop"),
    ("lt", Half::Morning, "prp"), ("hu", Half::Morning, "de"), ("hu", Half::Afternoon, "du este"), ("vi", Half::Morning, "sa"),
    ("vi", Half::Afternoon, "ch"), ("ms", Half::Morning, "pg"), ("ga", Half::Morning, "rn"), ("ga", Half::Afternoon, "in"),
    ("cy", Half::Morning, "yb bore ybore"), ("cy", Half::Afternoon, "yh yrhwyr"), ("sq", Half::Morning, "pd"), ("sq", Half::Afternoon, "md"),
    ("af", Half::Morning, "vm"), ("af", Half::Afternoon, "nm"), ("uz", Half::Morning, "to tusholdidan"),
    ("uz", Half::Afternoon, "tk tushdankeyin"), ("tk", Half::Morning, "goöň günortadanöň"), ("tk", Half::Afternoon, "gosoň günortadansoň"),
    // Greek, Cyrillic, Georgian, Armenian
    ("", Half::Morning, "πμ πρωί προμεσημβρίας утра утром ранку ранок раніцы рано претпл претпладне препладне преподне дополудня проб предиобяд \
        сутрин сутринта таңғы таңертең таңкы үө դղ დილა დილის կա առավոտյան"),
    ("", Half::Afternoon, "μμ απόγευμα βράδυ μεταμεσημβρίας дня днём днем вечера вечером вечора вечір попл попладне поподне послеподне \
        послеполудня слоб следобяд вечерта кешкі үх შუადღშემდეგ საღამო საღამოს կհ երեկոյան"),
    ("", Half::Noon, "полдень полудень пладне обяд μεσημέρι"),
    ("", Half::Night, "ночи ночью ночі νύχτα"),
    ("ru", Half::Morning, "дп"), ("ru", Half::Afternoon, "пп"), ("uk", Half::Morning, "дп"), ("uk", Half::Afternoon, "пп"),
    ("ky", Half::Morning, "тң"), ("ky", Half::Afternoon, "тк"),
    // Hebrew, Arabic, Persian, Urdu
    ("", Half::Morning, "לפנהצ בבוקר לפנותבוקר ص صباح صباحا الصباح فجر فجرا الفجر قبلالظهر قظ قبلازظهر صبح بامداد سحر قبلدوپہر"),
    ("", Half::Afternoon, "אחהצ אחרהצהריים בערב م مساء مساءا المساء عصر عصرا العصر بعدالظهر بظ بعدازظهر عصر بعددوپہر شام سہپہر"),
    ("", Half::Noon, "בצהריים ظهر ظهرا الظهر دوپہر"),
    ("", Half::Night, "בלילה ليل ليلا شب رات"),
    // South Asia
    ("", Half::Morning, "पूर्वाह्न सुबह प्रातः मपू सकाळी पहाटे बिहान পূর্বাহ্ণ পূর্বাহ্ন সকাল ভোর முற்பகல் காலை ఉదయం രാവിലെ સવારે ಪೂರ್ವಾಹ್ನ ಬೆಳಗ್ಗೆ \
        ಬೆಳಿಗ್ಗೆ ਪੂਦੁ ਸਵੇਰੇ පෙව උදේ"),
    ("", Half::Afternoon, "अपराह्न अपराह्ण शाम सायं मउ सायंकाळी संध्याकाळी साँझ बेलुका অপরাহ্ণ অপরাহ্ন বিকাল বিকেল সন্ধ্যা பிற்பகல் மாலை \
        సాయంత్రం വൈകുന്നേരം വൈകിട്ട് સાંજે ಅಪರಾಹ್ನ ಸಂಜೆ ਬਾਦੁ ਸ਼ਾਮ පව සවස"),
    ("", Half::Noon, "दोपहर दुपारी दिउँसो দুপুর மதியம் நண்பகல் మధ్యాహ్నం ഉച്ചയ്ക്ക് બપોરે ಮಧ್ಯಾಹ್ನ ਦੁਪਹਿਰ"),
    ("", Half::Night, "रात रात्री राति রাত இரவு రాత్రి രാത്രി રાત્રે ರಾತ್ರಿ ਰਾਤ රාත්රී"),
    // Southeast Asia, Mongolia, Ethiopia
    ("", Half::Morning, "ก่อนเที่ยง ព្រឹក ກ່ອນທ່ຽງ နံနက် မနက် өглөө ጥዋት ጠዋት"),
    ("", Half::Afternoon, "หลังเที่ยง ល្ងាច រសៀល ຫຼັງທ່ຽງ ညနေ орой ከሰዓት"),
    ("", Half::Night, "ည"),
    // East Asia
    ("", Half::Morning, "오전 새벽 아침 上午 午前 凌晨 早上 早晨 清晨 早朝 朝 未明"),
    ("", Half::Afternoon, "오후 저녁 下午 午後 傍晚 夕方"),
    ("", Half::Noon, "정오 中午 正午 午間 午间 昼 낮"),
    ("", Half::Night, "晚上 晚間 晚间 夜间 夜間 夜里 半夜 午夜 深夜 밤 夜"),
];

/// The words of a language, or of any.
type Words = HashMap<&'static str, Vec<(&'static str, Half)>>;

static KNOWN: LazyLock<Words> = LazyLock::new(|| {
    let mut known = Words::new();
    for (language, half, words) in HALVES {
        for word in words.split_whitespace() {
            known.entry(word).or_default().push((*language, *half));
        }
    }
    known
});

/// East Asian words for parts of the day, which no space divides from the time: those of two signs, or of one.
pub(crate) fn joined_halves(signs: usize) -> impl Iterator<Item = &'static str> {
    static JOINED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let is_asian = |c| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
        let all = HALVES.iter().flat_map(|(_, _, words)| words.split_whitespace());
        all.filter(|word| word.chars().all(is_asian)).collect()
    });
    JOINED.iter().copied().filter(move |word| word.chars().count() == signs)
}

/// The part of the day that a word names in a document of this language, if it is known; `None` for other words. The
/// word is in lower case.
pub(crate) fn half_of(word: &str, language: Option<&str>) -> Option<Half> {
    // Dots, quotes and apostrophes of abbreviations, and the marks of Arabic vowels
    let is_sign = |c: char| ".'’ʼ\"״׳॰".contains(c) || ('\u{64b}'..='\u{655}').contains(&c);
    let bare: String = word.chars().filter(|c| !is_sign(*c)).collect();
    let primary = primary(language);
    let meanings = KNOWN.get(bare.as_str())?;
    let in_language = |of: &str| of.is_empty() || of.eq_ignore_ascii_case(primary);
    meanings.iter().find(|(of, _)| in_language(of)).map(|(_, half)| *half)
}

/// Whether the word beside a time has no meaning for it; the word is in lower case.
pub(crate) fn is_filler(word: &str) -> bool {
    #[rustfmt::skip]
    const FILLERS: &[&str] = &[
        "uhr", "h", "hs", "hrs", "hours", "kl", "klo", "klokken", "o'clock", "om", "at", "à", "às", "ás", "ore", "ora", "in",
        "godz", "um", "von", "vom", "den", "de", "del", "dels", "di", "do", "da", "of", "on", "the", "la", "las", "les", "le", "el", "a",
        "alle", "ob", "o", "kell", "kello", "klukkan", "plkst", "val", "saat", "saati", "pukul", "jam", "lúc",
        "vào", "hồi", "giờ", "hod", "hodin", "godzina", "óra", "órakor", "orë", "orele", "saa", "u", "uur", "m", "d", "ng",
        "в", "о", "об", "у", "ч", "час", "часа", "часов", "сағат", "саат", "цагт", "г", "год", "года", "року", "р", "мин", "սժ", "ժամը",
        "στις", "ώρα", "ώρες", "время", "gada", "time", "ngày", "น", "เวลา", "сар", "сарын", "оны", "ж", "თ", "წ", "საათზე",
        "الساعة", "الساعه", "ساعة", "ساعت", "على", "في", "در", "בשעה", "שעה", "بجے", "बजे", "को", "বাজে", "টা", "টায়", "மணி", "వద్ద",
        "ម៉ោង", "ເວລາ",
    ];
    !word.chars().any(char::is_alphanumeric) || FILLERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::super::date_names::{Meaning, meanings};
    use super::super::date_words::free;
    use super::super::dates::Hints;
    use super::*;

    fn read(text: &str, language: &str) -> (String, Option<String>) {
        let hints = Hints { language: Some(language), order: None };
        let dated = free(text, hints).unwrap();
        (dated.at.to_string()[..16].to_owned(), dated.unread)
    }

    #[test]
    #[rustfmt::skip]
    fn the_half_of_the_day_is_read_in_every_language() {
        for (language, text, hour) in [
            ("ar", "30 نوفمبر 2026 06:30 مساءً", 18), ("ar", "30 نوفمبر، 2026 6:30 مساءا", 18), ("ar", "30/11/2026 06:30 م", 18),
            ("ar", "12:30 صباحًا 30 نوفمبر 2026", 0), ("ar", "30 نوفمبر 2026 الساعة 6:30 بعد الظهر", 18), ("ar", "Mon, 30 Nov 2026 06:30:00 مساءً GMT", 18),
            ("fa", "30/11/2026 06:30 ب.ظ", 18), ("fa", "30/11/2026 06:30 بعدازظهر", 18), ("fa", "30 نوامبر 2026 ساعت 6:30 بعد از ظهر", 18),
            ("he", "30 בנובמבר 2026 6:30 אחה״צ", 18), ("he", "30/11/2026 6:30 בערב", 18), ("el", "30/11/2026 6:30 μ.μ.", 18),
            ("hi", "30/11/2026 6:30 अपराह्न", 18), ("hi", "30 नवंबर 2026 शाम 6:30", 18), ("hi", "30 नवंबर 2026 रात 12:30 बजे", 0),
            ("bn", "৩০/১১/২০২৬ ৬:৩০ অপরাহ্ণ", 18), ("ta", "30/11/2026 6:30 பிற்பகல்", 18), ("mr", "30 नोव्हेंबर 2026 6:30 म.उ.", 18),
            ("tr", "30.11.2026 ÖS 6:30", 18), ("tr", "30 Kasım 2026 ÖS 6:30", 18), ("tr", "30 Kasım 2026 6:30 öö", 6),
            ("vi", "30/11/2026 6:30 CH", 18), ("vi", "30/11/2026 12:30 SA", 0), ("vi", "30/11/2026 6:30 CH +0000", 18),
            ("hu", "2026.11.30. du. 6:30", 18), ("hu", "2026. november 30. de. 12:30", 0), ("sq", "30.11.2026 6:30 MD", 18),
            ("zh", "2026年11月30日 中午12:30", 12), ("zh", "2026年11月30日 中午1:30", 13), ("zh", "2026年11月30日 晚上8:30", 20),
            ("zh", "2026/11/30 下午6:30", 18), ("ko", "2026-11-30 저녁 6:30 +0000", 18), ("zh", "2026年11月30日 夜8:30", 20),
            ("ja", "2026年11月30日 朝9時30分", 9), ("ja", "2026年11月30日 昼12:30", 12), ("ja", "2026年11月30日 深夜1時30分", 1),
            ("ko", "2026년 11월 30일 밤10시 30분 +0000", 22), ("ar", "30 نوفمبر 2026 م 06:30", 6), ("ar", "30 نوفمبر 2026م 06:30", 6),
            ("ar", "30/11/2026 م 06:30 م", 18), ("de", "am 30.11.2026 um 12:30 Uhr", 12), ("de", "am Montag, 30. November 2026, 12:30", 12),
            ("de", "30.11.2026 12:30 AM", 0), ("de", "30.11.2026 AM 12:30", 0), ("lb", "Am 30.11.2026 12:30", 12), ("th", "30 พ.ย. 69 6:30", 6),
            ("th", "30/11/69 6:30", 6), ("th", "30/11/26 6:30", 6),
            ("cs", "30. listopadu 2026 6:30 odp.", 18),
            ("sv", "30 nov. 2026 6:30 em", 18), ("uk", "30 лис 2026 6:30 пп", 18), ("sr", "30. новембра 2026. 6:30 по подне", 18),
            ("bg", "30 ноември 2026 6:30 сл.об.", 18), ("ru", "30 ноября 2026 в 6:30 вечера", 18), ("pl", "30 listopada 2026 6:30 po południu", 18),
            ("es", "30 nov 2026 6:30 de la tarde", 18), ("fr", "30 nov. 2026 à 6:30 du soir", 18), ("th", "30 พ.ย. 2026 6:30 หลังเที่ยง", 18),
            // Elsewhere these words mean something else.
            ("es", "30 de nov de 2026 12:30", 12), ("fr", "lundi 30 nov. 2026 du 6:30", 6), ("pt", "em 30 nov 2026 6:30", 6),
        ] {
            assert_eq!(read(text, language), (format!("2026-11-30T{hour:02}:30"), None), "{text}");
        }
        assert_eq!(read("2026年11月30日 正午", "ja").0, "2026-11-30T12:00");
        // In Korean time, whatever the word.
        for word in ["저녁", "오후"] {
            assert_eq!(read(&format!("2026-11-30 {word} 6:30"), "ko").0, "2026-11-30T09:30");
        }
    }

    #[test]
    fn an_unknown_word_beside_the_time_is_reported() {
        for (text, word) in [
            ("30 Nov 2026 zz 6:30", Some("zz")),
            ("30 Nov 2026 6:30 zz", Some("zz")),
            ("30 Nov 2026 6:30 zz +0100", Some("zz")),
            ("30 Nov 2026 6:30 CH +0700", Some("CH")),
            ("30 Nov 2026 om zz 06:30 +0100", Some("zz")),
            ("30 Nov 2026 zz 18:30", None),
            ("30 Nov 2026 zz6:30", Some("zz6:30")),
            ("30 Nov 2026 GMT+8:00 6:30", None),
            ("Mon, 30 Nov 2026 06:30:00 ABCT +0100", None),
            ("Mon Nov 30 2026 06:30:00 GMT+0800 (中国标准时间)", None),
            ("Monday, 30 Nov 2026 at 06:30 Pacific Standard Time", None),
            ("Monday, 30 Nov 2026 at 06:30 Greenwich Mean Time", None),
            ("6:30 Monday, 30 Nov 2026", None),
        ] {
            assert_eq!(read(text, "en").1.as_deref(), word, "{text}");
        }
    }

    #[test]
    fn no_word_for_a_half_of_the_day_is_another_word_of_dates() {
        for (language, _, words) in HALVES {
            for word in words.split_whitespace() {
                assert!(half_of(word, Some(language)).is_some(), "{word}");
                let is_other = |it: &Meaning| language.is_empty() || it.language == *language;
                assert!(!meanings(word).iter().any(is_other), "{word}");
                assert!(!language.is_empty() || !is_filler(word), "{word}");
            }
        }
    }

    #[test]
    fn no_word_is_two_parts_of_the_day() {
        for (word, halves) in KNOWN.iter() {
            for (at, (language, half)) in halves.iter().enumerate() {
                let same = |(of, other): &(&str, Half)| of != language || other == half;
                assert!(halves[at..].iter().all(same), "{word}");
            }
        }
    }
}

//! Time zones in dates: offsets, common abbreviations and names of the IANA database.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::dates::primary;

/// Abbreviations of time zones with their offset in minutes east of UTC: RFC 822 5.1, and those with one meaning in
/// most texts. Of several meanings: AST and ADT are Atlantic, not Arabia; BST is Britain in summer, not Bangladesh; CST
/// and CDT are North America, not China or Cuba; GST is the Gulf, not South Georgia; IST is India, not Ireland or Israel;
/// MST is the Rocky Mountains, not Malaysia (MYT); NST is Newfoundland; PST is the Pacific, not the Philippines (PHT).
/// `ZONES_OF_LANGUAGES` has those that a language decides.
/// Not included because no meaning is more common: AMT, ECT, SST and WST.
#[rustfmt::skip]
const ZONES: &[(&str, i32)] = &[
    ("z", 0), ("ut", 0), ("utc", 0), ("gmt", 0),
    // Europe
    ("wet", 0), ("west", 60), ("bst", 60), ("cet", 60), ("cest", 120), ("met", 60), ("mest", 120), ("mez", 60),
    ("mesz", 120), ("eet", 120), ("eest", 180), ("msk", 180), ("мск", 180), ("trt", 180), ("tsi\u{307}", 180),
    ("samt", 240),
    // Africa
    ("wat", 60), ("cat", 120), ("sast", 120), ("eat", 180),
    // Asia
    ("idt", 180), ("irst", 210), ("gst", 240), ("yekt", 300), ("pkt", 300), ("ist", 330), ("npt", 345), ("omst", 360), ("ict", 420), ("wib", 420),
    ("krat", 420), ("novt", 420), ("irkt", 480), ("yakt", 540), ("vlat", 600), ("magt", 660), ("wita", 480),
    ("hkt", 480), ("sgt", 480), ("myt", 480), ("pht", 480), ("wit", 540), ("jst", 540), ("kst", 540),
    // Australia and the Pacific
    ("awst", 480), ("acst", 570), ("acdt", 630), ("aest", 600), ("aedt", 660), ("nzst", 720), ("nzdt", 780),
    // America
    ("nst", -210), ("ndt", -150), ("ast", -240), ("adt", -180), ("at", -240), ("est", -300), ("edt", -240), ("et", -300),
    ("cst", -360), ("cdt", -300), ("ct", -360), ("mst", -420), ("mdt", -360), ("mt", -420), ("pst", -480),
    ("pdt", -420), ("pt", -480), ("akst", -540), ("akdt", -480), ("hst", -600), ("brt", -180), ("brst", -120),
    ("art", -180), ("clt", -240), ("clst", -180),
];

/// Abbreviations that mean another zone in documents of a language: the language, the abbreviation and minutes east of UTC.
const ZONES_OF_LANGUAGES: &[(&str, &str, i32)] =
    &[("he", "ist", 120), ("iw", "ist", 120), ("zh", "cst", 480), ("ar", "ast", 180)];

/// The names before `standard time`, `daylight time`, `summer time` or `time`, with the offset of the standard time.
#[rustfmt::skip]
const ZONE_NAMES: &[(&str, i32)] = &[
    ("coordinated universal", 0), ("greenwich mean", 0), ("british", 0), ("western european", 0),
    ("central european", 60), ("eastern european", 120), ("moscow", 180), ("turkey", 180), ("west africa", 60),
    ("central africa", 120), ("south africa", 120), ("east africa", 180), ("israel", 120), ("arabian", 180),
    ("gulf", 240), ("pakistan", 300), ("india", 330), ("nepal", 345), ("indochina", 420), ("western indonesia", 420),
    ("central indonesia", 480), ("eastern indonesia", 540), ("china", 480), ("hong kong", 480), ("malaysia", 480),
    ("singapore", 480), ("philippine", 480), ("japan", 540), ("korea", 540), ("korean", 540),
    ("australian western", 480), ("australian central", 570), ("australian eastern", 600), ("new zealand", 720),
    ("newfoundland", -210), ("atlantic", -240), ("eastern", -300), ("central", -360), ("mountain", -420),
    ("pacific", -480), ("alaska", -540), ("alaskan", -540), ("hawaii", -600), ("hawaiian", -600),
    ("hawaii-aleutian", -600), ("brasilia", -180), ("argentina", -180), ("chile", -240),
];

/// The zone that `words` begin with and the number of its words: `Pacific Standard Time`, `Eastern`.
pub(crate) fn long_zone(words: &[&str]) -> Option<(Zone, usize)> {
    let words = || words.iter().take(5).map(|word| word.to_lowercase());
    let last = words().position(|word| word == "time");
    let phrase = words().take(last.unwrap_or(1)).collect::<Vec<_>>().join(" ");
    let (name, more) = match phrase.rsplit_once(' ') {
        Some((name, "standard")) => (name, 0),
        Some((name, "daylight" | "summer")) => (name, 60),
        _ => (phrase.as_str(), 0),
    };
    let minutes = ZONE_NAMES.iter().find(|(known, _)| *known == name)?.1 + more;
    // Without `time`, only the short names of North America are zones.
    let complete = last.is_some() || matches!(name, "eastern" | "central" | "mountain" | "pacific");
    let offset = Offset::from_seconds(minutes * 60).ok().filter(|_| complete)?;
    Some((Zone::Fixed(offset), last.map_or(1, |last| last + 1)))
}

/// A time zone by offset or by name.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Fixed(Offset),
    /// A zone of the IANA database, with daylight saving time.
    Named(TimeZone),
}

impl Zone {
    pub(crate) fn stamp(&self, at: DateTime) -> Option<Timestamp> {
        match self {
            Self::Fixed(offset) => offset.to_timestamp(at).ok(),
            // Of two times with the same name in autumn, the earlier one.
            Self::Named(zone) => zone.to_timestamp(at).ok(),
        }
    }
}

/// `+0100`, `EST`, `Europe/Paris`, `-05:00[America/New_York]`, in a document of this language.
pub(crate) fn zone_of(zone: &str, language: Option<&str>) -> Option<Zone> {
    let zone = zone.trim();
    let primary = primary(language);
    let of_language = ZONES_OF_LANGUAGES.iter().find(|(language, name, _)| {
        language.eq_ignore_ascii_case(primary) && name.eq_ignore_ascii_case(zone)
    });
    if let Some((_, _, minutes)) = of_language {
        return Offset::from_seconds(minutes * 60).ok().map(Zone::Fixed);
    }
    // RFC 9557: an offset before the name takes precedence.
    let (fixed, name) = match zone.strip_suffix(']').and_then(|zone| zone.split_once('[')) {
        Some(("", name)) => (None, name),
        Some((fixed, _)) => (Some(fixed), fixed),
        None => (Some(zone), zone),
    };
    let iana = |name: &str| {
        let plausible = name.len() >= 2 && name.len() <= 40 && name.is_ascii();
        TimeZone::get(name).ok().filter(|_| plausible).map(Zone::Named)
    };
    // The sign in `Etc/GMT+8` is inverted; only the database knows.
    if name.contains('/') {
        return iana(name);
    }
    fixed.and_then(offset).map(Zone::Fixed).or_else(|| iana(name))
}

/// Whether an unknown word after the time is the name of a zone: `XYZT`, `Foo/Bar`, `+99:99`.
pub(crate) fn may_be_zone(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_ascii_alphabetic()).count();
    let others = word.chars().any(|c| !c.is_ascii_alphanumeric() && !"/_+-:.[]".contains(c));
    let capitals = letters >= 2 && !word.contains(|c: char| c.is_ascii_lowercase());
    let signed = word.starts_with(['+', '-']) && word.len() > 1;
    !others && (word.contains('/') || capitals || signed || word.starts_with('['))
}

/// `Z`, `+0100`, `-01:00`, `GMT+1`, `EST`. An empty zone is UTC.
fn offset(zone: &str) -> Option<Offset> {
    let zone = zone.trim();
    if zone.is_empty() {
        return Some(Offset::UTC);
    }
    let sign = zone.find(['+', '-']);
    let (name, number) = zone.split_at(sign.unwrap_or(zone.len()));
    let lower = name.to_lowercase();
    let named = || ZONES.iter().find(|(known, _)| *known == lower).map(|(_, minutes)| *minutes);
    if number.is_empty() {
        return Offset::from_seconds(named()? * 60).ok();
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        3 => (digits[..1].parse().ok()?, digits[1..].parse().ok()?),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    let minutes = hours * 60 + minutes;
    let minutes = if number.starts_with('-') { -minutes } else { minutes };
    Offset::from_seconds(minutes * 60).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_of_zones_are_known() {
        for (text, hours, words) in [
            ("Pacific Standard Time", -8, 3),
            ("pacific daylight time", -7, 3),
            ("Central European Summer Time", 2, 4),
            ("Eastern Time", -5, 2),
            ("Eastern", -5, 1),
            ("Greenwich Mean Time", 0, 3),
        ] {
            let all: Vec<&str> = text.split(' ').collect();
            let (zone, count) = long_zone(&all).unwrap();
            let offset = Offset::constant(hours);
            assert!(matches!(zone, Zone::Fixed(found) if found == offset), "{text}");
            assert_eq!(count, words, "{text}");
        }
        for text in ["", "time", "British", "some time", "Daylight Time"] {
            assert!(long_zone(&text.split(' ').collect::<Vec<_>>()).is_none(), "{text}");
        }
    }
}

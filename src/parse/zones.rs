//! Time zones: offsets, common abbreviations and names of the IANA database.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Names of time zones with their offset in minutes east of UTC: RFC 822 5.1 and other common ones.
const ZONES: &[(&str, i32)] = &[
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("ist", 330),
    ("cet", 60),
    ("cest", 120),
    ("met", 60),
    ("mest", 120),
    ("mez", 60),
    ("mesz", 120),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("jst", 540),
    ("kst", 540),
    ("hkt", 480),
    ("sgt", 480),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("est", -300),
    ("edt", -240),
    ("et", -300),
    ("ast", -240),
    ("adt", -180),
    ("at", -240),
    ("cst", -360),
    ("cdt", -300),
    ("ct", -360),
    ("mst", -420),
    ("mdt", -360),
    ("mt", -420),
    ("pst", -480),
    ("pdt", -420),
    ("pt", -480),
    ("akst", -540),
    ("hst", -600),
    ("brt", -180),
];

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

/// `+0100`, `EST`, `Europe/Paris`, `-05:00[America/New_York]`.
pub(crate) fn zone_of(zone: &str) -> Option<Zone> {
    let zone = zone.trim();
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
    let named =
        || ZONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, m)| *m);
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

//! Times of day, which papers write in many ways: "3 p.m.", "15:00", "1500 GMT", "15 Uhr", "15h00". All of them
//! become the word `15:00`. Pure.

use std::sync::LazyLock;

use super::words::{Kind, Word, hash_of};

/// A number in a text that the next word may make a time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Place of its word.
    at: usize,
    /// Number of minutes since midnight.
    minutes: u32,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `3`, at most 24.
    Hour,
    /// Hours and minutes with a dot: `3.30`.
    Dotted,
    /// Four digits: `1530`.
    Military,
    /// `3:30`: a time of day by itself.
    Full,
    /// `15h`, which minutes may follow.
    Open,
}

struct Names {
    /// What follows an hour: `Uhr`, `heures`.
    hours: Vec<u32>,
    am: u32,
    pm: u32,
    a: u32,
    p: u32,
    m: u32,
    zones: Vec<u32>,
    /// `h`, `h00` to `h59`, by hash.
    glued: Vec<(u32, u32)>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let hashes = |names: &str| names.split(' ').map(hash_of).collect();
    let mut glued: Vec<(u32, u32)> = (0..60).map(|m| (hash_of(&format!("h{m:02}")), m)).collect();
    glued.push((hash_of("h"), 0));
    glued.sort_unstable();
    Names {
        hours: hashes("uhr uur heures heure h horas hora ore oclock 時"),
        am: hash_of("am"),
        pm: hash_of("pm"),
        a: hash_of("a"),
        p: hash_of("p"),
        m: hash_of("m"),
        zones: hashes("gmt utc bst cet cest est edt cst cdt mst mdt pst pdt msk mez mesz"),
        glued,
    }
});

/// Hash of the word of a time of day.
fn word(minutes: u32) -> u32 {
    hash_of(&format!("{}:{:02}", minutes / 60, minutes % 60))
}

impl Clock {
    /// A number without a joint, written with this many digits; spelled numbers have none.
    pub(super) fn of_integer(at: usize, value: u32, digits: u32) -> Option<Self> {
        match digits {
            0..=2 if value <= 24 => Some(Self { at, minutes: value * 60, form: Form::Hour }),
            4 if value / 100 < 24 && value % 100 < 60 => {
                let minutes = value / 100 * 60 + value % 100;
                Some(Self { at, minutes, form: Form::Military })
            }
            _ => None,
        }
    }

    /// A number whose last two digits are behind a colon: 330 is 3:30.
    pub(super) fn of_colon(at: usize, value: u32) -> Option<Self> {
        Some(Self { form: Form::Full, ..Self::of_dot(at, value)? })
    }

    /// A number whose last two digits are behind a dot: 330 is 3.30.
    pub(super) fn of_dot(at: usize, value: u32) -> Option<Self> {
        let (hour, minute) = (value / 100, value % 100);
        let minutes = hour * 60 + minute;
        (hour <= 24 && minute < 60).then_some(Self { at, minutes, form: Form::Dotted })
    }

    /// Whether it is a time of day whatever follows.
    pub(super) fn is_full(self) -> bool {
        self.form == Form::Full
    }

    /// The hash of its word as a time of day.
    pub(super) fn hash(self) -> u32 {
        word(self.minutes)
    }

    fn set(&mut self, words: &mut [Word]) {
        words[self.at].hash = self.hash();
        words[self.at].kind = Kind::Number;
    }

    fn half(&mut self, afternoon: bool) -> bool {
        let hour = self.minutes / 60;
        let known = matches!(self.form, Form::Hour | Form::Dotted | Form::Full);
        if !known || !(1..=12).contains(&hour) {
            return false;
        }
        self.minutes = (hour % 12 + if afternoon { 12 } else { 0 }) * 60 + self.minutes % 60;
        self.form = Form::Full;
        true
    }

    /// Reads the word behind the number, which is not yet among `words`; whether it is a part of the time.
    pub(super) fn followed_by(&mut self, next: u32, words: &mut Vec<Word>) -> bool {
        let (names, behind) = (&*NAMES, words.len().saturating_sub(self.at));
        let part = match behind {
            1 if names.hours.contains(&next) => {
                let whole = self.form == Form::Hour;
                let known = whole || matches!(self.form, Form::Dotted | Form::Full);
                self.form = if whole { Form::Open } else { self.form };
                known
            }
            1 if next == names.am || next == names.pm => self.half(next == names.pm),
            1 if self.form == Form::Military && names.zones.contains(&next) => {
                self.set(words);
                return false;
            }
            2 if next == names.m => {
                let before = words[self.at + 1].hash;
                let said = before == names.a || before == names.p;
                let part = said && self.half(before == names.p);
                words.truncate(words.len() - usize::from(part));
                part
            }
            _ => false,
        };
        if part {
            self.set(words);
        }
        part
    }

    /// Reads minutes behind an hour: `15 h 30`; whether these are minutes.
    pub(super) fn minutes(&mut self, value: u32, digits: u32, words: &mut [Word]) -> bool {
        let next = self.form == Form::Open && words.len() == self.at + 1;
        if !next || digits != 2 || value > 59 {
            return false;
        }
        (self.minutes, self.form) = (self.minutes + value, Form::Full);
        self.set(words);
        true
    }

    /// Whether these letters behind the digits make it a time of day: `15h30`, `3pm`.
    pub(super) fn is_glued(self, unit: u32) -> bool {
        let half = unit == NAMES.am || unit == NAMES.pm;
        self.glued_minutes(unit).is_some() || half && { self }.half(true)
    }

    /// Reads letters behind the digits, `15h30` and `3pm`; whether these make it a time of day.
    pub(super) fn glued(&mut self, unit: u32, words: &mut Vec<Word>) -> bool {
        if let Some(minutes) = self.glued_minutes(unit) {
            self.minutes += minutes;
            self.form = Form::Full;
            self.set(words);
            return true;
        }
        (unit == NAMES.am || unit == NAMES.pm) && self.followed_by(unit, words)
    }

    /// The minutes that letters behind an hour add: 30 of `15h30`.
    fn glued_minutes(self, unit: u32) -> Option<u32> {
        let glued = &NAMES.glued;
        let found = glued.binary_search_by_key(&unit, |(hash, _)| *hash);
        found.ok().filter(|_| self.form == Form::Hour).map(|found| glued[found].1)
    }
}

/// How a number names a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Clock(u32),
    Dotted(u32),
    Hour(u32),
}

/// The numbers that may be times of day, by hash.
static TIMES: LazyLock<Vec<(u32, Named)>> = LazyLock::new(|| {
    let clocks = (0..=1440).map(|m| (word(m), Named::Clock(m)));
    let dotted = (0..1440).flat_map(|m| {
        let (hour, minute) = (m / 60, m % 60);
        let names = [format!("{hour}.{minute:02}"), format!("{hour:02}.{minute:02}")];
        names.map(|name| (hash_of(&name), Named::Dotted(m)))
    });
    let hours = (1..=24).map(|h| (hash_of(&h.to_string()), Named::Hour(h)));
    let mut times: Vec<(u32, Named)> = clocks.chain(dotted).chain(hours).collect();
    times.sort_by_key(|(hash, _)| *hash);
    times.dedup_by_key(|(hash, _)| *hash);
    times
});

fn named(words: &[Word]) -> Option<Named> {
    let mut numbers = words.iter().filter(|word| word.kind == Kind::Number);
    let (Some(number), None) = (numbers.next(), numbers.next()) else { return None };
    let at = TIMES.binary_search_by_key(&number.hash, |(hash, _)| *hash).ok()?;
    Some(TIMES[at].1)
}

/// Whether two pieces with different numbers name one time of day. The words for morning and afternoon are not
/// known in every language, so an hour also means the one twelve hours later.
pub(super) fn same_time(a: &[Word], b: &[Word]) -> bool {
    use Named::{Clock, Dotted, Hour};
    match (named(a), named(b)) {
        (Some(Clock(x)), Some(Dotted(y))) | (Some(Dotted(y)), Some(Clock(x))) => x == y,
        (Some(Clock(x) | Dotted(x)), Some(Hour(h)))
        | (Some(Hour(h)), Some(Clock(x) | Dotted(x))) => {
            x == h * 60 || h < 12 && x == (h + 12) * 60
        }
        _ => false,
    }
}

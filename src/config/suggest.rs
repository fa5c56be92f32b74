//! Suggestions: the known word that an unknown one probably means. Pure.

use super::definition::{Key, Section};
use super::keys::{KEYS, SECTIONS};

/// Largest number of typing errors: letters that are wrong, missing, additional or swapped.
const MAX_DISTANCE: usize = 2;
/// Smallest Jaro-Winkler similarity of words with more typing errors.
const MIN_SIMILARITY: f64 = 0.84;

/// The most similar known word; `None`: none is similar.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    let near = known.filter_map(|known| {
        let distance = strsim::osa_distance(&word, known);
        let similarity = strsim::jaro_winkler(&word, known);
        // Two errors in a short word leave too little of it.
        let close = distance <= MAX_DISTANCE && distance * 2 <= known.len();
        let close = close && distance < word.len().max(2);
        let rank = if close { distance } else { MAX_DISTANCE + 1 };
        (close || similarity > MIN_SIMILARITY).then_some((rank, similarity, known))
    });
    // Of equally near words always the same one.
    let nearer = |a: &(usize, f64, &str), b: &(usize, f64, &str)| {
        a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(b.2))
    };
    near.min_by(nearer).map(|(.., known)| known)
}

/// What an unknown name probably means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Keys of the same section; several if a name is used for each of them.
    Here(Vec<&'static str>),
    /// A key of another section.
    Elsewhere(&'static Key),
    /// A section, which is not a key.
    Section(Section),
    /// Not similar to a known name.
    Unknown,
}

/// The name as a key of the config would be written: `maxItems` and `max-items` are `max_items`.
pub(super) fn as_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 2);
    let mut was_lower = false;
    for c in name.trim().chars() {
        if c.is_uppercase() && was_lower {
            key.push('_');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        key.extend(if matches!(c, '-' | ' ') { '_' } else { c }.to_lowercase());
    }
    key
}

/// Whether the name says nothing of the section that it belongs in.
pub(super) fn is_general(name: &str) -> bool {
    GENERAL.contains(&name)
}

/// Names that programs use for different things in each of their sections. They refer to no other section.
const GENERAL: &[&str] = &[
    "file", "path", "url", "title", "id", "name", "names", "type", "style", "host", "size",
    "limit", "max", "mode", "key", "disabled", "filter", "output", "target", "admin", "cache",
    "demo",
];

/// A key here that a switch of other programs is, although its "true" is another value.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) key: &'static str,
    /// What to do instead of "true".
    pub(super) on: &'static str,
    /// What to do instead of "false".
    pub(super) off: &'static str,
}

/// Names of such a switch.
const ENABLED: &[&str] = &["enabled", "enable", "active", "is_active", "is_enabled"];
/// The first one whose key a section accepts is meant.
#[rustfmt::skip]
const SWITCHES: &[Switch] = &[
    Switch { key: "paused", on: "remove it: what is not paused is polled", off: "write paused = true" },
    Switch { key: "across_feeds", on: "remove it: stories of several feeds are joined", off: "write across_feeds = \"off\"" },
    Switch { key: "listen", on: "remove it: the server runs unless listen is \"off\"", off: "write listen = \"off\"" },
];

/// The switch that a name in `section` probably means.
pub(super) fn switch(name: &str, section: Section) -> Option<&'static Switch> {
    let name = as_key(name);
    let mut accepted = SWITCHES.iter().filter(|switch| section.key(switch.key).is_some());
    accepted.next().filter(|_| ENABLED.contains(&name.as_str()))
}

/// What the key `name` in `section` probably means.
pub(super) fn meaning_of_key(name: &str, section: Section) -> Meaning {
    let name = as_key(name);
    let of_aliases = |key: &&Key| key.aliases.contains(&name.as_str());
    if let Some(key) = section.key(&name) {
        return Meaning::Here(vec![key.name]);
    }
    if let Some(switch) = switch(&name, section) {
        return Meaning::Here(vec![switch.key]);
    }
    let aliases: Vec<&str> = section.accepted().filter(of_aliases).map(|key| key.name).collect();
    if !aliases.is_empty() {
        return Meaning::Here(aliases);
    }
    let near = nearest(&name, section.accepted().map(|key| key.name));
    // A single typing error is more likely than a key of another section.
    if let Some(near) = near.filter(|near| strsim::osa_distance(&name, near) <= 1) {
        return Meaning::Here(vec![near]);
    }
    if let Some(key) = elsewhere(&name, section) {
        return Meaning::Elsewhere(key);
    }
    if let Some(near) = near.filter(|near| is_typing_error(&name, near)) {
        return Meaning::Here(vec![near]);
    }
    if let Some(section) = Section::tables().find(|section| section.name() == name) {
        return Meaning::Section(section);
    }
    if is_general(&name) {
        return Meaning::Unknown;
    }
    let near = KEYS.iter().filter(|key| is_typing_error(&name, key.name));
    let near = near.min_by_key(|key| strsim::osa_distance(&name, key.name));
    near.or_else(|| KEYS.iter().find(of_aliases)).map_or(Meaning::Unknown, Meaning::Elsewhere)
}

/// Whether at most one letter in three is wrong.
pub(super) fn is_typing_error(name: &str, known: &str) -> bool {
    if name.len().abs_diff(known.len()) > MAX_DISTANCE {
        return false;
    }
    let distance = strsim::osa_distance(name, known);
    distance <= MAX_DISTANCE && distance * 3 <= known.len()
}

/// The key of this name in another section, if it is not one in `section`.
pub(super) fn elsewhere(name: &str, section: Section) -> Option<&'static Key> {
    // The conditions of an output are more likely than keys of other sections.
    let of_rules = matches!(section, Section::Output | Section::Feed | Section::Server)
        .then(|| Section::Rules.key(name))
        .flatten();
    let of_name = || KEYS.iter().find(|key| key.name == name);
    of_rules.or_else(|| of_name().filter(|_| !is_general(name)))
}

/// The place of a key, for people.
pub(super) fn home(key: &Key) -> &'static str {
    match key.section {
        Section::Top => "the top of the file, before the first section",
        Section::Rules => "include or exclude of an [[output]] or a [[feed]]",
        home => home.heading(),
    }
}

/// What an unknown section probably means.
pub(super) fn meaning_of_section(name: &str) -> Meaning {
    let name = as_key(name);
    let near = nearest(&name, Section::tables().map(Section::name));
    let of = |name: &str| Section::tables().find(|section| section.name() == name);
    let is_one_error = |near: &&str| strsim::osa_distance(&name, near) <= 1;
    let section = near.filter(is_one_error).and_then(of).or_else(|| of_alias(&name));
    let key = || KEYS.iter().find(|key| key.name == name).map(Meaning::Elsewhere);
    let similar = || near.filter(|near| is_typing_error(&name, near)).and_then(of);
    let found = section.map(Meaning::Section).or_else(key);
    found.or_else(|| similar().map(Meaning::Section)).unwrap_or(Meaning::Unknown)
}

/// What an unknown key at the top of the file probably means.
pub(super) fn meaning_of_top_key(name: &str) -> Meaning {
    let key = as_key(name);
    let of_top = Section::Top.keys().find(|known| is_typing_error(&key, known.name));
    let of_name = || KEYS.iter().find(|known| known.name == key).map(Meaning::Elsewhere);
    let found = of_top.map(|known| Meaning::Here(vec![known.name])).or_else(of_name);
    found.unwrap_or_else(|| meaning_of_section(name))
}

/// The section that other programs call so.
fn of_alias(name: &str) -> Option<Section> {
    let named = |name: &str| SECTIONS.iter().find(|known| known.aliases.contains(&name));
    named(name).or_else(|| named(name.trim_end_matches('s'))).map(|known| known.section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equally_near_words_the_same_one_is_meant_in_any_order() {
        for known in [["t2", "t3"], ["t3", "t2"]] {
            assert_eq!(nearest("t1", known.into_iter()), Some("t2"));
        }
    }
}

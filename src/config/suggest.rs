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
    near.min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1))).map(|(.., known)| known)
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

/// What the key `name` in `section` probably means.
pub(super) fn meaning_of_key(name: &str, section: Section) -> Meaning {
    let near = nearest(name, section.accepted().map(|key| key.name));
    let lower = name.to_lowercase().replace('-', "_");
    let of_aliases = |key: &&Key| key.aliases.contains(&lower.as_str());
    let aliases: Vec<&str> = section.accepted().filter(of_aliases).map(|key| key.name).collect();
    if !aliases.is_empty() {
        return Meaning::Here(aliases);
    }
    // A single typing error is more likely than a key of another section.
    if let Some(near) = near.filter(|near| strsim::osa_distance(&lower, near) <= 1) {
        return Meaning::Here(vec![near]);
    }
    if let Some(key) = elsewhere(name, section) {
        return Meaning::Elsewhere(key);
    }
    if let Some(near) = near {
        return Meaning::Here(vec![near]);
    }
    if let Some(section) = Section::tables().find(|section| section.name() == name) {
        return Meaning::Section(section);
    }
    let near = nearest(name, KEYS.iter().map(|key| key.name));
    let near = near.and_then(|near| KEYS.iter().find(|key| key.name == near));
    near.or_else(|| KEYS.iter().find(of_aliases)).map_or(Meaning::Unknown, Meaning::Elsewhere)
}

/// The key of this name in another section, if it is not one in `section`.
pub(super) fn elsewhere(name: &str, section: Section) -> Option<&'static Key> {
    // The conditions of an output are more likely than keys of other sections.
    let of_rules = matches!(section, Section::Output | Section::Feed | Section::Server)
        .then(|| Section::Rules.key(name))
        .flatten();
    of_rules.or_else(|| KEYS.iter().find(|key| key.name == name))
}

/// The place of a key, for people.
pub(super) fn home(key: &Key) -> &'static str {
    match key.section {
        Section::Top => "the top of the file, before the first section",
        Section::Rules => "include or exclude of an [[output]] or a [[feed]]",
        home => home.heading(),
    }
}

/// What an unknown name at the top of the file probably means.
pub(super) fn meaning_of_section(name: &str) -> Meaning {
    let lower = name.to_lowercase().replace('-', "_");
    let of_alias = |lower: &str| SECTIONS.iter().find(|known| known.aliases.contains(&lower));
    let named = |name: &'static str| {
        let section = Section::tables().find(|section| section.name() == name);
        section.map_or(Meaning::Here(vec![name]), Meaning::Section)
    };
    let near = nearest(&lower, Section::tables().map(Section::name).chain(["version"]));
    let one_error = near.filter(|near| strsim::osa_distance(&lower, near) == 1);
    let alias = of_alias(&lower).or_else(|| of_alias(lower.trim_end_matches('s')));
    match (one_error, alias) {
        (Some(near), _) => named(near),
        (None, Some(known)) => Meaning::Section(known.section),
        (None, None) => match KEYS.iter().find(|key| key.name == name) {
            Some(key) => Meaning::Elsewhere(key),
            None => near.map_or(Meaning::Unknown, named),
        },
    }
}

//! `newswire explain`: the meaning of a code with its causes and remedies, or of a config key.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::exit::CommandError;
use super::known;
use crate::config::{self, Config, KEYS, Key, Section};
use crate::model::code::{self, Text};
use crate::store::{self, Reader};

/// Longest line, in characters.
const WIDTH: usize = 78;

/// All codes under their headings.
pub(super) fn list() -> String {
    let (mut list, mut group) = (String::new(), "");
    let longest = code::texts().iter().map(|text| text.code.len()).max().unwrap_or(0);
    for text in code::texts() {
        if text.group != group {
            group = text.group;
            let _ = write!(list, "{}{group}\n\n", if list.is_empty() { "" } else { "\n" });
        }
        let first = text.what.split_inclusive(['.', ';', ':']).next().unwrap_or_default();
        let first = one_line(first);
        let _ = writeln!(
            list,
            "  {:<longest$}  {}",
            text.code,
            first.trim_end_matches([';', ':', '.'])
        );
    }
    list.push_str("\n'newswire explain' also accepts a config key, a feed or an item.\n");
    list
}

/// The text about a code or a config key.
pub(super) fn text_of(asked: &str) -> Option<String> {
    let mut shown: Vec<String> = code::of(asked).map(text).collect();
    shown.extend(keys(asked).map(key_text));
    shown.extend(table(asked));
    (!shown.is_empty()).then(|| shown.join("\n"))
}

/// The same as JSON.
pub(super) fn json(asked: Option<&str>) -> Value {
    let codes = code::texts().iter().filter(|text| asked.is_none_or(|asked| text.code == asked));
    let codes = codes.map(|text| {
        json!({
            "code": text.code,
            "group": text.group,
            "meaning": one_line(text.what),
            "cause": one_line(text.why),
            "remedy": one_line(text.remedy),
        })
    });
    let keys = asked.into_iter().flat_map(|asked| keys(asked).chain(of_table(asked))).map(|key| {
        json!({
            "key": key.path(),
            "meaning": key.doc,
            "details": key.details,
            "format": key.kind.format(),
            "range": key.range(),
            "default": Some(key.default).filter(|default| !default.is_empty()),
            "example": key.example,
            "since": key.since,
            "sections": key.sections().collect::<Vec<_>>(),
        })
    });
    codes.chain(keys).collect()
}

/// Whether the database contains a feed or an item of this name.
pub(super) fn is_stored(config: &Config, asked: &str) -> bool {
    let Ok(reader) = Reader::open(&config.store.path) else { return false };
    let url_key = crate::dedupe::canonical::url_key(asked);
    let known = reader.read(|reader| {
        let is_feed = known::find(&known::within(config, reader)?, asked).is_some();
        Ok::<_, store::Error>(is_feed || !reader.find_items(asked, url_key.as_ref())?.is_empty())
    });
    known.unwrap_or(false)
}

/// The error for an unknown name, with the most similar known name.
pub(super) fn unknown(asked: &str) -> CommandError {
    let paths: Vec<String> = KEYS.iter().map(Key::path).collect();
    let codes = code::texts().iter().map(|text| text.code);
    let names = codes.chain(paths.iter().map(String::as_str)).chain(KEYS.iter().map(|k| k.name));
    let similar = of_alias(asked).or_else(|| config::nearest(asked, names).map(str::to_owned));
    CommandError::UnknownName { name: asked.to_owned(), similar }
}

fn text(text: &Text) -> String {
    let mut shown = format!("{} ({})\n\n", text.code, text.group.to_lowercase());
    for (name, part) in [("", text.what), ("Cause", text.why), ("Remedy", text.remedy)] {
        let heading = if name.is_empty() { String::new() } else { format!("{name}: ") };
        shown.push_str(&wrapped(&format!("{heading}{}", one_line(part))));
        shown.push('\n');
    }
    shown.truncate(shown.trim_end().len());
    shown.push('\n');
    shown
}

/// The keys of this path, or of this name in any section; by the path of a [[feed]] or a [[server]] also
/// those that it inherits.
fn keys(asked: &str) -> impl Iterator<Item = &'static Key> {
    let inherited = |key: &Key| {
        asked.split_once('.').is_some_and(|(section, name)| {
            let mut sections = key.inherited_by.iter();
            key.name == name && sections.any(|inherits| inherits.name() == section)
        })
    };
    KEYS.iter().filter(move |key| key.path() == asked || key.name == asked || inherited(key))
}

/// The path of the key that other programs call so, with its section: `web.port`.
fn of_alias(asked: &str) -> Option<String> {
    let (section, name) = asked.split_once('.')?;
    let keys = self::section(section)?.accepted();
    keys.into_iter().find(|key| key.aliases.contains(&name)).map(Key::path)
}

/// The section of this name; it may be in brackets.
fn section(asked: &str) -> Option<Section> {
    let name = asked.trim_matches(['[', ']']);
    Section::all().find(|section| section.name() == name && !name.is_empty())
}

/// The keys of the section of this name.
fn of_table(asked: &str) -> impl Iterator<Item = &'static Key> {
    section(asked).into_iter().flat_map(Section::keys)
}

/// A section of the config with its keys.
fn table(asked: &str) -> Option<String> {
    let section = section(asked)?;
    let doc = wrapped(section.doc());
    let mut shown = format!("{} (a section of the config)\n\n{doc}\n", section.heading());
    for key in section.keys() {
        let _ = writeln!(shown, "  {:<20}  {}", key.name, key.doc);
    }
    let inherits = |other: &Section| {
        *other != section && other.keys().any(|key| key.inherited_by.contains(&section))
    };
    let inherited: Vec<&str> = Section::all().filter(inherits).map(Section::heading).collect();
    if !inherited.is_empty() {
        let _ = writeln!(shown, "\n  It can also set keys of {}.", inherited.join(", "));
    }
    let _ =
        writeln!(shown, "\n  'newswire explain {}.KEY' prints more about a key.", section.name());
    Some(shown)
}

fn key_text(key: &Key) -> String {
    let mut shown = format!("{} (a key of the config)\n\n", key.path());
    for text in [key.doc, key.details].into_iter().filter(|text| !text.is_empty()) {
        shown.push_str(&wrapped(text));
        shown.push('\n');
    }
    let default = if key.default.is_empty() { "none" } else { key.default };
    let range = key.range();
    let sections: Vec<&str> = key.sections().collect();
    for (name, value) in [
        ("default", default),
        ("format", key.kind.format()),
        ("range", range.as_str()),
        ("variable", key.variable().unwrap_or_default().as_str()),
        ("sections", sections.join(", ").as_str()),
        ("example", format!("{} = {}", key.name, key.example).as_str()),
        ("since", key.since),
    ] {
        if !value.is_empty() {
            let _ = writeln!(shown, "  {name:<10} {value}");
        }
    }
    shown
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text in lines of at most [`WIDTH`] characters, indented.
fn wrapped(text: &str) -> String {
    let (mut shown, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() + 3 > WIDTH {
            let _ = writeln!(shown, "  {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(shown, "  {line}");
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_config_key_is_explained_with_its_definition() {
        for key in KEYS {
            let shown = text_of(&key.path()).unwrap();
            let example = format!("{} = {}", key.name, key.example);
            for part in ["default", "format", "sections", key.since, &example] {
                assert!(shown.contains(part), "{part} is missing in\n{shown}");
            }
        }
        let shown = text_of("schedule.interval").unwrap();
        for part in ["\"1h\"", "[schedule], [[server]], [[feed]]", "at least 5m"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }

    const CONFIG: &str = "What is wrong with a config";

    /// The codes of diagnostics, which tests/it/explain.rs compares with the code.
    fn of_config() -> impl Iterator<Item = &'static str> {
        code::texts().iter().filter(|text| text.group == CONFIG).map(|text| text.code)
    }

    /// All codes by the heading of their texts.
    fn codes() -> Vec<(&'static str, Vec<&'static str>)> {
        use crate::cli::{add, append_feeds, config_file, demo, feed_lists, operator_decisions};
        use crate::cli::{poll, probe, replay, top};
        use crate::health::{SilenceKind, State};
        use crate::model::{
            FailureKind, HoldReason, IncidentKind, Outcome, ParseWarning, ReasonKind, Rule,
        };
        let errors = [
            &["usage"],
            CommandError::CODES,
            config_file::NoConfig::CODES,
            super::super::init::Error::CODES,
            append_feeds::Error::CODES,
            add::Error::CODES,
            crate::edit::EditError::CODES,
            super::super::init::FirstRunError::CODES,
            crate::cli::database::Error::CODES,
            crate::cli::from_outputs::Error::CODES,
            crate::outputs::RecoveryError::CODES,
            probe::Error::CODES,
            crate::cli::online::DocumentError::CODES,
            feed_lists::Error::CODES,
            crate::opml::Error::CODES,
            operator_decisions::Error::CODES,
            replay::Error::CODES,
            poll::DryRunError::CODES,
            demo::Error::CODES,
            top::Error::CODES,
            config_file::Error::CODES,
            crate::daemon::control::ControlError::CODES,
            crate::daemon::Error::CODES,
            crate::fetch::FetcherError::CODES,
            crate::store::BackupError::CODES,
            crate::store::OpenError::CODES,
            &[crate::store::FileError::CODES, crate::store::RepairError::CODES].concat(),
            crate::store::Error::CODES,
            crate::outputs::Error::CODES,
        ];
        let store = crate::store::ErrorCause::ALL.iter().map(|cause| cause.slug()).collect();
        let problems = crate::telemetry::Problem::ALL.iter().map(|kind| kind.slug()).collect();
        vec![
            ("Errors that end a command", [errors.concat(), store].concat()),
            ("Reasons why the daemon is degraded", problems),
            (CONFIG, of_config().collect()),
            (
                "Poll outcomes",
                Outcome::WITHOUT_FAILURES.iter().map(|outcome| outcome.slug()).collect(),
            ),
            ("Feed failures", FailureKind::ALL.iter().map(|kind| kind.slug()).collect()),
            ("Parse warnings", ParseWarning::CODES.to_vec()),
            ("Reasons for a poll time", ReasonKind::ALL.iter().map(|kind| kind.slug()).collect()),
            ("Feed states", State::ALL.iter().map(|state| state.slug()).collect()),
            ("Causes of silence", SilenceKind::ALL.iter().map(|kind| kind.slug()).collect()),
            ("Incidents", IncidentKind::ALL.iter().map(|kind| kind.slug()).collect()),
            ("Reasons for holding items", HoldReason::ALL.iter().map(|hold| hold.slug()).collect()),
            ("Match rules", Rule::ALL.iter().map(|rule| rule.slug()).collect()),
        ]
    }

    #[test]
    fn codes_and_their_texts_agree() {
        let known = codes();
        for (group, codes) in &known {
            for code in codes {
                let text = code::of(code).any(|text| text.group == *group);
                assert!(text, "docs/codes.md has no ### {code} under ## {group}");
            }
        }
        for Text { group, code, .. } in code::texts() {
            let of_group = known.iter().find(|(known, _)| known == group);
            let (_, codes) = of_group.unwrap_or_else(|| panic!("## {group}: no such codes"));
            assert!(
                codes.contains(code),
                "docs/codes.md: ### {code} under ## {group}: no such code"
            );
        }
    }

    #[test]
    fn all_meanings_of_a_name_are_explained() {
        let shown = text_of("timeout").unwrap();
        assert!(
            shown.contains("did not respond in time") && shown.contains("fetch.timeout"),
            "{shown}"
        );
        assert!(text_of("frobnicate").is_none());
    }

    #[test]
    fn keys_of_feeds_and_whole_tables_are_explained() {
        let shown = text_of("feed.interval").unwrap();
        assert!(shown.contains("schedule.interval") && shown.contains("[[feed]]"), "{shown}");
        assert!(text_of("server.host_spacing").unwrap().contains("schedule.host_spacing"));
        assert!(text_of("feed.listen").is_none());
        for asked in ["schedule", "[schedule]"] {
            let shown = text_of(asked).unwrap();
            assert!(shown.contains("max_interval") && !shown.contains("listen"), "{shown}");
        }
        assert!(text_of("[[feed]]").unwrap().contains("  url "));
        assert!(text_of("").is_none() && text_of("[]").is_none());
    }

    #[test]
    fn a_similar_name_is_suggested() {
        use crate::model::Coded as _;
        let help = |asked| unknown(asked).help().unwrap();
        assert!(help("unknwon_key").contains("did you mean \"unknown_key\"?"));
        assert!(help("schedule.intervall").contains("did you mean \"schedule.interval\"?"));
        assert!(!help("zzz").contains("did you mean"));
    }

    #[test]
    fn lines_fit_a_terminal() {
        for text in code::texts() {
            let shown = text_of(text.code).unwrap();
            assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
        }
    }
}

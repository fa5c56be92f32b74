//! One table of the config with its place in the file: typed values out, faults into the report.
//!
//! A value that cannot be read is reported and then taken for absent, so that one run tells all.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key;
use super::near::nearest;
use super::report::{Diagnostic, Report};
use super::value::Fault;

/// A table and what may stand in it.
#[derive(Clone, Copy)]
pub(super) struct Section<'d> {
    /// As a person calls it: `[schedule]`.
    name: &'static str,
    table: &'d DeTable<'d>,
    /// Where it is said to be.
    span: (usize, usize),
    /// What relative paths in it count from.
    state: &'d Path,
}

/// A text and its place.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

impl<'d> Section<'d> {
    /// The root of the config; relative paths in it count from `state`.
    pub(super) fn root(table: &'d DeTable<'d>, state: &'d Path) -> Self {
        Self { name: "the file", table, span: (0, 0), state }
    }

    /// A table in which nothing stands.
    pub(super) fn empty(&self, table: &'d DeTable<'d>) -> Self {
        Self { table, ..*self }
    }

    /// The table under `key`, if there is one; `include` of an output, `[schedule]` of the root.
    pub(super) fn inner(&self, key: &str, name: &'static str, report: &mut Report) -> Option<Self> {
        self.of(self.table.get(key)?, name, report)
    }

    /// Every table of the array under `key`.
    pub(super) fn all(&self, key: &str, name: &'static str, report: &mut Report) -> Vec<Self> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            report.push(no_list(name, value));
            return Vec::new();
        };
        array.iter().filter_map(|value| self.of(value, name, report)).collect()
    }

    fn of(
        &self,
        value: &'d Spanned<DeValue<'d>>,
        name: &'static str,
        report: &mut Report,
    ) -> Option<Self> {
        let (start, end) = (value.span().start, value.span().end);
        match value.get_ref().as_table() {
            Some(table) => Some(Self { name, table, span: (start, end), state: self.state }),
            None => {
                report.push(no_table(name, value));
                None
            }
        }
    }

    /// The names of the keys that stand in it.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// The value as it stands there.
    pub(super) fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    /// The place of a key, else of the table.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        let found = self.table.get_key_value(key);
        found.map_or(self.span.0..self.span.1, |(key, _)| key.span())
    }

    /// The place of a value, else of the table.
    pub(super) fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span.0..self.span.1, Spanned::span)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports every key that is not among `known`.
    pub(super) fn refuse_unknown(&self, known: &[&str], report: &mut Report) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let message = format!("unknown key {name:?} in {}", self.name);
            let fault = Diagnostic::error("unknown_key", key.span(), message);
            let near = nearest(name, known.iter().copied());
            // One slip of the finger is likelier than the wrong table.
            let slip = near.is_some_and(|near| strsim::osa_distance(name, near) == 1);
            let home = key::home(name, self.name).filter(|_| !slip);
            report.push(match (home, near, key::nearly(name)) {
                (Some(home), ..) => fault.label(format!("it belongs in {home}")),
                (None, Some(near), _) => fault.meant(near),
                (None, None, _) if key::TABLES.contains(&name) => {
                    let own = format!("{} is a table of its own", key::table(name));
                    fault.label(own).help("write it with its brackets on a line of its own")
                }
                (None, None, Some((near, home))) => {
                    let fault = fault.meant(near);
                    fault.help(format!("{near} belongs in {home}"))
                }
                (None, None, None) => fault.help(format!("known here: {}", known.join(", "))),
            });
        }
    }

    fn wrong(&self, key: &str, wanted: &str, report: &mut Report) {
        let Some(value) = self.table.get(key) else { return };
        let found = kind(value);
        let message = format!("{key} is {wanted}, not {found}");
        let fault = Diagnostic::error("wrong_type", value.span(), message);
        let text = value.get_ref().as_str().filter(|text| {
            text.parse::<usize>().is_ok() && wanted.contains("number")
                || text.parse::<bool>().is_ok() && wanted.contains("true")
        });
        let bare = !value.get_ref().is_str() && wanted.contains("in quotes");
        let bare = bare && !value.get_ref().is_table() && !value.get_ref().is_array();
        report.push(match text {
            Some(text) => fault.suggest(text).help(format!("write it without quotes: {text}")),
            None if bare => fault.help("put it in quotes, with a unit if it has one"),
            None => fault,
        });
    }

    /// A text.
    pub(super) fn text(&self, key: &str, report: &mut Report) -> Option<Placed> {
        let value = self.table.get(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(Placed { text: text.to_owned(), span: value.span() }),
            None => {
                self.wrong(key, "a text in quotes", report);
                None
            }
        }
    }

    /// A text that is not blank.
    pub(super) fn words(&self, key: &str, report: &mut Report) -> Option<String> {
        let placed = self.text(key, report)?;
        if placed.text.trim().is_empty() {
            let fault = Diagnostic::error("empty", placed.span, format!("{key} is empty"));
            report.push(fault.help("fill it in, or leave the key out"));
            return None;
        }
        Some(placed.text.trim().to_owned())
    }

    /// A path; a relative one counts from the state directory.
    pub(super) fn path(&self, key: &str, report: &mut Report) -> Option<PathBuf> {
        self.words(key, report).map(|path| self.state.join(path))
    }

    /// The same of a path that the config does not name.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        self.state.join(path)
    }

    /// A text that means something else.
    pub(super) fn parsed<T>(
        &self,
        key: &str,
        code: &'static str,
        parse: impl Fn(&str) -> Result<T, Fault>,
        report: &mut Report,
    ) -> Option<T> {
        let placed = self.text(key, report)?;
        take(parse(&placed.text), code, placed.span, report)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        report: &mut Report,
    ) -> Option<T> {
        let placed = self.text(key, report)?;
        choose(&placed, key, words, report)
    }

    /// Yes or no.
    pub(super) fn flag(&self, key: &str, report: &mut Report) -> Option<bool> {
        let value = self.table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, "true or false", report);
        }
        flag
    }

    /// A whole number in a range.
    pub(super) fn number(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<usize>,
        report: &mut Report,
    ) -> Option<usize> {
        let value = self.table.get(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong(key, "a whole number", report);
            return None;
        };
        let number = usize::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.filter(|number| range.contains(number)).or_else(|| {
            let message = format!("{key} is from {} to {}", range.start(), range.end());
            let near = match number {
                Some(number) if number > *range.end() => range.end(),
                _ => range.start(),
            };
            let fault = Diagnostic::error("out_of_range", value.span(), message);
            report.push(fault.suggest(near.to_string()));
            None
        })
    }

    /// A list of texts.
    pub(super) fn list(&self, key: &str, report: &mut Report) -> Option<Vec<Placed>> {
        let value = self.table.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let message = format!("{key} is a list of texts, not {}", kind(value));
            let fault = Diagnostic::error("wrong_type", value.span(), message);
            let fault = fault.help("put it in brackets: [\"…\"]");
            report.push(match value.get_ref().as_str() {
                Some(text) => fault.suggest(format!("[{text:?}]")),
                None => fault,
            });
            return None;
        };
        let mut texts = Vec::with_capacity(array.len());
        for value in array.iter() {
            match value.get_ref().as_str() {
                Some(text) => {
                    texts.push(Placed { text: text.trim().to_owned(), span: value.span() });
                }
                None => {
                    let message = format!("{key} holds texts, not {}", kind(value));
                    report.push(Diagnostic::error("wrong_type", value.span(), message));
                }
            }
        }
        Some(texts)
    }
}

/// A value that is no list of tables.
pub(super) fn no_list(name: &str, value: &Spanned<DeValue<'_>>) -> Diagnostic {
    let message = format!("{name} is a list of tables");
    let fault = Diagnostic::error("wrong_type", value.span(), message);
    fault.help(format!("write {name}, with two brackets, above each"))
}

/// A value that is no table.
pub(super) fn no_table(name: &str, value: &Spanned<DeValue<'_>>) -> Diagnostic {
    let message = format!("{name} is a table, not {}", kind(value));
    let fault = Diagnostic::error("wrong_type", value.span(), message);
    match name.starts_with('[') && !name.starts_with("[[") && value.get_ref().is_array() {
        true => fault.help(format!("write {name}, with one bracket, and once")),
        false => fault.help(format!("write {name} on a line of its own, and its keys below")),
    }
}

/// What a value is, with its article.
fn kind(value: &Spanned<DeValue<'_>>) -> String {
    let name = value.get_ref().type_str();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// The value, or its fault in the report.
pub(super) fn take<T>(
    read: Result<T, Fault>,
    code: &'static str,
    span: Range<usize>,
    report: &mut Report,
) -> Option<T> {
    read.map_err(|fault| {
        let drawn = Diagnostic::error(code, span, fault.message).help(fault.help);
        report.push(Diagnostic { suggestion: fault.instead, ..drawn });
    })
    .ok()
}

/// The meaning of a word.
pub(super) fn choose<T: Copy>(
    placed: &Placed,
    key: &str,
    words: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == placed.text).map(|(_, value)| *value);
    if found.is_none() {
        let all: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        let message = format!("{:?} is no {key}", placed.text);
        let fault = Diagnostic::error("unknown_value", placed.span.clone(), message);
        let fault = fault.help(format!("one of {}", all.join(", ")));
        report.push(match nearest(&placed.text, words.iter().map(|(word, _)| *word)) {
            Some(near) => fault.meant(near),
            None => fault,
        });
    }
    found
}

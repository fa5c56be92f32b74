//! One table of the config with its place in the file: typed values out, faults into the report.
//!
//! A value that cannot be read is reported and then taken for absent, so that one run tells all.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Diagnostic, Quote, Report};
use super::value::Fault;

/// A table and what may stand in it.
#[derive(Clone, Copy)]
pub(super) struct Section<'d> {
    /// As a person calls it: `[schedule]`.
    name: &'static str,
    table: &'d DeTable<'d>,
    /// Where it is said to be.
    span: (usize, usize),
}

/// A text and its place.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

impl<'d> Section<'d> {
    /// The table under `key`, if there is one.
    pub(super) fn find(
        root: &'d DeTable<'d>,
        key: &str,
        name: &'static str,
        report: &mut Report,
    ) -> Option<Self> {
        let value = root.get(key)?;
        Self::of(value, name, report)
    }

    /// Every table of the array under `key`.
    pub(super) fn find_all(
        root: &'d DeTable<'d>,
        key: &str,
        name: &'static str,
        report: &mut Report,
    ) -> Vec<Self> {
        let Some(value) = root.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            report.push(
                Diagnostic::error(
                    "wrong_type",
                    value.span(),
                    format!("{name} is a list of tables"),
                )
                .help(format!("write {name}, with two brackets, above each")),
            );
            return Vec::new();
        };
        array.iter().filter_map(|value| Self::of(value, name, report)).collect()
    }

    fn of(
        value: &'d Spanned<DeValue<'d>>,
        name: &'static str,
        report: &mut Report,
    ) -> Option<Self> {
        let (start, end) = (value.span().start, value.span().end);
        match value.get_ref().as_table() {
            Some(table) => Some(Self { name, table, span: (start, end) }),
            None => {
                let message = format!("{name} is a table, not {}", kind(value));
                report.push(
                    Diagnostic::error("wrong_type", value.span(), message)
                        .help(format!("write {name} on a line of its own, and its keys below")),
                );
                None
            }
        }
    }

    /// The root of the file.
    pub(super) fn root(table: &'d DeTable<'d>) -> Self {
        Self { name: "the file", table, span: (0, 0) }
    }

    /// A table inside, `include` of an output.
    pub(super) fn inner(&self, key: &str, name: &'static str, report: &mut Report) -> Option<Self> {
        Self::find(self.table, key, name, report)
    }

    /// The names of the keys that stand in it.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// A secret, which is never a value of the config but stands in `{ file = "…" }`,
    /// `{ credential = "…" }` (systemd) or `{ env = "…" }`.
    pub(super) fn secret(&self, key: &str, report: &mut Report) -> Option<String> {
        const HELP: &str = "write { file = \"…\" }, { credential = \"…\" } or { env = \"…\" }";
        let value = self.table.get(key)?;
        let fault = |message: String| {
            Diagnostic::error("bad_secret", value.span(), message).help(HELP).quote(Quote::Nothing)
        };
        let Some(table) = value.get_ref().as_table() else {
            report.push(fault(format!(
                "{key} is a secret, and secrets are never values in this file"
            )));
            return None;
        };
        let named = |name: &str| table.get(name).and_then(|value| value.get_ref().as_str());
        let read = |path: std::path::PathBuf| {
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let found = match (named("file"), named("credential"), named("env")) {
            (Some(path), None, None) => read(path.into()),
            (None, Some(name), None) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => read(std::path::Path::new(&folder).join(name)),
                None => Err("$CREDENTIALS_DIRECTORY is not set: systemd sets it".to_owned()),
            },
            (None, None, Some(name)) => {
                std::env::var(name).map_err(|_| format!("${name} is not set"))
            }
            _ => Err("one of file, credential and env".to_owned()),
        };
        let visible = |secret: &String| secret.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let secret = found.map(|secret| secret.trim().to_owned());
        match secret
            .and_then(|s| if visible(&s) { Ok(s) } else { Err("not a line of ASCII".to_owned()) })
        {
            Ok(secret) => Some(secret),
            Err(why) => {
                report.push(fault(format!("{key} cannot be read: {why}")));
                None
            }
        }
    }

    /// The place of a value, else of the table.
    pub(super) fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span.0..self.span.1, Spanned::span)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports every key that is not among `known`; `elsewhere` names the table of a key that is
    /// known, but not here.
    pub(super) fn refuse_unknown(
        &self,
        known: &[&str],
        elsewhere: impl Fn(&str) -> Option<&'static str>,
        report: &mut Report,
    ) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let message = format!("unknown key {name:?} in {}", self.name);
            let fault = Diagnostic::error("unknown_key", key.span(), message);
            report.push(match (nearest(name, known.iter().copied()), elsewhere(name)) {
                (Some(near), _) => fault.label(format!("did you mean {near:?}?")),
                (None, Some(table)) => fault.label(format!("it belongs in {table}")),
                (None, None) => fault.help(format!("known here: {}", known.join(", "))),
            });
        }
    }

    fn wrong(&self, key: &str, wanted: &str, report: &mut Report) {
        let Some(value) = self.table.get(key) else { return };
        let found = kind(value);
        let message = format!("{key} is {wanted}, not {found}");
        let fault = Diagnostic::error("wrong_type", value.span(), message);
        let bare = value.get_ref().is_integer() && wanted.contains("in quotes");
        report.push(match bare {
            true => fault.help("put it in quotes, with a unit if it has one"),
            false => fault,
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
            report.push(Diagnostic::error("out_of_range", value.span(), message));
            None
        })
    }

    /// A list of texts.
    pub(super) fn list(&self, key: &str, report: &mut Report) -> Option<Vec<Placed>> {
        let value = self.table.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let message = format!("{key} is a list of texts, not {}", kind(value));
            let fault = Diagnostic::error("wrong_type", value.span(), message);
            report.push(fault.help("put it in brackets: [\"…\"]"));
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
        report.push(drawn.quote(fault.quote));
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
        let near = nearest(&placed.text, words.iter().map(|(word, _)| *word));
        let label = near.map_or_else(String::new, |near| format!("did you mean {near:?}?"));
        report.push(fault.label(label).help(format!("one of {}", all.join(", "))));
    }
    found
}

/// The known word that was probably meant.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |known: &str| strsim::jaro_winkler(&word.to_lowercase(), known);
    known
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > 0.84)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

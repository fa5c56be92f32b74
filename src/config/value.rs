//! One value of the config: from TOML to a typed value, by the kind of its key.

use std::any::Any;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeValue};

use super::definition::{Bound, Key, Kind, Limit};
use super::diagnostic::{Diagnostic, Report, Severity};
use super::format::{Format, LISTEN_ADDRESS, Written};
use super::section::quoted;
use super::suggest::nearest;
use super::{address, text};
use crate::text::quoted::{in_quotes, with_marks};

/// A value as the parser returns it, with its place.
pub(super) type Item<'t> = Spanned<DeValue<'t>>;

/// What values are read with.
#[derive(Debug)]
pub(super) struct Reader<'r> {
    /// The folder that relative paths start in.
    pub(super) state: &'r Path,
    /// Gets the errors.
    pub(super) report: &'r mut Report,
}

/// A value that its key accepts, of the type that the parser of the key returns.
#[derive(Debug, Clone)]
pub(super) struct Value(Arc<dyn Any + Send + Sync>);

impl Value {
    pub(super) fn of<T: Any + Send + Sync>(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The value; `None` if it has another type.
    pub(super) fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// An element of a list, with its place.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

impl Listed {
    /// The element if it is text.
    pub(super) fn text(&self) -> &str {
        self.value.get::<String>().map_or("", String::as_str)
    }
}

/// Why a value is invalid, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
    /// The value that was probably meant; the help asks for it.
    pub(super) suggestion: Option<String>,
    /// A value that the help names already.
    pub(super) instead: Option<String>,
}

impl Invalid {
    pub(super) fn new(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { code, message, help, suggestion: None, instead: None }
    }

    /// Adds the value that was probably meant, if there is one.
    pub(super) fn meant(self, meant: Option<impl Into<String>>) -> Self {
        Self { suggestion: meant.map(Into::into).or(self.suggestion), ..self }
    }

    /// Keeps the suggestion only if it would be accepted, so that it does not lead to another error.
    fn tried(self, accepts: impl Fn(&str) -> bool) -> Self {
        Self { suggestion: self.suggestion.filter(|meant| accepts(meant)), ..self }
    }

    /// The help, with the value that was probably meant.
    pub(super) fn advice(&self) -> String {
        match &self.suggestion {
            Some(meant) => format!("did you mean {meant}? {}", self.help, meant = in_quotes(meant)),
            None => self.help.clone(),
        }
    }

    pub(super) fn at(self, span: Range<usize>) -> Diagnostic {
        let help = self.advice();
        let diagnostic = Diagnostic::error(self.code, span, self.message).help(help);
        Diagnostic { suggestion: self.suggestion.or(self.instead), ..diagnostic }
    }
}

/// Reads a value by the kind of its key, unless it has tables; `None`: it has an error, which is reported.
pub(super) fn read(key: &'static Key, value: &Item<'_>, reader: &mut Reader<'_>) -> Option<Value> {
    let Reader { state, report } = reader;
    let parse =
        |format: &Format, text: &str| (format.parse)(Written { key: key.name, text, state });
    let listed = |array: &DeArray<'_>, format: &Format, report: &mut Report| {
        list(key, array, |text| parse(format, text), report)
    };
    let parsed = match (key.kind, value.get_ref()) {
        (Kind::Flag, DeValue::Boolean(flag)) => Ok(Value::of(*flag)),
        (Kind::Number { min, max, .. }, DeValue::Integer(written)) => {
            number(key, min, max, written).map(Value::of)
        }
        (Kind::Choice(words), DeValue::String(text)) => choice(key, text, words).map(Value::of),
        (Kind::Text(format), DeValue::String(text)) => parse(format, text),
        (Kind::Listen, DeValue::String(text)) => {
            address::listen_or_off(text).map(|one| Value::of(Vec::from_iter(one)))
        }
        (Kind::List(format), DeValue::Array(array)) => {
            return listed(array, format, report).map(Value::of);
        }
        (Kind::Listen, DeValue::Array(array)) => {
            let listed = listed(array, &LISTEN_ADDRESS, report)?;
            let addresses = listed.iter().filter_map(|listed| listed.value.get().cloned());
            return Some(Value::of(address::without_repeats(addresses.collect())));
        }
        (Kind::Choices(words), DeValue::Array(array)) => {
            let parse = |text: &str| choice(key, text, words).map(Value::of);
            let listed = list(key, array, parse, report)?;
            let has = |word: &&&'static str| listed.iter().any(|l| l.value.get() == Some(*word));
            match listed.is_empty() {
                true => Err(Invalid::new(
                    "empty_value",
                    format!("{} is empty", key.name),
                    "remove the key to have all of them",
                )),
                false => {
                    Ok(Value::of(words.iter().filter(has).copied().collect::<Vec<&'static str>>()))
                }
            }
        }
        (Kind::Replacements, DeValue::Array(pairs)) => {
            let pairs: Option<Vec<_>> =
                pairs.iter().map(|pair| replacement(key, pair, report)).collect();
            return pairs.map(Value::of);
        }
        _ => {
            report.push(wrong_type(key, value));
            return None;
        }
    };
    let tried = |invalid: Invalid| invalid.tried(|meant| accepts(key, meant, state));
    let parsed = parsed.map_err(|invalid| report.push(tried(invalid).at(value.span()))).ok()?;
    is_within(key, &parsed, &value.span(), report).then_some(parsed)
}

/// How to write a value that a key does not accept, and the TOML that it probably means; `None`: the key accepts it.
pub(super) fn judge(
    key: &'static Key,
    value: &Item<'_>,
    state: &Path,
) -> Option<(String, Option<String>)> {
    let mut report = Report::default();
    read(key, value, &mut Reader { state, report: &mut report });
    let error = report.diagnostics.into_iter().find(|found| found.severity == Severity::Error)?;
    let meant = match error.suggestion {
        // The other suggestions are the text between the quotes.
        Some(meant) if key.kind.is_text() && error.code != "wrong_type" => Some(quoted(&meant)),
        meant => meant.filter(|_| !value.get_ref().is_array()),
    };
    Some((error.help.unwrap_or_default(), meant))
}

/// Whether a text is a value of the key, or an element of its list.
fn accepts(key: &Key, text: &str, state: &Path) -> bool {
    match key.kind {
        Kind::Choice(words) | Kind::Choices(words) => words.contains(&text),
        Kind::Text(format) | Kind::List(format) => {
            let written = Written { key: key.name, text, state };
            (format.parse)(written).is_ok_and(|value| is_allowed(key, &value))
        }
        Kind::Listen => address::listen_or_off(text).is_ok(),
        _ => false,
    }
}

/// Reads a list of texts; `None`: some have an error, which is reported.
fn list(
    key: &Key,
    array: &DeArray<'_>,
    parse: impl Fn(&str) -> Result<Value, Invalid>,
    report: &mut Report,
) -> Option<Vec<Listed>> {
    let errors = report.errors();
    let mut listed = Vec::new();
    for value in array.iter() {
        let span = value.span();
        match value.get_ref().as_str().map(&parse) {
            Some(Ok(value)) => listed.push(Listed { value, span }),
            Some(Err(invalid)) => {
                report.push(invalid.tried(|meant| parse(meant).is_ok()).at(span));
            }
            None => {
                let message = format!("{} must contain texts, not {}", key.name, type_of(value));
                let error = Diagnostic::error("wrong_type", span, message);
                report.push(error.help("put it in quotes"));
            }
        }
    }
    (report.errors() == errors).then_some(listed)
}

/// Reads a pair of a regular expression and a text.
fn replacement(key: &Key, value: &Item<'_>, report: &mut Report) -> Option<(Regex, String)> {
    let pair = value.get_ref().as_array().map(|pair| pair.iter().collect::<Vec<_>>());
    let texts = pair.as_deref().and_then(|pair| match pair {
        [regex, text] => {
            let spans = (regex.span(), text.span());
            Some((spans, regex.get_ref().as_str()?, text.get_ref().as_str()?))
        }
        _ => None,
    });
    let Some(((span, span_of_text), regex, text)) = texts else {
        let message = format!("{} must contain pairs of texts", key.name);
        let error = Diagnostic::error("wrong_type", value.span(), message);
        report.push(error.help(format!("write it as {}", key.example)));
        return None;
    };
    if regex.is_empty() {
        let message = format!("the regular expression of {} is empty", key.name);
        let help = "\"^\" is the beginning of a title, \"$\" its end";
        report.push(Diagnostic::error("empty_value", span, message).help(help));
        return None;
    }
    let regex = text::regex(regex).map_err(|invalid| report.push(invalid.at(span))).ok()?;
    let checked = text::replacement(&regex, text);
    checked.map_err(|invalid| report.push(invalid.at(span_of_text))).ok()?;
    Some((regex, text.to_owned()))
}

/// A duration in nanoseconds, or a size in bytes.
fn amount(value: &Value) -> Option<u128> {
    let duration = value.get::<Duration>().map(Duration::as_nanos);
    duration.or_else(|| value.get::<u64>().map(|bytes| u128::from(*bytes)))
}

/// The limit of the key that a value exceeds.
fn exceeded(key: &Key, value: &Value) -> Option<&'static Limit> {
    let Kind::Text(format) = key.kind else { return None };
    let amount_of_value = amount(value)?;
    key.limits.iter().find(|limit| {
        let written = Written { key: key.name, text: limit.value, state: Path::new("") };
        let limited = (format.parse)(written).ok().as_ref().and_then(amount);
        limited.is_some_and(|limited| match limit.bound {
            Bound::Minimum => amount_of_value < limited,
            Bound::Maximum => amount_of_value > limited,
        })
    })
}

/// Whether a value is within the limits of its key, or outside those that are only recommended.
fn is_allowed(key: &Key, value: &Value) -> bool {
    exceeded(key, value).is_none_or(|limit| limit.severity == Severity::Warning)
}

/// Reports a value outside the limits of its key. Returns whether it is acceptable.
fn is_within(key: &Key, value: &Value, span: &Range<usize>, report: &mut Report) -> bool {
    let Some(limit) = exceeded(key, value) else { return true };
    let (side, more) = match (limit.bound, value.get::<Duration>()) {
        (Bound::Minimum, Some(_)) => ("shorter", "or more"),
        (Bound::Maximum, Some(_)) => ("longer", "or less"),
        (Bound::Minimum, None) => ("smaller", "or more"),
        (Bound::Maximum, None) => ("larger", "or less"),
    };
    let message = format!("{} is {side} than {}", key.name, limit.value);
    let help = match limit.advice {
        "" => format!("write {} {more}", in_quotes(limit.value)),
        advice => format!("write {} {more}; {advice}", in_quotes(limit.value)),
    };
    let diagnostic = Diagnostic::error(limit.code, span.clone(), message).help(help);
    report.push(Diagnostic { severity: limit.severity, ..diagnostic });
    limit.severity == Severity::Warning
}

/// Parses a whole number.
fn number(key: &Key, min: usize, max: usize, written: &DeInteger<'_>) -> Result<usize, Invalid> {
    let number = usize::from_str_radix(written.as_str(), written.radix()).ok();
    number.filter(|number| (min..=max).contains(number)).ok_or_else(|| {
        if min == max {
            let message = format!("this Newswire cannot read {} {}", key.name, number.unwrap_or(0));
            let help = format!("write {} = {min}", key.name);
            return Invalid::new("unsupported_version", message, help);
        }
        // A number that is too large for the type is above the range too.
        let is_above = number.map_or(!written.as_str().starts_with('-'), |number| number > max);
        let near = if is_above { max } else { min };
        let message = format!("{} must be from {min} to {max}", key.name);
        let help = format!("write {near}, or another number in this range");
        let invalid = Invalid::new("out_of_range", message, help);
        Invalid { instead: Some(near.to_string()), ..invalid }
    })
}

fn choice(key: &Key, text: &str, words: &'static [&'static str]) -> Result<&'static str, Invalid> {
    if let Some(word) = words.iter().find(|word| **word == text) {
        return Ok(word);
    }
    let message = format!("{text} is not a value of {}", key.name, text = in_quotes(text));
    let help = format!("write one of {}", key.range());
    let near = nearest(text.trim(), words.iter().copied());
    Err(Invalid::new("unknown_value", message, help).meant(near))
}

/// The error for a value of another TOML type than the key has.
pub(super) fn wrong_type(key: &'static Key, value: &Item<'_>) -> Diagnostic {
    let message = format!("{} must be {}, not {}", key.name, key.kind.wanted(), type_of(value));
    let diagnostic = Diagnostic::error("wrong_type", value.span(), message);
    let has_parts = value.get_ref().is_table() || value.get_ref().is_array();
    match meant(key, value.get_ref()) {
        Some(meant) => diagnostic.help(format!("write {meant}")).suggest(meant),
        None if matches!(key.kind, Kind::Choice(_)) => {
            diagnostic.help(format!("write one of {}", key.range()))
        }
        None if matches!(key.kind, Kind::Number { .. }) => {
            diagnostic.help(format!("write a whole number: {}", key.range()))
        }
        None if key.kind.is_list() => diagnostic.help("put it in brackets: [\"…\"]"),
        None if key.kind.is_text() && !has_parts && !value.get_ref().is_bool() => {
            diagnostic.help("put it in quotes, with a unit if it has one")
        }
        None => diagnostic.help(format!("write it as {}", key.example)),
    }
}

/// The value as TOML that a value of another type probably means.
fn meant(key: &'static Key, value: &DeValue<'_>) -> Option<String> {
    let kind = key.kind;
    let text = value.as_str().map(str::trim);
    let fits = |text: &str| accepts(key, text, Path::new(""));
    match (kind, value) {
        (Kind::Number { min, max, .. }, DeValue::String(_) | DeValue::Float(_)) => {
            let digits = match value {
                DeValue::Float(number) => {
                    number.as_str().trim_end_matches('0').trim_end_matches('.')
                }
                _ => text?.trim_end_matches('%').trim_end(),
            };
            let number = digits.replace(['_', ','], "").parse::<usize>().ok();
            number.filter(|number| (min..=max).contains(number)).map(|number| number.to_string())
        }
        (Kind::Flag, DeValue::String(_)) => match text?.to_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true".to_owned()),
            "false" | "no" | "off" => Some("false".to_owned()),
            _ => None,
        },
        (_, DeValue::String(_)) if kind.is_list() => {
            let parts: Vec<&str> = text?.split(',').map(str::trim).collect();
            let are_valid = parts.iter().all(|part| fits(part));
            are_valid.then(|| with_marks(&format!("{parts:?}")).into_owned())
        }
        (Kind::Flag, DeValue::Integer(number)) => match number.as_str() {
            "0" => Some("false".to_owned()),
            "1" => Some("true".to_owned()),
            _ => None,
        },
        (Kind::Choice(words), DeValue::Boolean(on)) => of_flag(words, *on),
        (_, DeValue::Array(array)) if array.len() == 1 => {
            let text = array.iter().next()?.get_ref().as_str()?;
            (kind.is_text() && fits(text)).then(|| in_quotes(text))
        }
        (Kind::Text(_) | Kind::Listen, _) => {
            let literal = match value {
                DeValue::Integer(number) => number.as_str(),
                DeValue::Float(number) => number.as_str(),
                DeValue::Boolean(false) => "false",
                _ => return None,
            };
            let item = Spanned::new(0..literal.len(), DeValue::String(literal.into()));
            match judge(key, &item, Path::new("")) {
                Some((_, meant)) => meant,
                None => (!value.is_bool()).then(|| quoted(literal)),
            }
        }
        _ => None,
    }
}

/// The word that "true" or "false" probably means. "true" chooses between no and one other value only.
fn of_flag(words: &[&str], on: bool) -> Option<String> {
    let is_off = |word: &&&str| matches!(**word, "off" | "ignore" | "none");
    let mut others = words.iter().filter(|word| !is_off(word));
    let word = match (on, others.next(), others.next()) {
        (true, Some(only), None) => Some(only),
        (true, ..) => None,
        (false, ..) => words.iter().find(is_off),
    };
    word.map(in_quotes)
}

/// The TOML type of a value, with its article.
pub(super) fn type_of(value: &Item<'_>) -> String {
    let name = value.get_ref().type_str();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

//! Makes one config of several files: tables are joined key by key, lists of tables one behind the
//! other. What is said twice is a fault in both places.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error};

use super::depth::too_deep;
use super::key;
use super::report::{Diagnostic, Report};
use super::section::{no_list, no_table};
use super::sources::Sources;
use super::veil;

/// All files as one table, each place counted through all of them; what cannot be read is left out
/// and reported.
pub(super) fn merged<'d>(sources: &'d Sources, report: &mut Report) -> DeTable<'d> {
    let mut whole = DeTable::new();
    for (n, source) in sources.iter().enumerate() {
        let text = match too_deep(&source.text) {
            None => source.text.as_str(),
            Some(at) => {
                let span = source.start + at..source.start + at + 1;
                let fault =
                    Diagnostic::error("syntax", span, "inline tables are nested too deeply");
                report.push(fault.help("write tables under headers: [a.b]"));
                ""
            }
        };
        let (root, errors) = DeTable::parse_recoverable(text);
        let root = root.into_inner();
        for fault in syntax(text, &errors) {
            let span = fault.span.map(|span| span.start + source.start..span.end + source.start);
            report.push(Diagnostic { span, ..fault });
        }
        if n == 0 {
            whole = root;
        } else {
            join(&mut whole, shifted(root, source.start), report);
        }
    }
    whole
}

/// What is not TOML: one fault a line, and of a bracket that nobody closed the first alone.
fn syntax(text: &str, errors: &[Error]) -> Vec<Diagnostic> {
    let open = errors.iter().any(|error| {
        error.message().starts_with("unclosed array,") || error.message().contains("inline table")
    });
    let veiled = if errors.is_empty() { String::new() } else { veil::veiled(text) };
    let mut faults: Vec<Diagnostic> = Vec::new();
    let mut last = None;
    let mut errors: Vec<_> = errors.iter().map(|e| (e.span().unwrap_or(0..0), e)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    for (span, error) in errors {
        let before = text.get(..span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        if last == Some(start) {
            continue;
        }
        last = Some(start);
        let line = text[start..].lines().next().unwrap_or_default();
        let unclosed =
            open && (error.message().contains("comma") || error.message().contains("inline"));
        faults.push(match unclosed {
            true => {
                let message = "a bracket is still open here";
                let fault = Diagnostic::error("unclosed", span, message);
                fault.help("close it before: a list with ], a table with }; commas between")
            }
            false => {
                let open = veiled[start..].lines().next() == Some(line);
                let fault = meant(line, span, error.message());
                // A secret is not said again.
                Diagnostic { suggestion: fault.suggestion.filter(|_| open), ..fault }
            }
        });
        if unclosed {
            break;
        }
    }
    faults
}

/// One fault, with what people mean who write so.
fn meant(line: &str, span: Range<usize>, message: &str) -> Diagnostic {
    let value = line.split_once('=').map(|(_, value)| value.trim()).unwrap_or_default();
    let bare = value.chars().all(|c| c.is_alphanumeric() || "._/:+- ".contains(c));
    let bare = bare && value.starts_with(|c: char| c.is_alphanumeric());
    let (help, instead) = match value {
        "yes" | "on" | "True" | "TRUE" => ("write true", Some("true".to_owned())),
        "no" | "False" | "FALSE" => ("write false", Some("false".to_owned())),
        _ if message.starts_with("duplicate key") => ("remove one of them", None),
        _ if bare => ("put quotes around it", Some(format!("{value:?}"))),
        _ if message.starts_with("invalid basic") => ("close the text with \"", None),
        _ if !line.contains('=') && !line.trim().starts_with('[') => ("write key = value", None),
        _ => ("see toml.io for how a value is written", None),
    };
    let quoted = bare && instead.as_deref().is_some_and(|text| text.starts_with('"'));
    let message = match quoted && !value.starts_with(|c: char| c.is_ascii_digit()) {
        true => "string values must be quoted".to_owned(),
        false => message.trim_end().replace('\n', ", "),
    };
    let fault = Diagnostic::error("syntax", span, message).help(help);
    Diagnostic { suggestion: instead, ..fault }
}

fn join<'d>(whole: &mut DeTable<'d>, file: DeTable<'d>, report: &mut Report) {
    for (key, value) in file {
        let name: &str = key.get_ref();
        // The form of each file is its own affair.
        if name == "version" && whole.contains_key(name) {
            continue;
        }
        let Some(first) = whole.get_key_value(name).map(|(first, _)| first.span()) else {
            whole.insert(key, value);
            continue;
        };
        if !key::TABLES.contains(&name) {
            report.push(twice(&first, &key));
            continue;
        }
        let (table, found) = (key::table(name), value.get_ref());
        match key::LISTS.contains(&name) {
            true if !found.is_array() => report.push(no_list(table, &value)),
            false if !found.is_table() => report.push(no_table(table, &value)),
            _ => {}
        }
        let Some(earlier) = whole.get_mut(name) else { continue };
        match (earlier.get_mut(), value.into_inner()) {
            (DeValue::Array(earlier), DeValue::Array(more)) => {
                more.into_iter().for_each(|value| earlier.push(value));
            }
            (DeValue::Table(earlier), DeValue::Table(more)) => {
                for (key, value) in more {
                    match earlier.get_key_value(key.get_ref().as_ref()) {
                        Some((first, _)) => report.push(twice(&first.span(), &key)),
                        None => drop(earlier.insert(key, value)),
                    }
                }
            }
            _ => {}
        }
    }
}

fn twice(first: &Range<usize>, key: &Spanned<std::borrow::Cow<'_, str>>) -> Diagnostic {
    let message = format!("{} is set in two files", key.get_ref());
    let fault = Diagnostic::error("duplicate_key", key.span(), message);
    fault.also(first.clone(), "first here").help("remove one of them")
}

/// The same with every place further on.
fn shifted(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let moved = |span: Range<usize>| span.start + by..span.end + by;
    let pair = |(key, value): (Spanned<_>, _)| {
        (Spanned::new(moved(key.span()), key.into_inner()), shifted_value(value, by))
    };
    table.into_iter().map(pair).collect()
}

fn shifted_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shifted(table, by)),
        DeValue::Array(array) => {
            let array: DeArray<'_> =
                array.into_iter().map(|value| shifted_value(value, by)).collect();
            DeValue::Array(array)
        }
        other => other,
    };
    Spanned::new(span.start + by..span.end + by, value)
}

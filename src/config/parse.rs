//! Parses the files as TOML. Inline tables that are nested deeply are rejected: the parser reads them in quadratic time.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error};

use super::definition::Section;
use super::diagnostic::{Diagnostic, Report};
use super::position::{Source, Sources};
use super::redact;

/// Each file as a table, with positions counted through all files. What cannot be parsed is reported.
pub(super) fn tables<'d>(sources: &'d Sources, report: &mut Report) -> Vec<DeTable<'d>> {
    let parse = |source: &'d Source| {
        let text = match too_deep(&source.text) {
            None => source.text.as_str(),
            Some(at) => {
                let span = source.start + at..source.start + at + 1;
                let message = "inline tables are nested too deeply";
                let error = Diagnostic::error("syntax", span, message);
                report.push(error.help("write tables under headers: [a.b]"));
                ""
            }
        };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in syntax_errors(text, &errors) {
            let span = error.span.map(|span| span.start + source.start..span.end + source.start);
            report.push(Diagnostic { span, ..error });
        }
        shifted(root.into_inner(), source.start)
    };
    sources.iter().map(parse).collect()
}

/// Maximum number of braces that are open at the same time on one line. An inline table is on one line, and the parser
/// accepts fewer levels.
const MAX_OPEN: usize = 200;

/// Byte offset of the brace that nests inline tables too deeply.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open = open.saturating_sub(1),
            b'\n' => open = 0,
            _ => {}
        }
        if open > MAX_OPEN {
            return Some(at);
        }
    }
    None
}

/// Syntax errors: one for each line, and of a bracket that is not closed only the first.
fn syntax_errors(text: &str, errors: &[Error]) -> Vec<Diagnostic> {
    let is_inline = |error: &Error| error.message().contains("inline table");
    let open = errors.iter().any(|e| e.message().starts_with("unclosed array,") || is_inline(e));
    let redacted = if errors.is_empty() { String::new() } else { redact::config(text) };
    let mut errors: Vec<_> = errors.iter().map(|e| (e.span().unwrap_or(0..0), e)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut last = None;
    // The end of a section whose header is a mistake: its keys are duplicate because of it.
    let mut section_end = 0;
    for (span, error) in errors {
        let before = text.get(..span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        if last.replace(start) == Some(start) {
            continue;
        }
        let line = text[start..].lines().next().unwrap_or_default();
        if error.message().starts_with("duplicate key") {
            if start < section_end {
                continue;
            }
            let error = duplicate(text, span, line);
            if line.trim_start().starts_with('[') {
                section_end = text[start + 1..].find("\n[").map_or(text.len(), |at| start + 1 + at);
            }
            found.push(error);
            continue;
        }
        let typographic = typographic(line, start);
        let unclosed = error.message().contains("comma") || error.message().contains("inline");
        // A quote that is not closed hides the bracket behind it.
        let is_hidden = found.last().is_some_and(|error| error.help.as_deref() == Some(CLOSE_TEXT));
        if open && unclosed && typographic.is_none() {
            if let Some(text) = found.last_mut().filter(|_| is_hidden) {
                // What follows is read as a part of the list.
                text.code = "unclosed_bracket";
                break;
            }
            let message = "a bracket before this is not closed";
            let error = Diagnostic::error("unclosed_bracket", span, message);
            found.push(
                error.help("close a list with ] and a table with }; separate values with commas"),
            );
            break;
        }
        let error =
            typographic.unwrap_or_else(|| syntax_error((line, start), span, error.message()));
        // A suggestion must not repeat a secret.
        let public = redacted[start..].lines().next() == Some(line);
        found.push(match error.suggestion.is_some() && !public {
            true => Diagnostic { suggestion: None, label: String::new(), ..error },
            false => error,
        });
    }
    found
}

const CLOSE_TEXT: &str = "close the text with \"";

/// The error for a key or a header that is there already.
fn duplicate(text: &str, span: Range<usize>, line: &str) -> Diagnostic {
    let line = line.trim();
    let name = line.trim_start_matches('[').split([']', '#']).next().unwrap_or_default().trim();
    if !line.starts_with('[') {
        let name = text.get(span.clone()).unwrap_or_default();
        let error =
            Diagnostic::error("syntax", span, format!("{name} is set twice in one section"));
        return error.help("remove one of them");
    }
    if line.starts_with("[[") {
        let message = format!("{name} is set above, but not as [[{name}]]");
        let error = Diagnostic::error("syntax", span, message);
        return error.help(format!("write each of them as [[{name}]]"));
    }
    if Section::tables().any(|known| known.is_list() && known.name() == name) {
        let message = format!("[{name}] is there twice: it is a list of sections");
        let error = Diagnostic::error("syntax", span, message);
        return error.help(format!("write each as [[{name}]], with two brackets"));
    }
    let header = |line: &str| line.trim().strip_prefix('[')?.strip_suffix(']').map(str::to_owned);
    let mut lines = text[..span.start].lines().enumerate();
    let first = lines.find(|(_, line)| header(line).as_deref() == Some(name));
    let place = first.map_or(String::new(), |(at, _)| format!(": first in line {}", at + 1));
    let error = Diagnostic::error("syntax", span, format!("[{name}] is there twice{place}"));
    error.help("move the keys of both into one")
}

/// One syntax error, with what its line, which begins at `start`, probably means.
fn syntax_error((line, start): (&str, usize), span: Range<usize>, message: &str) -> Diagnostic {
    let value = line.split_once('=').map(|(_, value)| value.trim()).unwrap_or_default();
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    let at = start + line.rfind(value).unwrap_or_default();
    // Not an error of the key.
    let value = if span.start < at { "" } else { value };
    let bare = value.chars().all(|c| c.is_alphanumeric() || "._/:+- ".contains(c));
    let bare = bare && value.starts_with(|c: char| c.is_alphanumeric() || c == '/');
    let (help, suggestion) = match value {
        "yes" | "on" | "True" | "TRUE" => ("write true", Some("true".to_owned())),
        "no" | "False" | "FALSE" => ("write false", Some("false".to_owned())),
        _ if value.len() > 1 && value.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = value.trim_start_matches('0');
            let number = if number.is_empty() { "0" } else { number };
            ("write the number without zeros before it", Some(number.to_owned()))
        }
        _ if bare => ("put quotes around it", Some(format!("{value:?}"))),
        _ if message.starts_with("invalid basic") => (CLOSE_TEXT, None),
        _ if !line.contains('=') && !line.trim().starts_with('[') => ("write key = value", None),
        _ => ("toml.io describes how values are written", None),
    };
    let quoted = bare && suggestion.as_deref().is_some_and(|text| text.starts_with('"'));
    let message = match quoted && !value.starts_with(|c: char| c.is_ascii_digit()) {
        true => "string values must be quoted".to_owned(),
        false => message.trim_end().replace('\n', ", "),
    };
    // The parser's place is where it stopped; the suggestion replaces the whole value.
    let span = if suggestion.is_some() { at..at + value.len() } else { span };
    let error = Diagnostic::error("syntax", span, message).help(help);
    Diagnostic { suggestion, ..error }
}

/// The error for a line with quotes or spaces that are typographic, as word processors write them.
fn typographic(line: &str, start: usize) -> Option<Diagnostic> {
    let plain = |c: char| match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '＂' => '"',
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => '\'',
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' => ' ',
        c => c,
    };
    let fixed: String = line.chars().map(plain).collect();
    if fixed == line || line.trim_start().starts_with('#') {
        return None;
    }
    let parses = DeTable::parse(&fixed).is_ok();
    if !parses && line.contains('=') {
        // Another error of the line is more likely if its value has straight quotes.
        let value = line.split_once('=').map_or("", |(_, value)| value.trim_start());
        if value.starts_with(['"', '\'']) {
            return None;
        }
    }
    // The value, if the key has none of these characters; else the line. Without a comment.
    let from = line.find('=').filter(|at| fixed.starts_with(&line[..*at])).map_or(0, |at| at + 1);
    // Other spaces are part of the mistake.
    let from = line.len() - line[from..].trim_start_matches([' ', '\t']).len();
    let end = line[from..].find(" #").map_or(line.len(), |at| from + at);
    let part = line[from..end].trim_end_matches([' ', '\t']);
    // In the comment they are no mistake.
    let first = part.chars().find(|c| plain(*c) != *c)?;
    let suggestion: String = part.chars().map(plain).collect();
    let suggestion = suggestion.trim().to_owned();
    let span = start + from..start + from + part.len();
    let message = format!("{first:?} is a typographic character");
    let error = Diagnostic::error("syntax", span, message);
    let error = error.help("write straight quotes and plain spaces");
    Some(match parses || !line.contains('=') {
        true => error.label(format!("did you mean {suggestion}?")).suggest(suggestion),
        false => error,
    })
}

/// The table with all positions moved by `by` bytes.
fn shifted(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let moved = |span: Range<usize>| span.start + by..span.end + by;
    let pair = |(name, value): (Spanned<_>, _)| {
        (Spanned::new(moved(name.span()), name.into_inner()), shifted_value(value, by))
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

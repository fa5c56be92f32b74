//! Parses the files as TOML. Inline tables that are nested deeply are rejected: the parser reads them in quadratic time.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error};

use super::definition::{Key, Section};
use super::diagnostic::{Diagnostic, Report};
use super::files::{Source, Sources};
use super::redact;
use super::section::quoted;
use super::value;

/// Each file as a table, with positions counted through all files. What cannot be parsed is reported. Relative paths
/// start in `state`.
pub(super) fn tables<'d>(
    sources: &'d Sources,
    state: &Path,
    report: &mut Report,
) -> Vec<DeTable<'d>> {
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
        for error in syntax_errors(text, &errors, state) {
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
fn syntax_errors(text: &str, errors: &[Error], state: &Path) -> Vec<Diagnostic> {
    let is_inline = |error: &Error| error.message().contains("inline table");
    let open = errors.iter().any(|e| e.message().starts_with("unclosed array,") || is_inline(e));
    let redacted = if errors.is_empty() { String::new() } else { redact::config(text) };
    let mut errors: Vec<_> = errors.iter().map(|e| (e.span().unwrap_or(0..0), e)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut found: Vec<(Cause, Diagnostic)> = Vec::new();
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
            found.push((Cause::Other, error));
            continue;
        }
        let typographic = typographic(line, start);
        let unclosed = error.message().contains("comma") || error.message().contains("inline");
        if open && unclosed && typographic.is_none() {
            // A quote that is not closed hides the bracket behind it: what follows is read as a part of the list.
            if let Some((Cause::OpenText, text)) = found.last_mut() {
                text.code = "unclosed_bracket";
                break;
            }
            let message = "a bracket before this is not closed";
            let error = Diagnostic::error("unclosed_bracket", span, message);
            let help = "close a list with ] and a table with }; separate values with commas";
            found.push((Cause::Other, error.help(help)));
            break;
        }
        let (cause, error) = match typographic {
            Some(error) => (Cause::Other, error),
            None => {
                let cause = Cause::of(error.message(), line);
                (cause, syntax_error((text, start), span, (cause, error.message()), state))
            }
        };
        // A suggestion must not repeat a secret.
        let is_public = redacted[start..].lines().next() == Some(line);
        found.push(match error.suggestion.is_some() && !is_public {
            true => (cause, Diagnostic { suggestion: None, label: String::new(), ..error }),
            false => (cause, error),
        });
    }
    found.into_iter().map(|(_, error)| error).collect()
}

/// What a syntax error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A text between double quotes is not closed.
    OpenText,
    /// Not exactly one `=` is between a key and its value.
    Assignment,
    /// Two values have no comma between them.
    Comma,
    Other,
}

impl Cause {
    /// The cause by the message of the parser.
    fn of(message: &str, line: &str) -> Self {
        const ASSIGNMENT: &[&str] = &["key with no value", "extra `=`", "invalid key-value pair"];
        let value = line.split_once('=').map(|(_, value)| value.trim_start());
        let is_assignment = match value {
            Some(value) => value.starts_with('>') || value.starts_with(": "),
            None => message.starts_with("invalid unquoted key"),
        };
        match message {
            _ if is_assignment => Self::Assignment,
            _ if ASSIGNMENT.iter().any(|start| message.starts_with(*start)) => Self::Assignment,
            _ if message.starts_with("invalid basic") => Self::OpenText,
            _ if message.starts_with("missing comma") => Self::Comma,
            _ => Self::Other,
        }
    }
}

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

/// One syntax error in the line that begins at `start`, with what the line probably means.
fn syntax_error(
    (text, start): (&str, usize),
    span: Range<usize>,
    (cause, message): (Cause, &str),
    state: &Path,
) -> Diagnostic {
    let message = message.trim_end().replace("\nexpected nothing", "").replace('\n', ", ");
    let error = |span, message: &str| Diagnostic::error("syntax", span, message);
    match cause {
        Cause::OpenText => return error(span, &message).help("close the text with \""),
        Cause::Comma => return error(span, &message).help("separate values with commas"),
        Cause::Assignment => {
            let message = "a key and its value are not separated by a single =";
            return error(span, message).help("write key = value");
        }
        Cause::Other => {}
    }
    let Some(value) = bare_value(text, start, &span, &message) else {
        return error(span, &message).help("toml.io describes how values are written");
    };
    let key = key_of(text, start, value.start);
    let (help, suggestion) = without_quotes(key, &text[value.clone()], state);
    let message = match &suggestion {
        Some(meant) if meant.starts_with('"') => "string values must be quoted",
        // Quotes would not help.
        _ if message.starts_with("string values") => "the value is not valid TOML",
        _ => message.as_str(),
    };
    // The parser's place is where it stopped; the suggestion replaces the whole value.
    let error = error(value, message).help(help);
    Diagnostic { suggestion, ..error }
}

/// The place of a value without quotes that the parser rejects at `span`: all that follows `=`, or an element of a list.
fn bare_value(
    text: &str,
    start: usize,
    span: &Range<usize>,
    message: &str,
) -> Option<Range<usize>> {
    let line = text[start..].lines().next().unwrap_or_default();
    let is_bare = |range: &Range<usize>| {
        let value = text.get(range.clone()).unwrap_or_default();
        value.chars().all(|c| c.is_alphanumeric() || "._/:+-,% ".contains(c))
            && value.starts_with(|c: char| c.is_alphanumeric() || "/+-.:".contains(c))
    };
    let whole = line.find('=').map(|equals| {
        let value = line[equals + 1..].split(" #").next().unwrap_or_default();
        let from = start + equals + 1 + value.len() - value.trim_start().len();
        from..from + value.trim().len()
    });
    // An error before the value is one of the key.
    let whole = whole.filter(|value| is_bare(value) && span.start >= value.start);
    let is_value = message.starts_with("string values") && is_bare(span);
    whole.or_else(|| is_value.then(|| span.clone()))
}

/// The key whose value is at `value`, in the line that begins at `start`; `None`: the value is in a list, or the key is
/// unknown.
fn key_of(text: &str, start: usize, value: usize) -> Option<&'static Key> {
    let before = text[start..value].trim_end().strip_suffix('=')?;
    let header = text[..start].lines().rev().find_map(|line| line.trim().strip_prefix('['));
    let header = header.and_then(|header| header.trim_start_matches('[').split(']').next());
    // An inline table is nested in its key.
    let names = before.split('{').map(|part| part.rsplit(',').next().unwrap_or_default());
    let names = names.map(|name| name.trim_matches(['=', '"', '\'', ' ', '\t']));
    let path = header.into_iter().chain(names).collect::<Vec<_>>().join(".");
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path.as_str()));
    // Both have the same conditions.
    let section = section.rsplit('.').next().unwrap_or_default().replace("exclude", "include");
    Section::all().find(|known| known.name() == section)?.key(name)
}

/// How to write a value that has no quotes, and what replaces it. It is read as text, so that its key decides what it
/// means, and whether it would be valid with quotes.
fn without_quotes(
    key: Option<&'static Key>,
    value: &str,
    state: &Path,
) -> (String, Option<String>) {
    let item = Spanned::new(0..value.len(), DeValue::String(value.into()));
    match key.and_then(|key| value::judge(key, &item, state)) {
        None => ("put quotes around it".to_owned(), Some(quoted(value))),
        Some((_, Some(meant))) => (format!("write {meant}"), Some(meant)),
        Some((help, None)) => (help, None),
    }
}

/// What was copied from a page may have these.
fn is_without_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// The line with straight quotes and plain spaces, and without characters of no width outside of the quotes: inside, they
/// join letters and emoji.
fn straight(line: &str) -> String {
    let (mut straight, mut quote) = (String::with_capacity(line.len()), None);
    for c in line.chars() {
        let plain = match c {
            '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '＂' => '"',
            '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => '\'',
            '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' => ' ',
            c => c,
        };
        match quote {
            None if is_without_width(c) => continue,
            None if matches!(plain, '"' | '\'') => quote = Some(plain),
            Some(open) if plain == open => quote = None,
            _ => {}
        }
        straight.push(plain);
    }
    straight
}

/// The error for a line with quotes or spaces that are typographic, or characters of no width, as word processors write them.
fn typographic(line: &str, start: usize) -> Option<Diagnostic> {
    let fixed = straight(line);
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
    let meant = straight(part);
    // In the comment they are no mistake.
    let mut kept = meant.chars();
    let first = part.chars().find(|c| Some(*c) != kept.next())?;
    let suggestion = meant.trim().to_owned();
    let span = start + from..start + from + part.len();
    let (what, help) = match is_without_width(first) {
        true => ("not visible", "remove it"),
        false => ("a typographic character", "write straight quotes and plain spaces"),
    };
    let error = Diagnostic::error("syntax", span, format!("{first:?} is {what}")).help(help);
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

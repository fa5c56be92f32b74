//! Printing: results to standard output, everything else to standard error. Text and tables are fitted to the width of a
//! terminal; output that goes elsewhere is printed as it is.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use crossterm::terminal;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

use super::exit::{CommandError, Exit};
use crate::config;
use crate::model::Coded;

/// Coloured on a terminal that has colours, unless `NO_COLOR` is set.
pub(super) fn style(stream: &impl io::IsTerminal) -> config::Style {
    if stream.is_terminal() && has_escapes() {
        config::Style::Coloured
    } else {
        config::Style::Plain
    }
}

/// Prints an error with its help and its code. Returns its exit code.
pub(super) fn report(error: &impl Coded) -> Exit {
    let mut text = format!("newswire: {error}\n");
    if let Some(help) = error.help() {
        text.push_str(&format!("  help: {help}\n"));
    }
    text.push_str(&explain_line(error.code()));
    print_error(&text);
    Exit::of(error)
}

/// As [`report`], for `map_err`.
pub(super) fn failed(error: impl Coded) -> Exit {
    report(&error)
}

/// The line that refers to `newswire explain`.
pub(super) fn explain_line(code: &str) -> String {
    format!("  more: newswire explain {code}\n")
}

/// The first error of standard output; `None`: there was none. A closed pipe is not an error: it ends the output.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Standard output. Its users may ignore errors, because [`after_output`] reports the first one.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandardOutput;

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).inspect_err(keep_failure)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().inspect_err(keep_failure)
    }
}

/// Keeps an error of standard output for [`after_output`].
pub(super) fn keep_failure(error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) {
        return;
    }
    let copy = match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    };
    FAILURE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(copy);
}

/// The exit code of a command that ended with `exit`. If its output could not be written, that is reported, and is the
/// exit code of a command that was otherwise successful.
pub(super) fn after_output(exit: Exit) -> Exit {
    let failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(failure) = failure else { return exit };
    let failed = report(&CommandError::Stdio(failure));
    if exit == Exit::Ok { failed } else { exit }
}

/// Prints to standard output. See [`StandardOutput`] for errors.
pub(super) fn print(text: &str) {
    let mut out = StandardOutput;
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints text for people to standard output: fitted to the width of a terminal.
pub(super) fn print_text(text: &str) {
    match width(&io::stdout()) {
        Some(width) => print(&folded(text, width)),
        None => print(text),
    }
}

/// Prints to standard error, with user names and passwords in URLs masked.
pub(super) fn print_error(text: &str) {
    let mut shown = text.to_owned();
    config::redact_logins(&mut shown);
    if let Some(width) = width(&io::stderr()) {
        shown = folded(&shown, width);
    }
    let _ = io::stderr().write_all(shown.as_bytes());
}

/// The text as one word of a shell, with quotes if it needs them.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/%+,@".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Narrowest width that output is fitted to, in columns; the lines of a narrower terminal are broken by it.
const NARROWEST: usize = 20;
/// Least width of a shortened name, in columns.
const SHORTEST_NAME: usize = 12;

/// Whether output on a terminal may have escape sequences, such as colours.
pub(super) fn has_escapes() -> bool {
    may_have_escapes(std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
}

fn may_have_escapes(no_color: Option<OsString>, term: Option<OsString>) -> bool {
    no_color.is_none() && term.is_none_or(|term| term != "dumb")
}

/// Width of the terminal behind a stream, in columns; `None`: the stream is not a terminal.
pub(super) fn width(stream: &impl IsTerminal) -> Option<usize> {
    let (columns, _) = stream.is_terminal().then(terminal::size)?.ok()?;
    fitted_width(columns)
}

/// The width for a terminal with this number of columns; zero columns: it is unknown.
fn fitted_width(columns: u16) -> Option<usize> {
    (columns > 0).then(|| usize::from(columns).max(NARROWEST))
}

/// The text with its long lines broken between words. A line of columns continues below its last column. A command for
/// copying stays in one line.
pub(super) fn folded(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| folded_line(line, width)).collect()
}

fn folded_line(line: &str, width: usize) -> String {
    let content = line.trim_end_matches('\n');
    let is_command = content.trim_start().starts_with("newswire ");
    if is_command || columns(content) <= width {
        return line.to_owned();
    }
    if let Some((before, command)) = line.split_once(": newswire ") {
        let indent = indent(content, width);
        return format!(
            "{}\n{:indent$}newswire {command}",
            folded_line(&format!("{before}:"), width),
            ""
        );
    }
    let indent = indent(content, width);
    let (head, rest) = content.split_at(first_break(content, indent));
    let (mut folded, mut used) = (head.to_owned(), columns(head));
    for word in rest.split_inclusive(' ') {
        let size = columns(word.trim_end());
        if used + size > width && used > indent {
            folded.truncate(folded.trim_end().len());
            folded.push('\n');
            folded.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        }
        folded.push_str(word);
        used += columns(word);
    }
    folded.push_str(&line[content.len()..]);
    folded
}

/// Column in which a broken line continues: below its last column in the left half of the terminal, else two columns to the
/// right of its begin.
fn indent(line: &str, width: usize) -> usize {
    let leading = line.len() - line.trim_start_matches(' ').len();
    let (mut column, mut spaces, mut last) = (0, 0, None);
    for c in line.chars() {
        if c != ' ' && spaces >= 2 && column > leading && column <= width / 2 {
            last = Some(column);
        }
        spaces = if c == ' ' { spaces + 1 } else { 0 };
        column += c.width().unwrap_or(0);
    }
    last.unwrap_or(leading + 2)
}

/// The byte at this column, or the end.
fn first_break(line: &str, column: usize) -> usize {
    let mut at = 0;
    for (byte, c) in line.char_indices() {
        if at >= column {
            return byte;
        }
        at += c.width().unwrap_or(0);
    }
    line.len()
}

/// Width of a text without escape sequences, in columns.
fn columns(text: &str) -> usize {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().map_or(0, UnicodeWidthStr::width);
    let rest = parts.map(|part| part.split_once(|c: char| c.is_ascii_alphabetic()));
    first + rest.map(|part| part.map_or(0, |(_, text)| text.width())).sum::<usize>()
}

/// Width of the longest line, in columns.
pub(super) fn widest(text: &str) -> usize {
    text.lines().map(columns).max().unwrap_or(0)
}

/// The text cut to this many columns, with a mark at its end.
pub(super) fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= room {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// A table without lines. Where it is wider than the terminal, the names in the first column are shortened, and then
/// cells are broken.
pub(super) fn table(heading: &[&str], rows: &[(&str, Vec<Cell>)], width: Option<usize>) -> String {
    let fitted = fitted_table(heading, rows, width);
    fitted.unwrap_or_else(|| with_short_names(heading, rows, (SHORTEST_NAME, width)))
}

/// The same; `None`: cells would be broken.
pub(super) fn fitted_table(
    heading: &[&str],
    rows: &[(&str, Vec<Cell>)],
    width: Option<usize>,
) -> Option<String> {
    let whole = drawn(heading, rows, None);
    let Some(width) = width.filter(|width| widest(&whole) > *width) else { return Some(whole) };
    let longest = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    // The last column is followed by a space.
    let room = (longest + width).saturating_sub(widest(&whole) + 1);
    (room >= SHORTEST_NAME).then(|| with_short_names(heading, rows, (room, Some(width))))
}

fn with_short_names(
    heading: &[&str],
    rows: &[(&str, Vec<Cell>)],
    (room, width): (usize, Option<usize>),
) -> String {
    let names: Vec<String> = rows.iter().map(|(name, _)| shortened(name, room)).collect();
    let rows = rows.iter().zip(&names).map(|((_, cells), name)| (name.as_str(), cells.clone()));
    drawn(heading, &rows.collect::<Vec<_>>(), width)
}

fn drawn(heading: &[&str], rows: &[(&str, Vec<Cell>)], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !has_escapes() {
        table.force_no_tty();
    }
    if let Some(width) = width.and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(heading.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for (name, cells) in rows {
        table.add_row([Cell::new(name)].into_iter().chain(cells.iter().cloned()));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_below_their_last_column() {
        for (text, folded_text) in [
            ("short\n", "short\n"),
            ("one two three four\n", "one two\n  three\n  four\n"),
            ("  a  one two three\n", "  a  one\n     two\n     three\n"),
            ("  newswire run --listen x\n", "  newswire run --listen x\n"),
            ("try for it: newswire run -x y\n", "try for\n  it:\n  newswire run -x y\n"),
            ("https://a.test/long x", "https://a.test/long\n  x"),
        ] {
            assert_eq!(folded(text, 10), folded_text);
        }
        let coloured = "\u{1b}[1mone\u{1b}[0m two thr";
        assert_eq!(folded(coloured, 11), coloured);
    }

    #[test]
    fn no_escape_sequences_are_printed_where_they_are_not_wanted() {
        let text = |text: &str| Some(OsString::from(text));
        assert!(may_have_escapes(None, None) && may_have_escapes(None, text("xterm")));
        assert!(!may_have_escapes(text("1"), text("xterm")));
        assert!(!may_have_escapes(None, text("dumb")));
    }

    #[test]
    fn a_very_narrow_terminal_is_not_a_wide_one() {
        let widths = [0, 1, 39, 40, 200].map(fitted_width);
        assert_eq!(widths, [None, Some(NARROWEST), Some(39), Some(40), Some(200)]);
    }

    #[test]
    fn a_table_that_is_too_wide_shortens_its_names_only() {
        let row = |name: &'static str| (name, vec![Cell::new("42 items"), Cell::new("in 6h")]);
        let rows = [row("blog.example.org-feed.xml"), row("b")];
        let heading = ["FEED", "ITEMS", "NEXT"];
        let whole = table(&heading, &rows, None);
        assert_eq!(table(&heading, &rows, Some(80)), whole);
        let narrow = table(&heading, &rows, Some(40));
        assert!(widest(&narrow) <= 40 && narrow.lines().count() == 3, "{narrow}");
        let line = narrow.lines().nth(1).unwrap();
        assert!(line.starts_with(" blog.example.org-"), "{narrow}");
        assert!(line.ends_with("…  42 items  in 6h"), "{narrow}");
    }
}

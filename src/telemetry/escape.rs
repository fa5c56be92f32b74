//! Escapes for log lines, so that no feed can end a line, colour a terminal or turn text round.

use std::fmt;
use std::io;

use crate::text::bidi;

/// Whether the character could end a line, control a terminal or change the text direction: C0, DEL, C1,
/// the separators of lines and paragraphs, and the characters of UAX 9.
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || bidi::is_control(c)
        || bidi::is_mark(c)
        || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A field of a log line for people: ` name=value`. Text with spaces or quotes is quoted. The event is
/// left out, because the message names it.
pub(super) fn readable(name: &str, value: impl fmt::Debug) -> String {
    if name == "event" {
        return String::new();
    }
    let value = format!("{value:?}");
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let is_word = |text: &&str| !text.is_empty() && !text.contains([' ', '"', '\\']);
    format!(" {name}={}", inner.filter(is_word).unwrap_or(&value))
}

/// Writes text for people and for the journal, with hostile characters as `\n` or `\u{202e}`.
pub(super) struct Plain<W>(pub(super) W);

impl<W: fmt::Write> fmt::Write for Plain<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(is_hostile) {
            match part.chars().next_back().filter(|c| is_hostile(*c)) {
                Some(c) => {
                    self.0.write_str(&part[..part.len() - c.len_utf8()])?;
                    write!(self.0, "{}", c.escape_default())?;
                }
                None => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// Writes JSON with hostile characters as `\u202e`, which means the same. Each call gets whole objects.
pub(super) struct Json<W>(pub(super) W);

impl<W: io::Write> io::Write for Json<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Hostile characters are only inside strings; JSON writers leave DEL and non-ASCII ones as they are.
        let hostile = |c: char| !c.is_ascii() && is_hostile(c) || c == '\u{7f}';
        match std::str::from_utf8(bytes).ok().filter(|text| text.contains(hostile)) {
            Some(text) => {
                let mut escaped = String::with_capacity(text.len() + 16);
                for c in text.chars() {
                    if hostile(c) {
                        escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
                    } else {
                        escaped.push(c);
                    }
                }
                self.0.write_all(escaped.as_bytes())?;
            }
            None => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

//! Keeps a log line one line, whatever bytes a feed or an address has: what would end it, colour it
//! or turn it round is written out. Leaves the shape of a line to whoever writes through it.

use std::fmt;
use std::io;

use crate::text::bidi;

/// Whether a character could end a line, command a terminal or turn text round: the controls C0, DEL
/// and C1, the separators of lines and paragraphs, and the marks for direction (UAX 9).
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || bidi::is_control(c)
        || bidi::is_mark(c)
        || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Text for people and for the journal: `\n`, `\u{202e}`.
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

/// JSON: what its writer let stand is written as `\u202e`, which means the same. Whoever writes
/// through it gives a whole object at once.
pub(super) struct Json<W>(pub(super) W);

impl<W: io::Write> io::Write for Json<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Beyond ASCII they stand inside strings alone; of ASCII only the end of the line is left.
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

//! Decodes the bytes that a terminal sends to keys. Pure; unknown sequences become [`Key::Other`].

use super::view::Key;

/// Decodes the bytes of one read; terminals send the bytes of one key together.
pub(super) fn read(bytes: &[u8]) -> Vec<Key> {
    let text = String::from_utf8_lossy(bytes);
    let (mut keys, mut rest) = (Vec::new(), &*text);
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        keys.push(match first {
            '\u{1b}' => match rest.strip_prefix(['[', 'O']) {
                Some(sequence) => {
                    let (key, behind) = sequenced(sequence);
                    rest = behind;
                    key
                }
                None => Key::Back,
            },
            // Ctrl-C and Ctrl-D, which cause no signal in raw mode.
            '\u{3}' | '\u{4}' => Key::Leave,
            '\r' | '\n' => Key::Enter,
            '\u{7f}' | '\u{8}' => Key::Erase,
            c if c.is_control() => Key::Other,
            c => Key::Letter(c),
        });
    }
    keys
}

/// Decodes a control sequence (ECMA-48 5.4): parameters and one final byte.
fn sequenced(sequence: &str) -> (Key, &str) {
    let end = sequence.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(sequence.len());
    let (parameters, rest) = sequence.split_at(end);
    let Some(last) = rest.chars().next() else { return (Key::Other, "") };
    let key = match (last, parameters) {
        ('A', _) => Key::Scroll(-1),
        ('B', _) => Key::Scroll(1),
        ('H', _) | ('~', "1" | "7") => Key::Scroll(isize::MIN),
        ('F', _) | ('~', "4" | "8") => Key::Scroll(isize::MAX),
        ('~', "5") => Key::Scroll(-20),
        ('~', "6") => Key::Scroll(20),
        _ => Key::Other,
    };
    (key, &rest[last.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_from_the_sequences_of_terminals() {
        assert_eq!(read(b"q/\x1b"), [Key::Letter('q'), Key::Letter('/'), Key::Back]);
        assert_eq!(read(b"\x1b[A\x1bOB\x1b[6~"), [-1, 1, 20].map(Key::Scroll));
        assert_eq!(
            read("ü\r\x7f\x03".as_bytes()),
            [Key::Letter('ü'), Key::Enter, Key::Erase, Key::Leave]
        );
    }

    #[test]
    fn unknown_sequences_are_no_keys() {
        assert_eq!(read(b"\x1b[1;5Zx"), [Key::Other, Key::Letter('x')]);
        assert_eq!(read(b"\x1b[12"), [Key::Other]);
        assert_eq!(read(b""), []);
    }
}

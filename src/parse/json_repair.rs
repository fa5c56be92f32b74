//! Repairs JSON that a template wrote without a library: control characters in strings, invalid escapes, a comma after
//! the last value, `NaN`, comments, numbers that are too large, and a document that ends early. Also halves of
//! surrogate pairs, which `JSON.stringify` writes for a text that was cut within an emoji. What is behind the document is
//! left as it is.

/// A document that can be read again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repaired {
    pub(super) text: String,
    /// Whether the end is missing. The items before it are kept.
    pub(super) is_cut: bool,
}

/// The repaired document; `None` if there is nothing to repair.
pub(super) fn repaired(text: &str) -> Option<Repaired> {
    let mut reader = Reader { out: String::with_capacity(text.len() + 64), ..Reader::default() };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken =
            if reader.in_string { reader.inside(first, rest) } else { reader.outside(first, rest) };
        rest = &rest[taken..];
        if reader.is_complete {
            reader.out.push_str(rest);
            break;
        }
    }
    let Reader { mut out, open, last_item, .. } = reader;
    let is_cut = !open.is_empty();
    if is_cut {
        out.truncate(last_item?);
        out.push_str("]}");
    }
    (out != text).then_some(Repaired { text: out, is_cut })
}

#[derive(Default)]
struct Reader {
    out: String,
    in_string: bool,
    /// The brackets that are open, outermost first.
    open: Vec<char>,
    /// Length of the output after the last complete object in a list of the outermost object.
    last_item: Option<usize>,
    /// Whether the outermost value was closed.
    is_complete: bool,
}

impl Reader {
    /// Writes the next part of a string. Returns the number of bytes read.
    fn inside(&mut self, first: char, rest: &str) -> usize {
        match first {
            '"' => self.in_string = false,
            '\\' => return self.escape(rest),
            '\n' => return self.replace(first, "\\n"),
            '\r' => return self.replace(first, "\\r"),
            '\t' => return self.replace(first, "\\t"),
            control if control < ' ' => {
                return self.replace(first, &format!("\\u{:04x}", u32::from(control)));
            }
            _ => {}
        }
        self.out.push(first);
        first.len_utf8()
    }

    fn escape(&mut self, rest: &str) -> usize {
        let Some(escaped) = rest.chars().nth(1) else { return 1 };
        let taken = match (escaped, code_unit(rest)) {
            ('u', Some(0xd800..=0xdbff))
                if matches!(code_unit(&rest[6..]), Some(0xdc00..=0xdfff)) =>
            {
                12
            }
            // Half of a pair is no character. RFC 8259 8.2
            ('u', Some(0xd800..=0xdfff)) => {
                self.out.push_str("\\ufffd");
                return 6;
            }
            ('u', Some(_)) => 6,
            _ if "\"\\/bfnrt".contains(escaped) => 2,
            // `\'` of JavaScript: the character is meant.
            _ => return 1,
        };
        self.out.push_str(&rest[..taken]);
        taken
    }

    fn replace(&mut self, first: char, with: &str) -> usize {
        self.out.push_str(with);
        first.len_utf8()
    }

    /// Writes the next part outside of strings. Returns the number of bytes read.
    fn outside(&mut self, first: char, rest: &str) -> usize {
        // Checked in this order, so that hostile input does not cause many searches for the end.
        if first == '/'
            && self.may_begin_comment()
            && let Some(length) = comment(rest)
        {
            return length;
        }
        match first {
            '"' => self.in_string = true,
            '{' | '[' => self.open.push(first),
            '}' | ']' => {
                self.open.pop();
                self.is_complete = self.open.is_empty();
            }
            ',' if after_blanks(&rest[1..]).starts_with(['}', ']']) => return 1,
            '0'..='9' => return self.number(rest),
            'N' | 'I' | '-' => {
                let word =
                    ["NaN", "Infinity", "-Infinity"].iter().find(|word| rest.starts_with(**word));
                if let Some(word) = word {
                    self.out.push_str("null");
                    return word.len();
                }
                if first == '-' {
                    return self.number(rest);
                }
            }
            _ => {}
        }
        self.out.push(first);
        if first == '}' && self.open == ['{', '['] {
            self.last_item = Some(self.out.len());
        }
        first.len_utf8()
    }

    /// Writes a number. One that is too large is written as a string, because it may be an id.
    fn number(&mut self, rest: &str) -> usize {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let number = &rest[..rest.find(|c: char| !is_part(c)).unwrap_or(rest.len())];
        let is_too_large = number.parse::<f64>().is_ok_and(f64::is_infinite);
        let quote = if is_too_large { "\"" } else { "" };
        self.out.extend([quote, number, quote]);
        number.len()
    }

    /// Whether `//` or `/*` begins a comment here. After a string without its escapes, it may be a part of a URL.
    fn may_begin_comment(&self) -> bool {
        let before = self.out.chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}'))
    }
}

/// Length of the comment that the text begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let inside = text.strip_prefix("/*")?;
    Some(inside.find("*/").map_or(text.len(), |end| end + "/**/".len()))
}

/// The text after white space and comments.
fn after_blanks(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(length) = comment(rest) {
        rest = rest[length..].trim_start();
    }
    rest
}

/// The code unit of UTF-16 that `text` begins with, as an escape of four hexadecimal digits.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    // A sign is a number for Rust, not for JSON.
    let digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_needs_no_repair() {
        for text in [
            r#"{"a": ["\u00e9\ud83d\uDE00\n\"", -1, {"b": null}], "c": "NaN, ]"}"#,
            r#"{"a": "https://e.org/ /* x */ // y 1e400 ,]", "b": [0, -1.5e300, 1E-999]}"#,
            "{}",
            "",
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    #[test]
    fn mistakes_of_templates_are_repaired() {
        for (text, expected) in [
            ("{\"a\": \"x\ny\tz\u{1}\"}", r#"{"a": "x\ny\tz\u0001"}"#),
            (r#"{"a": "it\'s \d \u12"}"#, r#"{"a": "it's d u12"}"#),
            (r#"{"a": "\ud83dx\ude00\u00e9"}"#, r#"{"a": "\ufffdx\ufffd\u00e9"}"#),
            (r#"{"a": "\ud83d\ud83d\ude00"}"#, r#"{"a": "\ufffd\ud83d\ude00"}"#),
            (r#"{"a": [1, 2, ], }"#, r#"{"a": [1, 2 ] }"#),
            (r#"{"a": NaN, "b": -Infinity}"#, r#"{"a": null, "b": null}"#),
            ("// x {\n{\"a\": 1, // \"b\"\n\"c\": 2}", "\n{\"a\": 1, \n\"c\": 2}"),
            (r#"{/* { */"a": [1, /* "[ */ 2, /**/ ]} // end"#, r#"{"a": [1,  2  ]} // end"#),
            (r#"{"a": 1e400, "b": [-1E+999]}"#, r#"{"a": "1e400", "b": ["-1E+999"]}"#),
            (r#"{"a": [1,]}<script>a = {"</script>"#, r#"{"a": [1]}<script>a = {"</script>"#),
        ] {
            let found = repaired(text).unwrap();
            assert_eq!((found.text.as_str(), found.is_cut), (expected, false), "{text}");
        }
    }

    #[test]
    fn a_document_that_ends_early_keeps_its_complete_items() {
        let whole = r#"{"items": [{"id": "1", "tags": [{}]}, {"id": "2"}"#;
        let expected = format!("{whole}]}}");
        for end in ["", ",", r#", {"id": "3", "ti"#, r#", {"a": [1"#] {
            let found = repaired(&format!("{whole}{end}")).unwrap();
            assert_eq!((found.text.as_str(), found.is_cut), (expected.as_str(), true), "{end}");
        }
        assert_eq!(repaired(r#"{"items": [{"id": "1"#), None);
    }
}

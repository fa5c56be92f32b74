//! Hides secrets in the lines of a config that messages quote, also if the config is broken there.
//!
//! A broken file cannot be parsed, so this scans words and lines: values after names that sound secret, and
//! logins in URLs, are hidden. It hides too much rather than too little. Positions do not change.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::definition::Kind;
use super::keys::KEYS;
use super::secret::REFERENCES;

/// `//user:password@`, and `user:password@` without the slashes.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    let login = r#"//(?P<a>[^\s/"'@]*(?::[^\s"']*)?)@|(?P<b>[^\s/"'@:=<\[{(,]+:[^\s/"'@]+)@"#;
    Regex::new(login).expect("a constant is a regular expression")
});
/// A port and a path with an `@` in it, as on Mastodon, are not a login.
static PORT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[^:/]*:\d{1,5}/").expect("a constant is a regular expression"));
/// Parts of names that sound secret.
const SECRET: &[&str] = &[
    "auth",
    "token",
    "secret",
    "pass",
    "pwd",
    "cookie",
    "bearer",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "headers",
    "login",
];

/// Replaces the logins in URLs of a text by `***`.
pub fn logins(text: &mut String) {
    for span in login_spans(text).into_iter().rev() {
        text.replace_range(span, "***");
    }
}

fn login_spans(text: &str) -> Vec<Range<usize>> {
    if !text.contains('@') {
        return Vec::new();
    }
    let login = |found: regex::Captures<'_>| {
        let part = found.name("a").or_else(|| found.name("b"))?;
        let login = part.as_str();
        let other = login.is_empty() || PORT.is_match(login) || login == "mailto";
        (!other && !login.starts_with("mailto:")).then(|| part.range())
    };
    LOGIN.captures_iter(text).filter_map(login).collect()
}

/// The text of a config with its secrets replaced by as many bytes.
#[must_use]
pub fn config(text: &str) -> String {
    let mut spans = login_spans(text);
    spans.extend(Scan::of(text).spans);
    let mut redacted = text.to_owned();
    for span in spans {
        let cover: String = text[span.clone()].chars().map(cover).collect();
        redacted.replace_range(span, &cover);
    }
    redacted
}

/// A replacement with the same number of bytes, so that positions stay the same.
fn cover(c: char) -> char {
    match c.len_utf8() {
        _ if c == '\n' || c == '\r' => c,
        1 => '*',
        2 => '×',
        3 => '•',
        _ => '🞶',
    }
}

/// Whether a value with this name may be a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let secret = |kind| matches!(kind, Kind::Secret | Kind::Secrets);
    if REFERENCES.contains(&name.as_str())
        || KEYS.iter().any(|key| key.name == name && !secret(key.kind))
    {
        return false;
    }
    let length = name.chars().count();
    // Texts whose lengths differ by more are not compared: this runs for each word of a config.
    let near = |known: &str| {
        length > 3 && known.len().abs_diff(length) <= 2 && strsim::osa_distance(&name, known) <= 2
    };
    SECRET.iter().any(|word| name.contains(word))
        || KEYS.iter().any(|key| secret(key.kind) && near(key.name))
}

/// A scan of a config line by line.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    spans: Vec<Range<usize>>,
}

/// What is known of the value that a scan is in.
#[derive(Clone, Copy)]
struct Pair {
    secret: bool,
    /// Its name is "header", which is a key for a file, but elsewhere a field of requests: "X-Key: secret".
    field: bool,
    /// The value names where the secret is.
    reference: bool,
    /// Number of open brackets.
    depth: i32,
}

impl<'t> Scan<'t> {
    fn of(text: &'t str) -> Self {
        let mut scan = Self { text, at: 0, spans: Vec::new() };
        let mut secret_table = false;
        while scan.at < text.len() {
            let line = scan.line();
            if line.trim_start().starts_with('[') {
                let end = line.find([']', '=']).unwrap_or(line.len());
                secret_table = line[..end].split(|c: char| "[]. \"'\t".contains(c)).any(is_secret);
                scan.at += end;
            }
            scan.pair(Pair { secret: secret_table, field: false, reference: false, depth: 0 });
            scan.at += 1;
        }
        scan
    }

    /// The rest of the line.
    fn line(&self) -> &'t str {
        let rest = &self.text[self.at..];
        &rest[..rest.find('\n').unwrap_or(rest.len())]
    }

    /// Scans a key and its value, which may have several lines.
    fn pair(&mut self, mut pair: Pair) {
        while let Some(c) = self.text[self.at..].chars().next() {
            match c {
                '\n' if pair.depth <= 0 => return,
                '#' => {
                    let comment = self.line();
                    if comment.split(|c: char| !c.is_alphanumeric()).any(is_secret) {
                        self.spans.push(self.at + 1..self.at + comment.len());
                    }
                    self.at += comment.len();
                }
                '"' | '\'' => {
                    let (inner, length) = quoted(&self.text[self.at..]);
                    self.word(inner, length, &mut pair);
                }
                c if c.is_whitespace() || "=,.:".contains(c) => self.at += c.len_utf8(),
                '{' | '[' | '}' | ']' => {
                    pair.depth += if matches!(c, '{' | '[') { 1 } else { -1 };
                    self.at += 1;
                }
                _ => {
                    let rest = &self.text[self.at..];
                    let end = |c: char| c.is_whitespace() || "=,{}[]\"'#".contains(c);
                    let length = rest.find(end).unwrap_or(rest.len()).max(c.len_utf8());
                    self.word(0..length, length, &mut pair);
                }
            }
        }
    }

    /// Scans a word: a name, if `=` follows or a line begins, or a value.
    fn word(&mut self, inner: Range<usize>, length: usize, pair: &mut Pair) {
        let word = &self.text[self.at + inner.start..self.at + inner.end];
        let follows = self.text[self.at + length..].trim_start_matches([' ', '\t']);
        let before = self.text[..self.at].rsplit('\n').next().unwrap_or_default();
        if follows.starts_with('=') || pair.depth <= 0 && before.trim().is_empty() {
            pair.reference = word.rsplit('.').next().is_some_and(|name| REFERENCES.contains(&name));
            pair.secret |= word.split('.').any(is_secret);
            pair.field |= word.eq_ignore_ascii_case("header");
        } else if (pair.secret || pair.field && word.contains(':')) && !pair.reference {
            self.spans.push(self.at + inner.start..self.at + inner.end);
        }
        self.at += length;
    }
}

/// The range between the quotes at the beginning of `text`, and the length with them. A string that is not
/// closed ends with its line, a multi-line string with the text.
fn quoted(text: &str) -> (Range<usize>, usize) {
    let quote = &text[..1];
    let long = quote.repeat(3);
    if text.starts_with(&long) {
        let end = text[3..].find(&long).map(|end| end + 3);
        return end.map_or((3..text.len(), text.len()), |end| (3..end, end + 3));
    }
    let line = &text[..text.find('\n').unwrap_or(text.len())];
    let mut escaped = false;
    for (at, c) in line.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == "\"" => escaped = true,
            _ if quote.starts_with(c) => return (1..at, at + 1),
            _ => {}
        }
    }
    (1..line.len(), line.len())
}

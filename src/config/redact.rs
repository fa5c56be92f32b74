//! Hides secrets in the lines of a config that messages quote, also if the config is broken there.
//!
//! A broken file cannot be parsed, so this scans words and lines: values after names that sound secret or that no key
//! has, and logins in addresses, are hidden. It hides too much rather than too little. Positions do not change.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::definition::{Key, Kind, Section};
use super::keys::KEYS;
use super::secret::REFERENCES;
use super::suggest::is_typing_error;

/// `"user:password@` with spaces, `//user:password@`, and `user:password@` without quotes and slashes.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    let quoted = r#""(?:[A-Za-z0-9+.-]*:?//)?(?P<quoted>[^"/@:\n]*:[^"\s/][^"\n]*)@"#;
    let url = r#"//(?P<url>[^\s/"'@]*(?::[^\s"']*)?)@"#;
    let bare = r#"(?P<bare>[^\s/"'@:=<\[{(,]+:[^\s/"'@]+)@"#;
    let login = format!("{quoted}|{url}|{bare}");
    Regex::new(&login).expect("a constant is a regular expression")
});
/// A host that is hardly a part of a password.
const NAMED: &str = r"(?:localhost|\[[0-9A-Fa-f:.]+\]|[^:/?#\\@\s]+\.[^:/?#\\@\s]+)";
/// What can follow a host: each colon belongs to a scheme, or to a login that [`NESTED`] finds; any other may be
/// in a password.
static AFTER_HOST: LazyLock<String> =
    LazyLock::new(|| format!(r"(?:[^:]|://(?:[^/?#\\\s@]+@{NAMED}(?::\d{{0,5}})?[/?#\\])?)*"));
/// A host with its port, or the begin of a path: an `@` behind it, as on Mastodon, does not end a login (RFC 3986 3.2; the
/// backslash is a slash in the URL standard, and ends a domain of Windows).
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    let begin = r"[^:/?#\\@\s]+(?::\d{1,5})?/";
    let scheme = r"(?:[A-Za-z0-9+.-]+://)?";
    let host = format!(r"(?P<host>{scheme}(?:{begin}|{NAMED}[?#])|/[^/])");
    let after = AFTER_HOST.as_str();
    let text =
        format!(r"^(?:{host}{after}(?:://[^/?#\\\s@]+)?|(?P<named>{scheme}{NAMED}\\)[^:]*)$");
    Regex::new(&text).expect("a constant is a regular expression")
});
/// A login before a host of several labels and a path whose last segment begins with the last `@`. Elsewhere a password
/// may have `@` and `/` too.
static BEFORE_HOST: LazyLock<Regex> = LazyLock::new(|| {
    let host = format!(r"{NAMED}(?::\d{{0,5}})?[/?#\\](?:{}/)?$", *AFTER_HOST);
    let login = format!(r"^(?:[A-Za-z0-9+.-]+://)?(?P<login>[^/?#\\\s]*)@{host}");
    Regex::new(&login).expect("a constant is a regular expression")
});
/// The login of a URL in another URL.
static NESTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"//(?P<login>[^/?#\\\s@]+)@").expect("a constant is a regular expression")
});
/// Parts of names that sound secret.
#[rustfmt::skip]
const SECRET: &[&str] = &[
    "auth", "token", "secret", "pass", "pwd", "cookie", "bearer", "credential", "apikey", "api-key", "api_key",
    "headers", "login",
];

/// Replaces the logins in URLs of a text by `***`.
pub fn logins(text: &mut String) {
    for span in login_spans(text).into_iter().rev() {
        text.replace_range(span, "***");
    }
}

fn login_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for found in LOGIN.captures_iter(text) {
        let form = ["quoted", "url", "bare"].iter().find_map(|form| found.name(form));
        let Some(part) = form.filter(|part| part.as_str().split(':').next() != Some("mailto"))
        else {
            continue;
        };
        let rest = match login_before(part.as_str()) {
            Err(host) => part.start() + host,
            Ok(login) if login.is_empty() => part.start(),
            Ok(login) => {
                let end = part.start() + login.end;
                spans.push(part.start() + login.start..end);
                end
            }
        };
        // A URL in the path or in the query may have a login too.
        let nested = NESTED.captures_iter(&text[rest..=part.end()]);
        let nested = nested.filter_map(|found| found.name("login"));
        spans.extend(nested.map(|login| rest + login.start()..rest + login.end()));
    }
    spans
}

/// The login in what is before the last `@`; `Err`: the length of the host, which ends before it.
fn login_before(text: &str) -> Result<Range<usize>, usize> {
    let login = BEFORE_HOST.captures(text).and_then(|found| found.name("login"));
    if let Some(login) = login {
        return Ok(login.range());
    }
    let found = HOST.captures(text);
    let host = found.as_ref().and_then(|found| found.name("host").or(found.name("named")));
    host.map_or(Ok(0..text.len()), |host| Err(host.end()))
}

/// The text of a config with its secrets replaced by as many bytes.
#[must_use]
pub fn config(text: &str) -> String {
    let mut is_hidden = vec![false; text.len()];
    for span in login_spans(text).into_iter().chain(Scan::of(text).spans) {
        is_hidden[span].fill(true);
    }
    text.char_indices().map(|(at, c)| if is_hidden[at] { cover(c) } else { c }).collect()
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

fn holds_secret(key: &Key) -> bool {
    matches!(key.kind, Kind::Secret | Kind::Secrets)
}

/// Whether it is exactly the name of a section, or of a key whose value is not secret.
fn is_public(name: &str) -> bool {
    REFERENCES.contains(&name)
        || Section::all().any(|section| section.name() == name)
        || KEYS.iter().any(|key| key.name == name && !holds_secret(key))
}

/// Whether a word of a text sounds like the name of a secret.
fn sounds_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
    words.any(|word| SECRET.iter().any(|part| word.contains(part)) && !is_public(word))
}

/// Whether a value with this name may be a secret: it is not, and does not probably mean, the name of another key.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let is_called = |key: &Key| key.aliases.contains(&name);
    let is_meant = |key: &Key| is_called(key) || is_typing_error(name, key.name);
    let is_known = || {
        KEYS.iter().any(|key| !holds_secret(key) && is_meant(key))
            && !KEYS.iter().any(|key| holds_secret(key) && is_called(key))
    };
    !is_public(name) && (sounds_secret(name) || !is_known())
}

/// Whether a value with this name may be an address with a login: it is not the text of a known key.
fn may_have_login(name: &str) -> bool {
    !KEYS.iter().any(|key| key.name == name && key.kind.format().contains("text"))
}

/// The part of a value that may be a login.
fn login(value: &str) -> Option<Range<usize>> {
    login_before(&value[..value.rfind('@')?]).ok()
}

/// A scan of a config line by line.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    spans: Vec<Range<usize>>,
}

/// What is known of the value that a scan is in.
#[derive(Clone, Copy, Default)]
struct Pair {
    secret: bool,
    /// Whether it may be an address with a login.
    login: bool,
    /// Its name is "header", which is a key for a file, but elsewhere a field of requests: "X-Key: secret".
    field: bool,
    /// The value names where the secret is.
    reference: bool,
    /// The value begins on the line after the name.
    continued: bool,
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
                secret_table = sounds_secret(&line[..end]);
                scan.at += end;
            }
            scan.pair(Pair { secret: secret_table, ..Pair::default() });
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
        // A login without quotes may have spaces.
        let unquoted = self.line().split(['"', '\'']).next().unwrap_or_default();
        let value = unquoted.split(" #").next().unwrap_or_default();
        let login_end = self.at + value.rfind('@').map_or(0, |at| at + 1);
        while let Some(c) = self.text[self.at..].chars().next() {
            match c {
                '\n' if pair.secret && self.text[..self.at].trim_end().ends_with('=') => {
                    pair.continued = true;
                    self.at += 1;
                }
                '\n' if pair.depth <= 0 => return,
                '#' => {
                    let comment = self.line();
                    if sounds_secret(comment) {
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
                    let length = match pair.login {
                        true => length.max(login_end.saturating_sub(self.at)),
                        false => length,
                    };
                    self.word(0..length, length, &mut pair);
                }
            }
        }
    }

    /// Scans a word: a name, before `=` or at the beginning of a line, or a value.
    fn word(&mut self, inner: Range<usize>, length: usize, pair: &mut Pair) {
        let word = &self.text[self.at + inner.start..self.at + inner.end];
        let follows = self.text[self.at + length..].trim_start_matches([' ', '\t']);
        let before = self.text[..self.at].rsplit('\n').next().unwrap_or_default();
        let is_bare = inner.start == 0;
        let is_name = match pair.depth > 0 {
            // JSON and YAML have colons.
            true => {
                let colon = follows.starts_with(':') || is_bare && word.ends_with(':');
                follows.starts_with('=') || colon && !pair.secret
            }
            // A second name on the line of another value; in a secret, `=` is padding of base64.
            false => {
                before.trim().is_empty() && !pair.continued
                    || follows.starts_with('=') && !pair.secret
            }
        };
        if is_name {
            let name = word.rsplit('.').next().unwrap_or_default();
            pair.reference = REFERENCES.contains(&name);
            pair.login = may_have_login(name);
            pair.secret |= word.split('.').any(is_secret);
            pair.field |= word.eq_ignore_ascii_case("header");
        } else if (pair.secret || pair.field && word.contains(':')) && !pair.reference {
            self.spans.push(self.at + inner.start..self.at + inner.end);
        } else if let Some(login) = login(word).filter(|_| pair.login) {
            let start = self.at + inner.start;
            self.spans.push(start + login.start..start + login.end);
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

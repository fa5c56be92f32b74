//! Keeps secrets out of what is quoted of a config, also of one that is broken on that very line.
//!
//! Reads the text as a person does, by lines and words, since there may be no other way to read it:
//! what stands behind a name that sounds secret, or in a login of an address, is veiled. Rather too
//! much than too little; places stay where they are, byte by byte and column by column.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::key;

/// `//user:password@`, and `user:password@` without the slashes.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    let login = r#"//(?P<a>[^\s/"'@]*(?::[^\s"']*)?)@|(?P<b>[^\s/"'@:=<\[{(,]+:[^\s/"'@]+)@"#;
    Regex::new(login).expect("a constant is a regular expression")
});
/// A port and a path with an `@` in it, as on Mastodon, are no login.
static PORT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[^:/]*:\d{1,5}/").expect("a constant is a regular expression"));
/// Where a secret is, which is none itself.
const WHERE: &[&str] = &["file", "credential", "env"];
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

/// Veils the logins of addresses in a text that is said, whatever its length becomes.
pub fn logins(text: &mut String) {
    for span in found(text).into_iter().rev() {
        text.replace_range(span, "***");
    }
}

fn found(text: &str) -> Vec<Range<usize>> {
    let login = |found: regex::Captures<'_>| {
        let part = found.name("a").or_else(|| found.name("b"))?;
        let none = part.is_empty() || PORT.is_match(part.as_str()) || part.as_str() == "mailto";
        let mail = part.as_str().starts_with("mailto:");
        (!none && !mail).then(|| part.range())
    };
    if !text.contains('@') {
        return Vec::new();
    }
    LOGIN.captures_iter(text).filter_map(login).collect()
}

/// The text of a config as it may be shown: as long as it was, with what is secret veiled.
pub(super) fn veiled(text: &str) -> String {
    let mut spans = found(text);
    spans.extend(Scan::of(text).spans);
    let mut hidden = text.to_owned();
    for span in spans {
        let veil: String = text[span.clone()].chars().map(cover).collect();
        hidden.replace_range(span, &veil);
    }
    hidden
}

/// As many bytes, so that every place stays.
fn cover(c: char) -> char {
    match c.len_utf8() {
        _ if c == '\n' || c == '\r' => c,
        1 => '*',
        2 => '×',
        3 => '•',
        _ => '🞶',
    }
}

/// Whether what stands behind this name may be a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if WHERE.contains(&name.as_str()) || key::is_open(&name) {
        return false;
    }
    let near = |known: &&str| strsim::osa_distance(&name, known) <= 2 && name.len() > 3;
    SECRET.iter().any(|word| name.contains(word)) || key::SECRETS.iter().any(near)
}

/// Goes through a config line by line, whether it is well-formed or not.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    spans: Vec<Range<usize>>,
}

impl<'t> Scan<'t> {
    fn of(text: &'t str) -> Self {
        let mut scan = Self { text, at: 0, spans: Vec::new() };
        let mut table = false;
        while scan.at < text.len() {
            let line = scan.line();
            if line.trim_start().starts_with('[') {
                let end = line.find([']', '=']).unwrap_or(line.len());
                table = line[..end].split(|c: char| "[]. \"'\t".contains(c)).any(is_secret);
                scan.at += end;
            }
            scan.pair(table);
            scan.at += 1;
        }
        scan
    }

    /// What is left of the line.
    fn line(&self) -> &'t str {
        let rest = &self.text[self.at..];
        &rest[..rest.find('\n').unwrap_or(rest.len())]
    }

    /// A key and its value, which may go on over several lines.
    fn pair(&mut self, table: bool) {
        let (mut secret, mut depth, mut open) = (table, 0_i32, false);
        while let Some(c) = self.text[self.at..].chars().next() {
            match c {
                '\n' if depth <= 0 => return,
                '#' => {
                    let comment = self.line();
                    if comment.split(|c: char| !c.is_alphanumeric()).any(is_secret) {
                        self.spans.push(self.at + 1..self.at + comment.len());
                    }
                    self.at += comment.len();
                }
                '"' | '\'' => {
                    let (inner, length) = quoted(&self.text[self.at..]);
                    self.word(inner, length, depth, (&mut secret, &mut open));
                }
                c if c.is_whitespace() || "=,.:".contains(c) => self.at += c.len_utf8(),
                '{' | '[' => {
                    depth += 1;
                    self.at += 1;
                }
                '}' | ']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => {
                    let rest = &self.text[self.at..];
                    let end = |c: char| c.is_whitespace() || "=,{}[]\"'#".contains(c);
                    let length = rest.find(end).unwrap_or(rest.len()).max(c.len_utf8());
                    self.word(0..length, length, depth, (&mut secret, &mut open));
                }
            }
        }
    }

    /// A word: a name, where a `=` follows or a line begins, or a value.
    fn word(
        &mut self,
        inner: Range<usize>,
        length: usize,
        depth: i32,
        (secret, open): (&mut bool, &mut bool),
    ) {
        let word = &self.text[self.at + inner.start..self.at + inner.end];
        let follows = self.text[self.at + length..].trim_start_matches([' ', '\t']);
        let before = self.text[..self.at].rsplit('\n').next().unwrap_or_default();
        if follows.starts_with('=') || depth <= 0 && before.trim().is_empty() {
            *open = word.rsplit('.').next().is_some_and(|name| WHERE.contains(&name));
            *secret |= word.split('.').any(is_secret);
        } else if *secret && !*open {
            self.spans.push(self.at + inner.start..self.at + inner.end);
        }
        self.at += length;
    }
}

/// What stands between the quotes at the beginning of `text`, and the length with them. A string
/// that nobody closes ends with its line, a long one with the text.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_secret_is_shown_wherever_it_stands() {
        for text in [
            "authorization = \"hunter2\"",
            "authorization = \"hunter2",
            "authorization = hunter2",
            "authorization : 'hunter2'",
            "authorisaton = \"x hunter2\" # x",
            "token=\"hunter2\" x",
            "fetch.authorization = { value = \"hunter2\" }",
            "authorization = { file = \"/etc/x\", value = \"hunter2\" }",
            "headers = { \"X-Key\" = \"hunter2\" }",
            "[fetch.headers]\nX-Key = \"hunter2\"",
            "[fetch.headers]\n\nX-Key = [\n\"x\",\n\"hunter2\"",
            "authorization = \"\"\"\nx\nhunter2\n\"\"\"",
            "authorization = \"\"\"\nhunter2",
            "password = \"hunter2\"",
            "feed = [{ url = \"https://a.b/\", autorization = \"hunter2\" }]",
            "interval = \"1h\" # the token is hunter2",
            "url = \"https://me:hunter2@a.b/\"",
            "url = \"https://hunter2@a.b/\"",
            "url = \"https://me:hun/hunter2@a.b/\"",
            "url = \"me:hunter2@a.b/\"",
            "url = https://me:hunter2@a.b/",
        ] {
            let veiled = veiled(text);
            assert!(!veiled.contains("hunter2"), "{veiled}");
            assert_eq!(veiled.len(), text.len());
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "interval = \"30m\" # often",
            "author = \"Planet\"",
            "authorization = { file = \"/etc/newswire/secret\" }",
            "token = { credential = \"planet\" } # x",
            "headers = { X-Key = { env = \"FEED_KEY\" } }",
            "url = \"https://mastodon.example/@ann\"",
            "url = \"https://mastodon.example:8080/@ann\"",
            "contact = \"mailto:ann@example.org\"",
            "contact = \"ann@example.org\"",
        ] {
            assert_eq!(veiled(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_veiled_to_its_own_length(text in r#"(?s)(token|=|"|'|\{|\[|\n|#|ä|.){0,60}"#) {
            prop_assert_eq!(veiled(&text).len(), text.len());
        }
    }
}

//! Text direction: the control characters of the Unicode bidirectional algorithm (UAX 9).

use std::borrow::Cow;

/// Nesting depth from which on embeddings and isolates are dropped. Unicode allows 125.
const MAX_DEPTH: usize = 16;

const FSI: char = '\u{2068}';
const PDF: char = '\u{202c}';
const PDI: char = '\u{2069}';

/// Whether the character opens or closes an embedding, an override or an isolate.
#[must_use]
pub fn is_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether the character is an invisible mark with a direction: LRM, RLM or ALM.
#[must_use]
pub fn is_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// The text with every embedding, override and isolate closed, and without closers of nothing, so
/// that it cannot change the direction of text that is shown after it.
///
/// UAX 9, 2.1 to 2.5: embeddings and overrides end with PDF, isolates with PDI.
#[must_use]
pub fn balanced(text: String) -> String {
    if text.is_ascii() || !text.contains(is_control) {
        return text;
    }
    let mut open: Vec<char> = Vec::new();
    let mut balanced = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let keep = match c {
            PDF => open.pop_if(|closer| *closer == PDF).is_some(),
            PDI => open.iter().rposition(|closer| *closer == PDI).is_some_and(|at| {
                open.truncate(at);
                true
            }),
            _ if !is_control(c) => true,
            _ if open.len() >= MAX_DEPTH => false,
            _ => {
                open.push(if c < PDI && c >= '\u{2066}' { PDI } else { PDF });
                true
            }
        };
        if keep {
            balanced.push(c);
        }
    }
    balanced.extend(open.into_iter().rev());
    balanced
}

/// Whether any part of the text is written from right to left.
#[must_use]
pub fn has_right_to_left(text: &str) -> bool {
    // In UTF-8 the first of these characters, U+0590, begins with D6.
    let any = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | (*byte >= 0xd6));
    if !text.as_bytes().chunks(256).any(any) {
        return false;
    }
    text.contains(is_right_to_left)
}

/// Whether the character is written from right to left, or makes the text behind it so.
#[must_use]
pub fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{200f}' | '\u{202b}' | '\u{202e}' | '\u{2067}'
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

/// Languages that are written from right to left, unless their tag names another script.
#[rustfmt::skip]
const LANGUAGES: &[&str] = &[
    "aeb", "ar", "arc", "arq", "ary", "arz", "azb", "bal", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "khw", "ks",
    "lrc", "mzn", "nqo", "pnb", "prs", "ps", "sd", "skr", "syr", "ug", "ur", "yi",
];
/// Scripts that run from right to left.
const SCRIPTS: &[&str] =
    &["adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"];

/// Whether a language tag (BCP 47) is of a language that is written from right to left.
#[must_use]
pub fn is_language_right_to_left(tag: &str) -> bool {
    let is_in = |list: &[&str], part: &str| list.iter().any(|it| it.eq_ignore_ascii_case(part));
    // A part of one letter begins an extension: `ar-u-nu-latn` has Latin digits.
    let mut parts = tag.split('-').take_while(|part| part.len() > 1);
    let language = parts.next().unwrap_or_default();
    let is_script = |part: &&str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_alphabetic());
    match parts.find(is_script) {
        Some(script) => is_in(SCRIPTS, script),
        None => is_in(LANGUAGES, language),
    }
}

/// A name and a title for the same line. If either has text from right to left, both are isolated
/// (FSI … PDI, UAX 9 2.4), so that neither changes the order of the other.
#[must_use]
pub fn isolated<'t>(name: &'t str, title: &'t str) -> (Cow<'t, str>, Cow<'t, str>) {
    if !has_right_to_left(name) && !has_right_to_left(title) {
        return (Cow::Borrowed(name), Cow::Borrowed(title));
    }
    let isolate = |text: &str| Cow::Owned(format!("{FSI}{text}{PDI}"));
    (isolate(name), isolate(title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_directions_are_closed_and_stray_closers_removed() {
        for (text, expected) in [
            ("a \u{202e}b", "a \u{202e}b\u{202c}"),
            ("\u{2067}x\u{202b}y", "\u{2067}x\u{202b}y\u{202c}\u{2069}"),
            ("x\u{202c}\u{2069}y", "xy"),
            ("\u{2067}x\u{2069} y", "\u{2067}x\u{2069} y"),
            ("\u{2066}a\u{202a}b\u{2069}c", "\u{2066}a\u{202a}b\u{2069}c"),
        ] {
            assert_eq!(balanced(text.to_owned()), expected, "{text:?}");
        }
    }

    #[test]
    fn names_and_titles_are_isolated_only_if_one_runs_from_right_to_left() {
        assert!(matches!(isolated("Größe", "Titel"), (Cow::Borrowed(_), Cow::Borrowed(_))));
        let (name, title) = isolated("Radio", "חדשות");
        assert_eq!((&*name, &*title), ("\u{2068}Radio\u{2069}", "\u{2068}חדשות\u{2069}"));
    }
}

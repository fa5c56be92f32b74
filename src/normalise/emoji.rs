//! Pictures that represent characters: emoji and smileys.

use super::tokens::Tag;

/// Parts of classes and URLs of images that represent characters.
const EMOJI: &[&str] = &["emoji", "smiley", "smilies", "smileys", "emoticon"];

/// Maximum side in pixels of an image that represents a character.
const MAX_EMOJI: u32 = 72;

/// Maximum side in pixels of an image with the size of a letter.
const MAX_LETTER: u32 = 32;

/// Whether an image represents a character, by its class or URL and its size.
pub(super) fn is_emoji_image(tag: &Tag<'_>) -> bool {
    let named = |name: &str| {
        let value = tag.attribute(name).unwrap_or_default().to_ascii_lowercase();
        EMOJI.iter().any(|word| value.contains(word))
    };
    let side = |name: &str| {
        let side = tag.attribute(name).unwrap_or_default();
        side.trim().trim_end_matches("px").parse::<u32>().unwrap_or_default()
    };
    // A file name such as `emoji-movie.jpg` is not evidence; a folder is.
    let folder = || {
        let src = tag.attribute("src").unwrap_or_default().to_ascii_lowercase();
        let folder = src.rsplit_once('/').map_or("", |(folder, _)| folder);
        EMOJI.iter().any(|word| folder.contains(word))
    };
    (named("class") || folder()) && side("width").max(side("height")) <= MAX_EMOJI
}

/// The character that an image represents.
pub(super) fn emoji(tag: &Tag<'_>) -> Option<String> {
    let alt = tag.attribute("alt")?.trim();
    let only_emoji = !alt.is_empty() && alt.chars().count() <= 12 && alt.chars().all(is_of_emoji);
    // `:-)`, but not `:custom:`.
    let face = || {
        (2..=4).contains(&alt.len())
            && alt.is_ascii()
            && !alt.contains(char::is_whitespace)
            && alt.contains(|c: char| c.is_ascii_punctuation())
            && !(alt.starts_with(':') && alt.ends_with(':'))
    };
    let is_it = only_emoji && !alt.is_ascii() || face();
    let small = || {
        let side =
            |name: &str| tag.attribute(name).and_then(|side| side.trim().parse::<u32>().ok());
        side("width").or_else(|| side("height")).is_some_and(|side| side <= MAX_LETTER)
    };
    (is_it && (is_emoji_image(tag) || only_emoji && small())).then(|| alt.to_owned())
}

/// Whether emoji are made of the character: symbols, joiners, variation selectors, flags and keycaps.
fn is_of_emoji(c: char) -> bool {
    matches!(c,
        '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' | '#' | '*' | '0'..='9' | '©' | '®'
        | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}' | '\u{e0020}'..='\u{e007f}')
}

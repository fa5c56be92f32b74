//! Scripts that put no spaces between words: the index has each two letters that follow each other, so that
//! any part of a word is found.

use std::borrow::Cow;

/// Whether words run into each other in the script of `c`.
pub(crate) fn is_dense(c: char) -> bool {
    match c {
        '\0'..='\u{e00}' => false,
        // Thai and Lao, without their signs for money and for ends of chapters.
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e80}'..='\u{eff}' => true,
        // Tibetan letters, Myanmar, Khmer.
        '\u{f40}'..='\u{fbc}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17d3}' => true,
        // Hangul.
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7a3}' => true,
        // Iteration marks, kana without the dots between words, Han.
        '\u{3005}'..='\u{3007}' | '\u{3031}'..='\u{3035}' | '\u{3041}'..='\u{3096}' => true,
        '\u{3099}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' => true,
        '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => true,
        '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}' => true,
        _ => false,
    }
}

/// Whether there is such a letter.
pub(crate) fn has_dense(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(is_dense)
}

/// A text as the index takes it: pairs in the place of dense runs, all else as it is.
pub(crate) fn indexed(text: &str) -> Cow<'_, str> {
    if !has_dense(text) {
        return Cow::Borrowed(text);
    }
    let mut indexed = String::with_capacity(text.len() * 3);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if !is_dense(letter) {
            indexed.push(letter);
            continue;
        }
        indexed.push(' ');
        indexed.push(letter);
        match letters.peek().filter(|next| is_dense(**next)) {
            Some(next) => indexed.push(*next),
            // The last one stands alone, so that each letter begins something.
            None => indexed.push(' '),
        }
    }
    Cow::Owned(indexed)
}

/// The pairs of a dense run; a single letter as it is.
pub(crate) fn pairs(run: &str) -> Vec<String> {
    let letters: Vec<char> = run.chars().collect();
    match letters.as_slice() {
        [only] => vec![only.to_string()],
        letters => letters.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_runs_become_pairs_and_nothing_else_changes() {
        for (text, expected) in [
            ("plain words", "plain words"),
            ("Crème brûlée", "Crème brûlée"),
            ("日本語", " 日本 本語 語 "),
            ("iPhone手机。", "iPhone 手机 机 。"),
            ("字", " 字 "),
        ] {
            assert_eq!(indexed(text), expected);
        }
        assert_eq!(pairs("日本語"), ["日本", "本語"]);
        assert_eq!(pairs("語"), ["語"]);
    }
}

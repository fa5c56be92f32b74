//! What each character does in a text. Pure.

/// What a character does in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter, a mark or a digit.
    Letter,
    Digit,
    /// A character of a script without spaces: a word by itself.
    Whole,
    /// An apostrophe, a joiner, or a mark that most leave out: it is left out inside a word and at its end.
    Silent,
    /// Between two digits it belongs to the number: `1.2`, `12:30`.
    Joint,
    Hash,
    /// It ends a sentence.
    Stop,
    Other,
}

/// The classes of ASCII.
pub(super) const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut c = 0;
    while c < 128 {
        classes[c] = match c as u8 {
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'\'' => Class::Silent,
            b'.' | b',' | b':' => Class::Joint,
            b'#' => Class::Hash,
            b'!' | b'?' | b'"' | b'\n' => Class::Stop,
            _ => Class::Other,
        };
        c += 1;
    }
    classes
};

pub(super) fn class(c: char) -> Class {
    if c.is_ascii() {
        return ASCII[c as usize];
    }
    match c {
        // Also geresh and gershayim.
        '’' | 'ʼ' | '\u{5f3}' | '\u{5f4}' | '\u{ad}' | '\u{200d}' | '\u{200c}' => Class::Silent,
        // Vowel marks of Hebrew and Arabic, the tatweel, and the dot below of Hindi, Punjabi and Bengali.
        '\u{5b0}'..='\u{5bd}'
        | '\u{5bf}'
        | '\u{5c1}'
        | '\u{5c2}'
        | '\u{5c4}'
        | '\u{5c5}'
        | '\u{5c7}'
        | '\u{640}'
        | '\u{64b}'..='\u{652}'
        | '\u{656}'..='\u{65f}'
        | '\u{670}'
        | '\u{93c}'
        | '\u{9bc}'
        | '\u{a3c}' => Class::Silent,
        '…' | '“' | '”' | '„' | '«' | '»' => Class::Stop,
        // The most common others, without a look into the tables of Unicode.
        '×' | '÷' | '\u{2010}'..='\u{2027}' => Class::Other,
        '\u{c0}'..='\u{24f}'
        | '\u{3a3}'..='\u{3f5}'
        | '\u{400}'..='\u{481}'
        | '\u{48a}'..='\u{52f}' => Class::Letter,
        // Thai, Lao, Burmese, Khmer: a number is one word.
        '\u{e50}'..='\u{e59}'
        | '\u{ed0}'..='\u{ed9}'
        | '\u{1040}'..='\u{1049}'
        | '\u{1090}'..='\u{1099}'
        | '\u{17e0}'..='\u{17e9}' => Class::Digit,
        c if without_spaces(c) && is_word(c) => Class::Whole,
        c if c.is_numeric() => Class::Digit,
        c if is_word(c) => Class::Letter,
        _ => Class::Other,
    }
}

fn is_word(c: char) -> bool {
    // Marks belong to the letters before them: Hindi, Arabic, what does not compose.
    c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{93c}'..='\u{94d}' | '\u{5b0}'..='\u{5c7}' | '\u{64b}'..='\u{65f}')
        // The sign without a vowel of Bengali to Sinhala.
        || matches!(c, '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}' | '\u{dca}')
}

/// Scripts that put no space between words: each character counts as one.
pub(super) fn without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

//! A search query as a client types it: an expression for the index, and what has to be looked up in the texts,
//! because the index does not keep the order of words.
//!
//! Scripts without spaces between words are indexed as pairs of letters, so that any part of a word is found.

use super::folding::{self, Letters, words};

/// Number of words of a query that are used.
const WORDS: usize = 16;

/// The words that a client searches for, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Words that title or text must contain, at least one, and words that they must not contain.
    wanted: Vec<Word>,
    unwanted: Vec<Word>,
    /// The same for sequences of words.
    in_order: Vec<String>,
    not_in_order: Vec<String>,
}

/// A folded word of a query, or a run of a script without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    token: String,
    /// Whether it is a whole word, not the beginning of one.
    is_whole: bool,
}

/// One term of a query.
struct Term<'t> {
    text: &'t str,
    phrase: bool,
    minus: bool,
}

impl Query {
    /// Parses a query. Each word must be the beginning of a word of the item; words in quotes, and the parts of a word such as
    /// `well-known`, must follow each other; `-word` must not occur. No input is an error. `None`: no words to search for.
    #[must_use]
    pub fn read(typed: &str) -> Option<Self> {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        let (mut in_order, mut not_in_order) = (Vec::new(), Vec::new());
        for term in terms(typed) {
            let tokens = tokens(term.text);
            // A word that punctuation parts is a phrase too, whose last part may be a beginning. An emoji is a word by itself.
            let one = term.phrase || !tokens.iter().any(|token| token.starts_with(is_symbol));
            let ordered = one && tokens.len() > 1;
            let long = |token: &&String| is_run(token) && token.chars().count() > 2;
            let last = tokens.len().saturating_sub(1);
            let word = |(n, token): (usize, &String)| Word {
                token: token.clone(),
                is_whole: term.phrase || ordered && n < last,
            };
            let sequence = || {
                let whole = needle(&tokens);
                if term.phrase { whole } else { whole.trim_end().to_owned() }
            };
            match (term.minus, ordered) {
                (true, true) => not_in_order.push(sequence()),
                (true, false) => unwanted.extend(tokens.iter().enumerate().map(word)),
                (false, ordered) => {
                    wanted.extend(tokens.iter().enumerate().map(word));
                    if ordered {
                        in_order.push(sequence());
                    } else {
                        let runs = tokens.iter().filter(long);
                        in_order.extend(runs.map(|run| needle(std::slice::from_ref(run))));
                    }
                }
            }
        }
        if wanted.is_empty() {
            return None;
        }
        wanted.truncate(WORDS);
        unwanted.truncate(WORDS);
        in_order.truncate(WORDS);
        not_in_order.truncate(WORDS);
        Some(Self { wanted, unwanted, in_order, not_in_order })
    }

    /// Expression for FTS5.
    pub(super) fn expression(&self) -> String {
        let wanted: Vec<String> = self.wanted.iter().map(Word::expression).collect();
        let without = self.unwanted.iter().map(|word| format!(" NOT {}", word.expression()));
        format!("({}){}", wanted.join(" AND "), without.collect::<String>())
    }

    /// Whether texts have to be looked up.
    pub(super) fn needs_texts(&self) -> bool {
        !self.in_order.is_empty() || !self.not_in_order.is_empty()
    }

    /// Whether an item with these texts, which the index has found, has the sequences of words.
    pub(super) fn has_order(&self, texts: &[&str]) -> bool {
        let folded: Vec<String> = texts.iter().map(|text| needle(&tokens(text))).collect();
        let contains = |needle: &String| folded.iter().any(|text| text.contains(needle.as_str()));
        self.in_order.iter().all(contains) && !self.not_in_order.iter().any(contains)
    }

    /// Whether texts that are not in the index have all that is searched for.
    #[must_use]
    pub fn matches(&self, texts: &[&str]) -> bool {
        let tokens: Vec<String> = texts.iter().flat_map(|text| tokens(text)).collect();
        let contains = |word: &Word| tokens.iter().any(|token| word.is_in(token));
        self.wanted.iter().all(contains)
            && !self.unwanted.iter().any(contains)
            && self.has_order(texts)
    }

    /// The text in parts, each with whether the search finds it: words that are searched for or begin with such a word,
    /// and parts of runs without spaces.
    #[must_use]
    pub fn parts<'t>(&self, text: &'t str) -> Vec<(&'t str, bool)> {
        self.found_in(text).collect()
    }

    /// Position in bytes of the first word of a text that is searched for.
    #[must_use]
    pub fn first_in(&self, text: &str) -> Option<usize> {
        let mut at = 0;
        self.found_in(text).find(|(part, found)| {
            at += if *found { 0 } else { part.len() };
            *found
        })?;
        Some(at)
    }

    /// As [`Query::parts`], each word or run when it is asked for.
    fn found_in<'t>(&self, text: &'t str) -> impl Iterator<Item = (&'t str, bool)> {
        let parts = folding::parts(text).flat_map(|part| match is_run(part) {
            true => self.found_in_run(part),
            false => vec![(part, self.has_word(part))],
        });
        parts.filter(|(part, _)| !part.is_empty())
    }

    /// The parts of a run. It is folded once, and each run that is searched for is looked up again only behind its last
    /// place, so that the time is proportional to the text.
    fn found_in_run<'t>(&self, text: &'t str) -> Vec<(&'t str, bool)> {
        let letters = Letters::new(text);
        let runs = self.wanted.iter().map(|word| word.token.as_str()).filter(|run| is_run(run));
        let mut next: Vec<_> = runs.map(|run| (run, letters.place(run, 0))).collect();
        let (mut parts, mut from) = (Vec::new(), 0);
        while let Some(place) = next
            .iter()
            .filter_map(|(_, place)| place.clone())
            .min_by_key(|place| (place.start, std::cmp::Reverse(place.end)))
        {
            parts.push((&text[from..place.start], false));
            from = place.end;
            parts.push((&text[place], true));
            for (run, place) in &mut next {
                if place.as_ref().is_some_and(|place| place.start < from) {
                    *place = letters.place(run, from);
                }
            }
        }
        parts.push((&text[from..], false));
        parts
    }

    /// Whether a word of a text is one that is searched for, or begins with it.
    fn has_word(&self, word: &str) -> bool {
        tokens(word).iter().any(|token| self.wanted.iter().any(|wanted| wanted.is_in(token)))
    }
}

impl Word {
    /// FTS5 expression: the beginning of a word, or all of it; a dense run by its pairs.
    fn expression(&self) -> String {
        let one = |text: &str, star: &str| format!("\"{text}\"{star}");
        let Self { token, is_whole } = self;
        if is_run(token) {
            // A single letter matches every pair that begins with it.
            let star = if token.chars().nth(1).is_none() { " *" } else { "" };
            let pairs: Vec<String> = pairs(token).iter().map(|pair| one(pair, star)).collect();
            return format!("({})", pairs.join(" AND "));
        }
        one(token, if *is_whole { "" } else { " *" })
    }

    /// Whether a folded word of a text is this one.
    fn is_in(&self, token: &str) -> bool {
        match self.is_whole {
            _ if is_run(&self.token) => token.contains(&self.token),
            true => token == self.token,
            false => token.starts_with(&self.token),
        }
    }
}

/// Splits a query into terms; text in quotes is one term.
fn terms(typed: &str) -> Vec<Term<'_>> {
    let mut terms = Vec::new();
    let mut rest = typed;
    loop {
        let quoted = rest.split_once('"').and_then(|(before, behind)| {
            let (phrase, behind) = behind.split_once('"')?;
            Some((before, phrase, behind))
        });
        let (before, quoted) = match quoted {
            Some((before, phrase, behind)) => (before, Some((phrase, behind))),
            None => (rest, None),
        };
        let minus = quoted.is_some() && (before == "-" || before.ends_with(" -"));
        for word in before.split_whitespace() {
            let bare = word.strip_prefix('-');
            let (text, minus) = (bare.unwrap_or(word), bare.is_some());
            terms.extend(listed(text).map(|text| Term { text, phrase: false, minus }));
        }
        let Some((phrase, behind)) = quoted else { return terms };
        terms.push(Term { text: phrase, phrase: true, minus });
        rest = behind;
    }
}

/// The words that punctuation only lists, such as `cats/dogs`. A hyphen, a full stop, an apostrophe and the like belong to
/// a word, and so does any punctuation between two digits.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let separates = |c: char| {
        c.is_ascii_punctuation() && !"-.'&_@".contains(c) || "…–—、。・，：；｜／".contains(c)
    };
    let mut from = 0;
    let ends = text.char_indices().filter(move |(at, c)| {
        let before = text[..*at].chars().next_back();
        let behind = text[at + c.len_utf8()..].chars().next();
        // A mark makes a sign of it: `=` and a stroke are `≠`.
        let is_bare = behind.is_none_or(|c| !folding::is_attached(c));
        let is_of_number = [before, behind].iter().all(|c| c.is_some_and(char::is_numeric));
        separates(*c) && is_bare && !is_of_number
    });
    let ends = ends.map(|(at, c)| (at, at + c.len_utf8())).chain([(text.len(), text.len())]);
    ends.map(move |(end, next)| {
        let part = &text[from..end];
        from = next;
        part
    })
}

pub(crate) fn is_run(token: &str) -> bool {
    token.starts_with(is_dense)
}

/// Words and dense runs in order. A dense run may begin and end within a longer one.
fn needle(tokens: &[String]) -> String {
    let mut needle = String::new();
    for (n, token) in tokens.iter().enumerate() {
        if n > 0 || !is_run(token) {
            needle.push(' ');
        }
        needle.push_str(token);
    }
    if tokens.last().is_some_and(|last| !is_run(last)) {
        needle.push(' ');
    }
    needle
}

/// The folded words and dense runs of a text in order.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    words(text, |word| tokens.push(word.to_owned()));
    tokens
}

/// Whether `c` is a symbol, or its script has no spaces between words.
pub(crate) fn is_dense(c: char) -> bool {
    is_symbol(c) || needs_no_spaces(c)
}

/// Whether `c` is a sign that means something by itself and can be searched for: of money or mathematics, an arrow, an
/// emoji. Not those of ASCII, which are punctuation in most texts.
pub(super) fn is_symbol(c: char) -> bool {
    match c {
        '\0'..='\u{a1}' => false,
        '¢' | '£' | '¤' | '¥' | '©' | '®' | '°' | '±' | '×' | '÷' => true,
        '\u{58f}' | '\u{60b}' | '\u{9f2}' | '\u{9f3}' | '\u{e3f}' | '\u{17db}' => true,
        // Money; arrows, mathematics, boxes, shapes and the older emoji.
        '\u{20a0}'..='\u{20cf}' | '\u{2190}'..='\u{2328}' | '\u{232b}'..='\u{245f}' => true,
        '\u{2500}'..='\u{2bff}' => true,
        // Music, games and emoji.
        '\u{3012}' | '\u{4dc0}'..='\u{4dff}' | '\u{1d000}'..='\u{1d3ff}' => true,
        '\u{1f000}'..='\u{1f0ff}' | '\u{1f18a}'..='\u{1f1ad}' | '\u{1f1e6}'..='\u{1f1ff}' => true,
        '\u{1f300}'..='\u{1fbef}' => true,
        _ => false,
    }
}

/// Whether the script of `c` has no spaces between words.
fn needs_no_spaces(c: char) -> bool {
    match c {
        '\0'..='\u{e00}' => false,
        // Thai and Lao, without their digits and ends of chapters.
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

/// Calls `each` for what is indexed of a dense run: its pairs of letters, and its last letter, so that each letter
/// begins a token.
pub(crate) fn indexed(run: &str, mut each: impl FnMut(&str)) {
    let mut letters = run.char_indices();
    while let Some((at, letter)) = letters.next() {
        let behind = at + letter.len_utf8();
        let next = letters.clone().next().map_or(behind, |(at, next)| at + next.len_utf8());
        each(&run[at..next]);
    }
}

/// The pairs of a dense run, or its only letter.
pub(crate) fn pairs(run: &str) -> Vec<String> {
    let letters: Vec<char> = run.chars().collect();
    match letters.as_slice() {
        [only] => vec![only.to_string()],
        letters => letters.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    proptest::proptest! {
        #[test]
        fn any_word_of_a_text_finds_it_in_any_form(text in "[-a-zß-žΐ-ώа-я .,'’\u{300}-\u{30a}\u{5d0}-\u{5ea}\u{5b0}-\u{5bb}ؠ-ْ\
            \u{905}-\u{94d}ก-๎ᄀ-ᄒ\u{1161}-\u{1175}가-각ぁ-ゔ\u{3099}゛ァ-ーｦ-ﾟ一-丁㈱-㋿\u{200d}\u{fe0f}🎉-🎌🇦-🇿→-⇿∑≠°]{0,40}") {
            let words = super::super::search::search_words(None, &text);
            let indexed: Vec<&str> = words.split(' ').collect();
            let typed = text.split_whitespace().map(|word| word.trim_start_matches('-'));
            for word in typed {
                let forms: [String; 6] = [
                    word.to_owned(),
                    word.to_lowercase(),
                    word.nfc().collect(),
                    word.nfd().collect(),
                    word.nfkc().collect(),
                    word.nfkd().collect(),
                ];
                for form in forms {
                    let Some(query) = Query::read(&form) else {
                        assert!(tokens(word).is_empty(), "{word:?} {form:?}");
                        continue;
                    };
                    assert!(query.matches(&[&text]), "{form:?} in {text:?}");
                    for Word { token, .. } in &query.wanted {
                        let all = if is_run(token) { pairs(token) } else { vec![token.clone()] };
                        let single = token.chars().nth(1).is_none() && is_run(token);
                        let is_indexed = |pair: &String| indexed.iter().any(|it| match single {
                            true => it.starts_with(pair),
                            false => it == pair,
                        });
                        assert!(all.iter().all(is_indexed), "{form:?} in {text:?}: {indexed:?}");
                    }
                    let parts = query.parts(&text);
                    assert_eq!(parts.iter().map(|(part, _)| *part).collect::<String>(), text);
                }
            }
        }
    }

    #[test]
    fn words_in_quotes_must_follow_each_other() {
        let met = |typed: &str, text: &str| Query::read(typed).unwrap().has_order(&[text]);
        let text = "The Garbage collector’s pause: crème brûlée, 日本語のニュース";
        for yes in [
            "\"garbage collector\"",
            "\"THE garbage\" pause",
            "\"creme brulee\"",
            "\"pause creme\"",
            "日本語",
            "本語の",
            "\"日本語のニュース\"",
            "the -\"collector garbage\"",
            "garbage-collect",
            "the -garbage-pause",
            "the -collector-garbage",
        ] {
            assert!(met(yes, text), "{yes}");
        }
        for no in [
            "\"collector garbage\"",
            "\"garbage collect\"",
            "\"arbage collector\"",
            "語日本",
            "the -\"garbage collector\"",
            "collector-garbage",
            "garb-collector",
            "the -garbage-coll",
        ] {
            assert!(!met(no, text), "{no}");
        }
        let many = Query::read(&format!("a {}", "-b-c ".repeat(40))).unwrap();
        assert_eq!(many.not_in_order.len(), WORDS);
    }

    #[test]
    fn a_text_without_index_has_the_same_words() {
        let met =
            |typed: &str| Query::read(typed).unwrap().matches(&["A Café", "日本語のニュース"]);
        for yes in ["caf", "CAFÉ a", "\"cafe\"", "\"a cafe\"", "本語", "語", "cafe -tea", "日本語"]
        {
            assert!(met(yes), "{yes}");
        }
        for no in ["afe", "\"caf\"", "tea", "cafe -a", "\"cafe a\"", "語日", "cafe -本語"] {
            assert!(!met(no), "{no}");
        }
    }

    #[test]
    fn a_word_with_punctuation_is_a_phrase() {
        let met = |typed: &str, text: &str| Query::read(typed).unwrap().matches(&[text]);
        let mail = "We stop the well-known mail service.";
        for (typed, text, expected) in [
            ("-well-known stop", mail, false),
            ("-well-done stop", mail, true),
            ("stop -mail-order", mail, true),
            ("stop -mail-service", mail, false),
            ("stop -known", mail, false),
            ("2026-11-30", "On 30 January 2026 there were 11 cats", false),
            ("30.11.2026", "Published on 30.11.2026, at noon", true),
            ("2026-11", "On 2026-11-30 there were cats", true),
            ("1234.50", "+49 30 1234567 and 50%", false),
            ("AT&T", "The network of AT&T", true),
            ("cats/dogs", "Dogs bark at cats", true),
            ("london,paris", "From Paris to London", true),
            ("stop -cats/dogs", "We stop dogs", false),
            ("foo:bar", "bar of foo", true),
            ("https://pier.example/fog", "Fog at the example of a pier; https", false),
            ("https://pier.example/fog", "Fog at pier.example, by https", true),
            ("11/30/2026", "On 30 November 2026 there were 11 cats", false),
            ("11/30/2026", "Published on 11/30/2026", true),
            ("1,234.50", "It costs 1,234.50", true),
            ("12:30", "At 12:30", true),
            ("node.js", "Servers in Node.js", true),
            ("don't", "They don’t know", true),
            ("iPhone16手机", "新iPhone16手机", true),
            ("जमीन", "ज़मीन", true),
            ("ज़मीन", "जमीन", true),
        ] {
            assert_eq!(met(typed, text), expected, "{typed} in {text}");
        }
    }

    #[test]
    fn a_phrase_does_not_continue_from_title_to_text() {
        let query = Query::read("\"one two\"").unwrap();
        assert!(!query.has_order(&["one", "two"]));
        assert!(query.has_order(&["x", "one two"]));
    }

    #[test]
    fn texts_are_read_only_for_word_order() {
        for plain in ["rust async", "\"rust\"", "日本", "語", "-x rust", "\"open"] {
            assert!(!Query::read(plain).unwrap().needs_texts(), "{plain}");
        }
        assert!(Query::read("日本語").unwrap().needs_texts());
        for nothing in ["", "  ", "\"\"", "-", "-soap", "*", "\" \"", "--", "( )", "\0", "-\"a b\""]
        {
            assert_eq!(Query::read(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn dense_runs_become_pairs() {
        for (run, expected) in [("日本語", &["日本", "本語", "語"][..]), ("字", &["字"])]
        {
            let mut found = Vec::new();
            indexed(run, |pair| found.push(pair.to_owned()));
            assert_eq!(found, expected);
        }
        assert_eq!(pairs("日本語"), ["日本", "本語"]);
        assert_eq!(pairs("語"), ["語"]);
    }
}

//! Tags with so many attributes that reading them takes quadratic time are made text beforehand.
//!
//! Every place that could be a tag is looked at, whatever stands around it: a comment or a script may
//! hide it from this file, but not from the tokenizer.

use std::borrow::Cow;

/// More attributes than any tag has that was written to be shown.
const MAX_ATTRIBUTES: usize = 128;
/// How many bytes are looked at for each that there is, before the rest is given up as hostile.
const EFFORT: usize = 32;

/// The HTML in which no tag has more than 128 attributes.
pub(super) fn thinned(html: &str) -> Cow<'_, str> {
    let bytes = html.as_bytes();
    let mut thinned = String::new();
    let mut done = 0;
    let mut effort = EFFORT * bytes.len();
    for (at, _) in html.match_indices('<') {
        match attributes(bytes.get(at + 1..).unwrap_or_default(), &mut effort) {
            None => {
                thinned.push_str(&html[done..at]);
                return Cow::Owned(thinned);
            }
            Some(count) if count > MAX_ATTRIBUTES => {
                thinned.push_str(&html[done..at]);
                thinned.push_str("&lt;");
                done = at + 1;
            }
            Some(_) => {}
        }
    }
    if done == 0 {
        return Cow::Borrowed(html);
    }
    thinned.push_str(&html[done..]);
    Cow::Owned(thinned)
}

/// How many attributes the tag has that goes on with `rest`, counted up to one more than is allowed.
///
/// HTML 13.2.5.6 to 40. `None` where the effort is used up.
fn attributes(rest: &[u8], effort: &mut usize) -> Option<usize> {
    let mut bytes = rest.iter().copied().peekable();
    let mut left = || {
        *effort = effort.checked_sub(1)?;
        Some(())
    };
    let space = |byte: u8| byte.is_ascii_whitespace();
    let mut skip = |bytes: &mut std::iter::Peekable<_>, wanted: &dyn Fn(u8) -> bool| {
        while bytes.next_if(|byte| wanted(*byte)).is_some() {
            left()?;
        }
        Some(())
    };
    bytes.next_if_eq(&b'/');
    if !bytes.peek().is_some_and(u8::is_ascii_alphabetic) {
        return Some(0);
    }
    skip(&mut bytes, &|byte| !space(byte) && byte != b'/' && byte != b'>')?;
    for count in 0..=MAX_ATTRIBUTES {
        skip(&mut bytes, &|byte| space(byte) || byte == b'/')?;
        // An equals sign here begins a name.
        if bytes.next_if(|byte| *byte != b'>').is_none() {
            return Some(count);
        }
        skip(&mut bytes, &|byte| !space(byte) && !b"/>=".contains(&byte))?;
        skip(&mut bytes, &space)?;
        if bytes.next_if_eq(&b'=').is_none() {
            continue;
        }
        skip(&mut bytes, &space)?;
        if let Some(quote) = bytes.next_if(|byte| b"\"'".contains(byte)) {
            skip(&mut bytes, &|byte| byte != quote)?;
            bytes.next();
        } else {
            skip(&mut bytes, &|byte| !space(byte) && byte != b'>')?;
        }
    }
    Some(MAX_ATTRIBUTES + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(attributes: usize) -> String {
        let attributes: String = (0..attributes).map(|n| format!(" a{n} = 'b>'/c{n}=d")).collect();
        format!("<p{attributes}>x")
    }

    #[test]
    fn only_a_crowded_tag_becomes_text() {
        let (fits, crowded) = (tag(MAX_ATTRIBUTES / 2), tag(MAX_ATTRIBUTES / 2 + 1));
        assert_eq!(thinned(&fits), fits);
        assert_eq!(thinned(&crowded), crowded.replacen('<', "&lt;", 1));
        let both = format!("{fits}<!-- <b x='{crowded}</p>é");
        assert_eq!(thinned(&both), format!("{fits}<!-- <b x='&lt;{}</p>é", &crowded[1..]));
        for html in ["", "<", "</", "<p", "<p a=", "<p a='", "a < b", "<p a b c>", "< p", "<p =>"] {
            assert!(matches!(thinned(html), Cow::Borrowed(_)), "{html}");
        }
    }

    #[test]
    fn no_honest_tag_is_a_crowd() {
        assert!(matches!(thinned(&tag(30)), Cow::Borrowed(_)));
        assert!(matches!(thinned(&tag(500)), Cow::Owned(_)));
    }

    #[test]
    fn a_long_value_is_no_crowd() {
        let html =
            format!("<img src='data:image/png;base64,{}' alt='a b c'>", "A b/c ".repeat(9_999));
        assert!(matches!(thinned(&html), Cow::Borrowed(_)));
    }

    #[test]
    fn what_would_take_too_long_to_look_at_is_cut() {
        let html = format!("<p>kept{}", "<a/x=".repeat(20_000));
        let thinned = thinned(&html);
        assert!(thinned.starts_with("<p>kept") && thinned.len() < html.len() / 2);
    }
}

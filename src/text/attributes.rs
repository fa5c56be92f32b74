//! A limit for the attributes of tags, for html5ever, which needs quadratic time for them.

use std::borrow::Cow;

/// Maximum number of attributes of a tag that html5ever reads.
const HTML5EVER_MAX_ATTRIBUTES: usize = 128;
/// Maximum number of bytes examined per byte of input. The rest of the input is then dropped.
const COST_FACTOR: usize = 32;

/// The HTML with each tag of more than 128 attributes turned into text: html5ever needs quadratic time
/// for attributes. Every `<` is examined, also in comments and scripts.
#[must_use]
pub fn limit_attributes(html: &str) -> Cow<'_, str> {
    let bytes = html.as_bytes();
    let mut limited = String::new();
    let mut done = 0;
    let mut budget = COST_FACTOR * bytes.len();
    for (at, _) in html.match_indices('<') {
        match count_attributes(bytes.get(at + 1..).unwrap_or_default(), &mut budget) {
            None => {
                limited.push_str(&html[done..at]);
                return Cow::Owned(limited);
            }
            Some(count) if count > HTML5EVER_MAX_ATTRIBUTES => {
                limited.push_str(&html[done..at]);
                limited.push_str("&lt;");
                done = at + 1;
            }
            Some(_) => {}
        }
    }
    if done == 0 {
        return Cow::Borrowed(html);
    }
    limited.push_str(&html[done..]);
    Cow::Owned(limited)
}

/// The number of attributes of the tag that continues with `rest` (HTML 13.2.5.6 to 40), counted up to
/// one more than the maximum. `None` if `budget`, in bytes, is used up.
fn count_attributes(rest: &[u8], budget: &mut usize) -> Option<usize> {
    let mut bytes = rest.iter().copied().peekable();
    let mut left = || {
        *budget = budget.checked_sub(1)?;
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
    for count in 0..=HTML5EVER_MAX_ATTRIBUTES {
        skip(&mut bytes, &|byte| space(byte) || byte == b'/')?;
        // An equals sign at this position begins a name.
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
    Some(HTML5EVER_MAX_ATTRIBUTES + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(attributes: usize) -> String {
        let attributes: String = (0..attributes).map(|n| format!(" a{n} = 'b>'/c{n}=d")).collect();
        format!("<p{attributes}>x")
    }

    #[test]
    fn only_a_tag_with_too_many_attributes_becomes_text() {
        let (fits, too_many) =
            (tag(HTML5EVER_MAX_ATTRIBUTES / 2), tag(HTML5EVER_MAX_ATTRIBUTES / 2 + 1));
        assert_eq!(limit_attributes(&fits), fits);
        assert_eq!(limit_attributes(&too_many), too_many.replacen('<', "&lt;", 1));
        let both = format!("{fits}<!-- <b x='{too_many}</p>é");
        assert_eq!(
            limit_attributes(&both),
            format!("{fits}<!-- <b x='&lt;{}</p>é", &too_many[1..])
        );
        for html in ["", "<", "</", "<p", "<p a=", "<p a='", "a < b", "<p a b c>", "< p", "<p =>"] {
            assert!(matches!(limit_attributes(html), Cow::Borrowed(_)), "{html}");
        }
    }

    #[test]
    fn a_tag_with_30_attributes_is_kept() {
        assert!(matches!(limit_attributes(&tag(30)), Cow::Borrowed(_)));
        assert!(matches!(limit_attributes(&tag(500)), Cow::Owned(_)));
    }

    #[test]
    fn a_long_value_is_one_attribute() {
        let html =
            format!("<img src='data:image/png;base64,{}' alt='a b c'>", "A b/c ".repeat(9_999));
        assert!(matches!(limit_attributes(&html), Cow::Borrowed(_)));
    }

    #[test]
    fn html_that_would_exceed_the_cost_limit_is_cut() {
        let html = format!("<p>kept{}", "<a/x=".repeat(20_000));
        let limited = limit_attributes(&html);
        assert!(limited.starts_with("<p>kept") && limited.len() < html.len() / 2);
    }
}

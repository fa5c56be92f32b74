//! Where the document begins in a text. Programs of publishers write notices before it, as text or as HTML; an HTML page is
//! a document itself, whatever it quotes.

/// Beginnings of documents, in lower case.
const BEGINNINGS: &[&str] = &[
    "<?xml",
    "<!doctype",
    "<rss",
    "<feed",
    "<rdf:rdf",
    "<rdf ",
    "<channel",
    "<atom:feed",
    "<html",
];

/// Maximum number of bytes before a document.
const MAX_JUNK: usize = 64 << 10;
/// Maximum number of bytes before a JSON document that is followed by something else.
const MAX_HEAD: usize = 1 << 10;

/// Names of HTML elements that only pages have.
const OF_PAGES: &[&str] = &[
    "html",
    "head",
    "body",
    "title",
    "meta",
    "link",
    "base",
    "noscript",
    "template",
    "header",
    "footer",
    "main",
    "nav",
    "aside",
    "article",
    "section",
    "form",
    "input",
    "button",
    "select",
    "option",
    "textarea",
    "xmp",
    "plaintext",
    "noframes",
    "frameset",
    "frame",
    "iframe",
    "embed",
    "video",
    "audio",
    "picture",
    "canvas",
    "dialog",
    "noembed",
    "marquee",
    "center",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ol",
    "ul",
    "li",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "figure",
    "area",
];

/// Names of HTML elements that the notices of programs have too.
const OF_NOTICES: &[&str] = &[
    "a", "b", "br", "code", "div", "em", "font", "hr", "i", "img", "p", "pre", "script", "small",
    "span", "strong", "style", "table", "tbody", "td", "th", "thead", "tr", "u",
];

/// Whether a name is that of an HTML element or of a custom element (HTML 4.13.2), so that a document with such a root
/// element is a web page, also without `<html>` and `<head>`.
pub(super) fn is_of_page(name: &str) -> bool {
    let mut known = OF_PAGES.iter().chain(OF_NOTICES);
    known.any(|known| known.eq_ignore_ascii_case(name)) || name.contains('-')
}

/// Byte offset of the document: the first markup that is not a notice of the publisher's program.
pub(super) fn start_of_document(text: &str) -> usize {
    let trimmed = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    // JSON that is not a feed: what is inside it is not the document.
    if trimmed.starts_with(['[', '"'])
        && serde_json::from_str::<serde::de::IgnoredAny>(trimmed.trim_end()).is_ok()
    {
        return text.len() - trimmed.len();
    }
    let first = text.find(['<', '{']).unwrap_or(0);
    // Anything may be behind a document too.
    let is_json = text.trim_end().ends_with('}');
    let is_object = |at: usize| {
        let inside = text[at + 1..].trim_start();
        let is_it = || is_json || at <= MAX_HEAD && is_before_object(&text[..at]);
        inside.starts_with(r#""version""#) || inside.starts_with('"') && is_it()
    };
    let head = &text[first..];
    if begins(head) || head.starts_with('{') && is_object(first) {
        return first;
    }
    let mut places = text.bytes().enumerate().skip(first).take(MAX_JUNK);
    let mut json = || {
        let found = places.find(|(at, byte)| is_json && *byte == b'{' && is_object(*at));
        found.map(|(at, _)| at)
    };
    // Text of another kind may have a brace anywhere.
    let is_text = head.starts_with('{') && !is_before_object(&text[..first]);
    let otherwise = if is_text { text.len() - trimmed.len() } else { first };
    behind_notices(text, first, is_object).or_else(&mut json).unwrap_or(otherwise)
}

/// Whether a text begins as a document does.
fn begins(text: &str) -> bool {
    BEGINNINGS.iter().any(|known| begins_with(text, known))
}

fn begins_with(text: &str, known: &str) -> bool {
    text.as_bytes().get(..known.len()).is_some_and(|it| it.eq_ignore_ascii_case(known.as_bytes()))
}

/// Byte offset of the document behind notices, which are text, comments and closed elements of HTML from `first` on; `None`
/// if the text is an HTML page or has no document. What a script or another element contains is no document.
fn behind_notices(text: &str, first: usize, is_object: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut at, mut open) = (first, Vec::new());
    let mut is_first = text[..first].trim().is_empty();
    loop {
        let before = text.get(at..)?;
        let blanks = before.find('<').unwrap_or(before.len());
        let mut braces = before[..blanks].match_indices('{').map(|(brace, _)| at + brace);
        if let Some(object) = braces.find(|brace| open.is_empty() && is_object(*brace)) {
            return Some(object);
        }
        if blanks == before.len() {
            return None;
        }
        is_first &= before[..blanks].trim().is_empty();
        at += blanks;
        let rest = &text[at..];
        if at > first + MAX_JUNK {
            return None;
        }
        if begins(rest) {
            // Comments are no notices.
            return Some(if is_first { first } else { at }).filter(|_| open.is_empty());
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            at += "<!---->".len() + comment.find("-->")?;
            continue;
        }
        let tag = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(tag.len());
        let name = tag[..end].to_ascii_lowercase();
        at += 1;
        if !OF_NOTICES.contains(&name.as_str()) {
            // A document with another root. Otherwise text with a `<` in it.
            if is_first || is_of_page(&name) {
                return None;
            }
            continue;
        }
        is_first = false;
        at += rest[1..].find('>')?;
        match name.as_str() {
            "br" | "hr" | "img" => {}
            _ if rest.starts_with("</") => {
                let opened = open.iter().rposition(|open| *open == name);
                opened.into_iter().for_each(|opened| open.truncate(opened));
            }
            "script" | "style" => {
                let end = format!("</{name}");
                at += text[at..]
                    .match_indices('<')
                    .find(|(end_tag, _)| begins_with(&text[at + end_tag..], &end))?
                    .0;
                open.push(name);
            }
            _ => open.push(name),
        }
    }
}

/// Whether a JSON object may follow: only blanks, comments, a guard against the inclusion as a script, or the name of a
/// function (JSONP) are before it.
fn is_before_object(before: &str) -> bool {
    const GUARDS: &[&str] =
        &[")]}'", ")]}',", ")]}", "while(1);", "while (1);", "for(;;);", "for (;;);", "throw 1;"];
    const MAX_NAME: usize = 100;
    let mut before = before.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    while let Some(comment) = before.strip_prefix("/*") {
        let Some((_, rest)) = comment.split_once("*/") else { break };
        before = rest.trim_start();
    }
    let is_comment = || before.lines().all(|line| line.trim_start().starts_with("//"));
    let is_call = || {
        let name = before.strip_suffix('(').unwrap_or_default().trim_end();
        let name = name.rsplit([' ', ';', '\n']).next().unwrap_or_default();
        let is_in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
        !name.is_empty() && before.len() <= MAX_NAME && name.chars().all(is_in_name)
    };
    before.is_empty() || GUARDS.contains(&before) || is_comment() || is_call()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_left_out_and_pages_are_documents() {
        let feed = "<rss version='2.0'><channel/></rss>";
        for notice in [
            "Notice: x in /a.php on line 3\n",
            "<b>Warning</b>: <a href=x>fopen</a> in <b>/a.php</b><br />\n",
            "<!-- cached --><br>\n",
            "<style>a > b {}</style><script>f('<feed>')</script>\n",
            "<div id=error><p class=wpdberror><code>SELECT '<x>'</code></p></div>",
            "<font size=1><table><tr><th>Deprecated</th></tr></table></font>",
            "File \"<stdin>\", line 1\n",
        ] {
            let text = format!("{notice}{feed}");
            assert_eq!(start_of_document(&text), notice.len(), "{text}");
        }
        for page in [
            "<title>x</title>",
            "<!-- x --><meta charset=utf-8><p>",
            "<script>document.write('",
            "<p>An example: ",
            "<p>a</p><pre>",
            "<my-app>",
            "<!-- x --><x:stylesheet>",
            "<div><a href=x>x</a></div><footer></footer>",
            "",
            "<!-- x -->",
        ] {
            assert_eq!(start_of_document(&format!("{page}{feed}")), 0, "{page}");
        }
    }
}

//! The name and the e-mail address of a person in a line of text.

use super::markup::is_source;
use crate::model::Person;

/// Characters around an e-mail address or a name.
const BRACKETS: &str = "<>()[]（）「」,;\"";

/// Parses a person: `name@example.org (Name)`, `Name <name@example.org>` or a name. `None` if the text
/// is empty.
pub(crate) fn person(text: &str) -> Option<Person> {
    let text = text.trim().trim_start_matches("mailto:");
    let email =
        text.split(|c: char| c.is_whitespace() || BRACKETS.contains(c)).find(|word| is_email(word));
    let Some(email) = email else {
        let name = tidy(text);
        return (!name.is_empty()).then(|| Person { name, ..Person::default() });
    };
    let name = tidy(&text.replacen(email, " ", 1));
    Some(Person { name, uri: None, email: Some(email.to_owned()) })
}

/// A name without the brackets of its address. `Bob (the builder)` is unchanged.
fn tidy(text: &str) -> String {
    let edge = |c: char| c.is_whitespace() || BRACKETS.contains(c);
    let bare: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = ["( )", "()", "< >", "<>", "（ ）", "「 」", "[ ]"]
        .iter()
        .fold(bare, |name, empty| name.replace(empty, ""));
    let bare = bare.trim();
    // Removes brackets around the name, and single ones left by the address.
    let balanced = bare.matches('(').count() == bare.matches(')').count();
    let tagged = bare.starts_with('<') && is_source(bare);
    let name = if tagged {
        bare
    } else if balanced && !bare.starts_with(edge) {
        bare.trim_end_matches([',', '"', '<'])
    } else {
        bare.trim_matches(edge)
    };
    name.trim().to_owned()
}

/// The people of a line that has several addresses, such as `a@e.org (Ann), b@e.org (Bo)`; otherwise the person of the
/// line.
pub(crate) fn all(line: &str) -> Vec<Person> {
    let mut parts = Vec::new();
    if line.matches('@').nth(1).is_some() {
        let (mut depth, mut is_quoted, mut from) = (0_usize, false, 0);
        for (at, c) in line.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                '(' | '<' | '[' => depth += 1,
                ')' | '>' | ']' => depth = depth.saturating_sub(1),
                ',' | ';' if depth == 0 && !is_quoted => {
                    parts.push(&line[from..at]);
                    from = at + 1;
                }
                // Two of these words may share a space.
                ' ' if depth == 0
                    && !is_quoted
                    && at >= from
                    && line[at..].starts_with(" and ") =>
                {
                    parts.push(&line[from..at]);
                    from = at + " and ".len();
                }
                _ => {}
            }
        }
        parts.push(&line[from..]);
    }
    let people = || parts.iter().filter(|part| !part.trim().is_empty()).map(|part| person(part));
    let have_addresses = people().all(|it| it.is_some_and(|person| person.email.is_some()));
    if parts.len() > 1 && have_addresses {
        people().flatten().collect()
    } else {
        person(line).into_iter().collect()
    }
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.contains('@') && host.is_ascii()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person_parts(text: &str) -> (String, Option<String>) {
        let person = person(text).unwrap_or_default();
        (person.name, person.email)
    }

    #[test]
    fn name_and_address_are_separated_in_every_common_form() {
        let both = ("Ann Lee".to_owned(), Some("ann@example.org".to_owned()));
        for text in [
            "ann@example.org (Ann Lee)",
            "Ann Lee <ann@example.org>",
            "Ann Lee (ann@example.org)",
            "mailto:ann@example.org (Ann Lee)",
            "\"Ann Lee\" <ann@example.org>",
        ] {
            assert_eq!(person_parts(text), both, "{text}");
        }
        assert_eq!(
            person_parts("作者（foo@example.com）"),
            ("作者".to_owned(), Some("foo@example.com".to_owned()))
        );
        assert_eq!(person_parts("編集部「a@b.com」").1.as_deref(), Some("a@b.com"));
        assert_eq!(
            person_parts("ann@example.org"),
            (String::new(), Some("ann@example.org".to_owned()))
        );
        assert_eq!(person_parts(" Bob (the builder) "), ("Bob (the builder)".to_owned(), None));
        assert_eq!(person("  "), None);
    }

    #[test]
    fn people_with_addresses_are_separated() {
        let names = |line: &str| all(line).into_iter().map(|it| it.name).collect::<Vec<_>>();
        for line in [
            "a@e.org (Ann A), b@e.org (Bo B)",
            "Ann A <a@e.org>; Bo B <b@e.org>;",
            "a@e.org (Ann A) and b@e.org (Bo B)",
        ] {
            assert_eq!(names(line), ["Ann A", "Bo B"], "{line}");
        }
        assert_eq!(names("Lee, Ann <a@e.org> or <b@e.org>").len(), 1);
        assert_eq!(names("a@e.org (Ann, the b@e.org)").len(), 1);
        assert_eq!(names("Ann A, Bo B"), ["Ann A, Bo B"]);
        assert_eq!(names(" "), [""; 0]);
        assert_eq!(names("a@e.org and and b@e.org").len(), 2);
        let linked = "<a href=\"x\">Ann A</a> &amp; Co";
        assert_eq!(names(linked), [linked]);
    }
}

//! A person out of one line of text: `name@example.org (Name)`, `Name <name@example.org>`, or a name.

use crate::model::Person;

/// What stands around an address or a name.
const BRACKETS: &str = "<>()[]（）「」,;\"";

/// Reads a person; `None` where nobody is named.
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

/// A name without the brackets that held its address; `Bob (the builder)` keeps his.
fn tidy(text: &str) -> String {
    let edge = |c: char| c.is_whitespace() || BRACKETS.contains(c);
    let bare: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = ["( )", "()", "< >", "<>", "（ ）", "「 」", "[ ]"]
        .iter()
        .fold(bare, |name, empty| name.replace(empty, ""));
    let bare = bare.trim();
    // Brackets around the whole go, and so does one that lost its partner with the address.
    let balanced = bare.matches('(').count() == bare.matches(')').count();
    let tagged = bare.starts_with('<') && bare.ends_with('>') && bare.contains("</");
    let name = if tagged {
        bare
    } else if balanced && !bare.starts_with(edge) {
        bare.trim_end_matches([',', '"', '<'])
    } else {
        bare.trim_matches(edge)
    };
    name.trim().to_owned()
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.contains('@') && host.is_ascii()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>) {
        let person = person(text).unwrap_or_default();
        (person.name, person.email)
    }

    #[test]
    fn name_and_address_are_told_apart_however_they_are_joined() {
        let both = ("Ann Lee".to_owned(), Some("ann@example.org".to_owned()));
        for text in [
            "ann@example.org (Ann Lee)",
            "Ann Lee <ann@example.org>",
            "Ann Lee (ann@example.org)",
            "mailto:ann@example.org (Ann Lee)",
            "\"Ann Lee\" <ann@example.org>",
        ] {
            assert_eq!(read(text), both, "{text}");
        }
        assert_eq!(
            read("作者（foo@example.com）"),
            ("作者".to_owned(), Some("foo@example.com".to_owned()))
        );
        assert_eq!(read("編集部「a@b.com」").1.as_deref(), Some("a@b.com"));
        assert_eq!(read("ann@example.org"), (String::new(), Some("ann@example.org".to_owned())));
        assert_eq!(read(" Bob (the builder) "), ("Bob (the builder)".to_owned(), None));
        assert_eq!(person("  "), None);
    }
}

//! Texts that are words, names or patterns. Pure.

use std::net::Ipv4Addr;

use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};
use url::Url;

use super::suggest::nearest;
use super::value::Invalid;
use crate::model::LinkPattern;
use crate::normalise::Selector;
use crate::render::{PodcastCategory, PrefixError, TitlePrefix};
use crate::text::chars::pattern_as_seen;
use crate::text::quoted::in_quotes;

/// Text of visible ASCII characters (RFC 9110 5.5).
pub(super) fn header(key: &str, text: &str) -> Result<String, Invalid> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(text.to_owned());
    }
    let message = format!("{key} has characters that a header cannot contain");
    Err(Invalid::new("bad_header", message, "use visible ASCII characters only"))
}

/// An id, which becomes a file name and a path.
pub(super) fn id(text: &str) -> Result<&str, Invalid> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('.') {
        return Ok(text);
    }
    let help =
        "an id has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', and does not begin with a dot";
    let invalid =
        Invalid::new("bad_id", format!("{text} is not an id", text = in_quotes(text)), help);
    let meant: String =
        text.trim().to_lowercase().chars().map(|c| if c == ' ' { '-' } else { c }).collect();
    let meant = Some(meant).filter(|meant| meant != text && id(meant).is_ok());
    Err(invalid.meant(meant))
}

/// A language tag, RFC 5646 2.1, as far as a feed reader checks it.
pub(super) fn language(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let primary = text.split('-').next().unwrap_or_default();
    let letters =
        (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    if letters && text.split('-').all(part) {
        return Ok(text.to_owned());
    }
    let help = "write a tag: \"en\", \"de-AT\", \"zh-Hant\"";
    let invalid = Invalid::new(
        "bad_language",
        format!("{text} is not a language tag", text = in_quotes(text)),
        help,
    );
    let dashed = text.split('.').next().unwrap_or_default().replace('_', "-");
    let dashed = Some(dashed).filter(|dashed| dashed != text && language(dashed).is_ok());
    Err(invalid.meant(dashed))
}

/// A time zone of the IANA database.
pub(super) fn time_zone(text: &str) -> Result<TimeZone, Invalid> {
    let text = text.trim();
    TimeZone::get(text).map_err(|_| {
        let message = format!("{text} is not a time zone", text = in_quotes(text));
        let help = "write a name of the IANA database: \"Europe/Berlin\", \"UTC\"";
        let invalid = Invalid::new("bad_time_zone", message, help);
        let spelled = text.replace(' ', "_").to_lowercase();
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let is_named = |name: &&String| {
            let lower = name.to_lowercase();
            lower.rsplit('/').next() == Some(&*spelled)
        };
        // The zones of Etc have the opposite sign: two hours east of Greenwich is "Etc/GMT-2".
        let offset =
            spelled.strip_prefix("gmt").or(spelled.strip_prefix("utc")).unwrap_or(&spelled);
        match etc_zone(offset) {
            Some(zone) => invalid.meant(Some(zone)),
            None => invalid.meant(known.iter().find(is_named)),
        }
    })
}

/// The zone with a whole number of hours from Greenwich: "+2", "-05:00".
fn etc_zone(offset: &str) -> Option<String> {
    let (sign, hours) = match offset.strip_prefix('+') {
        Some(hours) => ('-', hours),
        None => ('+', offset.strip_prefix('-')?),
    };
    let hours = hours.strip_suffix(":00").or(hours.strip_suffix("00")).unwrap_or(hours);
    let hours: u8 = hours.parse().ok().filter(|hours| (1..=14).contains(hours))?;
    let zone = format!("Etc/GMT{sign}{hours}");
    TimeZone::get(&zone).is_ok().then_some(zone)
}

/// Memory limit of a compiled regular expression, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// A regular expression of bounded size.
pub(super) fn regex(text: &str) -> Result<Regex, Invalid> {
    // No title has one: it is what TOML reads "\b" as.
    if let Some(control) = text.chars().find(|c| matches!(c, '\u{8}' | '\u{c}')) {
        let escape = if control == '\u{8}' { 'b' } else { 'f' };
        let message = format!("TOML reads \\{escape} between double quotes as a control character");
        let help = format!("write the regular expression in single quotes, or \\\\{escape}");
        return Err(Invalid::new("bad_regex", message, help));
    }
    RegexBuilder::new(&pattern_as_seen(text)).size_limit(MAX_REGEX).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            let message = format!(
                "{text} needs more than 1 MiB as a regular expression",
                text = in_quotes(text)
            );
            let help = "shorten it, or replace \\w by [a-z] and large counts by \"+\"";
            return Invalid::new("bad_regex", message, help);
        }
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let message = format!("{text} is not a regular expression: {why}", text = in_quotes(text));
        Invalid::new("bad_regex", message, "docs.rs/regex describes the syntax")
    })
}

/// What is wrong with a regular expression in the syntax of another language, and what was probably meant.
pub(super) fn meant_regex(text: &str) -> Option<(&'static str, String)> {
    if let Some(rest) = text.strip_prefix("(i?)") {
        let message = "(i?) is an optional letter i; (?i) ignores case";
        return Some((message, format!("(?i){rest}")));
    }
    let (inside, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    // "/r/" and "/usr/sbin/my" may be parts of a title.
    let has_slash = |text: &str| text.contains('/');
    let is_path = inside.len() <= 2 || has_slash(&inside.replace("\\/", ""));
    let are_flags = flags.contains(['g', 'i']) && flags.chars().all(|flag| "gimsu".contains(flag));
    let is_delimited = !is_path && (are_flags || flags.is_empty() && has_slash(inside));
    let flags = if flags.contains('i') { "(?i)" } else { "" };
    let message = "the slashes at both ends are part of the regular expression";
    is_delimited.then(|| (message, format!("{flags}{}", inside.replace("\\/", "/"))))
}

/// Checks the text that replaces the matches of a regular expression.
pub(super) fn replacement(regex: &Regex, text: &str) -> Result<(), Invalid> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('$') {
        // As the crate reads it: a name is as long as possible.
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = behind.find(|c: char| !is_name(c)).unwrap_or(behind.len());
        let (name, after) = match behind.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some(braced) => braced,
            None => behind.split_at(end),
        };
        rest = behind.strip_prefix('$').unwrap_or(after);
        let number = name.parse::<usize>().ok().filter(|number| *number < regex.captures_len());
        let mut names = regex.capture_names().flatten();
        if name.is_empty() || number.is_some() || names.any(|known| known == name) {
            continue;
        }
        let message = format!("the regular expression has no group {name}", name = in_quotes(name));
        let help = "write ${1} for the first group, and $$ for a dollar";
        return Err(Invalid::new("bad_regex", message, help));
    }
    Ok(())
}

/// A pattern of links: a host name with its subdomains, or a regular expression.
pub(super) fn link_pattern(text: &str) -> Result<LinkPattern, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        let help = "write a host name or a regular expression";
        return Err(Invalid::new("empty_value", "a text in links is empty", help));
    }
    if let Some(name) = text.strip_prefix("*.") {
        let message = format!("{text} is not a host name", text = in_quotes(text));
        let help = "a host name includes its subdomains";
        return Err(Invalid::new("bad_regex", message, help).meant(Some(name)));
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let site = url.filter(|url| &url[url::Position::BeforePath..] == "/");
    if let Some(name) = site.as_ref().and_then(Url::host_str) {
        let message =
            format!("{text} is the address of a site, not a host name", text = in_quotes(text));
        let help = "a host name includes its subdomains and both http and https";
        return Err(Invalid::new("bad_regex", message, help).meant(Some(name)));
    }
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_host = text.contains('.')
        && text.split('.').all(label)
        && (last.chars().any(char::is_alphabetic) || text.parse::<Ipv4Addr>().is_ok());
    match url::Host::parse(text) {
        Ok(host) if is_host => Ok(LinkPattern::Host(host.to_string())),
        _ => regex(text).map(LinkPattern::Regex),
    }
}

/// Parses a CSS selector.
pub(super) fn selector(text: &str) -> Result<Selector, Invalid> {
    Selector::parse(text).map_err(|why| {
        let message = format!("{text} is not a CSS selector: {why}", text = in_quotes(text));
        let help =
            "docs/remove.md has examples, such as \".share\", \"#related\", \"a[href*='utm_']\"";
        Invalid::new("bad_selector", message, help)
    })
}

pub(super) fn title_prefix(text: &str) -> Result<TitlePrefix, Invalid> {
    text.parse::<TitlePrefix>().map_err(|error| {
        let help = "write a text with the title of the feed in it: \"{source}: \"";
        let invalid = Invalid::new("bad_title_prefix", error.to_string(), help);
        let PrefixError::Unknown(braced) = &error else { return invalid };
        let word = braced.trim_matches(['{', '}', ' ']);
        let near = nearest(word, ["source"].into_iter());
        invalid.meant(near.map(|near| text.replacen(braced, &format!("{{{near}}}"), 1)))
    })
}

/// The name of a category or subcategory of Apple Podcasts.
pub(super) fn podcast_category(text: &str) -> Result<&'static str, Invalid> {
    if let Some(name) = PodcastCategory::names().find(|name| *name == text) {
        return Ok(name);
    }
    let message = format!("{text} is not a category of Apple Podcasts", text = in_quotes(text));
    let invalid = Invalid::new("unknown_value", message, "docs/feeds.md lists the categories");
    // Other programs write "News > Tech News", or "&" as feeds have it.
    let last = text.rsplit(['>', '/']).next().unwrap_or(text).trim().replace("&amp;", "&");
    let same = PodcastCategory::names().find(|name| name.eq_ignore_ascii_case(&last));
    Err(invalid.meant(same.or_else(|| nearest(&last, PodcastCategory::names()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_from_greenwich_are_suggested_as_the_zone_with_that_time() {
        for (text, meant) in [
            ("GMT+2", Some("Etc/GMT-2")),
            ("utc-5", Some("Etc/GMT+5")),
            ("+01:00", Some("Etc/GMT-1")),
            ("UTC+0530", None),
            ("GMT+99", None),
            ("berlin", Some("Europe/Berlin")),
        ] {
            let suggestion = time_zone(text).expect_err(text).suggestion;
            assert_eq!(suggestion.as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn the_syntax_of_another_language_is_recognised() {
        for (text, meant) in [
            ("(i?)sponsored", Some("(?i)sponsored")),
            ("/sponsored/i", Some("(?i)sponsored")),
            ("/and\\/or/", Some("and/or")),
            ("(?i)sponsored", None),
            ("/r/", None),
            ("^/dev/null", None),
            ("and/or", None),
            ("/and\\/or/gi", Some("(?i)and/or")),
            ("/sponsored/", None),
            ("/dev/", None),
            ("/r/rust/", None),
            ("/usr/sbin/i", None),
            ("/opt/my", None),
        ] {
            let found = meant_regex(text).map(|(_, meant)| meant);
            assert_eq!(found.as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn a_backspace_in_a_regular_expression_is_a_mistake() {
        assert_eq!(regex("\u{8}sponsored\u{8}").unwrap_err().code, "bad_regex");
        assert!(regex(r"\bsponsored\b").is_ok());
    }
}

//! Which stories an `[[output]]` takes, and how they look in it.

use url::Url;

use super::key;
use super::report::{Diagnostic, Report};
use super::section::{Placed, Section, take};
use super::value;
use crate::render::{AlsoAt, Content, Presentation, Rules, ShownDate};

/// `include` or `exclude`.
pub(super) fn rules(section: &Section<'_>, report: &mut Report) -> Rules {
    section.refuse_unknown(key::RULES, report);
    let languages = section.list("languages", report).into_iter().flatten();
    let mut language =
        |placed: Placed| take(value::language(&placed.text), "bad_language", placed.span, report);
    let languages: Vec<String> = languages.filter_map(&mut language).collect();
    let mut texts = |key| {
        let list = section.list(key, report).into_iter().flatten();
        list.map(|placed| placed.text).collect::<Vec<String>>()
    };
    Rules {
        tags: texts("tags"),
        feeds: texts("feeds"),
        authors: texts("authors"),
        categories: texts("categories"),
        languages,
        title: section.parsed("title", "bad_regex", value::regex, report),
        content: section.parsed("content", "bad_regex", value::regex, report),
        enclosures: section.flag("enclosures", report),
    }
}

/// `icon`, `language`, `content`, `title_prefix`, `date` and `also_at`.
pub(super) fn look(section: &Section<'_>, report: &mut Report) -> Presentation {
    let contents =
        [("full", Content::Full), ("summary", Content::Summary), ("none", Content::None)];
    let dates = [("published", ShownDate::Published), ("first_seen", ShownDate::FirstSeen)];
    let lines = [("links", AlsoAt::Links), ("content", AlsoAt::Content)];
    let look = Presentation {
        icon: section.parsed("icon", "bad_url", value::web_url, report),
        language: section.parsed("language", "bad_language", value::language, report),
        title_prefix: section.parsed("title_prefix", "bad_prefix", value::title_prefix, report),
        content: section.one_of("content", &contents, report).unwrap_or_default(),
        date: section.one_of("date", &dates, report).unwrap_or_default(),
        also_at: section.one_of("also_at", &lines, report).unwrap_or_default(),
    };
    if look.content == Content::None && look.also_at == AlsoAt::Content {
        let message = "also_at = \"content\" without content shows nothing";
        let fault = Diagnostic::warning("no_content", section.span("also_at"), message);
        report.push(fault.also(section.span("content"), "there is none").help("leave one out"));
    }
    if look.icon.as_ref().is_some_and(is_small) {
        let message = "a .ico is too small for most readers";
        let fault = Diagnostic::warning("small_icon", section.span("icon"), message);
        report.push(fault.help("name a square PNG of 512 by 512 pixels"));
    }
    look
}

fn is_small(icon: &Url) -> bool {
    icon.path().to_ascii_lowercase().ends_with(".ico")
}

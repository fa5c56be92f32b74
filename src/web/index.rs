//! The index page: the public outputs, and how to subscribe to them.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::notices::Notices;
use crate::outputs::ServedOutput;
use crate::render::{Format, Texts};
use crate::text::dates;

/// The style sheet of all pages. The content security policy forbids inline styles.
pub(super) const STYLE: &str = include_str!("style.css");

/// The icon of all pages.
pub(super) const ICON: &str = include_str!("icon.svg");

#[derive(Template)]
#[template(path = "index.html", config = "src/web/askama.toml")]
struct Index {
    notices: &'static Notices,
    outputs: Vec<OutputSection>,
}

struct OutputSection {
    title: String,
    /// Relative URL of its page of stories.
    page: String,
    description: String,
    stories: String,
    /// Time of its last change; `None`: it has no stories.
    changed: Option<Changed>,
    formats: Vec<FormatLink>,
}

/// Time of a change.
struct Changed {
    /// The time for `<time datetime>`, RFC 3339.
    machine: String,
    /// `14 November 2023, 22:13 UTC`.
    date: String,
}

struct FormatLink {
    url: String,
    media_type: &'static str,
    name: &'static str,
}

/// The page as HTML in the language of the texts.
pub(super) fn render(
    outputs: &[Arc<ServedOutput>],
    notices: &'static Notices,
) -> Result<String, askama::Error> {
    let public = outputs.iter().filter(|output| output.token.is_none());
    Index { outputs: public.map(|output| section(output, notices)).collect(), notices }.render()
}

fn section(output: &ServedOutput, notices: &Notices) -> OutputSection {
    let texts = Texts::of(Some(notices.code));
    let changed = |at: Timestamp| Changed {
        machine: dates::rfc3339(at),
        date: texts.calendar().moment(&at.to_zoned_datetime(TimeZone::UTC)),
    };
    let link = |format: &Format| FormatLink {
        url: format!("{}.{}", output.id, format.extension()),
        media_type: format.media_type(),
        name: format.name(),
    };
    OutputSection {
        title: output.title.clone(),
        page: format!("{}/", output.id),
        description: output.description.clone().unwrap_or_default(),
        stories: match output.items {
            0 => notices.no_stories.to_owned(),
            many => texts.count(many),
        },
        // Without its age, so that the page changes only with the outputs.
        changed: output.modified().filter(|_| output.items > 0).map(changed),
        formats: output.documents.iter().map(|(format, _)| link(format)).collect(),
    }
}

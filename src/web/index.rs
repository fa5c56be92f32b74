//! The index page: the public outputs, and how to subscribe to them.

use std::sync::Arc;

use askama::Template;

use super::parts::Time;
use crate::outputs::ServedOutput;
use crate::render::Format;

/// The style sheet of all pages. The content security policy forbids inline styles.
pub(super) const STYLE: &str = include_str!("style.css");

/// The icon of all pages.
pub(super) const ICON: &str = include_str!("icon.svg");

#[derive(Template)]
#[template(path = "index.html", config = "src/web/askama.toml")]
struct Index {
    outputs: Vec<OutputSection>,
}

struct OutputSection {
    title: String,
    /// Relative URL of its page of stories.
    page: String,
    description: String,
    stories: String,
    /// Time of its last change; `None`: it has no stories.
    changed: Option<Time>,
    formats: Vec<FormatLink>,
}

struct FormatLink {
    url: String,
    media_type: &'static str,
    name: &'static str,
}

/// The page as HTML.
pub(super) fn render(outputs: &[Arc<ServedOutput>]) -> Result<String, askama::Error> {
    let public = outputs.iter().filter(|output| output.token.is_none());
    Index { outputs: public.map(|output| section(output)).collect() }.render()
}

fn section(output: &ServedOutput) -> OutputSection {
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
            0 => "no stories yet".to_owned(),
            1 => "1 story".to_owned(),
            many => format!("{many} stories"),
        },
        // Without its age, so that the page changes only with the outputs.
        changed: output.modified().filter(|_| output.items > 0).map(|at| Time::new(at, at)),
        formats: output.documents.iter().map(|(format, _)| link(format)).collect(),
    }
}

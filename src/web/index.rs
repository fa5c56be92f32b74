//! The index page: which feeds there are, and where to subscribe to them.

use std::sync::Arc;

use askama::Template;

use crate::outputs::ServedOutput;
use crate::render::Format;

/// What the page looks like; a file of its own, for the policy forbids inline styles.
pub(super) const STYLE: &str = include_str!("style.css");

#[derive(Template)]
#[template(path = "index.html", config = "src/web/askama.toml")]
struct Index {
    outputs: Vec<Row>,
}

/// One output.
struct Row {
    title: String,
    /// The page with its stories.
    page: String,
    description: String,
    stories: String,
    /// For machines and for people; empty where it is empty.
    changed: Option<(String, String)>,
    formats: Vec<Link>,
}

/// One of its documents.
struct Link {
    href: String,
    media_type: &'static str,
    name: &'static str,
}

/// The page as HTML.
pub(super) fn render(outputs: &[Arc<ServedOutput>]) -> Result<String, askama::Error> {
    // What has a token is nobody's business who does not have it.
    let open = outputs.iter().filter(|output| output.token.is_none());
    Index { outputs: open.map(|output| row(output)).collect() }.render()
}

fn row(output: &ServedOutput) -> Row {
    let link = |format: &Format| Link {
        href: format!("{}.{}", output.id, format.extension()),
        media_type: format.media_type(),
        name: format.name(),
    };
    Row {
        title: output.title.clone(),
        page: output.id.clone(),
        description: output.description.clone().unwrap_or_default(),
        stories: match output.items {
            0 => "no stories yet".to_owned(),
            1 => "1 story".to_owned(),
            many => format!("{many} stories"),
        },
        changed: output.modified().filter(|_| output.items > 0).map(|at| {
            let machine = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            (machine, at.strftime("%-d %B %Y, %H:%M UTC").to_string())
        }),
        formats: output.documents.iter().map(|(format, _)| link(format)).collect(),
    }
}

//! `newswire config`: every effective value, the defaults, the schema.

use std::path::PathBuf;

use super::arguments::{ConfigCommand, Shown};
use super::{edit, guesses, init};
use crate::config::{self, Files, Report};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The config has errors.
    #[error("{} has errors", .1.display())]
    Config(Box<Report>, PathBuf),
    /// No feed has this id or URL.
    #[error("no feed {0:?} in {path}", path = .1.display())]
    NoFeed(String, PathBuf),
}

crate::model::codes! {
    Error:
    Self::Config(..) => "config_has_errors": "'newswire check' lists them",
    Self::NoFeed(name, _) => "unknown_feed": match guesses::of_config(name) {
        Some(command) => format!("use '{command}'; 'newswire list' lists the feeds"),
        None => "'newswire list' lists the feeds".to_owned(),
    },
}

/// What was asked for; `find` finds the config, if there is need of one.
///
/// # Errors
/// When `find` has one, or when there is nothing to show, inside.
pub(super) fn run<E>(
    what: Option<&ConfigCommand>,
    shown: &Shown,
    find: impl FnOnce() -> Result<PathBuf, E>,
) -> Result<Result<String, Error>, E> {
    Ok(match what {
        Some(ConfigCommand::Default) => Ok(init::EXAMPLE.to_owned()),
        Some(ConfigCommand::Schema) => Ok(schema()),
        None => show(find()?, shown),
    })
}

/// The JSON Schema of the config.
pub(super) fn schema() -> String {
    format!("{:#}\n", config::schema())
}

fn show(path: PathBuf, shown: &Shown) -> Result<String, Error> {
    let effective = Files::gather(&path).effective();
    let effective = effective.map_err(|report| Error::Config(Box::new(report), path.clone()))?;
    let effective = match &shown.feed {
        Some(feed) => {
            let by_url = || {
                let loaded = config::load(&path);
                let url = edit::url_of_id(loaded.config.as_ref()?, &loaded.database, feed)?;
                effective.of(&url)
            };
            let found = effective.of(feed).or_else(by_url);
            found.ok_or_else(|| Error::NoFeed(feed.clone(), path.clone()))?
        }
        None => effective,
    };
    let effective = if shown.changed { effective.changed() } else { effective };
    Ok(if shown.json { format!("{:#}\n", effective.json()) } else { effective.text() })
}

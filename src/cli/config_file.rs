//! Finds and loads the config file: the one that was named, or the first that exists. Also what `newswire config` shows of
//! it: every effective value, the defaults, the schema.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::arguments::{ConfigCommand, Shown};
use super::edit;
use super::exit::Exit;
use super::init;
use super::terminal::{failed, print_error, style};
use super::usage;
use crate::config::{self, Config, Files, Loaded, Report};
use crate::files;
use crate::store::Reader;
use crate::text::quoted::in_quotes;

/// No config was named and none was found.
#[derive(Debug, thiserror::Error)]
#[error("no config file found; searched {0}")]
pub struct NoConfig(String);

crate::model::codes! {
    NoConfig:
    Self(_) => "no_config": "create one with 'newswire init', or name one with --config FILE",
}

/// Path of the config to use.
///
/// # Errors
/// When none was named and none exists.
pub(super) fn find(given: Option<&Path>) -> Result<PathBuf, NoConfig> {
    find_existing(given).ok_or_else(|| {
        let paths: Vec<String> = search_paths().map(|path| path.display().to_string()).collect();
        NoConfig(paths.join(", "))
    })
}

/// The same; `None`: no such value.
pub(super) fn find_existing(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_owned).or_else(|| search_paths().find(|path| path.exists()))
}

/// Where a config is searched, in this order.
fn search_paths() -> impl Iterator<Item = PathBuf> {
    let home = config_home(std::env::var_os("XDG_CONFIG_HOME"), std::env::home_dir());
    let paths = [
        Some(PathBuf::from("newswire.toml")),
        home.map(|home| home.join("newswire/newswire.toml")),
        Some(PathBuf::from("/etc/newswire/newswire.toml")),
    ];
    paths.into_iter().flatten()
}

/// The folder of the configs of the user, from `XDG_CONFIG_HOME` and the home folder. The specification of XDG ignores
/// an empty and a relative path.
fn config_home(configured: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let configured = configured.map(PathBuf::from).filter(|path| path.is_absolute());
    configured.or_else(|| home.map(|home| home.join(".config")))
}

/// As [`find`]; prints the error.
pub(super) fn path(given: Option<&Path>) -> Result<PathBuf, Exit> {
    find(given).map_err(failed)
}

/// Loads the config and prints its errors. Warnings are left to `check` and the log.
pub(super) fn load(given: Option<&Path>) -> Result<Config, Exit> {
    Ok(read(&path(given)?)?.0)
}

/// The same, with the warnings.
pub(super) fn read(path: &Path) -> Result<(Config, Report), Exit> {
    without_errors(path, config::load(path))
}

/// A config that was loaded, with its warnings; prints its errors.
pub(super) fn without_errors(path: &Path, loaded: Loaded) -> Result<(Config, Report), Exit> {
    let Loaded { config, report, .. } = loaded;
    let Some(config) = config else { return Err(print_diagnostics(path, &report)) };
    Ok((config, report))
}

/// Prints the errors of a config.
pub(super) fn print_diagnostics(path: &Path, report: &Report) -> Exit {
    print_error(&report.draw(style(&io::stderr())));
    exit_of_invalid(path)
}

/// The next step for a config that has neither feeds nor lists of feeds; empty for others.
pub(super) fn first_step(config: &Config) -> &'static str {
    let has_feeds = !config.subscriptions.is_empty() || !config.followed.is_empty();
    if has_feeds { "" } else { "no feeds yet: 'newswire add URL' adds one\n" }
}

/// Logs each warning of a config that has no errors.
pub(super) fn log_warnings(report: &Report) {
    for found in &report.diagnostics {
        let place = found.span.as_ref().map(|span| report.location(span.start).to_string());
        let (code, text) = (found.code, found.message.as_str());
        tracing::warn!(code, text, place, help = found.help, "config warning");
    }
}

/// The exit code for a config that has errors, does not exist or cannot be read.
pub(super) fn exit_of_invalid(path: &Path) -> Exit {
    match unreadable(path) {
        None => Exit::Config,
        Some(io::ErrorKind::PermissionDenied) => Exit::NoPermission,
        Some(_) => Exit::NoInput,
    }
}

/// Why the file cannot be read; `None`: it can.
fn unreadable(path: &Path) -> Option<io::ErrorKind> {
    let read = files::open_regular(path).and_then(|file| file.take(1).read_to_end(&mut Vec::new()));
    read.err().map(|error| error.kind())
}

/// Path of the database that the config names. The config may have errors elsewhere.
pub(super) fn database_path(given: Option<&Path>) -> Result<PathBuf, Exit> {
    let path = path(given)?;
    if !path.exists() {
        return Err(print_diagnostics(&path, &config::load(&path).report));
    }
    Ok(config::load(&path).database)
}

/// Path of the database for its repair; the config may have errors if there is a database.
pub(super) fn load_path(given: Option<&Path>) -> Result<PathBuf, Exit> {
    let path = path(given)?;
    let Loaded { config, report, database, .. } = config::load(&path);
    match config {
        None if !database.exists() => Err(print_diagnostics(&path, &report)),
        _ => Ok(database),
    }
}

/// The database that the config names. The config may have errors: they must not hide the state of a
/// daemon that runs with the previous config.
pub(super) fn database(given: Option<&Path>) -> Result<Reader, Exit> {
    Ok(database_with_config(given)?.0)
}

/// The same, with the config if it has no errors.
pub(super) fn database_with_config(given: Option<&Path>) -> Result<(Reader, Option<Config>), Exit> {
    let path = path(given)?;
    let Loaded { config, report, database, .. } = config::load(&path);
    // A config that cannot be read does not name a database.
    if config.is_none() && (!database.exists() || unreadable(&path).is_some()) {
        return Err(print_diagnostics(&path, &report));
    }
    if config.is_none() {
        print_error(
            "the config has errors, which 'newswire check' lists; this is the state of the database\n",
        );
    }
    let reader = Reader::open(&database).map_err(failed)?;
    Ok((reader, config))
}

/// Why `newswire config` has nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The config has errors.
    #[error("{} has errors", .1.display())]
    Config(Box<Report>, PathBuf),
    /// No feed has this id or URL.
    #[error("no feed {} in {path}", in_quotes(.0), path = .1.display())]
    NoFeed(String, PathBuf),
}

crate::model::codes! {
    Error:
    Self::Config(..) => "config_has_errors": "'newswire check' lists them",
    Self::NoFeed(name, _) => "unknown_feed": match usage::of_config(name) {
        Some(command) => format!("use '{command}'; 'newswire list' lists the feeds"),
        None => "'newswire list' lists the feeds".to_owned(),
    },
}

/// What `newswire config` was asked for; `find` finds the config, if there is need of one.
///
/// # Errors
/// When `find` has one, or when there is nothing to show, inside.
pub(super) fn text_of<E>(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_relative_xdg_config_home_is_ignored() {
        let found = |configured: Option<&str>| {
            config_home(configured.map(OsString::from), Some(PathBuf::from("/home/ann"))).unwrap()
        };
        for ignored in [None, Some(""), Some("configs"), Some("./x")] {
            assert_eq!(found(ignored), Path::new("/home/ann/.config"), "{ignored:?}");
        }
        assert_eq!(found(Some("/etc/ann")), Path::new("/etc/ann"));
    }
}

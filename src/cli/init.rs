//! New configs. `newswire init`: a commented one to start from. `newswire run` without a config: one with the sample feeds,
//! or with the feeds that were named.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::add;
use super::append_feeds::Destination;
use super::arguments::RunRequest;
use super::config_file;
use super::terminal::print_text;
use crate::config::{self, Config, Files, PathChecks};
use crate::files::{self, TargetError};
use crate::web::samples;

/// The example that ships with newswire; every key with its default and why to change it.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Why no config was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Never overwritten: the file may have feeds.
    #[error("{0} already exists and was not changed")]
    Exists(String),
    /// The schema would replace another file.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The file cannot be written.
    #[error("failed to write {0}: {1}")]
    Io(String, io::Error),
}

crate::model::codes! {
    Error:
    Self::Target(TargetError::Occupied { .. }) => "file_exists": "name another file",
    Self::Target(TargetError::Io { .. }) => "file_unwritable": "choose a folder that this user can read and write to",
    Self::Exists(_) => "file_exists": "name another file: 'newswire init FILE'",
    Self::Io(_, error) => "file_unwritable": files::remedy(error).unwrap_or("choose a folder that this user can write to"),
}

/// What to do next.
#[must_use]
pub fn next(path: &Path) -> String {
    let config = match path.to_str() {
        Some("newswire.toml") => String::new(),
        _ => format!(" --config {}", path.display()),
    };
    format!(
        "wrote {0}, with all keys and no feeds yet. Next:\n\n  \
         newswire add URL{config}    # a feed, or the page of a site that has one\n  \
         newswire run{config}        # then subscribe to http://127.0.0.1:8420/planet.atom\n\n\
         'newswire check{config}' lists the errors and warnings of the file.\n",
        path.display()
    )
}

/// What the first line of the example names, for editors.
const SCHEMA: &str = "newswire.schema.json";

/// Writes the example to `path`, and its schema beside it. Creates the folder.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub fn run(path: &Path) -> Result<(), Error> {
    create(path, EXAMPLE)
}

/// Writes a config to `path`, and the schema beside it. Creates the folder.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub(super) fn create(path: &Path, text: &str) -> Result<(), Error> {
    let name = path.display().to_string();
    let schema = path.with_file_name(SCHEMA);
    let is_schema = |head: &[u8]| String::from_utf8_lossy(head).contains("\"$schema\"");
    files::check_target(&schema, "a schema of Newswire", is_schema)?;
    if path.symlink_metadata().is_ok() {
        return Err(Error::Exists(name));
    }
    let folder = files::folder(path);
    files::create_folder(folder).map_err(|error| Error::Io(folder.display().to_string(), error))?;
    // The config comes last: what creates it only if there is none must not find one without its schema, or a part of it.
    let written = files::create_or_replace(&schema, format!("{:#}\n", config::schema()).as_bytes())
        .and_then(|()| files::create(path, text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(name),
        _ => Error::Io(name, error),
    })
}

/// Where a config is created.
const NEW_CONFIG: &str = "newswire.toml";
/// Usual address of the sample feeds.
const SAMPLES: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8421);

/// Why the daemon has no config to start with.
#[derive(Debug, thiserror::Error)]
pub enum FirstRunError {
    /// A config cannot be created.
    #[error(transparent)]
    Init(#[from] Error),
    /// A feed cannot be added.
    #[error(transparent)]
    Add(#[from] add::Error),
}

crate::model::codes! {
    FirstRunError:
    ;
    Self::Init(error) => error,
    Self::Add(error) => error,
}

/// The config that the daemon starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FirstConfig {
    /// Path of the config file.
    pub(super) path: PathBuf,
    /// Whether it was created, or feeds were added.
    pub(super) is_new: bool,
}

/// The config that [`prepare`] would create, without feeds; `None`: it would have errors.
pub(super) fn new_config() -> Option<Config> {
    let files = Files::gather(Path::new(NEW_CONFIG)).with_main(EXAMPLE.to_owned());
    files.read(PathChecks::Existence).config
}

/// Finds the config, or creates one in the current folder unless one was named. Adds
/// the feeds with these URLs; without any, a new config has the sample feeds. Prints each change.
///
/// # Errors
/// When a feed cannot be found at a URL, or the config cannot be written.
pub(super) async fn prepare(
    given: Option<&Path>,
    request: &RunRequest,
) -> Result<FirstConfig, FirstRunError> {
    let RunRequest { urls, networks, .. } = request;
    let command = request.command(given);
    let existing = config_file::find_existing(given);
    let is_new = existing.is_none() || !urls.is_empty();
    for url in urls {
        let next = ": a new file";
        let request =
            add::Request { url, networks, command: &command, next, ..add::Request::default() };
        let added = add::run(request, given, Destination::Config).await?;
        print_text(&added.stdout);
    }
    let path = match existing {
        Some(path) => path,
        None if !urls.is_empty() => NEW_CONFIG.into(),
        None => {
            let path = PathBuf::from(NEW_CONFIG);
            create(&path, &with_samples(free_address(SAMPLES).unwrap_or(SAMPLES)))?;
            let feeds = samples::FEEDS.len();
            print_text(&format!(
                "wrote {NEW_CONFIG} with {feeds} sample feeds; 'newswire add URL' adds your own, \
                 'newswire remove --samples' removes these\n"
            ));
            path
        }
    };
    Ok(FirstConfig { path, is_new })
}

/// URLs of the feeds that are served by this process as samples.
pub(super) fn sample_feeds(path: &Path) -> Vec<String> {
    let Some(config) = config::load(path).config else { return Vec::new() };
    let is_sample = |url: &&url::Url| is_sample(&config, url);
    let urls = config.subscriptions.iter().map(|subscription| &subscription.feed.url);
    urls.filter(is_sample).map(ToString::to_string).collect()
}

/// Whether a feed of the config is a sample.
pub(super) fn is_sample(config: &Config, url: &url::Url) -> bool {
    let address = config.web.samples.map(|address| address.to_string());
    let host = url.host_str().zip(url.port_or_known_default());
    address.is_some() && host.map(|(host, port)| format!("{host}:{port}")) == address
}

/// URLs of the page of stories and of the documents to subscribe to, for standard output.
pub(super) fn addresses(config: &Config) -> String {
    let base = config.web.base_url();
    let mut text = String::new();
    if config.web.listen.is_empty() {
        return text;
    }
    let _ = writeln!(text, "  look       {base}");
    for output in config.outputs.iter().filter(|output| output.token.is_none()) {
        if let Some(format) = output.formats.first() {
            let _ = writeln!(text, "  subscribe  {base}{}.{}", output.id, format.extension());
        }
    }
    text.push_str("Ctrl-C stops the daemon.\n");
    text
}

/// The example config with the sample feeds.
fn with_samples(address: SocketAddr) -> String {
    let samples = format!("samples = \"{address}\"   # no effect without the sample feeds");
    let mut text = EXAMPLE.replace("# samples = \"off\"", &samples);
    // A comment right above a feed is removed with it. So is what permits its network.
    text.push_str("\n# The sample feeds. One of them fails on purpose. 'newswire remove --samples' removes them.");
    for path in samples::FEEDS {
        let _ = write!(
            text,
            "\n[[feed]]\nurl = \"http://{address}/{path}\"\nallow_networks = [\"127.0.0.1\"]\n"
        );
        if path.starts_with("tide/") {
            text.push_str("interval = \"5m\"   # it has a new item every few seconds\nmin_interval = \"5m\"\n");
        }
    }
    text
}

/// A free port of this machine.
pub(super) const ANY_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The usual address if it is free, else one of this machine with a free port.
///
/// # Errors
/// When there is none.
pub(super) fn free_address(usual: SocketAddr) -> io::Result<SocketAddr> {
    let bound = TcpListener::bind(usual).or_else(|_| TcpListener::bind(ANY_ADDRESS));
    bound?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Coded as _;

    #[test]
    fn a_full_disk_is_named_in_the_help() {
        let failed = |kind: io::ErrorKind| Error::Io("newswire.toml".to_owned(), kind.into());
        let full = failed(io::ErrorKind::StorageFull);
        assert_eq!(full.code(), "file_unwritable");
        assert!(full.help().unwrap().contains("the disk is full"));
        let denied = failed(io::ErrorKind::PermissionDenied);
        assert!(denied.help().unwrap().contains("can write to"));
    }
}

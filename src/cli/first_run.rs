//! `newswire run` without a config: creates one with the sample feeds, or with the feeds that were named.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::add;
use super::append_feeds::Destination;
use super::arguments::RunRequest;
use super::config_file;
use super::init;
use super::terminal::print_text;
use crate::config::{self, Config, Files, PathChecks};
use crate::web::samples;

/// Where a config is created.
const NEW_CONFIG: &str = "newswire.toml";
/// Usual address of the sample feeds.
const SAMPLES: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8421);

/// Why the daemon has no config to start with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A config cannot be created.
    #[error(transparent)]
    Init(#[from] init::Error),
    /// A feed cannot be added.
    #[error(transparent)]
    Add(#[from] add::Error),
}

crate::model::codes! {
    Error:
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
    let files = Files::gather(Path::new(NEW_CONFIG)).with_main(init::EXAMPLE.to_owned());
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
) -> Result<FirstConfig, Error> {
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
            init::create(&path, &with_samples(free_address(SAMPLES).unwrap_or(SAMPLES)))?;
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
    let mut text = init::EXAMPLE
        .replace("# allow_networks = []", "allow_networks = [\"127.0.0.1\"]   # the sample feeds")
        .replace("# samples = \"off\"", &format!("samples = \"{address}\""));
    text.push_str("\n# The sample feeds. One of them fails on purpose. 'newswire remove --samples' removes them.\n");
    for path in samples::FEEDS {
        let _ = write!(text, "\n[[feed]]\nurl = \"http://{address}/{path}\"\n");
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

//! The section `[web]` of the config.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use url::Url;

use super::listen::ListenAddress;

/// Default of `[web] listen`: port 8420 of the loopback address.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// Who may see the operator pages: status, metrics and incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusPages {
    /// Clients on this machine, but not through a proxy or a Unix socket.
    #[default]
    Local,
    /// All clients, also through a proxy.
    Open,
    /// No client: the pages do not exist.
    Off,
}

/// Which metrics `/metrics` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsPage {
    /// Metrics of the process and sums over all feeds.
    #[default]
    On,
    /// Metrics of each feed too.
    Feeds,
    /// The page does not exist.
    Off,
}

/// The section `[web]` of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Addresses to listen on; none: nothing is served, outputs are only written.
    pub listen: Vec<ListenAddress>,
    /// URL of this server for clients; ends with a slash. The URLs in the outputs start with it.
    pub public_url: Option<Url>,
    /// Further host names of this server: lower case, no port, IPv6 addresses without brackets.
    pub hosts: Vec<String>,
    /// Who may see the operator pages.
    pub status: StatusPages,
    /// Networks whose clients may see the operator pages like those on this machine.
    pub operators: Vec<IpNet>,
    /// What `/metrics` contains. It is an operator page.
    pub metrics: MetricsPage,
    /// Maximum size of all copies of images, in bytes.
    pub image_cache: u64,
    /// Address of a further server with the sample feeds of [`super::samples`]; `None`: it does not run.
    pub samples: Option<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![DEFAULT_LISTEN.into()],
            public_url: None,
            hosts: Vec::new(),
            status: StatusPages::Local,
            operators: Vec::new(),
            metrics: MetricsPage::On,
            image_cache: 256 << 20,
            samples: None,
        }
    }
}

impl Settings {
    /// The URL of the server in documents: `public_url`, else the URL for clients on this machine. Without
    /// `public_url`, responses contain the host of the request instead, and `check` warns about files.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.public_url.clone().unwrap_or_else(|| self.local_url())
    }

    /// The URL of the server for clients on this machine, independent of `public_url`.
    #[must_use]
    pub fn local_url(&self) -> Url {
        url_of(self.listen.iter().find_map(ListenAddress::reachable).unwrap_or(DEFAULT_LISTEN))
    }

    /// The path of `public_url`, with a slash at both ends; `None`: it is the root.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.public_url.as_ref().map(Url::path).filter(|path| *path != "/")
    }
}

fn url_of(listen: SocketAddr) -> Url {
    Url::parse(&format!("http://{listen}/")).expect("a socket address makes a URL")
}

//! `[web]`: where newswire serves.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::Url;

/// Where newswire serves unless it is told otherwise.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// Who may see the operator's pages: status, metrics, incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusPages {
    /// Who sits at this machine and does not come through a proxy, nor a socket in the file system.
    #[default]
    Local,
    /// Everybody who reaches the server.
    Open,
    /// Nobody.
    Off,
}

/// What the metrics page tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsPage {
    /// Newswire as a whole.
    #[default]
    On,
    /// Each feed by itself too.
    Feeds,
    /// There is none.
    Off,
}

/// Where newswire serves, and under which address people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `None`: nothing is served, outputs are only written.
    pub listen: Option<SocketAddr>,
    /// What the outside calls this server; ends with a slash. Feeds name themselves by it.
    pub public_url: Option<Url>,
    /// Further names that requests may call this server by: lower case, no port, IPv6 without brackets.
    pub hosts: Vec<String>,
    /// Who may see the operator's pages.
    pub status: StatusPages,
    /// What the metrics page tells; it is one of them.
    pub metrics: MetricsPage,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Some(LOCAL),
            public_url: None,
            hosts: Vec::new(),
            status: StatusPages::Local,
            metrics: MetricsPage::On,
        }
    }
}

impl Settings {
    /// The address that outputs are published under: `public_url`, else where newswire listens,
    /// else a placeholder on localhost that `check` warns about.
    #[must_use]
    pub fn base_url(&self) -> Url {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        address(self.listen.unwrap_or(LOCAL))
    }

    /// The address under which this machine reaches the server: the operator's, whatever
    /// `public_url` says.
    #[must_use]
    pub fn own_url(&self) -> Url {
        let mut listen = self.listen.unwrap_or(LOCAL);
        if listen.ip().is_unspecified() {
            listen.set_ip(LOCAL.ip());
        }
        address(listen)
    }
}

fn address(listen: SocketAddr) -> Url {
    Url::parse(&format!("http://{listen}/")).expect("a socket address makes a URL")
}

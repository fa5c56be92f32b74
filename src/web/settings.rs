//! The section `[web]` of the config, and the addresses to listen on, as `[web] listen` and `newswire run --listen`
//! spell them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use url::Url;

use crate::text::quoted::in_quotes;

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

/// Prefix of Unix sockets.
const UNIX: &str = "unix:";
/// Mode of the file of a Unix socket. The folder decides who reaches it, and connecting needs the right to write.
const SOCKET_MODE: u32 = 0o666;
/// Longest path of a Unix socket in bytes: `sun_path` has 107, and the socket is created under a longer name.
const MAX_SOCKET_PATH: usize = 103;

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A port on both loopback addresses, 127.0.0.1 and `::1`.
    Localhost(u16),
    /// A Unix socket in the file system.
    Unix {
        /// Absolute path of the socket.
        path: PathBuf,
        /// Mode of the file.
        mode: u32,
    },
}

/// Why a text is not an address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// It has no form of an address.
    #[error("{} is not an address to listen on", in_quotes(.0))]
    Form(String),
    /// The path of a Unix socket does not begin with a slash.
    #[error("the path of the Unix socket {} is not absolute", in_quotes(.0))]
    Relative(String),
    /// The path of a Unix socket is too long for the system.
    #[error("the path of the Unix socket {} is longer than {MAX_SOCKET_PATH} bytes", in_quotes(.0))]
    Long(String),
    /// The mode of a Unix socket is not octal.
    #[error("the mode {} of the Unix socket is not an octal number", in_quotes(.0))]
    Mode(String),
}

impl ListenAddress {
    /// Whether only this machine can reach it. A Unix socket is for a proxy, which other machines can reach.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Localhost(_) => true,
            Self::Unix { .. } => false,
        }
    }

    /// Where a client on this machine connects; `None`: a Unix socket.
    #[must_use]
    pub fn reachable(&self) -> Option<SocketAddr> {
        let (ip, port) = match self {
            Self::Unix { .. } => return None,
            Self::Localhost(port) => (Ipv4Addr::LOCALHOST.into(), *port),
            Self::Tcp(address) => (address.ip(), address.port()),
        };
        // All addresses include those of IPv4, which are the only ones on a machine without IPv6.
        let ip = if ip.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { ip };
        Some(SocketAddr::new(ip, port))
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some(socket) = text.strip_prefix(UNIX) {
            return unix(socket);
        }
        let lower = text.to_lowercase();
        let port = |prefix: &str| {
            let digits = lower.strip_prefix(prefix)?;
            digits.parse::<u16>().ok().filter(|_| !digits.starts_with('+'))
        };
        if let Some(port) = port(":") {
            return Ok(Self::Tcp(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))));
        }
        if let Some(port) = port("localhost:") {
            return Ok(Self::Localhost(port));
        }
        lower.parse().map(Self::Tcp).map_err(|_| ListenAddressError::Form(text.to_owned()))
    }
}

/// The Unix socket `/path` or `/path|660`.
fn unix(text: &str) -> Result<ListenAddress, ListenAddressError> {
    let (path, mode) = match text.rsplit_once('|') {
        None => (text, SOCKET_MODE),
        Some((path, digits)) => {
            let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777);
            (path, mode.ok_or_else(|| ListenAddressError::Mode(digits.to_owned()))?)
        }
    };
    if !path.starts_with('/') || path.ends_with('/') {
        return Err(ListenAddressError::Relative(path.to_owned()));
    }
    if path.len() > MAX_SOCKET_PATH {
        return Err(ListenAddressError::Long(path.to_owned()));
    }
    Ok(ListenAddress::Unix { path: path.into(), mode })
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
            Self::Unix { path, .. } => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_is_read() {
        let read = |text: &str| text.parse::<ListenAddress>().unwrap();
        let tcp = |text: &str| ListenAddress::Tcp(text.parse().unwrap());
        assert_eq!(read("127.0.0.1:8420"), tcp("127.0.0.1:8420"));
        assert_eq!(read(" [::1]:8420 "), tcp("[::1]:8420"));
        assert_eq!(read(":8420"), tcp("[::]:8420"));
        assert_eq!(read("LocalHost:1"), ListenAddress::Localhost(1));
        let socket = |mode| ListenAddress::Unix { path: "/run/n/web.sock".into(), mode };
        assert_eq!(read("unix:/run/n/web.sock"), socket(0o666));
        assert_eq!(read("unix:/run/n/web.sock|0660"), socket(0o660));
    }

    #[test]
    fn the_unspecified_address_is_reached_on_loopback() {
        let reachable = |text: &str| {
            text.parse::<ListenAddress>().unwrap().reachable().map(|at| at.to_string())
        };
        assert_eq!(reachable("0.0.0.0:1").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(reachable(":1").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(reachable("localhost:1").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(reachable("192.0.2.1:1").as_deref(), Some("192.0.2.1:1"));
        assert_eq!(reachable("unix:/a"), None);
    }

    #[test]
    fn what_is_no_address_has_a_reason() {
        for text in ["", "8420", "localhost", ":+1", ":99999", "example.org:1", "off"] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert!(matches!(error, ListenAddressError::Form(_)), "{text}: {error}");
        }
        let error = |text: &str| text.parse::<ListenAddress>().unwrap_err().to_string();
        assert!(error("unix:web.sock").contains("is not absolute"));
        assert!(error("unix:/run/").contains("is not absolute"));
        assert!(error("unix:/a|9").contains("octal"));
        assert!(error("unix:/a|1777").contains("octal"));
        assert!(error(&format!("unix:/{}", "a".repeat(103))).contains("longer than"));
    }
}

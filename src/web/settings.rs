//! `[web]`: where newswire serves.

use std::net::SocketAddr;

use url::Url;

/// Where newswire serves, and under which address people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `None`: nothing is served, outputs are only written.
    pub listen: Option<SocketAddr>,
    /// What the outside calls this server; ends with a slash. Feeds name themselves by it.
    pub public_url: Option<Url>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { listen: Some(SocketAddr::from(([127, 0, 0, 1], 8420))), public_url: None }
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
        let listen = self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8420)));
        Url::parse(&format!("http://{listen}/")).expect("a socket address makes a URL")
    }
}

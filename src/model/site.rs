//! Which addresses are one server to its owner: the registrable domain, whatever stands before it.

use url::{Host, Url};

/// What requests are counted by: `example.co.uk` for `blog.example.co.uk`, an address as it is.
#[must_use]
pub fn site(url: &Url) -> &str {
    match url.host() {
        Some(Host::Domain(name)) => psl::domain_str(name).unwrap_or(name),
        _ => url.host_str().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_is_one_site() {
        for (url, expected) in [
            ("https://www.example.co.uk/feed", "example.co.uk"),
            ("https://a.b.example.com/", "example.com"),
            // A suffix below which strangers live side by side.
            ("https://ann.github.io/feed", "ann.github.io"),
            ("http://127.0.0.1:8080/", "127.0.0.1"),
            ("http://[::1]/", "[::1]"),
            ("http://localhost/", "localhost"),
        ] {
            assert_eq!(site(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}

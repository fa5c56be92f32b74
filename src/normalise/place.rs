//! Where a piece of HTML stands, which says what its relative links mean.

use url::Url;

use super::links;

/// Where the HTML stands, for its relative links.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// `xml:base`, else the document.
    pub(super) base: &'a Url,
    /// The item's page, which `#note-1` is a place in.
    pub(super) page: Option<&'a str>,
}

impl Place<'_> {
    /// The link, absolute; see [`links::absolute`].
    pub(super) fn link(&self, written: &str, schemes: &[&str]) -> Option<String> {
        let page = self.page.filter(|_| written.trim_start().starts_with('#'));
        let page = page.and_then(|page| Url::parse(page).ok());
        links::absolute(written, page.as_ref().unwrap_or(self.base), schemes)
    }
}

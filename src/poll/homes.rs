//! Whose pages the items of a document link to: the feed's own, those that it claims, or others'.

use std::collections::HashMap;

use crate::dedupe;
use crate::model::{Digest, PageOwner, site};

/// Whose pages the items of a document link to.
pub(super) struct Homes<'a> {
    /// Addresses that the feed came from.
    own: [&'a url::Url; 2],
    /// The site that the feed says it belongs to.
    said: Option<String>,
    /// The site that most of its items link to.
    most: Option<String>,
    /// Pages that are the feed's own and so no item's: its home page, and itself.
    doors: Vec<Digest>,
}

impl<'a> Homes<'a> {
    pub(super) fn new(own: [&'a url::Url; 2], said: Option<&str>, pages: &[Option<&str>]) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for page in pages.iter().flatten().filter_map(|page| site_of(page)) {
            *counts.entry(page).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, n)| *n).filter(|(_, n)| 2 * n > pages.len());
        let itself = own.into_iter().map(url::Url::as_str);
        let doors = said.into_iter().chain(itself).filter_map(dedupe::canonical::url_key).collect();
        Self { own, said: said.and_then(site_of), most: most.map(|(site, _)| site), doors }
    }

    /// Whether a page is the feed's own and so no item's.
    pub(super) fn is_door(&self, page: &Digest) -> bool {
        self.doors.contains(page)
    }

    pub(super) fn page_owner(&self, page: Option<&str>, guid: Option<&str>) -> PageOwner {
        let Some(page) = page.and_then(site_of) else { return PageOwner::OtherSite };
        if self.own.iter().any(|home| site(home) == page) {
            return PageOwner::FeedSite;
        }
        let whose = guid.map(dedupe::authority);
        // A link-blog's guid is its own, and only its link is another's.
        let foreign = matches!(&whose, Some(Some(whose)) if *whose != page);
        let said = self.said.as_deref() == Some(&page);
        // Where the feed does not say whose it is, a guid may.
        let unsaid = self.said.is_none() && self.most.as_deref() == Some(&page);
        let own_guid = match whose {
            None => true,
            Some(whose) => whose.as_deref() == Some(&page),
        };
        if !foreign && (said || unsaid && own_guid) {
            PageOwner::ClaimedSite
        } else {
            PageOwner::OtherSite
        }
    }
}

fn site_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok().map(|url| site(&url).to_owned())
}

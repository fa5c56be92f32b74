//! Owners of the pages that the items of a document link to: the feed, a site that it claims, or others.

use std::collections::HashMap;

use crate::dedupe;
use crate::model::{Digest, PageOwner, site};

/// The sites of a feed, to determine the owners of the pages that its items link to.
pub(super) struct FeedSites<'a> {
    /// URLs of the feed: requested and final.
    own: [&'a url::Url; 2],
    /// Site of the home page that the feed names.
    claimed: Option<String>,
    /// Site that most of the items link to.
    majority: Option<String>,
    /// Digests of the URLs of the feed and its home page, which are not pages of items.
    own_pages: Vec<Digest>,
}

impl<'a> FeedSites<'a> {
    pub(super) fn new(
        own: [&'a url::Url; 2],
        claimed: Option<&str>,
        pages: &[Option<&str>],
    ) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for page in pages.iter().flatten().filter_map(|page| site_of(page)) {
            *counts.entry(page).or_default() += 1;
        }
        let majority =
            counts.into_iter().max_by_key(|(_, n)| *n).filter(|(_, n)| 2 * n > pages.len());
        let itself = own.into_iter().map(url::Url::as_str);
        let own_pages =
            claimed.into_iter().chain(itself).filter_map(dedupe::canonical::url_key).collect();
        Self {
            own,
            claimed: claimed.and_then(site_of),
            majority: majority.map(|(site, _)| site),
            own_pages,
        }
    }

    /// Whether a page is the feed or its home page.
    pub(super) fn is_own_page(&self, page: &Digest) -> bool {
        self.own_pages.contains(page)
    }

    pub(super) fn page_owner(&self, page: Option<&str>, guid: Option<&str>) -> PageOwner {
        let Some(page) = page.and_then(site_of) else { return PageOwner::OtherSite };
        if self.own.iter().any(|home| site(home) == page) {
            return PageOwner::FeedSite;
        }
        let whose = guid.map(dedupe::authority);
        // An item of a link-blog has its own guid and links to another site.
        let foreign = matches!(&whose, Some(Some(whose)) if *whose != page);
        let claimed = self.claimed.as_deref() == Some(&page);
        // If the feed names no home page, the guid may show the owner.
        let unclaimed = self.claimed.is_none() && self.majority.as_deref() == Some(&page);
        let own_guid = match whose {
            None => true,
            Some(whose) => whose.as_deref() == Some(&page),
        };
        if !foreign && (claimed || unclaimed && own_guid) {
            PageOwner::ClaimedSite
        } else {
            PageOwner::OtherSite
        }
    }
}

fn site_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok().map(|url| site(&url).to_owned())
}

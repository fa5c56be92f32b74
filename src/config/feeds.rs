//! The feeds of the config and of followed lists, each with its effective settings.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::definition::Section;
use super::diagnostic::{Diagnostic, Report};
use super::followed::{self, Followed};
use super::quantity::spelled;
use super::resolve::{self, Chain, MANY_FEEDS};
use super::section::{Document, Layer};
use super::settings::{self, Config};
use crate::fetch;
use crate::model::{Feed, FeedId, Removal, site};
use crate::opml::ListedFeed;
use crate::poll::Subscription;
use crate::store::{self, Reader};
use crate::text::quoted::in_quotes;

/// A feed with its section; `None`: it comes from a list.
pub(super) struct ConfiguredFeed<'d> {
    pub(super) feed: Feed,
    pub(super) layer: Option<&'d Layer>,
    /// The lists that contain it.
    lists: Vec<&'d Layer>,
}

/// All feeds, and what their settings are inherited from.
pub(super) struct Feeds<'d> {
    document: &'d Document,
    pub(super) feeds: Vec<ConfiguredFeed<'d>>,
    pub(super) followed: Vec<Followed>,
    /// Number of feeds of each site.
    sites: HashMap<String, usize>,
    /// The `[[server]]` of each site.
    servers: HashMap<&'d str, &'d Layer>,
}

impl<'d> Feeds<'d> {
    /// Collects the feeds of the config and of its lists. `database` is the path of the database.
    pub(super) fn collect(document: &'d Document, database: &Path, report: &mut Report) -> Self {
        let mut feeds = named_feeds(document, report);
        let followed = followed_feeds(document, database, &mut feeds, report);
        let mut sites: HashMap<String, usize> = HashMap::new();
        for feed in &feeds {
            *sites.entry(site(&feed.feed.url).to_owned()).or_default() += 1;
        }
        let mut servers: HashMap<&str, &Layer> = HashMap::new();
        for server in document.all(Section::Server) {
            let Some(host) = server.text("host") else { continue };
            if let Some(first) = servers.insert(host, server) {
                let message =
                    format!("two [[server]] sections have the host {host}", host = in_quotes(host));
                let error = server.error("duplicate_server", "host", message);
                report.push(error.also(first.span("host"), "first here").help("join them"));
            }
        }
        Self { document, feeds, followed, sites, servers }
    }

    /// The chain of a key that belongs to `section`, for a feed on `site` with its own section.
    pub(super) fn chain<'c>(
        &'c self,
        section: Section,
        site: &'c str,
        feed: Option<&'c Layer>,
    ) -> Chain<'c> {
        let mut chain = feed.map_or_else(Chain::default, |feed| Chain::default().own(feed));
        let server = self.servers.get(site).filter(|_| section == Section::Schedule);
        if let Some(server) = server {
            chain = chain.inherited(server);
        }
        if section == Section::Schedule {
            chain = chain.built_in(site);
        }
        if section != Section::Feed {
            chain = chain.inherited(self.document.one(section));
        }
        let many = self.sites.get(site).is_some_and(|feeds| *feeds >= MANY_FEEDS);
        if many && server.is_none() && section == Section::Schedule {
            chain = chain.many_feeds();
        }
        chain.defaults(section)
    }

    /// Whether the schedule of a site can differ from the one of `[schedule]`.
    fn is_special(&self, site: &str) -> bool {
        self.servers.contains_key(site)
            || resolve::built_in_server(site).is_some()
            || self.sites.get(site).is_some_and(|feeds| *feeds >= MANY_FEEDS)
    }

    /// Every feed with its effective settings. Feeds that override nothing share those of `general`.
    pub(super) fn subscriptions(&self, general: &Config, report: &mut Report) -> Vec<Subscription> {
        let shared_fetch = Arc::new(general.fetch.clone());
        let mut schedules: HashMap<&str, Arc<crate::schedule::Settings>> = HashMap::new();
        let mut subscriptions = Vec::with_capacity(self.feeds.len());
        for ConfiguredFeed { feed, layer, lists } in &self.feeds {
            let site = site(&feed.url);
            let sets = |section: Section| {
                layer.filter(|layer| section.keys().any(|key| layer.sets(key.name)))
            };
            let mut schedule = match sets(Section::Schedule) {
                None if !self.is_special(site) => Arc::clone(&general.schedule),
                None => Arc::clone(schedules.entry(site).or_insert_with(|| {
                    Arc::new(settings::schedule(self.chain(Section::Schedule, site, None)))
                })),
                layer => Arc::new(settings::schedule(self.chain(Section::Schedule, site, layer))),
            };
            let own = |section: Section| {
                sets(section).map(|layer| self.chain(section, site, Some(layer)))
            };
            let fetch = own(Section::Fetch).map(|values| Arc::new(settings::fetch(&values)));
            let fetch = fetch.unwrap_or_else(|| Arc::clone(&shared_fetch));
            let dedupe = own(Section::Dedupe).map(|values| Arc::new(settings::dedupe(&values)));
            if schedule.host_spacing.is_zero() && !self.is_own_server(&feed.url) {
                self.zero_spacing(&feed.url, *layer, report);
                // A list can bring feeds of other servers at any time.
                schedule = Arc::new(crate::schedule::Settings {
                    host_spacing: crate::schedule::Settings::default().host_spacing,
                    ..(*schedule).clone()
                });
            }
            let server = self.servers.get(site).copied();
            if let Some(budget) = server.and_then(|server| server.get("budget").copied()) {
                let budget = Some(budget);
                schedule = Arc::new(crate::schedule::Settings { budget, ..(*schedule).clone() });
            }
            if let (Some(refused), Some(layer)) = (fetch.refuses(&feed.url), layer) {
                let message = format!("every poll will be refused: {refused}");
                let warning = layer.warning("address_not_allowed", "url", message);
                report.push(warning.help(refused.help.as_deref().unwrap_or_default()));
            }
            // The sections whose conditions and selectors apply to the feed.
            let selecting = || (*layer).into_iter().chain(lists.iter().copied()).chain(server);
            subscriptions.push(Subscription {
                feed: feed.clone(),
                schedule,
                fetch,
                dedupe: dedupe.unwrap_or_else(|| Arc::clone(&general.dedupe)),
                filters: selecting().map(settings::filter).filter(|f| !f.is_empty()).collect(),
                remove: selecting().flat_map(settings::remove).collect(),
                max_items: self.chain(Section::Fetch, site, *layer).get("max_items").unwrap_or(1),
            });
        }
        // After the errors of feeds about the same place, which name a URL.
        self.check_schedules(report);
        subscriptions
    }

    /// Whether the operator owns the server of this URL: it has a `[[server]]`, or a private address or name.
    fn is_own_server(&self, url: &Url) -> bool {
        self.servers.contains_key(site(url)) || has_private_host(url)
    }

    /// Reports `host_spacing = "0s"` for a server of another owner, where it is written.
    fn zero_spacing(&self, url: &Url, layer: Option<&Layer>, report: &mut Report) {
        let own = layer.filter(|layer| layer.sets("host_spacing"));
        let inherited = || layer.map(|_| self.document.one(Section::Schedule));
        let Some(layer) = own.or_else(inherited).filter(|layer| layer.sets("host_spacing")) else {
            return;
        };
        let message = format!("host_spacing is zero, but {url} is not on one of your servers");
        let span = layer.span("host_spacing");
        report_zero(Diagnostic::error("zero_host_spacing", span, message), report);
    }

    /// Checks the bounds of the intervals in every section that sets them.
    fn check_schedules(&self, report: &mut Report) {
        let general = self.document.one(Section::Schedule);
        let chain = Chain::of(general);
        let zero = chain.get::<Duration>("host_spacing");
        check_bounds(general, chain, report);
        if zero.is_some_and(|spacing| spacing.is_zero())
            && !self.document.are_uncertain(&[Section::Feed], &["url", "file"])
            && !self.feeds.iter().any(|feed| self.is_own_server(&feed.feed.url))
        {
            // Not an error: the last feed of such a server may be removed.
            let message = "host_spacing is zero, but no feed is on one of your servers".to_owned();
            let span = general.span("host_spacing");
            report_zero(Diagnostic::warning("zero_host_spacing", span, message), report);
        }
        for server in self.document.all(Section::Server) {
            let site = server.text("host").unwrap_or_default();
            let chain = Chain::default().own(server).built_in(site);
            check_bounds(server, chain.inherited(general).defaults(Section::Schedule), report);
        }
        for layer in self.document.all(Section::Feed) {
            let url = url_of(layer);
            let site = url.as_ref().map(site).unwrap_or_default();
            check_bounds(layer, self.chain(Section::Schedule, site, Some(layer)), report);
        }
    }
}

/// The feeds with the ids that they have in the database at this path, or get when they are stored there.
#[must_use]
pub fn with_ids(feeds: &[Feed], database: &Path) -> Vec<store::ConfiguredFeed> {
    let stored = Reader::open(database).ok();
    let stored = stored.and_then(|reader| reader.read(|tx| tx.configured_feeds(feeds)).ok());
    stored.unwrap_or_else(|| store::new_feeds(feeds))
}

/// Whether the host of a URL is a private address, or a name of a local network.
pub(super) fn has_private_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(Host::Ipv6(address)) => match IpAddr::V6(address).to_canonical() {
            IpAddr::V4(address) => address.is_loopback() || address.is_private(),
            IpAddr::V6(address) => {
                let local = address.is_unique_local() || address.is_unicast_link_local();
                address.is_loopback() || local
            }
        },
        Some(Host::Domain(name)) => fetch::is_local_name(name),
        None => fetch::is_local(url),
    }
}

/// Reports a zero `host_spacing`, once for each place.
fn report_zero(found: Diagnostic, report: &mut Report) {
    let is_same = |other: &Diagnostic| other.code == found.code && other.span == found.span;
    if !report.diagnostics.iter().any(is_same) {
        report.push(found.help("set it in a [[server]] for your own server only"));
    }
}

/// The feeds of the config. Sections with one URL are one feed, with the tags of all.
fn named_feeds<'d>(document: &'d Document, report: &mut Report) -> Vec<ConfiguredFeed<'d>> {
    let mut first: HashMap<Url, usize> = HashMap::new();
    let mut feeds: Vec<ConfiguredFeed<'d>> = Vec::new();
    for layer in document.all(Section::Feed) {
        let values = Chain::of(layer);
        check_source(layer, report);
        let Some(url) = url_of(layer) else { continue };
        let id = values.get::<String>("id").and_then(|id| FeedId::new(&id).ok());
        let (title, tags) = (values.get("title"), values.list("tags"));
        let feed = Feed { id, title, tags, url, removal: Removal::Hide };
        let requested = without_fragment(&feed.url);
        let Some(earlier) = first.get(&requested) else {
            first.insert(requested, feeds.len());
            feeds.push(ConfiguredFeed { feed, layer: Some(layer), lists: Vec::new() });
            continue;
        };
        let ConfiguredFeed { feed: kept, layer: kept_layer, .. } = &mut feeds[*earlier];
        let message = format!("the URL {} is used twice", in_quotes(&feed.url));
        let span = kept_layer.map_or(0..0, |layer| layer.span("url"));
        if kept.id.is_some() && feed.id.is_some() && kept.id != feed.id {
            let error = layer.error("duplicate_feed", "url", message);
            let error = error.also(span, "first here, with another id");
            report.push(error.help("remove one of them"));
            continue;
        }
        let warning = layer.warning("merged_feeds", "url", message);
        let warning = warning.also(span, "first here; these settings are used");
        report.push(warning.help("remove one; it is one feed with the tags of both"));
        kept.id = kept.id.take().or(feed.id);
        kept.title = kept.title.take().or(feed.title);
        add_tags(kept, feed.tags);
    }
    reject_taken_ids(&feeds, report);
    feeds
}

/// Reports ids that another feed has without a key `id`, because its URL leads to it.
fn reject_taken_ids(feeds: &[ConfiguredFeed<'_>], report: &mut Report) {
    let unnamed = feeds.iter().filter(|other| other.feed.id.is_none());
    let derived: HashMap<FeedId, &ConfiguredFeed<'_>> =
        unnamed.map(|other| (FeedId::derive(&other.feed.url), other)).collect();
    for ConfiguredFeed { feed, layer, .. } in feeds {
        let other = feed.id.as_ref().and_then(|id| derived.get(id));
        let (Some(other), Some(layer)) = (other, layer) else { continue };
        let url = other.feed.url.as_str();
        let error = layer.error(
            "duplicate_feed",
            "id",
            format!("the id is that of the feed {url}, derived from its URL", url = in_quotes(url)),
        );
        let span = other.layer.map_or(0..0, |layer| layer.span("url"));
        report.push(error.also(span, "this feed").help("choose another id"));
    }
}

/// The URL of a feed, or that of its file.
pub(super) fn url_of(layer: &Layer) -> Option<Url> {
    layer.get("url").cloned().or_else(|| {
        let path = std::path::absolute(layer.get::<PathBuf>("file")?).ok()?;
        Url::from_file_path(path).ok()
    })
}

/// Reports a feed that has neither a URL nor a file, or both.
fn check_source(layer: &Layer, report: &mut Report) {
    let error = |message: &str| layer.error("missing_key", "url", message);
    match (layer.may_set("url"), layer.may_set("file")) {
        (false, false) => {
            let help = "write url = \"https://blog.rust-lang.org/feed.xml\"";
            report.push(error("[[feed]] has no url").help(help));
        }
        (true, true) => {
            let help = "remove one of them: url is a feed on the web, file one of this machine";
            report.push(error("[[feed]] has both url and file").help(help));
        }
        _ => {}
    }
}

/// The URL that is requested: the fragment is not sent.
fn without_fragment(url: &Url) -> Url {
    let mut requested = url.clone();
    requested.set_fragment(None);
    requested
}

fn add_tags(feed: &mut Feed, tags: impl IntoIterator<Item = String>) {
    for tag in tags {
        if !feed.tags.contains(&tag) {
            feed.tags.push(tag);
        }
    }
}

/// Adds the feeds of all lists. Feeds that are in the config keep its settings, and get the tags of the list and its title
/// if they have no other.
fn followed_feeds<'d>(
    document: &'d Document,
    database: &Path,
    feeds: &mut Vec<ConfiguredFeed<'d>>,
    report: &mut Report,
) -> Vec<Followed> {
    let mut index: HashMap<Url, usize> =
        feeds.iter().enumerate().map(|(n, feed)| (without_fragment(&feed.feed.url), n)).collect();
    let mut all = Vec::new();
    for layer in document.all(Section::Subscriptions) {
        let Some((followed, list)) = followed::read(layer, database, report) else { continue };
        let values = Chain::of(layer);
        let removal = values.choice("removed", &[Removal::Keep, Removal::Hide]);
        for ListedFeed { url, title, tags, .. } in list.feeds {
            let n = *index.entry(without_fragment(&url)).or_insert(feeds.len());
            if n == feeds.len() {
                let (title, tags) = (None, Vec::new());
                let feed = Feed { id: None, url, title, tags, removal };
                feeds.push(ConfiguredFeed { feed, layer: None, lists: Vec::new() });
            }
            let ConfiguredFeed { feed, layer: own, lists } = &mut feeds[n];
            feed.title = feed.title.take().or(title);
            lists.push(layer);
            if removal == Removal::Keep && own.is_none() {
                feed.removal = removal;
            }
            add_tags(feed, tags.into_iter().chain(values.list("tags")));
        }
        all.push(followed);
    }
    all
}

/// Reports bounds of the interval that contradict each other, in the section `layer` that begins `chain`.
fn check_bounds(layer: &Layer, chain: Chain<'_>, report: &mut Report) {
    const KEYS: [&str; 3] = ["min_interval", "interval", "max_interval"];
    if !KEYS.iter().any(|key| layer.sets(key)) {
        return;
    }
    let (chain, interval) = resolve::schedule(chain);
    let fixed = chain.get::<Duration>("interval").is_some();
    let value = |key: &str| match key {
        "interval" => interval,
        key => chain.get(key).unwrap_or_default(),
    };
    let mut order = |low: &'static str, high: &'static str| {
        let (has_low, has_high) = (layer.sets(low), layer.sets(high));
        let certain = !chain.is_uncertain(low) && !chain.is_uncertain(high);
        if !certain || !has_low && !has_high || value(low) <= value(high) {
            return;
        }
        let low_first = layer.span(low).start < layer.span(high).start;
        let (at, other) = match has_high && (!has_low || low_first) {
            true => (high, low),
            false => (low, high),
        };
        let message = format!("{low} is longer than {high}");
        let error = layer.error("contradiction", at, message);
        report.push(match layer.sets(other) {
            true => error.also(layer.span(other), format!("{other} is set here")),
            false => error.help(format!("set {other} too; it is \"{}\"", spelled(value(other)))),
        });
    };
    if fixed {
        order("min_interval", "interval");
        order("interval", "max_interval");
    }
    if !fixed || layer.sets("min_interval") && layer.sets("max_interval") {
        order("min_interval", "max_interval");
    }
    if let Some(minimum) = chain.inherited_duration("min_interval")
        && (fixed && layer.sets("interval") && interval < minimum)
    {
        let message = format!(
            "interval is shorter than the inherited min_interval, \"{}\", which follows it here",
            spelled(minimum)
        );
        let warning = layer.warning("interval_below_minimum", "interval", message);
        report.push(warning.help("set min_interval to the same value here to confirm it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::{Files, Loaded, PathChecks};
    use crate::store::{Lists, Store};

    /// The config in a folder with an output that takes these ids, and feeds with these URLs.
    fn load(folder: &Path, ids: &[String], urls: &[&str]) -> Loaded {
        let feeds = urls.iter().map(|url| format!("[[feed]]\nurl = \"{url}\"\n"));
        let feeds: String = feeds.collect();
        let only = match ids {
            [] => String::new(),
            ids => format!("include = {{ feeds = {ids:?} }}\n"),
        };
        let output = format!("[[output]]\nid = \"planet\"\n{only}");
        let store = format!("[store]\npath = {:?}\n", folder.join("newswire.db"));
        let path = folder.join("newswire.toml");
        std::fs::write(&path, format!("version = 1\n{output}{store}{feeds}")).unwrap();
        Files::gather(&path).read(PathChecks::Existence)
    }

    fn feeds_of(loaded: &Loaded) -> Vec<Feed> {
        let config = loaded.config.as_ref().unwrap();
        config.subscriptions.iter().map(|subscription| subscription.feed.clone()).collect()
    }

    #[tokio::test]
    async fn filters_take_exactly_the_ids_that_commands_print() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("newswire.db");
        let urls = ["http://v.example/x?c=a", "http://v.example/x?c=b", "http://v.example/feed"];
        let more = ["https://v.example/feed", urls[0], urls[1], urls[2]];
        let print = |urls: &[&str]| -> Vec<String> {
            let feeds = feeds_of(&load(folder.path(), &[], urls));
            with_ids(&feeds, &database).iter().map(|feed| feed.id.to_string()).collect()
        };
        let errors = |ids: &[String], urls: &[&str]| load(folder.path(), ids, urls).report.errors();
        let before = print(&urls);
        assert_eq!(errors(&before, &urls), 0);
        assert_eq!(errors(&["v.example-x-2".to_owned()], &urls), 1);
        let store = Store::open(&database, Clock::system()).unwrap();
        let feeds = feeds_of(&load(folder.path(), &[], &urls));
        store.register(feeds, Lists::Known, Clock::system().now()).await.unwrap();
        drop(store);
        assert_eq!(print(&urls), before);
        // Without the database, the feed that was added at the top would have the id of the last one.
        let after = print(&more);
        assert_eq!(after[1..], before);
        assert_eq!(errors(&after, &more), 0);
        assert_eq!(errors(&["v.example-feed-2".to_owned()], &more), 1);
    }

    #[test]
    fn a_feed_with_its_own_section_keeps_title_and_tags_of_its_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        let list = "<opml version=\"2.0\"><body><outline text=\"Nine\" category=\"x\" xmlUrl=\"http://a.example/feed\"/></body></opml>";
        std::fs::write(folder.path().join("list.opml"), list).unwrap();
        for (own, title) in [("", "Nine"), ("title = \"Own\"", "Own")] {
            let feed = format!("[[feed]]\nurl = \"http://a.example/feed\"\npaused = true\n{own}");
            let list = format!("[[subscriptions]]\nfile = {:?}", folder.path().join("list.opml"));
            std::fs::write(&path, format!("version = 1\n{feed}\n{list}\n")).unwrap();
            let loaded = Files::gather(&path).read(PathChecks::Existence);
            let [feed] = &feeds_of(&loaded)[..] else { panic!("{}", loaded.report.errors()) };
            assert_eq!(
                (feed.title.as_deref(), &feed.tags[..]),
                (Some(title), &["x".to_owned()][..])
            );
        }
    }
}

//! The images of other sites on pages with `images = "proxy"`: fetched when a browser first asks for them, shrunk,
//! and kept for a time. Readers contact this server alone.
//!
//! Only images of items that an output shows are fetched: the path of an image names the item and a digest of the
//! URL, and the URL itself comes from the item. Requests pass the gate as polls do. They have the settings of the
//! feed, such as its proxy and the private networks that it may use, without its headers.

mod cache;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tracing::{debug, warn};
use url::Url;

use self::cache::{Cache, Cached, ImageId};
use crate::clock::Clock;
use crate::fetch::{self, Body, Request, Wanted};
use crate::images;
use crate::model::{Asker, FeedId, FetchOutcome, Validators};
use crate::poll::{Answer, Gate, Limits, Urgency, Visit};
use crate::text::sha256::{Sha256, hex, sha256};

pub(super) use self::cache::Variant;

/// Time for which a browser waits for an image that is being fetched.
const PATIENCE: Duration = Duration::from_secs(6);
/// Maximum number of images that are fetched or wait for it.
const MAX_WAITING: usize = 128;
/// Maximum number of images that are fetched at once.
const MAX_FETCHES: usize = 8;
/// Time limit of a request for an image.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Size limit of an image as it is received, in bytes.
const MAX_SIZE: u64 = 12 << 20;
/// Time between two requests for one image.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Maximum number of requests to one site at once. A browser would send more.
const AT_ONCE: usize = 2;
/// Longest time between the starts of two requests to one site.
const SPACING: Duration = Duration::from_millis(250);

/// Settings for requests of images.
#[derive(Debug, Default)]
pub struct ImageRequests {
    /// Settings of the requests for images of a feed.
    pub feeds: HashMap<FeedId, FeedRequests>,
    /// Settings for images of feeds that are no longer configured.
    pub others: FeedRequests,
    /// Maximum size of all copies, in bytes.
    pub cache_size: u64,
}

/// Settings for requests of the images of one feed.
#[derive(Debug, Clone, Default)]
pub struct FeedRequests {
    /// Settings of its requests.
    pub fetch: Arc<fetch::Settings>,
    /// Time between two requests to its site; images wait for 250 ms at most.
    pub spacing: Duration,
}

/// Fetches images and keeps copies of them. Clones share the copies.
#[derive(Debug, Clone)]
pub struct ImageProxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gate: Gate,
    clock: Clock,
    cache: Cache,
    requests: RwLock<Arc<ImageRequests>>,
    /// The images that are being fetched. The channel closes at the end.
    under_way: Mutex<HashMap<ImageId, watch::Receiver<()>>>,
    fetches: Semaphore,
    /// One permit, because of the memory for the pixels.
    decoding: Semaphore,
    /// The runtime of the daemon: the threads of the server have their own, without connections to other sites.
    runtime: Handle,
}

/// A copy of an image, to be sent.
#[derive(Debug)]
pub(super) struct SentImage {
    pub(super) bytes: Vec<u8>,
    pub(super) media_type: &'static str,
}

/// The reason why a copy of an image is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// It cannot be fetched or read.
    Failed,
    /// It is still being fetched.
    NotYet,
}

/// What the cache has of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownImage {
    /// Width and height of the copy in pixels.
    Size(u32, u32),
    /// It cannot be shown.
    Failed,
    /// Neither a copy nor a failure is cached.
    Unknown,
}

/// An image of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct ItemImage<'a> {
    /// The feed of the item.
    pub(super) feed: &'a FeedId,
    /// The URL of the image.
    pub(super) url: &'a Url,
}

/// The URL of an image that may be requested: of http or https, and not the name of an SVG.
pub(super) fn image_url(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_fragment(None);
    let path = url.path().to_ascii_lowercase();
    (!path.ends_with(".svg") && !path.ends_with(".svgz")).then_some(url)
}

/// The name of an image in a path: the beginning of a digest of its URL.
pub(super) fn image_name(url: &Url) -> String {
    hex(&sha256(url.as_str())[..12])
}

impl ImageProxy {
    /// A proxy whose requests pass this gate. The folder need not exist. To be called on the runtime of the daemon.
    #[must_use]
    pub fn open(folder: PathBuf, gate: Gate, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            gate,
            clock,
            cache: Cache::open(folder),
            requests: RwLock::default(),
            under_way: Mutex::default(),
            fetches: Semaphore::new(MAX_FETCHES),
            decoding: Semaphore::new(1),
            runtime: Handle::current(),
        }))
    }

    /// Replaces the settings of all further requests.
    pub fn configure(&self, requests: ImageRequests) {
        self.0.cache.limit(requests.cache_size);
        *self.0.requests.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(requests);
    }

    /// Removes copies that are too old. Blocks.
    pub fn tidy(&self) {
        self.0.cache.tidy(self.0.clock.now());
    }

    /// What is known of an image.
    pub(super) fn known(&self, image: ItemImage<'_>, variant: Variant) -> KnownImage {
        let id = id(image.url, &self.requests(image.feed).fetch);
        match self.0.cache.find(id, self.0.clock.now()) {
            None => KnownImage::Unknown,
            Some(Cached::Failed) => KnownImage::Failed,
            Some(cached) => cached
                .copy(variant)
                .map_or(KnownImage::Unknown, |(copy, _)| KnownImage::Size(copy.width, copy.height)),
        }
    }

    /// Returns a copy of an image; fetches the image if it has no copy yet.
    pub(super) async fn get(
        &self,
        image: ItemImage<'_>,
        variant: Variant,
    ) -> Result<SentImage, Unavailable> {
        let requests = self.requests(image.feed);
        let id = id(image.url, &requests.fetch);
        if let Some(cached) = self.0.cache.find(id, self.0.clock.now()) {
            match self.read(id, cached, variant).await {
                // The file is gone.
                None if cached != Cached::Failed => self.0.cache.forget(id),
                None => return Err(Unavailable::Failed),
                Some(copy) => return Ok(copy),
            }
        }
        let mut end = self.start(id, image.url, requests).ok_or(Unavailable::NotYet)?;
        // Nothing is ever sent: it ends when the channel closes.
        let waited = tokio::time::timeout(PATIENCE, end.changed()).await;
        match self.0.cache.find(id, self.0.clock.now()) {
            Some(Cached::Failed) => Err(Unavailable::Failed),
            Some(cached) => self.read(id, cached, variant).await.ok_or(Unavailable::NotYet),
            None if waited.is_err() => Err(Unavailable::NotYet),
            // A server asked to wait, or the copy could not be written.
            None => Err(Unavailable::NotYet),
        }
    }

    /// How images of a feed are requested.
    fn requests(&self, feed: &FeedId) -> FeedRequests {
        let requests = Arc::clone(&self.0.requests.read().unwrap_or_else(PoisonError::into_inner));
        requests.feeds.get(feed).unwrap_or(&requests.others).clone()
    }

    async fn read(&self, id: ImageId, cached: Cached, variant: Variant) -> Option<SentImage> {
        let copy = cached.copy(variant)?;
        let (path, media_type) = (self.0.cache.path(id, copy), copy.0.format.media_type());
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let bytes = read.ok()?.ok()?;
        Some(SentImage { bytes, media_type })
    }

    /// Starts to fetch an image, unless that is under way. The channel closes at the end. `None`: too many are.
    fn start(&self, id: ImageId, url: &Url, requests: FeedRequests) -> Option<watch::Receiver<()>> {
        let mut under_way = self.under_way();
        if let Some(end) = under_way.get(&id) {
            return Some(end.clone());
        }
        if under_way.len() >= MAX_WAITING {
            return None;
        }
        let (sender, end) = watch::channel(());
        under_way.insert(id, end.clone());
        let (proxy, url) = (self.clone(), url.clone());
        self.0.runtime.spawn(async move {
            let _end = UnderWay { proxy: proxy.clone(), id, _sender: sender };
            proxy.fetch(id, &url, &requests).await;
        });
        Some(end)
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<ImageId, watch::Receiver<()>>> {
        // A panic cannot leave the map half changed.
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches an image and keeps its copies.
    async fn fetch(&self, id: ImageId, url: &Url, requests: &FeedRequests) {
        let Ok(_fetching) = self.0.fetches.acquire().await else { return };
        let made = match self.request(url, requests).await {
            Requested::Image(body) => self.copies(body).await,
            Requested::Failed(error) => Err(error),
            Requested::Denied => return,
        };
        if let Err(error) = &made {
            debug!(url = url.as_str(), error, "image not shown");
        }
        let (proxy, now) = (self.clone(), self.0.clock.now());
        let keep = move || proxy.0.cache.keep(id, made.ok().as_ref(), now);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(keep).await {
            warn!(%error, "copy of an image not written");
        }
    }

    async fn request(&self, url: &Url, requests: &FeedRequests) -> Requested {
        let settings = fetch::Settings {
            // They may contain a password.
            headers: Vec::new(),
            timeout: requests.fetch.timeout.min(TIMEOUT),
            max_body: MAX_SIZE,
            ..(*requests.fetch).clone()
        };
        let request = Request {
            url,
            wanted: Wanted::Image,
            validators: &Validators::default(),
            validators_from: None,
            known_body: None,
            known_lifetime: None,
            settings: &settings,
            now: self.0.clock.now(),
        };
        let visit = Visit {
            request,
            by: Asker::Image,
            urgency: Urgency::Scheduled { interval: INTERVAL, last: None },
            limits: Limits { at_once: AT_ONCE, spacing: requests.spacing.min(SPACING) },
            is_shared: false,
            known: None,
        };
        match self.0.gate.fetch(visit).await {
            Ok(Answer::Finished(finished)) => {
                match (finished.response.outcome, finished.response.body) {
                    (FetchOutcome::Modified, Some(body)) => Requested::Image(body),
                    (FetchOutcome::Failed(failure), _) => Requested::Failed(failure.to_string()),
                    (FetchOutcome::Throttled, _) => Requested::Denied,
                    (outcome, _) => Requested::Failed(outcome.slug().to_owned()),
                }
            }
            Ok(Answer::Denied(denied)) => {
                debug!(url = url.as_str(), until = %denied.until, "image held");
                Requested::Denied
            }
            Err(error) => {
                warn!(%error, "image not requested: ledger unavailable");
                Requested::Denied
            }
        }
    }

    async fn copies(&self, body: Body) -> Result<images::ImageCopies, String> {
        let _decoding = self.0.decoding.acquire().await.map_err(|error| error.to_string())?;
        // The memory of the file is reserved until it is decoded.
        let work = move || images::copies(&body.bytes);
        let made = tokio::task::spawn_blocking(work).await;
        made.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

/// The result of a request for an image.
enum Requested {
    /// A file that may be an image.
    Image(Body),
    /// A failure, as text.
    Failed(String),
    /// A promise denies the request.
    Denied,
}

/// An image that is being fetched, until this is dropped.
struct UnderWay {
    proxy: ImageProxy,
    id: ImageId,
    _sender: watch::Sender<()>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.proxy.under_way().remove(&self.id);
    }
}

/// Identifies an image and how it is requested: a feed that may not contact a private network does not get an image
/// from there that another feed may get.
fn id(url: &Url, settings: &fetch::Settings) -> ImageId {
    let mut digest = Sha256::new();
    digest.update(url.as_str());
    for network in &settings.allow_networks {
        digest.update(format!("\n{network}"));
    }
    if let Some(proxy) = &settings.proxy {
        digest.update(format!("\nproxy {proxy}"));
    }
    ImageId(digest.finish_short())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_of_the_web_that_are_not_svg_have_a_url() {
        let url = |text: &str| image_url(text).map(String::from);
        assert_eq!(url("https://a.test/b.jpg#c").as_deref(), Some("https://a.test/b.jpg"));
        assert_eq!(url("http://a.test/svg?x=.png").as_deref(), Some("http://a.test/svg?x=.png"));
        for other in [
            "file:///etc/passwd",
            "data:image/png;base64,AA==",
            "https://a.test/b.svg?c=1",
            "https://a.test/B.SVGZ",
            "ftp://a.test/b.png",
            "b.png",
        ] {
            assert_eq!(url(other), None, "{other}");
        }
    }

    #[test]
    fn networks_and_proxy_of_a_feed_are_part_of_the_identity() {
        let url = Url::parse("http://10.0.0.5/a.png").unwrap();
        let plain = fetch::Settings::default();
        let private = fetch::Settings {
            allow_networks: vec!["10.0.0.0/8".parse().unwrap()],
            ..fetch::Settings::default()
        };
        let proxied = fetch::Settings {
            proxy: Url::parse("socks5h://127.0.0.1:9050").ok(),
            ..fetch::Settings::default()
        };
        let ids = [&plain, &private, &proxied].map(|settings| id(&url, settings));
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        assert_eq!(id(&url, &plain), id(&url, &plain.clone()));
    }
}

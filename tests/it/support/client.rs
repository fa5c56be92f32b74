//! A fetcher with its own settings and validators, for one exchange at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use newswire::fetch::{Fetcher, Request, Resolver, Response, Settings, Step, Wanted};
use newswire::model::{FailureKind, FetchOutcome, Validators};
use url::Url;

use super::origin::{Answer, Origin};

pub(crate) const HOST: &str = "site.test";

fn settings() -> Settings {
    Settings {
        contact: Some("https://planet.test/about".to_owned()),
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        timeout: Duration::from_secs(120),
        ..Settings::default()
    }
}

pub(crate) struct Client {
    fetcher: Fetcher,
    pub(crate) settings: Settings,
    pub(crate) validators: Validators,
    pub(crate) known_body: Option<[u8; 32]>,
}

impl Client {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            fetcher: Fetcher::new(resolver).unwrap(),
            settings: settings(),
            validators: Validators::default(),
            known_body: None,
        }
    }

    pub(crate) fn knowing(mut self, etag: &str, last_modified: &str) -> Self {
        let bytes = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
        self.validators = Validators { etag: bytes(etag), last_modified: bytes(last_modified) };
        self
    }

    pub(crate) async fn get(&self, url: &Url) -> Response {
        let (validators, settings) = (&self.validators, &self.settings);
        let (known_body, now) = (self.known_body, Timestamp::UNIX_EPOCH);
        let validators_from = None;
        let request = Request {
            url,
            wanted: Wanted::Feed,
            validators,
            validators_from,
            known_body,
            known_lifetime: None,
            settings,
            now,
        };
        let mut exchange = match self.fetcher.exchange(request) {
            Ok(exchange) => exchange,
            Err(failure) => return Response::failed(url.clone(), failure),
        };
        loop {
            if let Step::Done(response) = exchange.step(settings.timeout).await {
                return *response;
            }
        }
    }
}

/// An origin with one answer, and a client of it.
pub(crate) async fn site(answer: Answer) -> (Origin, Client, Url) {
    let origin = Origin::start().await;
    origin.route(HOST, "/feed", [answer]);
    let (client, url) = (Client::new(origin.resolver()), origin.url(HOST, "/feed"));
    (origin, client, url)
}

pub(crate) fn kind(response: &Response) -> FailureKind {
    match &response.outcome {
        FetchOutcome::Failed(failure) => failure.kind,
        other => panic!("no failure but {other:?}"),
    }
}

pub(crate) fn body(response: &Response) -> &[u8] {
    &response.body.as_ref().unwrap_or_else(|| panic!("{:?}", response.outcome)).bytes
}

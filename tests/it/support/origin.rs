//! A local origin: scripted routes, and a raw mode that sends wrong lengths, stalls and cuts. Its resolver leads
//! every host name here, so that redirects across hosts go through the real HTTP stack.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use newswire::clock::Clock;
use newswire::fetch::{ResolveError, Resolver};
use tokio::io::{AsyncBufReadExt, AsyncReadExt as _, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What a route answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A whole response; its length is filled in.
    Plain { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// 304 to a request with this entity tag, else the response.
    Tagged { etag: String, body: Vec<u8> },
    /// Bytes as they are, then the connection is closed.
    Raw(Vec<u8>),
    /// Bytes as they are, and then silence.
    Stall(Vec<u8>),
    /// A whole response that is held back until the test lets it go.
    Held(Arc<tokio::sync::Semaphore>, Box<Answer>),
    /// A response that comes after this time.
    Slow(Clock, Duration, Box<Answer>),
    /// What a server with a mind makes of the request.
    Dynamic(Arc<dyn Fn(&Asked) -> Answer + Send + Sync>),
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Plain { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Plain { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn dynamic(answer: impl Fn(&Asked) -> Self + Send + Sync + 'static) -> Self {
        Self::Dynamic(Arc::new(answer))
    }

    pub(crate) fn redirect(status: u16, location: impl ToString) -> Self {
        Self::status(status).with("Location", location)
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        if let Self::Plain { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_string()));
        }
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    /// In order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Script {
    /// By host and path; the last answer is given again and again.
    routes: HashMap<(String, String), Vec<Answer>>,
    asked: Vec<Asked>,
    /// Requests that are being answered, by host and by address, and the most there ever were.
    open: HashMap<String, usize>,
    most: HashMap<String, usize>,
    connections: usize,
    answering: usize,
}

/// The origin; it ends with the test.
pub(crate) struct Origin {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Origin {
    pub(crate) async fn start() -> Self {
        Self::listen("127.0.0.1:0").await
    }

    /// Answers on every address of this machine, 127.0.0.1 to 127.255.255.254 among them.
    pub(crate) async fn any_address() -> Self {
        Self::listen("0.0.0.0:0").await
    }

    async fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, script) = (listener.local_addr().unwrap(), Arc::<Mutex<Script>>::default());
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = Arc::clone(&shared);
                script.lock().unwrap().connections += 1;
                tokio::spawn(async move {
                    serve(stream, Arc::clone(&script)).await;
                    script.lock().unwrap().connections -= 1;
                });
            }
        });
        Self { address, script }
    }

    /// Answers from now on; several answers are given one after the other.
    pub(crate) fn route(&self, host: &str, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers: Vec<_> = answers.into_iter().collect();
        let mut script = self.script.lock().unwrap();
        script.routes.insert((host.to_owned(), path.to_owned()), answers);
    }

    /// `http://HOST:PORT/PATH`
    pub(crate) fn url(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("http://{host}:{}{path}", self.address.port())).unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.script.lock().unwrap().asked.len()
    }

    /// The last request.
    pub(crate) fn last(&self) -> Asked {
        self.asked().pop().expect("nobody asked")
    }

    /// Whether a request is being answered.
    pub(crate) fn is_answering(&self) -> bool {
        self.script.lock().unwrap().answering > 0
    }

    /// Waits until every request is read that was sent before the connections were closed.
    pub(crate) async fn is_left(&self) {
        // Connections are accepted in their order.
        let mut last = TcpStream::connect(("127.0.0.1", self.port())).await.unwrap();
        last.shutdown().await.unwrap();
        assert_eq!(last.read(&mut [0]).await.unwrap(), 0);
        let is_reading = || {
            let script = self.script.lock().unwrap();
            script.connections > script.answering
        };
        while is_reading() {
            tokio::task::yield_now().await;
        }
    }

    /// The most requests to one host, or to one address, that were open at one time.
    pub(crate) fn most_at_once(&self, host: &str) -> usize {
        self.script.lock().unwrap().most.get(host).copied().unwrap_or_default()
    }

    /// Leads every name here.
    pub(crate) fn resolver(&self) -> Arc<Names> {
        Arc::new(Names(HashMap::new()))
    }
}

/// Leads every name to this machine but those that are named.
pub(crate) struct Names(pub(crate) HashMap<String, Result<Vec<IpAddr>, ResolveError>>);

impl Names {
    pub(crate) fn but(name: &str, answer: Result<Vec<IpAddr>, ResolveError>) -> Arc<Self> {
        Arc::new(Self(HashMap::from([(name.to_owned(), answer)])))
    }
}

impl Resolver for Names {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let here = || Ok(vec![IpAddr::from([127, 0, 0, 1])]);
        let answer = self.0.get(host).cloned().unwrap_or_else(here);
        async move { answer }.boxed()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    let address = stream.local_addr().unwrap().ip().to_string();
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    while let Some(asked) = request(&mut read).await {
        let mut places = vec![asked.host.clone(), address.clone()];
        places.dedup();
        let answer = {
            let mut script = script.lock().unwrap();
            script.begin(&places);
            script.asked.push(asked.clone());
            script.next(&asked)
        };
        let on = reply(&mut write, answer, &asked).await;
        script.lock().unwrap().end(&places);
        if !on {
            return;
        }
    }
}

impl Script {
    fn begin(&mut self, places: &[String]) {
        self.answering += 1;
        for place in places {
            let open = self.open.entry(place.clone()).or_default();
            *open += 1;
            let most = self.most.entry(place.clone()).or_default();
            *most = (*most).max(*open);
        }
    }

    fn end(&mut self, places: &[String]) {
        self.answering -= 1;
        for place in places {
            *self.open.entry(place.clone()).or_default() -= 1;
        }
    }

    fn next(&mut self, asked: &Asked) -> Answer {
        let path = asked.target.split('?').next().unwrap_or_default().to_owned();
        match self.routes.get_mut(&(asked.host.clone(), path)) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => Answer::status(404),
        }
    }
}

async fn request(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let host = headers.iter().find(|(name, _)| name == "host").map(|(_, host)| host.as_str());
    let host = host.unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned();
    Some(Asked { method, target, host, headers })
}

/// Sends the answer; whether the connection may be used again.
async fn reply(write: &mut (impl AsyncWriteExt + Unpin), answer: Answer, asked: &Asked) -> bool {
    match answer {
        Answer::Held(gate, answer) => {
            let _permit = gate.acquire().await.unwrap();
            Box::pin(reply(write, *answer, asked)).await
        }
        Answer::Slow(clock, time, answer) => {
            clock.sleep_until(clock.elapsed() + time).await;
            Box::pin(reply(write, *answer, asked)).await
        }
        Answer::Plain { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} X\r\n");
            for (name, value) in &headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            if status != 304 && !headers.iter().any(|(name, _)| name == "Content-Length") {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            let whole = [head.as_bytes(), b"\r\n", &body].concat();
            write.write_all(&whole).await.is_ok()
        }
        Answer::Tagged { etag, body } => {
            let known = asked.header("if-none-match") == Some(etag.as_str());
            let answer = if known { Answer::status(304) } else { Answer::ok(body) };
            Box::pin(reply(write, answer.with("ETag", etag), asked)).await
        }
        Answer::Dynamic(answer) => Box::pin(reply(write, answer(asked), asked)).await,
        Answer::Raw(bytes) => {
            let _ = write.write_all(&bytes).await;
            let _ = write.shutdown().await;
            false
        }
        Answer::Stall(bytes) => {
            let _ = write.write_all(&bytes).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            false
        }
    }
}

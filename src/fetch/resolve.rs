//! Resolves host names. Tests replace the resolver to map every name to a local server.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::rr::Name as DomainName;
use hickory_resolver::{TokioResolver, system_conf};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::classify;
use super::guard::{BlockedAddress, Guard};

/// Time limit of one query. Two queries take less than a lookup may.
const QUERY_TIMEOUT: Duration = Duration::from_secs(4);
/// Time limit of a lookup: less than that of a connection, so that name servers that do not respond are not
/// reported as a slow server of the feed.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(9);

/// Resolves host names to addresses; tests replace it.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of `host`.
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>>;

    /// Reads the configuration of the resolver again and forgets earlier answers.
    fn reread(&self) {}
}

/// Why a host name could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name does not exist or has no address.
    #[error("the host name {0} does not exist")]
    NotFound(String),
    /// The name servers did not give a usable answer: the name and the reason.
    #[error("cannot resolve the host name {0}: {1}")]
    Failed(String, String),
    /// The resolver got no file descriptor for its query.
    #[error("no free file descriptor for the query of a host name")]
    NoFiles,
}

impl ResolveError {
    /// The name servers did not respond in time.
    pub(crate) fn timed_out(host: &str, limit: Duration) -> Self {
        let why = format!("the name servers did not respond within {} s", limit.as_secs_f32());
        Self::Failed(host.to_owned(), why)
    }
}

/// The system's name servers and hosts file. Both files are read again when they change.
#[derive(Debug)]
pub struct SystemResolver {
    resolv_conf: PathBuf,
    hosts: PathBuf,
    current: Mutex<Current>,
}

/// A resolver with the state of the files that it was made from.
#[derive(Debug, Clone)]
struct Current {
    stamps: [Stamp; 2],
    sources: Result<Sources, String>,
}

/// The sources of addresses, in the order in which they are used.
#[derive(Debug, Clone)]
struct Sources {
    /// The addresses of each name in the hosts file.
    hosts: Arc<HashMap<String, Vec<IpAddr>>>,
    name_servers: TokioResolver,
}

/// What changes when a file is written or replaced; `None`: it cannot be read.
type Stamp = Option<(u64, u64, i64, i64, u64)>;

impl SystemResolver {
    /// Reads the configuration of the system. Without one, each lookup fails.
    #[must_use]
    pub fn new() -> Self {
        Self::of_files("/etc/resolv.conf".into(), "/etc/hosts".into())
    }

    fn of_files(resolv_conf: PathBuf, hosts: PathBuf) -> Self {
        let current = Mutex::new(Current::read(&resolv_conf, &hosts));
        Self { resolv_conf, hosts, current }
    }

    /// The sources for the files as they are now.
    fn current(&self) -> Result<Sources, String> {
        let stamps = [stamp(&self.resolv_conf), stamp(&self.hosts)];
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.stamps != stamps {
            *current = Current::read(&self.resolv_conf, &self.hosts);
        }
        current.sources.clone()
    }
}

impl Current {
    fn read(resolv_conf: &Path, hosts: &Path) -> Self {
        // Taken before the files are read: a change meanwhile is noticed at the next lookup.
        let stamps = [stamp(resolv_conf), stamp(hosts)];
        let built = build(resolv_conf, hosts).map_err(|error| {
            format!("cannot read the resolver configuration {}: {error}", resolv_conf.display())
        });
        Self { stamps, sources: built }
    }
}

impl Sources {
    /// The addresses of `host` in the hosts file. A name with an address of one family there has no others: the name
    /// servers are asked for neither, as by the resolver of the system.
    fn named(&self, host: &str) -> Option<Vec<IpAddr>> {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            // RFC 6761 6.3: it has both addresses of this machine, whatever the file has, and is never asked for.
            return None;
        }
        self.hosts.get(&name).cloned()
    }
}

/// The addresses of each name in a hosts file: those of IPv4 first.
fn named(file: &str) -> HashMap<String, Vec<IpAddr>> {
    let mut all: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in file.trim_start_matches('\u{feff}').lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else {
            continue;
        };
        for word in words {
            // In the form that a URL has it.
            let Ok(Host::Domain(name)) = Host::parse(word.trim_end_matches('.')) else { continue };
            let addresses = all.entry(name).or_default();
            if !addresses.contains(&address) {
                addresses.push(address);
                addresses.sort_by_key(IpAddr::is_ipv6);
            }
        }
    }
    all
}

/// The name to ask for. RFC 2181 11: a label may have any bytes. Those of a URL are in ASCII already.
fn domain_name(host: &str) -> Result<DomainName, ProtoError> {
    let labels = host.strip_suffix('.').unwrap_or(host).split('.').map(str::as_bytes);
    let mut name = DomainName::from_labels(labels)?;
    // Without a dot at its end, the domains of resolv.conf are searched too.
    name.set_fqdn(host.ends_with('.'));
    Ok(name)
}

fn build(resolv_conf: &Path, hosts: &Path) -> Result<Sources, Box<dyn std::error::Error>> {
    let (config, mut options) = system_conf::parse_resolv_conf(std::fs::read(resolv_conf)?)?;
    options.timeout = QUERY_TIMEOUT;
    options.attempts = 2;
    let provider = TokioRuntimeProvider::default();
    let builder = TokioResolver::builder_with_config(config, provider).with_options(options);
    // A system without hosts file has no such names.
    let file = std::fs::read(hosts).unwrap_or_default();
    let hosts = Arc::new(named(&String::from_utf8_lossy(&file)));
    Ok(Sources { hosts, name_servers: builder.build()? })
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let (sources, host) = (self.current(), host.to_owned());
        async move {
            let sources = sources.map_err(|why| ResolveError::Failed(host.clone(), why))?;
            if let Some(named) = sources.named(&host) {
                return Ok(named);
            }
            let name = domain_name(&host)
                .map_err(|error| ResolveError::Failed(host.clone(), error.to_string()))?;
            match sources.name_servers.lookup_ip(name).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(error) if error.is_nx_domain() || error.is_no_records_found() => {
                    Err(ResolveError::NotFound(host))
                }
                Err(error) if classify::is_for_lack_of_files(&error) => Err(ResolveError::NoFiles),
                Err(error) => Err(ResolveError::Failed(host, error.to_string())),
            }
        }
        .boxed()
    }

    fn reread(&self) {
        let read = Current::read(&self.resolv_conf, &self.hosts);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }
}

/// The resolver of the HTTP client. The client connects only to the addresses that were checked here.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) guard: Guard,
    /// Host of the proxy, which the operator chose: it may be on any network.
    pub(crate) proxy: Option<String>,
}

/// Why the HTTP client got no address; `classify` finds it in the causes of the error of the client.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LookupError {
    #[error(transparent)]
    Resolve(ResolveError),
    /// RFC 7686 2: the name servers must not be asked for such a name.
    #[error("the host name {0} can be reached through Tor only")]
    Onion(String),
    #[error("the host name {host} resolves to {blocked}")]
    Blocked { host: String, blocked: BlockedAddress },
}

impl GuardedResolver {
    /// The addresses of a host that may be contacted, at least one.
    pub(crate) async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, LookupError> {
        if host.trim_end_matches('.').to_ascii_lowercase().ends_with(".onion") {
            return Err(LookupError::Onion(host.to_owned()));
        }
        let found = tokio::time::timeout(LOOKUP_TIMEOUT, self.resolver.resolve(host)).await;
        let found = found.unwrap_or_else(|_| Err(ResolveError::timed_out(host, LOOKUP_TIMEOUT)));
        let found = found.map_err(LookupError::Resolve)?;
        if self.proxy.as_deref().is_some_and(|proxy| proxy.eq_ignore_ascii_case(host)) {
            return Ok(found);
        }
        let mut public = Vec::new();
        let mut blocked = None;
        for address in found {
            match self.guard.check(address) {
                Ok(()) => public.push(address),
                Err(address) => blocked = Some(address),
            }
        }
        match blocked {
            // Of a mixed answer only the public addresses are used.
            _ if !public.is_empty() => Ok(public),
            Some(blocked) => Err(LookupError::Blocked { host: host.to_owned(), blocked }),
            None => Err(LookupError::Resolve(ResolveError::NotFound(host.to_owned()))),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.lookup(name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;

    use hickory_resolver::config::{NameServerConfig, ResolverConfig};
    use tokio::net::UdpSocket;

    use super::super::own_addresses::OwnAddresses;
    use super::*;

    fn files(hosts: &str) -> (tempfile::TempDir, SystemResolver) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // Port 53 of this address is never asked: the hosts file has the names.
        std::fs::write(path("resolv.conf"), "nameserver 192.0.2.53\n").unwrap();
        std::fs::write(path("hosts"), hosts).unwrap();
        let resolver = SystemResolver::of_files(path("resolv.conf"), path("hosts"));
        (folder, resolver)
    }

    #[tokio::test]
    async fn a_changed_hosts_file_is_read_again() {
        let (folder, resolver) = files("192.0.2.1 feed.test\n");
        let first: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(resolver.resolve("feed.test").await, Ok(vec![first]));
        // Replaced, as a configuration tool does it.
        std::fs::write(folder.path().join("new"), "192.0.2.2 feed.test\n").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("hosts")).unwrap();
        let second: IpAddr = "192.0.2.2".parse().unwrap();
        assert_eq!(resolver.resolve("feed.test").await, Ok(vec![second]));
    }

    #[tokio::test]
    async fn a_resolv_conf_that_appears_later_is_read() {
        let (folder, resolver) = files("192.0.2.1 feed.test\n");
        let path = folder.path().join("resolv.conf");
        std::fs::remove_file(&path).unwrap();
        let failed = resolver.resolve("feed.test").await.unwrap_err().to_string();
        assert!(failed.contains("cannot read the resolver configuration"), "{failed}");
        std::fs::write(&path, "nameserver 192.0.2.54\n").unwrap();
        assert!(resolver.resolve("feed.test").await.is_ok());
    }

    /// A resolver with this hosts file, whose name server is the socket.
    async fn asking(hosts: &str) -> (UdpSocket, tempfile::TempDir, SystemResolver) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut server = NameServerConfig::udp("127.0.0.1".parse().unwrap());
        server.connections[0].port = socket.local_addr().unwrap().port();
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let provider = TokioRuntimeProvider::default();
        let built = TokioResolver::builder_with_config(config, provider).build().unwrap();
        let (folder, resolver) = files(hosts);
        resolver.current.lock().unwrap().sources.as_mut().unwrap().name_servers = built;
        (socket, folder, resolver)
    }

    #[tokio::test]
    async fn name_servers_are_not_asked_for_names_of_the_hosts_file() {
        let hosts = "192.0.2.1 four.test\n2001:db8::1 six.test\n192.0.2.2 both.test\n\
                     2001:db8::2 both.test\n192.0.2.3 my_blog.test -foo.test b\u{fc}cher.test # x.test\n";
        let (socket, _folder, resolver) = asking(hosts).await;
        for (host, expected) in [
            ("four.test", &["192.0.2.1"][..]),
            ("FOUR.test.", &["192.0.2.1"]),
            ("six.test", &["2001:db8::1"]),
            ("both.test", &["192.0.2.2", "2001:db8::2"]),
            ("my_blog.test", &["192.0.2.3"]),
            ("-foo.test", &["192.0.2.3"]),
            ("xn--bcher-kva.test", &["192.0.2.3"]),
        ] {
            let expected: Vec<IpAddr> = expected.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(resolver.resolve(host).await, Ok(expected), "{host}");
        }
        let asked = socket.try_recv(&mut [0; 512]);
        assert_eq!(asked.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "it was asked");
    }

    /// A resolver whose name server answers every question with an alias and an address of the alias.
    async fn aliasing(four: [u8; 4], six: [u8; 16]) -> (tempfile::TempDir, SystemResolver) {
        let (socket, folder, resolver) = asking("").await;
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                // A zero ends the name of the question; type and class follow.
                let end = 12 + query[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
                let kind = query[end - 3];
                let address = if kind == 1 { &four[..] } else { &six[..] };
                let mut answer = query[..end].to_vec();
                answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]);
                // The name at byte 12 has an alias: CNAME, IN, no lifetime, 12 bytes.
                answer.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 0, 0, 12]);
                let alias = u8::try_from(answer.len()).unwrap();
                answer.extend(b"\x05alias\x04test\0");
                let length = u8::try_from(address.len()).unwrap();
                answer.extend([0xc0, alias, 0, kind, 0, 1, 0, 0, 0, 0, 0, length]);
                answer.extend(address);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        (folder, resolver)
    }

    #[tokio::test]
    async fn an_alias_of_a_private_address_is_blocked() {
        let six = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
        for (four, last, is_public) in [
            ([9, 9, 9, 9], six("2620:fe::9"), true),
            ([127, 0, 0, 1], six("::1"), false),
            ([10, 0, 0, 1], six("fd00::1"), false),
            ([169, 254, 169, 254], six("::ffff:169.254.169.254"), false),
        ] {
            let (_folder, resolver) = aliasing(four, last).await;
            let (resolver, guard) = (Arc::new(resolver), Guard::new(&[], OwnAddresses::default()));
            let resolver = GuardedResolver { resolver, guard, proxy: None };
            match (resolver.lookup("feed.test").await, is_public) {
                (Ok(mut found), true) => {
                    found.sort_unstable();
                    assert_eq!(found, [IpAddr::from(four), IpAddr::from(last)]);
                }
                (Err(LookupError::Blocked { .. }), false) => {}
                (other, _) => panic!("{four:?}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn name_servers_are_asked_for_names_with_any_characters() {
        for host in ["my_blog.test", "a_b.ok.test", "-foo.test", "foo-.test"] {
            let (_folder, resolver) = aliasing([9, 9, 9, 9], [0; 16]).await;
            let found = resolver.resolve(host).await;
            let address = IpAddr::from([9, 9, 9, 9]);
            assert!(
                found.as_ref().is_ok_and(|found| found.contains(&address)),
                "{host}: {found:?}"
            );
        }
    }

    /// Answers with these addresses, one list after the other, and then again.
    #[derive(Debug)]
    struct Alternating(Vec<Vec<IpAddr>>, AtomicUsize);

    impl Resolver for Alternating {
        fn resolve(&self, _: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
            let answer = self.0[self.1.fetch_add(1, Ordering::Relaxed) % self.0.len()].clone();
            async move { Ok(answer) }.boxed()
        }
    }

    #[tokio::test]
    async fn an_answer_never_leads_to_a_private_address() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let public = [address("9.9.9.9"), address("2620:fe::9")];
        let private =
            ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"]
                .map(address);
        let mixed = private.iter().chain(&public).copied().collect();
        let many =
            (1..=150).flat_map(|n| [IpAddr::from([10, 0, 0, n]), IpAddr::from([9, 9, 9, n])]);
        let answers = vec![public.to_vec(), private.to_vec(), mixed, many.collect()];
        let resolver = GuardedResolver {
            resolver: Arc::new(Alternating(answers, AtomicUsize::new(0))),
            guard: Guard::new(&[], OwnAddresses::default()),
            proxy: None,
        };
        for _ in 0..250 {
            assert_eq!(resolver.lookup("feed.test").await.unwrap(), public);
            let blocked = resolver.lookup("feed.test").await;
            assert!(matches!(blocked, Err(LookupError::Blocked { .. })), "{blocked:?}");
            assert_eq!(resolver.lookup("feed.test").await.unwrap(), public);
            let many = resolver.lookup("feed.test").await.unwrap();
            assert_eq!(many.len(), 150);
            assert!(many.iter().all(|address| address.to_string().starts_with("9.9.9.")));
        }
    }
}

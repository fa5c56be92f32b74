//! Every key of the config: what it takes, its table, its default, what it means. The one list that
//! the reader, the schema, the reference and the example are held against.

use super::kind::Key;
use super::kind::Kind::{self, *};

/// The most stories that an output shows.
const MOST: usize = crate::render::Output::MAX_ITEMS;

const fn key(
    kind: Kind,
    table: &'static str,
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key::new(kind, table, name, default, meaning)
}

/// All of them, in the order of the example.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key(Number("version", 1, 1), "", "version", "1", "the form of this file"),
    key(Interval, "schedule", "interval", "\"1h\"", "time between two polls of a feed, or \"auto\": learned from how often it publishes"),
    key(Duration, "schedule", "min_interval", "\"15m\"", "never poll sooner, whatever the publisher says"),
    key(Duration, "schedule", "max_interval", "\"24h\"", "a publisher's hint never delays a poll beyond this"),
    key(Choice(&["follow", "ignore"]), "schedule", "publisher_hints", "\"follow\"", "whether ttl, Cache-Control, skipHours and the like delay a poll: follow or ignore"),
    key(Number("requests", 1, 16), "schedule", "per_host", "1", "simultaneous requests to one host"),
    key(Duration, "schedule", "host_spacing", "\"2s\"", "time between the starts of two requests to one host"),
    key(Text, "fetch", "contact", "", "page or address where a site owner finds who polls; goes into the User-Agent").such_as("\"https://planet.example.org/about\""),
    key(Text, "fetch", "user_agent", "", "sent instead of newswire's own User-Agent").such_as("\"Planet/1.0 (+https://planet.example.org/)\""),
    key(Duration, "fetch", "timeout", "\"60s\"", "for a whole request: name, connection, redirects and body"),
    key(Size, "fetch", "max_body", "\"10 MiB\"", "largest document, after decompression"),
    key(Number("redirects", 0, 20), "fetch", "max_redirects", "5", "redirects that are followed"),
    key(Number("items", 1, 100_000), "fetch", "max_items", "10000", "newest items read of one document"),
    key(Networks, "fetch", "allow_networks", "[]", "private networks that may be asked; all others are refused").such_as("[\"192.168.1.0/24\"]"),
    key(Path, "fetch", "ca", "", "file with certificates of an authority of your own, in PEM, trusted beside the machine's").such_as("\"/etc/newswire/ca.pem\""),
    key(Secret, "fetch", "authorization", "", "secret for the Authorization header: { file = … }, { credential = … } or { env = … }; user:password, or the whole value").such_as("{ file = \"/etc/newswire/feed.secret\" }"),
    key(Secrets, "fetch", "headers", "", "table of further headers, each a secret of the same kind; sent to the feed's own origin alone").such_as("{ \"X-Api-Key\" = { env = \"FEED_KEY\" } }"),
    key(Url, "fetch", "proxy", "", "HTTP proxy for all requests; it resolves names itself, past half of the guard").such_as("\"http://127.0.0.1:3128\""),
    key(Number("requests", 1, 1024), "fetch", "concurrency", "64", "simultaneous requests in all; not per feed"),
    key(Choice(&["text", "link", "off"]), "dedupe", "across_feeds", "\"text\"", "what makes one story of items of several feeds: text (the same page or much the same text), link (the same page) or off"),
    key(Duration, "dedupe", "window", "\"72h\"", "texts published further apart are not compared"),
    key(Choice(&["strict", "normal", "loose"]), "dedupe", "similarity", "\"normal\"", "how much of a text must be the same: strict, normal or loose"),
    key(Choice(&["silent", "ignore", "bump"]), "dedupe", "updates", "\"silent\"", "what an edit does: silent (replaces the text), ignore (nothing) or bump (also dates it, if it is large)"),
    key(Number("items", 1, 100_000), "dedupe", "initial_items", "50", "number of newest items that are shown of the first document of a feed"),
    key(Choice(&["hold", "off"]), "dedupe", "burst_guard", "\"hold\"", "far more new items at once than a feed ever brought: hold them until newswire release, or let them pass"),
    key(Path, "store", "path", "\"newswire.db\"", "the database; relative to the state directory"),
    key(Duration, "store", "retention", "\"400d\"", "how long texts of items are kept; ids are kept for ever"),
    key(Listen, "web", "listen", "\"127.0.0.1:8420\"", "address and port to serve on, or \"off\""),
    key(Listen, "web", "samples", "\"off\"", "address and port of a further server with the sample feeds, or \"off\""),
    key(Url, "web", "public_url", "", "how readers reach this server; the feeds name themselves by it").such_as("\"https://planet.example.org/\""),
    key(Texts, "web", "hosts", "[]", "further names that requests may call this server by; all others but public_url and this machine's are refused").such_as("[\"planet.example.org\"]"),
    key(Choice(&["local", "open", "off"]), "web", "status", "\"local\"", "who may see the operator's pages: local (this machine, not through a proxy), open or off"),
    key(Choice(&["on", "feeds", "off"]), "web", "metrics", "\"on\"", "what /metrics contains: on (newswire as a whole), feeds (each feed by itself too) or off"),
    key(Choice(&["error", "warn", "info", "debug", "trace"]), "log", "level", "\"info\"", "error, warn, info, debug or trace"),
    key(Choice(&["auto", "text", "json", "journal"]), "log", "format", "\"auto\"", "auto, text, json or journal"),
    key(Id, "output", "id", "", "file name and path of the merged feed; required").such_as("\"planet\""),
    key(Text, "output", "title", "", "title of the merged feed; its id where not given").such_as("\"My planet\""),
    key(Text, "output", "description", "", "subtitle of the merged feed").such_as("\"What my friends write\""),
    key(Url, "output", "link", "", "page that the merged feed belongs to").such_as("\"https://planet.example.org/\""),
    key(Text, "output", "author", "", "who publishes the merged feed").such_as("\"Planet Example\""),
    key(Choices(&["atom", "rss", "json"]), "output", "formats", "[\"atom\", \"rss\", \"json\"]", "documents that are made"),
    key(Path, "output", "directory", "", "folder to write them to, compressed too; only served where not given").such_as("\"www\""),
    key(Secret, "output", "token", "", "secret that subscribers show: { file = … }, { credential = … } or { env = … }").such_as("{ file = \"/etc/newswire/planet.token\" }"),
    key(Number("stories", 1, MOST), "output", "items", "100", "number of newest stories that are always shown"),
    key(Duration, "output", "max_age", "", "stories younger than this are shown too, however many they are").such_as("\"3d\""),
    key(Number("stories", 1, MOST), "output", "per_feed", "", "largest number of stories of one feed").such_as("10"),
    key(Number("percent", 1, 100), "output", "per_feed_percent", "", "largest part of items that is of one feed, in percent").such_as("20"),
    key(Number("feeds", 1, MOST), "output", "min_feeds", "", "smallest number of the output's feeds that must carry a story").such_as("2"),
    key(Rules, "output", "include", "", "only stories that meet this: tags, feeds, title, content, authors, categories, languages, enclosures").such_as("{ tags = [\"rust\"], languages = [\"en\"] }"),
    key(Rules, "output", "exclude", "", "no stories that meet this: the same keys").such_as("{ title = \"(?i)sponsored\" }"),
    key(Url, "output", "icon", "", "square picture for the merged feed, an address").such_as("\"https://planet.example.org/icon.png\""),
    key(Language, "output", "language", "", "language of stories that do not say; only where all have one").such_as("\"en\""),
    key(Choice(&["full", "summary", "none"]), "output", "content", "\"full\"", "how much of a story is shown: full, summary or none"),
    key(Text, "output", "title_prefix", "", "put before each title, {source} is the name of its feed: \"{source}: \"").such_as("\"{source}: \""),
    key(Choice(&["published", "first_seen"]), "output", "date", "\"published\"", "the date of a story: published, or first_seen for readers that skip what comes late"),
    key(Choice(&["links", "content"]), "output", "also_at", "\"links\"", "where other feeds with the story are named: links, or content for a line below the text too"),
    key(Flag, "output", "deltas", "false", "whether clients that accept deltas (RFC 3229) get only what changed; some feed readers fail on such responses"),
    key(Host, "server", "host", "", "registrable domain, for all feeds on it; required; beside it any key of [schedule]").such_as("\"example.com\""),
    key(Url, "feed", "url", "", "address of the feed; required").such_as("\"https://blog.rust-lang.org/feed.xml\""),
    key(Id, "feed", "id", "", "stable name; derived from the address once where not given").such_as("\"rust-blog\""),
    key(Text, "feed", "title", "", "shown instead of the publisher's title").such_as("\"Rust Blog\""),
    key(Texts, "feed", "tags", "[]", "what outputs include or exclude it by").such_as("[\"rust\"]"),
    key(Path, "subscriptions", "file", "", "a list of feeds that is followed as if they stood here: OPML, a urls file or a planet's ini; read again when it changes").such_as("\"feeds.opml\""),
    key(Url, "subscriptions", "url", "", "the same on the web; the last good copy is kept").such_as("\"https://example.org/feeds.opml\""),
    key(Duration, "subscriptions", "interval", "\"24h\"", "time between two requests for the list"),
    key(Choice(&["keep", "hide"]), "subscriptions", "removed", "\"keep\"", "stories of a feed that leaves the list: keep (they stay as long as retention) or hide"),
    key(Texts, "subscriptions", "tags", "[]", "added to each of its feeds").such_as("[\"friends\"]"),
];

/// The keys of `include` and `exclude`.
pub(super) const RULES: &[&str] =
    &["tags", "feeds", "title", "content", "authors", "categories", "languages", "enclosures"];

/// Those that hold secrets or lead to them.
pub(super) const SECRETS: &[&str] = &["authorization", "headers", "token"];

/// Whether it is the name of a key that holds no secret.
pub(super) fn is_open(name: &str) -> bool {
    let known = KEYS.iter().any(|key| key.name == name);
    (known || RULES.contains(&name)) && !SECRETS.contains(&name)
}

/// The key of a table.
pub(super) fn of(table: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.table == table && key.name == name)
}

/// The names of a table's keys.
pub(super) fn names(table: &str) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.table == table).map(|key| key.name).collect()
}

/// The names that a `[[feed]]` may carry: its own and those it may override.
pub(super) fn feed_names() -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.table == "feed" || key.of_a_feed()).map(|key| key.name).collect()
}

/// The names that a `[[server]]` may carry.
pub(super) fn server_names() -> Vec<&'static str> {
    KEYS.iter().filter(|key| matches!(key.table, "server" | "schedule")).map(|k| k.name).collect()
}

/// What may stand at the top of the file.
pub(super) const TABLES: &[&str] = &[
    "version",
    "schedule",
    "fetch",
    "dedupe",
    "store",
    "web",
    "log",
    "output",
    "server",
    "feed",
    "subscriptions",
];

/// Those of which there may be many.
pub(super) const LISTS: &[&str] = &["output", "server", "feed", "subscriptions"];

/// A table as a person calls it.
pub(super) fn table(name: &str) -> &'static str {
    match name {
        "" | "version" => "the top of the file",
        "schedule" => "[schedule]",
        "fetch" => "[fetch]",
        "dedupe" => "[dedupe]",
        "store" => "[store]",
        "web" => "[web]",
        "log" => "[log]",
        "output" => "[[output]]",
        "server" => "[[server]]",
        "subscriptions" => "[[subscriptions]]",
        _ => "[[feed]]",
    }
}

/// Where a key of this name belongs that does not belong `here`.
pub(super) fn home(name: &str, here: &str) -> Option<&'static str> {
    if here == "[[output]]" && RULES.contains(&name) {
        return Some("include or exclude");
    }
    KEYS.iter().find(|key| key.name == name).map(|key| table(key.table))
}

/// A key, of any table, that is nearly called so, and where it belongs.
pub(super) fn nearly(name: &str) -> Option<(&'static str, &'static str)> {
    let near = super::near::nearest(name, KEYS.iter().map(|key| key.name))?;
    home(near, "").map(|home| (near, home))
}

//! Every key of the config: its table, its default, what it means. The one list that the reader,
//! the README and the example are held against.

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The table it stands in; empty for the top of the file.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its default as TOML; empty: there is none.
    pub default: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
}

impl Key {
    /// Whether a `[[feed]]` may carry it for itself alone.
    #[must_use]
    pub fn of_a_feed(&self) -> bool {
        matches!(self.table, "schedule" | "dedupe")
            || self.table == "fetch" && self.name != "concurrency"
    }

    /// `schedule.interval`.
    #[must_use]
    pub fn path(&self) -> String {
        if self.table.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.table, self.name)
        }
    }
}

const fn key(
    table: &'static str,
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key { table, name, default, meaning }
}

/// All of them, in the order of the example.
pub const KEYS: &[Key] = &[
    key("", "version", "1", "the form of this file"),
    key(
        "schedule",
        "interval",
        "\"1h\"",
        "time between two polls of a feed, or \"auto\": learned from how often it publishes",
    ),
    key("schedule", "min_interval", "\"15m\"", "never poll sooner, whatever the publisher says"),
    key(
        "schedule",
        "max_interval",
        "\"24h\"",
        "a publisher's hint never delays a poll beyond this",
    ),
    key(
        "schedule",
        "hints",
        "\"heed\"",
        "whether ttl, Cache-Control, skipHours and the like delay a poll: heed or ignore",
    ),
    key("schedule", "per_host", "1", "simultaneous requests to one host"),
    key(
        "schedule",
        "host_spacing",
        "\"2s\"",
        "time between the starts of two requests to one host",
    ),
    key(
        "fetch",
        "contact",
        "",
        "page or address where a site owner finds who polls; goes into the User-Agent",
    ),
    key("fetch", "user_agent", "", "sent instead of newswire's own User-Agent"),
    key("fetch", "timeout", "\"60s\"", "for a whole request: name, connection, redirects and body"),
    key("fetch", "max_body", "\"10 MiB\"", "largest document, after decompression"),
    key("fetch", "max_redirects", "5", "redirects that are followed"),
    key("fetch", "max_items", "10000", "newest items read of one document"),
    key(
        "fetch",
        "allow_networks",
        "[]",
        "private networks that may be asked; all others are refused",
    ),
    key(
        "fetch",
        "ca",
        "",
        "file with certificates of an authority of your own, in PEM, trusted beside the machine's",
    ),
    key(
        "fetch",
        "authorization",
        "",
        "secret for the Authorization header: { file = … }, { credential = … } or { env = … }; user:password, or the whole value",
    ),
    key(
        "fetch",
        "headers",
        "",
        "table of further headers, each a secret of the same kind; sent to the feed's own origin alone",
    ),
    key(
        "fetch",
        "proxy",
        "",
        "HTTP proxy for all requests; it resolves names itself, past half of the guard",
    ),
    key("fetch", "concurrency", "64", "simultaneous requests in all; not per feed"),
    key(
        "dedupe",
        "across_feeds",
        "\"cluster\"",
        "what makes one story of items of several feeds: cluster (the same page or much the same text), link (the same page) or off",
    ),
    key("dedupe", "window", "\"72h\"", "texts published further apart are not compared"),
    key(
        "dedupe",
        "likeness",
        "\"normal\"",
        "how much of a text must be the same: strict, normal or loose",
    ),
    key(
        "dedupe",
        "updates",
        "\"silent\"",
        "what an edit does: silent (replaces the text), ignore (nothing) or bump (also dates it, if it is large)",
    ),
    key(
        "dedupe",
        "new_feed_items",
        "50",
        "a feed that is new here brings so many of its newest items",
    ),
    key(
        "dedupe",
        "bursts",
        "\"hold\"",
        "far more new items at once than a feed ever brought: hold them until newswire release, or let them pass",
    ),
    key("store", "path", "\"newswire.db\"", "the database; relative to the state directory"),
    key(
        "store",
        "retention",
        "\"400d\"",
        "how long texts of items are kept; ids are kept for ever",
    ),
    key("web", "listen", "\"127.0.0.1:8420\"", "address and port to serve on, or \"off\""),
    key("web", "public_url", "", "how readers reach this server; the feeds name themselves by it"),
    key(
        "web",
        "hosts",
        "[]",
        "further names that requests may call this server by; all others but public_url and this machine's are refused",
    ),
    key(
        "web",
        "status",
        "\"local\"",
        "who may see the operator's pages: local (this machine, not through a proxy), open or off",
    ),
    key(
        "web",
        "metrics",
        "\"on\"",
        "what /metrics tells: on (newswire as a whole), feeds (each feed by itself too) or off",
    ),
    key("log", "level", "\"info\"", "error, warn, info, debug or trace"),
    key("log", "format", "\"auto\"", "auto, text, json or journal"),
    key("output", "id", "", "file name and path of the merged feed; required"),
    key("output", "title", "", "title of the merged feed; its id where not given"),
    key("output", "description", "", "subtitle of the merged feed"),
    key("output", "link", "", "page that the merged feed belongs to"),
    key("output", "author", "", "who publishes the merged feed"),
    key("output", "formats", "[\"atom\", \"rss\", \"json\"]", "documents that are made"),
    key(
        "output",
        "directory",
        "",
        "folder to write them to, compressed too; only served where not given",
    ),
    key(
        "output",
        "token",
        "",
        "secret that subscribers show: { file = … }, { credential = … } or { env = … }",
    ),
    key("output", "items", "100", "so many of the newest stories are always shown"),
    key("output", "max_age", "", "stories younger than this are shown too, however many they are"),
    key("output", "per_feed", "", "at most so many stories of one feed"),
    key("output", "share", "", "at most so many percent of items are of one feed"),
    key("output", "min_feeds", "", "only stories that so many of the output's feeds carry"),
    key(
        "output",
        "include",
        "",
        "only stories that meet this: tags, feeds, title, content, authors, categories, languages, enclosures",
    ),
    key("output", "exclude", "", "no stories that meet this: the same keys"),
    key("output", "icon", "", "square picture for the merged feed, an address"),
    key("output", "language", "", "language of stories that do not say; only where all have one"),
    key("output", "content", "\"full\"", "how much of a story is shown: full, summary or none"),
    key(
        "output",
        "title_prefix",
        "",
        "put before each title, {source} is the name of its feed: \"{source}: \"",
    ),
    key(
        "output",
        "date",
        "\"published\"",
        "the date of a story: published, or first_seen for readers that skip what comes late",
    ),
    key(
        "output",
        "also_at",
        "\"links\"",
        "where other feeds with the story are named: links, or content for a line below the text too",
    ),
    key(
        "server",
        "host",
        "",
        "registrable domain, for all feeds on it; required; beside it any key of [schedule]",
    ),
    key("feed", "url", "", "address of the feed; required"),
    key("feed", "id", "", "stable name; derived from the address once where not given"),
    key("feed", "title", "", "shown instead of the publisher's title"),
    key("feed", "tags", "[]", "what outputs include or exclude it by"),
    key(
        "subscriptions",
        "file",
        "",
        "a list of feeds that is followed as if they stood here: OPML, a urls file or a planet's ini; read again when it changes",
    ),
    key("subscriptions", "url", "", "the same on the web; the last good copy is kept"),
    key("subscriptions", "interval", "\"24h\"", "time between two requests for the list"),
    key("subscriptions", "tags", "[]", "added to each of its feeds"),
];

/// The keys of `include` and `exclude`.
pub(super) const RULES: &[&str] =
    &["tags", "feeds", "title", "content", "authors", "categories", "languages", "enclosures"];

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

/// The table that has a key of this name.
pub(super) fn home(name: &str) -> Option<&'static str> {
    let key = KEYS.iter().find(|key| key.name == name)?;
    Some(match key.table {
        "" => "the top of the file",
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
    })
}

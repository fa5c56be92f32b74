//! The table of sections and keys: the one definition of each.

use super::definition::Kind::{
    Choice, Choices, Flag, Listen, Replacements, Rules, Secret, Secrets,
};
use super::definition::{Key, Kind, Limit, Section, SectionDefinition};
use super::format::*;
use crate::render::Output;

const fn section(
    section: Section,
    name: &'static str,
    heading: &'static str,
    doc: &'static str,
    aliases: &'static [&'static str],
) -> SectionDefinition {
    SectionDefinition { section, name, heading, doc, aliases }
}

/// All sections, in the order of [`Section`].
#[rustfmt::skip]
pub(super) const SECTIONS: &[SectionDefinition] = &[
    section(Section::Top, "", "the top of the file", "Keys before the first section.", &[]),
    section(Section::Schedule, "schedule", "[schedule]", "When feeds are polled.",
        &["poll", "polling", "scheduler", "scheduling", "timing", "timer", "refresh", "cron"]),
    section(Section::Fetch, "fetch", "[fetch]", "Headers and limits of requests.",
        &["client", "http_client", "request", "requests", "network", "fetcher", "fetching", "download", "crawler", "tls"]),
    section(Section::Dedupe, "dedupe", "[dedupe]", "Which items are the same story, and which new items are held.",
        &["deduplication", "deduplicate", "duplicate", "duplicates", "grouping", "stories", "story", "matching"]),
    section(Section::Store, "store", "[store]", "The database.",
        &["database", "db", "storage", "sqlite", "data", "persistence", "archive"]),
    section(Section::Web, "web", "[web]", "The HTTP server.",
        &["http", "https", "listen", "api", "webserver", "web_server", "httpd", "www", "serve", "metrics", "status"]),
    section(Section::Log, "log", "[log]", "The log.", &["logging", "logger", "logs", "tracing"]),
    section(Section::Output, "output", "[[output]]", "A merged feed that Newswire publishes.",
        &["planet", "merged", "publish", "publication", "out", "result", "aggregate"]),
    section(Section::Rules, "include", "include or exclude", "A table of conditions: which items an output shows, or which items enter from a feed.", &[]),
    section(Section::Server, "server", "[[server]]", "Settings for all feeds of one registrable domain.",
        &["host", "hosts", "domain", "domains", "site", "sites"]),
    section(Section::Feed, "feed", "[[feed]]", "A feed.",
        &["source", "sources", "channel", "channels", "rss", "atom", "url", "urls"]),
    section(Section::Subscriptions, "subscriptions", "[[subscriptions]]", "A list of feeds that is followed.",
        &["list", "lists", "opml", "import", "imports", "follow", "feed_list"]),
];

/// Names of `include` in other programs.
#[rustfmt::skip]
const INCLUDE: &[&str] = &[
    "filter", "filters", "only", "match", "select", "where", "keep", "keep_rules", "keeplist", "keeplist_rules",
    "allow", "allowlist", "whitelist",
];
/// Names of `exclude` in other programs.
#[rustfmt::skip]
const EXCLUDE: &[&str] = &[
    "reject", "block", "ignore", "without", "except", "deny", "block_rules", "blocklist", "blocklist_rules",
    "blacklist", "discard", "drop", "mute", "ignore_article",
];

/// Names of `remove` in other programs.
const REMOVE: &[&str] =
    &["strip", "strip_id_or_class", "remove_selector", "selectors", "scraper_rules", "cleanup"];

/// Limit of the time between two requests for a feed.
const SHORTEST: Limit =
    Limit::minimum("5m").code("interval_too_short", "30 minutes to an hour suit most feeds");
const INTERVALS: &[Limit] = &[
    SHORTEST,
    Limit::minimum("15m").recommended().code(
        "interval_below_recommended",
        "polls this frequent suit your own servers; other site owners may block Newswire",
    ),
];

const fn key(section: Section, name: &'static str, kind: Kind) -> Key {
    Key::new(section, name, kind)
}

const fn number(unit: &'static str, min: usize, max: usize) -> Kind {
    Kind::Number { unit, min, max }
}

const fn top(name: &'static str, kind: Kind) -> Key {
    key(Section::Top, name, kind)
}

/// A key of `[schedule]`, which a server and a feed may override.
const fn schedule(name: &'static str, kind: Kind) -> Key {
    key(Section::Schedule, name, kind).inherited_by(&[Section::Server, Section::Feed])
}

/// A key of `[fetch]`, which a feed may override.
const fn fetch(name: &'static str, kind: Kind) -> Key {
    key(Section::Fetch, name, kind).inherited_by(&[Section::Feed])
}

/// A key of `[dedupe]`, which a feed may override.
const fn dedupe(name: &'static str, kind: Kind) -> Key {
    key(Section::Dedupe, name, kind).inherited_by(&[Section::Feed])
}

const fn output(name: &'static str, kind: Kind) -> Key {
    key(Section::Output, name, kind)
}

const fn rule(name: &'static str, kind: Kind) -> Key {
    key(Section::Rules, name, kind)
}

/// All keys, in the order of the example.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    top("version", number("version of the format", 1, 1)).default("1")
        .doc("Version of the format of this file.")
        .details("A later version of Newswire may interpret the same keys differently; the number prevents a silent change.")
        .also_called(&["config_version", "schema_version", "format"]),

    schedule("interval", INTERVAL).limits(INTERVALS).default("\"auto\"")
        .doc("Time between two polls of a feed; \"auto\" learns it from how often the feed publishes.")
        .details("With \"auto\" the interval is between min_interval and max_interval: about one hour for a feed with an item an hour, \
            five hours for a daily one, a day for a monthly one, and one hour while nothing is known. A time, such as \"1h\", is used for \
            all feeds: a shorter one shows items sooner and costs the site owner more.")
        .also_called(&["frequency", "every", "refresh", "refresh_interval", "poll_interval", "poll_every", "update_interval", "update_frequency", "polling_interval", "check_interval", "period", "ttl"]),
    schedule("min_interval", MINUTES).limits(INTERVALS).default("\"15m\"")
        .doc("Shortest time between two polls.")
        .details("A shorter interval in the same section or in a [[feed]] lowers it.")
        .also_called(&["minimum", "min", "minimum_interval"]),
    schedule("max_interval", HOURS).limits(&[SHORTEST]).default("\"24h\"")
        .doc("Longest interval that is learned, and longest delay of a poll that hints of the publisher can cause.")
        .details("Hints are ttl, Cache-Control, skipHours and the like. Retry-After and back-off after failures can take longer.")
        .also_called(&["maximum", "max", "maximum_interval"]),
    schedule("publisher_hints", Choice(&["follow", "ignore"])).default("\"follow\"")
        .doc("Whether hints of the publisher delay a poll.")
        .details("\"ignore\" is for feeds with wrong hints. Retry-After is always followed.")
        .also_called(&["hints", "respect_ttl", "cache_control"]),
    schedule("paused", Flag).default("false")
        .doc("Whether feeds are not polled for now; their items stay in the outputs.")
        .details("newswire pause and newswire resume set it in a [[feed]]. newswire poll FEED polls such a feed nevertheless.")
        .also_called(&["pause", "disabled", "disable", "suspended", "inactive", "is_disabled", "is_paused"]),
    schedule("per_host", number("requests", 1, 16)).default("1")
        .doc("Largest number of simultaneous requests to one host.")
        .details("Raise it only for your own servers.")
        .also_called(&["max_per_host", "connections_per_host", "requests_per_host"]),
    schedule("host_spacing", SPACING).default("\"2s\"")
        .doc("Time between the starts of two requests to one host.")
        .details("The default is \"10s\" for a site with more than 10 feeds. \"0s\" is for your own servers: it is accepted in a [[server]], \
            in a [[feed]] on a private or loopback address or on the host of a [[server]], and in [schedule] if all feeds are on such servers. \
            Private names are localhost, names without a dot, and names that end in .localhost, .local, .localdomain, .internal, .intranet, \
            .private, .corp, .home, .lan, .home.arpa, .fritz.box, .svc or .test.")
        .also_called(&["delay", "spacing", "crawl_delay", "pause", "wait", "rate_limit"]),

    fetch("contact", HEADER_TEXT)
        .doc("Page or mail address by which site owners find you; part of the User-Agent.")
        .details("Site owners who can contact you have less reason to block you.")
        .example("\"https://planet.example.org/about\"")
        .also_called(&["email", "mail", "from", "owner", "admin"]),
    fetch("user_agent", HEADER_TEXT)
        .doc("Replaces the User-Agent \"newswire/VERSION (+contact)\".")
        .details("Needed only for sites that require a certain value.")
        .example("\"Planet/1.0 (+https://planet.example.org/)\"")
        .also_called(&["agent", "ua", "useragent"]),
    fetch("timeout", SECONDS).default("\"60s\"")
        .limits(&[Limit::minimum("1s"), Limit::maximum("10m").recommended().code("timeout_above_recommended",
            "a slow server occupies one of the simultaneous requests until the timeout")])
        .doc("Time limit of a whole request: name lookup, connection, redirects and body.")
        .also_called(&["request_timeout", "time_limit", "connect_timeout", "read_timeout"]),
    fetch("max_body", SIZE).limits(&[Limit::minimum("1 KiB")]).default("\"10 MiB\"")
        .doc("Size limit of a document after decompression.")
        .details("A larger document counts as a failure of the feed.")
        .also_called(&["max_size", "size", "limit", "max_bytes", "max_length", "body_limit", "max_body_size"]),
    fetch("max_redirects", number("redirects", 0, 20)).default("5")
        .doc("Largest number of redirects that are followed.")
        .details("Each target is checked like the first address.")
        .also_called(&["redirects", "follow_redirects", "redirect_limit"]),
    fetch("max_items", number("items", 1, 100_000)).default("10000")
        .doc("Largest number of items that are read from one document, the newest first.")
        .also_called(&["item_limit", "max_entries", "max_stories"]),
    fetch("allow_networks", NETWORKS).default("[]").example("[\"192.168.1.0/24\"]")
        .doc("Private networks that feeds may be in; requests to all other private networks are refused.")
        .details("The refusal prevents a feed from making Newswire send requests to your router. \"127.0.0.1\" is this machine.")
        .also_called(&["networks", "allow_private", "allowed_networks", "private_networks", "allow_hosts"]),
    fetch("ca", CERTIFICATES)
        .doc("File with the certificates (PEM) of an additional authority.")
        .details("For feeds inside your network. TLS certificates are always verified.")
        .example("\"/etc/newswire/ca.pem\"")
        .also_called(&["ca_file", "cafile", "ca_bundle", "certificate", "cert", "cacert"]),
    fetch("authorization", Secret)
        .doc("Secret for the Authorization header: \"user:password\", or the whole value (\"Bearer …\").")
        .details("It is sent only to the origin of the feed's URL.")
        .example("{ file = \"/etc/newswire/feed.secret\" }")
        .also_called(&["auth", "password", "user", "username", "login", "basic_auth", "credentials", "bearer"]),
    fetch("headers", Secrets)
        .doc("Further headers, each with a secret as its value.")
        .details("They are sent only to the origin of the feed's URL.")
        .example("{ \"X-Api-Key\" = { env = \"FEED_KEY\" } }")
        .also_called(&["cookie", "cookies", "api_key", "extra_headers", "http_headers"]),
    fetch("proxy", PROXY)
        .doc("Proxy for all requests: \"http://…\", or \"socks5h://…\" for SOCKS 5 and Tor.")
        .details("The proxy resolves host names. Newswire then refuses addresses that are written as numbers and names of local networks, such as \
            localhost, unless allow_networks permits them, and cannot check to which address another name leads: a proxy in a private network \
            has to refuse that network itself.")
        .example("\"socks5h://127.0.0.1:9050\"")
        .also_called(&["http_proxy", "https_proxy", "proxy_url", "socks", "socks_proxy", "socks5", "tor", "all_proxy"]),
    fetch("proxy_authorization", Secret)
        .doc("Secret with user and password for the proxy: \"user:password\".")
        .details("It is sent to the proxy alone.")
        .example("{ file = \"/etc/newswire/proxy.secret\" }")
        .also_called(&["proxy_password", "proxy_user", "proxy_auth", "proxy_login"]),
    key(Section::Fetch, "concurrency", number("requests", 1, 1024)).default("64")
        .doc("Largest number of simultaneous requests in total.")
        .details("This key cannot be set in a [[feed]].")
        .also_called(&["parallel", "parallelism", "threads", "workers", "jobs", "max_connections"]),

    dedupe("identity", Choice(&["auto", "key", "title", "date"])).default("\"auto\"")
        .doc("What identifies an item in its feed: the guid or link with checks, only these, or these with the title or the date.")
        .details("\"auto\": its guid, else its link; one that several items share counts only together with title and date, and the only \
            item of a feed with a new title, text and date is a new item. \"key\": always guid, else link. \"title\" and \"date\": these \
            together with the title or the date.")
        .also_called(&["identify_by", "guid", "unique"]),
    dedupe("across_feeds", Choice(&["text", "link", "off"])).default("\"text\"")
        .doc("What joins items of several feeds to one story: the same page or a similar text, only the same page, or nothing.")
        .details("'newswire why ID' shows which items were joined and why, 'newswire split' separates them.")
        .also_called(&["mode", "method"]),
    dedupe("window", HOURS).default("\"72h\"")
        .limits(&[Limit::minimum("1h"), Limit::maximum("14d").code("window_too_long", "the default \"72h\" suits most feeds")])
        .doc("Texts that were published, or seen first, further apart are not compared.")
        .details("Items with the same page or id are, and so are items with the same date and time and the same title or text, \
            such as those of a mirror that is added later. A longer window joins texts that are only similar, and takes more memory."),
    dedupe("similarity", Choice(&["strict", "normal", "loose"])).default("\"normal\"")
        .doc("How similar the texts of one story must be.")
        .also_called(&["threshold", "likeness", "strictness"]),
    dedupe("updates", Choice(&["silent", "ignore", "bump"])).default("\"silent\"")
        .doc("Effect of an edit on a published item: \"silent\" replaces the text, \"ignore\" keeps it, \"bump\" also sets a new date.")
        .details("\"bump\" sets a new date for large edits only, so that feed readers show the item again. Place and id never change.")
        .also_called(&["edits", "changes", "on_update"]),
    dedupe("initial_items", number("items", 1, 100_000)).default("50")
        .doc("Number of items, the newest first, that are published from the first document of a feed.")
        .also_called(&["initial", "first_items", "backlog"]),
    dedupe("burst_guard", Choice(&["hold", "off"])).default("\"hold\"")
        .doc("Whether unusually many new items of a feed are held until 'newswire release FEED'.")
        .details("A feed that suddenly has far more new items than ever was moved, imported or broken into. \
            \"hold\" publishes the items that are certainly new and holds the others.")
        .also_called(&["flood_guard", "bursts", "flood", "burst"]),

    key(Section::Store, "path", FILE).default("\"newswire.db\"")
        .doc("Path of the database; a relative path starts in the state directory.")
        .details("'newswire backup FILE' copies it while Newswire runs. Copy the file yourself only while Newswire is stopped.")
        .also_called(&["file", "database", "db", "filename", "url", "dsn", "location"]),
    key(Section::Store, "retention", DAYS).limits(&[Limit::minimum("1d")]).default("\"400d\"")
        .doc("How long the texts of items are kept.")
        .details("The ids of items are kept forever, so that no item is published again.")
        .also_called(&["keep", "max_age", "expire", "expiry", "expire_after", "keep_days", "purge_after"]),

    key(Section::Web, "listen", Listen).default("\"127.0.0.1:8420\"")
        .doc("Address and port of the HTTP server, a Unix socket, several of these in a list, or \"off\".")
        .details("\"localhost:8420\" is 127.0.0.1 and ::1, \":8420\" is all addresses of this machine, and \"unix:/run/newswire/web.sock\" is a \
            Unix socket for a proxy, with mode 666 or the one in \"unix:/run/newswire/web.sock|660\". With \"off\" the outputs are only written \
            to files. Behind a reverse proxy keep 127.0.0.1.")
        .also_called(&["port", "address", "addr", "bind", "bind_address", "listen_address", "ip"]),
    key(Section::Web, "public_url", BASE_URL)
        .doc("URL by which subscribers reach this server; the merged feeds contain it.")
        .details("Set it before others subscribe.")
        .example("\"https://planet.example.org/\"")
        .also_called(&["url", "base_url", "external_url", "site_url", "root_url", "public", "link"]),
    key(Section::Web, "hosts", HOSTS).default("[]").example("[\"planet.example.org\"]")
        .doc("Further host names of this server.")
        .details("Requests with another Host header are refused, except those with the host of public_url or a name of this machine. \
            This prevents web pages from reading the server through a browser (DNS rebinding).")
        .also_called(&["names", "domain", "domains", "server_name", "server_names", "allowed_hosts", "hostname", "hostnames"]),
    key(Section::Web, "status", Choice(&["local", "open", "off"])).default("\"local\"")
        .doc("Who may see the operator pages: clients on this machine, all clients, or no client.")
        .details("\"local\" does not include clients that come through a proxy; docs/reverse-proxy.md describes which headers the proxy must set.")
        .also_called(&["dashboard", "admin", "operator", "status_page"]),
    key(Section::Web, "operators", NETWORKS).default("[]").example("[\"172.16.0.0/12\"]")
        .doc("Networks whose clients may see the operator pages like clients on this machine.")
        .details("In a container the bridge is the client: \"172.16.0.0/12\" has the networks of Docker, \"10.88.0.0/16\" that of Podman. \
            Clients through a proxy that sets X-Forwarded-For are refused nevertheless. The log shows which client was refused, and why.")
        .also_called(&["trusted_networks", "trusted_proxies", "admins", "allow_status", "allow_from"]),
    key(Section::Web, "metrics", Choice(&["on", "feeds", "off"])).default("\"on\"")
        .doc("Content of /metrics: sums over all feeds, values of each feed too, or nothing.")
        .details("\"feeds\" adds two series for each feed; \"off\" removes the page.")
        .also_called(&["prometheus"]),
    key(Section::Web, "image_cache", SIZE).limits(&[Limit::minimum("1 MiB")]).default("\"256 MiB\"")
        .doc("Size limit of the copies of images that outputs with images = \"proxy\" show.")
        .details("They are in the folder images beside the database. The copies that were used least recently are removed, and all after 30 days.")
        .also_called(&["cache", "cache_size", "image_cache_size"]),
    key(Section::Web, "samples", ADDRESS).default("\"off\"")
        .doc("Address and port of a further server with six sample feeds, or \"off\".")
        .details("It is for a first try without a network; 'newswire run' sets it in a config that it creates.")
        .also_called(&["sample", "sample_feeds", "demo"]),

    key(Section::Log, "level", Choice(&["error", "warn", "info", "debug", "trace"])).default("\"info\"")
        .doc("Least severe level that is logged.")
        .details("\"info\" logs a poll if it found new items or failed.")
        .also_called(&["verbosity", "loglevel", "log_level", "filter", "verbose", "debug"]),
    key(Section::Log, "format", Choice(&["auto", "text", "json", "journal"])).default("\"auto\"")
        .doc("Format of the log.")
        .details("\"auto\" is \"journal\" under systemd, \"text\" on a terminal and otherwise \"json\".")
        .also_called(&["output", "type", "style", "target"]),

    output("id", ID).required().example("\"planet\"")
        .doc("File name and path of the merged feed: planet.atom, planet.rss, planet.json.")
        .also_called(&["name", "slug", "key"]),
    output("title", TEXT).example("\"My planet\"")
        .doc("Title of the merged feed; the default is its id.")
        .also_called(&["name", "heading", "label"]),
    output("description", TEXT).example("\"What my friends write\"")
        .doc("Subtitle of the merged feed.")
        .also_called(&["subtitle", "summary", "about"]),
    output("link", URL).example("\"https://planet.example.org/\"")
        .doc("Page that the merged feed belongs to; the default is its page on this server.")
        .also_called(&["url", "homepage", "site_url", "html_url", "home"]),
    output("author", TEXT).example("\"Planet Example\"")
        .doc("Publisher of the merged feed; the default is its title.")
        .also_called(&["publisher", "owner", "creator"]),
    output("formats", Choices(&["atom", "rss", "json"])).default("[\"atom\", \"rss\", \"json\"]")
        .doc("Formats of the merged feed.")
        .also_called(&["format", "type", "types"]),
    output("directory", FOLDER).example("\"www\"")
        .doc("Folder that the documents are written to; without it they are only served.")
        .details("A compressed form of each file is written beside it, for a web server.")
        .also_called(&["dir", "folder", "path", "file", "output_dir", "destination"]),
    output("site", Flag).default("false")
        .doc("Whether the pages are written into directory too, so that any web server or bucket serves the whole planet.")
        .details("docs/static-site.md describes the files. The folder with the name of the output belongs to Newswire.")
        .also_called(&["static", "static_site", "html", "pages", "website"]),
    output("token", Secret).example("{ file = \"/etc/newswire/planet.token\" }")
        .doc("Secret that subscribers must send, at least 16 characters.")
        .details("docs/feeds.md describes how subscribers send it. It does not protect files in directory.")
        .also_called(&["secret", "password", "key", "auth", "authorization", "access_token"]),
    output("items", number("stories", 1, Output::MAX_ITEMS)).default("100")
        .doc("Number of stories that are always shown, the newest first.")
        .details("A story that arrives late is shown too, whatever its date, until that many have arrived after it. What a feed had published before it was added is shown by its date alone.")
        .also_called(&["limit", "max_items", "max_stories", "max_entries", "count", "size", "entries", "length", "max"]),
    output("max_age", DAYS).limits(&[Limit::minimum("1h")]).example("\"3d\"")
        .doc("Stories younger than this are shown in addition to items.")
        .details("This keeps stories from being dropped in a busy hour.")
        .also_called(&["age", "days", "since", "newer_than"]),
    output("per_feed", number("stories", 1, Output::MAX_ITEMS)).example("10")
        .doc("Largest number of stories of one feed.")
        .also_called(&["max_per_feed", "items_per_feed"]),
    output("per_feed_percent", number("percent", 1, 100)).example("20")
        .doc("Largest number of stories of one feed, in percent of items.")
        .also_called(&["share", "percent"]),
    output("min_feeds", number("feeds", 1, Output::MAX_ITEMS)).example("2")
        .doc("Smallest number of feeds of this output that a story must be in.")
        .also_called(&["minimum_feeds", "at_least"]),
    output("include", Rules).example("{ tags = [\"rust\"], languages = [\"en\"] }")
        .doc("Conditions of the items that are shown; an item must meet all of one table.")
        .details("Several tables are alternatives. docs/filters.md has recipes, 'newswire replay' shows the effect.")
        .also_called(INCLUDE),
    output("exclude", Rules).example("{ title = \"(?i)sponsored\" }")
        .doc("Conditions of the items that are not shown; an item meets all of one table.")
        .details("Several tables are alternatives: [{ title = \"…\" }, { links = [\"…\"] }].")
        .also_called(EXCLUDE),
    output("icon", URL).example("\"https://planet.example.org/icon.png\"")
        .doc("URL of a square picture for the merged feed, best a PNG of 512 by 512 pixels.")
        .details("Previews of links to the pages show it too.")
        .also_called(&["image", "picture", "favicon"]),
    output("language", LANGUAGE).example("\"en\"")
        .doc("Language of stories that do not name one, and of the pages.")
        .details("Pages are written in English, German, French, Spanish and Japanese; for other languages in English.")
        .also_called(&["lang", "locale"]),
    output("content", Choice(&["full", "summary", "none"])).default("\"full\"")
        .doc("How much of a story is shown.")
        .details("\"summary\" is the summary of the publisher, or the beginning of the text.")
        .also_called(&["body", "full_text", "text"]),
    output("title_prefix", TITLE_PREFIX).example("\"{source}: \"")
        .doc("Text before each title; {source} is the title of the feed.")
        .details("For feed readers that do not show the source of an item.")
        .also_called(&["prefix"]),
    output("date", Choice(&["published", "first_seen"])).default("\"published\"")
        .doc("Date of a story: its publication, or when Newswire first saw it.")
        .details("\"first_seen\" is for feed readers that do not show new items with an old date.")
        .also_called(&["dates", "sort", "order", "sort_by"]),
    output("also_at", Choice(&["links", "content"])).default("\"links\"")
        .doc("Where other feeds with the story are named: in links, or also in a line below the text.")
        .also_called(&["also", "duplicates", "see_also"]),
    output("page_text", Choice(&["excerpt", "full"])).default("\"excerpt\"")
        .doc("What the lists of stories on the pages show: the beginning of each text, or the whole text.")
        .details("\"full\" needs content = \"full\". Results of a search have excerpts.")
        .also_called(&["excerpts", "full_page", "page_content"]),
    output("images", Choice(&["link", "direct", "proxy"])).default("\"link\"")
        .doc("How the pages show pictures: as links, as pictures that browsers load from their sites, or as small copies from this server.")
        .details("With \"direct\" these sites learn the addresses of the readers. With \"proxy\" they do not: Newswire fetches a picture when it is \
            first shown. Audio and video load only when they are played.")
        .also_called(&["pictures", "image_proxy", "media"]),
    output("time_zone", TIME_ZONE).example("\"Europe/Berlin\"")
        .doc("Time zone of the dates on the pages; the default is UTC.")
        .also_called(&["timezone", "tz", "zone"]),
    output("stylesheet", PAGE_TEXT).example("\"my.css\"")
        .doc("File with CSS for the pages, after the style sheet of Newswire.")
        .details("docs/feeds.md lists the variables. The file is read when the config is loaded.")
        .also_called(&["css", "style", "theme"]),
    output("stylesheet_only", Flag).default("false")
        .doc("Whether stylesheet is the only style sheet of the pages, in place of that of Newswire.")
        .details("It has no effect without stylesheet.")
        .also_called(&["own_style", "replace_stylesheet", "no_css"]),
    output("logo", PICTURE).example("\"logo.svg\"")
        .doc("Picture above the title of the pages and in the tab of the browser: SVG, PNG, JPEG or WebP.")
        .also_called(&["banner", "brand"]),
    output("header", PAGE_TEXT).example("\"header.html\"")
        .doc("File with HTML that is written above the pages as it is.")
        .details("Pages run no scripts, and load only files of this server.")
        .also_called(&["head", "top"]),
    output("footer", PAGE_TEXT).example("\"footer.html\"")
        .doc("File with HTML that is written below the pages as it is.")
        .also_called(&["foot", "bottom"]),
    output("digest", Choice(&["off", "daily", "weekly"])).default("\"off\"")
        .doc("Publishes digests instead of stories: one entry for each day or week, which lists the stories since the last one.")
        .details("A digest never changes once it is published. items then counts digests, at most 100 and 14 by default, per_feed limits the \
            stories of a feed in each, and content = \"none\" lists titles only. docs/feeds.md describes digests.")
        .also_called(&["summary", "roundup", "newsletter", "frequency", "period"]),
    output("digest_hour", number("hours", 0, 23)).default("0")
        .doc("Hour at which a digest is closed, in time_zone.")
        .also_called(&["hour", "digest_time", "at", "send_at"]),
    output("digest_day", Choice(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])).default("\"monday\"")
        .doc("Day on which a weekly digest is closed; at midnight it has the week until the day before.")
        .also_called(&["weekday", "day", "digest_weekday", "day_of_week"]),
    output("strip_tracking", Flag).default("false")
        .doc("Whether query parameters that only track readers, such as utm_source, are removed from links.")
        .details("The identity of items does not depend on it. Addresses of attached files stay as they are.")
        .also_called(&["remove_tracking", "clean_urls", "remove_utm"]),
    output("title_replace", Replacements).example("[[\"^\\\\[Ad\\\\] \", \"\"]]")
        .doc("Replacements of parts of titles, in order: a regular expression, and a text with $1 for groups.")
        .details("The identity of items does not depend on it. A title that becomes empty is made from the text.")
        .also_called(&["replace", "rewrite", "rewrite_rules", "title_rewrite"]),
    output("podcast", PODCAST_CATEGORY).example("\"Technology\"")
        .doc("Makes the output a podcast of this category of Apple Podcasts; it shows only items with an audio or video file.")
        .details("docs/feeds.md lists the categories. Directories also require icon (a PNG or JPEG of 1400 to 3000 pixels) and language.")
        .also_called(&["podcast_category", "itunes_category", "itunes"]),
    output("podcast_explicit", Flag).default("false")
        .doc("Whether the podcast is always marked as not for children; otherwise it is marked while it shows such an episode.")
        .also_called(&["explicit", "itunes_explicit"]),
    output("podcast_email", TEXT).example("\"radio@example.org\"")
        .doc("Mail address of the owner; the podcast publishes it, and directories send mail to it.")
        .also_called(&["email", "owner_email", "itunes_owner", "itunes_email"]),
    output("deltas", Flag).default("false")
        .doc("Whether clients that accept deltas (RFC 3229) get only what changed.")
        .details("Some feed readers fail on such responses.")
        .also_called(&["delta", "feed_deltas", "rfc3229"]),

    rule("tags", TEXTS).example("[\"rust\"]")
        .doc("Tags of the feed, at least one of them; not in a [[feed]].").also_called(&["label", "labels", "folder"]),
    rule("feeds", TEXTS).example("[\"rust-blog\"]")
        .doc("Ids of feeds; not in a [[feed]].").also_called(&["ids", "id", "source", "sources"]),
    rule("links", LINKS).example("[\"nytimes.com\", \"/shorts/\"]")
        .doc("Patterns of the link, at least one of them: host names with their subdomains, or regular expressions.")
        .details("The link that a link-blog points at counts too.")
        .also_called(&["link", "url", "urls", "host", "hosts", "domain", "domains", "entry_url"]),
    rule("title", REGEX).example("\"(?i)rust\"")
        .doc("Regular expression that matches the title; an untitled item does not match.")
        .details("The title and the text are matched as they are seen: on one line, with single spaces, without invisible characters.")
        .also_called(&["titles", "keyword", "keywords", "entry_title"]),
    rule("content", REGEX).example("\"(?i)release\"")
        .doc("Regular expression that matches the text, without markup.")
        .also_called(&["text", "body", "contents", "entry_content"]),
    rule("authors", TEXTS).example("[\"Ann\"]")
        .doc("Names of authors, compared without case.").also_called(&["author", "creator", "by", "entry_author"]),
    rule("categories", TEXTS).example("[\"linux\"]")
        .doc("Categories of the item, compared without case.")
        .also_called(&["category", "topics", "subjects", "entry_tag"]),
    rule("languages", LANGUAGES).example("[\"en\"]")
        .doc("Languages of the item; \"en\" includes \"en-GB\".").details("An item without a language matches none of them.")
        .also_called(&["language", "lang", "langs"]),
    rule("enclosures", Flag).example("true")
        .doc("Whether the item has an attached file, such as an episode of a podcast; pictures do not count.")
        .also_called(&["enclosure", "attachments", "audio", "podcast", "media"]),
    rule("min_words", number("words", 0, 1_000_000)).example("50")
        .doc("Smallest number of words of the text, else of the summary.")
        .also_called(&["minimum_words", "min_length", "longer_than"]),
    rule("max_words", number("words", 0, 1_000_000)).example("20")
        .doc("Largest number of words of the text, else of the summary.")
        .also_called(&["maximum_words", "max_length", "shorter_than"]),
    rule("max_age", DAYS).limits(&[Limit::minimum("1h")]).example("\"7d\"")
        .doc("Largest age of the item when it was first seen.")
        .details("An item without a date is new. The age does not change later, so that no item leaves an output because of this condition.")
        .also_called(&["age", "newer_than", "days", "entry_date"]),

    key(Section::Server, "host", SITE).required().example("\"example.com\"")
        .doc("Registrable domain of the server; the section applies to all feeds on it.")
        .details("Newswire has built-in settings for a few well-known servers; a [[server]] overrides them.")
        .also_called(&["name", "domain", "url", "hostname", "site", "address"]),
    key(Section::Server, "budget", RATE).limits(&[Limit::minimum("10 kB/day")]).example("\"5 MB/day\"")
        .doc("Traffic limit of all feeds on the server together.")
        .details("The intervals of these feeds become longer by the same factor until the expected traffic fits. `newswire plan` shows the effect.")
        .also_called(&["bandwidth", "traffic", "quota", "max_bytes", "limit"]),

    key(Section::Server, "include", Rules).example("{ enclosures = true }")
        .doc("Conditions of the items that enter from feeds on the server, in addition to those of the feed.")
        .also_called(INCLUDE),
    key(Section::Server, "exclude", Rules).example("{ links = [\"/shorts/\"] }")
        .doc("Conditions of the items that are kept out of feeds on the server, in addition to those of the feed.")
        .also_called(EXCLUDE),
    key(Section::Server, "remove", SELECTORS).example("[\".sharedaddy\"]")
        .doc("CSS selectors of parts that are removed from the items of feeds on the server, in addition to those of the feed.")
        .also_called(REMOVE),

    key(Section::Feed, "url", URL).example("\"https://blog.rust-lang.org/feed.xml\"")
        .doc("URL of the feed; a [[feed]] has either url or file.")
        .also_called(&["link", "href", "uri", "feed", "feed_url", "xml_url", "xmlurl", "rss", "address", "source"]),
    key(Section::Feed, "file", FILE).example("\"/srv/feeds/builds.xml\"")
        .doc("File of this machine that is the feed; a relative path starts in the state directory.")
        .details("It is read again at each poll if it changed. It must be a regular file that the user of Newswire can read, of at most max_body. \
            The outputs do not show its path.")
        .also_called(&["path", "filename", "local"]),
    key(Section::Feed, "id", ID).example("\"rust-blog\"")
        .doc("Permanent name of the feed; the default is derived from the URL.")
        .also_called(&["slug", "key", "name"]),
    key(Section::Feed, "title", TEXT).example("\"Rust Blog\"")
        .doc("Replaces the title of the publisher.")
        .also_called(&["name", "label", "description", "feed_title"]),
    key(Section::Feed, "tags", TEXTS).default("[]").example("[\"rust\"]")
        .doc("Tags by which outputs include or exclude the feed.")
        .also_called(&["category", "categories", "category_id", "labels", "group", "groups", "folder", "topic", "topics"]),
    key(Section::Feed, "include", Rules).example("{ title = \"(?i)rust\" }")
        .doc("Conditions of the items that enter; an item must meet all of one table.")
        .details("Other items are kept out of all outputs. An item is judged once, when it is first seen. 'newswire why FEED' counts what each rule keeps out.")
        .also_called(INCLUDE),
    key(Section::Feed, "exclude", Rules).example("{ links = [\"/shorts/\"] }")
        .doc("Conditions of the items that are kept out of all outputs; an item meets all of one table.")
        .details("'newswire release --filtered FEED' publishes the items that were kept out.")
        .also_called(EXCLUDE),
    key(Section::Feed, "remove", SELECTORS).example("[\".share\", \"#related\"]")
        .doc("CSS selectors of parts that are removed from the content of items.")
        .details("docs/remove.md has examples. 'newswire why FEED' counts what each selector removed.")
        .also_called(REMOVE),

    key(Section::Subscriptions, "file", FILE).example("\"feeds.opml\"")
        .doc("File with a list of feeds: OPML, a urls file of newsboat, or the ini file of a planet.")
        .details("Its feeds are polled as if they were in this file. The list is read again when it changes. A feed that is removed from it \
            is not polled any more. While the file is missing, damaged or without feeds, its last good copy is used.")
        .also_called(&["path", "opml", "filename"]),
    key(Section::Subscriptions, "url", URL).example("\"https://example.org/feeds.opml\"")
        .doc("URL of a list of feeds, instead of file.")
        .details("The last valid copy is used while the list cannot be fetched.")
        .also_called(&["link", "href", "uri", "address"]),
    key(Section::Subscriptions, "interval", HOURS).default("\"24h\"")
        .limits(&[Limit::minimum("15m").code("interval_too_short", "the default of one day suits lists of feeds")])
        .doc("Time between two requests for the list at url.")
        .also_called(&["frequency", "every", "refresh", "period"]),
    key(Section::Subscriptions, "removed", Choice(&["keep", "hide"])).default("\"keep\"")
        .doc("Whether stories of a feed that leaves the list are still shown.")
        .details("\"keep\" shows them as long as retention, \"hide\" removes them from the outputs.")
        .also_called(&["on_remove", "gone"]),
    key(Section::Subscriptions, "tags", TEXTS).default("[]").example("[\"friends\"]")
        .doc("Tags that are added to each feed of the list.")
        .also_called(&["category", "labels", "group", "folder"]),
    key(Section::Subscriptions, "include", Rules).example("{ languages = [\"en\"] }")
        .doc("Conditions of the items that enter from feeds of the list, in addition to those of the feed.")
        .also_called(INCLUDE),
    key(Section::Subscriptions, "exclude", Rules).example("{ title = \"(?i)sponsored\" }")
        .doc("Conditions of the items that are kept out of feeds of the list, in addition to those of the feed.")
        .also_called(EXCLUDE),
    key(Section::Subscriptions, "remove", SELECTORS).example("[\".share\"]")
        .doc("CSS selectors of parts that are removed from the items of feeds of the list, in addition to those of the feed.")
        .also_called(REMOVE),
];

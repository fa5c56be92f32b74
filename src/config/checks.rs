//! Checks of the config as a whole: what no single value shows.
//!
//! A check does not report what may be a consequence of an error elsewhere: it looks at uncertain keys first.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use regex::Regex;
use url::Url;

use super::definition::Section;
use super::diagnostic::{Diagnostic, Report, Severity};
use super::feeds::{has_private_host, url_of, with_ids};
use super::outputs;
use super::section::{Document, Layer};
use super::settings::Config;
use super::suggest::nearest;
use super::text;
use super::value::Listed;
use crate::fetch;
use crate::files;
use crate::model::{Feed, FeedId, site};
use crate::render::Output;
use crate::store;
use crate::text::quoted::in_quotes;
use crate::web;

/// Ids that outputs cannot have, because pages of Newswire have these paths.
#[rustfmt::skip]
const RESERVED_IDS: &[&str] = &[
    "health", "health.atom", "healthz", "icon.svg", "metrics", "readyz", "status", "status.json", "style.css",
    "subscriptions.opml",
];
/// Sections that the feeds, and with them their tags and ids, come from.
const SOURCES: [Section; 2] = [Section::Feed, Section::Subscriptions];

/// Sections whose `include` and `exclude` may name tags and ids of feeds.
const FILTERING: [Section; 3] = [Section::Output, Section::Server, Section::Subscriptions];

/// How closely paths are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathChecks {
    /// Whether the folders of outputs can exist.
    Existence,
    /// Also the path of the database, whether this user can write to the folders, and read the files of feeds.
    Writing,
}

/// Runs the checks of a whole config and adds their diagnostics to `report`.
pub(super) fn check(document: &Document, config: &Config, paths: PathChecks, report: &mut Report) {
    duplicates(document, Section::Output, "duplicate_output", report);
    duplicates(document, Section::Feed, "duplicate_feed", report);
    check_path(document.one(Section::Store), "path", &config.store.path, paths, report);
    for layer in document.layers() {
        check_section(layer, report);
        without_effect(document, layer, report);
        if let Some(folder) = layer.get::<PathBuf>("directory") {
            check_path(layer, "directory", folder, paths, report);
        }
    }
    if paths == PathChecks::Writing {
        unreadable_files(document, report);
    }
    missing_sections(document, report);
    missing_contact(document, config, report);
    own_intervals(document, report);
    servers_without_feeds(document, config, report);
    missing_names(document, &config.web, report);
    let feeds = known_feeds(document, config);
    let known = are_names_known(document, &feeds, report);
    // An output with an error in its id is not in the list.
    if document.all(Section::Output).count() == config.outputs.len() {
        outputs::check(document, config, report);
        for (layer, output) in document.all(Section::Output).zip(&config.outputs) {
            if known {
                reaching_feeds(layer, output, &feeds, report);
            }
        }
        if known {
            hidden_feeds(document, &config.outputs, &feeds, report);
        }
    }
}

/// Reports ids that are used twice, and outputs with the id of a page of Newswire.
fn duplicates(document: &Document, section: Section, code: &'static str, report: &mut Report) {
    let mut first: HashMap<&str, Range<usize>> = HashMap::new();
    for layer in document.all(section) {
        let (Some(id), span) = (layer.text("id"), layer.span("id")) else { continue };
        if section == Section::Output && RESERVED_IDS.contains(&id) {
            let message =
                format!("the id {id} is the path of a page of Newswire", id = in_quotes(id));
            report.push(Diagnostic::error(code, span.clone(), message).help("choose another id"));
        }
        if let Some(earlier) = first.insert(id, span.clone()) {
            let message =
                format!("the {} id {id} is used twice", section.name(), id = in_quotes(id));
            let error = Diagnostic::error(code, span, message);
            report.push(
                error.also(earlier, "first here").help("remove one of them, or change an id"),
            );
        }
    }
}

/// Warnings about single values and pairs of them.
fn check_section(layer: &Layer, report: &mut Report) {
    let word = |name| layer.get::<&str>(name).copied();
    let mut warn = |code, name: &str, message: &str, help: &str| {
        report.push(layer.warning(code, name, message).help(help));
    };
    if word("publisher_hints") == Some("ignore") {
        let help = "remove it unless the hints are wrong: site owners may block Newswire for it";
        warn(
            "publisher_hints_ignored",
            "publisher_hints",
            "hints of the publisher are ignored",
            help,
        );
    }
    let network = |listed: &Listed| listed.value.get::<IpNet>().copied();
    let mut networks = layer.list("allow_networks").iter().filter_map(network);
    if networks.any(|network| network.prefix_len() == 0) {
        let message =
            "all addresses are allowed: a feed can make Newswire send requests to your router";
        warn("all_networks_allowed", "allow_networks", message, "name the networks of your feeds");
    }
    if word("content") == Some("none") && word("also_at") == Some("content") {
        let message = "also_at = \"content\" has no effect without content";
        warn("no_effect", "also_at", message, "remove one of them");
    }
    if word("page_text") == Some("full") && matches!(word("content"), Some("summary" | "none")) {
        let message = "page_text = \"full\" has no effect without content = \"full\"";
        warn("no_effect", "page_text", message, "remove one of them");
    }
    if let Some(icon) = layer.get::<Url>("icon")
        && icon.path().to_ascii_lowercase().ends_with(".ico")
    {
        let help = "name a square PNG of 512 by 512 pixels";
        warn("icon_too_small", "icon", "an .ico file is too small for most feed readers", help);
    }
    if layer.get::<Vec<&str>>("formats").is_some_and(|formats| *formats == ["json"]) {
        let message =
            "many feed readers cannot read JSON Feed, and this output has no other format";
        warn("only_json_feed", "formats", message, "add \"atom\" or \"rss\"");
    }
    for (regex, _) in layer.get::<Vec<(Regex, String)>>("title_replace").into_iter().flatten() {
        unlikely_regex(layer, "title_replace", regex, report);
    }
    masquerade(layer, report);
    outputs::check_digest(layer, report);
    outputs::check_podcast(layer, report);
    for (part, rules) in rules(layer) {
        check_rules(part, rules, report);
    }
}

/// Keys that have an effect only with another one.
const NEEDED: &[(&str, &str)] = &[
    ("proxy_authorization", "proxy"),
    ("stylesheet_only", "stylesheet"),
    ("digest_hour", "digest"),
    ("digest_day", "digest"),
    ("podcast_explicit", "podcast"),
    ("podcast_email", "podcast"),
];

/// Warnings about keys whose needed key is not set.
fn without_effect(document: &Document, layer: &Layer, report: &mut Report) {
    for (name, needed) in NEEDED {
        // A default that is written out is not a mistake.
        let Some(entry) = layer.entry(name).filter(|entry| entry.toml != entry.key.default) else {
            continue;
        };
        let has = |layer: &Layer| {
            layer.may_set(needed) && layer.get::<&str>(needed).is_none_or(|word| *word != "off")
        };
        let is_inherited = match layer.section {
            Section::Feed => has(document.one(entry.key.section)),
            _ => entry.key.inherited_by.iter().any(|by| document.all(*by).any(has)),
        };
        if !has(layer) && !is_inherited {
            let message = format!("{name} has no effect without {needed}");
            let warning = layer.warning("no_effect", name, message);
            report.push(warning.help(format!("set {needed}, or remove {name}")));
        }
    }
}

/// Warnings about a `[[server]]` that no feed is on.
fn servers_without_feeds(document: &Document, config: &Config, report: &mut Report) {
    let sites: HashSet<&str> = config.subscriptions.iter().map(|s| site(&s.feed.url)).collect();
    // A list can bring feeds at any time, and a config without feeds has just been written.
    let are_all_known = !sites.is_empty()
        && !document.has(Section::Subscriptions)
        && !document.are_uncertain(&SOURCES, &["url", "file"]);
    let unused = |layer: &&Layer| layer.text("host").is_some_and(|host| !sites.contains(host));
    for layer in document.all(Section::Server).filter(|layer| are_all_known && unused(layer)) {
        let host = layer.text("host").unwrap_or_default();
        let warning =
            layer.warning("no_effect", "host", format!("no feed is on the server {host}"));
        report.push(match nearest(host, sites.iter().copied()) {
            Some(near) => warning.meant(near),
            None => warning.help("remove the [[server]], or add a feed on it"),
        });
    }
}

/// Warnings about one table of conditions.
fn check_rules(part: &str, rules: &Layer, report: &mut Report) {
    for name in ["title", "content"] {
        let Some(regex) = rules.get::<Regex>(name) else { continue };
        if regex.is_match("") && regex.is_match("Zq~7 \u{f8}") {
            let message = format!("the {name} of every item matches in this {part}");
            let warning = rules.warning("filter_matches_all", name, message);
            report.push(warning.help("write a part of the text that you mean"));
        }
        unlikely_regex(rules, name, regex, report);
    }
    let words = |name| rules.get::<usize>(name);
    if words("max_words").is_some_and(|max| words("min_words") > Some(max)) {
        let message = "no item has as many words as min_words and as few as max_words";
        let warning = rules.warning("filter_matches_nothing", "max_words", message);
        report.push(warning.help("lower min_words, or raise max_words"));
    }
}

/// Reports a regular expression in the syntax of another language.
fn unlikely_regex(layer: &Layer, name: &str, regex: &Regex, report: &mut Report) {
    let Some((message, meant)) = text::meant_regex(regex.as_str()) else { return };
    let warning = layer.warning("unlikely_regex", name, message);
    report.push(warning.help(format!("did you mean {meant}?", meant = in_quotes(meant))));
}

/// Each table of conditions of a section, with the name of its key.
fn rules(layer: &Layer) -> impl Iterator<Item = (&'static str, &Layer)> {
    ["include", "exclude"]
        .into_iter()
        .flat_map(move |part| layer.rules(part).iter().map(move |rules| (part, rules)))
}

fn of_the_file(code: &'static str, message: &str, help: &str, report: &mut Report) {
    report.push(Diagnostic::warning(code, 0..0, message).of_the_file().help(help));
}

/// Reports a config without version or outputs. A config without feeds is one that has just been written.
fn missing_sections(document: &Document, report: &mut Report) {
    let is_misplaced = document.layers().iter().any(|layer| layer.is_uncertain("version"));
    if !document.one(Section::Top).sets("version") && !is_misplaced {
        let help = "write version = 1 at the top of the file";
        of_the_file("missing_version", "the config has no version", help, report);
    }
    if !document.has(Section::Output) && !document.is_uncertain(Section::Output) {
        let message = "the config has no outputs: items are collected, but not published";
        of_the_file("no_outputs", message, "add an [[output]] with an id", report);
    }
}

fn missing_contact(document: &Document, config: &Config, report: &mut Report) {
    let anonymous = |fetch: &fetch::Settings| fetch.contact.is_none() && fetch.user_agent.is_none();
    let sections = [Section::Fetch, Section::Feed];
    let uncertain = document.are_uncertain(&sections, &["contact", "user_agent"]);
    let mut others = config.subscriptions.iter().filter(|s| !has_private_host(&s.feed.url));
    if !uncertain && others.any(|s| anonymous(&s.fetch)) {
        let message = "no contact: site owners cannot find out who polls their feeds";
        let help = "set contact in [fetch] to the URL of your page or to your mail address";
        of_the_file("no_contact", message, help, report);
    }
}

/// Removes the advice about intervals where a feed is on the operator's own server.
fn own_intervals(document: &Document, report: &mut Report) {
    for layer in document.all(Section::Feed) {
        let Some(url) = url_of(layer) else { continue };
        if has_private_host(&url) {
            let own = ["interval", "min_interval"].map(|key| layer.span(key));
            let advice = |it: &Diagnostic| it.code == "interval_below_recommended";
            report.diagnostics.retain(|it| {
                !(advice(it) && it.span.as_ref().is_some_and(|span| own.contains(span)))
            });
        }
    }
}

/// Names in a User-Agent of programs that Newswire is not: browsers, search engines and feed readers.
#[rustfmt::skip]
const OTHER_PROGRAMS: &[&str] = &[
    "mozilla/", "chrome/", "chromium/", "firefox/", "safari/", "applewebkit/", "gecko/", "opera/", "edg/",
    "googlebot", "feedfetcher-google", "bingbot", "yandexbot", "baiduspider", "duckduckbot", "applebot", "gptbot",
    "facebookexternalhit", "twitterbot", "slackbot", "feedly", "inoreader", "newsblur", "feedbin", "feedburner",
    "netnewswire", "reeder/", "tiny tiny rss", "freshrss", "miniflux", "newsboat", "feeddemon", "the old reader",
    "bazqux", "rssowl", "liferea", "akregator", "thunderbird", "curl/", "wget/",
];

/// Reports a User-Agent that claims to be another program. Site owners then do not know who polls, and block the
/// others with it.
fn masquerade(layer: &Layer, report: &mut Report) {
    let agent = layer.text("user_agent").unwrap_or_default().to_ascii_lowercase();
    if let Some(other) = OTHER_PROGRAMS.iter().find(|name| agent.contains(**name)) {
        let other = other.trim_end_matches('/');
        let message = format!("user_agent claims to be another program ({other})");
        let help = "write your own name with the URL of a page, such as \"Planet/1.0 (+https://planet.example.org/)\"";
        let warning = layer.warning("masquerading_user_agent", "user_agent", message);
        report.push(warning.help(help));
    }
}

/// Reports a server that others can reach without its names.
fn missing_names(document: &Document, web: &web::Settings, report: &mut Report) {
    let section = document.one(Section::Web);
    let uncertain = |names: &[&str]| document.are_uncertain(&[Section::Web], names);
    let mut warn = |code, message: &str, help: &str| {
        let warning = section.warning(code, "listen", message).help(help);
        let line = section.sets("listen");
        report.push(if line { warning } else { warning.of_the_file() });
    };
    let public = web.listen.is_empty() || web.listen.iter().any(|address| !address.is_local());
    if !public || web.public_url.is_some() || uncertain(&["listen", "public_url"]) {
        return;
    }
    if !web.listen.is_empty() && web.hosts.is_empty() && !uncertain(&["hosts"]) {
        let message = "other machines can reach the server, and it accepts all host names: web pages can \
            read it through the browser of a subscriber";
        let help = "set public_url in [web], or hosts to the names of this server";
        warn("host_names_unchecked", message, help);
    }
    if document.has(Section::Output) {
        let message = "no public_url: served feeds contain the host of each request, and files the address of this machine";
        warn("no_public_url", message, "set public_url in [web] to the URL that subscribers use");
    }
}

/// What is known of a feed before it is polled.
struct KnownFeed<'c> {
    feed: &'c Feed,
    id: FeedId,
}

/// The feeds with the ids that commands print.
fn known_feeds<'c>(document: &Document, config: &'c Config) -> Vec<KnownFeed<'c>> {
    let feeds: Vec<Feed> = config.subscriptions.iter().map(|s| s.feed.clone()).collect();
    let mut rules = FILTERING.iter().flat_map(|section| document.all(*section)).flat_map(rules);
    // The database is not read for ids that nothing names.
    let ids = match rules.any(|(_, rules)| !rules.list("feeds").is_empty()) {
        true => with_ids(&feeds, &config.store.path),
        false => store::new_feeds(&feeds),
    };
    let known = config.subscriptions.iter().zip(ids);
    known
        .map(|(subscription, named)| KnownFeed { feed: &subscription.feed, id: named.id })
        .collect()
}

impl KnownFeed<'_> {
    /// Whether the output can show items of the feed.
    fn reaches(&self, output: &Output) -> bool {
        output.filter.takes_feed(&self.id, &self.feed.tags)
    }
}

/// Reports tags and ids of `include` and `exclude` that no feed has. Returns whether all have a feed.
fn are_names_known(document: &Document, feeds: &[KnownFeed<'_>], report: &mut Report) -> bool {
    let is_uncertain = |names: &[&str]| {
        let no_list = report.diagnostics.iter().any(|d| d.code == "bad_list");
        no_list || document.are_uncertain(&SOURCES, names)
    };
    // A feed without a valid URL has tags and an id too.
    let layers = || document.all(Section::Feed);
    let tags = feeds.iter().flat_map(|feed| &feed.feed.tags).map(String::as_str);
    let own_tags = layers().flat_map(|layer| layer.list("tags")).map(Listed::text);
    let tags: HashSet<&str> = tags.chain(own_tags).collect();
    let ids = feeds.iter().map(|feed| feed.id.as_str());
    let ids: HashSet<&str> = ids.chain(layers().filter_map(|layer| layer.text("id"))).collect();
    let tags = Some(tags).filter(|_| !is_uncertain(&["file", "tags"]));
    let ids = Some(ids).filter(|_| !is_uncertain(&["file", "url", "id"]));
    let mut all_known = true;
    for section in FILTERING.iter().flat_map(|section| document.all(*section)) {
        for (part, rules) in rules(section) {
            for (name, known) in [("tags", &tags), ("feeds", &ids)] {
                let texts = rules.list(name);
                let unknown = |text: &&Listed| {
                    known.as_ref().is_none_or(|known| !known.contains(text.text()))
                };
                // So the stories of a feed that left a followed list are hidden.
                let may_be_former =
                    (part, name) == ("exclude", "feeds") && document.has(Section::Subscriptions);
                for text in texts.iter().filter(unknown) {
                    all_known = false;
                    let Some(known) = known.as_ref().filter(|_| !may_be_former) else { continue };
                    let certain = part == "include" && !document.has(Section::Subscriptions);
                    let diagnostic = unknown_name(text, name, known, texts);
                    report.push(match certain {
                        true => diagnostic,
                        false => Diagnostic { severity: Severity::Warning, ..diagnostic },
                    });
                }
            }
        }
    }
    all_known
}

/// The error for a tag or an id in a list that no feed has.
fn unknown_name(text: &Listed, name: &str, known: &HashSet<&str>, list: &[Listed]) -> Diagnostic {
    let what = if name == "tags" { "tag" } else { "id" };
    let message = format!("no feed has the {what} {}", in_quotes(text.text()));
    let error = Diagnostic::error("no_such_feed", text.span.clone(), message);
    match nearest(text.text(), known.iter().copied()) {
        Some(near) if list.iter().any(|other| other.text() == near) => {
            error.help(format!("remove it; the list has {near} already", near = in_quotes(near)))
        }
        Some(near) => error.meant(near),
        None if name == "tags" => error.help("add the tag to a feed, or remove it here"),
        None => error.help("'newswire list --ids' lists the ids; remove it if the feed is gone"),
    }
}

/// Reports outputs that stay empty, because no feed or too few feeds can have stories for them.
fn reaching_feeds(layer: &Layer, output: &Output, feeds: &[KnownFeed<'_>], report: &mut Report) {
    if has_uncertain_rules(layer) {
        return;
    }
    let reaching = feeds.iter().filter(|feed| feed.reaches(output)).count();
    let mut push = |name: &str, message: String, help: &str| {
        let warning = layer.warning("output_without_feeds", name, message);
        report.push(warning.help(help));
    };
    if reaching == 0 && !feeds.is_empty() {
        let message =
            format!("include and exclude of the output {} leave no feed", in_quotes(&output.id));
        push("include", message, "include a tag or an id of a feed that is not excluded");
    } else if let Some(min) = output.min_feeds.filter(|min| *min > reaching && reaching > 0) {
        let message = format!("min_feeds is {min}, but the output has only {reaching} feeds");
        push("min_feeds", message, "lower min_feeds, or include more feeds");
    }
}

fn has_uncertain_rules(layer: &Layer) -> bool {
    ["include", "exclude"].iter().any(|part| {
        let mut rules = layer.rules(part).iter();
        let names = ["tags", "feeds"];
        layer.is_uncertain(part)
            || rules.any(|rules| names.iter().any(|name| rules.is_uncertain(name)))
    })
}

/// Reports feeds that no output shows, and their tags that are similar to a tag of an output.
fn hidden_feeds(
    document: &Document,
    outputs: &[Output],
    feeds: &[KnownFeed<'_>],
    report: &mut Report,
) {
    let uncertain =
        document.are_uncertain(&[Section::Feed, Section::Subscriptions, Section::Output], &[]);
    if outputs.is_empty() || uncertain || document.all(Section::Output).any(has_uncertain_rules) {
        return;
    }
    let tables = outputs.iter().flat_map(|output| output.filter.tables());
    let wanted: HashSet<&str> = tables.flat_map(|table| &table.tags).map(String::as_str).collect();
    let by_url: HashMap<&str, &KnownFeed<'_>> =
        feeds.iter().map(|feed| (feed.feed.url.as_str(), feed)).collect();
    for layer in document.all(Section::Feed) {
        let Some(url) = url_of(layer) else { continue };
        let Some(feed) = by_url.get(url.as_str()) else { continue };
        let shown = outputs.iter().any(|output| feed.reaches(output));
        if shown || layer.is_uncertain("tags") || layer.is_uncertain("id") {
            continue;
        }
        let misspelled = layer.list("tags").iter().find_map(|tag| {
            let near = nearest(tag.text(), wanted.iter().copied())?;
            (near != tag.text()).then_some((tag, near))
        });
        report.push(match misspelled {
            Some((tag, near)) => {
                let message = format!("no output includes the tag {}", in_quotes(tag.text()));
                Diagnostic::warning("tag_without_output", tag.span.clone(), message).meant(near)
            }
            None => {
                let message = "no output shows this feed";
                let warning = layer.warning("feed_without_output", "url", message);
                warning.help("add a tag that an output includes, or remove the feed")
            }
        });
    }
}

/// Warnings about feeds in files that cannot be read now.
fn unreadable_files(document: &Document, report: &mut Report) {
    for layer in document.all(Section::Feed) {
        let Some(path) = layer.get::<PathBuf>("file") else { continue };
        let Err(error) = files::open_regular(path) else { continue };
        let message = format!("cannot read {}: {error}", path.display());
        report.push(layer.warning("feed_file_unreadable", "file", message).help(
            match error.kind() {
                io::ErrorKind::NotFound => {
                    "correct the path, unless a program writes the file later"
                }
                io::ErrorKind::PermissionDenied => {
                    "ignore this if Newswire runs as a user who can read the file"
                }
                _ => "name a regular file",
            },
        ));
    }
}

/// Reports a path that Newswire cannot write to.
fn check_path(layer: &Layer, name: &str, path: &Path, checks: PathChecks, report: &mut Report) {
    // The store reports a bad path of the database itself, with its own exit code.
    let database = name == "path";
    if database && (checks == PathChecks::Existence || layer.is_uncertain(name)) {
        return;
    }
    let set = layer.sets(name);
    let mut push = |diagnostic: Diagnostic| {
        report.push(if set { diagnostic } else { diagnostic.of_the_file() });
    };
    let bad = |message| layer.error("bad_path", name, message);
    if database && path.is_dir() {
        return push(bad(format!("{} is a folder", path.display())).help("name a file in it"));
    }
    let folder = if database { path.parent().unwrap_or(Path::new("")) } else { path };
    let existing = existing_folder(folder);
    if !existing.is_dir() {
        let error = bad(format!("{} is not a folder", existing.display()));
        return push(error.help("name a folder that exists or can be created"));
    }
    if checks == PathChecks::Existence {
        return;
    }
    if let Err(error) = tempfile::tempfile_in(&existing) {
        let message = format!("cannot write to {}: {error}", existing.display());
        let error_for_all = error.kind() == io::ErrorKind::ReadOnlyFilesystem || is_root();
        push(match error_for_all {
            true => layer.error("unwritable", name, message).help(match set {
                true => "name another folder",
                false => "set path in [store] to a file in another folder",
            }),
            // The service may run as another user.
            false => layer
                .warning("unwritable", name, message)
                .help("ignore this if Newswire runs as a user who can write there"),
        });
    }
}

/// The folder, or the nearest one above it that exists.
fn existing_folder(folder: &Path) -> PathBuf {
    let here =
        |path: &Path| if path.as_os_str().is_empty() { Path::new(".") } else { path }.to_owned();
    folder.ancestors().map(here).find(|path| path.exists()).unwrap_or_else(|| PathBuf::from("/"))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

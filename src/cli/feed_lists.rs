//! Lists of feeds. `newswire list` prints the feeds of the config, also their names for shell completion; `newswire import`
//! converts a list to `[[feed]]` blocks, and `newswire export` writes OPML. Also the last polls of a feed, for
//! `newswire logs`.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::append_feeds::{self, CommandOutput, Destination};
use super::known::{self, Known};
use super::terminal;
use crate::config::{self, Config};
use crate::daemon;
use crate::model::{Feed, FeedId, FeedInfo, Removal};
use crate::opml::{self, FeedList, ListedFeed, MAX_BYTES, OpmlHead};
use crate::poll::Subscription;
use crate::store::{OpenError, PollRecord, Reader};
use crate::text::amounts::{bytes, count};
use crate::text::bidi;
use crate::text::quoted::in_quotes;

/// The feeds as a table. In a narrow terminal the URL is below each feed.
#[must_use]
pub(super) fn table(config: &Config, width: Option<usize>) -> String {
    let feeds = known::feeds(config, &config.store.path);
    let number = count(feeds.len() as u64, "feed");
    if feeds.is_empty() {
        return format!("{number}\n");
    }
    let drawn = drawn(&feeds, true);
    let is_narrow = width.is_some_and(|width| terminal::widest(&drawn) > width);
    format!("{}\n\n{number}\n", if is_narrow { self::drawn(&feeds, false) } else { drawn })
}

/// The rows of the table, with the URLs in a column or below.
fn drawn(feeds: &[Known<'_>], in_column: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for Known { feed: known, subscription } in feeds {
        let (id, feed) = (known.id.as_str(), &subscription.feed);
        let paused = if subscription.schedule.paused { "paused" } else { "" };
        // A followed list can have anything in them.
        let plain = |text: &str| text.replace(char::is_control, " ");
        let tags = plain(&feed.tags.join(","));
        let title = plain(feed.title.as_deref().unwrap_or(""));
        match in_column {
            true => table.add_row([id, feed.url.as_str(), paused, &tags, &title]),
            false => table.add_row([id, paused, &tags, &title]),
        };
    }
    if in_column {
        return table.trim_fmt();
    }
    let urls = feeds.iter().map(|known| known.subscription.feed.url.as_str());
    let lines = table.trim_fmt();
    let lines = lines.lines().zip(urls).map(|(line, url)| format!("{line}\n     {url}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The feeds as JSON: an array of objects.
#[must_use]
pub(super) fn json(config: &Config) -> Value {
    let feed = |Known { feed: known, subscription }: Known<'_>| {
        let (id, feed) = (known.id.as_str(), &subscription.feed);
        json!({
            "id": id,
            "url": feed.url.as_str(),
            "title": feed.title,
            "tags": feed.tags,
            "paused": subscription.schedule.paused,
        })
    };
    known::feeds(config, &config.store.path).into_iter().map(feed).collect()
}

/// The ids of the feeds, one per line, for shell completion.
#[must_use]
pub(super) fn ids(config: &Config) -> String {
    let feeds = known::feeds(config, &config.store.path).into_iter();
    feeds.map(|known| format!("{}\n", known.feed.id)).collect()
}

/// The tags of the feeds, one per line, for shell completion.
#[must_use]
pub(super) fn tags(config: &Config) -> String {
    let tags = config.subscriptions.iter().flat_map(|subscription| &subscription.feed.tags);
    let tags: BTreeSet<&String> = tags.filter(|tag| !tag.contains(char::is_control)).collect();
    tags.into_iter().map(|tag| format!("{tag}\n")).collect()
}

/// The last polls of a feed, the newest last. `last` is the time of its last poll, also of one that is no longer recorded.
#[must_use]
pub(super) fn polls(id: &FeedId, polls: &[PollRecord], last: Option<Timestamp>) -> String {
    let mut text = String::new();
    for poll in polls.iter().rev() {
        let time = time(poll.at);
        let status = poll.status.map_or_else(String::new, |status| status.to_string());
        let took = poll.duration.as_secs_f64();
        let size = bytes(poll.wire_bytes as f64);
        let _ = write!(
            text,
            "{time}  {:<14} {status:>3}  {took:>5.1} s  {size:>9}",
            poll.outcome.slug()
        );
        if poll.new_items + poll.changed_items > 0 {
            let _ = write!(text, "  {} new, {} changed", poll.new_items, poll.changed_items);
        }
        let message = poll.text().map_or_else(String::new, |message| format!("  {message}"));
        text.push_str(message.trim_end());
        text.push('\n');
    }
    if polls.is_empty() {
        let _ = match last {
            None => writeln!(text, "{id} was not polled yet: 'newswire poll {id}' polls it now"),
            Some(at) => {
                writeln!(text, "no polls in the last two weeks; the last one was at {}", time(at))
            }
        };
    }
    text
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read {0}: {1}")]
    Read(String, io::Error),
    /// The file is not a list of feeds, or a damaged one.
    #[error("cannot import {0}: {1}")]
    List(String, opml::Error),
    /// The list contains no feed that can be imported.
    #[error("no feed in {name} can be imported\n{skipped}")]
    NoFeeds {
        /// Name of the file, or `standard input`.
        name: String,
        /// Each skipped entry with its reason, one per line.
        skipped: String,
    },
    /// The list contains no entry at all.
    #[error("{0} contains no feeds")]
    NoEntries(String),
    /// The config cannot be changed.
    #[error(transparent)]
    Append(#[from] append_feeds::Error),
}

crate::model::codes! {
    Error:
    Self::Read(..) => "list_unreadable": "name a file, or - for standard input",
    Self::NoFeeds { .. } => "list_without_feeds": "the lines above give the reason for each entry",
    Self::NoEntries(_) => "list_without_feeds": "export the subscriptions again; each feed of an OPML file has an xmlUrl",
    ;
    Self::List(_, error) => error,
    Self::Append(error) => error,
}

/// Reads the list in `file` and prints its feeds as blocks or appends them to the config. Feeds that the
/// config already contains are skipped.
///
/// # Errors
/// When the list cannot be read or has no feed, or the config cannot be changed.
pub(super) fn import(
    file: &Path,
    config_path: Option<&Path>,
    destination: Destination,
) -> Result<CommandOutput, Error> {
    let name = name(file);
    let list = read(file, &name)?;
    let config = append_feeds::config(config_path, destination)?;
    let mut stderr = String::new();
    let skipped = list.skipped.iter().chain(&list.repeated).map(|entry| ("skipped", entry));
    for (verb, entry) in skipped.chain(list.ignored.iter().map(|entry| ("ignored", entry))) {
        let (line, entry_name, reason) = (entry.line, in_quotes(&entry.name), &entry.reason);
        let _ = writeln!(stderr, "{name}:{line}: {verb} {entry_name}: {reason}");
    }
    // The list is not the operator's: what no parser understands may have a password all the same.
    config::redact_logins(&mut stderr);
    match (list.feeds.is_empty(), stderr.is_empty()) {
        (true, true) => return Err(Error::NoEntries(name)),
        (true, false) => return Err(Error::NoFeeds { name, skipped: stderr }),
        (false, _) => {}
    }
    let feeds: Vec<Feed> = list.feeds.into_iter().map(feed).collect();
    let config_feeds = config.as_ref().map(|(_, config)| config);
    let (new, known) = append_feeds::new_and_known(feeds, config_feeds);
    for feed in &known {
        let _ = writeln!(stderr, "{name}: {} is already configured", feed.url);
    }
    let (listed, skipped) = (known.len() + new.len(), list.skipped.len() + list.repeated.len());
    let (added, stdout) = match config {
        Some((path, _)) if destination == Destination::Config && !new.is_empty() => {
            let added = append_feeds::append(&path, new, config::feed_block)?;
            let stdout = format!("feeds added to {}: {added}\n", path.display());
            (added, if added > 0 { stdout } else { String::new() })
        }
        _ if destination == Destination::Config => (0, String::new()),
        _ => (new.len(), append_feeds::blocks(&new)),
    };
    let known = listed - added;
    let _ = writeln!(stderr, "{name}: {added} new, {known} already configured, {skipped} skipped");
    Ok(CommandOutput { stdout, stderr })
}

fn read(file: &Path, name: &str) -> Result<FeedList, Error> {
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|f| f.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Error::Read(name.to_owned(), error))?;
    opml::read(&bytes).map_err(|error| Error::List(name.to_owned(), error))
}

fn name(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
}

fn feed(listed: ListedFeed) -> Feed {
    let ListedFeed { url, title, tags, .. } = listed;
    Feed { id: None, url, title, tags, removal: Removal::Hide }
}

/// The configured feeds as OPML, with titles and pages from the database, if there is one. Feeds that are files of this
/// machine are left out, because no program could import them.
///
/// # Errors
/// When the database exists and cannot be read.
pub(super) fn export(config: &Config) -> Result<CommandOutput, daemon::Error> {
    let known = match Reader::open(&config.store.path) {
        Ok(reader) => reader.read(|reader| reader.feeds())?,
        Err(OpenError::Missing { .. } | OpenError::Empty { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let known: HashMap<&str, &FeedInfo> = known.iter().map(|i| (i.url.as_str(), i)).collect();
    let listed = |subscription: &Subscription| {
        let feed = &subscription.feed;
        let known = known.get(feed.url.as_str()).and_then(|info| ListedFeed::from_info(info));
        let listed = known.unwrap_or_else(|| ListedFeed {
            url: feed.url.clone(),
            title: None,
            page: None,
            tags: Vec::new(),
        });
        // The database receives changes of the config at the next start.
        let title = feed.title.clone().or(listed.title);
        // Without a title, the host is written.
        let title = title.filter(|title| title.chars().any(is_visible));
        ListedFeed { title, tags: feed.tags.clone(), ..listed }
    };
    let is_web =
        |subscription: &&Subscription| matches!(subscription.feed.url.scheme(), "http" | "https");
    let feeds: Vec<ListedFeed> = config.subscriptions.iter().filter(is_web).map(listed).collect();
    let stderr = match config.subscriptions.len() - feeds.len() {
        0 => String::new(),
        files => format!("feeds left out, because they are files of this machine: {files}\n"),
    };
    let title = match config.outputs.as_slice() {
        [one] => one.title.clone(),
        _ => "Newswire".to_owned(),
    };
    let stdout = opml::write(&OpmlHead { title, created: None }, &feeds);
    Ok(CommandOutput { stdout, stderr })
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !bidi::is_control(c)
}

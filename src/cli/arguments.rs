//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

use super::terminal::shell_word;
use super::usage::{Listen, feed_name, key_and_value, listen, log_level, tag};

/// Poll RSS, Atom and JSON feeds and publish them as merged feeds
#[derive(Debug, Parser)]
#[command(name = "newswire", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "'newswire demo' shows Newswire with sample feeds. It needs no config and no network.",
    help_template = HELP
)]
pub(super) struct Cli {
    /// Config file [default: the first of ./newswire.toml, ~/.config/newswire/newswire.toml and
    /// /etc/newswire/newswire.toml]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented example config
    Init {
        /// File to create; - for standard output [default: the file of --config, or newswire.toml]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Add feeds to the config by their URLs or the URLs of their web pages; shows their newest items
    ///
    /// A running daemon applies the change at once.
    Add(AddRequest),
    #[command(flatten)]
    Change(ChangeCommand),
    /// List the configured feeds
    List(ListForm),
    /// Convert a list of feeds to [[feed]] blocks: OPML, the urls file of newsboat, the ini file of Planet
    Import {
        /// File with the list; - for standard input
        file: PathBuf,
        /// Append the blocks to the config instead of printing them
        #[arg(long)]
        append: bool,
    },
    /// Print the configured feeds as OPML
    ///
    /// Feeds that are files of this machine are left out.
    Export,
    /// Check the config and list its errors and warnings
    Check {
        #[command(flatten)]
        scope: CheckScope,
        #[command(flatten)]
        form: CheckForm,
    },
    /// Show the effective config with the origin of each value; secrets are masked
    Config {
        #[command(subcommand)]
        what: Option<ConfigCommand>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Print the JSON Schema of the config, for editors
    Schema,
    /// Run the daemon: poll, publish and serve until SIGTERM or Ctrl-C
    ///
    /// If there is no config, one is created in the current folder, with the feeds at the URLs or with sample feeds.
    Run(RunRequest),
    /// Poll the feeds that are due once, publish, and exit (for cron); with FEED, a running daemon polls them now
    Poll {
        /// Poll only these feeds (id or URL), even if they are not due
        #[arg(value_name = "FEED", conflicts_with = "all", value_parser = feed_name)]
        feeds: Vec<String>,
        /// Poll all feeds, even if they are not due; with --force also paused feeds and followed lists; a running daemon
        /// polls them now
        #[arg(long)]
        all: bool,
        /// Also poll feeds that were requested less than five minutes ago, or whose server asked to wait
        #[arg(long)]
        force: bool,
        /// Poll and show the result, but store and publish nothing
        #[arg(long)]
        dry_run: bool,
        /// Wait a part of this time first, always the same for this machine and database, so that not all
        /// installations send requests at the same second (for cron)
        #[arg(long, value_name = "DURATION")]
        spread: Option<String>,
    },
    /// Make the daemon load its config again; a config with errors is rejected as a whole
    Reload,
    /// Change the log levels of the daemon for a limited time
    LogLevel {
        /// error, warn, info, debug or trace; for one module: `info,newswire::fetch=debug`
        #[arg(value_name = "LEVEL")]
        levels: String,
        /// Time until the levels of the config apply again
        #[arg(long = "for", value_name = "DURATION", default_value = "10m")]
        time: String,
    },
    /// Run Newswire with sample feeds; needs no config and no network
    Demo,
    /// Show each feed with its last and its next poll; exit code 1 if a feed or list needs attention, 2 if all fail or none is polled
    Status {
        /// Show only these feeds (id or URL)
        #[arg(value_name = "FEED", conflicts_with = "check", value_parser = feed_name)]
        feeds: Vec<String>,
        /// Show only feeds and lists that need attention
        #[arg(long, conflicts_with = "check")]
        failing: bool,
        /// Print JSON
        #[arg(long, conflicts_with = "check")]
        json: bool,
        /// Print one line in the format of monitoring plugins (Nagios, Icinga)
        #[arg(long)]
        check: bool,
    },
    /// Show the last polls of a feed
    Logs {
        /// Id or URL of the feed
        #[arg(value_parser = feed_name)]
        feed: String,
        /// Largest number of polls
        #[arg(short = 'n', long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u16).range(1..))]
        lines: u16,
    },
    /// Show how the servers that are polled are treated, by the ids of the Feed Reader Behavior project
    Manners {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the state of all feeds live; prints once when standard output is not a terminal
    Top,
    /// Ask the daemon whether it is ready; exit code 1 if it is degraded, 2 if it does not respond
    Health,
    /// Explain when a feed is polled, or how an item was matched and where it is shown
    Why {
        /// Id or URL of a feed or an item, or number of an item
        #[arg(value_name = "FEED|ITEM", value_parser = feed_name)]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain a code, a config key, a feed or an item
    Explain {
        /// Code (`unknown_key`), config key (`schedule.interval`), or id or URL of a feed or an item; without
        /// it, all codes are listed
        #[arg(value_name = "CODE|KEY|FEED|ITEM", value_parser = feed_name)]
        what: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how Newswire reads one document
    #[command(arg_required_else_help = true)]
    Probe {
        /// URL of the document, or a file
        #[arg(value_name = "URL|FILE", required_unless_present = "conformance")]
        target: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Request it even if it was requested less than five minutes ago, or if the server asked to wait, and without
        /// validators
        #[arg(long)]
        force: bool,
        /// Read lines `PATH <TAB> CONTENT_TYPE <TAB> BASE_URI` and print one JSON object for each
        #[arg(long, conflicts_with_all = ["target", "json"])]
        conformance: bool,
    },
    /// Forecast requests, traffic and delays under the config, or compare it with another one (--config)
    Plan {
        /// Current config, when it is not in a default location
        #[arg(long, value_name = "FILE")]
        current: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Match the stored items again under the config and show the differences
    ///
    /// With --current FILE, the outputs under that config are compared with those under --config. Nothing is changed
    /// without --apply.
    Replay {
        /// Age of the oldest items that are matched again
        #[arg(long, value_name = "AGE", default_value = "30d")]
        since: String,
        /// Current config to compare --config with
        #[arg(long, value_name = "FILE")]
        current: Option<PathBuf>,
        /// Write the result into the database, which no daemon may use meanwhile
        #[arg(long)]
        apply: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Separate an item from its story permanently
    Split {
        /// Id, URL or number of the item
        item: String,
    },
    /// Put two items into one story permanently
    Join {
        /// Id, URL or number of an item
        item: String,
        /// Id, URL or number of the other item
        other: String,
    },
    /// Release the held items of a feed
    Release {
        /// Id or URL of the feed
        #[arg(value_parser = feed_name)]
        feed: String,
        /// Release the items that filters keep out, instead of the held ones
        #[arg(long)]
        filtered: bool,
    },
    /// Copy the database to a file; the daemon may run meanwhile
    Backup(BackupRequest),
    /// Replace the database with a copy, or read back what the outputs published; the daemon must not run
    #[command(arg_required_else_help = true)]
    Restore {
        /// Copy that `newswire backup` made
        #[arg(value_name = "FILE", required_unless_present = "from_outputs")]
        from: Option<PathBuf>,
        /// Read back the items in the directories of the outputs, after FILE or without it, so that subscribers see
        /// nothing twice: for a database that is lost, or a copy that is older than the outputs
        #[arg(long)]
        from_outputs: bool,
    },
    /// Check structure, indexes, references, ids and texts of the database, and the files of the outputs; the daemon
    /// may run
    Verify {
        /// Check this database alone, such as a copy; without it, the database of the config
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Replace a damaged database with a copy of what can be read of it; keeps the damaged file
    ///
    /// Stop the daemon first. Texts that are damaged are read again from their feeds, as far as those still
    /// contain the items. A database without damage stays as it is.
    Repair {
        /// Repair this database, such as a copy; without it, the database of the config
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print the manual page newswire(1), or write all manual pages to a folder
    Man {
        /// Folder to write to, such as /usr/local/share/man; gets the folders man1, man5 and man7
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Print completions for a shell
    Completions {
        /// Name of the shell
        shell: clap_complete::Shell,
    },
}

/// Changes of feeds in the config.
#[derive(Debug, Subcommand)]
pub(super) enum ChangeCommand {
    /// Remove feeds from the config; their items stay in the database
    Remove {
        /// Id or URL of a feed; can be repeated
        #[arg(value_name = "FEED", required_unless_present = "samples", value_parser = feed_name)]
        feeds: Vec<String>,
        /// Remove all sample feeds
        #[arg(long, conflicts_with = "feeds")]
        samples: bool,
    },
    /// Do not poll feeds for now; their items stay in the outputs
    Pause {
        /// Id or URL of a feed; can be repeated
        #[arg(value_name = "FEED", required = true, value_parser = feed_name)]
        feeds: Vec<String>,
    },
    /// Poll paused feeds again
    Resume {
        /// Id or URL of a feed; can be repeated
        #[arg(value_name = "FEED", required = true, value_parser = feed_name)]
        feeds: Vec<String>,
    },
    /// Add tags to a feed, or remove tags from it
    Tag {
        /// Id or URL of the feed
        #[arg(value_parser = feed_name)]
        feed: String,
        /// Tag to add; can be repeated
        #[arg(value_name = "TAG", value_parser = tag, required_unless_present = "remove")]
        tags: Vec<String>,
        /// Tag to remove; can be repeated
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
    /// Set config keys of a feed
    Set {
        /// Id or URL of the feed
        #[arg(value_parser = feed_name)]
        feed: String,
        /// Config key and value, such as `interval=2h`; an empty value removes the key; can be repeated
        #[arg(value_name = "KEY=VALUE", required = true, value_parser = key_and_value)]
        values: Vec<(String, String)>,
    },
}

/// What is listed, and how.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct ListForm {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print only the ids, one per line
    #[arg(long)]
    pub(super) ids: bool,
    /// Print only the tags of the feeds, one per line
    #[arg(long)]
    pub(super) tags: bool,
}

/// The feeds to add.
#[derive(Debug, Args)]
pub(super) struct AddRequest {
    /// URL of a feed or of a web page; `feed:` addresses are accepted; can be repeated
    #[arg(value_name = "URL", required = true)]
    pub(super) urls: Vec<String>,
    /// Tag of the feeds; can be repeated
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    pub(super) tags: Vec<String>,
    /// Title that replaces the publisher's
    #[arg(long, value_name = "TITLE")]
    pub(super) title: Option<String>,
    /// Permanent name of the feed; the default is derived from its URL
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    /// Interval of the polls, such as "2h"
    #[arg(long, value_name = "DURATION")]
    pub(super) interval: Option<String>,
    /// Private network that the feeds may be in, such as "192.168.1.7" or "10.0.0.0/8"; can be repeated
    #[arg(long = "allow-network", value_name = "NETWORK", value_parser = crate::config::network)]
    pub(super) networks: Vec<ipnet::IpNet>,
    /// Print the [[feed]] blocks and leave the config unchanged
    #[arg(long)]
    pub(super) print: bool,
}

/// What the daemon starts with.
#[derive(Debug, Args)]
pub(super) struct RunRequest {
    /// URL of a feed or of a web page to add to the config first; can be repeated
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
    /// Address to listen on, or "off", instead of `listen` in [web]; can be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = listen)]
    pub(super) listen: Vec<Listen>,
    /// Level of the log, instead of `level` in [log]: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", value_parser = log_level)]
    pub(super) log_level: Option<LevelFilter>,
    /// Private network that the feeds at the URLs may be in, such as "192.168.1.7" or "10.0.0.0/8"; can be repeated
    #[arg(long = "allow-network", value_name = "NETWORK", value_parser = crate::config::network, requires = "urls")]
    pub(super) networks: Vec<ipnet::IpNet>,
}

impl RunRequest {
    /// The command without the URLs and networks, for commands that are printed for copying.
    pub(super) fn command(&self, config: Option<&Path>) -> String {
        let mut command = start("run", config);
        for address in &self.listen {
            option(&mut command, "--listen", &address.to_string());
        }
        if let Some(level) = self.log_level {
            option(&mut command, "--log-level", &level.to_string());
        }
        networks(&mut command, &self.networks);
        command
    }
}

impl AddRequest {
    /// The command without the URLs, for commands that are printed for copying.
    pub(super) fn command(&self, config: Option<&Path>) -> String {
        let mut command = start("add", config);
        for (name, value) in
            [("--title", &self.title), ("--id", &self.id), ("--interval", &self.interval)]
        {
            if let Some(value) = value {
                option(&mut command, name, value);
            }
        }
        for tag in &self.tags {
            option(&mut command, "--tag", tag);
        }
        networks(&mut command, &self.networks);
        if self.print {
            command.push_str(" --print");
        }
        command
    }
}

fn start(subcommand: &str, config: Option<&Path>) -> String {
    let mut command = format!("newswire {subcommand}");
    if let Some(config) = config {
        option(&mut command, "--config", &config.display().to_string());
    }
    command
}

fn option(command: &mut String, name: &str, value: &str) {
    command.push_str(&format!(" {name} {}", shell_word(value)));
}

fn networks(command: &mut String, networks: &[ipnet::IpNet]) {
    for network in networks {
        option(command, "--allow-network", &network.to_string());
    }
}

/// Where a copy of the database goes.
#[derive(Debug, Args)]
pub(super) struct BackupRequest {
    /// File to create or replace, or an existing folder for a file named by the time; - for standard output
    #[arg(value_name = "FILE")]
    pub(super) to: PathBuf,
    /// Number of copies to keep in the folder; older ones are removed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) keep: Option<u16>,
}

/// The subcommands under headings. A test compares the list with the subcommands.
const HELP: &str = "\
{about}

{usage-heading} {usage}

Set up:
  init         Write a commented example config
  import       Convert a list (OPML, newsboat, Planet) to [[feed]] blocks
  export       Print the configured feeds as OPML
  check        Check the config and list its errors and warnings
  config       Show the effective config with the origin of each value
  schema       Print the JSON Schema of the config, for editors

Feeds:
  add          Add feeds by their URLs or the URLs of their web pages
  list         List the configured feeds
  set          Set config keys of a feed
  tag          Add tags to a feed, or remove tags from it
  pause        Do not poll feeds for now
  resume       Poll paused feeds again
  remove       Remove feeds from the config

Run:
  run          Run the daemon: poll, publish and serve
  poll         Poll feeds now, or those that are due once (for cron)
  reload       Make the daemon load its config again
  log-level    Change the log levels of the daemon for a limited time
  demo         Run Newswire with sample feeds

Observe:
  status       Show each feed with its last and its next poll
  logs         Show the last polls of a feed
  top          Show the state of all feeds live
  manners      Show how the servers that are polled are treated
  health       Ask the daemon whether it is ready
  why          Explain when a feed is polled, or where an item is shown
  explain      Explain a code, a config key, a feed or an item
  probe        Show how Newswire reads one document

Keep:
  backup       Copy the database to a file while the daemon runs
  restore      Replace the database with a copy, or read back what was published
  verify       Check the database and the files of the outputs
  repair       Replace a damaged database with what can be read of it

Decide:
  plan         Forecast requests, traffic and delays under the config
  replay       Match the stored items again under the config
  split        Separate an item from its story permanently
  join         Put two items into one story permanently
  release      Release the held items of a feed

Other:
  man          Print or write the manual pages
  completions  Print completions for a shell

Options:
{options}{after-help}";

/// What `newswire check` examines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Only the config; sends no requests.
    Config,
    /// The config, and the response of each feed and each followed list.
    Feeds,
}

#[derive(Debug, Args)]
pub(super) struct CheckScope {
    /// Also request each feed and each list once, as a poll would, and show the result; stores no items
    #[arg(long)]
    online: bool,
    /// With --online: also request feeds whose server asked to wait, and without validators
    #[arg(long, requires = "online")]
    pub(super) force: bool,
}

impl CheckScope {
    pub(super) fn scope(&self) -> Scope {
        if self.online { Scope::Feeds } else { Scope::Config }
    }
}

#[derive(Debug, Args)]
pub(super) struct CheckForm {
    /// Print JSON: an array; with --online an object with "diagnostics", "feeds" and "lists"
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

impl CheckForm {
    pub(super) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

impl From<bool> for Format {
    /// The format that a `--json` option selects.
    fn from(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the commented example config
    Default,
    /// Print the JSON Schema of the config, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct Shown {
    /// Show only the values of this feed (id or URL)
    #[arg(value_name = "FEED", value_parser = feed_name)]
    pub(super) feed: Option<String>,
    /// Show only the values that are not defaults
    #[arg(long)]
    pub(super) changed: bool,
    /// Print a JSON array
    #[arg(long)]
    pub(super) json: bool,
}

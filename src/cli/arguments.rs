//! The command line as it may be written.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::probe::Form;

/// Many feeds in, one wire out: polls RSS, Atom and JSON feeds and publishes them merged.
#[derive(Debug, Parser)]
#[command(name = "newswire", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "New here? 'newswire demo' shows it at work, with no config and no network."
)]
pub(super) struct Cli {
    /// The config file [default: newswire.toml here, in ~/.config/newswire or in /etc/newswire]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Poll, publish and serve until told to stop (SIGTERM, Ctrl-C)
    Run,
    /// Have the running newswire read its config again: all of it is put in force, or nothing
    Reload,
    /// Have the running newswire log more or less for a while
    LogLevel {
        /// error, warn, info, debug or trace; also for one room: `info,newswire::fetch=debug`
        #[arg(value_name = "LEVEL")]
        levels: String,
        /// For so long; then as the config says
        #[arg(long = "for", value_name = "DURATION", default_value = "10m")]
        during: String,
    },
    /// Poll once what is due, publish, and exit: for cron
    Poll {
        /// Only these feeds, by id or URL, due or not
        #[arg(value_name = "FEED", conflicts_with = "all")]
        feeds: Vec<String>,
        /// Every feed, due or not
        #[arg(long)]
        all: bool,
        /// Also feeds that were asked within the last five minutes
        #[arg(long)]
        force: bool,
        /// Ask and read, and tell what would come of it; keeps and publishes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Check the config and say what is wrong with it
    Check {
        #[command(flatten)]
        scope: CheckScope,
        #[command(flatten)]
        form: CheckForm,
    },
    /// Tell what a code means, why it comes and what to do; or of a key of the config, a feed, an item
    Explain {
        /// A code (`unknown_key`), a key (`schedule.interval`), or the id or URL of a feed or an item; none: all codes
        #[arg(value_name = "CODE|KEY|FEED|ITEM")]
        what: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show every value in force, and where it comes from; secrets are masked
    Config {
        #[command(subcommand)]
        what: Option<ConfigCommand>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Print the JSON Schema of the config, for editors
    Schema,
    /// Write a commented config to start from
    Init {
        /// Where to
        #[arg(value_name = "FILE", default_value = "newswire.toml")]
        file: PathBuf,
    },
    /// Add a feed to the config, by its address or that of its web page; shows its newest items
    Add {
        /// An http(s) address
        url: String,
        /// What outputs choose it by; may be given several times
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// A private network that this feed may be asked in: "192.168.1.7", "10.0.0.0/8"
        #[arg(long = "allow-network", value_name = "NETWORK", value_parser = crate::config::network)]
        networks: Vec<ipnet::IpNet>,
        /// Only print its [[feed]] block
        #[arg(long)]
        print: bool,
    },
    /// Print the feeds of a list as [[feed]] blocks: OPML, newsboat's urls file, the ini of Venus or Planet
    Import {
        /// The list; - for standard input
        file: PathBuf,
        /// Put them at the end of the config instead; nothing else in it changes
        #[arg(long)]
        append: bool,
    },
    /// Print the configured feeds as OPML
    Export,
    /// Show each feed with its last poll, its next one, and why then; exits with 0, 1 (a feed fails) or 2
    /// (no feed is well)
    Status {
        /// As JSON
        #[arg(long, conflicts_with = "check")]
        json: bool,
        /// Only one line, as Nagios and its kin read it
        #[arg(long)]
        check: bool,
    },
    /// Ask the running newswire whether it is of use: exit code 0 if so, 1 if not fully, 2 if nobody answers
    Health,
    /// Tell why a feed is polled when it is, or why an item is where it is: what was decided, and by what
    Why {
        /// Its id or URL; of an item also its number
        #[arg(value_name = "FEED|ITEM")]
        feed: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let an item stand alone, for good
    Split {
        /// Its id, URL or number
        item: String,
    },
    /// Make one story of two items, for good
    Join {
        /// Its id, URL or number
        item: String,
        /// The same of the other
        other: String,
    },
    /// Let through what waits of a feed that brought far too much at once
    Release {
        /// Its id or URL
        feed: String,
    },
    /// Run the stored history through the config (or through another, --config, held against --current) and
    /// show what would be different; changes nothing
    Replay {
        /// How far back
        #[arg(long, value_name = "AGE", default_value = "30d")]
        since: String,
        /// The config in force, where --config names another one
        #[arg(long, value_name = "FILE")]
        current: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell what the config costs and brings, and beside it what another one (--config) would
    Plan {
        /// The config in force, where it does not lie in its usual place
        #[arg(long, value_name = "FILE")]
        current: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what newswire understands of one document
    Probe {
        /// An http(s) address or a file
        #[arg(value_name = "URL|FILE", required_unless_present = "conformance")]
        target: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Read `PATH <TAB> CONTENT_TYPE <TAB> BASE_URI` lines, print one JSON object for each
        #[arg(long, conflicts_with_all = ["target", "json"])]
        conformance: bool,
    },
    /// Write the pages of the manual into a folder, or print newswire(1)
    Man {
        /// Where to
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Print the completions of a shell
    Completions {
        /// Which one
        shell: clap_complete::Shell,
    },
    /// Show how all feeds are doing, live; prints once where there is no terminal
    Top,
    /// Show newswire at work on sample feeds of its own; needs no config and no network
    Demo,
}

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// What stands in the config.
    Config,
    /// What its feeds answer, too.
    Feeds,
}

#[derive(Debug, Args)]
pub(super) struct CheckScope {
    /// Also ask each feed once, and say what came; writes nothing
    #[arg(long)]
    online: bool,
}

impl CheckScope {
    pub(super) fn scope(&self) -> Scope {
        if self.online { Scope::Feeds } else { Scope::Config }
    }
}

#[derive(Debug, Args)]
pub(super) struct CheckForm {
    /// As JSON: one array; with --online an object of "diagnostics" and "feeds"
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// How to say it
    #[arg(long, default_value = "text")]
    format: CheckFormat,
}

impl CheckForm {
    pub(super) fn form(&self) -> Form {
        if self.json || self.format == CheckFormat::Json { Form::Json } else { Form::People }
    }
}

/// How faults are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every value in force, and where it comes from; secrets are masked
    Show(Shown),
    /// Print a commented config with every default
    Default,
    /// Print the JSON Schema of the config, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct Shown {
    /// Every value in force; what is shown anyway
    #[arg(long)]
    pub(super) effective: bool,
    /// Only those of one feed, by id or URL
    #[arg(long, value_name = "FEED")]
    pub(super) feed: Option<String>,
    /// As JSON, one array
    #[arg(long)]
    pub(super) json: bool,
}

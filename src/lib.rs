//! Newswire: many feeds in, one wire out.
//!
//! A scheduler polls the configured RSS, Atom and JSON feeds, deduplicates their items into
//! SQLite, and writes and serves merged feeds. This page is the map of the source. A room imports only
//! rooms on lower floors; `tests/it/house.rs` checks this.
//!
//! Reading order: `docs/architecture.md`, then [`poll`], [`stories`] and [`outputs`], the three stages,
//! then the rooms that they use, from [`model`] upwards.
//!
//! **Floor 0.** [`text`] has what several rooms need for text: legal characters, text direction, HTML
//! fragments, dates, durations and sizes.
//!
//! **Floor 1.** [`model`] is the vocabulary: feed, item, story, poll. [`clock`] is the
//! only reader of the time. [`files`] replaces files atomically. [`telemetry`] has the log, the metrics and the state of the process.
//!
//! **Floor 2, rooms that are independent of each other.** [`schedule`] decides when a feed is polled
//! next, and in which order. [`fetch`] makes one HTTP exchange with limits.
//! [`parse`] turns bytes into a `ParsedFeed`. [`normalise`] turns a parsed item into an `Item`
//! that is safe to pass on. [`dedupe`] compares items. [`store`] keeps all of it in
//! SQLite; every write to it is a value. [`health`] decides the state of a feed and the remedy.
//! [`render`] renders the documents of an output and checks them by reading them back. [`images`] makes small
//! copies of the images of other sites. [`opml`] reads and writes lists of feeds.
//!
//! **Floor 3, the three stages.** [`poll`] is one poll of one feed, in parallel with others; its new items
//! are pending. [`stories`] takes them one after another and finds what is the same story. [`outputs`]
//! selects, publishes and holds what is matched. Each reads from the store and writes values to it; none
//! calls another.
//!
//! **Floor 4.** [`web`] serves the outputs and the operator pages over HTTP.
//!
//! **Floor 5.** [`config`] reads the TOML file into the settings of the rooms below.
//!
//! **Floor 6.** [`daemon`] is the long-lived process: loop, reload, control socket, shutdown, notices to systemd.
//! [`edit`] changes one feed in the config and leaves the rest of the file as it is.
//!
//! **Floor 7.** [`cli`] has the subcommands; `main.rs` parses, runs and exits.

pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod dedupe;
pub mod edit;
pub mod fetch;
pub mod files;
pub mod health;
pub mod images;
pub mod model;
pub mod normalise;
pub mod opml;
pub mod outputs;
pub mod parse;
pub mod poll;
pub mod render;
pub mod schedule;
pub mod store;
pub mod stories;
pub mod telemetry;
pub mod text;
pub mod web;

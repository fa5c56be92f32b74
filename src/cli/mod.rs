//! The command line: one file a subcommand. Alone prints, alone knows exit codes.
//!
//! Standard output carries what was asked for, standard error what went wrong and the log. A
//! reader that goes away (`newswire status | head`) ends the output, not in an error.

pub mod add;
mod arguments;
mod check;
mod config_command;
pub mod decide;
pub mod demo;
pub mod exit;
mod health;
pub mod import;
pub mod init;
pub mod item;
mod place;
pub mod plan;
pub mod poll;
pub mod probe;
mod reload;
pub mod replay;
pub mod run;
pub mod status;
pub mod subscribe;
pub mod top;
mod voice;
pub mod why;
mod words;

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use self::arguments::{Cli, Command};
use self::exit::Exit;
use self::place::find_quietly;
use self::subscribe::{Said, To};
use self::voice::{complain, eprint, say, style};
use crate::clock::Clock;
use crate::config::{self, Config, Loaded};
use crate::daemon::{self, Which, control::Reply};
use crate::store::{FeedStatus, Reader};
use crate::{publication, telemetry};

/// Threads for reading documents and for the database: more only wait for each other, and each has
/// memory of its own.
const BLOCKING: usize = 8;

/// Reads the command line, runs it, and says how it ended.
#[must_use]
pub fn main() -> Exit {
    exit::guarded(run_command)
}

fn run_command() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                _ => Exit::Usage,
            };
        }
    };
    dispatch(&cli).unwrap_or_else(|exit| exit)
}

fn dispatch(cli: &Cli) -> Result<Exit, Exit> {
    let config = cli.config.as_deref();
    let now = || Clock::system().now();
    match &cli.command {
        Command::Run => {
            let path = find(config)?;
            let config = load(Some(&path))?;
            telemetry::init(config.log);
            block_on(run::run(&path, config))?.map_err(failed)?;
        }
        Command::Reload => return reload(config),
        Command::Poll { feeds, all, force } => {
            let haste = if *force { poll::Haste::Force } else { poll::Haste::Patient };
            poll_once(&find(config)?, which(feeds, *all), haste)?;
        }
        command @ (Command::Check { .. } | Command::Config { .. } | Command::Schema) => {
            return look_at_config(config, command);
        }
        Command::Init { file } => {
            init::run(file).map_err(|error| complain(&error, init_exit(&error)))?;
            say(&format!(
                "wrote {0}: put your feeds into it, then\n\n  newswire check --config {0}\n  newswire run --config {0}\n",
                file.display()
            ));
        }
        Command::Probe { target: Some(target), json, .. } => probe(config, target, *json)?,
        Command::Probe { target: None, .. } => {
            let answered = probe::conformance(io::stdin().lock(), &mut io::stdout().lock());
            answered.map_err(|error| complain(&error, Exit::Io))?;
        }
        Command::Why { feed, json } => say_why(&load(config)?, feed, *json)?,
        Command::Split { item } => decided(decide::split(&load(config)?.store.path, now(), item))?,
        Command::Join { item, other } => {
            decided(decide::join(&load(config)?.store.path, now(), item, other))?;
        }
        Command::Release { feed } => decided(decide::release(&load(config)?, now(), feed))?,
        Command::Replay { since, current, json } => {
            replayed(current.as_deref(), config, since, *json)?;
        }
        Command::Plan { current, json } => forecast(current.as_deref(), config, *json)?,
        Command::Add { url, tags, print } => {
            let to = if *print { To::Output } else { To::Config };
            told(block_on(add::run(url, tags, config, to))?)?;
        }
        Command::Import { file, append } => {
            let to = if *append { To::Config } else { To::Output };
            told(import::run(file, config, to))?;
        }
        Command::Export => say(&import::export(&load(config)?).map_err(failed)?),
        Command::Top => live(&load(config)?)?,
        Command::Health => return Ok(ask_health(&load(config)?)),
        Command::Status { json } => show_status(&load(config)?, *json)?,
        Command::Demo => {
            telemetry::init(telemetry::Settings::default());
            block_on(demo::run(say))?.map_err(|error| complain(&error, Exit::from(&error)))?;
        }
    }
    Ok(Exit::Ok)
}

fn reload(config: Option<&Path>) -> Result<Exit, Exit> {
    let path = find(config)?;
    let answer = reload::run(&path).map_err(|error| complain(&error, Exit::from(&error)))?;
    Ok(match answer {
        Reply::Done { said, warnings } => {
            eprint(&warnings);
            say(&format!("{said}\n"));
            Exit::Ok
        }
        Reply::Refused(report) => {
            eprint(&report);
            complain(&"the config is refused, the old one stays in force", Exit::Config)
        }
        Reply::Failed(why) => complain(
            &format!("the config cannot be put in force, the old one stays: {why}"),
            Exit::Unavailable,
        ),
    })
}

fn which(feeds: &[String], all: bool) -> Which {
    match (all, feeds) {
        (true, _) => Which::All,
        (false, []) => Which::Due,
        (false, named) => Which::Named(named.to_vec()),
    }
}

fn poll_once(path: &Path, which: Which, haste: poll::Haste) -> Result<(), Exit> {
    let config = load(Some(path))?;
    // Each feed has a line of its own: of the log only what went wrong is of use beside them.
    let level = config.log.level.min(tracing::level_filters::LevelFilter::ERROR);
    telemetry::init(telemetry::Settings { level, ..config.log });
    let config = block_on(run::current(path, config))?.map_err(failed)?;
    let summary = block_on(poll::run(config, which, haste, &mut io::stdout()))?.map_err(failed)?;
    say(&format!("{summary}\n"));
    Ok(())
}

/// The limits of the config are in force, if there is one.
fn probe(config: Option<&Path>, target: &str, json: bool) -> Result<(), Exit> {
    let config = match (config, find_quietly(config)) {
        (Some(_), _) => Some(load(config)?),
        (None, Some(path)) => config::load(&path).config,
        (None, None) => None,
    };
    let form = if json { probe::Form::Json } else { probe::Form::People };
    let mut out = io::stdout();
    let probing = probe::run(target, config.as_ref(), form, &mut out);
    block_on(probing)?.map_err(|error| complain(&error, Exit::from(&error)))
}

/// Checks the config or shows what is in it, without a look at the database.
fn look_at_config(given: Option<&Path>, command: &Command) -> Result<Exit, Exit> {
    match command {
        Command::Check { scope, form } => {
            let path = find(given)?;
            let checking = check::run(&path, scope.scope(), form.form(), style(&io::stdout()), say);
            let verdict = block_on(checking)?;
            let verdict = verdict.map_err(|error| complain(&error, Exit::Software))?;
            Ok(match verdict {
                check::Verdict::Good => Exit::Ok,
                check::Verdict::Unreached => Exit::Unavailable,
                check::Verdict::Broken => broken(&path),
            })
        }
        Command::Config { what, shown } => {
            let said = config_command::run(what.as_ref(), shown, || find(given))?;
            said.map(|text| say(&text)).map_err(|error| match error {
                config_command::Error::Config(report, path) => {
                    eprint(&report.draw(style(&io::stderr())));
                    broken(&path)
                }
                error => complain(&error, Exit::Usage),
            })?;
            Ok(Exit::Ok)
        }
        _ => {
            say(&config_command::schema());
            Ok(Exit::Ok)
        }
    }
}

fn ask_health(config: &Config) -> Exit {
    let (said, exit) = health::ask(config.web.listen);
    say(&said);
    exit
}

fn show_status(config: &Config, json: bool) -> Result<(), Exit> {
    let reader = open(config)?;
    let feeds = reader.statuses().map_err(|error| complain(&error, Exit::Io))?;
    let text = if json {
        format!("{:#}\n", status::json(&feeds, Clock::system().now()))
    } else {
        status::table(&feeds, Clock::system().now())
    };
    say(&text);
    Ok(())
}

fn live(config: &Config) -> Result<(), Exit> {
    top::run(&open(config)?, &Clock::system()).map_err(|error| complain(&error, Exit::Io))
}

fn say_why(config: &Config, feed: &str, json: bool) -> Result<(), Exit> {
    let reader = open(config)?;
    let stored = |error: crate::store::Error| complain(&error, Exit::Io);
    let statuses = reader.statuses().map_err(stored)?;
    let named = |s: &&FeedStatus| s.info.id.as_str() == feed || s.info.url == feed;
    let status = statuses.iter().find(named);
    let subscription = status.and_then(|status| {
        config.subscriptions.iter().find(|s| s.feed.url.as_str() == status.info.url)
    });
    let Some((status, subscription)) = status.zip(subscription) else {
        return say_why_item(config, &reader, feed, json);
    };
    let key = status.info.key;
    let state = reader.feed_state(key).map_err(stored)?;
    let polls = reader.polls(key, why::POLLS).map_err(stored)?;
    let past = reader.past().map_err(stored)?.remove(&key).unwrap_or_default();
    let why = why::Why { status, state: &state, past: &past, polls: &polls, subscription };
    let now = Clock::system().now();
    say(&if json { format!("{:#}\n", why.json(now)) } else { why.text(now) });
    Ok(())
}

/// Tells of an item; it was no feed.
fn say_why_item(config: &Config, reader: &Reader, asked: &str, json: bool) -> Result<(), Exit> {
    let stored = |error: crate::store::Error| complain(&error, Exit::Io);
    let now = Clock::system().now();
    let url_key = crate::dedupe::canonical::url_key(asked);
    let found = reader.find(asked, url_key.as_ref()).map_err(stored)?;
    let item = decide::meant(found, asked).map_err(|error| complain(&error, Exit::Usage))?;
    let stands = config.outputs.iter().map(|output| {
        let shown = publication::select(reader, output, now)?;
        Ok((output.id.clone(), publication::stand(reader, (output, &shown), &item, now)?))
    });
    let stands: Result<Vec<_>, publication::Error> = stands.collect();
    let stands = stands.map_err(|error| complain(&error, Exit::Io))?;
    let receipt = reader.receipt(item.clone()).map_err(stored)?;
    let item = item::Item { receipt: &receipt, stands: &stands };
    say(&if json { format!("{:#}\n", item.json()) } else { item.text(now) });
    Ok(())
}

fn decided(done: Result<String, decide::Error>) -> Result<(), Exit> {
    let said = done.map_err(|error| {
        let exit = match &error {
            decide::Error::Open(error) => Exit::from(error),
            decide::Error::Store(_) => Exit::Io,
            _ => Exit::Usage,
        };
        complain(&error, exit)
    })?;
    say(&said);
    Ok(())
}

fn replayed(
    current: Option<&Path>,
    new: Option<&Path>,
    since: &str,
    json: bool,
) -> Result<(), Exit> {
    let age = config::duration(since)
        .map_err(|error| complain(&format!("--since: {error}"), Exit::Usage))?;
    // Without --current the config in its usual place is in force, and where there is none, the new one.
    let old = load(current.map(Path::to_owned).or_else(|| find_quietly(None)).as_deref().or(new))?;
    let new = new.map_or_else(|| Ok(old.clone()), |path| load(Some(path)))?;
    let clock = Clock::system();
    let replay = block_on(replay::run(&old, &new, age, &clock))?;
    let replay = replay.map_err(|error| {
        let exit = match &error {
            replay::Error::Open(error) => Exit::from(error),
            replay::Error::Room(_) => Exit::CannotCreate,
            replay::Error::Store(_) | replay::Error::Publication(_) => Exit::Io,
        };
        complain(&error, exit)
    })?;
    say(&if json { format!("{:#}\n", replay.json()) } else { replay.text() });
    Ok(())
}

fn forecast(current: Option<&Path>, new: Option<&Path>, json: bool) -> Result<(), Exit> {
    let config = load(current)?;
    let new = new.map(|path| load(Some(path))).transpose()?;
    let reader = open(&config)?;
    let stored = |error: crate::store::Error| complain(&error, Exit::Io);
    let statuses = reader.statuses().map_err(stored)?;
    let rhythm = |status: &FeedStatus| Ok((status.info.key, reader.rhythm(status.info.key)?));
    let rhythms = statuses.iter().map(rhythm).collect::<Result<_, _>>().map_err(stored)?;
    let past = reader.past().map_err(stored)?;
    let at = (&rhythms, Clock::system().now());
    let what_if = plan::WhatIf::look(&config, new.as_ref(), &statuses, &past, at);
    say(&if json { format!("{:#}\n", what_if.json()) } else { what_if.text() });
    Ok(())
}

/// Opens the database for reading.
fn open(config: &Config) -> Result<Reader, Exit> {
    Reader::open(&config.store.path).map_err(|error| complain(&error, Exit::from(&error)))
}

/// Loads the config; its faults go to standard error.
fn load(given: Option<&Path>) -> Result<Config, Exit> {
    let path = find(given)?;
    let Loaded { config, report, .. } = config::load(&path);
    if !report.is_empty() {
        eprint(&report.draw(style(&io::stderr())));
    }
    config.ok_or_else(|| broken(&path))
}

fn broken(path: &Path) -> Exit {
    if path.exists() { Exit::Config } else { Exit::NoInput }
}

/// The config to use: the one that was named, else the first that exists.
fn find(given: Option<&Path>) -> Result<PathBuf, Exit> {
    place::find(given).map_err(|error| complain(&error, Exit::NoInput))
}

/// Says what a command found out and what it left out.
fn told<E: Display>(said: Result<Said, E>) -> Result<(), Exit>
where
    for<'e> Exit: From<&'e E>,
{
    let said = said.map_err(|error| complain(&error, Exit::from(&error)))?;
    eprint(&said.aside);
    say(&said.answer);
    Ok(())
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING)
        .build();
    let runtime = runtime.map_err(|error| complain(&error, Exit::Unavailable))?;
    Ok(runtime.block_on(future))
}

fn failed(error: daemon::Error) -> Exit {
    complain(&error, Exit::from(&error))
}

fn init_exit(error: &init::Error) -> Exit {
    match error {
        init::Error::Exists(_) | init::Error::Io(..) => Exit::CannotCreate,
    }
}

//! The command line: one file a subcommand. Alone prints, alone knows exit codes.
//!
//! Standard output carries what was asked for, standard error what went wrong and the log. A
//! reader that goes away (`newswire status | head`) ends the output, not in an error.

pub mod add;
mod arguments;
mod asked;
mod check;
pub mod config_command;
pub mod decide;
pub mod demo;
pub mod dry;
pub mod exit;
mod explain;
pub mod fault;
mod health;
pub mod import;
pub mod init;
pub mod item;
mod man;
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
mod version;
mod voice;
pub mod why;
mod words;

use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use self::arguments::{Cli, Command};
use self::exit::Exit;
use self::fault::Fault;
use self::place::find_quietly;
use self::subscribe::{Said, To};
use self::voice::{complain, eprint, failing, more, say, style};
use crate::clock::Clock;
use crate::config::{self, Config, Loaded, Report};
use crate::daemon::{self, Which};
use crate::model::{Coded, FeedStatus};
use crate::store::{self, Reader};
use crate::telemetry;

/// Threads for reading documents and for the database: more only wait for each other, and each has
/// memory of its own.
const BLOCKING: usize = 8;

/// Reads the command line, runs it, and says how it ended.
#[must_use]
pub fn main() -> Exit {
    exit::guarded(run_command)
}

fn run_command() -> Exit {
    if version::asked(&std::env::args_os().skip(1).collect::<Vec<_>>()) {
        say(&version::verbose());
        return Exit::Ok;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Exit::Usage,
                _ => {
                    eprint(&more("usage"));
                    Exit::Usage
                }
            };
        }
    };
    dispatch(&cli).unwrap_or_else(|exit| exit)
}

fn dispatch(cli: &Cli) -> Result<Exit, Exit> {
    let (config, clock) = (cli.config.as_deref(), Clock::system());
    match &cli.command {
        Command::Run => start(config)?,
        Command::Reload => return reload::reload(&find(config)?),
        Command::LogLevel { levels, during } => {
            return reload::log_level(&find(config)?, levels, during);
        }
        Command::Poll { feeds, all, force, dry_run } => {
            poll_once(&find(config)?, which(feeds, *all), (*force).into(), (*dry_run).into())?;
        }
        command @ (Command::Check { .. } | Command::Config { .. } | Command::Schema) => {
            return look_at_config(config, command);
        }
        Command::Init { file } => {
            init::run(file).map_err(|error| complain(&error, Exit::CannotCreate))?;
            say(&init::next(file));
        }
        Command::Probe { target: Some(target), json, .. } => probe(config, target, *json)?,
        Command::Probe { target: None, .. } => {
            let answered = probe::conformance(io::stdin().lock(), &mut io::stdout().lock());
            answered.map_err(|error| failing(&Fault::Pipe(error)))?;
        }
        Command::Explain { what, json } => explained(config, what.as_deref(), *json)?,
        Command::Man { folder: None } => say(&man::pages()[0].1),
        Command::Man { folder: Some(folder) } => {
            say(&man::write(folder).map_err(|fault| failing(&fault))?);
        }
        Command::Completions { shell } => say(&man::completions(*shell)),
        Command::Why { feed, json } => told_why(&load(config)?, feed, *json)?,
        Command::Split { item } => decided(decide::split(&load(config)?, &clock, item))?,
        Command::Join { item, other } => {
            decided(decide::join(&load(config)?, &clock, item, other))?;
        }
        Command::Release { feed } => decided(decide::release(&load(config)?, &clock, feed))?,
        Command::Replay { since, current, json } => {
            replayed(current.as_deref(), config, since, *json)?;
        }
        Command::Plan { current, json } => forecast(current.as_deref(), config, *json)?,
        Command::Add { url, tags, networks, print } => {
            let to = if *print { To::Output } else { To::Config };
            told(block_on(add::run(url, tags, networks, (config, to)))?)?;
        }
        Command::Import { file, append } => {
            let to = if *append { To::Config } else { To::Output };
            told(import::run(file, config, to))?;
        }
        Command::Export => say(&import::export(&load(config)?).map_err(failed)?),
        Command::Top => live(config)?,
        Command::Health => return Ok(ask_health(&load(config)?)),
        Command::Status { check: true, .. } => return check_status(config),
        Command::Status { json, .. } => return show_status(config, *json),
        Command::Demo => {
            telemetry::init(telemetry::Settings::default());
            block_on(demo::run(say))?.map_err(|error| complain(&error, Exit::from(&error)))?;
        }
    }
    Ok(Exit::Ok)
}

fn start(config: Option<&Path>) -> Result<(), Exit> {
    let path = find(config)?;
    let (config, report) = read(&path)?;
    let log = telemetry::init(config.log);
    if !report.is_empty() && io::stderr().is_terminal() {
        eprint(&report.draw(style(&io::stderr())));
    } else if !report.is_empty() {
        let report = report.draw(config::Style::Plain);
        tracing::warn!(report, "there are doubts about the config: 'newswire check' tells them");
    }
    block_on(run::run(&path, config, log))?.map_err(failed)
}

fn which(feeds: &[String], all: bool) -> Which {
    match (all, feeds) {
        (true, _) => Which::All,
        (false, []) => Which::Due,
        (false, named) => Which::Named(named.to_vec()),
    }
}

fn poll_once(
    path: &Path,
    which: Which,
    haste: poll::Haste,
    keeps: poll::Keeps,
) -> Result<(), Exit> {
    let (config, report) = read(path)?;
    if config.subscriptions.is_empty() {
        eprint(&report.draw(style(&io::stderr())));
    }
    // Each feed has a line of its own: of the log only what went wrong is of use beside them.
    let level = config.log.level.min(tracing::level_filters::LevelFilter::ERROR);
    telemetry::init(telemetry::Settings { level, ..config.log });
    if keeps == poll::Keeps::Nothing {
        let polled = block_on(dry::run(config, which, &mut io::stdout()))?;
        return polled.map_err(|error| complain(&error, Exit::from(&error)));
    }
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
                config_command::Error::Config(report, path) => refused(&path, &report),
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
    let (said, exit) = health::ask(config.web.listen, &config.store.path);
    say(&said);
    exit
}

fn show_status(config: Option<&Path>, json: bool) -> Result<Exit, Exit> {
    let (reader, now) = (database(config)?, Clock::system().now());
    let feeds =
        reader.read(|reader| reader.feed_statuses()).map_err(|error| complain(&error, Exit::Io))?;
    say(&match json {
        true => format!("{:#}\n", status::json(&feeds, now)),
        false => status::table(&feeds, now),
    });
    Ok(status::verdict(&feeds, now).0)
}

/// One line; what cannot be asked about is not well either.
fn check_status(config: Option<&Path>) -> Result<Exit, Exit> {
    let feeds = Reader::open(&config::load(&find(config)?).database)
        .map_err(daemon::Error::from)
        .and_then(|reader| Ok(reader.read(|reader| reader.feed_statuses())?));
    let (exit, line) = match feeds {
        Ok(feeds) => status::verdict(&feeds, Clock::system().now()),
        Err(error) => (Exit::Down, error.to_string()),
    };
    say(&status::line(exit, &line));
    Ok(exit)
}

/// Tells of a code or a key, else of the feed or the item of that name.
fn explained(config: Option<&Path>, asked: Option<&str>, json: bool) -> Result<(), Exit> {
    let known = asked.map_or_else(|| Some(explain::list()), explain::known);
    let (Some(asked), None) = (asked, &known) else {
        let text = known.unwrap_or_default();
        say(&if json { format!("{:#}\n", explain::json(asked)) } else { text });
        return Ok(());
    };
    let config = match config {
        Some(_) => Some(load(config)?),
        None => find_quietly(None).and_then(|path| config::load(&path).config),
    };
    match config.filter(|config| explain::is_kept(config, asked)) {
        Some(config) => told_why(&config, asked, json),
        None => Err(failing(&explain::unknown(asked))),
    }
}

fn live(config: Option<&Path>) -> Result<(), Exit> {
    top::run(&database(config)?, &Clock::system()).map_err(|error| complain(&error, Exit::Io))
}

fn told_why(config: &Config, asked: &str, json: bool) -> Result<(), Exit> {
    let form = if json { probe::Form::Json } else { probe::Form::People };
    let read = open(config)?
        .read(|reader| Ok::<_, store::Error>(asked::tell(config, reader, asked, form)));
    say(&read.map_err(|error| complain(&error, Exit::Io))??);
    Ok(())
}

fn decided(deciding: impl Future<Output = Result<String, decide::Error>>) -> Result<(), Exit> {
    say(&block_on(deciding)?.map_err(|error| complain(&error, Exit::from(&error)))?);
    Ok(())
}

fn replayed(
    current: Option<&Path>,
    new: Option<&Path>,
    since: &str,
    json: bool,
) -> Result<(), Exit> {
    let age = config::duration(since).map_err(|why| failing(&Fault::Age(why)))?;
    // Without --current the config in its usual place is in force, and where there is none, the new one.
    let old = load(current.map(Path::to_owned).or_else(|| find_quietly(None)).as_deref().or(new))?;
    let new = new.map_or_else(|| Ok(old.clone()), |path| load(Some(path)))?;
    let clock = Clock::system();
    let replay = block_on(replay::run(&old, &new, age, &clock))?;
    let replay = replay.map_err(|error| complain(&error, Exit::from(&error)))?;
    say(&if json { format!("{:#}\n", replay.json()) } else { replay.text() });
    Ok(())
}

fn forecast(current: Option<&Path>, new: Option<&Path>, json: bool) -> Result<(), Exit> {
    let config = load(current)?;
    let new = new.map(|path| load(Some(path))).transpose()?;
    let reader = open(&config)?;
    let stored = |error: crate::store::Error| complain(&error, Exit::Io);
    let read = reader.read(|reader| {
        let statuses = reader.feed_statuses()?;
        let rhythm =
            |status: &FeedStatus| Ok((status.info.key, reader.arrival_times(status.info.key)?));
        let rhythms = statuses.iter().map(rhythm).collect::<Result<_, crate::store::Error>>()?;
        Ok((statuses, rhythms, reader.feed_histories()?))
    });
    let (statuses, rhythms, past) = read.map_err(stored)?;
    let at = (&rhythms, Clock::system().now());
    let what_if = plan::WhatIf::look(&config, new.as_ref(), &statuses, &past, at);
    say(&if json { format!("{:#}\n", what_if.json()) } else { what_if.text() });
    Ok(())
}

/// Opens the database for reading.
fn open(config: &Config) -> Result<Reader, Exit> {
    Reader::open(&config.store.path).map_err(|error| complain(&error, Exit::from(&error)))
}

/// Loads the config; its errors go to standard error. What is doubtful is for `check` and the log.
fn load(given: Option<&Path>) -> Result<Config, Exit> {
    Ok(read(&find(given)?)?.0)
}

/// The same, with what is doubtful.
fn read(path: &Path) -> Result<(Config, Report), Exit> {
    let Loaded { config, report, .. } = config::load(path);
    let Some(config) = config else { return Err(refused(path, &report)) };
    Ok((config, report))
}

/// Says what is wrong with the config.
fn refused(path: &Path, report: &Report) -> Exit {
    eprint(&report.draw(style(&io::stderr())));
    broken(path)
}

/// The database of a config, which may be broken: who looks at what runs must not be stopped by that.
fn database(given: Option<&Path>) -> Result<Reader, Exit> {
    let path = find(given)?;
    let Loaded { config, report, database } = config::load(&path);
    if config.is_none() && !database.exists() {
        return Err(refused(&path, &report));
    }
    if config.is_none() {
        eprint(
            "the config has errors, which 'newswire check' tells; this is what the database says\n",
        );
    }
    Reader::open(&database).map_err(|error| complain(&error, Exit::from(&error)))
}

fn broken(path: &Path) -> Exit {
    if path.exists() { Exit::Config } else { Exit::NoInput }
}

/// The config to use: the one that was named, else the first that exists.
fn find(given: Option<&Path>) -> Result<PathBuf, Exit> {
    place::find(given).map_err(|error| complain(&error, Exit::NoInput))
}

/// Says what a command found out and what it left out.
fn told<E: Coded>(said: Result<Said, E>) -> Result<(), Exit>
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
    let runtime = runtime.map_err(|error| failing(&Fault::Runtime(error)))?;
    Ok(runtime.block_on(future))
}

fn failed(error: daemon::Error) -> Exit {
    complain(&error, Exit::from(&error))
}

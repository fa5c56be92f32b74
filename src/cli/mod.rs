//! The command line. Only this room prints and decides on exit codes.
//!
//! A subcommand has the file of its name, except:
//!
//! ```text
//! database     backup, restore, verify, repair; from_outputs: restore --from-outputs
//! config_file  config, schema; the config that all commands load
//! edit         set, tag, pause, resume, remove
//! feed_lists   list, import, export
//! operator_decisions  split, join, release
//! run          run, reload, log-level
//! state        status, logs, health; status: the text and JSON of the first
//! usage        --version; values of arguments, commands under another name
//! ```
//!
//! Results go to standard output; errors, notes and the log go to standard error. A closed pipe
//! (`newswire status | head`) ends the output without an error; a full disk is one.

pub mod add;
pub mod append_feeds;
mod arguments;
mod check;
mod completions;
pub mod config_file;
pub mod database;
pub mod demo;
mod edit;
pub mod exit;
mod explain;
pub mod feed_lists;
pub mod from_outputs;
pub mod init;
mod known;
mod man;
mod manners;
pub mod online;
pub mod operator_decisions;
mod plan;
pub mod poll;
pub mod probe;
#[cfg(test)]
mod reference;
pub mod replay;
pub mod run;
mod runtime;
mod state;
mod status;
mod terminal;
pub mod top;
mod usage;
mod why;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;

use self::append_feeds::{CommandOutput, Destination};
use self::arguments::{AddRequest, Cli, Command, Format, ListForm, RunRequest};
use self::config_file::{
    database, database_path, find_existing, load, path, print_diagnostics, read,
};
use self::exit::{CommandError, Exit};
use self::runtime::block_on;
use self::terminal::{
    StandardOutput, after_output, explain_line, failed, keep_failure, print, print_error,
    print_text, report, style,
};
use self::usage::Listen;
use crate::clock::Clock;
use crate::config::{self, Config, Loaded};
use crate::daemon::{self, FeedSelection};
use crate::model::{Coded, FeedStatus};
use crate::store::{self, Reader};
use crate::telemetry;

/// Parses the command line and runs the command.
#[must_use]
pub fn main() -> Exit {
    exit::catch_panic(run_command)
}

fn run_command() -> Exit {
    if usage::is_version_requested(&std::env::args_os().skip(1).collect::<Vec<_>>()) {
        print(&usage::version());
        return after_output(Exit::Ok);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            let meant = usage::help(&mut error);
            let printed = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    printed.unwrap_or_else(|error| keep_failure(&error));
                    after_output(Exit::Ok)
                }
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Exit::Usage,
                _ => {
                    print_error(&meant);
                    print_error(&explain_line("usage"));
                    Exit::Usage
                }
            };
        }
    };
    if matches!(cli.command, Command::Run(_) | Command::Poll { .. } | Command::Demo) {
        runtime::set_up_allocator();
    }
    let exit = dispatch(&cli).unwrap_or_else(|exit| exit);
    match cli.command {
        // What they print at their start is not their result.
        Command::Run(_) | Command::Demo => exit,
        _ => after_output(exit),
    }
}

fn dispatch(cli: &Cli) -> Result<Exit, Exit> {
    let (config, clock) = (cli.config.as_deref(), Clock::system());
    match &cli.command {
        Command::Run(request) => start(config, request)?,
        Command::Reload => return run::reload(&path(config)?),
        Command::LogLevel { levels, time } => {
            return run::log_level(&path(config)?, levels, time);
        }
        command @ Command::Poll { .. } => poll(config, &clock, command)?,
        command @ (Command::Check { .. } | Command::Config { .. } | Command::Schema) => {
            return show_config(config, command);
        }
        Command::Init { file } => init(file.as_deref().or(config))?,
        Command::Probe { target: Some(target), json, force, .. } => {
            probe(config, (target, (*force).into()), *json)?;
        }
        Command::Probe { target: None, .. } => conformance()?,
        Command::Explain { what, json } => explain(config, what.as_deref(), *json)?,
        Command::Man { folder } => print(&man::run(folder.as_deref()).map_err(failed)?),
        Command::Completions { shell } => print(&man::completions(*shell)),
        Command::Why { name, json } => why(&load(config)?, name, *json)?,
        command @ (Command::Split { .. } | Command::Join { .. } | Command::Release { .. }) => {
            decide(&load(config)?, &clock, command)?;
        }
        Command::Replay { since, current, apply, json } => {
            replay((current.as_deref(), config), since, *apply, *json)?;
        }
        Command::Backup(request) => database::backup(&database_path(config)?, request, &clock)?,
        Command::Restore { from, from_outputs } => {
            restore(config, &clock, (from.as_deref(), *from_outputs))?;
        }
        Command::Verify { file } => return database::verify(config, file.as_deref()),
        Command::Plan { current, json } => plan(current.as_deref(), config, *json)?,
        Command::Add(request) => return add(config, request),
        Command::Change(what) => return edit::command(&path(config)?, what),
        Command::List(form) => list(&load(config)?, form),
        Command::Logs { feed, lines } => state::logs(config, feed, *lines)?,
        Command::Import { file, append } => return import(config, file, *append),
        Command::Export => print_output(feed_lists::export(&load(config)?))?,
        Command::Repair { file } => database::repair(config, file.as_deref())?,
        Command::Manners { json } => manners(config, &clock, *json)?,
        Command::Top => {
            let (reader, config) = (&database(config)?, &*path(config)?);
            top::run(top::Source { reader, config }, &clock).map_err(failed)?;
        }
        Command::Health => return state::check_health(config),
        Command::Status { check: true, .. } => return state::check_status(config),
        Command::Status { feeds, failing, json, .. } => {
            let listed = if *failing { state::Listed::Failing } else { state::Listed::All };
            return state::show_status(config, (feeds, listed), (*json).into());
        }
        Command::Demo => {
            telemetry::init(telemetry::Settings::default());
            block_on(demo::run(print))?.map_err(failed)?;
        }
    }
    Ok(Exit::Ok)
}

/// `init`: a file, or standard output for `-`.
fn init(file: Option<&Path>) -> Result<(), Exit> {
    let file = file.unwrap_or(Path::new("newswire.toml"));
    if file == Path::new("-") {
        print(init::EXAMPLE);
        return Ok(());
    }
    init::run(file).map_err(failed)?;
    print_text(&init::next(file));
    Ok(())
}

/// `import`. A running daemon loads the config then.
fn import(config: Option<&Path>, file: &Path, append: bool) -> Result<Exit, Exit> {
    let destination = if append { Destination::Config } else { Destination::Stdout };
    let before = find_existing(config).map(|path| config::load(&path).report);
    let imported = feed_lists::import(file, config, destination).map_err(failed)?;
    print_error(&imported.stderr);
    print(&imported.stdout);
    if !append || imported.stdout.is_empty() {
        return Ok(Exit::Ok);
    }
    let Loaded { report, database, .. } = config::load(&path(config)?);
    let warnings = edit::new_warnings(&before.unwrap_or_default(), report);
    Ok(edit::apply(&database, &warnings))
}

/// `add`: each URL by itself. A running daemon loads the config after each: the next one may be slow, and interrupted.
fn add(config: Option<&Path>, request: &AddRequest) -> Result<Exit, Exit> {
    let AddRequest { urls, tags, title, id, interval, networks, print } = request;
    let command = &*request.command(config);
    if urls.len() > 1 && (title.is_some() || id.is_some()) {
        return Err(failed(add::Error::OneUrl));
    }
    let destination = if *print { Destination::Stdout } else { Destination::Config };
    let mut exit = Exit::Ok;
    for url in urls {
        let (id, title, interval) = (id.as_deref(), title.as_deref(), interval.as_deref());
        let next = ": a new file; 'newswire run' starts the daemon";
        let request = add::Request { url, id, title, interval, tags, networks, command, next };
        let before = find_existing(config).map(|path| config::load(&path).report);
        let added = print_output(block_on(add::run(request, config, destination))?);
        let ended = match (added, destination, find_existing(config)) {
            (Ok(()), Destination::Config, Some(path)) => {
                let Loaded { report, database, .. } = config::load(&path);
                // The warnings of a new config are those of its example.
                let before = before.unwrap_or_else(|| report.clone());
                edit::apply_if_running(&database, &edit::new_warnings(&before, report))
            }
            (added, ..) => added.err().unwrap_or(Exit::Ok),
        };
        // The exit code is that of the first failure.
        if exit == Exit::Ok {
            exit = ended;
        }
    }
    Ok(exit)
}

fn list(config: &Config, form: &ListForm) {
    print(&match form {
        ListForm { json: true, .. } => format!("{:#}\n", feed_lists::json(config)),
        ListForm { ids: true, .. } => feed_lists::ids(config),
        ListForm { tags: true, .. } => feed_lists::tags(config),
        _ => feed_lists::table(config, terminal::width(&io::stdout())),
    });
}

/// `restore`: a copy, then what the outputs published.
fn restore(
    config: Option<&Path>,
    clock: &Clock,
    (from, from_outputs): (Option<&Path>, bool),
) -> Result<(), Exit> {
    if from_outputs {
        // Before half of the work is done.
        from_outputs::documents(&load(config)?).map_err(failed)?;
    }
    if let Some(from) = from {
        database::restore(from, &database_path(config)?)?;
        if !from_outputs {
            print_text(&database::newer_outputs(config::load(&path(config)?).config.as_ref()));
        }
    }
    if from_outputs {
        let config = load(config)?;
        let recovery = block_on(from_outputs::run(&config, clock))?.map_err(failed)?;
        print_text(&format!("{recovery}\n"));
    }
    Ok(())
}

/// `run`: checks that the daemon can start, adds feeds, prints the addresses, starts.
fn start(given: Option<&Path>, request: &RunRequest) -> Result<(), Exit> {
    let listen = Listen::addresses(&request.listen);
    let overrides = run::Overrides { listen, level: request.log_level, ..Default::default() };
    // Before the config changes and links are printed: those to a server of another process would mislead.
    let config = match find_existing(given) {
        Some(path) => Some(read(&path)?.0),
        None => init::new_config(),
    };
    if let Some(mut config) = config {
        overrides.apply(&mut config);
        daemon::check_start(&config).map_err(|error| {
            daemon::notify_failure(&error);
            failed(error)
        })?;
    }
    let first = block_on(init::prepare(given, request))?.map_err(failed)?;
    let (mut config, diagnostics) = read(&first.path)?;
    overrides.apply(&mut config);
    if first.is_new || io::stdout().is_terminal() {
        print(&init::addresses(&config));
        print_error(config_file::first_step(&config));
    }
    let log = telemetry::init(config.log);
    if !diagnostics.is_empty() && io::stderr().is_terminal() {
        print_error(&diagnostics.draw(style(&io::stderr())));
    } else if !diagnostics.is_empty() {
        config_file::log_warnings(&diagnostics);
    }
    block_on(run::run(&first.path, overrides, config, log))?.map_err(failed)
}

/// Runs `newswire poll`, in the running daemon if there is one.
fn poll(config: Option<&Path>, clock: &Clock, command: &Command) -> Result<(), Exit> {
    let Command::Poll { feeds, all, force, dry_run, spread } = command else { return Ok(()) };
    let (path, selection) = (path(config)?, selection(feeds, *all, *force));
    if let Some(spread) = spread {
        wait_for_turn(&path, clock, spread)?;
    }
    let (forced, loaded) = ((*force).into(), config::load(&path));
    if !dry_run && (!feeds.is_empty() || *all) {
        let known = (loaded.config.as_ref(), loaded.database.as_path());
        if let Some(polled) = poll::in_daemon(known, feeds, forced) {
            poll::warn_of_lists(loaded.config.as_ref(), clock.now());
            return polled;
        }
    }
    let config = prepare_pass(&path, loaded)?;
    match dry_run {
        true => rehearse(config, selection, *force),
        false => poll_once(&path, config, selection, *force),
    }
}

/// Waits until the turn of this installation within `spread`.
fn wait_for_turn(path: &Path, clock: &Clock, spread: &str) -> Result<(), Exit> {
    let time = config::duration(spread).map_err(|_| {
        failed(CommandError::Duration { option: "--spread", value: spread.to_owned() })
    })?;
    let time = time.unsigned_abs();
    let until = clock.elapsed() + poll::turn(&config::load(path).database, time);
    block_on(clock.sleep_until(until))
}

fn manners(config: Option<&Path>, clock: &Clock, json: bool) -> Result<(), Exit> {
    let since = manners::since(clock.now());
    let found = database(config)?.read(|reader| reader.manners(since)).map_err(failed)?;
    let report = manners::MannersReport::new(found);
    print_as(json)(&if json { format!("{:#}\n", report.json()) } else { report.text() });
    Ok(())
}

fn selection(feeds: &[String], all: bool, force: bool) -> FeedSelection {
    match (all, feeds) {
        (true, _) if force => FeedSelection::WithPaused,
        (true, _) => FeedSelection::All,
        (false, []) => FeedSelection::Due,
        (false, names) => FeedSelection::Named(names.to_vec()),
    }
}

/// Starts the log for a single pass, which prints one line per feed: only errors are logged.
fn prepare_pass(path: &Path, loaded: Loaded) -> Result<Config, Exit> {
    let (config, diagnostics) = config_file::without_errors(path, loaded)?;
    if config.subscriptions.is_empty() && !diagnostics.is_empty() {
        print_error(&diagnostics.draw(style(&io::stderr())));
    }
    print_error(config_file::first_step(&config));
    let level = config.log.level.min(tracing::level_filters::LevelFilter::ERROR);
    telemetry::init(telemetry::Settings { level, ..config.log });
    Ok(config)
}

fn poll_once(
    path: &Path,
    config: Config,
    selection: FeedSelection,
    force: bool,
) -> Result<(), Exit> {
    let config = block_on(run::with_current_lists(path, config, &selection))?.map_err(failed)?;
    poll::warn_of_lists(Some(&config), Clock::system().now());
    if let FeedSelection::Named(names) = &selection {
        check_names(&config, names)?;
    }
    let mut out = StandardOutput;
    let trigger = poll::trigger(&selection, force.into(), Clock::system().now());
    let polling = poll::run(config, (&selection, trigger), &mut out);
    let summary = block_on(polling)?.map_err(failed)?;
    print(&format!("{summary}\n"));
    summary.stopped.map_or(Ok(()), |stopped| Err(stopped.exit))
}

/// Checks that each argument is a feed of the config.
fn check_names(config: &Config, names: &[String]) -> Result<(), Exit> {
    let known = known::feeds(config, &config.store.path);
    match names.iter().find(|name| known::find(&known, name).is_none()) {
        Some(unknown) => Err(failed(known::unknown_in(unknown, &known))),
        None => Ok(()),
    }
}

fn rehearse(config: Config, selection: FeedSelection, force: bool) -> Result<(), Exit> {
    let trigger = poll::trigger(&selection, force.into(), Clock::system().now());
    block_on(poll::rehearse(config, (&selection, trigger), &mut StandardOutput))?.map_err(failed)
}

/// Uses the settings of the config, if there is one. A file needs none.
fn probe(given: Option<&Path>, target: (&str, online::Promises), json: bool) -> Result<(), Exit> {
    let needed = given.is_some() || probe::web_url(target.0).is_some();
    let config = match find_existing(given).filter(|_| needed) {
        // Without its proxy, a request would be another one.
        Some(path) => Some(load(Some(&path))?),
        None => None,
    };
    let mut out = StandardOutput;
    let probing = probe::run(target, config.as_ref(), json.into(), &mut out);
    block_on(probing)?.map_err(failed)
}

/// Reads the documents that standard input lists.
fn conformance() -> Result<(), Exit> {
    match probe::conformance(io::stdin().lock(), &mut io::stdout().lock()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(failed(CommandError::Stdio(error)))
        }
        _ => Ok(()),
    }
}

/// `check`, `config` and `schema`.
fn show_config(given: Option<&Path>, command: &Command) -> Result<Exit, Exit> {
    match command {
        Command::Check { scope, form } => {
            let path = path(given)?;
            let style = style(&io::stdout());
            let what = (scope.scope(), scope.force.into());
            let show = print_as(form.format() == Format::Json);
            let checking = check::run(&path, what, form.format(), style, show);
            let verdict = block_on(checking)?.map_err(failed)?;
            Ok(match verdict {
                check::Verdict::Good => Exit::Ok,
                check::Verdict::Unreached => Exit::Unavailable,
                check::Verdict::Broken => config_file::exit_of_invalid(&path),
            })
        }
        Command::Config { what, shown } => {
            let text = config_file::text_of(what.as_ref(), shown, || path(given))?;
            text.map(|text| print(&text)).map_err(|error| match error {
                config_file::Error::Config(diagnostics, path) => {
                    print_diagnostics(&path, &diagnostics)
                }
                error => report(&error),
            })?;
            Ok(Exit::Ok)
        }
        _ => {
            print(&config_file::schema());
            Ok(Exit::Ok)
        }
    }
}

/// Explains a code or a config key, else the feed or the item of that name.
fn explain(config: Option<&Path>, name: Option<&str>, json: bool) -> Result<(), Exit> {
    let text = name.map_or_else(|| Some(explain::list()), explain::text_of);
    let (Some(name), None) = (name, &text) else {
        let text = text.unwrap_or_default();
        print_as(json)(&if json { format!("{:#}\n", explain::json(name)) } else { text });
        return Ok(());
    };
    let config = match config {
        Some(_) => Some(load(config)?),
        None => find_existing(None).and_then(|path| config::load(&path).config),
    };
    match config.filter(|config| explain::is_stored(config, name)) {
        Some(config) => why(&config, name, json),
        None => Err(failed(explain::unknown(name))),
    }
}

fn why(config: &Config, name: &str, json: bool) -> Result<(), Exit> {
    let explained = open(config)?
        .read(|reader| Ok::<_, store::Error>(why::explain(config, reader, name, json.into())));
    print_as(json)(&explained.map_err(failed)??);
    Ok(())
}

/// `split`, `join` and `release`.
fn decide(config: &Config, clock: &Clock, command: &Command) -> Result<(), Exit> {
    let text = block_on(async {
        match command {
            Command::Split { item } => operator_decisions::split(config, clock, item).await,
            Command::Join { item, other } => {
                operator_decisions::join(config, clock, item, other).await
            }
            Command::Release { feed, filtered } => {
                operator_decisions::release(config, clock, feed, (*filtered).into()).await
            }
            _ => Ok(String::new()),
        }
    });
    print_text(&text?.map_err(failed)?);
    Ok(())
}

fn replay(
    (current, new): (Option<&Path>, Option<&Path>),
    since: &str,
    apply: bool,
    json: bool,
) -> Result<(), Exit> {
    let age = config::duration(since).map_err(|_| {
        failed(CommandError::Duration { option: "--since", value: since.to_owned() })
    })?;
    // Without --current, the config in its default location is the current one, or else the new one.
    let old = load(current.map(Path::to_owned).or_else(|| find_existing(None)).as_deref().or(new))?;
    let new = new.map_or_else(|| Ok(old.clone()), |path| load(Some(path)))?;
    let clock = Clock::system();
    let mut replay = block_on(replay::run(&old, &new, age, &clock))?.map_err(failed)?;
    if apply {
        block_on(replay::apply(&new, age, &clock))?.map_err(failed)?;
        replay.applied = true;
    }
    print_as(json)(&if json { format!("{:#}\n", replay.json()) } else { replay.text() });
    Ok(())
}

fn plan(current: Option<&Path>, new: Option<&Path>, json: bool) -> Result<(), Exit> {
    let config = load(current)?;
    let new = new.map(|path| load(Some(path))).transpose()?;
    let reader = open(&config)?;
    let read = reader.read(|reader| {
        let statuses = reader.feed_statuses()?;
        let published =
            |status: &FeedStatus| Ok((status.info.key, reader.publishing(status.info.key)?));
        let published = statuses.iter().map(published).collect::<Result<_, store::Error>>()?;
        Ok::<_, store::Error>((statuses, published, reader.feed_histories()?))
    });
    let (statuses, published, past) = read.map_err(failed)?;
    let at = (&published, Clock::system().now());
    let plan = plan::PlanReport::new(&config, new.as_ref(), &statuses, &past, at);
    print_as(json)(&if json {
        format!("{:#}\n", plan.json())
    } else {
        plan.text(terminal::width(&io::stdout()))
    });
    Ok(())
}

/// Opens the database for reading.
fn open(config: &Config) -> Result<Reader, Exit> {
    Reader::open(&config.store.path).map_err(failed)
}

/// How a result is printed: JSON as it is, text fitted to the terminal.
fn print_as(json: bool) -> impl Fn(&str) {
    if json { print } else { print_text }
}

/// Prints the result and the notes of a command.
fn print_output<E: Coded>(output: Result<CommandOutput, E>) -> Result<(), Exit> {
    let output = output.map_err(failed)?;
    print_error(&output.stderr);
    print(&output.stdout);
    Ok(())
}

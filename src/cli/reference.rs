//! `docs/reference/commands.md`, `exit-codes.md` and `config.md`, and `config.example.toml`, generated from the
//! command line, the table of exit codes and the definitions of the config.
//! The tests compare the files; with `NEWSWIRE_UPDATE_DOCS=1` they write them.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

use super::arguments::Cli;
use super::exit::{ERROR_CODES, Exit};
use crate::config::Section;

fn commands() -> String {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut text = "# Commands\n\n\
        This page is generated from the command line. Names of commands and options are stable from 1.0; further ones \
        may be added. The text output of commands is for people and may change; programs use `--json` \
        ([json.md](json.md)) and the [exit codes](exit-codes.md).\n\n"
        .to_owned();
    let _ = writeln!(text, "## Options of all commands\n");
    options(&command, &mut text);
    for inner in command.get_subcommands() {
        subcommand(inner, "newswire", &mut text);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn subcommand(command: &Command, parent: &str, text: &mut String) {
    let name = format!("{parent} {}", command.get_name());
    let positional = command.get_positionals().map(|arg| match arg.is_required_set() {
        true => format!(" {}", value(arg)),
        false => format!(" [{}]", value(arg)),
    });
    let _ = writeln!(text, "## `{name}{}`\n", positional.collect::<String>());
    let about = command.get_long_about().or_else(|| command.get_about());
    for paragraph in about.map(ToString::to_string).unwrap_or_default().split("\n\n") {
        let _ = writeln!(text, "{}.\n", paragraph.trim_end_matches('.'));
    }
    options(command, text);
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        subcommand(inner, &name, text);
    }
}

fn options(command: &Command, text: &mut String) {
    let mut rows = String::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        if ["help", "version"].contains(&arg.get_id().as_str()) || is_inherited(command, arg) {
            continue;
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults: Vec<_> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = match (defaults.first(), arg.get_action().takes_values()) {
            (Some(default), true) => format!(" (default `{default}`)"),
            _ => String::new(),
        };
        let form = form(arg).replace('|', "\\|");
        let _ = writeln!(rows, "| `{form}` | {}{default} |", help.replace('\n', " "));
    }
    if !rows.is_empty() {
        let _ = writeln!(text, "| argument | meaning |\n|---|---|\n{rows}");
    }
}

/// Whether the argument belongs to all commands.
fn is_inherited(command: &Command, arg: &Arg) -> bool {
    arg.is_global_set() && command.get_name() != "newswire"
}

fn form(arg: &Arg) -> String {
    let Some(long) = arg.get_long() else { return value(arg) };
    let short = arg.get_short().map_or_else(String::new, |short| format!("-{short}, "));
    let value =
        if arg.get_action().takes_values() { format!(" {}", value(arg)) } else { String::new() };
    format!("{short}--{long}{value}")
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let name =
        names.first().map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    let repeated = arg.get_num_args().is_some_and(|number| number.max_values() > 1);
    if repeated { format!("{name}...") } else { name }
}

fn exit_codes() -> String {
    let mut text = "# Exit codes\n\n\
        The exit codes and the error codes are stable from 1.0; further error codes may be added. An error message ends \
        with its code: `newswire explain CODE` describes its causes and remedies. A feed that fails does not fail \
        the command.\n\n| exit code | meaning | error codes |\n|---|---|---|\n"
        .to_owned();
    for exit in Exit::ALL {
        let codes = ERROR_CODES.iter().filter(|(row, _)| row == exit).flat_map(|(_, codes)| *codes);
        let codes: Vec<String> = codes.map(|code| format!("`{code}`")).collect();
        let _ = writeln!(text, "| {} | {} | {} |", *exit as u8, exit.meaning(), codes.join(", "));
    }
    text
}

/// The rows of the config keys, and the texts around them.
fn config() -> String {
    let mut text = include_str!("../../docs/reference/config.md").to_owned();
    let begin = text.find("\n## Keys\n").expect("a heading for the keys");
    let end = text.find("\n## Values\n").expect("a heading for the values");
    let mut tables = "\n## Keys\n".to_owned();
    for section in Section::all() {
        let heading = match section {
            Section::Top => section.heading().to_owned(),
            Section::Rules => "`include` and `exclude`".to_owned(),
            section => format!("`{}`", section.heading()),
        };
        let _ = writeln!(tables, "\n### {heading}\n\n{}\n", section.doc());
        let _ = writeln!(tables, "| key | default | format | meaning |\n|---|---|---|---|");
        for key in section.keys() {
            let default = match key.default {
                "" if key.required => "required".to_owned(),
                "" => String::new(),
                default => format!("`{default}`"),
            };
            let range = key.range();
            let range = if range.is_empty() { range } else { format!(" ({range})") };
            let meaning = [key.doc, key.details].join(" ").trim_end().replace('|', "\\|");
            let also: Vec<String> =
                key.sections().skip(1).map(|section| format!("`{section}`")).collect();
            let also = match also.is_empty() {
                true => String::new(),
                false => format!(" Also in {}.", also.join(" and ")),
            };
            let format = format!("{}{range}", key.kind.format());
            let name = key.name;
            let _ = writeln!(tables, "| `{name}` | {default} | {format} | {meaning}{also} |");
        }
    }
    text.replace_range(begin..end, &tables);
    text
}

/// The first lines of the example.
const EXAMPLE_HEAD: &str = "\
#:schema ./newswire.schema.json

# The config of Newswire. A line '# key = value' shows a default, or an example for a key without default.
# 'newswire explain KEY' prints more about a key, and 'newswire check' reports errors in this file.
#
# Durations: \"45s\", \"30m\", \"1h 30m\", \"2d\". Sizes: \"512 KiB\", \"10 MiB\". Relative paths start in the state
# directory of systemd, otherwise in the folder of this file.
";

/// The example config: every key with its meaning and its default or an example.
fn example() -> String {
    let mut text = EXAMPLE_HEAD.to_owned();
    for section in Section::all().filter(|section| *section != Section::Rules) {
        // The example has one output and no feed.
        let comment = if section.is_list() && section != Section::Output { "# " } else { "" };
        if section != Section::Top {
            let _ = writeln!(text, "\n# {}", section.doc());
            let inherits = |other: &Section| {
                *other != section && other.keys().any(|key| key.inherited_by.contains(&section))
            };
            let inherited: Vec<&str> =
                Section::all().filter(inherits).map(Section::heading).collect();
            if !inherited.is_empty() {
                let _ = writeln!(text, "# It can also set keys of {}.", inherited.join(", "));
            }
            let _ = writeln!(text, "{comment}{}", section.heading());
        }
        for key in section.keys() {
            let set = matches!(key.path().as_str(), "version" | "output.id" | "output.title");
            let gap = if comment.is_empty() { "\n" } else { "#\n" };
            let doc = wrapped(key.doc, comment);
            let value = if key.default.is_empty() { key.example } else { key.default };
            let _ =
                writeln!(text, "{gap}{doc}{}{} = {value}", if set { "" } else { "# " }, key.name);
        }
    }
    text
}

/// Comment lines of at most 110 characters.
fn wrapped(doc: &str, indent: &str) -> String {
    let mut lines = vec![format!("{indent}#")];
    for word in doc.split(' ') {
        let last = lines.last_mut().expect("one line");
        if last.len() + word.len() > 110 {
            lines.push(format!("{indent}# {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

/// Compares a file with its generated text, or writes it.
fn compare(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("NEWSWIRE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "{name} is outdated: NEWSWIRE_UPDATE_DOCS=1 cargo test --lib reference"
    );
}

#[test]
fn the_reference_of_config_keys_is_up_to_date() {
    compare("docs/reference/config.md", &config());
}

#[test]
fn the_example_config_is_up_to_date() {
    compare("config.example.toml", &example());
}

#[test]
fn the_reference_of_commands_is_up_to_date() {
    compare("docs/reference/commands.md", &commands());
}

#[test]
fn the_reference_of_exit_codes_is_up_to_date() {
    compare("docs/reference/exit-codes.md", &exit_codes());
}

#[test]
fn the_help_lists_every_command_once() {
    let mut command = Cli::command().disable_help_subcommand(true);
    let help = command.render_help().to_string();
    for inner in command.get_subcommands() {
        let name = inner.get_name();
        let lines = help.lines().filter(|line| {
            line.strip_prefix("  ").is_some_and(|line| line.split(' ').next() == Some(name))
        });
        assert_eq!(lines.count(), 1, "newswire --help lists {name} not exactly once:\n{help}");
    }
}

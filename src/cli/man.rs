//! `newswire man` and `newswire completions`: generated from the command line, the config keys and the Markdown of `docs/`,
//! so that they cannot differ from the program.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::arguments::Cli;
use super::completions;
use super::exit::{CommandError, Exit};
use crate::config::Section;
use crate::files;
use crate::model::code;

/// How to use and publish the merged feeds.
const FEEDS: &str = include_str!("../../docs/feeds.md");

/// File name and text of a manual page.
type Page = (String, String);

/// All manual pages; the first is newswire(1).
fn pages() -> Vec<Page> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![("newswire.1".to_owned(), main_page(&command))];
    for inner in command.get_subcommands() {
        let man = Man::new(inner.clone()).date(DATE).source(VERSION).manual("Newswire");
        pages.push((man.get_filename(), sub_page(&man)));
    }
    pages.push(("newswire.toml.5".to_owned(), config_page()));
    let page = |name, what, text| markdown_page((name, "7", DATE, VERSION), what, text);
    pages.push((
        "newswire-feeds.7".to_owned(),
        page("newswire-feeds", "the merged feeds that Newswire publishes", FEEDS),
    ));
    pages.push((
        "newswire-codes.7".to_owned(),
        page("newswire-codes", "errors, warnings and reasons of Newswire", code::SOURCE),
    ));
    pages
}

/// Date of the manual pages.
const DATE: &str = "2026-11-24";
const VERSION: &str = concat!("newswire ", env!("CARGO_PKG_VERSION"));

/// The first page, or the message after all pages were written to a folder.
///
/// # Errors
/// When they cannot be written.
pub(super) fn run(folder: Option<&Path>) -> Result<String, CommandError> {
    folder.map_or_else(|| Ok(pages().swap_remove(0).1), write)
}

/// Writes all pages to `folder`. Returns a message with their number.
///
/// # Errors
/// When they cannot be written.
fn write(folder: &Path) -> Result<String, CommandError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| CommandError::Write(path, error)
    };
    let pages = pages();
    for (name, text) in &pages {
        let section = name.rsplit('.').next().unwrap_or("1");
        let section = folder.join(format!("man{section}"));
        std::fs::create_dir_all(&section).map_err(failed(&section))?;
        let path = section.join(name);
        let is_page = |head: &[u8]| {
            let head = String::from_utf8_lossy(head);
            head.contains(".TH ") && head.contains("newswire")
        };
        files::check_target(&path, "a manual page of Newswire", is_page)?;
        std::fs::write(&path, text).map_err(failed(&path))?;
    }
    let first = folder.join("man1/newswire.1");
    let count = pages.len();
    Ok(format!("wrote {count} pages; 'man -l {}' shows the first\n", first.display()))
}

/// The completions of a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "newswire", &mut script);
    completions::with_names(shell, into_text(script))
}

/// What `write` writes, as text.
fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).map_or_else(|_| String::new(), |()| into_text(bytes))
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

fn main_page(command: &Command) -> String {
    let man = Man::new(command.clone()).date(DATE).source(VERSION).manual("Newswire");
    let mut page = written(|out| {
        man.render_title(out)?;
        man.render_name_section(out)?;
        man.render_synopsis_section(out)?;
        man.render_description_section(out)?;
        man.render_options_section(out)?;
        man.render_subcommands_section(out)
    });
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        tagged(&mut roff, &(*exit as u8).to_string(), exit.meaning());
    }
    roff.control("PP", [] as [&str; 0]);
    roff.text([roman(
        "Each error message ends with a code; newswire explain CODE and newswire-codes(7) describe its causes \
         and remedies. A feed that fails does not fail the command.",
    )]);
    files_and_environment(&mut roff);
    roff.control("SH", ["SIGNALS"]);
    tagged(
        &mut roff,
        "SIGTERM, SIGINT",
        "newswire run finishes its work and exits; newswire poll starts no further poll, publishes and exits; a second signal \
         ends them immediately",
    );
    tagged(
        &mut roff,
        "SIGHUP",
        "newswire run loads its config again, as newswire reload does; started on a terminal, it exits",
    );
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("newswire.toml(5), newswire-feeds(7), newswire-codes(7)")]);
    page.push_str(&roff.to_roff());
    page
}

fn files_and_environment(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for (file, what) in [
        (
            "newswire.toml",
            "the config file: the first of ./newswire.toml, ~/.config/newswire/newswire.toml and /etc/newswire/newswire.toml",
        ),
        (
            "newswire.db",
            "the database, in the StateDirectory of the systemd unit or in the folder of the config",
        ),
        (
            "newswire.db.lock",
            "locked by the process that writes to the database; contains its process id",
        ),
        (
            "newswire.sock",
            "the control socket of the running daemon, for newswire poll FEED, reload and others",
        ),
    ] {
        tagged(roff, file, what);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, what) in [
        (
            "NEWSWIRE_SECTION_KEY",
            "replaces a value of the config, such as NEWSWIRE_WEB_LISTEN for listen in [web]; newswire explain KEY \
             names the variable of a key; a list has commas between its values",
        ),
        (
            "XDG_CONFIG_HOME",
            "searched for the config instead of ~/.config, if it is an absolute path",
        ),
        ("STATE_DIRECTORY", "base folder of relative paths in the config; set by systemd"),
        (
            "CREDENTIALS_DIRECTORY",
            "folder that { credential = \"…\" } is read from; set by systemd",
        ),
        ("TMPDIR", "folder for the copies of the database of replay and poll --dry-run"),
        (
            "NO_COLOR",
            "if set, output has no colours and no other escape sequences, as with TERM=dumb",
        ),
    ] {
        tagged(roff, name, what);
    }
}

fn sub_page(man: &Man) -> String {
    let mut page = written(|out| {
        man.render_title(out)?;
        man.render_name_section(out)?;
        man.render_synopsis_section(out)?;
        man.render_description_section(out)?;
        man.render_options_section(out)
    });
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("newswire(1) for exit codes and files, newswire.toml(5), newswire-codes(7)")]);
    page.push_str(&roff.to_roff());
    page
}

/// Every key of the config.
fn config_page() -> String {
    let mut roff = Roff::new();
    roff.control("TH", ["newswire.toml", "5", DATE, VERSION, "Newswire"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman("newswire.toml - the config of newswire")]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(
        "A TOML file that is read strictly: an unknown key is an error. newswire init writes one with every key, \
         newswire check reports all errors.",
    )]);
    roff.control("PP", [] as [&str; 0]);
    roff.text([roman(
        "Durations are written \"45s\", \"30m\", \"1h 30m\", \"2d\", sizes \"512 KiB\", \"10 MiB\". Relative paths start \
         in $STATE_DIRECTORY, which systemd sets, otherwise in the folder of the file. A secret is never a value of \
         the file: write { file = \"…\" }, { credential = \"…\" } or { env = \"…\" }.",
    )]);
    for section in Section::all() {
        let heading = match section {
            Section::Top => "TOP OF THE FILE",
            Section::Rules => "INCLUDE AND EXCLUDE",
            section => section.heading(),
        };
        roff.control("SH", [heading]);
        roff.text([roman(section.doc())]);
        for key in section.keys() {
            let mut shown = [key.doc, key.details].join(" ").trim_end().to_owned();
            let sections: Vec<&str> = key.sections().skip(1).collect();
            for (name, value) in [
                ("Default", key.default),
                ("Range", key.range().as_str()),
                ("Also in", sections.join(", ").as_str()),
                ("Example", format!("{} = {}", key.name, key.example).as_str()),
            ] {
                if !value.is_empty() {
                    shown.push_str(&format!(" {name}: {value}."));
                }
            }
            tagged(&mut roff, key.name, &shown);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("newswire(1), newswire-feeds(7), newswire-codes(7)")]);
    roff.to_roff()
}

fn tagged(roff: &mut Roff, tag: &str, text: &str) {
    roff.control("TP", [] as [&str; 0]);
    roff.text([bold(tag)]);
    roff.text([roman(text)]);
}

/// A manual page of a Markdown text: headings, paragraphs, lists and code blocks. `head` is name, section, date and version.
fn markdown_page(head: (&str, &str, &str, &str), what: &str, text: &str) -> String {
    let mut roff = Roff::new();
    let (name, section, date, version) = head;
    roff.control("TH", [name, section, date, version, "Newswire"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {what}"))]);
    roff.control("SH", ["DESCRIPTION"]);
    let mut headed = true;
    for block in text.split("\n\n").map(|block| block.trim_matches('\n')) {
        // The first paragraph after a heading needs no macro.
        if !headed && is_running(block) {
            roff.control("PP", [] as [&str; 0]);
        }
        put(&mut roff, block);
        headed = block.starts_with('#') || block.is_empty();
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("newswire(1), newswire.toml(5)")]);
    roff.to_roff()
}

fn put(roff: &mut Roff, block: &str) {
    const NONE: [&str; 0] = [];
    if let Some(heading) = block.strip_prefix("### ") {
        roff.control("SS", [heading]);
    } else if let Some(heading) = block.strip_prefix("## ") {
        roff.control("SH", [heading.to_uppercase().as_str()]);
    } else if block.starts_with("# ") || block.is_empty() {
        // The title is the name of the page.
    } else if block.starts_with("    ") {
        roff.control("RS", ["4"]);
        roff.control("nf", NONE);
        for line in block.lines() {
            roff.text([roman(line.strip_prefix("    ").unwrap_or(line))]);
        }
        roff.control("fi", NONE);
        roff.control("RE", NONE);
    } else if let Some(entries) = block.strip_prefix("- ") {
        for entry in entries.split("\n- ") {
            roff.control("IP", ["-", "2"]);
            roff.text(inlines(entry));
        }
    } else {
        roff.text(inlines(block));
    }
}

fn is_running(block: &str) -> bool {
    !block.is_empty() && !["#", "    ", "- "].iter().any(|start| block.starts_with(start))
}

/// Splits a line into plain text and text in bold, which is between backticks in the source.
fn inlines(text: &str) -> Vec<Inline> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = text.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 0 { roman(part) } else { bold(part) }).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;
    use crate::config::KEYS;

    fn page(name: &str) -> String {
        let found = pages().into_iter().find(|(file, _)| file == name);
        // Without escapes, as on the screen.
        found.expect(name).1.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
    }

    #[test]
    fn every_subcommand_has_a_page_with_its_options() {
        let mut command = Cli::command();
        command.build();
        let main = page("newswire.1");
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = format!("newswire-{}", inner.get_name());
            assert!(main.contains(&format!("{name}(1)")), "{name} is not named in newswire(1)");
            let text = page(&format!("{name}.1"));
            for option in inner.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(text.contains(&format!("--{option}")), "{name}: --{option}\n{text}");
            }
        }
    }

    #[test]
    fn the_pages_have_every_exit_code_every_key_and_every_code() {
        let main = page("newswire.1");
        for exit in Exit::ALL {
            assert!(main.contains(&format!("{}\n{}", *exit as u8, exit.meaning())), "{exit:?}");
        }
        let config = page("newswire.toml.5");
        for key in KEYS {
            assert!(config.contains(&format!("\n{}\n", key.name)), "{}", key.path());
        }
        let codes = page("newswire-codes.7");
        for text in code::texts() {
            assert!(codes.contains(&format!(".SS {}\n", text.code)), "{}", text.code);
        }
    }

    #[test]
    fn every_shell_completes_every_subcommand_and_option() {
        let mut command = Cli::command();
        command.build();
        for shell in Shell::value_variants() {
            let script = completions(*shell);
            for inner in command.get_subcommands() {
                assert!(script.contains(inner.get_name()), "{shell}: {}", inner.get_name());
                for option in inner.get_arguments().filter_map(clap::Arg::get_long) {
                    assert!(script.contains(option), "{shell}: {option}");
                }
            }
        }
    }

    #[test]
    fn the_used_markdown_is_converted() {
        let text =
            "# Title\n\nOne `two`\nthree.\n\n## Part\n\n### a_b\n\n- x\n- y\n\n    code -f\n";
        let page = markdown_page(("n", "7", "2026-01-01", "newswire 1"), "what", text);
        for part in [".SH PART", ".SS a_b", "One \\fBtwo\\fR three.", ".IP", ".nf\ncode \\-f\n.fi"]
        {
            assert!(page.contains(part), "{part:?} is missing in\n{page}");
        }
    }
}

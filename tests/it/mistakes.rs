//! Every mistake that a config can hold, with its place, what was meant, and what to do.

mod dedupe;
mod feed;
mod fetch;
mod log;
mod nesting;
mod output;
mod places;
mod rules;
mod schedule;
mod secrets;
mod server;
mod subscriptions;
mod syntax;
mod web;

use std::path::Path;

use newswire::config::{Diagnostic, Files, Loaded, PathChecks, Severity, Style};
use proptest::prelude::*;

use crate::cli::newswire;
use crate::support::empty_folder;

/// A config with one mistake in it.
struct Case {
    text: &'static str,
    /// Line and column of the mistake.
    at: &'static str,
    code: &'static str,
    /// A part of what is drawn.
    says: &'static str,
    /// The suggestion; empty: none.
    instead: &'static str,
}

const fn case(
    text: &'static str,
    at: &'static str,
    code: &'static str,
    says: &'static str,
) -> Case {
    Case { text, at, code, says, instead: "" }
}

impl Case {
    const fn instead(self, instead: &'static str) -> Self {
        Self { instead, ..self }
    }
}

const ALL: &[&[Case]] = &[
    syntax::CASES,
    schedule::CASES,
    fetch::CASES,
    dedupe::CASES,
    places::CASES,
    web::CASES,
    log::CASES,
    output::CASES,
    rules::CASES,
    feed::CASES,
    server::CASES,
    subscriptions::CASES,
    secrets::CASES,
    nesting::CASES,
];

/// Configs with an error each.
pub(crate) fn broken_configs() -> impl Iterator<Item = &'static str> {
    ALL.iter().copied().flatten().map(|case| case.text)
}

fn read(text: &str) -> Loaded {
    // The database's own place is looked at, too.
    let state = std::env::temp_dir();
    let files = Files::one(text.to_owned(), Path::new("newswire.toml"), &state);
    files.read(PathChecks::Writing)
}

#[test]
fn every_error_has_its_place_and_a_remedy() {
    let mut wrong = String::new();
    let mut count = 0;
    for case in ALL.iter().copied().flatten() {
        count += 1;
        let Loaded { config, report, .. } = read(case.text);
        let drawn = report.draw(Style::Plain);
        let errors = || report.diagnostics.iter().filter(|fault| fault.severity == Severity::Error);
        let place = |fault: &Diagnostic| {
            let (line, column) = report.position(fault.span.clone().unwrap_or_default().start);
            format!("{line}:{column}")
        };
        let told = errors().next().map(|fault| (place(fault), fault.code));
        let instead = errors().next().and_then(|fault| fault.suggestion.as_deref());
        let right = config.is_none()
            && told == Some((case.at.to_owned(), case.code))
            && drawn.contains(case.says)
            && drawn.contains(&format!("newswire.toml:{}\n", case.at))
            && (case.instead.is_empty() || instead == Some(case.instead));
        if !right || errors().count() != 1 {
            let Case { text, at, code, says, instead } = case;
            wrong.push_str(&format!(
                "----\n{text}\n=> {at} {code} {says:?} {instead:?}, but:\n{drawn}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 180, "{count}");
}

#[test]
fn every_mistake_ends_the_program_with_78_and_no_panic() {
    let folder = empty_folder();
    // One of each table: each runs as a separate process.
    for case in ALL.iter().filter_map(|cases| cases.last()) {
        std::fs::write(folder.path().join("newswire.toml"), case.text).unwrap();
        let said = newswire(folder.path(), &["check"]);
        let place = format!("newswire.toml:{}\n", case.at);
        assert!(said.code == 78 && said.out.contains(&place), "{}\n{}", said.out, said.err);
        assert!(said.out.contains(&format!("newswire explain {}", case.code)), "{}", said.out);
        assert_eq!(said.err, "");
    }
}

#[test]
fn a_line_that_cannot_be_read_hides_no_other_mistake() {
    let text = "version = 1\n[schedule]\ninterval = 1h\nper_host = 99\n[fetch]\nmax_body = \"10\"\n\
        [[output]]\nid = \"A\"\n[log\n[store]\npth = \"x\"\n";
    let report = read(text).report;
    let found = report
        .diagnostics
        .iter()
        .map(|fault| (report.position(fault.span.clone().unwrap_or_default().start), fault.code));
    let found: Vec<_> = found.collect();
    let all = [
        ((3, 12), "syntax"),
        ((4, 12), "out_of_range"),
        ((6, 12), "bad_size"),
        ((8, 6), "bad_id"),
        ((9, 5), "syntax"),
        ((11, 1), "unknown_key"),
    ];
    assert_eq!(found, all, "{}", report.draw(Style::Plain));
}

#[test]
fn contradicting_bounds_are_reported_at_the_later_line() {
    let text = "[schedule]\nmin_interval = \"2h\"\ninterval = \"3h\"\nmax_interval = \"1h\"";
    let report = read(text).report;
    let told = report.diagnostics.iter().filter(|fault| fault.code == "contradiction");
    let told = told.map(|fault| {
        let place = report.position(fault.span.clone().unwrap_or_default().start);
        (place, fault.message.as_str())
    });
    let both = [
        ((4, 16), "interval is longer than max_interval"),
        ((4, 16), "min_interval is longer than max_interval"),
    ];
    assert_eq!(told.collect::<Vec<_>>(), both, "{}", report.draw(Style::Plain));
}

const EXAMPLE: &str = include_str!("../../config.example.toml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Bytes of the example are cut out, doubled and overwritten.
    #[test]
    fn diagnostics_of_any_text_have_a_place_in_it(
        at in 0..EXAMPLE.len(), cut in 0..40_usize, put in "(?s).{0,12}", again in 0..EXAMPLE.len(),
    ) {
        let uncommented = EXAMPLE.replace("\n# ", "\n");
        for whole in [EXAMPLE, &uncommented] {
            let boundary = |mut at: usize| {
                at = at.min(whole.len());
                while !whole.is_char_boundary(at) { at -= 1; }
                at
            };
            let (from, to) = (boundary(at), boundary(at + cut));
            let more = &whole[boundary(again)..boundary(again + cut)];
            let text = format!("{}{put}{more}{}", &whole[..from], &whole[to..]);
            let report = read(&text).report;
            for fault in &report.diagnostics {
                let span = fault.span.clone().unwrap_or_default();
                prop_assert!(span.start <= span.end && span.end <= text.len() + 1, "{fault:?}");
                let (line, column) = report.position(span.start);
                prop_assert!(line >= 1 && column >= 1 && line <= text.lines().count() + 1);
            }
            let drawn = report.draw(Style::Plain) + &report.draw(Style::Coloured);
            prop_assert!(!drawn.is_empty() && report.to_json().is_array());
        }
    }
}

#[test]
fn inline_tables_that_are_nested_deeply_are_rejected() {
    let position = |levels: usize| {
        let text = format!("version = 1\nx = {}1{}", "{a=".repeat(levels), "}".repeat(levels));
        let files = Files::one(text, Path::new("n.toml"), Path::new(""));
        let report = files.read(PathChecks::Existence).report;
        let found = report.diagnostics.iter().find(|found| found.message.contains("nested too"));
        found.and_then(|found| found.span.clone()).map(|span| report.position(span.start))
    };
    assert_eq!(position(200), None);
    assert_eq!(position(201), Some((2, 5 + 3 * 200)));
}

//! Stories of three to 26 carriers and feeds of templates, judged by group: how often a subscriber sees a story,
//! which items share a story wrongly, and whether a published story ever falls apart.
//!
//! `NEWSWIRE_STORIES` names the folders of `tests/fixtures/sameness` to use; `cargo test carriers -- --nocapture`
//! prints the figures.

mod measure;
mod papers;
mod wires;

use std::path::Path;

use measure::{Polls, Report, Similarity};

fn print(report: &str) {
    #[allow(clippy::print_stdout, reason = "the figures are the purpose of the run")]
    {
        println!("{report}");
    }
}

fn is_wire(class: &str) -> bool {
    class.starts_with("wire")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carriers_of_a_story_are_shown_once_and_templates_apart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sameness");
    let folders = std::env::var("NEWSWIRE_STORIES").unwrap_or_else(|_| "first,second".to_owned());
    let mut report = Report::default();
    for (seed, folder) in folders.split(',').enumerate() {
        let mut carriers = wires::stories(&root.join(folder));
        carriers.extend(wires::templates(carriers.len()));
        let start = "2026-03-11T00:00:00Z";
        let (seed, similarity) = (seed as u64 + 7, Similarity::Normal);
        report.measure(&carriers, Polls { start, rounds: 1, parts: 10, seed, similarity }).await;
    }
    let (wires, all, text) =
        (report.total(is_wire), report.total(|_| true), report.text("labelled wires"));
    print(&text);
    assert!(wires.stories >= 30, "{text}");
    assert!(wires.shown_once() >= 0.95 && all.pair_precision() >= 0.99, "{text}");
    assert_eq!(all.fell_apart, 0, "{text}");
}

/// The figures of a fixture of texts.
async fn judge(title: &str, (stories, templates): (&str, &str), aside: bool) -> Report {
    let mut report = Report::default();
    for seed in 0..3 {
        let carriers = papers::carriers(stories, templates, aside, seed);
        let polls = Polls {
            start: "2026-11-28T12:00:00Z",
            rounds: 3,
            parts: 1,
            seed: seed as u64,
            similarity: Similarity::Normal,
        };
        report.measure(&carriers, polls).await;
    }
    print(&report.text(title));
    report
}

const INDEPENDENT: (&str, &str) = (
    include_str!("../fixtures/carriers/stories.txt"),
    include_str!("../fixtures/carriers/templates.txt"),
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stories_of_many_carriers_are_shown_once_and_forms_apart() {
    for aside in [false, true] {
        let report = judge(&format!("papers, aside {aside}"), INDEPENDENT, aside).await;
        let all = report.total(|_| true);
        let text = report.text("");
        assert!(all.shown_once() >= 0.95 && all.pair_precision() >= 0.99, "{text}");
        assert_eq!(all.fell_apart, 0, "{text}");
    }
}

//! Stories of fixtures of texts: a headline or two and four paragraphs, which papers print in one of eight ways.
//! Also forms that feeds fill in.
//!
//! A story begins with `=== name`; then come two headlines and the paragraphs. `{a|b}` is one thing in two house
//! styles, `{a~b}` was corrected later.

use std::collections::BTreeSet;

use super::measure::{Carrier, OTHER};
use crate::sameness::Item;

/// Papers with a footer and a house style each.
const PAPERS: usize = 12;
/// Papers that only a story of many carriers is in.
const MORE_PAPERS: usize = 14;

/// A part of the texts of a fixture.
#[derive(Debug, Clone, std::marker::Copy, PartialEq)]
pub(super) enum Part {
    /// The texts that the rules were set on.
    Work,
    /// Every third text, which is only measured.
    Aside,
    /// All texts.
    All,
}

impl Part {
    fn has(self, place: usize) -> bool {
        self == Self::All || (place % 3 == 2) == (self == Self::Aside)
    }
}

/// A copy of a story in a paper.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) story: String,
    pub(super) paper: usize,
    pub(super) title: String,
    pub(super) paragraphs: Vec<String>,
}

/// When and where a copy is printed.
#[derive(Debug, Clone, std::marker::Copy)]
pub(super) struct Printed {
    /// Its place among all copies.
    pub(super) number: usize,
    pub(super) seed: usize,
    /// Minutes after 04:00.
    pub(super) minutes: usize,
    /// The first round of polls in which the feed shows it.
    pub(super) round: usize,
}

/// The sections of a fixture: a name and its lines.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("=== ") {
            Some(name) => found.push((name, Vec::new())),
            None => found.last_mut().expect("a name first").1.push(line),
        }
    }
    found
}

/// A number that looks drawn by chance and is the same in every run.
pub(super) fn draw(parts: &[usize]) -> usize {
    let mixed = parts.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, part| {
        let hash = (hash ^ *part as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash ^ (hash >> 29)
    });
    (mixed >> 8) as usize
}

/// A text in one house style, before or after its correction.
fn styled(text: &str, second: bool, corrected: bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (inside, after) = behind.split_once('}').expect("a closed brace");
        let choice = inside.split_once('|').map(|both| (both, second));
        let choice = choice.or_else(|| inside.split_once('~').map(|both| (both, corrected)));
        let ((a, b), second) = choice.expect("two forms");
        out.push_str(before);
        out.push_str(if second { b } else { a });
        rest = after;
    }
    out + rest
}

/// One of eight ways in which a paper prints a story.
fn edited(lines: &[&str], edit: usize, paper: usize) -> (String, Vec<String>) {
    let second = matches!(edit, 1 | 3 | 6);
    let text = |corrected| -> Vec<String> {
        lines[2..].iter().map(|line| styled(line, second, corrected)).collect()
    };
    let (first, other) = (lines[0], lines[1]);
    let whole = text(false);
    match edit {
        0 => (first.to_owned(), whole),
        1 => (other.to_owned(), whole),
        2 => (first.to_owned(), whole[..2].to_vec()),
        3 => (format!("{first} | Paper {paper}"), [&whole[..2], &whole[3..]].concat()),
        4 => {
            let words: Vec<&str> = whole[0].split_whitespace().take(26).collect();
            (other.to_owned(), vec![words.join(" ") + " …"])
        }
        5 => (format!("UPDATE 1-{first}"), text(true)),
        6 => {
            let local =
                format!("Readers of paper {paper} who were there may write to the editors.");
            let order = [whole[0].clone(), whole[1].clone(), whole[3].clone(), whole[2].clone()];
            (other.to_owned(), [order.to_vec(), vec![local]].concat())
        }
        _ => (format!("BREAKING: {first}"), whole[..3].to_vec()),
    }
}

/// The copies of every third story (set aside) or of the others, as `seed` draws their edits.
fn copies(texts: &str, part: Part, seed: usize) -> Vec<Copy> {
    let stories = sections(texts);
    let chosen = stories.iter().enumerate().filter(|(i, _)| part.has(*i));
    let mut copies = Vec::new();
    for (i, (name, lines)) in chosen {
        let mut add = |class: &str, paper: usize, (title, paragraphs): (String, Vec<String>)| {
            let story = format!("{class}/{name}");
            copies.push(Copy { story, paper, title, paragraphs });
        };
        let place = |j: usize| (i * 5 + seed * 3 + j) % PAPERS;
        if seed == 2 {
            // A headline alone, in two papers, and a teaser in other words in a third.
            let teaser = styled(lines[4], true, false);
            let teaser = teaser.split(". ").next().unwrap_or_default().to_owned();
            add("headlines", place(0), (lines[0].to_owned(), Vec::new()));
            add("headlines", place(1), (lines[0].to_owned(), Vec::new()));
            add("headlines", place(2), (lines[0].to_owned(), vec![teaser]));
            continue;
        }
        let (many, start) = (i % 9 == 4, draw(&[i, seed]) % 8);
        let (class, carriers) = match many {
            true => ("many", PAPERS + MORE_PAPERS),
            false => ("wire", 3 + draw(&[i, seed, 7]) % 6),
        };
        for j in 0..carriers {
            let paper = if many { j } else { place(j) };
            add(class, paper, edited(lines, (start + j * 3) % 8, paper));
        }
    }
    copies
}

/// Forms, each filled in by two separate feeds; they share the first filling.
fn forms(texts: &str, part: Part) -> Vec<Copy> {
    let mut copies = Vec::new();
    for (i, (name, lines)) in sections(texts).into_iter().enumerate() {
        if !part.has(i) {
            continue;
        }
        for (n, filling) in lines[2..].iter().enumerate() {
            let fill = |frame: &str| {
                let fields = filling.split(" / ").enumerate();
                fields.fold(frame.to_owned(), |text, (at, field)| {
                    text.replace(&format!("[{}]", at + 1), field)
                })
            };
            for side in 0..2 {
                if n == 0 || n % 2 == side {
                    copies.push(Copy {
                        story: format!("forms/{name} {n}"),
                        paper: 100 + i * 2 + side,
                        title: fill(lines[0]),
                        paragraphs: vec![fill(lines[1])],
                    });
                }
            }
        }
    }
    copies
}

/// Other news of a paper: words that nothing else has.
pub(super) fn other_news(paper: usize, seed: usize) -> Vec<Copy> {
    let word = |n: usize| -> String {
        let syllable = |k| ["ka", "lo", "mi", "ter", "zun", "pe", "ri", "osh"][draw(&[n, k]) % 8];
        (0..3).map(syllable).collect()
    };
    let text = |from: usize, words: usize| -> String {
        (from..from + words).map(|n| word(draw(&[paper, seed, n])) + " ").collect()
    };
    let news = (0..10).map(|n| Copy {
        story: format!("{OTHER}/{n} of {paper}"),
        paper,
        title: text(n * 1_000, 6),
        paragraphs: vec![text(n * 1_000 + 10, 70)],
    });
    news.collect()
}

/// The carriers of the stories and forms of these texts. Every third text is set aside; `seed` draws the edits and
/// the times.
pub(super) fn carriers(stories: &str, templates: &str, part: Part, seed: usize) -> Vec<Carrier> {
    let mut all = copies(stories, part, seed);
    all.extend(if seed == 0 { forms(templates, part) } else { Vec::new() });
    let papers: BTreeSet<usize> = all.iter().map(|copy| copy.paper).collect();
    all.extend(papers.into_iter().flat_map(|paper| other_news(paper, seed)));
    let place = |(n, copy): (usize, Copy)| {
        let when = draw(&[n, seed, 3]);
        let round = if copy.story.starts_with(OTHER) { 0 } else { when % 3 };
        let minutes = when % 7 * 60 + when % 60;
        printed(copy, Printed { number: n, seed, minutes, round })
    };
    all.into_iter().enumerate().map(place).collect()
}

/// A copy as its paper prints it, over the footer of the paper.
pub(super) fn printed(copy: Copy, at: Printed) -> Carrier {
    let Printed { number: n, seed, minutes, round } = at;
    let Copy { story, paper, title, paragraphs } = copy;
    let footer = format!(
        "<p>Paper {paper} is printed in street {paper} by people who like to read.</p>\
         <p>Read also: what we wrote yesterday</p>"
    );
    let text: String = paragraphs.iter().map(|p| format!("<p>{}</p>", escaped(p))).collect();
    let item = Item {
        title: Some(title),
        url: Some(format!("https://paper{paper}.test/{seed}/{n}")),
        guid: Some(format!("{story}#{paper}")),
        published: Some(format!("2026-11-28T{:02}:{:02}:00Z", 4 + minutes / 60, minutes % 60)),
        content: Some(if text.is_empty() { text } else { text + &footer }),
        summary: None,
    };
    Carrier { host: format!("paper{paper}.test"), story, round, item }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

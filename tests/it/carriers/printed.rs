//! Stories that are written out in full for each paper, as it would print them.
//!
//! `=== name | wire` begins a story, `=== name | apart` items that are a story each. `--- paper | minutes` begins an
//! item: its paper, the minutes after the first publication of the day, then the headline and the paragraphs.

use super::measure::{Carrier, OTHER};
use super::papers::{Copy, Printed, draw, other_news, printed};

/// The carriers of the texts of a set; `seed` draws the rounds.
pub(super) fn carriers(texts: &str, seed: usize) -> Vec<Carrier> {
    let mut copies: Vec<(Copy, usize)> = Vec::new();
    let (mut name, mut class) = ("", "");
    for line in
        texts.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(head) = line.strip_prefix("=== ") {
            (name, class) = head.split_once(" | ").expect("name and class");
        } else if let Some(head) = line.strip_prefix("--- ") {
            let (paper, minutes) = head.split_once(" | ").expect("paper and minutes");
            let number = |text: &str| text.trim().parse::<usize>().expect("a number");
            let story = match class {
                "wire" => format!("wire/{name}"),
                _ => format!("apart/{name} {}", copies.len()),
            };
            let (title, paragraphs) = (String::new(), Vec::new());
            copies.push((Copy { story, paper: number(paper), title, paragraphs }, number(minutes)));
        } else {
            let copy = &mut copies.last_mut().expect("an item first").0;
            match copy.title.is_empty() {
                true => copy.title = line.to_owned(),
                false => copy.paragraphs.push(line.to_owned()),
            }
        }
    }
    let mut papers: Vec<usize> = copies.iter().map(|(copy, _)| copy.paper).collect();
    papers.sort_unstable();
    papers.dedup();
    let others = papers.into_iter().flat_map(|paper| other_news(paper, seed));
    copies.extend(others.map(|copy| (copy, 0)));
    let place = |(n, (copy, minutes)): (usize, (Copy, usize))| {
        let round = if copy.story.starts_with(OTHER) { 0 } else { draw(&[n, seed, 3]) % 3 };
        printed(copy, Printed { number: n, seed, minutes, round })
    };
    copies.into_iter().enumerate().map(place).collect()
}

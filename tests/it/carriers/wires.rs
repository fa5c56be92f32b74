//! Stories made of the labelled wire texts of `tests/fixtures/sameness`: both versions of a pair, and further
//! carriers that are edited as papers edit. Also templates that feeds fill in.

use std::path::Path;

use super::measure::Carrier;
use crate::sameness::{Item, same_pairs};

const FEEDS: usize = 40;

/// Replaces each word that one of `pairs` names.
fn restyled(text: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in pairs {
        text = text.replace(from, to);
    }
    text
}

const STYLE: &[(&str, &str)] = &[
    (" said", " told reporters"),
    ("percent", "per cent"),
    ("kilometres", "km"),
    ("kilometers", "km"),
    ("centre", "center"),
    ("harbour", "harbor"),
    ("colour", "color"),
    ("programme", "program"),
    ("organis", "organiz"),
    ("labour", "labor"),
    ("Prime Minister", "premier"),
    ("“", "\""),
    ("”", "\""),
    (" three ", " 3 "),
    (" four ", " 4 "),
    (" twelve ", " 12 "),
];

/// Weekdays as dates, in the house style of a paper that prints no weekdays.
fn dated(text: &str, published: Option<&str>) -> String {
    let Some(at) = published.and_then(|at| at.parse::<jiff::Timestamp>().ok()) else {
        return text.to_owned();
    };
    let today = jiff::tz::Offset::UTC.to_datetime(at).date();
    (0..6).fold(text.to_owned(), |text, back| {
        let day = today.saturating_sub(jiff::Span::new().days(back));
        text.replace(
            &format!("on {}", day.strftime("%A")),
            &format!("on {}", day.strftime("%b. %-d")),
        )
    })
}

/// The version of paper `n` of a text.
fn edited(item: &Item, other: &Item, n: usize) -> Item {
    let text = item.content.clone().or(item.summary.clone()).unwrap_or_default();
    let paragraphs: Vec<&str> = text.split_inclusive("</p>").collect();
    let title = item.title.clone().unwrap_or_default();
    let other_title = other.title.clone().unwrap_or_default();
    let (title, text) = match n % 6 {
        0 => (format!("{other_title}, officials say"), dated(&text, item.published.as_deref())),
        1 => {
            let most = (paragraphs.len() * 2).div_ceil(3);
            (
                title,
                format!("{}<p>Read the full story on our site.</p>", paragraphs[..most].concat()),
            )
        }
        2 => (other_title, paragraphs[..paragraphs.len().min(2)].concat()),
        3 => (format!("BREAKING: {title}"), restyled(&text, STYLE)),
        4 => {
            let last = paragraphs.len().saturating_sub(1);
            let own = "<p>Our correspondent on the spot adds that people here are waiting for more news.</p>";
            (title, format!("{}{own}{}", paragraphs[..last].concat(), paragraphs[last..].concat()))
        }
        _ => (other_title, dated(&restyled(&text, STYLE), item.published.as_deref())),
    };
    Item { title: Some(title), content: Some(text), summary: None, ..item.clone() }
}

/// An item as its site prints it: at an address there, over what the site puts under every item.
fn printed(item: Item, host: &str, number: usize) -> Item {
    let footer = format!("<p>Sign up for the newsletter of {host} and read us every morning.</p>");
    Item {
        url: Some(format!("https://{host}/{number}")),
        guid: None,
        content: item.content.map(|text| text + &footer),
        ..item
    }
}

/// The carriers of the wire texts of a folder.
pub(super) fn stories(folder: &Path) -> Vec<Carrier> {
    let classes = ["wire-abridged", "wire-furniture", "wire-headline", "wire-languages"];
    let pairs = classes.iter().flat_map(|class| {
        let pairs = same_pairs(&folder.join(format!("{class}.toml")));
        pairs.into_iter().map(|pair| ((*class).to_owned(), pair))
    });
    let mut carriers = Vec::new();
    for (at, (class, (name, a, b))) in pairs.enumerate() {
        let edits = (0..at % 6 + 1).map(|n| edited(&a, &b, n + at));
        let items: Vec<Item> = [a.clone(), b.clone()].into_iter().chain(edits).collect();
        for (n, item) in items.into_iter().enumerate() {
            let host = format!("paper{}-wire.test", (at * 7 + n * 3) % FEEDS);
            let story = format!("{class}/{name}");
            let item = printed(item, &host, carriers.len());
            carriers.push(Carrier { story, host, round: 0, item });
        }
    }
    carriers
}

/// The frame of a template, its slots as `{0}`, `{1}` and `{2}`.
const FRAMES: &[(&str, &str, &str)] = &[
    (
        "cve",
        "{0}: {1} vulnerability",
        "<p>A flaw was found in {0}. A remote attacker could exploit it by sending a crafted request that \
         triggers {1} in {2}, which leads to a loss of confidentiality and integrity. Users are advised to \
         upgrade to the fixed version as soon as possible. No workaround is known at this time.</p>",
    ),
    (
        "packages",
        "[updates] {0} package updated",
        "<p>An updated package of {0} is available for all supported releases. The update corrects {1} that \
         was reported in {2}. Install it with the package manager and restart the services that use it.</p>",
    ),
    (
        "puzzles",
        "Hints for today's word: {0}",
        "<p>Need help with today's word puzzle? The word begins with the letter of {0}, it has to do with {1} \
         and it rhymes with {2}. Scroll down for the full answer, and come back tomorrow for more hints.</p>",
    ),
    (
        "listings",
        "For rent: flat near {0}",
        "<p>A bright flat near {0} with {1}, close to {2} and to public transport. The kitchen is fitted, the \
         bath has a window, heating is included. Viewings by appointment only, no agents please.</p>",
    ),
    (
        "earnings",
        "{0} reports quarterly results",
        "<p>The maker of {0} reported its results for the quarter before the market opened. Revenue from {1} \
         grew more than analysts had expected, while {2} weighed on the margin. The board confirmed its \
         outlook for the full year and will propose an unchanged dividend.</p>",
    ),
    (
        "horoscopes",
        "Your day: {0}",
        "<p>Today the stars favour {0}. Be careful with {1} in the morning, and do not let {2} spoil your \
         evening. Someone close to you has good news. Your lucky hour comes when you least expect it.</p>",
    ),
    (
        "weather",
        "Weather for {0}",
        "<p>In {0} the day begins with {1}, and from noon on {2} is expected. The wind blows lightly from the \
         west. At night it stays dry with clear spells. The outlook for the rest of the week is unsettled.</p>",
    ),
    (
        "jobs",
        "Job: {0} wanted",
        "<p>We look for people with experience in {0} to join our team. You will work on {1} together with \
         colleagues from {2}. We offer flexible hours, a yearly budget for training and thirty days of \
         holiday. Send us your application with the usual documents.</p>",
    ),
];

/// What fills the slots, by a number.
fn filling(n: usize) -> String {
    const HOW: [&str; 12] = [
        "old", "remote", "silver", "broken", "northern", "quiet", "hidden", "wooden", "rapid",
        "double", "narrow", "public",
    ];
    const WHAT: [&str; 13] = [
        "backup scheduler",
        "path handling",
        "mirror",
        "bridge",
        "garden",
        "printer queue",
        "river",
        "ledger",
        "session cache",
        "market hall",
        "lantern",
        "parser",
        "school",
    ];
    format!("{} {}", HOW[n % HOW.len()], WHAT[n % WHAT.len()])
}

/// Three feeds of each template with 12 items each, of which two are the same in all three. The addresses of the
/// items are numbered from `from`.
pub(super) fn templates(from: usize) -> Vec<Carrier> {
    let mut carriers = Vec::new();
    for (class, title, text) in FRAMES {
        for feed in 0..3 {
            for n in 0..12 {
                let what = if n < 2 { n } else { 2 + feed * 10 + n };
                let slots = [filling(what), filling(what * 5 + 3), filling(what * 7 + 1)];
                let fill = |text: &str| {
                    (0..3).fold(text.to_owned(), |text, k| {
                        text.replace(&format!("{{{k}}}"), &slots[k])
                    })
                };
                let item = Item {
                    title: Some(fill(title)),
                    published: Some("2026-03-10T08:00:00Z".to_owned()),
                    content: Some(fill(text)),
                    ..Item::default()
                };
                let host = format!("{class}{feed}-template.test");
                let story = format!("{class}/{what}");
                let item = printed(item, &host, from + carriers.len());
                carriers.push(Carrier { story, host, round: 0, item });
            }
        }
    }
    carriers
}

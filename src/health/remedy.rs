//! What the operator may do about a feed: a sentence, and the lines of the config to change. What is
//! said of a failure comes from `docs/codes.md`, so that pages and `newswire explain` say the same.

use super::silence::Silence;
use super::state::State;
use crate::model::{FailureKind, FeedStatus, code};

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// A sentence, plain.
    pub text: String,
    /// The feed's block as it should be; `None`: nothing in the config would help.
    pub toml: Option<String>,
    /// A command that does it; `None`: there is none.
    pub command: Option<String>,
}

impl Remedy {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), toml: None, command: None }
    }

    fn toml(self, status: &FeedStatus, lines: &[&str]) -> Self {
        let url = format!("url = {}", quoted(&status.info.url));
        let block = ["[[feed]]", &url].into_iter().chain(lines.iter().copied());
        Self { toml: Some(block.collect::<Vec<_>>().join("\n")), ..self }
    }

    fn command(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }
}

/// What to do about a feed in this state; `None`: nothing.
pub(super) fn of(
    status: &FeedStatus,
    state: State,
    failure: Option<FailureKind>,
) -> Option<Remedy> {
    let id = &status.info.id;
    match state {
        State::Failing => Some(failed(status, failure?)),
        State::Quarantined => Some(failed(status, FailureKind::Panicked)),
        State::Gone => Some(
            Remedy::text("Remove the feed from the config; what it brought stays. It is asked once a week, in case it comes back.")
                .toml(status, &["# remove this block"]),
        ),
        State::Throttled => Some(
            Remedy::text("Nothing, unless it lasts for days: then poll it less often.")
                .toml(status, &["interval = \"6h\""]),
        ),
        State::Held => Some(
            Remedy::text("Look at the items; if they are news, let them through.")
                .command(format!("newswire release {id}")),
        ),
        State::Moved => {
            let to = status.address.effective.as_ref()?;
            Some(moved(to.as_str()))
        }
        State::Silent | State::Offline | State::New | State::Well => None,
    }
}

/// The feed's block with the address where it lives now.
fn moved(to: &str) -> Remedy {
    let toml = format!("[[feed]]\nurl = {}", quoted(to));
    let text = "Write the new address into the config; the feed keeps its items.";
    Remedy { toml: Some(toml), ..Remedy::text(text) }
}

/// What to do about a feed that has gone dead.
pub(super) fn silent(status: &FeedStatus, kind: Silence) -> Remedy {
    let site = status.info.profile.site_url.as_deref();
    let look = match site {
        Some(site) => format!("Look at {site}"),
        None => "Look at the site".to_owned(),
    };
    let add = site.map(|site| format!("newswire add --print {}", shell(site)));
    let remedy = match kind {
        Silence::StuckValidator | Silence::FrozenCopy => Remedy::text(format!(
            "{look}: if there are newer items, a cache before the feed is stuck and its publisher should know; if not, it has ended."
        )),
        Silence::OldItems | Silence::EmptyDocument => Remedy::text(format!(
            "{look}: the feed may have moved to another address, or have ended."
        )),
        Silence::SoftNotFound => Remedy::text(format!(
            "{look} for the feed's new address: the page that comes instead may name it."
        )),
    };
    Remedy { command: add, ..remedy }
}

/// What to do about a feed that fails.
fn failed(status: &FeedStatus, kind: FailureKind) -> Remedy {
    let remedy = Remedy::text(advice(kind));
    let line = LINES.iter().find(|(of, _)| *of == kind);
    let remedy = match line {
        Some((_, line)) => remedy.toml(status, &[line]),
        None => remedy,
    };
    match (kind, &status.last_url) {
        (FailureKind::DifferentFeed, Some(to)) => Remedy { text: remedy.text, ..moved(to) },
        (FailureKind::Malformed, _) => {
            remedy.command(format!("newswire probe {}", shell(&status.info.url)))
        }
        (FailureKind::Panicked, _) => remedy.command(format!("newswire why {}", status.info.id)),
        _ => remedy,
    }
}

/// Where the texts of failures stand in `docs/codes.md`.
const FAILURES: &str = "Why a feed fails";

/// What `newswire explain` says to do, as a plain sentence.
fn advice(kind: FailureKind) -> String {
    let text = code::of(kind.slug()).find(|text| text.group == FAILURES);
    let words = text.map_or("", |text| text.remedy).split_whitespace();
    let plain = words.collect::<Vec<_>>().join(" ").replace('`', "'");
    let mut letters = plain.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// For a kind of failure a line for the feed's block in the config.
const LINES: &[(FailureKind, &str)] = &[
    (FailureKind::BadUrl, "# correct the address"),
    (FailureKind::NameNotFound, "# change the address, or remove this block"),
    (
        FailureKind::BlockedAddress,
        "allow_networks = [\"192.168.1.0/24\"]  # the network of the server",
    ),
    (FailureKind::Tls, "ca = \"/etc/newswire/ca.pem\""),
    (FailureKind::Timeout, "timeout = \"3m\""),
    (FailureKind::TooManyRedirects, "# change the address"),
    (FailureKind::Unauthorized, "authorization = { file = \"/etc/newswire/feed-login\" }"),
    (FailureKind::Forbidden, "user_agent = \"…\"  # or [fetch] contact = \"https://your.page\""),
    (FailureKind::NotFound, "# change the address, or remove this block"),
    (FailureKind::TooLarge, "max_body = \"30 MiB\""),
];

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// One word for a shell, whatever is in it.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_advice_for_every_kind_of_failure() {
        for kind in FailureKind::ALL {
            let advice = advice(*kind);
            assert!(advice.len() > 15 && advice.ends_with('.'), "{kind:?}: {advice:?}");
            assert!(advice.starts_with(char::is_uppercase) || advice.starts_with('\''), "{advice}");
            assert!(!advice.contains(['`', '\n']), "{advice}");
            assert!(LINES.iter().filter(|(of, _)| of == kind).count() <= 1, "{kind:?}");
        }
    }

    #[test]
    fn what_to_do_says_the_same_everywhere() {
        // The failure itself says: write the https address of the feed into url.
        let said = advice(FailureKind::InsecureRedirect);
        assert!(said.starts_with("Find the address that stays on https"), "{said}");
    }

    #[test]
    fn whatever_is_in_an_address_stays_in_it() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
        assert_eq!(shell("a'; rm -rf /"), "'a'\\''; rm -rf /'");
    }
}

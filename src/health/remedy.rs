//! Remedies: what the operator can do about a feed. The texts for failures are those of `docs/codes.md`, so
//! that the pages and `newswire explain` agree.

use super::judge::State;
use super::silence::SilenceKind;
use crate::model::{FailureKind, FeedStatus, code};

/// What the operator can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Advice in sentences, plain text.
    pub text: String,
    /// The `[[feed]]` block as it should be; `None`: no change of the config helps.
    pub toml: Option<String>,
    /// A command that helps; `None`: there is none.
    pub command: Option<String>,
}

impl Remedy {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), toml: None, command: None }
    }

    fn toml(self, status: &FeedStatus, lines: &[&str]) -> Self {
        let address = match status.info.url.strip_prefix("file://") {
            Some(path) => format!("file = {}", quoted(path)),
            None => format!("url = {}", quoted(&status.info.url)),
        };
        self.block(status, &address, lines)
    }

    /// The block of a feed with its id, by which its items are found if its address changes.
    fn block(self, status: &FeedStatus, address: &str, lines: &[&str]) -> Self {
        let id = format!("id = {}", quoted(status.info.id.as_str()));
        let block = ["[[feed]]", &id, address].into_iter().chain(lines.iter().copied());
        Self { toml: Some(block.collect::<Vec<_>>().join("\n")), ..self }
    }

    fn command(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }
}

/// The remedy for a feed in this state; `None`: nothing has to be done.
pub(super) fn of_state(
    status: &FeedStatus,
    state: State,
    failure: Option<FailureKind>,
) -> Option<Remedy> {
    let id = &status.info.id;
    match state {
        State::Failing => Some(of_failure(status, failure?)),
        State::Quarantined => Some(of_failure(status, FailureKind::Panicked)),
        State::Gone => Some(
            Remedy::text("Remove the feed from the config; its stories then leave the outputs. In case it comes back, Newswire tries it four more times, once a week, and then not until its [[feed]] changes.")
                .toml(status, &["# remove this block"]),
        ),
        State::Throttled => Some(
            Remedy::text("If this lasts for days, poll the feed less often.")
                .toml(status, &["interval = \"6h\""]),
        ),
        State::Held => Some(
            Remedy::text("Look at the items. If they are new, release them.")
                .command(format!("newswire release {id}")),
        ),
        State::Moved => Some(moved(status, status.address.effective.as_ref()?.as_str())),
        State::Silent | State::Offline | State::Paused | State::New | State::Ok => None,
    }
}

/// The remedy for a moved feed: its block with the new URL.
fn moved(status: &FeedStatus, to: &str) -> Remedy {
    Remedy::text("Put the new URL into the config. The feed keeps its items.").block(
        status,
        &format!("url = {}", quoted(to)),
        &[],
    )
}

/// The remedy for a silent feed.
pub(super) fn of_silence(status: &FeedStatus, kind: SilenceKind) -> Remedy {
    let site = status.info.profile.site_url.as_deref();
    let place = site.unwrap_or("the site of the feed");
    let add = site.map(|site| format!("newswire add --print {}", shell(site)));
    let remedy = match kind {
        SilenceKind::StuckValidator | SilenceKind::FrozenCopy => Remedy::text(format!(
            "Open {place}. If it has newer items, tell the publisher that a cache sends an old copy of the feed. If not, the feed may have ended."
        )),
        SilenceKind::OldItems | SilenceKind::EmptyDocument => Remedy::text(format!(
            "Open {place}. The feed may have moved to another URL, or have ended."
        )),
        SilenceKind::SoftNotFound => Remedy::text(format!(
            "Open {place} and look for the new URL of the feed. The page that is sent instead may link to it."
        )),
    };
    Remedy { command: add, ..remedy }
}

/// The remedy for a failing feed.
fn of_failure(status: &FeedStatus, kind: FailureKind) -> Remedy {
    let remedy = Remedy::text(advice(kind));
    let line = LINES.iter().find(|(of, _)| *of == kind);
    let remedy = match line {
        Some((_, line)) => remedy.toml(status, &[line]),
        None => remedy,
    };
    match (kind, &status.last_url) {
        (FailureKind::DifferentFeed, Some(to)) => Remedy { text: remedy.text, ..moved(status, to) },
        (FailureKind::Malformed, _) => {
            remedy.command(format!("newswire probe {}", shell(&status.info.url)))
        }
        (FailureKind::Panicked, _) => remedy.command(format!("newswire why {}", status.info.id)),
        _ => remedy,
    }
}

/// Section of `docs/codes.md` with the failures.
const FAILURES: &str = "Feed failures";

/// The remedy of `newswire explain` as plain sentences.
fn advice(kind: FailureKind) -> String {
    let text = code::of(kind.slug()).find(|text| text.group == FAILURES);
    let words = text.map_or("", |text| text.remedy).split_whitespace();
    let plain = words.collect::<Vec<_>>().join(" ").replace('`', "'");
    let mut letters = plain.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// For some failures, a line for the `[[feed]]` block.
const LINES: &[(FailureKind, &str)] = &[
    (FailureKind::BadUrl, "# correct the URL"),
    (FailureKind::NameNotFound, "# change the URL, or remove this block"),
    (
        FailureKind::BlockedAddress,
        "allow_networks = [\"192.168.1.0/24\"]  # the network of the server",
    ),
    (FailureKind::NoTls, "# change the port, or write http:// instead of https://"),
    (FailureKind::Tls, "ca = \"/etc/newswire/ca.pem\""),
    (FailureKind::Timeout, "timeout = \"3m\""),
    (FailureKind::TooManyRedirects, "# change the URL"),
    (FailureKind::Unauthorized, "authorization = { file = \"/etc/newswire/feed-login\" }"),
    (FailureKind::NotFound, "# change the URL, or remove this block"),
    (FailureKind::TooLarge, "max_body = \"30 MiB\""),
];

/// The text as a TOML basic string.
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

/// The text as one quoted word for a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_remedy() {
        for kind in FailureKind::ALL {
            let advice = advice(*kind);
            assert!(advice.len() > 15 && advice.ends_with('.'), "{kind:?}: {advice:?}");
            assert!(advice.starts_with(char::is_uppercase) || advice.starts_with('\''), "{advice}");
            assert!(!advice.contains(['`', '\n']), "{advice}");
            assert!(LINES.iter().filter(|(of, _)| of == kind).count() <= 1, "{kind:?}");
        }
    }

    #[test]
    fn remedies_of_failures_are_those_of_explain() {
        let said = advice(FailureKind::InsecureRedirect);
        assert!(said.starts_with("Find the https URL of the feed"), "{said}");
    }

    #[test]
    fn urls_are_quoted_for_toml_and_for_shells() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
        assert_eq!(shell("a'; rm -rf /"), "'a'\\''; rm -rf /'");
    }
}

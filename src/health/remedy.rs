//! What the operator may do about a feed: a sentence, and the lines of the config to change.

use super::silence::Silence;
use super::state::State;
use crate::model::{FailureKind, FeedStatus};

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
    let advice = ADVICE.iter().find(|(of, _, _)| *of == kind);
    let (_, text, line) = advice.copied().unwrap_or((kind, "", ""));
    let remedy = Remedy::text(text);
    let remedy = if line.is_empty() { remedy } else { remedy.toml(status, &[line]) };
    match (kind, &status.last_url) {
        (FailureKind::Stranger, Some(to)) => Remedy { text: remedy.text, ..moved(to) },
        (FailureKind::Malformed, _) => {
            remedy.command(format!("newswire probe {}", shell(&status.info.url)))
        }
        (FailureKind::Panicked, _) => remedy.command(format!("newswire why {}", status.info.id)),
        _ => remedy,
    }
}

/// For each kind of failure a sentence, and a line for the feed's block in the config; empty: none.
const ADVICE: &[(FailureKind, &str, &str)] = &[
    (FailureKind::BadUrl, "Correct the address in the config.", "# correct the address"),
    (
        FailureKind::NameNotFound,
        "Check the spelling of the host; if the site has moved or ended, change or remove the feed.",
        "# change the address, or remove this block",
    ),
    (FailureKind::Resolver, "Check the name server of this machine (/etc/resolv.conf).", ""),
    (
        FailureKind::BlockedAddress,
        "If you mean a server of your own, open its network for this feed.",
        "allow_networks = [\"192.168.1.0/24\"]  # the network of the server",
    ),
    (
        FailureKind::Connect,
        "Nobody answers there. It is tried again by itself; if this lasts for weeks, remove the feed.",
        "",
    ),
    (
        FailureKind::Refused,
        "The server is down. It is tried again by itself; if this lasts for weeks, remove the feed.",
        "",
    ),
    (
        FailureKind::Tls,
        "Its publisher has to renew or mend the certificate; for an authority of your own, name its certificate.",
        "ca = \"/etc/newswire/ca.pem\"",
    ),
    (
        FailureKind::Timeout,
        "The server is slow. If it always is, give it more time.",
        "timeout = \"3m\"",
    ),
    (
        FailureKind::BadResponse,
        "The server's answer is broken. It is tried again by itself; if this lasts, tell its publisher.",
        "",
    ),
    (
        FailureKind::Truncated,
        "The server's answer breaks off. It is tried again by itself; if this lasts, tell its publisher.",
        "",
    ),
    (
        FailureKind::Stranger,
        "The address leads to another feed now: if that is the one you want, write it into the config; if not, remove the feed.",
        "",
    ),
    (
        FailureKind::TooManyRedirects,
        "The redirects go in circles: look for the feed's address on its site.",
        "# change the address",
    ),
    (
        FailureKind::InsecureRedirect,
        "The server leads from https to http. If you accept that, write the http address into the config.",
        "",
    ),
    (
        FailureKind::Unauthorized,
        "The feed asks for a login: give newswire one, in a file that only it can read.",
        "authorization = { file = \"/etc/newswire/feed-login\" }",
    ),
    (
        FailureKind::Forbidden,
        "The server refuses newswire. A contact in the User-Agent often helps; some servers want another User-Agent.",
        "user_agent = \"…\"  # or [fetch] contact = \"https://your.page\"",
    ),
    (
        FailureKind::NotFound,
        "Look for the feed's new address on its site: 'newswire add' takes the site's address and finds the feed.",
        "# change the address, or remove this block",
    ),
    (
        FailureKind::ClientError,
        "The server does not accept the request: open the address in a browser and see what it says.",
        "",
    ),
    (
        FailureKind::ServerError,
        "The server has a fault of its own. It is tried again by itself; if this lasts, tell its publisher.",
        "",
    ),
    (
        FailureKind::TooLarge,
        "If so large a document is what you want, raise the limit.",
        "max_body = \"30 MiB\"",
    ),
    (
        FailureKind::BadCoding,
        "The server compresses its answer wrongly. It is tried again by itself; if this lasts, tell its publisher.",
        "",
    ),
    (
        FailureKind::NotAFeed,
        "Open the address in a browser: the feed may have moved, or a login page stands before it.",
        "",
    ),
    (FailureKind::Malformed, "Tell its publisher that the document cannot be read.", ""),
    (
        FailureKind::Panicked,
        "This is a fault of newswire: please report it, with the feed's address.",
        "",
    ),
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
            let texts = ADVICE.iter().filter(|(of, text, _)| of == kind && !text.is_empty());
            assert_eq!(texts.count(), 1, "{kind:?}");
        }
    }

    #[test]
    fn whatever_is_in_an_address_stays_in_it() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
        assert_eq!(shell("a'; rm -rf /"), "'a'\\''; rm -rf /'");
    }
}

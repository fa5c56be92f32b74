//! The feed of incidents for the operator: one item per incident, with one id from its start to its end. It
//! has the same writer and the same check as the outputs.

use std::fmt::Write as _;
use std::sync::Arc;

use url::Url;

use super::check::{self, CheckError};
use super::output::{Format, Output, OutputIdentity, Presentation};
use super::page::render;
use super::text;
use crate::model::{
    Category, Details, FeedId, FeedInfo, FeedKey, FeedProfile, Incident, IncidentKind, Item,
    ItemKey, OutputItem, StoryKey,
};
use crate::text::html::escape;
use crate::text::{chars, dates};

/// Maximum number of incidents in the feed.
const MAX_INCIDENTS: usize = 100;

/// The feed as Atom. `base_url` is the URL of the server for the operator and ends with a slash. `identity` is
/// the permanent id of the feed.
///
/// # Errors
/// When the document fails the check.
pub fn incidents(
    incidents: &[Incident],
    base_url: &Url,
    identity: OutputIdentity,
) -> Result<Vec<u8>, CheckError> {
    let output = output(base_url, identity);
    let feed = Arc::new(FeedInfo {
        key: FeedKey(0),
        id: FeedId::derive(base_url),
        url: output.self_url(Format::Atom),
        title: output.title.clone(),
        tags: Vec::new(),
        profile: FeedProfile { site_url: output.page(), ..FeedProfile::default() },
    });
    let mut newest: Vec<&Incident> = incidents.iter().collect();
    newest.sort_by_key(|incident| {
        (std::cmp::Reverse(incident.changed_at), incident.kind, &incident.subject)
    });
    newest.truncate(MAX_INCIDENTS);
    let entries: Vec<OutputItem> =
        (1..).zip(newest).map(|(n, incident)| entry(incident, n, &feed, &output)).collect();
    let bytes = render(&output, Format::Atom, &entries);
    check::check(&output, Format::Atom, &bytes, &entries)?;
    Ok(bytes)
}

/// The output of this feed.
fn output(base_url: &Url, identity: OutputIdentity) -> Output {
    Output {
        id: "health".to_owned(),
        title: "Newswire health".to_owned(),
        description: Some("Open and resolved incidents of this newswire".to_owned()),
        link: base_url.join("status").ok(),
        author: Some("newswire".to_owned()),
        formats: vec![Format::Atom],
        directory: None,
        token: None,
        items: MAX_INCIDENTS,
        max_age: None,
        per_feed: None,
        per_feed_percent: None,
        min_feeds: None,
        filter: Default::default(),
        rewrite: Default::default(),
        theme: Default::default(),
        presentation: Presentation::default(),
        deltas: false,
        digest: None,
        site: false,
        has_pages: true,
        base_url: base_url.clone(),
        identity,
        filtered: None,
        private_feeds: Arc::default(),
    }
}

fn entry(incident: &Incident, n: i64, feed: &Arc<FeedInfo>, output: &Output) -> OutputItem {
    let (kind, subject) = (incident.kind, &incident.subject);
    let named = format!("incident {} {subject:?} {}", kind.slug(), incident.opened_at);
    let prefix = if incident.resolved_at.is_some() { "Resolved: " } else { "" };
    let name = if incident.name.is_empty() { "newswire" } else { &incident.name };
    let category = |term: &str| Category { term: term.to_owned(), ..Category::default() };
    let page = match kind {
        IncidentKind::List
        | IncidentKind::Rejected
        | IncidentKind::Config
        | IncidentKind::Disk
        | IncidentKind::Damage
        | IncidentKind::Clock => output.page(),
        _ => output.page().map(|page| format!("{page}/{subject}")),
    };
    let state = if incident.resolved_at.is_some() { "resolved" } else { incident.state.as_str() };
    let mut terms = vec![kind.slug(), state];
    terms.dedup();
    OutputItem {
        key: ItemKey(n),
        story: StoryKey(n),
        // Not an IRI, so that a UUID is made from it, which never changes.
        outward_id: text::iri(&named).into_owned(),
        first_seen: incident.opened_at,
        sort_at: incident.changed_at,
        item: Item {
            url: page,
            title: text::line(&format!("{prefix}{}: {name}", kind.word())),
            content: Some(html(incident)),
            published: Some(incident.opened_at),
            updated: Some(incident.changed_at),
            language: Some("en".to_owned()),
            details: Details {
                categories: terms.into_iter().map(category).collect(),
                ..Details::default()
            },
            ..Item::default()
        },
        feed: Arc::clone(feed),
        also: Vec::new(),
    }
}

fn html(incident: &Incident) -> String {
    let mut html = format!("<p>{}</p>", escape(&chars::clean(&incident.text)));
    let mut add = |tag: &str, text: &str| {
        // Writing to a string cannot fail.
        let _ = write!(html, "<{tag}>{}</{tag}>", escape(&chars::clean(text)));
    };
    if !incident.remedy.is_empty() {
        add("p", &incident.remedy);
    }
    if let Some(toml) = &incident.toml {
        add("pre", toml);
    }
    add("p", &format!("Since {}.", dates::long(incident.since)));
    html
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn incident() -> Incident {
        let at = |seconds: i64| Timestamp::from_second(1_700_000_000 + seconds).unwrap();
        Incident {
            kind: IncidentKind::Failing,
            subject: "garden".to_owned(),
            name: "Garden <script>alert(1)</script> & Co".to_owned(),
            state: "not_found".to_owned(),
            text: "404 at <http://x/?a&b>\u{1b}[31m".to_owned(),
            remedy: "Presentation.".to_owned(),
            toml: Some("[[feed]]\nurl = \"…\"".to_owned()),
            since: at(0),
            opened_at: at(60),
            changed_at: at(120),
            resolved_at: None,
        }
    }

    fn rendered(all: &[Incident]) -> String {
        let base = Url::parse("http://127.0.0.1:8420/").unwrap();
        let identity = OutputIdentity::new("health", Timestamp::constant(1_600_000_000, 0));
        String::from_utf8(incidents(all, &base, identity).unwrap()).unwrap()
    }

    fn between<'t>(text: &'t str, open: &str, close: &str) -> &'t str {
        let from = text.find("<entry").unwrap();
        let from = from + text[from..].find(open).unwrap() + open.len();
        &text[from..from + text[from..].find(close).unwrap()]
    }

    #[test]
    fn an_incident_keeps_its_id_until_it_is_resolved() {
        let first = incident();
        let over = Incident {
            text: "It works again.".to_owned(),
            state: "server_error".to_owned(),
            changed_at: first.changed_at + jiff::SignedDuration::from_hours(1),
            resolved_at: Some(first.changed_at),
            ..first.clone()
        };
        let (before, after) = (rendered(&[first]), rendered(&[over]));
        let id = between(&before, "<id>", "</id>");
        assert!(id.starts_with("urn:uuid:"), "{id}");
        assert_eq!(id, between(&after, "<id>", "</id>"));
        assert_eq!(between(&after, "<updated>", "</updated>"), "2023-11-14T23:15:20Z");
        assert!(
            between(&after, "<title type=\"text\">", "</title>").starts_with("Resolved: Failing:")
        );
    }

    #[test]
    fn text_of_publishers_is_escaped() {
        let atom = rendered(&[incident()]);
        assert!(!atom.contains("<script") && !atom.contains('\u{1b}'), "{atom}");
        let html = between(&atom, "<content type=\"html\">", "</content>");
        assert!(html.contains("&lt;p&gt;404 at &amp;lt;http://x/?a&amp;amp;b&amp;gt;"), "{html}");
    }

    #[test]
    fn categories_are_unique() {
        let gone = Incident { kind: IncidentKind::Gone, state: "gone".to_owned(), ..incident() };
        assert_eq!(rendered(&[gone]).matches("<category").count(), 1);
        assert_eq!(rendered(&[incident()]).matches("<category").count(), 2);
    }

    #[test]
    fn the_feed_exists_without_incidents_and_has_a_date() {
        let atom = rendered(&[]);
        assert!(atom.contains("<title type=\"text\">Newswire health</title>"), "{atom}");
        assert!(atom.contains("<updated>2020-09-13T12:26:40Z</updated>"), "{atom}");
    }
}

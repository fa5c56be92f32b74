//! Players that another site embeds (`<iframe>`, `<embed>`): the page that a plain link should open.

use url::Url;

use super::links::WEB;
use super::picture::{is_beacon, is_tiny};
use super::place::Place;
use super::text;
use super::tokens::Tag;

/// A player, as a link.
pub(super) struct Player {
    pub(super) href: String,
    pub(super) label: String,
}

/// The link that stands for an embedded page, or `None` where nobody was to see it.
pub(super) fn player(tag: &Tag<'_>, place: Place<'_>) -> Option<Player> {
    let sources = ["src", "data-src", "data-lazy-src", "data-litespeed-src"];
    let embedded =
        sources.iter().filter_map(|name| tag.attribute(name)).find_map(|v| place.link(v, WEB))?;
    if is_tiny(tag) || is_beacon(&embedded) {
        return None;
    }
    let url = Url::parse(&embedded).ok()?;
    let host = url.host_str()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    let label = tag.attribute("title").and_then(|title| text::line(title, text::NAME));
    let label = label.unwrap_or_else(|| host.to_owned());
    Some(Player { href: page(host, &url).unwrap_or(embedded), label })
}

/// The page of what the player plays, for players whose own address shows less than that page.
fn page(host: &str, url: &Url) -> Option<String> {
    let path = url.path();
    let query = |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value);
    match host {
        "youtube.com" | "youtube-nocookie.com" => {
            let id = path.strip_prefix("/embed/").or_else(|| path.strip_prefix("/v/"))?;
            match (id, query("list")) {
                ("videoseries", list) => {
                    word(&list?).map(|list| format!("https://www.youtube.com/playlist?list={list}"))
                }
                _ => word(id).map(|id| format!("https://www.youtube.com/watch?v={id}")),
            }
        }
        "player.vimeo.com" => {
            word(path.strip_prefix("/video/")?).map(|id| format!("https://vimeo.com/{id}"))
        }
        "dailymotion.com" => word(path.strip_prefix("/embed/video/")?)
            .map(|id| format!("https://www.dailymotion.com/video/{id}")),
        "open.spotify.com" => {
            let what = path.strip_prefix("/embed/")?;
            Some(format!("https://open.spotify.com/{what}"))
        }
        "w.soundcloud.com" => {
            let track = Url::parse(&query("url")?).ok()?;
            super::links::absolute(track.as_str(), url, WEB)
        }
        _ => None,
    }
}

/// An id that needs no escaping, or `None`.
fn word(id: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!id.is_empty() && id.chars().all(fits)).then_some(id)
}

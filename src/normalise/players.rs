//! Links to the pages of embedded players.

use url::Url;

use super::embedded::is_tracker_url;
use super::links::{LinkBase, WEB};
use super::picture_sources::lazy_or_own;
use super::plain_text;
use super::sizes::{is_hidden_element, is_pixel_element};
use super::tokens::Tag;

/// A link to the page of an embedded player (`<iframe>`, `<embed>`, `<amp-youtube>`).
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub(super) href: String,
    pub(super) label: String,
}

/// The link that replaces an embedded page; `None` if the page is invisible.
pub(super) fn player(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<Player> {
    if is_hidden_element(tag) || is_pixel_element(tag) {
        return None;
    }
    let embedded = by_id(tag).or_else(|| lazy_or_own(tag, link_base))?;
    to_page(embedded, tag)
}

/// The link that replaces an `<object>`; `None` if it is of no known player.
pub(super) fn player_of_object(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<Player> {
    let embedded = link_base.resolve(tag.attribute("data")?, WEB)?;
    known(&embedded)?;
    to_page(embedded, tag)
}

/// The link to the page of a known player by its URL.
pub(super) fn known(embedded: &str) -> Option<Player> {
    let url = Url::parse(embedded).ok()?;
    let host = bare_host(&url)?;
    Some(Player { href: player_page(host, &url)?, label: host.to_owned() })
}

/// The link to a file that browsers show in a frame.
pub(super) fn file(href: String, tag: &Tag<'_>) -> Option<Player> {
    to_page(href, tag)
}

fn to_page(embedded: String, tag: &Tag<'_>) -> Option<Player> {
    if is_tracker_url(&embedded) {
        return None;
    }
    let url = Url::parse(&embedded).ok()?;
    let host = bare_host(&url)?;
    let titles = ["title", "playlabel", "aria-label"].into_iter();
    let mut titles = titles.filter_map(|name| tag.attribute(name));
    let label = titles.find_map(|title| plain_text::line(title, plain_text::NAME));
    let label = label.unwrap_or_else(|| host.to_owned());
    Some(Player { href: player_page(host, &url).unwrap_or(embedded), label })
}

fn bare_host(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

/// The player of an element that has only the id of the film.
fn by_id(tag: &Tag<'_>) -> Option<String> {
    let id = || word(tag.attribute("data-videoid").or_else(|| tag.attribute("videoid"))?);
    match &*tag.name {
        "amp-youtube" | "lite-youtube" => Some(format!("https://www.youtube.com/embed/{}", id()?)),
        "amp-vimeo" | "lite-vimeo" => Some(format!("https://player.vimeo.com/video/{}", id()?)),
        "amp-dailymotion" => Some(format!("https://www.dailymotion.com/embed/video/{}", id()?)),
        _ => None,
    }
}

/// The web page of the video or audio, for known players.
fn player_page(host: &str, url: &Url) -> Option<String> {
    let path = url.path().trim_end_matches('/');
    let query = |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value);
    match host {
        "youtube.com" | "m.youtube.com" | "youtube-nocookie.com" | "youtube.googleapis.com" => {
            youtube_page(path, query)
        }
        "player.vimeo.com" => {
            let mut parts = path.strip_prefix("/video/")?.splitn(2, '/');
            let id = word(parts.next()?)?;
            // Unlisted films need their hash.
            let hash = parts.next().map(str::to_owned);
            let hash = hash.or_else(|| query("h").map(|hash| hash.into_owned()));
            let hash = hash.as_deref().and_then(word).map(|hash| format!("/{hash}"));
            Some(format!("https://vimeo.com/{id}{}", hash.unwrap_or_default()))
        }
        "dailymotion.com" | "geo.dailymotion.com" => {
            let film = query("video");
            let id = path.strip_prefix("/embed/video/").or(film.as_deref())?;
            word(id).map(|id| format!("https://www.dailymotion.com/video/{id}"))
        }
        "open.spotify.com" => {
            let what =
                path.strip_prefix("/embed/").or_else(|| path.strip_prefix("/embed-podcast/"))?;
            Some(format!("https://open.spotify.com/{what}"))
        }
        "w.soundcloud.com" => {
            // The address of the API, which other embeds have, is no page.
            let track = Url::parse(&query("url")?).ok()?;
            let is_page = matches!(track.scheme(), "http" | "https")
                && bare_host(&track) == Some("soundcloud.com");
            is_page.then(|| super::links::absolute(track.as_str(), url, WEB)).flatten()
        }
        _ => None,
    }
}

/// The page of a player of `YouTube` by its path without slash at the end, and its query.
fn youtube_page<'u>(
    path: &str,
    query: impl Fn(&str) -> Option<std::borrow::Cow<'u, str>>,
) -> Option<String> {
    const SITE: &str = "https://www.youtube.com";
    let id = path.strip_prefix("/embed").or_else(|| path.strip_prefix("/v/"))?;
    let id = id.trim_start_matches('/').split('&').next().unwrap_or_default();
    let list = query("list");
    let list = list.as_deref().and_then(word);
    let is_of_user = id == "user_uploads" || query("listType").as_deref() == Some("user_uploads");
    match id {
        "live_stream" => {
            let channel = query("channel")?;
            word(&channel).map(|channel| format!("{SITE}/channel/{channel}/live"))
        }
        // The uploads of a user are no list with a page.
        "" | "videoseries" | "user_uploads" if is_of_user => {
            list.map(|user| format!("{SITE}/user/{user}/videos"))
        }
        "" | "videoseries" => match (list, query("v")) {
            (Some(list), _) => Some(format!("{SITE}/playlist?list={list}")),
            (None, film) => word(&film?).map(|id| format!("{SITE}/watch?v={id}")),
        },
        id => word(id).map(|id| format!("{SITE}/watch?v={id}")),
    }
}

/// An id, if it needs no escaping.
fn word(id: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!id.is_empty() && id.chars().all(fits)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::super::html::fragment;
    use super::*;

    #[test]
    fn the_media_of_amp_are_read_like_those_of_html() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for (html, kept) in [
            (
                "<amp-img src=/a.jpg width=600 height=400 layout=responsive></amp-img>",
                "<img src=\"https://example.org/a.jpg\" width=\"600\" height=\"400\">",
            ),
            (
                "<amp-video src=/v.mp4 autoplay></amp-video>",
                "<video src=\"https://example.org/v.mp4\" controls=\"\"></video>",
            ),
            (
                "<amp-audio src=/a.mp3></amp-audio>",
                "<audio src=\"https://example.org/a.mp3\" controls=\"\"></audio>",
            ),
            (
                "<amp-youtube data-videoid=a_B-1 width=480 height=270></amp-youtube>",
                "<p><a href=\"https://www.youtube.com/watch?v=a_B-1\">youtube.com</a></p>",
            ),
            (
                "<amp-iframe src=https://e.org/x title=Map></amp-iframe>",
                "<p><a href=\"https://e.org/x\">Map</a></p>",
            ),
            ("<amp-youtube data-videoid='a b'></amp-youtube>a", "a"),
        ] {
            assert_eq!(fragment(html, link_base).as_deref(), Some(kept), "{html}");
        }
    }

    #[test]
    fn an_embedded_player_becomes_a_link_to_its_page() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for (html, kept) in [
            (
                "<iframe src='https://www.youtube-nocookie.com/embed/a_B-1?rel=0' title='My film'></iframe>",
                "<p><a href=\"https://www.youtube.com/watch?v=a_B-1\">My film</a></p>",
            ),
            (
                "<iframe src='//www.youtube.com/embed/videoseries?list=PL1'></iframe>",
                "<p><a href=\"https://www.youtube.com/playlist?list=PL1\">youtube.com</a></p>",
            ),
            (
                "<p>See <iframe data-src='https://player.vimeo.com/video/12'></iframe>!</p>",
                "<p>See <a href=\"https://vimeo.com/12\">player.vimeo.com</a>!</p>",
            ),
            (
                "<iframe src='https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/1&auto_play=true'>x</iframe>",
                "<p><a href=\"https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/1&amp;auto_play=true\">w.soundcloud.com</a></p>",
            ),
            (
                "<object><param name=a><embed src='https://e.org/p?x'></object>",
                "<p><a href=\"https://e.org/p?x\">e.org</a></p>",
            ),
            (
                "<a href=/a><iframe src=https://e.org/p title=film></iframe></a>",
                "<a href=\"https://example.org/a\">film</a>",
            ),
            (
                "<iframe src='https://www.youtube.com/embed/<b>'></iframe>",
                "<p><a href=\"https://www.youtube.com/embed/%3Cb%3E\">youtube.com</a></p>",
            ),
            (
                "<iframe src=https://e.org/x /><p>after</p>",
                "<p><a href=\"https://e.org/x\">e.org</a></p><p>after</p>",
            ),
            ("<iframe src=about:blank></iframe><iframe></iframe>a", "a"),
        ] {
            assert_eq!(fragment(html, link_base).unwrap_or_default(), kept, "{html}");
        }
    }

    #[test]
    fn the_link_of_a_player_leads_to_a_page_that_exists() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for (html, kept) in [
            (
                "<iframe src='https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b&x=y'></iframe>",
                "<p><a href=\"https://soundcloud.com/a/b\">w.soundcloud.com</a></p>",
            ),
            (
                "<iframe src='https://www.youtube.com/embed/live_stream?channel=UC1' title=Live></iframe>",
                "<p><a href=\"https://www.youtube.com/channel/UC1/live\">Live</a></p>",
            ),
            (
                "<iframe src='https://www.youtube.com/embed?listType=playlist&list=PL1' title=L></iframe>",
                "<p><a href=\"https://www.youtube.com/playlist?list=PL1\">L</a></p>",
            ),
            (
                "<iframe src='https://www.youtube.com/embed/user_uploads?list=x' title=L></iframe>",
                "<p><a href=\"https://www.youtube.com/user/x/videos\">L</a></p>",
            ),
            (
                "<iframe src='https://player.vimeo.com/video/12?h=90e6&dnt=1' title=F></iframe>",
                "<p><a href=\"https://vimeo.com/12/90e6\">F</a></p>",
            ),
            (
                "<lite-youtube videoid=a playlabel=F></lite-youtube>",
                "<p><a href=\"https://www.youtube.com/watch?v=a\">F</a></p>",
            ),
        ] {
            assert_eq!(fragment(html, link_base).as_deref(), Some(kept), "{html}");
        }
    }
}

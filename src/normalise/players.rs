//! Links to the pages of embedded players.

use url::Url;

use super::display::{has_class, is_hidden_element, is_pixel_element};
use super::embedded::{is_tracker_url, names_picture};
use super::links::{LinkBase, WEB};
use super::picture_sources::lazy_or_own;
use super::plain_text;
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
    let embedded = by_id(tag).or_else(|| lazy_or_own(tag, link_base));
    to_page(embedded.or_else(|| kept_source(tag, link_base))?, tag)
}

/// Attributes of quotations that a script replaces by the post, with the address of its page.
const PERMALINKS: &[&str] =
    &["data-instgrm-permalink", "data-text-post-permalink", "data-embed-url", "cite"];

/// The link to the post or film that a script shows in a block.
pub(super) fn filled_by_script(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<Player> {
    let written = |name: &&str| link_base.resolve(tag.attribute(name)?, WEB);
    let embedded = match &*tag.name {
        "blockquote" => PERMALINKS.iter().find_map(written),
        "div" if has_class(tag, &["fb-post", "fb-video"]) => written(&"data-href"),
        "div" | "figure" | "section" => by_id_of_youtube(tag).or_else(|| {
            let mut urls = absolute_urls(tag, link_base);
            urls.find_map(|(_, url)| known(&url).map(|_| url))
        }),
        _ => None,
    }?;
    let page = embedded.strip_suffix("/embed").map(str::to_owned);
    to_page(page.unwrap_or(embedded), tag)
}

/// Hosts, with the beginning of the path, of scripts that show a page of the same address without `.js`.
const SCRIPTS: &[(&str, &str)] =
    &[("asciinema.org", "/a/"), ("buzzsprout.com", "/"), ("gist.github.com", "/")];

/// The link to the page that a script shows in its place.
pub(super) fn of_script(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<Player> {
    let mut url = Url::parse(&link_base.resolve(tag.attribute("src")?, WEB)?).ok()?;
    let page = url.path().strip_suffix(".js")?.to_owned();
    let host = bare_host(&url)?;
    let is_page = |(known, start): &(&str, &str)| *known == host && page.starts_with(start);
    if page.matches('/').count() < 2 || !SCRIPTS.iter().any(is_page) {
        return None;
    }
    url.set_path(&page);
    url.set_query(None);
    url.set_fragment(None);
    to_page(url.into(), tag)
}

/// The attributes with an absolute URL that is no picture.
fn absolute_urls<'t>(
    tag: &'t Tag<'_>,
    link_base: LinkBase<'_>,
) -> impl Iterator<Item = (&'t str, String)> {
    let begins = |value: &str| ["http://", "https://", "//"].iter().any(|s| value.starts_with(s));
    let attributes =
        tag.attributes.iter().filter(|(name, _)| &**name != "src" && name.contains('-'));
    attributes.filter_map(move |(name, value)| {
        let url = link_base.resolve(value.trim(), WEB).filter(|_| begins(value.trim()))?;
        (!names_picture(&url)).then_some((&**name, url))
    })
}

/// The URL of a frame that a plugin loads after consent, in an attribute with a name of its own.
fn kept_source(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<String> {
    let mut urls = absolute_urls(tag, link_base);
    urls.find_map(|(name, url)| (name.contains("src") || known(&url).is_some()).then_some(url))
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
    let href = player_page(bare_host(&url)?, &url)?;
    Some(Player { label: host_of(&href)?, href })
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
    let page = player_page(bare_host(&url)?, &url);
    let titles = ["title", "playlabel", "aria-label"].into_iter();
    let mut titles = titles.filter_map(|name| tag.attribute(name));
    let label = titles.find_map(|title| plain_text::line(title, plain_text::NAME));
    let href = page.unwrap_or(embedded);
    Some(Player { label: label.or_else(|| host_of(&href))?, href })
}

/// The host of a page, as a name for it.
fn host_of(href: &str) -> Option<String> {
    bare_host(&Url::parse(href).ok()?).map(str::to_owned)
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

/// The player of a block whose class names `YouTube`, and that has the id of a film.
fn by_id_of_youtube(tag: &Tag<'_>) -> Option<String> {
    let names = ["data-id", "data-video-id", "data-videoid", "data-youtube-id", "data-yt-id"];
    let mut ids = names.into_iter().filter_map(|name| word(tag.attribute(name)?));
    let id = ids.find(|id| id.len() == 11)?;
    let is_named = tag.attribute("class")?.to_ascii_lowercase().contains("youtube");
    is_named.then(|| format!("https://www.youtube.com/embed/{id}"))
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
                "<p>See <a href=\"https://vimeo.com/12\">vimeo.com</a>!</p>",
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
            (
                "<iframe src=https://www.youtube-nocookie.com/embed/a></iframe>",
                "<p><a href=\"https://www.youtube.com/watch?v=a\">youtube.com</a></p>",
            ),
            ("<iframe src=about:blank></iframe><iframe></iframe>a", "a"),
        ] {
            assert_eq!(fragment(html, link_base).unwrap_or_default(), kept, "{html}");
        }
    }

    #[test]
    fn a_frame_that_waits_for_consent_becomes_a_link() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        let film = "<p><a href=\"https://www.youtube.com/watch?v=a\">youtube.com</a></p>";
        for name in [
            "data-cookieblock-src",
            "data-src-cmplz",
            "data-suppressedsrc",
            "data-url",
            "data-wpcmapp",
        ] {
            let html =
                format!("<iframe src=about:blank {name}=//www.youtube.com/embed/a></iframe>");
            assert_eq!(fragment(&html, link_base).as_deref(), Some(film), "{html}");
        }
        for (html, kept) in [
            (
                "<iframe data-thumb=https://e.org/t.jpg data-uc-src=https://e.org/map></iframe>",
                "<p><a href=\"https://e.org/map\">e.org</a></p>",
            ),
            (
                "<iframe src=https://e.org/p data-x-src=https://e.org/q></iframe>",
                "<p><a href=\"https://e.org/p\">e.org</a></p>",
            ),
            ("<iframe src=about:blank data-privacy=https://e.org/privacy></iframe>a", "a"),
            ("<iframe data-src-x=https://www.facebook.com/plugins/like.php?href=x></iframe>a", "a"),
        ] {
            assert_eq!(fragment(html, link_base).as_deref(), Some(kept), "{html}");
        }
    }

    #[test]
    fn a_button_in_a_frame_is_dropped_and_a_post_is_not() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for button in [
            "//www.facebook.com/plugins/like.php?href=x",
            "https://www.facebook.com/plugins/share_button.php?href=x",
            "https://platform.twitter.com/widgets/tweet_button.html#url=x",
            "https://ghbtns.com/github-btn.html?user=a",
        ] {
            let html = format!("<iframe src={button}></iframe>a");
            assert_eq!(fragment(&html, link_base).as_deref(), Some("a"), "{html}");
        }
        let html = "<iframe src=https://www.facebook.com/plugins/post.php?href=x></iframe>";
        assert!(fragment(html, link_base).is_some());
    }

    #[test]
    fn a_script_that_shows_a_page_becomes_a_link_to_it() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for (script, kept) in [
            (
                "https://gist.github.com/a/b.js?file=c.rs",
                "<p><a href=\"https://gist.github.com/a/b\">gist.github.com</a></p>",
            ),
            (
                "//asciinema.org/a/12.js",
                "<p><a href=\"https://asciinema.org/a/12\">asciinema.org</a></p>",
            ),
            (
                "https://www.buzzsprout.com/1/2.js?container_id=x",
                "<p><a href=\"https://www.buzzsprout.com/1/2\">buzzsprout.com</a></p>",
            ),
            ("https://platform.twitter.com/a/widgets.js", ""),
            ("https://www.buzzsprout.com/player.js", ""),
        ] {
            let html = format!("<script src={script}></script>a");
            let whole = format!("{kept}a");
            assert_eq!(fragment(&html, link_base), Some(whole), "{html}");
        }
    }

    #[test]
    fn the_link_of_a_player_leads_to_a_page_that_exists() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for (html, kept) in [
            (
                "<iframe src='https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b&x=y'></iframe>",
                "<p><a href=\"https://soundcloud.com/a/b\">soundcloud.com</a></p>",
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

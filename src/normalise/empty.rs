//! Elements without visible content: what is written in the place of a link without text, and of a block that only a script
//! fills.

use super::links::LinkBase;
use super::plain_text;
use super::players::{self, Player};
use super::tokens::Tag;
use super::writer::Fallback;

/// What is written into an element if it has no visible content; `href` is its link as it is written.
pub(super) fn fallback(
    tag: &Tag<'_>,
    href: Option<&str>,
    link_base: LinkBase<'_>,
) -> Option<Fallback> {
    match href {
        Some(href) => of_link(tag, href, link_base),
        None if tag.attributes.is_empty() => None,
        None => {
            let Player { href, label } = players::filled_by_script(tag, link_base)?;
            Some(Fallback::Link { href, label })
        }
    }
}

/// The text of a link without content. None for a link that browsers show as a sign at most: to a heading of the same page,
/// or of a button that shares it.
fn of_link(tag: &Tag<'_>, href: &str, link_base: LinkBase<'_>) -> Option<Fallback> {
    let is_sign = tag.attribute("aria-hidden") == Some("true");
    if is_sign || is_of_page(href, link_base) || shares_page(href, link_base) {
        return Some(Fallback::Nothing);
    }
    let titles = ["title", "aria-label"].into_iter();
    let mut titles = titles.filter_map(|name| tag.attribute(name));
    titles.find_map(|title| plain_text::line(title, plain_text::NAME)).map(Fallback::Text)
}

/// Whether a link leads to the page of the item or a place in it.
fn is_of_page(href: &str, link_base: LinkBase<'_>) -> bool {
    let Some((page, page_query)) = link_base.page.map(address) else {
        return href.starts_with('#');
    };
    let (address, query) = address(href);
    // Links to places often lack the parameters that the feed adds to links of its items.
    let is_place = href.contains('#') && (page_query.is_none() || query.is_none());
    href.starts_with('#') || page == address && (page_query == query || is_place)
}

/// The address and the query of a page as they are compared.
fn address(link: &str) -> (&str, Option<&str>) {
    let link = link.split('#').next().unwrap_or_default();
    let (link, query) = match link.split_once('?') {
        Some((link, query)) => (link, Some(query)),
        None => (link, None),
    };
    let address = link.split_once("://").map_or(link, |(_, address)| address);
    (address.strip_prefix("www.").unwrap_or(address).trim_end_matches('/'), query)
}

/// Whether a link has the address of a page as a parameter, or that of the item in its path, as those of share buttons
/// have.
fn shares_page(href: &str, link_base: LinkBase<'_>) -> bool {
    let (own, _) = address(href);
    let is_in_path = |page: &str| {
        let (page, _) = address(page);
        own.strip_suffix(page).is_some_and(|before| before.contains('/') && before.ends_with('/'))
    };
    if link_base.page.is_some_and(is_in_path) {
        return true;
    }
    let Some((_, query)) = href.split_once('?') else { return false };
    let query = query.to_ascii_lowercase();
    query.contains("://") || query.contains("%3a%2f%2f") || href.starts_with("mailto:")
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::*;

    fn sanitised(html: &str) -> String {
        let base = Url::parse("https://e.org/").unwrap();
        let link_base = LinkBase { base: &base, page: Some("https://e.org/post") };
        let kept = fragment(html, link_base).unwrap_or_default();
        assert_eq!(fragment(&kept, link_base).unwrap_or_default(), kept, "{html}");
        kept
    }

    #[test]
    fn a_link_without_text_has_that_of_its_title_or_label() {
        for (html, kept) in [
            (
                "<p>a <a href=/x title='Read the paper'></a> b</p>",
                "<p>a <a href=\"https://e.org/x\" title=\"Read the paper\">Read the paper</a> b</p>",
            ),
            (
                "<a href=/x aria-label='The <paper>'><svg><path/></svg></a>",
                "<a href=\"https://e.org/x\">The &lt;paper&gt;</a>",
            ),
            (
                "<a href=/x aria-label=Paper><i class=icon></i></a>",
                "<a href=\"https://e.org/x\"><i></i>Paper</a>",
            ),
            (
                "<a href=/x title=T><img src=/a.png></a>",
                "<a href=\"https://e.org/x\" title=\"T\"><img src=\"https://e.org/a.png\"></a>",
            ),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }

    #[test]
    fn labels_of_links_side_by_side_are_separate_words() {
        let link = |name| format!("<a href=https://{name}.example/ title={name}></a>");
        let kept = sanitised(&format!("<p>{}{}</p>", link("a"), link("b")));
        assert!(kept.contains(">a</a><a ") && kept.ends_with("> b</a></p>"), "{kept}");
    }

    #[test]
    fn a_label_is_not_shown_beside_a_link_with_content_to_the_same_page() {
        let label = "<a class=overlay href=/x?a&b aria-label='Gulls win'></a>";
        let link = "<a href=\"https://e.org/x?a&amp;b\">Gulls win</a>";
        for html in [
            format!("<h3>{link}</h3>{label}"),
            format!("{label}<h3>{link}</h3>"),
            format!("{label}<h3>{link}</h3>{label}"),
        ] {
            assert_eq!(sanitised(&html), format!("<h3>{link}</h3>"), "{html}");
        }
        assert_eq!(sanitised(&format!("{label}<br>{label}")), format!("{link}<br>{link}"));
        let picture = label.replace("></a>", "><img src=/p.png></a>");
        assert_eq!(sanitised(&(picture.clone() + label)), sanitised(&picture));
    }

    #[test]
    fn places_of_the_page_are_found_whatever_parameters_its_link_has() {
        let base = Url::parse("https://e.org/").unwrap();
        let is_of = |page, href| is_of_page(href, LinkBase { base: &base, page: Some(page) });
        for (page, href) in [
            ("https://e.org/post?utm_source=rss", "https://e.org/post#h"),
            ("https://e.org/post", "https://e.org/post/#h"),
            ("http://e.org/post/", "https://www.e.org/post?a=b#h"),
            ("https://e.org/?p=1", "https://e.org/?p=1"),
        ] {
            assert!(is_of(page, href), "{page} {href}");
        }
        for (page, href) in [
            ("https://e.org/?p=1", "https://e.org/?p=2#h"),
            ("https://e.org/?p=1", "https://e.org/"),
            ("https://e.org/post", "https://e.org/post-2#h"),
        ] {
            assert!(!is_of(page, href), "{page} {href}");
        }
    }

    #[test]
    fn a_link_that_shows_nothing_on_its_page_is_dropped() {
        for html in [
            "a<a href=/x></a>b",
            "a<a href=/x><span class=overlay></span></a>b",
            "a<a href=#h title='Link to this heading'></a>b",
            "a<a href=https://e.org/post#h aria-label=Anchor></a>b",
            "a<a href=/post title=Post></a>b",
            "a<a href=/x title=Top aria-hidden=true></a>b",
            "a<a href='https://www.addtoany.com/add_to/x?linkurl=https%3A%2F%2Fe.org%2Fpost' title=X></a>b",
            "a<a href='https://s.example/?u=https://e.org/post' title=Share></a>b",
            "a<a href='mailto:?body=x' title=Mail></a>b",
            "a<a href='https://b.hatena.ne.jp/entry/s/e.org/post' title=Bookmark></a>b",
            "a<a href='https://s.example/add/https://e.org/post' title=Bookmark></a>b",
            "a<a href=/x title=T><img src=/p.gif width=1 height=1></a>b",
            "a<a href=https://feeds.feedburner.com/~ff/x?a title=T><img src=https://feeds.feedburner.com/~ff/x></a>b",
        ] {
            assert_eq!(sanitised(html), "ab", "{html}");
        }
    }

    #[test]
    fn an_empty_quotation_shows_the_link_that_a_script_fills() {
        for (html, kept) in [
            (
                "<blockquote class=twitter-tweet><a href=https://x.com/a/status/1></a></blockquote><p>b</p>",
                "<blockquote><a href=\"https://x.com/a/status/1\">x.com</a></blockquote><p>b</p>",
            ),
            (
                "<blockquote><p><a href=https://www.x.com/1></a> </p></blockquote>",
                "<blockquote><p> </p><a href=\"https://www.x.com/1\">x.com</a></blockquote>",
            ),
            (
                "<blockquote><p>Text</p><a href=https://x.com/1></a></blockquote>",
                "<blockquote><p>Text</p></blockquote>",
            ),
            (
                "a<a href=https://x.com/1></a><blockquote></blockquote>",
                "a<blockquote></blockquote>",
            ),
            (
                "<blockquote class=instagram-media data-instgrm-permalink=https://www.instagram.com/p/A/></blockquote>",
                "<blockquote><a href=\"https://www.instagram.com/p/A/\">instagram.com</a></blockquote>",
            ),
            (
                "<blockquote class=tiktok-embed cite=https://www.tiktok.com/@a/video/1><section></section></blockquote>",
                "<blockquote cite=\"https://www.tiktok.com/@a/video/1\"><section></section>\
                 <a href=\"https://www.tiktok.com/@a/video/1\">tiktok.com</a></blockquote>",
            ),
            (
                "<blockquote cite=https://e.org/q><p>Text</p></blockquote>",
                "<blockquote cite=\"https://e.org/q\"><p>Text</p></blockquote>",
            ),
            (
                "<blockquote class=mastodon-embed data-embed-url=https://m.example/@a/1/embed></blockquote>",
                "<blockquote><a href=\"https://m.example/@a/1\">m.example</a></blockquote>",
            ),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }

    #[test]
    fn an_empty_block_shows_the_link_to_the_post_or_film_of_its_script() {
        let film = "<a href=\"https://www.youtube.com/watch?v=abcdefghijk\">youtube.com</a>";
        for (html, kept) in [
            (
                "<div class='fb-post x' data-href=https://www.facebook.com/a/posts/1></div>",
                "<a href=\"https://www.facebook.com/a/posts/1\">facebook.com</a>",
            ),
            ("<div data-src=https://www.youtube.com/embed/abcdefghijk></div>", film),
            ("<div class=youtube-video data-video-id=abcdefghijk></div>", film),
            ("<div class=youtube-player data-id=abcdefghijk></div>", film),
        ] {
            assert_eq!(sanitised(html), format!("<div>{kept}</div>"), "{html}");
        }
        for html in [
            "<div class=fb-like data-href=https://www.facebook.com/a/posts/1></div>",
            "<div class=share data-url=https://other.example/post></div>",
            "<div class=video data-id=abcdefghijk></div>",
            "<div class=youtube-list data-id=12></div>",
            "<div data-src=https://e.org/a.jpg></div>",
        ] {
            assert_eq!(sanitised(&format!("{html}a")), "<div></div>a", "{html}");
        }
        let frame = "<iframe src=https://www.youtube.com/embed/abcdefghijk></iframe>";
        let block = "<div data-src=https://www.youtube.com/embed/abcdefghijk></div>";
        for html in [
            format!("{block}<noscript>{frame}</noscript>"),
            format!("<div>{frame}</div>{block}"),
            block.replace("></div>", &format!("><noscript>{frame}</noscript></div>")),
        ] {
            assert_eq!(sanitised(&html).matches("<a ").count(), 1, "{html}");
        }
        let post = "https://www.facebook.com/permalink.php?story_fbid=1&amp;id=2";
        let html = format!("<a href='{post}'>a</a><div class=fb-post data-href='{post}'></div>");
        assert_eq!(sanitised(&html).matches("<a ").count(), 1);
        let html = "<div data-src=https://www.youtube.com/embed/abcdefghijk><p>Text</p></div>";
        assert_eq!(sanitised(html), "<div><p>Text</p></div>");
    }
}

//! Films and sound of a fragment, and the files of `<object>`: written with a source that needs no scripts, without the
//! fallback for browsers that cannot play them.

use super::allowlist;
use super::display::Ends;
use super::embedded::{names_media, names_picture};
use super::html::{Rewriter, set};
use super::links::WEB;
use super::media::owned;
use super::picture_sources::lazy_or_own;
use super::plain_text::is_block;
use super::players::{self, player_of_object};
use super::tokens::Tag;
use super::writer::Attribute;

/// The open `<video>` or `<audio>`.
#[derive(Clone)]
pub(super) struct Film {
    pub(super) name: &'static str,
    attributes: Vec<Attribute<'static>>,
    /// Whether it is written: a source is known.
    pub(super) is_written: bool,
    /// Number of open blocks inside it.
    blocks: usize,
}

/// Whether each film and sound of a fragment has an end tag.
pub(super) fn films_end(html: &str) -> bool {
    let names = ["video", "audio", "amp-video", "amp-audio"];
    let begins = |rest: &str| {
        let is = |name: &&str| {
            rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        names.iter().any(is)
    };
    let (mut starts, mut ends) = (0_usize, 0_usize);
    for at in memchr::memchr_iter(b'<', html.as_bytes()) {
        match html[at + 1..].strip_prefix('/') {
            Some(rest) => ends += usize::from(begins(rest)),
            None => starts += usize::from(begins(&html[at + 1..])),
        }
    }
    starts == ends
}

impl Rewriter<'_> {
    /// Begins a film or sound. It is written when its first source is known.
    pub(super) fn begin_film(
        &mut self,
        name: &'static str,
        tag: &Tag<'_>,
        kept: Vec<Attribute<'_>>,
    ) {
        self.end_film();
        self.end_picture();
        let mut attributes = owned(kept);
        let resolved = |name| self.link_base.resolve(tag.attribute(name)?, WEB);
        if name == "video" && tag.attribute("poster").is_none() {
            set(&mut attributes, "poster", resolved("data-poster"));
        }
        let src = lazy_or_own(tag, self.link_base);
        set(&mut attributes, "src", src.clone());
        if let Some(src) = src.as_deref()
            && !self.is_first(src, None)
        {
            if !tag.self_closing {
                self.skip(tag, Ends::Content);
            }
            return;
        }
        self.media.film = Some(Film { name, attributes, is_written: false, blocks: 0 });
        if src.is_some() {
            self.write_film();
        }
        if tag.self_closing {
            self.end_film();
        }
    }

    pub(super) fn write_film(&mut self) {
        let Some(film) = &mut self.media.film else { return };
        if !film.is_written {
            film.is_written = true;
            self.writer.start(film.name, &film.attributes);
        }
    }

    /// Ends the open film. Of one without any source, its picture is shown.
    pub(super) fn end_film(&mut self) {
        let Some(film) = self.media.film.take() else { return };
        if film.is_written {
            return self.writer.end(film.name);
        }
        let poster = film.attributes.into_iter().find(|(name, _)| *name == "poster");
        if let Some((_, poster)) = poster
            && self.is_first(&poster, None)
        {
            self.writer.start("img", &[("src", poster)]);
        }
    }

    /// Whether a text belongs to the fallback of a film, for browsers that cannot play it. In a fragment where an end tag
    /// is missing, it does not.
    pub(super) fn is_fallback(&mut self, text: &str) -> bool {
        let is_open = self.media.film.as_ref().is_some_and(|film| film.is_written);
        if is_open && !self.media.films_end && !text.trim().is_empty() {
            self.end_film();
        }
        self.media.film.as_ref().is_some_and(|film| film.is_written)
    }

    /// Whether a tag belongs to the fallback of a film. An end tag of an element around the film ends it.
    pub(super) fn is_tag_of_fallback(&mut self, tag: &Tag<'_>) -> bool {
        let Some(film) = self.media.film.as_mut().filter(|film| film.is_written) else {
            return false;
        };
        let is_own_end =
            tag.end && allowlist::element(&tag.name).is_some_and(|(name, _)| name == film.name);
        if is_own_end || matches!(&*tag.name, "source" | "track") {
            return false;
        }
        let is_block = is_block(&tag.name) && tag.name != "hr";
        if !self.media.films_end || is_block && tag.end && film.blocks == 0 {
            self.end_film();
            return false;
        }
        if is_block {
            film.blocks = if tag.end { film.blocks - 1 } else { film.blocks + 1 };
        }
        true
    }

    /// Shows the file of an `<object>` instead of its content.
    pub(super) fn object(&mut self, tag: &Tag<'_>) {
        self.media.of_parameter = None;
        let Some(data) = tag.attribute("data").and_then(|data| self.link_base.resolve(data, WEB))
        else {
            return;
        };
        let media_type = tag.attribute("type").unwrap_or_default().trim().to_ascii_lowercase();
        let is = |kind: &str| media_type.starts_with(kind);
        let path = data.split(['?', '#']).next().unwrap_or_default();
        if let Some(player) = player_of_object(tag, self.link_base) {
            self.write_player(player);
        } else if is("image/") || media_type.is_empty() && names_picture(path) {
            if self.is_first(&data, None) {
                let attributes = self.image_attributes(tag, data, None);
                self.writer.start("img", &attributes);
            }
        } else if is("video/") || is("audio/") || media_type.is_empty() && names_media(path) {
            let name = if is("audio/") { "audio" } else { "video" };
            if self.is_first(&data, None) {
                self.writer.start(name, &[("src", data.into()), ("controls", "".into())]);
                self.writer.end(name);
            }
        } else if is("application/pdf") || media_type.is_empty() && path.ends_with(".pdf") {
            if let Some(player) = players::file(data, tag) {
                self.write_player(player);
            }
        } else {
            return;
        }
        if !tag.self_closing {
            self.skip(tag, Ends::Content);
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::super::links::LinkBase;

    fn sanitised(html: &str) -> String {
        let base = Url::parse("https://e.org/").unwrap();
        fragment(html, LinkBase { base: &base, page: None }).unwrap_or_default()
    }

    #[test]
    fn a_film_has_a_source_or_is_its_poster() {
        for (html, kept) in [
            (
                "<video><source data-src=/a.mp4 type=video/mp4>No <p>video</p> <a href=/a.mp4>here</a></video>b",
                "<video controls=\"\"><source type=\"video/mp4\" src=\"https://e.org/a.mp4\"></video>b",
            ),
            (
                "<video data-src=/a.mp4 data-poster=/p.jpg></video>",
                "<video controls=\"\" poster=\"https://e.org/p.jpg\" src=\"https://e.org/a.mp4\"></video>",
            ),
            ("<video src=blob:https://e.org/1></video><p>x</p>", "<p>x</p>"),
            (
                "<picture><img src=/a.jpg><p>b</p><video controls><source src=/f.mp4></video>",
                "<picture><img src=\"https://e.org/a.jpg\"><p>b</p><video controls=\"\"><source src=\"https://e.org/f.mp4\"></video></picture>",
            ),
            ("<video poster=/p.jpg></video>", "<img src=\"https://e.org/p.jpg\">"),
            ("<video><a href=/a.mp4>Film</a></video>", "<a href=\"https://e.org/a.mp4\">Film</a>"),
            (
                "<div><audio src=/a.mp3>No audio</div><p>b</p>",
                "<div><audio src=\"https://e.org/a.mp3\" controls=\"\"></audio>No audio</div><p>b</p>",
            ),
            (
                "<div><audio src=/a.mp3>No audio</div></audio><p>b</p>",
                "<div><audio src=\"https://e.org/a.mp3\" controls=\"\"></audio></div><p>b</p>",
            ),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }

    #[test]
    fn the_file_of_an_object_is_shown_instead_of_its_content() {
        for (html, kept) in [
            (
                "<object data=https://www.youtube.com/v/a><embed src=https://www.youtube.com/v/a></object>b",
                "<p><a href=\"https://www.youtube.com/watch?v=a\">youtube.com</a></p>b",
            ),
            (
                "<object><param name=movie value=https://www.youtube.com/v/a></object>",
                "<p><a href=\"https://www.youtube.com/watch?v=a\">youtube.com</a></p>",
            ),
            ("<object data=/a.png><p>c</p></object>b", "<img src=\"https://e.org/a.png\">b"),
            (
                "<object data=/a.pdf type=application/pdf title=Map><p>c</p></object>",
                "<p><a href=\"https://e.org/a.pdf\">Map</a></p>",
            ),
            (
                "<object data=/a.mp4></object>",
                "<video src=\"https://e.org/a.mp4\" controls=\"\"></video>",
            ),
            ("<object data=/a.swf><p>c</p></object>", "<p>c</p>"),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }
}

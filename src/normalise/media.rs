//! Pictures, films (see `films`) and players of a fragment: each is written once, with a source that needs no scripts.
//!
//! What a browser with scripts shows is published. A fragment with `<noscript>` is therefore read twice: first without
//! them, to know what is shown, then with those pictures and players of them that are no copies of it.

use std::borrow::Cow;

use super::allowlist::{self, allowed_attributes};
use super::display::{Ends, has_pixel_attributes};
use super::embedded::{EmbeddedImage, Shown, embedded_image, is_emoji_image};
use super::films::{Film, films_end};
use super::html::{Rewriter, set};
use super::links::WEB;
use super::picture_sources::{self, Loading, lazy_or_own};
use super::players::{self, Player, player};
use super::tokens::Tag;
use super::writer::{Attribute, Mark};

/// Width and height of emoji images in pixels.
const TEXT_SIZE: &str = "20";

/// What was read of the media of a fragment.
#[derive(Clone, Default)]
pub(super) struct Media {
    /// What is shown outside of `<noscript>`.
    pub(super) shown: Shown,
    /// Whether that is still collected, and each `<noscript>` skipped.
    is_survey: bool,
    /// Whether there is a `<noscript>`.
    has_copies: bool,
    /// Whether all films and sounds have an end tag, so that their fallback is separate from what follows.
    pub(super) films_end: bool,
    beside: Beside,
    noscript: Option<NoScript>,
    picture: Option<Picture>,
    pub(super) film: Option<Film>,
    /// The player that a parameter of the open `<object>` names.
    pub(super) of_parameter: Option<Player>,
}

/// An image that waits for its copy for clients without scripts, or whose copy may follow.
#[derive(Clone, Default)]
enum Beside {
    #[default]
    Nothing,
    /// A lazily loaded image was written. Its copy follows.
    Lazy,
    /// A placeholder was not written. If no copy follows, its text, or the placeholder, is.
    Pending { alt: String, placeholder: Option<Vec<Attribute<'static>>> },
    /// After a `<noscript>` with an image. A copy without a known source may follow.
    After,
}

/// The open `<noscript>`.
#[derive(Clone)]
struct NoScript {
    begins: Mark,
    /// Whether a copy was left out.
    has_copies: bool,
    /// Whether a picture or player was written.
    has_media: bool,
    /// Whether that was instead of an image before it, so that no other copy of it follows.
    replaces: bool,
}

/// The open `<picture>`.
#[derive(Clone, Default)]
struct Picture {
    /// The source for an `<img>` without any, and whether every reader can show its type.
    source: Option<(String, bool)>,
}

/// Whether a tag is that of an image.
pub(super) fn is_image(name: &str) -> bool {
    matches!(name, "img" | "image" | "amp-img" | "amp-anim")
}

/// Parts of the names that programs give to images. Other names, such as `tic-tac-toe` or `alpha_max`, may be words.
const IMAGE_NAMES: &[&str] = &[
    "avatar",
    "banner",
    "gif",
    "header",
    "icon",
    "image",
    "img",
    "jpeg",
    "jpg",
    "logo",
    "png",
    "svg",
    "thumb",
    "thumbnail",
    "webp",
];

/// Whether the text of an image is a name for programs, such as `audio-thumbnail` or `header_image.png`.
fn is_identifier(alt: &str) -> bool {
    let parts: Vec<&str> = alt.split(['-', '_', '.']).collect();
    let is_word = |part: &&str| part.len() >= 3 && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_lower = alt.starts_with(|c: char| c.is_ascii_lowercase());
    let is_image = parts.iter().any(|part| IMAGE_NAMES.contains(part));
    is_lower && parts.len() > 1 && parts.iter().all(is_word) && is_image
}

/// Whether a fragment may have a tag of this name.
pub(super) fn has_tag(html: &str, name: &str) -> bool {
    memchr::memchr_iter(b'<', html.as_bytes()).any(|at| {
        let rest = html.as_bytes().get(at + 1..at + 1 + name.len());
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(name.as_bytes()))
    })
}

impl Media {
    /// Of a fragment that is not read yet.
    pub(super) fn of(html: &str) -> Self {
        let has_copies = has_tag(html, "noscript");
        Self { has_copies, films_end: films_end(html), ..Self::default() }
    }

    /// To read the fragment without its `<noscript>` before; `None` if it has none.
    pub(super) fn survey(&self) -> Option<Self> {
        self.has_copies.then(|| Self { is_survey: true, ..self.clone() })
    }
}

impl Rewriter<'_> {
    /// Writes what waited for a copy that does not follow.
    pub(super) fn settle(&mut self) {
        if self.media.noscript.is_some() {
            return;
        }
        match std::mem::take(&mut self.media.beside) {
            Beside::Pending { alt, placeholder: None } => self.writer.text(&alt),
            Beside::Pending { placeholder: Some(attributes), .. } => {
                self.writer.start("img", &attributes);
            }
            _ => {}
        }
    }

    /// Ends what is still open at the end of the fragment.
    pub(super) fn end_media(&mut self) {
        self.media.noscript = None;
        self.writer.release();
        self.end_film();
        self.settle();
    }

    /// Whether a placeholder waits for its copy.
    pub(super) fn is_image_pending(&self) -> bool {
        matches!(self.media.beside, Beside::Pending { .. })
    }

    pub(super) fn begin_noscript(&mut self, tag: &Tag<'_>) {
        if tag.self_closing || self.media.noscript.is_some() {
            return;
        }
        if self.media.is_survey || matches!(self.media.beside, Beside::Lazy) {
            self.media.beside = Beside::Nothing;
            return self.skip(tag, Ends::Itself);
        }
        let begins = self.writer.mark();
        let has = false;
        self.media.noscript =
            Some(NoScript { begins, has_copies: has, has_media: has, replaces: has });
    }

    pub(super) fn end_noscript(&mut self) {
        let Some(noscript) = self.media.noscript.take() else { return };
        if noscript.has_copies && !noscript.has_media {
            // Its texts are about the copies.
            self.writer.rewind(noscript.begins);
            self.media.beside = Beside::Nothing;
            return;
        }
        self.writer.release();
        if noscript.has_media && !noscript.replaces {
            self.media.beside = Beside::After;
        }
    }

    /// Records a picture or player that is to be written. `false`: it is a copy.
    pub(super) fn is_first(&mut self, url: &str, srcset: Option<&str>) -> bool {
        if self.media.is_survey {
            self.media.shown.add(url);
            self.media.shown.add_all(srcset);
        }
        let Some(noscript) = &mut self.media.noscript else { return true };
        let is_copy = self.media.shown.has(url) || self.media.shown.has_any(srcset);
        noscript.has_copies |= is_copy;
        noscript.has_media |= !is_copy;
        if !is_copy {
            // It is written instead of what is pending.
            noscript.replaces |= matches!(self.media.beside, Beside::Pending { .. });
            self.media.beside = Beside::Nothing;
        }
        !is_copy
    }

    pub(super) fn image(&mut self, tag: &Tag<'_>) {
        // The image is the last element of a picture, whose end tag may be missing.
        let of_picture = self.media.picture.take().and_then(|picture| picture.source);
        let of_picture = of_picture.as_ref().map(|(source, _)| &**source);
        match embedded_image(tag, self.link_base, of_picture) {
            // AMP shows it if the picture around it cannot be.
            _ if tag.name.starts_with("amp-") && tag.attribute("fallback").is_some() => {}
            EmbeddedImage::Tracker => {
                self.settle();
                self.writer.empty_link();
            }
            EmbeddedImage::Emoji(text) => {
                self.settle();
                self.writer.text(&text);
            }
            // A lazily loaded copy of the image in the `<noscript>` before it.
            EmbeddedImage::Sourceless if matches!(self.media.beside, Beside::After) => {}
            // Formulas have a readable text.
            EmbeddedImage::Sourceless => {
                self.settle();
                let alt = tag.attribute("alt").filter(|alt| !is_identifier(alt));
                let alt = alt.unwrap_or_default().to_owned();
                self.wait(Beside::Pending { alt, placeholder: None });
            }
            EmbeddedImage::Kept { src, srcset, loading, preview } => {
                self.settle();
                let attributes = self.image_attributes(tag, src.clone(), srcset.clone());
                if loading == Loading::Placeholder && self.media.noscript.is_none() {
                    let alt = tag.attribute("alt").unwrap_or_default().to_owned();
                    return self.wait(Beside::Pending { alt, placeholder: Some(attributes) });
                }
                if let Some(preview) = preview.filter(|_| self.media.is_survey) {
                    self.media.shown.add(&preview);
                }
                if self.is_first(&src, srcset.as_deref()) {
                    self.writer.start("img", &attributes);
                    if loading == Loading::Lazy && self.media.noscript.is_none() {
                        self.media.beside = Beside::Lazy;
                    }
                } else {
                    self.writer.empty_link();
                }
            }
        }
    }

    /// Waits for a copy of an image. In a `<noscript>` no copy follows.
    fn wait(&mut self, pending: Beside) {
        match pending {
            Beside::Pending { alt, .. } if self.media.noscript.is_some() => self.writer.text(&alt),
            pending => {
                self.media.beside = pending;
                if !self.media.has_copies {
                    self.settle();
                }
            }
        }
    }

    pub(super) fn image_attributes(
        &mut self,
        tag: &Tag<'_>,
        src: String,
        srcset: Option<String>,
    ) -> Vec<Attribute<'static>> {
        let Some((name, allowed)) = allowlist::element("img") else { return Vec::new() };
        self.count(tag, allowed);
        let mut kept = owned(allowed_attributes(name, allowed, tag, self.link_base));
        set(&mut kept, "src", Some(src));
        set(&mut kept, "srcset", srcset);
        if has_pixel_attributes(tag) {
            // They are those of a placeholder, or the style has others.
            kept.retain(|(name, _)| !matches!(*name, "width" | "height"));
        }
        if is_emoji_image(tag) {
            // A picture without a character is shown in the size of the text.
            set(&mut kept, "width", Some(TEXT_SIZE.to_owned()));
            set(&mut kept, "height", Some(TEXT_SIZE.to_owned()));
        }
        set(&mut kept, "id", self.anchors.id(tag));
        kept
    }

    pub(super) fn begin_picture(&mut self) {
        self.media.picture = Some(Picture::default());
    }

    pub(super) fn end_picture(&mut self) {
        self.media.picture = None;
    }

    /// Records the source of a `<picture>`. Readers that know no `<picture>`, and images without a source, need it.
    fn add_source(&mut self, tag: &Tag<'_>, srcset: &str) {
        let Some(picture) = &mut self.media.picture else { return };
        let Some(best) = picture_sources::best(srcset) else { return };
        let media_type = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
        let is_common =
            matches!(&*media_type, "" | "image/jpeg" | "image/jpg" | "image/png" | "image/gif");
        if picture.source.as_ref().is_none_or(|(_, common)| is_common && !common) {
            picture.source = Some((best.to_owned(), is_common));
        }
    }

    /// Reads a `<source>` of a picture or a film. `false`: it is not written.
    pub(super) fn source(&mut self, tag: &Tag<'_>, kept: &mut Vec<Attribute<'_>>) -> bool {
        let srcset = picture_sources::srcset(tag, self.link_base);
        if let Some(srcset) = srcset.as_deref() {
            self.add_source(tag, srcset);
        }
        set(kept, "srcset", srcset);
        let Some(film) = self.media.film.as_ref().filter(|_| self.media.picture.is_none()) else {
            return true;
        };
        let (is_written, name) = (film.is_written, film.name);
        let Some(src) = lazy_or_own(tag, self.link_base) else { return false };
        if !is_written && !self.is_first(&src, None) {
            self.media.film = None;
            self.skip_to(name, Ends::Content);
            return false;
        }
        self.write_film();
        set(kept, "src", Some(src));
        true
    }

    pub(super) fn player(&mut self, tag: &Tag<'_>) {
        if let Some(player) = player(tag, self.link_base) {
            self.media.of_parameter = None;
            self.write_player(player);
        }
    }

    pub(super) fn script(&mut self, tag: &Tag<'_>) {
        if let Some(player) = players::of_script(tag, self.link_base) {
            self.settle();
            self.write_player(player);
        }
    }

    pub(super) fn write_player(&mut self, player: Player) {
        if !self.is_first(&player.href, None) {
            return;
        }
        if self.writer.is_in("a") {
            return self.writer.text(&player.label);
        }
        let paragraph = self.writer.takes_paragraphs();
        if paragraph {
            self.writer.start("p", &[]);
        }
        self.writer.start("a", &[("href", Cow::Owned(player.href))]);
        self.writer.text(&player.label);
        self.writer.end("a");
        if paragraph {
            self.writer.end("p");
        }
    }

    /// Reads a `<param>`, by which old pages name the player of an `<object>`.
    pub(super) fn parameter(&mut self, tag: &Tag<'_>) {
        let is_movie = tag.attribute("name").is_some_and(|name| {
            name.eq_ignore_ascii_case("movie") || name.eq_ignore_ascii_case("src")
        });
        let value = tag.attribute("value").filter(|_| is_movie);
        let url = value.and_then(|value| self.link_base.resolve(value, WEB));
        self.media.of_parameter =
            url.as_deref().and_then(players::known).or(self.media.of_parameter.take());
    }

    pub(super) fn end_object(&mut self) {
        if let Some(player) = self.media.of_parameter.take() {
            self.write_player(player);
        }
    }
}

/// The attributes with values that do not depend on the tag.
pub(super) fn owned(attributes: Vec<Attribute<'_>>) -> Vec<Attribute<'static>> {
    let owned = attributes.into_iter().map(|(name, value)| (name, Cow::Owned(value.into_owned())));
    owned.collect()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::super::links::LinkBase;

    const BLANK: &str = "src=\"data:image/gif;base64,R0\"";

    fn sanitised(html: &str) -> String {
        let base = Url::parse("https://e.org/").unwrap();
        fragment(html, LinkBase { base: &base, page: None }).unwrap_or_default()
    }

    #[test]
    fn a_picture_is_not_shown_again_by_its_noscript() {
        for html in [
            "<figure><img BLANK data-src=/a.jpg><figcaption>c</figcaption><noscript><img src=/a.jpg></noscript></figure>",
            "<img BLANK data-src=/a.jpg><br><noscript><img src=/a.jpg></noscript>",
            "<img BLANK data-src=/a.jpg><script>x()</script><noscript><img src=/a.jpg></noscript>",
            "<img BLANK data-src=/a.jpg><svg><path/></svg><noscript><img src=/a.jpg></noscript>",
            "<span><img BLANK data-src=/a.jpg></span><span></span><noscript><img src=/a.jpg></noscript>",
            "<noscript><img src=/a.jpg></noscript><br><img BLANK data-src=/a.jpg>",
            "<noscript><div><img src=/a.jpg></div></noscript><div><img BLANK data-src=/a.jpg></div>",
            "<img src='/a.jpg?w=300'><noscript><img src=/a.jpg></noscript>",
            "<img src=http://e.org/a.jpg><p>b</p><noscript><img src=https://e.org/a.jpg></noscript>",
            "<img src=/a-300x200.jpg><noscript><img src=/a.jpg></noscript>",
            "<img BLANK data-foo=/b><script>x()</script><noscript><img src=/a.jpg></noscript>",
            "<img BLANK><noscript>&lt;img src=\"/a.jpg\"&gt;</noscript>",
            "<img BLANK><noscript>&amp;lt;img src=\"/a.jpg\"&amp;gt;</noscript>",
            "<img src=/a.jpg><noscript><figure><a href=/b><img src=/a.jpg></a><figcaption>c</figcaption></figure></noscript>",
        ] {
            let html = html.replace("BLANK", BLANK);
            let kept = sanitised(&html);
            assert_eq!(kept.matches("<img").count(), 1, "{html}: {kept}");
            assert_eq!(kept.matches("/a").count(), 1, "{html}: {kept}");
            assert!(!kept.contains("<a") && !kept.contains("&lt;"), "{html}: {kept}");
        }
        for html in [
            "<img src=/a.jpg><noscript><img src=/b.jpg></noscript>",
            "<img BLANK data-src=/a.jpg><p>x</p><noscript><img src=/b.jpg></noscript>",
        ] {
            let kept = sanitised(&html.replace("BLANK", BLANK));
            assert_eq!(kept.matches("<img").count(), 2, "{html}: {kept}");
        }
    }

    #[test]
    fn a_picture_beside_the_noscript_of_another_is_kept() {
        for html in [
            "<p><img src=/spacer.gif><noscript><img src=/a.jpg></noscript> <img data-src=/b.jpg><noscript><img src=/b.jpg></noscript></p>",
            "<img BLANK><noscript><img src=/a.jpg></noscript><img data-src=/b.jpg>",
            "<noscript><img src=/a.jpg></noscript><img data-src=/b.jpg>",
            "<noscript><img src=/a.jpg></noscript><img src=/pixel-b.png>",
        ] {
            let kept = sanitised(&html.replace("BLANK", BLANK));
            assert_eq!(kept.matches("<img").count(), 2, "{html}: {kept}");
            assert!(kept.contains("/a.jpg") && kept.contains("b."), "{html}: {kept}");
        }
    }

    #[test]
    fn the_text_of_a_missing_picture_is_shown_unless_it_is_a_name_for_programs() {
        for (alt, shown) in [
            ("audio-thumbnail", ""),
            ("header_image.png", ""),
            ("Ferry", "Ferry"),
            ("x_1", "x_1"),
            ("a-b", "a-b"),
            ("tic-tac-toe", "tic-tac-toe"),
            ("alpha_max", "alpha_max"),
            ("www.example.org", "www.example.org"),
            ("A well-known ferry", "A well-known ferry"),
        ] {
            let html = format!("<p><img src=\"\" alt=\"{alt}\">b</p>");
            assert_eq!(sanitised(&html), format!("<p>{shown}b</p>"));
        }
    }

    #[test]
    fn a_waiting_picture_stays_in_its_link() {
        for (html, kept) in [
            (
                "<p>Hi <a href=/x><img alt=P src=/pixel.gif></a> end</p><noscript>n</noscript>",
                "<p>Hi <a href=\"https://e.org/x\"><img alt=\"P\" src=\"https://e.org/pixel.gif\"></a> end</p>n",
            ),
            (
                "<a href=/x><img data-foo=1 alt=Text></a><noscript>n</noscript>",
                "<a href=\"https://e.org/x\">Text</a>n",
            ),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }

    #[test]
    fn a_film_or_sound_is_not_shown_again_by_its_noscript() {
        for (html, kept) in [
            (
                "<iframe src=about:blank data-lazy-src=https://www.youtube.com/embed/a title=F></iframe>\
                 <noscript><iframe src=https://www.youtube.com/embed/a></iframe></noscript>",
                "<p><a href=\"https://www.youtube.com/watch?v=a\">F</a></p>",
            ),
            (
                "<audio src=/a.mp3></audio><noscript><audio src=/a.mp3></audio></noscript>",
                "<audio src=\"https://e.org/a.mp3\" controls=\"\"></audio>",
            ),
            (
                "<video data-src=/a.mp4></video><noscript><video><source src=/a.mp4>x</video></noscript>",
                "<video controls=\"\" src=\"https://e.org/a.mp4\"></video>",
            ),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }

    #[test]
    fn a_picture_element_has_an_image_with_a_source() {
        let picture = |sources: &str, src: &str| {
            format!("<picture>{sources}<img alt=\"P\" src=\"https://e.org/{src}\"></picture>")
        };
        let webp = "<source srcset=\"https://e.org/a.webp\">";
        for (html, kept) in [
            ("<picture><source srcset=/a.webp><img alt=P></picture>", picture(webp, "a.webp")),
            (
                "<picture><source srcset=/a.webp><img src='' alt=P></picture>",
                picture(webp, "a.webp"),
            ),
            (
                "<picture><source data-srcset=/a.webp><img BLANK alt=P></picture>",
                picture(webp, "a.webp"),
            ),
            (
                "<picture><source srcset=/a.webp><img alt=P src=/a.jpg></picture>",
                picture(webp, "a.jpg"),
            ),
            (
                "<picture><source srcset=/a.webp type=image/webp><source srcset='/a.jpg 400w, /b.jpg 800w'><img alt=P></picture>",
                picture(
                    "<source srcset=\"https://e.org/a.webp\" type=\"image/webp\">\
                     <source srcset=\"https://e.org/a.jpg 400w, https://e.org/b.jpg 800w\">",
                    "b.jpg",
                ),
            ),
        ] {
            assert_eq!(sanitised(&html.replace("BLANK", BLANK)), kept, "{html}");
        }
    }
}

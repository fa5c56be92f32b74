//! Files and images of an item (enclosures, Media RSS, iTunes), and episodes of podcasts: the modules of iTunes,
//! Podcasting 2.0 and Podlove Simple Chapters.

use std::str::FromStr;

use super::context::Context;
use super::namespace::Namespace::{self, Chapters, Itunes, Podcast as Podcasting};
use super::tree::Element;
use crate::model::{
    Chapter, Enclosure, EpisodeType, Image, Link, Podcast, PodcastFile, Surplus, is_played,
};
use crate::text::html::to_text;
use crate::text::quoted::in_quotes;

/// Maximum number of files, and of images, of an item. Fewer are published; more would cost quadratic time.
const MAX_FILES: usize = 100;

/// Files and images of an item.
#[derive(Debug, Default)]
pub(crate) struct Media {
    pub(crate) enclosures: Vec<Enclosure>,
    pub(crate) thumbnails: Vec<Image>,
    /// Numbers of files and images left out because there are too many.
    pub(crate) surplus_files: usize,
    pub(crate) surplus_images: usize,
}

/// The files and images of an item without duplicates; `links` are its links.
pub(crate) fn media_of(item: &Element<'_>, links: &[Link], context: &Context) -> Media {
    let mut found = Media::default();
    let duration = item.child(Namespace::Itunes, "duration").and_then(|d| duration(&d.text()));
    // FeedBurner replaces the URL of the file by one that counts downloads.
    let mut originals = item.all(Namespace::FeedBurner, "origEnclosureLink");
    let mut original = || originals.next()?.trimmed().filter(|url| url.contains("://"));
    for element in item.all(Namespace::Rss, "enclosure") {
        let context = context.enter(element);
        let written = || element.attribute("url").or_else(|| element.attribute("href"));
        let url = original().or_else(|| written().map(str::to_owned));
        found.file(Enclosure {
            url: context.resolve(&url.unwrap_or_default()),
            media_type: element.attribute("type").unwrap_or_default().to_owned(),
            length: length(element.attribute("length")),
            title: None,
            duration,
        });
    }
    for element in item.all(Namespace::Enclosures, "enclosure") {
        let value = |name| element.attribute_in(Namespace::Enclosures, name);
        let url = element.attribute_in(Namespace::Rdf, "resource").or_else(|| value("url"));
        found.file(Enclosure {
            url: context.resolve_in(element, url.unwrap_or_default()),
            media_type: value("type").unwrap_or_default().to_owned(),
            length: length(value("length")),
            title: None,
            duration,
        });
    }
    for link in links.iter().filter(|link| link.rel == "enclosure") {
        found.file(Enclosure {
            url: original().unwrap_or_else(|| link.href.clone()),
            media_type: link.media_type.clone().unwrap_or_default(),
            length: link.length.filter(|length| *length > 0),
            title: link.title.clone(),
            duration,
        });
    }
    // An entry whose content is a file.
    for link in links.iter().filter(|link| link.rel == "content") {
        let (url, media_type) = (link.href.clone(), link.media_type.clone().unwrap_or_default());
        if is_media(&media_type) {
            found.file(Enclosure { url, media_type, duration, ..Enclosure::default() });
        }
    }
    found.media(item, context, 0);
    let images = item.all(Namespace::Itunes, "image").chain(item.all(Namespace::Rss, "image"));
    for image in images {
        found.image(image.child(Namespace::Rss, "url").unwrap_or(image), context);
    }
    found
}

/// Whether a file of this media type is a picture, sound or film.
pub(crate) fn is_media(media_type: &str) -> bool {
    ["image/", "audio/", "video/"].iter().any(|kind| media_type.starts_with(kind))
}

impl Media {
    fn file(&mut self, file: Enclosure) {
        let is_full = self.enclosures.len() == MAX_FILES;
        match self.enclosures.iter_mut().find(|known| known.url == file.url) {
            // RSS has no playing time, and Media RSS often no size.
            Some(known) => {
                known.length = known.length.or(file.length);
                known.duration = known.duration.or(file.duration);
                known.title = known.title.take().or(file.title);
                if known.media_type.is_empty() {
                    known.media_type = file.media_type;
                }
            }
            None if file.url.is_empty() => {}
            None if is_full => self.surplus_files += 1,
            None => self.enclosures.push(file),
        }
    }

    /// Adds an image with its URL in `href` of iTunes, in `url` of Media RSS, in the attribute of the other, or in its text.
    fn image(&mut self, element: &Element<'_>, context: &Context) {
        let context = context.enter(element);
        let is_itunes = element.namespace == Namespace::Itunes;
        let names = if is_itunes { ["href", "url"] } else { ["url", "href"] };
        let mut urls = names.into_iter().filter_map(|name| element.attribute(name));
        let url = urls.find(|url| !url.trim().is_empty());
        let url = url.map(str::to_owned).or_else(|| element.trimmed());
        let url = context.resolve(&url.unwrap_or_default());
        let known = self.thumbnails.iter().any(|known| known.url == url);
        if known || url.is_empty() {
            return;
        }
        if self.thumbnails.len() == MAX_FILES {
            self.surplus_images += 1;
        } else {
            let size = |name| element.attribute(name).and_then(|size| size.parse().ok());
            self.thumbnails.push(Image { url, width: size("width"), height: size("height") });
        }
    }

    /// Adds Media RSS elements, including those in groups.
    fn media(&mut self, parent: &Element<'_>, context: &Context, depth: usize) {
        let mut files = Vec::new();
        for element in parent.elements().filter(|element| element.namespace == Namespace::Media) {
            match element.name.to_ascii_lowercase().as_str() {
                "group" if depth < 3 => self.media(element, &context.enter(element), depth + 1),
                "content" => {
                    let is_default = element.attribute("isDefault") == Some("true");
                    let file = self.media_content(element, context);
                    files.extend(file.map(|file| (is_default, file)));
                    self.media(element, &context.enter(element), depth + 1);
                }
                "thumbnail" => self.image(element, context),
                _ => {}
            }
        }
        if parent.is(Namespace::Media, "group") {
            self.representation(files);
        } else {
            files.into_iter().for_each(|(_, file)| self.file(file));
        }
    }

    /// Adds one of the representations of a group, Media RSS 1.5.1: the default one, or else the first that is played.
    /// None, if one of them is an enclosure.
    fn representation(&mut self, mut files: Vec<(bool, Enclosure)>) {
        let is_same = |a: &Enclosure, b: &Enclosure| {
            a.url == b.url
                || a.length.is_some() && a.length == b.length && a.media_type == b.media_type
        };
        if files.iter().any(|(_, file)| self.enclosures.iter().any(|known| is_same(known, file))) {
            return;
        }
        let is_default = |(is_default, _): &(bool, Enclosure)| *is_default;
        let is_played = |(_, file): &(bool, Enclosure)| is_played(&file.media_type);
        let best = files.iter().position(is_default).or_else(|| files.iter().position(is_played));
        if !files.is_empty() {
            self.file(files.swap_remove(best.unwrap_or_default()).1);
        }
    }

    /// The file of a `media:content`. An image in Media RSS illustrates the text; it is added to the images.
    fn media_content(&mut self, element: &Element<'_>, context: &Context) -> Option<Enclosure> {
        let lower = |name| element.attribute(name).unwrap_or_default().to_ascii_lowercase();
        let (mut media_type, medium) = (lower("type"), lower("medium"));
        let is_unknown = media_type.is_empty() && medium.is_empty();
        if medium == "image" || media_type.starts_with("image") || is_unknown && is_picture(element)
        {
            self.image(element, context);
            return None;
        }
        if media_type.is_empty() && matches!(medium.as_str(), "audio" | "video") {
            media_type = medium + "/*";
        }
        let context = context.enter(element);
        let mut url = context.resolve(element.attribute("url").unwrap_or_default());
        // Without a file, the page with its player.
        if url.is_empty() {
            let player = element.child(Namespace::Media, "player")?;
            url = context.resolve_in(player, player.attribute("url")?);
            "text/html".clone_into(&mut media_type);
        }
        Some(Enclosure {
            url,
            media_type,
            length: length(element.attribute("fileSize")),
            title: title(element),
            duration: element.attribute("duration").and_then(duration),
        })
    }
}

/// The title of a file as plain text (Media RSS 1.5.1, `media:title`).
fn title(element: &Element<'_>) -> Option<String> {
    let title = element.child(Namespace::Media, "title")?;
    let text = title.trimmed()?;
    let is_html = title.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
    Some(if is_html { to_text(&text) } else { text }).filter(|text| !text.is_empty())
}

/// Extensions of pictures.
const PICTURES: &[&str] = &["avif", "gif", "jpeg", "jpg", "png", "svg", "webp"];
/// Attributes that only sounds and films have, Media RSS 1.5.1.
const OF_FILMS: &[&str] =
    &["duration", "bitrate", "framerate", "samplingrate", "channels", "expression", "fileSize"];

/// Whether a `media:content` without type and medium is a picture: by its extension, or because it has a size and no
/// extension.
fn is_picture(element: &Element<'_>) -> bool {
    let url = element.attribute("url").unwrap_or_default();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, end)) => PICTURES.iter().any(|known| end.eq_ignore_ascii_case(known)),
        None => {
            let has = |name: &&str| element.attribute(name).is_some();
            ["width", "height"].iter().any(has) && !OF_FILMS.iter().any(has)
        }
    }
}

/// A length in bytes. Publishers write 0 if it is unknown.
fn length(text: Option<&str>) -> Option<u64> {
    text?.replace(',', "").parse().ok().filter(|length| *length > 0)
}

/// Seconds of a duration such as `3600`, `59:30` or `1:02:03`.
pub(crate) fn duration(text: &str) -> Option<u32> {
    let mut seconds = 0_u32;
    let parts: Vec<&str> = text.trim().split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    for part in parts {
        let whole = part.split('.').next().unwrap_or_default().trim();
        let number: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    (seconds > 0).then_some(seconds)
}

/// Maximum number of transcripts, and of chapters, of an episode.
const MAX_TRANSCRIPTS: usize = 20;
const MAX_CHAPTERS: usize = 500;

/// The parts of an episode that the item has, and the numbers of parts left out.
pub(crate) fn podcast(item: &Element<'_>, context: &Context) -> (Podcast, Surplus) {
    // Most items are not episodes.
    let is_part = |inner: &Element<'_>| matches!(inner.namespace, Itunes | Podcasting | Chapters);
    if !item.elements().any(is_part) {
        return Default::default();
    }
    let number = |name: &str| {
        let mut spaces = [Itunes, Podcasting].into_iter();
        spaces.find_map(|space| number_in_season(&item.child(space, name)?.text()))
    };
    let mut transcripts: Vec<PodcastFile> =
        item.all(Podcasting, "transcript").filter_map(|found| file(found, context)).collect();
    let mut chapters = chapter_list(item, context);
    let surplus = Surplus {
        transcripts: transcripts.len().saturating_sub(MAX_TRANSCRIPTS),
        chapters: chapters.len().saturating_sub(MAX_CHAPTERS),
        ..Surplus::default()
    };
    transcripts.truncate(MAX_TRANSCRIPTS);
    chapters.truncate(MAX_CHAPTERS);
    let podcast = Podcast {
        season: number("season"),
        episode: number("episode"),
        episode_type: episode_type(item),
        explicit: explicit(item),
        block: is_blocked(item),
        transcripts,
        chapters: item.child(Podcasting, "chapters").and_then(|found| file(found, context)),
        chapter_list: chapters,
    };
    (podcast, surplus)
}

/// The chapters in the item. Those without a start are left out and reported.
fn chapter_list(item: &Element<'_>, context: &Context) -> Vec<Chapter> {
    let Some(list) = item.child(Chapters, "chapters") else { return Vec::new() };
    let context = context.enter(list);
    let chapter = |element: &Element<'_>| {
        let written = element.attribute("start").unwrap_or_default();
        let Some(start) = start(written) else {
            let message = || {
                format!(
                    "the start {written} of a chapter is not a time; left out",
                    written = in_quotes(written)
                )
            };
            context.report("bad_chapter", message);
            return None;
        };
        let context = context.enter(element);
        let value = |name| element.attribute(name).map(str::trim).filter(|value| !value.is_empty());
        let url = |name| value(name).map(|url| context.resolve(url));
        let title = value("title").map(str::to_owned);
        Some(Chapter { start, title, url: url("href"), image: url("image") })
    };
    list.all(Chapters, "chapter").filter_map(chapter).collect()
}

/// A start such as `1:02:03.5`, `02:03` or `63` as `HH:MM:SS`, with milliseconds if there are any.
fn start(written: &str) -> Option<String> {
    let (whole, fraction) = written.trim().split_once('.').unwrap_or((written.trim(), ""));
    let parts: Vec<u64> = whole.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fits = parts.len() <= 3 && digits && parts.iter().all(|part| *part < 1_000_000);
    if !fits {
        return None;
    }
    let seconds = parts.iter().fold(0, |all, part| all * 60 + part);
    let milliseconds: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let time = format!("{hours:02}:{minutes:02}:{seconds:02}");
    Some(if milliseconds > 0 { format!("{time}.{milliseconds:03}") } else { time })
}

/// A whole number, also of one with a fraction such as `360.5`.
pub(crate) fn whole_number<N: FromStr>(text: &str) -> Option<N> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    whole.parse().ok().filter(|_| digits)
}

/// The number of a season or an episode. `podcast:episode` may have a fraction, which `itunes:episode` cannot have: without
/// it, two episodes would get one number.
fn number_in_season(text: &str) -> Option<u32> {
    let (_, fraction) = text.trim().split_once('.').unwrap_or_default();
    whole_number(text).filter(|_| fraction.bytes().all(|digit| digit == b'0'))
}

/// The kind of an episode (`itunes:episodeType`).
fn episode_type(item: &Element<'_>) -> Option<EpisodeType> {
    match item.child(Itunes, "episodeType")?.text().trim().to_ascii_lowercase().as_str() {
        "full" => Some(EpisodeType::Full),
        "trailer" => Some(EpisodeType::Trailer),
        "bonus" => Some(EpisodeType::Bonus),
        _ => None,
    }
}

/// Whether an item or a channel is not for children.
pub(crate) fn explicit(element: &Element<'_>) -> Option<bool> {
    let text = element.child(Itunes, "explicit")?.text();
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "explicit" => Some(true),
        "no" | "false" | "clean" => Some(false),
        _ => None,
    }
}

/// Whether an item or a channel is kept out of all directories. A `podcast:block` with an id is about one of them.
pub(crate) fn is_blocked(element: &Element<'_>) -> bool {
    let of_all = element.all(Podcasting, "block").filter(|it| it.attribute("id").is_none());
    let mut marks = element.all(Itunes, "block").chain(of_all);
    marks.any(|it| matches!(it.text().trim().to_ascii_lowercase().as_str(), "yes" | "true"))
}

fn file(element: &Element<'_>, context: &Context) -> Option<PodcastFile> {
    let context = context.enter(element);
    let url = context.resolve(element.attribute("url")?);
    let media_type = element.attribute("type").unwrap_or_default().to_owned();
    let language = element.attribute("language").map(str::to_owned);
    (!url.is_empty()).then_some(PodcastFile { url, media_type, language })
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    #[test]
    fn files_are_unique_and_images_are_not_files() {
        let xml = "<item xmlns:media='http://search.yahoo.com/mrss/'>\
            <enclosure url='/a.mp3' type='audio/mpeg' length='12'/>\
            <media:group><media:content url='https://example.org/a.mp3' type='audio/mpeg'/></media:group>\
            <media:content url='/b.mp4' type='video/mp4' duration='90'><media:thumbnail url='/b.png'/>\
            </media:content>\
            <media:content url='/c.jpg' medium='image' width='4'/><itunes:duration>1:00:01</itunes:duration></item>";
        let tree = scan(xml).unwrap();
        let url = url::Url::parse("https://example.org/feed").unwrap();
        let found = media_of(&tree.root, &[], &Context::document(&url));
        let files: Vec<_> =
            found.enclosures.iter().map(|f| (f.url.as_str(), f.length, f.duration)).collect();
        assert_eq!(
            files,
            [
                ("https://example.org/a.mp3", Some(12), Some(3601)),
                ("https://example.org/b.mp4", None, Some(90))
            ]
        );
        let images: Vec<_> = found.thumbnails.iter().map(|p| (p.url.as_str(), p.width)).collect();
        assert_eq!(
            images,
            [("https://example.org/b.png", None), ("https://example.org/c.jpg", Some(4))]
        );
    }

    #[test]
    fn what_two_elements_say_of_one_file_is_put_together() {
        let rss = "<enclosure url='http://e.org/v.mp4' type='video/mp4' length='5'/>";
        let media = "<media:content url='http://e.org/v.mp4' duration='732'/>";
        for (one, other) in [(rss, media), (media, rss)] {
            let found = media_xml(&format!("{one}{other}")).enclosures;
            let said = found.iter().map(|f| (f.length, f.duration, f.media_type.as_str()));
            assert_eq!(said.collect::<Vec<_>>(), [(Some(5), Some(732), "video/mp4")], "{one}");
        }
    }

    fn media_xml(inner: &str) -> Media {
        let xml = format!("<item xmlns:media='http://search.yahoo.com/mrss/'>{inner}</item>");
        media_of(&scan(&xml).unwrap().root, &[], &Context::default())
    }

    #[test]
    fn the_image_of_an_episode_has_its_url_in_any_attribute() {
        for image in
            ["href='http://e.org/i'", "url='http://e.org/i'", "url='http://e.org/i' href=''"]
        {
            let found = media_xml(&format!("<itunes:image {image}/>")).thumbnails;
            let urls: Vec<_> = found.iter().map(|image| image.url.as_str()).collect();
            assert_eq!(urls, ["http://e.org/i"], "{image}");
        }
        let both = "href='http://e.org/page' url='http://e.org/i.png'";
        for (name, url) in
            [("itunes:image", "http://e.org/page"), ("media:thumbnail", "http://e.org/i.png")]
        {
            assert_eq!(media_xml(&format!("<{name} {both}/>")).thumbnails[0].url, url, "{name}");
        }
    }

    #[test]
    fn a_group_is_one_file() {
        let one = |inner: &str| {
            let found = media_xml(inner).enclosures;
            let urls: Vec<_> = found.iter().map(|file| file.url.clone()).collect();
            urls.join(" ")
        };
        let first = "<media:content url='http://e.org/1.ogg' type='audio/ogg' fileSize='9'/>";
        let last = "<media:content url='http://e.org/2.mp3' type='audio/mpeg' isDefault='true'/>";
        let other = "<media:content url='http://e.org/3' type='application/x-bittorrent'/>";
        let enclosure = |url: &str| format!("<enclosure url='{url}' type='audio/ogg' length='9'/>");
        let group = |inner: &str| format!("<media:group>{inner}</media:group>");
        assert_eq!(one(&group(&format!("{first}{last}"))), "http://e.org/2.mp3");
        assert_eq!(one(&group(&format!("{other}{first}"))), "http://e.org/1.ogg");
        assert_eq!(one(&group(other)), "http://e.org/3");
        for url in ["http://e.org/2.mp3", "http://e.org/download-1.ogg"] {
            let both = enclosure(url) + &group(&format!("{first}{last}"));
            assert_eq!(one(&both), url);
        }
        assert_eq!(one(&format!("{first}{last}")), "http://e.org/1.ogg http://e.org/2.mp3");
    }

    #[test]
    fn the_kind_of_a_file_is_known_without_its_type() {
        for (attributes, is_image, media_type) in [
            ("url='http://e.org/a.jpg?width=140' width='140'", true, ""),
            ("url='http://e.org/v1/https://z.org/abc' width='130' height='86'", true, ""),
            ("url='http://e.org/a.php' medium='Image'", true, ""),
            ("url='http://e.org/a.php' type='IMAGE/JPEG'", true, ""),
            ("url='http://e.org/abc' width='130' duration='8'", false, ""),
            ("url='http://e.org/a.mp4' width='130'", false, ""),
            ("url='http://e.org/abc'", false, ""),
            ("url='http://e.org/a' medium='audio'", false, "audio/*"),
            ("url='http://e.org/a.jpg' medium='document'", false, ""),
        ] {
            let found = media_xml(&format!("<media:content {attributes}/>"));
            assert_eq!(found.thumbnails.len(), usize::from(is_image), "{attributes}");
            let kinds: Vec<_> = found.enclosures.into_iter().map(|file| file.media_type).collect();
            let expected = if is_image { vec![] } else { vec![media_type.to_owned()] };
            assert_eq!(kinds, expected, "{attributes}");
        }
        let player =
            "<media:content duration='9'><media:player url='http://e.org/p'/></media:content>";
        let file = media_xml(player).enclosures.remove(0);
        assert_eq!((file.url.as_str(), file.media_type.as_str()), ("http://e.org/p", "text/html"));
        for image in ["<url>http://e.org/a.png</url>", "http://e.org/a.png"] {
            let found = media_xml(&format!("<image>{image}</image>"));
            assert_eq!(found.thumbnails[0].url, "http://e.org/a.png");
        }
    }

    #[test]
    fn the_original_url_of_a_file_replaces_that_of_feedburner() {
        let xml = "<item xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'>\
            <enclosure url='https://feedproxy.test/a.mp3' type='audio/mpeg' length='12'/>\
            <feedburner:origEnclosureLink> https://example.org/a.mp3 </feedburner:origEnclosureLink></item>";
        let tree = scan(xml).unwrap();
        let found = media_of(&tree.root, &[], &Context::default());
        assert_eq!(found.enclosures.len(), 1);
        assert_eq!(found.enclosures[0].url, "https://example.org/a.mp3");
        assert_eq!(found.enclosures[0].length, Some(12));
    }

    #[test]
    fn durations_are_seconds_minutes_or_hours_and_never_panic() {
        for (text, seconds) in [
            ("3600", Some(3600)),
            (" 45:10 ", Some(2710)),
            ("1:02:03", Some(3723)),
            ("12.5", Some(12)),
            ("99999999999999999999", None),
            ("9999999999999999999:0", None),
            ("59:59:59:59:59:59:59:59:59:59:59:59:59:59", None),
            ("٤٥:١٢", None),
            ("1:2:3:4", None),
            ("", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }

    #[test]
    fn the_parts_of_an_episode_are_read_from_both_modules() {
        let xml = "<item xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' \
            xmlns:podcast='https://podcastindex.org/namespace/1.0'>\
            <itunes:season>2</itunes:season><podcast:episode>7.0</podcast:episode><itunes:block>Yes</itunes:block>\
            <itunes:explicit>clean</itunes:explicit><itunes:episodeType> Bonus </itunes:episodeType>\
            <podcast:transcript url='https://e.org/7.vtt' type='text/vtt' language='de'/>\
            <podcast:transcript url='https://e.org/7.srt' type='application/srt'/>\
            <podcast:chapters url='https://e.org/7.json' type='application/json+chapters'/></item>";
        let (found, _) = podcast(&scan(xml).unwrap().root, &Context::default());
        assert_eq!((found.season, found.episode, found.explicit), (Some(2), Some(7), Some(false)));
        assert_eq!((found.episode_type, found.block), (Some(EpisodeType::Bonus), true));
        assert_eq!(found.transcripts[0].language.as_deref(), Some("de"));
        assert_eq!(found.transcripts[1].url, "https://e.org/7.srt");
        assert_eq!(found.chapters.unwrap().media_type, "application/json+chapters");
    }

    #[test]
    fn an_episode_between_two_others_has_no_number() {
        for (text, number) in [
            ("204", Some(204)),
            ("204.0", Some(204)),
            (" 7. ", Some(7)),
            ("204.5", None),
            ("x", None),
        ] {
            assert_eq!(number_in_season(text), number, "{text}");
        }
    }

    #[test]
    fn a_number_is_read_without_its_fraction() {
        for (text, expected) in [
            ("360.5", Some(360)),
            (" 60 ", Some(60)),
            ("60.", Some(60)),
            (".5", None),
            ("1.5h", None),
            ("1.5.6", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(whole_number::<u64>(text), expected, "{text}");
        }
    }

    #[test]
    fn the_chapters_of_podlove_are_read() {
        let xml = "<item xmlns:c='http://podlove.org/simple-chapters'><c:chapters version='1.2'>\
            <c:chapter start='0' title='Intro'/>\
            <c:chapter start='00:03:07.25' title='A &amp; B' href='/b' image='b.png'/>\
            <c:chapter start='soon' title='C'/></c:chapters></item>";
        let context = Context::document(&url::Url::parse("https://e.org/feed").unwrap());
        let (found, _) = podcast(&scan(xml).unwrap().root, &context);
        let chapters = found.chapter_list;
        assert_eq!((chapters[0].start.as_str(), &chapters[0].url), ("00:00:00", &None));
        assert_eq!(chapters[1].start, "00:03:07.250");
        assert_eq!(chapters[1].title.as_deref(), Some("A & B"));
        assert_eq!(chapters[1].url.as_deref(), Some("https://e.org/b"));
        assert_eq!(chapters.len(), 2);
        assert_eq!(context.parse_warnings()[0].code, "bad_chapter");
    }

    #[test]
    fn starts_of_chapters_have_one_form() {
        for (written, form) in [
            ("1:02:03", Some("01:02:03")),
            ("62:03.5", Some("01:02:03.500")),
            ("3723.12345", Some("01:02:03.123")),
            ("", None),
            ("1:2:3:4", None),
            ("1.x", None),
            ("-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(start(written).as_deref(), form, "{written}");
        }
    }
}

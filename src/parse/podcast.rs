//! Episodes of podcasts: the modules of iTunes, Podcasting 2.0 and Podlove Simple Chapters.

use super::context::Context;
use super::namespace::Namespace::{Chapters, Itunes, Podcast as Podcasting};
use super::tree::Element;
use crate::model::{Chapter, Podcast, PodcastFile, Surplus};

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
        let found = [Itunes, Podcasting].into_iter().find_map(|space| item.child(space, name))?;
        found.text().trim().parse().ok()
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
        explicit: explicit(item),
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
            let message = || format!("the start {written:?} of a chapter is not a time; left out");
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
    let seconds = parts.iter().fold(0, |all, part| all * 60 + part);
    let milliseconds: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let time = format!("{hours:02}:{minutes:02}:{seconds:02}");
    fits.then(|| if milliseconds > 0 { format!("{time}.{milliseconds:03}") } else { time })
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
    fn the_parts_of_an_episode_are_read_from_both_modules() {
        let xml = "<item xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' \
            xmlns:podcast='https://podcastindex.org/namespace/1.0'>\
            <itunes:season>2</itunes:season><podcast:episode>7</podcast:episode>\
            <itunes:explicit>clean</itunes:explicit>\
            <podcast:transcript url='https://e.org/7.vtt' type='text/vtt' language='de'/>\
            <podcast:transcript url='https://e.org/7.srt' type='application/srt'/>\
            <podcast:chapters url='https://e.org/7.json' type='application/json+chapters'/></item>";
        let (found, _) = podcast(&scan(xml).unwrap().root, &Context::default());
        assert_eq!((found.season, found.episode, found.explicit), (Some(2), Some(7), Some(false)));
        assert_eq!(found.transcripts[0].language.as_deref(), Some("de"));
        assert_eq!(found.transcripts[1].url, "https://e.org/7.srt");
        assert_eq!(found.chapters.unwrap().media_type, "application/json+chapters");
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

//! Episodes of podcasts: the modules of iTunes and of Podcasting 2.0.

use super::context::Context;
use super::namespace::Namespace::{Itunes, Podcast as Podcasting};
use super::tree::Element;
use crate::model::{Podcast, PodcastFile};

/// Maximum number of transcripts of an episode.
const MAX_TRANSCRIPTS: usize = 20;

/// The parts of an episode that the item has.
pub(crate) fn podcast(item: &Element<'_>, context: &Context) -> Podcast {
    let number = |name: &str| {
        let found = [Itunes, Podcasting].into_iter().find_map(|space| item.child(space, name))?;
        found.text().trim().parse().ok()
    };
    let transcripts: Vec<PodcastFile> =
        item.all(Podcasting, "transcript").filter_map(|found| file(found, context)).collect();
    if transcripts.len() > MAX_TRANSCRIPTS {
        context.report("too_many_parts", || "an item has too many transcripts".into());
    }
    Podcast {
        season: number("season"),
        episode: number("episode"),
        explicit: explicit(item),
        transcripts: transcripts.into_iter().take(MAX_TRANSCRIPTS).collect(),
        chapters: item.child(Podcasting, "chapters").and_then(|found| file(found, context)),
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
        let found = podcast(&scan(xml).unwrap().root, &Context::default());
        assert_eq!((found.season, found.episode, found.explicit), (Some(2), Some(7), Some(false)));
        assert_eq!(found.transcripts[0].language.as_deref(), Some("de"));
        assert_eq!(found.transcripts[1].url, "https://e.org/7.srt");
        assert_eq!(found.chapters.unwrap().media_type, "application/json+chapters");
    }
}

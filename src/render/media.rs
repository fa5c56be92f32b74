//! Podcasts and files of items: the channel of an output that is a podcast, the episodes, and which files are enclosures.
//!
//! The channel has what Apple Podcasts and Podcasting 2.0 require of a show. Its elements are the same in Atom and RSS.
//!
//! An enclosure can be played or downloaded, has a known type (RSS 2.0 requires type and length), and is on
//! a public server (validators require a dot in its name). Pictures, pages, Flash players and files
//! of unknown type are written as `media:content` instead, because podcast clients drop such
//! enclosures, or fetch them.

use serde::Serialize;
use uuid::{Uuid, uuid};

use super::output::{Format, Output};
use super::shown::ShownItem;
use super::text::{self, without_markup};
use super::xml::XmlWriter;
use crate::model::{Chapter, Enclosure, Item, PodcastFile};
use crate::text::uuid::named;

/// Namespace of `podcast:guid`, as Podcasting 2.0 defines it.
const GUIDS: Uuid = uuid!("ead4c236-bf58-58c6-a2c6-a6b28d128cb6");

/// The categories of Apple Podcasts, each with its subcategories. No name occurs twice.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("Arts", &["Books", "Design", "Fashion & Beauty", "Food", "Performing Arts", "Visual Arts"]),
    (
        "Business",
        &["Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit"],
    ),
    ("Comedy", &["Comedy Interviews", "Improv", "Stand-Up"]),
    ("Education", &["Courses", "How To", "Language Learning", "Self-Improvement"]),
    ("Fiction", &["Comedy Fiction", "Drama", "Science Fiction"]),
    ("Government", &[]),
    ("History", &[]),
    (
        "Health & Fitness",
        &["Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality"],
    ),
    ("Kids & Family", &["Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"]),
    (
        "Leisure",
        &[
            "Animation & Manga",
            "Automotive",
            "Aviation",
            "Crafts",
            "Games",
            "Hobbies",
            "Home & Garden",
            "Video Games",
        ],
    ),
    ("Music", &["Music Commentary", "Music History", "Music Interviews"]),
    (
        "News",
        &[
            "Business News",
            "Daily News",
            "Entertainment News",
            "News Commentary",
            "Politics",
            "Sports News",
            "Tech News",
        ],
    ),
    (
        "Religion & Spirituality",
        &["Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality"],
    ),
    (
        "Science",
        &[
            "Astronomy",
            "Chemistry",
            "Earth Sciences",
            "Life Sciences",
            "Mathematics",
            "Natural Sciences",
            "Nature",
            "Physics",
            "Social Sciences",
        ],
    ),
    (
        "Society & Culture",
        &["Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships"],
    ),
    (
        "Sports",
        &[
            "Baseball",
            "Basketball",
            "Cricket",
            "Fantasy Sports",
            "Football",
            "Golf",
            "Hockey",
            "Rugby",
            "Running",
            "Soccer",
            "Swimming",
            "Tennis",
            "Volleyball",
            "Wilderness",
            "Wrestling",
        ],
    ),
    ("Technology", &[]),
    ("True Crime", &[]),
    (
        "TV & Film",
        &["After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"],
    ),
];

/// What makes an output a podcast, in addition to its title, author, icon and language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodcastChannel {
    /// Category in the directories.
    pub category: PodcastCategory,
    /// Whether all episodes are not for children; otherwise the channel follows the episodes that it shows.
    pub explicit: bool,
    /// Mail address by which directories verify the owner; they publish it.
    pub email: Option<String>,
}

/// A category of Apple Podcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodcastCategory {
    /// Name of the category, as Apple spells it.
    pub name: &'static str,
    /// Name of the subcategory; `None`: the category alone.
    pub subcategory: Option<&'static str>,
}

impl PodcastCategory {
    /// The category or subcategory of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CATEGORIES.iter().find_map(|(category, subcategories)| {
            let subcategory = subcategories.iter().find(|subcategory| **subcategory == name);
            (*category == name || subcategory.is_some())
                .then_some(Self { name: category, subcategory: subcategory.copied() })
        })
    }

    /// The names of all categories, each followed by its subcategories.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CATEGORIES.iter().flat_map(|(category, subcategories)| {
            std::iter::once(*category).chain(subcategories.iter().copied())
        })
    }
}

/// Whether an item is an episode: it has an audio or video file that is written as its enclosure.
pub(super) fn is_episode(item: &Item) -> bool {
    item.details.enclosures.iter().any(|file| is_enclosure(file) && file.is_played())
}

/// The facts of the channel.
#[derive(Serialize)]
pub(super) struct Channel<'a> {
    guid: String,
    category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subcategory: Option<&'static str>,
    author: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    explicit: bool,
}

impl<'a> Channel<'a> {
    /// The channel of an output that shows these items; `None`: the output is not a podcast.
    pub(super) fn of(output: &'a Output, shown: &[ShownItem<'_>]) -> Option<Self> {
        let podcast = output.presentation.podcast.as_ref()?;
        let author = output.author.as_deref().and_then(text::line);
        let is_explicit = |shown: &ShownItem<'_>| {
            let episode = shown.entry.item.details.podcast.as_ref();
            episode.is_some_and(|episode| episode.explicit == Some(true))
        };
        Some(Self {
            guid: guid(&output.self_url(Format::Rss)),
            category: podcast.category.name,
            subcategory: podcast.category.subcategory,
            author: without_markup(
                &author.or_else(|| text::line(&output.title)).unwrap_or_else(|| output.id.clone()),
            )
            .into_owned(),
            email: podcast.email.as_deref(),
            explicit: podcast.explicit || shown.iter().any(is_explicit),
        })
    }

    /// Writes the elements of the channel.
    pub(super) fn write(&self, xml: &mut XmlWriter, output: &Output) {
        xml.text("itunes:author", &[], &self.author);
        xml.text("itunes:type", &[], "episodic");
        xml.text("itunes:explicit", &[], if self.explicit { "true" } else { "false" });
        if let Some(icon) = &output.presentation.icon {
            xml.empty("itunes:image", &[("href", icon.as_str())]);
        }
        match self.subcategory {
            Some(subcategory) => {
                xml.open("itunes:category", &[("text", self.category)]);
                xml.empty("itunes:category", &[("text", subcategory)]);
                xml.close();
            }
            None => xml.empty("itunes:category", &[("text", self.category)]),
        }
        if let Some(email) = self.email {
            xml.open("itunes:owner", &[]);
            xml.text("itunes:name", &[], &self.author);
            xml.text("itunes:email", &[], email);
            xml.close();
        }
        xml.text("podcast:guid", &[], &self.guid);
    }
}

/// The `podcast:guid` of the feed at this URL.
fn guid(url: &str) -> String {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    named(&GUIDS, address.trim_end_matches('/').as_bytes()).to_string()
}

/// RFC 2046 4.5.1: any bytes.
const UNKNOWN: &str = "application/octet-stream";

/// Whether it is an enclosure: a file to play or to download.
pub(super) fn is_enclosure(file: &Enclosure) -> bool {
    file.is_file() && text::line(&file.media_type).is_some() && is_reachable(&file.url)
}

/// Whether the host can be public; a name without a dot is in a local network.
fn is_reachable(url: &str) -> bool {
    let host = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next());
    host.flatten().is_some_and(|host| host.contains(['.', '[']))
}

/// The media type, for formats that require one.
pub(super) fn media_type(file: &Enclosure) -> String {
    text::line(&file.media_type).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The `medium` of Media RSS; `None`: it has none for this type.
pub(super) fn medium(file: &Enclosure) -> Option<&'static str> {
    ["image", "audio", "video"].into_iter().find(|medium| {
        file.media_type.strip_prefix(medium).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Writes the elements of the podcast and Media RSS namespaces, the same for Atom and RSS: files, playing
/// time of the main file, and picture of the item.
pub(super) fn write_media(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    write_files(xml, shown);
    if let Some(duration) = shown.duration() {
        xml.text("itunes:duration", &[], &duration.to_string());
    }
    write_podcast(xml, shown);
    let Some(image) = shown.image() else { return };
    if shown.enclosures().next().is_some_and(Enclosure::is_played) {
        xml.empty("itunes:image", &[("href", &image.url)]);
    }
    let (width, height) = (image.width.map(|n| n.to_string()), image.height.map(|n| n.to_string()));
    let mut attributes = vec![("url", &*image.url)];
    attributes.extend(width.as_deref().map(|width| ("width", width)));
    attributes.extend(height.as_deref().map(|height| ("height", height)));
    xml.empty("media:thumbnail", &attributes);
}

/// Writes what makes an item an episode of a podcast.
fn write_podcast(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    let Some(podcast) = &shown.entry.item.details.podcast else { return };
    // Validators reject zero, which publishers write for a trailer.
    if let Some(season) = podcast.season.filter(|season| *season > 0) {
        xml.text("itunes:season", &[], &season.to_string());
    }
    if let Some(episode) = podcast.episode.filter(|episode| *episode > 0) {
        xml.text("itunes:episode", &[], &episode.to_string());
    }
    if let Some(kind) = podcast.episode_type {
        xml.text("itunes:episodeType", &[], kind.slug());
    }
    if let Some(explicit) = podcast.explicit {
        xml.text("itunes:explicit", &[], if explicit { "true" } else { "false" });
    }
    if podcast.block {
        xml.text("itunes:block", &[], "Yes");
    }
    for transcript in &podcast.transcripts {
        let mut attributes = vec![("url", &*transcript.url), ("type", transcript_type(transcript))];
        attributes.extend(transcript.language.as_deref().map(|language| ("language", language)));
        xml.empty("podcast:transcript", &attributes);
    }
    if let Some(chapters) = &podcast.chapters {
        let kind = Some(&*chapters.media_type).filter(|kind| !kind.is_empty());
        let kind = kind.unwrap_or("application/json+chapters");
        let attributes = [("url", &*chapters.url), ("type", kind)];
        xml.empty("podcast:chapters", &attributes);
    }
    write_chapters(xml, &podcast.chapter_list);
}

/// The media type of a transcript, which the format requires: of the publisher, else by the end of its URL.
fn transcript_type(transcript: &PodcastFile) -> &str {
    let path = transcript.url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next() {
        _ if !transcript.media_type.is_empty() => &transcript.media_type,
        Some("vtt") => "text/vtt",
        Some("srt") => "application/x-subrip",
        Some("json") => "application/json",
        Some("html" | "htm") => "text/html",
        _ => "text/plain",
    }
}

/// Writes the list of chapters. The namespace is declared here, because few feeds use it.
fn write_chapters(xml: &mut XmlWriter, chapters: &[Chapter]) {
    if chapters.is_empty() {
        return;
    }
    let attributes = [("version", "1.2"), ("xmlns:psc", "http://podlove.org/simple-chapters")];
    xml.open("psc:chapters", &attributes);
    for chapter in chapters {
        let mut attributes = vec![("start", &*chapter.start)];
        attributes.extend(chapter.title.as_deref().map(|title| ("title", title)));
        attributes.extend(chapter.url.as_deref().map(|url| ("href", url)));
        attributes.extend(chapter.image.as_deref().map(|image| ("image", image)));
        xml.empty("psc:chapter", &attributes);
    }
    xml.close();
}

/// Writes files that are not enclosures; if there are several enclosures, also them, because RSS has only one.
fn write_files(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    for file in shown.files().filter(|file| !is_enclosure(file)) {
        write_content(xml, file, &[]);
    }
    let enclosures: Vec<&Enclosure> = shown.enclosures().collect();
    let Some((main, others)) = enclosures.split_first().filter(|(_, others)| !others.is_empty())
    else {
        return;
    };
    for file in others {
        write_content(xml, file, &[]);
    }
    // At the end, because readers that know only one file keep the last.
    write_content(xml, main, &[("isDefault", "true")]);
}

/// One `media:content`, Media RSS 1.5.1.
fn write_content(xml: &mut XmlWriter, file: &Enclosure, more: &[(&'static str, &str)]) {
    let kind = Some(media_type(file)).filter(|_| !file.media_type.is_empty());
    let number = |n: Option<u64>| n.map(|n| n.to_string());
    let (size, duration) = (number(file.length), number(file.duration.map(u64::from)));
    let mut attributes = vec![("url", &*file.url)];
    attributes.extend(kind.as_deref().map(|kind| ("type", kind)));
    attributes.extend(medium(file).map(|medium| ("medium", medium)));
    attributes.extend(size.as_deref().map(|size| ("fileSize", size)));
    attributes.extend(duration.as_deref().map(|duration| ("duration", duration)));
    attributes.extend_from_slice(more);
    xml.empty("media:content", &attributes);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_guid_is_that_of_the_specification() {
        // Both examples are in the specification of podcast:guid.
        let example = "https://mp3s.nashownotes.com/pc20rss.xml";
        assert_eq!(guid(example), "917393e3-1b1e-5cef-ace4-edaa54e1f810");
        assert_eq!(guid("podnews.net/rss"), "9b024349-ccf0-5f69-a609-6b82873eab3c");
        assert_eq!(guid("http://podnews.net/rss//"), guid("https://podnews.net/rss"));
    }

    #[test]
    fn each_category_is_found_by_its_name() {
        let names: Vec<&str> = PodcastCategory::names().collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| PodcastCategory::named(name).is_some()));
        let news = PodcastCategory::named("Tech News").unwrap();
        assert_eq!((news.name, news.subcategory), ("News", Some("Tech News")));
        let whole = PodcastCategory::named("News").unwrap();
        assert_eq!((whole.name, whole.subcategory), ("News", None));
        assert_eq!(PodcastCategory::named("technology"), None);
    }
}

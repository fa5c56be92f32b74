//! The channel of an output that is a podcast: what Apple Podcasts and Podcasting 2.0 require of a show.
//!
//! Its elements are the same in Atom and RSS. `files` writes those of the episodes.

use serde::Serialize;
use uuid::{Uuid, uuid};

use super::files;
use super::output::{Format, Output};
use super::shown::ShownItem;
use super::text;
use super::xml::XmlWriter;
use crate::model::Item;
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
    item.details.enclosures.iter().any(|file| files::is_enclosure(file) && files::is_played(file))
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
            author: author
                .or_else(|| text::line(&output.title))
                .unwrap_or_else(|| output.id.clone()),
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

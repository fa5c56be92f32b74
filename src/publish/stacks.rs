//! What is kept behind the shelf: stories to look through, pages of the archive. Who keeps it
//! answers; the web room asks.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use super::document::Document;
use super::output::Format;
use crate::model::{Entry, ItemKey};

/// What a person wants to see of an output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Words that title or text must have; everything where empty.
    pub words: String,
    /// Only of the feed of this id.
    pub feed: Option<String>,
    /// Only of feeds with this tag.
    pub tag: Option<String>,
    /// Only what comes behind this place.
    pub behind: Option<Place>,
}

/// A place between two stories, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Of the story before it.
    pub sort_at: Timestamp,
    /// Of the story before it.
    pub key: ItemKey,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sort_at.as_millisecond(), self.key.0)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, key) = text.rsplit_once('-').ok_or(())?;
        let sort_at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        Ok(Self { sort_at: sort_at.ok_or(())?, key: ItemKey(key.parse().map_err(drop)?) })
    }
}

/// Some stories, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The stories.
    pub entries: Vec<Entry>,
    /// Where to go on; `None`: these were the last.
    pub more: Option<Place>,
}

/// A feed that the output takes stories of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Why there is no answer: of what is kept nothing can be read just now.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StacksError(pub String);

/// Everything that is kept of one output. Every verb blocks: call it off the async threads.
pub trait Stacks: fmt::Debug + Send + Sync {
    /// At most `limit` stories.
    ///
    /// # Errors
    /// When the store fails.
    fn browse(&self, question: &Question, limit: usize) -> Result<Found, StacksError>;

    /// One story, if the output takes it.
    ///
    /// # Errors
    /// When the store fails.
    fn story(&self, key: ItemKey) -> Result<Option<Entry>, StacksError>;

    /// The feeds that the output takes stories of, by title.
    ///
    /// # Errors
    /// When the store fails.
    fn sources(&self) -> Result<Vec<Source>, StacksError>;

    /// A page of the archive, if there is one of this number.
    ///
    /// # Errors
    /// When the store fails.
    fn archived(&self, number: u32, format: Format) -> Result<Option<Arc<Document>>, StacksError>;
}

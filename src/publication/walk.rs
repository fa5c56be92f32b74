//! The items that come into question for a reader's question, the newest first: all of some feeds,
//! or those that have certain words.

use crate::model::FeedKey;
use crate::publish::{Place, Question};
use crate::store::{Error, Hits, Reader};

use super::merge::Merge;

/// Where the walk stands.
#[derive(Debug)]
pub(crate) enum Walk<'a> {
    /// Feed by feed, in the order of outputs.
    All(Merge<'a>),
    /// By the index of words, in order of arrival.
    Words { reader: &'a Reader, words: &'a str, behind: Option<Place> },
}

impl<'a> Walk<'a> {
    /// Starts behind the place that the question names.
    pub(crate) fn start(
        reader: &'a Reader,
        question: &'a Question,
        feeds: impl Iterator<Item = FeedKey>,
    ) -> Result<Self, Error> {
        let (words, behind) = (question.words.trim(), question.behind);
        if words.is_empty() {
            return Ok(Self::All(Merge::behind(reader, feeds, behind)?));
        }
        Ok(Self::Words { reader, words, behind })
    }

    /// The next `limit` items; fewer at the end, or where a phrase is rare.
    pub(crate) fn next_batch(&mut self, limit: usize) -> Result<Hits, Error> {
        match self {
            Self::All(merge) => {
                let heads = merge.next_batch(limit)?;
                let last = heads.last().copied().filter(|_| heads.len() == limit);
                Ok(Hits { heads, last })
            }
            Self::Words { reader, words, behind } => {
                let hits = reader.search(words, behind.map(|place| place.key), limit)?;
                if let Some(last) = hits.last {
                    *behind = Some(Place { sort_at: last.sort_at, key: last.key });
                }
                Ok(hits)
            }
        }
    }
}

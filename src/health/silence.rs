//! The silence detector: tells a quiet feed from one that still answers and has gone dead. Pure.
//!
//! A feed is judged by its own habits: how far apart its items stand, and the longest pause that it
//! ever made. Nobody is alarmed by a feed whose habits are not known yet, nor by a holiday. Beyond
//! that, what the server says meanwhile names the way in which the feed is dead.

use jiff::{SignedDuration, Timestamp};

use crate::model::{FailureKind, FeedActivity, FeedStatus, Outcome};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Habits are known once items have come for so long,
const LIFE: i64 = 14 * DAY;
/// with so many pauses between them.
const GAPS: usize = 6;
/// And nothing is said before we have looked so often since the last news: we may have been away.
const LOOKS: u32 = 5;
/// No silence is shorter than this, however much a feed publishes.
const SHORTEST: i64 = 3 * DAY;
/// A longer holiday than this is news.
const HOLIDAY: i64 = 21 * DAY;
/// A web page in the feed's place is no accident any more after so long,
const PAGE: i64 = DAY;
/// and neither is a document without any item.
const EMPTY: i64 = 2 * DAY;

/// How a feed that still answers may be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Silence {
    /// Every answer is "not modified".
    StuckValidator,
    /// Every answer is the same body.
    FrozenCopy,
    /// The document changes, and there is never a new item in it.
    OldItems,
    /// The document is a feed without any item.
    EmptyDocument,
    /// 200, and a web page where the feed was.
    SoftNotFound,
}

impl Silence {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::StuckValidator,
        Self::FrozenCopy,
        Self::OldItems,
        Self::EmptyDocument,
        Self::SoftNotFound,
    ];

    /// The stable name.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::StuckValidator => "stuck_validator",
            Self::FrozenCopy => "frozen_copy",
            Self::OldItems => "old_items",
            Self::EmptyDocument => "empty_document",
            Self::SoftNotFound => "soft_404",
        }
    }

    /// What the server says meanwhile, a fragment.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::StuckValidator => "the server says \"not modified\" each time",
            Self::FrozenCopy => "the server sends the same document each time",
            Self::OldItems => "the document changes, but all items in it are old",
            Self::EmptyDocument => "the document has no items any more",
            Self::SoftNotFound => "the server sends a web page where the feed was",
        }
    }
}

/// A feed that has gone silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent {
    /// In which way.
    pub kind: Silence,
    /// Since its last sign of life.
    pub since: Timestamp,
    /// How long it may be silent by its own habits; `None`: it is no matter of habit.
    pub patience: Option<SignedDuration>,
}

/// Whether the feed has gone dead while it still answers.
#[must_use]
pub fn silence(status: &FeedStatus, now: Timestamp) -> Option<Silent> {
    let activity = &status.activity;
    let lasts = |since: Timestamp, seconds: i64| now.duration_since(since).as_secs() >= seconds;
    if status.last_outcome == Some(Outcome::Failed(FailureKind::NotAFeed)) && status.items > 0 {
        let since = status.failing_since.filter(|since| lasts(*since, PAGE))?;
        let page = status.last_status == Some(200);
        return page.then_some(Silent { kind: Silence::SoftNotFound, since, patience: None });
    }
    if status.failures > 0 {
        return None;
    }
    let patience = patience(activity);
    if let Some(since) = activity.empty_since {
        let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs());
        let kind = Silence::EmptyDocument;
        return lasts(since, EMPTY.max(longest)).then_some(Silent { kind, since, patience });
    }
    let known = patience?;
    let since =
        [status.last_new_at, activity.moments.first().copied()].into_iter().flatten().max()?;
    let looks = activity.not_modified + activity.same_body + activity.nothing_new;
    if looks < LOOKS || !lasts(since, known.as_secs()) {
        return None;
    }
    Some(Silent { kind: kind(activity), since, patience })
}

/// What most answers since the last news were.
fn kind(activity: &FeedActivity) -> Silence {
    let most = activity.not_modified.max(activity.same_body).max(activity.nothing_new);
    if most == activity.nothing_new {
        Silence::OldItems
    } else if most == activity.same_body {
        Silence::FrozenCopy
    } else {
        Silence::StuckValidator
    }
}

/// How long the feed may be silent by its own habits; `None`: they are not known.
///
/// Twice its longest pause, or four times one that only a tenth of its pauses exceed; and where it
/// publishes seldom enough for one person to write it, a holiday on top.
#[must_use]
pub fn patience(activity: &FeedActivity) -> Option<SignedDuration> {
    let gaps = Gaps::of(&activity.moments)?;
    // A conference that filled a week is no habit.
    if seconds(activity.oldest?, *activity.moments.first()?) < LIFE {
        return None;
    }
    let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs()).max(gaps.longest);
    let habit = (2 * longest).max(4 * gaps.most).max(SHORTEST);
    Some(SignedDuration::from_secs(habit + (7 * gaps.median).min(HOLIDAY)))
}

/// The pauses between items, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// Half of them are shorter.
    pub median: i64,
    /// Nine tenths of them are shorter.
    pub most: i64,
    /// All others are shorter.
    pub longest: i64,
}

impl Gaps {
    /// Of these moments, the newest first; `None`: too few to say anything.
    #[must_use]
    pub fn of(moments: &[Timestamp]) -> Option<Self> {
        let pauses = moments.windows(2).map(|pair| seconds(pair[1], pair[0]));
        // Items of one moment are one.
        let mut gaps: Vec<i64> = pauses.filter(|gap| *gap > 0).collect();
        if gaps.len() < GAPS {
            return None;
        }
        gaps.sort_unstable();
        let quantile = |share: usize| gaps[(gaps.len() - 1) * share / 10];
        let (median, most, longest) = (quantile(5), quantile(9), quantile(10));
        Some(Self { median, most, longest })
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

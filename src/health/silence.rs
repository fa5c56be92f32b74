//! The silence detector: finds feeds that still answer but have stopped publishing. Pure.
//!
//! A feed counts as silent if it has had no new item for much longer than usual, measured by the gaps
//! between its items and by its longest gap. A feed with too few items is never silent, and a holiday
//! is no silence. What most answers were since the last new item gives the kind of silence.

use jiff::{SignedDuration, Timestamp};

use crate::model::{FailureKind, FeedActivity, FeedStatus, Outcome};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Shortest time from the oldest to the newest item of a feed that can be silent, in seconds.
const MIN_HISTORY: i64 = 14 * DAY;
/// Smallest number of gaps between its items.
const MIN_GAPS: usize = 6;
/// Smallest number of polls since the last new item, in case newswire did not run.
const MIN_POLLS: u32 = 5;
/// Shortest silence of any feed, in seconds.
const MIN_SILENCE: i64 = 3 * DAY;
/// Longest holiday that is allowed for, in seconds.
const MAX_HOLIDAY: i64 = 21 * DAY;
/// Time after which a web page in place of the feed is not an accident, in seconds.
const PAGE_AFTER: i64 = DAY;
/// Time after which a document without items is not an accident, in seconds.
const EMPTY_AFTER: i64 = 2 * DAY;

/// What a silent feed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SilenceKind {
    /// Most answers are "not modified".
    StuckValidator,
    /// Most answers are the same document.
    FrozenCopy,
    /// The document changes, but has no new items.
    OldItems,
    /// The document has no items.
    EmptyDocument,
    /// A web page with status 200 instead of the feed.
    SoftNotFound,
}

impl SilenceKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::StuckValidator,
        Self::FrozenCopy,
        Self::OldItems,
        Self::EmptyDocument,
        Self::SoftNotFound,
    ];

    /// Stable slug, for JSON and metrics.
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

    /// What the server does, without a full stop.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::StuckValidator => "the server always answers \"not modified\"",
            Self::FrozenCopy => "the server always sends the same document",
            Self::OldItems => "the document changes, but has no new items",
            Self::EmptyDocument => "the document has no items",
            Self::SoftNotFound => "the server sends a web page instead of the feed",
        }
    }
}

/// The silence of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// What the feed answers.
    pub kind: SilenceKind,
    /// Time of the last new item or the last good document.
    pub since: Timestamp,
    /// Time without new items after which the feed counts as silent, see [`threshold`]; `None`: unknown.
    pub threshold: Option<SignedDuration>,
}

/// The silence of the feed; `None`: it is not silent.
#[must_use]
pub fn silence(status: &FeedStatus, now: Timestamp) -> Option<Silence> {
    let activity = &status.activity;
    let lasts = |since: Timestamp, seconds: i64| now.duration_since(since).as_secs() >= seconds;
    if status.last_outcome == Some(Outcome::Failed(FailureKind::NotAFeed)) && status.items > 0 {
        let since = status.failing_since.filter(|since| lasts(*since, PAGE_AFTER))?;
        let is_page = status.last_status == Some(200);
        let kind = SilenceKind::SoftNotFound;
        return is_page.then_some(Silence { kind, since, threshold: None });
    }
    if status.failures > 0 {
        return None;
    }
    let threshold = threshold(activity);
    if let Some(since) = activity.empty_since {
        let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs());
        let kind = SilenceKind::EmptyDocument;
        let is_silent = lasts(since, EMPTY_AFTER.max(longest));
        return is_silent.then_some(Silence { kind, since, threshold });
    }
    let limit = threshold?;
    let since =
        [status.last_new_at, activity.moments.first().copied()].into_iter().flatten().max()?;
    let polls = activity.not_modified + activity.same_body + activity.nothing_new;
    if polls < MIN_POLLS || !lasts(since, limit.as_secs()) {
        return None;
    }
    Some(Silence { kind: kind(activity), since, threshold })
}

/// What most answers since the last new item were.
fn kind(activity: &FeedActivity) -> SilenceKind {
    let most = activity.not_modified.max(activity.same_body).max(activity.nothing_new);
    if most == activity.nothing_new {
        SilenceKind::OldItems
    } else if most == activity.same_body {
        SilenceKind::FrozenCopy
    } else {
        SilenceKind::StuckValidator
    }
}

/// Time without new items after which a feed counts as silent; `None`: too few items are known.
///
/// The larger of twice its longest gap and four times the gap that a tenth of its gaps exceed, and on top
/// a holiday of up to seven median gaps, for feeds that one person writes.
#[must_use]
pub fn threshold(activity: &FeedActivity) -> Option<SignedDuration> {
    let gaps = Gaps::new(&activity.moments)?;
    // The feed of a conference publishes for a week.
    if seconds(activity.oldest?, *activity.moments.first()?) < MIN_HISTORY {
        return None;
    }
    let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs()).max(gaps.longest);
    let usual = (2 * longest).max(4 * gaps.p90).max(MIN_SILENCE);
    Some(SignedDuration::from_secs(usual + (7 * gaps.median).min(MAX_HOLIDAY)))
}

/// The gaps between items, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// Half of the gaps are shorter.
    pub median: i64,
    /// A tenth of the gaps are longer.
    pub p90: i64,
    /// The longest gap.
    pub longest: i64,
}

impl Gaps {
    /// The gaps between these times, the newest first; `None`: fewer than six gaps.
    #[must_use]
    pub fn new(moments: &[Timestamp]) -> Option<Self> {
        let gaps = moments.windows(2).map(|pair| seconds(pair[1], pair[0]));
        // Items with the same time count as one.
        let mut gaps: Vec<i64> = gaps.filter(|gap| *gap > 0).collect();
        if gaps.len() < MIN_GAPS {
            return None;
        }
        gaps.sort_unstable();
        let quantile = |tenths: usize| gaps[(gaps.len() - 1) * tenths / 10];
        Some(Self { median: quantile(5), p90: quantile(9), longest: quantile(10) })
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

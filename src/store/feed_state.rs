//! The digest of the state of a feed: what the next request is made of and when it is sent. SQLite does not notice a bit
//! that flips in a value, and one in an adopted address, in a validator or in the time of a poll would send requests to
//! another server, be answered "not modified" for ever, or end the polls of the feed.
//!
//! An altered state is not published, so that nothing has to stop because of it: it is reset, and the next poll requests
//! the complete document at the configured address.

use rusqlite::params;

use super::error::Error;
use super::transaction::Transaction;
use crate::model::FeedKey;

/// The columns of the state, as SQL.
pub(super) const STATE: &str =
    "publisher_hints, request_key, etag, last_modified, body_hash, response_url,
    lifetime, last_full_at, checked_at, validator_use, validator_count, reread_at, effective_url,
    moved_to, moved_since, next_poll_at, plan_reason, plan_inputs, failures, last_poll_at, last_outcome,
    last_success_at, items, boilerplate";

/// The state of a feed that was not polled, but for what its items show.
const RESET: &str = "publisher_hints = '{}', request_key = '', etag = NULL, last_modified = NULL, body_hash = NULL,
    response_url = NULL, lifetime = NULL, last_full_at = NULL, checked_at = NULL, validator_use = 'both',
    validator_count = 0, reread_at = NULL, effective_url = NULL, moved_to = NULL, moved_since = NULL, next_poll_at = 0,
    plan_reason = 'new', plan_text = 'its state was damaged', plan_inputs = '[]', failures = 0, failing_since = NULL,
    last_poll_at = NULL, last_outcome = NULL, boilerplate = x'',
    last_success_at = (SELECT max(first_seen_at) FROM item WHERE feed_id = feed.id AND hidden IS NULL),
    items = (SELECT count(*) FROM item WHERE feed_id = feed.id AND hidden IS NULL)";

/// Which feeds a statement is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// All feeds.
    All,
    /// One feed.
    One(FeedKey),
}

impl Which {
    /// The condition with the parameter `?1`, as SQL.
    fn condition(self) -> &'static str {
        match self {
            Self::All => "?1 IS NULL",
            Self::One(_) => "id = ?1",
        }
    }

    fn key(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::One(feed) => Some(feed.0),
        }
    }
}

impl Transaction<'_> {
    /// Resets the states that differ from what was written. To be called before a state is changed: its new digest
    /// would hide that.
    pub(super) fn reset_altered_states(&self, which: Which) -> rusqlite::Result<Vec<FeedKey>> {
        let condition = which.condition();
        let sql = format!(
            "SELECT id FROM feed WHERE {condition} AND state_digest IS NOT row_digest({STATE})"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![which.key()], |row| row.get(0).map(FeedKey))?;
        let reset: Vec<FeedKey> = rows.collect::<Result<_, _>>()?;
        for feed in &reset {
            let sql = format!("UPDATE feed SET {RESET} WHERE id = ?1");
            self.connection.prepare_cached(&sql)?.execute([feed.0])?;
            self.write_state_digests(Which::One(*feed))?;
        }
        Ok(reset)
    }

    /// The same for one feed. Returns the number of states that were reset.
    pub(super) fn reset_altered_state(&self, feed: FeedKey) -> rusqlite::Result<usize> {
        self.reset_altered_states(Which::One(feed)).map(|reset| reset.len())
    }

    /// Changes states: resets those that are altered first, and writes the digests of what the change made of them.
    pub(super) fn change_states<T>(
        &self,
        which: Which,
        change: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.reset_altered_states(which)?;
        let changed = change()?;
        self.write_state_digests(which)?;
        Ok(changed)
    }

    /// Writes the digests of states, after a change of them.
    pub(super) fn write_state_digests(&self, which: Which) -> rusqlite::Result<()> {
        let condition = which.condition();
        let sql = format!("UPDATE feed SET state_digest = row_digest({STATE}) WHERE {condition}");
        self.connection.prepare_cached(&sql)?.execute(params![which.key()])?;
        Ok(())
    }
}

//! The verbs that write, each one transaction. Leaves deciding to whoever made the values, and the
//! rows of single items to `items`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Error;
use super::items::{insert_item, next_key, rename_item, update_item};
use super::matching::mark;
use super::rows::{digests_to_bytes, millis, timestamp};
use super::search::Indexed;
use super::update::{PollCounts, PollUpdate};
use super::{search, tally};
use crate::model::{Dialect, FetchOutcome, GuidUse};

/// Writes everything of one poll; answers also with what goes into the search index.
pub(crate) fn poll(
    connection: &Connection,
    update: &PollUpdate,
) -> Result<(PollCounts, Vec<Indexed>), Error> {
    let mut recorded = PollCounts { changed: update.changed.len(), ..PollCounts::default() };
    let mut next = next_key(connection)?;
    let mut indexed = Vec::with_capacity(update.new.len());
    for new in &update.new {
        if !insert_item(connection, update, new, next)? {
            continue;
        }
        if new.held.is_some() {
            recorded.held += 1;
        } else {
            recorded.new += 1;
            mark(connection, next)?;
        }
        indexed.push(Indexed { key: next, words: new.text.search.clone() });
        next.0 += 1;
    }
    for renamed in &update.renamed {
        rename_item(connection, update, renamed)?;
        recorded.renamed += 1;
    }
    for changed in &update.changed {
        if update_item(connection, update, changed)? {
            mark(connection, changed.key)?;
            indexed.push(Indexed { key: changed.key, words: changed.text.search.clone() });
        }
    }
    tally::count(connection, update, &recorded)?;
    update_feed(connection, update, &recorded)?;
    insert_poll(connection, update, &recorded)?;
    Ok((recorded, indexed))
}

/// Writes what the poll says of its feed.
fn update_feed(
    connection: &Connection,
    update: &PollUpdate,
    recorded: &PollCounts,
) -> Result<(), Error> {
    let at = millis(update.at);
    connection
        .prepare_cached(
            "UPDATE feed SET next_poll_at = ?2, reason = ?3, reason_text = ?4, failures = ?5,
                    failing_since = CASE WHEN ?5 = 0 THEN NULL ELSE ifnull(failing_since, ?6) END,
                    last_poll_at = ?6, last_outcome = ?7, last_status = ?8, last_message = ?9, last_url = ?10,
                    considered = ?13,
                    last_success_at = CASE WHEN ?11 THEN ?6 ELSE last_success_at END,
                    last_new_at = CASE WHEN ?12 > 0 THEN ?6 ELSE last_new_at END,
                    items = items + ?12
             WHERE id = ?1",
        )?
        .execute(params![
            update.feed.0,
            millis(update.plan.at),
            update.plan.reason.kind.slug(),
            update.plan.reason.text,
            update.failures,
            at,
            update.outcome.slug(),
            update.status,
            message(&update.outcome),
            update.redirected_to,
            update.outcome.is_success(),
            recorded.new as i64,
            serde_json::to_string(&update.plan.considered)?,
        ])?;
    update_memory(connection, update)?;
    update_address(connection, update)?;
    if let Some(facts) = &update.document {
        connection
            .prepare_cached(
                "UPDATE feed SET profile = ?2, hints = ?3, dialect = ?4, parse_warnings = ?5,
                        guids = max(guids, ?6), boilerplate = ifnull(?7, boilerplate) WHERE id = ?1",
            )?
            .execute(params![
                update.feed.0,
                serde_json::to_string(&facts.profile)?,
                serde_json::to_string(&facts.hints)?,
                facts.dialect.map(Dialect::slug),
                serde_json::to_string(&facts.parse_warnings)?,
                facts.guids == GuidUse::Reused,
                facts.boilerplate.as_deref().map(digests_to_bytes),
            ])?;
    }
    Ok(())
}

/// Writes what makes the next request conditional, where that changed.
fn update_memory(connection: &Connection, update: &PollUpdate) -> Result<(), Error> {
    if let Some(memory) = &update.memory {
        connection
            .prepare_cached(
                "UPDATE feed SET request_key = ?2, etag = ?3, last_modified = ?4, body_hash = ?5,
                        answered = ?6 WHERE id = ?1",
            )?
            .execute(params![
                update.feed.0,
                memory.request_key,
                memory.validators.etag,
                memory.validators.last_modified,
                memory.body_hash,
                memory.answered,
            ])?;
    }
    Ok(())
}

/// Writes where the feed lives and what its server's word is worth, where that changed.
fn update_address(connection: &Connection, update: &PollUpdate) -> Result<(), Error> {
    if let Some(address) = &update.address {
        let candidate = address.candidate.as_ref();
        connection
            .prepare_cached(
                "UPDATE feed SET effective_url = ?2, moved_to = ?3, moved_since = ?4 WHERE id = ?1",
            )?
            .execute(params![
                update.feed.0,
                address.effective.as_ref().map(url::Url::as_str),
                candidate.map(|candidate| candidate.url.as_str()),
                candidate.map(|candidate| millis(candidate.since)),
            ])?;
    }
    if let Some(trust) = update.trust {
        connection
            .prepare_cached("UPDATE feed SET full_at = ?2, distrusted = ?3 WHERE id = ?1")?
            .execute(params![update.feed.0, trust.full_at.map(millis), trust.distrusted])?;
    }
    Ok(())
}

/// Adds the poll to the history, and forgets the feed's polls that are too old.
fn insert_poll(
    connection: &Connection,
    update: &PollUpdate,
    recorded: &PollCounts,
) -> Result<(), Error> {
    let at = millis(update.at);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO poll (feed_id, at, outcome, status, duration, wire_bytes, body_bytes,
                                          new_items, changed_items, message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            update.feed.0,
            at,
            update.outcome.slug(),
            update.status,
            update.duration.as_millis() as i64,
            update.bytes.wire as i64,
            update.bytes.body as i64,
            recorded.new as i64,
            recorded.changed as i64,
            message(&update.outcome),
        ])?;
    connection
        .prepare_cached("DELETE FROM poll WHERE feed_id = ?1 AND at < ?2")?
        .execute(params![update.feed.0, at - tally::POLL_HISTORY])?;
    Ok(())
}

/// What there is to say of an outcome beyond its slug.
fn message(outcome: &FetchOutcome) -> Option<&str> {
    match outcome {
        FetchOutcome::Failed(failure) => Some(&failure.message),
        _ => None,
    }
}

/// Remembers a published document; tells when it last became different.
pub(crate) fn document(
    connection: &Connection,
    output: &str,
    format: &str,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Timestamp, Error> {
    let kept: Option<(Vec<u8>, i64)> = connection
        .prepare_cached("SELECT hash, modified_at FROM document WHERE output = ?1 AND format = ?2")?
        .query_row(params![output, format], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((_, at)) = kept.filter(|(kept, _)| kept == hash) {
        return timestamp(at);
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO document (output, format, hash, modified_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![output, format, hash.as_slice(), millis(now)])?;
    Ok(now)
}

/// Deletes bodies of items first seen before `cutoff`, at most `limit`; tells how many.
pub(crate) fn forget_bodies(
    connection: &Connection,
    cutoff: Timestamp,
    limit: usize,
) -> Result<usize, Error> {
    // Rows ascend with age, so the oldest bodies come first and the first young one ends the walk.
    let deleted: Vec<i64> = connection
        .prepare_cached(
            "DELETE FROM body WHERE item_id IN (
               SELECT b.item_id FROM (SELECT item_id FROM body ORDER BY item_id LIMIT ?2) b
               JOIN item ON item.id = b.item_id WHERE item.first_seen_at < ?1)
             RETURNING item_id",
        )?
        .query_map(params![millis(cutoff), limit as i64], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    search::forget(connection, &deleted)?;
    Ok(deleted.len())
}

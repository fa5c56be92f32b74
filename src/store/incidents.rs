//! The table of incidents.

use rusqlite::params;

use super::error::Error;
use super::transaction::Transaction;
use super::values::{maybe, millis, timestamp};
use crate::model::{Incident, IncidentKind};

/// Number of resolved incidents that are kept.
const KEPT: i64 = 500;

impl Transaction<'_> {
    /// Writes incidents that are new or have changed, and deletes the oldest resolved ones.
    pub(super) fn write_incidents(&self, incidents: &[Incident]) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO incident (kind, subject, opened_at, name, state, text, remedy, toml, since,
                                              changed_at, resolved_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        for incident in incidents {
            statement.execute(params![
                incident.kind.slug(),
                incident.subject,
                millis(incident.opened_at),
                incident.name,
                incident.state,
                incident.text,
                incident.remedy,
                incident.toml,
                millis(incident.since),
                millis(incident.changed_at),
                incident.resolved_at.map(millis),
            ])?;
        }
        self.connection
            .prepare_cached(
                "DELETE FROM incident WHERE (kind, subject, opened_at) IN (
                   SELECT kind, subject, opened_at FROM incident WHERE resolved_at IS NOT NULL
                   ORDER BY resolved_at DESC LIMIT -1 OFFSET ?1)",
            )?
            .execute([KEPT])?;
        Ok(())
    }

    /// Every incident that lasts, then at most `limit` resolved ones, the newest first.
    pub fn incidents(&self, limit: usize) -> Result<Vec<Incident>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, subject, opened_at, name, state, text, remedy, toml, since, changed_at, resolved_at
             FROM incident WHERE resolved_at IS NULL OR (kind, subject, opened_at) IN (
               SELECT kind, subject, opened_at FROM incident WHERE resolved_at IS NOT NULL
               ORDER BY resolved_at DESC LIMIT ?1)
             ORDER BY resolved_at IS NOT NULL, changed_at DESC, kind, subject",
        )?;
        let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
        let mut incidents = Vec::new();
        while let Some(row) = rows.next()? {
            let slug: String = row.get(0)?;
            incidents.push(Incident {
                kind: IncidentKind::from_slug(&slug)
                    .ok_or_else(|| Error::Corrupt(format!("the incident {slug:?}")))?,
                subject: row.get(1)?,
                opened_at: timestamp(row.get(2)?)?,
                name: row.get(3)?,
                state: row.get(4)?,
                text: row.get(5)?,
                remedy: row.get(6)?,
                toml: row.get(7)?,
                since: timestamp(row.get(8)?)?,
                changed_at: timestamp(row.get(9)?)?,
                resolved_at: maybe(row.get(10)?)?,
            });
        }
        Ok(incidents)
    }
}

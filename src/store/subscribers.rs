//! The table of the numbers of subscribers.

use rusqlite::params;

use super::error::Error;
use super::transaction::Transaction;
use crate::model::SubscriberCount;

/// Number of days that are kept.
const KEPT: i64 = 400;

impl Transaction<'_> {
    /// Raises the numbers of these days, and deletes old days. A process that starts again counts from zero; the larger
    /// number is kept.
    pub(super) fn write_subscribers(&self, counts: &[SubscriberCount]) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO subscriber_count (output, day, clients, reported) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET clients = max(clients, excluded.clients), reported = max(reported, excluded.reported)",
        )?;
        for count in counts {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let (clients, reported) = (number(count.clients), number(count.reported));
            statement.execute(params![count.output, count.day, clients, reported])?;
        }
        if let Some(last) = counts.iter().map(|count| count.day).max() {
            self.connection
                .prepare_cached("DELETE FROM subscriber_count WHERE day <= ?1")?
                .execute([last - KEPT])?;
        }
        Ok(())
    }

    /// The numbers of subscribers from this day on, by output and day.
    pub fn subscriber_counts(&self, from: i64) -> Result<Vec<SubscriberCount>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT output, day, clients, reported FROM subscriber_count WHERE day >= ?1 ORDER BY output, day",
        )?;
        let mut rows = statement.query([from])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            counts.push(SubscriberCount {
                output: row.get(0)?,
                day: row.get(1)?,
                clients: row.get::<_, i64>(2)?.unsigned_abs(),
                reported: row.get::<_, i64>(3)?.unsigned_abs(),
            });
        }
        Ok(counts)
    }
}

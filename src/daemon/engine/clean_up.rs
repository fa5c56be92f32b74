//! Removes what is too old, in steps that are short enough for polls under way, which wait for the writer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use crate::daemon::Engine;
use crate::store::Write;

/// How long the ledger keeps promises after their end, and URLs after their last request.
const LEDGER: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long documents are kept that no feed is read from. Commands use them for minutes.
const UNREAD: SignedDuration = SignedDuration::from_hours(1);

/// Number of texts that are removed in one step.
const TEXTS: usize = 500;
/// Number of pages of the database that are returned in one step: a MiB.
const PAGES: usize = 256;

impl Engine {
    /// Removes promises and requests that the ledger no longer needs.
    pub(crate) async fn drop_old_promises(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let before = |age| now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        let (cutoff, unread) = (before(LEDGER), before(UNREAD));
        self.store.write(Write::ForgetPromises { cutoff, unread }).await?;
        Ok(())
    }

    /// Removes what is too old: promises, and, by a clock that can be believed, texts past their retention and fingerprints
    /// outside the window. Returns their space to the file system. Ends after the step in which the monotonic time `until`
    /// is reached. Returns whether all is done.
    pub(crate) async fn drop_expired(&self, until: Duration) -> Result<bool, Error> {
        self.drop_old_promises().await?;
        if !self.is_clock_believed().await? {
            return Ok(true);
        }
        let retention =
            SignedDuration::try_from(self.setup.retention).unwrap_or(SignedDuration::MAX);
        let cutoff = self.clock.now().saturating_sub(retention).unwrap_or(Timestamp::MIN);
        let forget = Write::ForgetBodies { cutoff, limit: TEXTS };
        if !self.repeat(&forget, TEXTS, until).await? {
            return Ok(false);
        }
        self.matcher.tidy(self.setup.window).await?;
        self.repeat(&Write::ReturnPages { limit: PAGES }, PAGES, until).await
    }

    /// Repeats a write that affects at most `limit` rows, until a monotonic time. Returns whether no row is left.
    async fn repeat(&self, write: &Write, limit: usize, until: Duration) -> Result<bool, Error> {
        while self.store.write(write.clone()).await? >= limit {
            if self.clock.elapsed() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

//! Polls that end without a request, because a promise forbids it.

use jiff::Timestamp;
use url::Url;

use super::end::Held;
use super::gate::{COMMAND_GAP, Denial, Denied};
use super::target::Target;
use super::{Poller, Trigger, report};
use crate::model::Asker;
use crate::schedule;
use crate::store::{self, Write};

impl Poller {
    /// The end of a command that would read the document of this time once more: nothing was requested, and nothing can
    /// be new.
    pub(super) async fn read_before(
        &self,
        (target, trigger): (&Target, Trigger),
        (asked, last_poll_at, document_at): (&Url, Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Option<Held>, store::Error> {
        let Some(at) = document_at else { return Ok(None) };
        if trigger != Trigger::Command || last_poll_at < Some(at) {
            return Ok(None);
        }
        let until = at.saturating_add(COMMAND_GAP).unwrap_or(Timestamp::MAX);
        let (url, by) = (asked.clone(), Asker::Command);
        let denied = Denied { until, reason: Denial::Recent { at, by }, url };
        self.hold((target, trigger), denied).await.map(Some)
    }

    /// Plans the next poll after the end of the promise.
    pub(super) async fn hold(
        &self,
        (target, trigger): (&Target, Trigger),
        denied: Denied,
    ) -> Result<Held, store::Error> {
        let now = self.clock.now();
        let plan = match &denied.reason {
            Denial::Demand(promise) => schedule::after_promise(&target.id, promise, now),
            Denial::Recent { at, .. } => {
                schedule::after_unfinished(&target.id, *at, denied.until, now)
            }
        };
        // A command does not change the plan of a feed that is not due.
        if trigger == Trigger::Due {
            self.store.write(Write::Replan(vec![(target.key, plan.clone())])).await?;
        }
        report::log_held(target, &denied, &plan);
        Ok(Held { feed: target.key, plan, denied })
    }
}

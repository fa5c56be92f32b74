//! Polls that end without a request, because a promise forbids it.

use jiff::Timestamp;
use url::Url;

use super::end::Held;
use super::gate::{COMMAND_GAP, Denial, Denied};
use super::report;
use super::target::Target;
use crate::model::Asker;
use crate::schedule;
use crate::store::{self, Store, Write};

/// Why a command does not read the document of `document_at` once more: nothing would be requested, and nothing can be
/// new. `None`: the feed was not polled since then.
pub(super) fn read_before(
    asked: &Url,
    last_poll_at: Option<Timestamp>,
    document_at: Timestamp,
) -> Option<Denied> {
    let until = document_at.saturating_add(COMMAND_GAP).unwrap_or(Timestamp::MAX);
    let reason = Denial::Recent { at: document_at, by: Asker::Command };
    (last_poll_at >= Some(document_at)).then(|| Denied { until, reason, url: asked.clone() })
}

/// Plans the next poll after the end of the promise. A command does not change the plan of a feed that is not due.
pub(super) async fn hold(
    store: &Store,
    (target, is_due): (&Target, bool),
    denied: Denied,
    now: Timestamp,
) -> Result<Held, store::Error> {
    let plan = match &denied.reason {
        Denial::Demand(promise) => schedule::after_promise(&target.id, promise, now),
        Denial::Recent { at, .. } => schedule::after_unfinished(&target.id, *at, denied.until, now),
    };
    if is_due {
        store.write(Write::Replan(vec![(target.key, plan.clone())])).await?;
    }
    report::log_held(target, &denied, &plan);
    Ok(Held { feed: target.key, plan, denied })
}

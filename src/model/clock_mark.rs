//! Which clock the stored times refer to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The wall clock in relation to the time since the start of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMark {
    /// Identifies one run of the machine.
    pub boot: String,
    /// Wall clock less the time since the start of the machine, in milliseconds.
    pub offset: i64,
    /// When it was last found to be set by more than an hour, or to continue after more than a week; `None`: never.
    pub set_at: Option<Timestamp>,
}

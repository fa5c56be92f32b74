//! Which clock the stored times refer to.

use serde::{Deserialize, Serialize};

/// The wall clock in relation to the time since the start of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMark {
    /// Identifies one run of the machine.
    pub boot: String,
    /// Wall clock less the time since the start of the machine, in milliseconds.
    pub offset: i64,
}

//! The outbound feeds: golden documents, what any string may do to them, and the publish gate.

mod consequences;
mod gate;
mod golden;
mod look;
mod rules;
pub(crate) mod sample;

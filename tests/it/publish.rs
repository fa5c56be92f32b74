//! The outbound feeds: golden documents, what any string may do to them, and the publish gate.

mod gate;
mod golden;
mod rules;
pub(crate) mod sample;

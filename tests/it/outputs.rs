//! The outbound feeds: golden documents, what any string may do to them, and the read-back check.

mod arrivals;
mod check;
mod consequences;
mod golden;
mod look;
mod podcasts;
mod rules;
pub(crate) mod sample;

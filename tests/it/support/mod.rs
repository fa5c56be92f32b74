//! Support of the tests: an origin that can misbehave, and a world with clock, store and config.

pub(crate) mod client;
pub(crate) mod origin;
pub(crate) mod papers;
pub(crate) mod process;
pub(crate) mod world;

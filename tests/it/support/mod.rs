//! What the tests stand on: an origin that can misbehave, and a world with clock, store and config.

pub mod origin;
pub mod world;

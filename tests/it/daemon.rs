//! Filled in with its room.

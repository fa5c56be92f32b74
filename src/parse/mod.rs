//! Bytes to `ParsedFeed` and complaints; the only room that knows feed-rs.

mod dates;
mod decode;
mod people;

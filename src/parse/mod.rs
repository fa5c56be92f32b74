//! Bytes to `ParsedFeed` and complaints; the only room that knows feed-rs.

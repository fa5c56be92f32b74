//! Text that several rooms need in the same way: characters that documents can carry, text direction,
//! HTML fragments and what they show, host names, dates, durations and sizes in words, quotations in
//! messages, hashes and UUIDs.
//!
//! Pure functions of strings. What a title or a summary is belongs to the rooms that use it.

pub mod amounts;
pub mod bidi;
pub mod chars;
pub mod dates;
pub mod file_kind;
pub mod html;
pub mod quoted;
pub mod sha256;
pub mod shown;
pub mod uuid;

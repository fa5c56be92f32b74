//! A parsed item to an `Item` that is safe to pass on: pure, bounded, and never asking why.
//!
//! Dates are made honest, links absolute, titles plain and one line, HTML sanitised (`rewrite` mends,
//! `nest` writes, `policy` judges), everything bounded. Leaves reading documents to `parse`, and what
//! is the same as what to `dedupe`.

mod attached;
mod attributes;
mod crowd;
mod dates;
mod html;
mod item;
mod language;
mod links;
mod nest;
mod people;
mod picture;
mod place;
mod plain;
mod player;
mod policy;
mod reference;
mod rewrite;
mod text;
mod tokens;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tokens_tests;

pub use item::{Context, item, profile};
pub use plain::text_of_html;

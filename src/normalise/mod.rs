//! A parsed item to an `Item` that is safe to publish. Pure, with bounded cost and size.
//!
//! Implausible dates are dropped, links made absolute, titles reduced to a line of plain text. HTML
//! is rewritten by `html` with the elements of `allowlist`, then checked by ammonia. Before that, `escaping` repairs
//! what was escaped twice, and `removal` takes away what the operator does not want.

mod allowlist;
mod anchors;
mod common_html;
mod display;
mod embedded;
mod empty;
mod enclosures;
mod escaping;
mod films;
mod html;
mod item;
mod limits;
mod links;
mod math;
mod math_line;
mod media;
mod mentions;
mod metadata;
mod picture_sources;
mod plain_text;
mod players;
mod removal;
#[cfg(test)]
mod sanitiser_tests;
mod selectors;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;
mod warnings;
mod writer;
mod written_links;

pub use item::{Context, item, leave_out_blank, profile};
pub use plain_text::text_of_html;
pub use removal::{Reduction, remove};
pub use selectors::{BadSelector, Selector};
pub use warnings::warnings;

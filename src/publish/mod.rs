//! Selects, orders, renders, checks and writes the outbound feeds.
//!
//! Decide: [`Selector`] says which stories an output takes, [`render`] makes the bytes of one
//! document, [`check`] reads them back before they may leave. All three are pure, and the same
//! entries always give the same bytes. Do: [`write_atomically`] puts a document into a folder,
//! [`Shelf`] holds what the web room serves. What stories there are, when an output is due and
//! what happens when a check fails is `publication`'s business.

pub mod check;
pub mod coding;
pub mod document;
pub mod incidents;
pub mod leaf;
pub mod look;
pub mod output;
pub mod render;
pub mod rhythm;
pub mod select;
pub mod shelf;
pub mod stacks;
pub mod story;
pub mod token;
pub mod write;

mod atom;
mod body;
mod delta;
mod file;
mod id;
mod json;
mod media;
mod read;
mod rss;
mod shown;
mod text;
mod xml;

pub use check::{CheckError, Last, check};
pub use coding::Coding;
pub use document::{Document, digest, etag, in_coding, without_coding};
pub use incidents::incidents;
pub use leaf::Leaf;
pub use look::{AlsoAt, Content, Look, PrefixError, ShownDate, TitlePrefix};
pub use output::{Format, Output, Rules};
pub use render::{render, render_leaf};
pub use rhythm::max_age;
pub use select::{Selector, Verdict};
pub use shelf::{Listing, Refusal, Shelf};
pub use stacks::{Found, Place, Question, Source, Stacks, StacksError};
pub use story::Story;
pub use token::Token;
pub use write::{Written, write_atomically, write_document};

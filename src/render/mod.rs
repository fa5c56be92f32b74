//! Renders the documents of an output: items in, bytes out. Pure: no I/O, no clock, no store.
//!
//! [`Output`] is an `[[output]]` as configured. [`Selector`] decides which items it takes,
//! [`render_page`] makes the bytes of one document, [`check`] reads them back with another parser
//! before they are published, and [`Document`] is what is served: codings, validators, delta parts.
//! The same entries always give the same bytes. Which items there are, when an output is published
//! and where its documents are stored is decided by `outputs`.

pub mod check;
pub mod document;
pub mod incidents;
pub mod output;
pub mod page;
pub mod select;
pub mod story;

mod atom;
mod files;
mod id;
mod json;
mod read;
mod rss;
mod shown;
mod text;
mod xml;

pub use check::{CheckError, Last, check};
pub use document::{Coding, Document, Effort, digest, etag, in_coding, without_coding};
pub use incidents::incidents;
pub use output::{
    AlsoAt, Content, Format, Look, Output, PrefixError, Rules, ShownDate, TitlePrefix, Token,
};
pub use page::{Page, Rejected, Rendered, max_age, render, render_checked, render_page};
pub use select::{Offer, Selector};
pub use story::Story;

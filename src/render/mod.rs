//! Renders the documents of outputs: items in, bytes out. Pure: no I/O, no clock, no store.
//!
//! [`Output`] is an `[[output]]` of the config. [`Selector`] selects its items, [`render_page`] renders one
//! document, [`check`] reads it back with another parser before it is published, and [`Document`] is
//! served, with codings, validators and deltas. The same items always give the same bytes. `outputs`
//! decides when an output is published and where its documents are stored.

pub mod check;
pub mod digest;
pub mod document;
pub mod incidents;
pub mod output;
pub mod page;
pub mod select;
pub mod story;

mod atom;
mod direction;
mod json;
mod media;
mod read;
mod rss;
mod shown;
mod story_html;
mod text;
mod texts;
mod xml;

pub use check::{CheckError, PreviousPublication, check};
pub use digest::{Digest, DigestPeriod, DigestText, digest_end, digest_id, digest_text};
pub use document::{Coding, Document, Effort, etag, in_coding, without_variant};
pub use incidents::incidents;
pub use media::{PodcastCategory, PodcastChannel};
pub use output::{
    AlsoAt, Content, Filtered, Format, Images, Logo, Output, OutputIdentity, PageText, PrefixError,
    Presentation, Rewrite, ShownDate, Theme, TitlePrefix, Token,
};
pub use page::{Page, Rejected, Rendered, max_age, render, render_checked, render_page};
pub use select::{AddResult, Selector};
pub use shown::{also_at_starts, feed_name};
pub use story::{Media, OtherHeadline, Picture, Story, StoryImage, StoryLink};
pub use story_html::content_html;
pub use text::iri;
pub use texts::Texts;

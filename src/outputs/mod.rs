//! Publishes outputs and holds everything that belongs to them: selection, archive, files, what is
//! served.
//!
//! ```text
//! publisher   one publication of one output: select > render > check > record > write > serve
//! rewrite     changes links and titles of the items that an output shows
//! select      which stored items an output shows, newest first, and which arrived last
//! ids         ids that an output assigns to items whose own id is taken
//! archive     the archive pages, RFC 5005
//! archive_files  their files in the directory of an output
//! digest      digests of an output: closing of periods, closed ones as entries
//! contents    queries about one output: items by page, search, one item, archive pages, months
//! found       the stories of a query, each once
//! months      the months in which an output has stories
//! newer       the way back from a page to newer items
//! filtered    some stories of an output as a feed
//! files       files in an output's directory
//! served      the documents that the web server answers with, and the list of the feeds behind them
//! folders     the folders that outputs were written to, with what is left there
//! recovery    what is in an output's directory, read back
//! differences how the files of an output and the database differ, and whether they are up to date
//! static_site the pages in an output's directory
//! site_pages  which pages a static site has, and what each shows
//! site_manifest  what is in its folder, and what it was made from
//! visibility  where an item appears in an output, or why it does not, and what filters match
//! ```
//!
//! Rendering and checking are in `render` and pure. When an output is published is decided by the
//! daemon.

mod archive;
mod archive_files;
mod contents;
mod differences;
mod digest;
mod error;
mod files;
mod filtered;
mod folders;
mod found;
mod ids;
mod months;
mod newer;
mod publisher;
mod recovery;
mod rewrite;
mod select;
mod served;
mod site_manifest;
mod site_pages;
mod static_site;
mod visibility;

pub use archive::ArchiveState;
pub use contents::{Contents, Month, Query, Results, StoryAt};
pub use differences::{differences, document_with_items, unknown_document, unknown_items};
pub use error::Error;
pub use files::{Written, write_atomically, write_document};
pub use filtered::OutputFeeds;
pub use folders::{LEFT_FILES_REMEDY, LeftFiles, OutputFolders, output_folders, unwritten};
pub use publisher::{Incomplete, Published, Publisher};
pub use recovery::{
    PublishedDocuments, PublishedItem, PublishedItems, RecoveryError, is_same_feed,
    published_documents, published_id,
};
pub use select::{Position, select};
pub use served::{Refusal, Served, ServedOutput};
pub use site_pages::{SiteList, SitePage};
pub use static_site::{SiteContent, SiteLook, SiteStep, SiteWriter, has_site, has_story_pages};
pub use visibility::{
    FilterEffect, Visibility, feed_filter_effects, output_filter_effects, visibility,
};

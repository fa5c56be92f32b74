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
//! found       the stories of a query, each once; the way back from a page to newer items; the months with stories
//! filtered    some stories of an output as a feed
//! files       files in an output's directory
//! served      the documents that the web server answers with
//! feed_list   the list of the feeds behind them, and that in each directory
//! recovery    what is in an output's directory, read back
//! differences how the files of an output and the database differ, whether they are up to date, and what is left in folders
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
mod feed_list;
mod files;
mod filtered;
mod found;
mod ids;
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
pub use differences::{
    LEFT_FILES_REMEDY, LeftFiles, OutputFolders, differences, document_with_items, output_folders,
    unknown_document, unknown_items, unwritten,
};
pub use error::Error;
pub use feed_list::{FEED_LIST, has_foreign_list};
pub use files::{Written, write_atomically, write_document};
pub use filtered::OutputFeeds;
pub use publisher::{Incomplete, Published, Publisher};
pub use recovery::{
    PublishedDocuments, PublishedItem, PublishedItems, RecoveryError, is_same_feed,
    newest_story_page, published_documents, published_id,
};
pub use select::{Position, select};
pub use served::{Refusal, Served, ServedOutput};
pub use site_pages::{SiteList, SitePage};
pub use static_site::{SiteContent, SiteLook, SiteStep, SiteWriter, has_site, has_story_pages};
pub use visibility::{
    FilterEffect, Visibility, feed_filter_effects, output_filter_effects, visibility,
};

//! Renders the pages of static sites: the same as are served, with links to files instead of queries.
//!
//! Search needs the server and is left out. A web server of files sends no policy for the content, so that each page has
//! one itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template as _;

use super::base_url::BaseUrl;
use super::general_pages::{ICON, STYLE};
use super::links::Target;
use super::response::page_policy;
use super::stories::{self, Links};
use crate::outputs::{
    Error, Served, ServedOutput, SiteContent, SiteLook, SitePage, SiteStep, SiteWriter, has_site,
    has_story_pages,
};
use crate::render::{Images, Output};

/// Writes the static sites of outputs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StaticSites {
    served: Arc<Served>,
    /// The writer of each output, by its id.
    writers: Arc<Mutex<HashMap<String, Arc<Mutex<SiteWriter>>>>>,
}

impl StaticSites {
    /// Writes the sites of outputs that were published into `served`.
    #[must_use]
    pub fn new(served: Arc<Served>) -> Self {
        Self { served, writers: Arc::default() }
    }

    /// Writes the next pages of an output into its directory, a bounded number. To be called until the step is complete,
    /// by one task at a time, after the output was published.
    ///
    /// # Errors
    /// See [`Error`]; the next call tries again.
    pub async fn write(&self, output: &Arc<Output>) -> Result<SiteStep, Error> {
        let nothing = SiteStep { is_complete: true, ..SiteStep::default() };
        if !has_site(output) {
            return Ok(nothing);
        }
        let Some(served) = self.served.output(&output.id) else { return Ok(nothing) };
        let Some(contents) = served.contents.clone() else { return Ok(nothing) };
        let writer = {
            let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(writers.entry(output.id.clone()).or_default())
        };
        let output = Arc::clone(output);
        let panicked = Error::Panicked(output.id.clone());
        let work = move || {
            let shown = as_files(&served);
            let look = look(&shown);
            let render = |content: SiteContent<'_>| {
                page(&shown, &output, content).map_err(|_| Error::Panicked(output.id.clone()))
            };
            // A panic leaves a writer without manifest, which is read again.
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write(&contents, &look, render)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(panicked))
    }

    /// Writes all pages of an output.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn complete(&self, output: &Arc<Output>) -> Result<SiteStep, Error> {
        let mut all = SiteStep::default();
        while !all.is_complete {
            let step = self.write(output).await?;
            all.written += step.written;
            all.removed += step.removed;
            all.bytes += step.bytes;
            all.is_complete = step.is_complete;
        }
        Ok(all)
    }
}

/// The output as its files show it: pictures of a proxy need the server.
fn as_files(served: &ServedOutput) -> ServedOutput {
    let mut shown = served.clone();
    if shown.presentation.images != Images::Direct {
        shown.presentation.images = Images::Link;
    }
    shown
}

/// The files beside the pages, and what makes all pages look different.
fn look(output: &ServedOutput) -> SiteLook {
    let theme = &output.theme;
    let mut assets = vec![("icon.svg", ICON.as_bytes().to_vec())];
    if theme.has_own_style() {
        assets.push(("style.css", STYLE.as_bytes().to_vec()));
    }
    if let Some(css) = &theme.stylesheet {
        assets.push(("theme.css", css.as_bytes().to_vec()));
    }
    if let Some(logo) = &theme.logo {
        assets.push((logo_name(logo.media_type), logo.bytes.to_vec()));
    }
    let policy = page_policy(output.presentation.images);
    SiteLook { version: format!("{} {policy}", env!("CARGO_PKG_VERSION")), assets }
}

/// The file name of a logo, from which web servers take its type.
pub(super) fn logo_name(media_type: &str) -> &'static str {
    match media_type {
        "image/svg+xml" => "logo.svg",
        "image/jpeg" => "logo.jpg",
        "image/webp" => "logo.webp",
        _ => "logo.png",
    }
}

/// A page as HTML.
fn page(
    shown: &ServedOutput,
    output: &Output,
    content: SiteContent<'_>,
) -> Result<String, askama::Error> {
    let below = match &content {
        SiteContent::Story(_) => true,
        SiteContent::List { list, .. } => {
            matches!(list.page, SitePage::Feed(_) | SitePage::Tag(_))
        }
    };
    let links = Links {
        root: if below { "../../" } else { "../" },
        base: BaseUrl::default(),
        token: None,
        images: None,
        target: match has_story_pages(output) {
            true => Target::Files,
            false => Target::FilesWithoutStories,
        },
    };
    match content {
        SiteContent::Story(entry) => stories::story_of(shown, entry, &links).render(),
        SiteContent::List { list, entries, feeds, months } => {
            stories::list_of(shown, (list, entries), (feeds, months), &links).render()
        }
    }
}

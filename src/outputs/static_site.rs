//! The static site of an output: its pages in its directory, written once and only where they change.
//!
//! Each page has a basis, a digest of all that it depends on, which is found without reading a text: the look of the output, the
//! stories with their marks, and the feeds. A page with another basis than the manifest has is rendered; the file is replaced if
//! its bytes differ. The pages of feeds and tags have documents with the same stories.
//! Stories come before the lists that link to them, and what no page links to any more is removed last.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::contents::{Contents, Month};
use super::digest;
use super::error::Error;
use super::files::sibling;
use super::filtered::{self, OutputFeeds};
use super::ids::OtherLeads;
use super::select::{self, BATCH, Batch, Feeds, complete, complete_for_document, feeds_taken};
use super::site_manifest::{self, Completeness, Content, Entry, Manifest, has_gzip, short};
use super::site_pages::{DocumentRoom, SiteItems, SiteList, SitePage, SiteStory, lists};
use crate::files::Batch as Files;
use crate::model::{FeedKey, ItemKey, OutputItem, StoryKey};
use crate::render::{self, Coding, Effort, Format, Output, Selector};
use crate::store::{ItemHead, Transaction};
use crate::text::sha256::{Sha256, sha256};

/// Number of items that are looked at in one step.
const AT_ONCE: usize = 512;
/// Number of lists that are rendered in one step.
const LISTS: usize = 32;
/// To be raised when pages or their entries in the manifest have other content with the same stories.
const MADE_BY: u32 = 4;

/// What a static site needs beside its stories.
#[derive(Debug)]
pub struct SiteLook {
    /// Changes whenever pages would look different with the same stories.
    pub version: String,
    /// Files beside the pages: name and bytes.
    pub assets: Vec<(&'static str, Vec<u8>)>,
}

/// A page to be rendered.
#[derive(Debug)]
pub enum SiteContent<'a> {
    /// A list of stories, newest first.
    List {
        /// Name of the list and links to other lists.
        list: &'a SiteList,
        /// Lead items of the stories on the page.
        entries: Vec<OutputItem>,
        /// The feeds of the output.
        feeds: &'a OutputFeeds,
        /// The months with a page, the newest first.
        months: &'a [Month],
    },
    /// The page of one story.
    Story(&'a OutputItem),
}

/// What one step has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SiteStep {
    /// Number of pages and other files that were written.
    pub written: usize,
    /// Number of files that were removed.
    pub removed: usize,
    /// Number of bytes of the files that were written, without compressed siblings.
    pub bytes: usize,
    /// Whether there is nothing left to do.
    pub is_complete: bool,
}

/// Writes the static site of one output.
#[derive(Debug, Default)]
pub struct SiteWriter {
    manifest: Option<Manifest>,
}

/// Whether the output has a static site, or one that has to be removed.
#[must_use]
pub fn has_site(output: &Output) -> bool {
    output.directory.is_some() && (output.site || folder(output).is_some_and(exists))
}

fn exists(folder: PathBuf) -> bool {
    site_manifest::exists(&folder)
}

/// The folder of the pages; `None`: the output has no directory.
pub(super) fn folder(output: &Output) -> Option<PathBuf> {
    output.directory.as_ref().map(|directory| directory.join(&output.id))
}

/// Whether the folder has every page as it was written, or has no pages because there is no site.
pub(super) fn is_current(output: &Output) -> bool {
    folder(output).is_none_or(|folder| match output.site {
        true => site_manifest::is_current(&folder),
        false => !site_manifest::exists(&folder),
    })
}

impl SiteWriter {
    /// Writes the next pages, a bounded number. To be called until the step is complete.
    ///
    /// # Errors
    /// When the store fails, `render` does, or a file cannot be read or written.
    pub fn write(
        &mut self,
        contents: &Contents,
        look: &SiteLook,
        render: impl Fn(SiteContent<'_>) -> Result<String, Error>,
    ) -> Result<SiteStep, Error> {
        let output = &*contents.output;
        let Some(folder) = folder(output) else { return Ok(SiteStep::done()) };
        let failed = |source| Error::Write { path: folder.clone(), source };
        let mut manifest = match self.manifest.take() {
            Some(manifest) if site_manifest::exists(&folder) => manifest,
            _ => Manifest::load(&folder).map_err(failed)?,
        };
        if !output.site {
            manifest.clear().map_err(failed)?;
            return Ok(SiteStep::done());
        }
        let mut work =
            Work { folder: &folder, output, manifest: &mut manifest, step: SiteStep::default() };
        contents.reader.read(|reader| work.run(reader, look, &render))?;
        let step = work.step;
        let completeness =
            if step.is_complete { Completeness::Complete } else { Completeness::Incomplete };
        manifest.store(completeness).map_err(failed)?;
        self.manifest = Some(manifest);
        Ok(step)
    }
}

impl SiteStep {
    fn done() -> Self {
        Self { is_complete: true, ..Self::default() }
    }
}

/// An item that the output may show.
struct Candidate {
    head: ItemHead,
    basis: u128,
}

/// One step of writing a static site.
struct Work<'a> {
    folder: &'a Path,
    output: &'a Output,
    manifest: &'a mut Manifest,
    step: SiteStep,
}

impl Work<'_> {
    fn run(
        &mut self,
        reader: &Transaction<'_>,
        look: &SiteLook,
        render: &impl Fn(SiteContent<'_>) -> Result<String, Error>,
    ) -> Result<(), Error> {
        let feeds = feeds_taken(reader, self.output)?;
        let look_digest = self.look(look);
        let candidates = match self.output.digest {
            Some(_) => digests(reader, self.output, look_digest)?,
            None => candidates(reader, &feeds, look_digest)?,
        };
        let path = |candidate: &Candidate| SitePage::Story(candidate.head.key).path();
        let is_known = |it: &&Candidate| self.is_known(&path(it), it.basis);
        let changed: Vec<&Candidate> = candidates.iter().filter(|it| !is_known(it)).collect();
        let now = &changed[..changed.len().min(AT_ONCE)];
        self.stories(reader, &feeds, now, render)?;
        if now.len() < changed.len() {
            return Ok(());
        }
        self.assets(look)?;
        let lists = self.lists(reader, (&feeds, &candidates), look_digest, render)?;
        let Some(lists) = lists else { return Ok(()) };
        let mut wanted: BTreeSet<String> = candidates.iter().map(path).collect();
        wanted.extend(lists.iter().map(|list| list.page.path()));
        for format in &self.output.formats {
            wanted.extend(lists.iter().filter_map(|list| list.page.document(*format)));
        }
        wanted.extend(look.assets.iter().map(|(name, _)| (*name).to_owned()));
        for path in self.manifest.unwanted(|path| wanted.contains(path)) {
            let is_file =
                matches!(self.manifest.get(&path), Some(Entry { content: Content::File(_), .. }));
            let failed = |source| Error::Write { path: self.folder.join(&path), source };
            self.manifest.remove(&path).map_err(failed)?;
            self.step.removed += usize::from(is_file);
        }
        let failed = |source| Error::Write { path: self.folder.to_owned(), source };
        self.step.removed += self.manifest.remove_stale().map_err(failed)?;
        self.step.is_complete = true;
        Ok(())
    }

    /// Digest of all that every page depends on.
    fn look(&self, look: &SiteLook) -> [u8; 32] {
        let theme = &self.output.theme;
        // `Debug` shows every setting of the output but the texts of the theme.
        let parts = (MADE_BY, &look.version, self.output, &theme.header, &theme.footer);
        sha256(format!("{parts:?}"))
    }

    /// Renders the pages of changed stories, and finds which items have none.
    fn stories(
        &mut self,
        reader: &Transaction<'_>,
        feeds: &Feeds,
        changed: &[&Candidate],
        render: &impl Fn(SiteContent<'_>) -> Result<String, Error>,
    ) -> Result<(), Error> {
        let mut files = PageFiles::default();
        for batch in changed.chunks(BATCH) {
            let heads: Vec<ItemHead> = batch.iter().map(|candidate| candidate.head).collect();
            let Shown { leads, followers } = self.shown_of(reader, &heads, feeds)?;
            for candidate in batch {
                let key = candidate.head.key;
                let path = SitePage::Story(key).path();
                let content = match leads.get(&key) {
                    None if followers.contains(&key) => Content::Follows,
                    None => Content::Hidden,
                    Some(_) if !has_story_pages(self.output) => Content::Shown,
                    Some(entry) => {
                        let html = render(SiteContent::Story(entry))?.into_bytes();
                        Content::File(self.add(&mut files, &path, html)?)
                    }
                };
                files.made.push((path, Entry { basis: candidate.basis, content }));
            }
        }
        self.commit(files)
    }

    /// Renders the lists of which a story or the frame has changed; `None`: there are more for the next step.
    fn lists(
        &mut self,
        reader: &Transaction<'_>,
        (feeds, candidates): (&Feeds, &[Candidate]),
        look: [u8; 32],
        render: &impl Fn(SiteContent<'_>) -> Result<String, Error>,
    ) -> Result<Option<Vec<SiteList>>, Error> {
        let (stories, items) = self.shown(candidates);
        let by_title = OutputFeeds::new(self.output, feeds);
        let zone = self.output.presentation.zone();
        let latest = select::latest_arrivals(reader, self.output)?;
        let latest = latest.into_iter().map(|head| head.story).collect();
        let room = DocumentRoom { items: self.output.items, latest };
        let shown = (&*stories, &items);
        let (lists, months) = lists(shown, by_title.selectable(), &zone, &room);
        let frame = sha256(format!("{look:?} {:?} {months:?}", by_title.all));
        let (mut files, mut count) = (PageFiles::default(), 0);
        for list in &lists {
            let path = list.page.path();
            let basis = basis_of(list, &frame);
            let is_known = self.is_known(&path, basis);
            let documents = self.unknown_documents(list, look, &by_title);
            if is_known && documents.is_empty() {
                continue;
            }
            if count == LISTS {
                self.commit(files)?;
                return Ok(None);
            }
            count += 1;
            if !documents.is_empty() {
                let stories = (&list.page, &*list.in_documents);
                let (mut entries, others) = self.stories_of(reader, stories, feeds)?;
                let shown = (&mut *entries, &others);
                complete_for_document(reader, self.output, shown, feeds)?;
                for document in documents {
                    self.document(&mut files, document, &entries)?;
                }
            }
            if is_known {
                continue;
            }
            let stories = (&list.page, &*list.stories);
            let (mut entries, _) = self.stories_of(reader, stories, feeds)?;
            if self.output.digest.is_none() {
                complete(reader, self.output, &mut entries, feeds)?;
            }
            let content = SiteContent::List { list, entries, feeds: &by_title, months: &months };
            let html = render(content)?.into_bytes();
            let content = Content::File(self.add(&mut files, &path, html)?);
            files.made.push((path, Entry { basis, content }));
        }
        self.commit(files)?;
        Ok(Some(lists))
    }

    /// These stories of a page in their order, as far as they can still be shown, and the leads of those that another item
    /// shows. Digests are complete.
    fn stories_of(
        &self,
        reader: &Transaction<'_>,
        (page, stories): (&SitePage, &[SiteStory]),
        feeds: &Feeds,
    ) -> Result<(Vec<OutputItem>, OtherLeads), Error> {
        let mut others = OtherLeads::new();
        if self.output.digest.is_some() {
            let mut digests = self.digests_of(reader, stories.iter().map(|story| story.key))?;
            let entries = stories.iter().filter_map(|story| digests.remove(&story.key));
            return Ok((entries.collect(), others));
        }
        let query = page.filter().unwrap_or_default();
        let mut selected = feeds.clone();
        selected.retain(|_, feed| query.selects(feed));
        let heads: Vec<ItemHead> = stories.iter().map(SiteStory::head).collect();
        let (mut batch, selector) = (Batch::load(reader, &heads, feeds)?, self.selector());
        let found = heads.iter().filter_map(|head| batch.story(*head, &selector, &selected));
        let entries = found.map(|story| story.into_entry(&mut others)).collect();
        Ok((entries, others))
    }

    /// Whether the path was made from this.
    fn is_known(&self, path: &str, basis: u128) -> bool {
        self.manifest.get(path).is_some_and(|known| known.basis == basis)
    }

    /// The documents of a list that were made from something else.
    fn unknown_documents(
        &self,
        list: &SiteList,
        look: [u8; 32],
        feeds: &OutputFeeds,
    ) -> Vec<ListDocument> {
        let Some(output) = filtered::of_page(self.output, &list.page, feeds) else {
            return Vec::new();
        };
        let mut digest = Sha256::new();
        digest.update(look);
        digest.update(&output.title);
        list.in_documents.iter().for_each(|story| story.add_to(&mut digest));
        let (output, basis) = (Arc::new(output), short(digest.finish()));
        let named = output.formats.iter().filter_map(|format| {
            let path = list.page.document(*format)?;
            Some(ListDocument { path, output: Arc::clone(&output), format: *format, basis })
        });
        named.filter(|document| !self.is_known(&document.path, basis)).collect()
    }

    /// Renders a document of a list with these stories.
    fn document(
        &mut self,
        files: &mut PageFiles,
        ListDocument { path, output, format, basis }: ListDocument,
        entries: &[OutputItem],
    ) -> Result<(), Error> {
        let Some(made) = filtered::document(&output, format, entries)? else { return Ok(()) };
        let content = Content::File(self.add(files, &path, made.body.to_vec())?);
        files.made.push((path, Entry { basis, content }));
        Ok(())
    }

    /// The stories by their leads, newest first, and the items of all of them.
    fn shown(&self, candidates: &[Candidate]) -> (Vec<SiteStory>, SiteItems) {
        let content = |candidate: &Candidate| {
            let path = SitePage::Story(candidate.head.key).path();
            self.manifest.get(&path).map_or(Content::Hidden, |entry| entry.content)
        };
        let mut leads: HashMap<StoryKey, ItemKey> = HashMap::new();
        let mut shown = Vec::new();
        for candidate in candidates {
            let content = content(candidate);
            if content == Content::Hidden {
                continue;
            }
            let ItemHead { feed, key, story, sort_at } = candidate.head;
            if content != Content::Follows {
                leads.insert(story, key);
            }
            let basis = candidate.basis;
            shown.push(SiteStory { key, lead: key, feed, story, sort_at, basis });
        }
        for item in &mut shown {
            item.lead = leads.get(&item.story).copied().unwrap_or(item.key);
        }
        let items = SiteItems::new(&shown);
        shown.retain(|item| leads.get(&item.story) == Some(&item.key));
        shown.sort_by_key(|story| Reverse((story.sort_at, story.key)));
        (shown, items)
    }

    /// The conditions of the output. Only `max_age` uses the time, and the site is not limited by age.
    fn selector(&self) -> Selector<'_> {
        Selector::new(self.output, Timestamp::MAX)
    }

    /// What the output shows of these items.
    fn shown_of(
        &self,
        reader: &Transaction<'_>,
        heads: &[ItemHead],
        feeds: &Feeds,
    ) -> Result<Shown, Error> {
        if self.output.digest.is_some() {
            let leads = self.digests_of(reader, heads.iter().map(|head| head.key))?;
            return Ok(Shown { leads, followers: HashSet::new() });
        }
        let (mut batch, selector) = (Batch::load(reader, heads, feeds)?, self.selector());
        let followers = heads.iter().filter(|head| batch.shows(**head, &selector));
        let followers = followers.map(|head| head.key).collect();
        let mut leads: Vec<OutputItem> =
            heads.iter().filter_map(|head| batch.lead(*head, &selector)).collect();
        complete(reader, self.output, &mut leads, feeds)?;
        Ok(Shown { leads: leads.into_iter().map(|entry| (entry.key, entry)).collect(), followers })
    }

    /// These digests by their key.
    fn digests_of(
        &self,
        reader: &Transaction<'_>,
        keys: impl IntoIterator<Item = ItemKey>,
    ) -> Result<HashMap<ItemKey, OutputItem>, Error> {
        let digests = digest::of_numbers(reader, self.output, keys)?;
        Ok(digests.into_iter().map(|entry| (entry.key, entry)).collect())
    }

    /// Writes the files beside the pages.
    fn assets(&mut self, look: &SiteLook) -> Result<(), Error> {
        let mut files = PageFiles::default();
        for (name, bytes) in &look.assets {
            let basis = short(sha256(bytes));
            let content = Content::File(self.add(&mut files, name, bytes.clone())?);
            files.made.push(((*name).to_owned(), Entry { basis, content }));
        }
        self.commit(files)
    }

    /// Adds a file unless the folder has it. Returns the digest of the bytes.
    fn add(&mut self, files: &mut PageFiles, path: &str, bytes: Vec<u8>) -> Result<u128, Error> {
        let digest = short(sha256(&bytes));
        if self.manifest.has_file(path, digest) {
            return Ok(digest);
        }
        let (below, name) = path.split_once('/').unwrap_or(("", path));
        let folder = self.folder.join(below);
        let batch =
            files.batches.entry(Reverse(folder.clone())).or_insert_with(|| Files::new(&folder));
        let mut add = || -> io::Result<()> {
            if has_gzip(path) {
                let gzip = Coding::Gzip.encode(&bytes, Effort::Fast);
                batch.add(&sibling(name, Coding::Gzip), &gzip, None)?;
            }
            batch.add(name, &bytes, None)
        };
        add().map_err(|source| Error::Write { path: self.folder.join(path), source })?;
        self.step.written += 1;
        self.step.bytes += bytes.len();
        Ok(digest)
    }

    /// Makes the files visible and records them.
    fn commit(&mut self, files: PageFiles) -> Result<(), Error> {
        for (Reverse(folder), batch) in files.batches {
            batch.commit().map_err(|source| Error::Write { path: folder, source })?;
        }
        for (path, entry) in files.made {
            self.manifest.put(&path, entry);
        }
        Ok(())
    }
}

/// What the output shows of some items.
struct Shown {
    /// Those that lead a story, complete.
    leads: HashMap<ItemKey, OutputItem>,
    /// Those whose story is shown, by this or another item.
    followers: HashSet<ItemKey>,
}

/// A document with the newest stories of a list.
struct ListDocument {
    path: String,
    /// The output with these stories only.
    output: Arc<Output>,
    format: Format,
    basis: u128,
}

/// Files that are written together, by their folder: folders come before the one that contains them, whose pages link to
/// theirs.
#[derive(Default)]
struct PageFiles {
    batches: BTreeMap<Reverse<PathBuf>, Files>,
    /// What the manifest records once they are written.
    made: Vec<(String, Entry)>,
}

/// Whether each story has a page: where an output shows no full texts, its page would add nothing.
#[must_use]
pub fn has_story_pages(output: &Output) -> bool {
    output.presentation.content == render::Content::Full
}

impl SiteStory {
    fn head(&self) -> ItemHead {
        let SiteStory { key, feed, sort_at, story, .. } = *self;
        ItemHead { feed, key, story, sort_at }
    }

    /// Adds what changes whenever a page has another story here.
    fn add_to(&self, digest: &mut Sha256) {
        digest.update(self.key.0.to_le_bytes());
        digest.update(self.basis.to_le_bytes());
    }
}

/// The items of these feeds, each with the digest of all that its page depends on: the look, and every item of its story.
fn candidates(
    reader: &Transaction<'_>,
    feeds: &Feeds,
    look: [u8; 32],
) -> Result<Vec<Candidate>, Error> {
    let feed_digests: HashMap<_, [u8; 32]> =
        feeds.iter().map(|(key, feed)| (*key, sha256(format!("{feed:?}")))).collect();
    let mut stories: HashMap<StoryKey, Sha256> = HashMap::new();
    let mut heads = Vec::new();
    for item in reader.shown_items()? {
        let Some(feed) = feed_digests.get(&item.head.feed) else { continue };
        let digest = stories.entry(item.head.story).or_insert_with(|| {
            let mut first = Sha256::new();
            first.update(look);
            first
        });
        digest.update(item.head.key.0.to_le_bytes());
        digest.update(item.head.sort_at.as_millisecond().to_le_bytes());
        digest.update(feed);
        digest.update(item.mark);
        heads.push(item.head);
    }
    let digests: HashMap<StoryKey, u128> =
        stories.into_iter().map(|(key, digest)| (key, short(digest.finish()))).collect();
    let basis = |head: &ItemHead| digests.get(&head.story).copied().unwrap_or_default();
    Ok(heads.into_iter().map(|head| Candidate { basis: basis(&head), head }).collect())
}

/// The digests of an output. They never change, so that each depends only on the look.
fn digests(
    reader: &Transaction<'_>,
    output: &Output,
    look: [u8; 32],
) -> Result<Vec<Candidate>, Error> {
    let ends = reader.digest_ends(&output.id)?;
    let candidate = |(number, sort_at): (u32, Timestamp)| {
        let key = i64::from(number);
        let (feed, key, story) = (FeedKey(0), ItemKey(key), StoryKey(key));
        let basis = short(sha256(format!("{look:?} {number} {sort_at}")));
        Candidate { head: ItemHead { feed, key, story, sort_at }, basis }
    };
    Ok(ends.into_iter().map(candidate).collect())
}

/// Digest of all that a list depends on. `frame` is that of what the pages of all lists show.
fn basis_of(list: &SiteList, frame: &[u8]) -> u128 {
    let mut digest = Sha256::new();
    digest.update(frame);
    digest.update(format!("{:?} {:?} {:?} {}", list.page, list.older, list.newer, list.has_more));
    list.stories.iter().for_each(|story| story.add_to(&mut digest));
    short(digest.finish())
}

//! One publication of one output: select > render > check > record > write > serve.
//!
//! Nothing is published that could not be read back; until then the last good documents stay. What
//! an output takes and how it looks is decided by `render`, when it is published by the daemon.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use tracing::{debug, info};

use super::archive::{self, ArchiveState};
use super::archive_files::{Writer, has_other_archive};
use super::contents::Contents;
use super::differences::{self, Before};
use super::digest::{self, Closings};
use super::error::Error;
use super::feed_list::{self, FEED_LIST};
use super::files::{Written, write_document};
use super::ids::{AssignedId, last_published};
use super::select::{Selection, selection};
use super::served::{Refusal, Served, ServedOutput};
use crate::clock::Clock;
use crate::model::OutputItem;
use crate::render::{
    self, CheckError, Document, Format, Output, Page, PreviousPublication, Rendered,
};
use crate::store::{Reader, Store, Write};
use crate::telemetry::{Event, Metrics, Publication};
use crate::text::sha256::sha256;

/// Number of outputs that are rendered at once at the start.
const RENDERED_AT_ONCE: usize = 4;

/// Where documents go: to the web server alone, or to the directory of the output too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Server,
    ServerAndFiles,
}

/// The result of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Number of stories in the output.
    pub entries: usize,
    /// Number of documents that changed.
    pub changed: usize,
    /// When an entry leaves the output by age alone; `None`: none does.
    pub until: Option<Timestamp>,
}

/// Publishes outputs; one instance publishes all of them.
#[derive(Debug, Clone)]
pub struct Publisher {
    store: Arc<Store>,
    served: Arc<Served>,
    clock: Clock,
    /// How far the archive pages of each output are written, by its id.
    archives: Arc<Mutex<HashMap<String, Archive>>>,
    /// Last publication of each output, by its id.
    last: Arc<Mutex<HashMap<String, Arc<PreviousPublication>>>>,
    metrics: Option<Metrics>,
    closings: Closings,
}

/// The selection of one publication with its documents, rendered and checked.
struct Prepared {
    entries: usize,
    until: Option<Timestamp>,
    last: PreviousPublication,
    /// What to store before anything is published; `None`: nothing changed.
    record: Option<(String, Vec<AssignedId>)>,
    documents: Vec<Checked>,
}

/// What comes next in a publication.
enum Preparation {
    /// The documents are written.
    Ready(Prepared),
    /// These archive pages are stored and written, because stories on them leave or join the documents.
    ArchiveFirst(archive::Growth),
}

/// The archive pages of one output in its directory.
#[derive(Debug, Default)]
struct Archive {
    /// In use by the one task that writes them.
    writer: Arc<Mutex<Writer>>,
    /// Whether pages were written since the last publication: it does not link to them yet.
    unannounced: bool,
    /// Whether they could not be written the last time.
    failed: bool,
    /// Whether the last publication of this process succeeded: no document leads to pages of the other kind.
    is_published: bool,
}

/// An output in a pass: its documents are published, its archive and its static site may be incomplete.
#[derive(Debug)]
pub struct Incomplete<'o> {
    /// The output with its settings.
    pub output: &'o Arc<Output>,
    /// Revision of the store before anything was selected.
    revision: i64,
    /// When an entry leaves the output by age alone; `None`: none does.
    until: Option<Timestamp>,
}

/// A document, rendered and checked.
struct Checked {
    format: Format,
    max_age: Duration,
    hash: [u8; 32],
    bytes: Vec<u8>,
}

impl Publisher {
    /// A publisher that reads from this store and serves through `served`.
    #[must_use]
    pub fn new(store: Arc<Store>, served: Arc<Served>, clock: Clock) -> Self {
        let (archives, last, metrics, closings) = Default::default();
        Self { store, served, clock, archives, last, metrics, closings }
    }

    /// The same publisher, which counts its publications in these metrics.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Serves the list of the feeds behind these outputs and writes those of their directories.
    ///
    /// # Errors
    /// When the store fails, or a file cannot be written.
    pub async fn list(&self, outputs: &[Arc<Output>]) -> Result<(), Error> {
        self.list_at(Destination::ServerAndFiles, outputs).await
    }

    async fn list_at(
        &self,
        destination: Destination,
        outputs: &[Arc<Output>],
    ) -> Result<(), Error> {
        let (reader, outputs) = (self.store.reader().clone(), outputs.to_vec());
        let served = Arc::clone(&self.served);
        let work = move || {
            let outputs: Vec<&Output> = outputs.iter().map(|output| &**output).collect();
            served.put_subscriptions(reader.read(|reader| feed_list::of(reader, &outputs))?);
            if destination == Destination::ServerAndFiles {
                feed_list::write(&reader.read(|tx| feed_list::of_directories(tx, &outputs))?)?;
            }
            Ok(())
        };
        let panicked = |_| Error::Panicked(FEED_LIST.to_owned());
        tokio::task::spawn_blocking(work).await.map_err(panicked)?
    }

    /// Serves these outputs only.
    pub fn keep_only(&self, outputs: &[Arc<Output>]) {
        let ids: Vec<&str> = outputs.iter().map(|output| output.id.as_str()).collect();
        self.served.keep_only(&ids);
    }

    /// Serves the outputs and the list of their feeds as the database has them, for the start of a process. No document is
    /// written and no new item is put on an archive page: [`Publisher::publish`] has to follow. It meets the error of an output
    /// that is not served because it cannot be rendered.
    pub async fn serve(&self, outputs: &[Arc<Output>]) {
        let (now, server) = (self.clock.now(), Destination::Server);
        let serve = |output| async move {
            let published = self.replace(output, now, server).await;
            if let (Ok(published), Some(metrics)) = (&published, &self.metrics) {
                count(metrics, &output.id, Ok(published), now);
            }
        };
        stream::iter(outputs).for_each_concurrent(RENDERED_AT_ONCE, serve).await;
        drop(self.list_at(server, outputs).await);
    }

    /// Publishes one output in all its formats.
    ///
    /// # Errors
    /// See [`Error`]. A document that cannot be written is served all the same.
    pub async fn publish(&self, output: &Arc<Output>) -> Result<Published, Error> {
        let published = self.attempt(output).await;
        self.archives().entry(output.id.clone()).or_default().is_published = published.is_ok();
        match &published {
            // The output itself was not looked at: its record stays.
            Err(Error::Store(_)) => {}
            Err(why) => {
                let (since, why) = (self.clock.now(), why.to_string());
                self.served.record(&output.id, Some(Refusal { since, why }));
            }
            Ok(_) if self.archives().get(&output.id).is_some_and(|archive| archive.failed) => {}
            Ok(_) => self.served.record(&output.id, None),
        }
        if let Some(metrics) = &self.metrics {
            count(metrics, &output.id, published.as_ref(), self.clock.now());
        }
        published
    }

    /// Publishes the documents of an output; `None`: its files are what would be written now. What is served is not
    /// looked at: this is for a process that ends after it. Archive pages and the static site are left to the caller,
    /// and then [`Publisher::record_basis`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn publish_unless_current<'o>(
        &self,
        output: &'o Arc<Output>,
    ) -> Result<Option<Incomplete<'o>>, Error> {
        let (reader, asked, now) =
            (self.store.reader().clone(), Arc::clone(output), self.clock.now());
        let work = move || reader.read(|reader| differences::files_before(reader, &asked, now));
        let Before { revision, current } = self.off_thread(output, work).await?;
        if current {
            debug!(output = output.id, "output unchanged");
            return Ok(None);
        }
        let Published { until, .. } = self.publish(output).await?;
        Ok(Some(Incomplete { output, revision, until }))
    }

    /// Stores what the files of an output depend on, which are all written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_basis(
        &self,
        Incomplete { output, revision, until }: Incomplete<'_>,
    ) -> Result<(), Error> {
        let (reader, asked) = (self.store.reader().clone(), Arc::clone(output));
        let work = move || reader.read(|reader| differences::basis(reader, &asked, revision));
        let basis = self.off_thread(output, work).await?;
        let output = output.id.clone();
        Ok(self.store.write(Write::Basis { output, basis, until }).await.map(drop)?)
    }

    /// Runs work that blocks for an output.
    async fn off_thread<T: Send + 'static>(
        &self,
        output: &Output,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let panicked = |_| Error::Panicked(output.id.clone());
        tokio::task::spawn_blocking(work).await.map_err(panicked)?
    }

    async fn attempt(&self, output: &Arc<Output>) -> Result<Published, Error> {
        let now = self.clock.now();
        self.close_digests(output, now).await?;
        self.archive(output, now).await?;
        self.write_pages_before(output).await;
        self.replace(output, now, Destination::ServerAndFiles).await
    }

    /// Replaces the documents of an output by new ones.
    async fn replace(
        &self,
        output: &Arc<Output>,
        now: Timestamp,
        destination: Destination,
    ) -> Result<Published, Error> {
        let prepared = self.prepare_after_archive(output, now).await?;
        // Before anything is published: a crash must not forget the ids under which it was shown.
        if let Some((shown, assigned)) = prepared.record {
            self.store.write_publication(output.id.clone(), shown, assigned).await?;
        }
        let entries = prepared.entries;
        let (mut documents, mut changed) = (Vec::new(), 0);
        let mut unwritten = None;
        for rendered in prepared.documents {
            let format = rendered.format;
            let (document, written) = self.place(output, rendered, (now, destination)).await?;
            documents.push((format, document));
            match written {
                Ok(written) => changed += usize::from(written == Written::Replaced),
                Err(error) => unwritten = Some(error),
            }
        }
        self.last().insert(output.id.clone(), Arc::new(prepared.last));
        let before = self.served.output(&output.id).and_then(|before| before.contents.clone());
        let contents = Contents::new(self.store.reader(), output, now);
        let contents = Arc::new(contents.following(before.as_deref()));
        self.served.put(ServedOutput::new(output, entries, documents).with_contents(contents));
        if changed > 0 {
            let event = Event::OutputPublished.slug();
            info!(event, output = output.id, items = entries, "output published");
        } else {
            debug!(output = output.id, items = entries, "output unchanged");
        }
        unwritten.map_or(Ok(Published { entries, changed, until: prepared.until }), Err)
    }

    /// Writes the next archive pages of the output to its directory, a bounded number. To be called until it returns
    /// another state than `Unfinished`, by one task at a time, after [`Publisher::publish`]; it can be continued at any
    /// time later.
    ///
    /// # Errors
    /// See [`Error`]; the next call tries again.
    pub async fn write_archive(&self, output: &Arc<Output>) -> Result<ArchiveState, Error> {
        let is_published =
            self.archives().get(&output.id).is_some_and(|archive| archive.is_published);
        let write = move |writer: &mut Writer, reader: &Reader, asked: &Output, to: &Path| {
            if is_published {
                writer.remove_other_kind(reader, asked, to)?;
            }
            writer.write(reader, asked, to)
        };
        let written = self.write_pages(output, write).await?;
        self.record_archive_basis(output).await?;
        if written > 0 {
            return Ok(ArchiveState::Unfinished);
        }
        let unannounced =
            self.archives().get_mut(&output.id).map(|a| std::mem::take(&mut a.unannounced));
        Ok(match unannounced {
            Some(true) => ArchiveState::Unannounced,
            _ => ArchiveState::Complete,
        })
    }

    /// Stores what the archive pages were written from, if that is something else than before.
    async fn record_archive_basis(&self, output: &Output) -> Result<(), Error> {
        let Some(folder) = differences::folder_of(output) else { return Ok(()) };
        let writer = self.writer(output);
        let basis = writer.lock().unwrap_or_else(PoisonError::into_inner).new_basis();
        if let Some(basis) = basis {
            self.store.write(Write::ArchiveBasis { folder, basis }).await?;
        }
        Ok(())
    }

    /// Writes some archive pages to the directory of the output. Returns how many.
    async fn write_pages(
        &self,
        output: &Arc<Output>,
        write: impl FnOnce(&mut Writer, &Reader, &Output, &Path) -> Result<usize, Error>
        + Send
        + 'static,
    ) -> Result<usize, Error> {
        let Some(directory) = output.directory.clone() else { return Ok(0) };
        let writer = self.writer(output);
        let (reader, asked) = (self.store.reader().clone(), Arc::clone(output));
        let work = move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            write(&mut writer, &reader, &asked, &directory)
        };
        let written = self.off_thread(output, work).await;
        self.record_archive(&output.id, &written);
        written
    }

    /// Writes all archive pages of the output that are not in its directory yet, and publishes the link to them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn complete_archive(&self, output: &Arc<Output>) -> Result<(), Error> {
        loop {
            match self.write_archive(output).await? {
                ArchiveState::Unfinished => {}
                ArchiveState::Unannounced => return self.publish(output).await.map(drop),
                ArchiveState::Complete => return Ok(()),
            }
        }
    }

    /// Records how writing archive pages ended.
    fn record_archive(&self, id: &str, written: &Result<usize, Error>) {
        let mut archives = self.archives();
        let Some(archive) = archives.get_mut(id) else { return };
        match written {
            Ok(count) => {
                archive.unannounced |= *count > 0;
                if std::mem::take(&mut archive.failed) {
                    self.served.record(id, None);
                }
            }
            // The archive itself was not looked at.
            Err(Error::Store(_)) => {}
            Err(error) => {
                archive.failed = true;
                let (since, why) = (self.clock.now(), error.to_string());
                self.served.record(id, Some(Refusal { since, why }));
            }
        }
    }

    fn writer(&self, output: &Output) -> Arc<Mutex<Writer>> {
        Arc::clone(&self.archives().entry(output.id.clone()).or_default().writer)
    }

    fn archives(&self) -> MutexGuard<'_, HashMap<String, Archive>> {
        self.archives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
    fn last(&self) -> MutexGuard<'_, HashMap<String, Arc<PreviousPublication>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the periods of digests that have ended, before anything of them is published.
    async fn close_digests(&self, output: &Arc<Output>, now: Timestamp) -> Result<(), Error> {
        let wait = self.closings.wait(&self.clock);
        let Some(rule) = output.digest.filter(|_| wait == Duration::ZERO) else {
            return Ok(());
        };
        self.closings.note(&output.id, now);
        let (reader, asked) = (self.store.reader().clone(), Arc::clone(output));
        let work = move || reader.read(|reader| digest::close(reader, (&asked, rule), now));
        if let Some(closed) = self.off_thread(output, work).await? {
            self.store.write(Write::Digests(closed)).await?;
        }
        Ok(())
    }

    /// Delays the digests of periods that ended before now: feeds have not been polled for a while, and their items are
    /// of these periods.
    #[must_use]
    pub fn delaying_digests(self, by: Duration) -> Self {
        Self { closings: self.closings.starting(self.clock.elapsed() + by), ..self }
    }

    /// In what time the output has to be published for its next digest; `None`: it has no digests.
    #[must_use]
    pub fn next_digest(&self, output: &Output) -> Option<Duration> {
        self.closings.next(output, &self.clock)
    }

    /// Puts new arrivals on the archive pages.
    async fn archive(&self, output: &Arc<Output>, now: Timestamp) -> Result<(), Error> {
        loop {
            let (reader, asked) = (self.store.reader().clone(), Arc::clone(output));
            let work = move || reader.read(|reader| archive::next(reader, &asked, now));
            let growth = self.off_thread(output, work).await?;
            if growth.any {
                self.store
                    .write_archive_pages(output.id.clone(), growth.pages, growth.assigned)
                    .await?;
            }
            if !growth.more {
                return Ok(());
            }
        }
    }

    /// As [`Publisher::prepare`], after the pages of stories that leave or join the documents are written.
    async fn prepare_after_archive(
        &self,
        output: &Arc<Output>,
        now: Timestamp,
    ) -> Result<Prepared, Error> {
        loop {
            let growth = match self.prepare(output, now).await? {
                Preparation::Ready(prepared) => return Ok(prepared),
                Preparation::ArchiveFirst(growth) => growth,
            };
            self.store
                .write_archive_pages(output.id.clone(), growth.pages, growth.assigned)
                .await?;
            self.write_pages_before(output).await;
        }
    }

    /// Writes the archive pages that became complete. An error is recorded and met again after the publication.
    async fn write_pages_before(&self, output: &Arc<Output>) {
        let _ = self.write_pages(output, Writer::write_before).await;
        if let Some(archive) = self.archives().get_mut(&output.id) {
            archive.unannounced = false;
        }
    }

    /// Selects, renders and checks.
    async fn prepare(&self, output: &Arc<Output>, now: Timestamp) -> Result<Preparation, Error> {
        let known = self.last().get(&output.id).cloned();
        let reader = self.store.reader().clone();
        let (asked, writer) = (Arc::clone(output), self.writer(output));
        let work = move || {
            let (last, selected, complete, first) = reader.read(|reader| {
                let read = || last_published(reader, &asked.id).map(Arc::new);
                let last = known.map_or_else(read, Ok)?;
                let selected = selection(reader, &asked, now)?;
                let first = match archive::with_joined(reader, &asked, (&last, &selected.by_date))?
                {
                    None => archive::completed_early(reader, &asked, (&last, &selected.entries))?,
                    joined => joined,
                };
                Ok::<_, Error>((last, selected, archive::complete_pages(reader, &asked)?, first))
            })?;
            if let Some(growth) = first {
                return Ok(Preparation::ArchiveFirst(growth));
            }
            let Selection { entries, ids, until, displaced, .. } = selected;
            let gone = last.compare(&entries, &ids.assigned, displaced);
            report_gone(&asked, gone)?;
            let archive = archive::announced(&asked, &complete)
                .filter(|_| !has_other_archive(&writer, &reader, &asked));
            let documents = render(&asked, Page::Subscription { archive }, &entries)?;
            let new = PreviousPublication::new(&entries);
            let record = (new != *last || !ids.new.is_empty()).then(|| (new.to_text(), ids.new));
            let entries = entries.len();
            Ok(Preparation::Ready(Prepared { entries, until, last: new, record, documents }))
        };
        self.off_thread(output, work).await
    }

    /// Prepares one document for the web server and writes its file, unless both were done before.
    ///
    /// The inner error is that of the file: a document that cannot be written is served all the same.
    async fn place(
        &self,
        output: &Arc<Output>,
        rendered: Checked,
        (now, destination): (Timestamp, Destination),
    ) -> Result<(Arc<Document>, Result<Written, Error>), Error> {
        let Checked { format, max_age, hash, bytes } = rendered;
        let name = output.file_name(format);
        let held = self.served.document(&name).filter(|held| held.body == bytes);
        let modified = match &held {
            Some(held) => held.modified,
            None => {
                // Before the file: after a crash in between, the same document keeps its date.
                let id = output.id.clone();
                Some(self.store.write_document(id, format.extension(), hash, now).await?)
            }
        };
        let (asked, panicked) = (Arc::clone(output), |_| Error::Panicked(name.clone()));
        let work = {
            let name = name.clone();
            move || {
                let fresh = held.is_none();
                let prepare = || {
                    let document = Document::with_digest(format, bytes, &hash, modified, max_age);
                    Arc::new(document.at(&asked.self_url(format)))
                };
                let document = held.unwrap_or_else(prepare);
                let directory = asked.directory.as_deref();
                let written = match directory.filter(|_| destination == Destination::ServerAndFiles)
                {
                    // Also when nothing changed: the file may have been removed.
                    Some(directory) => write_document(directory, &name, &document)
                        .map_err(|source| Error::Write { path: directory.join(&name), source }),
                    None if fresh => Ok(Written::Replaced),
                    None => Ok(Written::Unchanged),
                };
                (document, written)
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(panicked)
    }
}

/// Logs the items that are missing after a comparison with the last publication: no id may have changed.
fn report_gone(output: &Output, gone: Result<Vec<&str>, CheckError>) -> Result<(), Error> {
    let gone = gone.map_err(|source| Error::Check { name: output.id.clone(), source })?;
    if let Some(first) = gone.first() {
        let (output, gone) = (&output.id, gone.len());
        info!(output, gone, %first, "items left the output early");
    }
    Ok(())
}

/// Renders and checks a document in every format of the output.
fn render(output: &Output, page: Page, entries: &[OutputItem]) -> Result<Vec<Checked>, Error> {
    let max_age = render::max_age(entries);
    let rendered = render::render_checked(output, &output.formats, page, entries);
    let rendered = rendered.map_err(|rejected| Error::Check {
        name: output.file_name(rejected.format),
        source: rejected.error,
    })?;
    let hashed = |Rendered { format, bytes }: Rendered| Checked {
        format,
        max_age,
        hash: sha256(&bytes),
        bytes,
    };
    Ok(rendered.into_iter().map(hashed).collect())
}

/// Counts the result of a publication, and a panic in it.
fn count(metrics: &Metrics, output: &str, published: Result<&Published, &Error>, now: Timestamp) {
    let how = match published {
        Ok(Published { changed: 0, .. }) => Publication::Unchanged,
        Ok(_) => Publication::Changed,
        Err(_) => Publication::Failed,
    };
    metrics.published(output, how, now);
    if let Err(Error::Panicked(_)) = published {
        metrics.panicked();
    }
}

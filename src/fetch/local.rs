//! A feed in a file of this machine, which may be compressed: no request is made, and no server asks for anything.
//!
//! Only a `[[feed]]` of the config can name a file. A redirect to one is refused by the guard.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::body::{DecodedBody, decompressed, too_large};
use super::exchange::{Body, Request, Response};
use crate::files;
use crate::model::{Failure, FailureKind, FetchOutcome, Validators};

/// A file that was changed less than this ago is read again: a second change may leave the same time.
const UNCERTAIN: SignedDuration = SignedDuration::from_secs(2);

/// Whether the URL names a file.
#[must_use]
pub fn is_local(url: &Url) -> bool {
    url.scheme() == "file"
}

/// What is read of a file.
enum Content {
    /// The file has the state of the last reading.
    Same,
    /// Content of the file, and its state if that is certain.
    Read(Vec<u8>, Option<String>),
    /// It is larger than the limit.
    TooLarge,
}

/// Reads the file that the URL of the request names, as an answer without HTTP status. Its state (inode, size and time
/// of change) is the validator.
pub async fn read_local(request: &Request<'_>) -> Response {
    let failed = |failure| Response::failed(request.url.clone(), failure);
    let Ok(path) = request.url.to_file_path() else {
        return failed(Failure::new(FailureKind::BadUrl, "the URL names no file of this machine"));
    };
    let (max, known) = (request.settings.max_body, request.validators.etag.clone());
    let reading = {
        let (path, now) = (path.clone(), request.now);
        tokio::task::spawn_blocking(move || read(&path, max, known.as_deref(), now))
    };
    let read = match tokio::time::timeout(request.settings.timeout, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err(io::Error::other("reading the file panicked")),
        // A network file system that does not answer.
        Err(_) => Err(ErrorKind::TimedOut.into()),
    };
    let mut response = failed(Failure::new(FailureKind::FeedFile, "never read"));
    response.outcome = match read {
        Err(error) => FetchOutcome::Failed(unreadable(&path, &error)),
        Ok(Content::TooLarge) => FetchOutcome::Failed(too_large(max)),
        Ok(Content::Same) => FetchOutcome::NotModified,
        Ok(Content::Read(bytes, state)) => match decompressed(bytes, max).await {
            Ok(DecodedBody { cut: Some(failure), .. }) | Err(failure) => {
                FetchOutcome::Failed(failure)
            }
            Ok(body) => {
                let etag = state.map(String::into_bytes);
                response.validators = Some(Validators { etag, last_modified: None });
                complete(body, request, &mut response)
            }
        },
    };
    response
}

/// Adds a complete document to the response. Returns whether it is another one than the last time.
fn complete(read: DecodedBody, request: &Request<'_>, response: &mut Response) -> FetchOutcome {
    let DecodedBody { bytes, hash, surplus, .. } = read;
    response.body_bytes = bytes.len() as u64;
    response.body_hash = Some(hash);
    if request.known_body == Some(hash) {
        return FetchOutcome::NotModified;
    }
    response.body = Some(Body { bytes, content_type: None, links: None, memory: None, surplus });
    FetchOutcome::Modified
}

fn read(path: &Path, max: u64, known: Option<&[u8]>, now: Timestamp) -> io::Result<Content> {
    let file = files::open_regular(path)?;
    let state = state(&file, now)?;
    if state.is_some() && state.as_ref().map(String::as_bytes) == known {
        return Ok(Content::Same);
    }
    Ok(match files::read_bounded(file, max)? {
        Some(bytes) => Content::Read(bytes, state),
        None => Content::TooLarge,
    })
}

/// What changes when the file is written or replaced; `None`: it was changed just now, and may change again unnoticed.
fn state(file: &File, now: Timestamp) -> io::Result<Option<String>> {
    let meta = file.metadata()?;
    let changed = Timestamp::try_from(meta.modified()?).map_err(io::Error::other)?;
    let state = format!(
        "{}-{}-{}-{}.{}",
        meta.dev(),
        meta.ino(),
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec()
    );
    Ok(Some(state).filter(|_| now.duration_since(changed) >= UNCERTAIN))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read the file {}: {error}", path.display());
    let help = match error.kind() {
        ErrorKind::NotFound => {
            "check file in the [[feed]], and whether the program that writes it runs"
        }
        ErrorKind::PermissionDenied => {
            "make the file and its folders readable for the user of newswire"
        }
        _ => "name a regular file, not a folder, a device or a pipe",
    };
    Failure::new(FailureKind::FeedFile, message).help(help)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use async_compression::tokio::bufread::GzipEncoder;
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::fetch::{Settings, Wanted};

    async fn poll(path: &Path, before: Option<&Response>, max_body: u64) -> Response {
        let (url, settings) =
            (Url::from_file_path(path).unwrap(), Settings { max_body, ..Settings::default() });
        let validators =
            before.and_then(|response| response.validators.clone()).unwrap_or_default();
        read_local(&Request {
            url: &url,
            wanted: Wanted::Feed,
            validators: &validators,
            validators_from: None,
            known_body: before.and_then(|response| response.body_hash),
            known_lifetime: None,
            settings: &settings,
            now: Timestamp::from_second(1_000_000).unwrap(),
        })
        .await
    }

    /// Makes the file this old at the time of the polls.
    fn age(path: &Path, seconds: u64) {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - seconds);
        File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }

    #[tokio::test]
    async fn a_file_is_read_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.xml");
        fs::write(&path, "<rss>1</rss>").unwrap();
        age(&path, 60);
        let first = poll(&path, None, 100).await;
        assert_eq!(first.outcome, FetchOutcome::Modified);
        assert_eq!(first.body.as_ref().unwrap().bytes, b"<rss>1</rss>");
        assert_eq!((first.status, first.body_bytes), (None, 12));
        assert_eq!(poll(&path, Some(&first), 100).await.outcome, FetchOutcome::NotModified);
        // The same size, another time.
        fs::write(&path, "<rss>2</rss>").unwrap();
        age(&path, 30);
        assert_eq!(poll(&path, Some(&first), 100).await.outcome, FetchOutcome::Modified);
        // The same content, another time.
        fs::write(&path, "<rss>1</rss>").unwrap();
        age(&path, 20);
        assert_eq!(poll(&path, Some(&first), 100).await.outcome, FetchOutcome::NotModified);
    }

    #[tokio::test]
    async fn a_file_that_was_changed_just_now_has_no_validator() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.xml");
        fs::write(&path, "1").unwrap();
        age(&path, 1);
        let first = poll(&path, None, 100).await;
        assert_eq!(first.validators, Some(Validators::default()));
    }

    async fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        GzipEncoder::new(bytes).read_to_end(&mut packed).await.unwrap();
        packed
    }

    #[tokio::test]
    async fn a_compressed_file_is_decompressed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.xml.gz");
        let document = b"<rss>1</rss>".repeat(10);
        let once = gzip(&document).await;
        let twice = gzip(&once).await;
        for (file, read) in [
            (once.clone(), &document),
            ([&once[..], b"\n\0"].concat(), &document),
            (twice.clone(), &document),
            (gzip(&twice).await, &once),
        ] {
            fs::write(&path, &file).unwrap();
            age(&path, 60);
            let first = poll(&path, None, 1_000).await;
            assert_eq!(first.outcome, FetchOutcome::Modified);
            assert_eq!(&first.body.as_ref().unwrap().bytes, read);
            assert_eq!(first.body_bytes, read.len() as u64);
            assert_eq!(poll(&path, Some(&first), 1_000).await.outcome, FetchOutcome::NotModified);
        }
    }

    #[tokio::test]
    async fn a_compressed_file_that_is_cut_damaged_or_too_large_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.xml.gz");
        let packed = gzip(&[b'x'; 5_000]).await;
        let mut damaged = packed.clone();
        // The method of compression.
        damaged[2] = 9;
        for (file, kind) in [
            (&packed[..], FailureKind::TooLarge),
            (&packed[..packed.len() / 2], FailureKind::Truncated),
            (&damaged[..], FailureKind::BadCoding),
        ] {
            fs::write(&path, file).unwrap();
            let max = if kind == FailureKind::TooLarge { 4_999 } else { 5_000 };
            let FetchOutcome::Failed(failure) = poll(&path, None, max).await.outcome else {
                panic!("{kind:?}")
            };
            assert_eq!(failure.kind, kind);
        }
    }

    #[tokio::test]
    async fn only_regular_files_within_the_limit_are_feeds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.xml");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()));
        for (path, part) in [
            (&*path, "No such file"),
            (Path::new("/dev/zero"), "not a regular file"),
            (folder.path(), "not a regular file"),
            // Without a writer, an open would wait forever.
            (&*pipe, "not a regular file"),
        ] {
            let response = poll(path, None, 100).await;
            let FetchOutcome::Failed(failure) = response.outcome else { panic!("{path:?}") };
            assert_eq!(failure.kind, FailureKind::FeedFile);
            assert!(failure.to_string().contains(part), "{failure}");
            assert!(failure.help.is_some());
        }
        fs::write(&path, "12345").unwrap();
        let FetchOutcome::Failed(failure) = poll(&path, None, 4).await.outcome else { panic!() };
        assert_eq!(failure.kind, FailureKind::TooLarge);
    }
}

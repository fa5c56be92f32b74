//! Reads a response body: streams, decodes, counts and hashes it, and stops at the size limit.
//!
//! Gzip bodies may have several members (RFC 1952 2.2). What follows the last one is ignored, as browsers do: some servers
//! append line ends, zeros, a comment, or bytes that only begin like a member.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{self, HeaderMap};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader, ReadBuf,
};
use tokio_util::io::StreamReader;

use super::budget::{Budget, Progress, Reservation};
use super::classify;
use crate::model::{Failure, FailureKind};
use crate::text::quoted::in_quotes;
use crate::text::sha256::{Sha256, sha256};

/// Largest number of content codings on one body.
const MAX_CODINGS: usize = 3;
/// Largest number of layers of gzip that no header announces.
const MAX_UNANNOUNCED: usize = 2;
/// Largest ratio of decoded size to received size.
const MAX_RATIO: u64 = 200;
/// Decoded size in bytes from which the ratio is checked; small documents may compress better.
const RATIO_FROM: u64 = 1024 * 1024;
/// Largest window of a Zstandard decoder: 2^23 bytes, 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// Largest number of bytes that one read adds.
const READ_SIZE: usize = 64 * 1024;

type Reader = Pin<Box<dyn AsyncBufRead + Send>>;

/// A body that was received and decoded.
#[derive(Debug)]
pub(crate) struct DecodedBody {
    /// The body without content coding.
    pub(crate) bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub(crate) hash: [u8; 32],
    /// Received size in bytes, before decoding.
    pub(crate) wire_bytes: u64,
    /// Why the end is missing; `None`: the body is complete.
    pub(crate) cut: Option<Failure>,
    /// Whether bytes after the end of the compressed document were ignored.
    pub(crate) surplus: bool,
    /// The reserved memory for `bytes`.
    pub(crate) memory: Reservation,
}

/// Failure of a document that exceeds the size limit.
pub(crate) fn too_large(max: u64) -> Failure {
    let message = format!("the document is larger than {max} bytes");
    let help = "raise max_body if the document is meant to be so large";
    Failure::new(FailureKind::TooLarge, message).help(help)
}

/// Reads the body of `response`, at most `max` decoded bytes. Of a body that ends early, the beginning is returned.
pub(crate) async fn read(
    response: reqwest::Response,
    max: u64,
    memory: Reservation,
) -> Result<DecodedBody, Failure> {
    let codings = codings(response.headers())?;
    // The window of these decoders grows with the body.
    let windows = codings.iter().filter(|coding| ["br", "zstd"].contains(&coding.as_str())).count();
    let wire = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&wire);
    let stream = response.bytes_stream().inspect_ok(move |chunk| {
        counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
    });
    let surplus = Surplus::default();
    let mut reader: Reader = Box::pin(StreamReader::new(stream.map_err(io::Error::other).boxed()));
    for coding in codings {
        reader = decode(&coding, reader, &surplus).await?;
    }
    let reader = without_gzip(reader, &surplus).await?;
    let copies = 1 + windows as u64;
    let body = drain(reader, max, &wire, (memory, copies)).await?;
    Ok(DecodedBody { surplus: surplus.was_found(), ..body })
}

/// Decompresses a document that a file has as gzip; any other is unchanged.
pub(crate) async fn decompressed(bytes: Vec<u8>, max: u64) -> Result<DecodedBody, Failure> {
    let memory = Budget::default().reserve(Progress::default());
    let wire_bytes = bytes.len() as u64;
    if !bytes.starts_with(&GZIP_MAGIC) {
        let hash = sha256(&bytes);
        return Ok(DecodedBody { bytes, hash, wire_bytes, cut: None, surplus: false, memory });
    }
    let surplus = Surplus::default();
    let reader = without_gzip(Box::pin(io::Cursor::new(bytes)), &surplus).await?;
    let body = drain(reader, max, &AtomicU64::new(wire_bytes), (memory, 1)).await?;
    Ok(DecodedBody { surplus: surplus.was_found(), ..body })
}

/// Adds decoders for gzip that no header announces: some servers send a .gz file without Content-Encoding, or compress
/// it again.
async fn without_gzip(mut reader: Reader, surplus: &Surplus) -> Result<Reader, Failure> {
    for _ in 0..MAX_UNANNOUNCED {
        if !starts_with_gzip(&mut reader).await? {
            break;
        }
        reader = decode("gzip", reader, surplus).await?;
    }
    Ok(reader)
}

/// The registered content codings except `identity` (IANA HTTP Content Coding Registry). Servers also send charsets,
/// media types, `none` and other wrong values, which clients ignore.
const CODINGS: [&str; 11] = [
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "deflate",
    "exi",
    "gzip",
    "x-compress",
    "x-gzip",
    "zstd",
];

/// The content codings in the order of decoding (RFC 9110 8.4).
fn codings(headers: &HeaderMap) -> Result<Vec<String>, Failure> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for coding in value.to_str().unwrap_or_default().split(',') {
            let coding = coding.trim().to_ascii_lowercase();
            if CODINGS.contains(&coding.as_str()) {
                codings.push(coding);
            }
        }
    }
    if codings.len() > MAX_CODINGS {
        let message = format!("the body has {} content codings", codings.len());
        return Err(Failure::new(FailureKind::BadCoding, message).help(REPORT_TO_SITE));
    }
    codings.reverse();
    Ok(codings)
}

const REPORT_TO_SITE: &str = "report this to the site owner";

/// Adds a decoder to the reader, unless the body is not encoded in spite of its header.
async fn decode(coding: &str, mut reader: Reader, surplus: &Surplus) -> Result<Reader, Failure> {
    let head = peek(&mut reader).await?;
    let start = reader.fill_buf().await.map_err(|error| read_failure(&error))?;
    if is_text(start) {
        return Ok(reader);
    }
    Ok(match coding {
        "gzip" | "x-gzip" if !is_gzip(head) => reader,
        "gzip" | "x-gzip" => Box::pin(BufReader::new(GzipMembers::new(reader, surplus.clone()))),
        "br" => Box::pin(BufReader::new(BrotliDecoder::new(reader))),
        "zstd" => {
            let window = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
            Box::pin(BufReader::new(ZstdDecoder::with_params(reader, &window)))
        }
        // RFC 9110 8.4.1.2 means zlib; many servers send a raw deflate stream.
        "deflate" if is_zlib(head) => Box::pin(BufReader::new(ZlibDecoder::new(reader))),
        "deflate" => Box::pin(BufReader::new(DeflateDecoder::new(reader))),
        other => {
            let name: String = other.chars().filter(|c| c.is_ascii_graphic()).take(20).collect();
            let message = format!(
                "the body has the content coding {name}, which was not requested",
                name = in_quotes(name)
            );
            return Err(Failure::new(FailureKind::BadCoding, message).help(REPORT_TO_SITE));
        }
    })
}

/// The first two bytes, without consuming them; zero where there are none.
async fn peek(reader: &mut Reader) -> Result<[u8; 2], Failure> {
    let head = reader.fill_buf().await.map_err(|error| read_failure(&error))?;
    Ok([head.first().copied().unwrap_or_default(), head.get(1).copied().unwrap_or_default()])
}

async fn starts_with_gzip(reader: &mut Reader) -> Result<bool, Failure> {
    peek(reader).await.map(is_gzip)
}

fn is_gzip(head: [u8; 2]) -> bool {
    head == GZIP_MAGIC
}

/// Whether a body begins as XML or JSON in ASCII, which no coding of this length does by chance.
fn is_text(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let head = &start[..start.len().min(16)];
    head.len() >= 8
        && matches!(head[0], b'<' | b'{')
        && head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

fn is_zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && u16::from_be_bytes(head).is_multiple_of(31)
}

/// Reads to the end or to the size limit. Memory is reserved before it is used: for each copy of the body, and
/// for the growth of its buffer.
async fn drain(
    mut reader: Reader,
    max: u64,
    wire: &AtomicU64,
    (mut memory, copies): (Reservation, u64),
) -> Result<DecodedBody, Failure> {
    let mut bytes = Vec::new();
    let mut hash = Sha256::new();
    let mut cut = None;
    loop {
        // The buffer grows with the received bytes, not with an announced length.
        let before = bytes.len();
        memory.grow(copies * (before + READ_SIZE) as u64).await;
        match reader.read_buf(&mut bytes).await.map_err(|error| read_failure(&error)) {
            Ok(0) => break,
            Ok(_) => {}
            // Of a document without a length, the end is not known while the connection stays open.
            Err(failure)
                if matches!(failure.kind, FailureKind::Truncated | FailureKind::Timeout)
                    && !bytes.is_empty() =>
            {
                cut = Some(failure);
                break;
            }
            Err(failure) => return Err(failure),
        }
        hash.update(&bytes[before..]);
        let (decoded, sent) = (bytes.len() as u64, wire.load(Ordering::Relaxed));
        if decoded > max {
            return Err(too_large(max));
        }
        if decoded > RATIO_FROM && decoded / sent.max(1) > MAX_RATIO {
            let message = format!(
                "the compressed body of {sent} bytes decodes to more than {decoded} bytes, as in an attack"
            );
            return Err(Failure::new(FailureKind::TooLarge, message).help(REPORT_TO_SITE));
        }
    }
    let (hash, wire_bytes) = (hash.finish(), wire.load(Ordering::Relaxed));
    bytes.shrink_to_fit();
    Ok(DecodedBody { bytes, hash, wire_bytes, cut, surplus: false, memory })
}

/// The failure for an error while reading: of the connection or of the content coding.
fn read_failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::UnexpectedEof || classify::is_truncation(error) {
        let message = "the document ended before its announced end";
        return Failure::new(FailureKind::Truncated, message).help(classify::RETRIED);
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
        Some(inner) => classify::failure(inner),
        None => Failure::new(FailureKind::BadCoding, format!("cannot decode the body: {error}"))
            .help(REPORT_TO_SITE),
    }
}

/// The first two bytes of a member.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether bytes after the last member were ignored. Clones share it.
#[derive(Debug, Clone, Default)]
struct Surplus(Arc<AtomicBool>);

impl Surplus {
    /// Whether there were any, other than line ends and zeros.
    fn was_found(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn found(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The decoded content of all members.
struct GzipMembers<R> {
    state: State<R>,
    /// Whether the present member is not the first, and nothing of it was decoded yet.
    may_be_junk: bool,
    surplus: Surplus,
}

enum State<R> {
    /// Decoding a member.
    Member(Box<GzipDecoder<R>>),
    /// After the end of a member: another member, padding or junk follows.
    Between(R),
    /// After the last member.
    End,
}

impl<R: AsyncBufRead + Unpin> GzipMembers<R> {
    /// Decodes `reader`, which is at the start of the first member.
    fn new(reader: R, surplus: Surplus) -> Self {
        let state = State::Member(Box::new(GzipDecoder::new(reader)));
        Self { state, may_be_junk: false, surplus }
    }
}

impl<R: AsyncBufRead + Unpin> AsyncRead for GzipMembers<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let Self { state, may_be_junk, surplus } = &mut *self;
        loop {
            *state = match state {
                State::End => return Poll::Ready(Ok(())),
                State::Member(decoder) => {
                    let before = buffer.filled().len();
                    match ready!(Pin::new(&mut **decoder).poll_read(context, buffer)) {
                        Ok(()) => {}
                        Err(error) if *may_be_junk && is_junk(&error) => {
                            surplus.found();
                            *state = State::End;
                            return Poll::Ready(Ok(()));
                        }
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                    if buffer.filled().len() > before {
                        *may_be_junk = false;
                        return Poll::Ready(Ok(()));
                    }
                    match std::mem::replace(state, State::End) {
                        State::Member(decoder) => State::Between(decoder.into_inner()),
                        other => other,
                    }
                }
                State::Between(reader) => {
                    let next = ready!(Pin::new(reader).poll_fill_buf(context))?;
                    // A chunk may end after the first byte of a member.
                    let is_member = next.starts_with(&GZIP_MAGIC) || next == [GZIP_MAGIC[0]];
                    if !is_member && !next.iter().all(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
                        surplus.found();
                    }
                    match std::mem::replace(state, State::End) {
                        State::Between(reader) if is_member => {
                            *may_be_junk = true;
                            State::Member(Box::new(GzipDecoder::new(reader)))
                        }
                        _ => State::End,
                    }
                }
            };
        }
    }
}

/// Whether bytes that begin like a member are not one. Errors of the connection are those of the response.
fn is_junk(error: &io::Error) -> bool {
    error.get_ref().is_none_or(|inner| !inner.is::<reqwest::Error>())
}

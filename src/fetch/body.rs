//! A body: streamed, its content coding undone, counted, hashed, and cut off when it is too much.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{self, HeaderMap};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio_util::io::StreamReader;

use super::classify;
use crate::model::{Failure, FailureKind};

/// More codings than this on one body are an attack, not a habit.
const MAX_CODINGS: usize = 3;
/// A body that swells further than this is a bomb,
const MAX_RATIO: u64 = 200;
/// but a small one may: an empty page compresses well.
const RATIO_FROM: u64 = 1024 * 1024;
/// RFC 8878 via RFC 9659: a decoder need not give more than 8 MiB of window.
const ZSTD_WINDOW_LOG: u32 = 23;

type Reader = Pin<Box<dyn AsyncBufRead + Send>>;

/// A body that was read whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub(crate) hash: [u8; 32],
    /// As it came over the wire.
    pub(crate) wire: u64,
}

/// Reads the body of `response`, at most `max` bytes once decoded.
pub(crate) async fn read(response: reqwest::Response, max: u64) -> Result<Whole, Failure> {
    let codings = codings(response.headers())?;
    let wire = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&wire);
    let stream = response.bytes_stream().inspect_ok(move |chunk| {
        counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
    });
    let mut reader: Reader = Box::pin(StreamReader::new(stream.map_err(io::Error::other).boxed()));
    for coding in codings {
        reader = undo(&coding, reader).await?;
    }
    // Some servers send a .gz file without saying so, or compress what is compressed already.
    if starts_with_gzip(&mut reader).await? {
        reader = undo("gzip", reader).await?;
    }
    drain(reader, max, &wire).await
}

/// The content codings in the order to undo them. RFC 9110 8.4.
fn codings(headers: &HeaderMap) -> Result<Vec<String>, Failure> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for coding in value.to_str().unwrap_or_default().split(',') {
            let coding = coding.trim().to_ascii_lowercase();
            if !coding.is_empty() && coding != "identity" {
                codings.push(coding);
            }
        }
    }
    if codings.len() > MAX_CODINGS {
        let message =
            format!("the body is coded {} times over: tell the site owner", codings.len());
        return Err(Failure::new(FailureKind::BadCoding, message));
    }
    codings.reverse();
    Ok(codings)
}

/// Puts a decoder behind the reader; a body that is labelled but not coded is left as it is.
async fn undo(coding: &str, mut reader: Reader) -> Result<Reader, Failure> {
    let head = peek(&mut reader).await?;
    Ok(match coding {
        "gzip" | "x-gzip" if !is_gzip(head) => reader,
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(reader);
            // RFC 1952 2.2: a gzip file may have several members.
            decoder.multiple_members(true);
            Box::pin(BufReader::new(decoder))
        }
        "br" => Box::pin(BufReader::new(BrotliDecoder::new(reader))),
        "zstd" => {
            let window = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
            Box::pin(BufReader::new(ZstdDecoder::with_params(reader, &window)))
        }
        // RFC 9110 8.4.1.2 means zlib; many servers send the bare stream.
        "deflate" if is_zlib(head) => Box::pin(BufReader::new(ZlibDecoder::new(reader))),
        "deflate" => Box::pin(BufReader::new(DeflateDecoder::new(reader))),
        other => {
            let name: String = other.chars().filter(|c| c.is_ascii_graphic()).take(20).collect();
            let message = format!(
                "the body has the content coding {name:?}, which was not asked for: tell the site owner"
            );
            return Err(Failure::new(FailureKind::BadCoding, message));
        }
    })
}

/// The first bytes, without taking them.
async fn peek(reader: &mut Reader) -> Result<[u8; 2], Failure> {
    let head = reader.fill_buf().await.map_err(|error| broken(&error))?;
    Ok([head.first().copied().unwrap_or_default(), head.get(1).copied().unwrap_or_default()])
}

async fn starts_with_gzip(reader: &mut Reader) -> Result<bool, Failure> {
    peek(reader).await.map(is_gzip)
}

fn is_gzip(head: [u8; 2]) -> bool {
    head == [0x1f, 0x8b]
}

fn is_zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && u16::from_be_bytes(head).is_multiple_of(31)
}

/// Reads to the end, or until it is too much.
async fn drain(mut reader: Reader, max: u64, wire: &AtomicU64) -> Result<Whole, Failure> {
    let mut bytes = Vec::new();
    let mut hash = Sha256::new();
    loop {
        // The buffer grows with what arrives; no length that was announced is believed.
        let before = bytes.len();
        let read = reader.read_buf(&mut bytes).await.map_err(|error| broken(&error))?;
        if read == 0 {
            break;
        }
        hash.update(&bytes[before..]);
        let (decoded, sent) = (bytes.len() as u64, wire.load(Ordering::Relaxed));
        if decoded > max {
            let message = format!(
                "the document is larger than {max} bytes: raise max_body if it is meant to be"
            );
            return Err(Failure::new(FailureKind::TooLarge, message));
        }
        if decoded > RATIO_FROM && decoded / sent.max(1) > MAX_RATIO {
            let message = format!(
                "{sent} bytes swell to more than {decoded}: this looks like an attack, ask the site owner"
            );
            return Err(Failure::new(FailureKind::TooLarge, message));
        }
    }
    Ok(Whole { hash: hash.finalize().into(), wire: wire.load(Ordering::Relaxed), bytes })
}

/// Why reading stopped: the connection, or the coding.
fn broken(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::UnexpectedEof || classify::is_cut(error) {
        return Failure::new(
            FailureKind::Truncated,
            "the document was cut off: its end never came: it is asked for again later",
        );
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
        Some(inner) => classify::failure(inner),
        None => Failure::new(
            FailureKind::BadCoding,
            format!("the body's coding is broken: {error}: tell the site owner"),
        ),
    }
}

//! Decodes gzip bodies with several members (RFC 1952 2.2) and ignores what follows the last one, as browsers do:
//! some servers append line ends, zeros, a comment, or bytes that only begin like a member.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::GzipDecoder;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// The first two bytes of a member.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether bytes after the last member were ignored. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surplus(Arc<AtomicBool>);

impl Surplus {
    /// Whether there were any, other than line ends and zeros.
    pub(crate) fn was_found(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn found(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The decoded content of all members.
pub(crate) struct GzipMembers<R> {
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
    pub(crate) fn new(reader: R, surplus: Surplus) -> Self {
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
                    let is_member = next.starts_with(&MAGIC) || next == [MAGIC[0]];
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

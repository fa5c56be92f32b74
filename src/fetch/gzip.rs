//! Decodes gzip bodies with several members (RFC 1952 2.2) and ignores what follows the last one, as browsers do:
//! some servers append line ends, zeros or a comment.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::GzipDecoder;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// The first two bytes of a member.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The decoded content of all members.
pub(crate) struct GzipMembers<R> {
    state: State<R>,
}

enum State<R> {
    /// Inside a member.
    Member(Box<GzipDecoder<R>>),
    /// After a member.
    Between(R),
    /// After the last member.
    End,
}

impl<R: AsyncBufRead + Unpin> GzipMembers<R> {
    /// Decodes `reader`, which is at the start of the first member.
    pub(crate) fn new(reader: R) -> Self {
        Self { state: State::Member(Box::new(GzipDecoder::new(reader))) }
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
        loop {
            self.state = match &mut self.state {
                State::End => return Poll::Ready(Ok(())),
                State::Member(decoder) => {
                    let before = buffer.filled().len();
                    ready!(Pin::new(&mut **decoder).poll_read(context, buffer))?;
                    if buffer.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                    match std::mem::replace(&mut self.state, State::End) {
                        State::Member(decoder) => State::Between(decoder.into_inner()),
                        other => other,
                    }
                }
                State::Between(reader) => {
                    let next = ready!(Pin::new(reader).poll_fill_buf(context))?;
                    // A chunk may end after the first byte of a member.
                    let is_member = next.starts_with(&MAGIC) || next == [MAGIC[0]];
                    match std::mem::replace(&mut self.state, State::End) {
                        State::Between(reader) if is_member => {
                            State::Member(Box::new(GzipDecoder::new(reader)))
                        }
                        _ => State::End,
                    }
                }
            };
        }
    }
}

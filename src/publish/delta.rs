//! A document cut into its entries, so that a reader can be sent those it lacks (RFC 3229 with
//! `IM: feed`): pure.
//!
//! Cuts what the writers wrote and the gate has passed: `<` and line ends stand there raw only as
//! markup, so that the places to cut are found without a parser.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use super::output::Format;

/// One entry in the bytes of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    range: Range<usize>,
    /// Of its bytes: an entry that changed in any way is another one.
    hash: u64,
}

/// The entries of a document, in their order.
pub(super) fn parts(format: Format, body: &[u8]) -> Vec<Part> {
    let (list, open, close): (&[u8], &[u8], &[u8]) = match format {
        Format::Atom => (b"", b"\n  <entry", b"\n  </entry>"),
        Format::Rss => (b"", b"\n    <item>", b"\n    </item>"),
        Format::Json => (b"\n  \"items\": [", b"\n    {", b"\n    }"),
    };
    let mut parts = Vec::new();
    let Some(mut at) = find(body, list, 0).map(|at| at + list.len()) else { return parts };
    while let Some(start) = find(body, open, at) {
        let Some(end) = find(body, close, start).map(|end| end + close.len()) else { break };
        // Behind the list there may be other objects in other lists.
        if format == Format::Json && !body[at..start].iter().all(|byte| *byte == b',') {
            break;
        }
        let mut hasher = DefaultHasher::new();
        body[start..end].hash(&mut hasher);
        parts.push(Part { range: start..end, hash: hasher.finish() });
        at = end;
    }
    parts
}

/// What of a document a reader has who has these entries.
pub(super) fn marks(parts: &[Part]) -> Box<[u64]> {
    let mut marks: Vec<u64> = parts.iter().map(|part| part.hash).collect();
    marks.sort_unstable();
    marks.into()
}

/// The document with those entries alone that are not among the (sorted) `known`; `None` where
/// that would be all of it.
pub(super) fn since(format: Format, body: &[u8], parts: &[Part], known: &[u64]) -> Option<Vec<u8>> {
    let (first, last) = (parts.first()?, parts.last()?);
    let new = |part: &&Part| known.binary_search(&part.hash).is_err();
    let wanted: Vec<&Part> = parts.iter().filter(new).collect();
    if wanted.len() == parts.len() {
        return None;
    }
    let mut delta = body[..first.range.start].to_vec();
    for (n, part) in wanted.into_iter().enumerate() {
        if n > 0 && format == Format::Json {
            delta.push(b',');
        }
        delta.extend_from_slice(&body[part.range.clone()]);
    }
    delta.extend_from_slice(&body[last.range.end..]);
    Some(delta)
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    if wanted.is_empty() {
        return Some(from);
    }
    let rest = body.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

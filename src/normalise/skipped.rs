//! Elements whose content is not shown, and which tags end them.

use super::plain_text::{self, breaks_out, is_block};
use super::tokens::Tag;

/// Whether content that browsers do not show is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Hiding {
    #[default]
    Dropped,
    /// It is all that there is.
    Shown,
}

/// An element that is dropped with its content.
pub(super) struct Skipped {
    name: String,
    /// Number of open elements of this name inside it.
    inner: usize,
    /// Number of open blocks inside it.
    blocks: usize,
    /// Whether tags of blocks, or of any common element, end it too.
    ends: Ends,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Only its end tag.
    Itself,
    /// Its end tag, or that of a block around it; a block begins no content of a paragraph.
    Content,
    /// The end tags of blocks around it.
    Blocks,
    /// The elements of HTML 13.2.6.5.
    Common,
}

impl Skipped {
    /// That which the start tag of this name begins.
    pub(super) fn new(name: &str, ends: Ends) -> Self {
        Self { name: name.to_owned(), inner: 0, blocks: 0, ends }
    }

    /// Whether a tag ends it. `true` in the second value: the tag is the end tag itself.
    pub(super) fn ended_by(&mut self, tag: &Tag<'_>) -> (bool, bool) {
        let same = tag.name == self.name.as_str();
        let counts = self.ends != Ends::Common;
        let is_block = is_block(&tag.name) && tag.name != "hr"
            || matches!(&*tag.name, "td" | "th" | "tbody" | "thead" | "tfoot");
        if self.ends == Ends::Content && !same && is_block {
            if self.name == "p" && !tag.end || self.blocks == 0 && tag.end {
                return (true, false);
            }
            self.blocks = if tag.end { self.blocks - 1 } else { self.blocks + 1 };
        }
        if self.ends == Ends::Content && same && self.name == "p" && !tag.end {
            return (true, false);
        }
        if same && tag.end && self.inner == 0 {
            return (true, true);
        }
        if same && counts {
            self.inner =
                if tag.end { self.inner - 1 } else { self.inner + usize::from(!tag.self_closing) };
            return (false, false);
        }
        let breaks = match self.ends {
            Ends::Itself | Ends::Content => false,
            Ends::Blocks => plain_text::is_block(&tag.name),
            Ends::Common => breaks_out(&tag.name),
        };
        (breaks, false)
    }
}

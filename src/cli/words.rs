//! Times and sizes as people take them in at a glance: the same in the terminal and on the pages.

pub(super) use crate::text::amounts::{ago, ahead, bytes, span};

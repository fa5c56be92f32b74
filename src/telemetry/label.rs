//! What tells the series of one metric apart.

/// One label.
pub(super) type Label = [(&'static str, String); 1];

/// One label. Its value is a slug or an id of ours: nothing that a publisher wrote.
pub(super) fn label(name: &'static str, value: &str) -> Label {
    [(name, value.to_owned())]
}

//! A parsed item to an `Item` that is safe to pass on.

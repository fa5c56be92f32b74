//! What becomes of a publisher's item, field by field, and of HTML that means no harm.

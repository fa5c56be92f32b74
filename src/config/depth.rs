//! Nested inline tables, which the TOML parser reads in quadratic time.

/// Maximum number of braces that are open at the same time on one line. An inline table is on one line, and the parser
/// accepts fewer levels.
const MAX_OPEN: usize = 200;

/// Byte offset of the brace that nests inline tables too deeply.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open = open.saturating_sub(1),
            b'\n' => open = 0,
            _ => {}
        }
        if open > MAX_OPEN {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_open_braces_on_one_line_are_too_deep() {
        let nested =
            |levels: usize| format!("a = 1\nx = {}1{}", "{a=".repeat(levels), "}".repeat(levels));
        assert_eq!(too_deep(&nested(MAX_OPEN)), None);
        assert_eq!(too_deep(&nested(MAX_OPEN + 1)), Some(10 + 3 * MAX_OPEN));
        assert_eq!(too_deep(&"x = {}\n{\n".repeat(10_000)), None);
    }
}

//! Converts the Markdown of `docs/` to a manual page: headings, paragraphs, lists and code blocks.

use clap_mangen::roff::{Inline, Roff, bold, roman};

/// A manual page. `head` is name, section, date and version.
pub(super) fn page(head: (&str, &str, &str, &str), what: &str, text: &str) -> String {
    let mut roff = Roff::new();
    let (name, section, date, version) = head;
    roff.control("TH", [name, section, date, version, "Newswire"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {what}"))]);
    roff.control("SH", ["DESCRIPTION"]);
    let mut headed = true;
    for block in text.split("\n\n").map(|block| block.trim_matches('\n')) {
        // The first paragraph after a heading needs no macro.
        if !headed && is_running(block) {
            roff.control("PP", [] as [&str; 0]);
        }
        put(&mut roff, block);
        headed = block.starts_with('#') || block.is_empty();
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("newswire(1), newswire.toml(5)")]);
    roff.to_roff()
}

fn put(roff: &mut Roff, block: &str) {
    const NONE: [&str; 0] = [];
    if let Some(heading) = block.strip_prefix("### ") {
        roff.control("SS", [heading]);
    } else if let Some(heading) = block.strip_prefix("## ") {
        roff.control("SH", [heading.to_uppercase().as_str()]);
    } else if block.starts_with("# ") || block.is_empty() {
        // The title is the name of the page.
    } else if block.starts_with("    ") {
        roff.control("RS", ["4"]);
        roff.control("nf", NONE);
        for line in block.lines() {
            roff.text([roman(line.strip_prefix("    ").unwrap_or(line))]);
        }
        roff.control("fi", NONE);
        roff.control("RE", NONE);
    } else if let Some(entries) = block.strip_prefix("- ") {
        for entry in entries.split("\n- ") {
            roff.control("IP", ["-", "2"]);
            roff.text(inlines(entry));
        }
    } else {
        roff.text(inlines(block));
    }
}

fn is_running(block: &str) -> bool {
    !block.is_empty() && !["#", "    ", "- "].iter().any(|start| block.starts_with(start))
}

/// Splits a line into plain text and text in bold, which is between backticks in the source.
fn inlines(text: &str) -> Vec<Inline> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = text.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 0 { roman(part) } else { bold(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_used_markdown_is_converted() {
        let text =
            "# Title\n\nOne `two`\nthree.\n\n## Part\n\n### a_b\n\n- x\n- y\n\n    code -f\n";
        let page = page(("n", "7", "2026-01-01", "newswire 1"), "what", text);
        for part in [".SH PART", ".SS a_b", "One \\fBtwo\\fR three.", ".IP", ".nf\ncode \\-f\n.fi"]
        {
            assert!(page.contains(part), "{part:?} is missing in\n{page}");
        }
    }
}

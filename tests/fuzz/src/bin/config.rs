//! A config: every fault has a place in it, and drawing them all never fails.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use newswire::config::{Style, read};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // What leads to files of this machine is not the fuzzer's to open.
    if ["file", "ca", "credential", "env"].iter().any(|key| text.contains(key)) {
        return;
    }
    let loaded = read(text.to_owned(), Path::new("newswire.toml"), Path::new("/nowhere"));
    assert_eq!(loaded.config.is_none(), loaded.report.errors() > 0);
    let _ = (loaded.report.draw(Style::Coloured), loaded.report.to_json());
    for fault in &loaded.report.diagnostics {
        if let Some(span) = &fault.span {
            assert!(span.start <= text.len() && text.is_char_boundary(span.start));
        }
    }
});

//! The walls of the house, as DESIGN has them: floors, doors, one crate one room, short rooms.
//!
//! Reads the sources as text, with comments and literals blanked out. Every wall is tried on a
//! planted fault first, which it must find.

use std::collections::HashSet;
use std::path::Path;

/// Every room and its floor; imports run downwards only, and rooms on one floor do not know each
/// other.
const ROOMS: &[(&str, u8)] = &[
    ("text", 0),
    ("model", 1),
    ("clock", 1),
    ("files", 1),
    ("telemetry", 1),
    ("schedule", 2),
    ("fetch", 2),
    ("parse", 2),
    ("normalise", 2),
    ("dedupe", 2),
    ("store", 2),
    ("render", 2),
    ("images", 2),
    ("opml", 2),
    ("health", 2),
    ("poll", 3),
    ("stories", 3),
    ("outputs", 3),
    ("web", 4),
    ("config", 5),
    ("daemon", 6),
    ("edit", 6),
    ("cli", 7),
    ("lib", 8),
    ("main", 8),
];

/// Outside crates, and the rooms that alone may know them.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("reqwest", &["fetch"]),
    ("hickory_resolver", &["fetch"]),
    ("rustls", &["fetch"]),
    ("rustls_platform_verifier", &["fetch"]),
    ("async_compression", &["fetch"]),
    ("httpdate", &["text"]),
    ("ipnet", &["fetch", "config", "cli", "web"]),
    ("feed_rs", &["parse"]),
    ("encoding_rs", &["parse", "opml"]),
    ("chardetng", &["parse"]),
    ("ring", &["text"]),
    ("base64", &["parse", "config"]),
    ("quick_xml", &["parse", "render", "opml"]),
    ("ammonia", &["normalise"]),
    ("html5ever", &["normalise", "parse"]),
    ("psl", &["model"]),
    ("uuid", &["dedupe", "render", "text"]),
    ("rusqlite", &["store"]),
    ("flate2", &["render"]),
    ("brotli", &["render"]),
    ("zstd", &["render"]),
    ("regex", &["model", "render", "outputs", "config"]),
    ("image", &["images"]),
    ("axum", &["web"]),
    ("askama", &["web"]),
    ("hyper", &["web", "fetch"]),
    ("hyper_util", &["web"]),
    ("toml", &["config"]),
    ("toml_edit", &["edit"]),
    ("annotate_snippets", &["config"]),
    ("anstyle", &["telemetry"]),
    ("strsim", &["config"]),
    ("prometheus_client", &["telemetry"]),
    ("rustix", &["clock", "store", "files", "telemetry", "web"]),
    ("sd_notify", &["daemon"]),
    ("listenfd", &["daemon"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["cli"]),
    ("crossterm", &["cli"]),
    ("unicode_width", &["cli"]),
    ("unicode_normalization", &["config", "dedupe", "store", "text"]),
    ("tracing_subscriber", &["telemetry"]),
];

/// What may be written in these rooms alone.
const WORDS: &[(&str, &[&str], &str)] = &[
    ("Timestamp::now(", &["clock"], "the time is read in clock"),
    ("Instant::now(", &["clock"], "the time is read in clock"),
    ("SystemTime::now(", &["clock"], "the time is read in clock"),
    ("Zoned::now(", &["clock"], "the time is read in clock"),
    ("println!(", &["cli", "main"], "only cli prints"),
    ("print!(", &["cli", "main"], "only cli prints"),
    ("stdout()", &["cli", "main"], "only cli prints"),
    ("process::exit(", &["cli", "main"], "only cli exits"),
];

/// Callbacks that are allowed in fields, type aliases and public signatures: how the occurrence
/// begins, the rooms that may have it, and why.
const CALLBACKS: &[(&str, &[&str], &str)] = &[
    ("dyn Resolver", &["fetch", "daemon", "cli"], "tests map host names to a local origin"),
    (
        "dyn Layer<",
        &["telemetry"],
        "the log sink is chosen at the start: terminal, JSON or journal",
    ),
    ("dyn Fn() -> Loaded", &["daemon"], "the config source: cli knows the files, a test has none"),
    ("dyn AsyncBufRead", &["fetch"], "the decoder of a body is chosen by its Content-Encoding"),
    ("dyn Error", &["fetch"], "std returns the causes of an error as trait objects"),
    ("dyn Any + Send", &["config"], "a value has the type that the parser of its key returns"),
    ("fn() -> Json", &["config"], "a format of the config is data; this is its schema"),
    ("fn(Written<'_>)", &["config"], "a format of the config is data; this is its parser"),
];

const NAMELESS: &[&str] = &["utils", "util", "common", "helpers", "helper", "types", "misc"];
const MAX_FILE: usize = 600;
const MAX_FUNCTION: usize = 60;

/// A file: its path below the package, and its text.
struct Source {
    path: String,
    text: String,
    /// Without comments and literals.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: blanked(text) }
    }

    /// The room it belongs to; `None` for tests.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        Some(inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs"))
    }

    /// `scan` of `src/parse/scan.rs`, if it is a child of a room.
    fn child(&self) -> Option<&str> {
        let (_, file) = self.path.strip_prefix("src/")?.split_once('/')?;
        Some(file.split('/').next().unwrap_or(file).trim_end_matches(".rs")).filter(|f| *f != "mod")
    }
}

/// The same text with every comment, string and character blanked out; lines stay where they are.
fn blanked(text: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(text.len()), text);
    let blank =
        |part: &str| part.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            closing(rest, '"')
        } else if first == '\''
            && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\''))
        {
            closing(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.push_str(&blank(&rest[..length]));
        rest = &rest[length..];
    }
    code
}

/// The length of a literal with its quotes.
fn closing(literal: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in literal.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    literal.len()
}

/// The first names behind `prefix`, those of a group in braces one by one.
fn named_after<'c>(code: &'c str, prefix: &str) -> Vec<&'c str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c)) {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let (mut depth, mut start) = (0_i32, 0);
        for (end, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    names.push(name(&group[start..end]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.push(name(&group[start..end]));
                    start = end + 1;
                }
                _ => {}
            }
        }
    }
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

fn name(text: &str) -> &str {
    let text = text.trim_start();
    &text[..text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())]
}

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(known, _)| *known == room).map(|(_, floor)| *floor)
}

/// Everything that breaks a wall.
fn faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let mut fault = |what: String| faults.push(format!("{}: {what}", source.path));
        let lines = source.text.lines().count();
        if lines > MAX_FILE {
            fault(format!("{lines} lines, more than {MAX_FILE}"));
        }
        if !source.text.starts_with("//!") {
            fault("does not begin by saying what it is for (//!)".to_owned());
        }
        if source.path.split(['/', '.']).any(|part| NAMELESS.contains(&part)) {
            fault("its name says nothing".to_owned());
        }
        functions(source, &mut fault);
        callbacks(source, &mut fault);
        let Some(room) = source.room() else { continue };
        match floor(room) {
            None => fault(format!("the room {room:?} is not in the plan")),
            Some(own) => imports(source, room, own, &mut fault),
        }
        doors(source, sources, &mut fault);
        for (word, rooms, why) in WORDS {
            if source.code.contains(word) && !rooms.contains(&room) {
                fault(format!("{word}…): {why}"));
            }
        }
    }
    faults
}

fn imports(source: &Source, room: &str, own: u8, fault: &mut impl FnMut(String)) {
    for other in named_after(&source.code, "crate::") {
        match floor(other) {
            _ if other == room => {}
            Some(floor) if floor < own => {}
            Some(floor) => fault(format!("imports {other} of floor {floor} into floor {own}")),
            None => fault(format!("imports crate::{other}, which is no room")),
        }
    }
    for (package, rooms) in OUTSIDE {
        if !rooms.contains(&room) && !named_after(&source.code, &format!("{package}::")).is_empty()
        {
            fault(format!("uses {package}, which belongs to {}", rooms.join(", ")));
        }
    }
}

/// A child knows its siblings, never its door. Modules of tests may look at everything.
fn doors(source: &Source, sources: &[Source], fault: &mut impl FnMut(String)) {
    let (Some(room), Some(child)) = (source.room(), source.child()) else { return };
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inside = |other: &&Source| other.path.starts_with(&format!("{folder}/"));
    let beside = |other: &Source| {
        let below = other.path[folder.len() + 1..].to_owned();
        below.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
    };
    let siblings: HashSet<String> = sources.iter().filter(inside).map(beside).collect();
    let doors = [format!("src/{room}/mod.rs"), format!("src/{room}.rs")];
    let door = sources.iter().find(|other| doors.contains(&other.path));
    let only_tests = format!("#[cfg(test)]\nmod {child};");
    if door.is_some_and(|door| door.text.contains(&only_tests)) {
        return;
    }
    let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
    let up = named_after(code, "super::");
    let here = folder.trim_start_matches("src/").replace('/', "::");
    let through = named_after(code, &format!("crate::{here}::"));
    for other in up.into_iter().chain(through) {
        if !siblings.contains(other) && other != "super" {
            fault(format!("{other} is taken from the door of {room}"));
        }
    }
}

/// Functions that are too long, and open ones with a `bool` whose meaning the call does not show.
fn functions(source: &Source, fault: &mut impl FnMut(String)) {
    for (at, _) in source.code.match_indices("fn ") {
        let before = &source.code[..at];
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &source.code[at..];
        let Some(open) = rest.find(['{', ';']).filter(|open| rest[*open..].starts_with('{')) else {
            continue;
        };
        let called = name(&rest[3..]);
        let end = matching(&rest[open..]).map_or(rest.len(), |length| open + length);
        let lines = rest[..end].lines().count();
        if lines > MAX_FUNCTION {
            fault(format!("{called} has {lines} lines, more than {MAX_FUNCTION}"));
        }
        let head = before.rsplit(['\n', ';', '}']).next().unwrap_or_default();
        if head.contains("pub")
            && rest[..open].split("->").next().unwrap_or_default().contains(": bool")
        {
            fault(format!("{called} takes a bool: an enum would name it"));
        }
    }
}

/// Trait objects and function pointers in fields, type aliases and public signatures: they carry
/// control upwards, past the floors.
fn callbacks(source: &Source, fault: &mut impl FnMut(String)) {
    let Some(room) = source.room() else { return };
    for (called, part) in declarations(&source.code) {
        for callback in callbacks_in(part) {
            let allowed = CALLBACKS.iter();
            let mut allowed = allowed.filter(|(_, rooms, _)| rooms.contains(&room));
            if !allowed.any(|(begins, ..)| callback.starts_with(begins)) {
                let shown = callback.split([',', ';', '\n', '{']).next().unwrap_or_default();
                fault(format!("{called} has a callback: {shown}"));
            }
        }
    }
}

/// The name and the text of every struct, enum, type alias and public signature.
fn declarations(code: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for keyword in ["struct ", "enum ", "type ", "fn "] {
        for (at, _) in code.match_indices(keyword) {
            let head = code[..at].rsplit(['\n', ';', '}']).next().unwrap_or_default();
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                || (keyword == "fn " && !head.contains("pub"))
            {
                continue;
            }
            let rest = &code[at..];
            let end = match (keyword, rest.find(['{', ';'])) {
                ("type ", _) => rest.find(';'),
                ("struct " | "enum ", Some(open)) if rest[open..].starts_with('{') => {
                    matching(&rest[open..]).map(|length| open + length)
                }
                (_, end) => end,
            };
            found.push((name(&rest[keyword.len()..]), &rest[..end.unwrap_or(rest.len())]));
        }
    }
    found
}

/// What begins with `dyn` or is a function pointer.
fn callbacks_in(part: &str) -> impl Iterator<Item = &str> {
    let words = ["dyn ", "fn("].into_iter().flat_map(|word| part.match_indices(word));
    let whole = |at: &usize| !part[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    words.map(|(at, _)| at).filter(whole).map(|at| part[at..].trim_start())
}

/// The length up to the brace that closes the first one.
fn matching(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn collect(folder: &Path, below: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, below, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(below).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source::new(&relative, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_rooms_are_built_as_planned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    collect(&root.join("src"), root, &mut sources);
    collect(&root.join("tests"), root, &mut sources);
    assert!(sources.len() > 80, "only {} files were found", sources.len());
    let faults = faults(&sources);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    for (begins, rooms, _) in CALLBACKS {
        let has = |source: &&Source| {
            let parts = declarations(&source.code).into_iter();
            parts.flat_map(|(_, part)| callbacks_in(part)).any(|found| found.starts_with(begins))
        };
        for room in *rooms {
            let mut inside = sources.iter().filter(|source| source.room() == Some(room));
            assert!(inside.any(|source| has(&source)), "{room} has no {begins} any more");
        }
    }
}

#[test]
fn every_rule_finds_a_planted_fault() {
    let long = format!("//! x\nfn long() {{\n{}}}\n", "    x();\n".repeat(60));
    let planted: &[(&str, &str, &str)] = &[
        (
            "src/fetch/x.rs",
            "//! x\nuse crate::parse::scan;",
            "imports parse of floor 2 into floor 2",
        ),
        ("src/model/x.rs", "//! x\nuse crate::{\n clock::Clock};", "imports clock of floor 1"),
        (
            "src/store/x.rs",
            "//! x\nfn a() { crate::poll::b() }",
            "imports poll of floor 3 into floor 2",
        ),
        ("src/store/x.rs", "//! x\nuse crate::attic;", "which is no room"),
        ("src/attic.rs", "//! x", "is not in the plan"),
        ("src/parse/x.rs", "//! x\nuse super::Input;", "Input is taken from the door of parse"),
        ("src/parse/x.rs", "//! x\nuse crate::parse::Input;", "Input is taken from the door"),
        ("src/web/x.rs", "//! x\nuse reqwest::Client;", "uses reqwest, which belongs to fetch"),
        ("src/poll.rs", "//! x\nuse rusqlite::{params};", "uses rusqlite"),
        ("src/poll.rs", "//! x\nfn a() { let t = Timestamp::now(); }", "the time is read in clock"),
        ("src/daemon.rs", "//! x\nfn a() { println!(\"x\"); }", "only cli prints"),
        ("src/daemon.rs", "//! x\nfn a() { std::process::exit(1); }", "only cli exits"),
        ("src/poll.rs", "use std::fmt;", "does not begin by saying"),
        ("src/store/utils.rs", "//! x", "its name says nothing"),
        ("src/poll.rs", &"//! x\n".repeat(601), "601 lines, more than 600"),
        ("src/poll.rs", &long, "long has 62 lines"),
        ("src/poll.rs", "//! x\npub fn a(b: u8, quick: bool) {}", "a takes a bool"),
        ("src/web/x.rs", "//! x\nstruct A {\n b: Arc<dyn B>,\n}", "A has a callback: dyn B>"),
        ("src/web/x.rs", "//! x\nstruct A(Box<dyn Fn(u8)>);", "A has a callback: dyn Fn(u8)>"),
        ("src/web/x.rs", "//! x\nstruct A { b: fn(u8) -> u8 }", "A has a callback: fn(u8) -> u8"),
        ("src/web/x.rs", "//! x\nenum A {\n B(Arc<dyn Fn()>),\n}", "A has a callback: dyn Fn()>"),
        ("src/web/x.rs", "//! x\ntype A =\n fn(u8, u8);", "A has a callback: fn(u8"),
        ("src/web/x.rs", "//! x\ntype A = Box<dyn FnOnce()>;", "A has a callback: dyn FnOnce()>"),
        ("src/web/x.rs", "//! x\npub fn a(b: &dyn B) {}", "a has a callback: dyn B)"),
        ("src/web/x.rs", "//! x\npub(crate) fn a() -> fn() {}", "a has a callback: fn()"),
        ("src/web/x.rs", "//! x\npub async fn a(\n b: Box<dyn Fn()>,\n) {}", "a has a callback"),
        ("src/web/x.rs", "//! x\nstruct A { r: Arc<dyn Resolver> }", "A has a callback"),
    ];
    for (path, text, expected) in planted {
        let found = faults(&[Source::new(path, text)]);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{path}: {text}\n{found:?}");
    }
}

#[test]
fn what_is_allowed_is_not_found_fault_with() {
    let sources = [
        Source::new(
            "src/parse/mod.rs",
            "//! x\nmod scan;\n#[cfg(test)]\nmod tests;\nuse crate::model::Feed;",
        ),
        Source::new(
            "src/parse/scan.rs",
            "//! x\nuse super::tree::Tree; // crate::poll\nfn a() -> bool {}",
        ),
        Source::new("src/parse/tree.rs", "//! x\nconst A: &str = \"println!(reqwest::x)\";"),
        Source::new("src/parse/tests.rs", "//! x\nuse super::*;"),
        Source::new(
            "src/cli/mod.rs",
            "//! x\nuse crate::{daemon, poll::{a, b}};\nfn a(b: bool) {}",
        ),
        Source::new(
            "src/fetch/mod.rs",
            "//! x\nstruct A { r: Arc<dyn Resolver>, dynamic: u8 } // dyn B\nfn a(b: fn()) {}\n\
             pub fn b(c: impl Fn(u8)) { let d: &dyn E = f; }",
        ),
    ];
    assert_eq!(faults(&sources), Vec::<String>::new());
}

//! `newswire config`: every effective value with its origin, and the schema.

use newswire::config::{self, KEYS, Section};
use serde_json::Value;

use super::{EXAMPLE, private};
use crate::cli::newswire;
use crate::support::empty_folder;

const CONFIG: &str = r#"version = 1
[schedule]
interval = "2h"
[fetch]
contact = "me@example.org"
authorization = { file = "secret" }
[fetch.headers]
X-Key = { env = "HOME" }
[web]
listen = "off"
[[output]]
id = "planet"
include = { tags = ["a"] }
[[server]]
host = "example.com"
per_host = 4
[[feed]]
url = "https://example.org/1"
id = "one"
interval = "10m"
timeout = "5s"
tags = ["a"]
[[feed]]
url = "https://www.example.com/2"
tags = ["a"]
[[feed]]
url = "https://www.reddit.com/r/rust/.rss"
tags = ["a"]
"#;

fn folder() -> tempfile::TempDir {
    let folder = empty_folder();
    std::fs::write(folder.path().join("newswire.toml"), CONFIG).unwrap();
    private(&folder.path().join("secret"), "ann:hunter2");
    folder
}

#[test]
fn every_value_in_force_is_shown_with_its_origin_and_no_secret() {
    let folder = folder();
    let line = |text: &str, start: &str, origin: &str| {
        let found = text
            .lines()
            .any(|line| line.starts_with(start) && line.ends_with(&format!("# {origin}")));
        assert!(found, "{start} # {origin} is missing in\n{text}");
    };
    let said = newswire(folder.path(), &["config"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let all = &said.out;
    line(all, "version = 1 ", "newswire.toml:1");
    line(all, "interval = \"2h\"", "newswire.toml:3");
    line(all, "min_interval = \"15m\"", "default");
    line(all, "authorization = \"***\"", "newswire.toml:6, file \"secret\"");
    line(all, "headers = { \"X-Key\" = \"***\" }", "newswire.toml:7, X-Key: env \"HOME\"");
    line(all, &format!("path = \"{}\"", "newswire.db"), "default");
    line(all, "include = { tags = [\"a\"] }", "newswire.toml:13");
    assert!(!all.contains("hunter2"), "{all}");
    let one = newswire(folder.path(), &["config", "one"]).out;
    line(&one, "interval = \"10m\"", "newswire.toml:20");
    line(&one, "min_interval = \"10m\"", "follows interval");
    line(&one, "timeout = \"5s\"", "newswire.toml:21");
    line(&one, "contact = ", "newswire.toml:5 [fetch]");
    line(&one, "authorization = \"***\"", "newswire.toml:6 [fetch], file \"secret\"");
    line(&one, "max_redirects = 5", "default");
    let two = newswire(folder.path(), &["config", "https://www.example.com/2"]).out;
    line(&two, "per_host = 4", "newswire.toml:16 [[server]]");
    line(&two, "interval = \"2h\"", "newswire.toml:3 [schedule]");
    let three = newswire(folder.path(), &["config", "https://www.reddit.com/r/rust/.rss"]).out;
    line(&three, "host_spacing = \"65s\"", "built-in for reddit.com");
    assert_eq!(newswire(folder.path(), &["config", "nobody"]).code, 64);
    let json = newswire(folder.path(), &["config", "--json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let of = |key: &str| {
        let is = |s: &&Value| s["key"] == key && s["table"] == "feed" && s["of"] == "one";
        json.as_array().unwrap().iter().find(is).unwrap().clone()
    };
    assert_eq!(
        (&of("interval")["origin"], &of("publisher_hints")["default"]),
        (&"newswire.toml:20".into(), &true.into())
    );
}

#[test]
fn an_invalid_config_is_reported_and_the_default_is_the_example() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("newswire.toml"), "[web]\nlisten = 1").unwrap();
    let said = newswire(folder.path(), &["config"]);
    assert!(said.code == 78 && said.out.is_empty() && said.err.contains("2:10"), "{}", said.err);
    assert_eq!(newswire(folder.path(), &["config", "default"]).out, EXAMPLE);
    let schema = newswire(folder.path(), &["schema"]).out;
    assert_eq!(schema, newswire(folder.path(), &["config", "schema"]).out);
    newswire(folder.path(), &["init", "new.toml"]);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("newswire.schema.json")).unwrap(),
        schema
    );
}

#[test]
fn every_key_of_the_definitions_is_complete_and_in_the_schema() {
    let schema = config::schema();
    for key in KEYS {
        let tables = &schema["properties"];
        let table = match key.section {
            Section::Top => &schema,
            Section::Rules => &tables["output"]["items"]["properties"]["include"],
            section => &tables[section.name()],
        };
        let table = if table["type"] == "array" { &table["items"] } else { table };
        let property = &table["properties"][key.name];
        let path = key.path();
        let about = &property["x-newswire"];
        assert_eq!(about["key"], path.as_str());
        for part in ["unit", "since", "example"] {
            assert!(!about[part].as_str().unwrap().is_empty(), "{path} has no {part}");
        }
        assert!(about["default"].is_string() && property["description"].is_string(), "{path}");
        assert_eq!(property["examples"].as_array().unwrap().len(), 1, "{path}: {}", key.example);
        for text in [key.doc, key.details].into_iter().filter(|text| !text.is_empty()) {
            assert!(text.ends_with(['.', ')']) && !text.starts_with(' '), "{path}: {text}");
        }
        assert!(!key.doc.is_empty() && !key.doc.contains(". "), "{path}: {}", key.doc);
        for section in key.inherited_by {
            let items = &tables[section.name()]["items"]["properties"];
            assert_eq!(items[key.name]["x-newswire"]["key"], path.as_str(), "{section:?}");
        }
    }
}

/// What a schema says against a value; as much of JSON Schema as the schema uses.
fn faults(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        _ => "integer",
    };
    if schema["type"].as_str().is_some_and(|wanted| wanted != kind) {
        found.push(format!("{at} is {kind}"));
        return;
    }
    let text = value.as_str().unwrap_or_default();
    if let Some(pattern) = schema["pattern"].as_str().filter(|_| value.is_string())
        && !regex::Regex::new(pattern).unwrap().is_match(text)
    {
        found.push(format!("{at} is {text:?}"));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        found.push(format!("{at} is {value}"));
    }
    let number = value.as_u64();
    let out = |limit: &str, wrong: fn(u64, u64) -> bool| {
        schema[limit].as_u64().zip(number).is_some_and(|(limit, number)| wrong(number, limit))
    };
    if value.is_i64() && number.is_none()
        || out("minimum", |n, l| n < l)
        || out("maximum", |n, l| n > l)
    {
        found.push(format!("{at} is {value}"));
    }
    if let Value::Object(object) = value {
        for (name, inner) in object {
            let at = format!("{at}.{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => found.push(format!("{at} is unknown")),
                (Value::Null, more) => faults(more, inner, &at, found),
                (known, _) => faults(known, inner, &at, found),
            }
        }
        let size = object.len() as u64;
        let wrong = schema["minProperties"].as_u64().is_some_and(|least| size < least)
            || schema["maxProperties"].as_u64().is_some_and(|most| size > most);
        let has = |name: &Value| object.contains_key(name.as_str().unwrap());
        let all = |schema: &Value| schema["required"].as_array().is_none_or(|r| r.iter().all(has));
        let one =
            schema["oneOf"].as_array().is_none_or(|any| any.iter().filter(|s| all(s)).count() == 1);
        if wrong || !all(schema) || !one {
            found.push(format!("{at} has too much or too little"));
        }
    }
    if let Value::Array(array) = value {
        if schema["minItems"].as_u64().is_some_and(|least| (array.len() as u64) < least) {
            found.push(format!("{at} is empty"));
        }
        for (n, inner) in array.iter().enumerate() {
            faults(&schema["items"], inner, &format!("{at}[{n}]"), found);
        }
    }
}

fn against_the_schema(text: &str) -> Vec<String> {
    let value: toml::Value = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (mut found, value) = (Vec::new(), serde_json::to_value(value).unwrap());
    faults(&config::schema(), &value, "", &mut found);
    found
}

#[test]
fn the_example_holds_against_the_schema_and_so_does_each_key_as_it_is_shown() {
    assert_eq!(against_the_schema(EXAMPLE), Vec::<String>::new());
    assert_eq!(against_the_schema(CONFIG), Vec::<String>::new());
    for key in KEYS {
        for value in [key.default, key.example].into_iter().filter(|value| !value.is_empty()) {
            let base = match key.section {
                Section::Output if key.name != "id" => "id = \"a\"\n",
                Section::Server if key.name != "host" => "host = \"a.b\"\n",
                Section::Feed if !matches!(key.name, "file" | "url") => "url = \"https://a.b/\"\n",
                Section::Subscriptions if !matches!(key.name, "file" | "url") => "file = \"a\"\n",
                _ => "",
            };
            let head = match key.section {
                Section::Top => String::new(),
                Section::Rules => "[[output]]\nid = \"a\"\n[output.include]\n".to_owned(),
                section if section.is_list() => format!("[[{}]]\n{base}", section.name()),
                section => format!("[{}]\n", section.name()),
            };
            let text = format!("{head}{} = {value}\n", key.name);
            assert_eq!(against_the_schema(&text), Vec::<String>::new(), "{text}");
        }
    }
}

#[test]
fn the_schema_is_as_strict_as_the_reader_for_single_values() {
    for text in [
        "[schedule]\nintervall = \"1h\"",
        "[schedule]\ninterval = 30",
        "[schedule]\ninterval = \"soon\"",
        "[schedule]\nmin_interval = \"auto\"",
        "[schedule]\nper_host = 17",
        "[fetch]\nmax_body = \"10\"",
        "[fetch]\nmax_body = \"0 MB\"",
        "[fetch]\nauthorization = \"x\"",
        "[fetch]\nauthorization = { file = \"a\", env = \"b\" }",
        "[fetch]\nheaders = { X = \"y\" }",
        "[fetch]\nallow_networks = [\"home\"]",
        "[fetch]\nproxy = \"http://me:x@a.b/\"",
        "[dedupe]\nupdates = \"sometimes\"",
        "[web]\nlisten = \"example.org:1\"",
        "[log]\nlevel = \"loud\"",
        "[[output]]\ntitle = \"a\"",
        "[[output]]\nid = \"A\"",
        "[[output]]\nid = \"a\"\nformats = []",
        "[[output]]\nid = \"a\"\ninclude = { tag = [] }",
        "[[feed]]\nurl = \"ftp://a.b/\"",
        "[[feed]]\nurl = \"https://a.b/\"\nconcurrency = 1",
        "[[subscriptions]]\nfile = \"a\"\nurl = \"https://a.b/\"",
        "[feed]\nurl = \"https://a.b/\"",
        "colour = 1",
    ] {
        assert!(!against_the_schema(text).is_empty(), "{text}");
        let report = super::read(text).report;
        assert!(report.errors() > 0, "{text}");
    }
    for text in ["1h 30m", "90 seconds", "1.5h", "2 days, 3 hours", "auto", "45s"] {
        assert!(
            against_the_schema(&format!("[schedule]\ninterval = \"{text}\"")).is_empty(),
            "{text}"
        );
        let report = super::read(&format!(
            "[schedule]\nmax_interval = \"9d\"\nmin_interval = \"5m\"\ninterval = \"{text}\""
        ))
        .report;
        assert!(!report.diagnostics.iter().any(|fault| fault.code == "bad_duration"), "{text}");
    }
}

/// Runs `newswire` with these environment variables.
fn with(
    folder: &std::path::Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).env_clear().env("HOME", folder).args(arguments);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_variable_replaces_a_value_and_is_its_origin() {
    let folder = folder();
    let variables = [
        ("NEWSWIRE_WEB_LISTEN", "127.0.0.1:1234"),
        ("NEWSWIRE_SCHEDULE_INTERVAL", "3h"),
        ("NEWSWIRE_SCHEDULE_PER_HOST", "2"),
        ("NEWSWIRE_LOG_LEVEL", "debug"),
        ("NEWSWIRE_STORE_PATH", "other.db"),
    ];
    let (code, out, err) = with(folder.path(), &variables, &["config"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for (line, variable) in [
        ("listen = \"127.0.0.1:1234\"", "NEWSWIRE_WEB_LISTEN"),
        ("interval = \"3h\"", "NEWSWIRE_SCHEDULE_INTERVAL"),
        ("per_host = 2", "NEWSWIRE_SCHEDULE_PER_HOST"),
        ("level = \"debug\"", "NEWSWIRE_LOG_LEVEL"),
        ("path = \"other.db\"", "NEWSWIRE_STORE_PATH"),
    ] {
        let is =
            |found: &&str| found.starts_with(line) && found.ends_with(&format!("# ${variable}"));
        assert!(out.lines().any(|line| is(&line)), "{line} # ${variable} is missing in\n{out}");
    }
    // A value of a feed is more specific, and what it inherits is the value of the variable.
    let (_, one, _) = with(folder.path(), &variables, &["config", "one"]);
    assert!(one.contains("interval = \"10m\""), "{one}");
    let (_, two, _) = with(folder.path(), &variables, &["config", "https://www.example.com/2"]);
    assert!(two.contains("# $NEWSWIRE_SCHEDULE_INTERVAL [schedule]"), "{two}");
    let (code, _, _) = with(folder.path(), &variables, &["check"]);
    assert_eq!(code, 0);
}

#[test]
fn a_misspelled_variable_is_a_warning() {
    let folder = folder();
    let variables =
        [("NEWSWIRE_WBE_LISTEN", "127.0.0.1:1234"), ("NEWSWIRE_PORT", "tcp://10.0.0.1:80")];
    let (code, out, err) = with(folder.path(), &variables, &["check"]);
    let said = format!("{out}{err}");
    assert_eq!(code, 0, "{said}");
    let warning =
        "warning[unknown_variable]: the environment variable NEWSWIRE_WBE_LISTEN has no effect";
    assert!(said.contains(warning), "{said}");
    assert!(said.contains("did you mean NEWSWIRE_WEB_LISTEN?"), "{said}");
    assert!(!said.contains("NEWSWIRE_PORT"), "{said}");
}

#[test]
fn an_error_in_a_variable_names_it() {
    let folder = folder();
    for (variable, value, says) in [
        ("NEWSWIRE_SCHEDULE_INTERVAL", "30x", "is not a duration"),
        ("NEWSWIRE_WEB_PUBLC_URL", "https://e.test/", "did you mean"),
        ("NEWSWIRE_SCHEDULE_PER_HOST", "many", "a whole number"),
        ("NEWSWIRE_LOG_LEVEL", "loud", "loud"),
    ] {
        let (code, out, _) = with(folder.path(), &[(variable, value)], &["check"]);
        assert_eq!(code, 78, "{variable}: {out}");
        assert!(
            out.contains(&format!("${variable}:2:")) && out.contains(says),
            "{variable}: {out}"
        );
    }
    let (code, _, _) = with(folder.path(), &[("NEWSWIRE_SOMETHING", "else")], &["check"]);
    assert_eq!(code, 0, "other variables are none of its business");
}

#[test]
fn only_what_is_not_a_default_is_shown_on_request() {
    let folder = folder();
    let (_, out, _) =
        with(folder.path(), &[("NEWSWIRE_LOG_LEVEL", "debug")], &["config", "--changed"]);
    assert!(!out.contains("# default") && !out.contains("[dedupe]"), "{out}");
    for part in ["interval = \"2h\"", "level = \"debug\"", "timeout = \"5s\"", "[[server]]"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let (_, one, _) = with(folder.path(), &[], &["config", "--changed", "one"]);
    assert!(one.starts_with("[[feed]]\n") && !one.contains("max_redirects"), "{one}");
}

#[test]
fn explain_names_the_variable_of_a_key() {
    let folder = folder();
    let said = newswire(folder.path(), &["explain", "web.listen"]).out;
    assert!(said.contains("NEWSWIRE_WEB_LISTEN"), "{said}");
}

//! Suggestions for names and values that people write, and errors without their consequences.

use newswire::config::{KEYS, Key, Section};

use super::{FEED, HEAD, OUTPUT, good, read};

/// The codes of a config, and the suggestion of the first diagnostic.
fn found(text: &str) -> (Vec<&'static str>, String) {
    let report = read(text).report;
    let first = report.diagnostics.iter().find_map(|diagnostic| diagnostic.suggestion.clone());
    (
        report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect(),
        first.unwrap_or_default(),
    )
}

fn assert_suggests(line: &str, code: &str, suggestion: &str) {
    let text = format!("{HEAD}{OUTPUT}{FEED}{line}\n");
    let (codes, suggested) = found(&text);
    assert!(codes.contains(&code), "{line}: {codes:?}");
    assert_eq!(suggested, suggestion, "{line}");
}

#[test]
fn numbers_without_unit_get_the_unit_that_suits_the_key() {
    for (line, meant) in [
        ("timeout = \"60\"", "60s"),
        ("timeout = \" 5 \"", "5s"),
        ("timeout = \"2.5\"", "2.5s"),
        ("timeout = \"30000\"", "30000ms"),
        ("host_spacing = \"2\"", "2s"),
        ("interval = \"30\"", "30m"),
        ("interval = \"3600\"", "3600s"),
        ("min_interval = \"15\"", "15m"),
        ("max_interval = \"24\"", "24h"),
        ("window = \"72\"", "72h"),
        ("timeout = 60", "\"60s\""),
        ("timeout = 1.5", "\"1.5s\""),
        ("interval = 30", "\"30m\""),
        ("host_spacing = 2", "\"2s\""),
    ] {
        let code = if line.ends_with('"') { "bad_duration" } else { "wrong_type" };
        assert_suggests(line, code, meant);
    }
    for (line, meant) in [("retention = \"400\"", "400d"), ("retention = 30", "\"30d\"")] {
        assert_eq!(found(&format!("{HEAD}{OUTPUT}{FEED}[store]\n{line}\n")).1, meant, "{line}");
    }
}

#[test]
fn other_spellings_of_durations_are_recognised() {
    for (text, meant) in [
        ("1h30", "1h30m"),
        ("30 minuts", "30 minutes"),
        ("10 secnds", "10 seconds"),
        ("1 month", "30d"),
        ("1y", "365d"),
        ("hourly", "1h"),
        ("daily", "1d"),
        ("every day", "1d"),
    ] {
        assert_suggests(&format!("timeout = \"{text}\""), "bad_duration", meant);
    }
    for text in ["soon", "0", "-5", "s", ""] {
        assert_suggests(&format!("timeout = \"{text}\""), "bad_duration", "");
    }
}

#[test]
fn other_spellings_of_sizes_are_recognised() {
    for (text, meant) in [
        ("10M", "10 MiB"),
        ("10m", "10 MiB"),
        ("10 M", "10 MiB"),
        ("10Mi", "10 MiB"),
        ("512K", "512 KiB"),
        ("512k", "512 KiB"),
        ("1G", "1 GiB"),
        ("1T", "1024 GiB"),
        ("10", "10 MiB"),
        ("10485760", "10 MiB"),
        ("1048577", "1048577 B"),
        ("5000000", "5 MB"),
        ("10 megabytes", "10 MB"),
        ("10 Mbytes", "10 MB"),
        ("10 mebibytes", "10 MiB"),
        ("10 Mo", "10 MB"),
        ("1.5 MB", "1500 kB"),
        ("1,5 MiB", "1536 KiB"),
        ("1_000 kB", "1000 kB"),
        ("2048 bytes", "2048 B"),
        ("10 MBs", "10 MB"),
    ] {
        assert_suggests(&format!("max_body = \"{text}\""), "bad_size", meant);
    }
    assert_suggests("max_body = 10485760", "wrong_type", "\"10 MiB\"");
    assert_suggests("max_body = 10", "wrong_type", "\"10 MiB\"");
    for text in ["unlimited", "0", "", "ten MiB"] {
        assert_suggests(&format!("max_body = \"{text}\""), "bad_size", "");
    }
}

#[test]
fn a_suggested_value_is_always_valid() {
    for (key, texts) in [
        ("timeout", ["60", "1h30", "2 weks", "1 month", "hourly"]),
        ("max_body", ["10M", "1.5 MB", "10485760", "10 Mo", "1T"]),
    ] {
        for text in texts {
            let line = |text: &str| format!("{HEAD}{OUTPUT}{FEED}{key} = \"{text}\"\n");
            let (_, meant) = found(&line(text));
            assert!(!meant.is_empty() && read(&line(&meant)).config.is_some(), "{text}: {meant}");
        }
    }
}

#[test]
fn addresses_without_host_and_localhost_are_accepted() {
    let listen = |text: &str| {
        let config = good(&format!("{HEAD}[web]\nlisten = \"{text}\"\n"));
        config.web.listen.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(listen(":8420"), ["[::]:8420"]);
    assert_eq!(listen("localhost:8420"), ["localhost:8420"]);
    assert_eq!(listen("[::1]:8420"), ["[::1]:8420"]);
    assert_eq!(listen("unix:/run/n/web.sock|660"), ["unix:/run/n/web.sock"]);
    assert!(listen("off").is_empty());
}

#[test]
fn several_addresses_are_a_list() {
    let listen = |list: &str| good(&format!("{HEAD}[web]\nlisten = {list}\n")).web.listen;
    let spelled = |list: &str| listen(list).iter().map(ToString::to_string).collect::<Vec<_>>();
    let both = "[\"127.0.0.1:8420\", \"unix:/run/n/web.sock\"]";
    assert_eq!(spelled(both), ["127.0.0.1:8420", "unix:/run/n/web.sock"]);
    assert!(listen("[]").is_empty());
    // `[::]` includes `0.0.0.0`: the second one could not be bound.
    let all = "[\"0.0.0.0:80\", \"[::]:80\", \"0.0.0.0:81\", \"[::]:80\"]";
    assert_eq!(spelled(all), ["[::]:80", "0.0.0.0:81"]);
    let (codes, meant) =
        found(&format!("{HEAD}{OUTPUT}{FEED}[web]\nlisten = [\"127.0.0.1:1\", \"off\"]\n"));
    assert_eq!((codes.as_slice(), meant.as_str()), (["bad_address"].as_slice(), ""));
}

#[test]
fn other_spellings_of_addresses_are_recognised() {
    for (value, meant) in [
        ("\"8420\"", "127.0.0.1:8420"),
        ("8420", "\"127.0.0.1:8420\""),
        ("\"127.0.0.1\"", "127.0.0.1:8420"),
        ("\"0.0.0.0\"", "0.0.0.0:8420"),
        ("\"::1\"", "[::1]:8420"),
        ("\"::1:8420\"", "[::1]:8420"),
        ("\"localhost\"", "localhost:8420"),
        ("\"*:8420\"", ":8420"),
        ("\"http://127.0.0.1:8420/\"", "127.0.0.1:8420"),
        ("\"none\"", "off"),
        ("false", "\"off\""),
        ("\"/run/n/web.sock\"", "unix:/run/n/web.sock"),
        ("\"unix:web.sock\"", ""),
        ("\"example.org:8420\"", ""),
        ("\":99999\"", ""),
    ] {
        let (codes, suggested) = found(&format!("{HEAD}[web]\nlisten = {value}\n"));
        assert!(
            codes.contains(&"bad_address") || codes.contains(&"wrong_type"),
            "{value}: {codes:?}"
        );
        assert_eq!(suggested, meant, "{value}");
    }
}

#[test]
fn typographic_quotes_are_named_and_replaced() {
    for (line, meant) in [
        ("title = “Blog”", "\"Blog\""),
        ("title = „Blog“", "\"Blog\""),
        ("title = ‘Blog’", "'Blog'"),
        ("title = «Blog»", "\"Blog\""),
        ("title = “Blog” # a comment", "\"Blog\""),
        ("title =\u{a0}\"Blog\"", "\"Blog\""),
        ("tags = [“rust”, “linux”]", "[\"rust\", \"linux\"]"),
        ("“title” = “Blog”", "\"title\" = \"Blog\""),
    ] {
        let report = read(&format!("{HEAD}{OUTPUT}{FEED}{line}\n")).report;
        let [error] = report.diagnostics.as_slice() else { panic!("{line}: {report:?}") };
        assert_eq!(error.code, "syntax", "{line}");
        assert!(error.message.contains("typographic"), "{}", error.message);
        assert_eq!(error.suggestion.as_deref(), Some(meant), "{line}");
        // The suggestion replaces what the error points at.
        let fixed = line.replace(&line[line.find(|c: char| !c.is_ascii()).unwrap()..], "");
        assert!(report.position(error.span.clone().unwrap().start).1 <= fixed.len() + 9);
    }
    assert!(read(&format!("{HEAD}{OUTPUT}{FEED}title = \"“Blog”\"\n")).report.is_empty());
    let text = "می\u{200c}خواهم 👩\u{200d}🔬";
    let report = read(&format!("{HEAD}{OUTPUT}{FEED}title = “{text}”\n")).report;
    let quoted = format!("\"{text}\"");
    assert_eq!(report.diagnostics[0].suggestion.as_deref(), Some(quoted.as_str()));
    for line in ["title = \u{200b}\"Blog\"", "title = \"Blog\"\u{200e}"] {
        let report = read(&format!("{HEAD}{OUTPUT}{FEED}{line}\n")).report;
        let [error] = report.diagnostics.as_slice() else { panic!("{line}: {report:?}") };
        assert!(error.message.contains("is not visible"), "{}", error.message);
        assert_eq!(error.suggestion.as_deref(), Some("\"Blog\""), "{line}");
    }
}

#[test]
fn names_of_other_programs_lead_to_the_right_key() {
    for (section, name, key) in [
        ("[web]", "port", "listen"),
        ("[web]", "bind", "listen"),
        ("[web]", "address", "listen"),
        ("[web]", "base_url", "public_url"),
        ("[schedule]", "frequency", "interval"),
        ("[schedule]", "every", "interval"),
        ("[fetch]", "max_size", "max_body"),
        ("[fetch]", "email", "contact"),
        ("[fetch]", "ua", "user_agent"),
        ("[store]", "file", "path"),
        ("[store]", "database", "path"),
        ("[store]", "keep", "retention"),
        ("[log]", "verbosity", "level"),
        ("[[feed]]\nurl = \"https://a.b/\"", "name", "title"),
        ("[[feed]]", "link", "url"),
        ("[[feed]]", "href", "url"),
        ("[[output]]\nid = \"a\"", "name", "title"),
        ("[[output]]\ntitle = \"a\"", "name", "id"),
        ("[[output]]\nid = \"a\"", "limit", "items"),
        ("[[output]]\nid = \"a\"", "folder", "directory"),
        ("[[subscriptions]]", "path", "file"),
        ("[[server]]", "domain", "host"),
    ] {
        let (codes, suggested) = found(&format!("version = 1\n{section}\n{name} = \"x\"\n"));
        assert_eq!(suggested, key, "{section} {name}");
        assert!(!codes.contains(&"missing_key"), "{section} {name}: {codes:?}");
    }
    let report = read(&format!("{HEAD}[[output]]\nname = \"x\"\n")).report;
    assert!(
        report.diagnostics.iter().any(|d| d.label.contains("\"id\" or \"title\"")),
        "{report:?}"
    );
    let report = read(&format!("{HEAD}[web]\nport = 8420\n")).report;
    assert!(
        report.diagnostics.iter().any(|d| d
            .help
            .as_ref()
            .unwrap()
            .contains("= \"127.0.0.1:8420\"")),
        "{report:?}"
    );
}

#[test]
fn names_of_other_programs_lead_to_the_right_section() {
    for (header, section) in [
        ("[database]", "store"),
        ("[db]", "store"),
        ("[storage]", "store"),
        ("[logging]", "log"),
        ("[http]", "web"),
        ("[polling]", "schedule"),
        ("[requests]", "fetch"),
        ("[deduplication]", "dedupe"),
        ("[[outputs]]", "output"),
        ("[[planet]]", "output"),
        ("[[source]]", "feed"),
        ("[[feeds]]", "feed"),
        ("[[subscription]]", "subscriptions"),
        ("[[opml]]", "subscriptions"),
    ] {
        let (codes, suggested) = found(&format!("{HEAD}{header}\nx = 1\n"));
        assert!(codes.contains(&"unknown_section"), "{header}: {codes:?}");
        assert_eq!(suggested, section, "{header}");
    }
    let report = read(&format!("{HEAD}[server]\nlisten = \"off\"\n")).report;
    let error = report.diagnostics.iter().find(|found| found.code == "wrong_type");
    assert_eq!(error.unwrap().label, "did you mean [web]?");
}

#[test]
fn no_alias_is_also_a_key_of_its_section() {
    let clash = |key: &Key, alias: &str| {
        let mut keys = key.section.accepted();
        keys.find(|other| other.name == alias).map(|other| other.path())
    };
    for key in KEYS {
        for alias in key.aliases {
            assert_eq!(clash(key, alias), None, "{}: {alias}", key.path());
        }
    }
    assert!(Section::all().count() > 10);
}

#[test]
fn a_misspelled_name_is_not_suggested_twice() {
    // The right key is there already.
    let (codes, suggested) = found(&format!("{HEAD}{OUTPUT}{FEED}tag = [\"a\"]\ntags = [\"a\"]\n"));
    assert_eq!((codes, suggested.as_str()), (vec!["unknown_key"], ""));
    // The right tag is in the list already.
    let text = format!(
        "{HEAD}{OUTPUT}include = {{ tags = [\"rust\", \"rsut\"] }}\n{FEED}tags = [\"rust\"]\n"
    );
    let report = read(&text).report;
    let [error] = report.diagnostics.as_slice() else { panic!("{report:?}") };
    assert_eq!((error.code, error.suggestion.as_deref()), ("no_such_feed", None));
    assert!(error.help.as_ref().unwrap().contains("already"), "{error:?}");
    // The misspelled tag of the output is not suggested to the feed with the right one.
    let other = "[[feed]]\nurl = \"https://a.b/\"\ntags = [\"linux\"]\n";
    let text = format!(
        "{HEAD}{OUTPUT}include = {{ tags = [\"rust\", \"linx\"] }}\n{FEED}tags = [\"rust\"]\n{other}"
    );
    assert_eq!(found(&text), (vec!["no_such_feed"], "linux".to_owned()));
}

#[test]
fn consequences_of_an_error_are_not_reported() {
    let include = "include = { tags = [\"rust\"] }\n";
    for (text, code) in [
        (format!("{HEAD}{OUTPUT}{include}{FEED}tag = [\"rust\"]\n"), "unknown_key"),
        (format!("{HEAD}{OUTPUT}{include}{FEED}tags = \"rust\"\n"), "wrong_type"),
        (format!("{HEAD}{OUTPUT}{include}[[feeds]]\nurl = \"https://a.b/\"\n"), "unknown_section"),
        (
            format!("{HEAD}{OUTPUT}{include}[[feed]]\nulr = \"https://a.b/\"\ntags = [\"rust\"]\n"),
            "unknown_key",
        ),
        (format!("{HEAD}{OUTPUT}{include}[[feed]]\nurl = \"a.b\"\ntags = [\"rust\"]\n"), "bad_url"),
        (format!("{HEAD}{OUTPUT}include = {{ tag = [\"rust\"] }}\n{FEED}"), "unknown_key"),
        (format!("{HEAD}[[ouput]]\nid = \"planet\"\n{FEED}"), "unknown_section"),
        (format!("{HEAD}[output]\nid = \"planet\"\n{FEED}"), "wrong_type"),
        (format!("{HEAD}[[output]]\nname = \"planet\"\n{FEED}"), "unknown_key"),
        (format!("verison = 1\nfetch.contact = \"me@example.org\"\n{OUTPUT}{FEED}"), "unknown_key"),
        (format!("version = 1\nfetch.conact = \"me@example.org\"\n{OUTPUT}{FEED}"), "unknown_key"),
        (
            format!("version = 1\n[fetsch]\ncontact = \"me@example.org\"\n{OUTPUT}{FEED}"),
            "unknown_section",
        ),
        (
            format!("{HEAD}{OUTPUT}{FEED}[web]\nlisten = \":80\"\npublic_uri = \"https://a.b/\"\n"),
            "unknown_key",
        ),
        (format!("{HEAD}{OUTPUT}{FEED}[web]\nlisten = \":80\"\npublic_url = \"a.b\"\n"), "bad_url"),
        (
            format!("{HEAD}{OUTPUT}{FEED}intervall = \"30m\"\nmin_interval = \"2h\"\n"),
            "unknown_key",
        ),
        (format!("{HEAD}{OUTPUT}{include}[[subscriptions]]\nfile = \"/no/such\"\n"), "bad_list"),
    ] {
        assert_eq!(found(&text).0, [code], "{text}");
    }
}

#[test]
fn zero_host_spacing_is_accepted_for_own_servers_only() {
    let own = "allow_networks = [\"10.0.0.0/8\", \"127.0.0.0/8\"]\n";
    let feed = |url: &str, more: &str| format!("[[feed]]\nurl = \"{url}\"\n{own}{more}");
    let zero = "host_spacing = \"0s\"\n";
    let server = format!("[[server]]\nhost = \"example.com\"\n{zero}");
    for text in [
        format!("[schedule]\n{zero}{}", feed("http://127.0.0.1:8080/f", "")),
        format!("[schedule]\n{zero}{}", feed("http://10.0.0.7/f", "")),
        format!("[schedule]\n{zero}{}", feed("http://localhost/f", "")),
        format!("[schedule]\n{zero}{}", feed("http://nas.home.arpa/f", "")),
        feed("http://127.0.0.1/f", zero),
        format!("{server}{}", feed("https://blog.example.com/f", "")),
        format!("[[server]]\nhost = \"example.com\"\n{}", feed("https://example.com/f", zero)),
    ] {
        let config = good(&format!("{HEAD}{OUTPUT}{text}"));
        assert!(config.subscriptions[0].schedule.host_spacing.is_zero(), "{text}");
    }
    for text in [
        format!("[schedule]\n{zero}"),
        format!("[schedule]\n{zero}{}", feed("https://example.org/f", "")),
        format!(
            "[schedule]\n{zero}{}{}",
            feed("http://127.0.0.1/f", ""),
            feed("https://example.org/f", "")
        ),
        feed("https://example.org/f", zero),
        format!("{server}{}", feed("https://example.org/f", zero)),
    ] {
        let report = read(&format!("{HEAD}{OUTPUT}{text}")).report;
        let codes = report.diagnostics.iter().filter(|d| d.code == "zero_host_spacing");
        assert_eq!(codes.count(), 1, "{text}: {report:?}");
    }
}

#[test]
fn a_suggestion_never_means_the_opposite() {
    for line in ["enabled = true", "active = true", "enabled = false", "enable = true"] {
        let (codes, suggested) = found(&format!("{HEAD}{OUTPUT}{FEED}{line}\n"));
        assert_eq!((codes, suggested.as_str()), (vec!["unknown_key"], ""), "{line}");
    }
    for (section, line, help) in [
        ("", "isActive = true", "remove it: what is not paused is polled"),
        ("", "is_active = false", "write paused = true"),
        ("[dedupe]\n", "enabled = false", "write across_feeds = \"off\""),
        ("[web]\n", "enabled = false", "write listen = \"off\""),
    ] {
        let report = read(&format!("{HEAD}{OUTPUT}{FEED}{section}{line}\n")).report;
        let [error] = &report.diagnostics[..] else { panic!("{line}: {report:?}") };
        assert_eq!((error.help.as_deref(), &error.suggestion), (Some(help), &None), "{line}");
    }
    assert_suggests("disabled = true", "unknown_key", "paused");
    assert_suggests("paused = 1", "wrong_type", "true");
    assert_suggests("paused = 0", "wrong_type", "false");
    for (section, line) in
        [("[[output]]\nid = \"b\"\n", "digest = true"), ("[log]\n", "level = true")]
    {
        assert_eq!(found(&format!("{HEAD}{OUTPUT}{FEED}{section}{line}\n")).1, "", "{line}");
    }
}

#[test]
fn a_suggested_value_is_within_the_limits_of_its_key() {
    for (line, code, meant) in [
        ("interval = 1", "wrong_type", "\"1h\""),
        ("interval = \"1\"", "bad_duration", "1h"),
        ("interval = \"3,600\"", "bad_duration", "3600s"),
        ("window = \"1.5d\"", "bad_duration", "36h"),
        ("window = \"1 year\"", "bad_duration", ""),
        ("max_body = \"10 PB\"", "bad_size", ""),
        ("max_body = \"1,000 kB\"", "bad_size", "1000 kB"),
        ("max_body = \"1MiB 512KiB\"", "bad_size", ""),
    ] {
        assert_suggests(line, code, meant);
    }
    for value in ["-1", "80.5", "70000"] {
        let text = format!("{HEAD}{OUTPUT}{FEED}[web]\nlisten = {value}\n");
        assert_eq!(found(&text).1, "", "{value}");
    }
}

#[test]
fn keys_are_recognised_in_other_ways_of_writing_names() {
    for (line, meant) in [
        ("feedUrl = \"https://b.example/\"", ""),
        ("pollInterval = \"1h\"", "interval"),
        ("updateFrequency = \"1h\"", "interval"),
        ("user-agent = \"x\"", "user_agent"),
        ("category_id = [\"x\"]", "tags"),
    ] {
        let (codes, suggested) = found(&format!("{HEAD}{OUTPUT}{FEED}{line}\n"));
        assert_eq!((codes, suggested.as_str()), (vec!["unknown_key"], meant), "{line}");
    }
    let output = format!("{HEAD}[[output]]\nid = \"a\"\nmax_stories = 5\n{FEED}");
    assert_eq!(found(&output).1, "items");
    let web = format!("{HEAD}{OUTPUT}{FEED}[web]\nbaseUrl = \"https://a.example/\"\n");
    assert_eq!(found(&web).1, "public_url");
}

#[test]
fn a_general_name_refers_to_no_other_section() {
    for line in ["file = \"/var/log/newswire.log\"", "path = \"/var/log\"", "url = \"x\""] {
        let report = read(&format!("{HEAD}{OUTPUT}{FEED}[log]\n{line}\n")).report;
        let [error] = &report.diagnostics[..] else { panic!("{line}: {:?}", report.diagnostics) };
        assert_eq!((error.code, &error.suggestion, &*error.label), ("unknown_key", &None, ""));
        assert!(error.help.as_deref().is_some_and(|help| help.starts_with("[log] can contain")));
    }
}

#[test]
fn a_key_at_the_top_belongs_in_its_section() {
    for line in ["listen = \":8420\"", "metrics = \"127.0.0.1:9100\"", "hosts = [\"a.example\"]"] {
        let text =
            format!("version = 1\n{line}\n[fetch]\ncontact = \"a@example.org\"\n{OUTPUT}{FEED}");
        let report = read(&text).report;
        let [error] = &report.diagnostics[..] else { panic!("{line}: {:?}", report.diagnostics) };
        assert_eq!((&*error.label, &error.suggestion), ("it belongs in [web]", &None), "{line}");
    }
}

#[test]
fn a_mistake_of_the_syntax_has_one_error_that_names_it() {
    for (text, message) in [
        (format!("{HEAD}{OUTPUT}{FEED}per_host == 2\n"), ""),
        (format!("{HEAD}{OUTPUT}{FEED}title == \"x\"\n"), ""),
        (
            format!(
                "{HEAD}{OUTPUT}[feed]\nurl = \"https://a.example/\"\n[feed]\nurl = \"https://b.example/\"\n"
            ),
            "[feed] is there twice: it is a list of sections",
        ),
        (
            format!("{HEAD}{OUTPUT}{FEED}[web]\nlisten = \"off\"\n[web]\nlisten = \":1\"\n"),
            "[web] is there twice",
        ),
        (
            format!("{HEAD}{OUTPUT}{FEED}tags = [\"a\"]\ntags = [\"b\"]\n"),
            "tags is set twice in one section",
        ),
        (format!("{HEAD}{OUTPUT}{FEED}[web]\nhosts = [\"a.example]\n"), ""),
    ] {
        let report = read(&text).report;
        let [error] = &report.diagnostics[..] else { panic!("{text}: {:?}", report.diagnostics) };
        assert_eq!(error.code, "syntax", "{text}");
        assert!(error.message.starts_with(message), "{text}: {}", error.message);
    }
}

#[test]
fn an_unknown_condition_is_the_only_error_of_its_table() {
    for conditions in ["{ any = [\"a\"] }", "{ outputs = [\"a\"] }", "{ not = \"x\" }"] {
        let (codes, _) = found(&format!("{HEAD}{OUTPUT}include = {conditions}\n{FEED}"));
        assert_eq!(codes, ["unknown_key"], "{conditions}");
    }
    let misplaced = format!("[fetch]\nversion = 1\ncontact = \"a@example.org\"\n{OUTPUT}{FEED}");
    assert_eq!(found(&misplaced).0, ["unknown_key"]);
    let named = format!(
        "{HEAD}{OUTPUT}include = {{ feeds = [\"b\"] }}\n[[feed]]\nname = \"b\"\nurl = \"https://b.example/\"\n"
    );
    assert_eq!(found(&named).0, ["unknown_key"]);
}

#[test]
fn paths_with_what_a_shell_replaces_and_urls_are_errors() {
    for path in ["~/www", "~", "~bob/www", "$HOME/www", "/srv/${NAME}", "https://a.b/www"] {
        let (codes, _) = found(&format!("{HEAD}{OUTPUT}directory = \"{path}\"\n{FEED}"));
        assert_eq!(codes, ["bad_path"], "{path}");
    }
}

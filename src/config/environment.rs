//! Config keys in environment variables: `NEWSWIRE_WEB_LISTEN` is `listen` in `[web]`.
//!
//! Each variable becomes a file of the config with one key, which replaces the value of the other files. So values,
//! errors and origins are treated as those of files are; the path of such a file is `$NEWSWIRE_WEB_LISTEN`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::definition::{Key, Kind, Section};
use super::diagnostic::Diagnostic;
use super::files::FileText;
use super::keys::{KEYS, SECTIONS};
use super::section::quoted;
use super::suggest::is_general;

const PREFIX: &str = "NEWSWIRE_";

impl Key {
    /// The environment variable that sets the key; `None`: it takes a table or a secret, or belongs to a section
    /// that occurs several times.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let is_single =
            !self.section.is_list() && !matches!(self.section, Section::Top | Section::Rules);
        (is_single && self.kind.is_scalar())
            .then(|| format!("{PREFIX}{}_{}", self.section.name(), self.name).to_uppercase())
    }
}

impl Kind {
    /// Whether an environment variable can have a value: it has no tables, and its texts have no comma.
    fn is_scalar(self) -> bool {
        !matches!(
            self,
            Self::Choices(_) | Self::Replacements | Self::Secret | Self::Secrets | Self::Rules
        )
    }

    /// Whether the variable has a list, with commas between the texts.
    fn is_listed(self, value: &str) -> bool {
        self.is_list() || matches!(self, Self::Listen) && value.contains(',')
    }
}

/// Whether a file of the config is an environment variable.
pub(super) fn is_variable(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().starts_with(b"$NEWSWIRE_")
}

/// The variables that set keys, or that name a section and a key that does not exist, as files. Behind them those that
/// set nothing, but that a person probably means to set a key, with the reason and what to do.
pub(super) fn files(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(PathBuf, FileText)> {
    let file = |(name, value): (OsString, OsString)| {
        let (name, value) = (name.to_str()?, value.to_string_lossy());
        let rest = name.strip_prefix(PREFIX)?;
        if is_of_kubernetes(rest, &value) {
            return None;
        }
        let text = match text(rest, &value) {
            Some(text) if !value.contains('\u{fffd}') => (text, None),
            Some(_) => {
                let message = format!("the value of {name} is not UTF-8");
                let error = Diagnostic::error("not_utf8", 0..0, message);
                (String::new(), Some(error.help("write it in UTF-8")))
            }
            None => (String::new(), Some(no_effect(name, rest)?)),
        };
        Some((PathBuf::from(format!("${name}")), text))
    };
    let mut files: Vec<(PathBuf, FileText)> = variables.into_iter().filter_map(file).collect();
    files.sort_by_cached_key(|(path, (_, mistaken))| (mistaken.is_some(), path.clone()));
    files
}

/// Whether Kubernetes sets the variable in each container, for a service whose name begins with "newswire".
fn is_of_kubernetes(rest: &str, value: &str) -> bool {
    // The service may have no other name: NEWSWIRE_PORT.
    let name = format!("_{rest}");
    let is_port = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_protocol = |part: &str| ["TCP", "UDP", "SCTP"].iter().any(|it| part.starts_with(it));
    let port = name.rsplit_once("_PORT_").and_then(|(_, after)| after.split_once('_'));
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("SERVICE_PORT_")
        || name.ends_with("_PORT") && value.contains("://")
        || port.is_some_and(|(port, protocol)| is_port(port) && is_protocol(protocol))
}

/// The warning about the variable `name`, which is `NEWSWIRE_` + `rest`; `None`: it is probably one of another program.
fn no_effect(name: &str, rest: &str) -> Option<Diagnostic> {
    let lower = rest.to_lowercase();
    let within = |section: &str| lower.strip_prefix(section)?.strip_prefix('_');
    let without_variable = Section::tables().find_map(|section| {
        let key = section.key(within(section.name())?)?;
        Some(format!("write {} in {}: it has no variable", key.name, section.heading()))
    });
    let help = without_variable.or_else(|| {
        let meant = of_other_name(&lower).or_else(|| {
            // A short word such as PORT is similar to nothing.
            let name = name.to_lowercase();
            let is_near = |known: &String| strsim::osa_distance(&name, &known.to_lowercase()) <= 2;
            KEYS.iter().filter_map(Key::variable).find(is_near)
        });
        match lower.as_str() {
            "config" | "config_file" => Some("name the file with --config".to_owned()),
            _ => meant.map(|meant| format!("did you mean {meant}?")),
        }
    })?;
    let message = format!("the environment variable {name} has no effect");
    Some(Diagnostic::warning("unknown_variable", 0..0, message).help(help))
}

/// The variable of a key that other programs name so, with or without a section: `LISTEN`, `DATABASE_PATH`.
fn of_other_name(name: &str) -> Option<String> {
    let is_called = |key: &&Key, name: &str| key.name == name || key.aliases.contains(&name);
    let with_section = SECTIONS.iter().find_map(|known| {
        let mut names = known.aliases.iter().chain([&known.name]);
        let key = names.find_map(|section| name.strip_prefix(section)?.strip_prefix('_'))?;
        known.section.keys().find(|it| is_called(it, key))?.variable()
    });
    // A name alone is one of the web server or the log, which containers set; others are too general.
    let alone = || {
        let mut known = [Section::Web, Section::Log].into_iter().flat_map(Section::keys);
        let first = known.find(|key| is_called(key, name));
        let exact = || KEYS.iter().find(|key| key.name == name);
        first.or_else(exact).filter(|_| !is_general(name))?.variable()
    };
    match name {
        "log" => Some("NEWSWIRE_LOG_LEVEL".to_owned()),
        "db" | "database" => Some("NEWSWIRE_STORE_PATH".to_owned()),
        _ => with_section.or_else(alone),
    }
}

/// The text of the file for the variable `NEWSWIRE_` + `name`.
fn text(name: &str, value: &str) -> Option<String> {
    let name = name.to_lowercase();
    let sections = Section::tables().filter(|section| !section.is_list());
    let (section, key) = sections
        .filter_map(|section| {
            Some((section, name.strip_prefix(section.name())?.strip_prefix('_')?))
        })
        .next()?;
    let kind = section.key(key).map(|key| key.kind);
    if kind.is_some_and(|kind| kind.is_listed(value)) {
        let texts: Vec<String> =
            value.split(',').map(str::trim).filter(|text| !text.is_empty()).map(quoted).collect();
        return Some(format!("[{}]\n{key} = [{}]\n", section.name(), texts.join(", ")));
    }
    if kind.is_some_and(|kind| !kind.is_scalar()) {
        return None;
    }
    let value = match (kind, value.trim().parse::<i64>()) {
        (Some(Kind::Number { .. }), Ok(number)) => number.to_string(),
        (Some(Kind::Flag), _) if matches!(value, "true" | "false") => value.to_owned(),
        _ => quoted(value),
    };
    Some(format!("[{}]\n{key} = {value}\n", section.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the file for a variable, and the help of the warning about it.
    fn of(name: &str, value: &str) -> Option<(String, Option<String>)> {
        let (_, (text, warning)) = files([(OsString::from(name), OsString::from(value))]).pop()?;
        Some((text, warning.and_then(|warning| warning.help)))
    }

    #[test]
    fn a_variable_is_a_file_with_one_key() {
        let expect = [
            ("NEWSWIRE_WEB_LISTEN", "0.0.0.0:80", "[web]\nlisten = \"0.0.0.0:80\"\n"),
            ("NEWSWIRE_SCHEDULE_PER_HOST", "+2", "[schedule]\nper_host = 2\n"),
            ("NEWSWIRE_SCHEDULE_PER_HOST", "2", "[schedule]\nper_host = 2\n"),
            ("NEWSWIRE_SCHEDULE_PER_HOST", "two", "[schedule]\nper_host = \"two\"\n"),
            ("NEWSWIRE_SCHEDULE_PAUSED", "true", "[schedule]\npaused = true\n"),
            ("NEWSWIRE_FETCH_CONTACT", "a \"b\"", "[fetch]\ncontact = \"a \\\"b\\\"\"\n"),
            ("NEWSWIRE_WEB_LISTN", "x", "[web]\nlistn = \"x\"\n"),
            (
                "NEWSWIRE_WEB_OPERATORS",
                "172.16.0.0/12, 10.88.0.0/16",
                "[web]\noperators = [\"172.16.0.0/12\", \"10.88.0.0/16\"]\n",
            ),
            (
                "NEWSWIRE_WEB_LISTEN",
                "localhost:1,unix:/a",
                "[web]\nlisten = [\"localhost:1\", \"unix:/a\"]\n",
            ),
        ];
        for (name, value, text) in expect {
            assert_eq!(of(name, value), Some((text.to_owned(), None)), "{name}");
        }
    }

    #[test]
    fn a_mistaken_variable_is_reported_and_those_of_other_programs_are_not() {
        for (name, help) in [
            ("NEWSWIRE_WBE_LISTEN", "did you mean NEWSWIRE_WEB_LISTEN?"),
            ("NEWSWIRE_LOGLEVEL", "did you mean NEWSWIRE_LOG_LEVEL?"),
            ("NEWSWIRE_FEED_URL", "write url in [[feed]]: it has no variable"),
            ("NEWSWIRE_FETCH_AUTHORIZATION", "write authorization in [fetch]: it has no variable"),
            ("NEWSWIRE_LISTEN", "did you mean NEWSWIRE_WEB_LISTEN?"),
            ("NEWSWIRE_PORT", "did you mean NEWSWIRE_WEB_LISTEN?"),
            ("NEWSWIRE_BASE_URL", "did you mean NEWSWIRE_WEB_PUBLIC_URL?"),
            ("NEWSWIRE_HTTP_LISTEN", "did you mean NEWSWIRE_WEB_LISTEN?"),
            ("NEWSWIRE_DATABASE_PATH", "did you mean NEWSWIRE_STORE_PATH?"),
            ("NEWSWIRE_POLLING_INTERVAL", "did you mean NEWSWIRE_SCHEDULE_INTERVAL?"),
            ("NEWSWIRE_LOG", "did you mean NEWSWIRE_LOG_LEVEL?"),
            ("NEWSWIRE_DB", "did you mean NEWSWIRE_STORE_PATH?"),
            ("NEWSWIRE_USER_AGENT", "did you mean NEWSWIRE_FETCH_USER_AGENT?"),
            ("NEWSWIRE_CONFIG", "name the file with --config"),
        ] {
            assert_eq!(of(name, "1"), Some((String::new(), Some(help.to_owned()))), "{name}");
        }
        // Kubernetes' variables for a service of this name, those of the tests, and others.
        for other in [
            "NEWSWIRE_SERVICE_HOST",
            "NEWSWIRE_PORT_8420_TCP_ADDR",
            "NEWSWIRE_WEB_SERVICE_HOST",
            "NEWSWIRE_WEB_SERVICE_PORT",
            "NEWSWIRE_WEB_SERVICE_PORT_HTTP",
            "NEWSWIRE_WEB_PORT_8420_TCP",
            "NEWSWIRE_WEB_PORT_8420_TCP_PROTO",
            "NEWSWIRE_FEED_READER_SERVICE_HOST",
            "NEWSWIRE_UPDATE_DOCS",
            "NEWSWIRE_WEB",
            "WEB_LISTEN",
        ] {
            assert_eq!(of(other, "1"), None, "{other}");
        }
    }

    #[test]
    fn a_port_as_kubernetes_sets_it_is_not_a_key() {
        for name in ["NEWSWIRE_PORT", "NEWSWIRE_WEB_PORT"] {
            assert_eq!(of(name, "tcp://10.0.0.5:8420"), None, "{name}");
        }
        // A person's.
        assert!(of("NEWSWIRE_WEB_PORT", "8420").is_some());
    }

    #[test]
    fn every_scalar_key_of_a_single_section_has_its_own_variable() {
        let mut names: Vec<String> = KEYS.iter().filter_map(Key::variable).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().any(|name| name == "NEWSWIRE_WEB_PUBLIC_URL"), "{names:?}");
        assert!(!names.iter().any(|name| name == "NEWSWIRE_FETCH_AUTHORIZATION"), "{names:?}");
    }
}

//! Config keys in environment variables: `NEWSWIRE_WEB_LISTEN` is `listen` in `[web]`.
//!
//! Each variable becomes a file of the config with one key, which replaces the value of the other files. So values,
//! errors and origins are treated as those of files are; the path of such a file is `$NEWSWIRE_WEB_LISTEN`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::definition::{Key, Kind, Section};
use super::diagnostic::Diagnostic;
use super::keys::KEYS;
use super::position::FileText;
use super::section::quoted;

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
        let (name, value) = (name.to_str()?, value.to_str());
        let rest = name.strip_prefix(PREFIX)?;
        let text = match text(rest, value.unwrap_or_default()) {
            Some(text) => value.map(|_| (text, None))?,
            None => (String::new(), Some(no_effect(name, rest)?)),
        };
        Some((PathBuf::from(format!("${name}")), text))
    };
    let mut files: Vec<(PathBuf, FileText)> = variables.into_iter().filter_map(file).collect();
    files.sort_by_cached_key(|(path, (_, mistaken))| (mistaken.is_some(), path.clone()));
    files
}

/// The warning about the variable `name`, which is `NEWSWIRE_` + `rest`; `None`: it is probably one of another program.
fn no_effect(name: &str, rest: &str) -> Option<Diagnostic> {
    let lower = rest.to_lowercase();
    let of_list = Section::tables().filter(|section| section.is_list()).find(|section| {
        let key = lower.strip_prefix(section.name()).and_then(|key| key.strip_prefix('_'));
        key.is_some_and(|key| section.key(key).is_some())
    });
    // A short word such as PORT is similar to nothing.
    let is_near =
        |known: &String| strsim::osa_distance(&name.to_lowercase(), &known.to_lowercase()) <= 2;
    let help = match of_list {
        Some(section) => format!("write the key in {}: it has no variable", section.heading()),
        None => format!("did you mean {}?", KEYS.iter().filter_map(Key::variable).find(is_near)?),
    };
    let message = format!("the environment variable {name} has no effect");
    Some(Diagnostic::warning("unknown_variable", 0..0, message).help(help))
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
    let is_bare = match kind {
        Some(Kind::Flag) => matches!(value, "true" | "false"),
        Some(Kind::Number { .. }) => value.parse::<i64>().is_ok(),
        // Reported as a key that takes no variable.
        Some(kind) => !kind.is_scalar(),
        None => false,
    };
    let value = if is_bare { value.to_owned() } else { quoted(value) };
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
            ("NEWSWIRE_FEED_URL", "write the key in [[feed]]: it has no variable"),
        ] {
            assert_eq!(of(name, "1"), Some((String::new(), Some(help.to_owned()))), "{name}");
        }
        // Kubernetes' variables for a service of this name, those of the tests, and others.
        for other in [
            "NEWSWIRE_SERVICE_HOST",
            "NEWSWIRE_PORT",
            "NEWSWIRE_PORT_8420_TCP_ADDR",
            "NEWSWIRE_UPDATE_DOCS",
            "NEWSWIRE_WEB",
            "WEB_LISTEN",
        ] {
            assert_eq!(of(other, "1"), None, "{other}");
        }
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

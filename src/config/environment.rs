//! Config keys in environment variables: `NEWSWIRE_WEB_LISTEN` is `listen` in `[web]`.
//!
//! Each variable becomes a file of the config with one key, which replaces the value of the other files. So values,
//! errors and origins are treated as those of files are; the path of such a file is `$NEWSWIRE_WEB_LISTEN`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::definition::{Key, Kind, Section};
use super::diagnostic::Diagnostic;
use super::keys::KEYS;
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

/// The variables that set keys, or that name a section and a key that does not exist, as files.
pub(super) fn files(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> = variables
        .into_iter()
        .filter_map(|(name, value)| {
            let (name, value) = (name.to_str()?, value.to_str()?);
            Some((PathBuf::from(format!("${name}")), text(name.strip_prefix(PREFIX)?, value)?))
        })
        .collect();
    files.sort();
    files
}

/// The variables that set nothing, but that a person probably means to set a key, with the reason and what to do.
pub(super) fn mistaken(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(PathBuf, Diagnostic)> {
    let known: Vec<String> = KEYS.iter().filter_map(Key::variable).collect();
    let mut found: Vec<(PathBuf, Diagnostic)> = variables
        .into_iter()
        .filter_map(|(name, _)| {
            let name = name.to_str()?;
            let rest = name.strip_prefix(PREFIX).filter(|rest| text(rest, "").is_none())?;
            let help = help_for(rest, &known)?;
            let message = format!("the environment variable {name} has no effect");
            let warning = Diagnostic::warning("unknown_variable", 0..0, message).help(help);
            Some((PathBuf::from(format!("${name}")), warning))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// What to write instead of the variable `NEWSWIRE_` + `rest`; `None`: it is probably one of another program.
fn help_for(rest: &str, known: &[String]) -> Option<String> {
    let lower = rest.to_lowercase();
    let of_list = Section::tables().filter(|section| section.is_list()).find(|section| {
        let key = lower.strip_prefix(section.name()).and_then(|key| key.strip_prefix('_'));
        key.is_some_and(|key| section.key(key).is_some())
    });
    if let Some(section) = of_list {
        return Some(format!("write the key in {}: it has no variable", section.heading()));
    }
    let name = format!("{PREFIX}{rest}").to_lowercase();
    let variables: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
    // A short word such as PORT is similar to nothing.
    let near = variables.iter().find(|known| strsim::osa_distance(&name, known) <= 2);
    near.map(|near| format!("did you mean {}?", near.to_uppercase()))
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

    fn of(name: &str, value: &str) -> Option<String> {
        files([(OsString::from(name), OsString::from(value))]).pop().map(|(_, text)| text)
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
        ];
        for (name, value, text) in expect {
            assert_eq!(of(name, value).as_deref(), Some(text), "{name}");
        }
        let listed = of("NEWSWIRE_WEB_OPERATORS", "172.16.0.0/12, 10.88.0.0/16");
        let networks = "[web]\noperators = [\"172.16.0.0/12\", \"10.88.0.0/16\"]\n";
        assert_eq!(listed.as_deref(), Some(networks));
        let both = of("NEWSWIRE_WEB_LISTEN", "localhost:1,unix:/a");
        assert_eq!(both.as_deref(), Some("[web]\nlisten = [\"localhost:1\", \"unix:/a\"]\n"));
        for other in ["NEWSWIRE_UPDATE_DOCS", "NEWSWIRE_FEED_URL", "WEB_LISTEN", "NEWSWIRE_WEB"] {
            assert_eq!(of(other, "1"), None, "{other}");
        }
    }

    #[test]
    fn a_mistaken_variable_is_reported_and_those_of_other_programs_are_not() {
        let help = |name: &str| {
            let found = mistaken([(OsString::from(name), OsString::from("1"))]);
            found.into_iter().next().and_then(|(_, warning)| warning.help)
        };
        assert_eq!(
            help("NEWSWIRE_WBE_LISTEN").as_deref(),
            Some("did you mean NEWSWIRE_WEB_LISTEN?")
        );
        assert_eq!(help("NEWSWIRE_LOGLEVEL").as_deref(), Some("did you mean NEWSWIRE_LOG_LEVEL?"));
        let feed = "write the key in [[feed]]: it has no variable";
        assert_eq!(help("NEWSWIRE_FEED_URL").as_deref(), Some(feed));
        // A key's own variable, Kubernetes' variables for a service of this name, and those of the tests.
        for other in [
            "NEWSWIRE_WEB_LISTEN",
            "NEWSWIRE_WEB_LISTN",
            "NEWSWIRE_SERVICE_HOST",
            "NEWSWIRE_PORT",
            "NEWSWIRE_PORT_8420_TCP_ADDR",
            "NEWSWIRE_UPDATE_DOCS",
        ] {
            assert_eq!(help(other), None, "{other}");
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

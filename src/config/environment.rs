//! Config keys in environment variables: `NEWSWIRE_WEB_LISTEN` is `listen` in `[web]`.
//!
//! Each variable becomes a file of the config with one key, which replaces the value of the other files. So values,
//! errors and origins are treated as those of files are; the path of such a file is `$NEWSWIRE_WEB_LISTEN`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::definition::{Key, Kind, Section};
use super::section::quoted;

const PREFIX: &str = "NEWSWIRE_";

impl Key {
    /// The environment variable that sets the key; `None`: it takes a list, a table or a secret, or belongs to a
    /// section that occurs several times.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let is_single =
            !self.section.is_list() && !matches!(self.section, Section::Top | Section::Rules);
        (is_single && self.kind.is_scalar())
            .then(|| format!("{PREFIX}{}_{}", self.section.name(), self.name).to_uppercase())
    }
}

impl Kind {
    /// Whether a value is one text, number or flag that is no secret.
    fn is_scalar(self) -> bool {
        !matches!(
            self,
            Self::Choices(_)
                | Self::Texts
                | Self::Links
                | Self::Languages
                | Self::Networks
                | Self::Hosts
                | Self::Secret
                | Self::Secrets
                | Self::Rules
        )
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
    use crate::config::KEYS;

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
        for other in ["NEWSWIRE_UPDATE_DOCS", "NEWSWIRE_FEED_URL", "WEB_LISTEN", "NEWSWIRE_WEB"] {
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

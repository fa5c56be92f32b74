//! The formats of texts: how each is written, its JSON Schema and its parser. Keys name them as their kind.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use url::Url;

use super::definition::Kind;
use super::quantity::Unit;
use super::value::{Invalid, Value};
use super::{address, named_file, quantity, text};
use crate::render::PodcastCategory;
use crate::text::quoted::in_quotes;

/// A format of texts.
#[derive(Debug)]
pub struct Format {
    /// How a value is written, for people.
    pub(super) name: &'static str,
    /// The JSON Schema of one text.
    pub(super) schema: fn() -> Json,
    /// Parses one text of the config.
    pub(super) parse: fn(Written<'_>) -> Result<Value, Invalid>,
}

/// A text of the config as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'t> {
    /// Name of the key.
    pub(super) key: &'t str,
    pub(super) text: &'t str,
    /// The folder that relative paths start in.
    pub(super) state: &'t Path,
}

impl<'t> Written<'t> {
    /// The text without space around it; an error if nothing is left.
    fn filled(self) -> Result<&'t str, Invalid> {
        let text = self.text.trim();
        match text.is_empty() {
            true => Err(Invalid::new(
                "empty_value",
                format!("{} is empty", self.key),
                "write a value, or remove the key",
            )),
            false => Ok(text),
        }
    }

    /// The path; a relative one starts in the state directory.
    pub(super) fn path(self) -> Result<PathBuf, Invalid> {
        let text = self.filled()?;
        // A shell replaces these.
        let message = if text.starts_with('~') {
            format!("~ is not replaced in the path {text}", text = in_quotes(text))
        } else if text.starts_with('$') || text.contains("${") {
            format!("variables are not replaced in the path {text}", text = in_quotes(text))
        } else if text.contains("://") || text.starts_with("file:") {
            "a path is expected, not a URL".to_owned()
        } else {
            return Ok(self.state.join(text));
        };
        let help = "write the whole path; a relative one starts in the state directory";
        let url = Url::parse(text).ok().filter(|_| text.starts_with("file:/"));
        let meant = url.and_then(|url| url.to_file_path().ok());
        let meant = meant.and_then(|path| path.to_str().map(str::to_owned));
        Err(Invalid::new("bad_path", message, help).meant(meant))
    }
}

const DURATION_PATTERN: &str = r"(\s*\d+(\.\d+)?\s*(w|wks?|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|millis?|milliseconds?),?)+\s*";
const SIZE_PATTERN: &str = r"^\s*0*[1-9]\d*\s*([KkMmGg][Ii]?)?[Bb]\s*";
const URL_PATTERN: &str = r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+([/?#]\S*)?\s*$";
const PROXY_PATTERN: &str =
    r"^\s*([Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss]5[Hh])://[^\s/?#@]+([/?#]\S*)?\s*$";
const LISTEN_PATTERN: &str = r"^\s*([Oo][Ff][Ff]|(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt])?:\d{1,5})\s*$";
const SOCKET_PATTERN: &str = r"^\s*unix:/[^|]*[^|/](\|[0-7]{1,4})?\s*$";

fn pattern(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

/// A text that is not blank.
const NOT_BLANK: Format = Format {
    name: "text",
    schema: || pattern(r"\S"),
    parse: |it| it.filled().map(|text| Value::of(text.to_owned())),
};
/// A text of a list, which may be blank.
const ANY: Format = Format {
    name: "list of texts",
    schema: || json!({ "type": "string" }),
    parse: |it| Ok(Value::of(it.text.trim().to_owned())),
};
const WEB_URL: Format = Format {
    name: "http or https URL",
    schema: || pattern(URL_PATTERN),
    parse: |it| address::web_url(it.key, it.text).map(Value::of),
};
const NAMED_FILE: Format =
    Format { name: "path of a file", parse: |it| it.path().map(Value::of), ..NOT_BLANK };
const POSITIVE: Format = Format {
    name: "duration: ms, s, m, h, d, w",
    schema: || pattern(&format!("^{DURATION_PATTERN}$")),
    ..NOT_BLANK
};
const LANGUAGE_TAG: Format = Format {
    name: "language tag",
    schema: || pattern(r"^\s*[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\s*$"),
    parse: |it| text::language(it.text).map(Value::of),
};
const PORT: Format = Format {
    name: "address and port, or \"off\"",
    schema: || pattern(LISTEN_PATTERN),
    parse: |it| address::socket(it.text).map(Value::of),
};
/// One address of `listen`.
pub(super) const LISTEN_ADDRESS: Format = Format {
    name: "address and port, unix:/path, a list of these, or \"off\"",
    schema: || pattern(&format!("{LISTEN_PATTERN}|{SOCKET_PATTERN}")),
    parse: |it| address::listen(it.text).map(Value::of),
};

pub(super) const TEXT: Kind = Kind::Text(&NOT_BLANK);
/// Text of visible ASCII characters.
pub(super) const HEADER_TEXT: Kind = Kind::Text(&Format {
    schema: || pattern(r"^\s*[!-~][ -~]*\s*$"),
    parse: |it| text::header(it.key, it.filled()?).map(Value::of),
    ..NOT_BLANK
});
pub(super) const SECONDS: Kind = Kind::Text(&Format {
    parse: |it| quantity::positive(it.text, Unit::Seconds).map(Value::of),
    ..POSITIVE
});
pub(super) const MINUTES: Kind = Kind::Text(&Format {
    parse: |it| quantity::positive(it.text, Unit::Minutes).map(Value::of),
    ..POSITIVE
});
pub(super) const HOURS: Kind = Kind::Text(&Format {
    parse: |it| quantity::positive(it.text, Unit::Hours).map(Value::of),
    ..POSITIVE
});
pub(super) const DAYS: Kind = Kind::Text(&Format {
    parse: |it| quantity::positive(it.text, Unit::Days).map(Value::of),
    ..POSITIVE
});
/// A duration that may be zero.
pub(super) const SPACING: Kind = Kind::Text(&Format {
    parse: |it| quantity::duration(it.text, Unit::Seconds).map(Value::of),
    ..POSITIVE
});
pub(super) const INTERVAL: Kind = Kind::Text(&Format {
    name: "duration (ms, s, m, h, d, w) or \"auto\"",
    schema: || pattern(&format!("^(\\s*auto\\s*|{DURATION_PATTERN})$")),
    parse: |it| quantity::interval(it.text),
});
pub(super) const SIZE: Kind = Kind::Text(&Format {
    name: "size: B, kB, KiB, MB, MiB, GB, GiB",
    schema: || pattern(&format!("{SIZE_PATTERN}$")),
    parse: |it| quantity::size(it.text).map(Value::of),
});
/// A size per day.
pub(super) const RATE: Kind = Kind::Text(&Format {
    name: "size per day, such as 5 MB/day",
    schema: || pattern(&format!(r"{SIZE_PATTERN}/\s*(day|d)\s*$")),
    parse: |it| quantity::rate(it.text).map(Value::of),
});
pub(super) const TEXTS: Kind = Kind::List(&ANY);
/// Links, each as a host name or a regular expression.
pub(super) const LINKS: Kind = Kind::List(&Format {
    name: "list of host names and regular expressions",
    parse: |it| text::link_pattern(it.text).map(Value::of),
    ..ANY
});
pub(super) const SELECTORS: Kind = Kind::List(&Format {
    name: "list of CSS selectors",
    parse: |it| text::selector(it.text).map(Value::of),
    ..ANY
});
pub(super) const LANGUAGES: Kind =
    Kind::List(&Format { name: "list of language tags", ..LANGUAGE_TAG });
pub(super) const NETWORKS: Kind = Kind::List(&Format {
    name: "list of IP addresses and networks",
    schema: || pattern(r"^\s*[0-9A-Fa-f:.]+(/\d{1,3})?\s*$"),
    parse: |it| address::network(it.text).map(Value::of),
});
pub(super) const HOSTS: Kind = Kind::List(&Format {
    name: "list of host names",
    parse: |it| address::host(it.text).map(Value::of),
    ..ANY
});
/// An http or https URL without a password.
pub(super) const URL: Kind = Kind::Text(&WEB_URL);
/// A URL without a query, to which a slash is added.
pub(super) const BASE_URL: Kind = Kind::Text(&Format {
    parse: |it| address::base_url(it.key, it.text).map(Value::of),
    ..WEB_URL
});
pub(super) const PROXY: Kind = Kind::Text(&Format {
    name: "http, https or socks5h URL",
    schema: || pattern(PROXY_PATTERN),
    parse: |it| address::proxy_url(it.text).map(Value::of),
});
pub(super) const ADDRESS: Kind = Kind::Text(&PORT);
/// A registrable domain, such as `example.org`.
pub(super) const SITE: Kind = Kind::Text(&Format {
    name: "registrable domain",
    schema: || pattern(r"^\s*[^\s/]+\s*$"),
    parse: |it| address::site(it.text).map(Value::of),
});
pub(super) const FILE: Kind = Kind::Text(&NAMED_FILE);
pub(super) const FOLDER: Kind = Kind::Text(&Format { name: "path of a folder", ..NAMED_FILE });
pub(super) const CERTIFICATES: Kind = Kind::Text(&Format {
    parse: |it| named_file::certificates(&it.path()?).map(Value::of),
    ..NAMED_FILE
});
/// A style sheet, or HTML for a part of the pages.
pub(super) const PAGE_TEXT: Kind = Kind::Text(&Format {
    parse: |it| named_file::page_text(&it.path()?).map(Value::of),
    ..NAMED_FILE
});
pub(super) const PICTURE: Kind = Kind::Text(&Format {
    parse: |it| named_file::picture(&it.path()?).map(Value::of),
    ..NAMED_FILE
});
/// An id, which becomes a file name and a path.
pub(super) const ID: Kind = Kind::Text(&Format {
    name: "1 to 64 characters of a-z, 0-9, '.', '_', '-'",
    schema: || pattern(r"^[a-z0-9_-][a-z0-9._-]{0,63}$"),
    parse: |it| text::id(it.text).map(|id| Value::of(id.to_owned())),
});
pub(super) const LANGUAGE: Kind = Kind::Text(&LANGUAGE_TAG);
pub(super) const REGEX: Kind = Kind::Text(&Format {
    name: "regular expression",
    schema: || json!({ "type": "string", "format": "regex" }),
    parse: |it| text::regex(it.text).map(Value::of),
});
pub(super) const PODCAST_CATEGORY: Kind = Kind::Text(&Format {
    name: "category of Apple Podcasts",
    schema: || json!({ "type": "string", "enum": PodcastCategory::names().collect::<Vec<_>>() }),
    parse: |it| text::podcast_category(it.text).map(Value::of),
});
pub(super) const TIME_ZONE: Kind = Kind::Text(&Format {
    name: "name of a time zone",
    schema: || pattern(r"^\s*[A-Za-z][A-Za-z0-9_+/-]*\s*$"),
    parse: |it| text::time_zone(it.text).map(Value::of),
});
pub(super) const TITLE_PREFIX: Kind = Kind::Text(&Format {
    name: "text with {source}",
    parse: |it| text::title_prefix(it.text).map(Value::of),
    ..NOT_BLANK
});

//! Where the config is: the one that was named, else the first that exists.

use std::path::{Path, PathBuf};

/// There is no config anywhere.
#[derive(Debug, thiserror::Error)]
#[error(
    "no config: there is none of {0}: write one with 'newswire init', or name one with --config FILE"
)]
pub struct NoConfig(String);

crate::model::codes! { NoConfig: Self(_) => "no_config", }

/// The config to use.
///
/// # Errors
/// When none was named and none exists.
pub(super) fn find(given: Option<&Path>) -> Result<PathBuf, NoConfig> {
    find_quietly(given).ok_or_else(|| {
        let places: Vec<String> = places().map(|place| place.display().to_string()).collect();
        NoConfig(places.join(", "))
    })
}

pub(super) fn find_quietly(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_owned).or_else(|| places().find(|place| place.exists()))
}

/// Where a config may lie, in order.
fn places() -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    let places = [
        Some(PathBuf::from("newswire.toml")),
        home.map(|home| home.join("newswire/newswire.toml")),
        Some(PathBuf::from("/etc/newswire/newswire.toml")),
    ];
    places.into_iter().flatten()
}

//! Names of hosts.

/// Whether each label of a host name has a letter or a digit, and no character that no name has. `url` accepts more.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        label.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
}

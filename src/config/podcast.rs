//! Outputs that are podcasts: the category, and what podcast directories require.

use super::diagnostic::{Diagnostic, Report};
use super::section::Layer;
use super::suggest::nearest;
use super::value::{Invalid, Value};
use crate::render::PodcastCategory;

/// The name of a category or subcategory of Apple Podcasts.
pub(super) fn category(text: &str) -> Result<&'static str, Invalid> {
    if let Some(name) = PodcastCategory::names().find(|name| *name == text) {
        return Ok(name);
    }
    let message = format!("{text:?} is not a category of Apple Podcasts");
    let invalid = Invalid::new("unknown_value", message, "docs/feeds.md lists the categories");
    // Other programs write "News > Tech News", or "&" as feeds have it.
    let last = text.rsplit(['>', '/']).next().unwrap_or(text).trim().replace("&amp;", "&");
    let same = PodcastCategory::names().find(|name| name.eq_ignore_ascii_case(&last));
    Err(match same.or_else(|| nearest(&last, PodcastCategory::names())) {
        Some(name) => invalid.meant(name),
        None => invalid,
    })
}

/// Warnings about a podcast that directories would reject, and about keys of a podcast without it.
pub(super) fn check(layer: &Layer, report: &mut Report) {
    let value = |name: &str| layer.entry(name).map(|entry| &entry.value);
    let mut warn = |code, name: &str, message: &str, help: &str| {
        report.push(Diagnostic::warning(code, layer.span(name), message).help(help));
    };
    if !layer.sets("podcast") {
        let uncertain = layer.may_set("podcast");
        let keys = ["podcast_explicit", "podcast_email"];
        for name in keys.iter().filter(|name| !uncertain && layer.sets(name)) {
            let message = format!("{name} has no effect without podcast");
            let help = "set podcast to a category of Apple Podcasts, or remove it";
            warn("podcast_key_without_podcast", name, &message, help);
        }
        return;
    }
    let missing: Vec<&str> =
        ["icon", "language"].into_iter().filter(|name| !layer.may_set(name)).collect();
    if !missing.is_empty() {
        let message = format!("podcast directories require {}", missing.join(" and "));
        let help = format!("set {} in this output", missing.join(" and "));
        warn("podcast_incomplete", "podcast", &message, &help);
    }
    if let Some(Value::Url(icon)) = value("icon")
        && !has_extension(icon.path(), &["png", "jpg", "jpeg"])
    {
        let help = "name a square PNG or JPEG file of 1400 to 3000 pixels";
        let message = "podcast directories accept only PNG and JPEG pictures";
        warn("podcast_incomplete", "icon", message, help);
    }
    if let Some(Value::Words(formats)) = value("formats")
        && !formats.contains(&"rss")
    {
        let message = "podcast directories read only RSS, and this output has other formats";
        warn("podcast_incomplete", "formats", message, "add \"rss\"");
    }
    if let Some(Value::Text(email)) = value("podcast_email")
        && !is_mail_address(email)
    {
        let message = format!("{email:?} is not a mail address");
        let help = "write a mail address: \"radio@example.org\"";
        warn("podcast_incomplete", "podcast_email", &message, help);
    }
}

/// Whether the path has one of these extensions, or none.
fn has_extension(path: &str, wanted: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    name.rsplit_once('.').is_none_or(|(_, extension)| wanted.contains(&extension))
}

fn is_mail_address(text: &str) -> bool {
    let parts = text.split_once('@');
    !text.contains(char::is_whitespace)
        && parts.is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
}

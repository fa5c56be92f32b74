//! Outputs that are podcasts: what podcast directories require.

use url::Url;

use super::diagnostic::Report;
use super::section::Layer;

/// Warnings about a podcast that directories would reject.
pub(super) fn check(layer: &Layer, report: &mut Report) {
    if !layer.sets("podcast") {
        return;
    }
    let mut warn = |code, name: &str, message: &str, help: &str| {
        report.push(layer.warning(code, name, message).help(help));
    };
    let missing: Vec<&str> =
        ["icon", "language"].into_iter().filter(|name| !layer.may_set(name)).collect();
    if !missing.is_empty() {
        let message = format!("podcast directories require {}", missing.join(" and "));
        let help = format!("set {} in this output", missing.join(" and "));
        warn("podcast_incomplete", "podcast", &message, &help);
    }
    if let Some(icon) = layer.get::<Url>("icon")
        && !has_extension(icon.path(), &["png", "jpg", "jpeg"])
    {
        let help = "name a square PNG or JPEG file of 1400 to 3000 pixels";
        let message = "podcast directories accept only PNG and JPEG pictures";
        warn("podcast_incomplete", "icon", message, help);
    }
    if let Some(formats) = layer.get::<Vec<&str>>("formats")
        && !formats.contains(&"rss")
    {
        let message = "podcast directories read only RSS, and this output has other formats";
        warn("podcast_incomplete", "formats", message, "add \"rss\"");
    }
    if let Some(email) = layer.text("podcast_email")
        && !is_mail_address(email)
    {
        let message = format!("{email:?} is not a mail address");
        let help = "write a mail address: \"radio@example.org\"";
        warn("podcast_incomplete", "podcast_email", &message, help);
    }
    without_episodes(layer, report);
}

/// Reports a filter that keeps all episodes out of a podcast.
fn without_episodes(layer: &Layer, report: &mut Report) {
    let wants = |rules: &Layer, wanted| rules.get::<bool>("enclosures") == Some(&wanted);
    let includes = layer.rules("include");
    let includes_none = !includes.is_empty() && includes.iter().all(|rules| wants(rules, false));
    let excludes_all = |rules: &&Layer| wants(rules, true) && rules.sets_only("enclosures");
    let included = includes.first().filter(|_| includes_none);
    let found = included.or_else(|| layer.rules("exclude").iter().find(excludes_all));
    if let Some(rules) = found {
        let message = "a podcast shows only items with an audio or video file";
        let warning = rules.warning("filter_matches_nothing", "enclosures", message);
        report.push(warning.help("remove enclosures, or podcast"));
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

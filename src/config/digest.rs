//! Outputs with digests: keys that contradict each other.

use super::diagnostic::Report;
use super::section::Layer;

/// Maximum number of digests in a document: each has the text of many stories.
const MAX_DIGESTS: usize = 100;
/// Keys that have no meaning for a digest, each with a reason.
const CONTRADICTIONS: &[(&str, &str)] = &[
    ("podcast", "a digest has no episodes: use another output for the podcast"),
    ("per_feed_percent", "items counts digests: limit the stories of a feed with per_feed"),
    ("max_age", "a digest has the stories of its period: the number of digests is items"),
    ("title_prefix", "the title of a digest is its date, and each story names its source"),
    ("date", "the date of a digest is the end of its period"),
];

/// Errors about keys that have no meaning with a digest.
pub(super) fn check(layer: &Layer, report: &mut Report) {
    if matches!(layer.get::<&str>("digest").copied(), None | Some("off")) {
        return;
    }
    let mut error = |name: &str, message: &str, help: &str| {
        report.push(layer.error("contradiction", name, message).help(help));
    };
    if layer.get::<&str>("digest") == Some(&"daily") && layer.sets("digest_day") {
        let message = "digest_day has no effect on a daily digest";
        error("digest_day", message, "set digest to \"weekly\", or remove digest_day");
    }
    for (name, why) in CONTRADICTIONS {
        if layer.sets(name) {
            let help = format!("remove {name}, or digest");
            error(name, &format!("{name} has no effect with digest: {why}"), &help);
        }
    }
    if let Some(items) = layer.get::<usize>("items")
        && *items > MAX_DIGESTS
    {
        let message = format!("items counts digests here, and {items} are too many for a document");
        error("items", &message, "lower it to 100: older digests are on archive pages");
    }
}

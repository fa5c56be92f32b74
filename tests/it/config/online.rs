//! `newswire check --online` fetches each feed once and writes nothing.

use serde_json::Value;

use crate::cli::{configured, local, newswire};
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

#[tokio::test(flavor = "multi_thread")]
async fn check_online_fetches_each_feed_once_and_shows_the_result() {
    let origin = Origin::start().await;
    let good = local(&origin, "/feed");
    let url = |path: &str| origin.url("127.0.0.1", path).to_string();
    origin.route("127.0.0.1", "/moved", [Answer::redirect(301, &good)]);
    origin.route("127.0.0.1", "/broken", [Answer::status(500)]);
    origin.route("127.0.0.1", "/page", [Answer::ok("<html><body>x</body></html>")]);
    let folder = configured(&[good.clone(), url("/moved"), url("/broken"), url("/page")]);
    let run = newswire(folder.path(), &["check", "--online"]);
    assert_eq!(run.code, 69, "{}{}", run.out, run.err);
    for part in [
        format!("ok      {good}: Site, items: 2\n"),
        format!("moved permanently: set url = {good:?}\n"),
        format!("failed  {}: ", url("/broken")),
        "newswire explain server_error\n".to_owned(),
        "newswire explain not_a_feed\n".to_owned(),
        "feeds: 4, of which 2 failed\n".to_owned(),
    ] {
        assert!(run.out.contains(&part), "{part:?} is missing in\n{}", run.out);
    }
    // One request per feed, and one for the target of the redirect.
    assert_eq!((origin.count(), origin.most_at_once("127.0.0.1")), (5, 1));
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["newswire.toml"], "nothing is written");
    let json = newswire(folder.path(), &["check", "--online", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["feeds"][1]["moved"], good.as_str());
    assert_eq!(json["feeds"][2]["code"], "server_error");
    assert!(json["diagnostics"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_feed_is_not_requested_by_check_online() {
    let origin = Origin::start().await;
    let (good, broken) = (local(&origin, "/feed"), origin.url("127.0.0.1", "/broken").to_string());
    let folder = configured(&[good, broken.clone()]);
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}paused = true\n")).unwrap();
    let run = newswire(folder.path(), &["check", "--online"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains(&format!("paused  {broken}: not requested\n")), "{}", run.out);
    let run = newswire(folder.path(), &["check", "--online", "--force", "--format", "json"]);
    let json: Value = serde_json::from_str(&run.out).unwrap();
    let feed = &json["feeds"][1];
    assert!(feed["paused"] == true && feed["ok"] == false && feed["code"].is_null(), "{feed}");
    assert_eq!(origin.asked().iter().filter(|asked| asked.target == "/broken").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_and_throttled_feeds_have_their_own_codes() {
    let origin = Origin::start().await;
    let url = |path: &str| origin.url("127.0.0.1", path).to_string();
    origin.route("127.0.0.1", "/gone", [Answer::status(410)]);
    origin.route("127.0.0.1", "/busy", [Answer::status(429)]);
    let folder = configured(&[url("/gone"), url("/busy")]);
    let run = newswire(folder.path(), &["check", "--online"]);
    assert_eq!(run.code, 69, "{}{}", run.out, run.err);
    for part in [
        "the feed is gone permanently (HTTP 410)\n",
        "help: look for another feed on the site\n",
        "newswire explain gone\n",
        "asks clients to send fewer requests (HTTP 429)\n",
        "newswire explain throttled\n",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing in\n{}", run.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn success_exits_with_0_and_a_broken_config_fetches_nothing() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    assert_eq!(newswire(folder.path(), &["check", "--online"]).code, 0);
    assert_eq!(origin.count(), 1);
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("listen", "listn")).unwrap();
    assert_eq!(newswire(folder.path(), &["check", "--online"]).code, 78);
    assert_eq!(origin.count(), 1);
}

#[test]
fn a_config_of_500_feeds_is_checked_fast() {
    let feed = |n: usize| {
        format!(
            "[[feed]]\nurl = \"https://host{n}.example/feed\"\ntags = [\"t{}\"]\ninterval = \"2h\"\n",
            n % 20
        )
    };
    let feeds: String = (0..500).map(feed).collect();
    let text = format!(
        "{}{}include = {{ tags = [\"t1\", \"t2\"] }}\n[[output]]\nid = \"all\"\n{feeds}",
        super::HEAD,
        super::OUTPUT
    );
    let clock = newswire::clock::Clock::system();
    let least = (0..5).map(|_| {
        let before = clock.now();
        let loaded = super::read(&text);
        assert_eq!(loaded.config.unwrap().subscriptions.len(), 500);
        assert!(loaded.report.is_empty());
        clock.now().duration_since(before)
    });
    let least = least.min().unwrap();
    // The limit is for a build without optimisation and a busy machine.
    assert!(least.as_millis() < 500, "{least:#}");
}

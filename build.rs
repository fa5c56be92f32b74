//! Records the commit and its time in release builds, for `--version --verbose` and as the earliest possible time.

use std::process::Command;

fn main() {
    for name in ["NEWSWIRE_COMMIT", "SOURCE_DATE_EPOCH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    // A debug build is not made again after each commit.
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        println!("cargo::rerun-if-changed=build.rs");
        return;
    }
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(commit) =
        given("NEWSWIRE_COMMIT").or_else(|| git(&["rev-parse", "--short=12", "HEAD"]))
    {
        println!("cargo::rustc-env=NEWSWIRE_COMMIT={commit}");
    }
    if let Some(time) = given("SOURCE_DATE_EPOCH").or_else(|| git(&["log", "-1", "--format=%ct"])) {
        println!("cargo::rustc-env=NEWSWIRE_BUILD_TIME={time}");
    }
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// The output of git, unless this is no checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

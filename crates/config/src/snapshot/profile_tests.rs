//! What selects a profile, and what does not.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::tests::{layers, problems, read, read_with_profile};

#[test]
fn a_profile_name_is_no_path() {
    let sandbox = Sandbox::from("== evil.config.toml\na = 1\n");
    let snapshot = read_with_profile(&sandbox, &[], "../evil", None);
    assert_eq!(snapshot.effective().get("a"), None);
    assert_eq!(problems(&sandbox, &snapshot), ["badName  profile"]);
}

#[test]
fn a_profile_without_a_file_is_told() {
    let sandbox = Sandbox::new();
    let told = |sandbox: &Sandbox| {
        let snapshot = read_with_profile(sandbox, &[], "z", None);
        problems(sandbox, &snapshot)
    };
    assert_eq!(told(&sandbox), ["missing /ch/z.config.toml profile"]);
    sandbox.write("ch/z.config.toml", "");
    assert!(told(&sandbox).is_empty());
}

#[test]
fn a_key_selects_no_profile() {
    let home = "== ch/config.toml\nprofile = \"z\"\n== ch/z.config.toml\na = 1\n";
    let sandbox = Sandbox::from(home);
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(layers(&snapshot).len(), 2);
    assert_eq!(snapshot.effective().get("a"), None);
    assert_eq!(
        problems(&sandbox, &snapshot),
        ["unknownField /ch/config.toml:1:11 profile"]
    );
    let warning = &snapshot.warnings()[0];
    assert!(warning.summary.contains("--profile z"), "{warning:?}");
    assert_eq!(warning.path, Some(sandbox.path("ch/config.toml")));

    let snapshot = read(&sandbox, &["profile=5"], None);
    assert_eq!(snapshot.effective().get("a"), None);
    assert_eq!(problems(&sandbox, &snapshot), ["unknownField  profile"]);
    let snapshot = read_with_profile(&sandbox, &[], "z", None);
    assert_eq!(snapshot.effective()["a"], json!(1));
}

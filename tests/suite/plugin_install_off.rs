//! Proves `plugin/install` of a plugin that stays off because a layer above the user's says so.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{DEMO, DEMO_MANIFEST, install, launch, shown, start, text};

#[test]
fn a_plugin_that_stays_off_is_told() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.write(
        "ch/work.config.toml",
        "[plugins.\"hello@demo\"]\nenabled = false\n",
    );
    let flag = "plugins.tools@demo.enabled=false";
    let launch = launch().args(&["-c", flag, "--profile", "work"]);
    let mut daemon = launch.start(&sandbox);
    daemon.initialize();
    let mut told = |name: &str| {
        let answer = install(&mut daemon, DEMO_MANIFEST, name);
        let rows = answer["problems"].as_array().unwrap().iter();
        let rows = rows.map(|one| format!("{} {}", text(&one["kind"]), text(&one["message"])));
        shown(&json!(rows.collect::<Vec<_>>()), &sandbox)
    };
    let tools =
        "config `tools@demo` is installed and stays off, because a flag of this process says so";
    assert_eq!(told("tools"), json!([tools]));
    let hello = "config `hello@demo` is installed and stays off, because `$ROOT/ch/work.config.toml` says so";
    assert_eq!(told("hello"), json!([hello]));
    daemon.shut_down();
    // The user's own word is what an installation changes.
    let mut daemon = start(&sandbox);
    let answer = install(&mut daemon, DEMO_MANIFEST, "hello");
    assert_eq!(answer["problems"], json!([]));
    daemon.shut_down();
}

//! What a reading costs beside what is installed, and what it tells of its own copy. Operations are
//! counted, not timed.

use std::sync::Arc;

use plugd_marketplace::Selector;
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use super::read_offer;
use crate::fixture::{self, Closed};
use crate::{Copies, Differing, Lookup, Reading, Roots};

/// A marketplace with the plugin `p0`, and so many installed ones of which it is the first.
fn sandbox(installed: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let catalog = r#"{"name":"m","plugins":[{"name":"p0","source":"./p0"}]}"#;
    sandbox.write("home/.agents/plugins/marketplace.json", catalog);
    sandbox.write(
        "home/p0/.codex-plugin/plugin.json",
        r#"{"name":"p0","version":"1.0.0"}"#,
    );
    let mut config = String::new();
    for one in 0..installed {
        let manifest = format!("ch/plugins/cache/m/p{one}/1.0.0/.codex-plugin/plugin.json");
        sandbox.write(&manifest, format!("{{\"name\":\"p{one}\"}}"));
        config.push_str(&format!("[plugins.\"p{one}@m\"]\nenabled = true\n"));
    }
    sandbox.write("ch/config.toml", config);
    sandbox
}

fn read(sandbox: &Sandbox, lookup: &Lookup, copies: &Copies) -> Reading {
    let resolved = lookup.resolve(&Roots::default());
    let manifest = sandbox.path("home/.agents/plugins/marketplace.json");
    let selector = Selector::Named {
        manifest: &manifest,
        plugin: "p0",
    };
    let offer = resolved.set.select(&selector).unwrap();
    let found = read_offer(lookup, copies, &resolved, &offer, &Differing::default());
    found.unwrap().reading
}

/// The operations of a first reading and of a second one.
fn operations(installed: usize) -> [usize; 2] {
    let sandbox = sandbox(installed);
    let probe = RecordingProbe::new();
    let (lookup, copies) = fixture::probed(&sandbox, Arc::<RecordingProbe>::clone(&probe));
    std::array::from_fn(|_| {
        probe.reset();
        let reading = read(&sandbox, &lookup, &copies);
        assert!(reading.summary.installed);
        assert_eq!(reading.problems, []);
        probe.counts().into_values().sum()
    })
}

#[test]
fn a_reading_costs_the_same_however_much_is_installed() {
    assert_eq!(operations(1), operations(30));
}

/// Nobody is logged in, so no app is shown; the mistake is.
#[track_caller]
fn check_apps(sandbox: &Sandbox, expected: &[&str]) {
    let (lookup, copies) = fixture::probed(sandbox, RecordingProbe::new());
    let problems = read(sandbox, &lookup, &copies).problems;
    let told: Vec<&str> = problems.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_broken_apps_file_is_told_without_an_account() {
    let with = |text| {
        let sandbox = sandbox(0);
        sandbox.write("home/p0/.app.json", text);
        sandbox
    };
    check_apps(&with(r#"{"apps":{"a":{"id":"c"}}}"#), &[]);
    let text = "an object is expected here, not an array";
    check_apps(&with(r#"{"apps":[]}"#), &[text]);
    check_apps(&with(r#"{"apps":{"a":{}}}"#), &["the app has no `id`"]);
    // An entry that stands in for the manifest hides nothing either.
    let sandbox = Sandbox::new();
    let catalog = r#"{"name":"m","plugins":[{"name":"p0","source":"./p0","version":"1.0.0"}]}"#;
    sandbox.write("home/.agents/plugins/marketplace.json", catalog);
    sandbox.write("home/p0/.app.json", r#"{"apps":[]}"#);
    check_apps(&sandbox, &[text]);
}

#[test]
fn a_copy_that_cannot_be_read_is_told_and_the_source_is_shown() {
    let sandbox = sandbox(1);
    let copy = sandbox.path("ch/plugins/cache/m/p0");
    let (lookup, copies) = fixture::probed(&sandbox, Arc::new(Closed(copy.clone())));
    let reading = read(&sandbox, &lookup, &copies);
    assert_eq!(reading.summary.local_version.as_deref(), Some("1.0.0"));
    assert!(!reading.summary.installed);
    let [problem] = reading.problems.as_slice() else {
        panic!("{:?}", reading.problems);
    };
    assert_eq!(problem.path, Some(copy));
}

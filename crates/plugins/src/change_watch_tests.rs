//! Which differences are the work of others.

use std::collections::BTreeSet;

use plugd_model::{MarketplaceName, PluginId};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{ChangeWatch, by_others};
use crate::Blocking;
use crate::events::{Change, ChangeReason, EventStream, Events};
use crate::fixture::parts;
use crate::observed::Differences;

fn id(text: &str) -> PluginId {
    PluginId::parse(text).unwrap()
}

/// Names as `p@m`, `/m` and `=key.path`; a change that speaks of everything is `*`.
fn found(names: &[&str]) -> Differences {
    let mut found = Differences::default();
    for name in names {
        match name.split_at(1) {
            ("*", _) => found.is_more = true,
            ("/", name) => drop(
                found
                    .marketplaces
                    .insert(MarketplaceName::new(name).unwrap()),
            ),
            ("=", path) => {
                let path = path.split('.').map(str::to_owned).collect();
                found.keys.insert(path);
            }
            _ => drop(found.plugins.insert(id(name))),
        }
    }
    found
}

fn own(names: &[&str]) -> Vec<Change> {
    let change = Change::new(ChangeReason::Request);
    if names.is_empty() {
        return Vec::new();
    }
    let change = names
        .iter()
        .fold(change, |change, name| match name.split_at(1) {
            ("*", _) => change,
            ("/", name) => change.marketplace(MarketplaceName::new(name).unwrap()),
            ("=", path) => change.config_key(path),
            _ => change.plugin(id(name)),
        });
    vec![change]
}

#[track_caller]
fn check(differences: &[&str], told: &[&str], expected: &[&str]) {
    let rest = by_others(found(differences), &own(told));
    let names = rest.map(|change| {
        let mut names: BTreeSet<String> = BTreeSet::new();
        names.extend(change.plugins.iter().map(ToString::to_string));
        names.extend(change.marketplaces.iter().map(|name| format!("/{name}")));
        names.extend(change.config_keys.iter().map(|key| format!("={key}")));
        if names.is_empty() {
            names.insert("*".to_owned());
        }
        names
    });
    let expected: BTreeSet<String> = expected.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(names.unwrap_or_default(), expected);
}

#[test]
fn what_this_process_tells_is_not_told_again() {
    check(&["a@m", "=plugins.a@m"], &["a@m", "=plugins.a@m"], &[]);
    check(&["a@m", "=plugins.a@m"], &["a@m"], &[]);
    check(&["=plugins.a@m"], &["=plugins.a@m.enabled"], &[]);
    check(&["=plugins.a@m.enabled"], &["=plugins"], &[]);
    check(&["/m", "=marketplaces.m"], &["/m"], &[]);
    check(
        &["/m", "=marketplaces.m.source"],
        &["=marketplaces.m.source"],
        &[],
    );
    check(&["a@m", "/m", "*"], &["*"], &[]);
}

#[test]
fn what_others_did_beside_it_is_told() {
    let all = ["a@m", "=plugins.a@m"];
    check(&all, &[], &all);
    check(&["a@m", "b@m"], &["a@m"], &["b@m"]);
    // A switch says nothing of the copy.
    check(
        &["a@m", "=plugins.a@m.enabled"],
        &["=plugins.a@m.enabled"],
        &["a@m"],
    );
    check(
        &["=plugins.ab@m"],
        &["=plugins.a@m"],
        &["=plugins.ab@m", "ab@m"],
    );
    check(
        &["=model", "=model_provider"],
        &["=model"],
        &["=model_provider"],
    );
    check(&["*", "a@m"], &["b@m"], &["*"]);
}

#[test]
fn a_row_of_the_configuration_names_what_it_is_about() {
    check(
        &["=plugins.a@m.enabled"],
        &[],
        &["=plugins.a@m.enabled", "a@m"],
    );
    check(&["=marketplaces.m"], &[], &["=marketplaces.m", "/m"]);
    check(&["=plugins.no id"], &[], &["=plugins.no id"]);
    check(&["=features.plugins"], &[], &["=features.plugins"]);
    check(&[], &[], &[]);
}

/// A watch over a home with two installed plugins, begun for a client that wants it.
async fn begun(sandbox: &Sandbox) -> (ChangeWatch, EventStream) {
    for name in ["a", "b"] {
        sandbox.write(
            &format!("ch/plugins/cache/m/{name}/1.0.0/plugin.json"),
            "{}",
        );
    }
    let (lookup, copies) = parts(sandbox);
    let (events, stream) = Events::channel();
    stream.want_changes();
    let watch = ChangeWatch::new(Blocking::new(1, 1), lookup, copies, events);
    watch.begin().await;
    (watch, stream)
}

/// A long run puts things in their places and tells at its end.
#[tokio::test]
async fn what_this_process_has_in_hand_is_left_to_it() {
    let sandbox = Sandbox::new();
    let (watch, _stream) = begun(&sandbox).await;
    watch.0.lookup.claims().plugin(id("a@m"));
    for name in ["a", "b"] {
        sandbox.remove(&format!("ch/plugins/cache/m/{name}"));
    }
    let others = Change::new(ChangeReason::Watcher).plugin(id("b@m"));
    assert_eq!(watch.reconciled(Vec::new()).await, [others]);
    assert_eq!(watch.reconciled(Vec::new()).await, []);
    let own = Change::new(ChangeReason::Refresh).plugin(id("a@m"));
    let told = watch.reconciled(vec![own.clone()]).await;
    assert_eq!(told, [own]);
    assert_eq!(watch.reconciled(Vec::new()).await, []);
}

#[tokio::test]
async fn a_plugin_that_somebody_is_at_is_told_when_he_is_done() {
    let sandbox = Sandbox::new();
    let (watch, _stream) = begun(&sandbox).await;
    let journal = "ch/plugins/.plugd/journal/1.json";
    let text = r#"{"version": 1, "operation": "uninstall", "plugin": "a@m", "wasPresent": true,
        "new": null, "recordBefore": null}
"#;
    sandbox.write(journal, text);
    sandbox.remove("ch/plugins/cache/m/a");
    assert_eq!(watch.reconciled(Vec::new()).await, []);
    sandbox.remove(journal);
    let told = watch.reconciled(Vec::new()).await;
    assert_eq!(told, [Change::new(ChangeReason::Watcher).plugin(id("a@m"))]);
}

#[tokio::test]
async fn after_the_end_nothing_is_looked_at() {
    let sandbox = Sandbox::new();
    let (watch, _stream) = begun(&sandbox).await;
    sandbox.remove("ch/plugins/cache/m/a");
    watch.stop();
    assert_eq!(watch.reconciled(Vec::new()).await, []);
    let (lookup, copies) = parts(&sandbox);
    let (events, _unwilling) = Events::channel();
    let unasked = ChangeWatch::new(Blocking::new(1, 1), lookup, copies, events);
    unasked.begin().await;
    assert!(!unasked.0.is_watching());
}

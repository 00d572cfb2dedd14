//! What a listing repeats, and what it costs then. Operations are counted, not timed.

use std::sync::atomic::{AtomicUsize, Ordering};

use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::value::to_raw_value;

use crate::survey::Survey;
use crate::{Differing, ListedPlugin, Lookup, Roots, fixture};

fn sandbox(plugins: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let entries: Vec<String> = (0..plugins)
        .map(|one| {
            let manifest = format!("home/plugins/p{one}/.codex-plugin/plugin.json");
            sandbox.write(&manifest, format!("{{\"name\":\"p{one}\"}}"));
            format!("{{\"name\":\"p{one}\",\"source\":\"./plugins/p{one}\"}}")
        })
        .collect();
    let catalog = format!("{{\"name\":\"m\",\"plugins\":[{}]}}", entries.join(","));
    sandbox.write("home/.agents/plugins/marketplace.json", catalog);
    sandbox
}

fn listed(lookup: &Lookup, copies: &crate::Copies) -> Vec<ListedPlugin> {
    let resolved = lookup.resolve(&Roots::default());
    let none = Differing::default();
    let survey = Survey::new(lookup, copies.store().unwrap(), &resolved, &none).unwrap();
    let listing = survey.listing(|_| true);
    assert_eq!(listing.load_errors, Vec::new());
    let groups = listing.marketplaces.into_iter();
    groups.flat_map(|group| group.plugins).collect()
}

/// How often a row was worked out anew for a client.
fn told(rows: &[ListedPlugin]) -> usize {
    let count = AtomicUsize::new(0);
    for row in rows {
        let tell = |summary: &crate::Summary| {
            count.fetch_add(1, Ordering::Relaxed);
            to_raw_value(summary.id.plugin.as_str())
        };
        row.json(tell).unwrap();
    }
    count.into_inner()
}

#[test]
fn only_what_is_new_is_worked_out() {
    let sandbox = sandbox(5);
    let (lookup, copies) = fixture::parts(&sandbox);
    let told_now = || told(&listed(&lookup, &copies));
    assert_eq!(told_now(), 5);
    assert_eq!(told_now(), 0);
    // All is read once more for the watch, and says the same.
    while lookup.loader().watch_due(2) {}
    assert_eq!(told_now(), 0);
    let manifest = "home/plugins/p3/.codex-plugin/plugin.json";
    sandbox.write(manifest, "{\"name\":\"p3\",\"version\":\"2.0.0\"}");
    assert_eq!(told_now(), 1);
    assert_eq!(told_now(), 0);
    sandbox.write("ch/config.toml", "[plugins.\"p1@m\"]\nenabled = true\n");
    assert_eq!(told_now(), 1);
    assert_eq!(told_now(), 0);
}

#[test]
fn the_rows_of_many_marketplaces_are_kept() {
    let sandbox = Sandbox::new();
    let mut config = String::new();
    for one in 0..100 {
        let root = sandbox.path(format!("markets/{one}"));
        let catalog = format!(r#"{{"name":"m{one}","plugins":[{{"name":"p","source":"./p"}}]}}"#);
        let dir = format!("markets/{one}");
        sandbox.write(&format!("{dir}/.agents/plugins/marketplace.json"), catalog);
        sandbox.write(
            &format!("{dir}/p/.codex-plugin/plugin.json"),
            "{\"name\":\"p\"}",
        );
        config += &format!("[marketplaces.m{one}]\nsource_type = \"local\"\nsource = \"{root}\"\n");
    }
    sandbox.write("ch/config.toml", config);
    let (lookup, copies) = fixture::parts(&sandbox);
    assert_eq!(told(&listed(&lookup, &copies)), 100);
    assert_eq!(told(&listed(&lookup, &copies)), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_warm_listing_costs_the_same_for_any_number_of_plugins() {
    let cost = |plugins: usize| {
        let probe = RecordingProbe::new();
        let sandbox = sandbox(plugins);
        let (lookup, copies) = fixture::probed(&sandbox, probe.clone());
        for _ in 0..4 {
            listed(&lookup, &copies);
            while lookup.loader().watch_due(16) {}
        }
        let before = probe.operations().len();
        assert_eq!(listed(&lookup, &copies).len(), plugins);
        probe.operations().len() - before
    };
    let one = cost(1);
    assert_eq!(cost(40), one);
    assert!(one < 20, "{one} operations");
}

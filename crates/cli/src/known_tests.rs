use std::sync::Arc;

use plugd_disk::Disk;
use plugd_plugins::{ConfiguredKind, Copies, Lookup, Remote, SessionFlags};
use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;

use super::{KnownMarketplace, marketplaces, ungated};

const CATALOG: &str = r#"
== home/.agents/plugins/marketplace.json
{"name": "homie", "plugins": [{"name": "bad one", "source": "./x"}]}
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [{"name": "hello", "source": "./plugins/hello"}]}
"#;

fn lookup(sandbox: &Sandbox) -> Lookup {
    let (environment, layout) = (test_environment(sandbox), sandbox.layout());
    let names = Arc::clone(&environment.names);
    let clock = Arc::clone(&environment.clock);
    let copies = Copies::new(Disk::new(), layout.clone(), names, Arc::clone(&clock));
    let remote = Remote::new(&environment, &layout, &copies);
    Lookup::new(
        Disk::new(),
        Arc::new(layout),
        Some(sandbox.home()),
        Arc::new(SessionFlags::none()),
        remote,
        clock,
    )
}

fn known(fixture: &str) -> (Sandbox, Vec<KnownMarketplace>) {
    let sandbox = Sandbox::from(fixture);
    let found = marketplaces(&lookup(&sandbox));
    (sandbox, found)
}

/// Name, root, manifest, whether configured, kind and severity of the problem.
#[track_caller]
fn check(fixture: &str, expected: &[&str]) {
    let (sandbox, found) = known(fixture);
    let lines: Vec<String> = found
        .iter()
        .map(|one| {
            let manifest = one
                .path
                .as_ref()
                .map_or("-".to_owned(), |path| path.to_text());
            let configured = match &one.configured {
                None => "-",
                Some(ConfiguredKind::Local { .. }) => "local",
                Some(ConfiguredKind::Git { .. }) => "git",
                Some(ConfiguredKind::Packed { .. }) => "packed",
            };
            let problem = one
                .problem
                .as_ref()
                .map_or("-", |problem| problem.kind.word());
            let line = format!(
                "{} {} {manifest} {configured} {problem}",
                one.name, one.root
            );
            line.replace(&sandbox.root().to_text(), "$ROOT")
        })
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn home_and_configured_ones() {
    let config = "== ch/config.toml\n[marketplaces.demo]\nsource_type = \"local\"\n\
                  source = \"$ROOT/demo\"\n";
    check(
        &format!("{CATALOG}{config}"),
        &[
            // Its bad entry is a problem of the listing, not of the marketplace.
            "homie $ROOT/home $ROOT/home/.agents/plugins/marketplace.json - -",
            "demo $ROOT/demo $ROOT/demo/.agents/plugins/marketplace.json local -",
        ],
    );
}

#[test]
fn broken_ones_have_their_configured_name_and_place() {
    let config = r#"
== ch/config.toml
[marketplaces.gone]
source_type = "local"
source = "$ROOT/gone"
[marketplaces.alsogone]
source_type = "local"
source = "$ROOT/gone too"
[marketplaces.remote]
source_type = "git"
source = "https://example.invalid/x"
"#;
    let (_, found) = known(config);
    assert!(found.iter().all(KnownMarketplace::is_broken), "{found:?}");
    check(
        config,
        &[
            "gone $ROOT/gone - local missing",
            "alsogone $ROOT/gone too - local missing",
            "remote $ROOT/ch/.tmp/marketplaces/remote - git missing",
        ],
    );
}

#[test]
fn a_home_manifest_that_is_no_json() {
    check(
        "== home/.agents/plugins/marketplace.json\nno\n",
        &["$ROOT/home/.agents/plugins/marketplace.json \
           $ROOT/home/.agents/plugins/marketplace.json - - syntax"],
    );
}

#[test]
fn a_second_one_of_a_name_carries_the_conflict() {
    let config = "== ch/config.toml\n[marketplaces.homie]\nsource_type = \"local\"\n\
                  source = \"$ROOT/other\"\n\
                  == other/.agents/plugins/marketplace.json\n{\"name\": \"homie\", \"plugins\": []}\n";
    check(
        &format!("{CATALOG}{config}"),
        &[
            "homie $ROOT/home $ROOT/home/.agents/plugins/marketplace.json - -",
            "homie $ROOT/other $ROOT/other/.agents/plugins/marketplace.json local conflict",
        ],
    );
}

#[test]
fn with_plugins_switched_off_there_is_none() {
    let config = "== ch/config.toml\n[features]\nplugins = false\n";
    let fixture = format!("{CATALOG}{config}");
    check(&fixture, &[]);
    // They are still there for whoever asks what was switched off.
    let sandbox = Sandbox::from(&fixture);
    let names: Vec<String> = ungated(&lookup(&sandbox))
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["homie"]);
}

//! Proves that plugins of the curated marketplace come by an archive and by a lock, also where the
//! snapshot is at another commit or not there, and that nothing else gets its name that way.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::curated_sync::{Curated, P, catalog};
use crate::fixtures::{install, refused, text};
use crate::lock::{LOCK, in_project, lock};
use crate::remotes::nothing_left;
use crate::trust::{STRICT, approve};
use crate::trust_locks::another;

const MANIFEST: &str = "$ROOT/ch/.tmp/plugins/.agents/plugins/api_marketplace.json";
const ID: &str = "p@openai-api-curated";

/// The curated plugin `p`, installed, locked by a project and exported. Answers the commit.
fn shared() -> (Curated, String) {
    let curated = Curated::new(&catalog(P));
    let sandbox = &curated.sandbox;
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut daemon = curated.synced();
    install(&mut daemon, MANIFEST, "p");
    lock(&mut daemon, json!({}));
    daemon.ok("plugd/export", archive());
    daemon.shut_down();
    let commit = curated.repo.head();
    (curated, commit)
}

fn archive() -> Value {
    json!({"path": "$ROOT/plugins.tar.gz"})
}

/// The daemon over a home without a snapshot, which looks for none by itself.
#[track_caller]
fn bare(curated: &Curated, home: &str, settings: &str) -> Daemon {
    let sandbox = &curated.sandbox;
    let settings = format!("{}{settings}", sandbox.text("ch/plugd.toml"));
    another(sandbox, home, &settings)
}

/// The copy in that home is the one of that commit.
#[track_caller]
fn is_there(sandbox: &Sandbox, home: &str, commit: &str) {
    let cache = format!("{home}/plugins/cache/openai-api-curated/p/{}", &commit[..8]);
    assert!(sandbox.exists(&cache), "{cache}");
    let record = format!("{home}/plugins/.plugd/installed/openai-api-curated/p.json");
    let record: Value = serde_json::from_str(&sandbox.text(&record)).unwrap();
    assert_eq!(record["commit"], commit, "{record:#}");
}

#[test]
fn an_archive_brings_a_curated_plugin_to_a_home_without_a_snapshot() {
    let (curated, commit) = shared();
    let mut daemon = bare(&curated, "ch2", "");
    let answer = daemon.ok("plugd/import", archive());
    let rows = answer["changes"].as_array().unwrap();
    let row = rows.iter().find(|row| row["pluginId"] == ID).unwrap();
    assert_eq!(row["reason"], "installed", "{answer:#}");
    is_there(&curated.sandbox, "ch2", &commit);
    assert_eq!(daemon.ok("plugd/verify", json!({}))["matches"], true);
    daemon.shut_down();
    // Whatever it calls itself, an archive is believed for its content only.
    let mut strict = bare(&curated, "ch3", STRICT);
    let error = strict.err("plugd/import", archive());
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    approve(&mut strict, ID, &error["data"]["digest"]);
    strict.ok("plugd/import", archive());
    is_there(&curated.sandbox, "ch3", &commit);
    strict.shut_down();
    nothing_left(&curated.sandbox);
}

#[test]
fn a_lock_brings_a_curated_plugin_at_its_commit() {
    let (curated, commit) = shared();
    let sandbox = &curated.sandbox;
    curated.repo.commit(&catalog(&[("p", "2.0.0")]));
    let mut daemon = bare(&curated, "ch2", STRICT);
    let offline = in_project(json!({"offline": true}));
    assert_eq!(
        refused(&mut daemon, "plugd/sync", offline),
        "-32600 unavailable"
    );
    // It lies behind what the curated repository has now, so nobody is asked.
    daemon.ok("plugd/sync", in_project(json!({})));
    is_there(sandbox, "ch2", &commit);
    daemon.shut_down();
    // So it does for a home whose snapshot went on.
    let mut went_on = curated.start();
    curated.sync_again(&mut went_on);
    went_on.ok("plugin/uninstall", json!({"pluginId": ID}));
    went_on.ok("plugd/gc", json!({}));
    went_on.ok("plugd/sync", in_project(json!({})));
    is_there(sandbox, "ch", &commit);
    went_on.shut_down();
    // What is in the repository and was never offered is another thing.
    let beside = format!("{}== beside.md\nx\n", catalog(P));
    let evil = curated.repo.commit_to("pr", &beside);
    let changed = sandbox
        .text(LOCK)
        .replace(&commit, &evil)
        .replace(&commit[..8], &evil[..8]);
    sandbox.write(LOCK, changed);
    let mut daemon = bare(&curated, "ch3", STRICT);
    let error = daemon.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    assert!(text(&error["message"]).contains("nothing shows that"));
    daemon.shut_down();
    nothing_left(sandbox);
}

#[test]
fn no_lock_and_no_archive_gives_the_name_away() {
    let (curated, _) = shared();
    let sandbox = &curated.sandbox;
    let good = sandbox.text(LOCK);
    let mut daemon = bare(&curated, "ch2", "");
    let mut check = |text: &str| {
        sandbox.write(LOCK, text);
        for more in [json!({}), json!({"dryRun": true}), json!({"switch": true})] {
            assert_eq!(
                refused(&mut daemon, "plugd/sync", in_project(more)),
                "-32600 invalidInput",
                "{text}"
            );
        }
        assert!(!sandbox.exists("ch2/config.toml"));
    };
    check(&good.replace("curated = true", "git = \"https://127.0.0.1:1/x.git\""));
    check(&good.replace("curated = true", "path = \"/tmp\""));
    check(&good.replace("openai-api-curated", "acme"));
    check("version = 1\n\n[marketplaces.openai-curated]\npath = \"./x\"\n");
    check("version = 1\n\n[marketplaces.openai-bundled]\ncurated = true\n");
    daemon.shut_down();
}

//! Proves that the examples work as they stand: the sessions of `examples/demo` and `examples/team`
//! against the sample in `examples/marketplace`, which loads without a complaint.

use std::path::{Path, PathBuf};

use plugd_model::AbsPath;
use plugd_testkit::{Sandbox, tree};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{BINARY, plugins_in, start, text};

#[path = "../../examples/demo/daemon.rs"]
mod daemon;
#[path = "../../examples/demo/session.rs"]
mod session;
#[path = "../../examples/team/session.rs"]
mod team;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/marketplace")
}

#[test]
fn the_session_tells_what_a_frontend_sees() {
    let mut lines: Vec<String> = Vec::new();
    let mut print = |line: &str| lines.push(line.to_owned());
    let home = session::run(Path::new(BINARY), &sample(), &mut print).unwrap();
    let steps: Vec<&String> = lines.iter().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        steps,
        [
            "1. initialize",
            "2. marketplace/add: the sample marketplace, by its directory",
            "3. plugin/list",
            "4. plugin/read: release-notes from the inside",
            "5. plugin/install",
            "6. the author raises the version to 1.1.0; the next plugin/list notices",
            "7. plugin/uninstall",
            "8. end of input: the daemon answers what it owes and ends",
            "done; nothing outside the temporary directory was touched",
        ]
    );
    // What the listings said about one plugin, step by step.
    let listed: Vec<String> = lines
        .iter()
        .filter(|line| line.contains("release-notes@sample") && line.contains("installed"))
        .map(|line| {
            line.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        listed,
        [
            "1.0.0 not installed",
            "1.0.0 installed 1.0.0",
            "1.1.0 installed 1.1.0",
            "1.1.0 not installed",
        ]
    );
    let said = lines.join("\n");
    assert!(
        said.contains("demo/0.169.0 (") && said.contains("skill: "),
        "{said}"
    );
    let left = AbsPath::new(&home).unwrap();
    assert_eq!(tree(&left), "", "{left} is still there");
}

#[test]
fn the_session_of_a_team_does_what_it_says() {
    let mut lines: Vec<String> = Vec::new();
    let mut print = |line: &str| lines.push(line.to_owned());
    let root = team::run(Path::new(BINARY), &sample(), &mut print).unwrap();
    let said: Vec<String> = lines.iter().map(|line| without_chance(line)).collect();
    assert_eq!(
        said,
        [
            "1. one of the team installs what the project needs, and locks it",
            "   sample                   - -> (here) added",
            "   glossary@sample          - -> 2.1.0 added",
            "   release-notes@sample     - -> 1.0.0 added",
            "2. another home is empty: a build would stop here, `plugd/sync` brings what is locked",
            "   sample                   - -> (here) added",
            "   glossary@sample          - -> 2.1.0 installed",
            "   release-notes@sample     - -> 1.0.0 installed",
            "3. frozen, nothing has to change any more; both homes have the same content",
            "   glossary@sample          2.1.0 sha256:N",
            "   release-notes@sample     1.0.0 sha256:N",
            "4. a host runs under a lease, and another process updates the plugin",
            "   release-notes@sample     1.0.0 -> 1.1.0 newer",
            "   differs: hook release-notes@sample:hooks/hooks.json:stop:0:0",
            "   what the host loaded is as it was",
            "5. the new version is not liked: back, and pinned there",
            "   release-notes@sample     1.1.0 -> 1.0.0 rolledBack",
            "   release-notes@sample     1.0.0 -> 1.1.0 heldByPin",
            "6. somebody changes an installed file: `plugd/verify` names it, an installation mends it",
            "   changed: hooks/hooks.json",
            "   mended",
            "7. the host ends; `plugd/gc` tells what nobody needs, and removes that",
            "   N bytes in N kept trees",
            "8. two frontends on one home: one installs, the other is told",
            "   plugd/changed (watcher): commit-words@sample",
            "   N ms after the answer",
            "done; nothing outside the temporary directory was touched",
        ]
    );
    let left = AbsPath::new(&root).unwrap();
    assert_eq!(tree(&left), "", "{left} is still there");
}

/// A line without the numbers that differ from run to run or with the sample.
fn without_chance(line: &str) -> String {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = line.split(' ').map(|word| match word {
        digest if digest.starts_with("sha256:") => "sha256:N",
        number if is_number(number) => "N",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_sample_marketplace_loads_without_a_complaint() {
    let sandbox = Sandbox::new();
    let mut daemon = start(&sandbox);
    let added = daemon.ok("marketplace/add", json!({"source": sample()}));
    assert_eq!(added["marketplaceName"], "sample");
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    let ids: Vec<&str> = plugins_in(&listing)
        .map(|plugin| text(&plugin["id"]))
        .collect();
    assert_eq!(
        ids,
        [
            "release-notes@sample",
            "commit-words@sample",
            "glossary@sample"
        ]
    );
    for plugin in plugins_in(&listing) {
        assert_eq!(plugin["problems"], json!([]), "{plugin:#}");
        let named = json!({
            "marketplacePath": listing["marketplaces"][0]["path"], "pluginName": plugin["name"],
        });
        let read = daemon.ok("plugin/read", named.clone());
        assert_eq!(read["plugin"]["summary"]["problems"], json!([]), "{read:#}");
        assert_eq!(daemon.ok("plugin/install", named)["problems"], json!([]));
    }
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

//! Proves that the examples work as they stand: the session of `examples/demo` against the sample
//! in `examples/marketplace`, which loads without a complaint.

use std::path::{Path, PathBuf};

use plugd_model::AbsPath;
use plugd_testkit::{Sandbox, tree};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{BINARY, plugins_in, start, text};

#[path = "../../examples/demo/session.rs"]
mod session;

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

//! Proves `rpc.discover`: an OpenRPC document that is the committed one and names exactly the
//! methods that are built.
#![expect(
    clippy::disallowed_methods,
    reason = "this test reads a file of the source tree, which is not a home directory"
)]

use std::path::Path;

use plugd_protocol::{Direction, NOTIFICATIONS};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{launch, refused, start, text};

#[test]
fn the_document_is_the_committed_one() {
    let mut daemon = start(&Sandbox::new());
    let document = daemon.ok("rpc.discover", json!({}));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/openrpc.json");
    let committed: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(document, committed);
    daemon.shut_down();
}

#[test]
fn it_names_what_is_built() {
    let mut daemon = launch().start(&Sandbox::new());
    let hello = daemon.initialize();
    let document = daemon.ok("rpc.discover", json!(null));
    assert!(
        text(&document["openrpc"]).starts_with("1.3"),
        "{}",
        document["openrpc"]
    );
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let names: Vec<&Value> = document["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["name"])
        .collect();
    let mut expected: Vec<Value> = hello["capabilities"]["plugd"]["methods"]
        .as_array()
        .unwrap()
        .clone();
    // What a client may send without an answer is described too.
    let from_client = NOTIFICATIONS
        .iter()
        .filter(|one| one.direction == Direction::FromClient);
    expected.extend(from_client.map(|notification| json!(notification.name)));
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
    for method in document["methods"].as_array().unwrap() {
        let described =
            !text(&method["summary"]).is_empty() || !text(&method["description"]).is_empty();
        assert!(described, "{method:#}");
    }
    daemon.shut_down();
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    assert_eq!(
        refused(&mut daemon, "rpc.discover", json!([5])),
        "-32602 invalidParams"
    );
    daemon.shut_down();
}

//! Proves `configRequirements/read` where there are no requirements. The administrator's directory
//! cannot be moved from outside, so what stands in it is tested beside the code.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{refused, start};

#[test]
fn the_whole_answer() {
    let mut daemon = start(&Sandbox::new());
    let answer = daemon.ok("configRequirements/read", json!({}));
    let expected = json!({"requirements": null, "supportsIndependentSpeedModes": null});
    assert_eq!(answer, expected);
    // What the user writes is no requirement.
    let edit = json!({
        "keyPath": "marketplaces.restrict_to_allowed_sources", "value": true,
        "mergeStrategy": "replace",
    });
    daemon.call("config/value/write", edit);
    assert_eq!(daemon.ok("configRequirements/read", json!(null)), expected);
    daemon.shut_down();
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    for params in [json!([1]), json!("x"), json!([{}, {}])] {
        let got = refused(&mut daemon, "configRequirements/read", params.clone());
        assert_eq!(got, "-32602 invalidParams", "{params}");
    }
    daemon.shut_down();
}

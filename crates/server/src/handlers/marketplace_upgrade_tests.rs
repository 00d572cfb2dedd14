use plugd_model::{AbsPath, Place, PluginId, Problem, ProblemKind};
use plugd_plugins::{
    Error, History, MarketplaceUpgrade, Moved, PluginOutcome, PluginResult, Upgraded,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::response;

#[track_caller]
fn check(upgraded: Upgraded, expected: Value) {
    let found = serde_json::to_value(response(upgraded, "1")).unwrap();
    assert_eq!(found, expected);
}

fn moved(changed: bool, history: Option<History>) -> Moved {
    Moved {
        root: AbsPath::new("/ch/.tmp/marketplaces/m").unwrap(),
        to: "bbbb".to_owned(),
        changed,
        history,
        problems: Vec::new(),
    }
}

fn marketplace(name: &str, from: Option<&str>, outcome: Result<Moved, Error>) -> Upgraded {
    Upgraded {
        marketplaces: vec![MarketplaceUpgrade {
            name: name.to_owned(),
            from: from.map(str::to_owned),
            outcome,
        }],
        plugins: Vec::new(),
    }
}

#[test]
fn nothing_configured() {
    let expected = json!({
        "selectedMarketplaces": [], "upgradedRoots": [], "errors": [], "changes": [],
    });
    check(Upgraded::default(), expected);
}

#[test]
fn a_marketplace_that_moved() {
    let expected = json!({
        "selectedMarketplaces": ["m"],
        "upgradedRoots": ["/ch/.tmp/marketplaces/m"],
        "errors": [],
        "changes": [{"marketplaceName": "m", "from": "aaaa", "to": "bbbb", "changed": true,
                     "history": "rewritten", "reason": null, "problems": []}],
    });
    let outcome = Ok(moved(true, Some(History::Rewritten)));
    check(marketplace("m", Some("aaaa"), outcome), expected);
}

#[test]
fn a_marketplace_that_is_up_to_date_has_a_row_and_no_root() {
    let expected = json!({
        "selectedMarketplaces": ["m"],
        "upgradedRoots": [],
        "errors": [],
        "changes": [{"marketplaceName": "m", "from": "bbbb", "to": "bbbb", "changed": false,
                     "reason": null, "problems": []}],
    });
    check(
        marketplace("m", Some("bbbb"), Ok(moved(false, None))),
        expected,
    );
}

#[test]
fn what_was_left_out_is_told_in_its_row() {
    let mut one = moved(true, Some(History::Forward));
    one.problems = vec![Problem::warning(ProblemKind::LeftOut, "a pointer")];
    let upgraded = marketplace("m", None, Ok(one));
    let found = serde_json::to_value(response(upgraded, "1")).unwrap();
    let row = &found["changes"][0];
    assert_eq!(row["history"], json!("forward"));
    assert_eq!(
        row["problems"],
        json!([{"kind": "leftOut", "severity": "warning", "message": "a pointer"}])
    );
}

#[test]
fn a_failure_has_the_data_of_an_error_and_the_marketplace_stays() {
    let error = Error::Renamed {
        name: "m".to_owned(),
        found: "n".to_owned(),
    };
    let message = "the marketplace configured as `m` calls itself `n` now";
    let found = serde_json::to_value(response(marketplace("m", Some("aaaa"), Err(error)), "1"));
    let found = found.unwrap();
    let row = &found["errors"][0];
    assert_eq!(
        (&row["marketplaceName"], &row["message"]),
        (&json!("m"), &json!(message))
    );
    assert_eq!(row["data"]["kind"], json!("conflict"));
    assert!(row["data"]["hint"].is_string(), "{row}");
    assert_eq!(
        found["changes"],
        json!([{"marketplaceName": "m", "from": "aaaa", "to": "aaaa", "changed": false,
                "reason": message, "problems": []}])
    );
    assert_eq!(found["upgradedRoots"], json!([]));
}

#[test]
fn our_own_fault_is_not_told_in_detail() {
    let error = Error::Panicked {
        text: "secret of the code".to_owned(),
    };
    let found = serde_json::to_value(response(marketplace("m", None, Err(error)), "1")).unwrap();
    assert_eq!(found["errors"][0]["message"], json!("internal error"));
    assert_eq!(found["errors"][0]["data"]["kind"], json!("internal"));
    assert_eq!(found["changes"][0]["to"], Value::Null);
}

fn answer(outcome: PluginOutcome, problem: Option<Problem>) -> Value {
    let result = PluginResult {
        id: PluginId::parse("hello@m").unwrap(),
        outcome,
        from: Some("1.0.0".to_owned()),
        to: Some("1.1.0".to_owned()),
        problem,
        copy: None,
    };
    let upgraded = Upgraded {
        marketplaces: Vec::new(),
        plugins: vec![result],
    };
    serde_json::to_value(response(upgraded, "1")).unwrap()
}

fn plugin(outcome: PluginOutcome, problem: Option<Problem>) -> Value {
    answer(outcome, problem)["changes"].take()
}

#[test]
fn a_plugin_that_failed_is_an_error_of_its_marketplace_too() {
    let mut broken = Problem::error(ProblemKind::Syntax, "not valid JSON");
    broken.path = AbsPath::new("/m/plugin.json").ok();
    broken.place = Some(Place { line: 1, column: 2 });
    assert_eq!(
        answer(PluginOutcome::Failed, Some(broken))["errors"],
        json!([{"marketplaceName": "m",
                "message": "failed to upgrade plugin `hello@m`: not valid JSON",
                "data": {"kind": "invalidInput", "plugin": "hello@m", "marketplace": "m",
                         "path": "/m/plugin.json", "line": 1, "column": 2}}])
    );
    let offline = Problem::error(ProblemKind::Unavailable, "no network");
    let errors = &answer(PluginOutcome::Failed, Some(offline))["errors"];
    assert_eq!(errors[0]["data"]["kind"], json!("unavailable"));
    let gone = Problem::error(ProblemKind::Missing, "no repository");
    let errors = &answer(PluginOutcome::Failed, Some(gone))["errors"];
    assert_eq!(errors[0]["data"]["kind"], json!("notFound"));
    let held = Problem::warning(ProblemKind::HeldBack, "it is pinned");
    let none = json!([]);
    assert_eq!(answer(PluginOutcome::HeldBack, Some(held))["errors"], none);
    assert_eq!(answer(PluginOutcome::Updated, None)["errors"], none);
}

#[test]
fn plugins_that_moved_were_held_back_or_failed_have_rows() {
    let row = |changed: bool, reason: Value, problems: Value| {
        json!([{"pluginId": "hello@m", "from": "1.0.0", "to": "1.1.0", "changed": changed,
                "reason": reason, "problems": problems}])
    };
    let went = row(true, Value::Null, json!([]));
    assert_eq!(plugin(PluginOutcome::Updated, None), went);
    assert_eq!(plugin(PluginOutcome::Installed, None), went);
    assert_eq!(plugin(PluginOutcome::Unchanged, None), json!([]));
    let held = Problem::warning(ProblemKind::HeldBack, "it is pinned");
    assert_eq!(
        plugin(PluginOutcome::HeldBack, Some(held)),
        row(
            false,
            json!("it is pinned"),
            json!([{"kind": "heldBack", "severity": "warning", "message": "it is pinned"}])
        )
    );
    let failed = Problem::error(ProblemKind::Unavailable, "no network");
    assert_eq!(
        plugin(PluginOutcome::Failed, Some(failed)),
        row(
            false,
            json!("no network"),
            json!([{"kind": "unavailable", "severity": "error", "message": "no network"}])
        )
    );
}

use plugd_model::{PluginId, Problem, ProblemKind};
use plugd_plugins::{
    Error, History, MarketplaceUpgrade, Moved, PluginOutcome, PluginResult, Upgraded,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::page;
use crate::fixture::{path, text};
use crate::page::Form;

const OLD: &str = "5a2c9f0d4be1c37f86a0d9e1b3f7c2a4d6e8f001";
const NEW: &str = "77b1e0aac2d94f5e8b3a6071c9d2e4f50618a7b3";

fn moved(changed: bool, history: Option<History>) -> Moved {
    Moved {
        root: path("/ch/.tmp/marketplaces/demo"),
        to: NEW.to_owned(),
        changed,
        history,
        problems: Vec::new(),
    }
}

fn row(name: &str, from: Option<&str>, outcome: Result<Moved, Error>) -> MarketplaceUpgrade {
    MarketplaceUpgrade {
        name: name.to_owned(),
        from: from.map(str::to_owned),
        outcome,
    }
}

fn plugin(outcome: PluginOutcome, to: &str, problem: Option<Problem>) -> PluginResult {
    PluginResult {
        id: PluginId::parse("hello@demo").unwrap(),
        outcome,
        from: Some("1.0.0".to_owned()),
        to: Some(to.to_owned()),
        problem,
        copy: None,
    }
}

fn renamed() -> Error {
    Error::Renamed {
        name: "demo".to_owned(),
        found: "other".to_owned(),
    }
}

#[track_caller]
fn check(
    marketplaces: Vec<MarketplaceUpgrade>,
    plugins: Vec<PluginResult>,
    body: &str,
    warnings: &str,
    incomplete: Option<&str>,
) {
    let upgraded = Upgraded {
        marketplaces,
        plugins,
    };
    let page = page(upgraded, None, text()).unwrap();
    assert_eq!(page.body, body);
    assert_eq!(page.warnings, warnings);
    assert_eq!(page.incomplete.as_deref(), incomplete);
}

#[test]
fn nothing_to_do_says_so() {
    let body = "No configured Git marketplaces to upgrade.\n";
    check(Vec::new(), Vec::new(), body, "", None);
    let rows = || vec![row("demo", Some(NEW), Ok(moved(false, None)))];
    let body = "All configured Git marketplaces are already up to date.\n";
    check(rows(), Vec::new(), body, "", None);
    let mut packed = moved(false, None);
    packed.to = format!("sha256:{NEW}");
    let both = rows().into_iter().chain([row("far", None, Ok(packed))]);
    let other = "All configured marketplaces are already up to date.\n";
    check(both.collect(), Vec::new(), other, "", None);
    let one = Upgraded {
        marketplaces: rows(),
        plugins: Vec::new(),
    };
    assert_eq!(
        page(one, Some("demo"), text()).unwrap().body,
        "Marketplace `demo` is already up to date.\n"
    );
}

#[test]
fn what_moved_is_told_from_where_to_where() {
    let forward = Some(History::Forward);
    check(
        vec![
            row("a", Some(NEW), Ok(moved(false, None))),
            row("demo", Some(OLD), Ok(moved(true, forward))),
            row("new", None, Ok(moved(true, None))),
        ],
        vec![
            plugin(PluginOutcome::Updated, "1.1.0", None),
            plugin(PluginOutcome::Updated, "1.0.0", None),
            plugin(PluginOutcome::Installed, "1.1.0", None),
            plugin(PluginOutcome::Unchanged, "1.0.0", None),
        ],
        "Upgraded 2 marketplace(s).\n\
         Installed marketplace root: /ch/.tmp/marketplaces/demo\n\
         Installed marketplace root: /ch/.tmp/marketplaces/demo\n\
         Marketplace `a` is already up to date.\n\
         Marketplace `demo` moved from 5a2c9f0d to 77b1e0aa.\n\
         Marketplace `new` is at 77b1e0aa.\n\
         Plugin `hello@demo` moved from 1.0.0 to 1.1.0.\n\
         Plugin `hello@demo` is renewed at 1.0.0.\n\
         Plugin `hello@demo` is installed at 1.1.0.\n",
        "",
        None,
    );
}

#[test]
fn a_replaced_history_and_what_was_left_out_are_warnings() {
    let mut one = moved(true, Some(History::Rewritten));
    one.problems = vec![Problem::warning(ProblemKind::LeftOut, "a pointer of LFS")];
    let held = Problem::warning(ProblemKind::HeldBack, "`hello@demo` is pinned to 1.0.0");
    check(
        vec![row("demo", Some(OLD), Ok(one))],
        vec![plugin(PluginOutcome::HeldBack, "1.1.0", Some(held))],
        "Upgraded 1 marketplace(s).\n\
         Installed marketplace root: /ch/.tmp/marketplaces/demo\n\
         Marketplace `demo` moved from 5a2c9f0d to 77b1e0aa.\n",
        "warning: the history of marketplace `demo` was replaced: \
         77b1e0aa does not descend from 5a2c9f0d\n\
         warning: a pointer of LFS\n\
         warning: `hello@demo` is pinned to 1.0.0\n",
        None,
    );
}

#[test]
fn a_failure_is_told_with_its_hint_and_the_others_are_done() {
    let failed = Problem::error(ProblemKind::Unavailable, "no network");
    check(
        vec![
            row("a", Some(NEW), Ok(moved(false, None))),
            row("demo", Some(OLD), Err(renamed())),
        ],
        vec![plugin(PluginOutcome::Failed, "1.1.0", Some(failed))],
        "Marketplace `a` is already up to date.\n",
        "error: failed to upgrade marketplace `demo`: \
         the marketplace configured as `demo` calls itself `other` now\n\
         hint: `plugd marketplace remove demo`, then add the source again: it is `other` now\n\
         error: no network\n",
        Some("2 upgrade failure(s) occurred"),
    );
}

#[test]
fn json_is_the_methods_result_also_when_something_failed() {
    let upgraded = Upgraded {
        marketplaces: vec![row("demo", Some(OLD), Err(renamed()))],
        plugins: Vec::new(),
    };
    let page = page(upgraded, None, Form::Json).unwrap();
    assert_eq!(page.warnings, "");
    assert_eq!(
        page.incomplete.as_deref(),
        Some("1 upgrade failure(s) occurred")
    );
    let json: Value = serde_json::from_str(&page.body).unwrap();
    assert_eq!(json["selectedMarketplaces"], json!(["demo"]));
    assert_eq!(json["upgradedRoots"], json!([]));
    assert_eq!(json["errors"][0]["marketplaceName"], json!("demo"));
    assert_eq!(json["errors"][0]["data"]["kind"], json!("conflict"));
    assert_eq!(json["changes"][0]["changed"], json!(false));
}

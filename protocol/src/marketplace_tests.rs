//! The marketplace methods as they go over the wire.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{
    MarketplaceAddResponse, MarketplaceHistory, MarketplaceRemoveParams, MarketplaceUpgradeChange,
    MarketplaceUpgradeErrorInfo, MarketplaceUpgradeParams, MarketplaceUpgradeResponse,
};
use crate::checks::check;
use crate::{ErrorData, ErrorKind};

fn change() -> MarketplaceUpgradeChange {
    MarketplaceUpgradeChange {
        marketplace_name: None,
        plugin_id: None,
        from: None,
        to: None,
        changed: false,
        history: None,
        reason: None,
        problems: Vec::new(),
    }
}

#[test]
fn a_local_marketplace_has_no_commit() {
    let added = MarketplaceAddResponse {
        marketplace_name: "m".to_owned(),
        installed_root: "/m".into(),
        already_added: true,
        commit: None,
        problems: Vec::new(),
    };
    let expected = json!({"marketplaceName": "m", "installedRoot": "/m", "alreadyAdded": true,
                          "commit": null, "problems": []});
    check(&added, &expected);
}

#[test]
fn params_of_older_clients_stay_as_they_are() {
    let read = |json: Value| serde_json::from_value::<MarketplaceRemoveParams>(json);
    for old in [
        json!({"marketplaceName": "m"}),
        json!({"marketplaceName": "m", "removePlugins": null}),
    ] {
        assert_eq!(read(old).expect("params").remove_plugins, None);
    }
    let both = json!({"marketplaceName": "m", "removePlugins": true});
    assert_eq!(read(both).expect("params").remove_plugins, Some(true));
    let none: MarketplaceUpgradeParams = serde_json::from_value(json!({})).expect("params");
    check(&none, &json!({}));
}

#[test]
fn a_row_names_a_marketplace_or_a_plugin() {
    let marketplace = MarketplaceUpgradeChange {
        marketplace_name: Some("m".to_owned()),
        from: Some("a".to_owned()),
        to: Some("b".to_owned()),
        changed: true,
        history: Some(MarketplaceHistory::Unknown),
        ..change()
    };
    let plugin = MarketplaceUpgradeChange {
        plugin_id: Some("p@m".to_owned()),
        reason: Some("it is pinned".to_owned()),
        ..change()
    };
    let expected = json!({"marketplaceName": "m", "from": "a", "to": "b", "changed": true,
                          "history": "unknown", "reason": null, "problems": []});
    check(&marketplace, &expected);
    let expected = json!({"pluginId": "p@m", "from": null, "to": null, "changed": false,
                          "reason": "it is pinned", "problems": []});
    check(&plugin, &expected);
}

#[test]
fn a_failure_keeps_the_references_members() {
    let upgraded = MarketplaceUpgradeResponse {
        selected_marketplaces: vec!["m".to_owned()],
        upgraded_roots: vec!["/r".into()],
        errors: vec![MarketplaceUpgradeErrorInfo {
            marketplace_name: "m".to_owned(),
            message: "no answer".to_owned(),
            data: ErrorData {
                host: Some("git.example".to_owned()),
                retryable: Some(true),
                ..ErrorData::new(ErrorKind::Unavailable)
            },
        }],
        changes: Vec::new(),
    };
    let expected = json!({
        "selectedMarketplaces": ["m"], "upgradedRoots": ["/r"],
        "errors": [{"marketplaceName": "m", "message": "no answer",
                    "data": {"kind": "unavailable", "host": "git.example", "retryable": true}}],
        "changes": [],
    });
    check(&upgraded, &expected);
}

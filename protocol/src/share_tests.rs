//! What sharing and reconciling look like on the wire, to the letter.

use pretty_assertions::assert_eq;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    PluginReconcileChangedPlugin, PluginReconcileParams, PluginReconcileResponse,
    PluginShareCheckoutParams, PluginShareCheckoutResponse, PluginShareDeleteParams,
    PluginShareDeleteResponse, PluginShareDiscoverability, PluginShareLeftOut,
    PluginShareLeftOutReason, PluginShareListParams, PluginShareListResponse, PluginSharePrincipal,
    PluginSharePrincipalRole, PluginSharePrincipalType, PluginShareSaveParams,
    PluginShareSaveResponse, PluginShareUpdateTargetsParams, PluginShareUpdateTargetsResponse,
};

fn check(value: impl Serialize, expected: Value) {
    assert_eq!(serde_json::to_value(value).expect("plain data"), expected);
}

/// What was understood of params, written again; or the decoder's words.
fn decoded<P: Serialize + DeserializeOwned>(params: &Value) -> Result<Value, String> {
    let params: P = serde_json::from_value(params.clone()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(params).expect("params are plain data"))
}

fn check_params<P: Serialize + DeserializeOwned>(params: Value, expected: Value) {
    assert_eq!(decoded::<P>(&params), Ok(expected), "{params}");
}

fn check_error<P: Serialize + DeserializeOwned>(params: Value, words: &str) {
    let error = decoded::<P>(&params).expect_err("params are wrong");
    assert!(error.contains(words), "{params}: {error}");
}

#[test]
fn params() {
    let target = json!({"principalType": "group", "principalId": "g", "role": "editor"});
    let save = json!({"pluginPath": "/p", "discoverability": "PRIVATE", "shareTargets": [target]});
    check_params::<PluginShareSaveParams>(save.clone(), save);
    check_params::<PluginShareSaveParams>(
        json!({"pluginPath": "/p", "remotePluginId": null, "discoverability": null,
               "shareTargets": null, "later": 1}),
        json!({"pluginPath": "/p"}),
    );
    let empty = json!({"pluginPath": "/p", "remotePluginId": "r", "shareTargets": []});
    check_params::<PluginShareSaveParams>(empty.clone(), empty);
    let update = json!({"remotePluginId": "r", "discoverability": "LISTED",
                        "shareTargets": [target]});
    check_params::<PluginShareUpdateTargetsParams>(update.clone(), update);
    check_params::<PluginShareListParams>(json!({"later": 1}), json!({}));
    let id = json!({"remotePluginId": "r"});
    check_params::<PluginShareCheckoutParams>(id.clone(), id.clone());
    check_params::<PluginShareDeleteParams>(id.clone(), id);
    check_params::<PluginReconcileParams>(json!({"reason": null}), json!({}));
    check_params::<PluginReconcileParams>(json!({"reason": "x"}), json!({"reason": "x"}));
}

#[test]
fn params_that_cannot_be_meant() {
    check_error::<PluginShareSaveParams>(json!({}), "missing field `pluginPath`");
    check_error::<PluginShareSaveParams>(
        json!({"pluginPath": "/p", "discoverability": "listed"}),
        "unknown variant `listed`",
    );
    let owner = json!({"principalType": "user", "principalId": "u", "role": "owner"});
    check_error::<PluginShareSaveParams>(
        json!({"pluginPath": "/p", "shareTargets": [owner]}),
        "unknown variant `owner`, expected `reader` or `editor`",
    );
    check_error::<PluginShareUpdateTargetsParams>(
        json!({"remotePluginId": "r", "shareTargets": []}),
        "missing field `discoverability`",
    );
    check_error::<PluginShareUpdateTargetsParams>(
        json!({"remotePluginId": "r", "discoverability": "PRIVATE"}),
        "missing field `shareTargets`",
    );
    check_error::<PluginShareCheckoutParams>(json!({}), "missing field `remotePluginId`");
    check_error::<PluginShareDeleteParams>(json!({"remotePluginId": 1}), "expected a string");
}

#[test]
fn saving() {
    let left_out = PluginShareLeftOut {
        path: "a/.env".to_owned(),
        reason: PluginShareLeftOutReason::Secret,
    };
    let response = PluginShareSaveResponse {
        remote_plugin_id: "plugins_1".to_owned(),
        share_url: String::new(),
        can_publish_to_workspace: None,
        left_out: vec![left_out],
        problems: Vec::new(),
    };
    check(
        response,
        json!({"remotePluginId": "plugins_1", "shareUrl": "", "canPublishToWorkspace": null,
               "leftOut": [{"path": "a/.env", "reason": "secret"}], "problems": []}),
    );
}

#[test]
fn targets() {
    let response = PluginShareUpdateTargetsResponse {
        principals: vec![PluginSharePrincipal {
            principal_type: PluginSharePrincipalType::Workspace,
            principal_id: "w".to_owned(),
            role: PluginSharePrincipalRole::Owner,
            name: "W".to_owned(),
        }],
        discoverability: PluginShareDiscoverability::Unlisted,
    };
    check(
        response,
        json!({"principals": [{"principalType": "workspace", "principalId": "w", "role": "owner",
                               "name": "W"}],
               "discoverability": "UNLISTED"}),
    );
}

#[test]
fn listing_taking_and_withdrawing() {
    let none = PluginShareListResponse {
        data: Vec::new(),
        problems: Vec::new(),
    };
    check(none, json!({"data": [], "problems": []}));
    let response = PluginShareCheckoutResponse {
        remote_plugin_id: "plugins_1".to_owned(),
        plugin_id: "p@codex-curated".to_owned(),
        plugin_name: "p".to_owned(),
        plugin_path: "/h/plugins/p".into(),
        marketplace_name: "codex-curated".to_owned(),
        marketplace_path: "/h/.agents/plugins/marketplace.json".into(),
        remote_version: None,
        changed: true,
        problems: Vec::new(),
    };
    check(
        response,
        json!({"remotePluginId": "plugins_1", "pluginId": "p@codex-curated", "pluginName": "p",
               "pluginPath": "/h/plugins/p", "marketplaceName": "codex-curated",
               "marketplacePath": "/h/.agents/plugins/marketplace.json", "remoteVersion": null,
               "changed": true, "problems": []}),
    );
    check(
        PluginShareDeleteResponse::default(),
        json!({"problems": []}),
    );
}

#[test]
fn reconciling() {
    check(
        PluginReconcileResponse::default(),
        json!({"changedPlugins": [], "failedRemotePluginIds": [],
               "failedMaterializationRemotePluginIds": [], "problems": []}),
    );
    let changed = PluginReconcileChangedPlugin {
        id: "p@openai-curated-remote".to_owned(),
        has_mcps: true,
        has_apps: false,
        has_hooks: false,
        has_skills: true,
    };
    check(
        changed,
        json!({"id": "p@openai-curated-remote", "hasMcps": true, "hasApps": false,
               "hasHooks": false, "hasSkills": true}),
    );
}

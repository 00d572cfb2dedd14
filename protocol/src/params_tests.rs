//! What clients may send: every form that counts, and readable errors for the rest.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{InitializeParams, Method, Notification, RequestId, methods, notifications};

/// Decodes params and writes them again: what was understood, or the decoder's words.
fn decoded<M: Method>(params: &Value) -> Result<Value, String> {
    let params: M::Params =
        serde_json::from_str(&params.to_string()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(params).expect("params are plain data"))
}

fn check<M: Method>(params: Value, expected: Value) {
    assert_eq!(decoded::<M>(&params), Ok(expected), "{} {params}", M::NAME);
}

/// The error must contain the words, which name what is wrong or what was expected.
fn check_error<M: Method>(params: Value, words: &str) {
    let error = decoded::<M>(&params).expect_err("params are wrong");
    assert!(error.contains(words), "{} {params}: {error}", M::NAME);
}

#[test]
fn nothing_is_needed_where_everything_is_optional() {
    check::<methods::Initialize>(json!({}), json!({}));
    check::<methods::Shutdown>(json!({}), json!({}));
    check::<methods::PluginList>(json!({}), json!({}));
    check::<methods::PluginInstalled>(json!({}), json!({}));
    check::<methods::ConfigRead>(json!({}), json!({}));
    check::<methods::ConfigRequirementsRead>(json!({}), json!({}));
    check::<methods::PlugdStatus>(json!({}), json!({}));
    check::<methods::RpcDiscover>(json!({}), json!({}));
}

#[test]
fn null_means_absent() {
    check::<methods::PluginList>(
        json!({"cwds": null, "marketplaceKinds": null, "forceRefetch": null,
               "forceRemoteSync": null}),
        json!({}),
    );
    check::<methods::PluginInstalled>(
        json!({"cwds": null, "installSuggestionPluginNames": null}),
        json!({}),
    );
    check::<methods::PluginSearch>(
        json!({"searchTerm": "x", "scope": null, "cwds": null, "cursor": null, "limit": null}),
        json!({"searchTerm": "x"}),
    );
    check::<methods::PluginInstall>(
        json!({"pluginName": "p", "marketplacePath": null, "remoteMarketplaceName": null,
               "installAttemptId": null}),
        json!({"pluginName": "p"}),
    );
    check::<methods::ConfigRead>(json!({"includeLayers": null, "cwd": null}), json!({}));
    check::<methods::ConfigBatchWrite>(
        json!({"edits": [], "filePath": null, "expectedVersion": null, "reloadUserConfig": null}),
        json!({"edits": []}),
    );
    check::<methods::MarketplaceAdd>(
        json!({"source": "a/b", "refName": null, "sparsePaths": null}),
        json!({"source": "a/b"}),
    );
    check::<methods::Initialize>(
        json!({"clientInfo": null, "capabilities": null, "initializationOptions": null}),
        json!({}),
    );
}

#[test]
fn unknown_members_are_ignored() {
    check::<methods::PluginList>(json!({"later": {"a": 1}}), json!({}));
    check::<methods::PluginUninstall>(
        json!({"pluginId": "p@m", "forceRemoteSync": true, "_meta": {"progressToken": 1}}),
        json!({"pluginId": "p@m"}),
    );
    check::<methods::ConfigRequirementsRead>(json!({"workDoneToken": "t"}), json!({}));
}

#[test]
fn values_arrive_as_they_are() {
    let list = json!({"cwds": ["/a"], "marketplaceKinds": ["local", "vertical",
        "workspace-directory", "shared-with-me", "created-by-me-remote"],
        "forceRefetch": true, "forceRemoteSync": false});
    check::<methods::PluginList>(list.clone(), list);
    let search = json!({"searchTerm": "x", "scope": "personal", "limit": 3, "cursor": "c"});
    check::<methods::PluginSearch>(search.clone(), search);
    let write = json!({"keyPath": "a.b", "value": {"c": [1, 2.5, null]}, "mergeStrategy": "upsert",
        "expectedVersion": "sha256:0"});
    check::<methods::ConfigValueWrite>(write.clone(), write);
    let delete = json!({"keyPath": "a", "value": null, "mergeStrategy": "replace"});
    check::<methods::ConfigValueWrite>(delete.clone(), delete);
}

#[test]
fn errors_name_what_is_missing_or_expected() {
    check_error::<methods::PluginRead>(json!({}), "missing field `pluginName`");
    check_error::<methods::PluginUninstall>(json!({}), "missing field `pluginId`");
    check_error::<methods::PluginUninstall>(json!({"pluginId": 5}), "expected a string");
    check_error::<methods::PluginList>(json!({"cwds": "/a"}), "expected a sequence");
    check_error::<methods::PluginList>(json!({"cwds": [1]}), "expected a string");
    check_error::<methods::PluginList>(json!({"forceRefetch": "yes"}), "expected a boolean");
    check_error::<methods::PluginList>(
        json!({"marketplaceKinds": ["remote"]}),
        "unknown variant `remote`, expected one of `local`, `vertical`",
    );
    check_error::<methods::PluginSearch>(json!({"searchTerm": "x", "limit": -1}), "expected u32");
    check_error::<methods::ConfigValueWrite>(
        json!({"keyPath": "a", "mergeStrategy": "replace"}),
        "missing field `value`",
    );
    check_error::<methods::ConfigValueWrite>(
        json!({"keyPath": "a", "value": 1}),
        "missing field `mergeStrategy`",
    );
    check_error::<methods::ConfigBatchWrite>(
        json!({"edits": [{"value": 1, "mergeStrategy": "replace"}]}),
        "missing field `keyPath`",
    );
}

#[test]
fn an_array_is_no_object() {
    check_error::<methods::ConfigBatchWrite>(
        json!({"edits": [["a", 1, "replace"]]}),
        "expected an object",
    );
    check_error::<methods::Initialize>(
        json!({"clientInfo": ["name", null, "1"]}),
        "expected an object",
    );
    check_error::<methods::Initialize>(json!({"capabilities": []}), "expected an object");
}

fn initialize(params: Value) -> InitializeParams {
    serde_json::from_value(params).expect("a client that may connect")
}

#[test]
fn language_clients_may_connect() {
    let params = initialize(json!({
        "processId": 1, "rootUri": null, "trace": "off",
        "clientInfo": {"name": "editor"},
        "capabilities": {"workspace": {"applyEdit": true}, "experimental": {}},
        "initializationOptions": [],
    }));
    assert_eq!(
        params.client_info.map(|info| (info.name, info.version)),
        Some(("editor".into(), None))
    );
    assert_eq!(params.initialization_options, None);
    for foreign in [json!("x"), json!(1), json!([1]), json!({"capabilities": 5})] {
        let params = initialize(json!({ "initializationOptions": foreign }));
        assert_eq!(params.initialization_options, None);
    }
}

#[test]
fn own_notifications_come_only_when_asked_for() {
    fn check(params: Value, expected: bool) {
        assert_eq!(
            initialize(params.clone()).wants_plugd_notifications(),
            expected,
            "{params}"
        );
    }
    check(json!({}), false);
    check(json!({"capabilities": {"experimentalApi": true}}), false);
    check(json!({"capabilities": {"plugd": {}}}), false);
    check(
        json!({"capabilities": {"plugd": {"notifications": null}}}),
        false,
    );
    check(
        json!({"capabilities": {"plugd": {"notifications": false}}}),
        false,
    );
    check(
        json!({"capabilities": {"plugd": {"notifications": true}}}),
        true,
    );
    check(json!({"initializationOptions": {}}), false);
    check(
        json!({"initializationOptions": {"capabilities": {"plugd": {"notifications": true}}}}),
        true,
    );
}

#[test]
fn opting_out_counts_in_both_places() {
    let params = initialize(json!({
        "capabilities": {"optOutNotificationMethods": ["configWarning"]},
        "initializationOptions": {"capabilities": {"optOutNotificationMethods": ["plugd/task"]}},
    }));
    let names: Vec<_> = params.opted_out_notifications().collect();
    assert_eq!(names, ["configWarning", "plugd/task"]);
}

#[test]
fn ids_are_kept_to_the_letter() {
    fn check(text: &str) {
        let id: RequestId = serde_json::from_str(text).expect("an id");
        assert_eq!(id.as_json(), text);
        assert_eq!(serde_json::to_string(&id).expect("an id"), text);
    }
    check("1");
    check("-0");
    check("1.0");
    check("1e3");
    check("123456789012345678901234567890");
    check("0.1000");
    check("\"\"");
    check("\"\\u0061\"");
}

#[test]
fn other_values_are_no_ids() {
    for text in ["null", "true", "{}", "[1]"] {
        let error = serde_json::from_str::<RequestId>(text).expect_err(text);
        assert!(
            error.to_string().contains("expected a string or a number"),
            "{error}"
        );
    }
}

#[test]
fn all_ways_to_cancel() {
    fn check<N: Notification>(params: Value) {
        let decoded: N::Params = serde_json::from_str(&params.to_string()).expect("params");
        assert_eq!(
            serde_json::to_value(decoded).expect("plain data"),
            params,
            "{}",
            N::NAME
        );
    }
    check::<notifications::CancelById>(json!({"id": 7}));
    check::<notifications::CancelByRequestId>(json!({"requestId": "a"}));
    check::<notifications::Cancelled>(json!({"requestId": 7, "reason": "too slow"}));
    check::<notifications::SetTrace>(json!({"value": "off"}));
}

//! Proves `plugin/share/save`, `updateTargets`, `list` and `delete`: what is sent and what never is,
//! what each answers, and what is left after a refusal.

use plugd_testkit::service::{Endpoint, Fault, Item, Login, PluginService};
use plugd_testkit::{Daemon, Gate, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{check, refused, start, text};
use crate::remotes::{give_up, nothing_left};

/// Which directories shares were made of.
pub(crate) const MAPPING: &str = "ch/.tmp/plugin-share-local-paths-v1.json";

/// A plugin with what belongs to it and what does not.
const PLUGIN: &str = "
== desk/hello/.codex-plugin/plugin.json
{\"name\": \"hello\", \"version\": \"1.0.0\"}
== desk/hello/skills/greet/SKILL.md
---
name: greet
description: Greets people
---
Say hello.
== desk/hello/run.sh (mode 755)
echo hello
== desk/hello/.env
TOKEN=hidden-value
== desk/hello/.git/config
[remote]
== desk/hello/notes.md~
old
";

/// A service, and a home directory that is logged in to it.
pub(crate) fn home(service: &PluginService, fixture: &str) -> Sandbox {
    let sandbox = Sandbox::from(fixture);
    let config = format!("chatgpt_base_url = \"{}\"\n", service.base());
    sandbox.write("ch/config.toml", config);
    service.login().write_to(&sandbox);
    sandbox
}

fn mapped(sandbox: &Sandbox) -> Value {
    let file: Value = serde_json::from_str(&sandbox.text(MAPPING)).unwrap();
    file["localPluginPathsByRemotePluginId"].clone()
}

fn save(sandbox: &Sandbox) -> Value {
    json!({"pluginPath": sandbox.path("desk/hello").to_text()})
}

/// The bodies that were sent to an endpoint.
fn sent(service: &PluginService, endpoint: Endpoint) -> Vec<Value> {
    let requests = service.requests_to(endpoint);
    requests.iter().map(|request| request.json()).collect()
}

#[test]
fn what_is_shared_and_what_stays_here() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/share/save", save(&sandbox));
    let upload = service.uploads().remove(0);
    let id = upload.became.clone().expect("it became a share");
    assert_eq!(answer["remotePluginId"], id);
    assert_eq!(
        answer["leftOut"],
        json!([
            {"path": ".env", "reason": "secret"},
            {"path": ".git", "reason": "versionControl"},
            {"path": "notes.md~", "reason": "editorFile"},
        ])
    );
    assert_eq!(answer["problems"], json!([]));
    let archive = upload.archive.expect("it came");
    assert_eq!(upload.filename, "hello.tar.gz");
    assert_eq!(upload.mime_type, "application/gzip");
    assert_eq!(upload.size_bytes, archive.len() as u64);
    assert_eq!(
        sent(&service, Endpoint::Finalise),
        [json!({"file_id": upload.file_id, "etag": upload.etag})]
    );
    // The store of archives is another machine.
    let put = service.requests_to(Endpoint::Upload).remove(0);
    assert!(!put.has_credentials());
    assert_eq!(
        put.header("content-length"),
        Some(&*archive.len().to_string())
    );
    assert_eq!(put.header("transfer-encoding"), None);
    assert_eq!(mapped(&sandbox), json!({&id: "$ROOT/desk/hello"}));
    assert_eq!(sandbox.mode(MAPPING), 0o600);
    let told = format!("{answer}{}", daemon.stderr());
    for secret in service.login().secrets() {
        assert!(!told.contains(&secret));
    }
    daemon.shut_down();
    // What another home gets of it is the plugin without the rest.
    service.publish(&id, "1.0.0", archive);
    service.offer(Item::workspace("hello", "PRIVATE").rid(&id));
    let other = home(&service, "");
    let mut daemon = start(&other);
    daemon.ok("plugin/share/checkout", json!({"remotePluginId": id}));
    let tree = other.tree("home/plugins/hello");
    for (part, expected) in [
        ("skills/greet/SKILL.md", true),
        ("run.sh (mode 755)", true),
        ("hidden-value", false),
        ("[remote]", false),
        ("notes.md~", false),
    ] {
        assert_eq!(tree.contains(part), expected, "{part}: {tree}");
    }
    daemon.shut_down();
}

#[test]
fn whom_a_share_is_for() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mut daemon = start(&sandbox);
    let mut params = save(&sandbox);
    params["discoverability"] = json!("UNLISTED");
    let user = json!({"principalType": "user", "principalId": "u", "role": "editor"});
    params["shareTargets"] = json!([user]);
    let answer = daemon.ok("plugin/share/save", params);
    let body = sent(&service, Endpoint::Finalise).remove(0);
    let targets = json!([
        {"principal_type": "user", "principal_id": "u", "role": "editor"},
        {"principal_type": "workspace", "principal_id": "account-1", "role": "reader"},
    ]);
    assert_eq!(body["share_targets"], targets);
    assert_eq!(body["discoverability"], "UNLISTED");

    // The next version goes to the same share and changes nothing of that.
    let id = answer["remotePluginId"].clone();
    let mut params = save(&sandbox);
    params["remotePluginId"] = id.clone();
    let again = daemon.ok("plugin/share/save", params);
    assert_eq!(again["remotePluginId"], id);
    let members = sent(&service, Endpoint::Finalise).remove(1);
    let names: Vec<_> = members.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["etag", "file_id"]);

    let update = json!({"remotePluginId": id, "discoverability": "PRIVATE",
                        "shareTargets": [user]});
    let answer = daemon.ok("plugin/share/updateTargets", update);
    assert_eq!(answer["discoverability"], "PRIVATE");
    assert_eq!(answer["principals"][0]["principalId"], "u");
    assert_eq!(
        sent(&service, Endpoint::Shares),
        [json!({"discoverability": "PRIVATE", "targets": [
            {"principal_type": "user", "principal_id": "u", "role": "editor"}]})]
    );
    daemon.shut_down();
}

#[test]
fn the_whole_list() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mine = Item::workspace("hello", "PRIVATE").share_principal("user", "u", "owner", "U");
    let half = Item::workspace("half", "UNLISTED");
    let ids = [mine.id().to_owned(), half.id().to_owned()];
    service.offer(mine.share_url("https://example.com/s"));
    service.offer(half);
    service.set_created(&[&ids[0], &ids[1]]);
    service.set_installed(&ids[1], true);
    service.fail(
        Endpoint::Created,
        Fault::BadItem(json!({"id": "plugins_bad"})),
    );
    let mapping = json!({"localPluginPathsByRemotePluginId": {
        &ids[0]: sandbox.path("desk/hello").to_text(), "a.b": "/x"}});
    sandbox.write(MAPPING, mapping.to_string());
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/share/list", json!({}));
    let rows = answer["data"].as_array().expect("rows");
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (text(&row["plugin"]["id"]), &row["plugin"]["installed"]))
        .collect();
    assert_eq!(
        seen,
        [
            ("hello@workspace-shared-with-me", &json!(false)),
            ("half@workspace-shared-with-me", &json!(true)),
        ]
    );
    check(
        &rows[0]["localPluginPath"],
        &sandbox,
        &json!("$ROOT/desk/hello"),
    );
    assert_eq!(rows[1]["localPluginPath"], Value::Null);
    let context = json!({
        "remotePluginId": ids[0], "remoteVersion": "1.0.0", "discoverability": "PRIVATE",
        "shareUrl": "https://example.com/s", "creatorAccountUserId": null, "creatorName": null,
        "sharePrincipals": [{"principalType": "user", "principalId": "u", "role": "owner",
                             "name": "U"}],
        "canPublishToWorkspace": null});
    assert_eq!(rows[0]["plugin"]["shareContext"], context);
    // The bad item, the share without principals, the id in the mapping that is none.
    assert_eq!(
        answer["problems"].as_array().map(Vec::len),
        Some(3),
        "{answer}"
    );

    // What is installed is not worth the list.
    service.behave_well();
    service.fail(Endpoint::Installed, Fault::status(500));
    let answer = daemon.ok("plugin/share/list", json!({}));
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(2));
    let kinds: Vec<_> = answer["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .collect();
    assert!(
        kinds.iter().any(|one| one["kind"] == "remoteUnavailable"),
        "{answer}"
    );
    daemon.shut_down();
}

#[test]
fn a_share_is_withdrawn_and_its_directory_stays() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/share/save", save(&sandbox));
    let id = json!({"remotePluginId": answer["remotePluginId"]});
    // Success in another form is none.
    service.fail_times(Endpoint::DeleteShare, 1, Fault::Raw("{}".to_owned()));
    let error = refused(&mut daemon, "plugin/share/delete", id.clone());
    assert_eq!(error, "-32600 unavailable");
    assert!(sandbox.exists(MAPPING));
    let answer = daemon.ok("plugin/share/delete", id.clone());
    assert_eq!(answer, json!({"problems": []}));
    assert!(!sandbox.exists(MAPPING));
    assert!(sandbox.exists("desk/hello/run.sh"));
    let error = refused(&mut daemon, "plugin/share/delete", id);
    assert_eq!(error, "-32600 notFound");
    daemon.shut_down();
}

#[test]
fn what_cannot_be_meant() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    sandbox.write("desk/empty/notes.md", "no plugin");
    sandbox.write("desk/broken/.codex-plugin/plugin.json", "{");
    let mut daemon = start(&sandbox);
    let path = |name: &str| sandbox.path("desk").join(name).to_text();
    let target = json!([{"principalType": "workspace", "principalId": "w", "role": "reader"}]);
    let owner = json!([{"principalType": "user", "principalId": "u", "role": "owner"}]);
    let cases = [
        (json!({}), "-32602 invalidParams"),
        (json!({"pluginPath": "relative"}), "-32602 invalidParams"),
        (json!({"pluginPath": path("none")}), "-32600 invalidInput"),
        (json!({"pluginPath": path("empty")}), "-32600 invalidInput"),
        (json!({"pluginPath": path("broken")}), "-32600 invalidInput"),
        (
            json!({"pluginPath": path("hello/run.sh")}),
            "-32600 invalidInput",
        ),
        (
            json!({"pluginPath": path("hello"), "remotePluginId": "a.b"}),
            "-32600 invalidInput",
        ),
        (
            json!({"pluginPath": path("hello"), "remotePluginId": "p", "shareTargets": []}),
            "-32600 invalidInput",
        ),
        (
            json!({"pluginPath": path("hello"), "discoverability": "LISTED"}),
            "-32600 invalidInput",
        ),
        (
            json!({"pluginPath": path("hello"), "shareTargets": target}),
            "-32600 invalidInput",
        ),
        (
            json!({"pluginPath": path("hello"), "shareTargets": owner}),
            "-32602 invalidParams",
        ),
        (
            json!({"pluginPath": path("hello"), "remotePluginId": "plugins_none"}),
            "-32600 notFound",
        ),
    ];
    for (params, expected) in cases {
        let error = refused(&mut daemon, "plugin/share/save", params.clone());
        assert_eq!(error, expected, "{params}");
    }
    let update =
        json!({"remotePluginId": "p", "discoverability": "LISTED", "shareTargets": target});
    let error = refused(&mut daemon, "plugin/share/updateTargets", update);
    assert_eq!(error, "-32600 invalidInput");
    for method in ["plugin/share/delete", "plugin/share/checkout"] {
        let error = daemon.err(method, json!({"remotePluginId": "a.b"}));
        assert!(
            text(&error["message"]).starts_with("invalid remote plugin id"),
            "{error}"
        );
    }
    assert_eq!(service.count(Endpoint::Upload), 0);
    assert!(!sandbox.exists(MAPPING));
    daemon.shut_down();
}

/// Every method of sharing with params that could be meant.
fn all_methods(sandbox: &Sandbox) -> [(&'static str, Value); 5] {
    [
        ("plugin/share/save", save(sandbox)),
        (
            "plugin/share/updateTargets",
            json!({"remotePluginId": "p", "discoverability": "PRIVATE", "shareTargets": []}),
        ),
        ("plugin/share/checkout", json!({"remotePluginId": "p"})),
        ("plugin/share/list", json!({})),
        ("plugin/share/delete", json!({"remotePluginId": "p"})),
    ]
}

#[test]
fn who_may_share() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    sandbox.remove("ch/auth.json");
    let mut daemon = start(&sandbox);
    for (method, params) in all_methods(&sandbox) {
        let error = daemon.err(method, params);
        let message = text(&error["message"]);
        let words = "chatgpt authentication required for remote plugin catalog";
        assert!(message.ends_with(words), "{method}: {message}");
        assert_eq!(error["code"], -32600);
    }
    Login::api_key().write_to(&sandbox);
    for (method, params) in all_methods(&sandbox) {
        let error = daemon.err(method, params);
        let message = text(&error["message"]);
        assert!(
            message.contains("api key auth is not supported"),
            "{method}: {message}"
        );
    }
    assert_eq!(service.count(Endpoint::UploadUrl), 0);
    daemon.shut_down();
}

#[test]
fn the_switches() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let config = sandbox.text("ch/config.toml");
    let mut daemon = start(&sandbox);
    sandbox.write(
        "ch/config.toml",
        format!("{config}[features]\nplugin_sharing = false\n"),
    );
    let outcomes = |daemon: &mut Daemon| {
        all_methods(&sandbox).map(|(method, params)| {
            let answer = daemon.call(method, params);
            answer["error"]["message"]
                .as_str()
                .unwrap_or("-")
                .to_owned()
        })
    };
    let disabled = "plugin sharing is disabled";
    let found = outcomes(&mut daemon);
    assert_eq!(found[..4], [disabled, disabled, disabled, "-"]);
    assert!(
        found[4].starts_with("delete remote plugin share: "),
        "{}",
        found[4]
    );
    sandbox.write(
        "ch/config.toml",
        format!("{config}[features]\nplugins = false\n"),
    );
    assert_eq!(outcomes(&mut daemon), ["plugin sharing is not enabled"; 5]);
    daemon.shut_down();
}

#[test]
fn each_step_of_saving_can_fail_and_leaves_nothing() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mut daemon = start(&sandbox);
    let faults = [
        ("400", Fault::status(400), "unavailable"),
        ("401", Fault::status(401), "notAllowed"),
        ("403", Fault::status(403), "notAllowed"),
        ("429", Fault::status(429), "unavailable"),
        ("500", Fault::status(500), "unavailable"),
        ("reset", Fault::Reset, "unavailable"),
        ("not JSON", Fault::NotJson, "unavailable"),
        (
            "an empty object",
            Fault::Raw("{}".to_owned()),
            "unavailable",
        ),
    ];
    for endpoint in [Endpoint::UploadUrl, Endpoint::Upload, Endpoint::Finalise] {
        for (name, fault, expected) in &faults {
            // A store of archives says nothing that has to be understood, and knows no login.
            let is_store = endpoint == Endpoint::Upload;
            if is_store && matches!(fault, Fault::NotJson | Fault::Raw(_)) {
                continue;
            }
            let expected = if is_store { "unavailable" } else { expected };
            service.behave_well();
            service.forget();
            service.fail(endpoint, fault.clone());
            let error = refused(&mut daemon, "plugin/share/save", save(&sandbox));
            assert_eq!(error, format!("-32600 {expected}"), "{endpoint:?} {name}");
            // Nothing of this is a read, so nothing is sent twice.
            assert_eq!(service.count(endpoint), 1, "{endpoint:?} {name}");
            assert!(!sandbox.exists(MAPPING), "{endpoint:?} {name}");
        }
    }
    let staging = sandbox.tree("ch/plugins/.plugd/staging");
    assert!(!staging.contains("plugin.tar.gz"), "{staging}");
    assert!(!daemon.stderr().contains("signature-"));
    daemon.shut_down();
}

#[test]
fn giving_up_an_upload_shares_nothing() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mut daemon = start(&sandbox);
    let gate = Gate::new();
    service.fail(Endpoint::Upload, Fault::Hold(gate.clone()));
    let id = daemon.request("plugin/share/save", save(&sandbox));
    service.wait_asked(Endpoint::Upload, 1);
    daemon.notify("$/cancelRequest", json!({"id": id}));
    let response = daemon.response(id);
    assert_eq!(response["error"]["code"], -32800, "{response}");
    gate.open();
    assert_eq!(service.count(Endpoint::Finalise), 0);
    assert!(!sandbox.exists(MAPPING));
    daemon.shut_down();
}

#[test]
fn a_cancel_while_the_service_is_silent_says_that_it_may_be_done() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let mut daemon = start(&sandbox);
    let id = json!({"remotePluginId": "plugins_1"});
    let targets = json!({
        "remotePluginId": "plugins_1", "discoverability": "PRIVATE", "shareTargets": [],
    });
    for (endpoint, method, params) in [
        (Endpoint::Finalise, "plugin/share/save", save(&sandbox)),
        (Endpoint::DeleteShare, "plugin/share/delete", id),
        (Endpoint::Shares, "plugin/share/updateTargets", targets),
    ] {
        let gate = Gate::new();
        service.fail(endpoint, Fault::Hold(gate.clone()));
        let request = daemon.request(method, params);
        gate.wait_reached();
        let error = give_up(&mut daemon, request);
        let message = text(&error["message"]);
        assert!(message.contains("may have been done there"), "{message}");
        assert!(!sandbox.exists(MAPPING));
        gate.open();
    }
    nothing_left(&sandbox);
    daemon.shut_down();
}

#[test]
fn a_corrupt_record_of_directories_is_replaced_and_told() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    sandbox.write(MAPPING, "{broken");
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/share/save", save(&sandbox));
    assert_eq!(answer["problems"][0]["kind"], "syntax", "{answer}");
    let id = text(&answer["remotePluginId"]);
    assert_eq!(mapped(&sandbox), json!({id: "$ROOT/desk/hello"}));
    daemon.shut_down();
}

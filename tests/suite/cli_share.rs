//! Proves `plugd plugin share` against the service: what it says in words and as JSON, what reaches
//! the service, and what it says and leaves when it is refused.

use plugd_testkit::service::{Endpoint, Fault, Item, PluginService};
use plugd_testkit::{Sandbox, filter};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{check, cli};
use crate::plugin_share::{MAPPING, home};

/// A plugin outside the home directory, beside the one that the command line starts in.
const PLUGIN: &str = "
== desk/hello/.codex-plugin/plugin.json
{\"name\": \"hello\", \"version\": \"1.0.0\"}
== desk/hello/.env
TOKEN=hidden-value
";

/// The id that the service gives to [`PLUGIN`], and its address.
const ID: &str = "plugins~Plugin_68656c6c6f";
const URL: &str = "https://chatgpt.com/plugins/plugins~Plugin_68656c6c6f";

/// Runs a command of sharing.
fn share(sandbox: &Sandbox, args: &[&str]) -> plugd_testkit::Output {
    cli(sandbox, &[&["plugin", "share"], args].concat())
}

/// What a command that succeeds says, with `$ROOT`; it complains of nothing.
#[track_caller]
fn says(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = share(sandbox, args);
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
    filter(&output.stdout, sandbox)
}

/// What a command that succeeds answers with `--json`.
#[track_caller]
fn answers(sandbox: &Sandbox, args: &[&str]) -> Value {
    let output = share(sandbox, &[args, &["--json"]].concat());
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
    output.json()
}

/// The last body that was sent to an endpoint.
#[track_caller]
fn sent(service: &PluginService, endpoint: Endpoint) -> Value {
    service.requests_to(endpoint).pop().unwrap().json()
}

#[test]
fn a_share_from_its_first_version_to_its_end() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    assert_eq!(says(&sandbox, &["list"]), "Nothing is shared.\n");
    let saved = format!("Shared as `{ID}`: {URL}\nLeft out: .env (secret)\n");
    assert_eq!(says(&sandbox, &["save", "../desk/hello"]), saved);
    assert!(service.uploads().remove(0).archive.is_some());

    // The next version goes to the same share.
    let again = ["save", "../desk/hello", "--id", ID];
    assert_eq!(says(&sandbox, &again), saved);
    assert_eq!(service.uploads().remove(1).plugin_id.as_deref(), Some(ID));

    let update = ["update", ID, "--visibility", "unlisted"];
    let with = ["--with", "user:u1:editor", "--with", "group:g1"];
    assert_eq!(
        says(&sandbox, &[&update[..], &with].concat()),
        "The share is UNLISTED now.\n  name of u1 (editor)\n  name of g1 (reader)\n  \
         name of account-1 (reader)\n"
    );
    let targets = json!([
        {"principal_type": "user", "principal_id": "u1", "role": "editor"},
        {"principal_type": "group", "principal_id": "g1", "role": "reader"},
        {"principal_type": "workspace", "principal_id": "account-1", "role": "reader"},
    ]);
    let body = json!({"discoverability": "UNLISTED", "targets": targets});
    assert_eq!(sent(&service, Endpoint::Shares), body);

    assert_eq!(
        says(&sandbox, &["list"]),
        format!(
            "ID                         PLUGIN  VISIBILITY  HERE\n\
             {ID}  hello   UNLISTED    $ROOT/desk/hello\n"
        )
    );
    assert_eq!(says(&sandbox, &["delete", ID]), "The share is withdrawn.\n");
    assert_eq!(says(&sandbox, &["list"]), "Nothing is shared.\n");
    assert!(!sandbox.exists(MAPPING));
    assert!(sandbox.exists("desk/hello/.env"));
}

#[test]
fn the_same_as_json() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let save = ["save", "../desk/hello", "--visibility", "private"];
    let with = ["--with", "user:u1"];
    let saved = json!({
        "remotePluginId": ID, "shareUrl": URL, "canPublishToWorkspace": true, "problems": [],
        "leftOut": [{"path": ".env", "reason": "secret"}],
    });
    assert_eq!(answers(&sandbox, &[&save[..], &with].concat()), saved);
    let body = sent(&service, Endpoint::Finalise);
    let reader = json!({"principal_type": "user", "principal_id": "u1", "role": "reader"});
    assert_eq!(
        (&body["discoverability"], &body["share_targets"]),
        (&json!("PRIVATE"), &json!([reader]))
    );

    let listed = answers(&sandbox, &["list"]);
    let row = &listed["data"][0];
    check(
        &row["localPluginPath"],
        &sandbox,
        &json!("$ROOT/desk/hello"),
    );
    assert_eq!(row["plugin"]["shareContext"]["remotePluginId"], ID);
    assert_eq!(
        (&listed["data"][1], &listed["problems"]),
        (&Value::Null, &json!([]))
    );

    let update = ["update", ID, "--visibility", "private"];
    let nobody = json!({"discoverability": "PRIVATE", "principals": []});
    assert_eq!(answers(&sandbox, &update), nobody);
    let deleted = answers(&sandbox, &["delete", ID]);
    assert_eq!(deleted, json!({"problems": []}));
    assert_eq!(
        answers(&sandbox, &["list"]),
        json!({"data": [], "problems": []})
    );
}

#[test]
fn a_working_copy_is_made_once() {
    let service = PluginService::start();
    let sandbox = home(&service, "");
    service.offer_plugin(Item::workspace("hello", "PRIVATE"));
    let place = "$ROOT/home/plugins/hello";
    for verb in ["is checked out", "is there already"] {
        assert_eq!(
            says(&sandbox, &["checkout", ID]),
            format!("`hello@codex-curated` {verb}: {place}\n")
        );
    }
    assert!(sandbox.exists("home/plugins/hello/skills/hello/SKILL.md"));
    let answer = answers(&sandbox, &["checkout", ID]);
    let expected = json!({
        "remotePluginId": ID, "pluginId": "hello@codex-curated", "pluginName": "hello",
        "pluginPath": place, "marketplaceName": "codex-curated",
        "marketplacePath": "$ROOT/home/.agents/plugins/marketplace.json",
        "remoteVersion": "1.0.0", "changed": false, "problems": [],
    });
    check(&answer, &sandbox, &expected);
}

/// A command that the daemon refuses, in words and as JSON; both say the same.
#[track_caller]
fn refused(sandbox: &Sandbox, args: &[&str], kind: &str, words: &str) {
    let output = share(sandbox, args);
    assert_eq!((output.code(), output.stdout.as_str()), (1, ""), "{output}");
    let error = output.stderr.lines().next().unwrap_or_default();
    assert!(
        error.starts_with("error: ") && error.contains(words),
        "{output}"
    );
    let output = share(sandbox, &[args, &["--json"]].concat());
    assert_eq!(output.code(), 1, "{output}");
    let answer = output.json();
    assert_eq!(answer["error"]["data"]["kind"], kind, "{args:?}: {answer}");
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(words), "{args:?}: {answer}");
}

#[test]
fn what_the_service_and_the_daemon_refuse() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    sandbox.write("desk/empty/notes.md", "no plugin");
    let nobody = "does not have";
    for args in [
        &["delete", "plugins_none"][..],
        &["checkout", "plugins_none"],
        &["update", "plugins_none", "--visibility", "private"],
        &["save", "../desk/hello", "--id", "plugins_none"],
    ] {
        refused(&sandbox, args, "notFound", nobody);
    }
    let cases: [(&[&str], &str); 3] = [
        (&["save", "../desk/empty"], "invalid plugin path"),
        (&["save", "../desk/none"], "invalid plugin path"),
        (&["delete", "a.b"], "invalid remote plugin id"),
    ];
    for (args, words) in cases {
        refused(&sandbox, args, "invalidInput", words);
    }
    let save = ["save", "../desk/hello"];
    service.fail(Endpoint::Upload, Fault::status(403));
    refused(&sandbox, &save, "unavailable", "403");
    service.behave_well();
    service.fail(Endpoint::Finalise, Fault::status(403));
    refused(&sandbox, &save, "notAllowed", "403");
    service.behave_well();
    assert!(!sandbox.exists(MAPPING));
    assert_eq!(says(&sandbox, &["list"]), "Nothing is shared.\n");

    let config = sandbox.text("ch/config.toml");
    let off = format!("{config}[features]\nplugin_sharing = false\n");
    sandbox.write("ch/config.toml", off);
    refused(&sandbox, &save, "notAllowed", "plugin sharing is disabled");
}

#[test]
fn what_cannot_be_meant_asks_nobody() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    for (args, words) in [
        (&["save"][..], "<PATH>"),
        (&["delete"], "<ID>"),
        (&["update", ID], "--visibility"),
        (&["update", ID, "--visibility", "secret"], "secret"),
        (
            &["save", "../desk/hello", "--with", "robot:r"],
            "none of user, group",
        ),
        // What the service refuses whatever it is asked for is no word of the command line.
        (
            &["save", "../desk/hello", "--visibility", "listed"],
            "invalid value 'listed'",
        ),
        (
            &["save", "../desk/hello", "--with", "workspace:w"],
            "a workspace is no target",
        ),
        (
            &["save", "../desk/hello", "--with", "user:u:owner"],
            "none of reader, editor",
        ),
        (&["take", ID], "take"),
    ] {
        let output = share(&sandbox, args);
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
        assert!(output.stderr.contains(words), "{args:?}: {output}");
    }
    assert_eq!(service.lines(), Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_a_list_stands_beside_it() {
    let service = PluginService::start();
    let sandbox = home(&service, PLUGIN);
    let item = Item::workspace("hello", "PRIVATE").share_principal("user", "u", "owner", "U");
    service.offer(item);
    service.set_created(&[ID]);
    let bad = Fault::BadItem(json!({"id": "plugins_bad"}));
    service.fail(Endpoint::Created, bad);
    let output = share(&sandbox, &["list"]);
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stdout.contains(ID), "{output}");
    let told = "error: plugins[0].name: the remote plugin `plugins_bad`: ";
    assert!(output.stderr.starts_with(told), "{output}");
    let output = share(&sandbox, &["list", "--json"]);
    let answer = output.json();
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(answer["problems"].as_array().map(Vec::len), Some(1));
}

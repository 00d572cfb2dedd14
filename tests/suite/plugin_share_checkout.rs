//! Proves `plugin/share/checkout`: where a working copy lies, what becomes of the marketplace of the
//! home directory, and that nothing is changed by what is refused, given up or killed.

use plugd_testkit::service::{Bundle, Endpoint, Fault, Item, PluginService};
use plugd_testkit::{Gate, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{check, refused, start, text};
use crate::plugin_share::{MAPPING, home};

/// The marketplace of the home directory.
const MARKETPLACE: &str = "home/.agents/plugins/marketplace.json";

/// A service that shares the plugin `one`, and its id as params.
fn sharing() -> (PluginService, Value) {
    let service = PluginService::start();
    let item = Item::workspace("one", "PRIVATE").interface("category", "Tools");
    let params = json!({"remotePluginId": item.id()});
    service.offer_plugin(item);
    (service, params)
}

/// What a checkout may have changed.
fn state(sandbox: &Sandbox) -> [bool; 3] {
    [MARKETPLACE, "home/plugins/one", MAPPING].map(|path| sandbox.exists(path))
}

#[test]
fn a_working_copy_is_made_once() {
    let (service, params) = sharing();
    let sandbox = home(&service, "");
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/share/checkout", params.clone());
    let id = params["remotePluginId"].clone();
    let mut expected = json!({
        "remotePluginId": id, "pluginId": "one@codex-curated", "pluginName": "one",
        "pluginPath": "$ROOT/home/plugins/one", "marketplaceName": "codex-curated",
        "marketplacePath": "$ROOT/home/.agents/plugins/marketplace.json",
        "remoteVersion": "1.0.0", "changed": true, "problems": [],
    });
    check(&answer, &sandbox, &expected);
    let marketplace = r#"{
  "name": "codex-curated",
  "interface": {
    "displayName": "Personal"
  },
  "plugins": [
    {
      "name": "one",
      "source": {
        "source": "local",
        "path": "./plugins/one"
      },
      "policy": {
        "installation": "AVAILABLE",
        "authentication": "ON_INSTALL"
      },
      "category": "Tools"
    }
  ]
}
"#;
    assert_eq!(sandbox.text(MARKETPLACE), marketplace);
    assert_eq!(sandbox.mode(MARKETPLACE), 0o600);
    // What a bundle comes from knows no login.
    let bundle = service.requests_to(Endpoint::Bundle).remove(0);
    assert!(!bundle.has_credentials());

    // The copy is the user's from now on.
    sandbox.write("home/plugins/one/skills/hello/SKILL.md", "mine");
    let before = sandbox.tree("home");
    expected["changed"] = json!(false);
    let answer = daemon.ok("plugin/share/checkout", params.clone());
    check(&answer, &sandbox, &expected);
    assert_eq!(sandbox.tree("home"), before);
    assert_eq!(service.count(Endpoint::Bundle), 1);

    // Where its entry was lost it is listed again, as a neighbour of what else is there.
    sandbox.write(
        MARKETPLACE,
        "{\n  \"tail\": 1.50, \"name\": \"mine\",\n  \"plugins\": []\n}\n",
    );
    let answer = daemon.ok("plugin/share/checkout", params);
    assert_eq!(answer["pluginId"], "one@mine");
    let now = sandbox.text(MARKETPLACE);
    assert!(
        now.starts_with("{\n  \"tail\": 1.50, \"name\": \"mine\",\n"),
        "{now}"
    );
    let listing = daemon.ok("plugin/list", json!({"marketplaceKinds": ["local"]}));
    let row = &listing["marketplaces"][0]["plugins"][0];
    assert_eq!(row["id"], "one@mine", "{listing}");
    daemon.shut_down();
}

#[test]
fn only_what_is_shared_with_somebody_is_taken() {
    let (service, _) = sharing();
    let sandbox = home(&service, "");
    let mut daemon = start(&sandbox);
    let mut check = |item: Item, expected: Option<&str>| {
        let id = item.id().to_owned();
        service.offer_plugin(item);
        let answer = daemon.call("plugin/share/checkout", json!({"remotePluginId": id}));
        let message = answer["error"]["message"].as_str();
        match expected {
            None => assert_eq!(message, None),
            Some(words) => assert!(message.is_some_and(|it| it.ends_with(words)), "{answer}"),
        }
    };
    let refused = Some("is not available for plugin/share/checkout");
    check(Item::workspace("a", "UNLISTED"), None);
    check(
        Item::workspace("b", "PRIVATE").status("DISABLED_BY_ADMIN"),
        None,
    );
    check(Item::workspace("c", "LISTED"), refused);
    check(Item::new("d"), refused);
    check(Item::new("e").scope("USER"), refused);
    let none = daemon.err(
        "plugin/share/checkout",
        json!({"remotePluginId": "plugins_none"}),
    );
    assert_eq!(none["data"]["kind"], "notFound");
    daemon.shut_down();
}

#[test]
fn what_is_in_the_way_is_not_touched() {
    let (service, params) = sharing();
    let outside = Sandbox::from("== there/.codex-plugin/plugin.json\n{\"name\": \"one\"}");
    let mapped = |path: &str| {
        let id = text(&params["remotePluginId"]).to_owned();
        json!({"localPluginPathsByRemotePluginId": {id: path}}).to_string()
    };
    let check = |prepare: &dyn Fn(&Sandbox), words: &str| {
        let sandbox = home(&service, "");
        prepare(&sandbox);
        let before = sandbox.tree("home");
        let mapping = sandbox.exists(MAPPING).then(|| sandbox.text(MAPPING));
        let mut daemon = start(&sandbox);
        let error = daemon.err("plugin/share/checkout", params.clone());
        assert_eq!(error["code"], -32600, "{error}");
        assert_eq!(error["data"]["kind"], "invalidInput", "{error}");
        assert!(text(&error["message"]).contains(words), "{error}");
        assert_eq!(sandbox.tree("home"), before);
        assert_eq!(
            sandbox.exists(MAPPING).then(|| sandbox.text(MAPPING)),
            mapping
        );
        daemon.shut_down();
    };
    check(
        &|sandbox| sandbox.write("home/plugins/one/mine.md", "mine"),
        "the local plugin path already exists",
    );
    check(
        &|sandbox| sandbox.write("home/plugins/one", "a file"),
        "the local plugin path already exists",
    );
    check(
        &|sandbox| sandbox.write(MARKETPLACE, "{broken"),
        "not valid JSON",
    );
    check(
        &|sandbox| sandbox.write(MARKETPLACE, r#"{"name": "mine", "plugins": 7}"#),
        "marketplace plugins must be an array",
    );
    let other = r#"{"name": "mine", "plugins": [{"name": "one", "source": "./elsewhere"}]}"#;
    check(
        &|sandbox| sandbox.write(MARKETPLACE, other),
        "with a different source path",
    );
    let there = outside.path("there").to_text();
    check(
        &|sandbox| sandbox.write(MAPPING, mapped(&there)),
        "must be inside the home directory",
    );
    check(
        &|sandbox| {
            sandbox.write("home/notes.md", "a file");
            sandbox.write(MAPPING, mapped(&sandbox.path("home/notes.md").to_text()));
        },
        "expected a plugin directory",
    );
    assert_eq!(service.count(Endpoint::Bundle), 0);
}

#[test]
fn a_bundle_that_cannot_be_used_changes_nothing() {
    let (service, params) = sharing();
    let id = text(&params["remotePluginId"]).to_owned();
    let sandbox = home(&service, "");
    let mut daemon = start(&sandbox);
    let plain = || Bundle::new("one", "1.0.0");
    let bundles = [
        ("another name", Bundle::new("two", "1.0.0").build()),
        (
            "no manifest",
            plain().without_manifest().file("a", "b").build(),
        ),
        ("wrapped", plain().wrapped_in("dir").build()),
        ("a link", plain().link("a", "b").build()),
        ("a way up", plain().file("../a", "b").build()),
        (
            "the same path twice",
            plain().file("a", "b").file("a", "c").build(),
        ),
        ("a FIFO", plain().fifo("a").build()),
        (
            "cut",
            plain().file("a", "b".repeat(4000)).truncated_by(40).build(),
        ),
        ("no archive", b"nothing".to_vec()),
    ];
    for (name, bytes) in bundles {
        service.publish(&id, "1.0.0", bytes);
        let error = daemon.err("plugin/share/checkout", params.clone());
        assert_eq!(error["code"], -32600, "{name}: {error}");
        assert!(
            text(&error["message"]).starts_with("checkout plugin share: "),
            "{error}"
        );
        assert_eq!(state(&sandbox), [false; 3], "{name}");
    }
    let staging = sandbox.tree("ch/plugins/.plugd/staging");
    assert!(!staging.contains("bundle"), "{staging}");
    daemon.shut_down();
}

#[test]
fn each_step_can_fail() {
    let (service, params) = sharing();
    let sandbox = home(&service, "");
    let mut daemon = start(&sandbox);
    let cases = [
        (Endpoint::Detail, Fault::status(401), "notAllowed"),
        (Endpoint::Detail, Fault::status(404), "notFound"),
        (Endpoint::Detail, Fault::status(400), "unavailable"),
        (Endpoint::Detail, Fault::NotJson, "unavailable"),
        (
            Endpoint::Detail,
            Fault::edit(|item| item["id"] = json!("plugins_other")),
            "unavailable",
        ),
        (
            Endpoint::Detail,
            Fault::edit(|item| item["release"]["version"] = Value::Null),
            "unavailable",
        ),
        (
            Endpoint::Detail,
            Fault::edit(|item| item["release"]["bundle_download_url"] = Value::Null),
            "unavailable",
        ),
        (
            Endpoint::Detail,
            Fault::edit(|item| {
                item["release"]["bundle_download_url"] = json!("http://h.example/a");
            }),
            "unavailable",
        ),
        (Endpoint::Bundle, Fault::status(404), "unavailable"),
        (Endpoint::Bundle, Fault::status(403), "unavailable"),
        (Endpoint::Bundle, Fault::RedirectLoop, "unavailable"),
    ];
    for (endpoint, fault, expected) in cases {
        service.behave_well();
        let shown = format!("{endpoint:?} {fault:?}");
        service.fail(endpoint, fault);
        let error = daemon.err("plugin/share/checkout", params.clone());
        assert_eq!(error["data"]["kind"], expected, "{shown}: {error}");
        assert_eq!(state(&sandbox), [false; 3], "{shown}");
    }
    service.behave_well();
    daemon.ok("plugin/share/checkout", params);
    assert_eq!(state(&sandbox), [true; 3]);
    daemon.shut_down();
}

#[test]
fn a_checkout_can_be_given_up() {
    let (service, params) = sharing();
    let sandbox = home(&service, "");
    let mut daemon = start(&sandbox);
    let gate = Gate::new();
    service.fail(Endpoint::Bundle, Fault::HoldAfter(20, gate.clone()));
    let id = daemon.request("plugin/share/checkout", params);
    service.wait_asked(Endpoint::Bundle, 1);
    daemon.notify("$/cancelRequest", json!({"id": id}));
    let response = daemon.response(id);
    assert_eq!(response["error"]["code"], -32800, "{response}");
    assert_eq!(state(&sandbox), [false; 3]);
    gate.open();
    daemon.shut_down();
}

#[test]
fn a_killed_checkout_is_made_good_by_the_next() {
    let (service, params) = sharing();
    let sandbox = home(&service, "");
    let mut daemon = start(&sandbox);
    let gate = Gate::new();
    service.fail(Endpoint::Bundle, Fault::HoldAfter(20, gate.clone()));
    daemon.request("plugin/share/checkout", params.clone());
    service.wait_asked(Endpoint::Bundle, 1);
    daemon.kill();
    gate.open();
    assert_eq!(state(&sandbox), [false; 3]);
    service.behave_well();
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/share/checkout", params.clone());
    assert_eq!(answer["changed"], true);

    // Killed behind the record: the directory is missing, or its entry.
    sandbox.remove("home/plugins/one");
    sandbox.remove(MARKETPLACE);
    let answer = daemon.ok("plugin/share/checkout", params.clone());
    assert_eq!(answer["changed"], true);
    sandbox.remove(MARKETPLACE);
    let answer = daemon.ok("plugin/share/checkout", params);
    assert_eq!(answer["changed"], false);
    assert_eq!(state(&sandbox), [true; 3]);
    daemon.shut_down();
}

#[test]
fn two_daemons_take_one_share() {
    let (service, params) = sharing();
    let sandbox = home(&service, "");
    let mut daemons = [start(&sandbox), start(&sandbox)];
    let gate = Gate::new();
    service.fail(Endpoint::Bundle, Fault::HoldAfter(20, gate.clone()));
    let [one, two] = &mut daemons;
    let ids = [
        one.request("plugin/share/checkout", params.clone()),
        two.request("plugin/share/checkout", params.clone()),
    ];
    service.wait_asked(Endpoint::Bundle, 2);
    gate.open();
    let outcomes = [one.response(ids[0]), two.response(ids[1])];
    let won = outcomes
        .iter()
        .filter(|answer| answer["result"]["changed"] == true);
    assert_eq!(won.count(), 1, "{outcomes:?}");
    let lost = outcomes.iter().filter(|answer| {
        let message = text(&answer["error"]["message"]);
        message.ends_with("because the local plugin path already exists")
    });
    assert_eq!(lost.count(), 1, "{outcomes:?}");
    assert_eq!(state(&sandbox), [true; 3]);
    let error = refused(one, "plugin/share/checkout", json!({"remotePluginId": 7}));
    assert_eq!(error, "-32602 invalidParams");
    for daemon in &mut daemons {
        daemon.shut_down();
    }
}

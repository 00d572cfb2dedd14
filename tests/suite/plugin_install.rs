//! Proves `plugin/install`: success is what is on disk, a refusal changes nothing, the binding to a
//! source moves only by an explicit request, and writes beside it lose nothing.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, config, home_tree, install, installed_in, launch, list_and_settle,
    local, marketplace, plugin, plugin_in, refused, shown, small, start, start_listening, text,
};

fn named(manifest: &str, plugin: &str) -> Value {
    json!({"marketplacePath": manifest, "pluginName": plugin})
}

fn in_dir(dir: &str) -> String {
    format!("$ROOT/{dir}/.agents/plugins/marketplace.json")
}

/// The installed copy of a plugin of `demo`, in the fixture language.
fn copy(sandbox: &Sandbox, name: &str) -> String {
    sandbox.tree(&format!("ch/plugins/cache/demo/{name}"))
}

#[test]
fn the_whole_answer_and_what_is_on_disk() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let expected = |changed: bool| {
        json!({
            "authPolicy": "ON_USE", "appsNeedingAuth": [], "installedVersion": "2.1.0",
            "changed": changed, "rebound": null, "problems": [],
        })
    };
    check(
        &install(&mut daemon, DEMO_MANIFEST, "tools"),
        &sandbox,
        &expected(true),
    );
    let tools = "== 2.1.0/.codex-plugin/plugin.json\n{\"name\": \"tools\", \"version\": \"2.1.0\"}\n\
                 == 2.1.0/run.sh (mode 755)\necho tools\n";
    assert_eq!(copy(&sandbox, "tools"), tools);
    let config = "[marketplaces.demo]\nsource_type = \"local\"\nsource = \"$ROOT/demo\"\n\n\
                  [plugins.\"tools@demo\"]\nenabled = true\n";
    assert_eq!(sandbox.text("ch/config.toml"), config);
    // Once more is success and changes nothing.
    let before = home_tree(&sandbox);
    let mut params = named(DEMO_MANIFEST, "tools");
    params["installAttemptId"] = json!("attempt-1");
    check(
        &daemon.ok("plugin/install", params),
        &sandbox,
        &expected(false),
    );
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn it_enables_what_was_disabled_and_keeps_the_rest_of_the_row() {
    let sandbox = Sandbox::from(DEMO);
    let rows = "# mine\n[plugins.\"hello@demo\"] # ours\nenabled = false # for now\n\
                [plugins.\"hello@demo\".mcp_servers.x]\nenabled = false\n";
    let whole = format!("{}{rows}", sandbox.text("ch/config.toml"));
    sandbox.write("ch/config.toml", sandbox.expand(&whole));
    let mut daemon = start(&sandbox);
    assert_eq!(
        install(&mut daemon, DEMO_MANIFEST, "hello")["changed"],
        true
    );
    let enabled = whole.replace("enabled = false # for now", "enabled = true # for now");
    assert_eq!(sandbox.text("ch/config.toml"), enabled);
    daemon.shut_down();
}

#[test]
fn another_version_takes_the_place_of_the_one_before() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, &in_dir("demo"), "hello");
    // Also a lower one: the request says what it wants.
    for version in ["1.1.0", "0.9.0"] {
        sandbox.add(&plugin("demo/hello", "hello", version));
        let answer = install(&mut daemon, &in_dir("demo"), "hello");
        assert_eq!(answer["installedVersion"], version);
        assert_eq!(copy(&sandbox, "hello"), plugin(version, "hello", version));
    }
    daemon.shut_down();
}

#[test]
fn content_counts_and_not_only_the_version() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, &in_dir("demo"), "hello");
    sandbox.write("demo/hello/notes.md", "changed\n");
    assert_eq!(
        install(&mut daemon, &in_dir("demo"), "hello")["changed"],
        true
    );
    assert_eq!(
        sandbox.text("ch/plugins/cache/demo/hello/1.0.0/notes.md"),
        "changed\n"
    );
    // A copy that somebody touched is made whole again.
    sandbox.write("ch/plugins/cache/demo/hello/1.0.0/notes.md", "touched\n");
    sandbox.write("ch/plugins/cache/demo/hello/1.0.0/stray.md", "stray\n");
    assert_eq!(
        install(&mut daemon, &in_dir("demo"), "hello")["changed"],
        true
    );
    assert_eq!(
        sandbox.text("ch/plugins/cache/demo/hello/1.0.0/notes.md"),
        "changed\n"
    );
    assert!(!sandbox.exists("ch/plugins/cache/demo/hello/1.0.0/stray.md"));
    daemon.shut_down();
}

#[test]
fn versions_name_the_directory() {
    let manifest = |version: &str| format!("{{\"name\": \"p\"{version}}}");
    for (version, dir) in [
        ("", "local"),
        (r#", "version": "  1.2.3 ""#, "1.2.3"),
        (r#", "version": "1.0.0-rc.1+build_5""#, "1.0.0-rc.1+build_5"),
    ] {
        let sandbox = small(&[("p", "1.0.0")]);
        sandbox.write("demo/p/.codex-plugin/plugin.json", manifest(version));
        let mut daemon = start(&sandbox);
        let answer = install(&mut daemon, &in_dir("demo"), "p");
        assert_eq!(answer["installedVersion"], dir);
        assert!(sandbox.exists(&format!("ch/plugins/cache/demo/p/{dir}/notes.md")));
        daemon.shut_down();
    }
}

#[test]
fn plugins_of_the_open_format_have_a_version_of_their_own_kind() {
    let schema = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
    for (version, dir) in [
        (Value::Null, "1.0.0"),
        (json!(" 2.0.0 "), "2.0.0"),
        // The first 24 digits of the SHA-256 of the text.
        (json!("1 of 2"), "agent-plugins-7877dff19607934cb226514d"),
    ] {
        let sandbox = small(&[("p", "1.0.0")]);
        sandbox.remove("demo/p/.codex-plugin");
        let mut manifest = json!({"$schema": schema, "name": "p", "description": "Open"});
        if !version.is_null() {
            manifest["version"] = version;
        }
        sandbox.write("demo/p/plugin.json", manifest.to_string());
        let mut daemon = start(&sandbox);
        let answer = install(&mut daemon, &in_dir("demo"), "p");
        assert_eq!(answer["installedVersion"], dir);
        assert!(sandbox.exists(&format!("ch/plugins/cache/demo/p/{dir}/plugin.json")));
        daemon.shut_down();
    }
}

#[test]
fn curated_plugins_are_versioned_by_the_commit() {
    let sandbox = Sandbox::from(&marketplace(
        "ch/.tmp/plugins",
        "openai-api-curated",
        &[("p", "1.0.0")],
    ));
    let dir = "ch/.tmp/plugins/.agents/plugins";
    sandbox.rename(
        &format!("{dir}/marketplace.json"),
        &format!("{dir}/api_marketplace.json"),
    );
    let manifest = format!("$ROOT/{dir}/api_marketplace.json");
    let mut daemon = start(&sandbox);
    assert_eq!(
        refused(&mut daemon, "plugin/install", named(&manifest, "p")),
        "-32600 unavailable"
    );
    sandbox.write(
        "ch/.tmp/plugins.sha",
        "0123456789abcdef0123456789abcdef01234567\n",
    );
    assert_eq!(
        install(&mut daemon, &manifest, "p")["installedVersion"],
        "01234567"
    );
    assert!(sandbox.exists("ch/plugins/cache/openai-api-curated/p/01234567/notes.md"));
    daemon.shut_down();
}

#[test]
fn what_the_entry_says_becomes_the_manifest_of_the_copy() {
    let sandbox = Sandbox::from(
        r#"
== home/.agents/plugins/marketplace.json
{"name": "mine", "plugins": [
  {"name": "bare", "source": "./bare", "version": "0.3.0", "description": "Bare"}
]}
== home/bare/notes.md
x
"#,
    );
    let mut daemon = start(&sandbox);
    let answer = install(&mut daemon, &in_dir("home"), "bare");
    assert_eq!(answer["installedVersion"], "0.3.0");
    let written = sandbox.text("ch/plugins/cache/mine/bare/0.3.0/.codex-plugin/plugin.json");
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(
        (&written["name"], &written["description"]),
        (&json!("bare"), &json!("Bare"))
    );
    assert!(!sandbox.exists("home/bare/.codex-plugin"));
    daemon.shut_down();
}

#[test]
fn commands_become_skills_in_the_copy_only() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.write(
        "demo/p/commands/Git/Tidy Up.md",
        "---\ndescription: Tidies\n---\nTidy.\n",
    );
    sandbox.write(
        "demo/p/commands/args.md",
        "---\ndescription: x\n---\nUse $ARGUMENTS\n",
    );
    let mut daemon = start(&sandbox);
    install(&mut daemon, &in_dir("demo"), "p");
    let skills = "ch/plugins/cache/demo/p/1.0.0/.codex-plugin/migrated-command-skills";
    assert!(sandbox.exists(&format!("{skills}/source-command-git-tidy-up/SKILL.md")));
    assert_eq!(sandbox.tree(skills).matches("== ").count(), 1);
    assert!(!sandbox.exists("demo/p/.codex-plugin/migrated-command-skills"));
    daemon.shut_down();
}

#[test]
fn skills_in_the_place_of_those_made_of_commands_stay_behind() {
    let sandbox = small(&[("p", "1.0.0"), ("q", "1.0.0")]);
    let place = ".codex-plugin/migrated-command-skills";
    let command = "---\ndescription: Made\n---\nTidy.\n";
    sandbox.write("demo/p/commands/x.md", command);
    for name in ["mine", "source-command-x"] {
        sandbox.write(
            &format!("demo/p/{place}/{name}/SKILL.md"),
            "---\ndescription: Shipped\n---\n",
        );
    }
    sandbox.write("demo/q/commands/x.md", command);
    sandbox.write(&format!("demo/q/{place}"), "a file");
    let mut daemon = start_listening(&sandbox);
    let read = daemon.ok("plugin/read", named(DEMO_MANIFEST, "p"));
    for plugin in ["p", "q"] {
        let answer = install(&mut daemon, DEMO_MANIFEST, plugin);
        let problem = shown(&answer["problems"][0], &sandbox);
        assert_eq!(problem["kind"], "leftOut");
        assert_eq!(problem["path"], format!("$ROOT/demo/{plugin}/{place}"));
        let told = &read["plugin"]["summary"]["problems"];
        assert!(plugin == "q" || shown(told, &sandbox) == json!([problem]));
        let skills = format!("ch/plugins/cache/demo/{plugin}/1.0.0/{place}");
        assert_eq!(sandbox.tree(&skills).matches("== ").count(), 1);
        let made = sandbox.text(&format!("{skills}/source-command-x/SKILL.md"));
        assert!(made.contains("description: \"Made\""), "{made}");
    }
    // Nobody takes the source for something else than the copy because of it.
    let again = install(&mut daemon, DEMO_MANIFEST, "p");
    assert_eq!(again["changed"], false);
    let listing = list_and_settle(&mut daemon, json!({}));
    assert_eq!(plugin_in(&listing, "p@demo")["updateAvailable"], false);
    let outdated = daemon.ok("plugd/outdated", json!({"pluginId": "p@demo"}));
    assert_eq!(outdated["changes"][0]["changed"], false);
    let looked = daemon.ok("plugd/inspect", json!({"pluginId": "p@demo"}));
    assert_eq!(looked["difference"]["changes"], json!([]), "{looked:#}");
    daemon.shut_down();
}

#[test]
fn only_a_request_binds_to_another_source_and_says_so() {
    let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
    sandbox.add(&marketplace("demo", "demo", &[("hello", "1.0.0")]));
    sandbox.add(&marketplace("other", "demo", &[("hello", "2.0.0")]));
    let mut daemon = start(&sandbox);
    assert_eq!(
        install(&mut daemon, &in_dir("demo"), "hello")["rebound"],
        Value::Null
    );
    let answer = shown(&install(&mut daemon, &in_dir("other"), "hello"), &sandbox);
    assert_eq!(answer["installedVersion"], "2.0.0");
    let binding = |dir: &str| {
        json!({
            "marketplacePath": in_dir(dir), "marketplaceUrl": null, "marketplaceRef": null,
            "source": local(&format!("{dir}/hello")),
        })
    };
    assert_eq!(
        answer["rebound"],
        json!({"from": binding("demo"), "to": binding("other")})
    );
    assert_eq!(copy(&sandbox, "hello"), plugin("2.0.0", "hello", "2.0.0"));
    daemon.shut_down();
}

#[test]
fn another_spelling_of_a_place_is_the_same_place() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add("== alias -> demo\n");
    let mut daemon = start(&sandbox);
    install(&mut daemon, &in_dir("demo"), "hello");
    for dir in ["demo/../demo", "./demo/", "alias"] {
        let answer = install(&mut daemon, &in_dir(dir), "hello");
        assert_eq!(
            (&answer["rebound"], &answer["changed"]),
            (&Value::Null, &json!(false)),
            "{dir}"
        );
    }
    daemon.shut_down();
}

#[test]
fn the_same_one_twice_at_once_is_one_change() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    let asked: Vec<u64> = (0..8)
        .map(|_| daemon.request("plugin/install", named(&in_dir("demo"), "hello")))
        .collect();
    let changed: Vec<Value> = asked
        .into_iter()
        .map(|id| daemon.response(id)["result"]["changed"].take())
        .collect();
    let changes = changed.iter().filter(|changed| **changed == true).count();
    assert_eq!((changed.len(), changes), (8, 1), "{changed:?}");
    daemon.shut_down();
}

#[test]
fn links_become_copies_and_what_leads_out_is_left_out() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.add(
        "== secret.txt\nsecret\n== demo/p/in.md -> notes.md\n== demo/p/out.txt -> $ROOT/secret.txt\n\
         == demo/p/dangling -> nowhere\n== demo/p/sub/a\na\n== demo/p/linked -> sub\n\
         == demo/p/pipe (fifo)\n== demo/p/.git/HEAD\nref\n== demo/p/run (mode 4755)\nx\n",
    );
    let mut daemon = start(&sandbox);
    let answer = install(&mut daemon, &in_dir("demo"), "p");
    let expected = "== 1.0.0/.codex-plugin/plugin.json\n{\"name\":\"p\",\"version\":\"1.0.0\"}\n\
                    == 1.0.0/in.md\np 1.0.0\n== 1.0.0/linked/a\na\n== 1.0.0/notes.md\np 1.0.0\n\
                    == 1.0.0/run (mode 755)\nx\n== 1.0.0/sub/a\na\n";
    assert_eq!(copy(&sandbox, "p"), expected);
    let mut left_out: Vec<String> = Vec::new();
    for problem in shown(&answer["problems"], &sandbox).as_array().unwrap() {
        assert_eq!(problem["kind"], "leftOut", "{problem:#}");
        left_out.push(text(&problem["path"]).to_owned());
    }
    // A repository is nobody's content; whether it is told does not matter.
    left_out.retain(|path| !path.ends_with("/.git"));
    left_out.sort();
    assert_eq!(
        left_out,
        [
            "$ROOT/demo/p/dangling",
            "$ROOT/demo/p/out.txt",
            "$ROOT/demo/p/pipe"
        ]
    );
    daemon.shut_down();
}

#[test]
fn a_command_that_becomes_no_skill_is_told_under_its_path_in_the_source() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox
        .add("== demo/p/commands/bad.md (hex)\nfffe\n== demo/p/commands/huge.md (size 1048577)\n");
    let mut daemon = start(&sandbox);
    let answer = install(&mut daemon, &in_dir("demo"), "p");
    let problems = shown(&answer["problems"], &sandbox);
    let problems = problems.as_array().unwrap();
    assert_eq!(problems[0]["path"], "$ROOT/demo/p/commands/bad.md");
    assert_eq!(problems[1]["path"], "$ROOT/demo/p/commands/huge.md");
    let text = "`$ROOT/demo/p/commands/huge.md` is larger than 1048576 bytes";
    assert_eq!(problems[1]["message"], text);
    daemon.shut_down();
}

#[test]
fn refusals_change_nothing() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(&marketplace(
        "bad",
        "bad",
        &[("renamed", "1"), ("absent", "1"), ("slash", "a/b")],
    ));
    sandbox.add(&plugin("bad/renamed", "another", "1"));
    sandbox.remove("bad/absent");
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    let before = home_tree(&sandbox);
    for (params, expected) in [
        (named(DEMO_MANIFEST, "nobody"), "-32600 notFound"),
        (named(DEMO_MANIFEST, "locked"), "-32600 notAllowed"),
        (named(DEMO_MANIFEST, "far"), "-32600 unavailable"),
        (named(&in_dir("nowhere"), "hello"), "-32600 notFound"),
        (named(&in_dir("bad"), "renamed"), "-32600 invalidInput"),
        (named(&in_dir("bad"), "absent"), "-32600 notFound"),
        (named(&in_dir("bad"), "slash"), "-32600 invalidInput"),
        (json!({"pluginName": "hello"}), "-32600 invalidInput"),
        (
            json!({"pluginName": "hello", "remoteMarketplaceName": "x"}),
            "-32600 notAllowed",
        ),
        (
            json!({"marketplacePath": DEMO_MANIFEST}),
            "-32602 invalidParams",
        ),
        (named("demo/x", "hello"), "-32602 invalidParams"),
        (
            json!({"marketplacePath": DEMO_MANIFEST, "pluginName": 1}),
            "-32602 invalidParams",
        ),
    ] {
        let got = refused(&mut daemon, "plugin/install", params.clone());
        assert_eq!(got, expected, "{params}");
        assert_eq!(home_tree(&sandbox), before, "{params}");
    }
    daemon.shut_down();
}

#[test]
fn it_works_while_plugins_are_switched_off() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = launch().args(&["--disable", "plugins"]).start(&sandbox);
    daemon.initialize();
    assert_eq!(
        install(&mut daemon, DEMO_MANIFEST, "hello")["installedVersion"],
        "1.0.0"
    );
    daemon.shut_down();
}

#[test]
fn a_configuration_that_cannot_be_edited_refuses_the_installation() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    sandbox.write("ch/config.toml", "model = \"x\"\n[oops\n");
    let before = home_tree(&sandbox);
    let error = daemon.err("plugin/install", named(DEMO_MANIFEST, "hello"));
    assert_eq!(error["data"]["line"], 2, "{error:#}");
    assert_eq!(
        error["data"]["path"],
        sandbox.path("ch/config.toml").to_text()
    );
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn many_at_once_are_all_there() {
    let names: Vec<String> = (0..30).map(|number| format!("p{number:02}")).collect();
    let plugins: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    let sandbox = small(&plugins);
    let mut daemon: Daemon = start(&sandbox);
    let mut asked = Vec::new();
    for name in &names {
        asked.push(daemon.request("plugin/install", named(&in_dir("demo"), name)));
        let write = json!({
            "keyPath": format!("extra.{name}"), "value": 1, "mergeStrategy": "replace",
        });
        asked.push(daemon.request("config/value/write", write));
    }
    for id in asked {
        let answer = daemon.response(id);
        assert!(answer.get("result").is_some(), "{answer:#}");
    }
    let listing = daemon.ok("plugin/list", json!({}));
    let expected: Vec<String> = names
        .iter()
        .map(|name| format!("{name}@demo 1.0.0"))
        .collect();
    assert_eq!(installed_in(&listing), expected);
    let config = sandbox.text("ch/config.toml");
    assert_eq!(config.matches(" = 1\n").count(), 30, "{config}");
    daemon.shut_down();
}

//! Proves `plugd/lock`: what the text says, whose block changes, and what is refused.

use plugd_protocol::generate::lock_schema;
use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    cli, config, home_tree, install, marketplace, plugin, refused, start, start_listening, text,
};
use crate::remotes::{self, Remote, add, remote};

/// Where the lock of the project `p` lies.
pub(crate) const LOCK: &str = "p/.agents/plugins/plugins.lock";

pub(crate) const MANIFEST: &str = "$ROOT/p/market/.agents/plugins/marketplace.json";

/// A project with a marketplace of its own and two plugins, which is configured.
pub(crate) fn project() -> Sandbox {
    let sandbox = Sandbox::from(&config(&[("team", "p/market")]));
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    sandbox.add(&marketplace(
        "p/market",
        "team",
        &[("a", "1.0.0"), ("b", "2.0.0")],
    ));
    sandbox
}

#[track_caller]
pub(crate) fn lock(daemon: &mut Daemon, more: Value) -> Value {
    daemon.ok("plugd/lock", in_project(more))
}

/// Params of a request from somewhere in the project.
pub(crate) fn in_project(more: Value) -> Value {
    let mut params = json!({"cwd": "$ROOT/p/src"});
    let more = more.as_object().unwrap().clone();
    params.as_object_mut().unwrap().extend(more);
    params
}

/// The rows about plugins, short.
pub(crate) fn rows(answer: &Value) -> Vec<String> {
    let rows = answer["changes"].as_array().unwrap().iter();
    rows.map(|row| {
        let id = row["pluginId"].as_str().or(row["marketplaceName"].as_str());
        let from = row["from"].as_str().unwrap_or("-");
        let to = row["to"].as_str().unwrap_or("-");
        format!("{} {from} {to} {}", id.unwrap(), text(&row["reason"]))
    })
    .collect()
}

#[test]
fn what_is_switched_on_is_locked_exactly() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "a");
    let before = home_tree(&sandbox);
    let dry = lock(&mut daemon, json!({"dryRun": true}));
    assert_eq!(dry["dryRun"], true);
    assert!(!sandbox.exists(LOCK));
    let answer = lock(&mut daemon, json!({}));
    assert_eq!(home_tree(&sandbox), before, "a lock reads the home");
    assert_eq!(answer["changes"], dry["changes"]);
    assert_eq!(
        rows(&answer),
        ["team - ./market added", "a@team - 1.0.0 added"]
    );
    assert_eq!(answer["problems"], json!([]));
    let versions = daemon.ok("plugd/versions", json!({"pluginId": "a@team"}));
    let version = &versions["plugins"][0]["versions"][0];
    assert_eq!(
        sandbox.text(LOCK),
        format!(
            "# The plugins of this project, exactly. `plugd lock` writes this file and `plugd sync` \
             makes a home\n# match it. Commit it.\nversion = 1\n\n[marketplaces.team]\n\
             path = \"./market\"\n\n[plugins.\"a@team\"]\nversion = \"1.0.0\"\n\
             source = {{ path = \"./a\" }}\nsource_digest = \"{}\"\ntree_digest = \"{}\"\n",
            text(&version["sourceDigest"]),
            text(&version["treeDigest"])
        )
    );
    let again = lock(&mut daemon, json!({}));
    assert_eq!(
        rows(&again),
        [
            "team ./market ./market unchanged",
            "a@team 1.0.0 1.0.0 unchanged"
        ]
    );
    daemon.shut_down();
}

#[test]
fn what_is_written_is_what_the_schema_says() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "a");
    lock(&mut daemon, json!({}));
    daemon.shut_down();
    let schema: Value = serde_json::from_str(&lock_schema().content).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = json_of(&sandbox.text(LOCK));
    assert!(validator.is_valid(&good), "{good:#}");
    for field in ["version", "source", "source_digest", "tree_digest"] {
        let mut bad = good.clone();
        let plugin = bad["plugins"]["a@team"].as_object_mut().unwrap();
        plugin.remove(field);
        assert!(!validator.is_valid(&bad), "{field}");
    }
}

/// A TOML document of texts, numbers and tables as JSON.
fn json_of(text: &str) -> Value {
    fn of(item: &toml_edit::Item) -> Value {
        match (item.as_str(), item.as_integer(), item.as_table_like()) {
            (Some(text), ..) => json!(text),
            (_, Some(number), _) => json!(number),
            (.., Some(table)) => {
                let members = table.iter().map(|(key, item)| (key.to_owned(), of(item)));
                Value::Object(members.collect())
            }
            _ => panic!("{item:?}"),
        }
    }
    of(text.parse::<toml_edit::DocumentMut>().unwrap().as_item())
}

#[test]
fn one_name_changes_one_block_and_keeps_comments() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "a");
    install(&mut daemon, MANIFEST, "b");
    lock(&mut daemon, json!({}));
    let noted = sandbox.text(LOCK).replace(
        "[plugins.\"b@team\"]",
        "# Ada keeps it back.\n[plugins.\"b@team\"]",
    );
    sandbox.write(LOCK, &noted);
    for name in ["a", "b"] {
        sandbox.add(&plugin(&format!("p/market/{name}"), name, "3.0.0"));
        install(&mut daemon, MANIFEST, name);
    }
    let answer = lock(&mut daemon, json!({"pluginIds": ["a@team"]}));
    assert_eq!(
        rows(&answer)[1..],
        ["a@team 1.0.0 3.0.0 moved", "b@team 2.0.0 2.0.0 unchanged"]
    );
    let now = sandbox.text(LOCK);
    let block_of_b = noted.split("# Ada").nth(1).unwrap();
    assert!(now.ends_with(&format!("# Ada{block_of_b}")), "{now}");
    // What is not installed any more goes when all of it is locked.
    daemon.ok("plugin/uninstall", json!({"pluginId": "b@team"}));
    let answer = lock(&mut daemon, json!({}));
    assert_eq!(rows(&answer)[2], "b@team 2.0.0 - removed");
    daemon.shut_down();
}

#[test]
fn a_git_marketplace_is_locked_by_commit() {
    let Remote {
        sandbox, repo, url, ..
    } = &remote(&[("p", "1.0.0")]);
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut daemon = start_listening(sandbox);
    add(&mut daemon, url);
    install(&mut daemon, remotes::MANIFEST, "p");
    lock(&mut daemon, json!({}));
    let written = sandbox.text(LOCK);
    for line in [
        format!("[marketplaces.market]\ngit = \"{url}\"\n"),
        format!(
            "source = {{ path = \"./p\" }}\ncommit = \"{}\"\n",
            repo.head()
        ),
    ] {
        assert!(written.contains(&line), "{written}");
    }
    daemon.shut_down();
}

#[test]
fn what_cannot_be_locked_is_told() {
    let sandbox = project();
    sandbox.add(&plugin("ch/plugins/cache/team/b/2.0.0", "b", "2.0.0"));
    sandbox.add("== other/.agents/plugins/marketplace.json\n{\"name\":\"other\",\"plugins\":[{\"name\":\"o\",\"source\":\"./o\"}]}\n");
    sandbox.add(&plugin("other/o", "o", "1.0.0"));
    let mut daemon = start(&sandbox);
    install(
        &mut daemon,
        "$ROOT/other/.agents/plugins/marketplace.json",
        "o",
    );
    let edit =
        json!({"keyPath": "plugins.\"b@team\".enabled", "value": true, "mergeStrategy": "replace"});
    daemon.ok("config/value/write", edit);
    let answer = lock(&mut daemon, json!({}));
    let problems = answer["problems"].as_array().unwrap();
    let told: Vec<&str> = problems.iter().map(|one| text(&one["message"])).collect();
    assert!(
        told[0].starts_with("`b@team` is not in the lock: "),
        "{told:#?}"
    );
    assert!(told[1].contains("lies outside of the project"), "{told:#?}");
    let check = |daemon: &mut Daemon, more: Value, expected: &str| {
        assert_eq!(refused(daemon, "plugd/lock", in_project(more)), expected);
    };
    check(
        &mut daemon,
        json!({"pluginIds": ["b@team"]}),
        "-32600 conflict",
    );
    check(
        &mut daemon,
        json!({"pluginIds": ["x@team"]}),
        "-32600 notFound",
    );
    check(
        &mut daemon,
        json!({"pluginIds": ["x"]}),
        "-32600 invalidInput",
    );
    check(&mut daemon, json!({"cwd": "p"}), "-32602 invalidParams");
    assert_eq!(
        refused(&mut daemon, "plugd/lock", json!({})),
        "-32602 invalidParams"
    );
    daemon.shut_down();
}

#[test]
fn a_lock_that_cannot_be_kept_is_not_written_over() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "a");
    let newer = "version = 2\n";
    sandbox.write(LOCK, newer);
    for more in [json!({}), json!({"pluginIds": ["a@team"]})] {
        let error = daemon.err("plugd/lock", in_project(more));
        assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
        assert_eq!(
            (&error["data"]["line"], &error["data"]["field"]),
            (&json!(1), &json!("version"))
        );
        let hint = "a newer plugd has written it; update this one";
        assert_eq!(error["data"]["hint"], hint);
    }
    assert_eq!(sandbox.text(LOCK), newer);
    // Two branches: with a name nothing is guessed, without one the home decides.
    let torn = format!("{newer}<<<<<<< ours\n").replace('2', "1");
    sandbox.write(LOCK, &torn);
    let error = daemon.err("plugd/lock", in_project(json!({"pluginIds": ["a@team"]})));
    assert!(
        text(&error["message"]).contains("two branches"),
        "{error:#}"
    );
    assert_eq!(sandbox.text(LOCK), torn);
    let answer = daemon.ok("plugd/lock", in_project(json!({})));
    assert!(sandbox.text(LOCK).contains("a@team"));
    // What it named may be gone with it, so that is said.
    let told = &answer["problems"][0];
    assert_eq!(
        (&told["severity"], &told["line"]),
        (&json!("warning"), &json!(2))
    );
    assert!(
        text(&told["message"]).contains("is written anew: "),
        "{told:#}"
    );
    // What is no file is nothing to write.
    sandbox.remove(LOCK);
    sandbox.add(&format!("== {LOCK} -> ../../../ch/config.toml\n"));
    let config = sandbox.text("ch/config.toml");
    let said = refused(&mut daemon, "plugd/lock", in_project(json!({})));
    assert_eq!(said, "-32600 invalidInput");
    assert_eq!(sandbox.text("ch/config.toml"), config);
    daemon.shut_down();
}

#[test]
fn a_lock_is_never_emptied_by_what_cannot_be_seen() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "a");
    lock(&mut daemon, json!({}));
    let written = sandbox.text(LOCK);
    let config = sandbox.text("ch/config.toml");
    sandbox.write("ch/config.toml", "x = [");
    let error = daemon.err("plugd/lock", in_project(json!({})));
    assert_eq!(
        (&error["data"]["kind"], &error["data"]["line"]),
        (&json!("conflict"), &json!(1)),
        "{error:#}"
    );
    lock(&mut daemon, json!({"pluginIds": ["a@team"]}));
    sandbox.write("ch/config.toml", config);
    daemon.ok("plugin/uninstall", json!({"pluginId": "a@team"}));
    let error = daemon.err("plugd/lock", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    assert_eq!(sandbox.text(LOCK), written);
    daemon.shut_down();
}

#[test]
fn the_command_line() {
    let sandbox = project();
    assert_eq!(cli(&sandbox, &["plugin", "add", "a@team"]).code(), 0);
    let file = sandbox.path("p/team.lock").to_text();
    let said = cli(&sandbox, &["lock", "--file", &file]);
    let expected = format!(
        "marketplace team ./market, new in the lock\na@team 1.0.0, new in the lock\nWrote {file}.\n"
    );
    assert_eq!(said.success(), expected);
    let again = cli(&sandbox, &["lock", "--file", &file]);
    assert_eq!(again.success(), format!("{file} says all that already.\n"));
    let json = cli(&sandbox, &["lock", "--file", &file, "--json"]).json();
    assert_eq!(rows(&json)[1], "a@team 1.0.0 1.0.0 unchanged");
    let refused = cli(&sandbox, &["lock", "x@team", "--file", &file]);
    assert_eq!(refused.code(), 1);
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    let params = json!({"cwd": "$ROOT/p/srcc/deep"});
    let error = daemon.err("plugd/lock", params.clone());
    assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
    assert_eq!(error["data"]["field"], "cwd");
    assert!(!sandbox.exists("p/srcc") && !sandbox.exists(LOCK));
    daemon.shut_down();
}

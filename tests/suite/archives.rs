//! Proves `plugd/export` and `plugd/import`: one archive carries plugins of every source to a home
//! without a network, exactly, and an archive that is not what it says changes nothing.

use plugd_testkit::{Daemon, GitRepo, GitServer, NpmRegistry, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, install, launch, plugin, refused, shown, start, start_listening, text};
use crate::lock::rows;
use crate::remotes::{self, add, tree};

const TEAM: &str = "$ROOT/team/.agents/plugins/marketplace.json";
pub(crate) const ARCHIVE: &str = "out/plugins.tar.gz";
const IDS: [&str; 4] = ["bare@team", "hooked@team", "n@team", "p@market"];

/// Plugins of every source: a directory with all kinds of components, one that its marketplace
/// speaks for, a package, and a repository.
pub(crate) fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    let repo = GitRepo::bare(&sandbox, "remote.git");
    repo.commit(&tree("market", &[("p", "1.0.0")]));
    let server = GitServer::start();
    let url = server.serve("team/market.git", &repo);
    let registry = NpmRegistry::start();
    sandbox.write("home/.npmrc", format!("registry={}\n", registry.url()));
    let package = plugin("top", "n", "3.0.0").replace("== top/", "== ");
    registry.publish("tool", "3.0.0", &package);
    let manifest = json!({"name": "team", "plugins": [
        {"name": "hooked", "source": "./hooked"},
        {"name": "bare", "source": "./plugins/bare", "version": "2.0.0", "category": "Tools",
         "description": "Says nothing of itself", "author": {"name": "Ann"}},
        {"name": "n", "source": {"source": "npm", "package": "tool"}},
    ]});
    sandbox.add(&format!(
        "== team/.agents/plugins/marketplace.json\n{manifest}\n\
         == team/plugins/bare/skills/greet/SKILL.md\n---\nname: greet\ndescription: Greets\n---\nHi\n\
         == team/hooked/hooks/hooks.json\n{}\n\
         == team/hooked/commands/tidy.md\n---\ndescription: Tidies up\n---\nTidy up\n\
         == team/hooked/bin/run (mode 755)\n#!/bin/sh\n== team/hooked/.env\nNAME=1\n\
         == team/hooked/skills/look/SKILL.md\n---\nname: look\ndescription: Looks\n---\nLook\n\
         == out/\n",
        json!({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "bin/run"}]}]}})
    ));
    sandbox.add(&plugin("team/hooked", "hooked", "1.0.0"));
    let mut daemon = start(&sandbox);
    daemon.ok("marketplace/add", json!({"source": "$ROOT/team"}));
    add(&mut daemon, &url);
    for name in ["hooked", "bare", "n"] {
        install(&mut daemon, TEAM, name);
    }
    install(&mut daemon, remotes::MANIFEST, "p");
    daemon.shut_down();
    sandbox
}

#[track_caller]
pub(crate) fn export(daemon: &mut Daemon, more: Value) -> Value {
    let mut params = json!({"path": format!("$ROOT/{ARCHIVE}")});
    let more = more.as_object().unwrap().clone();
    params.as_object_mut().unwrap().extend(more);
    daemon.ok("plugd/export", params)
}

pub(crate) fn import() -> Value {
    json!({"path": format!("$ROOT/{ARCHIVE}")})
}

/// The daemon over the other home.
#[track_caller]
pub(crate) fn other(sandbox: &Sandbox) -> Daemon {
    sandbox.add("== ch2/\n");
    let mut daemon = launch()
        .var("CODEX_HOME", &sandbox.path("ch2").to_text())
        .start(sandbox);
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-tests", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
    daemon
}

/// What is visible of the other home.
pub(crate) fn visible(sandbox: &Sandbox) -> String {
    let config = match sandbox.exists("ch2/config.toml") {
        true => sandbox.text("ch2/config.toml"),
        false => String::new(),
    };
    let cache = match sandbox.exists("ch2/plugins/cache") {
        true => sandbox.tree("ch2/plugins/cache"),
        false => String::new(),
    };
    format!("{config}{cache}")
}

/// What is recorded of the installed version of each plugin.
#[track_caller]
fn recorded(daemon: &mut Daemon, id: &str) -> Value {
    let answer = daemon.ok("plugd/versions", json!({"pluginId": id}));
    let plugin = &answer["plugins"][0];
    let mut versions = plugin["versions"].as_array().unwrap().iter();
    let version = versions.find(|one| one["state"] == "installed").unwrap();
    json!({
        "version": version["version"], "tree": version["treeDigest"],
        "source": version["sourceDigest"], "commit": version["commit"],
        "bound": plugin["bound"], "pin": plugin["pin"]["digest"],
        "locks": plugin["pin"]["lockPaths"], "by": version["by"],
    })
}

/// They are listed although no marketplace can be had.
#[track_caller]
fn all_are_orphans(daemon: &mut Daemon) {
    let installed = daemon.ok("plugin/installed", json!({}));
    let listed = installed["marketplaces"].as_array().unwrap().iter();
    let listed: Vec<&Value> = listed
        .flat_map(|one| one["plugins"].as_array().unwrap())
        .collect();
    assert_eq!(listed.len(), IDS.len());
    assert!(
        listed
            .iter()
            .all(|row| row["problems"][0]["kind"] == "orphan")
    );
}

#[test]
fn a_home_without_a_network_comes_to_hold_exactly_what_was_exported() {
    let sandbox = world();
    let mut first = start(&sandbox);
    let exported = export(&mut first, json!({}));
    assert_eq!(exported["problems"], json!([]));
    let ids = exported["plugins"].as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|row| text(&row["pluginId"])).collect();
    assert_eq!(ids, IDS);
    let before: Vec<Value> = IDS.iter().map(|id| recorded(&mut first, id)).collect();
    let components = first.ok("plugd/components", json!({}));
    first.shut_down();
    // The servers are gone, and so is the directory.
    sandbox.remove("team");
    sandbox.remove("remote.git");

    let mut second = other(&sandbox);
    let expected = [
        "market - $URL added",
        "team - $ROOT/team added",
        "bare@team - 2.0.0 installed",
        "hooked@team - 1.0.0 installed",
        "n@team - 3.0.0 installed",
        "p@market - 1.0.0 installed",
    ];
    let short = |answer: &Value| {
        let mut found = rows(&shown(answer, &sandbox));
        found[0] = found[0].replace(text(&answer["changes"][0]["to"]), "$URL");
        found
    };
    let mut dry = import();
    dry["dryRun"] = json!(true);
    let told = second.ok("plugd/import", dry);
    assert_eq!(short(&told), expected);
    assert_eq!(visible(&sandbox), "");
    let done = second.ok("plugd/import", import());
    assert_eq!(short(&done), expected);
    assert_eq!(done["problems"], json!([]));
    assert_eq!(done["sha256"], exported["sha256"]);
    let change = second.wait_notification("plugd/changed", |change| change["reason"] == "sync");
    assert_eq!(change["plugins"], json!(IDS));
    for (id, before) in IDS.into_iter().zip(before) {
        let mut expected = before.clone();
        expected["pin"] = before["tree"].clone();
        expected["locks"] = json!([]);
        expected["by"] = json!("import");
        assert_eq!(recorded(&mut second, id), expected, "{id}");
    }
    assert_eq!(second.ok("plugd/verify", json!({}))["matches"], true);
    let here = second.ok("plugd/components", json!({}));
    for member in ["hooks", "skills"] {
        let names = |answer: &Value| -> Vec<Value> {
            let rows = answer[member].as_array().unwrap().iter();
            let name = |row: &Value| json!([row["pluginId"], row["name"], row["eventName"]]);
            rows.map(name).collect()
        };
        assert_eq!(names(&here), names(&components));
        assert!(!names(&here).is_empty());
    }
    all_are_orphans(&mut second);
    // Nothing moves by itself, and a second import has nothing to do.
    let tree = sandbox.tree("ch2/plugins/cache");
    second.ok("plugin/list", json!({}));
    let again = second.ok("plugd/import", import());
    assert!(
        again["changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["changed"] == false)
    );
    assert_eq!(sandbox.tree("ch2/plugins/cache"), tree);
    second.shut_down();
    assert_eq!(sandbox.tree("ch2/plugins/.plugd/staging"), "");
}

#[test]
fn the_lock_in_an_archive_is_that_of_the_home_that_it_made() {
    let sandbox = world();
    let mut first = start(&sandbox);
    export(&mut first, json!({}));
    first.shut_down();
    let lock = unpacked(&sandbox, "plugins.lock");
    sandbox.write(
        "q/plugins.lock",
        lock.replace("$ROOT", &sandbox.root().to_text()),
    );
    let mut second = other(&sandbox);
    second.ok("plugd/import", import());
    let params = json!({"cwd": "$ROOT/q", "path": "$ROOT/q/plugins.lock", "frozen": true,
        "offline": true});
    let same = second.ok("plugd/sync", params.clone());
    assert!(
        same["changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["changed"] == false)
    );
    // And the home that it came from is what it says, too.
    let mut first = start(&sandbox);
    let told = first.err("plugd/sync", params);
    assert!(text(&told["message"]).contains("is not pinned"), "{told:#}");
    first.shut_down();
    second.shut_down();
}

/// The text of a file in the archive.
fn unpacked(sandbox: &Sandbox, name: &str) -> String {
    let dir = sandbox.path("unpacked");
    let disk = plugd_disk::Disk::new();
    if disk.link_stamp(&dir).unwrap().is_none() {
        unpack(sandbox);
    }
    sandbox.text(&format!("unpacked/{name}"))
}

pub(crate) fn unpack(sandbox: &Sandbox) {
    let bytes = plugd_disk::Disk::new().read(&sandbox.path(ARCHIVE), 1 << 30);
    let chunks = plugd_fetch::Chunks::of_file(Box::new(std::io::Cursor::new(bytes.unwrap())));
    let dir = sandbox.path("unpacked");
    let rules = plugd_fetch::Rules::export();
    plugd_fetch::unpack(
        &plugd_disk::Disk::new(),
        chunks,
        &dir,
        &rules,
        &plugd_disk::tree::AtEase,
    )
    .unwrap();
}

/// Packs what was unpacked and changed.
pub(crate) fn repack(sandbox: &Sandbox) {
    sandbox.remove(ARCHIVE);
    plugd_fetch::pack(
        &plugd_disk::Disk::new(),
        &sandbox.path("unpacked"),
        &sandbox.path(ARCHIVE),
        &plugd_fetch::PackRules::EXPORT,
        &plugd_disk::tree::AtEase,
    )
    .unwrap();
}

#[test]
fn the_same_home_makes_the_same_archive_and_overwrites_nothing() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    let one = export(&mut daemon, json!({}));
    let again = refused(&mut daemon, "plugd/export", import());
    assert_eq!(again, "-32600 conflict");
    let two = export(&mut daemon, json!({"force": true}));
    assert_eq!(one, two);
    let params = json!({"path": "$ROOT/out/other", "plugins": ["hooked@team"]});
    let part = daemon.ok("plugd/export", params);
    assert_eq!(part["plugins"].as_array().unwrap().len(), 1);
    // Nothing but the archives is left.
    assert_eq!(sandbox.tree("out").matches("== ").count(), 2);
    // Not even by force a directory or a device gives way.
    sandbox.add("== box/pipe (fifo)\n");
    for (place, force) in [
        ("out", false),
        ("out", true),
        ("box/pipe", false),
        ("box/pipe", true),
    ] {
        let onto = json!({"path": format!("$ROOT/{place}"), "force": force});
        let error = daemon.err("plugd/export", onto);
        assert_eq!(error["data"]["kind"], "conflict", "{place}");
        assert!(
            text(&error["message"]).contains("no regular file"),
            "{error:#}"
        );
    }
    assert_eq!(sandbox.tree("box"), "== pipe (fifo)\n");
    let nowhere = json!({"path": "$ROOT/nowhere/a"});
    assert_eq!(
        refused(&mut daemon, "plugd/export", nowhere),
        "-32600 invalidInput"
    );
    let unknown = json!({"path": "$ROOT/out/x", "plugins": ["gone@team"]});
    assert_eq!(
        refused(&mut daemon, "plugd/export", unknown),
        "-32600 notFound"
    );
    // A copy that was changed is not what was installed.
    sandbox.write("ch/plugins/cache/team/hooked/1.0.0/notes.md", "evil\n");
    let error = daemon.err("plugd/export", json!({"path": "$ROOT/out/x"}));
    assert_eq!(error["data"]["kind"], "conflict");
    assert_eq!(error["data"]["plugin"], "hooked@team");
    assert_eq!(sandbox.tree("out").matches("== ").count(), 2);
    daemon.shut_down();
}

#[test]
fn a_lock_says_what_is_meant() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    let ids =
        json!({"cwd": "$ROOT/p", "path": "$ROOT/p/plugins.lock", "pluginIds": ["hooked@team"]});
    sandbox.add("== p/\n");
    daemon.ok("plugd/lock", ids);
    let done = export(&mut daemon, json!({"lockPath": "$ROOT/p/plugins.lock"}));
    assert_eq!(done["plugins"].as_array().unwrap().len(), 1);
    sandbox.add(&plugin("team/hooked", "hooked", "1.1.0"));
    install(&mut daemon, TEAM, "hooked");
    let params = json!({"path": "$ROOT/out/x", "lockPath": "$ROOT/p/plugins.lock"});
    let error = daemon.err("plugd/export", params);
    assert!(
        text(&error["message"]).contains("is 1.1.0 instead of 1.0.0"),
        "{error:#}"
    );
    daemon.shut_down();
}

#[test]
fn what_is_held_stays_and_a_failure_takes_everything_back() {
    let sandbox = world();
    let mut first = start_listening(&sandbox);
    export(&mut first, json!({}));
    let mut second = other(&sandbox);
    // The last plugin cannot take its place: the others go again, and so do the rows.
    sandbox.add("== ch2/plugins/cache/market/p\nin the way\n");
    let before = visible(&sandbox);
    let error = second.err("plugd/import", import());
    assert_eq!(error["data"]["plugin"], "p@market", "{error:#}");
    assert_eq!(visible(&sandbox), before);
    sandbox.remove("ch2/plugins/cache/market/p");
    second.ok("plugd/import", import());
    // A later archive wants to be meant.
    sandbox.add(&plugin("team/hooked", "hooked", "1.1.0"));
    install(&mut first, TEAM, "hooked");
    export(&mut first, json!({"force": true}));
    first.shut_down();
    let error = second.err("plugd/import", import());
    assert_eq!(error["data"]["kind"], "conflict");
    assert!(
        text(&error["message"]).contains("pinned to 1.0.0 here"),
        "{error:#}"
    );
    let mut switch = import();
    switch["switch"] = json!(true);
    let done = second.ok("plugd/import", switch);
    assert!(rows(&done).contains(&"hooked@team 1.0.0 1.1.0 moved".to_owned()));
    assert_eq!(second.ok("plugd/verify", json!({}))["matches"], true);
    second.shut_down();
}

/// Where an installation puts what it makes of commands, nothing of the source counts.
#[test]
fn what_an_installation_made_is_no_part_of_an_archive() {
    let sandbox = world();
    let skills = "team/hooked/.codex-plugin/migrated-command-skills";
    sandbox.add(&format!(
        "== team/hooked/commands/sweep.md\n---\ndescription: Sweeps\n---\nSweep\n\
         == {skills}/source-command-tidy/SKILL.md\n---\nname: source-command-tidy\n\
         description: Mine\n---\nMine\n"
    ));
    let mut first = start(&sandbox);
    install(&mut first, TEAM, "hooked");
    let made = "ch/plugins/cache/team/hooked/1.0.0/.codex-plugin/migrated-command-skills";
    let tidy = sandbox.text(&format!("{made}/source-command-tidy/SKILL.md"));
    assert!(!tidy.contains("Mine"), "{tidy}");
    assert!(sandbox.exists(&format!("{made}/source-command-sweep/SKILL.md")));
    export(&mut first, json!({"plugins": ["hooked@team"]}));
    let before = recorded(&mut first, "hooked@team");
    first.shut_down();
    let mut second = other(&sandbox);
    second.ok("plugd/import", import());
    let after = recorded(&mut second, "hooked@team");
    assert_eq!(
        (&after["tree"], &after["source"]),
        (&before["tree"], &before["source"])
    );
    assert_eq!(second.ok("plugd/verify", json!({}))["matches"], true);
    second.shut_down();
}

#[test]
fn another_archive_than_the_one_that_was_meant_is_not_looked_into() {
    let sandbox = world();
    let mut first = start(&sandbox);
    let exported = export(&mut first, json!({"plugins": ["hooked@team"]}));
    first.shut_down();
    let good = text(&exported["sha256"]).to_owned();
    let mut second = other(&sandbox);
    let mut of = |sha256: &str| {
        let mut params = import();
        params["sha256"] = json!(sha256);
        second.call("plugd/import", params)
    };
    for bad in ["", "12", "sha1:12", &format!("{good}0")] {
        let error = &of(bad)["error"];
        assert_eq!(error["data"]["field"], "sha256", "{error:#}");
    }
    let other = format!(
        "{}{}",
        if good.starts_with('0') { '1' } else { '0' },
        &good[1..]
    );
    let error = &of(&other)["error"];
    assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
    let message = text(&error["message"]);
    assert!(
        message.contains(&good) && message.contains(&other),
        "{message}"
    );
    assert_eq!(visible(&sandbox), "");
    // Not even its first bytes count then.
    let archive = plugd_disk::Disk::new();
    let archive = archive.read(&sandbox.path(ARCHIVE), 1 << 30).unwrap();
    sandbox.write(ARCHIVE, "hello");
    let error = &of(&good)["error"];
    assert!(
        text(&error["message"]).contains("was expected"),
        "{error:#}"
    );
    sandbox.write(ARCHIVE, &archive);
    let upper = format!("sha256:{}", good.to_ascii_uppercase());
    let answer = of(&upper);
    assert_eq!(answer["result"]["sha256"], good.as_str(), "{answer:#}");
    second.shut_down();
}

#[test]
fn the_command_line() {
    let sandbox = world();
    sandbox.add("== cwd/out/\n");
    let output = cli(
        &sandbox,
        &["export", "out/a.tar.gz", "--plugin", "hooked@team"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    assert!(
        output.stdout.starts_with("hooked@team 1.0.0\nWrote "),
        "{}",
        output.stdout
    );
    let again = cli(&sandbox, &["export", "out/a.tar.gz"]);
    assert_eq!(again.status.code(), Some(1));
    let dry = cli(&sandbox, &["import", "out/a.tar.gz", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", dry.stderr);
    assert!(
        dry.stdout.contains("pin hooked@team to 1.0.0"),
        "{}",
        dry.stdout
    );
    let zeros = "0".repeat(64);
    let refused = cli(&sandbox, &["import", "out/a.tar.gz", "--sha256", &zeros]);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stdout);
    assert!(
        refused.stderr.contains("was expected"),
        "{}",
        refused.stderr
    );
    let done = cli(&sandbox, &["import", "out/a.tar.gz", "--json"]);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["changes"][1]["reason"], "pinned");
}

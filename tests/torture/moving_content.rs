//! Content that changes while it is read: trees that turn into links to a secret while they are
//! copied, and catalogs that become others between two looks at them.
//!
//! A thread changes what it can as fast as it can; another one asks. What is answered must be one
//! version or the other or a refusal, never a mixture, and never the secret.
#![expect(
    clippy::disallowed_methods,
    reason = "a loop changes the disk past `disk::Disk`"
)]

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use plugd_testkit::{Daemon, Launch, Sandbox};
use serde_json::{Value, json};

use crate::BINARY;
use crate::snapshot::{Node, Snapshot, link};
use crate::tally::{Scale, Tally};

const SECRET: &str = "uNsp0ken-93ab";
/// What stands in the place of the secret inside: as long as it, so that no size gives a swap away.
const PLAIN: &str = "as-plain-text";

/// How many rounds each half of the bounded form has, and of the longer ones.
const ROUNDS: [u64; 2] = [100, 2_000];

const CATALOG: &str = "bad/.agents/plugins/marketplace.json";

/// A plugin with files and directories to swap, and what they are swapped for.
const WORLD: &str = r#"
== ch/config.toml
[marketplaces.bad]
source_type = "local"
source = "$ROOT/bad"
== bad/.agents/plugins/marketplace.json
{"name": "bad", "plugins": [{"name": "evil", "source": "./evil"}]}
== bad/evil/.codex-plugin/plugin.json
{"name": "evil", "version": "1.0.0", "description": "$PLAIN"}
== bad/evil/notes.md
$PLAIN
== bad/evil/skills/do/SKILL.md
---
name: do
description: $PLAIN
---
$PLAIN
== bad/evil/deep/a/b/c/leaf.txt
$PLAIN
== outside/notes.md
$SECRET
== outside/plugin.json
{"name": "evil", "version": "1.0.0", "description": "$SECRET"}
== outside/do/SKILL.md
---
name: do
description: $SECRET
---
$SECRET
== outside/leaf.txt
$SECRET
== outside/b/c/leaf.txt
$SECRET
== outside/c/leaf.txt
$SECRET
"#;

/// What is swapped, and for which part of the outside.
const SWAPPED: [(&str, &str); 7] = [
    ("bad/evil/notes.md", "outside/notes.md"),
    ("bad/evil/.codex-plugin/plugin.json", "outside/plugin.json"),
    ("bad/evil/skills", "outside"),
    ("bad/evil/skills/do", "outside/do"),
    ("bad/evil/skills/do/SKILL.md", "outside/do/SKILL.md"),
    ("bad/evil/deep/a", "outside"),
    ("bad/evil/deep/a/b/c", "outside/c"),
];

/// Both halves.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for (what, outside) in SWAPPED {
        swapped(scale, what, outside, &mut tally);
    }
    rewritten(scale, &mut tally);
    tally
}

fn world() -> Sandbox {
    Sandbox::from(&WORLD.replace("$SECRET", SECRET).replace("$PLAIN", PLAIN))
}

fn start(sandbox: &Sandbox) -> Daemon {
    let mut daemon = Launch::app_server(BINARY)
        .var("PLUGD_LOG", "debug")
        .start(sandbox);
    daemon.initialize();
    daemon
}

/// Does something until the other side is done, and counts how often.
fn while_asking<T>(
    mut change: impl FnMut() -> io::Result<()> + Send,
    ask: impl FnOnce(&AtomicU64) -> T,
) -> T {
    let over = AtomicBool::new(false);
    let changes = AtomicU64::new(0);
    thread::scope(|scope| {
        let changing = scope.spawn(|| -> io::Result<()> {
            while !over.load(Ordering::Acquire) {
                change()?;
                changes.fetch_add(1, Ordering::Release);
            }
            Ok(())
        });
        let asked = ask(&changes);
        over.store(true, Ordering::Release);
        changing.join().unwrap().unwrap();
        asked
    })
}

/// Whether there is a round left for one of several parts.
fn goes_on(scale: Scale, round: u64, parts: u32) -> bool {
    round < scale.pick(ROUNDS[0], ROUNDS[1]) / u64::from(parts)
}

/// Installs a plugin while a part of it turns into a link to the secret and back.
fn swapped(scale: Scale, what: &str, outside: &str, tally: &mut Tally) {
    let sandbox = world();
    let before = Snapshot::take(&sandbox, &["outside"]);
    let mut daemon = start(&sandbox);
    let (place, aside) = (sandbox.path(what), sandbox.path("aside"));
    let (door, target) = (sandbox.path("door"), sandbox.path(outside));
    let swap = || {
        link(target.as_path(), door.as_path())?;
        fs::rename(&place, &aside)?;
        fs::rename(&door, &place)?;
        fs::remove_file(&place)?;
        fs::rename(&aside, &place)
    };
    let (mut taken, mut refused) = (0_u64, 0_u64);
    let count = u32::try_from(SWAPPED.len()).unwrap_or(1);
    while_asking(swap, |changes| {
        let mut round = 0;
        while goes_on(scale, round, count) {
            round += 1;
            let seen = changes.load(Ordering::Acquire);
            tally.attempt(format!("{what} in round {round}"), || {
                let params =
                    json!({"marketplacePath": format!("$ROOT/{CATALOG}"), "pluginName": "evil"});
                let answers = [
                    daemon.call("plugin/install", params.clone()),
                    daemon.call("plugin/read", params),
                    daemon.call("skills/list", json!({"forceReload": true})),
                    daemon.call("plugd/inspect", json!({"pluginId": "evil@bad"})),
                ];
                match answers[0].get("result") {
                    Some(_) => taken += 1,
                    None => refused += 1,
                }
                for answer in &answers {
                    assert!(
                        !answer.to_string().contains(SECRET),
                        "the secret: {answer:#}"
                    );
                }
                check_secret(&sandbox);
            });
            // At least one change per round.
            while changes.load(Ordering::Acquire) == seen {
                thread::yield_now();
            }
        }
    });
    tally.attempt(format!("{what} afterwards"), || {
        let params = json!({"marketplacePath": format!("$ROOT/{CATALOG}"), "pluginName": "evil"});
        daemon.ok("plugin/install", params);
        daemon.shut_down();
        assert!(
            !daemon.stderr().contains(SECRET),
            "the secret is in the log"
        );
        assert!(!daemon.stderr().contains("panicked"), "{}", daemon.stderr());
        let source = Snapshot::take(&sandbox, &["bad/evil"]);
        let copy = Snapshot::take(&sandbox, &["ch/plugins/cache/bad/evil/1.0.0"]);
        assert_eq!(
            contents(&source, "bad/evil"),
            contents(&copy, "ch/plugins/cache/bad/evil/1.0.0")
        );
        let now = Snapshot::take(&sandbox, &["outside"]);
        assert_eq!(
            before.changed(&now),
            Vec::<String>::new(),
            "changed outside"
        );
    });
    tally.note(format!(
        "{taken}/{refused} {}",
        Path::new(what).file_name().unwrap().display()
    ));
}

fn check_secret(sandbox: &Sandbox) {
    for (path, node, _) in Snapshot::take(sandbox, &["ch", "tmp", "home"]).all() {
        if let Node::File(bytes) = node {
            let found = bytes
                .windows(SECRET.len())
                .any(|part| part == SECRET.as_bytes());
            assert!(!found, "the secret is in {path}");
        }
    }
}

/// The files below a directory with what they hold.
fn contents(snapshot: &Snapshot, top: &str) -> Vec<(String, Vec<u8>)> {
    let files = snapshot.all().filter_map(|(path, node, _)| match node {
        Node::File(bytes) => Some((path.strip_prefix(top)?.to_owned(), bytes.clone())),
        _ => None,
    });
    files.collect()
}

/// A catalog of which every word tells the version.
fn catalog(version: &str) -> String {
    let entries: Vec<Value> = (0..20)
        .map(|number| {
            json!({
                "name": format!("p{number}"), "category": version,
                "source": format!("./{version}/p{number}"),
            })
        })
        .collect();
    json!({"name": "bad", "interface": {"displayName": version}, "plugins": entries}).to_string()
}

/// Lists, reads and installs while the catalog is one, the other, and half of one.
fn rewritten(scale: Scale, tally: &mut Tally) {
    let sandbox = world();
    let versions = ["one", "two"];
    for version in versions {
        for number in 0..20 {
            let manifest = json!({
                "name": format!("p{number}"), "version": version, "description": version,
            });
            let dir = format!("bad/{version}/p{number}");
            sandbox.write(
                &format!("{dir}/.codex-plugin/plugin.json"),
                manifest.to_string(),
            );
            sandbox.write(&format!("{dir}/notes.md"), version);
        }
    }
    sandbox.write(CATALOG, catalog("one"));
    let mut daemon = start(&sandbox);
    let (place, next) = (sandbox.path(CATALOG), sandbox.path("next"));
    let mut number = 0;
    let rewrite = || {
        number += 1;
        let text = catalog(versions[number % 2]);
        match number % 5 {
            // As an editor does that knows no better: empty first, then the rest.
            0 => fs::write(&place, &text),
            _ => fs::write(&next, &text).and_then(|()| fs::rename(&next, &place)),
        }
    };
    let manifest = format!("$ROOT/{CATALOG}");
    while_asking(rewrite, |changes| {
        let mut round = 0;
        while goes_on(scale, round, 1) {
            round += 1;
            let seen = changes.load(Ordering::Acquire);
            let named =
                json!({"marketplacePath": manifest, "pluginName": format!("p{}", round % 20)});
            tally.attempt(format!("a listing in round {round}"), || {
                check_listing(&daemon.ok("plugin/list", json!({})));
            });
            tally.attempt(format!("a description in round {round}"), || {
                check_read(&daemon.call("plugin/read", named.clone()));
            });
            tally.attempt(format!("an installation in round {round}"), || {
                let answer = daemon.call("plugin/install", named);
                let name = format!("p{}", round % 20);
                check_install(&sandbox, &answer, &name);
            });
            while changes.load(Ordering::Acquire) == seen {
                thread::yield_now();
            }
        }
    });
    tally.attempt("the daemon afterwards", || {
        daemon.shut_down();
        assert!(!daemon.stderr().contains("panicked"), "{}", daemon.stderr());
    });
}

/// Half a catalog is an error that says so; a whole one is of one version.
fn check_listing(listing: &Value) {
    let groups = listing["marketplaces"].as_array().unwrap();
    let Some(group) = groups.iter().find(|group| group["name"] == "bad") else {
        let rows = listing["marketplaceLoadErrors"].as_array().unwrap();
        assert!(
            rows.iter().any(|row| row["kind"] == "syntax"),
            "{listing:#}"
        );
        return;
    };
    let version = &group["interface"]["displayName"];
    let plugins = group["plugins"].as_array().unwrap();
    assert_eq!(plugins.len(), 20, "{group:#}");
    for plugin in plugins {
        let path = plugin["source"]["path"].as_str().unwrap();
        assert_eq!(&plugin["interface"]["category"], version, "{group:#}");
        assert!(
            path.contains(&format!("/{}/", version.as_str().unwrap())),
            "{group:#}"
        );
        assert_eq!(&plugin["localVersion"], version, "{group:#}");
    }
}

fn check_read(answer: &Value) {
    if let Some(error) = answer.get("error") {
        assert_eq!(error["code"], -32600, "{error:#}");
        return;
    }
    let plugin = &answer["result"]["plugin"];
    let summary = &plugin["summary"];
    assert_eq!(plugin["description"], summary["localVersion"], "{plugin:#}");
    assert_eq!(
        plugin["description"], summary["interface"]["category"],
        "{plugin:#}"
    );
}

/// So many looks in a row do not all fall into an exchange.
const LOOKS: usize = 20;

/// What was installed is whole: the version in its manifest, in its directory and in its content.
fn check_install(sandbox: &Sandbox, answer: &Value, name: &str) {
    if let Some(error) = answer.get("error") {
        assert_eq!(error["code"], -32600, "{error:#}");
        return;
    }
    let version = answer["result"]["installedVersion"].as_str().unwrap();
    let dir = format!("ch/plugins/cache/bad/{name}");
    // The refresh that a listing started may have gone on to the other version meanwhile, as the
    // catalog has; what is there must be one of them as a whole. A look that falls into the exchange
    // finds the name of one and then the other.
    let look = || {
        let copy = Snapshot::take(sandbox, &[&dir]);
        let get = |path: String| copy.get(&path).is_some();
        let is_there = |version: &&str| get(format!("{dir}/{version}"));
        let found: Vec<&str> = ["one", "two"].into_iter().filter(is_there).collect();
        let is_whole = |version: &&str| get(format!("{dir}/{version}/notes.md"));
        let is_calm = !found.is_empty() && found.iter().all(is_whole);
        is_calm.then_some((copy, found))
    };
    let (copy, found) = (0..LOOKS).find_map(|_| look()).unwrap();
    assert!(["one", "two"].contains(&version), "{answer:#}");
    for version in found {
        let notes = copy.get(&format!("{dir}/{version}/notes.md"));
        assert_eq!(notes, Some(&Node::File(version.as_bytes().to_vec())));
    }
}

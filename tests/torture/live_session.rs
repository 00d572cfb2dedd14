//! A session that uses a plugin while another process upgrades it.
//!
//! One daemon holds a lease, as a host does for as long as it runs, and a hook script of the leased
//! version is run again and again. A second daemon installs new versions under it. The script must
//! always run, and always be the one that the session began with.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use plugd_testkit::{Daemon, Launch, Sandbox};
use serde_json::{Value, json};

use crate::BINARY;
use crate::tally::{Scale, Tally};

/// Both in the bounded and in the long form: what the second daemon does.
const UPGRADES: u64 = 50;

/// A plugin whose hook script starts a second file, so that a half exchanged directory shows.
fn version(number: u64) -> String {
    format!(
        r#"
== demo/live/.codex-plugin/plugin.json
{{"name": "live", "version": "1.0.{number}"}}
== demo/live/hooks/hooks.json
{{"hooks": {{"Stop": [{{"hooks": [{{"type": "command", "command": "${{PLUGIN_ROOT}}/run.sh"}}]}}]}}}}
== demo/live/run.sh (mode 755)
#!/bin/sh
exec "${{0%/*}}/lib/say-{number}.sh" {number}
== demo/live/lib/say-{number}.sh (mode 755)
#!/bin/sh
echo "$1 {number}"
"#
    )
}

fn start(sandbox: &Sandbox) -> Daemon {
    let mut daemon = Launch::app_server(BINARY).start(sandbox);
    daemon.initialize();
    daemon
}

fn install(daemon: &mut Daemon) -> Value {
    let manifest = daemon
        .sandbox()
        .path("demo/.agents/plugins/marketplace.json");
    let params = json!({"marketplacePath": manifest.to_text(), "pluginName": "live"});
    daemon.ok("plugin/install", params)
}

fn below<'a>(sandbox: &Sandbox, path: &'a str) -> &'a str {
    path.strip_prefix(&format!("{}/", sandbox.root())).unwrap()
}

/// What the script of the leased version says.
#[expect(
    clippy::disallowed_methods,
    reason = "a host runs the hook, not the daemon"
)]
fn said(script: &str) -> String {
    match Command::new(script).output() {
        Ok(output) => format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => error.to_string(),
    }
}

/// Rounds of fifty upgrades under one lease.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for round in 0..scale.pick(1, 10) {
        let sandbox = Sandbox::from(
            "== ch/config.toml\n[marketplaces.demo]\nsource_type = \"local\"\nsource = \"$ROOT/demo\"\n\
             == demo/.agents/plugins/marketplace.json\n\
             {\"name\": \"demo\", \"plugins\": [{\"name\": \"live\", \"source\": \"./live\"}]}\n",
        );
        let first = round * 1_000;
        sandbox.add(&version(first));
        let (mut session, mut other) = (start(&sandbox), start(&sandbox));
        install(&mut session);
        let loaded = session.ok("plugd/components", json!({"lease": true}));
        let root = loaded["plugins"][0]["root"].as_str().unwrap().to_owned();
        let script = format!("{root}/run.sh");
        let over = AtomicBool::new(false);
        let runs = AtomicU64::new(0);
        let wrong = thread::scope(|scope| {
            let session = scope.spawn(|| {
                let mut wrong = Vec::new();
                while !over.load(Ordering::Acquire) {
                    let said = said(&script);
                    runs.fetch_add(1, Ordering::Relaxed);
                    if said != format!("{first} {first}\n") {
                        wrong.push(said);
                    }
                }
                wrong
            });
            for number in first + 1..=first + UPGRADES {
                sandbox.remove("demo/live");
                sandbox.add(&version(number));
                let before = runs.load(Ordering::Relaxed);
                tally.attempt(format!("upgrade {number}"), || {
                    install(&mut other);
                    let installed = other.ok("plugin/installed", json!({}));
                    let plugin = &installed["marketplaces"][0]["plugins"][0];
                    assert_eq!(plugin["installedVersion"], format!("1.0.{number}"));
                });
                // The session runs its hook at least once per version.
                while runs.load(Ordering::Relaxed) == before && !session.is_finished() {
                    thread::yield_now();
                }
            }
            over.store(true, Ordering::Release);
            session.join().unwrap()
        });
        tally.passed(runs.load(Ordering::Relaxed));
        for said in wrong {
            tally.fail(format!("the leased script said {said:?}"));
        }
        tally.attempt("what the lease held is freed", || {
            session.ok("plugd/release", json!({"leaseId": loaded["leaseId"]}));
            other.ok("plugd/gc", json!({"dryRun": false}));
            assert!(
                !sandbox.exists(below(&sandbox, &root)),
                "{root} is still there"
            );
        });
        session.shut_down();
        other.shut_down();
    }
    tally.note(format!("{UPGRADES} upgrades a round"));
    tally
}

//! The client against the real daemon: calls, progress, cancel, events, refusals, restart and end.
//!
//! The daemon is `target/<profile>/plugd` beside this test, or what `PLUGD` names.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test looks for the program that it tests, and can do nothing about what cannot be"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_rust_client::protocol::methods::{
    MarketplaceAdd, PluginInstall, PluginList, PluginRead, PluginUninstall,
};
use plugd_rust_client::protocol::{
    AbsolutePathBuf, ErrorKind, MarketplaceAddParams, PluginInstallParams, PluginListParams,
    PluginReadParams, PluginUninstallParams, WorkDoneProgress,
};
use plugd_rust_client::{Client, Error, Event, Events, Launch};
use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;

const MARKET: &str = r#"
== market/.agents/plugins/marketplace.json
{"name": "market", "plugins": [
  {"name": "hello", "source": "./hello"}, {"name": "tools", "source": "./tools"}
]}
== market/tools/.codex-plugin/plugin.json
{"name": "tools", "version": "1.0.0"}
== market/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "1.0.0", "description": "Says hello"}
== market/hello/skills/greet/SKILL.md
---
name: greet
description: Greets people
---
Say hello.
"#;

fn daemon() -> PathBuf {
    if let Some(named) = std::env::var_os("PLUGD") {
        return named.into();
    }
    let here = std::env::current_exe().unwrap();
    // target/<profile>/deps/client-1234 -> target/<profile>/plugd
    let profile = here.ancestors().nth(2).unwrap();
    let daemon = profile.join(format!("plugd{}", std::env::consts::EXE_SUFFIX));
    assert!(
        daemon.exists(),
        "{} is not there: cargo build --bin plugd, or name one in PLUGD",
        daemon.display()
    );
    daemon
}

fn launch(sandbox: &Sandbox) -> Launch {
    launch_of(sandbox, &daemon())
}

/// As [`launch`], of a program that finds the daemon by a variable.
fn launch_of(sandbox: &Sandbox, program: &Path) -> Launch {
    let environment = test_environment(sandbox);
    let launch = Launch::new(program)
        .variable("DAEMON", daemon())
        .clear_variables()
        .directory(sandbox.cwd().as_path())
        .client("client-test", "1.0.0");
    environment
        .vars
        .iter()
        .fold(launch, |launch, (name, value)| launch.variable(name, value))
}

/// Runs a session; the whole of it has a deadline.
fn session<F: Future<Output = ()>>(body: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(60), body).await })
        .unwrap();
}

async fn with_market(sandbox: &Sandbox) -> (Client, Events, AbsolutePathBuf) {
    let (client, events) = launch(sandbox).start().await.unwrap();
    let source = sandbox.path("market").to_string();
    let added = client
        .call::<MarketplaceAdd>(MarketplaceAddParams {
            source,
            ref_name: None,
            sparse_paths: None,
        })
        .await
        .unwrap();
    assert_eq!(added.marketplace_name, "market");
    let listing = client
        .call::<PluginList>(PluginListParams::default())
        .await
        .unwrap();
    let path = listing.marketplaces[0].path.clone().unwrap();
    (client, events, path)
}

fn install(path: &AbsolutePathBuf, name: &str) -> PluginInstallParams {
    PluginInstallParams {
        marketplace_path: Some(path.clone()),
        plugin_name: name.to_owned(),
        ..PluginInstallParams::default()
    }
}

async fn changed(events: &mut Events, plugin: &str) {
    loop {
        match events.next().await.unwrap() {
            Event::Changed(change) if change.plugins.iter().any(|one| one == plugin) => return,
            Event::Ended(ending) => panic!("the daemon ended{ending}"),
            _ => {}
        }
    }
}

#[test]
fn a_whole_session() {
    let sandbox = Sandbox::from(MARKET);
    session(async {
        let (client, mut events, path) = with_market(&sandbox).await;
        assert!(client.hello().user_agent.starts_with("client-test/"));
        let read = client
            .call::<PluginRead>(PluginReadParams {
                marketplace_path: Some(path.clone()),
                remote_marketplace_name: None,
                plugin_name: "hello".to_owned(),
            })
            .await
            .unwrap();
        assert_eq!(read.plugin.description.as_deref(), Some("Says hello"));
        assert_eq!(read.plugin.skills[0].name, "hello:greet");

        let mut call = client
            .start::<PluginInstall>(install(&path, "hello"))
            .unwrap();
        let mut steps = Vec::new();
        while let Some(step) = call.progress().await {
            steps.push(step);
        }
        assert_eq!(call.answer().await.unwrap().installed_version, "1.0.0");
        assert!(
            matches!(steps.first(), Some(WorkDoneProgress::Begin { .. })),
            "{steps:#?}"
        );
        assert!(
            matches!(steps.last(), Some(WorkDoneProgress::End { .. })),
            "{steps:#?}"
        );
        changed(&mut events, "hello@market").await;

        let gone = client
            .call::<PluginUninstall>(PluginUninstallParams {
                plugin_id: "hello@market".to_owned(),
            })
            .await
            .unwrap();
        assert!(gone.changed);
        let ending = client.shutdown().await;
        assert_eq!((ending.code, ending.killed), (Some(0), false));
        while let Some(event) = events.next().await {
            if let Event::Ended(told) = event {
                assert_eq!(told, ending);
                return;
            }
        }
        panic!("the end was not told");
    });
}

#[test]
fn a_refusal_says_what_to_decide_by() {
    let sandbox = Sandbox::from(MARKET);
    session(async {
        let (client, _events, path) = with_market(&sandbox).await;
        let error = client
            .call::<PluginInstall>(install(&path, "nobody"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::NotFound));
        assert_eq!(error.code(), Some(-32600));
        assert!(!error.retryable());
        let refusal = error.refusal().unwrap();
        assert!(refusal.message.contains("nobody"), "{refusal:?}");
        client.shutdown().await;
    });
}

#[test]
fn a_call_can_be_taken_back() {
    let sandbox = Sandbox::from(MARKET);
    session(async {
        let (client, _events, path) = with_market(&sandbox).await;
        client
            .call::<PluginInstall>(install(&path, "tools"))
            .await
            .unwrap();
        // A neighbour holds the store, so the installation waits until it is taken back.
        let lock = std::fs::OpenOptions::new()
            .write(true)
            .open(sandbox.path("ch/plugins/.plugd/locks/store").as_path())
            .unwrap();
        lock.lock().unwrap();
        let mut call = client
            .start::<PluginInstall>(install(&path, "hello"))
            .unwrap();
        while let Some(step) = call.progress().await {
            if matches!(step, WorkDoneProgress::Report { ref stage, .. } if stage == "waiting") {
                break;
            }
        }
        call.cancel();
        let error = call.answer().await.unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::Cancelled), "{error:?}");
        drop(lock);
        client.shutdown().await;
    });
}

#[test]
fn a_daemon_that_ends_fails_its_calls_and_can_be_started_again() {
    let sandbox = Sandbox::from(MARKET);
    session(async {
        let (client, mut events, _path) = with_market(&sandbox).await;
        let before = client.process_id();
        client.shutdown().await;
        let error = client
            .call::<PluginList>(PluginListParams::default())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Ended(Some(_))), "{error:?}");
        while let Some(event) = events.next().await {
            if matches!(event, Event::Ended(_)) {
                break;
            }
        }
        assert!(events.next().await.is_none());
        let (again, _events) = client.restart().await.unwrap();
        assert_ne!(again.process_id(), before);
        let listing = again
            .call::<PluginList>(PluginListParams::default())
            .await
            .unwrap();
        assert_eq!(listing.marketplaces[0].name, "market");
        again.shutdown().await;
    });
}

#[cfg(unix)]
#[test]
fn a_program_that_is_no_daemon_is_told_apart() {
    session(async {
        let error = Launch::new("/nowhere/plugd").start().await.unwrap_err();
        assert!(matches!(error, Error::Start { .. }), "{error:?}");
        // It ends at once and never answers.
        let error = Launch::new("false").start().await.unwrap_err();
        assert!(matches!(error, Error::Ended(Some(_))), "{error:?}");
    });
}

#[cfg(unix)]
#[test]
fn a_line_that_is_no_message_is_named() {
    let sandbox = Sandbox::from(
        "== shim (mode 755)\n#!/bin/sh\necho 'using plugd 0.1.0'\nexec \"$DAEMON\" \"$@\"\n\
         == late (mode 755)\n#!/bin/sh\n\"$DAEMON\" \"$@\" | while read -r line; do\n  \
         echo \"$line\"; case $line in *marketplaces*) echo 'out of paper';; esac\ndone\n",
    );
    session(async {
        let through = |shim: &str| launch_of(&sandbox, sandbox.path(shim).as_path());
        let error = through("shim").start().await.unwrap_err();
        let text = "`using plugd 0.1.0` is no message: \
                    something else than the daemon writes to its output";
        assert_eq!(error.to_string(), text);

        // Later it ends the conversation, and the daemon.
        let (client, mut events) = through("late").start().await.unwrap();
        let params = PluginListParams::default;
        client.call::<PluginList>(params()).await.unwrap();
        while let Some(event) = events.next().await {
            if matches!(event, Event::Ended(_)) {
                break;
            }
        }
        let error = client.call::<PluginList>(params()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Foreign { line } if line == "out of paper"),
            "{error:?}"
        );
    });
}

#[cfg(unix)]
#[test]
fn a_launch_says_how_and_who_and_hears_the_log() {
    let sandbox = Sandbox::from(MARKET);
    sandbox.add("== shim (mode 755)\n#!/bin/sh\necho 'a word' >&2\nexec \"$DAEMON\" \"$@\"\n");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    session(async {
        let (client, mut events) = launch_of(&sandbox, sandbox.path("shim").as_path())
            .argument("-c")
            .argument("features.plugins=false")
            .title("A client of tests")
            .without("plugd/changed")
            .log(move |line| log.lock().unwrap().push(line.to_owned()))
            .start()
            .await
            .unwrap();
        client
            .call::<MarketplaceAdd>(MarketplaceAddParams {
                source: sandbox.path("market").to_string(),
                ref_name: None,
                sparse_paths: None,
            })
            .await
            .unwrap();
        // The argument has come to the daemon: there are no plugins.
        let params = PluginListParams::default();
        let listing = client.call::<PluginList>(params).await.unwrap();
        assert_eq!(listing.marketplaces, []);
        let ending = client.shutdown().await;
        while let Some(event) = events.next().await {
            assert!(!matches!(event, Event::Changed(_)), "{event:?}");
        }
        let heard = heard.lock().unwrap();
        assert_eq!(heard.first().map(String::as_str), Some("a word"));
        assert_eq!(*heard, ending.log);
    });
}

#[cfg(unix)]
#[test]
fn a_daemon_that_does_not_end_is_killed() {
    let sandbox = Sandbox::from(
        "== deaf (mode 755)\n#!/bin/sh\ntrap '' TERM\necho 'going nowhere' >&2\nexec sleep 600\n",
    );
    session(async {
        let deaf = sandbox.path("deaf");
        let error = Launch::new(deaf.as_path())
            .handshake_within(Duration::from_millis(300))
            .end_within(Duration::from_millis(100))
            .start()
            .await
            .unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    });
}

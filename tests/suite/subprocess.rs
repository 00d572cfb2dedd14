//! Proves what the processes that the daemon starts are told of the user's environment: what they need,
//! and nothing else. Programs of the test stand in the place of git, ssh and a credential helper and
//! write down what they got, and what the worker above them got.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;

use plugd_testkit::Sandbox;
use serde_json::json;

use crate::fixtures::launch;
use crate::remotes::remote;

/// What must not pass, whoever is started.
const KEPT_BACK: &[&str] = &[
    "OPENAI_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "NPM_TOKEN",
    "DATABASE_URL",
    "LD_LIBRARY_PATH",
    "GIT_DIR",
    "GIT_CONFIG_COUNT",
    "GIT_EXEC_PATH",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "BASH_ENV",
    "CODEX_HOME",
];
/// What the worker may know and no program below it.
const LOGINS: &[&str] = &["PLUGD_TOKEN_127_0_0_1", "GH_TOKEN", "GITHUB_TOKEN"];
/// What they cannot be without.
const NEEDED: &[&str] = &[
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "LC_CTYPE",
    "https_proxy",
    "NO_PROXY",
    "KRB5CCNAME",
    "DBUS_SESSION_BUS_ADDRESS",
    "GCM_CREDENTIAL_STORE",
];
/// Where git itself sets a variable for the programs that it starts.
const GITS_OWN: &[&str] = &[
    "GIT_DIR",
    "GIT_EXEC_PATH",
    "GIT_ASKPASS",
    "GIT_CONFIG_COUNT",
];

/// A program that writes down its variables and those of the worker, which leads its session.
const SPY: &str = "#!/bin/sh\nenv -0 > \"$0.env\"\n\
                   session=$(cut -d' ' -f6 /proc/$$/stat)\n\
                   cat \"/proc/$session/environ\" > \"$0.worker\"\n";

fn variables(sandbox: &Sandbox, file: &str) -> BTreeMap<String, String> {
    let bytes = sandbox.bytes(file);
    let text = String::from_utf8_lossy(&bytes);
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What a program got that the worker started: nothing but what it needs.
#[track_caller]
fn check(sandbox: &Sandbox, program: &str, is_started_by_git: bool) {
    let own = variables(sandbox, &format!("bin/{program}.env"));
    let worker = variables(sandbox, &format!("bin/{program}.worker"));
    for name in NEEDED {
        assert_eq!(
            own.get(*name).map(String::as_str),
            Some("planted"),
            "{name} of {program}"
        );
        assert_eq!(
            worker.get(*name).map(String::as_str),
            Some("planted"),
            "{name}"
        );
    }
    assert_eq!(own.get("HOME"), Some(&sandbox.home().to_text()));
    assert!(own["PATH"].contains("/usr/bin"));
    for name in KEPT_BACK {
        assert_eq!(worker.get(*name), None, "{name} reached the worker");
        let is_gits = is_started_by_git && GITS_OWN.contains(name);
        let value = own
            .get(*name)
            .filter(|value| *value == "planted" || !is_gits);
        assert_eq!(value, None, "{name} reached {program}");
    }
    for name in LOGINS {
        assert_eq!(own.get(*name), None, "{name} reached {program}");
        assert_eq!(
            worker.get(*name).map(String::as_str),
            Some("planted"),
            "{name}"
        );
    }
}

/// Adds a marketplace, which fails or not; the programs have been started then.
fn add(sandbox: &Sandbox, source: &str) {
    let mut launch = launch();
    for name in KEPT_BACK.iter().filter(|name| **name != "CODEX_HOME") {
        launch = launch.var(name, "planted");
    }
    for name in LOGINS.iter().chain(NEEDED) {
        launch = launch.var(name, "planted");
    }
    let mut daemon = launch.start(sandbox);
    daemon.initialize();
    daemon.call("marketplace/add", json!({"source": source}));
    daemon.shut_down();
}

#[test]
fn a_credential_helper_and_ssh_get_what_they_need() {
    let world = remote(&[("p", "1.0.0")]);
    world.server.require_login("ada", "sesame");
    world.sandbox.add(&format!(
        "== bin/helper (mode 755)\n{SPY}== bin/ssh (mode 755)\n{SPY}exit 1\n\
         == home/.gitconfig\n[credential]\n\thelper = $ROOT/bin/helper\n"
    ));
    world.sandbox.write("ch/plugd.toml", "git = \"libgit2\"\n");
    add(&world.sandbox, &world.url);
    add(&world.sandbox, "ssh://ada@127.0.0.1:9/x");
    check(&world.sandbox, "helper", false);
    check(&world.sandbox, "ssh", false);
}

#[test]
fn the_git_command_gets_what_it_needs() {
    let world = remote(&[("p", "1.0.0")]);
    world
        .sandbox
        .add(&format!("== bin/git (mode 755)\n{SPY}exit 1\n"));
    world.sandbox.write("ch/plugd.toml", "git = \"command\"\n");
    add(&world.sandbox, &world.url);
    check(&world.sandbox, "git", true);
}

//! Proves that no secret is written anywhere: each kind of secret that a user may have is planted, every
//! method is called so that it succeeds and so that it fails, with everything logged, and then all that
//! came out is searched, the whole home directory included.
//!
//! A secret may stay in the file that the user wrote it into, and `config/read` and what a host has to
//! start tell what the user configured: that is what they are for.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::GzDecoder;
use plugd_testkit::{Daemon, Fixture, Item, ItemKind, NpmRegistry, NpmRequest, Sandbox};
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::fixtures::{cli, launch};
use crate::remotes::{Remote, remote as repository};

/// Methods whose answers repeat what the user himself has configured.
const ECHOES: &[&str] = &[
    "config/read",
    "config/value/write",
    "config/batchWrite",
    "plugd/components",
];

/// A secret with a name, so that a failure says where it came from.
fn secret(of: &str) -> String {
    format!("sesame-{of}-3141592653")
}

/// What is written for others: each has to work.
const TAKING_ALONG: &[(&str, &str)] = &[
    ("plugd/lock", r#"{"cwd": "$ROOT/project"}"#),
    ("plugd/export", r#"{"path": "$ROOT/exported.tar.gz"}"#),
];

/// Files that the user wrote a secret into, or a catalog's author.
const WRITTEN_BY_OTHERS: &[&str] = &[
    "ch/config.toml",
    "ch/auth.json",
    "home/.npmrc",
    "demo/.agents/plugins/marketplace.json",
];

/// The secrets that stand in files of the user, each with the one file that may hold it.
const IN_CONFIG: &[&str] = &[
    "mcp-env",
    "mcp-header",
    "git-row",
    "git-row-query",
    "foreign",
];
/// Those of the environment.
const IN_VARIABLES: &[(&str, &str)] = &[
    ("OPENAI_API_KEY", "api-key"),
    ("MCP_BEARER", "mcp-bearer"),
    ("PLUGD_TOKEN_127_0_0_1", "host-token"),
    ("GH_TOKEN", "gh-token"),
    ("NPM_SECRET", "npm-variable"),
];
/// All others: of requests, catalogs, npmrc and proxies.
const ELSEWHERE: &[&str] = &[
    "request",
    "request-query",
    "request-user",
    "catalog-url",
    "catalog-query",
    "catalog-registry",
    "npmrc",
    "npmrc-basic",
    "proxy",
];

struct World {
    account: Account,
    remote: Remote,
    registry: NpmRegistry,
    ids: Vec<String>,
}

impl World {
    fn new() -> Self {
        let remote = repository(&[("p", "1.0.0")]);
        remote.server.require_login("oauth2", &secret("host-token"));
        let registry = NpmRegistry::start();
        registry.publish(
            "tool",
            "1.0.0",
            "== .codex-plugin/plugin.json\n{\"name\": \"tool\"}\n",
        );
        let account = Account::with(&config(&remote));
        let ids = account.offer(&["alpha"]);
        account.sandbox.write("home/.npmrc", npmrc(&registry));
        let manifest = catalog(&remote, &registry);
        account.sandbox.write(
            "demo/.agents/plugins/marketplace.json",
            manifest.to_string(),
        );
        account.sandbox.add(HELLO);
        account
            .sandbox
            .add("== project/.git/HEAD\nref: refs/heads/main\n");
        let demo = format!(
            "[marketplaces.demo]\nsource_type = \"local\"\nsource = \"{}/demo\"\n",
            account.sandbox.root()
        );
        let config = account.sandbox.text("ch/config.toml") + &demo;
        account.sandbox.write("ch/config.toml", config);
        Self {
            account,
            remote,
            registry,
            ids,
        }
    }

    /// The tokens that the login's file holds.
    fn tokens(&self) -> Vec<String> {
        let text = self.account.sandbox.text("ch/auth.json");
        let file: Value = serde_json::from_str(&text).unwrap();
        let tokens = file["tokens"].as_object().unwrap().iter();
        let tokens = tokens.filter(|(name, _)| name.ends_with("token"));
        tokens
            .filter_map(|(_, value)| Some(value.as_str()?.to_owned()))
            .collect()
    }
}

const HELLO: &str = r#"
== demo/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "1.0.0"}
== demo/hello/.mcp.json
{"mcpServers": {"s": {"type": "http", "url": "https://example.invalid/", "bearer_token_env_var": "MCP_BEARER"},
 "t": {"command": "x", "env": {"KEY": "${OPENAI_API_KEY}"}}}}
== demo/hello/skills/one/SKILL.md
---
name: one
description: the first
---
Say hello.
"#;

fn config(remote: &Remote) -> String {
    let url = remote
        .url
        .replace("http://", &format!("http://ada:{}@", secret("git-row")));
    format!(
        "[foreign]\nkey = \"{}\"\n\
         [mcp_servers.own]\ncommand = \"x\"\nenv = {{ KEY = \"{}\" }}\n\
         [mcp_servers.far]\nurl = \"https://example.invalid/\"\n\
         http_headers = {{ Authorization = \"Bearer {}\" }}\nbearer_token_env_var = \"MCP_BEARER\"\n\
         [marketplaces.row]\nsource_type = \"git\"\nsource = \"{url}?key={}\"\n",
        secret("foreign"),
        secret("mcp-env"),
        secret("mcp-header"),
        secret("git-row-query"),
    )
}

fn npmrc(registry: &NpmRegistry) -> String {
    let key = registry.npmrc_key();
    format!(
        "registry={}\n{key}:_authToken={}\n//other.invalid/:_auth={}\n//third.invalid/:_authToken=${{NPM_SECRET}}\n",
        registry.url(),
        secret("npmrc"),
        secret("npmrc-basic"),
    )
}

fn catalog(remote: &Remote, registry: &NpmRegistry) -> Value {
    let url = remote
        .url
        .replace("http://", &format!("http://ada:{}@", secret("catalog-url")));
    let with_login = |url: &str| {
        url.replace(
            "http://",
            &format!("http://ada:{}@", secret("catalog-registry")),
        )
    };
    json!({"name": "demo", "plugins": [
        {"name": "hello", "source": "./hello"},
        {"name": "url", "source": {"source": "url", "url": url}},
        {"name": "query", "source": {"source": "url", "url": format!("{}?key={}", remote.url, secret("catalog-query"))}},
        {"name": "subdir", "source": {"source": "git-subdir", "url": url, "path": "p"}},
        {"name": "p", "source": {"source": "git-subdir", "url": url, "path": "p"}},
        {"name": "ssh", "source": {"source": "url", "url": format!("ssh://git:{}@127.0.0.1:9/x", secret("catalog-url"))}},
        {"name": "tool", "source": {"source": "npm", "package": "tool"}},
        {"name": "other", "source": {
            "source": "npm", "package": "tool", "registry": with_login(&registry.url()),
        }},
    ]})
}

/// What was heard: who asked, and the message.
type Heard = Arc<Mutex<Vec<(String, String)>>>;

/// Everything that can be asked, so that it works and so that it does not.
fn ask_everything(daemon: &mut Daemon, world: &World, heard: &Heard) {
    let manifest = "$ROOT/demo/.agents/plugins/marketplace.json";
    let one = |plugin: &str| json!({"marketplacePath": manifest, "pluginName": plugin});
    let url = &world.remote.url;
    let user = secret("request-user");
    let sources = [
        url.clone(),
        url.replace("http://", &format!("http://ada:{}@", secret("request"))),
        format!("https://{user}@example.invalid/x.git"),
        format!(
            "https://example.invalid/x.git?key={}",
            secret("request-query")
        ),
        format!("https://example.invalid/x.git#{}", "main"),
        format!("git:{}@example.invalid:x", secret("request")),
        format!("ada:{}@example.invalid/x", secret("request")),
        "https://example.invalid/x.git".to_owned(),
        "owner/repository".to_owned(),
    ];
    let mut calls: Vec<(String, Value)> = Vec::new();
    for source in sources {
        calls.push(("marketplace/add".to_owned(), json!({"source": source})));
    }
    for plugin in [
        "hello", "url", "query", "subdir", "p", "ssh", "tool", "other", "nobody",
    ] {
        for method in ["plugin/read", "plugin/install", "plugd/inspect"] {
            calls.push((method.to_owned(), one(plugin)));
        }
    }
    for method in ["plugin/read", "plugin/install"] {
        calls.push((method.to_owned(), remote(&world.ids[0])));
    }
    calls.push(("plugin/list".to_owned(), json!({"forceRemoteSync": true})));
    calls.push(("marketplace/upgrade".to_owned(), json!({})));
    calls.push(("plugd/components".to_owned(), json!({"lease": true})));
    calls.push((
        "config/value/write".to_owned(),
        json!({"keyPath": "foreign.other", "value": 1, "mergeStrategy": "replace"}),
    ));
    ask(daemon, heard, std::mem::take(&mut calls));
    for (method, params) in TAKING_ALONG {
        let answer = daemon.ok(method, serde_json::from_str(params).unwrap());
        let mut heard = heard.lock().unwrap();
        heard.push(((*method).to_owned(), answer.to_string()));
    }
    // And each method as it comes: most refuse it.
    let discovered = daemon.ok("rpc.discover", json!({}));
    for method in discovered["methods"].as_array().unwrap() {
        let name = method["name"].as_str().unwrap().to_owned();
        if !matches!(name.as_str(), "shutdown" | "initialize" | "exit") {
            calls.push((name.clone(), json!({})));
            calls.push((
                name,
                json!({"pluginName": 7, "pluginId": "hello@demo", "cwds": []}),
            ));
        }
    }
    ask(daemon, heard, calls);
}

fn ask(daemon: &mut Daemon, heard: &Heard, calls: Vec<(String, Value)>) {
    for (method, params) in calls {
        let answer = daemon.call(&method, params);
        heard.lock().unwrap().push((method, answer.to_string()));
    }
}

/// Fails when a secret stands in a text.
#[track_caller]
fn silent(place: &str, text: &str, secrets: &BTreeSet<String>) {
    for secret in secrets {
        let at = text.find(secret.as_str());
        let around = at.map(|at| {
            String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(160)..])
                .chars()
                .take(400)
                .collect::<String>()
        });
        assert_eq!(around, None, "{secret} in {place}");
    }
}

#[track_caller]
fn check(format: &str) {
    let world = World::new();
    let mut secrets: BTreeSet<String> = world.tokens().into_iter().collect();
    let names = IN_CONFIG.iter().chain(ELSEWHERE).copied();
    secrets.extend(
        names
            .chain(IN_VARIABLES.iter().map(|(_, name)| *name))
            .map(secret),
    );
    let configured: BTreeSet<String> = IN_CONFIG.iter().map(|name| secret(name)).collect();
    let proxy = format!("http://ada:{}@127.0.0.1:9", secret("proxy"));
    let told = Heard::default();
    let overheard = Arc::clone(&told);
    let mut launch = launch()
        .var("PLUGD_LOG", "trace")
        .var("PLUGD_LOG_FORMAT", format)
        .var("https_proxy", &proxy)
        .var("HTTPS_PROXY", &proxy)
        .observed_by(move |seen| {
            let mut told = overheard.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.message["method"].is_string() {
                told.push(("a notification".to_owned(), seen.message.to_string()));
            }
        });
    for (variable, name) in IN_VARIABLES {
        launch = launch.var(variable, &secret(name));
    }
    let mut daemon = launch.start(&world.account.sandbox);
    daemon.initialize();
    ask_everything(&mut daemon, &world, &told);
    daemon.shut_down();

    // What should have been reached was reached, or there was nothing to be silent about.
    assert!(
        world.registry.count(NpmRequest::Tarball) > 0,
        "npm was never asked"
    );
    assert!(
        world.account.sandbox.exists("ch/.tmp/marketplaces/market"),
        "git was never asked"
    );
    let sandbox = &world.account.sandbox;
    let lock = sandbox.text("project/.agents/plugins/plugins.lock");
    assert!(
        lock.contains("\"p@demo\"") && lock.contains("\"tool@demo\""),
        "{lock}"
    );
    assert!(sandbox.exists("exported.tar.gz"), "nothing was exported");
    let log = daemon.stderr();
    assert!(log.contains("marketplace/add"), "nothing was logged: {log}");
    silent("the log", &log, &secrets);
    let others: BTreeSet<String> = secrets.difference(&configured).cloned().collect();
    for (method, message) in told.lock().unwrap().iter() {
        let wanted = match ECHOES.contains(&method.as_str()) {
            true => &others,
            false => &secrets,
        };
        silent(&format!("an answer to {method}"), message, wanted);
    }
    silent_disk(sandbox, &secrets);
}

/// Every file of the sandbox, by its bytes, and what is in an archive.
#[track_caller]
fn silent_disk(sandbox: &Sandbox, secrets: &BTreeSet<String>) {
    let found = Fixture::parse(&sandbox.tree(".")).unwrap();
    for Item { path, kind, .. } in found.items {
        silent("the name of a file", &path, secrets);
        if matches!(kind, ItemKind::File(_)) && !WRITTEN_BY_OTHERS.contains(&path.as_str()) {
            let bytes = sandbox.bytes(&path);
            silent(&path, &String::from_utf8_lossy(&bytes), secrets);
            if path.ends_with(".gz") {
                let mut unpacked = Vec::new();
                GzDecoder::new(&bytes[..])
                    .read_to_end(&mut unpacked)
                    .unwrap();
                assert!(unpacked.len() > bytes.len(), "{path} holds nothing");
                silent(&path, &String::from_utf8_lossy(&unpacked), secrets);
            }
        }
    }
}

#[test]
fn no_secret_is_written_anywhere() {
    check("text");
}

#[test]
fn nor_in_a_log_of_json() {
    check("json");
}

#[test]
fn nor_by_the_command_line() {
    let world = World::new();
    let mut secrets: BTreeSet<String> = world.tokens().into_iter().collect();
    secrets.extend(IN_CONFIG.iter().chain(ELSEWHERE).map(|name| secret(name)));
    let with_login = format!("https://ada:{}@example.invalid/x.git", secret("request"));
    let short = format!("ada:{}@example.invalid/x", secret("request"));
    for args in [
        &["marketplace", "add", &with_login][..],
        &["marketplace", "add", &with_login, "--json"],
        &["marketplace", "add", &short],
        &["marketplace", "list"],
        &["marketplace", "list", "--json"],
        &["marketplace", "upgrade"],
        &["plugin", "list"],
        &["plugin", "list", "--available", "--json"],
        &["plugin", "read", "url@demo"],
        &["plugin", "read", "other@demo", "--json"],
        &["plugin", "inspect", "hello@demo"],
        &["plugin", "add", "url@demo"],
        &["plugin", "add", "other@demo", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["login", "status", "--json"],
        &[&with_login],
    ] {
        let output = cli(&world.account.sandbox, args);
        silent(&args.join(" "), &output.to_string(), &secrets);
    }
    silent_disk(&world.account.sandbox, &secrets);
}

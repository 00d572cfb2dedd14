//! Proves that plugins and marketplaces come from a registry that others have written: Debian's `docker-registry`, or
//! whatever is called so or `registry` on this machine, on loopback and with data of its own.
//!
//! What is pushed is pushed by the distribution API itself, so that no other program is needed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use plugd_testkit::{Daemon, OciRegistry, Sandbox, TarEntry, skip, tgz};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_MANIFEST, config, install, installed_in, list_and_settle, start_listening, text,
};

const USER: &str = "ada";
const PASSWORD: &str = "pass-of-ada";

/// The bcrypt of the password, as `htpasswd` would have written it.
const HTPASSWD: &str = "ada:$2b$04$eEc9c/6iyRF3hMteqfrcc.BMAxdjaJiD0u9z/98nE9eWbDt4FjdDC\n";

/// A registry of this machine. It is ended when it is dropped.
struct Registry {
    child: Child,
    host: String,
    login: Option<String>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it; nothing where there is no such program.
#[expect(
    clippy::disallowed_methods,
    reason = "a registry of this machine is what is asked"
)]
fn start_registry(sandbox: &Sandbox, with_login: bool) -> Option<Registry> {
    sandbox.add("== registry/data/\n");
    sandbox.write("registry/htpasswd", HTPASSWD);
    let dir = sandbox.path("registry");
    let auth = match with_login {
        true => format!("auth:\n  htpasswd:\n    realm: here\n    path: {dir}/htpasswd\n"),
        false => String::new(),
    };
    let settings = format!(
        "version: 0.1\nlog:\n  level: info\n  formatter: json\nstorage:\n  filesystem:\n    \
         rootdirectory: {dir}/data\nhttp:\n  addr: 127.0.0.1:0\n{auth}"
    );
    sandbox.write("registry/config.yml", settings);
    let file = format!("{dir}/config.yml");
    let started = ["docker-registry", "registry"]
        .into_iter()
        .find_map(|name| {
            Command::new(name)
                .args(["serve", &file])
                .current_dir(dir.as_path())
                .env_remove("OTEL_TRACES_EXPORTER")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .ok()
        });
    let Some(mut child) = started else {
        skip("docker-registry", "there is no such program");
        return None;
    };
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let host = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, place) = line.split_once("listening on ")?;
            let end = place.find(|c: char| !(c.is_ascii_digit() || ".:".contains(c)));
            Some(place[..end.unwrap_or(place.len())].to_owned())
        })
        .unwrap();
    // Nobody may be kept waiting by a full pipe.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let login = with_login.then(|| OciRegistry::docker_auth(USER, PASSWORD));
    Some(Registry { child, host, login })
}

impl Registry {
    /// Sends something; the status and the header `Location` of the answer.
    #[track_caller]
    fn send(&self, method: &str, target: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let login = self.login.as_ref();
        let login = login.map_or_else(String::new, |pair| {
            format!("Authorization: Basic {pair}\r\n")
        });
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{login}\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "));
        (status, location.unwrap_or_default().trim().to_owned())
    }

    #[track_caller]
    fn push_blob(&self, repository: &str, bytes: &[u8]) -> Value {
        let digest = OciRegistry::digest(bytes);
        let kind = "application/octet-stream";
        let (status, place) = self.send(
            "POST",
            &format!("/v2/{repository}/blobs/uploads/"),
            kind,
            b"",
        );
        assert_eq!(status, 202);
        let target = place.replace(&format!("http://{}", self.host), "");
        let mark = if target.contains('?') { '&' } else { '?' };
        let target = format!("{target}{mark}digest={digest}");
        assert_eq!(self.send("PUT", &target, kind, bytes).0, 201);
        json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
    }

    /// Pushes the plugin `p` in a version as `team/p:1`.
    #[track_caller]
    fn push(&self, version: &str) {
        self.push_entries("team/p", &plugin("p/", version));
    }

    /// Pushes the marketplace `team` with the plugin `p` in a version as `team/market:1`.
    #[track_caller]
    fn push_marketplace(&self, version: &str) {
        let manifest = json!({"name": "team", "plugins": [{"name": "p", "source": "./p"}]});
        let file = "market/.agents/plugins/marketplace.json";
        let mut entries = vec![TarEntry::file(file, manifest.to_string())];
        entries.extend(plugin("market/p/", version));
        self.push_entries("team/market", &entries);
    }

    /// Pushes an archive as tag `1`, wrapped in a directory as `oras` does it.
    #[track_caller]
    fn push_entries(&self, repository: &str, entries: &[TarEntry]) {
        let mut layer = self.push_blob(repository, &tgz(entries));
        layer["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
        layer["annotations"] = json!({"org.opencontainers.image.title": "p"});
        let mut about = self.push_blob(repository, b"{}");
        about["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind, "config": about, "layers": [layer],
        });
        let manifest = manifest.to_string();
        let target = format!("/v2/{repository}/manifests/1");
        let (status, _) = self.send("PUT", &target, kind, manifest.as_bytes());
        assert_eq!(status, 201);
    }

    /// Keeps its login as docker does.
    fn log_in(&self, sandbox: &Sandbox) {
        let pair = OciRegistry::docker_auth(USER, PASSWORD);
        let logins = json!({"auths": {&self.host: {"auth": pair}}});
        sandbox.write("home/.docker/config.json", logins.to_string());
    }
}

/// The plugin `p` below a directory.
fn plugin(dir: &str, version: &str) -> [TarEntry; 2] {
    let manifest = json!({"name": "p", "version": version}).to_string();
    [
        TarEntry::file(&format!("{dir}.codex-plugin/plugin.json"), manifest),
        TarEntry::file(&format!("{dir}notes.md"), format!("p {version}\n")),
    ]
}

#[track_caller]
fn check(with_login: bool) {
    let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
    let Some(registry) = start_registry(&sandbox, with_login) else {
        return;
    };
    registry.push("1.0.0");
    let source = json!({"source": "oci", "url": format!("oci://{}/team/p:1", registry.host)});
    let manifest = json!({"name": "demo", "plugins": [{"name": "p", "source": source}]});
    sandbox.write(
        "demo/.agents/plugins/marketplace.json",
        manifest.to_string(),
    );
    let mut daemon = start_listening(&sandbox);
    if with_login {
        let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "p"});
        let error = daemon.err("plugin/install", params);
        assert!(
            text(&error["message"]).contains("docker config"),
            "{error:#}"
        );
        registry.log_in(&sandbox);
    }
    install(&mut daemon, DEMO_MANIFEST, "p");
    assert_eq!(
        sandbox.text("ch/plugins/cache/demo/p/1.0.0/notes.md"),
        "p 1.0.0\n"
    );
    registry.push("1.1.0");
    list_and_settle(&mut daemon, json!({}));
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@demo 1.1.0"]);
    daemon.shut_down();
}

#[test]
fn a_registry_that_everybody_may_read() {
    check(false);
}

#[test]
fn a_registry_that_wants_a_login() {
    check(true);
}

#[track_caller]
fn check_marketplace(with_login: bool) {
    let sandbox = Sandbox::new();
    let Some(registry) = start_registry(&sandbox, with_login) else {
        return;
    };
    registry.push_marketplace("1.0.0");
    let source = format!("oci://{}/team/market:1", registry.host);
    let mut daemon = start_listening(&sandbox);
    if with_login {
        let error = daemon.err("marketplace/add", json!({"source": source}));
        assert_eq!(error["data"]["kind"], "unavailable", "{error:#}");
        registry.log_in(&sandbox);
    }
    let added = daemon.ok("marketplace/add", json!({"source": source}));
    let root = text(&added["installedRoot"]);
    let manifest = format!("{root}/.agents/plugins/marketplace.json");
    install(&mut daemon, &manifest, "p");
    let upgrade = |daemon: &mut Daemon| {
        let answer = daemon.ok("marketplace/upgrade", json!({"marketplaceName": "team"}));
        assert_eq!(answer["errors"], json!([]), "{answer:#}");
        answer["changes"][0].clone()
    };
    let stays = upgrade(&mut daemon);
    assert_eq!(
        (&stays["changed"], &stays["to"]),
        (&json!(false), &added["commit"])
    );
    registry.push_marketplace("1.1.0");
    assert_eq!(upgrade(&mut daemon)["changed"], true);
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@team 1.1.0"]);
    daemon.shut_down();
}

#[test]
fn a_marketplace_that_everybody_may_read() {
    check_marketplace(false);
}

#[test]
fn a_marketplace_behind_a_login() {
    check_marketplace(true);
}

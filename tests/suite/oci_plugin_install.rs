//! Proves that plugins come from OCI registries and from archives behind addresses: exactly what the
//! tag or digest means, checked while it comes, with the user's login and nobody else's, and asked
//! for again with one request.

use plugd_testkit::{Behaviour, Daemon, OciRegistry, OciRequest, Sandbox, TarEntry, TarKind};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_MANIFEST, cli, config, install, installed_in, list_and_settle, plugin, plugin_in, start,
    start_listening, text,
};
use crate::lock::{LOCK, in_project, lock};
use crate::remotes::{Overheard, give_up, nothing_left};

/// A local marketplace `demo` whose plugin `p` comes from a registry.
pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) registry: OciRegistry,
}

/// The files of the plugin `p`.
pub(crate) fn files(version: &str) -> String {
    plugin("top", "p", version).replace("== top/", "== ")
}

fn p() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "p"})
}

impl Shop {
    /// Pushes `team/p:1` in version 1.0.0 and offers it.
    pub(crate) fn open() -> Self {
        let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
        let registry = OciRegistry::start();
        let shop = Self { sandbox, registry };
        shop.registry.push("team/p:1", &files("1.0.0"));
        shop.offer(&json!({"source": "oci", "url": shop.registry.reference("team/p:1")}));
        shop
    }

    pub(crate) fn offer(&self, source: &Value) {
        let manifest = json!({"name": "demo", "plugins": [{"name": "p", "source": source}]});
        let path = "demo/.agents/plugins/marketplace.json";
        self.sandbox.write(path, manifest.to_string());
    }

    /// Keeps a login for the registry as docker does.
    fn log_in(&self, user: &str, password: &str) {
        let auth = OciRegistry::docker_auth(user, password);
        let config = json!({"auths": {self.registry.host(): {"auth": auth}}});
        self.sandbox
            .write("home/.docker/config.json", config.to_string());
    }

    /// What is installed afterwards.
    #[track_caller]
    fn installed(&self) -> String {
        let mut daemon = start(&self.sandbox);
        let answer = install(&mut daemon, DEMO_MANIFEST, "p");
        nothing_left(&self.sandbox);
        daemon.shut_down();
        text(&answer["installedVersion"]).to_owned()
    }

    /// The error of an installation that leaves nothing.
    #[track_caller]
    fn refused(&self, kind: &str) -> String {
        let mut daemon = start(&self.sandbox);
        let error = daemon.err("plugin/install", p());
        assert_eq!(error["data"]["kind"], kind, "{error:#}");
        assert!(!self.sandbox.exists("ch/plugins/cache/demo"), "{error:#}");
        nothing_left(&self.sandbox);
        daemon.shut_down();
        text(&error["message"]).to_owned()
    }

    fn asked(&self, request: OciRequest) -> usize {
        self.registry.count(request)
    }
}

/// The version and the commit of what is installed.
#[track_caller]
fn recorded(daemon: &mut Daemon) -> (String, String) {
    let answer = daemon.ok("plugd/versions", json!({"pluginId": "p@demo"}));
    let versions = answer["plugins"][0]["versions"].as_array().unwrap();
    let installed = versions.iter().find(|one| one["state"] == "installed");
    let installed = installed.unwrap();
    (
        text(&installed["version"]).to_owned(),
        text(&installed["commit"]).to_owned(),
    )
}

#[test]
fn what_a_tag_means_is_installed_and_recorded() {
    let shop = Shop::open();
    let fixture = files("1.0.0") + "== bin/run (mode 755)\nx\n";
    let digest = shop.registry.push("team/p:1", &fixture);
    let mut daemon = start(&shop.sandbox);
    install(&mut daemon, DEMO_MANIFEST, "p");
    assert_eq!(recorded(&mut daemon), ("1.0.0".to_owned(), digest));
    assert_eq!(shop.asked(OciRequest::Manifest), 1);
    assert_eq!(shop.asked(OciRequest::Blob), 1);
    let dir = "ch/plugins/cache/demo/p/1.0.0";
    assert_eq!(shop.sandbox.text(&format!("{dir}/notes.md")), "p 1.0.0\n");
    assert_eq!(shop.sandbox.mode(&format!("{dir}/bin/run")) & 0o111, 0o111);
    nothing_left(&shop.sandbox);
    // At the end, because behind a listing the registry is asked for news.
    let listing = daemon.ok("plugin/list", json!({}));
    let url = shop.registry.reference("team/p");
    assert_eq!(
        plugin_in(&listing, "p@demo")["source"],
        json!({"type": "remote", "oci": {"url": url, "tag": "1", "digest": null}}),
        "a client of the reference knows no other type"
    );
    daemon.shut_down();
}

#[test]
fn a_directory_that_wraps_everything_is_left_behind() {
    let shop = Shop::open();
    let wrapped = files("2.0.0").replace("== ", "== p-2.0.0/");
    shop.registry.push("team/p:1", &wrapped);
    assert_eq!(shop.installed(), "2.0.0");
    assert!(
        shop.sandbox
            .exists("ch/plugins/cache/demo/p/2.0.0/notes.md")
    );
}

#[test]
fn links_are_left_out_and_hostile_names_refused() {
    let shop = Shop::open();
    let manifest = r#"{"name": "p", "version": "1.0.0"}"#;
    let good = TarEntry::file(".codex-plugin/plugin.json", manifest);
    let link = TarEntry::new("secrets", TarKind::Link("/etc/passwd".to_owned()));
    shop.registry
        .push_entries("team/p:1", &[good.clone(), TarEntry::file("a", "x"), link]);
    assert_eq!(shop.installed(), "1.0.0");
    assert!(!shop.sandbox.exists("ch/plugins/cache/demo/p/1.0.0/secrets"));
    for hostile in ["../out", "/out", "a/../../out", ".git\u{200b}/../../out"] {
        let shop = Shop::open();
        let entries = [good.clone(), TarEntry::file(hostile, "x")];
        shop.registry.push_entries("team/p:1", &entries);
        let message = shop.refused("invalidInput");
        assert!(message.contains("the archive holds"), "{message}");
    }
}

#[test]
fn a_refresh_costs_one_request_and_follows_the_tag() {
    let shop = Shop::open();
    let mut daemon = start_listening(&shop.sandbox);
    install(&mut daemon, DEMO_MANIFEST, "p");
    shop.registry.forget();
    list_and_settle(&mut daemon, json!({}));
    let asked = shop.registry.requests();
    let lines: Vec<_> = asked.iter().map(|one| (&*one.method, &*one.path)).collect();
    assert_eq!(lines, [("HEAD", "/v2/team/p/manifests/1")]);

    // The same process asks again after some minutes, another one at once.
    daemon.shut_down();
    let mut daemon = start_listening(&shop.sandbox);
    let digest = shop.registry.push("team/p:1", &files("1.1.0"));
    list_and_settle(&mut daemon, json!({}));
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@demo 1.1.0"]);
    assert_eq!(recorded(&mut daemon), ("1.1.0".to_owned(), digest));
    daemon.shut_down();
}

#[test]
fn a_digest_is_never_asked_for_again() {
    let shop = Shop::open();
    let old = shop.registry.push("team/p:1", &files("1.0.0"));
    shop.registry.push("team/p:1", &files("2.0.0"));
    let reference = format!("{}@{old}", shop.registry.reference("team/p:1"));
    shop.offer(&json!({"source": "oci", "ref": reference}));
    let mut daemon = start_listening(&shop.sandbox);
    install(&mut daemon, DEMO_MANIFEST, "p");
    assert_eq!(recorded(&mut daemon), ("1.0.0".to_owned(), old));
    shop.registry.forget();
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(shop.registry.requests(), []);
    daemon.shut_down();
}

#[test]
fn a_request_may_name_a_tag_or_digest_and_pins_it() {
    let shop = Shop::open();
    let old = shop.registry.push("team/p:old", &files("0.9.0"));
    let mut daemon = start(&shop.sandbox);
    let mut wanted = p();
    wanted["ref"] = json!("old");
    let answer = daemon.ok("plugin/install", wanted);
    assert_eq!(answer["installedVersion"], "0.9.0");
    let mut wanted = p();
    wanted["sha"] = json!("sha256:abc");
    let error = daemon.err("plugin/install", wanted);
    assert_eq!(error["data"]["field"], "sha", "{error:#}");
    let mut wanted = p();
    wanted["sha"] = json!(old);
    daemon.ok("plugin/install", wanted);
    // It is pinned: what the entry names does not take its place.
    let answer = daemon.ok("plugin/install", p());
    assert_eq!(answer["installedVersion"], "0.9.0");
    assert_eq!(recorded(&mut daemon), ("0.9.0".to_owned(), old));
    daemon.shut_down();
}

#[test]
fn a_registry_that_lies_or_breaks_off() {
    let shop = Shop::open();
    shop.registry.tamper();
    let message = shop.refused("invalidInput");
    assert!(
        message.contains("digest") || message.contains("archive"),
        "{message}"
    );

    let shop = Shop::open();
    for (request, behaviour, kind) in [
        (OciRequest::Blob, Behaviour::Cut(30), "unavailable"),
        (OciRequest::Blob, Behaviour::Status(404), "notFound"),
        (OciRequest::Blob, Behaviour::Bomb, "invalidInput"),
        (OciRequest::Blob, Behaviour::Page, "invalidInput"),
        (OciRequest::Manifest, Behaviour::Status(404), "notFound"),
        (OciRequest::Manifest, Behaviour::Status(403), "unavailable"),
        (OciRequest::Manifest, Behaviour::Page, "invalidInput"),
        (OciRequest::Manifest, Behaviour::Bomb, "unavailable"),
        (
            OciRequest::Manifest,
            Behaviour::Redirect(shop.registry.base_by_name()),
            "unavailable",
        ),
    ] {
        shop.registry.behave(request, behaviour.clone());
        let message = shop.refused(kind);
        assert!(message.contains("p@demo"), "{behaviour:?}: {message}");
        shop.registry.behave_well();
    }
    assert_eq!(shop.installed(), "1.0.0");
}

#[test]
fn giving_up_on_a_silent_registry_leaves_nothing() {
    for request in [OciRequest::Manifest, OciRequest::Blob] {
        let shop = Shop::open();
        shop.registry.behave(request, Behaviour::Silent);
        let mut daemon = start(&shop.sandbox);
        let id = daemon.request("plugin/install", p());
        shop.registry.wait_for(request, 1);
        give_up(&mut daemon, id);
        assert!(!shop.sandbox.exists("ch/plugins/cache/demo"));
        nothing_left(&shop.sandbox);
        daemon.shut_down();
    }
}

#[test]
fn the_login_of_the_docker_config_goes_to_its_registry_only() {
    let secret = "oci-hunter2-hunter2";
    let shop = Shop::open();
    shop.registry.require_login("ada", secret);
    let message = shop.refused("unavailable");
    assert!(message.contains("docker config"), "{message}");
    assert_eq!(
        shop.asked(OciRequest::Token),
        1,
        "whether everybody may read was asked"
    );

    shop.log_in("ada", secret);
    shop.registry.forget();
    // The archive lies with another host, which learns nothing.
    let elsewhere = OciRegistry::start();
    elsewhere.push("team/p:1", &files("1.0.0"));
    let place = Behaviour::Redirect(format!("http://{}", elsewhere.host()));
    shop.registry.behave(OciRequest::Blob, place);
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&shop.sandbox);
    daemon.initialize();
    install(&mut daemon, DEMO_MANIFEST, "p");
    let asked = elsewhere.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
    heard.never_said(&daemon, secret);
    daemon.shut_down();
    shop.registry.behave_well();

    shop.log_in("ada", &format!("wrong-{secret}"));
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&shop.sandbox);
    daemon.initialize();
    shop.registry.push("team/p:1", &files("3.0.0"));
    daemon.err("plugin/install", p());
    heard.never_said(&daemon, secret);
    daemon.shut_down();
}

#[test]
fn an_archive_behind_an_address_needs_its_digest() {
    let shop = Shop::open();
    let (url, digest) = shop.registry.file("p.tar.gz", &files("1.0.0"));
    shop.offer(&json!({"source": "archive", "url": url, "sha256": &digest["sha256:".len()..]}));
    let mut daemon = start_listening(&shop.sandbox);
    let listing = list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        plugin_in(&listing, "p@demo")["source"],
        json!({"type": "remote", "archive": {"url": url, "digest": digest}})
    );
    install(&mut daemon, DEMO_MANIFEST, "p");
    assert_eq!(recorded(&mut daemon), ("1.0.0".to_owned(), digest.clone()));
    shop.registry.forget();
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        shop.registry.requests(),
        [],
        "it can never mean anything else"
    );
    daemon.shut_down();

    let shop = Shop::open();
    let (url, _) = shop.registry.file("p.tar.gz", &files("1.0.0"));
    shop.offer(&json!({"source": "archive", "url": format!("{url}#sha256={}", "0".repeat(64))}));
    let message = shop.refused("invalidInput");
    assert!(message.contains("sha256 digest"), "{message}");
    shop.offer(&json!({"source": "archive", "url": url}));
    let output = cli(&shop.sandbox, &["validate", "$ROOT/demo", "--json"]);
    assert_eq!(output.code(), 1, "{output}");
    let answer = output.json();
    let problem = &answer["subjects"][0]["problems"][0];
    assert_eq!(problem["kind"], "badSource", "{answer:#}");
    assert_eq!(problem["field"], "plugins[0].source", "{answer:#}");
    assert!(
        problem["line"].is_u64() && problem["column"].is_u64(),
        "{answer:#}"
    );
}

#[test]
fn a_lock_holds_an_artifact_by_its_digest() {
    let shop = Shop::open();
    shop.sandbox.add("== p/.git/\n== p/src/\n");
    let digest = shop.registry.push("team/p:1", &files("1.0.0"));
    let mut daemon = start(&shop.sandbox);
    install(&mut daemon, DEMO_MANIFEST, "p");
    lock(&mut daemon, json!({}));
    let locked = shop.sandbox.text(LOCK);
    let reference = shop.registry.reference("team/p:1");
    assert!(
        locked.contains(&format!("source = {{ oci = \"{reference}\" }}")),
        "{locked}"
    );
    assert!(
        locked.contains(&format!("digest = \"{digest}\"")),
        "{locked}"
    );
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    daemon.ok("plugd/gc", json!({}));
    // The tag has moved; the lock has not.
    shop.registry.push("team/p:1", &files("2.0.0"));
    daemon.ok("plugd/sync", in_project(json!({})));
    assert_eq!(recorded(&mut daemon), ("1.0.0".to_owned(), digest));
    daemon.shut_down();
}

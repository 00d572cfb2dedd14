//! Proves that plugins from an npm registry are installed without npm: the version that was asked
//! for, with its digest checked, unpacked with care, and nothing of it ever run.

use plugd_testkit::{Authority, Behaviour, Daemon, Gate, NpmRegistry, NpmRequest, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_MANIFEST, config, install, installed_in, launch, plugin, start, text, with,
};
use crate::remotes::{Overheard, bulk, give_up, in_order, nothing_left, stages};

/// A local marketplace `demo` whose plugin `p` comes from a registry that the user's npmrc names.
pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) registry: NpmRegistry,
}

/// The files of the plugin `p`.
pub(crate) fn files(version: &str) -> String {
    plugin("top", "p", version).replace("== top/", "== ")
}

impl Shop {
    /// Publishes `tool` in version 1.0.0 and offers it.
    pub(crate) fn open() -> Self {
        let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
        let registry = NpmRegistry::start();
        let shop = Self { sandbox, registry };
        shop.npmrc(&format!("registry={}\n", shop.registry.url()));
        shop.registry.publish("tool", "1.0.0", &files("1.0.0"));
        shop.offer(json!({}));
        shop
    }

    fn npmrc(&self, text: &str) {
        self.sandbox.write("home/.npmrc", text);
    }

    /// Offers `p` as the package `tool`, with these members of the source changed.
    fn offer(&self, members: Value) {
        let source = json!({"source": "npm", "package": "tool"});
        let source = with(source, members);
        let manifest = json!({"name": "demo", "plugins": [{"name": "p", "source": source}]});
        let path = "demo/.agents/plugins/marketplace.json";
        self.sandbox.write(path, manifest.to_string());
    }

    /// What is installed afterwards.
    #[track_caller]
    pub(crate) fn installed(&self) -> String {
        let mut daemon = start(&self.sandbox);
        let answer = install(&mut daemon, DEMO_MANIFEST, "p");
        nothing_left(&self.sandbox);
        daemon.shut_down();
        text(&answer["installedVersion"]).to_owned()
    }

    /// The error of an installation that leaves nothing.
    #[track_caller]
    pub(crate) fn refused(&self, kinds: &[&str]) -> Value {
        let mut daemon = start(&self.sandbox);
        let error = self.refused_by(&mut daemon, kinds);
        daemon.shut_down();
        error
    }

    #[track_caller]
    fn refused_by(&self, daemon: &mut Daemon, kinds: &[&str]) -> Value {
        let error = daemon.err("plugin/install", p());
        assert_eq!(error["code"], -32600, "{error:#}");
        assert!(kinds.contains(&text(&error["data"]["kind"])), "{error:#}");
        assert!(!self.sandbox.exists("ch/plugins/cache/demo"), "{error:#}");
        assert!(
            !self.sandbox.text("ch/config.toml").contains("[plugins"),
            "{error:#}"
        );
        nothing_left(&self.sandbox);
        error
    }
}

fn p() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "p"})
}

#[test]
fn what_is_installed() {
    let shop = Shop::open();
    let fixture = files("1.0.0") + "== bin/run (mode 755)\nx\n";
    shop.registry.publish("tool", "1.0.0", &fixture);
    assert_eq!(shop.installed(), "1.0.0");
    let dir = "ch/plugins/cache/demo/p/1.0.0";
    assert_eq!(shop.sandbox.text(&format!("{dir}/notes.md")), "p 1.0.0\n");
    assert_eq!(shop.sandbox.mode(&format!("{dir}/bin/run")) & 0o111, 0o111);
    assert_eq!(shop.sandbox.mode(&format!("{dir}/notes.md")) & 0o111, 0);
    assert!(shop.sandbox.exists(&format!("{dir}/package.json")));
    // The scripts that the registry speaks of would have made this.
    assert!(!shop.sandbox.exists("nowhere"));
    let record = shop.sandbox.text("ch/plugins/.plugd/installed/demo/p.json");
    assert!(
        record.contains("tool") && record.contains("1.0.0"),
        "{record}"
    );
    assert_eq!(shop.registry.count(NpmRequest::Packument), 1);
    assert_eq!(shop.registry.count(NpmRequest::Tarball), 1);
}

#[test]
fn which_version() {
    let shop = Shop::open();
    for version in ["1.2.0", "1.10.0", "2.0.0-beta.1", "3.0.0", "2.1.0"] {
        shop.registry.publish("tool", version, &files(version));
    }
    shop.registry.tag("tool", "next", "3.0.0");
    shop.registry.tag("tool", "latest", "2.1.0");
    for (wanted, expected) in [
        (json!(null), "2.1.0"),
        (json!("1.2.0"), "1.2.0"),
        (json!("2.0.0-beta.1"), "2.0.0-beta.1"),
        (json!("latest"), "2.1.0"),
        (json!("next"), "3.0.0"),
        (json!("^1.0.0"), "1.10.0"),
        (json!("~1.2"), "1.2.0"),
        (json!("1.x"), "1.10.0"),
        (json!(">=1 <1.10"), "1.2.0"),
        (json!("*"), "2.1.0"),
        (json!("^1.2.0 || ^3"), "3.0.0"),
    ] {
        shop.offer(json!({"version": wanted}));
        assert_eq!(shop.installed(), expected, "{wanted}");
    }
}

#[test]
fn what_is_not_there() {
    let shop = Shop::open();
    for (members, named) in [
        (json!({"version": "9.9.9"}), "9.9.9"),
        (json!({"version": "^9"}), "^9"),
        (json!({"version": "gone"}), "gone"),
        (json!({"package": "nobody"}), "nobody"),
    ] {
        shop.offer(members);
        let error = shop.refused(&["invalidInput", "notFound"]);
        assert!(text(&error["message"]).contains(named), "{error:#}");
    }
    assert_eq!(shop.registry.count(NpmRequest::Tarball), 0);
}

#[test]
fn registries_that_do_not_answer_well() {
    for (request, behaviour, kinds) in [
        (
            NpmRequest::Packument,
            Behaviour::Status(500),
            ["unavailable"].as_slice(),
        ),
        (
            NpmRequest::Packument,
            Behaviour::Page,
            &["unavailable", "invalidInput"],
        ),
        (NpmRequest::Packument, Behaviour::Cut(10), &["unavailable"]),
        (
            NpmRequest::Packument,
            Behaviour::Bomb,
            &["unavailable", "invalidInput"],
        ),
        (
            NpmRequest::Tarball,
            Behaviour::Status(404),
            &["unavailable", "invalidInput", "notFound"],
        ),
        (
            NpmRequest::Tarball,
            Behaviour::Status(500),
            &["unavailable"],
        ),
        (
            NpmRequest::Tarball,
            Behaviour::Cut(30),
            &["unavailable", "invalidInput"],
        ),
        (
            NpmRequest::Tarball,
            Behaviour::Bomb,
            &["unavailable", "invalidInput"],
        ),
    ] {
        let shop = Shop::open();
        shop.registry.behave(request, behaviour.clone());
        let mut daemon = launch()
            .patience(std::time::Duration::from_secs(60))
            .start(&shop.sandbox);
        daemon.initialize();
        let error = shop.refused_by(&mut daemon, kinds);
        if error["data"]["kind"] == "unavailable" {
            assert_eq!(
                error["data"]["host"], "127.0.0.1",
                "{behaviour:?}: {error:#}"
            );
        }
        shop.registry.behave_well();
        install(&mut daemon, DEMO_MANIFEST, "p");
        daemon.shut_down();
    }
}

#[test]
fn giving_up_ends_at_once_and_leaves_nothing() {
    for request in [NpmRequest::Packument, NpmRequest::Tarball] {
        let shop = Shop::open();
        shop.registry.behave(request, Behaviour::Silent);
        let mut daemon = start(&shop.sandbox);
        let id = daemon.request("plugin/install", p());
        shop.registry.wait_for(request, 1);
        daemon.ok("plugin/list", json!({}));
        give_up(&mut daemon, id);
        assert!(!shop.sandbox.exists("ch/plugins/cache/demo"));
        nothing_left(&shop.sandbox);
        shop.registry.behave_well();
        install(&mut daemon, DEMO_MANIFEST, "p");
        daemon.shut_down();
    }
}

#[test]
fn killed_while_it_fetches() {
    let gate = Gate::new();
    for (request, behaviour) in [
        (NpmRequest::Packument, Behaviour::Held(gate.clone())),
        (NpmRequest::Tarball, Behaviour::Held(gate.clone())),
        (
            NpmRequest::Tarball,
            Behaviour::HeldAfter(50_000, gate.clone()),
        ),
    ] {
        let shop = Shop::open();
        shop.registry
            .publish("tool", "1.0.0", &(files("1.0.0") + &bulk(60)));
        shop.registry.behave(request, behaviour);
        let mut daemon = start(&shop.sandbox);
        daemon.request("plugin/install", p());
        shop.registry.wait_for(request, 1);
        daemon.kill();
        shop.registry.behave_well();
        let mut daemon = start(&shop.sandbox);
        let listing = daemon.ok("plugin/installed", json!({}));
        assert_eq!(installed_in(&listing), Vec::<String>::new());
        install(&mut daemon, DEMO_MANIFEST, "p");
        nothing_left(&shop.sandbox);
        daemon.shut_down();
    }
    gate.open();
}

#[test]
fn a_login_of_the_npmrc_goes_to_its_registry_only() {
    let secret = "npm-hunter2-hunter2";
    let shop = Shop::open();
    let elsewhere = NpmRegistry::start();
    let (url, key) = (shop.registry.url(), shop.registry.npmrc_key());
    shop.registry
        .require_authorization(&format!("Bearer {secret}"));
    let error = shop.refused(&["unavailable", "notAllowed"]);
    assert_eq!(error["data"]["host"], "127.0.0.1", "{error:#}");
    assert!(error.to_string().contains("_authToken"), "{error:#}");
    for (npmrc, variable) in [
        (format!("registry={url}\n{key}:_authToken={secret}\n"), ""),
        (
            format!("registry={url}\n{key}:_authToken=${{MY_TOKEN}}\n"),
            secret,
        ),
    ] {
        shop.npmrc(&npmrc);
        let heard = Overheard::default();
        let mut daemon = heard
            .launch()
            .var("MY_TOKEN", variable)
            .start(&shop.sandbox);
        daemon.initialize();
        install(&mut daemon, DEMO_MANIFEST, "p");
        // The archive lies with somebody else, who learns nothing.
        elsewhere.publish("tool", "1.0.0", &files("1.0.0"));
        let tarball = format!("{}tool/-/tool-1.0.0.tgz", elsewhere.url());
        shop.registry.edit("tool", "1.0.0", |about| {
            about["dist"]["tarball"] = json!(tarball);
        });
        install(&mut daemon, DEMO_MANIFEST, "p");
        let asked = elsewhere.requests();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].header("authorization"), None);
        heard.never_said(&daemon, secret);
        daemon.shut_down();
        elsewhere.forget();
        shop.registry.publish("tool", "1.0.0", &files("1.0.0"));
    }
    shop.npmrc(&format!(
        "registry={url}\n{key}:_authToken=wrong-{secret}\n"
    ));
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&shop.sandbox);
    daemon.initialize();
    daemon.err("plugin/install", p());
    heard.never_said(&daemon, secret);
    daemon.shut_down();
}

#[test]
fn a_scope_has_its_own_registry_and_a_stranger_s_npmrc_counts_for_nothing() {
    let shop = Shop::open();
    let (scoped, stranger) = (NpmRegistry::start(), NpmRegistry::start());
    scoped.publish("@team/tool", "4.0.0", &files("4.0.0"));
    for package in ["tool", "@team/tool"] {
        stranger.publish(package, "6.6.6", &files("6.6.6"));
    }
    let lines = format!(
        "registry={}\n@team:registry={}\n",
        shop.registry.url(),
        scoped.url()
    );
    shop.npmrc(&lines);
    let theirs = format!("registry={0}\n@team:registry={0}\n", stranger.url());
    for dir in ["cwd", "demo", "demo/.agents/plugins"] {
        shop.sandbox.write(&format!("{dir}/.npmrc"), &theirs);
    }
    assert_eq!(shop.installed(), "1.0.0");
    shop.offer(json!({"package": "@team/tool"}));
    assert_eq!(shop.installed(), "4.0.0");
    assert_eq!(stranger.requests(), []);
}

#[test]
fn a_registry_that_the_catalog_names() {
    let shop = Shop::open();
    let authority = Authority::new();
    let secure = NpmRegistry::start_secure(&authority);
    secure.publish("tool", "5.0.0", &files("5.0.0"));
    let pem = authority.write_to(&shop.sandbox).to_text();
    shop.offer(json!({"registry": secure.url()}));
    let error = shop.refused(&["unavailable"]);
    assert_eq!(error["data"]["host"], "127.0.0.1", "{error:#}");
    assert_eq!(secure.requests(), []);
    let mut daemon = launch().var("SSL_CERT_FILE", &pem).start(&shop.sandbox);
    daemon.initialize();
    assert_eq!(
        install(&mut daemon, DEMO_MANIFEST, "p")["installedVersion"],
        "5.0.0"
    );
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    // Not from there to a place that anybody can listen to.
    let plain = Behaviour::Redirect(shop.registry.url().trim_end_matches('/').to_owned());
    secure.behave(NpmRequest::Tarball, plain);
    daemon.err("plugin/install", p());
    assert_eq!(shop.registry.requests(), []);
    daemon.shut_down();
}

#[test]
fn how_far_it_is() {
    let shop = Shop::open();
    shop.registry
        .publish("tool", "1.0.0", &(files("1.0.0") + &bulk(60)));
    let gate = Gate::new();
    let half = Behaviour::HeldAfter(50_000, gate.clone());
    shop.registry.behave(NpmRequest::Tarball, half);
    let mut daemon = start(&shop.sandbox);
    let id = daemon.request("plugin/install", with(p(), json!({"workDoneToken": "t"})));
    gate.wait_reached();
    let told = daemon.wait_notification("$/progress", |told| {
        told["value"]["stage"] == "fetching" && told["value"]["done"] != 0
    });
    // The registry said how long the archive is.
    assert!(told["value"]["total"].is_u64(), "{told:#}");
    gate.open();
    let answer = daemon.response(id);
    assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    in_order(&stages(&mut daemon, "t"));
    daemon.shut_down();
}

//! Proves that a plugin of the remote catalog is installed as the catalog and the bundle say: what is
//! asked and in which order, what of the answers is taken, and what is refused with which words.

use plugd_testkit::Daemon;
use plugd_testkit::service::{Bundle, Endpoint, Fault, Item, Login, sha256_hex};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote, rows};
use crate::fixtures::{cli, text, with};
use crate::remotes::{nothing_left, stamps};

/// The directory of a plugin of everybody's catalog.
pub(crate) fn dir(plugin: &str) -> String {
    format!("ch/plugins/cache/openai-curated-remote/{plugin}")
}

/// Everything that was asked about one plugin, in order.
fn asked_about(account: &Account, id: &str) -> Vec<String> {
    let requests = account.service.requests();
    let about = requests.iter().filter(|one| one.id() == Some(id));
    about.map(|one| one.line().replace(id, "RID")).collect()
}

/// The error of an installation that leaves nothing and is not told to the service.
#[track_caller]
pub(crate) fn refused(account: &Account, daemon: &mut Daemon, id: &str) -> Value {
    let error = daemon.err("plugin/install", remote(id));
    nothing_came(account);
    error
}

#[track_caller]
pub(crate) fn nothing_came(account: &Account) {
    for marketplace in ["openai-curated-remote", "workspace-directory"] {
        let cache = format!("ch/plugins/cache/{marketplace}");
        assert!(!account.sandbox.exists(&cache), "{cache}");
    }
    nothing_left(&account.sandbox);
    assert_eq!(account.service.count(Endpoint::Install), 0);
    assert_eq!(account.service.installed(), []);
}

#[track_caller]
pub(crate) fn check_words(error: &Value, words: &str) {
    assert_eq!(error["code"], -32600, "{error:#}");
    assert!(
        text(&error["message"]).contains(words),
        "{words}: {error:#}"
    );
}

#[test]
fn what_is_asked_and_what_is_installed() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let before = account.sandbox.text("ch/config.toml");
    let mut daemon = account.start();
    let answer = daemon.ok("plugin/install", remote(&id));
    assert_eq!(
        answer,
        json!({
            "authPolicy": "ON_INSTALL", "appsNeedingAuth": [], "installedVersion": "1.0.0",
            "changed": true, "rebound": null, "problems": [],
        })
    );
    assert_eq!(
        asked_about(&account, &id),
        [
            "GET /ps/plugins/RID?includeDownloadUrls=true",
            "GET /bundles/RID/1.0.0.tar.gz",
            "POST /ps/plugins/RID/install?includeAppsNeedingAuth=true",
        ]
    );
    let installed = account.service.requests_to(Endpoint::Installed);
    assert!(
        installed
            .iter()
            .any(|one| one.param("scope") == Some("GLOBAL"))
    );
    for bundle in account.service.requests_to(Endpoint::Bundle) {
        assert!(!bundle.has_credentials() && bundle.header("oai-product-sku").is_none());
    }
    let place = dir("alpha");
    let skill = account
        .sandbox
        .text(&format!("{place}/1.0.0/skills/hello/SKILL.md"));
    assert!(skill.contains("Say hello."), "{skill}");
    assert_eq!(account.sandbox.text("ch/config.toml"), before);
    let record = account
        .sandbox
        .text("ch/plugins/.plugd/installed/openai-curated-remote/alpha.json");
    let record: Value = serde_json::from_str(&record).unwrap();
    assert!(record.to_string().contains(&id), "{record:#}");
    let bundle = Bundle::new("alpha", "1.0.0").file(
        "skills/hello/SKILL.md",
        "---\nname: hello\ndescription: says hello\n---\nSay hello.\n",
    );
    let digest = format!("sha256:{}", sha256_hex(&bundle.build()));
    assert!(record.to_string().contains(&digest), "{digest} {record:#}");
    let listing = daemon.ok("plugin/installed", json!({}));
    let row = "openai-curated-remote: alpha@openai-curated-remote 1.0.0 installed enabled";
    assert_eq!(rows(&listing), [row]);
    nothing_left(&account.sandbox);
    daemon.shut_down();
}

#[test]
fn the_order_and_the_words_of_refusals() {
    let account = Account::with("[features]\nplugins = false\n");
    account.offer(&["alpha"]);
    let mut daemon = account.start();
    check_words(
        &refused(&account, &mut daemon, "a.b"),
        "remote plugin install is not enabled for marketplace openai-curated-remote",
    );
    daemon.shut_down();

    let account = Account::without_login("");
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    let both = with(remote(&id), json!({"marketplacePath": "/m"}));
    let error = daemon.err("plugin/install", both);
    check_words(
        &error,
        "exactly one of marketplacePath or remoteMarketplaceName",
    );
    check_words(
        &refused(&account, &mut daemon, "a.b"),
        "invalid remote plugin id: only ASCII letters, digits, `_`, `-`, and `~` are allowed",
    );
    check_words(
        &refused(&account, &mut daemon, ""),
        "invalid remote plugin id",
    );
    check_words(
        &refused(&account, &mut daemon, &id),
        "chatgpt authentication required",
    );
    Login::api_key().write_to(&account.sandbox);
    check_words(
        &refused(&account, &mut daemon, &id),
        "api key auth is not supported",
    );
    account.service.login().expired().write_to(&account.sandbox);
    check_words(
        &refused(&account, &mut daemon, &id),
        "the login has expired",
    );
    assert_eq!(account.service.count(Endpoint::Detail), 0);
    daemon.shut_down();
}

#[test]
fn what_the_catalog_does_not_hand_out() {
    let account = Account::new();
    let mut daemon = account.start();
    let error = refused(&account, &mut daemon, "plugins~Plugin_00");
    check_words(&error, "read remote plugin details before install");
    assert_eq!(error["data"]["kind"], "notFound");
    let item = || Item::new("alpha");
    let id = item().id().to_owned();
    let url = |url: &str| item().bundle_download_url(url);
    for (item, words) in [
        (item().status("DISABLED_BY_ADMIN"), "is disabled by admin"),
        (
            item().installation_policy("NOT_AVAILABLE"),
            "is not available for install",
        ),
        (
            item()
                .installation_policy("NOT_AVAILABLE")
                .status("DISABLED_BY_ADMIN"),
            "is disabled by admin",
        ),
        (item().version(" "), "has no release version"),
        (item().without("release/version"), "has no release version"),
        (item().version("../1"), "invalid release version"),
        (item().version(".."), "invalid release version"),
        (
            item().bundle_download_url(Value::Null),
            "did not return a download URL",
        ),
        (url("bundle.tar.gz"), "invalid download URL"),
        (url("ftp://127.0.0.1/b"), "unsupported download URL scheme"),
        (url("http://192.0.2.1/b"), "unsupported download URL scheme"),
        (url("https://user:word@127.0.0.1/b"), "invalid download URL"),
        (item().set("release/bundle_digest", "sha256:zz"), "digest"),
    ] {
        account.service.offer(item);
        check_words(&refused(&account, &mut daemon, &id), words);
    }
    assert_eq!(account.service.count(Endpoint::Bundle), 0);
    // Neither of these is a reason.
    let item = item()
        .disabled_reason("plan_not_eligible")
        .eligible_plan_types(&["pro"])
        .must_show_installation_interstitial(true)
        .status("ENABLED");
    account.service.offer_plugin(item);
    daemon.ok("plugin/install", remote(&id));
    daemon.shut_down();
}

#[test]
fn only_everybodys_bundles_are_completed() {
    let account = Account::new();
    let bundle = Bundle::new("alpha", "0.0.1")
        .manifest("apps", "./apps/mine.json")
        .file("apps/mine.json", r#"{"apps":{"old":{"id":"old"}}}"#);
    let apps = json!({"apps": {"mail": {"id": "connector_mail"}}});
    let item = Item::new("alpha")
        .version("3.0.0")
        .app_manifest(apps.clone());
    let everybodys = item.id().to_owned();
    account.service.offer_with(item, &bundle);
    let bundle = Bundle::new("beta", "0.0.1").file(".app.json", "{}");
    let item = Item::workspace("beta", "LISTED")
        .version("3.0.0")
        .app_manifest(apps.clone());
    let workspaces = item.id().to_owned();
    account.service.offer_with(item, &bundle);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&everybodys));
    daemon.ok("plugin/install", remote(&workspaces));
    let json_in = |path: &str| -> Value {
        let text = account.sandbox.text(&format!("ch/plugins/cache/{path}"));
        serde_json::from_str(&text).unwrap()
    };
    let root = "openai-curated-remote/alpha/3.0.0";
    let manifest = account.sandbox.text(&format!(
        "ch/plugins/cache/{root}/.codex-plugin/plugin.json"
    ));
    assert!(
        manifest.starts_with("{\n  \"") && manifest.ends_with("}\n"),
        "{manifest}"
    );
    assert_eq!(
        json_in(&format!("{root}/.codex-plugin/plugin.json"))["version"],
        "3.0.0"
    );
    assert_eq!(json_in(&format!("{root}/apps/mine.json")), apps);
    let root = "workspace-directory/beta/3.0.0";
    assert_eq!(
        json_in(&format!("{root}/.codex-plugin/plugin.json"))["version"],
        "0.0.1"
    );
    assert_eq!(json_in(&format!("{root}/.app.json")), json!({}));
    daemon.shut_down();
}

#[test]
fn which_apps_need_a_login() {
    let apps = json!({"apps": {"mail": {"id": "app_mail"}, "cal": {"id": "app_cal"}}});
    for (needing, expected) in [
        (
            None,
            vec!["app_mail Mail https://chatgpt.com/apps/mail/app_mail"],
        ),
        (Some(vec![]), vec![]),
        (
            Some(vec!["app_x", "app_mail"]),
            vec![
                "app_x app_x https://chatgpt.com/apps/app-x/app_x",
                "app_mail Mail https://chatgpt.com/apps/mail/app_mail",
            ],
        ),
    ] {
        let account = Account::new();
        let item = Item::new("alpha");
        let id = item.id().to_owned();
        let only_mail = json!({"apps": {"mail": apps["apps"]["mail"].clone()}});
        let bundle = Bundle::new("alpha", "1.0.0").file(".app.json", only_mail.to_string());
        account.service.offer_with(item, &bundle);
        account.service.set_app("app_mail", "Mail");
        if let Some(needing) = &needing {
            account.service.set_apps_needing_auth(&id, needing);
        }
        let mut daemon = account.start();
        let answer = daemon.ok("plugin/install", remote(&id));
        let found: Vec<String> = answer["appsNeedingAuth"]
            .as_array()
            .unwrap()
            .iter()
            .map(|app| {
                let part = |name: &str| text(&app[name]).to_owned();
                format!("{} {} {}", part("id"), part("name"), part("installUrl"))
            })
            .collect();
        assert_eq!(found, expected);
        daemon.shut_down();
    }
    let account = Account::with("[features]\napps = false\n");
    let id = account.offer(&["alpha"]).remove(0);
    account.service.set_apps_needing_auth(&id, &["app_mail"]);
    let mut daemon = account.start();
    let answer = daemon.ok("plugin/install", remote(&id));
    assert_eq!(answer["appsNeedingAuth"], json!([]));
    assert_eq!(account.service.count(Endpoint::Apps), 0);
    daemon.shut_down();
}

#[test]
fn names_of_apps_that_cannot_be_had_are_their_ids() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    account.service.set_apps_needing_auth(&id, &["app_mail"]);
    account.service.fail(Endpoint::Apps, Fault::status(500));
    let mut daemon = account.start();
    let answer = daemon.ok("plugin/install", remote(&id));
    assert_eq!(answer["appsNeedingAuth"][0]["name"], "app_mail");
    daemon.shut_down();
}

#[test]
fn a_current_copy_is_not_written_again() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&id));
    let place = format!("{}/1.0.0", dir("alpha"));
    let before = stamps(&account.sandbox, &place);
    let answer = daemon.ok("plugin/install", remote(&id));
    assert_eq!(answer["changed"], false);
    assert_eq!(stamps(&account.sandbox, &place), before);
    // Other content under the same version is brought.
    let bundle = Bundle::new("alpha", "1.0.0").file("notes.md", "new\n");
    account.service.publish(&id, "1.0.0", bundle.build());
    let answer = daemon.ok("plugin/install", remote(&id));
    assert_eq!(answer["changed"], true);
    assert_eq!(account.sandbox.text(&format!("{place}/notes.md")), "new\n");
    daemon.shut_down();
}

#[test]
fn the_command_line_takes_the_id_and_the_name() {
    for named in [false, true] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        let name = "alpha@openai-curated-remote";
        let plugin = if named { name } else { &id };
        let added = cli(&account.sandbox, &["plugin", "add", plugin, "--json"]).json();
        assert_eq!(added["pluginId"], name, "{added:#}");
        assert_eq!(added["version"], "1.0.0");
        assert!(account.sandbox.exists(&format!("{}/1.0.0", dir("alpha"))));
        let removed = cli(&account.sandbox, &["plugin", "remove", plugin, "--json"]).json();
        assert_eq!(removed["pluginId"], name, "{removed:#}");
        assert_eq!(removed["remotePluginId"], id.as_str());
        assert!(!account.sandbox.exists(&dir("alpha")));
        assert_eq!(account.service.installed(), []);
        let nobody = cli(
            &account.sandbox,
            &["plugin", "add", "nobody@openai-curated-remote"],
        );
        assert_ne!(nobody.code(), 0);
    }
}

#[test]
fn what_stays_off_says_so() {
    let account = Account::with("[plugins.\"alpha@openai-curated-remote\"]\nenabled = false\n");
    let ids = account.offer(&["alpha", "beta"]);
    let mut daemon = account.start();
    let done = daemon.ok("plugin/install", remote(&ids[0]));
    let told = text(&done["problems"][0]["message"]);
    assert!(
        told.contains("stays off") && told.contains("config.toml"),
        "{done}"
    );
    let done = daemon.ok("plugin/install", remote(&ids[1]));
    assert_eq!(done["problems"], json!([]));
    daemon.shut_down();
}

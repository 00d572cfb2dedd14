//! Proves that nothing of a bundle reaches the store that is hostile, broken, too large, or from a place
//! where anybody could have changed it.
#![expect(
    clippy::print_stdout,
    reason = "the words of each refusal are there to be read"
)]

use plugd_testkit::service::{Bundle, Endpoint, Fault, Item, PluginService, Scheme, sha256_hex};
use plugd_testkit::{Authority, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::accounts::{Account, remote};
use crate::fixtures::{launch, text};
use crate::remote_install::{check_words, refused};
use crate::remotes::nothing_left;

#[test]
fn hostile_bundles() {
    let good = || Bundle::new("alpha", "1.0.0");
    for (bundle, what) in [
        (good().file("../evil", "x").build(), "one step out"),
        (good().file("a/../b", "x").build(), "a step back inside"),
        (good().file("/evil", "x").build(), "an absolute path"),
        (
            good()
                .link("skills/l", "../.codex-plugin/plugin.json")
                .build(),
            "a link inside",
        ),
        (good().link("l", "/etc/passwd").build(), "a link out"),
        (
            good().hard_link("h", ".codex-plugin/plugin.json").build(),
            "a hard link",
        ),
        (good().fifo("f").build(), "a FIFO"),
        (good().device("d").build(), "a device"),
        (good().file("a", "1").file("a", "2").build(), "a path twice"),
        (
            good().file("a/B", "1").file("a/b", "2").build(),
            "paths that differ in case",
        ),
        (
            good().file("a", "1").file("a/b", "2").build(),
            "a file as a directory",
        ),
        (good().zeros("bomb", 300 << 20).build(), "a bomb"),
        (good().wrapped_in("alpha").build(), "a wrapping directory"),
        (good().truncated_by(40).build(), "a truncated archive"),
        (b"PK\x03\x04 no gzip".to_vec(), "no gzip"),
        (Vec::new(), "nothing"),
        (
            good()
                .without_manifest()
                .file("skills/a/SKILL.md", "x")
                .build(),
            "no manifest",
        ),
        (
            good().manifest_at("plugin.json").build(),
            "a plugin.json of no format",
        ),
        (good().manifest("name", 5).build(), "a broken manifest"),
        (good().manifest("name", "").build(), "no name"),
        (Bundle::new("beta", "1.0.0").build(), "another name"),
    ] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        account.service.publish(&id, "1.0.0", bundle);
        let mut daemon = account.start();
        let error = refused(&account, &mut daemon, &id);
        check_words(&error, "install remote plugin bundle");
        if what == "another name" {
            check_words(&error, "does not match");
        }
        println!("{what}: {}", text(&error["message"]));
        // Alive, and a good bundle comes after a bad one.
        account.service.publish(&id, "1.0.0", good().build());
        daemon.ok("plugin/install", remote(&id));
        nothing_left(&account.sandbox);
        daemon.shut_down();
    }
}

#[test]
fn apps_of_the_catalog_never_become_the_manifest() {
    for (own, apps) in [
        (".codex-plugin", "./.codex-plugin/plugin.json"),
        (".codex-plugin", "././.codex-plugin//PLUGIN.json"),
        (".claude-plugin", "./.codex-plugin/plugin.json"),
    ] {
        let account = Account::new();
        let place = format!("{own}/plugin.json");
        let bundle = Bundle::new("alpha", "1.0.0")
            .manifest("apps", apps)
            .manifest_at(&place);
        let item = Item::new("alpha").app_manifest(json!({"name": "alpha", "apps": {}}));
        let id = item.id().to_owned();
        account.service.offer_with(item, &bundle);
        let mut daemon = account.start();
        let error = refused(&account, &mut daemon, &id);
        check_words(&error, "its apps would take the place of its manifest");
        nothing_left(&account.sandbox);
        daemon.shut_down();
    }
}

#[test]
fn more_entries_than_any_plugin_has() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    // One directory again and again: each counts, and none costs a file.
    let bundle = (0..100_001).fold(Bundle::new("alpha", "1.0.0"), |bundle, _| {
        bundle.dir("many")
    });
    account.service.publish(&id, "1.0.0", bundle.build());
    let mut daemon = account.start();
    let error = refused(&account, &mut daemon, &id);
    check_words(&error, "install remote plugin bundle");
    daemon.shut_down();
}

#[test]
fn bundles_that_are_too_large() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    for fault in [Fault::Claim((100 << 20) + 1), Fault::Endless] {
        account.service.fail(Endpoint::Bundle, fault);
        let error = refused(&account, &mut daemon, &id);
        check_words(&error, "install remote plugin bundle");
        // An address may be a secret as a whole.
        assert!(!text(&error["message"]).contains("/bundles/"), "{error:#}");
    }
    daemon.shut_down();
}

#[test]
fn servers_of_bundles_that_do_not_answer_well() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    for (fault, retryable) in [
        (Fault::status(404), false),
        (Fault::status(403), false),
        (Fault::status(304), false),
        (Fault::Cut(100), true),
        (Fault::Reset, true),
        (Fault::RedirectLoop, false),
        (Fault::NotJson, false),
    ] {
        let shown = format!("{fault:?}");
        account.service.fail(Endpoint::Bundle, fault);
        let error = refused(&account, &mut daemon, &id);
        check_words(&error, "install remote plugin bundle");
        if retryable {
            assert_eq!(error["data"]["retryable"], true, "{shown} {error:#}");
        }
    }
    account.service.behave_well();
    account
        .service
        .fail_times(Endpoint::Bundle, 1, Fault::status(503));
    daemon.ok("plugin/install", remote(&id));
    daemon.shut_down();
}

#[test]
fn a_digest_counts_where_the_service_names_one() {
    let account = Account::new();
    let bundle = Bundle::new("alpha", "1.0.0").build();
    let item = Item::new("alpha");
    let id = item.id().to_owned();
    account.service.publish(&id, "1.0.0", bundle.clone());
    let mut daemon = account.start();
    let wrong = format!("sha256:{}", "0".repeat(64));
    account
        .service
        .offer(item.clone().set("release/bundle_digest", wrong));
    let error = refused(&account, &mut daemon, &id);
    check_words(&error, "install remote plugin bundle");
    let right = format!("sha256:{}", sha256_hex(&bundle));
    account
        .service
        .offer(item.clone().set("release/bundle_digest", right));
    let answer = daemon.ok("plugin/install", remote(&id));
    assert_eq!(answer["problems"], json!([]));
    account
        .service
        .offer(item.set("release/bundle_digest", "blake3:00"));
    let answer = daemon.ok("plugin/install", remote(&id));
    assert!(
        text(&answer["problems"][0]["message"]).contains("not checked"),
        "{answer:#}"
    );
    daemon.shut_down();
}

#[test]
fn no_redirect_leads_out_of_tls() {
    let authority = Authority::new();
    let sandbox = Sandbox::new();
    let service = PluginService::start_with_tls(&authority);
    let base = service.secure_base().unwrap();
    sandbox.write("ch/config.toml", format!("chatgpt_base_url = \"{base}\"\n"));
    service.login().write_to(&sandbox);
    let pem = authority.write_to(&sandbox);
    let account = Account { sandbox, service };
    let id = account.offer(&["alpha"]).remove(0);
    let launch = launch().var("CODEX_CA_CERTIFICATE", &pem.to_text());
    let mut daemon = launch.start(&account.sandbox);
    daemon.initialize();
    account
        .service
        .set_bundle_route(&[Scheme::Https, Scheme::Http]);
    let error = refused(&account, &mut daemon, &id);
    check_words(&error, "install remote plugin bundle");
    let bundles = account.service.requests_to(Endpoint::Bundle);
    assert!(bundles.iter().all(|one| one.secure), "{bundles:#?}");
    account.service.set_bundle_route(&[Scheme::Http]);
    let error = refused(&account, &mut daemon, &id);
    check_words(&error, "unsupported download URL scheme");
    account
        .service
        .set_bundle_route(&[Scheme::Https, Scheme::Https]);
    daemon.ok("plugin/install", remote(&id));
    daemon.shut_down();
}

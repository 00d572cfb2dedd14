//! Proves that trust, locks and exports ask where a marketplace comes from that is one archive, and
//! never where it was unpacked. The administrator's directory cannot be moved from outside, so that
//! policy asks the same is tested beside the resolver.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::archives;
use crate::fixtures::{
    install, installed_in, list_and_settle, marketplace, plugins_in, start, text,
};
use crate::lock::{LOCK, in_project, lock, rows};
use crate::oci_marketplace::{PLACES, World, moved, root, upgrade, world};
use crate::remotes::{add, nothing_left, tree};

#[test]
fn trust_asks_for_the_origin() {
    let world = world();
    let World {
        sandbox,
        registry,
        source,
        ..
    } = &world;
    let trust = |place: &str| {
        let text = format!("[trust]\nmode = \"strict\"\nmarketplaces = [\"{place}\"]\n");
        sandbox.write("ch/plugd.toml", sandbox.expand(&text));
    };
    trust("$ROOT/ch");
    let mut daemon = start(sandbox);
    add(&mut daemon, source);
    let params = json!({"marketplacePath": world.manifest(), "pluginName": "p"});
    for place in [
        "$ROOT/ch/plugins".to_owned(),
        format!("$ROOT/{}", world.root()),
        registry.reference("team/other"),
        registry.reference("team/market:2"),
        "other".to_owned(),
    ] {
        trust(&place);
        let error = daemon.err("plugin/install", params.clone());
        let data = &error["data"];
        assert_eq!(data["reason"], "untrustedMarketplace", "{place}: {error:#}");
        assert!(
            text(&error["message"]).contains(source.as_str()),
            "{error:#}"
        );
    }
    for place in [
        "market".to_owned(),
        source.clone(),
        registry.reference("team/market"),
    ] {
        trust(&place);
        daemon.ok("plugin/install", params.clone());
        daemon.ok("plugin/uninstall", json!({"pluginId": "p@market"}));
    }
    daemon.shut_down();
}

#[test]
fn a_name_that_is_trusted_trusts_no_archive_of_somebody_else() {
    let world = world();
    let sandbox = &world.sandbox;
    let strict = "[trust]\nmode = \"strict\"\nmarketplaces = [\"market\"]\n";
    sandbox.write("ch/plugd.toml", strict);
    sandbox.add(&marketplace("mine", "market", &[("p", "1.0.0")]));
    let mut daemon = start(sandbox);
    add(&mut daemon, "$ROOT/mine");
    let error = daemon.err("marketplace/add", json!({"source": world.source}));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    daemon.shut_down();
}

#[test]
fn a_lock_brings_it_at_its_digest() {
    let world = world();
    let World {
        sandbox,
        registry,
        source,
        digest,
    } = &world;
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut first = start(sandbox);
    add(&mut first, source);
    install(&mut first, &world.manifest(), "p");
    lock(&mut first, json!({}));
    first.shut_down();
    let locked = sandbox.text(LOCK);
    let block = format!("[marketplaces.market]\noci = \"{source}\"\n");
    assert!(locked.contains(&block), "{locked}");
    let resolved = format!("source = {{ path = \"./p\" }}\ndigest = \"{digest}\"\n");
    assert!(locked.contains(&resolved), "{locked}");

    // The tag has moved; the lock has not.
    let new = world.push("2.0.0");
    let mut second = archives::other(sandbox);
    let offline = second.err("plugd/sync", in_project(json!({"offline": true})));
    assert_eq!(offline["data"]["kind"], "unavailable", "{offline:#}");
    assert_eq!(archives::visible(sandbox), "");
    let answer = second.ok("plugd/sync", in_project(json!({})));
    let told = rows(&answer);
    assert_eq!(told[0], format!("market - {source} added"));
    assert_eq!(told[1], "p@market - 1.0.0 installed");
    let listing = second.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.0.0"]);
    // The marketplace itself follows its tag, and the plugin is held.
    let (_, to, _) = moved(&upgrade(&mut second));
    assert_eq!(to, json!(new));
    let listing = second.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.0.0"]);
    registry.forget();
    second.ok(
        "plugd/sync",
        in_project(json!({"frozen": true, "offline": true})),
    );
    assert_eq!(registry.requests(), []);
    second.shut_down();
    nothing_left(sandbox);
}

#[test]
fn a_lock_of_an_archive_takes_nothing_else() {
    let world = world();
    let World {
        sandbox, registry, ..
    } = &world;
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let fixture = tree("market", &[("p", "1.0.0")]);
    let (url, digest) = registry.file("market.tgz", &fixture);
    let mut first = start(sandbox);
    add(&mut first, &url);
    let manifest = format!("$ROOT/{}/.agents/plugins/marketplace.json", root(&url));
    install(&mut first, &manifest, "p");
    lock(&mut first, json!({}));
    first.shut_down();
    let locked = sandbox.text(LOCK);
    assert!(
        locked.contains(&format!("archive = \"{url}\"\n")),
        "{locked}"
    );
    assert!(
        locked.contains(&format!("digest = \"{digest}\"\n")),
        "{locked}"
    );
    registry.file("market.tgz", &tree("market", &[("p", "2.0.0")]));
    let mut second = archives::other(sandbox);
    let error = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
    assert!(text(&error["message"]).contains("digest"), "{error:#}");
    assert_eq!(archives::visible(sandbox), "");
    registry.file("market.tgz", &fixture);
    second.ok("plugd/sync", in_project(json!({})));
    let listing = second.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.0.0"]);
    second.shut_down();
}

#[test]
fn what_a_trusted_origin_gives_comes_by_a_lock_too() {
    let world = world();
    let World {
        sandbox, source, ..
    } = &world;
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut first = start(sandbox);
    add(&mut first, source);
    install(&mut first, &world.manifest(), "p");
    lock(&mut first, json!({}));
    first.shut_down();
    let strict = format!("[trust]\nmode = \"strict\"\nmarketplaces = [\"{source}\"]\n");
    sandbox.write("ch2/plugd.toml", strict);
    let mut second = archives::other(sandbox);
    add(&mut second, source);
    second.ok("plugd/sync", in_project(json!({})));
    second.ok("plugin/uninstall", json!({"pluginId": "p@market"}));
    // The tag means something else, and what was locked is not what is here any more.
    world.push("2.0.0");
    upgrade(&mut second);
    let error = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    second.shut_down();
}

#[test]
fn a_directory_that_spells_an_origin_is_no_marketplace() {
    let world = world();
    let World {
        sandbox, registry, ..
    } = &world;
    let spelled = world.root().replacen("ch/", "x/", 1);
    sandbox.add(&marketplace(
        &format!("p/{spelled}"),
        "market",
        &[("p", "1.0.0")],
    ));
    let mut daemon = start(sandbox);
    let source = format!("$ROOT/p/{spelled}");
    let error = daemon.err("marketplace/add", json!({"source": source}));
    assert!(
        text(&error["message"]).contains("add that source itself"),
        "{error:#}"
    );
    // Its row would be one of the origin, which the lock does not name.
    let lock = format!("version = 1\n\n[marketplaces.market]\npath = \"./{spelled}\"\n");
    sandbox.add(&format!(
        "== p/.git/HEAD\nref\n== p/src/\n== {LOCK}\n{lock}"
    ));
    let error = daemon.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    assert!(!sandbox.exists("ch/config.toml"));
    assert_eq!(registry.requests(), []);
    daemon.shut_down();
}

#[test]
fn an_export_carries_the_origin() {
    let world = world();
    let sandbox = &world.sandbox;
    let mut first = start(sandbox);
    add(&mut first, &world.source);
    install(&mut first, &world.manifest(), "p");
    sandbox.add("== out/\n");
    archives::export(&mut first, json!({}));
    first.shut_down();
    world.registry.forget();
    let mut second = archives::other(sandbox);
    let done = second.ok("plugd/import", archives::import());
    let told = rows(&done);
    assert_eq!(told[0], format!("market - {} added", world.source));
    let listing = second.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.0.0"]);
    assert_eq!(world.registry.requests(), []);
    // With the registry at hand the marketplace comes too, and offers what was imported.
    list_and_settle(&mut second, json!({}));
    let listing = list_and_settle(&mut second, json!({}));
    let ids: Vec<&Value> = plugins_in(&listing).map(|row| &row["id"]).collect();
    assert_eq!(ids, ["p@market"]);
    second.shut_down();
}

#[test]
fn a_copied_configuration_means_the_same() {
    let world = world();
    let sandbox = &world.sandbox;
    let mut first = start(sandbox);
    add(&mut first, &world.source);
    first.shut_down();
    sandbox.add("== ch2/\n");
    sandbox.write("ch2/config.toml", sandbox.bytes("ch/config.toml"));
    sandbox.remove("ch");
    let mut second = archives::other(sandbox);
    list_and_settle(&mut second, json!({}));
    let listing = list_and_settle(&mut second, json!({}));
    assert_eq!(plugins_in(&listing).count(), 1, "{listing:#}");
    let here = PLACES.replacen("ch", "ch2", 1);
    assert!(sandbox.exists(&format!("{here}/market/fetched.json")));
    // Added again, the row says where it is, for programs that only read that.
    let mine = sandbox.text("ch2/config.toml");
    let added = add(&mut second, &world.source);
    assert_eq!(added["alreadyAdded"], false, "{added:#}");
    let theirs = mine.replace("$ROOT/ch/", "$ROOT/ch2/");
    assert_ne!(mine, theirs);
    assert_eq!(sandbox.text("ch2/config.toml"), theirs);
    let added = add(&mut second, &world.source);
    assert_eq!(added["alreadyAdded"], true, "{added:#}");
    second.shut_down();
}

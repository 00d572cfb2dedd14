//! Proves that `marketplace/upgrade` can be given up, killed at any stage and done twice at once, and
//! that a broken mirror costs a fetch and nothing else.

use std::time::Duration;

use plugd_testkit::{Behaviour, Fixture, Gate, GitRequest, ItemKind, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{installed_in, start};
use crate::git_marketplace_upgrade::{P, change, upgrade, with_p};
use crate::remotes::{CHECKOUT, Remote, bulk, checked_out, give_up, nothing_left, sorted, tree};

/// The files of all mirrors, relative to the sandbox.
#[track_caller]
fn mirror_files(sandbox: &Sandbox) -> Vec<String> {
    let mirrors = "ch/plugins/.plugd/mirrors";
    let found = Fixture::parse(&sandbox.tree(mirrors)).unwrap();
    let files = found.items.into_iter();
    files
        .filter(|item| item.kind != ItemKind::Dir)
        .map(|item| format!("{mirrors}/{}", item.path))
        .collect()
}

#[test]
fn a_broken_mirror_is_fetched_anew() {
    let (world, mut daemon) = with_p();
    daemon.shut_down();
    let mut version = 1;
    for number in 0.. {
        let mut here = true;
        for whole in [true, false] {
            // A mirror that was made anew has other files.
            let files = mirror_files(&world.sandbox);
            let Some(path) = files.get(number) else {
                here = false;
                break;
            };
            let bytes = world.sandbox.bytes(path);
            world.sandbox.remove(path);
            if !whole {
                world.sandbox.write(path, &bytes[..bytes.len() / 2]);
            }
            version += 1;
            let text = format!("{version}.0.0");
            let to = world.repo.commit(&tree("market", &[("p", &text)]));
            let mut daemon = start(&world.sandbox);
            let answer = upgrade(&mut daemon);
            assert_eq!(answer["errors"], json!([]), "{path}");
            let row = change(&answer, "marketplaceName", "market");
            assert_eq!(row["to"], to, "{path}");
            daemon.shut_down();
        }
        if !here {
            break;
        }
    }
    assert!(version > 10, "{version} files broken");
}

#[test]
fn readers_see_the_old_state_while_it_works_and_giving_up_keeps_it() {
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Silent),
        (GitRequest::UploadPack, Behaviour::Silent),
        (
            GitRequest::UploadPack,
            Behaviour::Drip(Duration::from_secs(1)),
        ),
    ] {
        let (world, mut daemon) = with_p();
        world.repo.commit(&tree("market", &[("p", "2.0.0")]));
        world.server.behave(request, behaviour);
        let id = daemon.request("marketplace/upgrade", json!({}));
        world.server.wait_for(request, 1);
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(installed_in(&listing), ["p@market 1.0.0"]);
        give_up(&mut daemon, id);
        world.server.wait_hung_up();
        nothing_left(&world.sandbox);
        assert_eq!(
            checked_out(&world.sandbox, CHECKOUT),
            sorted(&tree("market", P))
        );
        world.server.behave_well();
        let answer = upgrade(&mut daemon);
        assert_eq!(change(&answer, "pluginId", "p@market")["to"], "2.0.0");
        daemon.shut_down();
    }
}

/// After a kill there is the old checkout or the new one, and the next upgrade arrives.
#[track_caller]
fn check_after_kill(world: &Remote, old: &str, new: &str) {
    world.server.behave_well();
    let sandbox = &world.sandbox;
    let mut daemon = start(sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    let found = checked_out(sandbox, CHECKOUT);
    assert!(
        [sorted(old), sorted(new)].contains(&found),
        "half of something: {}",
        found.len()
    );
    upgrade(&mut daemon);
    nothing_left(sandbox);
    assert_eq!(checked_out(sandbox, CHECKOUT), sorted(new));
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["p@market 2.0.0"]);
    daemon.shut_down();
}

#[test]
fn killed_at_any_stage() {
    let gate = Gate::new();
    let old = tree("market", P);
    let new = tree("market", &[("p", "2.0.0")]) + &bulk(100);
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Held(gate.clone())),
        (GitRequest::UploadPack, Behaviour::Held(gate.clone())),
        (
            GitRequest::UploadPack,
            Behaviour::HeldAfter(50_000, gate.clone()),
        ),
    ] {
        let (world, mut daemon) = with_p();
        world.repo.commit(&new);
        world.server.behave(request, behaviour);
        daemon.request("marketplace/upgrade", json!({}));
        world.server.wait_for(request, 1);
        daemon.kill();
        check_after_kill(&world, &old, &new);
    }
    gate.open();
    for stage in ["checkingOut", "copying", "activating"] {
        let (world, mut daemon) = with_p();
        world.repo.commit(&new);
        let id = daemon.request("marketplace/upgrade", json!({"workDoneToken": "t"}));
        daemon.wait_message("the stage or the answer", |message| {
            message["params"]["value"]["stage"] == stage || message["id"] == id
        });
        daemon.kill();
        check_after_kill(&world, &old, &new);
    }
}

#[test]
fn two_daemons_at_once() {
    let (world, mut one) = with_p();
    let mut other = start(&world.sandbox);
    let to = world
        .repo
        .commit(&(tree("market", &[("p", "2.0.0")]) + &bulk(20)));
    let first = one.request("marketplace/upgrade", json!({}));
    let second = other.request("marketplace/upgrade", json!({}));
    for answer in [one.response(first), other.response(second)] {
        assert_eq!(answer["result"]["errors"], json!([]), "{answer:#}");
        assert_eq!(
            change(&answer["result"], "marketplaceName", "market")["to"],
            to
        );
    }
    nothing_left(&world.sandbox);
    assert_eq!(
        world
            .sandbox
            .text("ch/plugins/cache/market/p/2.0.0/notes.md"),
        "p 2.0.0\n"
    );
    one.shut_down();
    other.shut_down();
}

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use pretty_assertions::assert_eq;

use plugd_disk::Disk;
use plugd_disk::tree::{AtEase, Limits, TreeError};
use plugd_model::{AbsPath, PluginId, PluginPath, ProblemKind};
use plugd_testkit::tree;

use crate::fixture::{NO_PATIENCE, World, id, is_recorded, retention, version};
use crate::{Pin, PinChange, Recovered, StoreError};

const STATE: &str = "ch/plugins/.plugd";

fn extra(path: &str, content: &str) -> (PluginPath, Vec<u8>) {
    (
        PluginPath::parse(path).unwrap(),
        content.as_bytes().to_vec(),
    )
}

#[test]
fn a_first_installation_in_full() {
    let world = World::new();
    let store = world.store();
    let installed = world.install(&store, "one", "1.0.0").unwrap();
    assert_eq!(
        tree(&world.sandbox.layout().cache()),
        "== demo/hello/1.0.0/only-in-one\nx\n== demo/hello/1.0.0/plugin.json\n1\n\
         == demo/hello/1.0.0/run (mode 755)\nrun\n"
    );
    assert_eq!(store.get(&id()).unwrap().as_ref(), Some(&installed));
    let record = installed.provenance_record().unwrap();
    assert_eq!(record.source_digest, Some(record.tree_digest));
    assert_eq!(
        record.tree_digest,
        store.tree_digest(&installed, &AtEase).unwrap().digest
    );
    assert_eq!(record.installed_at, 1_700_000_000);
    assert_eq!(world.leftovers(), "");
    assert_eq!(world.sandbox.text(&format!("{STATE}/version")), "1\n");
    assert_eq!(world.config(), "on");
}

#[test]
fn added_files_count_for_the_tree_digest_only() {
    let world = World::new();
    let store = world.store();
    let files = [
        extra("./.codex-plugin/plugin.json", "{}"),
        extra("./a/b", "c"),
    ];
    let source = world.sandbox.path("two");
    let staged = store.begin(&id()).unwrap();
    let mut staged = staged
        .stage(&source, &Limits::INSTALL, &files[..1], &AtEase)
        .unwrap();
    let first = staged.tree().tree_digest;
    staged.add_files(&files[1..], 0o644).unwrap();
    assert_ne!(staged.tree().tree_digest, first);
    let found = store.source_digest(&source, &AtEase).unwrap();
    assert_eq!(staged.tree().source_digest, found);
    let expected = staged.tree().tree_digest;
    let active = staged
        .activate(
            world.new_install("two", "1"),
            &store.seen(&id()).unwrap(),
            &retention(2),
            NO_PATIENCE,
        )
        .unwrap();
    let installed = active.commit().unwrap();
    assert_eq!(
        store.tree_digest(&installed, &AtEase).unwrap().digest,
        expected
    );
    assert_eq!(world.sandbox.text("ch/plugins/cache/demo/hello/1/a/b"), "c");
}

#[test]
fn files_that_cannot_be_added() {
    let world = World::new();
    let store = world.store();
    for path in ["./plugin.json", "./.git/config", "./a\nb", "./sub/.git"] {
        let staged = store.begin(&id()).unwrap();
        let source = world.sandbox.path("one");
        let error = staged
            .stage(&source, &Limits::INSTALL, &[extra(path, "x")], &AtEase)
            .unwrap_err();
        assert!(matches!(error, StoreError::BadExtraFile { .. }), "{error}");
    }
    assert_eq!(world.leftovers(), "");
}

#[test]
fn what_is_left_out_is_told() {
    let world = World::new();
    world
        .sandbox
        .add("== one/out -> /etc/passwd\n== one/in -> plugin.json\n");
    let staged = world.stage(&world.store(), "one").unwrap();
    let left_out = &staged.tree().left_out;
    assert_eq!(left_out.len(), 1);
    assert_eq!(left_out[0].kind, ProblemKind::LeftOut);
    assert_eq!(left_out[0].path, Some(world.sandbox.path("one/out")));
}

#[test]
fn setuid_stays_behind() {
    let world = World::new();
    world.sandbox.add("== one/su (mode 6755)\nx\n");
    let installed = world.install(&world.store(), "one", "1").unwrap();
    let stamp = Disk::new()
        .stamp(&installed.root.join("su"))
        .unwrap()
        .unwrap();
    assert_eq!(
        std::fs::Permissions::from_mode(stamp.mode).mode() & 0o7100,
        0o100
    );
}

#[test]
fn what_is_private_stays_private_in_the_store_and_in_its_kept_trees() {
    let world = World::new();
    world
        .sandbox
        .add("== one/secret (mode 600)\nx\n== one/fixed (mode 440)\nx\n== one/run (mode 700)\nx\n");
    let store = world.store();
    let modes = |root: &AbsPath| {
        ["secret", "fixed", "run"].map(|name| {
            let stamp = Disk::new().stamp(&root.join(name)).unwrap().unwrap();
            format!("{name} {:o}", stamp.mode)
        })
    };
    let expected = ["secret 600", "fixed 440", "run 700"];
    let first = world.install(&store, "one", "1").unwrap();
    assert_eq!(modes(&first.root), expected);
    assert!(store.tree_digest(&first, &AtEase).unwrap().clean);
    world.install(&store, "two", "2").unwrap();
    let kept = store.kept_versions(&id()).unwrap();
    assert_eq!(modes(&kept[0].1), expected);
    let back = store.begin(&id()).unwrap();
    let back = back.stage_kept(&kept[0].0, &AtEase).unwrap();
    assert_eq!(modes(&back.tree().root), expected);
}

#[test]
fn a_source_that_contains_the_store_is_refused() {
    let world = World::new();
    for source in ["", "ch", "ch/plugins", "ch/plugins/.plugd"] {
        let error = world.stage(&world.store(), source).unwrap_err();
        assert!(
            matches!(error, StoreError::Tree(TreeError::ContainsStore { .. })),
            "{source}: {error}"
        );
    }
    assert_eq!(world.leftovers(), "");
}

#[test]
fn limits_are_those_of_the_caller() {
    let world = World::new();
    let store = world.store();
    let limits = Limits {
        entries: 1,
        ..Limits::INSTALL
    };
    let staged = store.begin(&id()).unwrap();
    let error = staged
        .stage(&world.sandbox.path("one"), &limits, &[], &AtEase)
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Tree(TreeError::OverLimit { .. })),
        "{error}"
    );
}

#[test]
fn fetched_content_is_staged_and_goes() {
    let world = World::new();
    let store = world.store();
    let transaction = store.begin(&id()).unwrap();
    let fetched = transaction.fetch_dir().unwrap().clone();
    store
        .disk()
        .write_new(&fetched.join("a"), b"1\n", 0o644)
        .unwrap();
    let staged = transaction
        .stage(&fetched, &Limits::INSTALL, &[], &AtEase)
        .unwrap();
    assert_eq!(tree(&staged.tree().root), "== a\n1\n");
    assert_eq!(store.disk().link_stamp(&fetched).unwrap(), None);
    drop(staged);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn an_upgrade_replaces_the_whole_plugin_directory() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    world.sandbox.add(
        "== ch/plugins/cache/demo/hello/.codex-remote-plugin-install.json\n\
         {\"schema_version\":1,\"remote_plugin_id\":\"r\"}\n\
         == ch/plugins/cache/demo/hello/stray\nx\n",
    );
    let installed = world.install(&store, "two", "2.0.0").unwrap();
    assert_eq!(installed.remote_id, None);
    assert_eq!(
        tree(&world.sandbox.layout().plugin_dir(&id())),
        "== 2.0.0/plugin.json\n2\n== 2.0.0/sub/only-in-two\ny\n"
    );
    assert_eq!(world.kept(), ["1.0.0"]);
}

#[test]
fn a_staged_copy_waits_for_another_machine() {
    fn crosses_an_await<T: Send + 'static>(_: &T) {}

    let world = World::new();
    let store = world.store();
    let seen = store.seen(&id()).unwrap();
    let staged = world.stage(&store, "one").unwrap();
    crosses_an_await(&staged);
    staged.still_applies(&seen).unwrap();
    // Meanwhile everybody else goes on, also a recovery, which leaves the living copy alone.
    let other = PluginId::parse("other@demo").unwrap();
    drop(store.uninstall(&other, NO_PATIENCE).unwrap());
    assert_eq!(store.recover(NO_PATIENCE).unwrap(), Recovered::default());
    staged.still_applies(&seen).unwrap();
    world.install(&store, "two", "2.0.0").unwrap();
    let error = staged.still_applies(&seen).unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
    let seen = store.seen(&id()).unwrap();
    staged.still_applies(&seen).unwrap();
    let new = world.new_install("one", "1.0.0");
    let active = staged.activate(new, &seen, &retention(2), NO_PATIENCE);
    assert_eq!(active.unwrap().commit().unwrap().version, version("1.0.0"));
}

#[test]
fn an_installation_over_a_link_leaves_its_target() {
    let world = World::new();
    world
        .sandbox
        .add("== dev/9.0.0/x\n1\n== ch/plugins/cache/demo/hello -> ../../../../dev\n");
    let installed = world.install(&world.store(), "one", "1.0.0").unwrap();
    assert!(is_recorded(&installed));
    assert_eq!(world.sandbox.text("dev/9.0.0/x"), "1\n");
    assert_eq!(world.kept(), [] as [&str; 0]);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn dropping_takes_everything_back() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let old = world.state();
    let active = world
        .activate_noting(&store, "two", "2.0.0", "edited")
        .unwrap();
    assert!(world.state() != old);
    world.edit_config(&store, "edited").unwrap();
    drop(active);
    assert_eq!(world.state(), old);
    assert_eq!(world.leftovers(), "");

    let active = world.activate(&store, "two", "1.0.0").unwrap();
    active.roll_back().unwrap();
    assert_eq!(world.state(), old);
}

#[test]
fn what_the_user_wrote_meanwhile_is_not_undone() {
    let world = World::new();
    let store = world.store();
    let active = world
        .activate_noting(&store, "one", "1.0.0", "edited")
        .unwrap();
    world.edit_config(&store, "by hand").unwrap();
    drop(active);
    assert_eq!(world.config(), "by hand");
}

#[test]
fn a_held_lock_is_named() {
    let world = World::new();
    let store = world.store();
    let lock = world.sandbox.layout().lock("store");
    let held = Disk::new().lock(&lock, NO_PATIENCE).unwrap();
    let error = world.activate(&store, "one", "1").unwrap_err();
    assert_eq!(error.held_lock(), Some(&lock));
    assert!(error.to_string().contains(&lock.to_text()), "{error}");
    let error = store
        .uninstall(&id(), Duration::from_millis(1))
        .unwrap_err();
    assert_eq!(error.held_lock(), Some(&lock));
    assert_eq!(world.leftovers(), "");
    // Reading needs no lock.
    assert!(store.list().unwrap().0.is_empty());
    drop(held);
    world.install(&store, "one", "1").unwrap();
}

#[test]
fn a_newer_format_can_be_read_and_not_written() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    world.sandbox.write(&format!("{STATE}/version"), "2\n");
    let too_new = |error: StoreError| {
        assert!(
            matches!(error, StoreError::FormatTooNew { found: 2, .. }),
            "{error}"
        );
    };
    assert!(is_recorded(&store.get(&id()).unwrap().unwrap()));
    assert_eq!(store.recover(NO_PATIENCE).unwrap().problems, []);
    too_new(store.begin(&id()).unwrap_err());
    too_new(store.uninstall(&id(), NO_PATIENCE).unwrap_err());
    too_new(
        store
            .set_pin(&id(), None, &store.seen(&id()).unwrap(), NO_PATIENCE)
            .unwrap_err(),
    );
    world.sandbox.write(&format!("{STATE}/version"), "x");
    let error = store.begin(&id()).unwrap_err();
    assert!(matches!(error, StoreError::BadFormat { .. }), "{error}");
}

#[test]
fn a_record_of_a_newer_format_is_not_overwritten() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    world.sandbox.write(
        &format!("{STATE}/installed/demo/hello.json"),
        r#"{"version":2}"#,
    );
    let old = world.state();
    let error = world.install(&store, "two", "2.0.0").unwrap_err();
    assert!(
        matches!(error, StoreError::FormatTooNew { found: 2, .. }),
        "{error}"
    );
    assert_eq!(world.state(), old);
}

#[test]
fn the_pin_stays_is_set_or_goes() {
    let world = World::new();
    let store = world.store();
    let pin = Pin {
        version: version("1.0.0"),
        commit: None,
        tree_digest: None,
        locks: Vec::new(),
    };
    let install = |change: PinChange| {
        let mut new = world.new_install("one", "1.0.0");
        new.pin = change;
        let staged = world.stage(&store, "one").unwrap();
        let active = staged
            .activate(new, &store.seen(&id()).unwrap(), &retention(2), NO_PATIENCE)
            .unwrap();
        active.commit().unwrap().record.unwrap().pin
    };
    assert_eq!(install(PinChange::Keep), None);
    assert_eq!(install(PinChange::Set(pin.clone())), Some(pin.clone()));
    assert_eq!(install(PinChange::Keep), Some(pin));
    assert_eq!(install(PinChange::Clear), None);
}

#[test]
fn unknown_members_of_a_record_survive_an_upgrade() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let path = format!("{STATE}/installed/demo/hello.json");
    let text = world
        .sandbox
        .text(&path)
        .replacen('{', "{\"future\": 1,", 1);
    world.sandbox.write(&path, text);
    world.install(&store, "two", "2.0.0").unwrap();
    assert!(world.sandbox.text(&path).contains("\"future\": 1"));
}

#[test]
fn two_stores_install_one_after_the_other() {
    let world = World::new();
    let (one, two) = (world.store(), world.store());
    let seen = one.seen(&id()).unwrap();
    let first = world.stage(&one, "one").unwrap();
    let second = world.stage(&two, "two").unwrap();
    let first = first
        .activate(
            world.new_install("one", "1.0.0"),
            &seen,
            &retention(2),
            NO_PATIENCE,
        )
        .unwrap();
    // The swap of the other one has to wait, and gives up here.
    let new = world.new_install("two", "2.0.0");
    let error = second
        .activate(new.clone(), &seen, &retention(2), NO_PATIENCE)
        .unwrap_err();
    assert!(error.held_lock().is_some(), "{error}");
    // A recovery beside it leaves the living one alone.
    assert!(two.recover(NO_PATIENCE).unwrap_err().held_lock().is_some());
    first.commit().unwrap();
    // What it had seen no longer holds, and its copy goes away.
    let second = world.stage(&two, "two").unwrap();
    let error = second
        .activate(new.clone(), &seen, &retention(2), NO_PATIENCE)
        .unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
    assert_eq!(one.get(&id()).unwrap().unwrap().version, version("1.0.0"));
    assert_eq!(world.leftovers(), "");
    let second = world.stage(&two, "two").unwrap();
    second
        .activate(new, &two.seen(&id()).unwrap(), &retention(2), NO_PATIENCE)
        .unwrap()
        .commit()
        .unwrap();
    assert_eq!(one.get(&id()).unwrap().unwrap().version, version("2.0.0"));
    assert_eq!(world.kept(), ["1.0.0"]);
}

#[test]
fn two_stores_at_once_in_threads() {
    let world = World::new();
    std::thread::scope(|scope| {
        for (source, name) in [("one", "1.0.0"), ("two", "2.0.0")] {
            let world = &world;
            scope.spawn(move || {
                let mut installed = 0;
                while installed < 10 {
                    let store = world.store();
                    store.recover(Duration::from_secs(60)).unwrap();
                    let seen = store.seen(&id()).unwrap();
                    let new = world.new_install(source, name);
                    let staged = world.stage(&store, source).unwrap();
                    let active =
                        staged.activate(new, &seen, &retention(2), Duration::from_secs(60));
                    match active {
                        // The other one was faster, which it can be only so often.
                        Err(StoreError::Superseded { .. }) => continue,
                        active => drop(active.unwrap().commit().unwrap()),
                    }
                    installed += 1;
                }
            });
        }
        // A reader beside them sees one of the two at every moment, once the first is there.
        let store = world.store();
        let mut seen = false;
        for _ in 0..300 {
            match store.get(&id()).unwrap() {
                Some(installed) => {
                    seen = true;
                    let whole = tree_is_whole(&installed);
                    assert!(whole, "{installed:?}");
                }
                None => assert!(!seen),
            }
        }
    });
    assert_eq!(world.leftovers(), "");
    assert!(is_recorded(&world.store().get(&id()).unwrap().unwrap()));
}

fn tree_is_whole(installed: &crate::Installed) -> bool {
    !installed.is_empty
}

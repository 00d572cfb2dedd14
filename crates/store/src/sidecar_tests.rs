use pretty_assertions::assert_eq;

use plugd_disk::{Disk, Kind, OperationKind};
use plugd_model::{Problem, ProblemKind};
use plugd_testkit::{RecordingProbe, tree};

use crate::fixture::{NO_PATIENCE, World, id, installed, is_recorded, remote_id};
use crate::{BoundSource, StoreError};

const SIDECAR: &str = "ch/plugins/cache/demo/hello/.codex-remote-plugin-install.json";
const R1: &str = "{\n  \"schema_version\": 1,\n  \"remote_plugin_id\": \"r1\"\n}\n";

/// An installed copy of the plugin `r1` with this sidecar.
fn world_with(sidecar: &str) -> World {
    let world = World::new();
    world
        .install_remote(&world.store(), "one", "1.0.0", "r1")
        .unwrap();
    // A file of its own, with the permissions that another program gives it.
    world.sandbox.remove(SIDECAR);
    world.sandbox.write(SIDECAR, sidecar);
    world
}

#[test]
fn our_own_record_knows_better_than_a_sidecar() {
    let other = r#"{"schema_version":1,"remote_plugin_id":"r2"}"#;
    let look = |world: &World| {
        let copy = installed(&world.store());
        let problems = copy.problems.iter().map(|one| (one.kind, one.path.clone()));
        (copy.remote().cloned(), problems.collect::<Vec<_>>())
    };
    let world = world_with(other);
    let told = vec![(ProblemKind::Conflict, Some(world.sandbox.path(SIDECAR)))];
    assert_eq!(look(&world), (Some(remote_id("r1")), told.clone()));
    // Without a record there is nothing better.
    world.sandbox.remove("ch/plugins/.plugd/installed");
    assert_eq!(look(&world), (Some(remote_id("r2")), vec![]));

    let world = World::new();
    world.install(&world.store(), "one", "1.0.0").unwrap();
    world.sandbox.write(SIDECAR, other);
    let told = vec![(ProblemKind::Conflict, Some(world.sandbox.path(SIDECAR)))];
    assert_eq!(look(&world), (None, told));
}

#[test]
fn a_remote_installation_has_a_sidecar_as_the_reference_writes_it() {
    let world = World::new();
    let copy = world
        .install_remote(&world.store(), "one", "1.0.0", "r1")
        .unwrap();
    assert_eq!(world.sandbox.text(SIDECAR), R1);
    assert_eq!(world.sandbox.mode(SIDECAR), 0o600);
    let r1 = remote_id("r1");
    assert_eq!(
        (copy.remote_id.as_ref(), copy.remote()),
        (Some(&r1), Some(&r1))
    );
    let record = copy.provenance_record().unwrap();
    assert_eq!(record.bound, BoundSource::Remote { id: r1 });
    assert_eq!(copy.problems, []);
    assert_eq!(world.config(), "-");
}

#[test]
fn a_local_installation_over_a_remote_one_drops_the_sidecar() {
    let world = World::new();
    let store = world.store();
    world.install_remote(&store, "one", "1.0.0", "r1").unwrap();
    let before = world.state();
    let active = world.activate(&store, "two", "2.0.0").unwrap();
    assert!(!world.sandbox.exists(SIDECAR));
    drop(active);
    // Undone, it is there again.
    assert_eq!(world.state(), before);
    assert_eq!(world.sandbox.text(SIDECAR), R1);
    let copy = world.install(&store, "two", "2.0.0").unwrap();
    assert!(!world.sandbox.exists(SIDECAR));
    assert_eq!((copy.remote_id.as_ref(), copy.remote()), (None, None));
}

#[test]
fn an_uninstallation_takes_the_sidecar_along_and_brings_it_back() {
    let world = World::new();
    let store = world.store();
    world.install_remote(&store, "one", "1.0.0", "r1").unwrap();
    let before = world.state();
    drop(store.uninstall(&id(), NO_PATIENCE).unwrap());
    assert_eq!(world.state(), before);
    assert_eq!(world.sandbox.mode(SIDECAR), 0o600);
    world.uninstall(&store).unwrap();
    assert!(!world.sandbox.exists("ch/plugins/cache/demo/hello"));
}

/// What is read of a sidecar: the id, or the kind of the problem.
#[track_caller]
fn check(sidecar: &str, expected: Result<&str, ProblemKind>) {
    let world = world_with(sidecar);
    let copy = installed(&world.store());
    let kinds: Vec<_> = copy.problems.iter().map(|problem| problem.kind).collect();
    match expected {
        Ok(id) => assert_eq!((copy.remote_id, kinds), (Some(remote_id(id)), vec![])),
        Err(kind) => {
            assert_eq!((copy.remote_id, kinds), (None, vec![kind]));
            let path = Some(world.sandbox.path(SIDECAR));
            assert_eq!(copy.problems[0].path, path);
        }
    }
    // Whatever it is, reading leaves it alone.
    assert_eq!(world.sandbox.text(SIDECAR), sidecar);
}

#[test]
fn only_a_sidecar_of_the_known_format_with_a_legal_id_is_trusted() {
    check(R1, Ok("r1"));
    check(
        r#"{"remote_plugin_id":"r1","schema_version":1,"more":[]}"#,
        Ok("r1"),
    );
    check("{", Err(ProblemKind::Syntax));
    check("", Err(ProblemKind::Syntax));
    check("[]", Err(ProblemKind::UnsupportedSchema));
    check(
        r#"{"remote_plugin_id":"r1"}"#,
        Err(ProblemKind::UnsupportedSchema),
    );
    for schema in ["2", "\"1\"", "null", "1.5"] {
        let text = format!(r#"{{"schema_version":{schema},"remote_plugin_id":"r1"}}"#);
        check(&text, Err(ProblemKind::UnsupportedSchema));
    }
    check(r#"{"schema_version":1}"#, Err(ProblemKind::MissingField));
    check(
        r#"{"schema_version":1,"remote_plugin_id":7}"#,
        Err(ProblemKind::MissingField),
    );
    for id in ["", " ", "../x", "a.b", "a%2Fb"] {
        let text = format!(r#"{{"schema_version":1,"remote_plugin_id":"{id}"}}"#);
        check(&text, Err(ProblemKind::BadName));
    }
}

#[test]
fn a_sidecar_that_is_no_file_is_told() {
    let world = World::new();
    world.install(&world.store(), "one", "1.0.0").unwrap();
    world.sandbox.add(&format!("== {SIDECAR}/x\n1\n"));
    let copy = installed(&world.store());
    let kinds: Vec<_> = copy
        .problems
        .iter()
        .map(|problem: &Problem| problem.kind)
        .collect();
    assert_eq!(
        (copy.remote_id, kinds),
        (None, vec![ProblemKind::Unreadable])
    );
}

#[test]
fn every_sidecar_that_is_not_as_it_should_be_is_replaced() {
    let r1 = remote_id("r1");
    for damaged in [
        "",
        "{",
        "{}",
        r#"{"schema_version":2,"remote_plugin_id":"r1"}"#,
        r#"{"schema_version":1}"#,
        r#"{"schema_version":1,"remote_plugin_id":""}"#,
        r#"{"schema_version":1,"remote_plugin_id":"r2"}"#,
        r#"{"schema_version":1,"remote_plugin_id":"r1","more":1}"#,
        // This one is right, and readable by others.
        R1,
        &"x".repeat(100_000),
    ] {
        let world = world_with(damaged);
        let store = world.store();
        assert!(store.set_remote_id(&id(), Some(&r1), NO_PATIENCE).unwrap());
        assert_eq!(world.sandbox.text(SIDECAR), R1);
        assert_eq!(world.sandbox.mode(SIDECAR), 0o600);
        let copy = installed(&store);
        assert_eq!(copy.remote_id, Some(r1.clone()));
        // The copy itself is what it was, and recorded as it was.
        assert!(is_recorded(&copy) && copy.problems.is_empty());
        assert_eq!(world.leftovers(), "");
    }
}

#[test]
fn a_missing_sidecar_is_made_and_one_can_be_removed() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let before = world.state();
    let r1 = remote_id("r1");
    assert!(!store.set_remote_id(&id(), None, NO_PATIENCE).unwrap());
    assert!(store.set_remote_id(&id(), Some(&r1), NO_PATIENCE).unwrap());
    assert_eq!(world.sandbox.text(SIDECAR), R1);
    assert!(store.set_remote_id(&id(), None, NO_PATIENCE).unwrap());
    assert_eq!(world.state(), before);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn a_sidecar_that_is_right_costs_a_look_and_no_lock() {
    let world = World::new();
    world
        .install_remote(&world.store(), "one", "1.0.0", "r1")
        .unwrap();
    let held = Disk::new()
        .lock(&world.sandbox.layout().lock("store"), NO_PATIENCE)
        .unwrap();
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let changed = store.set_remote_id(&id(), Some(&remote_id("r1")), NO_PATIENCE);
    assert!(!changed.unwrap());
    let changes = probe.operations();
    assert!(changes.iter().all(|operation| !operation.kind.mutates()));
    // Another id needs it.
    let error = store
        .set_remote_id(&id(), Some(&remote_id("r2")), NO_PATIENCE)
        .unwrap_err();
    assert!(error.held_lock().is_some(), "{error}");
    drop(held);
    assert_eq!(world.sandbox.text(SIDECAR), R1);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn a_sidecar_is_never_written_through_what_stands_in_the_way() {
    let r1 = remote_id("r1");
    let refused = |world: &World, found: Kind| {
        let before = tree(&world.sandbox.path("ch/plugins/cache"));
        for meant in [Some(&r1), None] {
            let error = world
                .store()
                .set_remote_id(&id(), meant, NO_PATIENCE)
                .unwrap_err();
            assert!(
                matches!(error, StoreError::InTheWay { found: kind, .. } if kind == found),
                "{error}"
            );
        }
        assert_eq!(tree(&world.sandbox.path("ch/plugins/cache")), before);
        assert_eq!(world.sandbox.text("dev/file"), "1\n");
        assert_eq!(world.leftovers(), "");
    };
    let world = World::new();
    world.install(&world.store(), "one", "1.0.0").unwrap();
    world.sandbox.add("== dev/file\n1\n");
    world
        .sandbox
        .add(&format!("== {SIDECAR} -> ../../../../../dev/file\n"));
    refused(&world, Kind::Link);
    world.sandbox.remove(SIDECAR);
    world.sandbox.add(&format!("== {SIDECAR}/x\n1\n"));
    refused(&world, Kind::Dir);

    let world = World::new();
    world.sandbox.add(
        "== dev/file\n1\n== dev/1.0.0/x\n1\n\
         == ch/plugins/cache/demo/hello -> ../../../../dev\n",
    );
    refused(&world, Kind::Link);
    assert!(
        !world
            .sandbox
            .exists("dev/.codex-remote-plugin-install.json")
    );
}

#[test]
fn a_plugin_without_a_copy_gets_no_sidecar() {
    let world = World::new();
    let error = world
        .store()
        .set_remote_id(&id(), Some(&remote_id("r1")), NO_PATIENCE)
        .unwrap_err();
    assert!(matches!(error, StoreError::NotInstalled { .. }), "{error}");
    assert!(!world.sandbox.exists("ch/plugins"));
}

#[test]
fn the_sidecar_is_renamed_into_its_place_as_a_whole() {
    let world = world_with("{}");
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    store
        .set_remote_id(&id(), Some(&remote_id("r1")), NO_PATIENCE)
        .unwrap();
    let in_cache = world.sandbox.layout().cache();
    let changes = probe.operations();
    let changes = changes.iter().filter(|one| {
        let target = one.other.as_ref().unwrap_or(&one.path);
        one.kind.mutates() && target.starts_with(&in_cache)
    });
    let kinds: Vec<_> = changes.map(|one| one.kind).collect();
    assert_eq!(kinds, [OperationKind::Rename, OperationKind::SyncDir]);
}

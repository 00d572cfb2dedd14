use pretty_assertions::assert_eq;

use plugd_disk::OperationKind;
use plugd_model::ProblemKind;
use plugd_testkit::{Fault, RecordingProbe};

use crate::fixture::{World, id, is_recorded};

fn listed(world: &World) -> Vec<String> {
    let (copies, _) = world.store().list().unwrap();
    copies
        .iter()
        .map(|copy| {
            let empty = if copy.is_empty { " empty" } else { "" };
            format!("{} {}{empty}", copy.id, copy.version)
        })
        .collect()
}

#[track_caller]
fn check(cache: &str, expected: &[&str]) {
    let world = World::new();
    world.sandbox.add(cache);
    assert_eq!(listed(&world), expected);
}

#[test]
fn copies_that_the_reference_installed() {
    check("", &[]);
    check(
        "== ch/plugins/cache/m/b/1.0.0/x\n1\n== ch/plugins/cache/m/a/local/x\n1\n\
         == ch/plugins/cache/a/c/2/x\n1\n",
        &["a@m local", "b@m 1.0.0", "c@a 2"],
    );
}

#[test]
fn the_active_version_is_a_real_directory_with_a_legal_name() {
    check(
        "== ch/plugins/cache/m/a/1.0.0/x\n1\n== ch/plugins/cache/m/a/1.10.0/x\n1\n\
         == ch/plugins/cache/m/a/2.0.0\nfile\n== ch/plugins/cache/m/a/3.0.0 -> 1.0.0\n\
         == ch/plugins/cache/m/a/4 0/x\n1\n",
        &["a@m 1.10.0"],
    );
}

#[test]
fn an_empty_version_directory_is_marked() {
    check("== ch/plugins/cache/m/a/1.0.0/\n", &["a@m 1.0.0 empty"]);
    check("== ch/plugins/cache/m/a/\n", &[]);
}

#[test]
fn a_linked_plugin_directory_is_followed() {
    check(
        "== dev/1.0.0/x\n1\n== ch/plugins/cache/m/a -> ../../../../dev\n\
         == ch/plugins/cache/m/b -> nowhere\n",
        &["a@m 1.0.0"],
    );
}

#[test]
fn staging_of_the_reference_is_no_plugin() {
    check(
        "== ch/plugins/cache/m/plugin-install-Ab12Cd/a/1.0.0/x\n1\n\
         == ch/plugins/cache/m/plugin-backup-Ab12Cd/1.0.0/x\n1\n\
         == ch/plugins/cache/m/plugin-install-guide/1.0.0/x\n1\n",
        &["plugin-install-guide@m 1.0.0"],
    );
}

#[test]
fn illegal_names_are_problems_and_files_are_not() {
    let world = World::new();
    world.sandbox.add(
        "== ch/plugins/cache/m/bad name/1.0.0/x\n1\n== ch/plugins/cache/b.d/a/1.0.0/x\n1\n\
         == ch/plugins/cache/m/good/1.0.0/x\n1\n== ch/plugins/cache/file\n1\n\
         == ch/plugins/cache/m/file\n1\n",
    );
    let (copies, problems) = world.store().list().unwrap();
    assert_eq!(copies.len(), 1);
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.kind, problem.path.clone().unwrap()))
        .collect();
    let cache = world.sandbox.layout().cache();
    assert_eq!(
        found,
        [
            (ProblemKind::BadName, cache.join("b.d")),
            (ProblemKind::BadName, cache.join("m/bad name")),
        ]
    );
}

#[test]
fn a_copy_put_in_place_by_somebody_else_is_foreign() {
    let world = World::new();
    let store = world.store();
    let installed = world.install(&store, "one", "1.0.0").unwrap();
    assert!(is_recorded(&installed));
    // The reference reinstalls: another directory under the same name.
    let root = "ch/plugins/cache/demo/hello/1.0.0";
    world.sandbox.rename(root, "old");
    world.sandbox.add(&format!("== {root}/plugin.json\n1\n"));
    let foreign = store.get(&id()).unwrap().unwrap();
    assert!(!is_recorded(&foreign));
    assert!(foreign.record.is_some() && foreign.provenance_record().is_none());
    // And upgrades: the record speaks of another version.
    world.sandbox.remove(root);
    world
        .sandbox
        .rename("old", "ch/plugins/cache/demo/hello/2.0.0");
    assert!(!is_recorded(&store.get(&id()).unwrap().unwrap()));
    world
        .sandbox
        .rename("ch/plugins/cache/demo/hello/2.0.0", root);
    assert!(is_recorded(&store.get(&id()).unwrap().unwrap()));
}

#[test]
fn a_damaged_record_is_a_problem_of_its_copy() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let record = "ch/plugins/.plugd/installed/demo/hello.json";
    world.sandbox.write(record, "{");
    let (copies, problems) = store.list().unwrap();
    assert_eq!(problems, []);
    assert!(!is_recorded(&copies[0]));
    assert_eq!(copies[0].problems[0].kind, ProblemKind::Syntax);
    assert_eq!(copies[0].problems[0].path, Some(world.sandbox.path(record)));
    // The next installation makes it good.
    assert!(is_recorded(&world.install(&store, "one", "1.0.0").unwrap()));
}

#[test]
fn a_link_to_nothing_in_the_place_of_a_record_is_named() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let record = "ch/plugins/.plugd/installed/demo/hello.json";
    world.sandbox.remove(record);
    assert_eq!(store.get(&id()).unwrap().unwrap().problems, []);
    world.sandbox.add(&format!("== {record} -> nowhere\n"));
    let shown = store.get(&id()).unwrap().unwrap();
    assert_eq!(shown.problems[0].path, Some(world.sandbox.path(record)));
    // Nothing is written through it or over it.
    let error = world.install(&store, "one", "1.0.0").unwrap_err();
    let path = world.sandbox.path(record).to_text();
    assert!(error.to_string().contains(&*path), "{error}");
}

#[test]
fn a_record_that_the_system_refuses_to_read_is_shown_as_unreadable_and_decided_by_nobody() {
    let world = World::new();
    world.install(&world.store(), "one", "1.0.0").unwrap();
    let no_reading = || Fault::from(1).among(|kind| kind == OperationKind::Read);
    let store = world.store_on(RecordingProbe::failing(no_reading()).disk());
    let shown = store.get(&id()).unwrap().unwrap();
    assert_eq!(shown.problems[0].kind, ProblemKind::Unreadable);
    let error = store.get_with_record(&id()).unwrap_err();
    let record = "ch/plugins/.plugd/installed/demo/hello.json";
    let path = world.sandbox.path(record).to_text();
    assert!(error.to_string().contains(&*path), "{error}");
    // A directory in its place is none, however often one looks.
    world.sandbox.remove(record);
    world.sandbox.add(&format!("== {record}/x\n1\n"));
    let shown = world.store().get_with_record(&id()).unwrap().unwrap();
    assert!(!is_recorded(&shown));
}

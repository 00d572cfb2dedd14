use std::collections::BTreeMap;
use std::error::Error as _;
use std::io;
use std::sync::Arc;

use plugd_disk::{Disk, OperationKind};
use pretty_assertions::assert_eq;

use super::{Fault, RecordingProbe, every_fault};
use crate::Sandbox;

/// Three operations, two of which change something; tells which of them worked.
fn work(disk: &Disk, sandbox: &Sandbox) -> [bool; 3] {
    [
        disk.create_dirs(&sandbox.path("d")).is_ok(),
        disk.list(&sandbox.path("d")).is_ok(),
        disk.rename(&sandbox.path("d"), &sandbox.path("e")).is_ok(),
    ]
}

#[track_caller]
fn check(fault: Fault, expected: [bool; 3], failures: u64) {
    let sandbox = Sandbox::from("== d/\n");
    let probe = RecordingProbe::failing(fault);
    assert_eq!(work(&probe.disk(), &sandbox), expected);
    assert_eq!(probe.failures(), failures);
    assert_eq!(
        probe.operations().len(),
        3,
        "a refused operation is recorded too"
    );
}

#[test]
fn faults_hit_what_they_name() {
    check(Fault::once(1), [false, true, true], 1);
    check(Fault::once(3), [true, true, false], 1);
    check(Fault::once(4), [true, true, true], 0);
    check(Fault::from(2), [true, false, false], 2);
    check(
        Fault::once(2).among(OperationKind::mutates),
        [true, true, false],
        1,
    );
    check(
        Fault::from(1).among(OperationKind::mutates),
        [false, true, false],
        2,
    );
    check(
        Fault::from(1).among(|kind| kind == OperationKind::List),
        [true, false, true],
        1,
    );
}

#[test]
fn operations_are_recorded_in_order() {
    let sandbox = Sandbox::new();
    let probe = RecordingProbe::new();
    assert_eq!(work(&probe.disk(), &sandbox), [true; 3]);
    let lines: Vec<_> = probe
        .operations()
        .iter()
        .map(|operation| {
            operation
                .to_string()
                .replace(&sandbox.root().to_text(), "$ROOT")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "CreateDir $ROOT/d",
            "List $ROOT/d",
            "Rename $ROOT/d -> $ROOT/e"
        ]
    );
}

#[test]
fn counting_starts_over_after_a_reset() {
    let sandbox = Sandbox::new();
    let probe = RecordingProbe::failing(Fault::once(3));
    work(&probe.disk(), &sandbox);
    assert_eq!(probe.failures(), 1);
    probe.reset();
    assert_eq!((probe.failures(), probe.counts()), (0, BTreeMap::new()));
    probe.disk().list(sandbox.root()).unwrap();
    assert_eq!(probe.count(OperationKind::List), 1);
    assert_eq!(probe.count(OperationKind::Rename), 0);
}

#[test]
fn the_error_is_the_one_that_was_asked_for() {
    let sandbox = Sandbox::new();
    let fault = Fault::once(1).with_error(io::ErrorKind::StorageFull);
    let error = RecordingProbe::failing(fault)
        .disk()
        .list(sandbox.root())
        .unwrap_err();
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert_eq!(source.to_string(), "operation 1 is refused by the test");
}

#[test]
fn every_operation_gets_its_turn_and_then_a_run_gets_through() {
    let mut runs = Vec::new();
    let reached = every_fault(Fault::once, |number, probe| {
        let sandbox = Sandbox::from("== d/\n");
        runs.push((number, work(&probe.disk(), &sandbox)));
    });
    assert_eq!(reached, 3);
    let expected = [
        (1, [false, true, true]),
        (2, [true, false, true]),
        (3, [true, true, false]),
        (4, [true, true, true]),
    ];
    assert_eq!(runs, expected);
}

#[test]
fn a_probe_is_shared_between_threads() {
    let sandbox = Sandbox::new();
    let probe = RecordingProbe::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let disk = Arc::clone(&probe).disk();
            let root = sandbox.root();
            scope.spawn(move || (0..10).for_each(|_| drop(disk.list(root))));
        }
    });
    assert_eq!(probe.count(OperationKind::List), 40);
}

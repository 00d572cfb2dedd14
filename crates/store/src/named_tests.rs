//! When a record is read again for the trees that it names, counted in operations.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_disk::tree::Digest;
use plugd_disk::{Disk, OperationKind};
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::Store;
use crate::contents::tests::{JUST_NOW, LATER, store};

const RECORDS: &str = "ch/plugins/.plugd/installed";

struct Case {
    sandbox: Sandbox,
    probe: Arc<RecordingProbe>,
    store: Store,
}

/// Records as another program may have left them: what cannot be understood as a whole counts too.
fn case(ahead: i64) -> Case {
    let (sandbox, probe) = (Sandbox::from("== ch/config.toml\n"), RecordingProbe::new());
    let store = store(&sandbox, probe.disk(), ahead);
    let case = Case {
        sandbox,
        probe,
        store,
    };
    case.write("a", 1, &[2, 3]);
    case.write("b", 4, &[3]);
    case
}

fn digest(number: u8) -> Digest {
    Digest::from_hex(&format!("{number:064x}")).unwrap()
}

impl Case {
    fn write(&self, plugin: &str, installed: u8, kept: &[u8]) {
        let member = |number: u8| format!(r#"{{"treeDigest": "sha256:{}"}}"#, digest(number).hex());
        let kept: Vec<_> = kept.iter().map(|&number| member(number)).collect();
        let text = format!(
            r#"{{"treeDigest": "sha256:{}", "kept": [{}]}}"#,
            digest(installed).hex(),
            kept.join(", ")
        );
        // As every record is written: a new file takes the place of the old one.
        let path = format!("{RECORDS}/m/{plugin}.json");
        let beside = format!("{path}.new");
        self.sandbox.write(&beside, &text);
        self.sandbox.rename(&beside, &path);
    }

    /// What is named, and how many records were read to tell.
    fn named(&self) -> (BTreeSet<Digest>, BTreeSet<Digest>, usize) {
        self.probe.reset();
        let named = self.store.named_trees().unwrap();
        let fresh = store(&self.sandbox, Disk::new(), JUST_NOW);
        let anew = fresh.named_trees().unwrap();
        assert_eq!(
            (&named.kept, &named.installed),
            (&anew.kept, &anew.installed)
        );
        let reads = self.probe.count(OperationKind::Read);
        (named.kept, named.installed, reads)
    }
}

fn digests<const N: usize>(numbers: [u8; N]) -> BTreeSet<Digest> {
    numbers.into_iter().map(digest).collect()
}

#[test]
fn a_record_is_read_once_and_again_after_a_change() {
    let case = case(LATER);
    let first = (digests([2, 3]), digests([1, 4]));
    assert_eq!(case.named(), (first.0.clone(), first.1.clone(), 2));
    assert_eq!(case.named(), (first.0, first.1, 0));
    case.write("a", 5, &[1]);
    assert_eq!(case.named(), (digests([1, 3]), digests([4, 5]), 1));
    case.sandbox.remove(&format!("{RECORDS}/m/b.json"));
    assert_eq!(case.named(), (digests([1]), digests([5]), 0));
    case.write("b", 4, &[3]);
    assert_eq!(case.named(), (digests([1, 3]), digests([4, 5]), 1));
}

#[test]
fn a_record_that_has_just_changed_is_not_remembered() {
    let case = case(JUST_NOW);
    assert_eq!(case.named().2, 2);
    assert_eq!(case.named().2, 2);
}

#[cfg(unix)]
#[test]
fn a_record_behind_a_link_is_read_each_time() {
    let case = case(LATER);
    let path = format!("{RECORDS}/m/a.json");
    case.sandbox.rename(&path, "elsewhere.json");
    let elsewhere = case.sandbox.path("elsewhere.json");
    std::os::unix::fs::symlink(elsewhere, case.sandbox.path(&path)).unwrap();
    assert_eq!(case.named().2, 2);
    assert_eq!(case.named().2, 1);
}

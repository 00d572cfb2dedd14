use std::sync::Mutex;

use pretty_assertions::assert_eq;

use super::fixture::{Tree, lines};
use super::{AtEase, Limits, Pace, TreeError, TreePlan, copy, digest, digest_where};
use crate::Disk;

/// Writes down what it is told, and gives up at a step.
struct Watcher {
    told: Mutex<Vec<u64>>,
    last: usize,
}

impl Watcher {
    fn until(last: usize) -> Self {
        Self {
            told: Mutex::default(),
            last,
        }
    }
}

impl Pace for Watcher {
    fn step(&self, bytes: u64) -> bool {
        let mut told = self.told.lock().unwrap();
        told.push(bytes);
        told.len() < self.last
    }
}

const MIB: usize = 1 << 20;

fn big() -> (Tree, TreePlan) {
    let big = format!("b={}", "x".repeat(5 * MIB / 2));
    let tree = Tree::new(&["a=12", &big, "empty="]);
    let plan = plan(&tree, &AtEase).unwrap();
    (tree, plan)
}

fn plan(tree: &Tree, pace: &dyn Pace) -> Result<TreePlan, TreeError> {
    TreePlan::scan(&Disk::new(), &tree.root, &Limits::INSTALL, &[], pace)
}

type Work = fn(&Tree, &TreePlan, &dyn Pace) -> Result<(), TreeError>;

fn scan_it(tree: &Tree, _: &TreePlan, pace: &dyn Pace) -> Result<(), TreeError> {
    plan(tree, pace).map(drop)
}

fn copy_it(tree: &Tree, plan: &TreePlan, pace: &dyn Pace) -> Result<(), TreeError> {
    copy(&Disk::new(), plan, &tree.base.join("copy"), pace).map(drop)
}

fn digest_it(_: &Tree, plan: &TreePlan, pace: &dyn Pace) -> Result<(), TreeError> {
    digest(&Disk::new(), plan, pace).map(drop)
}

/// The steps are these, and the work can be given up at each of them.
#[track_caller]
fn check(work: Work, expected: &[usize]) {
    let (tree, plan) = big();
    let watcher = Watcher::until(usize::MAX);
    work(&tree, &plan, &watcher).unwrap();
    let told = watcher.told.into_inner().unwrap();
    let told: Vec<_> = told.iter().map(|&b| usize::try_from(b).unwrap()).collect();
    assert_eq!(told, expected);
    for last in 1..=expected.len() {
        let (tree, plan) = big();
        let watcher = Watcher::until(last);
        let error = work(&tree, &plan, &watcher).unwrap_err();
        assert!(matches!(error, TreeError::GivenUp), "{error}");
        // Nobody is asked again after a no.
        assert_eq!(watcher.told.into_inner().unwrap().len(), last);
    }
}

#[test]
fn a_scan_tells_of_each_entry() {
    check(scan_it, &[0, 0, 0]);
}

#[test]
fn reading_tells_of_each_file_and_each_mebibyte() {
    let expected = [2, MIB, MIB, MIB / 2, 0];
    check(copy_it, &expected);
    check(digest_it, &expected);
}

#[test]
fn a_digest_of_some_files_is_that_of_a_tree_with_only_them() {
    let disk = Disk::new();
    let tree = Tree::new(&["a=1", "generated/b=2", "run*=3"]);
    let whole = plan(&tree, &AtEase).unwrap();
    let keep = |path: &str| !path.starts_with("generated/");
    let some = digest_where(&disk, &whole, &|file| keep(&file.path), &AtEase).unwrap();
    let without = Tree::new(&["a=1", "run*=3"]);
    let without = plan(&without, &AtEase).unwrap();
    assert_eq!(some, digest(&disk, &without, &AtEase).unwrap());
    // What is not wanted is not even opened.
    std::fs::remove_file(tree.root.join("generated/b")).unwrap();
    let again = digest_where(&disk, &whole, &|file| keep(&file.path), &AtEase).unwrap();
    assert_eq!(again, some);
    assert_eq!(lines(&tree.root), ["a=1", "generated/", "run*=3"]);
}

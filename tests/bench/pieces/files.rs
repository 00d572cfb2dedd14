//! The files of one plugin: found, read and copied.

use divan::Bencher;
use plugd_disk::Disk;
use plugd_disk::tree::{self, AtEase, Limits, TreePlan};
use plugd_model::AbsPath;

use crate::{abs, plugin};

fn plan() -> TreePlan {
    TreePlan::scan(&Disk::new(), &plugin(), &Limits::INSTALL, &[], &AtEase).unwrap()
}

#[divan::bench]
fn scan() -> TreePlan {
    plan()
}

#[divan::bench]
fn digest(bencher: Bencher<'_, '_>) {
    let (disk, plan) = (Disk::new(), plan());
    bencher.bench(|| tree::digest(&disk, &plan, &AtEase).unwrap());
}

#[divan::bench(max_time = 2)]
fn copy(bencher: Bencher<'_, '_>) {
    let (disk, plan) = (Disk::new(), plan());
    let dir = tempfile::tempdir().unwrap();
    let mut copies = 0;
    let fresh = || {
        copies += 1;
        abs(dir.path().join(copies.to_string()))
    };
    let copy = |dest: AbsPath| tree::copy(&disk, &plan, &dest, &AtEase).unwrap();
    bencher.with_inputs(fresh).bench_local_values(copy);
}

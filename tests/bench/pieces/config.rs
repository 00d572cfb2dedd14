//! The configuration of a home: read, and edited.

use std::fs;

use divan::Bencher;
use plugd_config::{Edit, KeyPath, LastEdit, SessionFlags};
use plugd_disk::Disk;
use plugd_model::Layout;
use tempfile::TempDir;

use crate::{PLUGINS, abs};

/// A home in which so many plugins are configured.
fn home(rows: usize) -> (TempDir, Layout) {
    let dir = tempfile::tempdir().unwrap();
    let row = |one: usize| format!("[plugins.\"plugin-{one:05}@real\"]\nenabled = true\n\n");
    let text: String = (0..rows).map(row).collect();
    fs::write(dir.path().join("config.toml"), text).unwrap();
    let layout = Layout::new(abs(dir.path()), abs(dir.path().join("system")));
    (dir, layout)
}

#[divan::bench(args = [0, PLUGINS])]
fn load(bencher: Bencher<'_, '_>, rows: usize) {
    let (_dir, layout) = home(rows);
    let (disk, flags) = (Disk::new(), SessionFlags::none());
    bencher.bench(|| plugd_config::load(&disk, &layout, &flags, None));
}

/// Another row, as an installation makes it. Nothing is written.
#[divan::bench(args = [1, PLUGINS])]
fn plan_an_edit(bencher: Bencher<'_, '_>, rows: usize) {
    let (_dir, layout) = home(rows);
    let disk = Disk::new();
    let key = KeyPath::parse("plugins.\"new@real\".enabled").unwrap();
    let edits = [Edit::set(key, true)];
    let last = LastEdit::default();
    bencher.bench(|| plugd_config::plan(&disk, &layout, &edits, &last).unwrap());
}

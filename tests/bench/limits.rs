//! The barest programs: what the same files and bytes cost when nothing is decided, checked or made
//! durable.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::market::Market;

/// How many milliseconds something takes.
pub(crate) fn milliseconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64() * 1_000.0
}

/// Starts the smallest program there is and waits for its end.
pub(crate) fn spawn() -> f64 {
    milliseconds(|| {
        let mut command = Command::new("/bin/true");
        command
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        assert!(command.spawn().unwrap().wait().unwrap().success());
    })
}

fn manifests(market: &Market) -> impl Iterator<Item = PathBuf> {
    let plugins = market.plugins.iter();
    plugins.map(|plugin| market.plugin_dir(plugin).join(".codex-plugin/plugin.json"))
}

/// Looks at every manifest of a marketplace.
pub(crate) fn stat_manifests(market: &Market) -> f64 {
    milliseconds(|| {
        for manifest in manifests(market) {
            black_box(fs::metadata(manifest).unwrap());
        }
    })
}

/// Reads every manifest of a marketplace.
pub(crate) fn read_manifests(market: &Market) -> f64 {
    milliseconds(|| {
        for manifest in manifests(market) {
            black_box(fs::read(manifest).unwrap());
        }
    })
}

/// Reads every file of a name.
pub(crate) fn read_files(dir: &Path, name: &str) -> f64 {
    milliseconds(|| {
        walk(dir, &mut |path| {
            if path.file_name().is_some_and(|own| own == name) {
                black_box(fs::read(path).unwrap());
            }
        });
    })
}

/// Looks at every file of a tree.
pub(crate) fn stat_tree(dir: &Path) -> f64 {
    milliseconds(|| {
        walk(dir, &mut |path| {
            black_box(fs::metadata(path).unwrap());
        });
    })
}

/// Looks at directories.
pub(crate) fn stat_all(dirs: &[PathBuf]) -> f64 {
    milliseconds(|| {
        for dir in dirs {
            black_box(fs::metadata(dir).unwrap());
        }
    })
}

/// Sees every file below a directory.
pub(crate) fn walk(dir: &Path, see: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), see);
        } else {
            see(&entry.path());
        }
    }
}

/// Copies a tree, without making anything durable.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

//! Trees on a real disk for the tests of this module.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;

use plugd_model::AbsPath;

use crate::{Operation, OperationKind, Probe};

/// A temporary directory with a tree in it.
pub(super) struct Tree {
    _dir: tempfile::TempDir,
    pub(super) base: AbsPath,
    pub(super) root: AbsPath,
}

impl Tree {
    /// Builds a tree from lines: `a/b=text` a file, `a/b*=text` an executable, `a/` a directory,
    /// `a -> b` a link.
    pub(super) fn new(lines: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let base = AbsPath::new(dir.path().canonicalize().unwrap()).unwrap();
        let tree = Self {
            _dir: dir,
            root: base.join("root"),
            base,
        };
        fs::create_dir(&tree.root).unwrap();
        for line in lines {
            tree.add(line);
        }
        tree
    }

    pub(super) fn add(&self, line: &str) {
        let make_parent = |path: &AbsPath| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        };
        if let Some((link, target)) = line.split_once(" -> ") {
            let link = self.root.join(link);
            make_parent(&link);
            symlink(target, link).unwrap();
        } else if let Some((name, content)) = line.split_once('=') {
            let mode = if name.ends_with('*') { 0o755 } else { 0o644 };
            let path = self.root.join(name.trim_end_matches('*'));
            make_parent(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        } else {
            fs::create_dir_all(self.root.join(line)).unwrap();
        }
    }
}

/// Waits until the clock of the file system has moved on, beside the tree.
pub(super) fn await_tick(tree: &Tree) {
    let tick = tree.base.join("tick");
    let modified = || {
        fs::write(&tick, "").unwrap();
        fs::metadata(&tick).unwrap().modified().unwrap()
    };
    let before = modified();
    while modified() == before {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// A tree as lines in the form of [`Tree::new`], sorted.
pub(super) fn lines(root: &AbsPath) -> Vec<String> {
    fn walk(dir: &Path, prefix: &str, out: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                out.push(format!("{name}/"));
                walk(&entry.path(), &format!("{name}/"), out);
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path()).unwrap();
                out.push(format!("{name} -> {}", target.display()));
            } else {
                let mode = entry.metadata().unwrap().permissions().mode();
                let mark = if mode & 0o100 == 0 { "" } else { "*" };
                let content = fs::read_to_string(entry.path()).unwrap();
                out.push(format!("{name}{mark}={content}"));
            }
        }
    }
    let mut out = Vec::new();
    walk(root.as_path(), "", &mut out);
    out.sort();
    out
}

/// Runs something once, right before the first operation of a kind.
pub(super) struct Before<F> {
    pub(super) kind: OperationKind,
    pub(super) action: Mutex<Option<F>>,
}

impl<F: FnOnce() -> io::Result<()> + Send> Probe for Before<F> {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.kind != self.kind {
            return Ok(());
        }
        match self.action.lock().unwrap().take() {
            Some(action) => action(),
            None => Ok(()),
        }
    }
}

//! A directory for one input. Each gets a new one, so that an input does the same whenever it is
//! tried.

#![expect(
    clippy::disallowed_methods,
    reason = "a test looks at the disk past `disk::Disk`, or it could not prove it right"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use plugd_model::AbsPath;

/// A directory that goes when it is dropped.
pub(crate) struct Place {
    root: AbsPath,
    _dir: tempfile::TempDir,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Dir,
    File { bytes: u64, mode: u32 },
    Other,
}

impl Place {
    pub(crate) fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        builder.prefix("plugd-fuzz-");
        // In memory where the system has such a place: what is tried here is no matter of durability.
        let in_memory = Path::new("/dev/shm");
        let dir = match in_memory.is_dir() {
            true => builder.tempdir_in(in_memory),
            false => builder.tempdir(),
        };
        let dir = dir.unwrap();
        let root = AbsPath::new(fs::canonicalize(dir.path()).unwrap()).unwrap();
        Self { root, _dir: dir }
    }

    pub(crate) fn path(&self, relative: &str) -> AbsPath {
        self.root.join(relative)
    }

    pub(crate) fn write(&self, relative: &str, content: &[u8]) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap().as_path()).unwrap();
        fs::write(path.as_path(), content).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative).as_path()).unwrap()
    }

    /// Everything below a path, which need not be there.
    pub(crate) fn tree(&self, relative: &str) -> BTreeMap<PathBuf, Standing> {
        let mut found = BTreeMap::new();
        let root = self.path(relative);
        if fs::symlink_metadata(root.as_path()).is_ok() {
            walk(root.as_path(), root.as_path(), &mut found);
        }
        found
    }
}

fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<PathBuf, Standing>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let standing = if metadata.is_dir() {
            Standing::Dir
        } else if metadata.is_file() {
            Standing::File {
                bytes: metadata.len(),
                mode: mode(&metadata),
            }
        } else {
            Standing::Other
        };
        found.insert(path.strip_prefix(root).unwrap().to_owned(), standing);
        if metadata.is_dir() {
            walk(root, &path, found);
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0o644
}

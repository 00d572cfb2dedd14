//! Reading files below a directory without a plan, for a writer that decides itself what it takes.

use std::path::Path;

use plugd_model::AbsPath;

use super::TreeError;
use super::handle::DirHandle;
use super::pace::Pace;
use super::reader::{Hashed, denied, hash};
use crate::{Disk, DiskError, Kind, OperationKind};

/// A directory whose files are opened one component at a time from a handle on it, so that a link
/// that takes the place of a directory or file meanwhile leads nowhere.
#[derive(Debug)]
pub struct Below {
    disk: Disk,
    root: AbsPath,
    handle: DirHandle,
}

impl Below {
    /// Opens a directory by a path that is resolved: no component of it may be a link.
    ///
    /// # Errors
    /// It is missing, something else, or may not be opened.
    pub fn open(disk: &Disk, root: &AbsPath) -> Result<Self, DiskError> {
        let handle = DirHandle::open_literally(root)?;
        Ok(Self {
            disk: disk.clone(),
            root: root.clone(),
            handle,
        })
    }

    /// Reads a regular file of exactly `size` bytes and hands each piece to `sink`, which answers
    /// whether it wants more.
    ///
    /// # Errors
    /// The file cannot be read, is gone, is another one than was described, or `pace` or `sink`
    /// gives the work up.
    pub fn read(
        &self,
        relative: &Path,
        size: u64,
        pace: &dyn Pace,
        sink: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), TreeError> {
        let path = self.root.join(relative);
        self.disk.see(OperationKind::Read, &path, None, size)?;
        let parent = relative.parent().unwrap_or(Path::new(""));
        let name = relative.file_name().unwrap_or_default();
        let opened = self
            .handle
            .open_below(parent)
            .and_then(|dir| dir.open_file(name));
        let (mut file, stamp) = match opened {
            Ok(opened) => opened,
            Err(error) if denied(&error) => {
                return Err(DiskError::io(OperationKind::Read, &path, error).into());
            }
            Err(error) => {
                tracing::debug!(%path, %error, "a file that was there cannot be opened");
                return Err(TreeError::Changed { path });
            }
        };
        if stamp.kind != Kind::File || stamp.size != size {
            return Err(TreeError::Changed { path });
        }
        let mut wanted = true;
        let read = hash(&mut file, size, pace, |piece| {
            wanted = sink(piece);
            match wanted {
                true => Ok(()),
                false => Err(std::io::ErrorKind::Interrupted.into()),
            }
        });
        match read {
            _ if !wanted => Err(TreeError::GivenUp),
            Ok(Hashed::Whole(_)) => Ok(()),
            Ok(Hashed::OtherSize) => Err(TreeError::Changed { path }),
            Ok(Hashed::GivenUp) => Err(TreeError::GivenUp),
            Err(error) => Err(DiskError::io(OperationKind::Read, &path, error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use pretty_assertions::assert_eq;

    use super::super::fixture::Tree;
    use super::super::{AtEase, TreeError};
    use super::Below;
    use crate::Disk;

    fn read(tree: &Tree, path: &str, size: u64) -> Result<Vec<u8>, TreeError> {
        let below = Below::open(&Disk::new(), &tree.root).unwrap();
        let mut content = Vec::new();
        let mut sink = |piece: &[u8]| {
            content.extend_from_slice(piece);
            true
        };
        below.read(Path::new(path), size, &AtEase, &mut sink)?;
        Ok(content)
    }

    #[track_caller]
    fn check_changed(tree: &Tree, path: &str, size: u64) {
        match read(tree, path, size) {
            Err(TreeError::Changed { path: found }) => assert_eq!(found, tree.root.join(path)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_are_read_from_the_handle() {
        let tree = Tree::new(&["a/b=text", "empty="]);
        assert_eq!(read(&tree, "a/b", 4).unwrap(), b"text");
        assert_eq!(read(&tree, "empty", 0).unwrap(), b"");
        let below = Below::open(&Disk::new(), &tree.root).unwrap();
        let given_up = below.read(Path::new("a/b"), 4, &AtEase, &mut |_| false);
        assert!(matches!(given_up, Err(TreeError::GivenUp)));
    }

    #[test]
    fn what_is_another_file_now_is_not_read() {
        let tree = Tree::new(&["a/b=text", "link -> a/b", "dir -> a", "d/"]);
        check_changed(&tree, "a/b", 3);
        check_changed(&tree, "a/b", 5);
        check_changed(&tree, "link", 4);
        check_changed(&tree, "dir/b", 4);
        check_changed(&tree, "d", 0);
        check_changed(&tree, "gone", 4);
        fs::remove_file(tree.root.join("a/b")).unwrap();
        check_changed(&tree, "a/b", 4);
        assert!(Below::open(&Disk::new(), &tree.root.join("dir")).is_err());
    }
}

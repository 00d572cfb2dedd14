//! A new file that is written piece by piece, for content that is not in memory as a whole.

use std::fs::File;
use std::io::Write as _;

use plugd_model::AbsPath;

use crate::atomic::create_new;
use crate::{Disk, DiskError, OperationKind};

/// A file that is being written. What was written when it is dropped stays, and is not durable: it
/// is for trees that are synced as a whole, or copied again before anybody relies on them.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    path: AbsPath,
}

impl Disk {
    /// Creates a file that must not exist yet. `bytes` is how large it is expected to become; only
    /// a probe is told.
    ///
    /// # Errors
    /// Something stands there already, or the system refuses.
    pub fn create_unsynced(
        &self,
        path: &AbsPath,
        mode: u32,
        bytes: u64,
    ) -> Result<NewFile, DiskError> {
        self.see(OperationKind::Write, path, None, bytes)?;
        let file = create_new(path, mode)
            .map_err(|source| DiskError::io(OperationKind::Write, path, source))?;
        Ok(NewFile {
            file,
            path: path.clone(),
        })
    }
}

impl NewFile {
    /// Writes the next piece.
    ///
    /// # Errors
    /// The system refuses, for example because the disk is full.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), DiskError> {
        self.file
            .write_all(piece)
            .map_err(|source| DiskError::io(OperationKind::Write, &self.path, source))
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use crate::Disk;

    #[test]
    fn pieces_follow_each_other_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = AbsPath::new(dir.path().join("a")).unwrap();
        let disk = Disk::new();
        let mut file = disk.create_unsynced(&path, 0o755, 6).unwrap();
        file.write(b"one").unwrap();
        file.write(b"two").unwrap();
        assert_eq!(disk.read(&path, 10).unwrap(), b"onetwo");
        if cfg!(unix) {
            let stamp = disk.stamp(&path).unwrap().unwrap();
            assert_eq!(stamp.mode & 0o7777, 0o755);
        }
        assert!(disk.create_unsynced(&path, 0o644, 0).is_err());
        assert_eq!(disk.read(&path, 10).unwrap(), b"onetwo");
    }
}

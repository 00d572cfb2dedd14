//! What the file system behind a path can do.

use plugd_model::AbsPath;

use crate::{Disk, DiskError, OperationKind};

impl Disk {
    /// Whether the system tells of every change below a path. It does not where another machine may
    /// change files (network file systems, what a virtual machine shares with its host), or where
    /// there are no real files.
    ///
    /// # Errors
    /// The path does not exist, or the system refuses.
    pub fn tells_of_changes(&self, path: &AbsPath) -> Result<bool, DiskError> {
        self.see(OperationKind::Stat, path, None, 0)?;
        tells_of_changes(path).map_err(|source| DiskError::io(OperationKind::Stat, path, source))
    }
}

impl Disk {
    /// How many bytes may still be written below a path, where the system tells.
    ///
    /// # Errors
    /// The path does not exist, or the system refuses.
    pub fn free_bytes(&self, path: &AbsPath) -> Result<Option<u64>, DiskError> {
        self.see(OperationKind::Stat, path, None, 0)?;
        free_bytes(path).map_err(|source| DiskError::io(OperationKind::Stat, path, source))
    }
}

#[cfg(unix)]
fn free_bytes(path: &AbsPath) -> std::io::Result<Option<u64>> {
    let found = rustix::fs::statvfs(path.as_path())?;
    Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
}

#[cfg(not(unix))]
fn free_bytes(path: &AbsPath) -> std::io::Result<Option<u64>> {
    std::fs::metadata(path).map(|_| None)
}

/// The numbers by which `statfs` names file systems whose content others decide about.
#[cfg(target_os = "linux")]
const SILENT: [u32; 11] = [
    0x0000_6969, // nfs
    0x0000_517b, // smb
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x0102_1997, // 9p
    0x6573_5546, // fuse
    0x00c3_6400, // ceph
    0x5346_414f, // afs
    0x786f_4256, // shared folders of VirtualBox
    0x0000_9fa0, // proc
    0x6265_6572, // sysfs
];

#[cfg(target_os = "linux")]
fn tells_of_changes(path: &AbsPath) -> std::io::Result<bool> {
    let kind = rustix::fs::statfs(path.as_path())?.f_type;
    // The field is signed on some machines, and the numbers have 32 bits.
    let silent = |number: &u32| u64::from(*number) == (kind as u64 & u64::from(u32::MAX));
    Ok(!SILENT.iter().any(silent))
}

/// Nothing is known here, so the system is believed.
#[cfg(not(target_os = "linux"))]
fn tells_of_changes(path: &AbsPath) -> std::io::Result<bool> {
    std::fs::metadata(path).map(|_| true)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use plugd_model::AbsPath;

    use crate::Disk;

    #[test]
    fn a_local_directory_tells_and_the_list_of_processes_does_not() {
        let disk = Disk::new();
        let local = tempfile::tempdir().unwrap();
        let local = AbsPath::new(local.path()).unwrap();
        assert!(disk.tells_of_changes(&local).unwrap());
        let processes = AbsPath::new("/proc").unwrap();
        assert!(!disk.tells_of_changes(&processes).unwrap());
        let missing = disk.tells_of_changes(&local.join("missing")).unwrap_err();
        assert!(missing.is_not_found());
    }

    #[test]
    fn free_bytes_are_those_of_the_file_system() {
        let disk = Disk::new();
        let local = tempfile::tempdir().unwrap();
        let local = AbsPath::new(local.path()).unwrap();
        assert!(disk.free_bytes(&local).unwrap().is_some());
        assert!(disk.free_bytes(&local.join("nothing")).is_err());
    }
}

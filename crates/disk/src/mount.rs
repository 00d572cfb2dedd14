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

impl Disk {
    /// Whether this process may write to a file, or make and replace files in a directory, as far as
    /// rights and read-only file systems tell. Nothing is written to find out.
    ///
    /// # Errors
    /// The path does not exist, or the system does not say.
    pub fn may_write(&self, path: &AbsPath) -> Result<bool, DiskError> {
        self.see(OperationKind::Stat, path, None, 0)?;
        may_write(path).map_err(|source| DiskError::io(OperationKind::Stat, path, source))
    }
}

#[cfg(unix)]
fn may_write(path: &AbsPath) -> std::io::Result<bool> {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;

    let is_dir = std::fs::metadata(path.as_path())?.is_dir();
    // In a directory nothing can be made by somebody who may not enter it.
    let wanted = match is_dir {
        true => Access::WRITE_OK | Access::EXEC_OK,
        false => Access::WRITE_OK,
    };
    match access(path.as_path(), wanted) {
        Ok(()) => Ok(true),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The flag of a directory means something else there, and who may write stands in lists that only an
/// attempt reads.
#[cfg(not(unix))]
fn may_write(path: &AbsPath) -> std::io::Result<bool> {
    let found = std::fs::metadata(path.as_path())?;
    Ok(found.is_dir() || !found.permissions().readonly())
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

    #[cfg(unix)]
    #[test]
    fn who_may_write_is_told_without_writing() {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt as _;

        let disk = Disk::new();
        let dir = tempfile::tempdir().unwrap();
        let dir = AbsPath::new(dir.path()).unwrap();
        assert!(disk.may_write(&dir).unwrap());
        assert!(
            disk.may_write(&dir.join("none"))
                .unwrap_err()
                .is_not_found()
        );
        // The kernel's own files refuse everybody, and rights refuse all but the administrator.
        #[cfg(target_os = "linux")]
        assert!(
            !disk
                .may_write(&AbsPath::new("/proc/self").unwrap())
                .unwrap()
        );
        if !rustix::process::geteuid().is_root() {
            std::fs::set_permissions(dir.as_path(), Permissions::from_mode(0o500)).unwrap();
            assert!(!disk.may_write(&dir).unwrap());
            std::fs::set_permissions(dir.as_path(), Permissions::from_mode(0o700)).unwrap();
        }
        assert_eq!(disk.list(&dir).unwrap(), []);
    }

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

//! Copying a planned tree.
//!
//! Files are shared with their source where the file system can do that (a *reflink*), else written
//! from the bytes that are hashed anyway. Either way the hash is that of the copy. Nothing is
//! synced here: [`super::sync_tree`] does that once, when the copy is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use plugd_model::AbsPath;

use super::digest::{Digest, FileDigests};
use super::pace::Pace;
use super::reader::{Hashed, Opened, Reader, hash};
use super::scan::{PlanDir, PlanFile, join};
use super::stamps::Stamps;
use super::{TreeError, TreePlan};
use crate::{Disk, DiskError, OperationKind, Stamp, on_two_threads};

/// The disk begins to write a file of so many bytes as soon as it is complete, so that whoever waits for
/// all of the copy waits for less. With small files the calls cost what they save.
const LARGE: u64 = 1 << 20;

/// Two threads copy a tree of so many bytes: one reads and hashes while the other one writes. With less the
/// two of them stand in each other's way, because making files is most of the work.
const WORTH_A_THREAD: u64 = 4 << 20;

/// Set-user, set-group and sticky, and what lets others than the owner write: a copy is made for its owner.
#[cfg(unix)]
const NEVER_COPIED: u32 = 0o7022;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReport {
    /// The files that were written, with their hashes.
    pub files: FileDigests,
    /// How many directories were made, the root included.
    pub directories: u64,
    /// How many bytes were written.
    pub bytes: u64,
    /// What a scan of the copy has for a fingerprint as long as nobody has touched a file of it; `None`
    /// where stamps are too coarse to tell.
    pub fingerprint: Option<Digest>,
}

/// Copies a planned tree to a directory that does not exist yet, but whose parent does.
///
/// Files get the permission bits of their source, without those of `NEVER_COPIED`, and their owner may
/// read them; directories 0755; the umask applies to both. So a file that is private by itself is private
/// in a copy; its owner has to be able to compare it. A failed copy stays where it is, because its directory
/// belongs to the caller.
///
/// # Errors
/// The destination exists, a file is no longer what the plan says, `pace` gives the work up, or the
/// system refuses.
pub fn copy(
    disk: &Disk,
    plan: &TreePlan,
    dest: &AbsPath,
    pace: &dyn Pace,
) -> Result<CopyReport, TreeError> {
    if disk.link_stamp(dest)?.is_some() {
        return Err(TreeError::Exists { path: dest.clone() });
    }
    let mut files = Vec::new();
    for dir in &plan.dirs {
        disk.create_dir(&dest.join(&dir.path))?;
        files.extend(dir.files.iter().map(|file| (dir, file)));
    }
    let copying = Copying {
        disk,
        plan,
        dest,
        pace,
    };
    let copied = copying.all(&files)?;
    let mut report = CopyReport {
        files: FileDigests::default(),
        directories: plan.dirs.len() as u64,
        bytes: 0,
        fingerprint: None,
    };
    let mut stamps = Stamps::new();
    for ((dir, file), copy) in files.into_iter().zip(copied) {
        let path = join(&dir.path, &file.name);
        stamps.add(&path, &copy.stamp);
        report.files.insert(path, copy.executable, copy.hash);
        report.bytes += file.size;
    }
    report.fingerprint = stamps.lasting();
    Ok(report)
}

/// What is known of a file that was copied.
#[derive(Debug)]
struct Copied {
    executable: bool,
    hash: [u8; 32],
    /// That of the copy.
    stamp: Stamp,
}

/// The work that both threads share.
struct Copying<'a> {
    disk: &'a Disk,
    plan: &'a TreePlan,
    dest: &'a AbsPath,
    pace: &'a dyn Pace,
}

impl<'a> Copying<'a> {
    /// Copies all files, in whose directories everything is ready, and tells of them in their order. When one
    /// fails no other is begun.
    fn all(&self, files: &[(&'a PlanDir, &'a PlanFile)]) -> Result<Vec<Copied>, TreeError> {
        let places: Vec<OnceLock<_>> = files.iter().map(|_| OnceLock::new()).collect();
        let has_failed = AtomicBool::new(false);
        let worth_it = files.len() > 1 && self.plan.bytes() >= WORTH_A_THREAD;
        on_two_threads(&places, 1, worth_it, |portion| {
            let mut copier = None;
            for (at, place) in portion {
                if has_failed.load(Ordering::Relaxed) {
                    break;
                }
                let copied = self.one(&mut copier, files[at]);
                has_failed.fetch_or(copied.is_err(), Ordering::Relaxed);
                // Nobody else has this place.
                let _ = place.set(copied);
            }
        });
        places
            .into_iter()
            .filter_map(OnceLock::into_inner)
            .collect()
    }

    /// Copies one file with what its thread has open.
    fn one(
        &self,
        copier: &mut Option<Copier<'a>>,
        (dir, file): (&'a PlanDir, &'a PlanFile),
    ) -> Result<Copied, TreeError> {
        let copier = match copier {
            Some(copier) => copier,
            None => copier.insert(Copier {
                disk: self.disk,
                pace: self.pace,
                reader: Reader::new(self.disk, self.plan)?,
                shares: cfg!(target_os = "linux"),
            }),
        };
        let opened = copier.reader.open(dir, file)?;
        let target = self.dest.join(&dir.path).join(&file.name);
        copier.file(opened, &target)
    }
}

struct Copier<'a> {
    disk: &'a Disk,
    pace: &'a dyn Pace,
    reader: Reader<'a>,
    /// Whether the file system may still turn out to share content.
    shares: bool,
}

impl Copier<'_> {
    /// Copies a file that was opened.
    fn file(&mut self, mut source: Opened, target: &AbsPath) -> Result<Copied, TreeError> {
        let size = source.stamp.size;
        let executable = source.stamp.is_executable();
        let fail = |error| DiskError::io(OperationKind::Copy, target, error);
        self.disk
            .see(OperationKind::Copy, target, Some(&source.path), size)?;
        let mut written = create(target, source.stamp.mode).map_err(fail)?;
        // An empty file has nothing to share, and some file systems refuse it.
        self.shares = self.shares && (size == 0 || share(&source.file, &written));
        let hashed = if self.shares && size > 0 {
            hash(&mut written, size, self.pace, |_| Ok(())).map_err(fail)?
        } else {
            let sink = |bytes: &[u8]| written.write_all(bytes);
            hash(&mut source.file, size, self.pace, sink).map_err(fail)?
        };
        match hashed {
            Hashed::Whole(hash) => {
                if !self.shares && size >= LARGE {
                    begin_to_write(&written);
                }
                let metadata = written.metadata().map_err(fail)?;
                Ok(Copied {
                    executable,
                    hash,
                    stamp: Stamp::of(&metadata),
                })
            }
            Hashed::OtherSize => Err(TreeError::Changed { path: source.path }),
            Hashed::GivenUp => Err(TreeError::GivenUp),
        }
    }
}

#[cfg(unix)]
fn create(path: &AbsPath, mode_of_source: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode_of_source & !NEVER_COPIED | 0o400)
        .open(path)
}

#[cfg(not(unix))]
fn create(path: &AbsPath, _mode_of_source: u32) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
}

/// Lets the new file share the content of the old one; `false` when that cannot be done here.
#[cfg(target_os = "linux")]
fn share(source: &File, target: &File) -> bool {
    rustix::fs::ioctl_ficlone(target, source).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn share(_source: &File, _target: &File) -> bool {
    false
}

/// Tells the system that nobody needs these bytes in its memory for now; it has to write them to the disk for
/// that. A system that does not listen writes them when they are synced.
#[cfg(target_os = "linux")]
fn begin_to_write(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn begin_to_write(_file: &File) {}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;

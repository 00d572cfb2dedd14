//! Writing the files of a checkout: blobs in, files out, on a few threads.
//!
//! Reading a blob is work for a processor and writing a file is waiting for the system, so several
//! threads take the next file each. What they find is told in the order of the files, and so is the
//! first failure: nobody can tell from the result how many threads there were.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use git2::{Odb, Oid, Repository};

use crate::attributes::Ends;
use crate::checkout::{Target, read_blob};
use crate::failure::Trouble;
use crate::{LfsPointer, lfs, line_ends};

/// Beyond these, threads wait for each other in the system.
const MAX_THREADS: usize = 4;
/// So many files are worth a thread.
const FILES_PER_THREAD: usize = 64;

/// A file that will be written.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) id: Oid,
    pub(crate) size: usize,
    pub(crate) executable: bool,
    pub(crate) ends: Ends,
}

/// Writes files into directories that are there. Answers which of them are pointers of Git LFS.
pub(crate) fn write_files(
    repository: &Repository,
    target: &Target<'_>,
    files: &[File],
) -> Result<Vec<LfsPointer>, Trouble> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = (files.len() / FILES_PER_THREAD).clamp(1, cores.min(MAX_THREADS));
    let next = AtomicUsize::new(0);
    let path = repository.path();
    let mut results = std::thread::scope(|scope| {
        let start = || scope.spawn(|| some_files(path, target, files, &next));
        let others: Vec<_> = (1..threads).map(|_| start()).collect();
        let mut results = some_files(path, target, files, &next);
        for other in others {
            match other.join() {
                Ok(more) => results.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// What there is to tell of the file with a number.
type Told = (usize, Result<LfsPointer, Trouble>);

/// Writes the next file until there is none. A failure leaves none for anybody.
fn some_files(path: &Path, target: &Target<'_>, files: &[File], next: &AtomicUsize) -> Vec<Told> {
    let mut results = Vec::new();
    // Each thread has a handle of its own: libgit2's are not for two at once.
    let repository = Repository::open_bare(path);
    let odb = match repository.as_ref().map(Repository::odb) {
        Ok(Ok(odb)) => odb,
        Ok(Err(error)) => return vec![(0, Err(Trouble::damaged(&error)))],
        Err(error) => return vec![(0, Err(Trouble::damaged(error)))],
    };
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(file) = files.get(index) else {
            return results;
        };
        match write(&odb, target, file) {
            Ok(None) => {}
            Ok(Some(pointer)) => results.push((index, Ok(pointer))),
            Err(trouble) => {
                next.store(files.len(), Ordering::Relaxed);
                results.push((index, Err(trouble)));
                return results;
            }
        }
    }
}

fn write(odb: &Odb<'_>, target: &Target<'_>, file: &File) -> Result<Option<LfsPointer>, Trouble> {
    let Some(blob) = read_blob(odb, file.id, file.size)? else {
        return Err(Trouble::Damaged(format!("{} changed its size", file.id)));
    };
    let mode = if file.executable { 0o755 } else { 0o644 };
    let path = target.root.join(&file.path);
    let pointer = lfs::pointer(blob.data());
    let ends = match pointer {
        // It is no content but a name for one.
        Some(_) => Ends::AsCommitted,
        None => file.ends,
    };
    let content = line_ends::written(blob.data(), ends);
    target.disk.write_unsynced(&path, &content, mode)?;
    target.meter.file();
    Ok(pointer.map(|(oid, size)| LfsPointer {
        path: file.path.clone(),
        oid,
        size,
    }))
}

//! At which commit the curated snapshot is, and the version that its plugins have by that.

use plugd_disk::{Disk, DiskError};
use plugd_manifest::Loader;
use plugd_model::Layout;

use crate::checkout::says_nothing;

/// Curated plugins are versioned by the first eight digits of the snapshot's commit.
pub(crate) fn curated_version(loader: &Loader, layout: &Layout) -> Option<String> {
    let text = curated_commit(loader, layout)?;
    let commit: String = text.chars().take(8).collect();
    let is_commit = commit.len() == 8 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    // A snapshot that came without git carries a word instead of a commit.
    match is_commit {
        true => Some(commit),
        false => (text == "export-backup").then_some(text),
    }
}

/// What is recorded of the curated snapshot's commit.
pub(crate) fn curated_commit(loader: &Loader, layout: &Layout) -> Option<String> {
    known_curated_commit(loader.disk(), layout).ok()?
}

/// The same for whoever writes it down: a file that the system refuses to read must not be taken for
/// none.
///
/// # Errors
/// The system refuses.
pub(crate) fn known_curated_commit(
    disk: &Disk,
    layout: &Layout,
) -> Result<Option<String>, DiskError> {
    let bytes = match disk.read(&layout.curated_sha(), 4096) {
        Ok(bytes) => bytes,
        Err(error) if says_nothing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8(bytes).ok();
    let text = text.map(|text| text.trim().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

//! Fixtures to a disk and back.
//!
//! Writing replaces what stands at an item's path and leaves everything else. Reading follows no
//! link and opens no FIFO, so that it can look at any tree; what a living daemon takes away
//! meanwhile, the temporary of an atomic write say, was not there.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use plugd_model::AbsPath;

use crate::fixture::{Fixture, Item, ItemKind};
use crate::must;
use crate::process::while_nothing_starts;

/// A file of zeros that is longer than this is displayed by its size.
const SHOWN_ZEROS: usize = 64;

/// A file that is longer than this and takes no room is not read: it may be larger than memory.
const MOST_READ: u64 = 1024 * 1024;

/// Prints what is on the disk below a path in the fixture language: sorted, directories only when
/// they are empty, modes only where a file may be executed or has special bits.
///
/// A path with nothing there prints as nothing, like a directory that is empty.
///
/// # Panics
/// Something cannot be read.
#[must_use]
#[track_caller]
pub fn tree(root: &AbsPath) -> String {
    must(Fixture::read_from(root)).to_string()
}

impl Fixture {
    /// Writes the tree below `root`; `$ROOT` in texts and link targets becomes that path.
    ///
    /// Modes do not depend on the umask: a file gets 644 and a directory that was made for the
    /// fixture 755 where nothing else is said.
    ///
    /// # Errors
    /// The system refuses, or cannot make such an item.
    pub fn write_to(&self, root: &AbsPath) -> Result<()> {
        for item in &self.items {
            let path = root.join(&item.path);
            write(item, &path, root).with_context(|| format!("cannot make `{path}`"))?;
        }
        // A directory without write permission could not take its children.
        for item in self.items.iter().rev() {
            if let (ItemKind::Dir, Some(mode)) = (&item.kind, item.mode) {
                let path = root.join(&item.path);
                set_mode(path.as_path(), mode)
                    .with_context(|| format!("cannot set the mode of `{path}`"))?;
            }
        }
        Ok(())
    }

    /// Reads the tree below `root`.
    ///
    /// # Errors
    /// `root` is no directory, or the system refuses.
    pub fn read_from(root: &AbsPath) -> Result<Self> {
        let mut items = Vec::new();
        if fs::symlink_metadata(root).is_ok() {
            read_dir(root.as_path(), "", &mut items)?;
        }
        Ok(Self { items })
    }
}

/// The text with the path of the tree in the place of `$ROOT`.
pub(crate) fn expand(text: &str, root: &AbsPath) -> String {
    text.replace("$ROOT", &root.to_text())
}

fn write(item: &Item, path: &AbsPath, root: &AbsPath) -> Result<()> {
    if let Some(parent) = path.parent() {
        create_dirs(&parent)?;
    }
    if item.kind == ItemKind::Dir {
        return create_dirs(path);
    }
    remove_leaf(path.as_path())?;
    match &item.kind {
        ItemKind::File(bytes) => {
            let content = match std::str::from_utf8(bytes) {
                Ok(text) => expand(text, root).into_bytes(),
                Err(_) => bytes.clone(),
            };
            if item.mode.is_some_and(|mode| mode & 0o111 != 0) {
                while_nothing_starts(|| fs::write(path, content))?;
            } else {
                fs::write(path, content)?;
            }
        }
        ItemKind::Zeros(size) => File::create(path)?.set_len(*size)?,
        ItemKind::Link(target) => link(&expand(target, root), path.as_path())?,
        ItemKind::Fifo => fifo(path.as_path())?,
        ItemKind::Dir => {}
        ItemKind::Special => anyhow::bail!("sockets and devices cannot be made"),
    }
    if !matches!(item.kind, ItemKind::Link(_)) {
        set_mode(path.as_path(), item.mode.unwrap_or(0o644))?;
    }
    Ok(())
}

/// Makes the directories that are missing, with a mode that the umask has no say in.
fn create_dirs(path: &AbsPath) -> Result<()> {
    if fs::metadata(path).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_dirs(&parent)?;
    }
    fs::create_dir(path).with_context(|| format!("cannot make the directory `{path}`"))?;
    set_mode(path.as_path(), 0o755)?;
    Ok(())
}

/// Removes a file or link, so that writing goes neither through a link nor into a FIFO.
fn remove_leaf(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn read_dir(dir: &Path, prefix: &str, items: &mut Vec<Item>) -> Result<()> {
    let fail = || format!("cannot list `{}`", dir.display());
    let Some(mut entries) = unless_gone(list(dir)).with_context(fail)? else {
        return Ok(());
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().display());
        let fail = || format!("cannot read `{path}`");
        let Some((kind, mode)) = unless_gone(read_entry(&entry)).with_context(fail)? else {
            continue;
        };
        let before = items.len();
        if kind == ItemKind::Dir {
            read_dir(&entry.path(), &format!("{path}/"), items)?;
            if items.len() > before {
                continue;
            }
        }
        items.push(Item { path, kind, mode });
    }
    Ok(())
}

fn list(dir: &Path) -> io::Result<Vec<fs::DirEntry>> {
    fs::read_dir(dir)?.collect()
}

/// `None` for what somebody removed between the listing and the look at it.
fn unless_gone<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn read_entry(entry: &fs::DirEntry) -> io::Result<(ItemKind, Option<u32>)> {
    let kind = read_kind(entry)?;
    let mode = match kind {
        ItemKind::File(_) | ItemKind::Zeros(_) => notable_mode(&entry.metadata()?),
        _ => None,
    };
    Ok((kind, mode))
}

fn read_kind(entry: &fs::DirEntry) -> io::Result<ItemKind> {
    let kind = entry.file_type()?;
    if kind.is_symlink() {
        let target = fs::read_link(entry.path())?;
        return Ok(ItemKind::Link(target.display().to_string()));
    }
    if kind.is_dir() {
        return Ok(ItemKind::Dir);
    }
    if !kind.is_file() {
        return Ok(if is_fifo(kind) {
            ItemKind::Fifo
        } else {
            ItemKind::Special
        });
    }
    let metadata = entry.metadata()?;
    if metadata.len() > MOST_READ && is_hollow(&metadata) {
        return Ok(ItemKind::Zeros(metadata.len()));
    }
    let bytes = fs::read(entry.path())?;
    if bytes.len() > SHOWN_ZEROS && bytes.iter().all(|byte| *byte == 0) {
        return Ok(ItemKind::Zeros(
            u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        ));
    }
    Ok(ItemKind::File(bytes))
}

/// Whether the system keeps no content for a file, so that it reads as zeros.
#[cfg(unix)]
fn is_hollow(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() == 0
}

#[cfg(not(unix))]
fn is_hollow(_metadata: &fs::Metadata) -> bool {
    false
}

/// The permission bits where they say more than "a file".
#[cfg(unix)]
fn notable_mode(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o7111 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn notable_mode(_metadata: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(_target: &str, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn fifo(path: &Path) -> io::Result<()> {
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        path,
        rustix::fs::Mode::from_raw_mode(0o644),
    )?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn fifo(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn is_fifo(kind: fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo()
}

#[cfg(not(unix))]
fn is_fifo(_kind: fs::FileType) -> bool {
    false
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use super::tree;
    use crate::Fixture;

    /// Writes a fixture into an empty directory, and expects to read it back in this form.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let temporary = tempfile::tempdir().unwrap();
        let root = AbsPath::new(temporary.path()).unwrap();
        Fixture::parse(text).unwrap().write_to(&root).unwrap();
        let printed = tree(&root).replace(&root.to_text(), "$ROOT");
        assert_eq!(printed, expected);
    }

    #[test]
    fn a_tree_prints_as_the_fixture_that_made_it() {
        let text = "== a/b.txt\n\\== x\n== a/c -> ../nowhere\n== a/d (fifo)\n== b/\n\
                    == c (mode 755, no newline)\nrun\n== d (hex)\n00ff\n== e (size 65)\n\
                    == f (size 1000000000000)\n";
        check(text, text);
    }

    #[test]
    fn the_order_is_that_of_names_and_full_directories_are_left_out() {
        check("== b\n== a/z\n== a/\n== a/b/\n", "== a/b/\n== a/z\n== b\n");
    }

    #[test]
    fn the_root_is_filled_in() {
        check("== a\n$ROOT/x $ROOT\n", "== a\n$ROOT/x $ROOT\n");
        check("== a -> $ROOT/b\n", "== a -> $ROOT/b\n");
    }

    #[test]
    fn special_bits_and_execute_bits_are_shown() {
        check(
            "== a (mode 600)\n== b (mode 4755)\n== c (mode 700)\n",
            "== a\n== b (mode 4755)\n== c (mode 700)\n",
        );
    }

    #[test]
    fn a_second_fixture_replaces_items_and_leaves_the_rest() {
        let temporary = tempfile::tempdir().unwrap();
        let root = AbsPath::new(temporary.path()).unwrap();
        let write = |text: &str| Fixture::parse(text).unwrap().write_to(&root).unwrap();
        write("== a\nold\n== b -> a\n== c (fifo)\n== d\nkept\n");
        write("== b\nnew\n== c\nnew\n");
        assert_eq!(tree(&root), "== a\nold\n== b\nnew\n== c\nnew\n== d\nkept\n");
    }

    #[test]
    fn what_goes_away_between_the_listing_and_the_look_at_it_was_not_there() {
        let temporary = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(temporary.path().join(name), "x").unwrap();
        write("stays");
        write("goes");
        let mut entries = super::list(temporary.path()).unwrap();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        std::fs::remove_file(temporary.path().join("goes")).unwrap();
        let read = |entry| super::unless_gone(super::read_entry(entry)).unwrap();
        let seen: Vec<bool> = entries.iter().map(|entry| read(entry).is_some()).collect();
        assert_eq!(seen, [false, true]);
    }

    #[test]
    fn a_missing_tree_is_empty() {
        let temporary = tempfile::tempdir().unwrap();
        let root = AbsPath::new(temporary.path()).unwrap();
        assert_eq!(tree(&root.join("nothing")), "");
    }
}

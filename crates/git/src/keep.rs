//! A small repository beside the files of a checkout, for programs that look there.
//!
//! It holds the objects of one commit and says that history ends there, so it is as valid as a clone
//! of depth one. Its index knows every file as it was written: whoever asks for changes gets none,
//! without reading the files again.
//!
//! Invariants:
//! - It names no remote, has no hook, and its configuration is the few lines below.
//! - It is made under another name; `.git` appears when everything is in it.

use std::collections::HashSet;

use plugd_disk::{Disk, DiskError, Kind, Stamp};
use plugd_model::AbsPath;

use git2::{Index, IndexEntry, IndexTime, Odb, Oid, Repository, Tree};

use crate::checkout::{MODE_COMMIT, MODE_DIR, MODE_LINK, is_file, join, shown};
use crate::failure::{Failure, Trouble};
use crate::{LeftOut, history};

/// What it is called in the end.
const NAME: &str = ".git";

/// Largest pack that is copied, as it is held in memory for that.
const MAX_COPY: u64 = 1 << 30;

/// Index entry: the file counts as unchanged whatever it holds.
const ASSUME_VALID: u16 = 0x8000;
/// Index entry: its flags go on in a second word.
const EXTENDED: u16 = 0x4000;
/// Index entry: the file is left out on purpose. In the second word.
const SKIP_WORKTREE: u16 = 1 << 14;

/// A repository that is not finished yet: it has its objects and no index.
#[derive(Debug)]
pub(crate) struct Kept {
    path: AbsPath,
    commit: Oid,
}

impl Kept {
    /// Writes the objects of a commit, below a directory where its files are.
    pub(crate) fn write(
        mirror: &Repository,
        commit: Oid,
        disk: &Disk,
        root: &AbsPath,
    ) -> Result<Self, Trouble> {
        let path = free(disk, root)?;
        for dir in [
            "objects/pack",
            "objects/info",
            "refs/heads",
            "refs/tags",
            "info",
        ] {
            disk.create_dirs(&path.join(dir))?;
        }
        let damaged = |error: git2::Error| Trouble::damaged(&error);
        let odb = mirror.odb().map_err(damaged)?;
        let mut pack = mirror.packbuilder().map_err(damaged)?;
        pack.set_threads(0);
        pack.insert_commit(commit).map_err(damaged)?;
        let packs = path.join("objects/pack");
        let needed = pack.object_count();
        if !copy_packs(mirror, &odb, needed, disk, &packs)? {
            pack.write(packs.as_path(), 0o444).map_err(damaged)?;
        }
        if history::parents(&odb, commit).is_some_and(|parents| !parents.is_empty()) {
            disk.write_unsynced(
                &path.join("shallow"),
                format!("{commit}\n").as_bytes(),
                0o644,
            )?;
        }
        let executable = cfg!(unix);
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tfilemode = {executable}\n\tbare = false\n\
             \tlogallrefupdates = false\n"
        );
        disk.write_unsynced(&path.join("config"), config.as_bytes(), 0o644)?;
        disk.write_unsynced(&path.join("HEAD"), format!("{commit}\n").as_bytes(), 0o644)?;
        Ok(Self { path, commit })
    }

    /// Writes the index, once all files and links are there, and gives the repository its name.
    pub(crate) fn finish(
        self,
        disk: &Disk,
        root: &AbsPath,
        left_out: &[LeftOut],
    ) -> Result<(), Failure> {
        let index = self.index(disk, root, left_out);
        index.map_err(|trouble| match trouble {
            Trouble::Failed(failure) => failure,
            Trouble::Damaged(reason) => Failure::Git { reason },
        })?;
        disk.rename(&self.path, &root.join(NAME))
            .map_err(|error| Failure::disk(&error))
    }

    fn index(&self, disk: &Disk, root: &AbsPath, left_out: &[LeftOut]) -> Result<(), Trouble> {
        let damaged = |error: git2::Error| Trouble::damaged(&error);
        let own = Repository::open_bare(&self.path).map_err(damaged)?;
        let tree = own.find_commit(self.commit).and_then(|found| found.tree());
        let mut entries = Entries {
            disk,
            root,
            repository: &own,
            left_out: left_out.iter().map(|one| one.path.as_str()).collect(),
            index: Index::open(self.path.join("index").as_path()).map_err(damaged)?,
        };
        entries.directory(&tree.map_err(damaged)?, Some(""), &[])?;
        entries.index.write().map_err(damaged)
    }
}

/// Copies all packs of a mirror, where that costs less than making a pack of what is needed: when
/// they hold not much else. Answers whether they were copied.
fn copy_packs(
    mirror: &Repository,
    odb: &Odb<'_>,
    needed: usize,
    disk: &Disk,
    dest: &AbsPath,
) -> Result<bool, Trouble> {
    let damaged = |error: git2::Error| Trouble::damaged(&error);
    let mut there = 0_usize;
    odb.foreach(|_| {
        there += 1;
        true
    })
    .map_err(damaged)?;
    if there > needed.saturating_mul(2) {
        return Ok(false);
    }
    let Ok(objects) = AbsPath::new(mirror.path()).map(|path| path.join("objects")) else {
        return Ok(false);
    };
    // An object outside of a pack has a directory whose name is two digits.
    if disk.list(&objects)?.iter().any(|one| one.name.len() == 2) {
        return Ok(false);
    }
    let packs = objects.join("pack");
    let names = disk.list(&packs)?.into_iter().filter_map(|entry| {
        let name = entry.name.into_string().ok()?;
        let wanted = name.ends_with(".pack") || name.ends_with(".idx");
        wanted.then_some(name)
    });
    let mut files = Vec::new();
    for name in names {
        let from = packs.join(&name);
        match disk.stamp(&from)? {
            Some(stamp) if stamp.size <= MAX_COPY => files.push((name, from)),
            _ => return Ok(false),
        }
    }
    // A pack counts once its index is there, so the index comes last.
    files.sort_by_key(|(name, _)| name.ends_with(".idx"));
    for (name, from) in files {
        let bytes = disk.read(&from, MAX_COPY)?;
        disk.write_unsynced(&dest.join(&name), &bytes, 0o444)?;
    }
    Ok(true)
}

/// A name below a directory that nothing has. A repository may hold any name but `.git`.
fn free(disk: &Disk, root: &AbsPath) -> Result<AbsPath, DiskError> {
    let mut number = 0_u32;
    loop {
        let path = root.join(format!("{NAME}.new{number}"));
        if disk.link_stamp(&path)?.is_none() {
            return Ok(path);
        }
        number += 1;
    }
}

struct Entries<'a> {
    disk: &'a Disk,
    root: &'a AbsPath,
    repository: &'a Repository,
    left_out: HashSet<&'a str>,
    index: Index,
}

impl Entries<'_> {
    /// `dir` is the place on disk, if the directory was written at all; `raw` the bytes of the same
    /// path as the commit has them.
    fn directory(&mut self, tree: &Tree<'_>, dir: Option<&str>, raw: &[u8]) -> Result<(), Trouble> {
        for entry in tree {
            let name = entry.name_bytes();
            let mode = entry.filemode_raw();
            // The directory of another repository is there also when its content is left out.
            let path = dir
                .filter(|dir| mode == MODE_COMMIT || !self.is_left_out(dir, name))
                .map(|dir| join(dir, &String::from_utf8_lossy(name)));
            let mut raw = raw.to_vec();
            if !raw.is_empty() {
                raw.push(b'/');
            }
            raw.extend_from_slice(name);
            if mode == MODE_DIR {
                let inner = self.repository.find_tree(entry.id());
                let inner = inner.map_err(|error| Trouble::damaged(&error))?;
                self.directory(&inner, path.as_deref(), &raw)?;
                continue;
            }
            let there = match path {
                Some(path) => self.disk.link_stamp(&self.root.join(&path))?,
                None => None,
            };
            self.entry(entry.id(), mode, raw, there)?;
        }
        Ok(())
    }

    /// Whether a file holds the content that its pointer of Git LFS names. No filter turns it back
    /// into the pointer here, so its content must not be compared.
    fn is_replaced(&self, id: Oid, stamp: &Stamp) -> Result<bool, Trouble> {
        let odb = self.repository.odb();
        let header = odb.and_then(|odb| odb.read_header(id));
        let (size, _) = header.map_err(|error| Trouble::damaged(&error))?;
        Ok(stamp.kind == Kind::File && u64::try_from(size) != Ok(stamp.size))
    }

    fn is_left_out(&self, dir: &str, name: &[u8]) -> bool {
        let plain = join(dir, &String::from_utf8_lossy(name));
        self.left_out.contains(plain.as_str()) || self.left_out.contains(&*shown(dir, name))
    }

    fn entry(
        &mut self,
        id: Oid,
        mode: i32,
        path: Vec<u8>,
        there: Option<Stamp>,
    ) -> Result<(), Trouble> {
        let same = there.filter(|stamp| match mode {
            MODE_LINK => stamp.kind == Kind::Link,
            MODE_COMMIT => stamp.kind == Kind::Dir,
            mode => is_file(mode) && stamp.kind == Kind::File,
        });
        let mut entry = IndexEntry {
            ctime: IndexTime::new(0, 0),
            mtime: IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode: u32::try_from(mode).unwrap_or_default(),
            uid: 0,
            gid: 0,
            file_size: 0,
            id,
            flags: 0,
            flags_extended: 0,
            path,
        };
        match same {
            Some(stamp) if mode != MODE_COMMIT => {
                stamped(&mut entry, &stamp);
                if self.is_replaced(id, &stamp)? {
                    entry.flags |= ASSUME_VALID;
                }
            }
            Some(_) => {}
            None => {
                entry.flags = EXTENDED;
                entry.flags_extended = SKIP_WORKTREE;
            }
        }
        self.index
            .add(&entry)
            .map_err(|error| Trouble::damaged(&error))
    }
}

/// Only the lower half of each number is kept there, and compared.
fn stamped(entry: &mut IndexEntry, stamp: &Stamp) {
    let time = |ns: i128| {
        let seconds = ns.div_euclid(1_000_000_000);
        IndexTime::new(seconds as i32, ns.rem_euclid(1_000_000_000) as u32)
    };
    entry.ctime = time(stamp.changed_ns);
    entry.mtime = time(stamp.modified_ns);
    entry.dev = stamp.device as u32;
    entry.ino = stamp.inode as u32;
    entry.file_size = stamp.size as u32;
    #[cfg(unix)]
    {
        entry.uid = rustix::process::geteuid().as_raw();
        entry.gid = rustix::process::getegid().as_raw();
    }
}

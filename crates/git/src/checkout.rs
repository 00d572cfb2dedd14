//! Writing a commit's tree into a directory.
//!
//! The tree is walked here and not by libgit2's checkout: that one would run filters, honour every
//! attribute and keep an index. Here a blob's bytes become a file's bytes, but for the ends of lines
//! that the repository itself asks for.
//!
//! Invariants:
//! - The whole tree is judged before anything of it is written.
//! - Everything is created new, below a directory that was created by this checkout. Links are made
//!   last, so nothing is ever written through one.
//! - The size of an object is asked for before it is read, and counts against a budget that all
//!   repositories of one checkout share.
//! - Whatever the commit holds and the directory does not is reported.

use plugd_disk::Disk;
use plugd_disk::tree::{Limits, OverLimit};
use plugd_model::AbsPath;

use git2::{ObjectType, Odb, OdbObject, Oid, Repository, Tree};

use crate::attributes::{self, Attributes, Ends};
use crate::failure::{Failure, Trouble};
use crate::files::{File, write_files};
use crate::names::{MAX_PATH, Names, Verdict};
use crate::progress::Meter;
use crate::sparse::Sparse;
use crate::{LeftOut, LfsPointer, links, modules};

pub(crate) const MODE_DIR: i32 = 0o040_000;
const MODE_FILE: i32 = 0o100_644;
/// Group-writable, as very old versions of git wrote it.
const MODE_FILE_OLD: i32 = 0o100_664;
const MODE_EXECUTABLE: i32 = 0o100_755;
pub(crate) const MODE_LINK: i32 = 0o120_000;
pub(crate) const MODE_COMMIT: i32 = 0o160_000;

/// Most bytes of one directory's object; names of the longest kind fit some 50,000 times.
pub(crate) const MAX_TREE_OBJECT: usize = 16 << 20;

/// What may still be written.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limits: Limits,
    entries: u64,
    bytes: u64,
}

/// What came of the walk.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) lfs_pointers: Vec<LfsPointer>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) modules: Vec<Module>,
    pub(crate) links: Vec<(String, String)>,
}

/// A repository inside the repository, not fetched yet.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    /// Where it goes, relative to the root of the whole checkout.
    pub(crate) path: String,
    pub(crate) commit: Oid,
    /// What `.gitmodules` says about it.
    pub(crate) url: Option<String>,
}

/// Where a commit is written: `below` the root of the checkout, which is empty for the outermost
/// repository.
pub(crate) struct Target<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) meter: &'a Meter,
    pub(crate) root: &'a AbsPath,
    pub(crate) below: &'a str,
    pub(crate) subdir: Option<&'a str>,
    pub(crate) sparse: &'a Sparse,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: 0,
            bytes: 0,
        }
    }

    fn entry(&mut self, path: &str) -> Result<(), Failure> {
        self.entries += 1;
        let depth = u32::try_from(path.matches('/').count() + 1).unwrap_or(u32::MAX);
        if self.entries > self.limits.entries {
            return Err(over(OverLimit::Entries(self.limits.entries), path));
        }
        if depth > self.limits.depth {
            return Err(over(OverLimit::Depth(self.limits.depth), path));
        }
        Ok(())
    }

    /// Whether this much more may be written.
    pub(crate) fn has_room(&self, more: u64) -> bool {
        self.bytes.saturating_add(more) <= self.limits.bytes
    }

    pub(crate) fn bytes(&mut self, more: usize, path: &str) -> Result<(), Failure> {
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        if self.bytes > self.limits.bytes {
            return Err(over(OverLimit::Bytes(self.limits.bytes), path));
        }
        Ok(())
    }
}

fn over(limit: OverLimit, path: &str) -> Failure {
    Failure::OverLimit {
        limit: limit.to_string(),
        path: path.to_owned(),
    }
}

/// Writes a commit's tree, or a directory of it. The directory it goes into is created here when it
/// is the root, and exists already when it belongs to a submodule.
pub(crate) fn write_commit(
    repository: &Repository,
    commit: Oid,
    target: &Target<'_>,
    budget: &mut Budget,
) -> Result<Written, Trouble> {
    let tree_id = repository
        .find_commit(commit)
        .map_err(|error| Trouble::damaged(&error))?
        .tree_id();
    let mut walk = Walk {
        repository,
        odb: repository.odb().map_err(|error| Trouble::damaged(&error))?,
        target,
        budget,
        dirs: Vec::new(),
        files: Vec::new(),
        attributes: Attributes::default(),
        written: Written::default(),
    };
    let root = walk.tree(tree_id, "")?;
    let urls = walk.module_urls(&root)?;
    let (top, in_repository) = match target.subdir {
        Some(path) => (walk.descend(root, path, commit)?, path),
        None => (root, ""),
    };
    walk.directory(&top, target.below, in_repository)?;
    if target.below.is_empty() {
        target.disk.create_dir(target.root)?;
    }
    for dir in &walk.dirs {
        target.disk.create_dir(&target.root.join(dir))?;
    }
    let mut written = walk.written;
    written.lfs_pointers = write_files(repository, target, &walk.files)?;
    for module in &mut written.modules {
        let below = module.path.strip_prefix(target.below);
        let below = below.unwrap_or(&module.path).trim_start_matches('/');
        module.url = urls.get(&join(in_repository, below)).cloned();
    }
    Ok(written)
}

/// Makes the links of a checkout, once all its files are there.
pub(crate) fn make_links(
    disk: &Disk,
    root: &AbsPath,
    written: &mut Written,
) -> Result<(), Failure> {
    for (path, target) in std::mem::take(&mut written.links) {
        if cfg!(unix) {
            disk.create_link(&root.join(&path), &target)
                .map_err(|error| Failure::disk(&error))?;
        } else {
            written.leave_out(path, "this system has no symbolic links");
        }
    }
    Ok(())
}

impl Written {
    pub(crate) fn leave_out(&mut self, path: String, reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            path,
            reason: reason.into(),
        });
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.lfs_pointers.extend(other.lfs_pointers);
        self.left_out.extend(other.left_out);
        self.modules.extend(other.modules);
        self.links.extend(other.links);
    }
}

struct Walk<'a> {
    repository: &'a Repository,
    odb: Odb<'a>,
    target: &'a Target<'a>,
    budget: &'a mut Budget,
    /// Each in front of what it holds.
    dirs: Vec<String>,
    files: Vec<File>,
    attributes: Attributes,
    written: Written,
}

impl<'a> Walk<'a> {
    /// Reads a directory's object, after a look at its size.
    fn tree(&self, id: Oid, path: &str) -> Result<Tree<'a>, Trouble> {
        let (size, kind) = self.header(id)?;
        if kind != ObjectType::Tree {
            return Err(Trouble::Damaged(format!("{id} is not a directory")));
        }
        if size > MAX_TREE_OBJECT {
            let limit = OverLimit::Entries(self.budget.limits.entries);
            return Err(over(limit, path).into());
        }
        self.repository
            .find_tree(id)
            .map_err(|error| Trouble::damaged(&error))
    }

    fn header(&self, id: Oid) -> Result<(usize, ObjectType), Trouble> {
        header(&self.odb, id)
    }

    fn module_urls(
        &self,
        root: &Tree<'_>,
    ) -> Result<std::collections::BTreeMap<String, String>, Trouble> {
        // Only a plain file counts: a link could make another file's text the addresses.
        let Some(entry) = root
            .get_name(".gitmodules")
            .filter(|entry| is_file(entry.filemode_raw()))
        else {
            return Ok(Default::default());
        };
        let blob = read_blob(&self.odb, entry.id(), modules::MAX_FILE)?;
        let text = blob.map(|blob| String::from_utf8_lossy(blob.data()).into_owned());
        Ok(modules::urls(&text.unwrap_or_default()))
    }

    /// Goes into a directory with what it says of its files.
    fn enter(&mut self, tree: &Tree<'_>, in_repo: &str) -> Result<(), Trouble> {
        let said = tree.get_name(attributes::NAME);
        let said = said.filter(|entry| is_file(entry.filemode_raw()));
        let blob = match said {
            // Of a part of a repository it may be missing in a directory that was not asked for.
            Some(entry) if self.odb.exists(entry.id()) => {
                read_blob(&self.odb, entry.id(), attributes::MAX_FILE)?
            }
            _ => None,
        };
        let text = blob.as_ref().map_or(&[][..], OdbObject::data);
        self.attributes.enter(in_repo, text);
        Ok(())
    }

    fn descend(&mut self, root: Tree<'a>, path: &str, commit: Oid) -> Result<Tree<'a>, Trouble> {
        let (mut tree, mut in_repo) = (root, String::new());
        for part in path.split('/') {
            self.enter(&tree, &in_repo)?;
            in_repo = join(&in_repo, part);
            let id = tree
                .get_name(part)
                .filter(|entry| entry.filemode_raw() == MODE_DIR)
                .map(|entry| entry.id());
            let Some(id) = id else {
                return Err(Failure::DirectoryMissing {
                    commit: commit.to_string(),
                    path: path.to_owned(),
                }
                .into());
            };
            tree = self.tree(id, path)?;
        }
        Ok(tree)
    }

    fn directory(&mut self, tree: &Tree<'_>, dir: &str, in_repo: &str) -> Result<(), Trouble> {
        let mut names = Names::default();
        self.enter(tree, in_repo)?;
        for entry in tree.iter() {
            self.target.meter.step();
            let bytes = entry.name_bytes();
            let shown = shown(dir, bytes);
            let verdict = names.judge(bytes);
            match verdict {
                Verdict::Hostile => return Err(Failure::HostileName { path: shown }.into()),
                Verdict::Long => return Err(Failure::LongName { path: shown }.into()),
                Verdict::Fine | Verdict::LeaveOut(_) => {}
            }
            let name = String::from_utf8_lossy(bytes);
            let in_repo = join(in_repo, &name);
            let mode = entry.filemode_raw();
            let wanted = match mode {
                MODE_DIR => self.target.sparse.enters(&in_repo),
                MODE_COMMIT => self.target.sparse.holds(&in_repo),
                _ => self.target.sparse.takes(&in_repo),
            };
            if !wanted {
                continue;
            }
            let path = join(dir, &name);
            self.budget.entry(&shown)?;
            if path.len() > MAX_PATH {
                return Err(Failure::LongName { path: shown }.into());
            }
            if let Verdict::LeaveOut(reason) = verdict {
                self.written.leave_out(shown, reason);
                continue;
            }
            self.entry(entry.id(), mode, path, &in_repo)?;
        }
        self.attributes.leave();
        Ok(())
    }

    fn entry(&mut self, id: Oid, mode: i32, path: String, in_repo: &str) -> Result<(), Trouble> {
        match mode {
            MODE_DIR => {
                let tree = self.tree(id, &path)?;
                self.dirs.push(path.clone());
                self.directory(&tree, &path, in_repo)
            }
            MODE_LINK => self.link(id, path),
            MODE_COMMIT => {
                // An empty directory, as git leaves one where a submodule is not fetched.
                self.dirs.push(path.clone());
                self.written.modules.push(Module {
                    path,
                    commit: id,
                    url: None,
                });
                Ok(())
            }
            mode if is_file(mode) => {
                let ends = self.attributes.ends(in_repo);
                self.file(id, mode == MODE_EXECUTABLE, ends, path)
            }
            _ => {
                self.written
                    .leave_out(path, "it is neither file, directory nor link");
                Ok(())
            }
        }
    }

    fn file(&mut self, id: Oid, executable: bool, ends: Ends, path: String) -> Result<(), Trouble> {
        let (size, kind) = self.header(id)?;
        if kind != ObjectType::Blob {
            return Err(Trouble::Damaged(format!("{id} is not a file")));
        }
        self.budget.bytes(size, &path)?;
        if ends != Ends::AsCommitted {
            // Each of its bytes may be an end of a line.
            self.budget.bytes(size, &path)?;
        }
        self.files.push(File {
            path,
            id,
            size,
            executable,
            ends,
        });
        Ok(())
    }

    fn link(&mut self, id: Oid, path: String) -> Result<(), Trouble> {
        let blob = read_blob(&self.odb, id, links::MAX_TARGET)?;
        let target = blob.and_then(|blob| String::from_utf8(blob.data().to_vec()).ok());
        // Inside its own repository: a submodule's link must not reach into its parent.
        let own = path.strip_prefix(self.target.below).unwrap_or(&path);
        let own = own.trim_start_matches('/').to_owned();
        match target.filter(|target| links::stays_inside(&own, target)) {
            Some(target) => self.written.links.push((path, target)),
            None => self
                .written
                .leave_out(path, "it is a link that may lead out of the tree"),
        }
        Ok(())
    }
}

fn header(odb: &Odb<'_>, id: Oid) -> Result<(usize, ObjectType), Trouble> {
    odb.read_header(id)
        .map_err(|error| Trouble::damaged(&error))
}

/// Reads a blob of at most `limit` bytes; `None` when it is larger.
pub(crate) fn read_blob<'a>(
    odb: &'a Odb<'_>,
    id: Oid,
    limit: usize,
) -> Result<Option<OdbObject<'a>>, Trouble> {
    let (size, kind) = header(odb, id)?;
    if kind != ObjectType::Blob {
        return Err(Trouble::Damaged(format!("{id} is not a file")));
    }
    if size > limit {
        return Ok(None);
    }
    let object = odb.read(id).map_err(|error| Trouble::damaged(&error))?;
    Ok(Some(object))
}

pub(crate) fn is_file(mode: i32) -> bool {
    matches!(mode, MODE_FILE | MODE_FILE_OLD | MODE_EXECUTABLE)
}

pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// A path for messages: escaped, and cut where it is endless.
pub(crate) fn shown(dir: &str, name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let text: String = name.escape_debug().take(300).collect();
    join(dir, &text)
}

#[cfg(test)]
mod tests {
    use plugd_disk::tree::Limits;
    use pretty_assertions::assert_eq;

    use super::{Budget, shown};

    fn budget() -> Budget {
        Budget::new(Limits {
            entries: 2,
            bytes: 10,
            depth: 3,
        })
    }

    #[test]
    fn each_limit_is_reached_and_not_before() {
        let mut budget = budget();
        assert!(budget.entry("a/b/c").is_ok());
        assert!(budget.entry("a").is_ok());
        let over = budget.entry("b").unwrap_err().to_string();
        assert!(over.contains("more than 2 entries"), "{over}");

        let mut budget = self::budget();
        let over = budget.entry("a/b/c/d").unwrap_err().to_string();
        assert!(over.contains("more than 3 levels"), "{over}");
        assert!(budget.bytes(10, "x").is_ok());
        let over = budget.bytes(1, "y").unwrap_err().to_string();
        assert!(
            over.contains("more than 10 bytes") && over.contains("`y`"),
            "{over}"
        );
        assert!(budget.bytes(usize::MAX, "z").is_err());
    }

    #[test]
    fn a_path_in_a_message_is_escaped_and_ends() {
        assert_eq!(shown("d", b"a\nb\x1b"), "d/a\\nb\\u{1b}");
        assert_eq!(shown("", &[b'a'; 999]).len(), 300);
    }
}

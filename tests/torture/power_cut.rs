//! A probe that follows what happens below a directory, stops it at operation N, and then takes away
//! what a power cut might take.
//!
//! A probe sees operations before they happen, so what became of one is looked up when the same
//! thread does the next one, or later when another one's shows on the disk. What another process has
//! written, the git worker, is found when somebody works with it, and counts as not synced.
#![expect(
    clippy::disallowed_methods,
    reason = "it looks at the real disk past `disk::Disk`, and changes it as a power cut would"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use plugd_disk::{Operation, OperationKind, Probe};
use plugd_testkit::Sandbox;

use crate::dice::Dice;
use crate::unsynced::{Kind, Node, ROOT, Unsynced, path_in};

/// What the git worker keeps for itself: a cache that begins anew when it is damaged.
const MIRRORS: &str = "plugins/.plugd/mirrors";

/// Follows one home.
pub(crate) struct PowerCut {
    home: PathBuf,
    /// Where removed files wait for their return, on the same file system.
    limbo: PathBuf,
    /// The operation that does not happen any more; counted are those that change something.
    at: u64,
    armed: AtomicBool,
    state: Mutex<Watched>,
}

struct Watched {
    model: Unsynced,
    seen: u64,
    cut: Option<String>,
    doubts: Vec<(ThreadId, Doubt)>,
    /// Directories that are being removed, which may take a while.
    condemned: Vec<Node>,
}

/// An operation of which it is not known yet what became of it.
enum Doubt {
    Creates(PathBuf),
    RemovesFile(Node),
    Renames(Node, PathBuf, PathBuf),
    Exchanges(Node, Node, PathBuf, u64),
    SyncsFile(Node),
    SyncsDir(Node, usize),
    SyncsAll(usize),
}

/// What becomes of content that was not synced.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    Emptied,
    Zeroed,
    Random,
}

/// What becomes of names that were not synced.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Names {
    NoneHappened,
    AllHappened,
    AllButTheLast,
    Random,
}

impl PowerCut {
    /// Follows the home of a sandbox from when it is armed; what is there then is durable.
    pub(crate) fn new(sandbox: &Sandbox, at: u64) -> Self {
        let cut = Self {
            home: sandbox.codex_home().as_path().to_owned(),
            limbo: sandbox.path("limbo").as_path().to_owned(),
            at,
            armed: AtomicBool::new(false),
            state: Mutex::new(Watched {
                model: Unsynced::new(),
                seen: 0,
                cut: None,
                doubts: Vec::new(),
                condemned: Vec::new(),
            }),
        };
        fs::create_dir(&cut.limbo).unwrap();
        cut
    }

    pub(crate) fn arm(&self) {
        let mut watched = self.watched();
        self.take_in(&mut watched.model, Path::new(""), ROOT);
        watched.model.begin();
        self.armed.store(true, Ordering::Release);
    }

    /// The operation that did not happen; `None` when all did.
    pub(crate) fn cut(&self) -> Option<String> {
        self.watched().cut.clone()
    }

    /// How many operations changed something.
    pub(crate) fn operations(&self) -> u64 {
        self.watched().seen
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path below the home, unless it is none or nobody's business.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        let relative = path.strip_prefix(&self.home).ok()?;
        (!relative.starts_with(MIRRORS)).then(|| relative.to_owned())
    }

    /// Notes everything on the disk below a known directory that is not known.
    fn take_in(&self, model: &mut Unsynced, relative: &Path, dir: Node) {
        let Ok(entries) = fs::read_dir(self.home.join(relative)) else {
            return;
        };
        for entry in entries.flatten() {
            let path = relative.join(entry.file_name());
            if path == Path::new(MIRRORS) {
                continue;
            }
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let kind = if is_dir { Kind::Dir } else { Kind::File };
            let node = match model.find(&path) {
                Some(node) => node,
                None => model.created(dir, entry.file_name(), kind),
            };
            if is_dir {
                self.take_in(model, &path, node);
            }
        }
    }

    /// The node at a path. What is on the disk and not known is taken in.
    fn node(&self, model: &mut Unsynced, relative: &Path) -> Option<Node> {
        if let Some(node) = model.find(relative) {
            return Some(node);
        }
        let (name, parent) = (relative.file_name()?, relative.parent()?);
        let dir = self.node(model, parent)?;
        // It came in with a directory above it.
        if let Some(node) = model.find(relative) {
            return Some(node);
        }
        let found = fs::symlink_metadata(self.home.join(relative)).ok()?;
        let kind = if found.is_dir() {
            Kind::Dir
        } else {
            Kind::File
        };
        let node = model.created(dir, name.to_owned(), kind);
        if kind == Kind::Dir {
            self.take_in(model, relative, node);
        }
        Some(node)
    }

    fn is_there(&self, relative: &Path) -> bool {
        fs::symlink_metadata(self.home.join(relative)).is_ok()
    }

    fn inode(&self, relative: &Path) -> Option<u64> {
        let found = fs::symlink_metadata(self.home.join(relative));
        found.ok().map(|found| found.ino())
    }

    /// Finds out what became of operations. Those of `over` threads are over; of others it is noted
    /// what shows.
    fn settle(&self, watched: &mut Watched, over: impl Fn(ThreadId) -> bool) {
        for (thread, doubt) in std::mem::take(&mut watched.doubts) {
            let is_over = over(thread);
            let model = &mut watched.model;
            let shows = match &doubt {
                Doubt::Creates(path) => is_over && self.node(model, path).is_some(),
                Doubt::RemovesFile(node) => {
                    let gone = model.path(*node).is_some_and(|path| !self.is_there(&path));
                    if gone {
                        model.removed(*node);
                    }
                    gone
                }
                Doubt::Renames(node, from, to) => {
                    let done = !self.is_there(from) && self.is_there(to);
                    if let (true, Some(parent), Some(name)) = (done, to.parent(), to.file_name())
                        && let Some(dir) = self.node(model, parent)
                    {
                        model.renamed(*node, dir, name.to_owned());
                    }
                    done
                }
                Doubt::Exchanges(left, right, path, inode) => {
                    let done = self.inode(path) == Some(*inode);
                    if done {
                        model.exchanged(*left, *right);
                    }
                    done
                }
                Doubt::SyncsFile(node) if is_over => {
                    model.synced_file(*node);
                    true
                }
                Doubt::SyncsDir(node, changes) if is_over => {
                    model.synced_dir(*node, *changes);
                    true
                }
                Doubt::SyncsAll(changes) if is_over => {
                    model.synced_all(*changes);
                    true
                }
                Doubt::SyncsFile(_) | Doubt::SyncsDir(..) | Doubt::SyncsAll(_) => false,
            };
            if !shows && !is_over {
                watched.doubts.push((thread, doubt));
            }
        }
        let model = &mut watched.model;
        // The innermost ones go first and stand last.
        for node in watched.condemned.iter().rev() {
            if model.path(*node).is_some_and(|path| !self.is_there(&path)) {
                model.removed(*node);
            }
        }
    }

    fn doubt(&self, watched: &mut Watched, operation: &Operation<'_>) {
        use OperationKind as On;
        let Some(path) = self.below(operation.path.as_path()) else {
            return;
        };
        let other = operation
            .other
            .and_then(|other| self.below(other.as_path()));
        let model = &mut watched.model;
        let known = self.node(model, &path);
        let doubt = match (operation.kind, known) {
            (On::CreateDir | On::Write | On::Copy | On::Lock, None) => Doubt::Creates(path),
            (On::SyncFile, Some(node)) if model.kind(node) == Kind::Dir => {
                // Wherever it is: what a thread did last shows only now, perhaps in another place.
                self.take_in(model, Path::new(""), ROOT);
                Doubt::SyncsAll(model.changes())
            }
            (On::SyncFile, Some(node)) => Doubt::SyncsFile(node),
            (On::SyncDir, Some(node)) => {
                self.take_in(model, &path, node);
                Doubt::SyncsDir(node, model.changes())
            }
            (On::RemoveFile, Some(node)) => {
                self.keep_link(&path, node);
                Doubt::RemovesFile(node)
            }
            (On::RemoveDir, Some(node)) => {
                watched.condemned.push(node);
                return;
            }
            (On::Rename, Some(node)) => {
                let Some(to) = other else { return };
                if let Some(over) = self.node(model, &to) {
                    self.keep_link(&to, over);
                }
                Doubt::Renames(node, path, to)
            }
            (On::Exchange, Some(left)) => {
                let Some(to) = other else { return };
                let (Some(right), Some(inode)) = (self.node(model, &to), self.inode(&path)) else {
                    return;
                };
                Doubt::Exchanges(left, right, to, inode)
            }
            _ => return,
        };
        watched.doubts.push((thread::current().id(), doubt));
    }

    /// A second name for a file that may go, so that it can come back as itself.
    fn keep_link(&self, relative: &Path, node: Node) {
        let kept = self.limbo.join(format!("{node}"));
        // It has one already, or is no file.
        let _ = fs::hard_link(self.home.join(relative), kept);
    }

    /// Takes away what was not synced, after everything has ended. Answers what was lost.
    pub(crate) fn happens(&self, names: Names, content: Content, dice: &mut Dice) -> Vec<String> {
        let mut watched = self.watched();
        self.settle(&mut watched, |_| true);
        let model = &mut watched.model;
        self.take_in(model, Path::new(""), ROOT);
        self.must_be_right(model);
        let open = model.open();
        let happened: BTreeSet<usize> = match names {
            Names::NoneHappened => BTreeSet::new(),
            Names::AllHappened => open.iter().copied().collect(),
            Names::AllButTheLast => open.iter().rev().skip(1).copied().collect(),
            Names::Random => open.iter().copied().filter(|_| dice.toss()).collect(),
        };
        let after = model.after(&happened);
        let mut lost = self.move_to(model, &after);
        for node in model.dirty() {
            let Some(path) = path_in(&after, *node) else {
                continue;
            };
            if self.spoil(&self.home.join(&path), content, dice) {
                lost.push(format!("content of {}", path.display()));
            }
        }
        lost
    }

    /// The model knows exactly what is on the disk, or it would prove nothing.
    fn must_be_right(&self, model: &Unsynced) {
        let mut on_disk = BTreeSet::new();
        let mut dirs = vec![PathBuf::new()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(self.home.join(&dir)).unwrap().flatten() {
                let path = dir.join(entry.file_name());
                if path == Path::new(MIRRORS) {
                    continue;
                }
                if entry.file_type().unwrap().is_dir() {
                    dirs.push(path.clone());
                }
                on_disk.insert(path);
            }
        }
        let known = model.paths();
        let odd: Vec<_> = known.symmetric_difference(&on_disk).collect();
        assert!(odd.is_empty(), "the model has lost track of {odd:?}");
    }

    /// Moves the real tree to where names are after the cut.
    fn move_to(
        &self,
        model: &Unsynced,
        after: &BTreeMap<Node, crate::unsynced::Place>,
    ) -> Vec<String> {
        let mut lost = Vec::new();
        let mut now: BTreeMap<Node, PathBuf> = BTreeMap::new();
        let differs = |node: &Node| {
            let is = model.path(*node).and_then(|_| model.place(*node));
            is != after.get(node)
        };
        let nodes: Vec<Node> = (1..model.nodes()).filter(differs).collect();
        // The innermost first, so that every path still is what it was.
        let mut leaving: Vec<(PathBuf, Node)> = nodes
            .iter()
            .filter_map(|node| Some((model.path(*node)?, *node)))
            .collect();
        leaving.sort_by_key(|(path, _)| std::cmp::Reverse(path.iter().count()));
        for (path, node) in leaving {
            let aside = self.limbo.join(format!("{node}"));
            // A second name of it may lie there.
            let _ = fs::remove_file(&aside);
            fs::rename(self.home.join(&path), &aside).unwrap();
            now.insert(node, path);
        }
        let mut arriving: Vec<(PathBuf, Node)> = nodes
            .iter()
            .filter_map(|node| Some((path_in(after, *node)?, *node)))
            .collect();
        arriving.sort_by_key(|(path, _)| path.iter().count());
        for (path, node) in &arriving {
            let aside = self.limbo.join(format!("{node}"));
            if model.kind(*node) == Kind::Dir && fs::symlink_metadata(&aside).is_err() {
                fs::create_dir(&aside).unwrap();
            }
            fs::rename(&aside, self.home.join(path)).unwrap();
        }
        for node in nodes {
            let to = path_in(after, node);
            lost.push(match (now.get(&node), to) {
                (Some(from), Some(to)) => format!("{} is {}", from.display(), to.display()),
                (Some(from), None) => format!("{} is gone", from.display()),
                (None, Some(to)) => format!("{} is back", to.display()),
                (None, None) => continue,
            });
        }
        lost
    }

    fn spoil(&self, path: &Path, content: Content, dice: &mut Dice) -> bool {
        let bytes = match fs::read(path) {
            Ok(bytes) if !bytes.is_empty() => bytes,
            _ => return false,
        };
        let spoiled = match content {
            Content::Emptied => Vec::new(),
            Content::Zeroed => vec![0; bytes.len()],
            Content::Random => match dice.below(4) {
                0 => return false,
                1 => Vec::new(),
                2 => vec![0; bytes.len()],
                _ => bytes[..dice.index(bytes.len())].to_vec(),
            },
        };
        let mode = fs::metadata(path).unwrap().permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(path, spoiled).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        true
    }
}

impl Probe for PowerCut {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if !self.armed.load(Ordering::Acquire) || !operation.kind.mutates() {
            return Ok(());
        }
        let mut watched = self.watched();
        let here = thread::current().id();
        self.settle(&mut watched, |thread| thread == here);
        let off = || io::Error::other("the power is off");
        if watched.cut.is_some() {
            return Err(off());
        }
        watched.seen += 1;
        if watched.seen == self.at {
            watched.cut = Some(format!("{:?} {}", operation.kind, operation.path));
            return Err(off());
        }
        self.doubt(&mut watched, operation);
        Ok(())
    }
}

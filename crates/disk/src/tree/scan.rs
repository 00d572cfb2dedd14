//! The plan: which files and directories of a tree a copy would hold.
//!
//! A scan looks at names, kinds and sizes only. It follows a link by asking the system for the real
//! path and then checking that path against the real root, so a chain of links is judged by its end.

use std::path::{Path, PathBuf};

use plugd_model::{AbsPath, Problem, ProblemKind};

use super::digest::Digest;
use super::pace::{Pace, go_on};
use super::stamps::{Stamps, is_finely_stamped};
use super::{Limits, OverLimit, TreeError};
use crate::{Disk, DiskError, Entry, Kind, Stamp};

/// The directory of git's own data, which is never part of a plugin.
const GIT: &str = ".git";

/// Set-user, set-group and sticky. On a directory they are inherited and mean no harm.
const SPECIAL_BITS: u32 = 0o7000;

/// What of a tree a copy would hold, decided once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePlan {
    pub(super) root: AbsPath,
    pub(super) dirs: Vec<PlanDir>,
    left_out: Vec<Problem>,
    is_plain: bool,
    entries: u64,
    bytes: u64,
}

/// One directory of the copy, with its files. Parents come before their children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlanDir {
    /// Where it goes, relative to the copy; empty for the root.
    pub(super) path: String,
    /// The real directory it comes from, relative to the root; another one when a link led there.
    pub(super) source: PathBuf,
    pub(super) files: Vec<PlanFile>,
}

/// One file of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlanFile {
    pub(super) name: String,
    /// The real file, relative to the root, when a link led there.
    pub(super) linked: Option<PathBuf>,
    pub(super) size: u64,
    executable: bool,
    /// Which content it was: changes with every write, wherever the clock can tell two apart.
    stamp: Stamp,
}

/// A file of a plan, for those who describe a tree without copying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its path in the copy, with `/`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// Whether a link led there: to the file itself or to a directory above it.
    pub linked: bool,
}

impl PlanFile {
    /// Whether an opened file has the times of the planned one: what is read is remembered by the stamps of
    /// the plan. Only where names and handles tell the same times, and not by their numbers, of which some
    /// file systems make up new ones.
    pub(super) fn has_times_of(&self, opened: &Stamp) -> bool {
        let times = |stamp: &Stamp| (stamp.modified_ns, stamp.changed_ns);
        !cfg!(unix) || times(&self.stamp) == times(opened)
    }
}

impl PlanDir {
    /// A file of this directory as others see it.
    pub(super) fn planned(&self, file: &PlanFile) -> PlannedFile {
        PlannedFile {
            path: join(&self.path, &file.name),
            size: file.size,
            executable: file.executable,
            // The source is a real path, so it differs from the path as soon as a link was met.
            linked: file.linked.is_some() || Path::new(&self.path) != self.source,
        }
    }
}

impl TreePlan {
    /// Decides what of the tree below `root` a copy would hold.
    ///
    /// `root` may be a link; what lies below the directory it leads to is the tree. A tree that
    /// holds one of the `exclude` directories is refused.
    ///
    /// # Errors
    /// The root is no directory, something cannot be read, a limit is reached, or `pace` gives the
    /// work up.
    pub fn scan(
        disk: &Disk,
        root: &AbsPath,
        limits: &Limits,
        exclude: &[AbsPath],
        pace: &dyn Pace,
    ) -> Result<Self, TreeError> {
        let root = disk.resolve(root)?;
        if disk.link_stamp(&root)?.map(|stamp| stamp.kind) != Some(Kind::Dir) {
            return Err(TreeError::NotADirectory { path: root });
        }
        for inside in exclude {
            let inside = resolve_existing(disk, inside)?;
            if inside.starts_with(&root) {
                return Err(TreeError::ContainsStore { root, inside });
            }
        }
        let mut scan = Scan {
            disk,
            limits,
            pace,
            chain: Vec::new(),
            plan: Self {
                root,
                dirs: Vec::new(),
                left_out: Vec::new(),
                is_plain: true,
                entries: 0,
                bytes: 0,
            },
        };
        scan.directory(String::new(), PathBuf::new(), 0)?;
        Ok(scan.plan)
    }

    /// The same without what lies in some places, which are named by their paths in the copy with `/`.
    /// `told` is what to say of the topmost ones.
    #[must_use]
    pub fn without(
        mut self,
        is_out: impl Fn(&str) -> bool,
        told: impl Fn(&AbsPath) -> Problem,
    ) -> Self {
        let Self {
            root,
            dirs,
            left_out,
            is_plain,
            bytes,
            ..
        } = &mut self;
        let mut leave_out = |path: &str| {
            left_out.push(told(&root.join(path)));
            *is_plain = false;
        };
        let mut path = String::new();
        dirs.retain_mut(|dir| {
            if is_out(&dir.path) {
                let parent = dir.path.rsplit_once('/').map_or("", |(parent, _)| parent);
                if !is_out(parent) {
                    leave_out(&dir.path);
                }
                *bytes -= dir.files.iter().map(|file| file.size).sum::<u64>();
                return false;
            }
            dir.files.retain(|file| {
                path.clone_from(&dir.path);
                path.push_str(if path.is_empty() { "" } else { "/" });
                path.push_str(&file.name);
                let stays = !is_out(&path);
                if !stays {
                    leave_out(&path);
                    *bytes -= file.size;
                }
                stays
            });
            true
        });
        self
    }

    /// The real root of the tree.
    #[must_use]
    pub fn root(&self) -> &AbsPath {
        &self.root
    }

    /// How many entries were looked at, those left out included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// How many bytes a copy holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is not copied, and why.
    #[must_use]
    pub fn left_out(&self) -> &[Problem] {
        &self.left_out
    }

    /// Whether the tree holds exactly what a copy of it would: no links, no special files, no data
    /// of git, no set-user, set-group or sticky bit on a file, nothing with a name that is refused.
    /// What is stored is plain; only somebody else can have made it otherwise.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// A digest of names and stamps, without any content: the same as long as nobody touched a file.
    /// It is only worth remembering when [`TreePlan::newest_change_ns`] lies well in the past,
    /// because a clock tick is coarser than a write; or where nobody else knew the files when they were
    /// written, as with [`CopyReport::fingerprint`](super::CopyReport::fingerprint).
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let mut stamps = Stamps::new();
        for dir in &self.dirs {
            for file in &dir.files {
                stamps.add(&join(&dir.path, &file.name), &file.stamp);
            }
        }
        stamps.fingerprint()
    }

    /// When a file of the plan was last changed, in nanoseconds since the epoch; 0 without files.
    #[must_use]
    pub fn newest_change_ns(&self) -> i128 {
        let files = self.dirs.iter().flat_map(|dir| &dir.files);
        files
            .map(|file| file.stamp.changed_ns.max(file.stamp.modified_ns))
            .max()
            .unwrap_or(0)
    }

    /// Whether the fingerprint says so also to whoever compares it much later, maybe in another process:
    /// the system tells of every file, to less than a millisecond, when it was changed. Images that are
    /// built, and file systems of cameras and of other machines, have whole seconds, or the same for all
    /// that they ever hold.
    #[must_use]
    pub fn is_finely_stamped(&self) -> bool {
        let mut files = self.dirs.iter().flat_map(|dir| &dir.files);
        files.all(|file| is_finely_stamped(&file.stamp))
    }

    /// The files of the copy, directory by directory.
    pub fn files(&self) -> impl Iterator<Item = PlannedFile> + '_ {
        self.dirs
            .iter()
            .flat_map(|dir| dir.files.iter().map(|file| dir.planned(file)))
    }
}

/// Whether a name may stand in the store: text without control characters, and not git's own.
///
/// Digests are made of lines, and a line break in a name would make two trees look alike.
#[must_use]
pub fn is_storable_name(name: &str) -> bool {
    !name.is_empty() && name != GIT && !name.chars().any(char::is_control)
}

/// Joins a directory of the copy and a name in it.
pub(super) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// Resolves the part of a path that exists, so that a directory that is made later is judged by
/// where it will be.
fn resolve_existing(disk: &Disk, path: &AbsPath) -> Result<AbsPath, DiskError> {
    for ancestor in path.ancestors() {
        match disk.resolve(&ancestor) {
            Ok(real) => {
                let rest = path
                    .as_path()
                    .strip_prefix(&ancestor)
                    .unwrap_or(Path::new(""));
                return Ok(real.join(rest));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(path.clone())
}

struct Scan<'a> {
    disk: &'a Disk,
    limits: &'a Limits,
    pace: &'a dyn Pace,
    /// The real directories from the root to the current one; a link to one of them is a loop.
    chain: Vec<PathBuf>,
    plan: TreePlan,
}

/// Where an entry goes and where it comes from.
struct Spot {
    name: String,
    path: String,
    source: PathBuf,
    depth: u32,
    dir: usize,
}

impl Scan<'_> {
    /// Recursion is bounded by the depth limit.
    fn directory(&mut self, path: String, source: PathBuf, depth: u32) -> Result<(), TreeError> {
        let real = self.plan.root.join(&source);
        let entries = self.list(&real)?;
        let dir = self.plan.dirs.len();
        self.plan.dirs.push(PlanDir {
            path: path.clone(),
            source: source.clone(),
            files: Vec::new(),
        });
        self.chain.push(source.clone());
        for Entry { name, kind } in entries {
            if name == GIT {
                self.plan.is_plain = false;
                continue;
            }
            let place = real.join(&name);
            self.count(&place, depth + 1)?;
            go_on(self.pace, 0)?;
            let Some(name) = name.to_str().filter(|name| is_storable_name(name)) else {
                self.leave_out(
                    &place,
                    "a name that is not UTF-8 or holds control characters is not copied",
                );
                continue;
            };
            let spot = Spot {
                path: join(&path, name),
                source: source.join(name),
                name: name.to_owned(),
                depth: depth + 1,
                dir,
            };
            self.entry(spot, kind, &place)?;
        }
        self.chain.pop();
        Ok(())
    }

    /// Lists a directory as far as the limit allows, so that a directory of millions costs no more
    /// than one that is just too large.
    fn list(&self, real: &AbsPath) -> Result<Vec<Entry>, TreeError> {
        let left = self.limits.entries.saturating_sub(self.plan.entries);
        // Git's own directory is listed and not counted.
        match self.disk.list_up_to(real, left.saturating_add(1)) {
            Ok(Some(entries)) => Ok(entries),
            Ok(None) => Err(TreeError::OverLimit {
                limit: OverLimit::Entries(self.limits.entries),
                path: real.clone(),
            }),
            Err(error) => Err(self.vanished(error)),
        }
    }

    fn entry(&mut self, spot: Spot, kind: Kind, place: &AbsPath) -> Result<(), TreeError> {
        match kind {
            Kind::File => self.file(spot, place, None),
            Kind::Dir => self.directory(spot.path, spot.source, spot.depth),
            Kind::Link => self.link(spot, place),
            Kind::Special => {
                self.leave_out(place, "a FIFO, socket or device is not copied");
                Ok(())
            }
        }
    }

    fn file(
        &mut self,
        spot: Spot,
        place: &AbsPath,
        linked: Option<PathBuf>,
    ) -> Result<(), TreeError> {
        let real = match &linked {
            Some(target) => self.plan.root.join(target),
            None => place.clone(),
        };
        let stamp = self.disk.link_stamp(&real)?;
        let Some(stamp) = stamp.filter(|stamp| stamp.kind == Kind::File) else {
            return Err(TreeError::Changed { path: real });
        };
        self.plan.bytes = self.plan.bytes.saturating_add(stamp.size);
        if self.plan.bytes > self.limits.bytes {
            return Err(TreeError::OverLimit {
                limit: OverLimit::Bytes(self.limits.bytes),
                path: place.clone(),
            });
        }
        self.plan.is_plain &= linked.is_none() && stamp.mode & SPECIAL_BITS == 0;
        self.plan.dirs[spot.dir].files.push(PlanFile {
            name: spot.name,
            linked,
            size: stamp.size,
            executable: stamp.is_executable(),
            stamp,
        });
        Ok(())
    }

    fn link(&mut self, spot: Spot, place: &AbsPath) -> Result<(), TreeError> {
        let real = match self.disk.resolve(place) {
            Ok(real) => real,
            Err(error) if leads_nowhere(&error) => {
                self.leave_out(place, "a link that leads nowhere is not copied");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Ok(target) = real.as_path().strip_prefix(&self.plan.root) else {
            self.leave_out(
                place,
                "a link that leads out of the directory is not copied",
            );
            return Ok(());
        };
        if target.components().any(|part| part.as_os_str() == GIT) {
            self.leave_out(place, "a link into git's own data is not copied");
            return Ok(());
        }
        let target = target.to_path_buf();
        match self.disk.link_stamp(&real)?.map(|stamp| stamp.kind) {
            Some(Kind::File) => self.file(spot, place, Some(target)),
            Some(Kind::Dir) if self.chain.contains(&target) => {
                self.leave_out(place, "a link to a directory above it is not copied");
                Ok(())
            }
            Some(Kind::Dir) => {
                self.plan.is_plain = false;
                self.directory(spot.path, target, spot.depth)
            }
            Some(Kind::Special) => {
                self.leave_out(place, "a link to a FIFO, socket or device is not copied");
                Ok(())
            }
            Some(Kind::Link) | None => Err(TreeError::Changed {
                path: place.clone(),
            }),
        }
    }

    fn count(&mut self, place: &AbsPath, depth: u32) -> Result<(), TreeError> {
        self.plan.entries += 1;
        let limit = if self.plan.entries > self.limits.entries {
            OverLimit::Entries(self.limits.entries)
        } else if depth > self.limits.depth {
            OverLimit::Depth(self.limits.depth)
        } else {
            return Ok(());
        };
        Err(TreeError::OverLimit {
            limit,
            path: place.clone(),
        })
    }

    fn leave_out(&mut self, place: &AbsPath, why: &str) {
        let problem = Problem::warning(ProblemKind::LeftOut, why).in_file(place);
        self.plan.left_out.push(problem);
        self.plan.is_plain = false;
    }

    /// A directory that is gone when it is listed was there when its parent was.
    fn vanished(&self, error: DiskError) -> TreeError {
        if error.is_not_found() {
            TreeError::Changed {
                path: error.path().clone(),
            }
        } else {
            error.into()
        }
    }
}

/// A link whose end cannot be reached: missing, in a loop, or behind a directory we may not search
/// (one inside the tree is an error of its own when it is listed).
fn leads_nowhere(error: &DiskError) -> bool {
    error.is_not_found() || error.is_link_loop() || error.is_denied()
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;

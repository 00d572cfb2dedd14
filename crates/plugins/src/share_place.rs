//! Where a working copy lies, and how it gets there.
//!
//! Three things are changed, in this order: the record of where the share lies, the directory, the
//! entry in the marketplace. Whatever is interrupted, the next checkout of the same share finds the
//! record and goes on: without the directory it is fetched again, with it only the entry is made.

use std::time::Duration;

use plugd_catalog::{Item, insert_share_path, read_share_paths, remove_share_path};
use plugd_disk::tree::{Limits, TreePlan, copy, remove_tree, sync_tree};
use plugd_disk::{Disk, DiskError, FileLock, Kind};
use plugd_manifest::MAX_MARKETPLACE_BYTES;
use plugd_model::{AbsPath, MarketplaceName, Problem};

use crate::call::Call;
use crate::share_checkout::{ACTION, another_name};
use crate::share_error::ShareError;
use crate::share_home::{HomeEntry, HomeMarketplace, with_entry};
use crate::{Error, Lookup};

/// How long to wait for another checkout into the same home directory.
const PATIENCE: Duration = Duration::from_secs(30);
/// A directory beside a working copy that is being copied there from another file system.
const STAGING: &str = ".plugd-checkout";
/// The directory of working copies, below the home directory.
const COPIES: &str = "plugins";
/// The marketplace that lists them.
const MARKETPLACE: &str = ".agents/plugins/marketplace.json";

/// The places of one home directory.
pub(crate) struct Places {
    home: AbsPath,
}

/// What stands where a working copy belongs.
#[derive(Debug)]
pub(crate) enum Place {
    /// The working copy.
    There {
        path: AbsPath,
        problems: Vec<Problem>,
    },
    /// Nothing.
    Free {
        path: AbsPath,
        problems: Vec<Problem>,
    },
}

/// A working copy in its place.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) path: AbsPath,
    pub(crate) marketplace: MarketplaceName,
    pub(crate) manifest: AbsPath,
    /// Whether the directory is new.
    pub(crate) copied: bool,
    /// Whether the marketplace was changed.
    pub(crate) listed: bool,
    pub(crate) problems: Vec<Problem>,
}

/// The marketplace with the entry in it, not yet written.
struct Planned {
    file: AbsPath,
    now: HomeMarketplace,
    is_new: bool,
}

impl Places {
    /// # Errors
    /// There is no home directory.
    pub(crate) fn of(lookup: &Lookup) -> Result<Self, Error> {
        let home = lookup.home().ok_or(ShareError::BadRequest {
            field: "remotePluginId",
            reason: "there is no home directory to check a plugin out to",
        })?;
        Ok(Self { home: home.clone() })
    }

    /// Finds where the working copy of a plugin is or belongs.
    ///
    /// # Errors
    /// Something else stands there, it is outside the home directory, or the marketplace cannot take
    /// the entry.
    pub(crate) fn find(&self, lookup: &Lookup, item: &Item) -> Result<Place, Error> {
        let disk = lookup.disk();
        let mut known = read_share_paths(disk, lookup.layout());
        let mut problems = std::mem::take(&mut known.problems);
        let mapped = known.paths.remove(&item.id);
        if let Some(path) = &mapped
            && let Some(stamp) = disk.stamp(path)?
        {
            if stamp.kind != Kind::Dir {
                return Err(refused(path, "expected a plugin directory").into());
            }
            self.planned(disk, item, path)?;
            if let Ok(Some(found)) = lookup.loader().plugin(path)
                && found.value.name != item.name.as_str()
            {
                problems.push(another_name(&found.value.name, item).in_file(path));
            }
            return Ok(Place::There {
                path: path.clone(),
                problems,
            });
        }
        let path = mapped.unwrap_or_else(|| self.home.join(COPIES).join(item.name.as_str()));
        self.check_free(disk, item, &path)?;
        self.planned(disk, item, &path)?;
        Ok(Place::Free { path, problems })
    }

    /// Lists a working copy that is there.
    ///
    /// # Errors
    /// The marketplace cannot take the entry or cannot be written.
    pub(crate) fn list(
        &self,
        call: &Call,
        lookup: &Lookup,
        item: &Item,
        path: AbsPath,
        problems: Vec<Problem>,
    ) -> Result<Taken, Error> {
        let _lock = lock(call, lookup)?;
        let disk = lookup.disk();
        let planned = self.planned(disk, item, &path)?;
        planned.write(disk)?;
        Ok(planned.taken(path, false, problems))
    }

    /// Puts a complete tree into its place and lists it.
    ///
    /// # Errors
    /// As [`Places::find`], or the system refuses; then everything is as it was.
    pub(crate) fn take(
        &self,
        call: &Call,
        lookup: &Lookup,
        item: &Item,
        staged: &AbsPath,
        path: AbsPath,
        mut problems: Vec<Problem>,
    ) -> Result<Taken, Error> {
        call.progress.report("activating", 0, None);
        let _lock = lock(call, lookup)?;
        let (disk, layout) = (lookup.disk(), lookup.layout());
        // Somebody may have been faster.
        self.check_free(disk, item, &path)?;
        let planned = self.planned(disk, item, &path)?;
        let before = read_share_paths(disk, layout).paths.remove(&item.id);
        let recorded = insert_share_path(disk, layout, &item.id, &path);
        problems.extend(recorded.map_err(|source| ShareError::Mapping {
            action: ACTION,
            source: Box::new(source),
        })?);
        let placed = put(disk, staged, &path).and_then(|()| {
            let listed = planned.write(disk).map_err(Error::from);
            listed.inspect_err(|_| taken_back(disk, &path))
        });
        if let Err(error) = placed {
            if before.is_none()
                && let Err(error) = remove_share_path(disk, layout, &item.id)
            {
                tracing::warn!(%error, "the record of a working copy that is not there stays");
            }
            return Err(error);
        }
        Ok(planned.taken(path, true, problems))
    }

    /// Holds if a working copy can be made at a path.
    fn check_free(&self, disk: &Disk, item: &Item, path: &AbsPath) -> Result<(), Error> {
        self.below_home(path)?;
        if disk.link_stamp(path)?.is_some() {
            let words = format!(
                "cannot check out remote plugin `{}` because the local plugin path already exists",
                item.id
            );
            return Err(refused(path, words).into());
        }
        // A link on the way could lead anywhere, and a marketplace lists nothing outside its root.
        let mut nearest = path.ancestors().skip(1);
        let nearest = nearest.find(|dir| matches!(disk.stamp(dir), Ok(Some(_))));
        let real_home = disk.resolve(&self.home)?;
        match nearest {
            Some(dir) if disk.resolve(&dir)?.starts_with(&real_home) => Ok(()),
            _ => {
                let words = "local plugin path leads out of the home directory through a link";
                Err(refused(path, words).into())
            }
        }
    }

    /// The path of a working copy as the marketplace names it.
    fn below_home(&self, path: &AbsPath) -> Result<String, ShareError> {
        let outside = || {
            let words = "local plugin path must be inside the home directory to be listed in the \
                         personal marketplace";
            refused(path, words)
        };
        let below = path.as_path().strip_prefix(self.home.as_path());
        let below = below.map_err(|_| outside())?;
        let mut text = String::from(".");
        for part in below.components() {
            let std::path::Component::Normal(part) = part else {
                return Err(outside());
            };
            let part = part.to_str();
            text.push('/');
            text.push_str(part.ok_or_else(|| refused(path, "the path is no text"))?);
        }
        if text == "." {
            Err(outside())
        } else {
            Ok(text)
        }
    }

    /// The marketplace with the entry in it.
    fn planned(&self, disk: &Disk, item: &Item, path: &AbsPath) -> Result<Planned, Error> {
        let file = self.home.join(MARKETPLACE);
        let entry = HomeEntry {
            name: item.name.clone(),
            path: self.below_home(path)?,
            install_policy: item.install_policy,
            auth_policy: item.auth_policy,
            category: category(item),
        };
        let present = match disk.read(&file, MAX_MARKETPLACE_BYTES) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(bad_file(&file, error.problem()).into()),
        };
        let now = with_entry(present.as_deref(), &entry)
            .map_err(|problem| bad_file(&file, problem.in_file(&file)))?;
        Ok(Planned {
            is_new: present.as_deref() != Some(now.text.as_bytes()),
            file,
            now,
        })
    }
}

impl Planned {
    fn write(&self, disk: &Disk) -> Result<(), DiskError> {
        if !self.is_new {
            return Ok(());
        }
        if let Some(parent) = self.file.parent() {
            disk.create_dirs_durably(&parent)?;
        }
        disk.replace(&self.file, self.now.text.as_bytes(), 0o600)
    }

    fn taken(self, path: AbsPath, copied: bool, problems: Vec<Problem>) -> Taken {
        Taken {
            path,
            marketplace: self.now.name,
            manifest: self.file,
            copied,
            listed: self.is_new,
            problems,
        }
    }
}

/// Between checkouts into one home directory; with it in hand the request is sealed.
fn lock(call: &Call, lookup: &Lookup) -> Result<FileLock, Error> {
    let file = lookup.layout().lock("share");
    Ok(lookup.disk().lock(&file, call.patience(PATIENCE))?)
}

/// Puts a complete tree into its place, in one step. From another file system it is copied beside it
/// first; what an interrupted copy left there is removed, which the lock makes safe.
fn put(disk: &Disk, staged: &AbsPath, path: &AbsPath) -> Result<(), Error> {
    let Some(parent) = path.parent() else {
        return Err(refused(path, "expected a plugin directory").into());
    };
    disk.create_dirs_durably(&parent)?;
    if disk.rename(staged, path).is_err() {
        let beside = parent.join(STAGING);
        remove_tree(disk, &beside)?;
        let moved = copy_beside(disk, staged, &beside)
            .and_then(|()| disk.rename(&beside, path).map_err(Error::from));
        if let Err(error) = moved {
            taken_back(disk, &beside);
            return Err(error);
        }
    }
    disk.sync_dir(&parent)?;
    Ok(())
}

fn copy_beside(disk: &Disk, staged: &AbsPath, beside: &AbsPath) -> Result<(), Error> {
    let at_ease = plugd_disk::tree::AtEase;
    let plan = TreePlan::scan(disk, staged, &Limits::INSTALL, &[], &at_ease)?;
    copy(disk, &plan, beside, &at_ease)?;
    sync_tree(disk, beside)?;
    Ok(())
}

/// Removes a tree that was put there a moment ago.
fn taken_back(disk: &Disk, path: &AbsPath) {
    if let Err(error) = remove_tree(disk, path) {
        tracing::warn!(%path, %error, "a working copy cannot be taken back");
    }
}

/// The shelf that the service puts it on.
fn category(item: &Item) -> Option<String> {
    item.release.interface.as_ref()?.texts.category.clone()
}

fn refused(path: &AbsPath, reason: impl Into<String>) -> ShareError {
    ShareError::BadPath {
        action: ACTION,
        path: path.clone(),
        reason: reason.into(),
    }
}

fn bad_file(file: &AbsPath, problem: Problem) -> ShareError {
    ShareError::BadFile {
        action: ACTION,
        path: file.clone(),
        problem: Box::new(problem),
    }
}

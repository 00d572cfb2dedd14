//! The only way to a parsed file.
//!
//! Invariants:
//! - An unchanged file is read and parsed once; afterwards a question costs one look per place
//!   where the manifest could be, and answers with the same `Arc`.
//! - What is handed out was read from the file that is there now, as far as its stamp tells.
//! - The memory of all remembered files is bounded, and does not grow with files that nobody asks for
//!   any more.
//!
//! A stamp is device, inode, size, modification time and change time. The modification time alone
//! would not do: a program can set it back, and two writes within one tick of the clock share it.
//! The change time cannot be set, and a file that is replaced by a rename, as editors, git and this
//! daemon do it, has another inode. What is left is a file rewritten in place with the same number
//! of bytes within the same clock tick in which it was read, a few milliseconds at most; the next
//! change of any kind heals that. Systems without inode and change time have fine clocks instead.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plugd_disk::{Disk, Kind, Stamp};
use plugd_model::{AbsPath, PluginManifest, Problem, ProblemKind};

use crate::cache::Cache;
use crate::locate::{self, Look, MarketplaceSearch, Seen};
use crate::marketplace::{MarketplaceManifest, parse_marketplace};
use crate::vouched::Vouched;
use crate::{MAX_MARKETPLACE_BYTES, plugin};

/// How many marketplaces and plugins are remembered.
const MARKETPLACES: usize = 256;
const PLUGINS: usize = 16_384;
/// How many bytes of source text are remembered in parsed form, for each of both. Room for two of
/// the largest marketplaces; the usual one has some hundred kilobytes.
const REMEMBERED_BYTES: usize = 32 * 1024 * 1024;
/// What a remembered file costs beside its text.
const BASE_COST: usize = 512;

/// A parsed file with its stamp and problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<T> {
    /// What the file says.
    pub value: T,
    /// The stamp of the very file that was read: a key for whatever is derived from it.
    pub stamp: Stamp,
    /// What is wrong in it. Errors speak of parts that are left out, warnings of members that are
    /// ignored.
    pub problems: Vec<Problem>,
    /// The file.
    pub file: AbsPath,
}

/// Reads and remembers manifests. Share it behind an `Arc`; every method takes `&self`.
pub struct Loader {
    disk: Disk,
    /// Nothing below it is remembered.
    passing: Option<AbsPath>,
    marketplaces: Cache<RememberedMarketplace>,
    plugins: Cache<Arc<RememberedPlugin>>,
    pub(crate) vouched: Vouched,
}

type MarketplaceResult = Result<Arc<Loaded<MarketplaceManifest>>, Problem>;
pub(crate) type PluginResult = Result<Option<Arc<Loaded<PluginManifest>>>, Problem>;

#[derive(Clone)]
struct RememberedMarketplace {
    stamp: Stamp,
    result: MarketplaceResult,
}

struct RememberedPlugin {
    dir_name: String,
    seen: Vec<Seen>,
    result: PluginResult,
    /// Whether somebody has asked again. Who asks once does not ask for long.
    asked_again: AtomicBool,
}

impl RememberedPlugin {
    /// Whether somebody asks for it again and again, and it has a manifest.
    fn is_known_well(&self) -> bool {
        self.asked_again.load(Ordering::Relaxed) && matches!(self.result, Ok(Some(_)))
    }
}

impl Loader {
    /// A loader that remembers nothing yet.
    #[must_use]
    pub fn new(disk: Disk) -> Self {
        Self {
            disk,
            passing: None,
            marketplaces: Cache::new(MARKETPLACES, REMEMBERED_BYTES),
            plugins: Cache::new(PLUGINS, REMEMBERED_BYTES),
            vouched: Vouched::default(),
        }
    }

    /// The same, for a program that makes directories below this one, each for one piece of work: what
    /// is read there is read once, under a path that never comes again.
    #[must_use]
    pub fn passing_over(self, dir: AbsPath) -> Self {
        Self {
            passing: Some(dir),
            ..self
        }
    }

    /// The disk it reads from, for what lies beside a manifest.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The marketplace described by a manifest. A link is followed.
    ///
    /// # Errors
    /// The file as a whole is unusable; the problem has its path and, where known, the place.
    pub fn marketplace(
        &self,
        manifest: &AbsPath,
    ) -> Result<Arc<Loaded<MarketplaceManifest>>, Problem> {
        let stamp = match self.disk.stamp(manifest) {
            Ok(Some(stamp)) => stamp,
            Ok(None) => {
                let message = "the marketplace manifest does not exist";
                return Err(Problem::error(ProblemKind::Missing, message).in_file(manifest));
            }
            Err(error) => return Err(error.problem()),
        };
        if stamp.kind != Kind::File {
            return Err(locate::not_a_file(
                "marketplace manifest",
                manifest,
                stamp.kind,
            ));
        }
        if let Some(known) = self.marketplaces.get(manifest)
            && known.stamp == stamp
        {
            return known.result;
        }
        let (bytes, stamp) = self
            .disk
            .read_stamped(manifest, MAX_MARKETPLACE_BYTES)
            .map_err(|error| error.problem())?;
        let result = parse_marketplace(&bytes, manifest).map(|(value, problems)| {
            Arc::new(Loaded {
                value,
                stamp,
                problems,
                file: manifest.clone(),
            })
        });
        if self.is_passing(manifest) {
            return result;
        }
        let fresh = RememberedMarketplace { stamp, result };
        let cost = bytes.len() + BASE_COST;
        self.marketplaces
            .put(manifest, fresh, cost, |known| known.stamp == stamp)
            .result
    }

    /// The manifest of the marketplace at a root, when there is one: the first file among
    /// [`MARKETPLACE_FILES`](crate::MARKETPLACE_FILES), and what was met in front of it.
    #[must_use]
    pub fn find_marketplace(&self, root: &AbsPath) -> MarketplaceSearch {
        locate::find_marketplace(&self.disk, root)
    }

    /// The manifest of the plugin at a root; `None` when it has none at all. A manifest without a
    /// name takes that of the directory.
    ///
    /// # Errors
    /// A manifest is there and unusable: of the wrong kind, unreadable, invalid as a whole, or in
    /// the Agent Plugins format and not conforming.
    pub fn plugin(&self, root: &AbsPath) -> Result<Option<Arc<Loaded<PluginManifest>>>, Problem> {
        let dir_name = root.file_name().unwrap_or_default().to_string_lossy();
        self.plugin_named(root, &dir_name)
    }

    /// As [`Loader::plugin`], for a directory that is not named after its plugin: a version
    /// directory of the store, or a staged tree.
    ///
    /// # Errors
    /// As [`Loader::plugin`].
    pub fn plugin_named(
        &self,
        root: &AbsPath,
        dir_name: &str,
    ) -> Result<Option<Arc<Loaded<PluginManifest>>>, Problem> {
        if let Some(known) = self.plugins.get(root)
            && known.dir_name == dir_name
            && known.seen.iter().all(|seen| seen.is_current(&self.disk))
        {
            known.asked_again.store(true, Ordering::Relaxed);
            return known.result.clone();
        }
        let (result, seen, cost) = self.read_plugin(root, dir_name);
        let Some(seen) = seen.filter(|_| !self.is_passing(root)) else {
            return result;
        };
        let stamp = stamp_of(&result);
        let fresh = Arc::new(RememberedPlugin {
            dir_name: dir_name.to_owned(),
            seen,
            result,
            asked_again: AtomicBool::new(false),
        });
        let remembered = self.plugins.put(root, fresh, cost, |known| {
            stamp.is_some() && known.dir_name == dir_name && stamp_of(&known.result) == stamp
        });
        remembered.result.clone()
    }

    /// Reads a plugin's manifest past the memory: the outcome, what it hangs on, and what it costs to
    /// remember.
    pub(crate) fn read_plugin(
        &self,
        root: &AbsPath,
        dir_name: &str,
    ) -> (PluginResult, Option<Vec<Seen>>, usize) {
        let Look { found, seen } = locate::find_plugin(&self.disk, root);
        let mut cost = BASE_COST;
        let result = found.and_then(|found| {
            let Some(found) = found else {
                return Ok(None);
            };
            cost += found.bytes.len();
            let (value, mut problems) =
                plugin::parse_plugin(&found.bytes, found.format, dir_name, &found.file)?;
            problems.extend(found.passed_over.map(Problem::as_warning));
            Ok(Some(Arc::new(Loaded {
                value,
                stamp: found.stamp,
                problems,
                file: found.file,
            })))
        });
        (result, seen, cost)
    }

    /// The manifest that a plugin is remembered to have, and what that hangs on, when it was asked for more
    /// than once. Links are not among it.
    pub(crate) fn known_well(
        &self,
        root: &AbsPath,
    ) -> Option<(Arc<Loaded<PluginManifest>>, Vec<Seen>)> {
        let known = self.plugins.get(root)?;
        let manifest = known.result.as_ref().ok()?.as_ref()?;
        let is_known_well = known.is_known_well();
        is_known_well.then(|| (Arc::clone(manifest), known.seen.clone()))
    }

    /// Remembers what was read past the memory of a plugin that is known well, and is another one now.
    pub(crate) fn correct(
        &self,
        root: &AbsPath,
        manifest: &Arc<Loaded<PluginManifest>>,
        seen: Vec<Seen>,
        cost: usize,
    ) {
        let dir_name = root.file_name().unwrap_or_default().to_string_lossy();
        let fresh = Arc::new(RememberedPlugin {
            dir_name: dir_name.into_owned(),
            seen,
            result: Ok(Some(Arc::clone(manifest))),
            asked_again: AtomicBool::new(true),
        });
        self.plugins.put(root, fresh, cost, |_| false);
    }

    /// Whether a plugin is asked for again and again, and has a manifest.
    pub(crate) fn is_known_well(&self, root: &AbsPath) -> bool {
        let known = self.plugins.get(root);
        known.is_some_and(|known| known.is_known_well())
    }

    fn is_passing(&self, path: &AbsPath) -> bool {
        let passing = self.passing.as_ref();
        passing.is_some_and(|dir| path.starts_with(dir))
    }
}

fn stamp_of(result: &PluginResult) -> Option<(Stamp, AbsPath)> {
    let loaded = result.as_ref().ok()?.as_ref()?;
    Some((loaded.stamp, loaded.file.clone()))
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;

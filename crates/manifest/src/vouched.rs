//! Plugins that need no look, because the system vouches for their manifests.
//!
//! A stamp tells of one file and costs a call of the system; a long listing makes thousands. Where the
//! system tells of every change, the same question costs one call for all plugins together.
//!
//! Invariants:
//! - What is handed out was read after the watches over everything that it hangs on had begun, and they
//!   were quiet when the request began. So it is never older than the request, and no clock
//!   and no stamp has a part in it.
//! - The way to a plugin is not watched. The directory around it is looked at, once for each request,
//!   and must be the one that it was.
//! - What is not vouched for, or not any more, is looked at as ever: by the [`Loader`].
//! - Nobody waits for a first watch to begin: who asks leaves a note, and [`Loader::watch_due`] is called
//!   behind the answers. Where a watch was loud the next one begins at once, because of a change that was
//!   told a stamp need not say anything.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_disk::{Kind, Watch};
use plugd_model::{AbsPath, PluginManifest, Problem};

use crate::locate::Seen;
use crate::{Loaded, Loader};

/// How many plugins whose watch was loud one request puts under watch again: it costs more than a look, and
/// somebody waits.
const AGAIN_AT_ONCE: usize = 256;
/// How many are known at most, and how many wait to be watched.
const MAX_PLUGINS: usize = 16_384;

type Manifest = Arc<Loaded<PluginManifest>>;

/// What is under watch.
#[derive(Debug, Default)]
pub(crate) struct Vouched {
    /// How often the system had told of something when all watches were looked through last.
    heard: AtomicU64,
    plugins: Mutex<HashMap<AbsPath, Entry>>,
    /// What is asked for again and again, and not watched yet.
    due: Mutex<HashSet<AbsPath>>,
}

/// What is known of a plugin's root.
#[derive(Debug, Clone)]
enum Entry {
    /// The system vouches for it.
    Known(Arc<Voucher>),
    /// It did until it told of something.
    Loud,
    /// It does not, and is not asked again.
    Refused,
}

#[derive(Debug)]
struct Voucher {
    manifest: Manifest,
    watches: Vec<Watch>,
    /// The directory around the plugin's.
    around: Place,
}

/// A directory, whatever its path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    device: u64,
    inode: u64,
}

/// What one request sees of plugins. It must not outlive the request.
#[derive(Debug)]
pub struct Glance<'a> {
    loader: &'a Loader,
    /// What stands where plugins lie, looked at once.
    around: RefCell<Around>,
    /// How many of them it has put under watch again.
    again: Cell<usize>,
}

/// Directories that were looked at. Most plugins lie in the one of the plugin before.
#[derive(Debug, Default)]
struct Around {
    last: Option<(AbsPath, Option<Place>)>,
    all: HashMap<AbsPath, Option<Place>>,
}

impl Loader {
    /// A glance at what has changed so far.
    #[must_use]
    pub fn glance(&self) -> Glance<'_> {
        let vouched = &self.vouched;
        let heard = self.disk().vigil().catch_up();
        if vouched.heard.swap(heard, Ordering::Relaxed) != heard {
            // Watches over what is gone are given back, whether or not somebody asks again.
            vouched.lock().values_mut().for_each(Entry::listen);
        }
        Glance {
            loader: self,
            around: RefCell::default(),
            again: Cell::new(0),
        }
    }

    /// Whether there are plugins to be put under watch.
    #[must_use]
    pub fn has_due(&self) -> bool {
        !self.vouched.due().is_empty()
    }

    /// Puts some of the plugins under watch that are asked for again and again, and tells whether more of
    /// them wait. It costs more than a look at each, so it is for a moment in which nobody waits.
    pub fn watch_due(&self, at_most: usize) -> bool {
        let (some, more) = {
            let mut due = self.vouched.due();
            let some: Vec<AbsPath> = due.iter().take(at_most).cloned().collect();
            for root in &some {
                due.remove(root);
            }
            (some, !due.is_empty())
        };
        let glance = self.glance();
        for root in some {
            // Of two requests the second may have left its note when the first was being served.
            if glance.untouched(&root).is_none()
                && let Some((manifest, seen)) = self.known_well(&root)
            {
                glance.begin(&root, manifest, &seen);
            }
        }
        more
    }
}

impl Glance<'_> {
    /// The loader behind it.
    #[must_use]
    pub fn loader(&self) -> &Loader {
        self.loader
    }

    /// The manifest of a plugin in which nothing has changed since it was read, and whose root is a
    /// directory and no link. Nothing where that cannot be told without a look.
    #[must_use]
    pub fn untouched(&self, root: &AbsPath) -> Option<Manifest> {
        let entry = self.loader.vouched.lock().get(root).cloned();
        let Some(Entry::Known(voucher)) = entry else {
            return None;
        };
        let is_there = voucher.is_quiet() && self.around(root) == Some(voucher.around);
        is_there.then(|| Arc::clone(&voucher.manifest))
    }

    /// As [`Loader::plugin`]. A plugin that is asked for again and again is to be put under watch.
    ///
    /// # Errors
    /// As [`Loader::plugin`].
    pub fn plugin(&self, root: &AbsPath) -> Result<Option<Manifest>, Problem> {
        if let Some(manifest) = self.begin_again(root) {
            return Ok(Some(manifest));
        }
        let found = self.loader.plugin(root);
        if matches!(found, Ok(Some(_))) && self.loader.is_known_well(root) {
            self.loader.vouched.ask_for(root);
        }
        found
    }

    /// Puts a plugin under watch whose last watch was loud.
    fn begin_again(&self, root: &AbsPath) -> Option<Manifest> {
        let is_loud = match self.loader.vouched.lock().get(root)? {
            Entry::Known(voucher) => !voucher.is_quiet(),
            Entry::Loud => true,
            Entry::Refused => false,
        };
        if !is_loud || self.again.get() >= AGAIN_AT_ONCE {
            return None;
        }
        self.again.set(self.again.get() + 1);
        let (manifest, seen) = self.loader.known_well(root)?;
        self.begin(root, manifest, &seen)
    }

    /// Puts a plugin under watch and reads it. Nothing when the system does not vouch for it, or when
    /// it is not what it was when it was read before.
    fn begin(&self, root: &AbsPath, remembered: Manifest, known: &[Seen]) -> Option<Manifest> {
        let (disk, vouched) = (self.loader.disk(), &self.loader.vouched);
        let there = known
            .iter()
            .filter_map(|seen| Some((seen.path(), seen.kind()?)));
        let around = self.around(root)?;
        // Directories stand in front of what is in them, so that no file can be exchanged unheard.
        let watches: Option<Vec<Watch>> = std::iter::once((root, Kind::Dir))
            .chain(there)
            .map(|(path, kind)| disk.vigil().watch(disk, path, kind))
            .collect();
        let Some(watches) = watches else {
            // Of what has just gone this says nothing: it may come back, and is then asked again.
            if known.iter().all(|seen| seen.is_current(disk)) {
                vouched.put(root, Entry::Refused);
            }
            return None;
        };
        // Else the watches may be over what lay there before.
        if self.place_of(&root.parent()?) != Some(around) {
            return None;
        }
        let dir_name = root.file_name().unwrap_or_default().to_string_lossy();
        let (result, seen, cost) = self.loader.read_plugin(root, &dir_name);
        let read = result.ok()??;
        // What is watched must be what this reading hung on.
        let is_same =
            |(now, then): (&Seen, &Seen)| now.path() == then.path() && now.kind() == then.kind();
        let seen = seen.filter(|seen| seen.len() == known.len())?;
        if !seen.iter().zip(known).all(is_same) {
            return None;
        }
        // One copy is enough, and what was made of it is good for as long as it is this one.
        let manifest = match read == remembered {
            true => remembered,
            false => {
                // Its stamp may say nothing of that.
                self.loader.correct(root, &read, seen, cost);
                read
            }
        };
        let voucher = Voucher {
            manifest: Arc::clone(&manifest),
            watches,
            around,
        };
        vouched.put(root, Entry::Known(Arc::new(voucher)));
        Some(manifest)
    }

    fn around(&self, root: &AbsPath) -> Option<Place> {
        let mut looked = self.around.borrow_mut();
        if let Some((last, place)) = &looked.last
            && root.is_right_in(last)
        {
            return *place;
        }
        let parent = root.parent()?;
        let known = looked.all.get(&parent).copied();
        let place = known.unwrap_or_else(|| self.place_of(&parent));
        looked.all.insert(parent.clone(), place);
        looked.last = Some((parent, place));
        place
    }

    fn place_of(&self, parent: &AbsPath) -> Option<Place> {
        // From inside, because what may not be gone through hides what is in it.
        let stamp = self.loader.disk().stamp_from_inside(parent);
        let stamp = stamp.ok().flatten()?;
        (stamp.kind == Kind::Dir).then_some(Place {
            device: stamp.device,
            inode: stamp.inode,
        })
    }
}

impl Entry {
    /// Lets go of watches one of which was loud.
    fn listen(&mut self) {
        if matches!(self, Self::Known(voucher) if !voucher.is_quiet()) {
            *self = Self::Loud;
        }
    }
}

impl Voucher {
    fn is_quiet(&self) -> bool {
        self.watches.iter().all(Watch::is_quiet)
    }
}

impl Vouched {
    fn put(&self, root: &AbsPath, entry: Entry) {
        let mut plugins = self.lock();
        if plugins.len() >= MAX_PLUGINS {
            plugins.retain(|_, entry| matches!(entry, Entry::Known(_)));
        }
        if plugins.len() < MAX_PLUGINS || plugins.contains_key(root) {
            plugins.insert(root.clone(), entry);
        }
    }

    /// Leaves a note that a plugin is to be watched, unless the system has refused that.
    fn ask_for(&self, root: &AbsPath) {
        if matches!(self.lock().get(root), Some(Entry::Refused)) {
            return;
        }
        let mut due = self.due();
        if due.len() < MAX_PLUGINS {
            due.insert(root.clone());
        }
    }

    /// Held as the table is.
    fn due(&self) -> MutexGuard<'_, HashSet<AbsPath>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held for a look into the table; every change leaves it usable.
    fn lock(&self) -> MutexGuard<'_, HashMap<AbsPath, Entry>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "vouched_tests.rs"]
mod tests;

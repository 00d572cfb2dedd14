//! What lies outside of the store and is needed no more: checkouts that no configuration names, files
//! of the remote catalog that nobody uses, and what killed edits left beside the configuration.
//!
//! Invariants:
//! - Each is judged and removed under the lock that its writers take; a place that is held is left
//!   alone and not counted.
//! - Only what carries a mark of ours goes: a checkout its note, a file our name.

use plugd_disk::{Disk, DiskError, FileLock, Kind};
use plugd_model::{AbsPath, MarketplaceName, Problem, ProblemKind, error_chain};
use plugd_store::{Size, Store};

use crate::Lookup;
use crate::checkout::Note;
use crate::gc_named::Named;
use crate::mirrors::size_below;

/// Something that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loose {
    pub(crate) path: AbsPath,
    pub(crate) size: Size,
}

/// Where loose things are looked for.
pub(crate) struct Sweeper<'a> {
    pub(crate) lookup: &'a Lookup,
    pub(crate) store: &'a Store,
    pub(crate) dry_run: bool,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl Sweeper<'_> {
    /// Checkouts of git marketplaces without a row, and what came as one archive and has none: an
    /// addition that was killed in between, or a removal. A checkout without a note of a git
    /// marketplace is somebody else's.
    pub(crate) fn checkouts(&mut self) -> Vec<(MarketplaceName, Loose)> {
        let layout = self.lookup.layout();
        let dir = layout.git_marketplaces();
        let (checkouts, packed) = (
            self.names_in(&dir).unwrap_or_default(),
            self.names_in(&layout.packed_marketplaces())
                .unwrap_or_default(),
        );
        if checkouts.is_empty() && packed.is_empty() {
            return Vec::new();
        }
        let Some(_held) = self.hold(&layout.git_marketplaces_lock()) else {
            return Vec::new();
        };
        // Under the lock: whoever adds a marketplace writes its row before letting the lock go.
        let named = Named::read(self.lookup, self.lookup.config(None));
        if let Some(why) = named.unknown() {
            let text = format!("no checkout of a marketplace is removed, because {why}");
            self.tell(&dir, text);
            return Vec::new();
        }
        let names = |names: &[String]| {
            let names = names
                .iter()
                .filter_map(|name| MarketplaceName::new(name).ok());
            let loose = names.filter(|name| !named.has_marketplace(name.as_str()));
            loose.collect::<Vec<_>>()
        };
        let places = names(&checkouts).into_iter().filter_map(|name| {
            let place = layout.git_marketplace(&name);
            let note = Note::read(self.lookup.disk(), &place);
            let is_ours = note.is_some_and(|note| note.source.is_some());
            is_ours.then_some((name, place))
        });
        let mut places: Vec<_> = places.collect();
        // Nobody but us writes below our own state.
        let packed = names(&packed).into_iter();
        places.extend(packed.map(|name| (name.clone(), layout.packed_place(&name))));
        let mut found = Vec::new();
        for (name, place) in places {
            if let Some(loose) = self.take_tree(place) {
                found.push((name, loose));
            }
        }
        found
    }

    /// Files of the remote catalog; [`plugd_catalog::Catalog::unused_files`] has the rule.
    pub(crate) fn catalogs(&mut self, config: &plugd_config::Snapshot) -> Vec<Loose> {
        let remote = self.lookup.remote();
        let login = remote.login(config);
        let seen = remote.seen_as(config, &login);
        // A login that cannot be read may be anybody's.
        let is_known = seen.is_some() || login.problems.is_empty();
        if !is_known || config.is_broken() {
            return Vec::new();
        }
        let access = seen.as_ref().map(|(access, _, _)| access);
        match remote.catalog().unused_files(access) {
            Ok(files) => self.take_files(files),
            Err(error) => {
                self.problems.push(error.problem().as_warning());
                Vec::new()
            }
        }
    }

    /// What killed edits left beside the user's files.
    pub(crate) fn edits(&mut self) -> Vec<Loose> {
        let layout = self.lookup.layout();
        let Some(_held) = self.hold(&layout.lock("config")) else {
            return Vec::new();
        };
        match plugd_config::left_overs(self.lookup.disk(), layout) {
            Ok(files) => self.take_files(files),
            Err(error) => {
                self.tell(&layout.user_config(), error_chain(&error));
                Vec::new()
            }
        }
    }

    /// The directories of a directory, sorted; nothing when there is none.
    fn names_in(&mut self, dir: &AbsPath) -> Option<Vec<String>> {
        match self.disk().list(dir) {
            Ok(entries) => {
                let dirs = entries.into_iter().filter(|entry| entry.kind == Kind::Dir);
                let names = dirs.filter_map(|entry| entry.name.into_string().ok());
                Some(names.filter(|name| !name.starts_with('.')).collect())
            }
            Err(error) if error.is_not_found() => None,
            Err(error) => {
                self.problems.push(error.problem().as_warning());
                None
            }
        }
    }

    /// A lock that nobody else has; nothing when somebody does. A dry run makes none.
    fn hold(&mut self, lock: &AbsPath) -> Option<Option<FileLock>> {
        let tried = match self.disk().link_stamp(lock) {
            Ok(None) if self.dry_run => return Some(None),
            Ok(None) => self.made(lock),
            Ok(Some(_)) => self.disk().try_lock(lock),
            Err(error) => Err(error),
        };
        match tried {
            Ok(held) => held.map(Some),
            Err(error) => {
                self.problems.push(error.problem().as_warning());
                None
            }
        }
    }

    fn made(&self, lock: &AbsPath) -> Result<Option<FileLock>, DiskError> {
        if let Some(dir) = lock.parent() {
            self.disk().create_dirs(&dir)?;
        }
        self.disk().try_lock(lock)
    }

    /// Takes a directory away in one step, and then removes it.
    fn take_tree(&mut self, path: AbsPath) -> Option<Loose> {
        let size = match size_below(self.disk(), &path) {
            Ok(size) => size,
            Err(error) => {
                self.stays(&path, &error);
                return None;
            }
        };
        if !self.dry_run
            && let Err(text) = self.move_away(&path)
        {
            self.tell(&path, text);
            return None;
        }
        Some(Loose { path, size })
    }

    fn move_away(&self, path: &AbsPath) -> Result<(), String> {
        let stays = |error: &dyn std::error::Error| format!("it stays: {}", error_chain(error));
        let workspace = self.store.workspace().map_err(|error| stays(&error))?;
        let disk = self.disk();
        let away = workspace.dir().join("removed");
        let moved = disk.rename(path, &away);
        moved.map_err(|error| stays(&error))?;
        let synced = path
            .parent()
            .map_or(Ok(()), |parent| disk.sync_dir(&parent));
        synced.map_err(|error| stays(&error))?;
        // What cannot be removed there is recovery's.
        drop(workspace);
        match disk.link_stamp(&away) {
            Ok(None) => Ok(()),
            _ => Err(format!("it was moved to `{away}` and cannot be removed")),
        }
    }

    fn take_files(&mut self, paths: Vec<AbsPath>) -> Vec<Loose> {
        let mut taken = Vec::new();
        for path in paths {
            let Ok(Some(stamp)) = self.disk().link_stamp(&path) else {
                continue;
            };
            if !self.dry_run
                && let Err(error) = self.disk().remove_file(&path)
            {
                self.stays(&path, &error);
                continue;
            }
            let size = Size {
                files: 1,
                bytes: stamp.size,
            };
            taken.push(Loose { path, size });
        }
        taken
    }

    fn disk(&self) -> &Disk {
        self.lookup.disk()
    }

    fn stays(&mut self, path: &AbsPath, error: &DiskError) {
        self.tell(path, format!("it stays: {}", error_chain(error)));
    }

    fn tell(&mut self, path: &AbsPath, text: String) {
        let problem = Problem::warning(ProblemKind::Unreadable, text);
        self.problems.push(problem.in_file(path));
    }
}

//! Reading: which plugins are installed, without any lock.
//!
//! A copy is exchanged as a whole, so what is listed in one moment can be gone in the next. A look
//! that finds such a gap is repeated.

use plugd_disk::{DiskError, Entry, Kind};
use plugd_model::{
    AbsPath, Layout, MarketplaceName, PluginId, PluginName, Problem, ProblemKind, RemotePluginId,
    Source, VersionSegment, error_chain,
};

use crate::looks::Stamps;
use crate::record::{BoundSource, Record, RecordFile, is_no_record};
use crate::seen::{Seen, SeenRecord};
use crate::vouched::Glance;
use crate::{Identity, Store, StoreError};

/// How often a look is repeated that met a change.
const LOOKS: usize = 3;

/// Whether the record speaks of the copy that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// It does.
    Recorded,
    /// There is no usable record, or another program has put a copy of its own in this place. For
    /// the moment between a swap and its record the new copy looks like this too; who acts on it
    /// takes the lock and looks again.
    Foreign,
}

/// One installed copy. Paths into the cache leave the store only in this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The plugin.
    pub id: PluginId,
    /// The active version.
    pub version: VersionSegment,
    /// Its version directory.
    pub root: AbsPath,
    /// What is recorded about the plugin, also when the copy is foreign.
    pub record: Option<Record>,
    /// Whether the record speaks of this copy.
    pub provenance: Provenance,
    /// The id in the remote catalog, when the sidecar names one.
    pub remote_id: Option<RemotePluginId>,
    /// Whether the version directory holds nothing. The reference calls that installed and never
    /// repairs it.
    pub is_empty: bool,
    /// What this look found, for whoever acts on it later.
    pub seen: Seen,
    /// What is wrong with record or sidecar.
    pub problems: Vec<Problem>,
}

impl Installed {
    /// A plugin that is used where it lies, outside of the store. Nothing can be done to it through
    /// the store, because no look found it there.
    #[must_use]
    pub fn in_place(id: PluginId, version: VersionSegment, root: AbsPath) -> Self {
        Self {
            id,
            version,
            root,
            record: None,
            provenance: Provenance::Foreign,
            remote_id: None,
            is_empty: false,
            seen: Seen {
                directory: None,
                version: None,
                record: SeenRecord::Absent,
            },
            problems: Vec::new(),
        }
    }

    /// The record, when it speaks of this copy.
    #[must_use]
    pub fn provenance_record(&self) -> Option<&Record> {
        self.record
            .as_ref()
            .filter(|_| self.provenance == Provenance::Recorded)
    }

    /// The id in the hosted catalog of a copy that came from there, by our own record of this very
    /// copy, and without one by its sidecar. `None` means that nothing says so, and then the copy may
    /// be anybody's.
    #[must_use]
    pub fn remote(&self) -> Option<&RemotePluginId> {
        match self.provenance_record() {
            Some(record) => remote_of(record),
            None => self.remote_id.as_ref(),
        }
    }

    /// The entry source that is recorded.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.record.as_ref().map(|record| record.source.clone())
    }
}

/// What one look at a plugin's directory found.
enum Look {
    Absent,
    /// Something went away between two steps of the look.
    Moved,
    Present(Box<Installed>),
}

/// What becomes of a look whose record the system refuses to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// The copy is shown, with a problem.
    IsTold,
    /// The look fails.
    Fails,
}

impl Store {
    /// The installed copy of a plugin.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn get(&self, id: &PluginId) -> Result<Option<Installed>, StoreError> {
        self.get_and(id, Unread::IsTold)
    }

    /// The same for whoever decides by what is recorded.
    ///
    /// # Errors
    /// The cache cannot be read, or the system refuses to read the record. What is no record at all,
    /// like a directory in its place, is none.
    pub fn get_with_record(&self, id: &PluginId) -> Result<Option<Installed>, StoreError> {
        self.get_and(id, Unread::Fails)
    }

    fn get_and(&self, id: &PluginId, unread: Unread) -> Result<Option<Installed>, StoreError> {
        let mut absent_before = false;
        for _ in 0..LOOKS {
            match self.look(id, unread)? {
                Look::Present(installed) => return Ok(Some(*installed)),
                // Where directories cannot be exchanged there is a moment without one.
                Look::Absent if absent_before => return Ok(None),
                Look::Absent => absent_before = true,
                Look::Moved => {}
            }
        }
        Ok(None)
    }

    /// All installed copies, sorted by id, and what stands in the cache and is none.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn list(&self) -> Result<(Vec<Installed>, Vec<Problem>), StoreError> {
        let cache = self.layout().cache();
        let glance = self.glance();
        let (mut copies, mut problems) = (Vec::new(), Vec::new());
        for (name, dir) in self.dirs_in(&cache)? {
            let Some(Ok(marketplace)) = name.as_deref().map(MarketplaceName::new) else {
                problems.push(bad_name(&dir, "marketplace"));
                continue;
            };
            self.copies_of(&glance, &marketplace, &mut copies, &mut problems)?;
        }
        copies.sort_by(|left, right| left.id.cmp(&right.id));
        self.inner.looks.forget_others(&copies);
        Ok((copies, problems))
    }

    /// The installed copies of one marketplace, and what stands there and is none.
    pub(crate) fn copies_of(
        &self,
        glance: &Glance,
        marketplace: &MarketplaceName,
        copies: &mut Vec<Installed>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), StoreError> {
        let around = glance.around(self, marketplace);
        let dir = self.layout().cache().join(marketplace.as_str());
        for (name, dir) in self.dirs_in(&dir)? {
            if name.as_deref().is_some_and(is_staging_of_the_reference) {
                continue;
            }
            let Some(Ok(plugin)) = name.as_deref().map(PluginName::new) else {
                problems.push(bad_name(&dir, "plugin"));
                continue;
            };
            let id = PluginId {
                plugin,
                marketplace: marketplace.clone(),
            };
            let looks = &self.inner.looks;
            let around = around.as_ref();
            if let Some(untouched) = around.and_then(|around| looks.untouched(&id, around)) {
                copies.push(untouched);
                continue;
            }
            // One unreadable directory does not hide the others.
            match self.list_one(&id) {
                Ok(installed) => copies.extend(installed),
                Err(problem) => problems.push(problem),
            }
        }
        Ok(())
    }

    /// What [`Store::list`] says of one plugin, without a look at the others.
    ///
    /// # Errors
    /// Its directory cannot be read.
    pub fn list_one(&self, id: &PluginId) -> Result<Option<Installed>, Problem> {
        if is_staging_of_the_reference(id.plugin.as_str()) {
            return Ok(None);
        }
        self.get(id).map_err(|error| {
            let dir = self.layout().plugin_dir(id);
            Problem::error(ProblemKind::Unreadable, error_chain(&error)).in_file(&dir)
        })
    }

    /// Directories and links to some, each with its name if that is text.
    fn dirs_in(&self, dir: &AbsPath) -> Result<Vec<(Option<String>, AbsPath)>, StoreError> {
        let entries = match self.disk().list(dir) {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut dirs = Vec::new();
        for Entry { name, kind } in entries {
            let path = dir.join(&name);
            let is_dir = match kind {
                Kind::Dir => true,
                Kind::Link => {
                    matches!(self.disk().stamp(&path)?, Some(stamp) if stamp.kind == Kind::Dir)
                }
                Kind::File | Kind::Special => false,
            };
            if is_dir {
                dirs.push((name.into_string().ok(), path));
            }
        }
        Ok(dirs)
    }

    fn look(&self, id: &PluginId, unread: Unread) -> Result<Look, StoreError> {
        // Who decides by the record wants to know whether it can be read.
        if unread == Unread::IsTold
            && let Some(found) = self.inner.looks.again(self, id)
        {
            return Ok(Look::Present(Box::new(found)));
        }
        // Before the look: what is changed during it has just been changed, however long it takes.
        let now = self.inner.clock.now();
        let dir = self.layout().plugin_dir(id);
        // The directory first: when it is exchanged after this, the whole fits nothing.
        let directory = self.identity(&dir)?;
        let Some(entries) = absent_is_none(self.disk().list(&dir))? else {
            return Ok(Look::Absent);
        };
        let versions = version_dirs(&entries);
        let Some(version) = VersionSegment::active(&versions).cloned() else {
            return Ok(Look::Absent);
        };
        let root = dir.join(version.as_str());
        let stamps = Stamps::of(self, id, &root).filter(|stamps| stamps.are_of(directory));
        let Some(stamp) = self.disk().link_stamp(&root)? else {
            return Ok(Look::Moved);
        };
        let Some(content) = absent_is_none(self.disk().list(&root))? else {
            return Ok(Look::Moved);
        };
        let mut problems = Vec::new();
        let file = match self.record_file(id) {
            Err(error) if unread == Unread::Fails && !is_no_record(&error) => return Err(error),
            file => file,
        };
        let seen_record = SeenRecord::of(&file);
        let record = self.recorded(id, file, &mut problems);
        let remote_id = if entries.iter().any(|e| e.name == Layout::REMOTE_SIDECAR) {
            self.read_sidecar(&dir, &mut problems)
        } else {
            None
        };
        let identity = Identity::of(&stamp);
        let speaks_of_it =
            |record: &&Record| record.version == version && record.directory.is(&identity);
        let recorded = record.as_ref().filter(speaks_of_it);
        if let (Some(record), Some(marked)) = (recorded, &remote_id) {
            problems.extend(disagreement(record, marked, &dir));
        }
        let found = Installed {
            provenance: match recorded {
                Some(_) => Provenance::Recorded,
                None => Provenance::Foreign,
            },
            id: id.clone(),
            seen: Seen {
                directory,
                version: Some((version.clone(), identity)),
                record: seen_record,
            },
            version,
            root,
            record,
            remote_id,
            is_empty: content.is_empty(),
            problems,
        };
        self.inner.looks.keep(&found, stamps, now);
        Ok(Look::Present(Box::new(found)))
    }

    fn recorded(
        &self,
        id: &PluginId,
        file: Result<RecordFile, StoreError>,
        problems: &mut Vec<Problem>,
    ) -> Option<Record> {
        let path = self.layout().record(id);
        match file {
            Ok(file) => {
                problems.extend(file.reason.map(|reason| {
                    let text = format!("the record of `{id}` cannot be understood: {reason}");
                    Problem::warning(ProblemKind::Syntax, text).in_file(&path)
                }));
                file.record
            }
            Err(error) => {
                let problem = Problem::warning(ProblemKind::Unreadable, error_chain(&error));
                problems.push(problem.in_file(&path));
                None
            }
        }
    }
}

/// The id in the hosted catalog that a record has.
fn remote_of(record: &Record) -> Option<&RemotePluginId> {
    match &record.bound {
        BoundSource::Remote { id } => Some(id),
        BoundSource::Manifest(_)
        | BoundSource::Git { .. }
        | BoundSource::Packed(_)
        | BoundSource::Curated => None,
    }
}

/// What there is to say of a sidecar beside a copy of which our own record knows better: anybody can
/// write the one, and only an installation writes the other.
fn disagreement(record: &Record, marked: &RemotePluginId, dir: &AbsPath) -> Option<Problem> {
    let text = match remote_of(record) {
        Some(id) if id == marked => return None,
        Some(id) => format!("it names `{marked}`, and `{id}` was installed"),
        None => format!("it names `{marked}`, and what was installed is not of the remote catalog"),
    };
    let text = format!("the mark of a remote installation is not used: {text}");
    let path = dir.join(Layout::REMOTE_SIDECAR);
    Some(Problem::warning(ProblemKind::Conflict, text).in_file(&path))
}

/// The legal version directories of a plugin's directory, sorted. A link is none.
pub(crate) fn version_dirs(entries: &[Entry]) -> Vec<VersionSegment> {
    entries
        .iter()
        .filter(|entry| entry.kind == Kind::Dir)
        .filter_map(|entry| VersionSegment::new(entry.name.to_str()?).ok())
        .collect()
}

/// What is missing is no error to a reader.
pub(crate) fn absent_is_none<T>(result: Result<T, DiskError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Directories that the reference makes beside plugins and leaves behind after a crash. They end in
/// six random characters; a plugin may well be called `plugin-install-guide`.
pub(crate) fn is_staging_of_the_reference(name: &str) -> bool {
    ["plugin-install-", "plugin-backup-"]
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .any(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn bad_name(dir: &AbsPath, of: &str) -> Problem {
    let text = format!("the name of this directory is not the name of a {of}");
    Problem::warning(ProblemKind::BadName, text).in_file(dir)
}

#[cfg(test)]
#[path = "installed_tests.rs"]
mod tests;

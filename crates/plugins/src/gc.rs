//! `plugd/gc`: removes what nobody needs any more, or tells with numbers what that would be.
//!
//! The store knows about trees, records and what dead processes left; what the configuration and the
//! catalogs decide is judged here: mirrors of repositories, checkouts, files of the remote catalog.
//!
//! A user's own files are never among it: the data directories of plugins, working trees, and the rows
//! that link them. A row whose directory has gone is a problem, because it may come back.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_config::Snapshot;
use plugd_disk::Kind;
use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, Layout, MarketplaceName, PluginId, Problem, ProblemKind};
use plugd_store::{Gc, GcReport, Size, Store, Unneeded};

use crate::call::Call;
use crate::gc_loose::{Loose, Sweeper};
use crate::gc_named::Named;
use crate::install::STORE_PATIENCE;
use crate::mirrors::{self, Mirror};
use crate::{Blocking, Copies, Error, Lookup};

/// What was collected, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Whether nothing was removed.
    pub dry_run: bool,
    /// Everything, by kind and then by path.
    pub changes: Vec<GcChange>,
    /// What the store says, which is among the changes too.
    pub store: GcReport,
    /// Mirrors of repositories that nothing names, by path; they are among the changes too.
    pub mirrors: Vec<Mirror>,
    /// What could not be understood or removed.
    pub problems: Vec<Problem>,
}

/// What kind of thing nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GcKind {
    /// A kept or leased version.
    Tree,
    /// What interrupted operations had half made.
    Staging,
    /// What they had half removed.
    Trash,
    /// Leases of dead processes.
    Lease,
    /// What is recorded of a plugin.
    Record,
    /// A file that was never finished.
    HalfWritten,
    /// A copy of a repository.
    Mirror,
    /// The checkout of a git marketplace.
    Checkout,
    /// A file of the remote catalog.
    Catalog,
}

/// Why nobody needs something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcReason {
    /// No record names the tree.
    Unnamed,
    /// There are enough later versions.
    TooMany,
    /// It is a copy of what is installed, made for a lease that is over.
    CopyOfInstalled,
    /// The process that it belonged to is gone.
    Dead,
    /// Its plugin is neither installed nor configured nor pinned.
    NotInstalled,
    /// No configuration, entry or record names its source.
    NotNamed,
    /// No configuration has a marketplace of its name.
    NotConfigured,
    /// It is not of the login of this home, and nobody has written it for 30 days.
    Unused,
}

/// Something that was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcChange {
    /// What it is.
    pub kind: GcKind,
    /// Where it lies or lay; for things that are told together, their directory.
    pub path: AbsPath,
    /// The plugin that it is about.
    pub plugin: Option<PluginId>,
    /// The marketplace that it is about.
    pub marketplace: Option<MarketplaceName>,
    /// The content of a tree.
    pub digest: Option<Digest>,
    /// How many things these are.
    pub entries: u64,
    /// How much that is.
    pub size: Size,
    /// Why.
    pub reason: GcReason,
}

/// Everything of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcTotal {
    /// The kind.
    pub kind: GcKind,
    /// How many things.
    pub entries: u64,
    /// How much.
    pub size: Size,
}

impl Collected {
    /// Everything together.
    #[must_use]
    pub fn size(&self) -> Size {
        self.changes.iter().map(|change| change.size).sum()
    }

    /// The kinds of which there is anything.
    #[must_use]
    pub fn totals(&self) -> Vec<GcTotal> {
        let kinds: BTreeSet<GcKind> = self.changes.iter().map(|change| change.kind).collect();
        let of = |kind| {
            self.changes
                .iter()
                .filter(move |change| change.kind == kind)
        };
        let totals = kinds.into_iter().map(|kind| GcTotal {
            kind,
            entries: of(kind).map(|change| change.entries).sum(),
            size: of(kind).map(|change| change.size).sum(),
        });
        totals.collect()
    }
}

impl GcChange {
    fn new(kind: GcKind, path: AbsPath, size: Size, reason: GcReason) -> Self {
        Self {
            kind,
            path,
            plugin: None,
            marketplace: None,
            digest: None,
            entries: 1,
            size,
            reason,
        }
    }
}

/// Collects. Interrupted operations are undone first, except in a dry run.
///
/// # Errors
/// The state cannot be read or written, a newer program owns it, or another process holds its lock
/// for too long. What cannot be removed is a problem and no error.
pub async fn gc(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    dry_run: bool,
) -> Result<Collected, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let section = move || {
        // What recovery would sweep belongs into the report, so nobody sweeps it before.
        collect(&call, &lookup, copies.store_as_it_is(), dry_run)
    };
    if dry_run {
        blocking.read(section).await
    } else {
        blocking.write(section).await
    }
}

fn collect(call: &Call, lookup: &Lookup, store: &Store, dry_run: bool) -> Result<Collected, Error> {
    let in_store = |error| Error::StoreState(Box::new(error));
    let config = lookup.config(None);
    let named = Named::read(lookup, Arc::clone(&config));
    let gc = Gc {
        dry_run,
        keep: config.settings().keep_versions,
        protected: BTreeSet::new(),
        forgettable: forgettable(store, &named)?,
    };
    if !dry_run {
        call.cancel.seal()?;
    }
    call.progress.report("collecting", 0, None);
    let mut report = store.gc(&gc, STORE_PATIENCE).map_err(in_store)?;
    let mut problems = std::mem::take(&mut report.problems);
    problems.extend(vanished_links(lookup));
    // What a record of a plugin that is gone names goes in the same run.
    let forgotten = report.records.iter().map(|record| &record.id).collect();
    let mirrors = match mirrors::needed(lookup, store, &config, &named, &forgotten)? {
        Ok(needed) => mirrors::collect(call, lookup, &needed, dry_run, &mut problems)?,
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    };
    let mut changes = in_store_changes(&report, lookup.layout());
    changes.extend(mirrors.iter().map(|mirror| {
        let path = mirror.path.clone();
        GcChange::new(GcKind::Mirror, path, mirror.size, GcReason::NotNamed)
    }));
    let mut sweeper = Sweeper {
        lookup,
        store,
        dry_run,
        problems: &mut problems,
    };
    changes.extend(loose(&mut sweeper, &config));
    changes.sort_by(|left, right| (left.kind, &left.path).cmp(&(right.kind, &right.path)));
    Ok(Collected {
        dry_run,
        changes,
        store: report,
        mirrors,
        problems,
    })
}

/// The plugins whose records no configuration wants.
fn forgettable(store: &Store, named: &Named) -> Result<BTreeSet<PluginId>, Error> {
    if named.unknown().is_some() {
        return Ok(BTreeSet::new());
    }
    let without = store.records_without_copy();
    let without = without.map_err(|error| Error::StoreState(Box::new(error)))?;
    let gone = without.into_iter().filter(|id| !named.has_plugin(id));
    Ok(gone.collect())
}

fn in_store_changes(report: &GcReport, layout: &Layout) -> Vec<GcChange> {
    let trees = report.trees.iter().map(|tree| GcChange {
        digest: Some(tree.digest),
        ..GcChange::new(
            GcKind::Tree,
            tree.root.clone(),
            tree.size,
            of_tree(tree.why),
        )
    });
    let records = report.records.iter().map(|record| GcChange {
        plugin: Some(record.id.clone()),
        ..GcChange::new(
            GcKind::Record,
            record.path.clone(),
            record.size,
            GcReason::NotInstalled,
        )
    });
    let dead = |kind, path: &AbsPath, size| GcChange::new(kind, path.clone(), size, GcReason::Dead);
    let half_written = report.half_written.iter();
    let half_written = half_written.map(|(path, size)| dead(GcKind::HalfWritten, path, *size));
    let mut changes: Vec<GcChange> = trees.chain(records).chain(half_written).collect();
    for (kind, path, size) in [
        (GcKind::Staging, layout.staging(), report.staging),
        (GcKind::Trash, layout.trash(), report.trash),
    ] {
        if size != Size::default() {
            changes.push(dead(kind, &path, size));
        }
    }
    if report.dead_leases > 0 || report.leases != Size::default() {
        changes.push(GcChange {
            entries: u64::try_from(report.dead_leases).unwrap_or(u64::MAX),
            ..dead(GcKind::Lease, &layout.leases(), report.leases)
        });
    }
    changes
}

fn of_tree(why: Unneeded) -> GcReason {
    match why {
        Unneeded::Unnamed => GcReason::Unnamed,
        Unneeded::TooMany => GcReason::TooMany,
        Unneeded::CopyOfInstalled => GcReason::CopyOfInstalled,
    }
}

fn loose(sweeper: &mut Sweeper<'_>, config: &Snapshot) -> Vec<GcChange> {
    let row = |kind, reason| move |Loose { path, size }| GcChange::new(kind, path, size, reason);
    let checkouts = sweeper.checkouts().into_iter();
    let checkouts = checkouts.map(|(name, loose)| GcChange {
        marketplace: Some(name),
        ..row(GcKind::Checkout, GcReason::NotConfigured)(loose)
    });
    let mut changes: Vec<GcChange> = checkouts.collect();
    let catalogs = sweeper.catalogs(config).into_iter();
    changes.extend(catalogs.map(row(GcKind::Catalog, GcReason::Unused)));
    let edits = sweeper.edits().into_iter();
    changes.extend(edits.map(row(GcKind::HalfWritten, GcReason::Dead)));
    changes
}

/// Links to working trees that are not there. They stay: a disk that is not mounted comes back, and
/// only who made a link knows.
fn vanished_links(lookup: &Lookup) -> Vec<Problem> {
    let links = lookup.links();
    let is_dir = |path: &AbsPath| {
        let stamp = lookup.disk().stamp(path);
        stamp.is_ok_and(|stamp| stamp.is_some_and(|stamp| stamp.kind == Kind::Dir))
    };
    let vanished = links.rows.iter().filter(|(_, path)| !is_dir(path));
    let told = vanished.map(|(id, path)| {
        let text = format!(
            "`{id}` is linked to a directory that is not there; `plugd unlink` ends the link"
        );
        Problem::warning(ProblemKind::Missing, text).in_file(path)
    });
    links.problems.iter().cloned().chain(told).collect()
}

//! `marketplace/add`: registers a marketplace in the user's configuration.
//!
//! A local one is only named there. A git one is fetched first: everything is decided and checked on
//! a checkout that nobody sees, and only then it takes its place and its row, in this order, so that
//! no row ever names a checkout that is not there. One that is an archive is brought by
//! `packed_add`.

use std::time::Duration;

use plugd_config::{Edit, LayerSource, MarketplaceKind, MarketplaceSetting, Snapshot};
use plugd_disk::tree::sync_tree;
use plugd_disk::{Disk, Kind};
use plugd_git::{CheckedOut, Checkout};
use plugd_model::git_url::without_secrets;
use plugd_model::{AbsPath, MarketplaceName, PackedOrigin, Problem, ProblemKind};
use plugd_store::Workspace;

use crate::call::Call;
use crate::checkout::{self, Note};
use crate::events::{Change, ChangeReason, Events};
use crate::fetcher::{Fetcher, problems_of};
use crate::source_text::{self, GitSource, Given, SourceText};
use crate::{Blocking, Copies, Error, Lookup, packed_add};

/// How long to wait for another process that edits the configuration.
pub(crate) const CONFIG_PATIENCE: Duration = Duration::from_secs(10);

/// What to add.
#[derive(Debug, Clone)]
pub struct AddRequest {
    /// The source as the client wrote it.
    pub source: String,
    /// A branch or tag; only for git sources.
    pub ref_name: Option<String>,
    /// Directories to fetch; only for git sources.
    pub sparse_paths: Vec<String>,
    /// Where relative sources count from.
    pub cwd: AbsPath,
}

/// What was added.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// The name that the marketplace gives itself.
    pub name: MarketplaceName,
    /// Its directory.
    pub root: AbsPath,
    /// Whether it was there before.
    pub already_added: bool,
    /// The commit of a git marketplace, or the digest of one that is an archive.
    pub commit: Option<String>,
    /// What is not as it should be and does no harm.
    pub problems: Vec<Problem>,
}

/// Adds a marketplace.
///
/// # Errors
/// The source has no accepted form, cannot be fetched, holds no usable marketplace, is refused by
/// policy, or its name belongs to another source.
pub async fn add_marketplace(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    events: &Events,
    request: AddRequest,
) -> Result<Added, Error> {
    let begun = {
        let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
        blocking.write(move || begin(&call, &lookup, &copies, &request))
    };
    let added = match begun.await? {
        Begun::Done(added) => added,
        Begun::Fetch { source, workspace } => {
            fetch(call, blocking, lookup, fetcher, source, workspace).await?
        }
        Begun::Bring { origin, workspace } => {
            packed_add::fetch(call, blocking, lookup, fetcher, origin, workspace).await?
        }
    };
    if !added.already_added {
        let change = Change::new(ChangeReason::Request)
            .marketplace(added.name.clone())
            .config_key(format!("marketplaces.{}", added.name));
        events.changed(change);
    }
    Ok(added)
}

/// How far an addition comes without fetching anything.
enum Begun {
    Done(Added),
    Fetch {
        source: GitSource,
        workspace: Workspace,
    },
    Bring {
        origin: PackedOrigin,
        workspace: Workspace,
    },
}

fn begin(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    request: &AddRequest,
) -> Result<Begun, Error> {
    let given = Given {
        source: &request.source,
        ref_name: request.ref_name.as_deref(),
        sparse_paths: &request.sparse_paths,
        cwd: &request.cwd,
        home: lookup.home(),
    };
    let source = match source_text::parse(lookup.disk(), &given)? {
        SourceText::Local(place) => return add_local(call, lookup, &place).map(Begun::Done),
        SourceText::Packed(origin) => return begin_packed(lookup, copies, origin),
        SourceText::Git(source) => source,
    };
    let config = lookup.config(None);
    // Nothing is fetched from where nothing may come from.
    allowed(&config, &source.url, &source.row())?;
    if let Some(there) = there_already(lookup, &config, &source) {
        return Ok(Begun::Done(there));
    }
    let workspace = copies.workspace()?;
    Ok(Begun::Fetch { source, workspace })
}

fn begin_packed(lookup: &Lookup, copies: &Copies, origin: PackedOrigin) -> Result<Begun, Error> {
    let config = lookup.config(None);
    let kind = MarketplaceKind::Packed {
        place: lookup.layout().packed_marketplaces(),
        origin: origin.clone(),
    };
    allowed(&config, &origin.to_string(), &kind)?;
    if let Some(there) = packed_add::there_already(lookup, &config, &origin) {
        return Ok(Begun::Done(there));
    }
    let workspace = copies.workspace()?;
    Ok(Begun::Bring { origin, workspace })
}

/// The same source under a name of its own that can be used.
fn there_already(lookup: &Lookup, config: &Snapshot, source: &GitSource) -> Option<Added> {
    let row = config
        .marketplaces()
        .iter()
        .find(|row| GitSource::of_row(&row.kind).as_ref() == Some(source))?;
    let name = MarketplaceName::new(&row.key).ok()?;
    let root = lookup.layout().git_marketplace(&name);
    // What another layer names is gone when that layer says so; the user asks for a row of his own.
    if !is_in_user_layer(config, &row.key) {
        return None;
    }
    // A row whose manifest calls itself something else gets a row of that name.
    if name_of(lookup, &root).ok()? != name {
        return None;
    }
    Some(Added {
        commit: Note::read(lookup.disk(), &root).and_then(|note| note.revision),
        name,
        root,
        already_added: true,
        problems: Vec::new(),
    })
}

pub(crate) fn is_in_user_layer(config: &Snapshot, key: &str) -> bool {
    config.user_layer().at(&["marketplaces", key]).is_some()
}

async fn fetch(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    fetcher: &Fetcher,
    source: GitSource,
    workspace: Workspace,
) -> Result<Added, Error> {
    let staged = workspace.dir().join("checkout");
    let obtained = match source.repository() {
        Ok(repository) => {
            let place = checkout_of(&staged, &source);
            fetcher.obtain(call, lookup, &repository, &place).await
        }
        Err(error) => Err(error),
    };
    let (call, lookup) = (call.clone(), lookup.clone());
    // Also after a failure: what lies in the workspace is removed where the disk may be waited for.
    blocking
        .write(move || {
            let checked_out = obtained?;
            let mut added = settle(&call, &lookup, &source, &workspace, &staged, &checked_out)?;
            added.problems = problems_of(&checked_out);
            Ok(added)
        })
        .await
}

/// What is written of a repository. The places of the manifest belong to every selection: without it
/// a marketplace is none.
pub(crate) fn checkout_of(staged: &AbsPath, source: &GitSource) -> Checkout {
    let mut place = Checkout::whole(staged.clone());
    if !source.sparse_paths.is_empty() {
        place.sparse.clone_from(&source.sparse_paths);
        let manifests = plugd_model::Layout::MARKETPLACE_MANIFESTS;
        place.sparse.extend(manifests.map(str::to_owned));
    }
    place
}

/// Checks the checkout and gives it its place and its row.
fn settle(
    call: &Call,
    lookup: &Lookup,
    source: &GitSource,
    workspace: &Workspace,
    staged: &AbsPath,
    checked_out: &CheckedOut,
) -> Result<Added, Error> {
    let commit = checked_out.commit.as_str();
    call.progress.report("checking", 0, None);
    let disk = lookup.disk();
    let name = checkout::name_of(lookup, staged, source)?;
    let kind = source.row();
    allowed(&lookup.config(None), name.as_str(), &kind)?;
    checkout::write_note(disk, staged, source, commit, checked_out.committed_at)?;
    sync_tree(disk, staged)?;
    call.progress.report("activating", 0, None);
    let _lock = checkout::lock(call, lookup)?;
    // Decided under the lock: another process may have added the same thing meanwhile.
    let config = lookup.config(None);
    if let Some(there) = there_already(lookup, &config, source) {
        return Ok(there);
    }
    refuse_other_source(lookup, &config, &name, |row| row.kind == kind)?;
    let mut edits = Edit::set_marketplace(name.as_str(), &kind);
    edits.extend(renamed(&config, &name, |row| row.kind == kind));
    let root = lookup.layout().git_marketplace(&name);
    let placed = checkout::put(disk, workspace, staged, &root)?;
    lookup.write_edits(call, &edits)?;
    placed.keep();
    Ok(Added {
        name,
        root,
        already_added: false,
        commit: Some(commit.to_owned()),
        problems: Vec::new(),
    })
}

/// Another source under this name keeps it as long as something usable stands behind it, and always
/// where a layer above the user's says it: what is added would not count.
pub(crate) fn refuse_other_source(
    lookup: &Lookup,
    config: &Snapshot,
    name: &MarketplaceName,
    is_same: impl Fn(&MarketplaceSetting) -> bool,
) -> Result<(), Error> {
    let other = config
        .marketplaces()
        .iter()
        .find(|row| row.key == name.as_str() && !is_same(row));
    match other {
        Some(row) if !matches!(row.origin.source, LayerSource::System | LayerSource::User) => {
            Err(Error::ConfiguredAbove {
                name: name.to_string(),
                existing: describe(&row.kind),
                file: row.origin.file.clone(),
            })
        }
        Some(row) if still_there(lookup, name) => Err(Error::OtherSource {
            name: name.to_string(),
            existing: describe(&row.kind),
        }),
        _ => Ok(()),
    }
}

/// A marketplace that was renamed keeps one row, under its present name.
pub(crate) fn renamed(
    config: &Snapshot,
    name: &MarketplaceName,
    is_same: impl Fn(&MarketplaceSetting) -> bool,
) -> Vec<Edit> {
    config
        .marketplaces()
        .iter()
        .filter(|row| row.key != name.as_str() && is_same(row))
        .map(|row| Edit::remove_marketplace(&row.key))
        .collect()
}

fn add_local(call: &Call, lookup: &Lookup, place: &AbsPath) -> Result<Added, Error> {
    let root = directory(lookup.disk(), place)?;
    refuse_place_of_archive(&root)?;
    let name = name_of(lookup, &root)?;
    let config = lookup.config(None);
    let kind = MarketplaceKind::Local {
        source: root.clone(),
    };
    allowed(&config, name.as_str(), &kind)?;
    let is_same = |row: &MarketplaceSetting| row.kind == kind;
    let rows = config.marketplaces();
    let same: Vec<&str> = rows
        .iter()
        .filter(|row| is_same(row))
        .map(|row| row.key.as_str())
        .collect();
    let done = |already_added| Added {
        name: name.clone(),
        root: root.clone(),
        already_added,
        commit: None,
        problems: Vec::new(),
    };
    if same == [name.as_str()] && is_in_user_layer(&config, name.as_str()) {
        return Ok(done(true));
    }
    refuse_other_source(lookup, &config, &name, is_same)?;
    let mut edits = Edit::set_marketplace(name.as_str(), &kind);
    edits.extend(renamed(&config, &name, is_same));
    lookup.write_edits(call, &edits)?;
    Ok(done(!same.is_empty()))
}

/// The directory with links resolved, as configuration keeps it.
/// The row of such a directory would not mean the directory, but the archive that its path spells.
fn refuse_place_of_archive(root: &AbsPath) -> Result<(), Error> {
    let Some(origin) = PackedOrigin::of_place(root) else {
        return Ok(());
    };
    let text = format!("it is where the archive `{origin}` would be put; add that source itself");
    Err(Error::NoMarketplaceThere {
        path: root.clone(),
        problem: Box::new(Problem::error(ProblemKind::BadPath, text).in_file(root)),
    })
}

fn directory(disk: &Disk, place: &AbsPath) -> Result<AbsPath, Error> {
    let missing = |message: String| Error::NoMarketplaceThere {
        path: place.clone(),
        problem: Box::new(Problem::error(ProblemKind::Missing, message).in_file(place)),
    };
    match disk.stamp(place)? {
        Some(stamp) if stamp.kind == Kind::Dir => disk.resolve(place).map_err(Error::from),
        Some(_) => Err(missing("it is not a directory".to_owned())),
        None => Err(missing("it does not exist".to_owned())),
    }
}

/// The name that the manifest below a root gives to a marketplace.
///
/// # Errors
/// There is no manifest, it cannot be read, or its name is reserved.
pub(crate) fn name_of(lookup: &Lookup, root: &AbsPath) -> Result<MarketplaceName, Error> {
    let refuse = |problem| Error::NoMarketplaceThere {
        path: root.clone(),
        problem: Box::new(problem),
    };
    let mut search = lookup.loader().find_marketplace(root);
    let Some(manifest) = search.found else {
        let nothing = || {
            let text = "there is no marketplace manifest; create .agents/plugins/marketplace.json";
            Problem::error(ProblemKind::Missing, text).in_file(root)
        };
        // What stands where a manifest belongs is the better reason.
        return Err(refuse(
            search.problems.drain(..).next().unwrap_or_else(nothing),
        ));
    };
    let loaded = lookup.loader().marketplace(&manifest).map_err(refuse)?;
    let name = loaded.value.name.clone();
    if name.is_reserved() {
        return Err(refuse(
            Problem::error(
                ProblemKind::ReservedName,
                format!("marketplace name `{name}` is reserved; rename it in the manifest"),
            )
            .in_file(&manifest)
            .at_field("name"),
        ));
    }
    Ok(name)
}

/// Whether the requirements let a marketplace be configured.
///
/// # Errors
/// They do not.
pub(crate) fn allowed(config: &Snapshot, name: &str, kind: &MarketplaceKind) -> Result<(), Error> {
    let verdict = config.requirements().allows(name, kind);
    verdict.map_err(|problem| {
        let problem = Box::new(problem);
        Error::Policy { problem }
    })
}

fn describe(kind: &MarketplaceKind) -> String {
    match kind {
        MarketplaceKind::Local { source } => source.to_text(),
        MarketplaceKind::Git { source, .. } => without_secrets(source),
        MarketplaceKind::Packed { origin, .. } => origin.to_string(),
    }
}

/// A name may be taken over only when nothing usable stands behind it any more.
fn still_there(lookup: &Lookup, name: &MarketplaceName) -> bool {
    let resolved = lookup.resolve_ungated(&crate::Roots::default());
    resolved.set.marketplaces().any(|marketplace| {
        let configured = matches!(
            &marketplace.origin,
            plugd_marketplace::Origin::Configured { key, .. } if key == name.as_str()
        );
        configured && marketplace.content().is_some()
    })
}

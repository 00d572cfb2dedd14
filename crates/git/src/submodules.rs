//! A whole checkout: a commit, and the commits of the repositories inside it.
//!
//! A submodule that cannot be had is left out and told: its directory stays empty.
//!
//! Submodules are fetched one after the other and each under the lock of its own mirror only, so two
//! repositories that contain each other cannot make two processes wait for each other.

use plugd_disk::tree::{Limits, remove_tree};
use plugd_model::AbsPath;

use git2::{Oid, Repository};

use crate::address::Kind;
use crate::checkout::{Budget, Module, Target, Written, make_links, write_commit};
use crate::failure::{Failure, Trouble};
use crate::keep::Kept;
use crate::mirror::{Mirror, Wanted};
use crate::partial::Part;
use crate::progress::Stage;
use crate::session::Session;
use crate::sparse::{Sparse, relative};
use crate::wire::{Place, With};
use crate::{
    Address, CheckedOut, CommitId, Depth, History, Submodule, Want, history, lfs_content, modules,
};

/// How deep repositories may lie in each other.
const MAX_NESTING: u32 = 4;
/// How many repositories one checkout may hold.
const MAX_MODULES: usize = 64;

/// One repository that is being written, at its place in the checkout.
struct Step<'a> {
    address: &'a Address,
    want: Want,
    depth: Depth,
    below: &'a str,
    subdir: Option<&'a str>,
    sparse: &'a Sparse,
    /// Whether the commit's objects are written too.
    keep: bool,
    /// The commit whose place the new one takes.
    since: Option<&'a CommitId>,
}

/// One repository that was written.
struct Done {
    commit: Oid,
    committed_at: Option<i64>,
    written: Written,
    kept: Option<Kept>,
    history: History,
}

struct Found {
    module: Module,
    parent: Address,
    nesting: u32,
}

/// Fetches what is missing and writes it to a directory that does not exist yet.
pub(crate) fn obtain(
    session: &Session,
    address: &Address,
    want: Want,
    depth: Depth,
    place: &Place,
) -> Result<CheckedOut, Failure> {
    let bad = |reason: &str| Failure::BadRequest {
        reason: reason.to_owned(),
    };
    let root = AbsPath::new(&place.dest).map_err(|_| bad("the directory is not absolute"))?;
    let subdir = match &place.subdir {
        Some(path) => Some(relative(path).ok_or_else(|| bad("the directory inside climbs"))?),
        None => None,
    };
    let sparse = Sparse::new(&place.sparse).ok_or_else(|| bad("a sparse path climbs"))?;
    let keep = match place.keep_repository {
        true if subdir.is_some() || !place.sparse.is_empty() => {
            return Err(bad("a repository is kept of a whole tree only"));
        }
        keep => keep,
    };
    let mut budget = Budget::new(Limits::INSTALL);
    let step = Step {
        address,
        want,
        depth,
        below: "",
        subdir: subdir.as_deref(),
        sparse: &sparse,
        keep,
        since: place.since.as_ref(),
    };
    let Done {
        commit,
        committed_at,
        mut written,
        kept,
        history,
    } = write(session, &root, &step, &mut budget)?;
    let submodules = inner(session, &root, address, &mut written, &mut budget)?;
    make_links(&session.disk, &root, &mut written)?;
    if let Some(kept) = kept {
        kept.finish(&session.disk, &root, &written.left_out)?;
    }
    Ok(CheckedOut {
        commit: CommitId::of(commit),
        committed_at,
        lfs_pointers: written.lfs_pointers,
        submodules,
        left_out: written.left_out,
        history,
    })
}

/// Writes the repositories inside a repository, and those inside them.
fn inner(
    session: &Session,
    root: &AbsPath,
    address: &Address,
    written: &mut Written,
    budget: &mut Budget,
) -> Result<Vec<Submodule>, Failure> {
    let sparse = Sparse::all();
    let mut submodules = Vec::new();
    let mut queue = found(written, address, 1);
    while let Some(Found {
        module,
        parent,
        nesting,
    }) = queue.pop()
    {
        let own = match admitted(&module, &parent, nesting, submodules.len()) {
            Ok(own) => own,
            Err(reason) => {
                written.leave_out(module.path, reason);
                continue;
            }
        };
        let step = Step {
            address: &own,
            want: Want::Commit(module.commit.to_string()),
            depth: Depth::Tip,
            below: &module.path,
            subdir: None,
            sparse: &sparse,
            keep: false,
            since: None,
        };
        // Silence must not end all of the work here: the rest of the repository is good without it.
        session.remotes.set_patience(Some(session.idle * 2 / 3));
        let done = write(session, root, &step, budget);
        session.remotes.set_patience(None);
        let mut done = match done {
            Ok(done) => done,
            Err(failure) if failure.is_theirs() => {
                make_empty(session, &root.join(&module.path))?;
                let reason = format!("it is a submodule that cannot be had: {failure}");
                written.leave_out(module.path, reason);
                continue;
            }
            Err(cause) => {
                return Err(Failure::Submodule {
                    path: module.path,
                    cause: Box::new(cause),
                });
            }
        };
        let commit = done.commit;
        queue.extend(found(&mut done.written, &own, nesting + 1));
        written.absorb(done.written);
        submodules.push(Submodule {
            path: module.path,
            url: own.shown(),
            commit: CommitId::of(commit),
        });
    }
    session.meter.wait_for(With::Host(address.host()));
    Ok(submodules)
}

/// Leaves the directory of a submodule as git leaves one that was not fetched.
fn make_empty(session: &Session, place: &AbsPath) -> Result<(), Failure> {
    remove_tree(&session.disk, place).map_err(|error| Failure::tree(&error))?;
    let made = session.disk.create_dir(place);
    made.map_err(|error| Failure::disk(&error))
}

/// Writes one repository. What a first try from a damaged mirror left is removed before the second.
fn write(
    session: &Session,
    root: &AbsPath,
    step: &Step<'_>,
    budget: &mut Budget,
) -> Result<Done, Failure> {
    let mirror = Mirror::lock(session, step.address)?;
    let place = root.join(step.below);
    let work = |repository: &Repository, commit: Oid| -> Result<_, Trouble> {
        session.meter.enter(Stage::CheckingOut);
        let target = Target {
            disk: &session.disk,
            meter: &session.meter,
            root,
            below: step.below,
            subdir: step.subdir,
            sparse: step.sparse,
        };
        let mut left = budget.clone();
        let written = write_commit(repository, commit, &target, &mut left)?;
        let kept = match step.keep {
            true => Some(Kept::write(repository, commit, &session.disk, root)?),
            false => None,
        };
        let found = repository.find_commit(commit);
        let done = Done {
            commit,
            committed_at: found.ok().map(|commit| commit.time().seconds()),
            written,
            kept,
            history: history::compare(repository, commit, step.since),
        };
        Ok((done, left))
    };
    let reset = || {
        if step.below.is_empty() {
            return remove_tree(&session.disk, &place).map_err(|error| Failure::tree(&error));
        }
        make_empty(session, &place)
    };
    let wanted = Wanted {
        want: &step.want,
        depth: step.depth,
        part: (step.depth == Depth::Tip).then_some(Part {
            subdir: step.subdir,
            sparse: step.sparse,
        }),
    };
    let (mut done, left) = mirror.with_commit(wanted, work, reset)?;
    *budget = left;
    let pointers = &mut done.written.lfs_pointers;
    lfs_content::replace(session, step.address, mirror.path(), root, pointers, budget)?;
    Ok(done)
}

fn found(written: &mut Written, parent: &Address, nesting: u32) -> Vec<Found> {
    std::mem::take(&mut written.modules)
        .into_iter()
        .map(|module| Found {
            module,
            parent: parent.clone(),
            nesting,
        })
        .collect()
}

/// Where a submodule comes from, or why it is not fetched.
fn admitted(
    module: &Module,
    parent: &Address,
    nesting: u32,
    so_far: usize,
) -> Result<Address, String> {
    let Some(url) = &module.url else {
        return Err("it is a submodule, and .gitmodules does not say where it is".to_owned());
    };
    let own = modules::address(parent, url)
        .map_err(|error| format!("it is a submodule that may not be fetched: {error}"))?;
    if parent.is_remote() && !is_allowed(&own, parent) {
        return Err(
            "it is a submodule, and a repository elsewhere may not name one of this machine"
                .to_owned(),
        );
    }
    if nesting > MAX_NESTING || so_far >= MAX_MODULES {
        return Err(format!(
            "it is a submodule beyond {MAX_NESTING} levels or {MAX_MODULES} repositories"
        ));
    }
    Ok(own)
}

/// A stranger's repository must not make us read this machine's files or ask its services.
fn is_allowed(own: &Address, parent: &Address) -> bool {
    let plain = |address: &Address| address.shown().to_ascii_lowercase().starts_with("http:");
    match own.kind {
        Kind::Local(_) => false,
        Kind::Http => !plain(own) || plain(parent),
        Kind::Ssh(_) => true,
    }
}

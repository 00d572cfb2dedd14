//! A whole checkout: a commit, and the commits of the repositories inside it.
//!
//! Submodules are fetched one after the other and each under the lock of its own mirror only, so two
//! repositories that contain each other cannot make two processes wait for each other.

use plugd_disk::tree::{Limits, remove_tree};
use plugd_model::AbsPath;

use git2::{Oid, Repository};

use crate::address::Kind;
use crate::checkout::{Budget, Module, Target, Written, make_links, write_commit};
use crate::failure::{Failure, Trouble};
use crate::mirror::Mirror;
use crate::progress::Stage;
use crate::session::Session;
use crate::sparse::{Sparse, relative};
use crate::wire::Place;
use crate::{Address, CheckedOut, CommitId, Depth, Submodule, Want, modules};

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
    let whole = Sparse::new(&[]).ok_or_else(|| bad("no paths"))?;

    let mut budget = Budget::new(Limits::INSTALL);
    let step = Step {
        address,
        want,
        depth,
        below: "",
        subdir: subdir.as_deref(),
        sparse: &sparse,
    };
    let (commit, mut written) = write(session, &root, &step, &mut budget)?;
    let mut submodules = Vec::new();
    let mut queue = found(&mut written, address, 1);
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
            sparse: &whole,
        };
        let (commit, mut inner) =
            write(session, &root, &step, &mut budget).map_err(|cause| Failure::Submodule {
                path: module.path.clone(),
                cause: Box::new(cause),
            })?;
        queue.extend(found(&mut inner, &own, nesting + 1));
        written.absorb(inner);
        submodules.push(Submodule {
            path: module.path,
            url: own.shown(),
            commit: CommitId::of(commit),
        });
    }
    make_links(&session.disk, &root, &mut written)?;
    Ok(CheckedOut {
        commit: CommitId::of(commit),
        lfs_pointers: written.lfs_pointers,
        submodules,
        left_out: written.left_out,
    })
}

/// Writes one repository. What a first try from a damaged mirror left is removed before the second.
fn write(
    session: &Session,
    root: &AbsPath,
    step: &Step<'_>,
    budget: &mut Budget,
) -> Result<(Oid, Written), Failure> {
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
        Ok((commit, written, left))
    };
    let reset = || {
        remove_tree(&session.disk, &place).map_err(|error| Failure::tree(&error))?;
        if step.below.is_empty() {
            return Ok(());
        }
        let made = session.disk.create_dir(&place);
        made.map_err(|error| Failure::disk(&error))
    };
    let (commit, written, left) = mirror.with_commit(&step.want, step.depth, work, reset)?;
    *budget = left;
    Ok((commit, written))
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

//! Where the files of the plugins that count are to be used: in the cache, or with a lease in trees
//! that nobody changes.

use plugd_config::Snapshot;
use plugd_disk::tree::{Digest, TreeError};
use plugd_model::{Problem, ProblemKind, error_chain};
use plugd_store::{Installed, Lease, LeasedTree, Store, StoreError};

use crate::active::{ActivePlugin, ActivePlugins, active_plugins, manifest_of};
use crate::call::{Call, Cancelled};
use crate::component_leases::lease_trees;
use crate::{Error, Lookup};

/// How often everything is looked at again because a plugin changed meanwhile.
const ATTEMPTS: usize = 5;

/// A plugin together with what is known of its content.
pub(crate) struct Placed {
    pub(crate) active: ActivePlugin,
    pub(crate) tree_digest: Option<Digest>,
}

/// What can be put to use, and why the rest cannot.
#[derive(Default)]
pub(crate) struct Placing {
    pub(crate) placed: Vec<Placed>,
    pub(crate) problems: Vec<Problem>,
}

/// Picks the plugins that count, again when one of them changes meanwhile.
pub(crate) fn look(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    config: &Snapshot,
    mut lease: Option<&mut Lease>,
) -> Result<(Vec<Installed>, Placing), Error> {
    let mut attempt = 1;
    loop {
        call.cancel.check()?;
        let (copies, _) = store.list().map_err(in_store)?;
        let active = active_plugins(lookup, &copies, config);
        match place(call, lookup, lease.as_deref_mut(), active) {
            Ok(placing) => return Ok((copies, placing)),
            // Something was installed or removed meanwhile; what is there now counts.
            Err(StoreError::Superseded { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(in_store(error)),
        }
    }
}

/// An error of the store as that of a request.
pub(crate) fn in_store(error: StoreError) -> Error {
    match error {
        StoreError::Tree(TreeError::GivenUp) => Error::Cancelled(Cancelled),
        error => Error::StoreState(Box::new(error)),
    }
}

/// Puts each plugin where its files are to be used; says which ones could not be put there.
fn place(
    call: &Call,
    lookup: &Lookup,
    lease: Option<&mut Lease>,
    active: ActivePlugins,
) -> Result<Placing, StoreError> {
    let ActivePlugins { plugins, problems } = active;
    let mut placing = Placing {
        problems: problems.into_iter().map(|(_, problem)| problem).collect(),
        ..Placing::default()
    };
    let Some(lease) = lease else {
        placing.placed.extend(plugins.into_iter().map(|active| {
            let record = active.copy.provenance_record();
            Placed {
                tree_digest: record.map(|record| record.tree_digest),
                active,
            }
        }));
        return Ok(placing);
    };
    // A working tree is used where it lies, with a lease too: its author wants to see his changes.
    let (linked, plugins): (Vec<_>, Vec<_>) =
        plugins.into_iter().partition(|active| active.is_linked);
    placing
        .placed
        .extend(linked.into_iter().map(|active| Placed {
            active,
            tree_digest: None,
        }));
    let silenced: Vec<_> = plugins
        .iter()
        .map(|active| active.silenced.clone())
        .collect();
    let copies: Vec<Installed> = plugins.into_iter().map(|active| active.copy).collect();
    let trees = lease_trees(call, lease, &copies)?;
    for ((mut copy, silenced), tree) in copies.into_iter().zip(silenced).zip(trees) {
        let LeasedTree {
            root,
            digest,
            as_recorded: _,
            left_out,
        } = match tree {
            Ok(tree) => tree,
            Err(error @ StoreError::Superseded { .. }) => return Err(error),
            Err(error) => {
                placing.problems.push(not_leased(&copy, &error));
                continue;
            }
        };
        placing.problems.extend(left_out);
        copy.root = root;
        match manifest_of(lookup.loader(), &copy) {
            Ok(manifest) => placing.placed.push(Placed {
                active: ActivePlugin {
                    copy,
                    manifest,
                    silenced,
                    is_linked: false,
                },
                tree_digest: Some(digest),
            }),
            Err(problem) => placing.problems.push(problem),
        }
    }
    placing
        .placed
        .sort_by_cached_key(|one| one.active.id().to_string());
    Ok(placing)
}

fn not_leased(copy: &Installed, error: &StoreError) -> Problem {
    let text = format!(
        "plugin `{}` is left out because it cannot be leased: {}",
        copy.id,
        error_chain(error)
    );
    Problem::error(ProblemKind::Unreadable, text).in_file(&copy.root)
}

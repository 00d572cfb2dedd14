//! `plugin/share/list`: what this account shares, and from which directories of this machine.
//!
//! A row that cannot be read, a file that is corrupt, or a question that was not answered costs what
//! it is about and no more.

use std::collections::BTreeMap;

use plugd_catalog::{
    Collection, Directory, Fetched, InstalledSet, SharePaths, Urls, read_share_paths,
};
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, RemoteScope, error_chain};
use plugd_store::Installed;

use crate::call::Call;
use crate::listing::Summary;
use crate::remote_error::RemoteError;
use crate::remote_row::{self, Here};
use crate::sharing::{self, Gate};
use crate::{Blocking, Copies, Error, Lookup};

const ACTION: &str = "list remote plugin shares";

/// What this account shares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shares {
    /// In the order of the service.
    pub rows: Vec<ShareRow>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// A plugin that this account shares.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRow {
    /// The row of a listing.
    pub summary: Summary,
    /// The directory that it was shared from or checked out to.
    pub path: Option<AbsPath>,
}

/// Lists the shares of the account that is logged in.
///
/// # Errors
/// Plugins are switched off, nobody is logged in, or the service does not list them.
pub async fn shares(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
) -> Result<Shares, Error> {
    let service = sharing::begin(call, blocking, lookup, Gate::Plugins, ACTION).await?;
    let cancelled = call.cancel.cancelled();
    let asked = service
        .directory(Collection::Created, None, None, cancelled)
        .await
        .map_err(|error| RemoteError::asked(ACTION, error))?;
    // Nothing was known before, so nothing is unchanged.
    let Fetched::New(created, _) = asked else {
        return Ok(Shares::default());
    };
    if created.items.is_empty() {
        return Ok(Shares {
            rows: Vec::new(),
            problems: created.problems,
        });
    }
    let scope = Some(RemoteScope::Workspace);
    let installed = service
        .installed(scope, Urls::Without, None, None, call.cancel.cancelled())
        .await;
    let mut problems = Vec::new();
    let installed = match installed {
        Ok(Fetched::New(set, _)) => set,
        Ok(Fetched::Unchanged) => InstalledSet::default(),
        Err(error) if error.is_cancelled() => return Err(RemoteError::asked(ACTION, error)),
        Err(error) => {
            let words = format!("what is installed is not known: {}", error_chain(&error));
            problems.push(Problem::warning(ProblemKind::RemoteUnavailable, words));
            InstalledSet::default()
        }
    };
    let (lookup, copies) = (lookup.clone(), copies.clone());
    blocking
        .read(move || {
            let paths = read_share_paths(lookup.disk(), lookup.layout());
            let config = lookup.config(None);
            let store = copies.store()?;
            let here = |id: &PluginId| {
                // A copy that cannot be read is no reason to show no row.
                let copy = store.get(id).ok().flatten();
                let setting = config.plugins().iter().find(|row| row.id == *id);
                (copy, setting.map(|row| row.enabled))
            };
            let mut shares = rows(&created, &installed, &paths, here);
            shares.problems.extend(problems);
            Ok(shares)
        })
        .await
}

fn rows(
    created: &Directory,
    installed: &InstalledSet,
    paths: &SharePaths,
    here: impl Fn(&PluginId) -> (Option<Installed>, Option<bool>),
) -> Shares {
    let installed: BTreeMap<_, _> = installed
        .items
        .iter()
        .map(|one| (&one.item.id, one))
        .collect();
    let mut problems = created.problems.clone();
    problems.extend(paths.problems.iter().cloned());
    let rows = created.items.iter().map(|item| {
        let (copy, setting) = here(&item.plugin_id());
        if item.sharing.principals.is_none() {
            let words = format!(
                "the service did not say with whom `{}` is shared",
                item.plugin_id()
            );
            problems.push(Problem::warning(ProblemKind::MissingField, words));
        }
        ShareRow {
            summary: remote_row::row(
                item,
                Here {
                    installed: installed.get(&item.id).copied(),
                    copy: copy.as_ref(),
                    setting,
                    trouble: None,
                },
            ),
            path: paths.paths.get(&item.id).cloned(),
        }
    });
    let rows = rows.collect();
    Shares { rows, problems }
}

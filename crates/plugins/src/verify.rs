//! `plugd/verify`: the installed copies against what is recorded about them.
//!
//! The doctor asks the same question in passing and sums it up; here every file that differs is named,
//! so that a program can decide what to do.

use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, VersionSegment, error_chain};
use plugd_store::{Installed, StoreError, VerifyReport};

use crate::call::Call;
use crate::{Blocking, Copies, Error};

/// What a verification looked at.
#[derive(Debug)]
pub struct Verified {
    /// The copies, sorted by id.
    pub plugins: Vec<VerifiedCopy>,
    /// What stands in the cache and is no copy.
    pub problems: Vec<Problem>,
}

/// One copy.
#[derive(Debug)]
pub struct VerifiedCopy {
    /// The plugin.
    pub id: PluginId,
    /// Its version.
    pub version: VersionSegment,
    /// Its directory.
    pub root: AbsPath,
    /// The comparison; an error when the copy cannot be read as a whole.
    pub compared: Result<VerifyReport, Problem>,
    /// What is wrong with its record.
    pub problems: Vec<Problem>,
}

impl Verified {
    /// Whether every copy is what is recorded. One of which nothing is recorded is not.
    #[must_use]
    pub fn matches(&self) -> bool {
        let is_true = |one: &VerifiedCopy| one.compared.as_ref().is_ok_and(|found| found.matches);
        self.plugins.iter().all(is_true)
    }
}

/// Compares one copy, or all. Nothing is locked, repaired or taken over.
///
/// # Errors
/// The plugin that was asked for is not installed, or the cache cannot be read.
pub async fn verify(
    call: &Call,
    blocking: &Blocking,
    copies: &Copies,
    only: Option<PluginId>,
) -> Result<Verified, Error> {
    let (call, copies) = (call.clone(), copies.clone());
    blocking
        .read(move || {
            let store = copies.store_as_it_is();
            let in_store = |error: StoreError| Error::StoreState(Box::new(error));
            let (installed, problems) = match only {
                Some(id) => match store.get(&id).map_err(in_store)? {
                    Some(copy) => (vec![copy], Vec::new()),
                    None => return Err(Error::NotInstalled { id }),
                },
                None => store.list().map_err(in_store)?,
            };
            let mut plugins = Vec::with_capacity(installed.len());
            for (done, copy) in (0_u64..).zip(&installed) {
                call.cancel.check()?;
                let total = u64::try_from(installed.len()).ok();
                call.progress.report("checking", done, total);
                let compared = store.verify(copy, &call);
                // A comparison that was given up says nothing of the copy.
                call.cancel.check()?;
                plugins.extend(verified(copy, compared));
            }
            Ok(Verified { plugins, problems })
        })
        .await
}

/// Nothing for a copy that another process has replaced meanwhile: the new one is that process's work.
fn verified(copy: &Installed, compared: Result<VerifyReport, StoreError>) -> Option<VerifiedCopy> {
    let compared = match compared {
        Err(StoreError::Superseded { .. }) => return None,
        Err(error) => {
            let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
            Err(problem.in_file(&copy.root))
        }
        Ok(report) => Ok(report),
    };
    Some(VerifiedCopy {
        id: copy.id.clone(),
        version: copy.version.clone(),
        root: copy.root.clone(),
        compared,
        problems: copy.problems.clone(),
    })
}

//! The part of an update that concerns the remote catalog: one version, the one that the service has.

use plugd_catalog::Urls;
use plugd_model::{PluginId, RemotePluginId};
use plugd_store::InstalledBy;

use crate::Error;
use crate::call::Call;
use crate::install_job::Prepared;
use crate::parts::Parts;
use crate::remote_error::RemoteError;
use crate::remote_install::{Made, Offered, admit, make, settle};
use crate::remote_names::{self, RemoteTarget};
use crate::standing::Standing;
use crate::update::{held, reviewed};
use crate::update_mode::Mode;
use crate::version_change::{VersionChange, VersionName, VersionReason};
use crate::version_subject::Subject;

/// What was tried.
const ACTION: &str = "update remote plugin";

/// Compares one copy with what the service has, and brings that. The account has the plugin already,
/// and no version of its own, so it is told nothing.
pub(crate) async fn one(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    id: &PluginId,
    standing: Standing,
    remote: RemotePluginId,
) -> Result<VersionChange, Error> {
    let subject = Subject::of(id, &standing);
    let target = RemoteTarget::Id(remote.to_string());
    let (access, remote) = remote_names::resolve(call, parts, target, ACTION).await?;
    let service = parts.lookup.remote().service(&access);
    let item = service.item(&remote, Urls::With, None, call.cancel.cancelled());
    let item = item
        .await
        .map_err(|error| RemoteError::asked(ACTION, error))?;
    let to = VersionName {
        version: item.release.version.clone(),
        ..VersionName::default()
    };
    if to.version == subject.from.version {
        return Ok(subject.current());
    }
    admit(&item)?;
    let offered = Offered::new(&access, item)?;
    if let Some(problem) = held(id, &standing, &offered.version, None) {
        return Ok(subject.stays(VersionReason::HeldByPin, to, vec![problem]));
    }
    if let Mode::Look = mode {
        let (of, job) = (parts.clone(), offered.job(InstalledBy::Request, standing));
        let section = parts
            .blocking
            .read(move || Ok(job.surely_held(&of.lookup, of.copies.store()?)));
        return Ok(subject.would_move(to, section.await?));
    }
    let made = make(
        call,
        parts,
        &offered,
        InstalledBy::Request,
        Some(standing.clone()),
    )
    .await?;
    let (change, made) = review(call, parts, mode, standing, subject, made).await?;
    let Some(made) = made else {
        return Ok(change);
    };
    let done = settle(call, parts, made).await?;
    Ok(VersionChange {
        problems: done.problems,
        ..change
    })
}

/// The row, and what was made when it is to take its place.
async fn review(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    standing: Standing,
    subject: Subject,
    made: Made,
) -> Result<(VersionChange, Option<Made>), Error> {
    let (call, of, mode) = (call.clone(), parts.clone(), mode.clone());
    let section = parts.blocking.write(move || {
        let change = match &made.prepared {
            Prepared::Current(_) => subject.current(),
            Prepared::Staged(staged) => reviewed(&call, &of, &mode, &standing, subject, staged)?,
        };
        // What is not to take its place is given up here, because that is work for the disk.
        let made = (change.changed && !mode.is_dry()).then_some(made);
        Ok((change, made))
    });
    section.await
}

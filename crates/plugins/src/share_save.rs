//! `plugin/share/save`: packs a plugin of this machine and makes a share, or a new version of one, of
//! it.
//!
//! What looks like a secret or like somebody's working files never leaves this machine and is named in
//! the answer. Until the service is told that the archive is complete, nothing is visible to anybody,
//! and giving up leaves nothing.

use plugd_catalog::{
    Body, BodyWriter, Publication, Service, ShareTarget, Shared, UploadPlace, Uploaded,
    insert_share_path,
};
use plugd_disk::{Disk, Kind};
use plugd_fetch::{LeftOut, PackRules, Packed, pack};
use plugd_model::{AbsPath, Discoverability, Problem, ProblemKind, RemotePluginId};
use plugd_store::Workspace;

use crate::call::Call;
use crate::remote_error::RemoteError;
use crate::remote_tell::tell;
use crate::share_delete::not_recorded;
use crate::share_error::ShareError;
use crate::sharing::{self, Gate};
use crate::{Blocking, Copies, Error, Lookup};

const ACTION: &str = "save remote plugin share";
/// How much of the archive is read at once.
const PIECE: u64 = 256 * 1024;
/// Longest name of an archive that is told to the service, in characters; it is only shown there.
const MAX_NAME: usize = 100;

/// What to share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveRequest {
    /// The directory of the plugin.
    pub path: AbsPath,
    /// The share to bring a new version to.
    pub id: Option<String>,
    /// Who can find a new share.
    pub discoverability: Option<Discoverability>,
    /// Whom a new share is for.
    pub targets: Option<Vec<ShareTarget>>,
}

/// What was shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The share.
    pub id: RemotePluginId,
    /// A link to it.
    pub url: Option<String>,
    /// Whether the account may offer it to the whole workspace.
    pub can_publish_to_workspace: Option<bool>,
    /// What stayed on this machine.
    pub left_out: Vec<LeftOut>,
    /// What went wrong beside the share itself.
    pub problems: Vec<Problem>,
}

/// What of a request can be judged without knowing who asks.
#[derive(Debug, PartialEq, Eq)]
enum Aim {
    New {
        discoverability: Option<Discoverability>,
        targets: Option<Vec<ShareTarget>>,
    },
    Version(RemotePluginId),
}

/// The file that is sent.
struct Archive {
    file: AbsPath,
    bytes: u64,
}

/// Packs a plugin, sends it, and has a share made of it.
///
/// # Errors
/// The request cannot be meant, sharing is switched off, nobody is logged in, the directory is no
/// plugin or too large, or the service refuses. Nothing is shared then.
pub async fn save_share(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    request: SaveRequest,
) -> Result<Saved, Error> {
    let SaveRequest {
        path,
        id,
        discoverability,
        targets,
    } = request;
    let aim = aim(id.as_deref(), discoverability, targets)?;
    let service = sharing::begin(call, blocking, lookup, Gate::Sharing, ACTION).await?;
    let account = service.access().account.account_id.clone();
    let publication = publication(aim, account.as_deref())?;
    let packing = {
        let (call, lookup) = (call.clone(), lookup.clone());
        let (copies, path) = (copies.clone(), path.clone());
        blocking.write(move || archive(&call, &lookup, &copies, &path))
    };
    let (workspace, packed) = packing.await?;
    let archive = Archive {
        file: archive_in(&workspace),
        bytes: packed.bytes,
    };
    let sending = send(
        call,
        blocking,
        lookup,
        &service,
        &path,
        &publication,
        archive,
    );
    let shared = sending.await;
    let (lookup, copies) = (lookup.clone(), copies.clone());
    blocking
        .write(move || {
            // Also after a failure: the archive is removed where the disk may be waited for.
            drop(workspace);
            let shared = shared?;
            let moved = moved(&publication, &shared.id);
            let recorded = copies.prepare_state().map(|()| {
                insert_share_path(lookup.disk(), lookup.layout(), &shared.id, &path)
                    .unwrap_or_else(|error| vec![error.problem().as_warning()])
            });
            Ok(Saved {
                id: shared.id,
                url: shared.share_url,
                can_publish_to_workspace: shared.can_publish_to_workspace,
                left_out: packed.left_out,
                problems: moved
                    .into_iter()
                    .chain(recorded.unwrap_or_else(|error| vec![not_recorded(&error)]))
                    .collect(),
            })
        })
        .await
}

/// A version was to be made of one share, and the service says that it has made another one. It is
/// made, so that is told and the answered one counts from here on.
fn moved(publication: &Publication, answered: &RemotePluginId) -> Option<Problem> {
    match publication {
        Publication::Version(asked) if asked != answered => {
            let text = format!("the service has saved it as `{answered}` and not as `{asked}`");
            Some(Problem::warning(ProblemKind::Conflict, text))
        }
        Publication::Version(_) | Publication::New { .. } => None,
    }
}

/// The words are the reference's.
fn aim(
    id: Option<&str>,
    discoverability: Option<Discoverability>,
    targets: Option<Vec<ShareTarget>>,
) -> Result<Aim, Error> {
    if let Some(id) = id {
        let id = sharing::parse_id(id)?;
        let field = match (discoverability, &targets) {
            (Some(_), _) => "discoverability",
            (None, Some(_)) => "shareTargets",
            (None, None) => return Ok(Aim::Version(id)),
        };
        let reason = "discoverability and shareTargets are only supported when creating a plugin \
                      share; use plugin/share/updateTargets to update share settings";
        return Err(ShareError::BadRequest { field, reason }.into());
    }
    if discoverability == Some(Discoverability::Listed) {
        let reason = "discoverability LISTED is not supported for plugin/share/save; use UNLISTED or PRIVATE";
        let field = "discoverability";
        return Err(ShareError::BadRequest { field, reason }.into());
    }
    Ok(Aim::New {
        discoverability,
        targets,
    })
}

/// What the request means for this account.
fn publication(aim: Aim, account: Option<&str>) -> Result<Publication, ShareError> {
    match aim {
        Aim::Version(id) => Ok(Publication::Version(id)),
        Aim::New {
            discoverability,
            targets,
        } => {
            // Whom nobody named is left to the service, unless a link needs the workspace.
            let named = targets.is_some();
            let all = targets.unwrap_or_default();
            let all = sharing::targets(discoverability, all, account, ACTION)?;
            Ok(Publication::New {
                discoverability,
                targets: (named || !all.is_empty()).then_some(all),
            })
        }
    }
}

fn archive_in(workspace: &Workspace) -> AbsPath {
    workspace.dir().join("plugin.tar.gz")
}

/// Makes the archive in a workspace that goes away with its value.
fn archive(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    path: &AbsPath,
) -> Result<(Workspace, Packed), Error> {
    check_plugin(lookup, path)?;
    let workspace = copies
        .store()?
        .workspace()
        .map_err(|error| Error::StoreState(Box::new(error)))?;
    call.progress.report("packing", 0, None);
    let dest = archive_in(&workspace);
    match pack(lookup.disk(), path, &dest, &PackRules::SHARE, call) {
        Ok(packed) => Ok((workspace, packed)),
        Err(error) if error.is_cancelled() => Err(Error::Cancelled(crate::call::Cancelled)),
        Err(error) => Err(ShareError::Pack {
            action: ACTION,
            source: Box::new(error),
        }
        .into()),
    }
}

/// Whether a plugin is there.
fn check_plugin(lookup: &Lookup, path: &AbsPath) -> Result<(), Error> {
    let refuse = |reason: &str| ShareError::BadPath {
        action: ACTION,
        path: path.clone(),
        reason: reason.to_owned(),
    };
    match lookup.disk().stamp(path)? {
        Some(stamp) if stamp.kind == Kind::Dir => {}
        _ => return Err(refuse("expected a plugin directory").into()),
    }
    match lookup.loader().plugin(path) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            let reason = "missing .codex-plugin/plugin.json or valid Agent Plugin manifest";
            Err(refuse(reason).into())
        }
        Err(problem) => Err(ShareError::BadFile {
            action: ACTION,
            path: path.clone(),
            problem: Box::new(problem),
        }
        .into()),
    }
}

/// Sends the archive and has a share made of it.
async fn send(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    service: &Service,
    path: &AbsPath,
    publication: &Publication,
    archive: Archive,
) -> Result<Shared, Error> {
    let failed = |error| RemoteError::asked(ACTION, error);
    let version_of = match publication {
        Publication::Version(id) => Some(id),
        Publication::New { .. } => None,
    };
    let name = file_name(path);
    let place = service
        .upload_place(
            &name,
            archive.bytes,
            version_of,
            None,
            call.cancel.cancelled(),
        )
        .await
        .map_err(failed)?;
    let uploaded = upload(call, blocking, lookup.disk(), service, place, archive).await?;
    call.progress.report("publishing", 0, None);
    let never = std::future::pending();
    let shared = service.publish(&uploaded, publication, None, never);
    tell(call, ACTION, shared).await?.map_err(failed)
}

/// One task reads the file, another sends it meanwhile, so it is never in memory as a whole.
async fn upload(
    call: &Call,
    blocking: &Blocking,
    disk: &Disk,
    service: &Service,
    place: UploadPlace,
    archive: Archive,
) -> Result<Uploaded, Error> {
    let Archive { file, bytes } = archive;
    let (writer, body) = Body::chunks();
    let (disk, progress) = (disk.clone(), call.progress.clone());
    let reading = blocking.transfer(move || {
        feed(&disk, &file, bytes, writer, |done| {
            progress.report("uploading", done, Some(bytes));
        })
    });
    let sending = service.upload(place, bytes, body, None, call.cancel.cancelled());
    let (read, sent) = tokio::join!(reading, sending);
    // What broke the file off broke the sending too, and is the better reason.
    read?;
    sent.map_err(|error| RemoteError::asked(ACTION, error))
}

/// Writes a file to a body. Ends early when nobody takes it any more.
fn feed(
    disk: &Disk,
    file: &AbsPath,
    bytes: u64,
    writer: BodyWriter,
    moved: impl Fn(u64),
) -> Result<(), Error> {
    let mut at = 0;
    while at < bytes {
        let piece = disk.read_from(file, at, PIECE.min(bytes - at))?;
        if piece.is_empty() {
            return Ok(());
        }
        at += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if !writer.write_blocking(piece) {
            return Ok(());
        }
        moved(at);
    }
    writer.finish_blocking();
    Ok(())
}

/// The name of the archive: that of the directory.
fn file_name(path: &AbsPath) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().take(MAX_NAME).collect();
    match name.as_str() {
        "" => "plugin.tar.gz".to_owned(),
        name => format!("{name}.tar.gz"),
    }
}

#[cfg(test)]
#[path = "share_save_tests.rs"]
mod tests;

//! `plugin/share/updateTargets`: who sees a share from now on.

use plugd_catalog::{ShareState, ShareTarget};
use plugd_model::Discoverability;

use crate::call::Call;
use crate::remote_error::RemoteError;
use crate::remote_tell::tell;
use crate::sharing::{self, Gate};
use crate::{Blocking, Error, Lookup};

const ACTION: &str = "update remote plugin share targets";

/// Replaces whom a share is for, and answers what the service made of it.
///
/// # Errors
/// Sharing is switched off, nobody is logged in, the targets cannot be meant, or the service refuses.
pub async fn update_share_targets(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    id: String,
    discoverability: Discoverability,
    targets: Vec<ShareTarget>,
) -> Result<ShareState, Error> {
    let id = sharing::parse_id(&id)?;
    let service = sharing::begin(call, blocking, lookup, Gate::Sharing, ACTION).await?;
    let account = service.access().account.account_id.as_deref();
    let targets = sharing::targets(Some(discoverability), targets, account, ACTION)?;
    let never = std::future::pending();
    let state = service.set_share_targets(&id, discoverability, &targets, None, never);
    let state = tell(call, ACTION, state).await?;
    state.map_err(|error| RemoteError::asked(ACTION, error))
}

//! What the methods of sharing have in common: whether they may be used at all, and as whom.

use plugd_catalog::{PrincipalKind, Service, ShareTarget, TargetRole};
use plugd_config::Snapshot;
use plugd_model::{Discoverability, RemotePluginId};

use crate::call::Call;
use crate::login_refresh::refresh_login;
use crate::share_error::ShareError;
use crate::{Blocking, Error, Lookup};

/// What of sharing is needed. The reference refuses without the switch only what would share more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Plugins; what is shared can be looked at and withdrawn also when sharing is switched off.
    Plugins,
    /// Plugins and sharing.
    Sharing,
}

/// Reads the id of a share.
pub(crate) fn parse_id(text: &str) -> Result<RemotePluginId, Error> {
    let id = RemotePluginId::parse(text);
    Ok(id.map_err(|source| ShareError::BadId { source })?)
}

/// The service as the account speaks to it that is logged in.
///
/// # Errors
/// The gate is closed, or nobody is logged in who can share.
pub(crate) async fn begin(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    gate: Gate,
    action: &'static str,
) -> Result<Service, Error> {
    refresh_login(call, blocking, lookup).await;
    let lookup = lookup.clone();
    blocking
        .read(move || {
            let config = lookup.config(None);
            admit(&config, gate)?;
            let access = lookup.remote().access(&config, action)?;
            Ok(lookup.remote().service(&access))
        })
        .await
}

fn admit(config: &Snapshot, gate: Gate) -> Result<(), ShareError> {
    let features = config.features();
    if !features.plugins {
        return Err(ShareError::NotEnabled);
    }
    if gate == Gate::Sharing && !features.plugin_sharing {
        return Err(ShareError::Disabled);
    }
    Ok(())
}

/// Whom a share is for, with the link for the workspace that an unlisted one is.
///
/// # Errors
/// The workspace is named as a target, or the account is not known that stands for it.
pub(crate) fn targets(
    discoverability: Option<Discoverability>,
    mut named: Vec<ShareTarget>,
    account: Option<&str>,
    action: &'static str,
) -> Result<Vec<ShareTarget>, ShareError> {
    if named.iter().any(|one| one.kind == PrincipalKind::Workspace) {
        return Err(ShareError::BadRequest {
            field: "shareTargets",
            reason: "shareTargets cannot include workspace principals; \
                     use discoverability UNLISTED for workspace link access",
        });
    }
    if discoverability == Some(Discoverability::Unlisted) {
        named.push(ShareTarget {
            kind: PrincipalKind::Workspace,
            id: account.ok_or(ShareError::NoAccount { action })?.to_owned(),
            role: TargetRole::Reader,
        });
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use plugd_catalog::{PrincipalKind, ShareTarget, TargetRole};
    use plugd_model::Discoverability::{self, Listed, Private, Unlisted};
    use pretty_assertions::assert_eq;

    use super::{parse_id, targets};

    fn target(kind: PrincipalKind, id: &str) -> ShareTarget {
        ShareTarget {
            kind,
            id: id.to_owned(),
            role: TargetRole::Reader,
        }
    }

    #[track_caller]
    fn check(
        found_by: Option<Discoverability>,
        account: Option<&str>,
        expected: Result<&[&str], &str>,
    ) {
        let named = vec![target(PrincipalKind::User, "u")];
        let found = targets(found_by, named, account, "share")
            .map(|all| all.into_iter().map(|one| one.id).collect::<Vec<_>>())
            .map_err(|error| error.to_string());
        let expected = expected
            .map(|ids| ids.iter().map(|id| (*id).to_owned()).collect())
            .map_err(str::to_owned);
        assert_eq!(found, expected);
    }

    #[test]
    fn only_a_link_adds_the_workspace() {
        for found_by in [None, Some(Private), Some(Listed)] {
            check(found_by, Some("acc"), Ok(&["u"]));
            check(found_by, None, Ok(&["u"]));
        }
        check(Some(Unlisted), Some("acc"), Ok(&["u", "acc"]));
        check(
            Some(Unlisted),
            None,
            Err("share: the login names no account, so there is no workspace to share with"),
        );
    }

    #[test]
    fn nobody_names_the_workspace() {
        let named = vec![target(PrincipalKind::Workspace, "acc")];
        let error = targets(None, named, Some("acc"), "share").unwrap_err();
        assert_eq!(
            error.to_string(),
            "shareTargets cannot include workspace principals; \
             use discoverability UNLISTED for workspace link access"
        );
    }

    #[test]
    fn ids() {
        assert_eq!(parse_id("plugins~1").unwrap().as_str(), "plugins~1");
        for bad in ["", "a.b", "a@b"] {
            assert_eq!(
                parse_id(bad).unwrap_err().to_string(),
                "invalid remote plugin id"
            );
        }
    }
}

//! Calls that change what the account has installed. They are sent once: an answer that was lost does
//! not mean that nothing was done.

use plugd_http::Method;
use plugd_model::RemotePluginId;
use tokio::time::Instant;

use crate::pages::shown;
use crate::service::one::same;
use crate::service::{Answer, Ask, unless};
use crate::{Call, CatalogError, InstallAnswer, Service};

impl Service {
    /// Tells the service that the account has the plugin now. Doing it twice is no error.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, has no such plugin, or does not say that it was done.
    pub async fn install(
        &self,
        id: &RemotePluginId,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<InstallAnswer, CatalogError> {
        let ask = Ask::new(
            Call::Install,
            Method::POST,
            format!("/ps/plugins/{id}/install"),
        )
        .query("includeAppsNeedingAuth", "true");
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        check(&answer, id, true)?;
        let apps = answer.object()?.texts("app_ids_needing_auth");
        Ok(InstallAnswer {
            // The installation is done; which apps want a login is only not known then.
            apps_needing_auth: apps.unwrap_or_default(),
        })
    }

    /// Tells the service that the account no longer has the plugin. Doing it twice is no error.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, has no such plugin, or does not say that it was done.
    pub async fn uninstall(
        &self,
        id: &RemotePluginId,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<(), CatalogError> {
        let ask = Ask::new(
            Call::Uninstall,
            Method::POST,
            format!("/ps/plugins/{id}/uninstall"),
        );
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        check(&answer, id, false)
    }
}

/// Holds if the answer says that the plugin is now as it was asked to be.
fn check(answer: &Answer, id: &RemotePluginId, enabled: bool) -> Result<(), CatalogError> {
    let object = answer.object()?;
    let bad = |problem| answer.bad(shown(&problem));
    let found = object.text("id").map_err(bad)?;
    same(answer, "plugin", found, id.as_str())?;
    let found = object.needed("enabled", object.flag("enabled"));
    match found.map_err(bad)? {
        found if found == enabled => Ok(()),
        true => Err(answer.mismatch("the plugin is still enabled")),
        false => Err(answer.mismatch("the plugin is not enabled")),
    }
}

//! Calls with which an account offers its own plugins to others. They are sent once: an answer that
//! was lost does not mean that nothing was done.

use plugd_http::Method;
use plugd_model::{Discoverability, RemotePluginId};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::item::raw;
use crate::pages::shown;
use crate::service::{Ask, unless};
use crate::{Call, CatalogError, Principal, PrincipalKind, Service};

mod upload;

pub use upload::{UploadPlace, Uploaded};

/// Where shares of a workspace are made, brought to new versions and ended.
const SHARES: &str = "/public/plugins/workspace";

/// Somebody who is to be given something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareTarget {
    /// What kind of somebody.
    pub kind: PrincipalKind,
    /// The id.
    pub id: String,
    /// What the target may do.
    pub role: TargetRole,
}

/// What can be given to somebody; nobody gives a plugin away altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetRole {
    /// To install it.
    Reader,
    /// To change it too.
    Editor,
}

/// Who sees a share and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareState {
    /// Everybody who may do something.
    pub principals: Vec<Principal>,
    /// Who comes across it.
    pub discoverability: Discoverability,
}

/// What an uploaded archive becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// A share of its own.
    New {
        /// Who comes across it; `None` leaves it to the service.
        discoverability: Option<Discoverability>,
        /// Who may do what; `None` leaves it to the service.
        targets: Option<Vec<ShareTarget>>,
    },
    /// The next version of a share that is there.
    Version(RemotePluginId),
}

/// What the service made of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The share.
    pub id: RemotePluginId,
    /// A link to it.
    pub share_url: Option<String>,
    /// Whether the account may offer it to the whole workspace.
    pub can_publish_to_workspace: Option<bool>,
}

impl TargetRole {
    /// The service's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
        }
    }
}

impl ShareTarget {
    fn json(&self) -> Value {
        json!({
            "principal_type": self.kind.word(),
            "principal_id": self.id,
            "role": self.role.word(),
        })
    }
}

impl Service {
    /// Says who sees a share from now on; whoever is not named loses it.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, has no such share, or does not say what it made of it.
    pub async fn set_share_targets(
        &self,
        id: &RemotePluginId,
        discoverability: Discoverability,
        targets: &[ShareTarget],
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<ShareState, CatalogError> {
        let targets: Vec<_> = targets.iter().map(ShareTarget::json).collect();
        let path = format!("/ps/plugins/{id}/shares");
        let ask = Ask::new(Call::ShareTargets, Method::PUT, path)
            .json(&json!({"discoverability": discoverability.word(), "targets": targets}));
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        let object = answer.object()?;
        let state = || {
            let principals = raw::principals(&object, "principals");
            let found = object.word("discoverability", raw::discoverability);
            Ok(ShareState {
                principals: object.needed("principals", principals)?,
                discoverability: object.needed("discoverability", found)?,
            })
        };
        state().map_err(|problem| answer.bad(shown(&problem)))
    }

    /// Makes a share, or a version of one, of an archive that was uploaded.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, or does not name the share.
    pub async fn publish(
        &self,
        uploaded: &Uploaded,
        publication: &Publication,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Shared, CatalogError> {
        let mut body = Map::new();
        body.insert("file_id".to_owned(), uploaded.file_id.clone().into());
        body.insert("etag".to_owned(), uploaded.etag.clone().into());
        let path = match publication {
            Publication::Version(id) => format!("{SHARES}/{id}"),
            Publication::New {
                discoverability,
                targets,
            } => {
                if let Some(discoverability) = discoverability {
                    let word = discoverability.word();
                    body.insert("discoverability".to_owned(), word.into());
                }
                if let Some(targets) = targets {
                    let targets = targets.iter().map(ShareTarget::json).collect();
                    body.insert("share_targets".to_owned(), targets);
                }
                SHARES.to_owned()
            }
        };
        let ask = Ask::new(Call::Share, Method::POST, path).json(&Value::Object(body));
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        let object = answer.object()?;
        let bad = |problem| answer.bad(shown(&problem));
        let id = object.needed("plugin_id", object.text("plugin_id"));
        let id = RemotePluginId::parse(&id.map_err(bad)?)
            .map_err(|error| answer.bad(error.to_string()))?;
        // The share is made; what is not known of it can be asked for later.
        Ok(Shared {
            id,
            share_url: object.text("share_url").unwrap_or_default(),
            can_publish_to_workspace: object.flag("can_publish_to_workspace").unwrap_or_default(),
        })
    }

    /// Ends a share.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, has no such share, or answers anything but that there
    /// is nothing any more.
    pub async fn unshare(
        &self,
        id: &RemotePluginId,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<(), CatalogError> {
        let ask = Ask::new(Call::Unshare, Method::DELETE, format!("{SHARES}/{id}"));
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        match answer.status {
            204 => Ok(()),
            status => Err(answer.bad(format!("it has the status {status} instead of 204"))),
        }
    }
}

#[cfg(test)]
mod tests;

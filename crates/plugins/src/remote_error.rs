//! Why something that needs the account's catalog could not be done.
//!
//! The words that begin a refusal are the reference's where its clients match on them.

use plugd_catalog::CatalogError;
use plugd_fetch::BundleAddressError;
use plugd_model::{PluginId, Problem, RemoteIdError, RemotePluginId, VersionError};

use crate::call::Cancelled;
use crate::error::Error;
use crate::error_terms::{Facts, Kind};
use crate::remote_login::is_kept_elsewhere;

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// An API key is a login for something else.
    #[error(
        "{action}: chatgpt authentication required for remote plugin catalog; \
         api key auth is not supported"
    )]
    ApiKey {
        /// What was tried.
        action: &'static str,
    },
    /// There is a login, and nobody can tell whose: not the same as nobody. Clients of the reference
    /// match on the words, so the reason is in the hint.
    #[error("{action}: chatgpt authentication required for remote plugin catalog")]
    LoginUnread {
        /// What was tried.
        action: &'static str,
        /// Why not.
        problem: Box<Problem>,
    },
    /// The login was good once.
    #[error("{action}: the login has expired")]
    LoginExpired {
        /// What was tried.
        action: &'static str,
        /// Why it could not be refreshed, where that was tried.
        unrefreshed: Option<String>,
    },
    /// The configured address of the service is none that a token may be sent to.
    #[error("{action}: the configured address of the service cannot be used")]
    NoService {
        /// What was tried.
        action: &'static str,
    },
    /// Plugins are switched off in configuration. The words are the reference's.
    #[error("{what} is not enabled{}", for_marketplace(marketplace.as_deref()))]
    NotEnabled {
        /// What of it.
        what: &'static str,
        /// The marketplace as the client wrote it, where a request names one.
        marketplace: Option<String>,
    },
    /// A text that is no id of a remote plugin.
    #[error("invalid remote plugin id: {reason}")]
    IllegalId {
        /// The member that holds it.
        field: &'static str,
        /// The rule that it breaks.
        reason: String,
    },
    /// No skill can be meant. The words are the reference's.
    #[error("invalid remote plugin skill name: cannot be empty")]
    NoSkillName,
    /// The remote catalog has no such marketplace. The words are the reference's.
    #[error("{action}: remote marketplace `{}` is not supported", marketplace.escape_debug())]
    UnknownMarketplace {
        /// What was tried.
        action: &'static str,
        /// What was asked for.
        marketplace: String,
    },
    /// Neither the id of a remote plugin nor `name@marketplace`. It begins with the words of the
    /// reference.
    #[error("invalid remote plugin id: `{}` is neither one nor `plugin@marketplace`", id.escape_debug())]
    NeitherId {
        /// What was given.
        id: String,
    },
    /// An administrator has switched the plugin off for everybody.
    #[error("remote plugin `{plugin}` is disabled by admin")]
    DisabledByAdmin {
        /// The plugin.
        plugin: PluginId,
    },
    /// The catalog shows the plugin and does not hand it out.
    #[error("remote plugin `{plugin}` is not available for install")]
    NotAvailable {
        /// The plugin.
        plugin: PluginId,
    },
    /// The release has no version, so nothing would tell it from the next one.
    #[error("remote plugin `{plugin}` has no release version")]
    NoVersion {
        /// The plugin.
        plugin: PluginId,
    },
    /// The version cannot name a directory.
    #[error("remote plugin `{plugin}` has an invalid release version")]
    BadVersion {
        /// The plugin.
        plugin: PluginId,
        /// What is wrong with it.
        #[source]
        source: VersionError,
    },
    /// The service named no place to take the bundle from.
    #[error("the service did not return a download URL for remote plugin `{plugin}`")]
    NoBundle {
        /// The plugin.
        plugin: PluginId,
    },
    /// The service named a place that no bundle is taken from.
    #[error("remote plugin `{plugin}` cannot be downloaded")]
    BadBundleUrl {
        /// The plugin.
        plugin: PluginId,
        /// What is wrong with it.
        #[source]
        source: BundleAddressError,
    },
    /// The bundle could not be brought, is none, or holds something else. The words are the
    /// reference's.
    #[error("install remote plugin bundle")]
    Bundle {
        /// The plugin.
        plugin: PluginId,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// The bundle is of another plugin.
    #[error(
        "the plugin name `{}` in the bundle's manifest does not match `{}` in the catalog",
        found.escape_debug(), plugin.plugin
    )]
    OtherName {
        /// The plugin.
        plugin: PluginId,
        /// What the manifest says.
        found: String,
    },
    /// What the catalog says about the plugin cannot be written into its bundle.
    #[error("the bundle of remote plugin `{plugin}` cannot be completed: {reason}")]
    Incomplete {
        /// The plugin.
        plugin: PluginId,
        /// Why.
        reason: String,
    },
    /// Its copy came from somewhere else, and moves only when somebody says so.
    #[error("`{plugin}` came from {to} and is not replaced by the remote catalog's")]
    BoundElsewhere {
        /// The plugin.
        plugin: PluginId,
        /// What it is bound to.
        to: String,
    },
    /// Nothing in the catalog has this name.
    #[error("the remote catalog has no plugin `{plugin}` for this account")]
    NoSuchName {
        /// What was asked for.
        plugin: PluginId,
    },
    /// The account does not have the plugin any more, or never had it.
    #[error("remote plugin `{id}` is not known to this account")]
    Unknown {
        /// What was asked for.
        id: RemotePluginId,
    },
    /// What the account has cannot be told as a whole.
    #[error("{action}: {reason}")]
    NoState {
        /// What was tried.
        action: &'static str,
        /// Why not.
        reason: String,
    },
    /// A request was cancelled while the service was told of a change, and it did not answer.
    #[error(
        "{action}: the request was cancelled before the service had answered, so it may have been \
         done there; nothing has changed here"
    )]
    InDoubt {
        /// What was tried.
        action: &'static str,
    },
    /// The service was asked and did not answer what was hoped for.
    #[error("{action}")]
    Asked {
        /// What was tried.
        action: &'static str,
        /// What came instead.
        #[source]
        source: Box<CatalogError>,
    },
}

impl RemoteError {
    /// A failed call as an error of a request. Giving up is the same everywhere.
    pub(crate) fn asked(action: &'static str, source: CatalogError) -> Error {
        if source.is_cancelled() {
            return Error::Cancelled(Cancelled);
        }
        Error::Remote(Self::Asked {
            action,
            source: Box::new(source),
        })
    }

    /// A text that is no id, in the words of the reference where it has some.
    pub(crate) fn illegal_id(field: &'static str, error: RemoteIdError) -> Self {
        let reason = match error {
            RemoteIdError::Empty | RemoteIdError::BadCharacter { .. } => {
                "only ASCII letters, digits, `_`, `-`, and `~` are allowed".to_owned()
            }
            RemoteIdError::TooLong { .. } => error.to_string(),
        };
        Self::IllegalId { field, reason }
    }

    /// Whether nobody knows what the service has done.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self, Self::InDoubt { .. })
    }

    /// Sorts the error.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::NeitherId { .. }
            | Self::IllegalId { .. }
            | Self::NoSkillName
            | Self::UnknownMarketplace { .. } => Kind::InvalidInput,
            Self::NotEnabled { .. }
            | Self::ApiKey { .. }
            | Self::LoginUnread { .. }
            | Self::LoginExpired { .. }
            | Self::NoService { .. }
            | Self::DisabledByAdmin { .. }
            | Self::NotAvailable { .. } => Kind::NotAllowed,
            Self::NoVersion { .. } | Self::BadVersion { .. } | Self::NoBundle { .. } => {
                Kind::Unavailable
            }
            Self::BadBundleUrl { .. } | Self::NoState { .. } => Kind::Unavailable,
            Self::OtherName { .. } | Self::Incomplete { .. } => Kind::InvalidInput,
            Self::Bundle { source, .. } => source.kind(),
            Self::BoundElsewhere { .. } => Kind::Conflict,
            Self::InDoubt { .. } => Kind::Cancelled,
            Self::Unknown { .. } | Self::NoSuchName { .. } => Kind::NotFound,
            Self::Asked { source, .. } => kind_of_call(source),
        }
    }

    /// What a program can act on.
    pub(crate) fn facts(&self) -> Facts {
        let plugin = match self {
            Self::DisabledByAdmin { plugin }
            | Self::NotAvailable { plugin }
            | Self::NoVersion { plugin }
            | Self::BadVersion { plugin, .. }
            | Self::NoBundle { plugin }
            | Self::BadBundleUrl { plugin, .. }
            | Self::OtherName { plugin, .. }
            | Self::BoundElsewhere { plugin, .. }
            | Self::NoSuchName { plugin }
            | Self::Incomplete { plugin, .. } => Some(plugin),
            Self::Bundle { plugin, source } => {
                return Facts {
                    plugin: Some(plugin.to_string()),
                    marketplace: Some(plugin.marketplace.to_string()),
                    ..source.facts()
                };
            }
            _ => None,
        };
        let (host, retryable) = match self {
            Self::Asked { source, .. } => (source.host(), source.is_retryable()),
            _ => (None, false),
        };
        let field = match self {
            Self::NeitherId { .. } => Some("pluginId".to_owned()),
            Self::IllegalId { field, .. } => Some((*field).to_owned()),
            Self::NoSkillName => Some("skillName".to_owned()),
            Self::UnknownMarketplace { .. } => Some("remoteMarketplaceName".to_owned()),
            Self::NoService { .. } => Some("chatgpt_base_url".to_owned()),
            _ => None,
        };
        Facts {
            path: match self {
                Self::LoginUnread { problem, .. } => problem.path.clone(),
                _ => None,
            },
            plugin: match self {
                Self::Unknown { id } => Some(id.to_string()),
                _ => plugin.map(PluginId::to_string),
            },
            marketplace: plugin.map(|id| id.marketplace.to_string()),
            host: host.map(str::to_owned),
            hint: match self {
                Self::LoginUnread { problem, .. } if is_kept_elsewhere(problem) => {
                    Some(problem.message.clone())
                }
                Self::LoginUnread { problem, .. } => Some(format!(
                    "{}; mend the file, or log in again: the login program writes it anew",
                    problem.message
                )),
                Self::LoginExpired {
                    unrefreshed: Some(reason),
                    ..
                } => Some(format!(
                    "log in again with the login program; the login could not be refreshed: {reason}"
                )),
                _ => self.hint().map(str::to_owned),
            },
            field,
            retryable,
            ..Facts::default()
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotEnabled { .. } => "set `features.plugins = true` in config.toml",
            Self::ApiKey { .. } => "log in with a ChatGPT account instead of an API key",
            Self::LoginExpired { .. } => {
                "log in again, or set `refresh_login = true` in plugd.toml"
            }
            Self::NoService { .. } => "mend `chatgpt_base_url` in config.toml",
            Self::BoundElsewhere { .. } => "install it by its remote id to bind it to the catalog",
            Self::InDoubt { .. } => {
                "look what the account has before doing it again: plugin/installed, or \
                 plugin/share/list for a share"
            }
            Self::DisabledByAdmin { .. } => "ask the administrator of the workspace",
            Self::Asked { source, .. } if source.is_unauthorized() => {
                "log in again; the service does not accept this login"
            }
            Self::Asked { source, .. } if source.is_offline() => {
                "check the network, or a proxy in HTTPS_PROXY, and try again"
            }
            _ => return None,
        })
    }
}

/// The end of a refusal that names a marketplace.
fn for_marketplace(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| {
        format!(" for marketplace {}", name.escape_debug())
    })
}

fn kind_of_call(error: &CatalogError) -> Kind {
    match error {
        CatalogError::NotFound { .. } => Kind::NotFound,
        CatalogError::Unauthorized { .. } => Kind::NotAllowed,
        CatalogError::Unsendable { .. } => Kind::InvalidInput,
        CatalogError::Cancelled => Kind::Cancelled,
        CatalogError::Http { source, .. } if source.is_cancelled() => Kind::Cancelled,
        CatalogError::Status { .. }
        | CatalogError::BadAnswer { .. }
        | CatalogError::Mismatch { .. }
        | CatalogError::Http { .. } => Kind::Unavailable,
    }
}

//! Why the service gave no usable answer.
//!
//! No variant holds a token, a body, a header or a query. Of a body only the sentence goes in that the
//! service wrote for people, cut and without control characters.

use std::fmt;

use plugd_http::HttpError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The service does not accept the login, or not for this.
    #[error("`{host}` refuses {call} to this login ({status}){detail}")]
    Unauthorized {
        /// What was asked.
        call: Call,
        /// The service.
        host: String,
        /// 401 or 403.
        status: u16,
        /// What it said.
        detail: Detail,
    },
    /// The service has no such thing, or hides it from who asks.
    #[error("`{host}` does not have {call}{detail}")]
    NotFound {
        /// What was asked.
        call: Call,
        /// The service.
        host: String,
        /// What it said.
        detail: Detail,
    },
    /// The service answered with another status than success.
    #[error("`{url}` answered {status} for {call}{detail}")]
    Status {
        /// What was asked.
        call: Call,
        /// The service.
        host: String,
        /// The address that answered, without its query.
        url: String,
        /// The status code.
        status: u16,
        /// What it said.
        detail: Detail,
    },
    /// The answer cannot be understood.
    #[error("what `{host}` answered for {call} cannot be used: {reason}")]
    BadAnswer {
        /// What was asked.
        call: Call,
        /// The service.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is about something else than was asked, or says that it was not done.
    #[error("what `{host}` answered for {call} does not fit what was asked: {reason}")]
    Mismatch {
        /// What was asked.
        call: Call,
        /// The service.
        host: String,
        /// What differs.
        reason: String,
    },
    /// The call would mean something else than it says, so it was not made.
    #[error("the service cannot be asked for {call}: {reason}")]
    Unsendable {
        /// What was to be asked.
        call: Call,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The service could not be asked, or did not answer to the end.
    #[error("cannot ask `{host}` for {call}")]
    Http {
        /// What was asked.
        call: Call,
        /// The service.
        host: String,
        /// The reason.
        #[source]
        source: HttpError,
    },
    /// The caller gave up.
    #[error("the call to the plugin service was cancelled")]
    Cancelled,
}

/// What is asked of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A directory of plugins.
    Directory,
    /// The installed plugins.
    Installed,
    /// One plugin.
    Item,
    /// The text of a skill.
    Skill,
    /// To note an installation.
    Install,
    /// To note an uninstallation.
    Uninstall,
    /// A search.
    Search,
    /// The featured plugins.
    Featured,
    /// The names of apps.
    Apps,
    /// To change with whom a plugin is shared.
    ShareTargets,
    /// A place to put an archive.
    UploadPlace,
    /// To put an archive there.
    Upload,
    /// To make a shared plugin of an archive.
    Share,
    /// To share a plugin no more.
    Unshare,
}

/// What the service said for people about a refusal; often nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detail(pub(crate) Option<String>);

impl CatalogError {
    /// Whether the service has no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the service does not accept the login.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether the service cannot be reached at all, as on a machine without a network.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Http { source, .. } if source.is_offline())
    }

    /// Whether the service did not answer in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let Self::Http { source, .. } = self else {
            return false;
        };
        matches!(source, HttpError::Timeout { .. })
    }

    /// Whether the caller gave up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled => true,
            Self::Http { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }

    /// Whether asking again later may help without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http { source, .. } => source.is_retryable(),
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            Self::Unauthorized { .. }
            | Self::NotFound { .. }
            | Self::BadAnswer { .. }
            | Self::Mismatch { .. }
            | Self::Unsendable { .. }
            | Self::Cancelled => false,
        }
    }

    /// The service that refused or did not answer, where one was asked.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Unauthorized { host, .. }
            | Self::NotFound { host, .. }
            | Self::Status { host, .. }
            | Self::BadAnswer { host, .. }
            | Self::Mismatch { host, .. }
            | Self::Http { host, .. } => Some(host),
            Self::Unsendable { .. } | Self::Cancelled => None,
        }
    }

    /// The status that the service answered with, where it was no success.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized { status, .. } | Self::Status { status, .. } => Some(*status),
            Self::NotFound { .. } => Some(404),
            _ => None,
        }
    }
}

impl Detail {
    /// The text, without what stands around it in a message.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "the remote plugin catalog",
            Self::Installed => "the installed remote plugins",
            Self::Item => "the remote plugin",
            Self::Skill => "the text of the skill",
            Self::Install => "the installation of the remote plugin",
            Self::Uninstall => "the uninstallation of the remote plugin",
            Self::Search => "the search for remote plugins",
            Self::Featured => "the featured plugins",
            Self::Apps => "the names of apps",
            Self::ShareTargets => "the change of share targets",
            Self::UploadPlace => "a place to upload the plugin to",
            Self::Upload => "the upload of the plugin",
            Self::Share => "the sharing of the plugin",
            Self::Unshare => "the end of the sharing of the plugin",
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Call, CatalogError, Detail};

    fn status(status: u16, detail: Option<&str>) -> CatalogError {
        CatalogError::Status {
            call: Call::Directory,
            host: "h".to_owned(),
            url: "https://h/ps/plugins/list".to_owned(),
            status,
            detail: Detail(detail.map(str::to_owned)),
        }
    }

    #[test]
    fn a_message_ends_with_what_the_service_said() {
        assert_eq!(
            status(500, Some("out of order")).to_string(),
            "`https://h/ps/plugins/list` answered 500 for the remote plugin catalog: out of order"
        );
        assert_eq!(
            status(418, None).to_string(),
            "`https://h/ps/plugins/list` answered 418 for the remote plugin catalog"
        );
    }

    #[test]
    fn what_may_pass_can_be_asked_again() {
        let retryable: Vec<_> = [304, 400, 408, 418, 429, 500, 501, 502, 503, 504]
            .into_iter()
            .filter(|code| status(*code, None).is_retryable())
            .collect();
        assert_eq!(retryable, [408, 429, 500, 502, 503, 504]);
        let error = status(500, None);
        assert_eq!((error.host(), error.status()), (Some("h"), Some(500)));
        assert_eq!(CatalogError::Cancelled.host(), None);
        assert!(CatalogError::Cancelled.is_cancelled());
    }
}

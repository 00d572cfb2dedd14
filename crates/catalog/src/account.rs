//! Who asks: a login that the service accepts, as it was read, and the service it is for.
//!
//! A token is never shown: it stands in [`Secret`], which has neither `Display` nor a telling `Debug`.

use std::fmt;

use crate::BaseUrl;

/// A text that must not be seen: a token, or an address that is good for whoever has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// How somebody logged in. All of these speak to the service; an API key does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginMode {
    /// The login of a person through a browser.
    Chatgpt,
    /// Tokens that another program keeps fresh.
    ChatgptAuthTokens,
    /// The identity of an agent.
    AgentIdentity,
    /// A token that a person made for a program.
    PersonalAccessToken,
}

/// A login that the service accepts, unless it has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What proves it.
    pub access_token: Secret,
    /// The account that calls are made for; without one the service takes the login's own.
    pub account_id: Option<String>,
    /// The person.
    pub user_id: Option<String>,
    /// The plan's own word, such as `plus` or `enterprise`.
    pub plan: Option<String>,
    /// Whether the plan is one of a workspace.
    pub is_workspace: bool,
    /// Whether the account lives in the government's part of the service.
    pub is_fedramp: bool,
    /// When the token stops to be accepted, in seconds since the Unix epoch.
    pub expires_at: Option<u64>,
    /// How it was made.
    pub mode: LoginMode,
    /// Whether there is something to get a new token with.
    pub can_refresh: bool,
}

/// A service and the account that speaks to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The service.
    pub base: BaseUrl,
    /// The account.
    pub account: Account,
}

impl Secret {
    /// Takes a text out of sight.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends or stores it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Account {
    /// Whether the token is known to be refused at this time, in seconds since the Unix epoch.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Secret;

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::new("hidden");
        assert_eq!(secret.reveal(), "hidden");
        assert_eq!(format!("{:?}", Some(secret)), "Some(Secret(…))");
    }
}

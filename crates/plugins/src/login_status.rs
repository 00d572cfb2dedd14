//! Who is logged in, for people. Nothing that proves it leaves here, and nobody is asked.

use plugd_catalog::{Login, LoginMode};
use plugd_model::{Problem, ProblemKind};

use crate::{Blocking, Error, Lookup};

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginReport {
    /// How; nothing when nobody is.
    pub by: Option<LoginBy>,
    /// The account that calls are made for.
    pub account_id: Option<String>,
    /// The plan's own word.
    pub plan: Option<String>,
    /// Whether the account belongs to a workspace.
    pub is_workspace: bool,
    /// When the token stops to be accepted, in seconds since the Unix epoch.
    pub expires_at: Option<u64>,
    /// Whether it has.
    pub is_expired: bool,
    /// Whether there is something to get a new token with.
    pub can_refresh: bool,
    /// What is wrong with the login, or why there is none.
    pub problems: Vec<Problem>,
}

/// How somebody logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginBy {
    /// With an API key, which the remote catalog does not accept.
    ApiKey,
    /// With an account.
    Account(LoginMode),
}

/// Reads who is logged in.
///
/// # Errors
/// The section panicked.
pub async fn login_status(blocking: &Blocking, lookup: &Lookup) -> Result<LoginReport, Error> {
    let lookup = lookup.clone();
    let state = blocking.read(move || Ok(lookup.remote().login(&lookup.config(None))));
    let state = state.await?;
    let mut report = LoginReport {
        by: None,
        account_id: None,
        plan: None,
        is_workspace: false,
        expires_at: None,
        is_expired: false,
        can_refresh: false,
        problems: state.problems,
    };
    match state.login {
        Login::None | Login::Unread => {}
        Login::ApiKey => report.by = Some(LoginBy::ApiKey),
        Login::Backend(account) => {
            let mut problems = report.problems.iter();
            report.is_expired = problems.any(|one| one.kind == ProblemKind::LoginExpired);
            report.by = Some(LoginBy::Account(account.mode));
            report.account_id = account.account_id;
            report.plan = account.plan;
            report.is_workspace = account.is_workspace;
            report.expires_at = account.expires_at;
            report.can_refresh = account.can_refresh;
        }
    }
    Ok(report)
}

//! What follows from a login that cannot be used, and what is said of it.

use plugd_catalog::{Access, Account, BaseUrl, Login, LoginState};
use plugd_config::Snapshot;
use plugd_marketplace::{Declared, Gate, Login as ResolverLogin};
use plugd_model::{Problem, ProblemKind, RemoteMarketplace};

use crate::listing::LoadError;
use crate::remote_error::RemoteError;
use crate::{Error, Listing, Lookup};

/// Why a copy rests while nobody can tell who is logged in.
pub(crate) const UNREAD: &str =
    "it cannot be told whether the account has it, because the login cannot be read";

/// A login as the resolver wants to know it.
pub(crate) fn resolver_login(state: &LoginState) -> ResolverLogin {
    match state.login {
        Login::None | Login::Unread => ResolverLogin::None,
        Login::ApiKey => ResolverLogin::ApiKey,
        Login::Backend(_) => ResolverLogin::ChatGpt,
    }
}

/// Why nobody can tell who is logged in, where there is or may be a login.
pub(crate) fn why_unread(state: &LoginState) -> Option<&Problem> {
    match state.login {
        Login::Unread => state.problems.first(),
        Login::None | Login::ApiKey | Login::Backend(_) => None,
    }
}

/// What to answer whoever needs a login and finds none. A caller may go on without an account only
/// when nobody is logged in: an account that nobody can read and that is not told would bring back
/// what it was not told about.
pub(crate) fn without(state: &LoginState, action: &'static str) -> Error {
    match why_unread(state) {
        Some(problem) => RemoteError::LoginUnread {
            action,
            problem: Box::new(problem.clone()),
        }
        .into(),
        None => Error::LoginRequired { action },
    }
}

/// Whether there is nobody to follow, and nothing is wrong with that. A login that is kept elsewhere is
/// told where it is needed.
pub(crate) fn is_without_login(error: &Error) -> bool {
    match error {
        Error::LoginRequired { .. } | Error::Remote(RemoteError::ApiKey { .. }) => true,
        Error::Remote(RemoteError::LoginUnread { problem, .. }) => is_kept_elsewhere(problem),
        _ => false,
    }
}

/// Whether the login is kept where it cannot be read, which is no fault of a file.
pub(crate) fn is_kept_elsewhere(problem: &Problem) -> bool {
    problem.kind == ProblemKind::Config
}

/// Says of a login that has expired what can be done about it where it may be refreshed here.
pub(crate) fn retell_expired(problems: &mut [Problem], unrefreshed: Option<&str>) {
    let expired = problems.iter_mut();
    for problem in expired.filter(|problem| problem.kind == ProblemKind::LoginExpired) {
        problem.message = match unrefreshed {
            Some(reason) => format!(
                "the login has expired and could not be refreshed, so the hosted catalog is not asked: \
                 log in again ({reason})"
            ),
            None => "the login has expired; it is refreshed before the hosted catalog is asked"
                .to_owned(),
        };
    }
}

/// Whether a marketplace would be shown if somebody were logged in.
pub(crate) fn waits_for_login(declared: &[Declared], marketplace: RemoteMarketplace) -> bool {
    let mut declared = declared.iter();
    declared.any(|one| one.marketplace == marketplace && one.gate() == Some(Gate::NoLogin))
}

/// Tells why nothing of the remote catalog is shown.
pub(crate) fn tell_unread(listing: &mut Listing, lookup: &Lookup, problem: &Problem) {
    let path = problem.path.clone();
    listing.load_errors.push(LoadError {
        marketplace_path: path.unwrap_or_else(|| lookup.layout().auth()),
        problem: problem.clone(),
    });
}

/// The configured service with an account; `None` without an address that a token may be sent to.
pub(crate) fn access(config: &Snapshot, account: Account) -> Option<Access> {
    let remote = config.remote();
    let base = BaseUrl::new(remote.base_url.as_deref()?, &remote.base_url_as_configured).ok()?;
    Some(Access { base, account })
}

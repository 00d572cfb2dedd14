//! The login that another program keeps in a file of the home directory.
//!
//! Reading it never fails as a whole: what cannot be used is no login, and a problem says why. A
//! problem names members and never what stands in them, because that may be a token.
//!
//! Which of several logins in one file counts, and what is a login at all, is decided as the
//! reference decides it, so that a person who is logged in there is logged in here and the other way
//! round.

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, Problem, ProblemKind, error_chain};

use crate::json::{Object, Source};
use crate::{Account, LoginMode, Secret, json, jwt, rfc3339};

/// The largest file that is read.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;

/// The plans whose accounts belong to a workspace, in the service's words.
const WORKSPACE_PLANS: [&str; 12] = [
    "team",
    "self_serve_business_usage_based",
    "business",
    "enterprise",
    "enterprise_cbp_usage_based",
    "enterprise_cbp_automation",
    "edu",
    "edu_plus",
    "edu_pro",
    "education",
    "hc",
    "sci",
];

/// Where the login program keeps logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialStore {
    /// In the file of the home directory.
    File,
    /// In the keyring of the system where there is one, else in the file. Keyrings are not read here,
    /// so the file counts when it is there.
    Auto,
    /// Elsewhere, by the word that the configuration has for it. Such a login cannot be read here.
    Other(String),
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Nobody.
    None,
    /// There is or may be a login, and it cannot be read whose; a problem says why. That is not the
    /// same as nobody: whoever may be logged in is told nothing.
    Unread,
    /// Somebody with an API key, which the catalog does not accept.
    ApiKey,
    /// Somebody whom the catalog accepts, unless the token has expired.
    Backend(Account),
}

/// What was found where the login belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginState {
    /// Who is logged in.
    pub login: Login,
    /// Why nobody is, where something is wrong; or that the login has expired.
    pub problems: Vec<Problem>,
}

impl LoginState {
    /// Nobody is logged in, and nothing is wrong with that.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            login: Login::None,
            problems: Vec::new(),
        }
    }
}

/// What a file holds, with what refreshing needs of it.
pub(crate) enum Content {
    None,
    ApiKey,
    /// A token made for programs; it says nothing of itself.
    Token(Secret),
    Tokens(Tokens),
}

/// The tokens of a person's login.
pub(crate) struct Tokens {
    pub(crate) refresh_token: Option<Secret>,
    /// When they came, in seconds since the Unix epoch, as far as the file says so.
    pub(crate) refreshed_at: Option<u64>,
    pub(crate) account: Account,
}

/// Reads who is logged in. `now` is in seconds since the Unix epoch.
#[must_use]
pub fn read_login(disk: &Disk, layout: &Layout, store: &CredentialStore, now: u64) -> LoginState {
    let path = layout.auth();
    if let CredentialStore::Other(word) = store {
        return LoginState {
            login: Login::Unread,
            problems: vec![elsewhere(word)],
        };
    }
    let mut problems = Vec::new();
    let content = read_file(disk, &path).and_then(|bytes| match bytes {
        Some(bytes) => parse(&bytes, &path),
        None => {
            if *store == CredentialStore::Auto {
                problems.push(perhaps_elsewhere(&path));
            }
            Ok(Content::None)
        }
    });
    let login = match content {
        Ok(Content::None) => Login::None,
        Ok(Content::ApiKey) => Login::ApiKey,
        Ok(Content::Token(token)) => Login::Backend(nameless(token)),
        Ok(Content::Tokens(tokens)) => Login::Backend(tokens.account),
        Err(problem) => {
            problems.push(problem);
            Login::Unread
        }
    };
    if let Login::Backend(account) = &login
        && account.is_expired(now)
    {
        problems.push(expired(&path));
    }
    LoginState { login, problems }
}

/// Reads the file; `None` when there is none.
pub(crate) fn read_file(disk: &Disk, path: &AbsPath) -> Result<Option<Vec<u8>>, Problem> {
    match disk.read(path, MAX_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => {
            let message = format!("the login cannot be read: {}", error_chain(&error));
            Err(Problem::error(error.problem().kind, message).in_file(path))
        }
    }
}

/// Decides what a file holds.
pub(crate) fn parse(bytes: &[u8], path: &AbsPath) -> Result<Content, Problem> {
    understand(bytes).map_err(|mut problem| {
        problem.message = format!("the login cannot be used: {}", problem.message);
        problem.in_file(path)
    })
}

fn understand(bytes: &[u8]) -> Result<Content, Problem> {
    let raw = json::check(bytes).map_err(|reason| Problem::error(ProblemKind::Syntax, reason))?;
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let file = Object::split(raw, "", Source(Some(text)))?;
    let token = file.text("personal_access_token")?;
    let key = file.text("OPENAI_API_KEY")?;
    match file.text("auth_mode")?.as_deref() {
        Some("apikey") => Ok(Content::ApiKey),
        Some("chatgpt") => person(&file, LoginMode::Chatgpt),
        Some("chatgptAuthTokens") => person(&file, LoginMode::ChatgptAuthTokens),
        Some("personalAccessToken") => {
            let token = file.needed("personal_access_token", Ok(token))?;
            for_program(&file, token)
        }
        // An agent signs each request with a key of its own, which is not done here.
        Some(_) => Err(unsupported(&file, "auth_mode")),
        // Nothing says what the file is, so it is what it has, in this order.
        None => match (token, key) {
            (Some(token), _) => for_program(&file, token),
            (None, Some(_)) => Ok(Content::ApiKey),
            (None, None) if file.get("tokens").is_some() => person(&file, LoginMode::Chatgpt),
            (None, None) if file.get("agent_identity").is_some() => {
                Err(unsupported(&file, "agent_identity"))
            }
            (None, None) => Ok(Content::None),
        },
    }
}

/// The login of a person.
fn person(file: &Object<'_>, mode: LoginMode) -> Result<Content, Problem> {
    let tokens = file.needed("tokens", file.object("tokens"))?;
    let id_token = tokens.needed("id_token", tokens.text("id_token"))?;
    let id = jwt::claims(&id_token).ok_or_else(|| {
        let message = "`id_token` is no token that can be read".to_owned();
        tokens.fault(ProblemKind::BadValue, message, "id_token")
    })?;
    let access_token = tokens
        .text("access_token")?
        .filter(|token| !token.is_empty());
    let access_token = tokens.needed("access_token", Ok(access_token))?;
    // An empty one is a login that cannot be refreshed; without one the reference reads no login.
    let refresh_token = tokens.needed("refresh_token", tokens.text("refresh_token"))?;
    let refresh_token = Some(refresh_token).filter(|token| !token.is_empty());
    // It is for people otherwise, so a bad one is none.
    let refreshed_at = file.text("last_refresh").ok().flatten();
    let refreshed_at = refreshed_at.and_then(|text| rfc3339::parse(&text));
    Ok(Content::Tokens(Tokens {
        refreshed_at: refreshed_at.and_then(|at| u64::try_from(at).ok()),
        account: Account {
            account_id: tokens.text("account_id")?,
            user_id: id.user_id,
            is_workspace: is_workspace(id.plan.as_deref()),
            plan: id.plan,
            is_fedramp: id.is_fedramp,
            // The end of the other token does not count: it is never sent anywhere.
            expires_at: jwt::claims(&access_token).and_then(|claims| claims.expires_at),
            access_token: Secret::new(access_token),
            mode,
            // Tokens that another program brings are refreshed by that program.
            can_refresh: mode == LoginMode::Chatgpt && refresh_token.is_some(),
        },
        refresh_token: refresh_token.map(Secret::new),
    }))
}

/// A login that was made for a program.
fn for_program(file: &Object<'_>, token: String) -> Result<Content, Problem> {
    if token.is_empty() {
        let message = "`personal_access_token` is empty".to_owned();
        return Err(file.fault(ProblemKind::BadValue, message, "personal_access_token"));
    }
    Ok(Content::Token(Secret::new(token)))
}

fn unsupported(file: &Object<'_>, member: &str) -> Problem {
    let message = format!("`{member}` names a kind of login that is not supported");
    file.fault(ProblemKind::BadValue, message, member)
}

fn is_workspace(plan: Option<&str>) -> bool {
    plan.is_some_and(|plan| WORKSPACE_PLANS.contains(&plan))
}

/// An account of which nothing is known but its token.
fn nameless(access_token: Secret) -> Account {
    Account {
        access_token,
        account_id: None,
        user_id: None,
        plan: None,
        is_workspace: false,
        is_fedramp: false,
        expires_at: None,
        mode: LoginMode::PersonalAccessToken,
        can_refresh: false,
    }
}

/// What to do where no file has the login.
const USE_A_FILE: &str = "to use it here too, set `cli_auth_credentials_store = \"file\"` in config.toml and log in again";

fn elsewhere(word: &str) -> Problem {
    let place = match word {
        "keyring" => "in the keyring of the system".to_owned(),
        "ephemeral" => "in the memory of the login program only".to_owned(),
        word => format!("in `{}`", word.escape_debug()),
    };
    let message = format!("the login is kept {place}, which plugd cannot read: {USE_A_FILE}");
    Problem::warning(ProblemKind::Config, message)
}

fn perhaps_elsewhere(path: &AbsPath) -> Problem {
    let message = format!(
        "there is no file with a login; with `cli_auth_credentials_store = \"auto\"` there may be one in \
         the keyring of the system, which plugd cannot read: {USE_A_FILE}"
    );
    Problem::warning(ProblemKind::Config, message).in_file(path)
}

fn expired(path: &AbsPath) -> Problem {
    let message = "the login has expired: the hosted catalog is not asked until the login program \
                   has refreshed it (start it once, or log in again), or until `refresh_login = \
                   true` stands in plugd.toml";
    Problem::warning(ProblemKind::LoginExpired, message).in_file(path)
}

#[cfg(test)]
mod tests;

//! Getting a new token for a login that has expired, and writing it where it came from.
//!
//! Whoever refreshes gets a new refresh token too, and the old one is worth nothing from then on: two
//! that refresh at once can log a person out. So there are three steps. The first takes a lock of our
//! own and looks whether refreshing is still needed; the second asks; the third writes, and only over
//! what the first had read, because the login program takes no lock. The first and the third touch
//! files, the second only the network.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use plugd_disk::{Disk, DiskError, FileLock, Patience};
use plugd_http::{Body, Client, HttpError, Limits, Redirects, Request, header};
use plugd_model::{AbsPath, Environment, Layout, Problem};
use serde_json::json;
use serde_json::value::to_raw_value;
use tokio::time::Instant;

use crate::cache::write_private;
use crate::json::{Object, Source};
use crate::json_text::{Members, pretty};
use crate::login::{self, Content, Tokens};
use crate::{Account, Secret, json, jwt, rfc3339};

/// Who gives new tokens.
const TOKEN_URL: &str = "https://auth.openai.com/oauth/token";
/// Names another one, for the reference too.
const TOKEN_URL_VARIABLE: &str = "CODEX_REFRESH_TOKEN_URL_OVERRIDE";
/// What the login program is known as there. Tokens can be refreshed under that name only.
const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// How long it may take. Longer than anybody waits for it, so that a late answer is not lost, and not
/// much longer: the next login has to wait for its end.
const LIMIT: Duration = Duration::from_secs(15);
/// How soon a login is refreshed again at the earliest, in seconds. What counts as expired that soon
/// does so because of a wrong clock, and more refreshing would only use up more refresh tokens.
const REST: u64 = 300;
/// The largest answer that is read.
const MAX_ANSWER: u64 = 1024 * 1024;

/// Why a login could not be refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The file or its lock cannot be used.
    #[error("cannot refresh the login in `{path}`")]
    Disk {
        /// The file.
        path: AbsPath,
        /// The reason.
        #[source]
        source: DiskError,
    },
    /// There is no login that can be refreshed any more, or there never was.
    #[error("the login in `{path}` cannot be refreshed: {reason}")]
    NotRefreshable {
        /// The file.
        path: AbsPath,
        /// What stands in the way.
        reason: String,
    },
    /// The request failed.
    #[error("cannot ask for a new login token")]
    Http(#[source] HttpError),
    /// The answer is a refusal: somebody has to log in again.
    #[error("`{host}` refused to refresh the login with status {status}{}", in_brackets(word.as_deref()))]
    Refused {
        /// Who was asked.
        host: String,
        /// The status.
        status: u16,
        /// The word for the reason, where there is one.
        word: Option<String>,
    },
    /// The answer makes no sense.
    #[error("`{host}` gave an answer without usable tokens: {reason}")]
    BadAnswer {
        /// Who was asked.
        host: String,
        /// What is wrong, without what stands in it.
        reason: String,
    },
}

/// The beginning of a refresh.
#[derive(Debug)]
pub enum Refresh {
    /// Somebody else was faster: this login has not expired.
    NotNeeded(Account),
    /// It has to be asked for.
    Needed(RefreshTicket),
}

/// A login that is being refreshed. As long as it lives nobody else of us refreshes it.
pub struct RefreshTicket {
    _lock: FileLock,
    path: AbsPath,
    old: Tokens,
    refresh_token: Secret,
}

/// Tokens that take the place of others.
pub struct NewTokens {
    access_token: Secret,
    id_token: Option<Secret>,
    refresh_token: Option<Secret>,
}

/// Takes the lock and looks whether the login still has to be refreshed. `now` is in seconds since the
/// Unix epoch. The state directory must have been prepared.
///
/// # Errors
/// The lock is held longer than `patience`, the file cannot be read, or it holds nothing to refresh
/// with.
pub fn begin_refresh<'a>(
    disk: &Disk,
    layout: &Layout,
    now: u64,
    patience: impl Into<Patience<'a>>,
) -> Result<Refresh, RefreshError> {
    let path = layout.auth();
    let lock = disk.lock(&layout.lock("login"), patience);
    let lock = lock.map_err(|source| failed(&path, source))?;
    let old = current(disk, &path)?;
    if !old.account.is_expired(now) {
        return Ok(Refresh::NotNeeded(old.account));
    }
    let refresh_token = old
        .refresh_token
        .clone()
        .filter(|_| old.account.can_refresh);
    let refresh_token = refresh_token
        .ok_or_else(|| not_refreshable(&path, "it has no refresh token of its own".to_owned()))?;
    if old
        .refreshed_at
        .is_some_and(|at| at <= now && now - at < REST)
    {
        let reason = "it was refreshed a moment ago, and what came counts as expired too; look whether the \
                      clock of this machine is right";
        return Err(not_refreshable(&path, reason.to_owned()));
    }
    Ok(Refresh::Needed(RefreshTicket {
        _lock: lock,
        path,
        old,
        refresh_token,
    }))
}

/// Asks for new tokens, once: a request that was lost may have been acted upon.
///
/// # Errors
/// Nobody answered in time, the answer is a refusal or makes no sense, or the caller gave up.
pub async fn ask_for_tokens(
    client: &Client,
    environment: &Environment,
    ticket: &RefreshTicket,
    deadline: Option<Instant>,
    cancelled: impl Future<Output = ()>,
) -> Result<NewTokens, RefreshError> {
    let variable = environment.var(TOKEN_URL_VARIABLE);
    let url = match variable {
        Some(url) => url.to_string_lossy().into_owned(),
        None => TOKEN_URL.to_owned(),
    };
    let body = json!({
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": ticket.refresh_token.reveal(),
    });
    let limit = Instant::now() + LIMIT;
    let request = Request::post(&url, Body::bytes(body.to_string()))
        .and_then(|request| request.header(header::CONTENT_TYPE, "application/json"))
        .map_err(RefreshError::Http)?
        // A redirect would take the token along, in the body.
        .redirects(Redirects::None)
        .limits(Limits {
            body_bytes: MAX_ANSWER,
            deadline: Some(deadline.map_or(limit, |deadline| deadline.min(limit))),
            ..Limits::CALL
        });
    let host = request.url().host();
    let mut cancelled = pin!(cancelled);
    let answer = client.send(request, cancelled.as_mut()).await;
    let answer = answer.map_err(RefreshError::Http)?;
    let status = answer.status().as_u16();
    let body = answer.read_all(MAX_ANSWER, cancelled).await;
    let body = body.map_err(RefreshError::Http)?;
    understand(&host, status, &body)
}

/// Writes the tokens over those that they were asked for with, and answers the login that is there
/// then. Where somebody else has written meanwhile, that login stays and is the answer.
///
/// # Errors
/// The file cannot be read or written, or there is no login in it any more.
pub fn finish_refresh(
    disk: &Disk,
    ticket: &RefreshTicket,
    tokens: &NewTokens,
    now: Duration,
) -> Result<Account, RefreshError> {
    let path = &ticket.path;
    let read = login::read_file(disk, path).map_err(|problem| unusable(path, problem))?;
    let bytes = read.ok_or_else(|| not_refreshable(path, "it is gone".to_owned()))?;
    let found = tokens_of(&bytes, path)?;
    let is_ours = found.account.access_token == ticket.old.account.access_token
        && found.refresh_token == ticket.old.refresh_token;
    if !is_ours {
        return Ok(found.account);
    }
    let text = rewritten(&bytes, tokens, now)
        .ok_or_else(|| not_refreshable(path, "its members cannot be read".to_owned()))?;
    let account = tokens_of(text.as_bytes(), path)?.account;
    write_private(disk, path, &text).map_err(|source| failed(path, source))?;
    Ok(account)
}

/// The file's text with other tokens; everything else is as it was.
fn rewritten(bytes: &[u8], tokens: &NewTokens, now: Duration) -> Option<String> {
    let mut whole: Members = serde_json::from_slice(bytes).ok()?;
    let mut members: Members = serde_json::from_str(whole.get("tokens")?).ok()?;
    let new = [
        ("access_token", Some(&tokens.access_token)),
        ("id_token", tokens.id_token.as_ref()),
        ("refresh_token", tokens.refresh_token.as_ref()),
    ];
    for (name, token) in new {
        if let Some(token) = token {
            members.set(name, to_raw_value(token.reveal()).ok()?);
        }
    }
    whole.set("tokens", to_raw_value(&members).ok()?);
    whole.set("last_refresh", to_raw_value(&rfc3339::format(now)).ok()?);
    Some(pretty(&serde_json::to_string(&whole).ok()?))
}

fn current(disk: &Disk, path: &AbsPath) -> Result<Tokens, RefreshError> {
    match login::read_file(disk, path).map_err(|problem| unusable(path, problem))? {
        Some(bytes) => tokens_of(&bytes, path),
        None => Err(not_refreshable(path, "there is none".to_owned())),
    }
}

fn tokens_of(bytes: &[u8], path: &AbsPath) -> Result<Tokens, RefreshError> {
    match login::parse(bytes, path).map_err(|problem| unusable(path, problem))? {
        Content::Tokens(tokens) => Ok(tokens),
        Content::None | Content::ApiKey | Content::Token(_) => {
            let reason = "it is not the login of a person".to_owned();
            Err(not_refreshable(path, reason))
        }
    }
}

fn understand(host: &str, status: u16, body: &[u8]) -> Result<NewTokens, RefreshError> {
    if !(200..300).contains(&status) {
        return Err(RefreshError::Refused {
            host: host.to_owned(),
            status,
            word: refusal(body),
        });
    }
    let bad = |reason: String| RefreshError::BadAnswer {
        host: host.to_owned(),
        reason,
    };
    let raw = json::check(body).map_err(&bad)?;
    let read = || {
        let answer = Object::split(raw, "", Source(None))?;
        let token = |name: &str| -> Result<_, Problem> {
            Ok(answer.text(name)?.filter(|text| !text.is_empty()))
        };
        let access_token = answer.needed("access_token", token("access_token"))?;
        Ok((access_token, token("id_token")?, token("refresh_token")?))
    };
    let (access_token, id_token, refresh_token) =
        read().map_err(|problem: Problem| bad(problem.message))?;
    // The login program could not read its own file any more.
    if id_token
        .as_deref()
        .is_some_and(|token| jwt::claims(token).is_none())
    {
        return Err(bad("`id_token` is no token that can be read".to_owned()));
    }
    Ok(NewTokens {
        access_token: Secret::new(access_token),
        id_token: id_token.map(Secret::new),
        refresh_token: refresh_token.map(Secret::new),
    })
}

/// The word for a refusal, in the two places where such services put it. Only a word: anything else
/// could repeat what was sent.
fn refusal(body: &[u8]) -> Option<String> {
    let answer = Object::split(json::check(body).ok()?, "", Source(None)).ok()?;
    let word = match answer.object("error") {
        Ok(Some(error)) => error.text("code").ok()??,
        _ => answer.text("error").ok()??,
    };
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (word.len() <= 64 && word.bytes().all(is_word)).then_some(word)
}

fn in_brackets(word: Option<&str>) -> String {
    word.map_or_else(String::new, |word| format!(" ({word})"))
}

fn failed(path: &AbsPath, source: DiskError) -> RefreshError {
    let path = path.clone();
    RefreshError::Disk { path, source }
}

fn unusable(path: &AbsPath, problem: Problem) -> RefreshError {
    not_refreshable(path, problem.message)
}

fn not_refreshable(path: &AbsPath, reason: String) -> RefreshError {
    let path = path.clone();
    RefreshError::NotRefreshable { path, reason }
}

impl fmt::Debug for RefreshTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTicket")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Refreshing a login that has expired, where the user allows it.
//!
//! Tokens belong to the login program. With `refresh_login = true` an expired one is refreshed once:
//! one that could not be is not tried again before the file holds another one. The same holds where the
//! new token counts as expired too, as it does with a wrong clock: each refresh costs the login program
//! the refresh token that it had.

use std::time::Duration;

use plugd_catalog::{
    Account, Login, NewTokens, Refresh, RefreshError, RefreshTicket, ask_for_tokens, begin_refresh,
    finish_refresh,
};
use plugd_model::error_chain;

use crate::call::Call;
use crate::{Blocking, Lookup, Remote};

/// How long to wait for another process that refreshes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long somebody waits who has other things to show. The request itself goes on: its answer is
/// the only one who knows the next refresh token.
const LIMIT: Duration = Duration::from_secs(10);

/// Makes sure that the login can be used, as far as that is allowed. What goes wrong is for the log:
/// whoever needs the login finds out that it has expired.
pub(crate) async fn refresh_login(call: &Call, blocking: &Blocking, lookup: &Lookup) {
    if to_refresh(blocking, lookup).await.is_none() {
        return;
    }
    let turn = lookup.remote().refreshing();
    let done = tokio::spawn({
        let (blocking, lookup) = (blocking.clone(), lookup.clone());
        async move {
            // The semaphore is never closed; without a turn the lock between processes would do.
            let _turn = turn.acquire().await;
            // Somebody may have done it while this waited for its turn.
            if let Some(expired) = to_refresh(&blocking, &lookup).await {
                finish(&blocking, lookup.remote(), &expired).await;
            }
        }
    });
    tokio::select! {
        _ = done => {}
        () = call.cancel.cancelled() => {}
        () = tokio::time::sleep(LIMIT) => {}
    }
}

/// Refreshes to the end, whoever has stopped to wait for it.
async fn finish(blocking: &Blocking, remote: &Remote, expired: &Account) {
    if let Err(reason) = refresh(blocking, remote, expired).await {
        remote.note_unrefreshable(expired, &reason);
        tracing::warn!("the login has expired and is not refreshed: {reason}");
    }
}

/// The account whose login has expired and may be refreshed.
async fn to_refresh(blocking: &Blocking, lookup: &Lookup) -> Option<Account> {
    let lookup = lookup.clone();
    let section = blocking.read(move || {
        let config = lookup.config(None);
        let remote = lookup.remote();
        let Login::Backend(account) = remote.login(&config).login else {
            return Ok(None);
        };
        let is_expired = account.is_expired(remote.now().as_secs());
        Ok(Some(account).filter(|account| is_expired && remote.may_refresh(&config, account)))
    });
    section.await.ok().flatten()
}

async fn refresh(blocking: &Blocking, remote: &Remote, expired: &Account) -> Result<(), String> {
    let begun = {
        let (remote, expired) = (remote.clone(), expired.clone());
        blocking.write(move || Ok(begin(&remote, &expired)))
    };
    let begun = begun.await.map_err(|error| error_chain(&error))?;
    let Some(ticket) = begun.map_err(|error| error_chain(&error))? else {
        return Ok(());
    };
    let asked = ask(remote, &ticket).await;
    let tokens = asked.map_err(|error| {
        // With the lock held, so that whoever waits for it does not ask once more.
        let reason = error_chain(&error);
        remote.note_unrefreshable(expired, &reason);
        reason
    })?;
    let finished = {
        let remote = remote.clone();
        blocking.write(move || {
            let now = remote.now();
            Ok(finish_refresh(remote.disk(), &ticket, &tokens, now).map(drop))
        })
    };
    let finished = finished.await.map_err(|error| error_chain(&error))?;
    finished.map_err(|error| error_chain(&error))
}

/// Takes the lock. `None` when somebody else was faster, or has found out that it cannot be done.
fn begin(remote: &Remote, expired: &Account) -> Result<Option<RefreshTicket>, RefreshError> {
    if let Err(error) = remote.prepare_state() {
        tracing::warn!(
            "the login is refreshed without our lock: {}",
            error_chain(&error)
        );
    }
    let now = remote.now().as_secs();
    Ok(
        match begin_refresh(remote.disk(), remote.layout(), now, PATIENCE)? {
            Refresh::NotNeeded(_) => None,
            Refresh::Needed(_) if remote.is_unrefreshable(expired) => None,
            Refresh::Needed(ticket) => Some(ticket),
        },
    )
}

async fn ask(remote: &Remote, ticket: &RefreshTicket) -> Result<NewTokens, RefreshError> {
    let catalog = remote.catalog();
    let never = std::future::pending();
    let asked = ask_for_tokens(catalog.http(), remote.environment(), ticket, None, never);
    asked.await
}

//! What makes the reference leave a server out although everything that is read here has its right
//! type. A host that follows it would not start such a server, so nobody is told that it is there.
//!
//! A member that is `null` counts as absent, as everywhere.

use plugd_model::{Problem, ProblemKind};

use crate::item::{Item, Member, clip, take};

use super::McpTransport;

/// Members that only a server with a `command` has.
const OF_PROCESSES: &[&str] = &["args", "env", "env_vars", "cwd"];
/// Members that only a server with a `url` has. `headers` is none of them, because the reference does
/// not know that name.
const OF_ADDRESSES: &[&str] = &[
    "http_headers",
    "env_http_headers",
    "bearer_token_env_var",
    "oauth_resource",
    "http_headers_helper",
    "auth",
];
/// Members that are nothing here, and whose values have to be a text all the same.
const TEXTS: &[&str] = &["name", "environment_id", "oauth_resource"];
/// The ways to sign in that the reference knows.
const AUTH_WORDS: &[&str] = &["oauth", "chatgpt"];
/// Where the value of a variable may come from.
const VARIABLE_SOURCES: &[&str] = &["local", "remote"];

/// Members whose values are judged here and read nowhere.
pub(super) fn judged() -> impl Iterator<Item = &'static str> {
    let others = ["auth", "supports_parallel_tool_calls"];
    TEXTS.iter().copied().chain(others)
}

/// Judges what is not read elsewhere of a server.
pub(super) fn check(members: &[Member<'_>], transport: &McpTransport) -> Result<(), Problem> {
    if let Some(token) = take(members, "bearer_token") {
        let text = "a token is not kept in a declaration; name the variable that holds it in \
                    `bearer_token_env_var`";
        return Err(token.problem(ProblemKind::BadValue, text));
    }
    match transport {
        McpTransport::Stdio { .. } => {
            for name in OF_ADDRESSES {
                reject(members, name, "a `url`", "a `command`")?;
            }
            let sign_in = take(members, "oauth").filter(Item::holds_values);
            if sign_in.is_some_and(|item| item.is_object()) {
                reject(members, "oauth", "a `url`", "a `command`")?;
            }
        }
        McpTransport::Http { .. } => {
            for name in OF_PROCESSES {
                reject(members, name, "a `command`", "a `url`")?;
            }
        }
    }
    for name in TEXTS {
        take(members, name).map(|item| item.string()).transpose()?;
    }
    if let Some(item) = take(members, "supports_parallel_tool_calls") {
        item.boolean()?;
    }
    if let Some(item) = take(members, "http_headers_helper")
        && item.string()?.trim().is_empty()
    {
        let text = "the command that makes headers is blank; name one or leave it out";
        return Err(item.problem(ProblemKind::BadValue, text));
    }
    match take(members, "auth") {
        Some(item) => one_of(&item, AUTH_WORDS),
        None => Ok(()),
    }
}

/// Judges a variable to pass on that is written as an object.
pub(super) fn check_variable(members: &[Member<'_>]) -> Result<(), Problem> {
    let known = |name: &str| matches!(name, "name" | "source");
    if let Some((name, item)) = members.iter().find(|(name, _)| !known(name)) {
        let text = format!(
            "a variable to pass on has `name` and `source` only, not `{}`",
            clip(name)
        );
        return Err(item.problem(ProblemKind::UnknownField, text));
    }
    match take(members, "source") {
        Some(item) => one_of(&item, VARIABLE_SOURCES),
        None => Ok(()),
    }
}

/// Judges what says how a user signs in.
pub(super) fn check_oauth(members: &[Member<'_>]) -> Result<(), Problem> {
    let secret = take(members, "client_secret").or_else(|| take(members, "clientSecret"));
    match secret {
        Some(item) => {
            let text = "a secret is not kept in a declaration; leave it out";
            Err(item.problem(ProblemKind::BadValue, text))
        }
        None => Ok(()),
    }
}

/// Judges a value that is one of a few words.
pub(super) fn one_of(item: &Item<'_>, words: &[&str]) -> Result<(), Problem> {
    let found = item.string()?;
    if words.contains(&found.as_str()) {
        return Ok(());
    }
    let text = format!("`{}` is none of `{}`", clip(&found), words.join("`, `"));
    Err(item.problem(ProblemKind::BadValue, text))
}

/// Refuses a member of the other kind of server.
fn reject(members: &[Member<'_>], name: &str, needed: &str, found: &str) -> Result<(), Problem> {
    let Some(item) = take(members, name) else {
        return Ok(());
    };
    let text = format!("`{name}` is for a server with {needed}, and this one has {found}");
    Err(item.problem(ProblemKind::BadValue, text))
}

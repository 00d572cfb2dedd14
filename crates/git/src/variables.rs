//! Which variables of the user reach the worker, and which reach the programs that it starts: git, ssh
//! and credential helpers.
//!
//! Both are lists of what may pass, not of what may not: keys of other services lie in the environment
//! under names that nobody can list, and whatever a hostile server makes of one of these programs, it
//! cannot tell what it was never given. The lists hold what such programs need to be the user's own:
//! where his files are, his language, his proxies and certificates, his agents and his session.
//!
//! - A helper that reads a secret of its own from a variable does not find it: `PLUGD_TOKEN_<HOST>`
//!   stands in for such helpers, and one that must have more may read it from a file.
//! - The logins of [`crate::credentials`] reach the worker only, which asks for them by name. It gets
//!   those of all hosts: a submodule or a rewritten address may lead to one that only the worker knows.
//! - Nothing of git's own passes that would select a repository, inject configuration or ask a person,
//!   and nothing of the loader's (`LD_PRELOAD`).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use plugd_model::Environment;

/// What passes. On Windows names have no case, so all are compared in capitals.
const NAMES: &[&str] = &[
    // The user and his files.
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "TEMP",
    "TMP",
    // Language and time.
    "LANG",
    "LANGUAGE",
    "TZ",
    "TZDIR",
    "LOCALE_ARCHIVE",
    "__CF_USER_TEXT_ENCODING",
    // The way to the network, and whom to trust there.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    // Agents, keys and the session, which credential helpers ask.
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GNUPGHOME",
    "GPG_AGENT_INFO",
    "PASSWORD_STORE_DIR",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "KRB5_KTNAME",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "GH_CONFIG_DIR",
    "GLAB_CONFIG_DIR",
    // Git's: which ssh program, whom to trust, and where the user's settings are.
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    // Our own log.
    "PLUGD_LOG",
    "PLUGD_LOG_FORMAT",
    "RUST_LOG",
    // What no program of Windows starts without.
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "OS",
    "USERPROFILE",
    "USERNAME",
    "USERDOMAIN",
    "HOMEDRIVE",
    "HOMEPATH",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "ALLUSERSPROFILE",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "COMMONPROGRAMFILES",
    "COMMONPROGRAMFILES(X86)",
    "COMMONPROGRAMW6432",
    "COMPUTERNAME",
    "PROCESSOR_ARCHITECTURE",
    "NUMBER_OF_PROCESSORS",
];

/// What passes with anything behind it: locale, directories of the desktop, settings of the
/// credential manager.
const PREFIXES: &[&str] = &["LC_", "XDG_", "GCM_"];

/// Logins; for the worker only.
const LOGINS: &[&str] = &["GH_TOKEN", "GITHUB_TOKEN"];
const LOGIN_PREFIX: &str = "PLUGD_TOKEN_";

/// What keeps well-known programs from asking.
const QUIET: &[(&str, &str)] = &[
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GCM_INTERACTIVE", "never"),
    ("SSH_ASKPASS_REQUIRE", "never"),
];

/// The variables of the worker.
pub(crate) fn of_worker(environment: &Environment) -> BTreeMap<OsString, OsString> {
    kept(environment, |name| passes(name) || is_login(name))
}

/// The variables of a program of the user's that the worker starts.
pub(crate) fn of_program(environment: &Environment) -> BTreeMap<OsString, OsString> {
    kept(environment, passes)
}

fn kept(environment: &Environment, keeps: fn(&str) -> bool) -> BTreeMap<OsString, OsString> {
    let own = environment.vars.iter();
    let mut kept: BTreeMap<OsString, OsString> = own
        .filter(|(name, _)| keeps(&capitals(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.extend(
        QUIET
            .iter()
            .map(|(name, value)| (name.into(), value.into())),
    );
    kept
}

/// A name as it is compared. The proxies have two spellings on every system.
fn capitals(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let has_two = name.to_ascii_lowercase().ends_with("_proxy");
    match cfg!(windows) || has_two {
        true => name.to_ascii_uppercase(),
        false => name.into_owned(),
    }
}

fn passes(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_login(name: &str) -> bool {
    LOGINS.contains(&name) || name.starts_with(LOGIN_PREFIX)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{capitals, is_login, passes};

    #[track_caller]
    fn check(names: &[&str], for_programs: bool, for_worker: bool) {
        for name in names {
            let name = &capitals(OsStr::new(name));
            assert_eq!(passes(name), for_programs, "{name}");
            assert_eq!(passes(name) || is_login(name), for_worker, "{name}");
        }
    }

    #[test]
    fn what_the_users_own_programs_need_passes() {
        check(
            &[
                "HOME",
                "PATH",
                "LANG",
                "LC_ALL",
                "SSH_AUTH_SOCK",
                "XDG_RUNTIME_DIR",
                "https_proxy",
                "HTTPS_PROXY",
                "no_proxy",
                "KRB5CCNAME",
                "DBUS_SESSION_BUS_ADDRESS",
                "GCM_CREDENTIAL_STORE",
                "GIT_SSH_COMMAND",
                "SSL_CERT_FILE",
            ],
            true,
            true,
        );
    }

    #[test]
    fn logins_reach_the_worker_only() {
        let names = ["PLUGD_TOKEN_GIT_EXAMPLE_COM", "GH_TOKEN", "GITHUB_TOKEN"];
        check(&names, false, true);
    }

    #[test]
    fn nothing_else_passes() {
        check(
            &[
                "OPENAI_API_KEY",
                "ANTHROPIC_API_KEY",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_PROFILE",
                "NPM_TOKEN",
                "LD_PRELOAD",
                "LD_LIBRARY_PATH",
                "DYLD_INSERT_LIBRARIES",
                "GIT_DIR",
                "GIT_CONFIG_COUNT",
                "GIT_CONFIG_KEY_0",
                "GIT_ASKPASS",
                "SSH_ASKPASS",
                "GIT_EXEC_PATH",
                "GIT_PROXY_COMMAND",
                "GIT_EXTERNAL_DIFF",
                "BASH_ENV",
                "ENV",
                "CODEX_HOME",
                "NODE_OPTIONS",
                "PYTHONPATH",
                "",
            ],
            false,
            false,
        );
    }
}

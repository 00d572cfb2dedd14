//! What the client is told when it is made. Nothing is read from the process.

use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use plugd_model::{AbsPath, Clock, Environment, RandomNames};

use crate::Proxies;

/// How the client reaches the network and whom it trusts.
#[derive(Clone)]
pub struct Settings {
    /// Sent with every request that does not bring its own.
    pub user_agent: String,
    /// Which requests go through a proxy.
    pub proxies: Proxies,
    /// Files and directories with certificates that are trusted beside the system's. A missing or
    /// broken one is reported by [`crate::Client::problems`] and trusts nobody.
    pub extra_roots: Vec<AbsPath>,
    /// The time, for dates in `Retry-After`.
    pub clock: Arc<dyn Clock>,
    /// Where the jitter of repeated reads comes from.
    pub names: Arc<dyn RandomNames>,
}

impl Settings {
    /// The settings that the environment asks for: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in
    /// either case, and the certificates of `SSL_CERT_FILE`, `SSL_CERT_DIR` and
    /// `CODEX_CA_CERTIFICATE`.
    #[must_use]
    pub fn from_environment(environment: &Environment, user_agent: impl Into<String>) -> Self {
        let file = |name: &str| environment.var(name).map(OsStr::to_owned).into_iter();
        let directories = environment
            .var("SSL_CERT_DIR")
            .map(std::env::split_paths)
            .into_iter()
            .flatten();
        let extra_roots = file("CODEX_CA_CERTIFICATE")
            .chain(file("SSL_CERT_FILE"))
            .map(Into::into)
            .chain(directories.filter(|path| !path.as_os_str().is_empty()))
            .map(|path| environment.cwd.join(path))
            .collect();
        Self {
            user_agent: user_agent.into(),
            proxies: Proxies::from_environment(environment),
            extra_roots,
            clock: environment.clock.clone(),
            names: environment.names.clone(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("user_agent", &self.user_agent)
            .field("proxies", &self.proxies)
            .field("extra_roots", &self.extra_roots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Settings;
    use crate::fixture;

    #[track_caller]
    fn check(vars: &[(&str, &str)], expected: &[&str]) {
        let settings = Settings::from_environment(&fixture::environment(vars), "plugd/1");
        let roots: Vec<_> = settings
            .extra_roots
            .iter()
            .map(|path| path.to_text())
            .collect();
        assert_eq!(roots, expected);
        assert_eq!(settings.user_agent, "plugd/1");
    }

    #[test]
    fn certificates_named_by_the_environment_are_added() {
        check(&[], &[]);
        check(&[("SSL_CERT_FILE", "")], &[]);
        check(
            &[
                ("SSL_CERT_FILE", "/a.pem"),
                ("CODEX_CA_CERTIFICATE", "own/b.pem"),
                ("SSL_CERT_DIR", "/certs::/more"),
            ],
            &["/cwd/own/b.pem", "/a.pem", "/certs", "/more"],
        );
    }
}

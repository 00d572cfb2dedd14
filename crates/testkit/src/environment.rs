//! The environment of a sandbox: for a child process as variables, for a test in process as a
//! [`model::Environment`](plugd_model::Environment).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_model::{Clock, Environment, RandomNames};

use crate::Sandbox;

/// The time of a test environment: some second in November 2023.
pub const TEST_TIME: Duration = Duration::from_secs(1_700_000_000);

/// What a proxy variable is set to: nothing listens on the discard port, so a request that leaves
/// the machine fails at once instead of reaching somebody.
const DEAD_PROXY: &str = "http://127.0.0.1:9";

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct ManualClock(Mutex<Duration>);

/// Names that count: `0000000000000001`, `0000000000000002`, ...
#[derive(Debug, Default)]
pub struct CountingNames(AtomicU64);

impl ManualClock {
    /// A clock that shows this time since the Unix epoch.
    #[must_use]
    pub fn at(time: Duration) -> Self {
        Self(Mutex::new(time))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RandomNames for CountingNames {
    fn next(&self) -> String {
        format!("{:016x}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The environment of a program that was started in the sandbox without arguments: its variables,
/// its directories, a clock that stands at [`TEST_TIME`], and names that count from one.
///
/// The fields are public: a test that needs another clock or another variable sets it.
#[must_use]
pub fn test_environment(sandbox: &Sandbox) -> Environment {
    Environment {
        // Nothing lies there: a test in process that wants a worker names the program for it, and
        // must not start itself.
        program: sandbox.path("bin/plugd"),
        args: Vec::new(),
        vars: variables(sandbox),
        cwd: sandbox.cwd(),
        cwd_is_gone: false,
        home: Some(sandbox.home()),
        system_dir: sandbox.system_dir(),
        clock: Arc::new(ManualClock::at(TEST_TIME)),
        names: Arc::new(CountingNames::default()),
    }
}

/// All variables that a process in the sandbox sees.
///
/// Directories lie in the sandbox, git reads no configuration but that of the sandbox's home and
/// asks nobody, names and dates of commits are fixed, and the network ends at loopback for every
/// program that honours the proxy variables.
pub(crate) fn variables(sandbox: &Sandbox) -> BTreeMap<OsString, OsString> {
    let root = sandbox.root();
    let home = sandbox.home();
    let text = |value: &str| OsString::from(value);
    let mut vars = BTreeMap::from([
        (text("HOME"), home.as_path().into()),
        (text("USERPROFILE"), home.as_path().into()),
        (
            text("XDG_CONFIG_HOME"),
            home.join(".config").as_path().into(),
        ),
        (text("XDG_CACHE_HOME"), home.join(".cache").as_path().into()),
        (text("CODEX_HOME"), sandbox.codex_home().as_path().into()),
        (text("TMPDIR"), sandbox.path("tmp").as_path().into()),
        (text("PATH"), format!("{root}/bin:/usr/bin:/bin").into()),
        (
            text("GIT_CONFIG_GLOBAL"),
            home.join(".gitconfig").as_path().into(),
        ),
    ]);
    for (name, value) in [
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        ("CODEX_DISABLE_CURATED_PLUGIN_SYNC", "1"),
        ("PLUGD_LOG", "warn"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_AUTHOR_DATE", "1700000000 +0000"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_DATE", "1700000000 +0000"),
        ("http_proxy", DEAD_PROXY),
        ("https_proxy", DEAD_PROXY),
        ("all_proxy", DEAD_PROXY),
        ("HTTPS_PROXY", DEAD_PROXY),
        ("ALL_PROXY", DEAD_PROXY),
        ("no_proxy", "127.0.0.1,localhost,::1"),
        ("NO_PROXY", "127.0.0.1,localhost,::1"),
    ] {
        vars.insert(name.into(), value.into());
    }
    vars
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plugd_model::{Clock as _, RandomNames as _};
    use pretty_assertions::assert_eq;

    use super::{CountingNames, ManualClock, TEST_TIME, test_environment};
    use crate::Sandbox;

    #[test]
    fn every_directory_lies_in_the_sandbox() {
        let sandbox = Sandbox::new();
        let environment = test_environment(&sandbox);
        assert!(environment.cwd.starts_with(sandbox.root()));
        assert!(environment.system_dir.starts_with(sandbox.root()));
        assert_eq!(environment.home, Some(sandbox.home()));
        let codex_home = environment.var("CODEX_HOME").unwrap();
        assert_eq!(codex_home, sandbox.codex_home().as_path());
        assert_eq!(environment.clock.now(), TEST_TIME);
    }

    #[test]
    fn the_clock_stands_still_until_it_is_advanced() {
        let clock = ManualClock::at(Duration::from_secs(5));
        assert_eq!(clock.now(), Duration::from_secs(5));
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), Duration::from_millis(6500));
    }

    #[test]
    fn names_count_in_sixteen_digits() {
        let names = CountingNames::default();
        assert_eq!(names.next(), "0000000000000001");
        assert_eq!(names.next(), "0000000000000002");
    }
}

//! For tests: an environment, archives, and a registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plugd_model::{AbsPath, Clock, Environment, RandomNames};

pub(crate) mod archive;
pub(crate) mod registry;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

struct CountingNames(AtomicU64);

impl RandomNames for CountingNames {
    fn next(&self) -> String {
        format!("{:016x}", self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// An environment with these variables and nothing else.
pub(crate) fn environment(vars: &[(&str, &str)]) -> Environment {
    Environment {
        program: AbsPath::new("/program").unwrap(),
        args: Vec::new(),
        vars: vars
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        cwd: AbsPath::new("/cwd").unwrap(),
        cwd_is_gone: false,
        home: None,
        system_dir: AbsPath::new("/etc/codex").unwrap(),
        clock: Arc::new(StandingClock),
        names: Arc::new(CountingNames(AtomicU64::new(0))),
    }
}

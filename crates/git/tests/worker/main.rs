//! The worker as a program, for the tests of this crate: what the daemon's entry point does for its
//! hidden argument, and nothing else.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plugd_model::{AbsPath, Clock, Environment, NotAbsolute, RandomNames};

struct Now;

impl Clock for Now {
    fn now(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

impl RandomNames for Now {
    fn next(&self) -> String {
        format!("{:016x}", self.now().as_nanos() as u64)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an entry point reads its process once"
)]
fn main() -> Result<ExitCode, NotAbsolute> {
    let environment = Environment {
        program: AbsPath::new("/proc/self/exe")?,
        args: std::env::args_os().skip(1).collect(),
        vars: std::env::vars_os().collect(),
        cwd: AbsPath::new(std::env::current_dir().unwrap_or_default())?,
        cwd_is_gone: false,
        home: std::env::var_os("HOME").and_then(|home| AbsPath::new(home).ok()),
        system_dir: AbsPath::new(std::env::temp_dir())?,
        clock: Arc::new(Now),
        names: Arc::new(Now),
    };
    Ok(plugd_git::worker_main(
        &environment,
        std::io::stdin(),
        std::io::stdout(),
    ))
}

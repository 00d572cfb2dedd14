//! The entry point: it reads the process once, starts the log, and hands over.
//!
//! Everything that the system tells a process ends here in one [`Environment`]. Nothing behind it
//! asks again, so what a run does depends on that value and on the disk alone. No file is touched
//! here: the command line decides what is needed, and a frontend waits for its answer.
//!
//! The same program is its own git worker, when its first argument says so.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use plugd_cli::{Output, Terminals};
use plugd_disk::Disk;
use plugd_model::{AbsPath, Clock, Environment, RandomNames};

/// Where an administrator's files lie. It is no variable, or anybody could switch policy off.
#[cfg(not(windows))]
const SYSTEM_DIR: &str = "/etc/codex";
#[cfg(windows)]
const SYSTEM_DIR: &str = r"C:\ProgramData\OpenAI\Codex";

mod allocator;

fn main() -> anyhow::Result<ExitCode> {
    allocator::set_up();
    let environment = environment()?;
    if environment
        .args
        .first()
        .is_some_and(|first| first == plugd_git::WORKER_ARGUMENT)
    {
        start_log(&environment, false);
        return Ok(plugd_git::worker_main(
            &environment,
            io::stdin(),
            io::stdout(),
        ));
    }
    let terminals = Terminals {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
        columns: console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| columns),
    };
    start_log(&environment, terminals.stderr);
    let code = plugd_cli::run(
        &environment,
        &Disk::new(),
        &mut Output {
            stdout: &mut io::stdout(),
            stderr: &mut io::stderr(),
            terminals,
        },
    );
    Ok(ExitCode::from(code))
}

/// The one place that asks the system what the process was started with.
#[expect(
    clippy::disallowed_methods,
    reason = "arguments, variables and the working directory are read here, once"
)]
fn environment() -> anyhow::Result<Environment> {
    let system_dir = AbsPath::new(SYSTEM_DIR)?;
    let home = dirs::home_dir().and_then(|home| AbsPath::new(home).ok());
    // A directory that was removed meanwhile is no reason to serve nobody: requests carry theirs.
    let here = std::env::current_dir();
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let cwd_is_gone = here.as_ref().is_err_and(is_gone);
    let cwd = here
        .ok()
        .or_else(root)
        .context("there is no working directory")?;
    Ok(Environment {
        program: program()?,
        args: std::env::args_os().skip(1).collect(),
        vars: std::env::vars_os().collect::<BTreeMap<_, _>>(),
        cwd: AbsPath::new(cwd)?,
        cwd_is_gone,
        home,
        system_dir,
        clock: Arc::new(SystemClock),
        names: Arc::new(SystemNames),
    })
}

/// Where the program lies. On Linux the process itself can be started again by a name that stays
/// true when an update replaces the file, so a worker is always of the same version.
fn program() -> anyhow::Result<AbsPath> {
    let own = if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe().context("cannot find the program's own file")?
    };
    Ok(AbsPath::new(own)?)
}

/// The root of the file system that holds the administrator's directory.
fn root() -> Option<PathBuf> {
    PathBuf::from(SYSTEM_DIR)
        .ancestors()
        .last()
        .map(PathBuf::from)
}

/// Starts the log on stderr; stdout belongs to answers.
fn start_log(environment: &Environment, is_terminal: bool) {
    let text = |name| environment.var(name).and_then(|value| value.to_str());
    let wanted = text("PLUGD_LOG").or_else(|| text("RUST_LOG"));
    // Directives that cannot be read are no reason to lose warnings.
    let filter = wanted
        .and_then(|wanted| EnvFilter::try_new(wanted).ok())
        .unwrap_or_else(|| EnvFilter::new(plugd_cli::default_log(&environment.args)));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // It would tell of a log that cannot be written by writing to the same place, and panic there.
        .log_internal_errors(false)
        .with_ansi(plugd_cli::wants_colours(environment, is_terminal));
    if text("PLUGD_LOG_FORMAT") == Some("json") {
        log.json().init();
    } else {
        log.init();
    }
}

/// The system's clock.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A clock in front of the epoch is wrong anyway.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

/// Names from the system's random numbers.
struct SystemNames;

impl RandomNames for SystemNames {
    fn next(&self) -> String {
        let number = getrandom::u64().unwrap_or_else(|_| {
            // Without randomness the process and the time still tell names apart; whoever creates a
            // file under one refuses a collision.
            let now = SystemClock.now();
            let time = now.as_secs() ^ u64::from(now.subsec_nanos());
            time ^ (u64::from(std::process::id()) << 32)
        });
        format!("{number:016x}")
    }
}

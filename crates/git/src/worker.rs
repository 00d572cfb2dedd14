//! The worker: one task, read from a pipe, done with libgit2, told to a pipe.
//!
//! It may hang, crash or be killed at any moment; the process that started it counts on nothing but
//! the last line. When that process goes away the worker ends too, with all it has started.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment};

use crate::config::UserConfig;
use crate::failure::{Failure, Trouble};
use crate::http::OneClient;
use crate::mirror::{self, Mirror, Wanted};
use crate::programs::Programs;
use crate::progress::{Lines, Meter, Reporter};
use crate::session::Session;
use crate::transport::{self, Remotes};
use crate::wire::{Fetched, Line, Outcome, Request, Settings, Task, VERSION};
use crate::{Address, CommitId, Depth, Want, history, submodules};

/// The first argument that makes the program a worker. Nobody types it.
pub const WORKER_ARGUMENT: &str = "git-worker";

/// Longest request.
const MAX_REQUEST: u64 = 1 << 20;

/// Most memory that a worker may ask for. A hostile pack ends the worker and not the machine.
#[cfg(target_os = "linux")]
const MAX_MEMORY: u64 = 6 << 30;

/// Runs one task; what a program does when it was started as a worker. Exactly one request is read,
/// and the end of the input afterwards ends the process.
///
/// libgit2 itself looks at `HOME` and `XDG_CONFIG_HOME` of the process, so the environment that is
/// passed in must be the process's own.
pub fn worker_main(
    environment: &Environment,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> ExitCode {
    let leads = isolate();
    let lines = Arc::new(Lines::new(output));
    let meter = Arc::new(Meter::default());
    let mut input = BufReader::new(input);
    let mut text = String::new();
    let read = (&mut input).take(MAX_REQUEST).read_line(&mut text);
    let result = read
        .map_err(|error| bad(&error.to_string()))
        .and_then(|_| serde_json::from_str(&text).map_err(|error| bad(&error.to_string())))
        .and_then(|request: Request| {
            std::thread::spawn(move || end_with(input, leads));
            let _reporter = Reporter::start(Arc::clone(&meter), Arc::clone(&lines));
            run(environment, &meter, request)
        });
    let (line, code) = match result {
        Ok(outcome) => (Line::Done(outcome), ExitCode::SUCCESS),
        Err(failure) => {
            let stage = meter.stage();
            (Line::Failed { stage, failure }, ExitCode::FAILURE)
        }
    };
    lines.write(&line);
    code
}

fn bad(reason: &str) -> Failure {
    Failure::BadRequest {
        reason: reason.to_owned(),
    }
}

fn run(
    environment: &Environment,
    meter: &Arc<Meter>,
    request: Request,
) -> Result<Outcome, Failure> {
    if request.version != VERSION {
        return Err(bad(&format!("version {} is not known", request.version)));
    }
    let address = Address::parse(&request.url).map_err(|error| bad(&error.to_string()))?;
    let session = session(environment, meter, &request.settings)?;
    transport::install(&session.remotes).map_err(|error| Failure::git(&error))?;
    task(&session, &address, request.task)
}

fn session(
    environment: &Environment,
    meter: &Arc<Meter>,
    settings: &Settings,
) -> Result<Session, Failure> {
    let path = |path| AbsPath::new(path).map_err(|error| bad(&error.to_string()));
    let disk = Disk::new();
    let user = Arc::new(UserConfig::load(&disk, environment));
    let http = OneClient::new(environment, Arc::clone(&user), settings.max_pack_bytes);
    Ok(Session {
        programs: Programs::find(&disk, environment),
        disk,
        meter: Arc::clone(meter),
        user: Arc::clone(&user),
        remotes: Arc::new(Remotes::new(
            Box::new(http),
            user,
            environment.clone(),
            Arc::clone(meter),
        )),
        mirrors: path(&settings.mirrors)?,
        locks: path(&settings.locks)?,
        patience: Duration::from_secs(settings.lock_seconds),
        idle: Duration::from_millis(settings.idle_millis),
        max_pack_bytes: settings.max_pack_bytes,
        backend: settings.backend,
    })
}

fn task(session: &Session, address: &Address, task: Task) -> Result<Outcome, Failure> {
    let checked = |want: Want| want.checked().map_err(|error| bad(&error.to_string()));
    match task {
        Task::Resolve { want } => {
            mirror::resolve(session, address, &checked(want)?).map(Outcome::Resolved)
        }
        Task::Fetch { want, depth, since } => {
            let mirror = Mirror::lock(session, address)?;
            mirror
                .with_commit(
                    Wanted {
                        want: &checked(want)?,
                        depth,
                        part: None,
                    },
                    |repository, commit| {
                        Ok::<_, Trouble>(Fetched {
                            commit: CommitId::of(commit),
                            history: history::compare(repository, commit, since.as_ref()),
                        })
                    },
                    || Ok(()),
                )
                .map(Outcome::Fetched)
        }
        Task::Checkout { commit, place } => {
            let want = Want::Commit(commit.as_str().to_owned());
            submodules::obtain(session, address, want, Depth::Tip, &place).map(Outcome::CheckedOut)
        }
        Task::Obtain { want, depth, place } => {
            submodules::obtain(session, address, checked(want)?, depth, &place)
                .map(Outcome::CheckedOut)
        }
    }
}

/// Leaves the terminal and the parent's group behind: nothing that is started here can ask a person,
/// and all of it can be ended at once. Answers whether that worked.
///
/// There is no sandbox beyond that: it would be inherited by ssh and the credential helpers, which
/// are the user's own and write where they like (known hosts, stores, sockets), and some of which
/// gain rights when they are started (`ssh-keysign`), so "no new privileges" would break them too.
#[cfg(unix)]
fn isolate() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        // An image of this process would hold the user's logins, and stay behind.
        let mut core = getrlimit(Resource::Core);
        core.current = Some(0);
        let _ = setrlimit(Resource::Core, core);
        let mut limit = getrlimit(Resource::As);
        if limit.current.is_none_or(|now| now > MAX_MEMORY) {
            limit.current = Some(MAX_MEMORY);
            let _ = setrlimit(Resource::As, limit);
        }
    }
    rustix::process::setsid().is_ok()
}

#[cfg(not(unix))]
fn isolate() -> bool {
    false
}

/// Waits for the end of the input, and then ends the process with everything it has started.
#[expect(
    clippy::exit,
    reason = "nobody is left to report to, and libgit2 cannot be asked to stop"
)]
fn end_with(mut input: impl Read, leads_group: bool) {
    let mut buffer = [0; 64];
    while input.read(&mut buffer).is_ok_and(|read| read > 0) {}
    #[cfg(unix)]
    if leads_group {
        let group = rustix::process::getpid();
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = leads_group;
    std::process::exit(1);
}

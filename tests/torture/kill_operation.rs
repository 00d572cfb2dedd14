//! The process dies at operation N on the disk, and a real daemon comes after it.
//!
//! This program starts itself again in the sandbox; the child runs the daemon inside itself with a
//! probe that aborts the process right before operation N. Counted are operations that change
//! something: in front of another one nothing has changed. The real daemon must have recovered within
//! its first two listings, and be quick about it.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use plugd_disk::{Disk, Operation as DiskOperation, Probe};
use plugd_model::{AbsPath, Environment};
use plugd_testkit::{CountingNames, Daemon, Launch, ManualClock};
use serde_json::json;

use crate::dice::Dice;
use crate::expected::{Expected, Told};
use crate::fail_operation::{recovered, second_try};
use crate::inside::{Session, TOLD, is_idle, later};
use crate::operations::{OPERATIONS, Operation};
use crate::states;
use crate::tally::{Scale, Tally};
use crate::worlds::{NO_CURATED_SYNC, World};
use crate::{BINARY, CHILD};

/// More than any request does.
const MOST: u64 = 5_000;

/// How long a child may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks.
const SHORTLY: Duration = Duration::from_millis(5);

/// How long the first complete listing may take after the start: what is promised.
pub(crate) const SOON: Duration = Duration::from_secs(1);
/// What a build without optimisation is allowed beside other tests.
pub(crate) const SOON_BESIDE_TESTS: Duration = Duration::from_secs(5);

/// Ends the process.
#[derive(Debug)]
struct Deadly {
    at: u64,
    armed: AtomicBool,
    seen: AtomicU64,
}

impl Probe for Deadly {
    fn before(&self, operation: &DiskOperation<'_>) -> io::Result<()> {
        if self.armed.load(Ordering::Acquire) && operation.kind.mutates() {
            let number = self.seen.fetch_add(1, Ordering::AcqRel) + 1;
            if number == self.at {
                std::process::abort();
            }
        }
        Ok(())
    }
}

/// What came of one child.
struct Died {
    told: Told,
    /// Whether it died, and did not get through.
    reached: bool,
}

/// The child: the name of the operation, the number, and the address of the repository.
pub(crate) fn child(args: &[String]) -> ExitCode {
    let [name, at, url] = args else {
        return ExitCode::FAILURE;
    };
    let known = OPERATIONS.iter().find(|operation| operation.name == name);
    let (Some(operation), Ok(at)) = (known, at.parse()) else {
        return ExitCode::FAILURE;
    };
    let environment = own_environment();
    let home = AbsPath::new(environment.var("CODEX_HOME").unwrap()).unwrap();
    let probe = Arc::new(Deadly {
        at,
        armed: AtomicBool::new(false),
        seen: AtomicU64::new(0),
    });
    let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
    let root = home.parent().unwrap();
    let mut session = Session::on(&root, environment, disk).with_url(url).aloud();
    probe.armed.store(true, Ordering::Release);
    let answer = (operation.act)(&mut session);
    for at_the_end in [false, true] {
        if at_the_end {
            session.end();
        }
        if operation.told(&answer, &mut session).all {
            let mut stdout = io::stdout();
            writeln!(stdout, "{TOLD}").unwrap();
            stdout.flush().unwrap();
        }
    }
    ExitCode::SUCCESS
}

/// What the child was started with, which is the sandbox's.
#[expect(
    clippy::disallowed_methods,
    reason = "the child of a test is the entry point of its process"
)]
fn own_environment() -> Environment {
    let path = |name| AbsPath::new(std::env::var_os(name).unwrap()).unwrap();
    let home = path("CODEX_HOME");
    Environment {
        program: AbsPath::new(BINARY).unwrap(),
        args: Vec::<OsString>::new(),
        vars: std::env::vars_os().collect(),
        cwd: AbsPath::new(std::env::current_dir().unwrap()).unwrap(),
        cwd_is_gone: false,
        home: Some(path("HOME")),
        system_dir: home.parent().unwrap().join("etc"),
        clock: Arc::new(ManualClock::at(later())),
        names: Arc::new(CountingNames::default()),
    }
}

fn kill(operation: &Operation, world: &World, at: u64) -> Died {
    let own = std::env::current_exe().unwrap();
    let mut child = Launch::new(own)
        .args(&[CHILD, operation.name, &at.to_string(), &world.url])
        .patience(PATIENCE);
    if operation.curated {
        child = child.without_var(NO_CURATED_SYNC);
    }
    let child = child.run(&world.sandbox);
    let is_dead = child.status.code().is_none();
    assert!(is_dead || child.status.success(), "{child}");
    let mut told = Told::default();
    for line in child.stdout.lines() {
        match line.strip_prefix(TOLD).map(str::trim) {
            Some("") => told.all = true,
            Some(plugin) => told.plugins.push(plugin.to_owned()),
            None => {}
        }
    }
    Died {
        told,
        reached: is_dead,
    }
}

/// One try; answers whether the child died, and how long the recovery took.
fn one(operation: &Operation, expected: &Expected, at: u64, soon: Duration) -> (bool, Duration) {
    let world = operation.world();
    let Died { told, reached } = kill(operation, &world, at);
    let context = format!("{told:?}");
    let started = Instant::now();
    let mut daemon = Launch::app_server(BINARY)
        .patience(PATIENCE)
        .start(&world.sandbox);
    daemon.initialize();
    daemon.ok("plugin/installed", json!({}));
    let mut took = started.elapsed();
    settle(&mut daemon, &world);
    recovered(expected, &world, &told, &context);
    // Also begins a refresh, which may move on to the new state.
    let started = Instant::now();
    daemon.ok("plugin/list", json!({}));
    took += started.elapsed();
    daemon.shut_down();
    assert!(took < soon, "{context}: the first listing took {took:?}");
    second_try(operation, expected, &world, &context);
    (reached, took)
}

/// Waits until what the daemon began by itself is over, and what it replaced has been removed behind
/// that: nothing of a dead one is left then, and nothing of its own.
fn settle(daemon: &mut Daemon, world: &World) {
    let deadline = Instant::now() + PATIENCE;
    while !is_idle(&daemon.ok("plugd/status", json!({}))) {
        assert!(
            Instant::now() < deadline,
            "the work in the background does not end"
        );
    }
    while !states::remains(&world.sandbox).is_empty() && Instant::now() < deadline {
        thread::sleep(SHORTLY);
    }
}

/// How many operations there are to die at.
fn operations(operation: &Operation) -> u64 {
    let world = operation.world();
    let probe = Arc::new(Deadly {
        at: u64::MAX,
        armed: AtomicBool::new(false),
        seen: AtomicU64::new(0),
    });
    let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
    let mut session = world.session_on(disk);
    probe.armed.store(true, Ordering::Release);
    let _ = (operation.act)(&mut session);
    session.end();
    probe.seen.load(Ordering::Acquire)
}

/// Kills during these requests.
pub(crate) fn run(scale: Scale, kinds: &[Operation], bounded_tries: usize) -> Tally {
    let mut tally = Tally::default();
    let mut slowest = Duration::ZERO;
    let soon = scale.pick(SOON_BESIDE_TESTS, SOON);
    for operation in kinds {
        let expected = Expected::of(operation);
        let numbers: Vec<u64> = match scale.pick(true, false) {
            true => {
                let all = (1..=operations(operation)).collect();
                Dice::new(scale.seed(), operation.name).some_of(all, bounded_tries)
            }
            false => (1..=MOST).collect(),
        };
        for number in numbers {
            // A try that failed has reached its end.
            let mut reached = true;
            tally.attempt(format!("{}, killed at {number}", operation.name), || {
                let took;
                (reached, took) = one(operation, &expected, number, soon);
                slowest = slowest.max(took);
            });
            // What shares a transaction has fewer operations at one time than at another.
            if !reached && scale.pick(false, true) {
                break;
            }
        }
    }
    tally.note(format!("{} kinds of requests", kinds.len()));
    tally.note(format!("slowest recovery {} ms", slowest.as_millis()));
    tally
}

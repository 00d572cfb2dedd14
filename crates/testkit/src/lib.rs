//! What tests need and the program does not: a temporary world, a way to drive the real binary in
//! it, and a way to compare what came out.
//!
//! One language describes files at every level of testing, one string per test ([`Fixture`]):
//!
//! ```text
//! == ch/config.toml
//! [marketplaces.demo]
//! source_type = "local"
//! source = "$ROOT/demo"
//! == demo/run.sh (mode 755)
//! echo hi
//! == demo/link -> ../target
//! == demo/empty/
//! ```
//!
//! The same language is what [`Sandbox::tree`] prints, so that a whole tree is one comparison.
//!
//! What lies on the network lies on loopback: repositories ([`GitRepo`]), a git server
//! ([`GitServer`]) and an npm registry ([`NpmRegistry`]), an OCI registry ([`OciRegistry`]) that a test starts and that misbehave as
//! it says ([`Behaviour`]).
//!
//! Invariants:
//! - A [`Sandbox`] owns every path that a test touches. The caller's home directory, environment
//!   and git configuration never reach a test.
//! - Every wait has a deadline and ends in a panic that shows what was waited for, what came
//!   instead, and what the process wrote to stderr. Nothing here sleeps and hopes.
//! - No process outlives the value that started it.
//!
//! This crate is a dev-dependency only. It must not know a method, a file format or an error text
//! of the program: then it would agree with the program's mistakes.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the disk past `disk::Disk`, or they could not prove it right, and they \
              start the binary that they test"
)]

mod capture;
mod daemon;
mod environment;
mod filter;
mod fixture;
mod launch;
mod on_disk;
mod pipes;
mod probe;
mod process;
mod remote;
mod sandbox;
mod skip;
mod wire;

pub use daemon::{Daemon, Seen};
pub use environment::{CountingNames, ManualClock, TEST_TIME, test_environment};
pub use filter::{filter, filter_json};
pub use fixture::{Fixture, Item, ItemKind};
pub use launch::{Launch, Output, run_cli};
pub use on_disk::tree;
pub use probe::{Fault, Recorded, RecordingProbe, every_fault};
pub use process::Signal;
pub use remote::service;
pub use remote::{
    Authority, Behaviour, Gate, GitRepo, GitRequest, GitServer, HttpRequest, NpmRegistry,
    NpmRequest, OciRegistry, OciRequest, RawEntry, RawKind, TarEntry, TarKind, lfs_pointer, tgz,
};
pub use sandbox::Sandbox;
pub use skip::skip;
pub use wire::{Framing, check_envelope};

/// Turns an error into a panic at the place of the caller: in a test there is nothing else to do.
#[track_caller]
fn must<T>(result: anyhow::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error:#}"),
    }
}

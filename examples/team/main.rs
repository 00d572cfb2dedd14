//! A session of two people who share a project: a lock that both homes match, an update under the
//! hands of a running host, a way back, and what was tampered with.
//!
//! Everything happens below a temporary directory that is removed at the end. The daemons are the
//! binary that Cargo has built beside this example.
#![expect(
    clippy::print_stdout,
    reason = "an example is a program of its own: it prints"
)]

#[path = "../demo/binary.rs"]
mod binary;
#[path = "../demo/daemon.rs"]
mod daemon;
mod session;

use std::path::{Path, PathBuf};

fn main() -> anyhow::Result<()> {
    let binary = binary::built_beside()?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/marketplace");
    let mut print = |line: &str| println!("{line}");
    session::run(&binary, &sample, &mut print).map(|_: PathBuf| ())
}

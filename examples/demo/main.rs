//! A session against a copy of the sample marketplace: what a frontend says to the daemon, and what
//! it hears.
//!
//! Everything happens below a temporary directory that is removed at the end. The daemon is the
//! binary that Cargo has built beside this example.
#![expect(
    clippy::print_stdout,
    reason = "an example is a program of its own: it prints"
)]

mod binary;
mod daemon;
mod session;

use std::path::{Path, PathBuf};

fn main() -> anyhow::Result<()> {
    let binary = binary::built_beside()?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/marketplace");
    let mut print = |line: &str| println!("{line}");
    session::run(&binary, &sample, &mut print).map(|_: PathBuf| ())
}

//! A session against a copy of the sample marketplace: what a frontend says to the daemon, and what
//! it hears.
//!
//! Everything happens below a temporary directory that is removed at the end. The daemon is the
//! binary that Cargo has built beside this example.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example is a program of its own: it starts a process, copies files and prints"
)]

mod session;

use std::path::{Path, PathBuf};

fn main() -> anyhow::Result<()> {
    let here = std::env::current_exe()?;
    // target/<profile>/examples/demo -> target/<profile>/plugd
    let binary = here
        .ancestors()
        .nth(2)
        .map(|dir| dir.join(format!("plugd{}", std::env::consts::EXE_SUFFIX)))
        .filter(|path| path.exists())
        .ok_or_else(|| anyhow::anyhow!("build the daemon first: cargo build --bin plugd"))?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/marketplace");
    let mut print = |line: &str| println!("{line}");
    session::run(&binary, &sample, &mut print).map(|_: PathBuf| ())
}

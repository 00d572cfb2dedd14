//! Where an example finds the daemon.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program of its own: it looks for a file"
)]

use std::path::PathBuf;

use anyhow::Context;

/// The daemon that Cargo has built beside an example: `target/<profile>/examples/NAME` has it at
/// `target/<profile>/plugd`.
pub(crate) fn built_beside() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    here.ancestors()
        .nth(2)
        .map(|dir| dir.join(format!("plugd{}", std::env::consts::EXE_SUFFIX)))
        .filter(|path| path.exists())
        .context("build the daemon first: cargo build --bin plugd")
}

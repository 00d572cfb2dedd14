//! The pieces that requests are made of, timed one by one in this process: what a change of one of them
//! gives, without the pipe, the process and the disk's waits around it.
//!
//! `make bench` runs them in front of the workloads, `make bench ONLY=manifest` those whose name holds a
//! word, and `cargo bench --bench pieces -- --help` knows more.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be taken ends with what went wrong"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "what is measured is written here, in a temporary directory"
)]

use std::path::Path;
use std::sync::LazyLock;

use plugd_model::AbsPath;
use tempfile::TempDir;

mod answer;
mod config;
mod files;
mod manifest;

#[path = "../limits.rs"]
#[expect(dead_code, reason = "the workloads need more of it")]
mod limits;
#[path = "../market.rs"]
#[expect(dead_code, reason = "the workloads need more of it")]
mod market;

use crate::market::{Market, Weight};

/// As many plugins as the marketplace has that people use.
const PLUGINS: usize = 180;

/// A marketplace of that size, written once.
static MARKET: LazyLock<(TempDir, Market)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let market = Market::generate(&dir.path().join("real"), "real", PLUGINS, Weight::Real);
    (dir, market)
});

fn main() {
    divan::main();
}

fn abs(path: impl AsRef<Path>) -> AbsPath {
    AbsPath::new(path).unwrap()
}

fn market() -> &'static Market {
    &MARKET.1
}

/// A plugin with 3 skills, 24 more files and a picture.
fn plugin() -> AbsPath {
    abs(market().plugin_dir(&market().plugins[3]))
}

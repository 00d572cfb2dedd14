//! Fuzzing on the compiler that the project is built with: every input of a small corpus, and then
//! so many mutations of them.
//!
//! The same targets run under cargo-fuzz, which is guided by what the code does (`tests/fuzz`); what
//! that finds becomes an input of the corpus. An input that fails here is kept in a file that the
//! failure names.
#![expect(
    clippy::disallowed_methods,
    reason = "the corpus lies in the source tree, and what failed is kept beside the build"
)]
#![expect(
    clippy::expect_used,
    reason = "a broken promise is a panic here, and the words say which one"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::tally::{Scale, Tally};

mod mutate;
#[path = "fuzz/targets.rs"]
mod targets;

use targets::Target;

/// The long form tries so many times as much.
const LONG: u64 = 20;
/// No input takes longer; none comes near.
const SLOWEST: Duration = Duration::from_secs(20);

/// Bytes into the daemon as a whole.
pub(crate) fn wire(scale: Scale) -> Tally {
    run(scale, &[("wire", 200)])
}

/// Edits of a configuration.
pub(crate) fn config(scale: Scale) -> Tally {
    run(scale, &[("config_edit", 600)])
}

/// What authors of marketplaces and plugins write about them, and texts that name something.
pub(crate) fn manifests(scale: Scale) -> Tally {
    run(
        scale,
        &[
            ("marketplace_manifest", 8_000),
            ("plugin_manifest", 8_000),
            ("sources", 20_000),
        ],
    )
}

/// What is inside a plugin.
pub(crate) fn components(scale: Scale) -> Tally {
    run(
        scale,
        &[("skills", 1_500), ("hooks", 1_500), ("servers", 1_500)],
    )
}

/// Archives of strangers.
pub(crate) fn archives(scale: Scale) -> Tally {
    run(scale, &[("archive", 2_000)])
}

fn run(scale: Scale, rows: &[(&str, u64)]) -> Tally {
    let mut tally = Tally::default();
    let mut slowest = Duration::ZERO;
    for (name, times) in rows {
        let target = targets::target(name);
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "no corpus for {name}");
        for input in &corpus {
            slowest = slowest.max(judge(&mut tally, target, input));
        }
        let mut random = Dice::new(scale.seed(), name);
        for _ in 0..times * scale.pick(1, LONG) {
            let input = mutate::mutated(&mut random, &corpus, target.words);
            slowest = slowest.max(judge(&mut tally, target, &input));
        }
    }
    tally.note(format!(
        "{} targets, slowest input {} ms",
        rows.len(),
        slowest.as_millis()
    ));
    tally
}

fn judge(tally: &mut Tally, target: &Target, input: &[u8]) -> Duration {
    let started = Instant::now();
    let failed = tally.failed();
    let kept = kept(target.name, input);
    tally.attempt(format!("{} with {}", target.name, kept.display()), || {
        (target.run)(input);
        let took = started.elapsed();
        assert!(took < SLOWEST, "it took {took:?}");
    });
    if tally.failed() > failed {
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        fs::write(&kept, input).unwrap();
    }
    started.elapsed()
}

/// Where an input is kept that failed. Equal inputs have one place (FNV-1a).
fn kept(target: &str, input: &[u8]) -> PathBuf {
    let digest = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    dir.join(format!("{target}-{digest:016x}"))
}

/// The inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/torture/corpus")
        .join(target);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

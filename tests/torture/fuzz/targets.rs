//! What is fuzzed: plain functions over bytes that panic when a promise is broken.
//!
//! They are driven by the loop of this program, which mutates a small corpus from a seed, and by
//! cargo-fuzz, which looks at what the code does with an input (`tests/fuzz`).

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use plugd_model::{AbsPath, Problem};

mod archive;
mod config_edit;
mod hooks;
mod manifests;
mod place;
mod servers;
mod skills;
mod sources;
mod wire;

/// One thing that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Also the name of its corpus.
    pub(crate) name: &'static str,
    /// Judges one input; it panics when a promise is broken.
    pub(crate) run: fn(&[u8]),
    /// What its inputs are made of.
    pub(crate) words: &'static [&'static str],
}

/// All of them.
const TARGETS: &[Target] = &[
    Target {
        name: "wire",
        run: wire::run,
        words: wire::WORDS,
    },
    Target {
        name: "config_edit",
        run: config_edit::run,
        words: config_edit::WORDS,
    },
    Target {
        name: "marketplace_manifest",
        run: manifests::marketplace,
        words: manifests::MARKETPLACE_WORDS,
    },
    Target {
        name: "plugin_manifest",
        run: manifests::plugin,
        words: manifests::PLUGIN_WORDS,
    },
    Target {
        name: "skills",
        run: skills::run,
        words: skills::WORDS,
    },
    Target {
        name: "hooks",
        run: hooks::run,
        words: hooks::WORDS,
    },
    Target {
        name: "servers",
        run: servers::run,
        words: servers::WORDS,
    },
    Target {
        name: "sources",
        run: sources::run,
        words: sources::WORDS,
    },
    Target {
        name: "archive",
        run: archive::run,
        words: archive::WORDS,
    },
];

/// The target with a name.
pub(crate) fn target(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("no target is called {name}"))
}

/// A problem that has a place has it inside its file.
#[track_caller]
fn check_places(file: &AbsPath, text: &[u8], problems: &[Problem]) {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    for problem in problems {
        let Some(place) = problem.place else {
            continue;
        };
        if problem.path.as_ref().is_some_and(|path| path != file) {
            continue;
        }
        let line = usize::try_from(place.line).unwrap();
        let inside = line.checked_sub(1).and_then(|line| lines.get(line));
        let Some(line) = inside else {
            panic!("a problem behind the last line: {problem:?}");
        };
        let columns = String::from_utf8_lossy(line).chars().count() + 1;
        let column = usize::try_from(place.column).unwrap();
        assert!(
            (1..=columns).contains(&column),
            "a problem beside its line: {problem:?}"
        );
    }
}

/// How many panics this process has seen, caught ones and those of other threads included.
fn panics() -> u64 {
    static SEEN: AtomicU64 = AtomicU64::new(0);
    static COUNT: Once = Once::new();
    COUNT.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            SEEN.fetch_add(1, Ordering::Relaxed);
            before(panic);
        }));
    });
    SEEN.load(Ordering::Relaxed)
}

/// The parts of an input that has several, between lines of `%%`.
fn parts(input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = input;
    while let Some(at) = rest.windows(4).position(|four| four == b"\n%%\n") {
        parts.push(&rest[..at + 1]);
        rest = &rest[at + 4..];
    }
    parts.push(rest);
    parts
}

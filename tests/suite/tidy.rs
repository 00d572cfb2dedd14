//! Rules of the house that a compiler does not check: who may depend on whom, sizes, module docs,
//! and that no test file and no example lies around unused.
#![expect(
    clippy::disallowed_methods,
    reason = "this test reads the source tree itself, not a home directory"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

/// Longest source file, in lines, unless it is listed below.
const MAX_FILE_LINES: usize = 500;
/// Longest function, in lines, unless it is listed below.
const MAX_FUNCTION_LINES: usize = 80;
/// Files that are longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[];
/// Functions that are longer, as `file::function`, each with the reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Every file with unsafe code, with the number of lines that say so, each with the reason.
const UNSAFE: &[(&str, usize, &str)] = &[
    (
        "crates/daemon/allocator.rs",
        2,
        "glibc offers no other way to say how memory is kept; called once, before a second thread",
    ),
    (
        "crates/git/src/transport.rs",
        2,
        "libgit2's list of transports has no lock; one call adds ours, before anything else uses it",
    ),
];

/// Which crate names which other crate of ours; ARCHITECTURE.md tells why. A row that allows more
/// than is named would let a dependency come back unnoticed.
const ALLOWED: &[(&str, &[&str])] = &[
    ("plugd", &["cli", "server", "git", "disk", "model"]),
    ("cli", &["server", "plugins", "model", "disk"]),
    ("server", &["protocol", "plugins", "model", "disk"]),
    (
        "plugins",
        &[
            "marketplace",
            "components",
            "store",
            "git",
            "fetch",
            "catalog",
            "config",
            "watch",
            "lockfile",
            "manifest",
            "model",
            "disk",
        ],
    ),
    ("marketplace", &["manifest", "config", "model", "disk"]),
    ("components", &["manifest", "model", "disk"]),
    ("store", &["model", "disk"]),
    ("config", &["model", "disk"]),
    ("http", &["model", "disk"]),
    ("manifest", &["model", "disk"]),
    ("catalog", &["http", "model", "disk"]),
    ("fetch", &["http", "model", "disk"]),
    ("git", &["http", "model", "disk"]),
    ("watch", &["model", "disk"]),
    ("lockfile", &["model", "disk"]),
    ("disk", &["model"]),
    ("testkit", &["disk", "model"]),
    ("model", &[]),
    ("protocol", &[]),
    ("rust-client", &["protocol"]),
    ("tui", &["rust-client"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of ours, relative to the root.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for top in ["crates", "protocol", "tests", "examples"] {
        collect(&root().join(top), &mut found);
    }
    assert!(
        found.len() > 50,
        "the walk found {} files only",
        found.len()
    );
    found
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The crates of ours that the `[dependencies]` of a manifest name.
fn named_by(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut named = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && let Some(rest) = line.strip_prefix("plugd-") {
            let name = rest.split(['.', ' ', '=']).next().unwrap();
            named.insert(name.to_owned());
        }
    }
    named
}

#[test]
fn dependencies_follow_the_table() {
    let manifests: BTreeMap<&str, PathBuf> = ALLOWED
        .iter()
        .map(|(name, _)| {
            let path = match *name {
                "plugd" => root().join("Cargo.toml"),
                "protocol" => root().join("protocol/Cargo.toml"),
                "rust-client" | "tui" => root().join("examples").join(name).join("Cargo.toml"),
                other => root().join("crates").join(other).join("Cargo.toml"),
            };
            (*name, path)
        })
        .collect();
    for (name, allowed) in ALLOWED {
        let named = named_by(&read(&manifests[name]));
        let allowed: BTreeSet<String> = allowed.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(named, allowed, "what {name} depends on");
    }
    let members = read(&root().join("Cargo.toml"));
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("Cargo.toml").exists() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(
                manifests.contains_key(name.as_str()),
                "{name} is not in the table"
            );
            assert!(
                members.contains(&format!("\"crates/{name}\"")),
                "{name} is no member"
            );
        }
    }
}

#[test]
fn every_crate_is_in_the_architecture_document() {
    let document = read(&root().join("ARCHITECTURE.md"));
    for (name, _) in ALLOWED.iter().filter(|(name, _)| *name != "plugd") {
        let place = match *name {
            "protocol" => "`protocol`".to_owned(),
            "rust-client" | "tui" => format!("`examples/{name}`"),
            other => format!("`crates/{other}`"),
        };
        assert!(
            document.contains(&place),
            "ARCHITECTURE.md does not speak of {place}"
        );
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut too_long = Vec::new();
    let mut silent = Vec::new();
    for path in sources() {
        let text = read(&path);
        let name = shown(&path);
        let listed = LONG_FILES.iter().any(|(file, _)| *file == name);
        if text.lines().count() > MAX_FILE_LINES && !listed {
            too_long.push(name.clone());
        }
        // A file of tests that is included by its neighbour is described there.
        let tests = name.ends_with("tests.rs");
        if !text.starts_with("//!") && !tests {
            silent.push(name);
        }
    }
    assert_eq!(
        too_long,
        Vec::<String>::new(),
        "longer than {MAX_FILE_LINES} lines"
    );
    assert_eq!(silent, Vec::<String>::new(), "without a module doc");
}

/// Functions of formatted code: a line that begins one, up to the line that closes its indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let close = format!("{indent}}}");
        let end = lines[start..].iter().position(|line| *line == close);
        let one_line = line.trim_end().ends_with(';') || line.trim_end().ends_with('}');
        if let (Some(length), false) = (end, one_line) {
            found.push((name, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for word in [
        "pub(crate) ",
        "pub(super) ",
        "pub ",
        "const ",
        "async ",
        "unsafe ",
    ] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(rest.split(['(', '<']).next()?.to_owned())
}

#[test]
fn functions_are_short() {
    let mut too_long = Vec::new();
    for path in sources() {
        let name = shown(&path);
        for (function, length) in functions(&read(&path)) {
            let id = format!("{name}::{function}");
            let listed = LONG_FUNCTIONS.iter().any(|(one, _)| *one == id);
            if length > MAX_FUNCTION_LINES && !listed {
                too_long.push(format!("{id}: {length}"));
            }
        }
    }
    assert_eq!(
        too_long,
        Vec::<String>::new(),
        "longer than {MAX_FUNCTION_LINES} lines"
    );
}

#[test]
fn the_function_scanner_counts() {
    let text = "pub async fn a(\n    x: u8,\n) {\n    b();\n}\n\nfn b() {}\n";
    assert_eq!(functions(text), vec![("a".to_owned(), 5)]);
}

#[test]
fn every_suite_file_is_listed() {
    let main = read(&root().join("tests/suite/main.rs"));
    for entry in fs::read_dir(root().join("tests/suite")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if stem != "main" && path.extension().is_some_and(|extension| extension == "rs") {
            assert!(
                main.contains(&format!("mod {stem};")),
                "main.rs does not list {stem}"
            );
        }
    }
}

#[test]
fn every_example_is_run_by_a_test() {
    let runner = ["examples", "clients"]
        .map(|file| read(&root().join(format!("tests/suite/{file}.rs"))))
        .concat();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // A package of its own has tests of its own.
        let package = path.join("Cargo.toml").exists() && path.join("tests").exists();
        assert!(
            package || runner.contains(&format!("examples/{name}")),
            "neither tests/suite/examples.rs nor clients.rs uses examples/{name}"
        );
    }
}

#[test]
fn names_that_hide_what_a_file_is_for_are_not_used() {
    for path in sources() {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let vague = ["utils", "util", "helpers", "common", "manager", "misc"];
        assert!(!vague.contains(&stem.as_str()), "{}", shown(&path));
    }
}

/// A list of names of one build would be worth nothing to the next one, and nobody would see it.
#[test]
fn the_hot_functions_are_those_of_any_build() {
    let list = read(&root().join("crates/daemon/hot_functions.txt"));
    let mut seen = BTreeSet::new();
    for name in list.lines().filter(|line| !line.starts_with('#')) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.$*".contains(&byte);
        assert!(
            !name.is_empty() && name.bytes().all(is_part),
            "`{name}` is no name of a function"
        );
        // The older way to write names ends with a hash of everything.
        assert!(!name.starts_with("_ZN"), "`{name}` is a name of one build");
        assert!(seen.insert(name), "`{name}` stands there twice");
    }
    assert!(seen.len() > 1_000, "{} functions", seen.len());
    let flags = read(&root().join(".cargo/config.toml"));
    assert!(
        flags.contains("symbol-mangling-version=v0"),
        "without it no function has a name of the list"
    );
}

#[test]
fn unsafe_code_is_listed_and_denied_everywhere_else() {
    // Put together here, so that this file does not find itself.
    let words = ["{", "fn ", "impl ", "trait ", "extern ", "(", "_code"].map(|behind| {
        let gap = if matches!(behind, "(" | "_code") {
            ""
        } else {
            " "
        };
        format!("unsafe{gap}{behind}")
    });
    let mut found = BTreeMap::new();
    for path in sources() {
        let text = read(&path);
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let lines = code.filter(|line| words.iter().any(|word| line.contains(word)));
        let lines = lines.count();
        if lines > 0 {
            found.insert(shown(&path), lines);
        }
    }
    found.remove("tests/suite/tidy.rs");
    let listed = UNSAFE
        .iter()
        .map(|(path, lines, _)| ((*path).to_owned(), *lines));
    assert_eq!(found, listed.collect::<BTreeMap<_, _>>());
    let root_manifest = read(&root().join("Cargo.toml"));
    assert!(
        root_manifest.contains("[workspace.lints.rust]")
            && root_manifest.contains("unsafe_code = \"deny\"")
    );
    for line in root_manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"'))
    {
        let member = root().join(line.trim_end_matches("\",")).join("Cargo.toml");
        let inherits = read(&member).contains("[lints]\nworkspace = true");
        assert!(inherits, "{} has lints of its own", member.display());
    }
}

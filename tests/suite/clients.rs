//! Proves that clients which know nothing of this program can use it: each speaks through a
//! JSON-RPC library of its own world, and goes through the same steps against the real binary.
//!
//! The scripts in `tests/clients` print a line for each step; a test prints them as a row of the
//! table client by step, and fails unless all are there and good. Where a program is missing the
//! row says so; `.ci/run` installs them all, and sets `PLUGD_TEST_CLIENTS=required` so that none is
//! passed over there. `make clients` prints the table.
#![expect(
    clippy::disallowed_methods,
    reason = "this looks for programs of the machine, as whoever started the tests sees it"
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plugd_testkit::{Launch, Sandbox, skip};

use crate::fixtures::{BINARY, DEMO};

/// What every client does, in the order of the table.
const STEPS: [&str; 7] = [
    "initialize",
    "list",
    "read",
    "cancel",
    "progress",
    "install",
    "uninstall",
];

/// The step with a lock in its way: the clients ask for an installation that cannot be done, take it
/// back, and pass when the answer is in time and says so.
const CANCEL: &str = "step cancel ok";

/// Editors start slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The demo marketplace with a plugin that is large enough to be copied for a while.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::from(DEMO);
    for number in 0..6 {
        let path = format!("demo/plugins/hello/data/{number}.bin");
        sandbox.write(&path, vec![b'x'; 1 << 20]);
    }
    sandbox
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the source tree as text, for an argument.
fn source(relative: &str) -> String {
    root().join(relative).display().to_string()
}

/// A program of the machine, by its name in the caller's `PATH`.
fn program(name: &str) -> Option<PathBuf> {
    let places = env::var_os("PATH")?;
    env::split_paths(&places)
        .map(|place| place.join(name))
        .find(|path| path.is_file())
}

/// A directory that `.ci/run` filled, by the variable that names it.
fn prepared(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_dir())
}

/// A program as a client of the test environment: it sees its sandbox, the binary, and `PATH` as
/// the caller has it, because interpreters find their parts there.
fn client(program: &Path, args: &[&str]) -> Launch {
    let path = env::var("PATH").unwrap_or_default();
    Launch::new(program)
        .args(args)
        .var("PATH", &path)
        .var("PLUGD_BINARY", BINARY)
        .patience(PATIENCE)
}

#[expect(
    clippy::print_stdout,
    reason = "the table is for whoever reads the output of the tests"
)]
fn row(name: &str, said: &str) {
    println!("client {name:<26} {said}");
}

/// Tells that a client did not run.
///
/// # Panics
/// All clients are required.
#[track_caller]
fn skipped(name: &str, why: &str) {
    skip(&format!("client {name:<26}"), why);
}

/// Runs a client, prints its row, and fails unless it took every step and no other went wrong.
/// Answers what it wrote.
#[track_caller]
fn takes(name: &str, steps: &[&str], launch: &Launch) -> String {
    takes_in(&sandbox(), name, steps, launch)
}

/// As [`takes`], in a sandbox that holds more than the marketplace.
///
/// Where a client cancels, a neighbour holds the store up to then: an installation that nobody
/// takes back would wait for half a minute, so no other answer than the cancelled one can be there
/// first.
#[track_caller]
fn takes_in(sandbox: &Sandbox, name: &str, steps: &[&str], launch: &Launch) -> String {
    let output = if steps.contains(&"cancel") {
        let store = hold(sandbox);
        launch.run_and_when(sandbox, CANCEL, || drop(store))
    } else {
        launch.run(sandbox)
    };
    let told: Vec<&str> = output
        .stdout
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("step "))
        .collect();
    let cells: Vec<String> = steps
        .iter()
        .map(|step| {
            let good = told.contains(&format!("{step} ok").as_str());
            format!("{step} {}", if good { "ok" } else { "FAILED" })
        })
        .collect();
    row(name, &cells.join("  "));
    let missing = cells.iter().any(|cell| cell.ends_with("FAILED"));
    let wrong = told.iter().any(|line| line.contains(" failed: "));
    assert!(
        output.status.success() && !missing && !wrong,
        "{name}: {}\nstdout:\n{}\nstderr:\n{}",
        output.status,
        output.stdout,
        output.stderr
    );
    // Each takes away again what it installed, and means it.
    let copy = sandbox.path("ch/plugins/cache/demo/hello");
    assert!(!copy.as_path().exists(), "{name}: {copy} is still there");
    output.stdout
}

/// The lock of the store, as another daemon would hold it.
fn hold(sandbox: &Sandbox) -> fs::File {
    let locks = sandbox.path("ch/plugins/.plugd/locks");
    fs::create_dir_all(locks.as_path()).unwrap();
    let store = fs::File::create(locks.join("store").as_path()).unwrap();
    store.lock().unwrap();
    store
}

/// Neovim without anything of a user, running one script to its end.
fn neovim(script: &str) -> Option<Launch> {
    let program = program("nvim")?;
    let load = format!("luafile {}", source(&format!("tests/clients/{script}")));
    // A script that breaks off would leave the editor waiting for keys.
    let args = [
        "--headless",
        "-u",
        "NONE",
        "-i",
        "NONE",
        "-c",
        &load,
        "-c",
        "cquit 1",
    ];
    Some(client(&program, &args))
}

#[test]
fn neovim_by_its_rpc_module() {
    let name = "neovim vim.lsp.rpc";
    match neovim("neovim.lua") {
        Some(launch) => _ = takes(name, &STEPS, &launch.var("STYLE", "rpc")),
        None => skipped(name, "there is no nvim"),
    }
}

#[test]
fn neovim_as_with_any_language_server() {
    let name = "neovim vim.lsp.start";
    let Some(launch) = neovim("neovim.lua") else {
        return skipped(name, "there is no nvim");
    };
    let said = takes(name, &STEPS, &launch.var("STYLE", "start"));
    if said.contains("uses vim.lsp.start_client") {
        let why = "above by vim.lsp.start_client: this Neovim is older than 0.8";
        row(name, why);
    }
}

#[test]
fn neovim_with_the_picker_of_the_example() {
    let name = "neovim :Plugins";
    let steps = [
        "missing",
        "dead",
        "one",
        "list",
        "read",
        "progress",
        "install",
        "changed",
        "uninstall",
        "refusal",
    ];
    match neovim("neovim_example.lua") {
        Some(launch) => {
            let launch = launch.var("EXAMPLE", &source("examples/neovim"));
            takes(name, &steps, &launch);
        }
        None => skipped(name, "there is no nvim"),
    }
}

/// Emacs without anything of a user, running one script to its end.
fn emacs(script: &str) -> Option<Launch> {
    let program = program("emacs")?;
    let script = source(&format!("tests/clients/{script}"));
    Some(client(&program, &["-Q", "--batch", "-l", &script]))
}

#[test]
fn emacs_by_its_jsonrpc_library() {
    let name = "emacs jsonrpc.el";
    match emacs("emacs.el") {
        Some(launch) => _ = takes(name, &STEPS, &launch),
        None => skipped(name, "there is no emacs"),
    }
}

#[test]
fn emacs_with_the_list_of_the_example() {
    let name = "emacs plugd.el";
    let steps = [
        "missing",
        "directory",
        "list",
        "read",
        "progress",
        "install",
        "uninstall",
        "refusal",
        "complaint",
    ];
    match emacs("emacs_example.el") {
        Some(launch) => {
            let launch = launch.var("EXAMPLE", &source("examples/emacs"));
            takes(name, &steps, &launch);
        }
        None => skipped(name, "there is no emacs"),
    }
}

#[test]
fn the_jsonrpc_package_of_visual_studio_code() {
    let name = "vscode-jsonrpc";
    let Some(node) = program("node") else {
        return skipped(name, "there is no node");
    };
    let Some(modules) = prepared("PLUGD_TEST_NODE_MODULES") else {
        return skipped(name, NO_MODULES);
    };
    let script = source("tests/clients/vscode_jsonrpc.cjs");
    let launch = client(&node, &[&script]).var("NODE_PATH", &modules.display().to_string());
    takes(name, &[&STEPS[..], &["close"]].concat(), &launch);
}

const NO_MODULES: &str = "PLUGD_TEST_NODE_MODULES names no directory with vscode-jsonrpc, \
                          typescript, @types/node and @types/vscode";

/// The example is compiled beside a copy of the generated types, as somebody would do who takes
/// both along; the source tree stays as it is.
#[cfg(unix)]
#[test]
fn the_extension_of_visual_studio_code() {
    let name = "vscode extension";
    let Some(node) = program("node") else {
        return skipped(name, "there is no node");
    };
    let Some(modules) = prepared("PLUGD_TEST_NODE_MODULES") else {
        return skipped(name, NO_MODULES);
    };
    let sandbox = sandbox();
    for tree in ["examples/vscode/src", "schemas/typescript"] {
        copy(&sandbox, tree);
    }
    copy_file(&sandbox, "examples/vscode/tsconfig.json");
    copy_file(&sandbox, "examples/vscode/package.json");
    sandbox.add(&format!("== built/node_modules -> {}\n", modules.display()));
    let compiler = modules.join("typescript/bin/tsc").display().to_string();
    let compiled = client(&node, &[&compiler, "-p", "$ROOT/built/examples/vscode"]).run(&sandbox);
    let complaints = compiled.success();
    assert!(complaints.is_empty(), "{complaints}");
    let script = source("tests/clients/vscode_example.cjs");
    let launch = client(&node, &[&script]).var(
        "COMPILED",
        "$ROOT/built/examples/vscode/out/examples/vscode/src",
    );
    let ends = ["no-home", "killed", "after", "stop", "mute", "noise"];
    let editor = [
        "unstarted",
        "tree",
        "document",
        "notification",
        "installed",
        "uninstalled",
        "silence",
        "again",
        "complaint",
    ];
    let client = ["refusal", "close", "missing"];
    let steps = [&STEPS[..], &client, &ends, &editor].concat();
    takes_in(&sandbox, name, &steps, &launch);
}

/// Copies a directory of the source tree below `built` of the sandbox, without what was made there.
#[cfg(unix)]
fn copy(sandbox: &Sandbox, relative: &str) {
    for entry in fs::read_dir(root().join(relative)).unwrap() {
        let entry = entry.unwrap();
        let inside = format!("{relative}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            copy(sandbox, &inside);
        } else {
            copy_file(sandbox, &inside);
        }
    }
}

#[cfg(unix)]
fn copy_file(sandbox: &Sandbox, relative: &str) {
    let content = fs::read(root().join(relative)).unwrap();
    sandbox.write(&format!("built/{relative}"), content);
}

#[test]
fn two_headers_from_java() {
    let name = "java, headers of LSP4J";
    let Some(java) = program("java").filter(|_| program("javac").is_some()) else {
        return skipped(name, "there is no JDK");
    };
    let script = source("tests/clients/Headers.java");
    let launch = client(&java, &["-XX:TieredStopAtLevel=1", &script]);
    takes(name, &[&STEPS[..], &["close"]].concat(), &launch);
}

#[test]
fn the_python_package_of_the_reference() {
    let name = "openai-codex";
    let Some(place) = prepared("PLUGD_TEST_PYTHON") else {
        let why = "PLUGD_TEST_PYTHON names no virtual environment with openai-codex";
        return skipped(name, why);
    };
    let script = source("tests/clients/reference.py");
    takes(name, &STEPS, &client(&place.join("bin/python"), &[&script]));
}

#[test]
fn the_client_in_plain_python() {
    let name = "python, lines";
    let Some(python) = program("python3") else {
        return skipped(name, "there is no python3");
    };
    let script = source("tests/clients/python_example.py");
    let launch = client(&python, &["-B", &script]).var("EXAMPLE", &source("examples/python"));
    let faults = ["callback", "dead", "noise", "silence"];
    let demo = [
        "close",
        "demo",
        "demo-list",
        "demo-read",
        "refusal",
        "complaint",
        "missing",
    ];
    takes(name, &[&STEPS[..], &faults, &demo].concat(), &launch);
}

/// The example of the package, which is a workspace member outside the default ones: `make clients`
/// and whatever builds the whole workspace put it below `examples`, beside the directory of this
/// program.
#[test]
fn the_typed_client_in_rust() {
    let name = "rust, jsonrpsee";
    let here = env::current_exe().unwrap();
    // target/<profile>/deps/suite-1234 -> target/<profile>/examples/session
    let built = here.ancestors().nth(2).unwrap().join("examples");
    let session = built.join(format!("session{}", env::consts::EXE_SUFFIX));
    if !session.is_file() {
        let why = "cargo build --workspace --example session has not been run";
        return skipped(name, why);
    }
    let more = ["begin", "changed", "refusal", "close"];
    let launch = client(&session, &[BINARY, "hello", "demo"]);
    takes(name, &[&STEPS[..], &more].concat(), &launch);
}

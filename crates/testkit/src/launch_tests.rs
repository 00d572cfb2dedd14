use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::{Launch, Sandbox, run_cli};

fn shell(script: &str) -> Launch {
    Launch::new("/bin/sh").args(&["-c", script])
}

#[test]
fn a_program_runs_to_its_end() {
    let sandbox = Sandbox::new();
    let output = run_cli(
        "/bin/sh",
        &["-c", "echo out; echo err >&2; exit 4"],
        &sandbox,
    );
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("out\n", "err\n")
    );
    assert_eq!(output.code(), 4);
    let output = run_cli("/bin/sh", &["-c", "echo '{\"a\":1}'"], &sandbox);
    assert_eq!(output.success(), "{\"a\":1}\n");
    assert_eq!(output.json(), json!({"a": 1}));
}

#[test]
fn the_environment_is_the_sandbox_and_nothing_else() {
    let sandbox = Sandbox::new();
    let output = run_cli("/usr/bin/env", &[], &sandbox);
    let mut names: Vec<_> = output
        .success()
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    let expected: Vec<_> = crate::environment::variables(&sandbox)
        .into_keys()
        .map(|name| name.into_string().unwrap())
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn arguments_variables_and_the_directory_take_the_root() {
    let sandbox = Sandbox::from("== demo/x\n");
    let launch = shell("pwd; echo \"$1 $A ${CODEX_HOME-unset}\"")
        .args(&["sh", "$ROOT/one"])
        .var("A", "$ROOT/two")
        .without_var("CODEX_HOME")
        .dir("demo");
    let root = sandbox.root();
    let expected = format!("{root}/demo\n{root}/one {root}/two unset\n");
    assert_eq!(launch.run(&sandbox).success(), expected);
    assert_eq!(
        shell("pwd").run(&sandbox).success(),
        format!("{root}/cwd\n")
    );
}

#[test]
fn programs_of_a_fixture_are_found_first() {
    let sandbox = Sandbox::from("== bin/ssh (mode 755)\n#!/bin/sh\necho fake\n");
    let output = shell("command -v ssh").run(&sandbox);
    assert_eq!(output.success(), format!("{}/bin/ssh\n", sandbox.root()));
}

#[test]
fn programs_can_be_written_and_run_on_many_threads() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let sandbox = Sandbox::from("== bin/hi (mode 755)\n#!/bin/sh\necho hi\n");
                    let output = Launch::new(sandbox.path("bin/hi").as_path()).run(&sandbox);
                    assert_eq!(output.success(), "hi\n");
                }
            });
        }
    });
}

#[test]
fn input_is_given_and_closed() {
    let sandbox = Sandbox::new();
    assert_eq!(shell("cat").input("hi").run(&sandbox).success(), "hi");
    assert_eq!(shell("cat").run(&sandbox).success(), "");
    // More than a pipe holds, and nobody reads it.
    let output = shell("echo done")
        .input(vec![b'x'; 1_000_000])
        .run(&sandbox);
    assert_eq!(output.success(), "done\n");
}

#[test]
fn much_output_on_both_pipes_does_not_stall() {
    let script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero";
    let output = shell(script).run(&Sandbox::new());
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (300_000, 300_000)
    );
}

#[test]
fn what_is_left_running_does_not_hold_the_output_open() {
    let output = shell("sleep 600 & echo done").run(&Sandbox::new());
    assert_eq!(output.success(), "done\n");
}

#[test]
#[should_panic(expected = "has not ended after 50ms\nstdout:\n\nstderr:\nstill here\n")]
fn a_program_that_does_not_end_is_killed() {
    let launch = shell("echo still here >&2; exec sleep 600");
    drop(
        launch
            .patience(Duration::from_millis(50))
            .run(&Sandbox::new()),
    );
}

#[test]
#[should_panic(expected = "cannot start `/nothing/here --flag`")]
fn a_program_that_is_not_there() {
    drop(run_cli("/nothing/here", &["--flag"], &Sandbox::new()));
}

#[test]
#[should_panic(expected = "it failed: exit status: 1\nstdout:\na\n\nstderr:\nb\n")]
fn an_unexpected_failure_shows_what_was_written() {
    let output = shell("echo a; echo b >&2; exit 1").run(&Sandbox::new());
    let _ = output.success();
}

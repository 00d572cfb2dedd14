use std::io::{self, Write};

use plugd_disk::Disk;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Output, Terminals, run};
use crate::fixture::environment;

const NOBODY: Terminals = Terminals {
    stdin: false,
    stdout: false,
    stderr: false,
    columns: None,
};

/// A stream that fails.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Ran {
    code: u8,
    stdout: String,
    stderr: String,
}

fn ran(args: &[&str], terminals: Terminals) -> Ran {
    // No command below gets as far as touching a home.
    let environment = environment(args, &[("CODEX_HOME", "/nonexistent/ch")]);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let code = run(
        &environment,
        &Disk::new(),
        &mut Output {
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals,
        },
    );
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

#[test]
fn help_and_version_go_to_stdout_and_need_no_home() {
    for args in [
        &["--help"] as &[_],
        &["help"],
        &["plugin", "list", "--help"],
        &["app-server", "--help"],
        &["help", "plugin", "add"],
    ] {
        let ran = ran(args, NOBODY);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        assert!(
            ran.stdout.contains("Usage: plugd"),
            "{args:?}: {}",
            ran.stdout
        );
    }
    let version = ran(&["--version"], NOBODY);
    let expected = concat!("plugd ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((version.code, version.stdout.as_str()), (0, expected));
}

#[test]
fn a_person_without_a_command_gets_help() {
    let terminals = Terminals {
        stdin: true,
        ..NOBODY
    };
    let ran = ran(&[], terminals);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("Exit codes:"), "{}", ran.stdout);
}

#[test]
fn usage_errors_are_two_and_leave_stdout_alone() {
    for args in [
        &["plugin"] as &[_],
        &["plugin", "bogus"],
        &["bogus"],
        &["plugin", "list", "--bogus"],
        &["app-server", "--listen", "off"],
        &["app-server", "proxy"],
        &["app-server", "-c", "no-equals-sign"],
        &["plugin", "list", "-c", "no-equals-sign"],
    ] {
        let ran = ran(args, NOBODY);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{args:?}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_mistyped_command_is_no_server() {
    for args in [
        &["--json", "nope"] as &[_],
        &["--quiet", "pluign"],
        &["--json", "--quiet", "pluign", "list"],
    ] {
        let ran = ran(args, NOBODY);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn what_was_typed_is_escaped_when_it_comes_back() {
    for args in [
        &["plugin", "\u{1b}[2J"] as &[_],
        &["app-server", "\u{1b}[2J"],
    ] {
        let ran = ran(args, NOBODY);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("\\u{1b}[2J"), "{}", ran.stderr);
        assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    }
}

#[track_caller]
fn error(ran: &Ran) -> Value {
    assert_eq!(ran.stderr, "");
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    value["error"].clone()
}

#[test]
fn with_json_every_error_is_json_on_stdout() {
    for (args, expected) in [
        (
            &["plugin", "list", "--json", "--bogus"] as &[_],
            "arguments: unexpected argument '--bogus' found",
        ),
        (
            &["plugin", "add", "--json"],
            "arguments: the following required arguments were not provided: \
             <PLUGIN[@MARKETPLACE]>",
        ),
        (&["--json", "plugin"], "arguments: a command is missing"),
        (
            &["app-server", "--json", "--framing", "foo"],
            "arguments: `foo` is no framing: write `auto`, `lines` or `headers`",
        ),
        (
            &["--json", "nope"],
            "arguments: unrecognized subcommand 'nope'",
        ),
    ] {
        let usage = ran(args, NOBODY);
        assert_eq!(usage.code, 2, "{args:?}");
        let usage = error(&usage);
        assert_eq!(usage["data"]["kind"], json!("invalidInput"), "{args:?}");
        assert_eq!(usage["message"], json!(expected), "{args:?}");
    }

    for args in [
        &["plugin", "list", "--json"] as &[_],
        &["app-server", "--json"],
    ] {
        let home = ran(args, NOBODY);
        assert_eq!(home.code, 1);
        let home = error(&home);
        assert_eq!(
            home["message"],
            json!("home: CODEX_HOME `/nonexistent/ch` does not exist")
        );
    }
}

#[test]
fn a_home_that_does_not_exist_stops_commands_and_serving() {
    for args in [&["plugin", "list"] as &[_], &["app-server"], &[]] {
        let ran = ran(args, NOBODY);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{args:?}");
        assert_eq!(
            ran.stderr, "error: CODEX_HOME `/nonexistent/ch` does not exist\n",
            "{args:?}"
        );
    }
}

#[test]
fn warnings_of_serving_go_to_stderr() {
    let ran = ran(&["app-server", "--brand-\u{1b}new"], NOBODY);
    let first = ran.stderr.lines().next();
    assert_eq!(
        first,
        Some("warning: the switch `--brand-\\u{1b}new` is not known and ignored")
    );
}

#[track_caller]
fn check_broken(kind: io::ErrorKind, expected: u8) {
    let environment = environment(&["--version"], &[]);
    let code = run(
        &environment,
        &Disk::new(),
        &mut Output {
            stdout: &mut Broken(kind),
            stderr: &mut Broken(io::ErrorKind::BrokenPipe),
            terminals: NOBODY,
        },
    );
    assert_eq!(code, expected, "{kind}");
}

#[test]
fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is() {
    check_broken(io::ErrorKind::BrokenPipe, 0);
    check_broken(io::ErrorKind::StorageFull, 1);
}

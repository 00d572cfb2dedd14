use plugd_server::FramingChoice;
use pretty_assertions::assert_eq;

use super::{IDLE_SWITCHES, IDLE_VALUES, Invocation, Serving, default_log};
use crate::flags::Flags;

fn read(args: &str, stdin_is_terminal: bool) -> Invocation {
    let args: Vec<_> = args.split_whitespace().map(Into::into).collect();
    Invocation::of(&args, stdin_is_terminal)
}

#[track_caller]
fn serves(args: &str) -> Serving {
    match read(args, false) {
        Invocation::Serve(serving) => serving,
        other => panic!("{args}: {other:?}"),
    }
}

#[track_caller]
fn warns(args: &str, expected: &[&str]) {
    assert_eq!(serves(args).warnings, expected, "{args}");
}

#[track_caller]
fn refused(args: &str, expected: &str) {
    let expected = Invocation::Refused {
        reason: expected.to_owned(),
        json: args.contains("--json"),
    };
    assert_eq!(read(args, false), expected, "{args}");
}

#[test]
fn what_real_clients_start() {
    for args in [
        "",
        "app-server",
        "app-server --listen stdio://",
        "app-server --listen=stdio://",
        "app-server --stdio",
        "app-server --stdio --listen stdio://",
        "app-server --analytics-default-enabled",
        "--analytics-default-enabled app-server",
        "app-server -- ",
    ] {
        let expected = Serving {
            flags: Flags::default(),
            framing: FramingChoice::Auto,
            json: false,
            quiet: false,
            warnings: Vec::new(),
        };
        assert_eq!(serves(args), expected, "{args}");
    }
}

#[test]
fn flags_count_on_both_sides_of_the_command() {
    let args =
        "-c a=1 --enable x -cb=2 --config=c=3 app-server --disable=y -c=d=4 --enable z -p work";
    let expected = Flags {
        overrides: ["a=1", "b=2", "c=3", "d=4"].map(Into::into).to_vec(),
        enable: ["x", "z"].map(Into::into).to_vec(),
        disable: ["y"].map(Into::into).to_vec(),
        profile: Some("work".to_owned()),
    };
    assert_eq!(serves(args).flags, expected);
}

#[test]
fn quiet_is_known_everywhere() {
    for args in ["-q app-server --foo", "app-server --foo --quiet"] {
        let serving = serves(args);
        assert!(serving.quiet, "{args}");
        assert_eq!(
            serving.warnings,
            ["the switch `--foo` is not known and ignored"]
        );
    }
    let log = |args: &[&str]| default_log(&args.iter().map(Into::into).collect::<Vec<_>>());
    assert_eq!(log(&["gc"]), "warn");
    assert_eq!(log(&["gc", "-q"]), "error");
    assert_eq!(log(&["--quiet", "gc"]), "error");
}

#[test]
fn a_value_may_look_like_a_switch_or_a_command() {
    assert_eq!(serves("-c plugin app-server").flags.overrides, ["plugin"]);
    assert_eq!(serves("app-server -c --help").flags.overrides, ["--help"]);
}

#[test]
fn framings() {
    assert_eq!(
        serves("app-server --framing auto").framing,
        FramingChoice::Auto
    );
    assert_eq!(
        serves("app-server --framing=lines").framing,
        FramingChoice::Lines
    );
    assert_eq!(serves("--framing headers").framing, FramingChoice::Headers);
    refused(
        "app-server --framing lsp",
        "`lsp` is no framing: write `auto`, `lines` or `headers`",
    );
    refused(
        "app-server --json --framing lsp",
        "`lsp` is no framing: write `auto`, `lines` or `headers`",
    );
}

#[test]
fn json_is_a_switch_without_a_value() {
    for args in ["--json", "--json app-server", "app-server --json --stdio"] {
        let serving = serves(args);
        assert!(serving.json, "{args}");
        assert_eq!(serving.warnings, Vec::<String>::new(), "{args}");
    }
    refused(
        "app-server --json proxy",
        "unexpected argument `proxy` behind `app-server`",
    );
}

#[test]
fn a_mistyped_command_is_no_value_of_a_switch() {
    for args in [
        "--json nope",
        "--quiet pluign",
        "--quiet --json pluign list",
    ] {
        assert_eq!(read(args, false), Invocation::Command, "{args}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for url in ["unix://", "ws://127.0.0.1:1", "off", "stdio", ""] {
        let args = format!("app-server --listen={url}");
        match read(&args, false) {
            Invocation::Refused { reason, .. } => {
                assert!(
                    reason.starts_with(&format!("cannot listen on `{url}`")),
                    "{reason}"
                );
            }
            other => panic!("{url}: {other:?}"),
        }
    }
    refused("app-server -c", "`-c` needs a value");
    refused("app-server --listen", "`--listen` needs a value");
    refused(
        "app-server proxy",
        "unexpected argument `proxy` behind `app-server`",
    );
    refused(
        "app-server daemon",
        "unexpected argument `daemon` behind `app-server`",
    );
}

#[test]
fn switches_without_a_meaning_are_warnings() {
    warns(
        "app-server --strict-config",
        &["the switch `--strict-config` has no effect here"],
    );
    warns(
        "-m work app-server --ws-token-sha256 ab --code-mode-host=x",
        &[
            "the switch `-m` has no effect here",
            "the switch `--ws-token-sha256` has no effect here",
            "the switch `--code-mode-host` has no effect here",
        ],
    );
    for name in IDLE_SWITCHES {
        let expected = format!("the switch `{name}` has no effect here");
        warns(&format!("{name} app-server"), &[&expected]);
    }
    for name in IDLE_VALUES {
        let expected = format!("the switch `{name}` has no effect here");
        warns(&format!("{name} plugin app-server"), &[&expected]);
    }
}

#[test]
fn unknown_switches_are_warnings_with_or_without_a_value() {
    let warning: &[&str] = &["the switch `--brand-new` is not known and ignored"];
    for args in [
        "app-server --brand-new",
        "app-server --brand-new value",
        "app-server --brand-new=value",
        "--brand-new app-server",
        "--brand-new value app-server",
        "--brand-new",
        "app-server --brand-new --stdio",
    ] {
        warns(args, warning);
    }
    warns(
        "app-server -ü -xyz",
        &[
            "the switch `-ü` is not known and ignored",
            "the switch `-x` is not known and ignored",
        ],
    );
}

#[test]
fn everything_else_is_for_the_full_parser() {
    for args in [
        "plugin list",
        "-c a=1 plugin list",
        "--enable app-server plugin list",
        "schema generate --out x",
        "help",
        "nonsense",
        "--help",
        "--version",
        "-V",
        "app-server --help",
        "app-server -h",
        "app-server generate-ts --out x",
        "app-server generate-json-schema --out x",
        "app-server --brand-new generate-ts",
        "app-server help",
    ] {
        assert_eq!(read(args, false), Invocation::Command, "{args}");
    }
}

#[test]
fn a_person_without_a_command_gets_help_and_no_server() {
    assert_eq!(read("", true), Invocation::Command);
    assert_eq!(read("-c a=1", true), Invocation::Command);
    assert!(matches!(read("app-server", true), Invocation::Serve(_)));
}

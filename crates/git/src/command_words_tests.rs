use pretty_assertions::assert_eq;

use super::{Context, Received, Words, is_login_refused, trouble};
use crate::Address;
use crate::failure::{Failure, Trouble};

#[track_caller]
fn check_heard(parts: &[&str], numbers: &[(u64, u64, u64)], kept: &str) {
    let mut words = Words::default();
    let mut found = Vec::new();
    for part in parts {
        words.hear(
            part.as_bytes(),
            |Received {
                 objects,
                 total,
                 bytes,
             }| {
                found.push((objects, total, bytes));
            },
        );
    }
    assert_eq!(found, numbers);
    assert_eq!(words.end(), kept);
}

#[test]
fn counting_is_heard_and_not_kept() {
    check_heard(
        &[
            "remote: Counting objects:  20% (1/5)\rremote: Total 5 (delta 0)\n",
            "Receiving objects:  40% (2/",
            "5)\rReceiving objects: 100% (5/5), 1.50 KiB | 3.00 MiB/s, done.\n",
            "Resolving deltas:  50% (1/2)\r",
            "fatal: oh",
        ],
        &[(2, 5, 0), (5, 5, 1536)],
        "fatal: oh\n",
    );
    let units = "Receiving objects: 1% (1/9), 7 bytes | 1\rReceiving objects: 1% (1/9), 2.25 GiB\r\
        Receiving objects: 1% (1/9), 3 XiB\rReceiving objects: x\n";
    check_heard(
        &[units],
        &[(1, 9, 7), (1, 9, 2 * (1 << 30) + (1 << 28)), (1, 9, 0)],
        "Receiving objects: x\n",
    );
}

#[test]
fn traces_and_general_advice_are_not_kept() {
    check_heard(
        &[
            "04:05:06.123456 http.c:1 <= Recv data: x\nfatal: a\n\nPlease make sure you have the \
           correct access rights\nand the repository exists.\n",
        ],
        &[],
        "fatal: a\n",
    );
}

#[test]
fn a_trace_tells_which_helper_git_waits_for() {
    let mut words = Words::default();
    let mut hear = |line: &str, expected: Option<&str>| {
        words.hear(format!("03:01:50.510001 {line}\n").as_bytes(), |_| {});
        assert_eq!(words.asks(), expected, "{line}");
    };
    hear(
        "run-command.c:666   trace: run_command: git-remote-http http://h/x http://h/x",
        None,
    );
    hear(
        "run-command.c:666   trace: run_command: '/opt/helper --key=hidden get'",
        Some("/opt/helper"),
    );
    hear(
        "run-command.c:758   trace: start_command: /bin/sh -c '/opt/helper get'",
        Some("/opt/helper"),
    );
    hear(
        "run-command.c:666   trace: run_command: 'git credential-store get'",
        Some("store"),
    );
    hear("http.c:848          => Send header: GET /x HTTP/1.1", None);
    hear(
        "run-command.c:666   trace: run_command: 'git credential-store store'",
        Some("store"),
    );
    assert_eq!(words.end(), "");
}

#[test]
fn endless_words_end() {
    let mut words = Words::default();
    words.hear(&vec![b'x'; 100_000], |_| {});
    words.hear(b"\n", |_| {});
    for number in 0..5000 {
        words.hear(format!("line {number}\n").as_bytes(), |_| {});
    }
    let kept = words.end();
    assert!(kept.len() <= super::MAX_WORDS && kept.ends_with("line 4999\n"));
}

#[track_caller]
fn check(words: &str, receiving: bool, expected: &str) {
    let address = Address::parse("https://me:hunter2@h/r").unwrap();
    let secrets = address.secrets();
    let context = Context {
        address: &address,
        secrets: &secrets,
        receiving,
        has_agent: true,
    };
    let found = match trouble(words, context) {
        Trouble::Damaged(reason) => format!("damaged: {reason}"),
        Trouble::Failed(failure) => {
            let kind = match failure {
                Failure::Unreachable { .. } => "unreachable",
                Failure::ServerFault { .. } => "fault",
                Failure::Refused { .. } => "refused",
                Failure::RepositoryMissing { .. } => "missing",
                Failure::Git { .. } => "git",
                Failure::DiskFull { .. } => "full",
                _ => "another",
            };
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
            format!("{kind}: {failure}")
        }
    };
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn a_full_disk_of_this_machine_is_no_damage() {
    let full = "fatal: write error: No space left on device\nfatal: index-pack failed\n";
    check(full, true, "full");
    check(
        "error: unable to write file: Disk quota exceeded\n",
        true,
        "full",
    );
    check(
        "remote: fatal: No space left on device\nfatal: early EOF\n",
        true,
        "unreachable",
    );
}

#[test]
fn words_become_the_failures_that_libgit2_has_for_the_same() {
    let none = "fatal: unable to access 'https://h/r/': ";
    check(
        "remote: nope\nfatal: repository 'https://h/r/' not found\n",
        false,
        "missing",
    );
    check(
        &format!("{none}The requested URL returned error: 404"),
        false,
        "missing",
    );
    check(
        &format!("{none}The requested URL returned error: 403"),
        false,
        "refused",
    );
    check(
        &format!("{none}The requested URL returned error: 503"),
        false,
        "fault: `h` answered with status 503",
    );
    check(
        &format!("{none}Could not resolve host: h"),
        false,
        "unreachable",
    );
    check(
        &format!("{none}Failed to connect to h port 1"),
        false,
        "unreachable",
    );
    check(
        &format!("{none}server certificate verification failed. CAfile: none"),
        false,
        "unreachable",
    );
    check(
        "fatal: https://h/r/info/refs not valid: is this a git repository?",
        false,
        "refused",
    );
    check("fatal: transport 'ext' not allowed", false, "refused");
    check(
        "fatal: remote error: upload-pack: not our ref 1111",
        true,
        "refused",
    );
    check(
        "error: RPC failed; curl 18 transfer closed\nfatal: early EOF",
        true,
        "unreachable",
    );
    check("fatal: bad config line 1 in file config", true, "damaged");
    check("error: inflate: data stream error", true, "damaged");
    check("error: unknown option `stdin'", false, "git: ");
    check("", false, "git: git cannot go on: git ended without a word");
    check(
        "fatal: weird hunter2",
        false,
        "git: git cannot go on: weird ***",
    );
}

#[test]
fn a_refused_login_is_recognised() {
    assert!(is_login_refused(
        "fatal: Authentication failed for 'https://h/r/'"
    ));
    assert!(is_login_refused(
        "fatal: could not read Username for 'https://h': terminal prompts disabled"
    ));
    assert!(is_login_refused("fatal: unable to get password from user"));
    assert!(!is_login_refused(
        "fatal: repository 'https://h/r/' not found"
    ));
}

//! Proves the completions and the man pages: the shell that is there takes them.

use std::process::{Command, Stdio};

use plugd_testkit::{Sandbox, skip};
use pretty_assertions::assert_eq;

use crate::fixtures::cli;

/// Runs a program of this machine with a script on stdin; nothing where there is no such program.
#[expect(
    clippy::disallowed_methods,
    reason = "a shell of this machine is what is asked"
)]
fn asked(program: &str, args: &[&str], script: &str) -> Option<(bool, String)> {
    use std::io::Write;
    let started = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        skip(program, "there is no such program");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let text = script.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that has seen enough may be gone.
        let _ = input.write_all(text.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Some((output.status.success(), said))
}

fn completions(shell: &str) -> String {
    let sandbox = Sandbox::new();
    let output = cli(&sandbox, &["completions", shell]);
    output.success().to_owned()
}

#[test]
fn shells_take_their_completions() {
    for (shell, args) in [
        ("bash", vec!["-n"]),
        ("zsh", vec!["-n"]),
        ("fish", vec!["--no-execute"]),
    ] {
        let script = completions(shell);
        if let Some((good, said)) = asked(shell, &args, &script) {
            assert!(good, "{shell}: {said}");
        }
    }
    assert!(completions("powershell").contains("Register-ArgumentCompleter"));
    assert!(completions("elvish").contains("edit:completion"));
}

#[test]
fn bash_completes_commands_and_switches() {
    let script = completions("bash");
    let ask = |words: &str, at: usize| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words})\nCOMP_CWORD={at}\n\
             _plugd plugd \"${{COMP_WORDS[$at]}}\" \"${{COMP_WORDS[$at-1]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let ask = ask.replace("$at", &at.to_string());
        asked("bash", &["--noprofile", "--norc"], &ask)
    };
    if let Some((good, said)) = ask("plugd marketp", 1) {
        assert!(good, "{said}");
        assert_eq!(said.trim(), "marketplace");
    }
    for (line, at, expected) in [
        ("plugd gc --dry", 2, "--dry-run"),
        ("plugd man pl", 2, "plugin"),
        ("plugd man plugin sha", 3, "share"),
        ("plugd plugin share save --vi", 4, "--visibility"),
        ("plugd app-server --framing head", 3, "headers"),
        ("plugd app-server --fr", 2, "--framing"),
    ] {
        if let Some((_, said)) = ask(line, at) {
            assert_eq!(said.trim(), expected, "{line}");
        }
    }
}

/// What fish offers behind a line.
fn in_fish(line: &str) -> Option<Vec<String>> {
    let script = completions("fish");
    let ask = format!("{script}\ncomplete -C '{line}'\n");
    let (good, said) = asked("fish", &["--no-config"], &ask)?;
    assert!(good, "{line}: {said}");
    let words = said.lines().filter_map(|line| line.split('\t').next());
    Some(words.map(str::to_owned).collect())
}

#[test]
fn fish_completes_at_every_depth() {
    for (line, expected) in [
        ("plugd market", vec!["marketplace"]),
        ("plugd plugin share sa", vec!["save"]),
        ("plugd plugin share save --v", vec!["--visibility"]),
        (
            "plugd plugin share save --visibility ",
            vec!["private", "unlisted"],
        ),
        ("plugd plugin marketplace add --r", vec!["--ref"]),
        ("plugd -c plugin gc --dry", vec!["--dry-run"]),
        ("plugd completions z", vec!["zsh"]),
        ("plugd man p", vec!["plugin"]),
        ("plugd man plugin sh", vec!["share"]),
        ("plugd man plugin share ch", vec!["checkout"]),
        (
            "plugd app-server --framing ",
            vec!["auto", "headers", "lines"],
        ),
    ] {
        if let Some(mut words) = in_fish(line) {
            words.sort();
            assert_eq!(words, expected, "{line}");
        }
    }
}

#[test]
fn man_pages_can_be_formatted() {
    let sandbox = Sandbox::new();
    for command in [vec![], vec!["plugin", "add"], vec!["doctor"]] {
        let output = cli(&sandbox, &[&["man"], command.as_slice()].concat());
        let page = output.success();
        assert!(page.contains(".SH NAME"), "{page}");
        let groff = asked("groff", &["-man", "-Tutf8", "-ww"], page);
        if let Some((good, text)) = groff {
            assert!(good && text.contains("plugd"), "{command:?}: {text}");
        }
    }
    let output = cli(&sandbox, &["man", "plugin", "bogus"]);
    assert_eq!(output.code(), 2, "{output}");
    assert!(
        output
            .stderr
            .starts_with("error: `plugd plugin bogus` is no command\n"),
        "{output}"
    );
}

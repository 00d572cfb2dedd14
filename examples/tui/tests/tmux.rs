//! The program on a terminal of 80 by 24 in tmux, against the real daemon: list, search, install,
//! done, and a terminal that is as it was before.
//!
//! Skipped where there is no tmux. The daemon is `target/<profile>/plugd` beside the program, or
//! what `PLUGD` names.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts the programs that it tests"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plugd_testkit::{Sandbox, run_cli, skip, test_environment};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plugd-tui");
const DEADLINE: Duration = Duration::from_secs(30);

const MARKET: &str = r#"
== ch/config.toml
[marketplaces.sample]
source_type = "local"
source = "$ROOT/market"
== market/.agents/plugins/marketplace.json
{"name": "sample", "interface": {"displayName": "Sample"}, "plugins": [
  {"name": "glossary", "source": "./glossary"}, {"name": "notes", "source": "./notes"}
]}
== market/glossary/.codex-plugin/plugin.json
{"name": "glossary", "version": "0.3.0", "description": "Explains the words of this house"}
== market/notes/.codex-plugin/plugin.json
{"name": "notes", "version": "1.0.0", "description": "Writes notes",
 "interface": {"displayName": "Release notes", "developerName": "Ada"}}
== market/notes/hooks/hooks.json
{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "./greet.sh"}]}]}}
== market/notes/greet.sh (mode 755)
#!/bin/sh
echo hello
"#;

/// Starts the program under its own number, and shows what it leaves behind of the terminal.
const SHELL: &str = r#"
== shell (mode 755)
#!/bin/sh
sh -c 'echo $$ >"$0"; exec "$1" "$2"' "${0%/*}/number" "$1" "$2"
echo "ended with $?"
stty -a | grep -o -e '-*icanon' -e '-*isig'
exec cat
"#;

struct Screen {
    sandbox: Sandbox,
}

impl Screen {
    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.sandbox.path("tmux.sock").as_path())
            .args(["-f", "/dev/null", "-u"])
            .args(arguments)
            .current_dir(self.sandbox.cwd().as_path())
            .env_remove("TMUX")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the program under a shell, which shows what the program leaves behind.
    fn start(fixture: &str, daemon: &Path) -> Self {
        let screen = Self {
            sandbox: Sandbox::from(fixture),
        };
        let mut shell = String::from("exec env -i");
        for (name, value) in test_environment(&screen.sandbox).vars {
            let (name, value) = (name.to_str().unwrap(), value.to_str().unwrap());
            shell.push_str(&format!(" '{name}={value}'"));
        }
        screen.sandbox.add(SHELL);
        let script = screen.sandbox.path("shell");
        let daemon = daemon.display();
        shell.push_str(&format!(
            " TERM=screen-256color '{script}' '{PROGRAM}' '{daemon}'"
        ));
        screen.tmux(&["new-session", "-d", "-x", "80", "-y", "24", &shell]);
        screen
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn seen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits for the end, and looks at what is left: the shell's screen, and a terminal with lines
    /// and keys for signals.
    #[track_caller]
    fn left_in_order(&self) {
        let after = self.wait(&["ended with 0", "icanon", "isig"]);
        let lines: Vec<&str> = after.lines().collect();
        assert!(
            lines.contains(&"icanon") && lines.contains(&"isig"),
            "{after}"
        );
        assert!(!after.contains("Marketplaces"), "{after}");
    }

    /// Waits until all of this is on the screen.
    #[track_caller]
    fn wait(&self, wanted: &[&str]) -> String {
        let began = Instant::now();
        loop {
            let seen = self.seen();
            if wanted.iter().all(|one| seen.contains(one)) {
                return seen;
            }
            assert!(
                began.elapsed() < DEADLINE,
                "waited for {wanted:?} and saw\n{seen}"
            );
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn daemon() -> PathBuf {
    let daemon = match std::env::var_os("PLUGD") {
        Some(named) => named.into(),
        None => Path::new(PROGRAM).with_file_name("plugd"),
    };
    assert!(
        daemon.exists(),
        "{} is not there: cargo build --bin plugd, or name one in PLUGD",
        daemon.display()
    );
    daemon
}

#[test]
fn list_search_install_done() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return skip("plugd-tui", "there is no tmux");
    }
    let screen = Screen::start(MARKET, &daemon());
    let list = screen.wait(&["Explains the words"]);
    insta::assert_snapshot!("list", list);

    screen.keys(&["/", "n", "o", "t", "e"]);
    let search = screen.wait(&["Found 1", "Writes notes", "/note_"]);
    insta::assert_snapshot!("search", search);

    screen.keys(&["Enter"]);
    screen.wait(&["Esc ends the search"]);
    screen.keys(&["Enter"]);
    let read = screen.wait(&["./greet.sh", "Content"]);
    insta::assert_snapshot!("read", read);

    // A neighbour holds the store, so the installation stands still and can be looked at.
    let locks = screen.sandbox.path("ch/plugins/.plugd/locks");
    std::fs::create_dir_all(locks.as_path()).unwrap();
    let lock = std::fs::File::create(locks.join("store").as_path()).unwrap();
    lock.lock().unwrap();
    screen.keys(&["i"]);
    let install = screen.wait(&["Installing notes@sample", "waiting"]);
    insta::assert_snapshot!("install", install);
    drop(lock);
    screen.wait(&["installed notes@sample 1.0.0", "1.0.0 installed"]);
    screen.keys(&["Escape"]);
    screen.wait(&["[Found 1]"]);
    screen.keys(&["Escape"]);
    let done = screen.wait(&["[Plugins]", "2 plugins, 1 installed", "Explains the words"]);
    insta::assert_snapshot!("done", done);

    // Another program installs, and the list follows without a key.
    let added = run_cli(
        daemon(),
        &["plugin", "add", "glossary@sample"],
        &screen.sandbox,
    );
    assert!(added.status.success(), "{}", added.stderr);
    screen.wait(&["2 plugins, 2 installed"]);

    screen.keys(&["q"]);
    screen.left_in_order();
}

/// The version before comes back, stays there, and an update says why it does.
#[test]
fn roll_back_and_stay() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return skip("plugd-tui", "there is no tmux");
    }
    let screen = Screen::start(MARKET, &daemon());
    screen.wait(&["Explains the words"]);
    screen.keys(&["i"]);
    screen.wait(&["installed glossary@sample 0.3.0", "0.3.0 installed"]);
    screen.sandbox.add(
        "== market/glossary/.codex-plugin/plugin.json\n\
         {\"name\": \"glossary\", \"version\": \"0.4.0\"}\n",
    );
    // The refresh behind a listing brings it.
    screen.keys(&["r"]);
    screen.wait(&["0.4.0 installed"]);
    screen.keys(&["b"]);
    screen.wait(&["Go back to the version of glossary@sample"]);
    screen.keys(&["y"]);
    screen.wait(&["glossary@sample is back at 0.3.0", "0.3.0 installed"]);
    screen.keys(&["U"]);
    screen.wait(&["glossary@sample is pinned to 0.3.0; there is 0.4.0"]);
    screen.keys(&["q"]);
    screen.left_in_order();
}

#[test]
fn a_signal_leaves_the_terminal_in_order() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return skip("plugd-tui", "there is no tmux");
    }
    for signal in ["INT", "QUIT", "TERM", "HUP"] {
        let screen = Screen::start(MARKET, &daemon());
        screen.wait(&["Explains the words"]);
        let number = std::fs::read_to_string(screen.sandbox.path("number").as_path()).unwrap();
        let kill = Command::new("kill")
            .args(["-s", signal, number.trim()])
            .status()
            .unwrap();
        assert!(kill.success(), "{signal}");
        screen.left_in_order();
    }
}

#[test]
fn the_program_tells_how_it_is_called() {
    let called = |argument: &str| Command::new(PROGRAM).arg(argument).output().unwrap();
    let help = called("--help");
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .starts_with("usage: plugd-tui")
    );
    assert_eq!(called("--nonsense").status.code(), Some(2));
}

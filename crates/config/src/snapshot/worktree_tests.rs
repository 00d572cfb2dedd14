//! What a linked worktree has of its main checkout: trust, and hooks.

use std::sync::Arc;

use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use super::tests::{layers, problems, read};
use super::{Snapshot, load};
use crate::{HookPlace, SessionFlags};

const WORKTREE: &str = r#"
== main/.git/HEAD
x
== main/.git/worktrees/w/commondir
../..
== main/.git/worktrees/w/gitdir
$ROOT/w/.git
== w/.git
gitdir: $ROOT/main/.git/worktrees/w
== w/.codex/config.toml
a = 1
"#;

fn with(files: &str) -> Sandbox {
    Sandbox::from(&format!("{WORKTREE}{files}"))
}

fn flag(directory: &str, level: &str) -> String {
    format!("projects.\"$ROOT/{directory}\".trust_level={level}")
}

/// The snapshot from a directory with these directories as trusted or untrusted.
fn seen(sandbox: &Sandbox, projects: &[(&str, &str)], cwd: &str) -> Arc<Snapshot> {
    let flags: Vec<_> = projects.iter().map(|(at, level)| flag(at, level)).collect();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    read(sandbox, &flags, Some(cwd))
}

/// The layers of projects, and the directories that the reasons against them name.
fn projects(sandbox: &Sandbox, snapshot: &Snapshot) -> Vec<String> {
    let root = format!("{}/", sandbox.root());
    let rows = layers(snapshot).into_iter().zip(snapshot.layers());
    let rows = rows.filter(|(row, _)| row.trim_start_matches('(').starts_with("project "));
    let rows = rows.map(|(row, layer)| match &layer.disabled_reason {
        Some(reason) => {
            let named = reason.split('`').nth(1).unwrap();
            format!("{row} {}", named.replace(&root, ""))
        }
        None => row,
    });
    rows.collect()
}

#[test]
fn the_trust_of_the_main_checkout_counts_in_a_worktree() {
    let sandbox = with("== w/sub/.codex/config.toml\nb = 2\n");
    let check = |trust: &[(&str, &str)], expected: [&str; 2]| {
        let snapshot = seen(&sandbox, trust, "w/sub/deep");
        assert_eq!(projects(&sandbox, &snapshot), expected, "{trust:?}");
    };
    let (main, sub) = ("project w {\"a\":1}", "project sub {\"b\":2}");
    let off = ["(project w {\"a\":1}) main", "(project sub {\"b\":2}) main"];
    check(&[("main", "trusted")], [main, sub]);
    check(&[("w", "trusted")], [main, sub]);
    check(&[("w", "trusted"), ("main", "untrusted")], [main, sub]);
    check(&[], off);
    check(&[("main", "untrusted")], off);
    check(&[("main/sub", "trusted")], off);
    check(&[("w/sub", "trusted")], [off[0], sub]);
    let refused = ["(project w {\"a\":1}) w", "(project sub {\"b\":2}) w"];
    check(&[("main", "trusted"), ("w", "untrusted")], refused);
    let refused = [main, "(project sub {\"b\":2}) w/sub"];
    check(&[("main", "trusted"), ("w/sub", "untrusted")], refused);
}

#[test]
fn a_worktree_in_its_main_checkout_is_one() {
    let sandbox = with("== main/in/.codex/config.toml\nb = 2\n");
    let own = "main/.git/worktrees/in";
    for (file, text) in [
        (format!("{own}/commondir"), "../.."),
        (format!("{own}/gitdir"), "$ROOT/main/in/.git"),
        ("main/in/.git".to_owned(), "gitdir: ../.git/worktrees/in"),
    ] {
        sandbox.write(&file, sandbox.expand(text));
    }
    let check = |trust: &[(&str, &str)], expected: &str| {
        let snapshot = seen(&sandbox, trust, "main/in");
        assert_eq!(projects(&sandbox, &snapshot), [expected], "{trust:?}");
    };
    check(&[("main", "trusted")], "project in {\"b\":2}");
    check(&[], "(project in {\"b\":2}) main");
    let refused = "(project in {\"b\":2}) main/in";
    check(&[("main", "trusted"), ("main/in", "untrusted")], refused);
}

#[test]
fn nobody_makes_himself_a_worktree_of_a_trusted_project() {
    let sandbox = with("== evil/.codex/config.toml\nc = 3\n");
    let pointer = sandbox.bytes("w/.git");
    sandbox.write("evil/.git", pointer);
    let snapshot = seen(&sandbox, &[("main", "trusted")], "evil");
    let expected = ["(project evil {\"c\":3}) evil"];
    assert_eq!(projects(&sandbox, &snapshot), expected);
}

#[test]
fn other_markers_leave_the_repository_what_it_is() {
    let files = "== main/s/.mark\n== main/s/.codex/config.toml\nb = 2\n== w/s/.mark\n\
                 == w/s/.codex/config.toml\nb = 2\n== around\n== .codex/config.toml\nc = 3\n";
    let sandbox = with(files);
    let at = |markers: &str, trust: &[(&str, &str)], cwd: &str| {
        let mut flags: Vec<_> = trust.iter().map(|(at, level)| flag(at, level)).collect();
        flags.push(format!("project_root_markers=[\"{markers}\"]"));
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        projects(&sandbox, &read(&sandbox, &flags, Some(cwd)))
    };
    for cwd in ["main/s", "w/s"] {
        let trusted = at(".mark", &[("main", "trusted")], cwd);
        assert_eq!(trusted, ["project s {\"b\":2}"], "{cwd}");
        assert_eq!(at(".mark", &[], cwd), ["(project s {\"b\":2}) main"]);
    }
    // A repository says nothing about what lies around it.
    let rows = at("around", &[("main", "trusted")], "w");
    assert!(rows[0].starts_with("(project ") && rows[0].ends_with(&sandbox.root().to_text()));
    assert_eq!(rows[1..], ["project w {\"a\":1}"]);
}

#[test]
fn the_hooks_of_a_worktree_are_those_of_its_main_checkout() {
    let files = "== main/.codex/config.toml\nz = 9\n[hooks]\nof = \"main\"\n\
                 == w/sub/.codex/config.toml\nb = 2\n[hooks]\nof = \"w\"\n";
    let sandbox = with(files);
    let snapshot = seen(&sandbox, &[("main", "trusted")], "w/sub");
    let expected = [
        "project w {\"a\":1,\"hooks\":{\"of\":\"main\"}}",
        "project sub {\"b\":2}",
    ];
    assert_eq!(projects(&sandbox, &snapshot), expected);
    let of = |index: usize| {
        let layer = &snapshot.layers()[index];
        (layer.hooks.clone(), layer.hooks_file())
    };
    for (index, folder) in [(2, "main/.codex"), (3, "main/sub/.codex")] {
        let folder = sandbox.path(folder);
        let file = folder.join("config.toml");
        assert_eq!(of(index), (HookPlace::Main(folder), Some(file)));
    }
    // Where the worktree has no directory of its own, there is no layer that could have any.
    let sandbox = with("== main/sub/.codex/config.toml\n[hooks]\nof = \"main\"\n");
    let snapshot = seen(&sandbox, &[("main", "trusted")], "w/sub");
    assert_eq!(projects(&sandbox, &snapshot), ["project w {\"a\":1}"]);
    let snapshot = seen(&sandbox, &[("main", "trusted")], "main/sub");
    assert_eq!(snapshot.layers()[2].hooks, HookPlace::Own);
}

#[test]
fn no_hooks_come_from_where_the_main_checkout_is_marked_as_untrusted() {
    let files = "== main/.codex/config.toml\n[hooks]\nof = \"main\"\n\
                 == main/sub/.codex/config.toml\n[hooks]\nof = \"main/sub\"\n\
                 == w/sub/.codex/config.toml\nb = 2\n[hooks]\nof = \"w/sub\"\n";
    let sandbox = with(files);
    let hooks = |trust: &[(&str, &str)]| {
        let snapshot = seen(&sandbox, trust, "w/sub");
        let layers = &snapshot.layers()[2..4];
        let both: Vec<_> = layers
            .iter()
            .map(|layer| layer.at(&["hooks", "of"]))
            .collect();
        assert!(layers.iter().all(|layer| layer.disabled_reason.is_none()));
        (both[0].clone(), both[1].clone())
    };
    let (main, sub) = (Some("main".into()), Some("main/sub".into()));
    assert_eq!(hooks(&[("main", "trusted")]), (main.clone(), sub.clone()));
    assert_eq!(hooks(&[("w", "trusted")]), (main.clone(), sub.clone()));
    let refused = hooks(&[("main", "trusted"), ("main/sub", "untrusted")]);
    assert_eq!(refused, (main, None));
    let refused = hooks(&[("w", "trusted"), ("main", "untrusted")]);
    assert_eq!(refused, (None, None));
    let trust = [
        ("w", "trusted"),
        ("main", "untrusted"),
        ("main/sub", "trusted"),
    ];
    assert_eq!(hooks(&trust), (None, sub));
}

#[test]
fn what_is_wrong_with_the_hooks_is_told_of_the_main_checkout() {
    let sandbox = with("== main/.codex/config.toml\na = 1\nb =\n");
    let trust = [("main", "trusted")];
    let snapshot = seen(&sandbox, &trust, "w");
    assert_eq!(snapshot.effective()["a"], 1);
    let told = ["config /main/.codex/config.toml:2:4"];
    assert_eq!(problems(&sandbox, &snapshot), told);
    assert!(snapshot.is_broken() && snapshot.project_problems().count() == 1);
    assert!(problems(&sandbox, &seen(&sandbox, &[], "w")).is_empty());

    sandbox.write(
        "main/.codex/config.toml",
        "[hooks.state.x]\nenabled = false\n",
    );
    let snapshot = seen(&sandbox, &trust, "w");
    let told = ["unknownField /main/.codex/config.toml hooks.state"];
    assert_eq!(problems(&sandbox, &snapshot), told);
}

#[test]
fn only_what_has_a_configuration_is_asked_for_its_repository() {
    let sandbox =
        with("== main/.codex/config.toml\n== w/.codex/\n== plain/.git\njunk\n== plain/a/\n");
    let operations = |cwd: &str| {
        let probe = RecordingProbe::new();
        let cwd = sandbox.path(cwd);
        let _snapshot = load(
            &probe.disk(),
            &sandbox.layout(),
            &SessionFlags::none(),
            Some(&cwd),
        );
        let paths = probe.operations().into_iter().map(|one| one.path);
        let all: Vec<_> = paths.map(|path| path.to_text()).collect();
        all.iter().filter(|path| path.contains("/.git")).count()
    };
    // The marks above each directory, down to the one that has it.
    assert_eq!(operations("main"), 2);
    assert_eq!(operations("plain"), 1);
    // Its file is looked at without following links, read, and compared with what it leads to.
    assert_eq!(operations("w"), 10);
    sandbox.remove("w/.codex");
    assert_eq!(operations("w"), 1);
}

use plugd_disk::tree::{AtEase, Limits, TreePlan, file_digests};
use plugd_model::HooksDeclaration;
use pretty_assertions::assert_eq;

use super::tests::{look, mark, skill};
use super::{Changes, Difference, InspectedFiles, InspectionLimits};
use crate::fixture::Plugin;

fn compare(before: &Plugin, after: &Plugin) -> Difference {
    let limits = InspectionLimits::DEFAULT;
    let files = |plugin: &Plugin| {
        let (disk, root) = (&plugin.disk, plugin.root());
        let plan = TreePlan::scan(disk, &root, &Limits::INSTALL, &[], &AtEase).unwrap();
        let digests = file_digests(disk, &plan, &AtEase).unwrap();
        InspectedFiles::of(&plan, &digests, |path| path != "left-out")
    };
    let files = (&files(before), &files(after));
    look(before, &limits).difference(&look(after, &limits), Some(files))
}

#[test]
fn nothing_differs_from_itself() {
    let plugin = || {
        Plugin::new()
            .file("skills/s/SKILL.md", skill("x"))
            .file("a.sh", "#!/bin/sh")
    };
    assert!(compare(&plugin(), &plugin()).is_empty());
}

#[test]
fn what_a_new_version_brings() {
    let hooks = |command: &str| {
        let text = format!(
            r#"{{"hooks": {{"Stop": [{{"hooks": [{{"type": "command", "command": "{command}"}}]}}]}}}}"#
        );
        HooksDeclaration::Inline(vec![text])
    };
    let before = Plugin::new()
        .file(
            ".mcp.json",
            r#"{"same": {"command": "x"}, "other": {"command": "x"}, "gone": {"command": "x"}}"#,
        )
        .file("skills/s/SKILL.md", skill("x"))
        .file("run.sh", "#!/bin/sh\n")
        .with(|manifest| manifest.hooks = hooks("old"));
    let after = Plugin::new()
        .file(".mcp.json", r#"{"same": {"command": "x"}, "other": {"command": "y $A"}, "new": {"url": "https://${B}"}}"#)
        .file("skills/s/SKILL.md", skill("x\u{202e}"))
        .file("run.sh", "#!/bin/sh\necho $KEY")
        .file("LICENSE", "")
        .with(|manifest| manifest.hooks = hooks("new"));
    let found = compare(&before, &after);
    let names = |rows: &[(String, String)]| -> Vec<String> {
        rows.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&found.changes.mcp_servers.added), ["new"]);
    assert_eq!(names(&found.changes.mcp_servers.removed), ["gone"]);
    assert_eq!(found.changes.mcp_servers.changed.len(), 1);
    assert_eq!(
        found.changes.mcp_servers.changed[0].from,
        r#"x {"command": "x"}"#
    );
    assert_eq!(
        found.changes.mcp_servers.changed[0].to,
        r#"y $A {"command": "y $A"}"#
    );
    let hook = &found.changes.hooks.changed[0];
    assert_eq!(hook.name, "p@m:plugin.json#hooks[0]:stop:0:0");
    assert_eq!(hook.from, "Stop *: old, timeout 600");
    assert_eq!(hook.to, "Stop *: new, timeout 600");
    assert_eq!(found.changes.executables.changed[0].name, "run.sh");
    assert_eq!(names(&found.changes.environment.added), ["B", "KEY"]);
    assert_eq!(found.changes.texts.changed[0].name, "skills/s/SKILL.md");
    assert_eq!(
        names(&found.changes.hidden.added),
        ["skills/s/SKILL.md U+202E bidirectional"]
    );
    assert_eq!(names(&found.changes.licences.added), ["LICENSE"]);
    assert!(found.changes.oddities.is_empty() && found.changes.apps.is_empty());
    assert_eq!(found.changes.other_files.changed[0].name, ".mcp.json");
    assert_eq!(found.files, (3, 4));
    assert!(!found.is_empty());
}

/// Every member of a hook that its trust covers, and the command on Windows.
#[test]
fn a_hook_differs_in_every_member() {
    let plugin = |event: &str, group: &str, handler: &str| {
        let hooks =
            format!(r#"{{"hooks": {{"{event}": [{{{group} "hooks": [{{{handler}}}]}}]}}}}"#);
        Plugin::new().file("hooks/hooks.json", hooks)
    };
    let check = |handler: &str, changed: &str| {
        let event = "PreToolUse";
        let found = compare(&plugin(event, "", handler), &plugin(event, "", changed));
        let (from, to) = match found.changes.hooks.changed.as_slice() {
            [one] => (&one.from, &one.to),
            other => panic!("{other:?}"),
        };
        assert_ne!(from, to, "{changed}");
        assert!(found.changes.hooks.added.is_empty() && found.changes.hooks.removed.is_empty());
    };
    let command = r#""type": "command", "command": "x""#;
    for more in [
        r#", "timeout": 7"#,
        r#", "async": true"#,
        r#", "statusMessage": "s""#,
        r#", "commandWindows": "w""#,
        r#", "additionalContextLimit": 7"#,
    ] {
        check(command, &format!("{command}{more}"));
    }
    let tool = r#""type": "mcp_tool", "server": "s", "tool": "t""#;
    for more in [
        r#", "timeout": 7"#,
        r#", "statusMessage": "s""#,
        r#", "input": {"a": 1}"#,
    ] {
        check(tool, &format!("{tool}{more}"));
    }
    let (all, some) = ("", r#""matcher": "Bash","#);
    let found = compare(
        &plugin("PreToolUse", all, command),
        &plugin("PreToolUse", some, command),
    );
    assert_eq!(found.changes.hooks.changed.len(), 1);
}

#[test]
fn every_other_file_is_told_once() {
    let plain = |content: &str| {
        Plugin::new()
            .file("LICENSE", content)
            .file("data/a.json", content)
            .file("run.sh", content)
            .file("left-out", content)
            .file("same", "x")
    };
    let found = compare(&plain("1"), &plain("2"));
    assert_eq!(found.changes.licences.changed[0].name, "LICENSE");
    assert_eq!(found.changes.executables.changed[0].name, "run.sh");
    let names = |changes: &Changes| -> Vec<String> {
        let changed = changes.changed.iter().map(|one| one.name.clone());
        changed.collect()
    };
    assert_eq!(names(&found.changes.other_files), ["data/a.json"]);
    assert_eq!((found.files, found.bytes), ((4, 4), (4, 4)));
    let found = compare(&plain("1"), &mark(plain("1"), "data/a.json"));
    assert_eq!(found.changes.executables.added[0].0, "data/a.json");
    assert!(found.changes.other_files.is_empty());
}

use plugd_model::PluginId;
use pretty_assertions::assert_eq;

use super::{ExecutableKind, Inspection, InspectionLimits, inspect};
use crate::fixture::Plugin;

pub(super) fn look(plugin: &Plugin, limits: &InspectionLimits) -> Inspection {
    let id = PluginId::parse("p@m").unwrap();
    inspect(&plugin.disk, &plugin.root(), &plugin.manifest, &id, limits).unwrap()
}

pub(super) fn mark(plugin: Plugin, path: &str) -> Plugin {
    plugin
        .disk
        .set_mode(&plugin.root().join(path), 0o755)
        .unwrap();
    plugin
}

pub(super) fn skill(body: &str) -> String {
    format!("---\nname: s\ndescription: d\n---\n{body}\n")
}

/// Everything in lines, one per row.
fn lines(plugin: &Plugin, found: &Inspection) -> Vec<String> {
    let mut lines = Vec::new();
    for server in &found.mcp_servers {
        let why = server.obstacle.as_ref().map(|why| format!(": {why}"));
        let name = &server.definition.name;
        lines.push(format!("mcp {name}{}", why.unwrap_or_default()));
    }
    lines.extend(found.hooks.iter().map(|hook| format!("hook {}", hook.key)));
    lines.extend(found.apps.iter().map(|app| format!("app {}", app.id)));
    for file in &found.executables {
        let kind = match &file.kind {
            ExecutableKind::Script { interpreter } => format!("script:{interpreter}"),
            kind => kind.word().to_owned(),
        };
        let mark = if file.is_marked { " marked" } else { "" };
        lines.push(format!("runs {} {kind} {}{mark}", file.path, file.bytes));
    }
    for (name, readers) in found.environment.iter() {
        let readers: Vec<_> = readers.collect();
        lines.push(format!("variable {name}: {}", readers.join(", ")));
    }
    for text in &found.texts {
        lines.push(format!("text {} {}", text.path, text.kind.word()));
    }
    for hidden in &found.hidden {
        let field = hidden.field.as_ref().map(|field| format!(" {field}"));
        let place = hidden.found.place;
        lines.push(format!(
            "hidden {}{} U+{:04X} {}:{}",
            hidden.path,
            field.unwrap_or_default(),
            u32::from(hidden.found.character),
            place.line,
            place.column
        ));
    }
    lines.extend(found.licence.iter().map(|name| format!("licence {name}")));
    lines.extend(
        found
            .licence_files
            .iter()
            .map(|file| format!("licence in {}", file.path)),
    );
    for odd in &found.oddities {
        lines.push(format!("odd {} {}", odd.path, odd.kind.word()));
    }
    lines.extend(
        plugin
            .problems(&found.cut)
            .into_iter()
            .map(|line| format!("cut {line}")),
    );
    lines.extend(plugin.problems(&found.problems));
    lines
}

#[track_caller]
fn check(plugin: &Plugin, expected: &[&str]) {
    let found = look(plugin, &InspectionLimits::DEFAULT);
    assert_eq!(lines(plugin, &found), expected);
}

#[test]
fn what_would_run() {
    let plugin = Plugin::new()
        .file(
            ".mcp.json",
            r#"{"b": {"command": "x", "args": ["${TOKEN}"], "env_vars": ["PASSED"]},
                "a": {"url": "https://x", "headers": {"A": "${TOKEN}"}, "bearer_token_env_var": "BT"}}"#,
        )
        .file(
            "hooks/hooks.json",
            r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "${PLUGIN_ROOT}/x $HOME ${KEY}"}]}]}}"#,
        )
        .file(".app.json", r#"{"apps": {"mail": {"id": "c_1"}}}"#)
        .file("bin/elf", b"\x7fELF\x02\x01")
        .file("bin/run", "#!/usr/bin/env bash\necho $API_KEY\n")
        .file("lib/a.py", "import os\nos.environ['PY_KEY']\n")
        .file("data", "x")
        .file("notes.md", "$NOT_A_SCRIPT");
    check(
        &mark(mark(plugin, "data"), "bin/run"),
        &[
            "mcp a",
            "mcp b",
            "hook p@m:hooks/hooks.json:stop:0:0",
            "app c_1",
            "runs data unknown 1 marked",
            "runs bin/elf elf 6",
            "runs bin/run script:bash 34 marked",
            "runs lib/a.py script:python 31",
            "variable API_KEY: bin/run",
            "variable BT: mcp:a",
            "variable HOME: hook:p@m:hooks/hooks.json:stop:0:0",
            "variable KEY: hook:p@m:hooks/hooks.json:stop:0:0",
            "variable PASSED: mcp:b",
            "variable PY_KEY: lib/a.py",
            "variable TOKEN: mcp:a, mcp:b",
        ],
    );
    let agent = Plugin::agent().file(
        "mcp.json",
        r#"{"$schema": "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json",
            "mcpServers": {"s": {"type": "stdio", "command": "x", "args": ["${A}"]}}}"#,
    );
    check(&agent, &["mcp s"]);
}

#[test]
fn what_a_command_names_runs() {
    let plugin = Plugin::new()
        .file(
            ".mcp.json",
            r#"{"a": {"command": "node", "args": ["${PLUGIN_ROOT}/one.txt", "--config=./two.txt"]},
                "b": {"command": "run", "args": ["three.txt"], "cwd": "./lib"},
                "c": {"command": "./lib/four"}, "d": {"command": "x", "args": ["none", ""]}}"#,
        )
        .file(
            "hooks/hooks.json",
            r#"{"hooks": {"Stop": [{"hooks": [{"type": "command",
                "command": "x \"$PLUGIN_ROOT/five.txt\" && ./six.txt",
                "commandWindows": "x ${PLUGIN_ROOT}\\win\\seven.txt"}]}]}}"#,
        )
        .file("one.txt", "1")
        .file("two.txt", "1")
        .file("lib/three.txt", "1")
        .file("lib/four", "1")
        .file("five.txt", "1")
        .file("six.txt", "1")
        .file("win/seven.txt", "1")
        .file("none.txt", "1");
    let found = look(&plugin, &InspectionLimits::DEFAULT);
    let runs: Vec<_> = lines(&plugin, &found)
        .into_iter()
        .filter(|line| line.starts_with("runs"))
        .collect();
    assert_eq!(
        runs,
        [
            "runs five.txt unknown 1",
            "runs one.txt unknown 1",
            "runs six.txt unknown 1",
            "runs two.txt unknown 1",
            "runs lib/four unknown 1",
            "runs lib/three.txt unknown 1",
            "runs win/seven.txt unknown 1",
        ]
    );
}

#[test]
fn scripts_of_a_library_hide_no_program() {
    let mut plugin = Plugin::new()
        .file("z/elf", b"\x7fELF")
        .file("z/run", "#!/bin/sh");
    for index in 0..9 {
        plugin = plugin.file(&format!("a/{index}.js"), "");
    }
    let limits = InspectionLimits {
        rows: 4,
        ..InspectionLimits::DEFAULT
    };
    let found = look(&plugin, &limits);
    let paths: Vec<_> = found.executables.iter().map(|one| &one.path).collect();
    assert_eq!(paths, ["a/0.js", "a/1.js", "z/elf", "z/run"]);
    assert_eq!(
        found.cut[0].message,
        "only the first 4 of 11 executables are listed"
    );
}

#[test]
fn servers_that_can_never_run_say_why() {
    let plugin = Plugin::new().file(
        ".mcp.json",
        r#"{"a": {"command": "../x"}, "b": {"url": "wss://x"}, "c": {"command": " "}, "d": {"command": "x"}}"#,
    );
    check(
        &plugin,
        &[
            "mcp a: the command leaves the plugin's directory",
            "mcp b: a host connects to addresses with `https` and `http` only",
            "mcp c: the command is blank, so nothing can start",
            "mcp d",
        ],
    );
}

#[test]
fn what_a_model_would_read() {
    let plugin = Plugin::new()
        .file(".codex-plugin/plugin.json", r#"{"name": "p"}"#)
        .file("skills/s/SKILL.md", skill("x"))
        .file(
            "skills/s/agents/openai.yaml",
            "interface:\n  display_name: n",
        )
        .file("skills/s/references/more.MD", "x")
        .file("skills/s/data.json", "{}")
        .file("commands/go.md", "---\ndescription: d\n---\n")
        .file("README.md", "x")
        .file("LICENSE-MIT", "x")
        .file("docs/Copying", "x")
        .with(|manifest| manifest.license = Some("MIT".to_owned()));
    check(
        &plugin,
        &[
            "text .codex-plugin/plugin.json manifest",
            "text commands/go.md command",
            "text skills/s/SKILL.md skill",
            "text skills/s/agents/openai.yaml skillMetadata",
            "text skills/s/references/more.MD skillReference",
            "licence MIT",
            "licence in LICENSE-MIT",
            "licence in docs/Copying",
        ],
    );
    let found = look(&plugin, &InspectionLimits::DEFAULT);
    assert_eq!((found.files, found.directories), (9, 7));
    let sizes = found.texts.iter().map(|text| text.bytes).sum::<u64>();
    assert_eq!(found.bytes, sizes + 2 + 3);
}

#[test]
fn characters_that_hide() {
    let plugin = Plugin::new()
        .file(
            ".codex-plugin/plugin.json",
            "{\"name\": \"p\",\n \"description\": \"a\\u202e\", \"interface\": {\"displayName\": \"b\u{200b}\"}}",
        )
        .file(
            "skills/s/SKILL.md",
            "---\nname: s\ndescription: \"d\\u2066\"\n---\nsee \u{e0041}\n\u{e0042}",
        )
        .file(
            "skills/s/agents/openai.yaml",
            "interface:\n  display_name: \"n\\u202d\"\n  short_description: x\u{2060}",
        )
        .file("skills/s/more.md", "ok\nab\u{202a}")
        .file("commands/go.md", "---\ndescription: d\n---\n\u{ad}")
        .file("README.md", "\u{202e}");
    let hidden: Vec<_> = lines(&plugin, &look(&plugin, &InspectionLimits::DEFAULT))
        .into_iter()
        .filter_map(|line| line.strip_prefix("hidden ").map(str::to_owned))
        .collect();
    assert_eq!(
        hidden,
        [
            ".codex-plugin/plugin.json U+200B 2:59",
            ".codex-plugin/plugin.json description U+202E 2:17",
            "commands/go.md U+00AD 4:1",
            "skills/s/SKILL.md U+E0041 5:5",
            "skills/s/SKILL.md U+E0042 6:1",
            "skills/s/SKILL.md description U+2066 3:14",
            "skills/s/agents/openai.yaml U+2060 3:23",
            "skills/s/agents/openai.yaml interface.display_name U+202D 1:1",
            "skills/s/more.md U+202A 2:3",
        ]
    );
}

#[cfg(unix)]
#[test]
fn entries_that_are_no_plain_files() {
    use std::os::unix::ffi::OsStrExt as _;

    let plugin = Plugin::new()
        .file("a.txt", "x")
        .file("A.txt", "x")
        .file(".git/config", "#!/bin/sh")
        .file("su", "x")
        .file("line\nbreak", "x")
        .link("in", "a.txt")
        .link("out", "/etc/passwd")
        .link("gone", "nowhere")
        .link("loop", ".");
    plugin
        .disk
        .set_mode(&plugin.root().join("su"), 0o4644)
        .unwrap();
    let bad = std::ffi::OsStr::from_bytes(b"bad\xff");
    plugin
        .disk
        .replace(&plugin.root().join(bad), b"x", 0o644)
        .unwrap();
    check(
        &plugin,
        &[
            "odd .git gitData",
            "odd a.txt sameNameButCase",
            "odd bad\u{fffd} nameNotText",
            "odd gone linkToNothing",
            "odd in linkInside",
            "odd line\\nbreak nameNotText",
            "odd loop linkInside",
            "odd out linkOutside",
            "odd su setUser",
        ],
    );
}

#[test]
fn what_makes_headers_of_a_server_runs_too() {
    let server = r#"{"url": "https://x", "http_headers_helper": "sh ${PLUGIN_ROOT}/headers $WHO"}"#;
    let plugin = Plugin::new()
        .file(".mcp.json", format!(r#"{{"s": {server}}}"#))
        .file("headers", "echo");
    let found = look(&plugin, &InspectionLimits::DEFAULT);
    let programs: Vec<_> = found.executables.iter().map(|one| &one.path).collect();
    assert_eq!(programs, ["headers"]);
    let names: Vec<_> = found.environment.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["WHO"]);
}

#[test]
fn limits_are_told() {
    let mut plugin = Plugin::new()
        .file("big", [b"\x7fELF".as_slice(), &[0; 100]].concat())
        .file("skills/s/SKILL.md", skill(&"\u{200b}".repeat(20)))
        .file("d/d/d/d", "x");
    let small = InspectionLimits {
        depth: 2,
        program_bytes: 50,
        rows: 5,
        ..InspectionLimits::DEFAULT
    };
    let cuts = |plugin: &Plugin, limits: &InspectionLimits| {
        let found = look(plugin, limits);
        let cuts = found.cut.iter();
        cuts.map(|problem| problem.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        cuts(&plugin, &small),
        [
            "the programs have more than 50 bytes together; the rest is not looked into",
            "nothing below 2 levels is looked at",
            "only the first 5 of 20 hidden characters are listed",
        ]
    );
    assert_eq!(look(&plugin, &small).hidden.len(), 5);
    assert_eq!(look(&plugin, &small).executables[0].digest, None);
    let script = format!("#!/bin/sh\n{}", " ".repeat(1024 * 1024));
    let scripts = Plugin::new()
        .file("a.sh", script)
        .file("b.sh", " ".repeat(16 * 1024 * 1024 + 1));
    assert_eq!(
        cuts(&scripts, &InspectionLimits::DEFAULT),
        [
            "names of variables are not searched in scripts larger than 1048576 bytes",
            "programs larger than 16777216 bytes are not looked into",
        ]
    );
    for index in 0..10 {
        plugin = plugin.file(&format!("many/{index}"), "x");
    }
    let few = InspectionLimits {
        entries: 8,
        ..InspectionLimits::DEFAULT
    };
    let found = look(&plugin, &few);
    assert_eq!(
        cuts(&plugin, &few),
        ["the tree has more than 8 entries; the rest is not looked at"]
    );
    assert!(found.files < 10);
    let short = InspectionLimits {
        text_bytes: 10,
        ..InspectionLimits::DEFAULT
    };
    let found = look(&plugin, &short);
    assert_eq!(plugin.problems(&found.cut), ["tooLarge skills/s/SKILL.md"]);
    assert_eq!(
        found.cut[0].message,
        "the texts for a model have more than 10 bytes together; the rest is not looked at"
    );
}

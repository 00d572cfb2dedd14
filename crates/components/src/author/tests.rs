use std::sync::Arc;

use plugd_model::{AbsPath, HooksDeclaration, Interface, PluginId, PluginPath, Severity};
use pretty_assertions::assert_eq;

use super::{marketplace_findings, plugin_findings};
use crate::fixture::Plugin;

const AGENT_HEAD: &str = r#""$schema": "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json""#;

#[track_caller]
fn check(plugin: &Plugin, expected: &[&str]) {
    let id = PluginId::parse("p@m").unwrap();
    let found = plugin_findings(&plugin.disk, &plugin.root(), &plugin.manifest, &id, None);
    assert_eq!(plugin.problems(&found), expected);
}

fn message(plugin: &Plugin) -> String {
    let id = PluginId::parse("p@m").unwrap();
    let mut found = plugin_findings(&plugin.disk, &plugin.root(), &plugin.manifest, &id, None);
    assert_eq!(found.len(), 1);
    found.remove(0).message
}

fn mark(plugin: Plugin, path: &str) -> Plugin {
    plugin
        .disk
        .set_mode(&plugin.root().join(path), 0o755)
        .unwrap();
    plugin
}

fn skill(head: &str) -> String {
    format!("---\n{head}\n---\nbody\n")
}

/// A plugin with one hook and two scripts, of which one may run.
fn hook(command: &str) -> Plugin {
    let plugin = Plugin::new()
        .file(
            "hooks/hooks.json",
            format!(
                "{{\"hooks\": {{\"Stop\": [{{\"hooks\": [{{\"type\": \"command\", \"command\": {}}}]}}]}}}}",
                serde_json::Value::from(command)
            ),
        )
        .file("run.sh", "#!/bin/sh")
        .file("a b/plain.sh", "x");
    mark(plugin, "run.sh")
}

#[track_caller]
fn check_hook(command: &str, expected: Option<&str>) {
    let place = " hooks/hooks.json hooks.Stop[0].hooks[0].command 1:63";
    let expected: Vec<_> = expected
        .iter()
        .map(|kind| format!("{kind}{place}"))
        .collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check(&hook(command), &expected);
}

#[test]
fn scripts_of_hooks_are_there_and_can_run() {
    for good in [
        "${PLUGIN_ROOT}/run.sh",
        "\"${CLAUDE_PLUGIN_ROOT}/run.sh\" --x",
        "$CLAUDE_PLUGIN_ROOT/run.sh",
        "A=1 ${PLUGIN_ROOT}/run.sh > ${PLUGIN_ROOT}/out",
        "bash ${PLUGIN_ROOT}/run.sh",
        "sh '${PLUGIN_ROOT}/a b/plain.sh'",
        "${PLUGIN_DATA}/gone",
        "${PLUGIN_ROOT}/$X",
        "${PLUGIN_ROOT}/*.sh",
        "echo ./gone.sh",
        "./gone.sh",
        "/usr/bin/true",
        "true",
    ] {
        check_hook(good, None);
    }
    check_hook("${PLUGIN_ROOT}/gone.sh", Some("missing"));
    check_hook("true && ${PLUGIN_ROOT}/gone.sh", Some("missing"));
    check_hook("node ${CLAUDE_PLUGIN_ROOT}/gone.js", Some("missing"));
    check_hook("${PLUGIN_ROOT}/hooks", Some("notAFile"));
    check_hook("${PLUGIN_ROOT}/../x", Some("badPath"));
    check_hook("./run.sh", Some("badPath"));
    #[cfg(unix)]
    check_hook("\"${PLUGIN_ROOT}/a b/plain.sh\"", Some("badValue"));
}

/// A relative path counts from where the command has gone to.
#[test]
fn scripts_of_hooks_that_go_to_the_plugin_first() {
    for good in [
        "cd \"${CLAUDE_PLUGIN_ROOT}\" && ./run.sh",
        "cd $CLAUDE_PLUGIN_ROOT; ./run.sh",
        "cd -- ${PLUGIN_ROOT}/ || exit 1\n./run.sh",
        "(cd ${PLUGIN_ROOT} && ./run.sh)",
        "if cd ${PLUGIN_ROOT}/hooks 2>/dev/null; then ../run.sh; fi",
        "pushd ${PLUGIN_ROOT} >/dev/null; ./run.sh; popd; ./run.sh",
        "cd ${PLUGIN_ROOT} && cd hooks && ../run.sh",
        "cd ${PLUGIN_ROOT} && make && ./made.sh",
        "cd ${PLUGIN_ROOT} && test -x ./gone.sh && ./gone.sh",
        "cd \"$(dirname \"$0\")\" && ./run.sh",
        "cd /tmp && ./run.sh",
        "cd sub && ./run.sh",
        "cd && ./run.sh",
        "cd ${PLUGIN_ROOT} && cd - && ./run.sh",
    ] {
        check_hook(good, None);
    }
    check_hook("cd ${PLUGIN_ROOT} && ./gone.sh", Some("missing"));
    check_hook("cd ${PLUGIN_ROOT}/hooks && ./run.sh", Some("missing"));
    check_hook("cd ${PLUGIN_ROOT} && ./hooks", Some("notAFile"));
    check_hook("cd ${PLUGIN_ROOT}/.. && ./run.sh", Some("badPath"));
    check_hook("(cd ${PLUGIN_ROOT}); ./run.sh", Some("badPath"));
    check_hook("if ./run.sh; then true; fi", Some("badPath"));
    #[cfg(unix)]
    check_hook("cd ${PLUGIN_ROOT} && 'a b/plain.sh'", Some("badValue"));
    #[cfg(unix)]
    check_hook(
        "cd ${PLUGIN_ROOT} && make && 'a b/plain.sh'",
        Some("badValue"),
    );
}

/// A command may make what it names, or ask whether it is there.
#[test]
fn paths_that_a_hook_makes_itself() {
    for good in [
        "mkdir -p ${CLAUDE_PLUGIN_ROOT}/cache && node ${PLUGIN_ROOT}/cache/x.js",
        "touch ${PLUGIN_ROOT}/stamp",
        "rm -f ${PLUGIN_ROOT}/stamp",
        "test -f ${CLAUDE_PLUGIN_ROOT}/x && ${CLAUDE_PLUGIN_ROOT}/x",
        "[ -x ${PLUGIN_ROOT}/x ] && ${PLUGIN_ROOT}/x",
        "if [[ -d ${PLUGIN_ROOT}/d ]]; then sh ${PLUGIN_ROOT}/d/x.sh; fi",
        "cp ${PLUGIN_ROOT}/run.sh ${PLUGIN_ROOT}/copy.sh && ${PLUGIN_ROOT}/copy.sh",
        "true # ${PLUGIN_ROOT}/gone.sh",
        "# first; ${PLUGIN_ROOT}/gone.sh\n${PLUGIN_ROOT}/run.sh",
        "bash -c \"${PLUGIN_ROOT}/run.sh --x\"",
        "chmod +x '${PLUGIN_ROOT}/a b/plain.sh' && '${PLUGIN_ROOT}/a b/plain.sh'",
    ] {
        check_hook(good, None);
    }
    check_hook("cp ${PLUGIN_ROOT}/gone.sh /tmp", Some("missing"));
    check_hook("chmod +x ${PLUGIN_ROOT}/gone.sh", Some("missing"));
    check_hook("touch ${PLUGIN_ROOT}/../x", Some("badPath"));
    check_hook(
        "touch ${PLUGIN_ROOT}/a; ${PLUGIN_ROOT}/gone.sh",
        Some("missing"),
    );
    check_hook(
        "rm -f ${PLUGIN_ROOT} x; ${PLUGIN_ROOT}/gone.sh",
        Some("missing"),
    );
}

#[test]
fn a_finding_says_what_would_be_right() {
    assert_eq!(
        message(&hook("./run.sh")),
        "`./run.sh` is looked for in the user's directory; write `${PLUGIN_ROOT}/run.sh`"
    );
    #[cfg(unix)]
    assert_eq!(
        message(&hook("'${PLUGIN_ROOT}/a b/plain.sh'")),
        "`a b/plain.sh` is not executable; mark it with `chmod +x a b/plain.sh`"
    );
    let plugin = Plugin::new().file(".codex-plugin/plugin.json", r#"{"descripton": "x"}"#);
    assert_eq!(
        message(&plugin),
        "nobody reads `descripton` here; did you mean `description`"
    );
}

#[test]
fn programs_of_servers() {
    let servers = |text: &str| {
        let plugin = Plugin::new()
            .file(".mcp.json", format!("{{\"s\": {text}}}"))
            .file("run.sh", "#!/bin/sh")
            .file("plain.sh", "x");
        mark(plugin, "run.sh")
    };
    check(&servers(r#"{"command": "./run.sh"}"#), &[]);
    check(
        &servers(r#"{"command": "node", "args": ["${PLUGIN_ROOT}/plain.sh", "${PLUGIN_DATA}/x"]}"#),
        &[],
    );
    check(
        &servers(r#"{"command": "./gone.sh"}"#),
        &["missing .mcp.json s.command 1:19"],
    );
    #[cfg(unix)]
    check(
        &servers(r#"{"command": "${CLAUDE_PLUGIN_ROOT}/plain.sh"}"#),
        &["badValue .mcp.json s.command 1:19"],
    );
    check(
        &servers(r#"{"command": "x", "args": ["${PLUGIN_ROOT}/gone", "${PLUGIN_ROOT}/../y"]}"#),
        &[
            "missing .mcp.json s.args[0] 1:32",
            "badPath .mcp.json s.args[1] 1:32",
        ],
    );
    check(
        &servers(r#"{"command": "x", "cwd": "../y"}"#),
        &["badPath .mcp.json s.cwd 1:31"],
    );
    check(
        &servers(r#"{"url": "ws://x"}"#),
        &["badValue .mcp.json s.url 1:15"],
    );
}

#[test]
fn values_that_look_like_secrets() {
    let servers = |text: &str| Plugin::new().file(".mcp.json", format!("{{\"s\": {text}}}"));
    check(
        &servers(
            r#"{"command": "x", "env": {"API_KEY": "sk-12345678", "GITHUB_TOKEN": "${T}", "TOKENS": "5", "A": "12345678"}}"#,
        ),
        &["badValue .mcp.json s.env.API_KEY 1:31"],
    );
    check(
        &servers(
            r#"{"url": "https://x", "headers": {"Authorization": "Bearer abcdef", "X-Tenant": "abcdefghij"}}"#,
        ),
        &["badValue .mcp.json s.headers.Authorization 1:39"],
    );
}

#[test]
fn section_9_2_other_placeholders_are_told() {
    let file = format!(
        r#"{{{AGENT_HEAD}, "mcpServers": {{"s": {{"type": "stdio", "command": "x", "args": ["${{CLAUDE_PLUGIN_ROOT}}/a"]}}}}}}"#
    );
    check(
        &Plugin::agent().file("mcp.json", file),
        &["badValue mcp.json mcpServers.s 1:92"],
    );
}

#[test]
fn names_that_collide() {
    let plugin = Plugin::new()
        .file("skills/a/SKILL.md", skill("name: Same\ndescription: d"))
        .file("skills/b/SKILL.md", skill("name: same\ndescription: d"))
        .file("skills/c/SKILL.md", skill("name: same\ndescription: d"))
        .file(
            ".mcp.json",
            r#"{"X": {"command": "x"}, "x": {"command": "x"}}"#,
        );
    check(
        &plugin,
        &[
            "duplicate .mcp.json x 1:30",
            "duplicate skills/b/SKILL.md",
            "duplicate skills/c/SKILL.md",
        ],
    );
}

#[test]
fn skills_without_what_they_need() {
    let plugin = Plugin::new()
        .file("skills/a/SKILL.md", skill("name: a"))
        .file(
            "skills/b/SKILL.md",
            skill("description: d\ndescripton: e\nallowed_tools: x\nfoo: y"),
        )
        .file(
            "skills/b/agents/openai.yaml",
            "interface:\n  icon_small: assets/i.png\n  icon_large: assets/j.png",
        )
        .file("skills/b/assets/j.png", "x")
        .with(|manifest| manifest.onboarding_skill = PluginPath::parse("./skills/a/SKILL.md"));
    check(
        &plugin,
        &[
            "missing skills/a/SKILL.md onboardingSkill",
            "missingField skills/a/SKILL.md description 2:1",
            "unknownField skills/b/SKILL.md descripton 3:1",
            "unknownField skills/b/SKILL.md allowed_tools 4:1",
            "missing skills/b/assets/i.png interface.icon_small",
        ],
    );
}

#[test]
fn the_manifest() {
    let path = |text: &str| PluginPath::parse(text);
    let plugin = Plugin::new()
        .file(
            ".codex-plugin/plugin.json",
            "{\"name\": \"p\", \"mcpServer\": {}, \"Skills\": 1, \"whatever\": 1,\n\"interface\": {\"logo\": \"./l.png\", \"dispalyName\": \"x\", \"screenshots\": []}}",
        )
        .file("icon.png", "x")
        .with(|manifest| {
            manifest.interface = Some(Arc::new(Interface {
                logo: path("./l.png"),
                composer_icon: path("./icon.png"),
                screenshots: vec![path("./s.png").unwrap()],
                ..Interface::default()
            }));
        });
    let file = ".codex-plugin/plugin.json";
    check(
        &plugin,
        &[
            &format!("unknownField {file} mcpServer 1:28"),
            &format!("missing {file} interface.logo 2:23"),
            &format!("unknownField {file} interface.dispalyName 2:49"),
            &format!("missing {file} interface.screenshots 2:69"),
        ],
    );
}

/// Each picture that is missing is told at its own place, whichever format names it.
#[test]
fn pictures_have_their_own_places() {
    let pictures = |plugin: Plugin| {
        plugin.file("there.png", "x").with(|manifest| {
            let path = |text: &str| PluginPath::parse(text).unwrap();
            manifest.interface = Some(Arc::new(Interface {
                logo: Some(path("./l.png")),
                screenshots: ["./a.png", "./there.png", "./b.png"].map(path).to_vec(),
                ..Interface::default()
            }));
        })
    };
    let interface = r#"{"logo": "./l.png", "logos": 1,
"screenshots": [7, "./a.png", "./there.png", "./b.png"]}"#;
    check(
        &pictures(Plugin::new()).file(
            ".codex-plugin/plugin.json",
            format!("{{\"interface\": {interface}}}"),
        ),
        &[
            "missing .codex-plugin/plugin.json interface.logo 1:24",
            "unknownField .codex-plugin/plugin.json interface.logos 1:44",
            "missing .codex-plugin/plugin.json interface.screenshots[1] 2:20",
            "missing .codex-plugin/plugin.json interface.screenshots[3] 2:46",
        ],
    );
    check(
        &pictures(Plugin::agent()).file(
            "plugin.json",
            format!("{{\"extensions\": {{\"com.openai\": {{\"interface\": {interface}}}}}}}"),
        ),
        &[
            "missing plugin.json extensions.com.openai.interface.logo 1:54",
            "unknownField plugin.json extensions.com.openai.interface.logos 1:74",
            "missing plugin.json extensions.com.openai.interface.screenshots[1] 2:20",
            "missing plugin.json extensions.com.openai.interface.screenshots[3] 2:46",
        ],
    );
}

#[test]
fn files_that_nobody_reads() {
    let plugin = || {
        Plugin::new()
            .file("hooks.json", "{}")
            .file("mcp.json", "{}")
    };
    check(&plugin(), &["badPath hooks.json", "badPath mcp.json"]);
    check(
        &plugin()
            .file("hooks/hooks.json", "{}")
            .file(".mcp.json", "{}"),
        &[],
    );
    let named = plugin().with(|manifest| {
        manifest.hooks = HooksDeclaration::Files(vec![PluginPath::parse("./hooks.json").unwrap()]);
    });
    check(&named, &["badPath mcp.json"]);
    check(
        &Plugin::agent()
            .file(".mcp.json", "{}")
            .file("hooks/hooks.json", "{}"),
        &["badPath .mcp.json", "badPath hooks/hooks.json"],
    );
}

#[cfg(unix)]
#[test]
fn entries_that_do_not_arrive() {
    let plugin = Plugin::new()
        .file("skills/s/SKILL.md", skill("description: d\u{202e}"))
        .file("a", "x")
        .file("A", "x")
        .link("out", "/etc/passwd")
        .link("gone", "nowhere");
    check(
        &plugin,
        &[
            "duplicate a",
            "missing gone",
            "badPath out",
            "badValue skills/s/SKILL.md 2:15",
        ],
    );
}

#[test]
fn a_good_plugin_has_no_findings() {
    let plugin = Plugin::new()
        .file(
            ".codex-plugin/plugin.json",
            r#"{"name": "p", "author": {"name": "a"}}"#,
        )
        .file(
            "skills/s/SKILL.md",
            skill("name: s\ndescription: d\nlicense: MIT"),
        )
        .file(
            ".mcp.json",
            r#"{"mcpServers": {"s": {"command": "npx", "args": ["-y", "x"]}}}"#,
        )
        .file("commands/c.md", skill("description: d"));
    check(&plugin, &[]);
}

#[test]
fn findings_of_a_marketplace() {
    let check = |text: &str, expected: &[&str]| {
        let file = AbsPath::new("/m/marketplace.json").unwrap();
        let found: Vec<_> = marketplace_findings(text, &file)
            .into_iter()
            .map(|problem| {
                assert_eq!(problem.severity, Severity::Warning);
                let place = problem.place.unwrap();
                let field = problem.field.unwrap();
                format!(
                    "{} {field} {}:{}",
                    problem.kind.word(),
                    place.line,
                    place.column
                )
            })
            .collect();
        assert_eq!(found, expected);
    };
    check(
        "{\"name\": \"m\", \"plugin\": [], \"interface\": {\"displayNam\": 1}, \"plugins\": [\n{\"name\": \"a\", \"sorce\": 1, \"version\": \"1\", \"source\": {\"source\": \"url\", \"ulr\": 1}},\n{\"name\": \"A\", \"policy\": {\"instalation\": 1}, \"interface\": {\"logos\": 1}},\n5,\n{\"name\": \"A\"}]}",
        &[
            "unknownField plugin 1:25",
            "unknownField interface.displayNam 1:57",
            "unknownField plugins[0].sorce 2:24",
            "unknownField plugins[0].source.ulr 2:78",
            "duplicate plugins[1].name 3:10",
            "unknownField plugins[1].policy.instalation 3:41",
            "unknownField plugins[1].interface.logos 3:68",
            "duplicate plugins[3].name 5:10",
        ],
    );
    check(
        r#"{"name": "m", "plugins": [{"name": "a", "source": "./a", "x-y": 1}]}"#,
        &[],
    );
    check("[]", &[]);
    check("{", &[]);
}

#[test]
fn a_skill_that_is_too_large_is_told_once() {
    let plugin = Plugin::new().file("skills/huge/SKILL.md", vec![b'x'; 9 * 1024 * 1024]);
    check(&plugin, &["tooLarge skills/huge/SKILL.md"]);
}

#[test]
fn members_of_a_head_that_no_host_understands() {
    let right = "description: d\nlicense: MIT\nallowed-tools: [Bash, Read]\n\
                 compatibility: any\ndisable-model-invocation: true\nuser-invocable:";
    check(&Plugin::new().file("skills/a/SKILL.md", skill(right)), &[]);
    let wrong = "description: d\nlicense: [MIT]\nallowed-tools: {a: b}\n\
                 compatibility: {}\ndisable-model-invocation: 7\nuser-invocable: [true]";
    check(
        &Plugin::new().file("skills/a/SKILL.md", skill(wrong)),
        &[
            "wrongType skills/a/SKILL.md license 3:10",
            "wrongType skills/a/SKILL.md allowed-tools 4:16",
            "wrongType skills/a/SKILL.md compatibility 5:16",
            "wrongType skills/a/SKILL.md disable-model-invocation 6:27",
            "wrongType skills/a/SKILL.md user-invocable 7:17",
        ],
    );
}

//! The lenient formats, field by field, as observed on the reference; where it rejects a plugin for
//! a wrong type in an optional member, here the member is absent and reported.

use plugd_model::{AbsPath, HooksDeclaration, ManifestFormat, McpDeclaration, PluginManifest};
use pretty_assertions::assert_eq;

use crate::parse_plugin;
use crate::testing::{row, rows};

fn file() -> AbsPath {
    AbsPath::new("/p/.codex-plugin/plugin.json").unwrap()
}

fn read(json: &str) -> (PluginManifest, Vec<String>) {
    let (manifest, problems) =
        parse_plugin(json.as_bytes(), ManifestFormat::Codex, "dir", &file()).unwrap();
    (manifest, rows(&problems))
}

/// Checks one aspect of a manifest with the given members behind its name.
#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(
    member: &str,
    aspect: impl Fn(PluginManifest) -> T,
    expected: T,
    problems: &[&str],
) {
    let (manifest, found) = read(&format!("{{\"name\":\"a\",{member}}}"));
    assert_eq!(manifest.name, "a");
    assert_eq!(found, problems, "{member}");
    assert_eq!(aspect(manifest), expected, "{member}");
}

#[track_caller]
fn check_refused(json: &[u8], expected: &str) {
    let problem = parse_plugin(json, ManifestFormat::Claude, "dir", &file()).unwrap_err();
    assert_eq!(row(&problem), expected);
    assert_eq!(problem.path, Some(file()));
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_least_manifest() {
    let (manifest, problems) = read("{}");
    assert_eq!(problems, texts(&[]));
    assert_eq!(
        manifest,
        PluginManifest {
            format: ManifestFormat::Codex,
            name: "dir".to_owned(),
            version: None,
            has_agent_plugins_schema: false,
            description: None,
            keywords: vec![],
            interface: None,
            skills: None,
            mcp_servers: McpDeclaration::Default,
            apps: None,
            hooks: HooksDeclaration::Default,
            commands: None,
            onboarding_skill: None,
            license: None,
        }
    );
}

#[test]
fn names() {
    assert_eq!(read(r#"{"name":"a"}"#).0.name, "a");
    assert_eq!(read(r#"{"name":" a "}"#).0.name, " a ");
    assert_eq!(read(r#"{"name":""}"#).0.name, "dir");
    assert_eq!(read(r#"{"name":" \t "}"#).0.name, "dir");
    for value in ["null", "5", "[]", "{}", "true"] {
        let json = format!("{{\n  \"name\": {value}}}");
        check_refused(json.as_bytes(), "error wrongType name 2:11");
    }
}

#[test]
fn what_spoils_the_file() {
    check_refused(b"[]", "error wrongType - 1:1");
    check_refused(b"", "error syntax - 1:1");
    check_refused(b"{} // x", "error syntax - 1:4");
    check_refused(b"\xEF\xBB\xBF{}", "error syntax - 1:1");
    check_refused(b"{\"a\":\"\xFF\"}", "error syntax - 1:7");
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    check_refused(deep.as_bytes(), "error tooLarge - 1:133");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024));
    check_refused(large.as_bytes(), "error tooLarge - -");
}

#[test]
fn a_member_that_occurs_twice_is_reported() {
    let (manifest, problems) = read(r#"{"name":"a","version":"1","version":"2"}"#);
    assert_eq!(manifest.version.as_deref(), Some("2"));
    assert_eq!(problems, ["warning duplicate version 1:37"]);
}

#[test]
fn versions() {
    let version = |manifest: PluginManifest| manifest.version;
    check(r#""version":"1.2""#, version, Some("1.2".to_owned()), &[]);
    check(r#""version":" 1 ""#, version, Some("1".to_owned()), &[]);
    check(r#""version":"a/b""#, version, Some("a/b".to_owned()), &[]);
    check(r#""version":null"#, version, None, &[]);
    check(
        r#""version":"""#,
        version,
        None,
        &["warning badVersion version 1:23"],
    );
    check(
        r#""version":" ""#,
        version,
        None,
        &["warning badVersion version 1:23"],
    );
    check(
        r#""version":1.0"#,
        version,
        None,
        &["warning wrongType version 1:23"],
    );
}

#[test]
fn descriptions_and_licences() {
    let both = |manifest: PluginManifest| (manifest.description, manifest.license);
    check(
        r#""description":" d ","license":"MIT""#,
        both,
        (Some(" d ".to_owned()), Some("MIT".to_owned())),
        &[],
    );
    check(
        r#""description":5,"license":{}"#,
        both,
        (None, None),
        &[
            "warning wrongType description 1:27",
            "warning wrongType license 1:39",
        ],
    );
    check(
        r#""description":null,"license":null"#,
        both,
        (None, None),
        &[],
    );
}

#[test]
fn keywords() {
    let keywords = |manifest: PluginManifest| manifest.keywords;
    check(
        r#""keywords":["a"," b "]"#,
        keywords,
        texts(&["a", " b "]),
        &[],
    );
    check(r#""keywords":[]"#, keywords, vec![], &[]);
    check(r#""keywords":null"#, keywords, vec![], &[]);
    check(
        r#""keywords":"a""#,
        keywords,
        vec![],
        &["warning wrongType keywords 1:24"],
    );
    check(
        r#""keywords":{}"#,
        keywords,
        vec![],
        &["warning wrongType keywords 1:24"],
    );
    check(
        r#""keywords":["a",5]"#,
        keywords,
        texts(&["a"]),
        &["warning wrongType keywords[1] 1:29"],
    );
}

/// Skills and commands share one rule, but for what counts when no path is left; their names have
/// six and eight letters.
#[track_caller]
fn check_paths(json: &str, expected: Option<&[&str]>, problems: &[(&str, &str, u32)]) {
    for (name, shift) in [("skills", 0), ("commands", 2)] {
        let paths = |manifest: PluginManifest| {
            let paths = match name {
                "skills" => manifest.skills,
                _ => manifest.commands,
            };
            paths.map(|paths| paths.iter().map(|p| p.as_str().to_owned()).collect())
        };
        let problems: Vec<_> = problems
            .iter()
            .map(|(kind, element, column)| {
                format!("warning {kind} {name}{element} 1:{}", column + shift)
            })
            .collect();
        let problems: Vec<_> = problems.iter().map(String::as_str).collect();
        check(
            &format!("\"{name}\":{json}"),
            paths,
            match (name, expected, json) {
                ("commands", None, json) if json != "null" => Some(Vec::new()),
                _ => expected.map(texts),
            },
            &problems,
        );
    }
}

#[test]
fn skills_and_commands() {
    check_paths("\"./s\"", Some(&["s"]), &[]);
    check_paths("\"./s//t/./u/\"", Some(&["s/t/u"]), &[]);
    check_paths(r#"["./s","./t"]"#, Some(&["s", "t"]), &[]);
    check_paths("null", None, &[]);
    check(
        r#""skills":[]"#,
        |manifest| manifest.skills,
        None,
        &["warning badValue skills 1:22"],
    );
    check(
        r#""commands":[]"#,
        |manifest| manifest.commands,
        Some(Vec::new()),
        &[],
    );
    check_paths("5", None, &[("wrongType", "", 22)]);
    check_paths("{}", None, &[("wrongType", "", 22)]);
    for bad in [
        "s",
        "./",
        ".",
        " ./s",
        "/s",
        "./../s",
        "./s/..",
        "https://x/s",
        "",
    ] {
        check_paths(&format!("\"{bad}\""), None, &[("badPath", "", 22)]);
        check_paths(&format!("[\"{bad}\"]"), None, &[("badPath", "[0]", 23)]);
    }
    // A bad path is left out, an element of another type spoils the list.
    check_paths(r#"["./s","bad"]"#, Some(&["s"]), &[("badPath", "[1]", 29)]);
    check_paths(r#"["./s",5]"#, None, &[("wrongType", "[1]", 29)]);
    check_paths(r#"["./s",null]"#, None, &[("wrongType", "[1]", 29)]);
}

#[test]
fn mcp_servers() {
    let servers = |manifest: PluginManifest| match manifest.mcp_servers {
        McpDeclaration::Default => "default".to_owned(),
        McpDeclaration::File(path) => format!("file {}", path.as_str()),
        McpDeclaration::Inline(json) => format!("inline {json}"),
        McpDeclaration::Nothing => "nothing".to_owned(),
    };
    let default = || "default".to_owned();
    check(
        r#""mcpServers":"./x.json""#,
        servers,
        "file x.json".to_owned(),
        &[],
    );
    check(r#""mcpServers":{}"#, servers, "inline {}".to_owned(), &[]);
    check(
        r#""mcpServers": { "s": {"command":"x"} }"#,
        servers,
        r#"inline { "s": {"command":"x"} }"#.to_owned(),
        &[],
    );
    check(r#""mcpServers":null"#, servers, default(), &[]);
    check(
        r#""mcpServers":"bad""#,
        servers,
        default(),
        &["warning badPath mcpServers 1:26"],
    );
    for value in ["[]", "[\"./x.json\"]", "5", "true"] {
        let member = format!("\"mcpServers\":{value}");
        check(
            &member,
            servers,
            default(),
            &["warning wrongType mcpServers 1:26"],
        );
    }
}

#[test]
fn apps() {
    let apps = |manifest: PluginManifest| manifest.apps.map(|path| path.as_str().to_owned());
    check(r#""apps":"./x.json""#, apps, Some("x.json".to_owned()), &[]);
    check(r#""apps":null"#, apps, None, &[]);
    check(
        r#""apps":"x.json""#,
        apps,
        None,
        &["warning badPath apps 1:20"],
    );
    for value in ["[]", "{}", "5", "[\"./x.json\"]"] {
        let member = format!("\"apps\":{value}");
        check(&member, apps, None, &["warning wrongType apps 1:20"]);
    }
}

#[track_caller]
fn check_hooks(json: &str, expected: &str, problems: &[&str]) {
    let hooks = |manifest: PluginManifest| match manifest.hooks {
        HooksDeclaration::Default => "default".to_owned(),
        HooksDeclaration::Files(paths) => {
            let paths: Vec<_> = paths.iter().map(|path| path.as_str()).collect();
            format!("files {}", paths.join(" "))
        }
        HooksDeclaration::Inline(objects) => format!("inline {}", objects.join(" ")),
        HooksDeclaration::Nothing => "nothing".to_owned(),
    };
    check(
        &format!("\"hooks\":{json}"),
        hooks,
        expected.to_owned(),
        problems,
    );
}

#[test]
fn hooks_in_files() {
    check_hooks("null", "default", &[]);
    check_hooks("\"./h.json\"", "files h.json", &[]);
    check_hooks(r#"["./h.json","./i.json"]"#, "files h.json i.json", &[]);
    check_hooks("\"h.json\"", "default", &["warning badPath hooks 1:21"]);
    check_hooks("[\"bad\"]", "default", &["warning badPath hooks[0] 1:22"]);
    check_hooks(
        r#"["./h.json","bad"]"#,
        "files h.json",
        &["warning badPath hooks[1] 1:33"],
    );
    // The default counts, and not the file that a second look may find.
    check_hooks("\".//h.json\"", "default", &["warning badPath hooks 1:21"]);
    check_hooks("\"./.\"", "files ", &[]);
}

#[test]
fn hooks_inline() {
    let one = r#"{"hooks":{"Stop":[]}}"#;
    check_hooks(one, &format!("inline {one}"), &[]);
    let nothing = ["warning badValue hooks 1:21"];
    check_hooks("{}", "inline {}", &nothing);
    check_hooks(r#"{"hooks":null}"#, r#"inline {"hooks":null}"#, &nothing);
    let described = r#"{"description":"x","hooks":{}}"#;
    check_hooks(described, &format!("inline {described}"), &[]);
    check_hooks(
        &format!("[{one}, {one}]"),
        &format!("inline {one} {one}"),
        &[],
    );
}

#[test]
fn hooks_of_another_shape() {
    check_hooks("[]", "default", &["warning badValue hooks 1:21"]);
    check_hooks("5", "default", &["warning wrongType hooks 1:21"]);
    check_hooks(
        r#"["./h.json",5]"#,
        "default",
        &["warning wrongType hooks[1] 1:33"],
    );
    check_hooks(
        r#"{"Stop":[]}"#,
        "default",
        &["warning unknownField hooks.Stop 1:29"],
    );
    check_hooks(
        r#"{"x":1,"hooks":{}}"#,
        "default",
        &["warning unknownField hooks.x 1:26"],
    );
    check_hooks(
        r#"{"hooks":5}"#,
        "default",
        &["warning wrongType hooks.hooks 1:30"],
    );
    check_hooks(
        r#"[{"hooks":{}},{"Stop":[]}]"#,
        "default",
        &["warning unknownField hooks[1].Stop 1:43"],
    );
    check_hooks(
        r#"["./h.json",{"hooks":{}}]"#,
        "nothing",
        &["warning wrongType hooks 1:21"],
    );
}

#[test]
fn onboarding_skills() {
    let skill = |manifest: PluginManifest| {
        manifest
            .onboarding_skill
            .map(|path| path.as_str().to_owned())
    };
    check(
        r#""extensions":{"com.openai":{"onboardingSkill":"./skills/a/SKILL.md"}}"#,
        skill,
        Some("skills/a/SKILL.md".to_owned()),
        &[],
    );
    check(
        r#""extensions":{"com.openai":{"onboardingSkill":"a"}}"#,
        skill,
        None,
        &["warning badPath extensions.\"com.openai\".onboardingSkill 1:59"],
    );
    check(r#""extensions":{"com.example":5}"#, skill, None, &[]);
    check(r#""extensions":null"#, skill, None, &[]);
    check(
        r#""extensions":5"#,
        skill,
        None,
        &["warning wrongType extensions 1:26"],
    );
    check(
        r#""extensions":{"com.openai":5}"#,
        skill,
        None,
        &["warning wrongType extensions.\"com.openai\" 1:40"],
    );
}

#[test]
fn members_of_other_programs_are_ignored() {
    let (_, problems) = read(
        r#"{"$schema":"x","author":5,"homepage":[],"repository":{},"agents":1,"lspServers":2,"strict":true,"outputStyles":"x"}"#,
    );
    assert_eq!(problems, texts(&[]));
}

#[test]
fn misspelt_members_are_named() {
    let (_, problems) = read(r#"{"Name":"x","mcp_servers":{},"mcp-servers":{},"MCPServers":{}}"#);
    assert_eq!(
        problems,
        [
            "warning unknownField Name 1:9",
            "warning unknownField mcp_servers 1:27",
            "warning unknownField mcp-servers 1:44",
            "warning unknownField MCPServers 1:60",
        ]
    );
}

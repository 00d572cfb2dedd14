use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::AbsPath;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::{Snapshot, load};
use crate::{KeyPath, LayerSource, MarketplaceKind, SessionFlags, TrustTier};

fn flags(overrides: &[&str]) -> SessionFlags {
    let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
    SessionFlags::parse(&overrides, &[], &[]).unwrap()
}

pub(crate) fn read(sandbox: &Sandbox, overrides: &[&str], cwd: Option<&str>) -> Arc<Snapshot> {
    read_as(sandbox, overrides, None, cwd)
}

pub(crate) fn read_with_profile(
    sandbox: &Sandbox,
    overrides: &[&str],
    profile: &str,
    cwd: Option<&str>,
) -> Arc<Snapshot> {
    read_as(sandbox, overrides, Some(profile), cwd)
}

fn read_as(
    sandbox: &Sandbox,
    overrides: &[&str],
    profile: Option<&str>,
    cwd: Option<&str>,
) -> Arc<Snapshot> {
    let overrides: Vec<_> = overrides.iter().map(|text| sandbox.expand(text)).collect();
    let overrides: Vec<_> = overrides.iter().map(String::as_str).collect();
    let cwd = cwd.map(|relative| sandbox.path(relative));
    load(
        &Disk::new(),
        &sandbox.layout(),
        &flags(&overrides).with_profile(profile.map(str::to_owned)),
        cwd.as_ref(),
    )
}

/// One line per problem: kind, file relative to the root, place, field.
pub(crate) fn problems(sandbox: &Sandbox, snapshot: &Snapshot) -> Vec<String> {
    let root = sandbox.root().to_text();
    let row = |problem: &plugd_model::Problem| {
        let path = problem
            .path
            .as_ref()
            .map_or_else(String::new, AbsPath::to_text);
        let place = problem
            .place
            .map_or_else(String::new, |p| format!(":{}:{}", p.line, p.column));
        let field = problem.field.as_deref().unwrap_or_default();
        let path = path.replace(&root, "");
        format!("{} {path}{place} {field}", problem.kind.word())
            .trim_end()
            .to_owned()
    };
    snapshot.problems().iter().map(row).collect()
}

/// The layers as `type content`, those that do not count in parentheses.
pub(crate) fn layers(snapshot: &Snapshot) -> Vec<String> {
    let row = |layer: &crate::Layer| {
        let name = match &layer.source {
            LayerSource::System => "system".to_owned(),
            LayerSource::User => "user".to_owned(),
            LayerSource::Profile { name } => format!("profile {name}"),
            LayerSource::Project { folder } => {
                let parent = folder.parent().unwrap();
                format!("project {}", parent.file_name().unwrap().to_string_lossy())
            }
            LayerSource::SessionFlags => "flags".to_owned(),
            LayerSource::Managed => "managed".to_owned(),
        };
        match layer.disabled_reason {
            None => format!("{name} {}", layer.content()),
            Some(_) => format!("({name} {})", layer.content()),
        }
    };
    snapshot.layers().iter().map(row).collect()
}

#[test]
fn nothing_at_all_means_defaults() {
    let sandbox = Sandbox::new();
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(layers(&snapshot), ["system {}", "user {}"]);
    assert_eq!(snapshot.effective(), json!({}));
    assert_eq!(
        snapshot.user_layer().file,
        Some(sandbox.path("ch/config.toml"))
    );
    assert!(snapshot.plugins().is_empty() && snapshot.marketplaces().is_empty());
    assert!(snapshot.features().plugins && snapshot.features().apps);
    assert!(!snapshot.requirements().is_restricted());
    assert!(snapshot.settings().curated_sync && !snapshot.settings().refresh_login);
    assert_eq!(snapshot.settings().keep_versions, 2);
    assert!(snapshot.warnings().is_empty() && snapshot.problems().is_empty());
    assert!(!sandbox.exists("ch/config.toml") && !sandbox.exists("ch/plugins"));
}

const STACK: &str = r#"
== etc/config.toml
a = "system"
b = "system"
c = "system"
d = "system"
e = "system"
f = "system"
== ch/config.toml
b = "user"
c = "user"
d = "user"
e = "user"
f = "user"
list = [1, 2]
[projects."$ROOT/p"]
trust_level = "trusted"
== ch/z.config.toml
c = "profile"
d = "profile"
e = "profile"
f = "profile"
== p/.git/HEAD
x
== p/.codex/config.toml
d = "project"
e = "project"
f = "project"
list = [3]
== p/sub/.codex/config.toml
d = "sub"
e = "sub"
f = "sub"
== p/sub/deep/
== etc/managed_config.toml
f = "managed"
"#;

#[test]
fn the_stack_from_bottom_to_top() {
    let sandbox = Sandbox::from(STACK);
    let snapshot = read_with_profile(&sandbox, &["e=flag", "f=flag"], "z", Some("p/sub/deep"));
    let values: Vec<_> = ["a", "b", "c", "d", "e", "f"]
        .map(|key| snapshot.effective()[key].as_str().unwrap().to_owned())
        .into();
    assert_eq!(
        values,
        ["system", "user", "profile", "sub", "flag", "managed"]
    );
    assert_eq!(snapshot.effective()["list"], json!([3]));
    let names: Vec<_> = layers(&snapshot)
        .iter()
        .map(|row| row[..row.find(" {").unwrap()].to_owned())
        .collect();
    let expected = [
        "system",
        "user",
        "profile z",
        "project p",
        "project sub",
        "flags",
        "managed",
    ];
    assert_eq!(names, expected);
    let origin = |key: &str| {
        let key = KeyPath::parse(key).unwrap();
        let rows = snapshot.origins();
        let (_, layer) = rows.into_iter().find(|(path, _)| *path == key).unwrap();
        layer.source.clone()
    };
    assert_eq!(origin("a"), LayerSource::System);
    assert_eq!(origin("f"), LayerSource::Managed);
    let folder = sandbox.path("p/.codex");
    assert_eq!(origin("list.0"), LayerSource::Project { folder });
    let of = |key: &str| {
        let (layer, value) = snapshot.overridden(&KeyPath::parse(key).unwrap())?;
        Some((layer.source.clone(), value))
    };
    assert_eq!(of("b"), None);
    assert_eq!(of("e"), Some((LayerSource::SessionFlags, json!("flag"))));
    assert_eq!(of("f"), Some((LayerSource::Managed, json!("managed"))));
}

const PROJECTS: &str = r#"
== ch/config.toml
[projects."$ROOT/yes"]
trust_level = "trusted"
[projects."$ROOT/no"]
trust_level = "untrusted"
[projects."$ROOT/no/sub"]
trust_level = "trusted"
== yes/.git/HEAD
x
== yes/.codex/config.toml
a = 1
openai_base_url = "http://evil"
notify = ["rm"]
[projects."$ROOT/other"]
trust_level = "trusted"
== yes/empty/.codex/
== no/.git
gitdir: elsewhere
== no/.codex/config.toml
a = 2
== no/sub/.codex/config.toml
b = 2
== other/.git/HEAD
x
== other/.codex/config.toml
a =
== fake/.git/
== fake/sub/.codex/config.toml
a = 3
"#;

#[test]
fn a_project_counts_only_when_it_is_trusted() {
    let sandbox = Sandbox::from(PROJECTS);
    let project = |overrides: &[&str], cwd: &str| {
        let snapshot = read(&sandbox, overrides, Some(cwd));
        let rows = layers(&snapshot);
        rows.into_iter()
            .filter(|row| row.trim_start_matches('(').starts_with("project "))
            .map(|row| row.replace("\"", ""))
            .collect::<Vec<_>>()
    };
    let root = sandbox.root().to_text();
    let yes = format!("project yes {{a:1,projects:{{{root}/other:{{trust_level:trusted}}}}}}");
    assert_eq!(project(&[], "yes"), std::slice::from_ref(&yes));
    let snapshot = read(&sandbox, &[], Some("yes"));
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "unknownField /yes/.codex/config.toml:2:19 openai_base_url",
            "unknownField /yes/.codex/config.toml:3:10 notify",
        ]
    );
    assert_eq!(
        project(&[], "yes/empty"),
        [yes, "project empty {}".to_owned()]
    );
    assert_eq!(
        project(&[], "no/sub"),
        ["(project no {a:2})", "project sub {b:2}"]
    );
    assert_eq!(project(&[], "other"), ["(project other {})"]);
    // A directory called `.git` without a head makes no project, so each directory is its own.
    let parent = "projects={\"$ROOT/fake\"={trust_level=\"trusted\"}}";
    assert_eq!(project(&[parent], "fake/sub"), ["(project sub {a:3})"]);
    let own = "projects={\"$ROOT/fake/sub\"={trust_level=\"trusted\"}}";
    assert_eq!(project(&[own], "fake/sub"), ["project sub {a:3}"]);
    let markers = "project_root_markers=[\".git\", \"sub\"]";
    assert_eq!(
        project(&[markers, parent], "fake/sub"),
        ["project sub {a:3}"]
    );

    let untrusted = read(&sandbox, &[], Some("other"));
    assert!(untrusted.problems().is_empty() && untrusted.warnings().is_empty());
    let reason = untrusted.layers()[2].disabled_reason.clone().unwrap();
    assert!(
        reason.contains(&sandbox.path("other").to_text()),
        "{reason}"
    );
    let trusted = read(
        &sandbox,
        &["projects.\"$ROOT/other\".trust_level=trusted"],
        Some("other"),
    );
    assert_eq!(
        problems(&sandbox, &trusted),
        ["config /other/.codex/config.toml:1:4"]
    );
    assert_eq!(trusted.project_problems().count(), 1);
    assert!(read(&sandbox, &[], None).layers().len() == 2);
}

#[test]
fn the_home_is_no_project() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n== home/.codex -> ../ch\n");
    let snapshot = read(
        &sandbox,
        &["projects.\"$ROOT/home\".trust_level=trusted"],
        Some("home"),
    );
    assert_eq!(layers(&snapshot)[..2], ["system {}", "user {\"a\":1}"]);
    assert_eq!(snapshot.layers().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_told_and_an_absent_file_is_not() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\na = 1\n== home/.codex/config.toml -> nowhere\n== etc/requirements.toml -> ../gone\n\
         == home/.codex/plugd.toml -> nowhere\n== etc/plugd.toml -> ../gone\n",
    );
    let trust = ["projects.\"$ROOT/home\".trust_level=trusted"];
    let snapshot = read(&sandbox, &trust, Some("home"));
    assert!(snapshot.is_broken());
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "missing /home/.codex/config.toml",
            "missing /etc/plugd.toml",
            "missing /home/.codex/plugd.toml",
            "missing /etc/requirements.toml"
        ]
    );
    assert_eq!(snapshot.warnings().len(), 4);
    // What it may have asked for before something may come is asked.
    let asks: Vec<_> = snapshot
        .settings()
        .trust
        .iter()
        .map(|rule| (rule.tier, rule.confirms))
        .collect();
    for tier in [TrustTier::Settings, TrustTier::Project, TrustTier::Required] {
        assert!(asks.contains(&(tier, true)), "{asks:?}");
    }
}

#[test]
fn broken_files_are_warnings_and_the_rest_is_read() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\n[features]\nplugins = false\nx = \n== etc/config.toml\na = 1\n[b]\nc = [\n== etc/plugd.toml\ngit = \"command\"\n",
    );
    sandbox.write("ch/plugd.toml", b"a = \"\xff\"\n");
    let snapshot = read(&sandbox, &["d=1"], None);
    assert!(snapshot.is_broken());
    assert!(snapshot.features().plugins);
    assert_eq!(
        snapshot.effective(),
        json!({"d": 1, "plugd": {"git": "command"}})
    );
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "config /etc/config.toml:3:6",
            "config /ch/config.toml:3:5",
            "config /ch/plugd.toml:1:6"
        ]
    );
    let warning = &snapshot.warnings()[1];
    assert!(
        warning.summary.contains("defaults are in use"),
        "{}",
        warning.summary
    );
    assert_eq!(warning.path, Some(sandbox.path("ch/config.toml")));
    let (start, _) = warning.range.unwrap();
    assert_eq!((start.line, start.column), (3, 5));
    assert!(
        warning
            .details
            .as_ref()
            .unwrap()
            .contains("config.toml:3:5: ")
    );
}

#[test]
fn a_config_that_is_no_file_is_reported() {
    let sandbox = Sandbox::from("== ch/config.toml/\n");
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(problems(&sandbox, &snapshot), ["notAFile /ch/config.toml"]);
    assert_eq!(snapshot.warnings().len(), 1);
}

const BAD_ROWS: &str = r#"
== ch/config.toml
features = { plugins = "x", hooks = false }
[plugins]
"a@m" = 5
"b@m".enabled = "x"
"c@m" = {}
"d.d@m" = { enabled = false, mcp_servers = { s = { k = 1 } } }
"bad key" = {}
"e@m".mcp_servers = 3
[marketplaces]
one = 1
[marketplaces.zip]
source_type = "zip"
source = "x"
[marketplaces.rel]
source_type = "local"
source = "./x"
[marketplaces.none]
source_type = "git"
[marketplaces.refless]
source = "a/b"
ref = 5
[marketplaces.z]
source_type = "local"
source = "/srv/z"
typo = 1
[marketplaces.a]
source = "a/b"
ref = "main"
sparse_paths = ["x", "y"]
last_updated = "2026"
"#;

#[test]
fn one_bad_row_spoils_itself_only() {
    let sandbox = Sandbox::from(BAD_ROWS);
    let snapshot = read(&sandbox, &[], None);
    let plugins: Vec<_> = snapshot
        .plugins()
        .iter()
        .map(|p| (p.id.to_string(), p.enabled))
        .collect();
    let expected = [("c@m", true), ("d.d@m", false), ("e@m", true)];
    assert_eq!(plugins, expected.map(|(id, on)| (id.to_owned(), on)));
    assert_eq!(
        snapshot.effective()["plugins"]["d.d@m"]["mcp_servers"],
        json!({"s": {"k": 1}})
    );
    let rows: Vec<_> = snapshot
        .marketplaces()
        .iter()
        .map(|row| row.key.as_str())
        .collect();
    assert_eq!(rows, ["z", "a"]);
    let source = AbsPath::new("/srv/z").unwrap();
    assert_eq!(
        snapshot.marketplaces()[0].kind,
        MarketplaceKind::Local { source }
    );
    assert_eq!(
        snapshot.marketplaces()[1].kind,
        MarketplaceKind::Git {
            source: "a/b".to_owned(),
            ref_name: Some("main".to_owned()),
            sparse_paths: vec!["x".to_owned(), "y".to_owned()],
        }
    );
    assert!(snapshot.features().plugins && !snapshot.features().hooks);
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "wrongType /ch/config.toml:3:9 plugins.\"a@m\"",
            "wrongType /ch/config.toml:4:17 plugins.\"b@m\".enabled",
            "unknownField /ch/config.toml:6:56 plugins.\"d.d@m\".mcp_servers.s.k",
            "badName /ch/config.toml:7:13 plugins.\"bad key\"",
            "wrongType /ch/config.toml:8:21 plugins.\"e@m\".mcp_servers",
            "wrongType /ch/config.toml:10:7 marketplaces.one",
            "badValue /ch/config.toml:12:15 marketplaces.zip.source_type",
            "badPath /ch/config.toml:16:10 marketplaces.rel.source",
            "missingField /ch/config.toml:17:1 marketplaces.none.source",
            "wrongType /ch/config.toml:21:7 marketplaces.refless.ref",
            "unknownField /ch/config.toml:25:8 marketplaces.z.typo",
            "wrongType /ch/config.toml:1:24 features.plugins",
        ]
    );
    assert_eq!(snapshot.warnings().len(), snapshot.problems().len());
}

#[test]
fn rows_of_several_layers_are_one_row_with_the_deciding_origin() {
    let sandbox = Sandbox::from(
        r#"
== etc/config.toml
[marketplaces.m]
source = "a/b"
[marketplaces.n]
source = "c/d"
[plugins."p@m"]
enabled = false
== ch/config.toml
[marketplaces.first]
source = "e/f"
[marketplaces.m]
ref = "x"
[plugins."p@m"]
enabled = true
"#,
    );
    let snapshot = read(&sandbox, &["plugins.p@m.enabled=false"], None);
    let rows: Vec<_> = snapshot
        .marketplaces()
        .iter()
        .map(|row| row.key.as_str())
        .collect();
    assert_eq!(rows, ["m", "n", "first"]);
    let origin = &snapshot.marketplaces()[0].origin;
    assert_eq!(origin.file, Some(sandbox.path("etc/config.toml")));
    assert_eq!(origin.place.unwrap().line, 2);
    let plugin = &snapshot.plugins()[0];
    assert_eq!(
        (plugin.enabled, &plugin.origin.source),
        (false, &LayerSource::SessionFlags)
    );
}

use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::{AbsPath, PluginId};
use plugd_testkit::{Fault, Sandbox, every_fault};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{WriteError, Written, check_file, plan, write};
use crate::{Edit, KeyPath, LastEdit, MarketplaceKind, Merge, SessionFlags, load};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn set(path: &str, value: Value) -> Edit {
    Edit::set(KeyPath::parse(path).unwrap(), value)
}

fn enable(id: &str) -> Edit {
    Edit::set_plugin_enabled(&PluginId::parse(id).unwrap(), true)
}

pub(crate) fn write_to(sandbox: &Sandbox, edits: &[Edit]) -> Result<Written, WriteError> {
    write(&Disk::new(), &sandbox.layout(), edits, None, PATIENCE)
}

/// Writes the edits into a home with this `config.toml`.
#[track_caller]
fn check(before: &str, edits: &[Edit], after: &str) {
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", before);
    let written = write_to(&sandbox, edits).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), after);
    assert_eq!(written.changed, before != after);
    assert_no_temporary_files(&sandbox);
}

#[track_caller]
pub(crate) fn assert_no_temporary_files(sandbox: &Sandbox) {
    let entries = Disk::new().list(&sandbox.codex_home()).unwrap();
    let names: Vec<_> = entries
        .iter()
        .map(|entry| entry.name.to_string_lossy().into_owned())
        .filter(|name| !["config.toml", "plugd.toml", "plugins"].contains(&name.as_str()))
        .collect();
    assert_eq!(names, [""; 0]);
}

/// The error of an edit that must leave the file alone.
#[track_caller]
fn refused(before: &str, edits: &[Edit]) -> WriteError {
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", before);
    let error = write_to(&sandbox, edits).unwrap_err();
    assert_eq!(sandbox.text("ch/config.toml"), before);
    assert_no_temporary_files(&sandbox);
    error
}

#[test]
fn installs_and_removals() {
    let id = PluginId::parse("p@m").unwrap();
    let installed = "# mine\n\n[plugins.\"p@m\"]\nenabled = true\n";
    check(
        "# mine\n",
        &[Edit::set_plugin_enabled(&id, true)],
        installed,
    );
    check(installed, &[Edit::set_plugin_enabled(&id, true)], installed);
    check(installed, &[Edit::remove_plugin(&id)], "# mine\n");
    check("", &[], "");
    let dotted = PluginId::parse("a.b@m").unwrap();
    check(
        "",
        &[Edit::set_plugin_enabled(&dotted, false)],
        "[plugins.\"a.b@m\"]\nenabled = false\n",
    );
}

#[test]
fn marketplaces() {
    let git = MarketplaceKind::Git {
        source: "https://x/y".to_owned(),
        ref_name: Some("main".to_owned()),
        sparse_paths: vec!["a".to_owned()],
    };
    let added = "[marketplaces.m]\nsource_type = \"git\"\nsource = \"https://x/y\"\nref = \"main\"\nsparse_paths = [\"a\"]\n";
    check("", &Edit::set_marketplace("m", &git), added);
    check(added, &[Edit::remove_marketplace("m")], "");
    let local = MarketplaceKind::Local {
        source: AbsPath::new("/srv/m").unwrap(),
    };
    check(
        "marketplaces = { o = { source = \"a/b\" }, m = { source_type = \"git\", source = \"x/y\", ref = \"z\", mine = 1 } }\n",
        &Edit::set_marketplace("m", &local),
        "marketplaces = { o = { source = \"a/b\" }, m = { source_type = \"local\", source = \"/srv/m\", mine = 1 } }\n",
    );
}

#[test]
fn a_new_file_is_private_and_an_old_one_keeps_its_mode_and_link() {
    let sandbox = Sandbox::new();
    let written = write_to(&sandbox, &[set("a", json!(1))]).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
    assert_eq!(sandbox.mode("ch/config.toml"), 0o600);
    assert_eq!(written.file, sandbox.path("ch/config.toml"));
    assert_eq!(written.before, [(KeyPath::parse("a").unwrap(), None)]);

    let sandbox = Sandbox::from(
        "== dot/real.toml (mode 644)\nx = 1\n== ch/config.toml -> ../dot/real.toml\n",
    );
    write_to(&sandbox, &[set("a", json!(1))]).unwrap();
    assert_eq!(sandbox.text("dot/real.toml"), "x = 1\na = 1\n");
    assert_eq!(sandbox.mode("dot/real.toml"), 0o644);
    let kind = Disk::new()
        .link_stamp(&sandbox.path("ch/config.toml"))
        .unwrap()
        .unwrap()
        .kind;
    assert_eq!(kind, plugd_disk::Kind::Link);
    assert_no_temporary_files(&sandbox);
}

#[test]
fn versions_follow_the_meaning() {
    let sandbox = Sandbox::new();
    let layer = || {
        let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
        snapshot.user_layer().version().to_owned()
    };
    let empty = layer();
    let disk = Disk::new();
    let edits = [set("a", json!(1))];
    let first = write(&disk, &sandbox.layout(), &edits, Some(&empty), PATIENCE).unwrap();
    assert_eq!(first.version(), layer());
    let error = write(&disk, &sandbox.layout(), &edits, Some(&empty), PATIENCE).unwrap_err();
    let WriteError::Stale { expected, found } = error else {
        panic!("{error}");
    };
    assert_eq!((expected, found), (empty.clone(), first.version()));
    let back = write_to(&sandbox, &[Edit::delete(KeyPath::parse("a").unwrap())]).unwrap();
    assert_eq!(back.version(), empty);
    assert_eq!(
        back.before,
        [(KeyPath::parse("a").unwrap(), Some(json!(1)))]
    );
}

#[test]
fn settings_go_to_their_own_file() {
    let sandbox = Sandbox::from("== ch/config.toml\nx = 1\n");
    let written = write_to(&sandbox, &[set("plugd.git", json!("command"))]).unwrap();
    assert_eq!(written.file, sandbox.path("ch/plugd.toml"));
    assert_eq!(sandbox.text("ch/plugd.toml"), "git = \"command\"\n");
    assert_eq!(sandbox.text("ch/config.toml"), "x = 1\n");
    let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
    assert_eq!(snapshot.settings_layers()[1].version(), written.version());
    let error = write_to(&sandbox, &[set("plugd.git", json!("svn"))]).unwrap_err();
    assert!(
        matches!(&error, WriteError::Invalid { field, .. } if field == "plugd.git"),
        "{error}"
    );
    let both = [set("plugd.git", json!("auto")), set("x", json!(2))];
    assert!(matches!(
        write_to(&sandbox, &both),
        Err(WriteError::TwoFiles)
    ));
}

#[test]
fn bad_values_are_refused_with_their_key() {
    for (path, value, field) in [
        ("features.plugins", json!("x"), "features.plugins"),
        ("features", json!(1), "features"),
        ("plugins.x@m.enabled", json!("y"), "plugins.\"x@m\".enabled"),
        ("plugins.x@m", json!(5), "plugins.\"x@m\""),
        (
            "plugins.x@m.mcp_servers",
            json!(5),
            "plugins.\"x@m\".mcp_servers",
        ),
        (
            "marketplaces.x.source_type",
            json!("zip"),
            "marketplaces.x.source_type",
        ),
        ("marketplaces.x", json!({"ref": 1}), "marketplaces.x.ref"),
        (
            "marketplaces.x.sparse_paths",
            json!(["a", 1]),
            "marketplaces.x.sparse_paths.1",
        ),
        ("a", json!([null]), "a.0"),
        ("a", json!(u64::MAX), "a"),
        ("x.y", json!(1), "x.y"),
    ] {
        let error = refused("x = 1\n", &[set(path, value)]);
        assert!(
            matches!(&error, WriteError::Invalid { field: f, .. } if f == field),
            "{error}"
        );
    }
}

#[test]
fn one_bad_edit_stops_all_of_them() {
    let edits = [set("a", json!(1)), set("features.plugins", json!("x"))];
    assert!(matches!(
        refused("x = 1\n", &edits),
        WriteError::Invalid { .. }
    ));
}

#[test]
fn what_was_wrong_before_does_not_stand_in_the_way() {
    let before = "[plugins.\"a@m\"]\nenabled = \"x\"\n";
    check(before, &[set("b", json!(1))], &format!("b = 1\n{before}"));
    check(
        before,
        &[enable("a@m")],
        "[plugins.\"a@m\"]\nenabled = true\n",
    );
    check(
        "",
        &[set("marketplaces.m.source_type", json!("git"))],
        "[marketplaces.m]\nsource_type = \"git\"\n",
    );
    check(
        "",
        &[set("unknown.key", json!({"a": [1.5]}))],
        "[unknown.key]\na = [1.5]\n",
    );
}

#[test]
fn what_was_wrong_before_is_mended_one_by_one() {
    let check = |before: &str, fixes: &[Edit], after: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", before);
        for fix in fixes {
            write_to(&sandbox, std::slice::from_ref(fix)).unwrap();
        }
        assert_eq!(sandbox.text("ch/config.toml"), after);
    };
    let delete = |key: &str| Edit::delete(KeyPath::parse(key).unwrap());
    check(
        "[mcp_servers.s]\ncommand = \"x\"\nauth = {}\nhttp_headers = {}\nbearer_token = \"t\"\n",
        &[
            delete("mcp_servers.s.http_headers"),
            delete("mcp_servers.s.bearer_token"),
            delete("mcp_servers.s.auth"),
        ],
        "[mcp_servers.s]\ncommand = \"x\"\n",
    );
    let set = |key: &str, value: &str| set(key, json!(value));
    check(
        "[model_providers.p]\naws = {}\n",
        &[
            set("model_providers.p.name", "x"),
            delete("model_providers.p.aws"),
        ],
        "[model_providers.p]\nname = \"x\"\n",
    );
    check(
        "[otel.exporter.otlp-http]\n",
        &[
            set("otel.exporter.otlp-http.endpoint", "x"),
            set("otel.exporter.otlp-http.protocol", "json"),
        ],
        "[otel.exporter.otlp-http]\nendpoint = \"x\"\nprotocol = \"json\"\n",
    );
}

#[test]
fn a_broken_file_is_left_alone() {
    let error = refused("a = 1\nb = \n", &[enable("p@m")]);
    let WriteError::Broken { path, problem } = error else {
        panic!("{error}");
    };
    assert!(path.to_text().ends_with("ch/config.toml"));
    let place = problem.place.unwrap();
    assert_eq!((place.line, place.column), (2, 5));
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", b"a = \"\xff\"");
    assert!(matches!(
        write_to(&sandbox, &[enable("p@m")]),
        Err(WriteError::Broken { .. })
    ));
    assert_eq!(sandbox.bytes("ch/config.toml"), b"a = \"\xff\"");
}

#[test]
fn a_directory_in_the_place_of_the_file_is_named_as_such() {
    let sandbox = Sandbox::from("== ch/config.toml/\n");
    let results = [
        write_to(&sandbox, &[enable("p@m")]).map(drop),
        plan(
            &Disk::new(),
            &sandbox.layout(),
            &[enable("p@m")],
            &LastEdit::default(),
        )
        .map(drop),
    ];
    for result in results {
        let error = result.unwrap_err();
        let text = error.to_string();
        let WriteError::Broken { path, problem } = error else {
            panic!("{text}");
        };
        assert_eq!(path, sandbox.path("ch/config.toml"));
        assert_eq!(problem.path, Some(path));
        assert_eq!(problem.kind, plugd_model::ProblemKind::NotAFile);
        assert!(text.contains("directory"), "{text}");
    }
}

#[test]
fn other_files_are_never_written() {
    let sandbox = Sandbox::from("== ch/config.toml\n== link -> ch\n");
    let layout = sandbox.layout();
    let key = KeyPath::parse("a").unwrap();
    let own = KeyPath::parse("plugd.git").unwrap();
    let file = |relative: &str, key: &KeyPath| {
        check_file(&Disk::new(), &layout, &sandbox.path(relative), key).is_ok()
    };
    assert!(file("ch/config.toml", &key) && file("link/config.toml", &key));
    assert!(file("ch/config.toml", &own) && file("ch/plugd.toml", &own));
    assert!(!file("ch/plugd.toml", &key) && !file("etc/config.toml", &key));
}

#[test]
fn newer_state_is_not_written_beside() {
    let sandbox = Sandbox::from("== ch/plugins/.plugd/version\n1\n");
    assert!(write_to(&sandbox, &[enable("p@m")]).is_ok());
    sandbox.write("ch/plugins/.plugd/version", "2\n");
    let error = write_to(&sandbox, &[enable("q@m")]).unwrap_err();
    assert!(
        matches!(error, WriteError::StateTooNew { found: 2 }),
        "{error}"
    );
    assert!(
        plan(
            &Disk::new(),
            &sandbox.layout(),
            &[enable("q@m")],
            &LastEdit::default()
        )
        .is_err()
    );
}

#[test]
fn a_held_lock_is_named() {
    let sandbox = Sandbox::new();
    let disk = Disk::new();
    let held = disk
        .try_lock(&sandbox.layout().lock("config"))
        .unwrap()
        .unwrap();
    let error = write(
        &disk,
        &sandbox.layout(),
        &[enable("p@m")],
        None,
        Duration::ZERO,
    )
    .unwrap_err();
    assert!(
        error.to_string().contains(&held.path().to_text()),
        "{error}"
    );
    drop(held);
    assert!(write_to(&sandbox, &[enable("p@m")]).is_ok());
}

#[test]
fn two_writers_lose_nothing() {
    let sandbox = Sandbox::from("== ch/config.toml\n# head\n");
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for number in 0..20 {
                    write_to(sandbox, &[enable(&format!("p{writer}-{number}@m"))]).unwrap();
                }
            });
        }
    });
    let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
    assert_eq!(snapshot.plugins().len(), 40);
    assert!(snapshot.plugins().iter().all(|plugin| plugin.enabled));
    assert!(
        sandbox
            .text("ch/config.toml")
            .starts_with("# head\n\n[plugins.")
    );
    assert_no_temporary_files(&sandbox);
}

#[test]
fn every_disk_error_leaves_the_old_text_or_the_new_one() {
    let old = "# c\na = 1\n";
    let new = "# c\na = 2\n";
    let reached = every_fault(Fault::from, |number, probe| {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", old);
        let edits = [set("a", json!(2))];
        let written = write(
            &probe.disk(),
            &sandbox.layout(),
            &edits,
            None,
            Duration::ZERO,
        );
        let text = sandbox.text("ch/config.toml");
        match written {
            Ok(_) => assert_eq!(text, new, "operation {number}"),
            Err(_) => assert!(text == old || text == new, "operation {number}: {text:?}"),
        }
        // Whatever is left lying about, the next writer works and cleans up.
        write_to(&sandbox, &edits).unwrap();
        assert_eq!(sandbox.text("ch/config.toml"), new);
        assert_no_temporary_files(&sandbox);
    });
    assert!(reached > 5, "{reached}");
}

#[test]
fn upserts_reach_the_file() {
    let edit = Edit {
        strategy: Merge::Upsert,
        ..set("plugins", json!({"q@m": {"enabled": false}}))
    };
    check(
        "[plugins.\"p@m\"]\nenabled = true\n",
        &[edit],
        "[plugins.\"p@m\"]\nenabled = true\n\n[plugins.\"q@m\"]\nenabled = false\n",
    );
}

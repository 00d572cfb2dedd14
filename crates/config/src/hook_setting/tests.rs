use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::HookState;
use crate::LayerSource;
use crate::snapshot::Snapshot;
use crate::snapshot::tests::{problems, read};

/// The states as `key enabled declaration/content`.
fn states(snapshot: &Snapshot) -> Vec<String> {
    let row = |state: &HookState| {
        let hash = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "-".to_owned());
        let (declaration, content) = (hash(&state.trusted_hash), hash(&state.trusted_content_hash));
        format!("{} {} {declaration}/{content}", state.key, state.enabled)
    };
    snapshot.hook_states().iter().map(row).collect()
}

#[track_caller]
fn check(config: &str, expected: &[&str], complaints: &[&str]) {
    let sandbox = Sandbox::from(&format!("== ch/config.toml\n{config}\n"));
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(states(&snapshot), expected, "{config}");
    assert_eq!(problems(&sandbox, &snapshot), complaints, "{config}");
}

#[test]
fn what_is_not_said_is_on_and_not_trusted() {
    check("", &[], &[]);
    check("[hooks]\nStop = []", &[], &[]);
    check("[hooks.state]", &[], &[]);
    check(
        "[hooks.state.\"p@m:hooks/hooks.json:stop:0:0\"]",
        &["p@m:hooks/hooks.json:stop:0:0 true -/-"],
        &[],
    );
    check(
        "[hooks.state]\nb = { enabled = false }\na = { trusted_hash = \"x\" }\n\
         c = { trusted_hash = \"x/y\", trusted_content_hash = \"z\", later = 1 }",
        &["b false -/-", "a true x/-", "c true x/y/z"],
        &[],
    );
}

#[test]
fn a_bad_row_trusts_nothing() {
    check(
        "[hooks.state]\na = 5\nb = { enabled = 1, trusted_hash = \"x\" }\n\
         c = { trusted_hash = 1, trusted_content_hash = 2 }\nd = { trusted_hash = \"x\" }",
        &["d true x/-"],
        &[
            "wrongType /ch/config.toml:2:5 hooks.state.a",
            "wrongType /ch/config.toml:3:17 hooks.state.b.enabled",
            "wrongType /ch/config.toml:4:22 hooks.state.c.trusted_hash",
            "wrongType /ch/config.toml:4:48 hooks.state.c.trusted_content_hash",
        ],
    );
    check("hooks = 5", &[], &["wrongType /ch/config.toml:1:9 hooks"]);
    check(
        "hooks.state = 5",
        &[],
        &["wrongType /ch/config.toml:1:15 hooks.state"],
    );
}

const LAYERS: &str = r#"
== etc/config.toml
[hooks.state.a]
trusted_hash = "system"
== ch/config.toml
[projects."$ROOT/p"]
trust_level = "trusted"
[hooks.state.a]
trusted_hash = "user"
== p/.git/HEAD
x
== p/.codex/config.toml
[hooks.state.a]
trusted_content_hash = "project"
[hooks.state.b]
trusted_hash = "project"
"#;

#[test]
fn the_users_layers_are_joined_member_by_member() {
    let sandbox = Sandbox::from(LAYERS);
    let snapshot = read(&sandbox, &["hooks.state.a.enabled=false"], Some("p"));
    assert_eq!(states(&snapshot), ["a false user/-"]);
    let origin = &snapshot.hook_states()[0].origin;
    assert_eq!(origin.source, LayerSource::SessionFlags);
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "unknownField /etc/config.toml:1:8 hooks.state",
            "unknownField /p/.codex/config.toml:1:8 hooks.state",
        ]
    );
}

use plugd_model::ProblemKind;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::snapshot::tests::{problems, read};
use crate::{GitBackend, KeyPath, LayerSource, TrustTier};

#[test]
fn settings_have_their_own_files() {
    let sandbox = Sandbox::from(
        r#"
== ch/config.toml
[plugd]
git = "libgit2"
[projects."$ROOT/p"]
trust_level = "trusted"
== etc/plugd.toml
keep_versions = 5
curated_sync = false
[trust]
mode = "strict"
== ch/plugd.toml
keep_versions = 3
refresh_login = "yes"
curated_url = "https://mirror/x.git"
typo = 1
[trust]
hold = []
== p/.git/HEAD
x
== p/.codex/plugd.toml
keep_versions = 9
[trust]
hold = ["apps"]
"#,
    );
    let snapshot = read(&sandbox, &["plugd.git=command"], Some("p"));
    let settings = snapshot.settings();
    assert_eq!((settings.keep_versions, settings.curated_sync), (3, false));
    assert_eq!(
        (settings.git, settings.refresh_login),
        (GitBackend::Command, false)
    );
    assert_eq!(
        settings.curated_url.as_deref(),
        Some("https://mirror/x.git")
    );
    let trust: Vec<_> = settings
        .trust
        .iter()
        .map(|rule| (rule.tier, rule.confirms, rule.holds.len()))
        .collect();
    assert_eq!(
        trust,
        [
            (TrustTier::Settings, true, 0),
            (TrustTier::Project, false, 1)
        ]
    );
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "unknownField /ch/config.toml:1:1 plugd",
            "unknownField /ch/plugd.toml:4:8 plugd.typo",
            "wrongType /ch/plugd.toml:2:17 plugd.refresh_login",
        ]
    );
    let effective = &snapshot.effective()["plugd"];
    assert_eq!(
        (&effective["git"], &effective["keep_versions"]),
        (&json!("command"), &json!(3))
    );
    assert_eq!(snapshot.settings_layers().len(), 4);
    let key = KeyPath::parse("plugd.git").unwrap();
    assert_eq!(
        snapshot.overridden(&key).unwrap().0.source,
        LayerSource::SessionFlags
    );
    let rows = snapshot.origins();
    let (_, layer) = rows
        .iter()
        .find(|(path, _)| path.plain() == "plugd.keep_versions")
        .unwrap();
    assert_eq!(layer.file, Some(sandbox.path("ch/plugd.toml")));
}

#[test]
fn settings_outside_their_range_are_defaults() {
    for (flag, kind) in [
        ("plugd.keep_versions=-1", ProblemKind::BadValue),
        ("plugd.keep_versions=\"x\"", ProblemKind::WrongType),
        ("plugd.git=svn", ProblemKind::BadValue),
        ("plugd.git=1", ProblemKind::WrongType),
        ("plugd.trust=1", ProblemKind::WrongType),
    ] {
        let snapshot = read(&Sandbox::new(), &[flag], None);
        assert_eq!(snapshot.settings().keep_versions, 2, "{flag}");
        assert_eq!(snapshot.settings().git, GitBackend::Auto, "{flag}");
        let kinds: Vec<_> = snapshot
            .problems()
            .iter()
            .map(|problem| problem.kind)
            .collect();
        assert_eq!(kinds, [kind], "{flag}");
    }
}

//! What moves a copy by itself, and what does not.

use plugd_model::{AbsPath, PluginId, Source, VersionSegment};
use plugd_store::{Pin, Provenance};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{Followed, follow, means_for_ever, source_of};
use crate::call::Call;
use crate::install::{Step, Target, step};
use crate::install_offer::install_offer;
use crate::install_why::Why;
use crate::obtain::{Supply, obtain};
use crate::standing::Standing;
use crate::status::{PluginOutcome, PluginResult};
use crate::{Copies, Lookup, Roots, fixture};

const HELLO: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"
[plugins."hello@demo"]
enabled = true
== demo/.agents/plugins/marketplace.json
{"name":"demo","plugins":[{"name":"hello","source":"./hello"}]}
== demo/hello/.codex-plugin/plugin.json
{"name":"hello","version":"1.0.0"}
== demo/hello/notes.md
first
"#;

struct Home {
    sandbox: Sandbox,
    lookup: Lookup,
    copies: Copies,
}

fn home(fixture: &str) -> Home {
    let sandbox = Sandbox::from(fixture);
    let (lookup, copies) = fixture::parts(&sandbox);
    Home {
        sandbox,
        lookup,
        copies,
    }
}

fn hello() -> PluginId {
    PluginId::parse("hello@demo").unwrap()
}

impl Home {
    fn follow(&self, cwds: &[&str]) -> Option<PluginResult> {
        let resolved = self.lookup.resolve(&Roots {
            cwds: cwds.iter().map(|cwd| self.sandbox.path(cwd)).collect(),
            manifests: Vec::new(),
        });
        let call = Call::detached();
        match follow(&call, &self.lookup, &self.copies, &resolved, &hello(), None) {
            Followed::Nothing => None,
            Followed::Result(result) => Some(result),
            Followed::Elsewhere(asked) => panic!("{asked:?}"),
        }
    }

    #[track_caller]
    fn check(&self, outcome: PluginOutcome, from: Option<&str>, to: &str) {
        let result = self.follow(&[]).unwrap();
        let told = result
            .problem
            .as_ref()
            .map(|problem| problem.message.clone());
        assert_eq!(
            (result.outcome, result.from.as_deref(), result.to.as_deref()),
            (outcome, from, Some(to)),
            "{told:?}"
        );
    }

    fn install(&self, manifest: &str) {
        let target = Target::Named {
            manifest: self.sandbox.path(manifest),
            plugin: "hello".to_owned(),
        };
        let call = Call::detached();
        let done = step(
            &call,
            &self.lookup,
            &self.copies,
            &target,
            Why::Request,
            None,
        )
        .unwrap();
        assert!(matches!(done, Step::Done(_)));
    }

    fn pin(&self, version: &str) {
        let pin = Pin {
            version: VersionSegment::new(version).unwrap(),
            commit: None,
            tree_digest: None,
            locks: Vec::new(),
        };
        let store = self.copies.store().unwrap();
        let seen = store.seen(&hello()).unwrap();
        store
            .set_pin(
                &hello(),
                Some(pin),
                &seen,
                std::time::Duration::from_secs(1),
            )
            .unwrap();
    }

    fn cached(&self, version: &str) -> AbsPath {
        self.sandbox
            .path(format!("ch/plugins/cache/demo/hello/{version}"))
    }

    fn notes(&self, version: &str) -> String {
        let path = format!("ch/plugins/cache/demo/hello/{version}/notes.md");
        self.sandbox.text(&path)
    }

    fn version(&self, version: &str) {
        self.sandbox.write(
            "demo/hello/.codex-plugin/plugin.json",
            format!(r#"{{"name":"hello","version":"{version}"}}"#),
        );
    }
}

const MANIFEST: &str = "demo/.agents/plugins/marketplace.json";

#[test]
fn a_configured_plugin_without_a_copy_is_brought_and_stays() {
    let home = home(HELLO);
    home.check(PluginOutcome::Installed, None, "1.0.0");
    home.check(PluginOutcome::Unchanged, Some("1.0.0"), "1.0.0");
    assert_eq!(home.notes("1.0.0"), "first\n");
}

#[test]
fn a_new_version_and_new_content_arrive() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.version("1.1.0");
    home.check(PluginOutcome::Updated, Some("1.0.0"), "1.1.0");
    home.sandbox.write("demo/hello/notes.md", "second\n");
    home.check(PluginOutcome::Updated, Some("1.1.0"), "1.1.0");
    assert_eq!(home.notes("1.1.0"), "second\n");
    assert!(!home.sandbox.exists("ch/plugins/cache/demo/hello/1.0.0"));
}

#[test]
fn what_a_refresh_leaves_out_is_told_as_long_as_it_is_so() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.sandbox
        .add("== demo/hello/gone -> nowhere\n== demo/hello/notes.md\nsecond\n");
    for outcome in [PluginOutcome::Updated, PluginOutcome::Unchanged] {
        let result = home.follow(&[]).unwrap();
        assert_eq!(result.outcome, outcome);
        let problem = result.problem.unwrap();
        assert_eq!(problem.path, Some(home.sandbox.path("demo/hello/gone")));
    }
    home.sandbox.remove("demo/hello/gone");
    home.check(PluginOutcome::Unchanged, Some("1.0.0"), "1.0.0");
}

#[test]
fn configuration_is_never_written() {
    let home = home(&HELLO.replace("enabled = true", "enabled = false # off"));
    let before = home.sandbox.text("ch/config.toml");
    home.check(PluginOutcome::Installed, None, "1.0.0");
    home.version("1.1.0");
    home.check(PluginOutcome::Updated, Some("1.0.0"), "1.1.0");
    assert_eq!(home.sandbox.text("ch/config.toml"), before);
}

#[test]
fn an_empty_version_directory_is_repaired() {
    let home = home(HELLO);
    home.sandbox.add("== ch/plugins/cache/demo/hello/1.0.0/\n");
    home.check(PluginOutcome::Updated, Some("1.0.0"), "1.0.0");
    assert_eq!(home.notes("1.0.0"), "first\n");
}

#[test]
fn a_pinned_plugin_stays_and_says_so() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.pin("1.0.0");
    home.version("1.1.0");
    home.check(PluginOutcome::HeldBack, Some("1.0.0"), "1.1.0");
    assert!(home.sandbox.exists("ch/plugins/cache/demo/hello/1.0.0"));
}

#[test]
fn a_foreign_copy_with_the_same_content_is_adopted_in_place() {
    let home = home(HELLO);
    home.sandbox.add(
        "== ch/plugins/cache/demo/hello/1.0.0/.codex-plugin/plugin.json\n\
         {\"name\":\"hello\",\"version\":\"1.0.0\"}\n\
         == ch/plugins/cache/demo/hello/1.0.0/notes.md\nfirst\n",
    );
    home.check(PluginOutcome::Unchanged, Some("1.0.0"), "1.0.0");
    let copy = home.copies.store().unwrap().get(&hello()).unwrap().unwrap();
    assert_eq!(copy.provenance, Provenance::Recorded);
    assert_eq!(copy.root, home.cached("1.0.0"));
}

#[test]
fn equal_content_keeps_its_commit_when_the_source_does_not_know_it_any_more() {
    let home = home(HELLO);
    home.install(MANIFEST);
    let store = home.copies.store().unwrap();
    let seen = store.get(&hello()).unwrap().unwrap().seen;
    let patience = std::time::Duration::from_secs(1);
    store.note_commit(&hello(), &seen, "abc", patience).unwrap();
    // Another program puts the same in its place.
    let manifest = home.sandbox.text("demo/hello/.codex-plugin/plugin.json");
    home.sandbox.remove("ch/plugins/cache/demo/hello");
    home.sandbox.add(&format!(
        "== ch/plugins/cache/demo/hello/1.0.0/.codex-plugin/plugin.json\n{manifest}\
         == ch/plugins/cache/demo/hello/1.0.0/notes.md\nfirst\n",
    ));
    home.check(PluginOutcome::Unchanged, Some("1.0.0"), "1.0.0");
    let copy = store.get(&hello()).unwrap().unwrap();
    let record = copy.provenance_record().unwrap();
    assert_eq!(record.commit.as_deref(), Some("abc"));
}

#[test]
fn a_foreign_copy_with_other_content_is_brought_to_its_source_once() {
    let home = home(HELLO);
    let foreign = "== ch/plugins/cache/demo/hello/1.0.0/notes.md\nforeign\n";
    home.sandbox.add(foreign);
    home.check(PluginOutcome::Updated, Some("1.0.0"), "1.0.0");
    assert_eq!(home.notes("1.0.0"), "first\n");
    // Who replaces it again is not fought.
    home.sandbox.remove("ch/plugins/cache/demo/hello");
    home.sandbox.add(foreign);
    home.check(PluginOutcome::HeldBack, Some("1.0.0"), "1.0.0");
    assert_eq!(home.notes("1.0.0"), "foreign\n");
}

#[test]
fn a_policy_that_forbids_installation_holds_back() {
    let home = home(&HELLO.replace(
        r#""source":"./hello""#,
        r#""source":"./hello","policy":{"installation":"NOT_AVAILABLE"}"#,
    ));
    home.check(PluginOutcome::HeldBack, None, "1.0.0");
    assert!(!home.sandbox.exists("ch/plugins/cache/demo/hello"));
}

#[test]
fn a_source_that_cannot_be_used_leaves_the_copy_alone() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.sandbox
        .write("demo/hello/.codex-plugin/plugin.json", "{nonsense");
    let result = home.follow(&[]).unwrap();
    assert_eq!(result.outcome, PluginOutcome::Failed);
    assert!(result.problem.is_some());
    assert_eq!(home.notes("1.0.0"), "first\n");
}

const TAKEOVER: &str = r#"
== a/.agents/plugins/marketplace.json
{"name":"demo","plugins":[{"name":"hello","source":"./hello"}]}
== a/hello/.codex-plugin/plugin.json
{"name":"hello","version":"9.9.9"}
== a/hello/notes.md
evil
"#;

#[test]
fn a_directory_that_somebody_stands_in_never_replaces_a_copy() {
    let home = home(&format!("{}{}", HELLO, TAKEOVER.trim_start()));
    home.install(MANIFEST);
    let result = home.follow(&["a"]).unwrap();
    assert_eq!(result.outcome, PluginOutcome::Unchanged);
    assert_eq!(home.notes("1.0.0"), "first\n");
}

#[test]
fn a_directory_that_somebody_stands_in_never_fills_a_gap() {
    let only_there = "== ch/config.toml\n[plugins.\"hello@demo\"]\nenabled = true\n";
    let home = home(&format!("{}{}", only_there, TAKEOVER.trim_start()));
    assert_eq!(home.follow(&["a"]), None);
    assert!(!home.sandbox.exists("ch/plugins/cache"));
}

#[test]
fn a_plugin_installed_from_a_directory_by_request_follows_that_directory() {
    let home = home(&format!("{}{}", HELLO, TAKEOVER.trim_start()));
    home.install("a/.agents/plugins/marketplace.json");
    assert_eq!(home.notes("9.9.9"), "evil\n");
    // Without that directory in sight nothing is its source.
    assert_eq!(home.follow(&[]), None);
    home.sandbox.write("a/hello/notes.md", "more\n");
    assert_eq!(home.follow(&["a"]).unwrap().outcome, PluginOutcome::Updated);
    assert_eq!(home.notes("9.9.9"), "more\n");
}

#[test]
fn a_copy_that_vanished_is_fetched_from_where_it_came_from() {
    let home = home(&format!("{}{}", HELLO, TAKEOVER.trim_start()));
    home.install("a/.agents/plugins/marketplace.json");
    home.sandbox.remove("ch/plugins/cache/demo");
    // The configured marketplace of the same name is not where it came from.
    assert_eq!(home.follow(&[]), None);
    let result = home.follow(&["a"]).unwrap();
    assert_eq!(result.outcome, PluginOutcome::Installed);
    assert_eq!(home.notes("9.9.9"), "evil\n");
}

#[test]
fn a_pin_outlives_the_copy() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.pin("1.0.0");
    home.sandbox.remove("ch/plugins/cache/demo");
    home.version("1.1.0");
    home.check(PluginOutcome::HeldBack, None, "1.1.0");
    home.version("1.0.0");
    home.check(PluginOutcome::Installed, None, "1.0.0");
}

#[test]
fn a_pin_that_another_program_overwrote_is_told_and_not_accepted() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.pin("1.0.0");
    home.version("1.1.0");
    home.sandbox.remove("ch/plugins/cache/demo/hello");
    home.sandbox.add(
        "== ch/plugins/cache/demo/hello/1.1.0/.codex-plugin/plugin.json\n\
         {\"name\":\"hello\",\"version\":\"1.1.0\"}\n\
         == ch/plugins/cache/demo/hello/1.1.0/notes.md\nfirst\n",
    );
    let result = home.follow(&[]).unwrap();
    assert_eq!(result.outcome, PluginOutcome::HeldBack);
    assert_eq!(
        result.problem.unwrap().kind,
        plugd_model::ProblemKind::Drift
    );
}

#[test]
fn an_update_by_another_program_is_no_drift() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.version("1.1.0");
    home.check(PluginOutcome::Updated, Some("1.0.0"), "1.1.0");
    home.sandbox.remove("ch/plugins/cache/demo/hello");
    home.sandbox
        .add("== ch/plugins/cache/demo/hello/1.2.0/notes.md\nfrom another program\n");
    home.version("1.3.0");
    home.check(PluginOutcome::Updated, Some("1.2.0"), "1.3.0");
}

#[test]
fn a_changed_fallback_manifest_arrives() {
    let entry = |text: &str| {
        format!(
            r#"{{"name":"demo","plugins":[{{"name":"hello","source":"./hello","version":"1.0.0","description":"{text}"}}]}}"#
        )
    };
    let home = home(HELLO);
    home.sandbox.remove("demo/hello/.codex-plugin");
    home.sandbox.write(MANIFEST, entry("old"));
    home.check(PluginOutcome::Installed, None, "1.0.0");
    home.check(PluginOutcome::Unchanged, Some("1.0.0"), "1.0.0");
    home.sandbox.write(MANIFEST, entry("brand new"));
    home.check(PluginOutcome::Updated, Some("1.0.0"), "1.0.0");
    let manifest = "ch/plugins/cache/demo/hello/1.0.0/.codex-plugin/plugin.json";
    assert!(home.sandbox.text(manifest).contains("brand new"));
}

#[test]
fn a_decision_is_not_carried_out_on_another_state() {
    let home = home(&format!("{}{}", HELLO, TAKEOVER.trim_start()));
    home.install(MANIFEST);
    home.version("1.1.0");
    let store = home.copies.store().unwrap();
    let standing = Standing::of(store, &hello()).unwrap();
    // Somebody installs it from elsewhere between the look and the lock.
    home.install("a/.agents/plugins/marketplace.json");
    let resolved = home.lookup.resolve(&Roots::default());
    let offer = source_of(&resolved, &standing, &hello()).unwrap();
    let why = Why::Configured {
        scopes: &resolved.scopes,
        repaired_from: None,
    };
    let call = Call::detached();
    let Ok(Supply::Here(content)) = obtain(&home.lookup, &offer, None) else {
        panic!("it is on this disk");
    };
    let (lookup, copies) = (&home.lookup, &home.copies);
    let late = install_offer(&call, lookup, copies, &offer, content, why, &standing);
    assert!(late.unwrap_err().is_superseded());
    assert_eq!(home.notes("9.9.9"), "evil\n");
}

/// Not even when the copy goes while it is compared: that is decided anew and no broken plugin.
#[test]
fn a_copy_that_goes_while_it_is_read_was_decided_on_another_state() {
    let home = home(HELLO);
    home.install(MANIFEST);
    let (lookup, copies) = (&home.lookup, &home.copies);
    let store = copies.store().unwrap();
    let standing = Standing::of(store, &hello()).unwrap();
    let resolved = lookup.resolve(&Roots::default());
    let offer = source_of(&resolved, &standing, &hello()).unwrap();
    let call = Call::detached();
    let Ok(Supply::Here(content)) = obtain(lookup, &offer, None) else {
        panic!("it is on this disk");
    };
    crate::uninstall::remove(&call, lookup, store, hello()).unwrap();
    let why = Why::Request;
    let late = install_offer(&call, lookup, copies, &offer, content, why, &standing);
    let error = late.unwrap_err();
    assert!(error.is_superseded(), "{error:?}");
}

#[test]
fn a_bound_marketplace_that_is_broken_is_told() {
    let home = home(HELLO);
    home.install(MANIFEST);
    home.sandbox.write(MANIFEST, "{nonsense");
    let result = home.follow(&[]).unwrap();
    assert_eq!(result.outcome, PluginOutcome::Failed);
    assert_eq!(
        result.problem.unwrap().kind,
        plugd_model::ProblemKind::Syntax
    );
}

#[test]
fn a_source_elsewhere_is_asked_for_when_it_may_mean_something_else() {
    let home = home(HELLO);
    let entry = |source: &str| {
        format!(r#"{{"name":"demo","plugins":[{{"name":"hello","source":{source}}}]}}"#)
    };
    let asked = |home: &Home| {
        let resolved = home.lookup.resolve(&Roots::default());
        let call = Call::detached();
        match follow(&call, &home.lookup, &home.copies, &resolved, &hello(), None) {
            Followed::Elsewhere(asked) => asked,
            other => panic!("{other:?}"),
        }
    };
    let git = r#"{"source":"url","url":"https://example.invalid/r.git"}"#;
    home.sandbox.write(MANIFEST, entry(git));
    let missing = asked(&home);
    assert_eq!((missing.from.as_deref(), missing.known), (None, None));
    // What is installed came from the directory that the entry named before.
    home.sandbox.write(MANIFEST, entry("\"./hello\""));
    home.install(MANIFEST);
    home.sandbox.write(MANIFEST, entry(git));
    let moved = asked(&home);
    assert_eq!((moved.from.as_deref(), moved.known), (Some("1.0.0"), None));
}

#[test]
fn commits_and_exact_versions_mean_one_thing_for_ever() {
    let git = |sha: Option<&str>| Source::Git {
        url: "https://example.invalid/r.git".to_owned(),
        path: None,
        ref_name: Some("main".to_owned()),
        sha: sha.map(str::to_owned),
    };
    let npm = |version: Option<&str>| Source::Npm {
        package: "p".to_owned(),
        version: version.map(str::to_owned),
        registry: None,
    };
    let check = |source: Source, known: &str, expected: bool| {
        assert_eq!(means_for_ever(&source, known), expected, "{source:?}");
    };
    check(git(Some("ABCD")), "abcdef", true);
    check(git(Some("abce")), "abcdef", false);
    check(git(None), "abcdef", false);
    check(npm(Some("1.2.3")), "1.2.3", true);
    check(npm(Some("^1.2.3")), "1.2.3", false);
    check(npm(Some("latest")), "1.2.3", false);
    check(npm(None), "1.2.3", false);
    let digest = format!("sha256:{}", "ab".repeat(32));
    let oci = |text: &str| Source::Oci {
        reference: plugd_model::OciReference::parse(text).unwrap(),
    };
    check(oci("oci://h/a:1"), &digest, false);
    check(oci(&format!("oci://h/a:1@{digest}")), &digest, true);
}

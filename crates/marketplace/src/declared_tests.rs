//! One test per part of the rules about the hosted catalog.

use plugd_config::SessionFlags;
use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_model::RemoteMarketplace;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::{Gate, Login, MarketplaceResolver, ResolveInput, Scope};

/// The gates of the curated catalog, the user's own plugins, the workspace's directory and what is
/// shared, as seen from some directories.
#[track_caller]
fn check(fixture: &str, cwds: &[&str], login: Login, expected: [Option<Gate>; 4]) {
    let sandbox = Sandbox::from(fixture);
    let (layout, loader) = (sandbox.layout(), Loader::new(Disk::new()));
    let flags = SessionFlags::none();
    let cwds: Vec<_> = cwds.iter().map(|cwd| sandbox.path(cwd)).collect();
    let load = |cwd| plugd_config::load(loader.disk(), &layout, &flags, cwd);
    let configs: Vec<_> = cwds.iter().map(|cwd| load(Some(cwd))).collect();
    let scopes: Vec<_> = configs
        .iter()
        .zip(&cwds)
        .map(|(config, cwd)| Scope {
            config,
            cwd: Some(cwd),
        })
        .collect();
    let set = MarketplaceResolver::new(&loader).resolve(&ResolveInput {
        layout: &layout,
        home: None,
        scopes: &scopes,
        manifests: &[],
        login,
        beside_catalog: false,
        staged: None,
    });
    let order: Vec<_> = set.declared().iter().map(|one| one.marketplace).collect();
    assert_eq!(order, RemoteMarketplace::ALL);
    let gates: Vec<_> = set.declared().iter().map(super::Declared::gate).collect();
    assert_eq!(gates, expected);
    let open = set.declared().iter().map(super::Declared::is_open);
    assert_eq!(
        open.collect::<Vec<_>>(),
        expected.map(|gate| gate.is_none())
    );
}

/// A user's configuration with these lines, and the directory `x`.
#[track_caller]
fn check_user(lines: &str, login: Login, expected: [Option<Gate>; 4]) {
    let fixture = format!("== ch/config.toml\n{lines}\n== x/\n");
    check(&fixture, &["x"], login, expected);
}

#[test]
fn rule_7_with_a_login_everything_is_open() {
    check_user("", Login::ChatGpt, [None; 4]);
}

#[test]
fn rule_7_plugins_off_closes_everything_and_is_told_first() {
    let all = [Some(Gate::PluginsOff); 4];
    let lines = "chatgpt_base_url = 'http://a.example'\n[features]\nplugins = false\n\
                 remote_plugin = false\nplugin_sharing = false";
    check_user(lines, Login::None, all);
    check_user("[features]\nplugins = false", Login::ChatGpt, all);
}

#[test]
fn rule_7_each_marketplace_has_its_own_switch() {
    let off = Some(Gate::RemotePluginOff);
    let lines = "[features]\nremote_plugin = false";
    check_user(lines, Login::ChatGpt, [off, off, None, None]);
    let unshared = Some(Gate::PluginSharingOff);
    let lines = "[features]\nplugin_sharing = false";
    check_user(lines, Login::ChatGpt, [None, None, None, unshared]);
}

#[test]
fn rule_7_switches_are_told_before_the_login() {
    let (off, none) = (Some(Gate::RemotePluginOff), Some(Gate::NoLogin));
    let lines = "[features]\nremote_plugin = false";
    check_user(lines, Login::None, [off, off, none, none]);
}

#[test]
fn rule_7_only_a_chatgpt_login_opens_anything() {
    check_user("", Login::None, [Some(Gate::NoLogin); 4]);
    check_user("", Login::ApiKey, [Some(Gate::ApiKey); 4]);
}

#[test]
fn rule_7_without_a_safe_address_nobody_is_asked() {
    let lines = "chatgpt_base_url = 'http://a.example'";
    check_user(lines, Login::ChatGpt, [Some(Gate::NoAddress); 4]);
    check_user(lines, Login::None, [Some(Gate::NoLogin); 4]);
}

const PROJECTS: &str = r#"
== ch/config.toml
[projects."$ROOT/p"]
trust_level = "trusted"
[projects."$ROOT/s"]
trust_level = "trusted"
== p/.git/HEAD
x
== p/.codex/config.toml
[features]
plugins = false
== s/.git/HEAD
x
== s/.codex/config.toml
[features]
plugin_sharing = false
== q/
"#;

#[test]
fn rule_8_one_scope_that_opens_is_enough() {
    check(PROJECTS, &["p", "q"], Login::ChatGpt, [None; 4]);
    check(PROJECTS, &["s", "q"], Login::ChatGpt, [None; 4]);
}

#[test]
fn rule_8_otherwise_the_first_scope_says_why() {
    let (off, unshared) = (Some(Gate::PluginsOff), Some(Gate::PluginSharingOff));
    check(PROJECTS, &["p"], Login::ChatGpt, [off; 4]);
    let login = Login::ChatGpt;
    check(PROJECTS, &["p", "s"], login, [None, None, None, off]);
    check(PROJECTS, &["s", "p"], login, [None, None, None, unshared]);
    check(PROJECTS, &[], login, [off; 4]);
}

//! What a host gets of installed plugins, with and without a lease.

use plugd_model::AbsPath;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{Components, ComponentsRequest, Gathered, gather};
use crate::active::active_plugins;
use crate::call::Call;
use crate::hooks_list::{Trust, hooks_seen};
use crate::skills_list::installed_copies;
use crate::{Copies, Error, Leases, Lookup, fixture};

/// Two plugins in the cache, one of them switched off, and one that does not load.
const HOME: &str = r#"
== ch/config.toml
[plugins."a@m"]
[plugins."off@m"]
enabled = false
[plugins."bad@m"]
[plugins."gone@m"]
== ch/plugins/cache/m/a/1.0.0/.codex-plugin/plugin.json
{"name": "a", "description": "Long", "interface": {"displayName": "Plugin A"}}
== ch/plugins/cache/m/a/1.0.0/skills/s/SKILL.md
---
name: s
description: Does s
---
== ch/plugins/cache/m/a/1.0.0/.mcp.json
{"srv": {"command": "./run.sh"}}
== ch/plugins/cache/m/a/1.0.0/run.sh (mode 755)
echo
== ch/plugins/cache/m/a/1.0.0/.app.json
{"apps": {"drive": {"id": "connector_1"}}}
== ch/plugins/cache/m/off/1.0.0/.codex-plugin/plugin.json
{"name": "off"}
== ch/plugins/cache/m/bad/1.0.0/.codex-plugin/plugin.json
{"name":
"#;

struct Home {
    sandbox: Sandbox,
    lookup: Lookup,
    copies: Copies,
}

impl Home {
    fn new(fixture: &str) -> Self {
        let sandbox = Sandbox::from(fixture);
        let (lookup, copies) = fixture::parts(&sandbox);
        Self {
            sandbox,
            lookup,
            copies,
        }
    }

    fn gather(&self, lease: bool) -> Gathered {
        let request = ComponentsRequest { cwd: None, lease };
        let store = self.copies.store().unwrap();
        gather(&Call::detached(), &self.lookup, store, &[], &request).unwrap()
    }

    fn shown(&self, path: &AbsPath) -> String {
        let root = self.sandbox.root().to_text();
        path.to_text().replace(&root, "$ROOT")
    }
}

fn skills(found: &Components) -> Vec<String> {
    let skills = found.skills.iter();
    let skills = skills.map(|one| format!("{} {}", one.skill.name, one.enabled));
    skills.collect()
}

#[test]
fn what_is_installed_switched_on_and_loads() {
    let home = Home::new(HOME);
    let Gathered {
        components: found,
        offerings,
        ..
    } = home.gather(false);
    let ids: Vec<_> = found.plugins.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["a@m"]);
    let plugin = &found.plugins[0];
    assert_eq!(plugin.display_name, "Plugin A");
    assert_eq!(plugin.description.as_deref(), Some("Long"));
    assert_eq!(home.shown(&plugin.root), "$ROOT/ch/plugins/cache/m/a/1.0.0");
    assert_eq!(home.shown(&plugin.data_dir), "$ROOT/ch/plugins/data/a-m");
    assert_eq!(plugin.tree_digest, None);
    assert_eq!(skills(&found), ["a:s true"]);
    let roots: Vec<_> = found
        .skill_roots
        .iter()
        .map(|root| home.shown(&root.path))
        .collect();
    assert_eq!(roots, ["$ROOT/ch/plugins/cache/m/a/1.0.0/skills"]);
    assert_eq!(found.servers[0].resolved.name, "srv");
    assert_eq!(found.apps[0].app.id, "connector_1");
    let problems: Vec<_> = found.problems.iter().map(|one| one.kind.word()).collect();
    assert_eq!(problems, ["syntax"]);
    assert_eq!(offerings.len(), 1);
    assert_eq!(offerings[0].skills, ["a:s"]);
    assert_eq!(offerings[0].servers, ["srv"]);
    assert_eq!(offerings[0].apps, ["drive"]);
}

#[test]
fn with_a_lease_every_path_of_a_plugin_is_one_that_nobody_changes() {
    let home = Home::new(HOME);
    let gathered = home.gather(true);
    let found = &gathered.components;
    let plugin = &found.plugins[0];
    let digest = plugin.tree_digest.unwrap();
    let tree = format!("$ROOT/ch/plugins/.plugd/trees/{}", digest.hex());
    assert_eq!(home.shown(&plugin.root), tree);
    assert_eq!(
        home.shown(&found.skills[0].skill.path),
        format!("{tree}/skills/s/SKILL.md")
    );
    assert_eq!(
        home.shown(&found.skill_roots[0].path),
        format!("{tree}/skills")
    );
    let server = format!("{:?}", found.servers[0].resolved.transport);
    assert!(
        server.contains(&digest.hex()) && !server.contains("cache"),
        "{server}"
    );
    // Its data stays where it is for every version.
    assert_eq!(home.shown(&plugin.data_dir), "$ROOT/ch/plugins/data/a-m");
    let lease = gathered.lease.unwrap();
    assert!(lease.digests().contains(&digest));
    drop(lease);
    let path = format!("ch/plugins/.plugd/trees/{}", digest.hex());
    assert!(!home.sandbox.exists(&path));
}

#[test]
fn a_rule_about_a_cached_skill_counts_for_the_leased_one() {
    let rule = "[[skills.config]]\n\
                path = \"$ROOT/ch/plugins/cache/m/a/0.9.0/skills/s/SKILL.md\"\n\
                enabled = false\n[plugins.\"a@m\"]";
    let home = Home::new(&HOME.replacen("[plugins.\"a@m\"]", rule, 1));
    for lease in [false, true] {
        let gathered = home.gather(lease);
        assert_eq!(skills(&gathered.components), ["a:s false"]);
        assert_eq!(gathered.offerings[0].skills, [""; 0]);
    }
}

#[test]
fn nothing_counts_while_plugins_are_switched_off() {
    let home = Home::new(&HOME.replacen("[plugins", "[features]\nplugins = false\n[plugins", 1));
    assert_eq!(home.gather(false).components, Components::default());
}

#[test]
fn a_request_that_was_cancelled_holds_nothing() {
    let home = Home::new(HOME);
    let call = Call::detached();
    call.cancel.cancel();
    let request = ComponentsRequest {
        cwd: None,
        lease: true,
    };
    let store = home.copies.store().unwrap();
    let gathered = gather(&call, &home.lookup, store, &[], &request);
    assert!(matches!(gathered, Err(Error::Cancelled(_))));
    assert_eq!(store.leased_digests().unwrap().len(), 0);
}

#[test]
fn a_lease_lives_in_the_registry_until_it_is_taken() {
    let home = Home::new(HOME);
    let leases = Leases::new();
    let id = leases.keep(home.gather(true).lease.unwrap());
    let store = home.copies.store().unwrap();
    assert_eq!(store.leased_digests().unwrap().len(), 1);
    drop(leases);
    assert_eq!(store.leased_digests().unwrap().len(), 0);
    assert!(!id.is_empty());
}

#[test]
fn the_first_plugin_has_an_app() {
    let other = "== ch/plugins/cache/m/b/1.0.0/.codex-plugin/plugin.json\n{\"name\": \"b\"}\n\
                 == ch/plugins/cache/m/b/1.0.0/.app.json\n\
                 {\"apps\": {\"x\": {\"id\": \"connector_1\"}, \"y\": {\"id\": \"connector_2\"}}}\n";
    let config = "[plugins.\"b@m\"]\n[plugins.\"a@m\"]";
    let home = Home::new(&(HOME.replacen("[plugins.\"a@m\"]", config, 1) + other));
    let found = home.gather(false).components;
    let apps: Vec<_> = found
        .apps
        .iter()
        .map(|one| format!("{} {}", one.plugin, one.app.id))
        .collect();
    assert_eq!(apps, ["a@m connector_1", "b@m connector_2"]);
    let lost = &found.shadowed_apps[0];
    let lost = format!("{} {} {}", lost.app, lost.loser, lost.winner);
    assert_eq!(lost, "connector_1 b@m a@m");
}

#[test]
fn the_data_of_agent_plugins_lies_where_the_reference_keeps_it() {
    let portable = "== ch/plugins/cache/m/p/1.0.0/plugin.json\n\
        {\"$schema\": \"https://agent-plugins.org/schemas/1.0.0/plugin.schema.json\", \
         \"name\": \"p\", \"version\": \"1.0.0\", \"description\": \"d\"}\n";
    let config = "== ch/config.toml\n[plugins.\"p@m\"]\n";
    let home = Home::new(&format!("{config}{portable}"));
    let found = home.gather(false).components;
    // SHA-256 of `m`, a zero byte and `p`.
    let name = plugd_disk::tree::Digest::of_bytes(b"m\0p").hex();
    assert_eq!(
        home.shown(&found.plugins[0].data_dir),
        format!("$ROOT/ch/plugins/data/agent-plugins/{name}")
    );
}

const RESTRICTED: &str = "[marketplaces]\nrestrict_to_allowed_sources = true\n";

#[test]
fn nothing_is_handed_out_of_what_the_requirements_forbid() {
    let home = Home::new(HOME);
    let write = |text: &str| home.sandbox.write("etc/requirements.toml", text);
    write(RESTRICTED);
    let found = home.gather(false).components;
    assert!(found.plugins.is_empty() && found.skills.is_empty() && found.servers.is_empty());
    let told: Vec<_> = found.problems.iter().map(|one| one.kind.word()).collect();
    assert_eq!(told, ["policy", "policy"]);

    let config = "[marketplaces.m]\nsource_type = \"local\"\nsource = \"/srv/m\"\n\
                  [plugins.\"a@m\"]\n";
    home.sandbox.write("ch/config.toml", config);
    let row = "[marketplaces.allowed_sources.m]\nsource = \"local\"\npath = \"/srv/m\"\n";
    write(&format!("{RESTRICTED}{row}"));
    assert_eq!(home.gather(false).components.plugins.len(), 1);

    write("[features]\nplugins = false\n");
    assert!(home.gather(false).components.plugins.is_empty());
}

#[test]
fn a_working_tree_has_to_lie_where_sources_are_allowed() {
    let home = Home::new(
        "== tree/.codex-plugin/plugin.json\n{\"name\": \"a\"}\n\
         == ch/plugins/.plugd/links.json\n\
         {\"version\": 1, \"links\": {\"a@linked\": {\"path\": \"$ROOT/tree\"}}}\n",
    );
    let plugins = || {
        let found = home.gather(false).components;
        let kinds = found.problems.iter().map(|one| one.kind.word());
        (found.plugins.len(), kinds.collect::<Vec<_>>())
    };
    assert_eq!(plugins(), (1, vec![]));
    let write = |text: &str| {
        let text = home.sandbox.expand(text);
        home.sandbox.write("etc/requirements.toml", text);
    };
    write(RESTRICTED);
    assert_eq!(plugins(), (0, vec!["policy"]));
    let row = "[marketplaces.allowed_sources.m]\nsource = \"local\"\npath = \"$ROOT\"\n";
    write(&format!("{RESTRICTED}{row}"));
    assert_eq!(plugins(), (1, vec![]));
}

#[test]
fn plugins_bring_no_hooks_where_only_those_of_the_administrator_may_run() {
    let hooks = "== ch/plugins/cache/m/a/1.0.0/hooks/hooks.json\n\
                 {\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"x\"}]}]}}\n";
    let home = Home::new(&format!("{HOME}{hooks}"));
    let hooks = || {
        let (call, lookup) = (Call::detached(), &home.lookup);
        let config = lookup.config(None);
        let installed = installed_copies(&home.copies).unwrap();
        let active = active_plugins(lookup, &installed, &config);
        let mut trust = Trust::load(&call, lookup, &home.copies);
        hooks_seen(lookup, &config, &active.plugins, &mut trust)
            .hooks
            .len()
    };
    assert_eq!(hooks(), 1);
    let requirements = "allow_managed_hooks_only = true\n";
    home.sandbox.write("etc/requirements.toml", requirements);
    assert_eq!(hooks(), 0);
}

#[test]
fn a_server_that_the_requirements_do_not_name_is_off() {
    let home = Home::new(HOME);
    let servers = |requirements: &str| {
        home.sandbox.write("etc/requirements.toml", requirements);
        let found = home.gather(false).components;
        let kinds = found.problems.iter().map(|one| one.kind.word());
        (found.servers[0].enabled, kinds.collect::<Vec<_>>())
    };
    let row = |plugin: &str, command: &str| {
        let table = format!("[plugins.\"{plugin}\".mcp_servers.srv.identity]\n");
        format!("{table}command = \"{command}\"\n")
    };
    assert_eq!(servers(&row("a@m", "./run.sh")), (true, vec!["syntax"]));
    assert_eq!(
        servers(&row("a@m", "sh")),
        (false, vec!["syntax", "policy"])
    );
    assert_eq!(
        servers(&row("b@m", "./run.sh")),
        (false, vec!["syntax", "policy"])
    );
    assert_eq!(
        servers("[mcp_servers]\n"),
        (false, vec!["syntax", "policy"])
    );
}

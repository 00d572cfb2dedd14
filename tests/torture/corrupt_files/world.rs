//! A home that has everything, made by the daemon itself.

use plugd_testkit::service::{Item, PluginService};
use plugd_testkit::{Daemon, GitRepo, GitServer, Launch, OciRegistry, Sandbox};
use serde_json::{Value, json};

use crate::BINARY;

/// What the user has written, besides what installing adds.
const FILES: &str = r#"
== ch/AGENTS.md
Mine.
== ch/hooks.json
{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo user"}]}]}}
== ch/skills/mine/SKILL.md
---
name: mine
description: Mine
---
Of the user.
== home/.agents/skills/also/SKILL.md
---
name: also
description: Also mine
---
Of the user.
== desk/.git/HEAD
ref: refs/heads/main
== desk/.codex/config.toml
# Of the project.
[plugins."tools@demo"]
enabled = true
[marketplaces.project]
source_type = "local"
source = "$ROOT/desk/project"
== desk/.codex/hooks.json
{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo project"}]}]}}
== desk/.agents/skills/repo/SKILL.md
---
name: repo
description: Of the repository
---
Read me.
== desk/.agents/plugins/marketplace.json
{"name": "checkout", "plugins": [{"name": "near", "source": "./near"}]}
== desk/near/.codex-plugin/plugin.json
{"name": "near", "version": "1.0.0"}
== desk/project/.agents/plugins/marketplace.json
{"name": "project", "plugins": [{"name": "planned", "source": "./planned"}]}
== desk/project/planned/.codex-plugin/plugin.json
{"name": "planned", "version": "1.0.0"}
== demo/.agents/plugins/marketplace.json
{
  "name": "demo",
  "interface": {"displayName": "Demo"},
  "plugins": [
    {"name": "hello", "source": "./hello"},
    {"name": "tools", "source": "./tools"},
    {"name": "gone", "source": "./gone"},
    {"name": "extra", "source": "./extra"}
  ]
}
== demo/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "1.0.0"}
== demo/hello/skills/greet/SKILL.md
---
name: greet
description: Greets people
---
Say hello.
== demo/tools/.codex-plugin/plugin.json
{"name": "tools", "version": "2.1.0"}
== demo/tools/hooks/hooks.json
{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "${PLUGIN_ROOT}/run.sh"}]}]}}
== demo/tools/run.sh (mode 755)
#!/bin/sh
echo tools
== demo/tools/.mcp.json
{"mcpServers": {"files": {"command": "files", "args": ["--all"]}}}
== demo/tools/.app.json
{"apps": {"calendar": {"id": "calendar"}}}
== demo/tools/commands/review.md
---
description: Reviews
---
Review it.
== demo/gone/.codex-plugin/plugin.json
{"name": "gone", "version": "1.0.0"}
== demo/extra/.codex-plugin/plugin.json
{"name": "extra", "version": "1.0.0"}
== demo/extra/notes.md
Extra.
== tree/.codex-plugin/plugin.json
{"name": "tree", "version": "0.0.1"}
== tree/skills/grow/SKILL.md
---
name: grow
description: Grows
---
Grow it.
== team/.claude-plugin/marketplace.json
{"name": "team", "owner": {"name": "Team"}, "plugins": [{"name": "kit", "source": "./kit"}]}
== team/kit/plugin.json
{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",
 "name": "kit", "version": "0.1.0", "description": "A kit"}
== team/kit/skills/pack/SKILL.md
---
name: pack
description: Packs
---
Pack it.
"#;

/// A configuration as people keep one: with comments, and with tables of other programs.
const CONFIG: &str = r#"# The model that I like.
model = "large" # not the small one
chatgpt_base_url = "$SERVICE"

[tui] # of another program
theme = "dark"
colours = { text = "white", "odd key" = [1, 2, 3] }

[projects."$ROOT/desk"]
trust_level = "trusted"

[marketplaces.demo] # by hand
source_type = "local"
source = "$ROOT/demo"

[marketplaces.team]
source_type = "local"
source = "$ROOT/team"

[mcp_servers.mine]
command = "mine"
# The end.
"#;

/// The plugins of a catalog at the top of a repository.
fn repository(name: &str, plugin: &str, manifests: &[&str]) -> String {
    let catalog =
        json!({"name": name, "plugins": [{"name": plugin, "source": format!("./{plugin}")}]});
    let mut fixture = String::new();
    for manifest in manifests {
        fixture.push_str(&format!("== {manifest}\n{catalog}\n"));
    }
    let plugin_json = json!({"name": plugin, "version": "1.0.0"});
    fixture.push_str(&format!(
        "== {plugin}/.codex-plugin/plugin.json\n{plugin_json}\n\
         == {plugin}/skills/do/SKILL.md\n---\nname: do\ndescription: Does {plugin}\n---\nDo it.\n"
    ));
    fixture
}

/// The home, and what it is connected with. Everything is made once; a try restores it.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    _git: GitServer,
    _files: OciRegistry,
    _service: PluginService,
}

/// The directories that the loop damages files in and watches.
pub(super) const TOPS: [&str; 8] = ["ch", "home", "desk", "demo", "team", "tree", "cwd", "tmp"];

impl World {
    /// Makes it; no daemon runs in it afterwards.
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::from(FILES);
        let git = GitServer::start();
        let market = GitRepo::bare(&sandbox, "market.git");
        market.commit(&repository(
            "market",
            "tool",
            &[".agents/plugins/marketplace.json"],
        ));
        let official = GitRepo::bare(&sandbox, "official.git");
        official.commit(&repository(
            "openai-curated",
            "official",
            &[".agents/plugins/marketplace.json"],
        ));
        let files = OciRegistry::start();
        let packed = repository("packed", "wrap", &[".agents/plugins/marketplace.json"]);
        let packed = files.file("packed.tar.gz", &packed).0;
        let service = PluginService::start();
        let config = CONFIG.replace("$SERVICE", &service.base());
        sandbox.write("ch/config.toml", sandbox.expand(&config));
        let curated = git.serve("official.git", &official);
        sandbox.write(
            "ch/plugd.toml",
            format!("# Kept for a while.\nkeep_versions = 2\ncurated_url = \"{curated}\"\n"),
        );
        let url = git.serve("team/market.git", &market);
        let alpha = Item::new("alpha");
        let shared = Item::workspace("shared", "PRIVATE");
        let remote = json!({"remoteMarketplaceName": "x", "pluginName": alpha.id()});
        let checkout = json!({"remotePluginId": shared.id()});
        service.offer_plugin(alpha);
        service.offer_plugin(shared);
        // The snapshot is synchronised for somebody who has not logged in yet.
        let mut daemon = Launch::app_server(BINARY)
            .without_var("CODEX_DISABLE_CURATED_PLUGIN_SYNC")
            .start(&sandbox);
        greet(&mut daemon);
        finished(&mut daemon, "curatedSync");
        daemon.shut_down();
        service.login().write_to(&sandbox);
        let mut daemon = Launch::app_server(BINARY).start(&sandbox);
        greet(&mut daemon);
        finished(&mut daemon, "remoteSync");
        daemon.ok("marketplace/add", json!({"source": url}));
        install_local(&mut daemon);
        install(
            &mut daemon,
            "ch/.tmp/marketplaces/market/.agents/plugins/marketplace.json",
            "tool",
        );
        install_packed(&mut daemon, &packed);
        link_and_approve(&mut daemon);
        daemon.ok("plugin/install", remote);
        daemon.ok("plugin/share/checkout", checkout);
        trust_hooks(&mut daemon);
        // A listing writes what it has learned from the service.
        daemon.ok("plugin/list", json!({"cwds": ["$ROOT/desk"]}));
        daemon.ok("plugin/installed", json!({}));
        daemon.shut_down();
        // A session that dies with a lease in its hand.
        let mut daemon = Launch::app_server(BINARY).start(&sandbox);
        greet(&mut daemon);
        daemon.ok("plugd/components", json!({"lease": true}));
        daemon.kill();
        Self {
            sandbox,
            _git: git,
            _files: files,
            _service: service,
        }
    }
}

/// Greets as a client that listens.
pub(super) fn greet(daemon: &mut Daemon) {
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-torture", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
}

/// Waits until background work has gone well.
fn finished(daemon: &mut Daemon, kind: &str) {
    let task = daemon.wait_notification("plugd/task", |task| {
        task["kind"] == kind && task["state"] != "started"
    });
    assert_eq!(task["state"], "done", "{task:#}");
}

fn install(daemon: &mut Daemon, manifest: &str, plugin: &str) -> Value {
    let manifest = daemon.sandbox().path(manifest).to_text();
    daemon.ok(
        "plugin/install",
        json!({"marketplacePath": manifest, "pluginName": plugin}),
    )
}

/// Plugins of this machine, one of them in two versions.
fn install_local(daemon: &mut Daemon) {
    const DEMO: &str = "demo/.agents/plugins/marketplace.json";
    for plugin in ["hello", "tools", "gone"] {
        install(daemon, DEMO, plugin);
    }
    // A second version, so that the first one is kept.
    daemon.sandbox().write(
        "demo/hello/.codex-plugin/plugin.json",
        "{\"name\": \"hello\", \"version\": \"1.1.0\"}\n",
    );
    install(daemon, DEMO, "hello");
    install(daemon, "team/.claude-plugin/marketplace.json", "kit");
}

/// A marketplace that is an archive, with its plugin.
fn install_packed(daemon: &mut Daemon, address: &str) {
    let added = daemon.ok("marketplace/add", json!({"source": address}));
    let root = added["installedRoot"].as_str().unwrap();
    let manifest = format!("{root}/.agents/plugins/marketplace.json");
    let named = json!({"marketplacePath": manifest, "pluginName": "wrap"});
    daemon.ok("plugin/install", named);
}

/// A working tree in the place of a plugin, and a yes to some content.
fn link_and_approve(daemon: &mut Daemon) {
    daemon.ok("plugd/link", json!({"path": "$ROOT/tree"}));
    let digest = format!("sha256:{}", "0a".repeat(32));
    let approved = json!({"pluginId": "tools@demo", "digest": digest});
    daemon.ok("plugd/approve", approved);
}

/// Trusts every hook there is, as a user does who has looked at them.
fn trust_hooks(daemon: &mut Daemon) {
    let listed = daemon.ok("hooks/list", json!({"cwds": ["$ROOT/desk"]}));
    for hook in listed["data"][0]["hooks"].as_array().unwrap() {
        let state = json!({"trusted_hash": hook["currentHash"]});
        let table = json!({hook["key"].as_str().unwrap(): state});
        let params = json!({"keyPath": "hooks.state", "value": table, "mergeStrategy": "upsert"});
        daemon.ok("config/value/write", params);
    }
}

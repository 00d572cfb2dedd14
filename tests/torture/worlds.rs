//! The small world that operations work in: two local marketplaces, plugins with scripts, commands and
//! skills, a repository where one is needed, and a configuration that its user has written by hand.

use std::ffi::OsStr;

use plugd_disk::Disk;
use plugd_model::Environment;
use plugd_testkit::service::{Item, PluginService};
use plugd_testkit::{GitRepo, GitServer, OciRegistry, Sandbox};
use serde_json::json;

use crate::inside::{self, Session};
use crate::states::State;

/// A sandbox with what is outside of it.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    /// The address of the repository or archive, which `$URL` in params means, or that of the
    /// service.
    pub(crate) url: String,
    /// The account that the home is logged in to, where there is one.
    service: Option<PluginService>,
    /// What is in the repository or archive in some version.
    tree: Option<fn(&str) -> String>,
    /// Whether the curated sync is on.
    curated: bool,
    repo: Option<GitRepo>,
    server: Option<GitServer>,
    files: Option<OciRegistry>,
}

/// The archive.
const ARCHIVE: &str = "market.tar.gz";

/// The variable that is set in a sandbox unless an operation is about the curated sync.
pub(crate) const NO_CURATED_SYNC: &str = "CODEX_DISABLE_CURATED_PLUGIN_SYNC";

/// Written by hand: comments, foreign tables, both ends of lines, odd spaces, no last newline.
const CONFIG: &str = "# Mine. Do not touch.\r\n\
    model = \"m\" # the small one\r\n\
    approval_policy=\"never\"\r\n\
    \r\n\
    [tui]   # only colours\n\
    theme = 'dark'\n\
    \n\
    [marketplaces.demo] # by hand\n\
    source_type = \"local\"\n\
    source = \"$ROOT/demo\"\n\
    # The next one is not ours.\r\n\
    [foreign.\"a.b\"]\r\n\
    list = [ 1,\r\n  2, # two\r\n]\r\n\
    \n\
    [mcp_servers.mine]\n\
    command = \"run\"\n\
    # the end";

const WORLD: &str = r#"
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [
  {"name": "hello", "source": "./hello"},
  {"name": "tools", "source": "./tools"}
]}
== demo/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "1.0.0"}
== demo/hello/commands/greet.md
---
description: Greets somebody
---
Say hello to $ARGUMENTS.
== demo/hello/run.sh (mode 755)
echo hello
== demo/hello/skills/wave/SKILL.md
---
name: wave
description: Waves
---
Wave.
== demo/tools/.codex-plugin/plugin.json
{"name": "tools", "version": "2.1.0"}
== demo/tools/notes.md
tools
== other/.claude-plugin/marketplace.json
{"name": "other", "owner": {"name": "o"}, "plugins": [{"name": "far", "source": "./far"}]}
== other/far/.claude-plugin/plugin.json
{"name": "far", "version": "1.0.0"}
"#;

/// The same version with other content, one file more and one less.
pub(crate) const CHANGED: &str =
    "== demo/hello/run.sh (mode 755)\necho changed\n== demo/hello/more.md\nmore\n";

/// Another version.
pub(crate) const NEWER: &str = "== demo/hello/.codex-plugin/plugin.json\n\
    {\"name\": \"hello\", \"version\": \"2.0.0\"}\n";

/// A marketplace at the top of a repository.
pub(crate) fn repository(version: &str) -> String {
    format!(
        "== .agents/plugins/marketplace.json\n\
         {{\"name\": \"market\", \"plugins\": [{{\"name\": \"p\", \"source\": \"./p\"}}]}}\n\
         == p/.codex-plugin/plugin.json\n{{\"name\": \"p\", \"version\": \"{version}\"}}\n\
         == p/notes.md\n{version}\n"
    )
}

/// The official repository, as somebody sees it who has not logged in.
pub(crate) fn curated_repository(version: &str) -> String {
    let mut fixture = repository(version).replace("== .agents/plugins/marketplace.json", "== x");
    for (file, name) in [
        ("marketplace.json", "openai-curated"),
        ("api_marketplace.json", "openai-api-curated"),
    ] {
        let manifest = json!({"name": name, "plugins": [{"name": "p", "source": "./p"}]});
        fixture.push_str(&format!("== .agents/plugins/{file}\n{manifest}\n"));
    }
    fixture
}

/// What a world reaches outside of its sandbox.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outside {
    Nothing,
    /// A repository with what this makes of a version.
    Repository(fn(&str) -> String),
    /// An archive behind an address, with the same.
    Archive(fn(&str) -> String),
    /// The remote catalog, with an account.
    Account,
}

/// The plugin of the remote catalog.
const REMOTE: &str = "alpha";

impl World {
    /// A world with what it reaches in its first version.
    pub(crate) fn new(outside: Outside, curated: bool) -> Self {
        let sandbox = Sandbox::in_memory();
        sandbox.add(WORLD);
        sandbox.write("ch/config.toml", sandbox.expand(CONFIG));
        let mut world = Self {
            sandbox,
            url: String::new(),
            service: None,
            tree: None,
            curated,
            repo: None,
            server: None,
            files: None,
        };
        match outside {
            Outside::Nothing => {}
            Outside::Repository(tree) => {
                world.tree = Some(tree);
                world.serve(&tree("1.0.0"));
            }
            Outside::Archive(tree) => {
                world.tree = Some(tree);
                let files = OciRegistry::start();
                world.url = files.file(ARCHIVE, &tree("1.0.0")).0;
                world.files = Some(files);
            }
            Outside::Account => world.log_in(),
        }
        world
    }

    /// A daemon on the plain file system.
    pub(crate) fn session(&self) -> Session {
        self.session_on(Disk::new())
    }

    /// A daemon on this file system. What it asks an account for by itself is over.
    pub(crate) fn session_on(&self, disk: Disk) -> Session {
        let session = Session::on(self.sandbox.root(), self.environment(), disk);
        let mut session = session.with_url(&self.url);
        if self.service.is_some() {
            session.settle();
        }
        session
    }

    fn environment(&self) -> Environment {
        let mut environment = inside::environment(&self.sandbox);
        if self.curated {
            environment.vars.remove(OsStr::new(NO_CURATED_SYNC));
        }
        environment
    }

    pub(crate) fn state(&self) -> State {
        State::of(&self.sandbox, &self.url)
    }

    /// Writes a key of the configuration that no operation is about.
    pub(crate) fn write_config(&self) {
        let edit = json!({"keyPath": "tui.sound", "value": true, "mergeStrategy": "replace"});
        self.with(|session| drop(session.ok("config/value/write", edit)));
    }

    /// A new commit or archive that nobody has seen.
    pub(crate) fn commit(&self, version: &str) {
        let tree = self.tree.unwrap();
        if let Some(files) = &self.files {
            files.file(ARCHIVE, &tree(version));
            return;
        }
        self.repo.as_ref().unwrap().commit(&tree(version));
    }

    /// A version of the remote plugin that nobody has seen.
    pub(crate) fn publish(&self, version: &str) {
        let service = self.service.as_ref().unwrap();
        service.offer_plugin(Item::new(REMOTE).set("release/version", version));
    }

    /// The id of the remote plugin.
    pub(crate) fn remote_id() -> String {
        Item::new(REMOTE).id().to_owned()
    }

    fn log_in(&mut self) {
        let service = PluginService::start();
        self.url = service.base();
        let config = self.sandbox.text("ch/config.toml");
        let config = format!("chatgpt_base_url = \"{}\"\n{config}", self.url);
        let config = self.sandbox.expand(&config);
        self.sandbox.write("ch/config.toml", config);
        service.login().write_to(&self.sandbox);
        self.service = Some(service);
        self.publish("1.0.0");
    }

    fn serve(&mut self, tree: &str) {
        let repo = GitRepo::bare(&self.sandbox, "remote.git");
        repo.commit(tree);
        let server = GitServer::start();
        self.url = server.serve("team/market.git", &repo);
        self.repo = Some(repo);
        self.server = Some(server);
    }

    /// Does something with a daemon that has ended when this returns.
    pub(crate) fn with(&self, work: impl FnOnce(&mut Session)) {
        let mut session = self.session();
        work(&mut session);
        session.end();
    }
}

//! Serves hostile repositories and hostile answers of a git server to the daemon.
//!
//! Each kind comes in three ways: as a marketplace that is added, as the next commit of a marketplace
//! that was good and whose plugins are installed, and as the source of a plugin. Whatever it is, what
//! was there stays whole, nothing outside is read or changed, nothing is run, and as soon as the
//! repository is good again it is taken.

use std::time::Duration;

use plugd_testkit::{Daemon, GitRepo, GitServer, Launch, Sandbox};
use serde_json::{Value, json};

use crate::BINARY;
use crate::dice::Dice;
use crate::snapshot::{Node, Snapshot};
use crate::tally::{Scale, Tally};

mod kinds;

use kinds::{Content, Kind, every};

/// What must never come out.
const SECRET: &str = "uNsp0ken-91ab";

/// What a hostile repository tries to make: its existence means that something was run.
const PROOF: &str = "pwned";

/// How many tries the bounded form makes; the longer ones make all.
const BOUNDED: usize = 24;

/// How long one answer may take: a server that is silent is given up after a while.
const PATIENCE: Duration = Duration::from_secs(120);

/// The ways in which a repository comes to the daemon.
#[derive(Debug, Clone, Copy)]
enum Way {
    Added,
    Upgraded,
    Source,
}

const WAYS: [Way; 3] = [Way::Added, Way::Upgraded, Way::Source];

/// What fetches: the library in the worker, or the git command where there is one.
const BACKENDS: [&str; 2] = ["libgit2", "auto"];

const WORLD: &str = r#"
== ch/config.toml
[marketplaces.good]
source_type = "local"
source = "$ROOT/good"
== good/.agents/plugins/marketplace.json
{"name": "good", "plugins": [
  {"name": "good", "source": "./good"},
  {"name": "evil", "source": {"source": "url", "url": "$URL"}}
]}
== good/good/.codex-plugin/plugin.json
{"name": "good", "version": "1.0.0"}
== outside/secret.txt
$SECRET
== outside/marketplace.json
{"name": "bad", "interface": {"displayName": "$SECRET"}, "plugins": []}
== outside/plugin.json
{"name": "evil", "version": "1.0.0", "description": "$SECRET"}
== outside/SKILL.md
---
name: $SECRET
description: $SECRET
---
$SECRET
"#;

/// One repository behind a server, and a daemon beside it.
struct World {
    sandbox: Sandbox,
    repo: GitRepo,
    server: GitServer,
    url: String,
    outside: Snapshot,
}

/// Every kind in every way, or a sample of that.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let mut dice = Dice::new(scale.seed(), "hostile_git");
    let kinds = every();
    let mut tries: Vec<(&Kind, Way, &str)> = Vec::new();
    for kind in &kinds {
        for way in WAYS {
            for backend in BACKENDS {
                tries.push((kind, way, backend));
            }
        }
    }
    let all = tries.len();
    dice.shuffle(&mut tries);
    tries.truncate(scale.pick(BOUNDED, all));
    let mut refused = 0;
    for (kind, way, backend) in tries {
        tally.attempt(format!("{} {way:?} by {backend}", kind.name), || {
            refused += usize::from(World::new(backend).show(kind, way));
        });
    }
    tally.note(format!("of {all} ways to show {} kinds", kinds.len()));
    tally.note(format!("{refused} refused as a whole"));
    tally
}

impl World {
    fn new(backend: &str) -> Self {
        let sandbox = Sandbox::new();
        let repo = GitRepo::bare(&sandbox, "remote.git");
        let server = GitServer::start();
        let url = server.serve("team/market.git", &repo);
        sandbox.add(&WORLD.replace("$SECRET", SECRET).replace("$URL", &url));
        sandbox.add(&format!("== ch/plugd.toml\ngit = \"{backend}\"\n"));
        let outside = Snapshot::take(&sandbox, &["outside"]);
        Self {
            sandbox,
            repo,
            server,
            url,
            outside,
        }
    }

    /// One try; answers whether what was asked for was refused.
    fn show(&self, kind: &Kind, way: Way) -> bool {
        let mut daemon = Launch::app_server(BINARY)
            .var("PLUGD_LOG", "trace")
            .patience(PATIENCE)
            .start(&self.sandbox);
        daemon.initialize();
        let mut answers = Vec::new();
        if let Way::Upgraded = way {
            self.sound(1);
            daemon.ok("marketplace/add", json!({"source": self.url}));
            for plugin in ["evil", "fine"] {
                daemon.ok("plugin/install", of_checkout(plugin));
            }
        }
        self.commit(kind);
        let refused = self.ask(&mut daemon, way, &mut answers);
        for (method, params) in [
            ("plugin/list", json!({})),
            ("plugin/read", of_checkout("evil")),
            ("plugd/inspect", json!({"pluginId": "evil@bad"})),
            ("plugd/components", json!({"lease": true})),
            ("plugd/status", json!({})),
        ] {
            answers.push(daemon.call(method, params));
        }
        daemon.ok("plugin/install", of_good("good"));
        self.heal(&mut daemon, way);
        daemon.ok("plugd/gc", json!({"dryRun": false}));
        daemon.shut_down();
        self.check(&answers, &daemon.stderr());
        refused
    }

    /// Puts the hostile kind behind the address.
    fn commit(&self, kind: &Kind) {
        match &kind.content {
            Content::Tree(tree) => {
                let (fixture, raw) = tree(&self.sandbox);
                self.repo.commit_raw("main", &fixture, &raw);
            }
            Content::Answer(request, behaviour) => {
                self.sound(2);
                let behaviour = behaviour(&self.sandbox);
                self.server.behave(*request, behaviour);
            }
        }
    }

    /// Asks for it, and for the plugins in it where it was taken.
    fn ask(&self, daemon: &mut Daemon, way: Way, answers: &mut Vec<Value>) -> bool {
        let answer = match way {
            Way::Added => daemon.call("marketplace/add", json!({"source": self.url})),
            Way::Upgraded => daemon.call("marketplace/upgrade", json!({})),
            Way::Source => daemon.call("plugin/install", of_good("evil")),
        };
        let refused = answer.get("error").is_some()
            || answer["result"]["errors"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty());
        answers.push(answer);
        if let Way::Upgraded = way {
            // What was installed is whole, whatever came of it.
            let report = daemon.ok("plugd/verify", json!({}));
            let rows = report["plugins"].as_array().map(Vec::len);
            assert_eq!(
                (rows, &report["matches"]),
                (Some(2), &json!(true)),
                "{report:#}"
            );
        }
        if !refused && !matches!(way, Way::Source) {
            for plugin in ["evil", "fine"] {
                answers.push(daemon.call("plugin/install", of_checkout(plugin)));
            }
        }
        refused
    }

    /// A repository that is good again is taken, also by a home that has seen it bad.
    fn heal(&self, daemon: &mut Daemon, way: Way) {
        self.server.behave_well();
        self.sound(3);
        let version = match way {
            Way::Source => {
                self.repo.commit(
                    "== .codex-plugin/plugin.json\n{\"name\": \"evil\", \"version\": \"3.0.0\"}\n",
                );
                daemon.ok("plugin/install", of_good("evil"));
                "ch/plugins/cache/good/evil/3.0.0"
            }
            Way::Added | Way::Upgraded => {
                let known = self.sandbox.exists("ch/.tmp/marketplaces/bad");
                let (method, params) = match known {
                    true => ("marketplace/upgrade", json!({})),
                    false => ("marketplace/add", json!({"source": self.url})),
                };
                daemon.ok(method, params);
                daemon.ok("plugin/install", of_checkout("evil"));
                "ch/plugins/cache/bad/evil/3.0.0"
            }
        };
        assert!(self.sandbox.exists(version), "{version} did not come");
    }

    /// Makes the repository a good one, with plugins of this version.
    fn sound(&self, version: u32) {
        self.repo.commit(&kinds::sound(version));
    }

    /// Nothing of the outside came in or was changed, nothing was run, and no half is left.
    fn check(&self, answers: &[Value], stderr: &str) {
        let everything = Snapshot::take(&self.sandbox, &["."]);
        for (path, ..) in everything.all() {
            assert!(!path.ends_with(PROOF), "something was run: {path}");
        }
        let outside = Snapshot::take(&self.sandbox, &["outside"]);
        assert_eq!(self.outside.changed(&outside), Vec::<String>::new());
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(!stderr.contains(SECRET), "the secret is in the log");
        for answer in answers {
            let text = answer.to_string();
            assert!(!text.contains(SECRET), "the secret is in {answer:#}");
            assert_ne!(answer["error"]["data"]["kind"], "internal", "{answer:#}");
        }
        for (path, node, mode) in Snapshot::take(&self.sandbox, &["ch", "home", "tmp", "cwd"]).all()
        {
            // A mirror holds what was fetched, packed; nothing of it is a link or special.
            if let Node::File(bytes) = node {
                let found = bytes
                    .windows(SECRET.len())
                    .any(|part| part == SECRET.as_bytes());
                assert!(!found, "the secret is in {path}");
            }
            let checkout = path.starts_with("ch/.tmp/marketplaces/");
            assert!(
                matches!(node, Node::File(_) | Node::Dir)
                    || checkout && matches!(node, Node::Link(_)),
                "{path} is {node:?}"
            );
            assert_eq!(mode & 0o7000, 0, "{path}");
            assert!(
                !path.contains("/staging/") && !path.contains("/trash/"),
                "{path} is left"
            );
        }
    }
}

fn of_checkout(plugin: &str) -> Value {
    let manifest = "$ROOT/ch/.tmp/marketplaces/bad/.agents/plugins/marketplace.json";
    json!({"marketplacePath": manifest, "pluginName": plugin})
}

fn of_good(plugin: &str) -> Value {
    let manifest = "$ROOT/good/.agents/plugins/marketplace.json";
    json!({"marketplacePath": manifest, "pluginName": plugin})
}

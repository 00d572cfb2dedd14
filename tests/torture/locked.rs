//! Following a project's lock: two plugins move, all or nothing.

use serde_json::{Value, json};

use crate::inside::Session;
use crate::operations::{Answer, MANIFEST};
use crate::worlds::{NEWER, World};

/// Another version of the other plugin.
const NEWER_TOOLS: &str = "== demo/tools/.codex-plugin/plugin.json\n\
    {\"name\": \"tools\", \"version\": \"3.0.0\"}\n";

/// A home with as many older versions as are kept, and a lock that names newer ones of both plugins.
pub(crate) fn behind_its_lock(world: &World) {
    world
        .sandbox
        .add("== project/.git/HEAD\nref: refs/heads/main\n");
    world.sandbox.add(NEWER);
    world.sandbox.add(NEWER_TOOLS);
    world.with(|session| {
        install(session, "hello");
        install(session, "tools");
        session.ok("plugd/lock", project());
        for plugin in ["hello@demo", "tools@demo"] {
            session.ok("plugin/uninstall", json!({"pluginId": plugin}));
        }
    });
    world.sandbox.add(&NEWER_TOOLS.replace("3.0.0", "2.1.0"));
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        world.sandbox.add(&NEWER.replace("2.0.0", version));
        world.with(|session| install(session, "hello"));
    }
    world.with(|session| install(session, "tools"));
    world.sandbox.add(NEWER);
    world.sandbox.add(NEWER_TOOLS);
}

fn install(session: &mut Session, plugin: &str) {
    let params = json!({"marketplacePath": MANIFEST, "pluginName": plugin});
    session.ok("plugin/install", params);
}

fn project() -> Value {
    json!({"cwd": "$ROOT/project"})
}

pub(crate) fn sync(session: &mut Session) -> Answer {
    session.ask("plugd/sync", project())
}

/// The versions that are there of the first plugin, and which of them are only kept. The oldest would be
/// pushed out by a version that goes again.
pub(crate) fn versions(session: &mut Session) -> Vec<Value> {
    let answer = session.ok("plugd/versions", json!({"pluginId": "hello@demo"}));
    let rows = answer["plugins"][0]["versions"].as_array().unwrap();
    let rows = rows.iter();
    rows.map(|row| json!([row["version"], row["state"]]))
        .collect()
}

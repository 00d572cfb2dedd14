//! Requests about three plugins at once. What waits for the store while another one has it is one
//! transaction, so that one fault, kill or loss of power may meet several.

use serde_json::{Value, json};

use crate::inside::Session;
use crate::operations::{Answer, MANIFEST};
use crate::worlds::World;

pub(crate) const PLUGINS: &[&str] = &["a", "b", "c"];

/// Rows that are there already keep their places, so that the order of the answers is not seen in
/// the text.
const ROWS: &str = "\n\
    [plugins.\"a@demo\"] # mine\n\
    enabled = false\n\
    [plugins.\"b@demo\"]\n\
    enabled = false\n\
    [plugins.\"c@demo\"]\n\
    enabled = false\n";

/// Three plugins that are switched off and not there.
pub(crate) fn three(world: &World) {
    let entry = |name: &&str| json!({"name": name, "source": format!("./{name}")});
    let entries: Vec<Value> = PLUGINS.iter().map(entry).collect();
    let catalog = json!({"name": "demo", "plugins": entries});
    let sandbox = &world.sandbox;
    sandbox.add(&format!(
        "== demo/.agents/plugins/marketplace.json\n{catalog}\n"
    ));
    bring(world, "1.0.0");
    let config = sandbox.text("ch/config.toml");
    sandbox.write("ch/config.toml", sandbox.expand(&(config + ROWS)));
}

pub(crate) fn three_installed(world: &World) {
    three(world);
    world.with(|session| install_some(session, PLUGINS));
}

/// Three that are there, and other versions of all of them that nobody has seen.
pub(crate) fn three_newer(world: &World) {
    three_installed(world);
    bring(world, "2.0.0");
}

fn bring(world: &World, version: &str) {
    for name in PLUGINS {
        let manifest = json!({"name": name, "version": version});
        world.sandbox.add(&format!(
            "== demo/{name}/.codex-plugin/plugin.json\n{manifest}\n\
             == demo/{name}/notes.md\n{name} {version}\n"
        ));
    }
}

pub(crate) fn install_three(session: &mut Session) -> Answer {
    at_once(session, "plugin/install", offered)
}

pub(crate) fn uninstall_three(session: &mut Session) -> Answer {
    at_once(session, "plugin/uninstall", there)
}

/// One after the other.
pub(crate) fn install_some(session: &mut Session, plugins: &[&str]) {
    for plugin in plugins {
        session.ok("plugin/install", offered(plugin));
    }
}

/// One after the other.
pub(crate) fn uninstall_some(session: &mut Session, plugins: &[&str]) {
    for plugin in plugins {
        session.ok("plugin/uninstall", there(plugin));
    }
}

fn offered(plugin: &str) -> Value {
    json!({"marketplacePath": MANIFEST, "pluginName": plugin})
}

fn there(plugin: &str) -> Value {
    json!({"pluginId": format!("{plugin}@demo")})
}

/// Asks all and then waits for all; the error is the first one.
fn at_once(session: &mut Session, method: &str, params: fn(&str) -> Value) -> Answer {
    let plugins = PLUGINS.iter();
    let mut asked: Vec<(u64, &str)> = plugins
        .map(|plugin| (session.send(method, params(plugin)), *plugin))
        .collect();
    let mut first_error = None;
    while !asked.is_empty() {
        let ids: Vec<u64> = asked.iter().map(|(id, _)| *id).collect();
        let (answered, answer) = session.next_answer(method, &ids);
        let at = ids.iter().position(|id| *id == answered).unwrap();
        let (_, plugin) = asked.remove(at);
        match answer {
            Ok(_) => session.tell(plugin),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => Ok(Value::Null),
    }
}

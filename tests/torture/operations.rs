//! The operations that are failed, killed and cut off, each as the requests of a client, and the
//! states that may come of each.

use serde_json::{Value, json};

use crate::expected::Told;
use crate::inside::Session;
use crate::locked;
use crate::together;
use crate::worlds::{CHANGED, NEWER, Outside, World, curated_repository, repository};

/// The answer of the request that an operation is about.
pub(crate) type Answer = Result<Value, Value>;

/// How the parts of a home may stand to each other after an operation was interrupted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Steps {
    /// The operation is one step: all is as before, or all is new.
    One,
    /// These parts of the home become new one after the other, each as a whole.
    InOrder(&'static [&'static str]),
    /// It is these steps, one after the other.
    Chain(&'static [fn(&mut Session)]),
    /// Requests about these plugins at once: each plugin is as before or new, whole and with its row
    /// of the configuration. The function does the same for some of them, one after the other.
    Apart(&'static [&'static str], fn(&mut Session, &[&str])),
}

/// One operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// What is done before the operation, by a daemon on a file system without faults.
    prepare: fn(&World),
    /// What is reached outside of the sandbox.
    outside: Outside,
    /// Whether the curated sync is on.
    pub(crate) curated: bool,
    /// The operation itself.
    pub(crate) act: fn(&mut Session) -> Answer,
    /// Whether the daemon told that the new state is there, by its answer or, for work in the
    /// background, by what it told of changes. Plugins that are apart are told of one by one.
    tells: fn(&Answer, &[Value]) -> bool,
    pub(crate) steps: Steps,
    /// What is there again when one operation of the disk has failed, and what was done is undone.
    pub(crate) undone: Option<fn(&mut Session) -> Vec<Value>>,
}

pub(crate) const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

impl Operation {
    /// A fresh world in which the operation comes next.
    pub(crate) fn world(&self) -> World {
        let world = World::new(self.outside, self.curated);
        (self.prepare)(&world);
        world
    }

    /// What the daemon told of the new state.
    pub(crate) fn told(&self, answer: &Answer, session: &mut Session) -> Told {
        let changes = session.take_notifications("plugd/changed");
        let Steps::Apart(plugins, _) = self.steps else {
            return match (self.tells)(answer, &changes) {
                true => Told::all(),
                false => Told::default(),
            };
        };
        for plugin in plugins {
            if by_change("refresh", &format!("{plugin}@demo"), &changes) {
                session.tell(plugin);
            }
        }
        let told = session.told();
        Told {
            all: plugins
                .iter()
                .all(|plugin| told.iter().any(|one| one == plugin)),
            plugins: told.to_vec(),
        }
    }
}

fn nothing(_: &World) {}

fn install_hello(session: &mut Session) -> Answer {
    let params = json!({"marketplacePath": MANIFEST, "pluginName": "hello"});
    session.ask("plugin/install", params)
}

fn installed(world: &World) {
    world.with(|session| drop(install_hello(session).unwrap()));
}

fn both_installed(world: &World) {
    world.with(|session| {
        install_hello(session).unwrap();
        let params = json!({"marketplacePath": MANIFEST, "pluginName": "tools"});
        session.ok("plugin/install", params);
    });
}

fn installed_and_changed(world: &World) {
    installed(world);
    world.sandbox.remove("demo/hello/commands");
    world.sandbox.add(CHANGED);
}

fn installed_and_newer(world: &World) {
    installed(world);
    world.sandbox.add(NEWER);
}

/// The third version pushes the first one out of those that are kept.
fn with_kept_versions(world: &World) {
    installed(world);
    for version in ["1.1.0", "1.2.0"] {
        world.sandbox.add(&NEWER.replace("2.0.0", version));
        installed(world);
    }
    world.sandbox.add(NEWER);
}

/// An archive of a plugin that is no longer there.
fn exported(world: &World) {
    world.with(|session| {
        install_hello(session).unwrap();
        session.ok("plugd/export", archive());
        uninstall(session, "hello@demo").unwrap();
    });
}

fn archive() -> Value {
    json!({"path": "$ROOT/plugins.tar.gz"})
}

fn import(session: &mut Session) -> Answer {
    session.ask("plugd/import", archive())
}

fn list(session: &mut Session) -> Answer {
    listed(session, json!({}))
}

/// Lists, and waits until what that began in the background is over.
fn listed(session: &mut Session, params: Value) -> Answer {
    let answer = session.ask("plugin/list", params)?;
    session.settle();
    Ok(answer)
}

fn uninstall(session: &mut Session, plugin: &str) -> Answer {
    session.ask("plugin/uninstall", json!({"pluginId": plugin}))
}

fn about_hello(session: &mut Session, method: &str, rest: Value) -> Answer {
    let mut params = json!({"pluginId": "hello@demo"});
    let members = params.as_object_mut().unwrap();
    members.extend(rest.as_object().unwrap().clone());
    session.ask(method, params)
}

fn roll_back(session: &mut Session) -> Answer {
    about_hello(session, "plugd/rollback", json!({"to": "1.1.0"}))
}

fn pin(session: &mut Session) -> Answer {
    about_hello(session, "plugd/pin", json!({}))
}

/// Nothing is looked at for a yes, so any content will do.
fn approve(session: &mut Session) -> Answer {
    let digest = format!("sha256:{}", "0a".repeat(32));
    about_hello(session, "plugd/approve", json!({"digest": digest}))
}

fn update(session: &mut Session) -> Answer {
    about_hello(session, "plugd/update", json!({"confirm": "capabilities"}))
}

/// Switched off before, so that copy, pin and configuration change together.
fn kept_and_switched_off(world: &World) {
    with_kept_versions(world);
    world.with(|session| drop(write_value(session).unwrap()));
}

fn install_kept(session: &mut Session) -> Answer {
    let params = json!({"marketplacePath": MANIFEST, "pluginName": "hello", "version": "1.1.0"});
    session.ask("plugin/install", params)
}

fn write_value(session: &mut Session) -> Answer {
    let edit = json!({"keyPath": "plugins.\"hello@demo\".enabled", "value": false,
        "mergeStrategy": "replace"});
    session.ask("config/value/write", edit)
}

fn write_batch(session: &mut Session) -> Answer {
    let edits = json!([
        {"keyPath": "model", "value": "large", "mergeStrategy": "replace"},
        {"keyPath": "tui.theme", "value": null, "mergeStrategy": "replace"},
        {"keyPath": "foreign.\"a.b\".more", "value": {"x": [1, 2]}, "mergeStrategy": "upsert"},
    ]);
    session.ask("config/batchWrite", json!({"edits": edits}))
}

fn add_local(session: &mut Session) -> Answer {
    session.ask("marketplace/add", json!({"source": "$ROOT/other"}))
}

fn remove_with_plugins(session: &mut Session) -> Answer {
    let params = json!({"marketplaceName": "demo", "removePlugins": true});
    gone(session.ask("marketplace/remove", params))
}

/// Who tries again when all has gone at the first try is told so.
fn gone(answer: Answer) -> Answer {
    match answer {
        Err(error) if error["data"]["kind"] == "notFound" => Ok(error),
        answer => answer,
    }
}

fn add_git(session: &mut Session) -> Answer {
    session.ask("marketplace/add", json!({"source": "$URL"}))
}

fn git_added(world: &World) {
    world.with(|session| drop(add_git(session).unwrap()));
}

fn remove_git(session: &mut Session) -> Answer {
    gone(session.ask("marketplace/remove", json!({"marketplaceName": "market"})))
}

/// A marketplace of git or an archive with its plugin, and news that nobody has seen.
fn git_installed_and_newer(world: &World) {
    world.with(|session| {
        let added = add_git(session).unwrap();
        let root = added["installedRoot"].as_str().unwrap();
        let manifest = format!("{root}/.agents/plugins/marketplace.json");
        let params = json!({"marketplacePath": manifest, "pluginName": "p"});
        session.ok("plugin/install", params);
    });
    world.commit("2.0.0");
}

/// The snapshot with its plugin, and a new commit that nobody has seen.
fn curated_installed_and_newer(world: &World) {
    let settings = format!("curated_url = \"{}\"\n", world.url);
    world.sandbox.write("ch/plugd.toml", settings);
    world.with(|session| {
        sync_curated(session).unwrap();
        let manifest = "$ROOT/ch/.tmp/plugins/.agents/plugins/api_marketplace.json";
        let params = json!({"marketplacePath": manifest, "pluginName": "p"});
        session.ok("plugin/install", params);
    });
    world.commit("2.0.0");
}

fn sync_curated(session: &mut Session) -> Answer {
    listed(session, json!({"forceRefetch": true}))
}

fn upgrade_git(session: &mut Session) -> Answer {
    let answer = session.ask("marketplace/upgrade", json!({}))?;
    match answer["errors"].as_array().and_then(|rows| rows.first()) {
        Some(error) => Err(json!({"message": error["message"], "data": {"kind": "row"}})),
        None => Ok(answer),
    }
}

fn remote_install(session: &mut Session) -> Answer {
    let params = json!({"remoteMarketplaceName": "openai-curated-remote",
        "pluginName": World::remote_id()});
    session.ask("plugin/install", params)
}

fn remote_installed(world: &World) {
    world.with(|session| drop(remote_install(session).unwrap()));
}

fn remote_installed_and_newer(world: &World) {
    remote_installed(world);
    world.publish("2.0.0");
}

fn remote_sync(session: &mut Session) -> Answer {
    listed(session, json!({"forceRemoteSync": true}))
}

fn by_answer(answer: &Answer, _: &[Value]) -> bool {
    answer.is_ok()
}

fn by_change(reason: &str, name: &str, changes: &[Value]) -> bool {
    let mut changes = changes.iter();
    changes.any(|change| change["reason"] == reason && change.to_string().contains(name))
}

fn by_refresh(_: &Answer, changes: &[Value]) -> bool {
    by_change("refresh", "hello@demo", changes)
}

/// A plugin of the snapshot moves after it.
fn by_following(_: &Answer, changes: &[Value]) -> bool {
    by_change("refresh", "p@openai-api-curated", changes)
}

/// The copy follows the account.
fn by_remote_sync(_: &Answer, changes: &[Value]) -> bool {
    by_change("sync", "alpha@openai-curated-remote", changes)
}

/// What could not be compared waits for a yes, and the row says so.
fn by_update(answer: &Answer, _: &[Value]) -> bool {
    let Ok(answer) = answer else {
        return false;
    };
    let row = &answer["changes"][0];
    row["changed"] == true || row["reason"] == "current"
}

/// Every plugin of an upgraded marketplace that was to follow has a row; one that did not says why.
fn by_upgrade(answer: &Answer, _: &[Value]) -> bool {
    let Ok(answer) = answer else {
        return false;
    };
    let rows = answer["changes"].as_array().unwrap();
    rows.len() == 2 && rows.iter().all(|row| row["changed"] == true)
}

/// What is tried: all operations, or the one that is named.
pub(crate) fn chosen() -> Vec<Operation> {
    let only = crate::command_line::only();
    let is_meant = |one: &&Operation| only.as_deref().is_none_or(|name| name == one.name);
    OPERATIONS.iter().filter(is_meant).copied().collect()
}

/// Everything that is tried, in the order of the rows.
pub(crate) const OPERATIONS: &[Operation] = &[
    operation("install", nothing, install_hello),
    operation("reinstall_unchanged", installed, install_hello),
    operation("reinstall_changed", installed_and_changed, install_hello),
    operation("upgrade", installed_and_newer, install_hello),
    operation("upgrade_with_kept", with_kept_versions, install_hello),
    Operation {
        tells: by_refresh,
        ..operation("refresh", installed_and_newer, list)
    },
    operation("rollback", with_kept_versions, roll_back),
    operation("pin", installed, pin),
    operation("approve", installed, approve),
    Operation {
        tells: by_update,
        ..operation("update", installed_and_newer, update)
    },
    operation("install_version", kept_and_switched_off, install_kept),
    operation("uninstall", with_kept_versions, |session| {
        uninstall(session, "hello@demo")
    }),
    Operation {
        steps: Steps::Apart(together::PLUGINS, together::install_some),
        ..operation("install_together", together::three, together::install_three)
    },
    Operation {
        steps: Steps::Apart(together::PLUGINS, together::uninstall_some),
        ..operation(
            "uninstall_together",
            together::three_installed,
            together::uninstall_three,
        )
    },
    Operation {
        steps: Steps::Apart(together::PLUGINS, together::install_some),
        ..operation("refresh_together", together::three_newer, list)
    },
    operation("import", exported, import),
    Operation {
        steps: Steps::InOrder(&["plugin hello@demo", "plugin tools@demo"]),
        undone: Some(locked::versions),
        ..operation("sync", locked::behind_its_lock, locked::sync)
    },
    operation("config_value", installed, write_value),
    operation("config_batch", nothing, write_batch),
    operation("marketplace_add", nothing, add_local),
    Operation {
        steps: Steps::Chain(&[
            |session| {
                drop(session.ok("marketplace/remove", json!({"marketplaceName": "demo"})));
            },
            |session| drop(uninstall(session, "hello@demo").unwrap()),
            |session| drop(uninstall(session, "tools@demo").unwrap()),
        ]),
        ..operation("marketplace_remove", both_installed, remove_with_plugins)
    },
    Operation {
        // A checkout that no row names is no marketplace, and the next try replaces it.
        steps: Steps::InOrder(&["checkout market", "config.toml"]),
        outside: Outside::Repository(repository),
        ..operation("git_add", nothing, add_git)
    },
    Operation {
        steps: Steps::InOrder(&["config.toml", "checkout market"]),
        outside: Outside::Repository(repository),
        ..operation("git_remove", git_added, remove_git)
    },
    Operation {
        tells: by_upgrade,
        steps: Steps::InOrder(&["checkout market", "plugin p@market"]),
        outside: Outside::Repository(repository),
        ..operation("git_upgrade", git_installed_and_newer, upgrade_git)
    },
    Operation {
        steps: Steps::InOrder(&["archive market", "config.toml"]),
        outside: Outside::Archive(repository),
        ..operation("archive_add", nothing, add_git)
    },
    Operation {
        steps: Steps::InOrder(&["config.toml", "archive market"]),
        outside: Outside::Archive(repository),
        ..operation("archive_remove", git_added, remove_git)
    },
    Operation {
        tells: by_upgrade,
        steps: Steps::InOrder(&["archive market", "plugin p@market"]),
        outside: Outside::Archive(repository),
        ..operation("archive_upgrade", git_installed_and_newer, upgrade_git)
    },
    Operation {
        tells: by_following,
        // Between the first two the next run brings the snapshot once more.
        steps: Steps::InOrder(&["curated", "curated sha", "plugin p@openai-api-curated"]),
        outside: Outside::Repository(curated_repository),
        curated: true,
        ..operation("curated_sync", curated_installed_and_newer, sync_curated)
    },
    Operation {
        outside: Outside::Account,
        ..operation("remote_install", nothing, remote_install)
    },
    Operation {
        outside: Outside::Account,
        ..operation("remote_uninstall", remote_installed, |session| {
            uninstall(session, "alpha@openai-curated-remote")
        })
    },
    Operation {
        tells: by_remote_sync,
        outside: Outside::Account,
        ..operation("remote_sync", remote_installed_and_newer, remote_sync)
    },
];

/// An operation of one step whose answer tells of the new state.
const fn operation(
    name: &'static str,
    prepare: fn(&World),
    act: fn(&mut Session) -> Answer,
) -> Operation {
    Operation {
        name,
        prepare,
        outside: Outside::Nothing,
        curated: false,
        act,
        tells: by_answer,
        steps: Steps::One,
        undone: None,
    }
}

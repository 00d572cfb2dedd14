//! The rows and columns of the table of [`crate::remote_faults`]: the ways to the endpoints of the
//! plugin service, and what goes wrong there.

use std::time::Duration;

use plugd_testkit::service::{Endpoint, Fault, Item, Login};
use serde_json::{Value, json};

use crate::accounts::remote;
use crate::remote_faults_cells::World;

/// A way to an endpoint.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) method: &'static str,
    /// How many seconds the answer may take.
    pub(crate) limit: u64,
    pub(crate) prepare: fn(&mut World),
    pub(crate) params: fn(&World) -> Value,
}

/// What goes wrong, and how the column of the table is called.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) fault: fn(Endpoint) -> Fault,
    /// Whether it needs a list in pages.
    of_lists: bool,
    /// Columns with the same number meet one daemon.
    pub(crate) group: usize,
}

const fn column(name: &'static str, group: usize, fault: fn(Endpoint) -> Fault) -> Column {
    Column {
        name,
        fault,
        of_lists: false,
        group,
    }
}

const fn of_lists(name: &'static str, fault: fn(Endpoint) -> Fault) -> Column {
    Column {
        name,
        fault,
        of_lists: true,
        group: 3,
    }
}

/// Whoever is slow is given up or ends; each of both is in the table.
fn slow(endpoint: Endpoint) -> Fault {
    Fault::Slow(match endpoint {
        Endpoint::Bundle => Duration::from_millis(2),
        _ => Duration::from_secs(1),
    })
}

/// In the order of the table. What takes long has a group of its own.
pub(crate) const COLUMNS: &[Column] = &[
    column("301", 3, |_| Fault::status(301)),
    column("400", 3, |_| Fault::status(400)),
    column("401", 3, |_| Fault::status(401)),
    column("403", 3, |_| Fault::status(403)),
    column("404", 3, |_| Fault::status(404)),
    column("409", 3, |_| Fault::status(409)),
    column("418", 3, |_| Fault::status(418)),
    column("429", 2, |_| Fault::status(429)),
    column("500", 2, |_| Fault::status(500)),
    column("502", 2, |_| Fault::status(502)),
    column("503", 2, |_| Fault::status(503)),
    column("504", 2, |_| Fault::status(504)),
    column("cut", 3, |_| Fault::Cut(10)),
    column("end", 3, |_| Fault::Endless),
    column("slo", 1, slow),
    column("sil", 0, |_| Fault::Silent),
    column("res", 2, |_| Fault::Reset),
    column("htm", 3, |_| Fault::NotJson),
    column("lon", 3, |_| Fault::Claim(100_000)),
    column("sho", 3, |_| Fault::Claim(5)),
    of_lists("bad", |_| {
        Fault::BadItem(json!({"id": "plugins_bad", "name": 5}))
    }),
    of_lists("rep", |_| Fault::RepeatedToken),
    of_lists("emp", |_| Fault::EmptyToken),
    of_lists("nop", |_| Fault::NoPagination),
];

fn nothing(_: &mut World) {}

/// The caches hold nothing that could be shown instead.
fn unseen(world: &mut World) {
    let sandbox = &world.account.sandbox;
    if sandbox.exists("ch/cache/remote_plugin_catalog") {
        sandbox.remove("ch/cache/remote_plugin_catalog");
    }
}

/// Neither this disk nor the account has the target.
fn absent(world: &mut World) {
    if world.has_target() || world.account_has_target() {
        // What the account alone has comes at some moment: it comes now.
        world.daemon.ok("plugin/reconcile", json!({}));
        let params = json!({"pluginId": world.target});
        world.daemon.ok("plugin/uninstall", params);
        world.daemon.ok("plugin/reconcile", json!({}));
    }
}

/// Both have it.
fn present(world: &mut World) {
    if !world.has_target() || !world.account_has_target() {
        world.daemon.ok("plugin/reconcile", json!({}));
        world.daemon.ok("plugin/install", remote(&world.target));
    }
}

/// The directory has been seen.
fn seen(world: &mut World) {
    world.daemon.ok("plugin/list", json!({}));
}

/// The login has expired, and is none that was there before.
fn expired(world: &mut World) {
    world.logins += 1;
    let login = Login::chatgpt("account-1", "plus")
        .claim("number", world.logins)
        .expired();
    world.account.service.admit(&login);
    login.write_to(&world.account.sandbox);
    world.secrets.extend(login.secrets());
}

fn no_working_copy(world: &mut World) {
    if world.account.sandbox.exists("home/plugins/shared") {
        world.account.sandbox.remove("home/plugins/shared");
    }
}

/// There is a share to withdraw.
pub(crate) fn withdrawable(world: &mut World) {
    let item = Item::workspace("mine", "PRIVATE").share_principal("user", "u", "owner", "U");
    world.created = item.id().to_owned();
    world.account.service.offer(item);
    world.account.service.set_created(&[&world.created]);
}

fn forced(_: &World) -> Value {
    json!({"forceRefetch": true})
}

fn target(world: &World) -> Value {
    remote(&world.target)
}

fn save(world: &World) -> Value {
    json!({"pluginPath": world.account.sandbox.path("work/hello").to_text()})
}

const fn way(
    name: &'static str,
    endpoint: Endpoint,
    method: &'static str,
    limit: u64,
    prepare: fn(&mut World),
    params: fn(&World) -> Value,
) -> Way {
    Way {
        name,
        endpoint,
        method,
        limit,
        prepare,
        params,
    }
}

/// Every endpoint that a method asks, in the order of their names.
pub(crate) const WAYS: &[Way] = &[
    way(
        "apps: read",
        Endpoint::Apps,
        "plugin/read",
        30,
        nothing,
        target,
    ),
    way(
        "bundle: checkout",
        Endpoint::Bundle,
        "plugin/share/checkout",
        32,
        no_working_copy,
        |world| json!({"remotePluginId": world.shared}),
    ),
    way(
        "bundle: install",
        Endpoint::Bundle,
        "plugin/install",
        32,
        absent,
        target,
    ),
    way(
        "created: share/list",
        Endpoint::Created,
        "plugin/share/list",
        30,
        withdrawable,
        |_| json!({}),
    ),
    way(
        "detail: install",
        Endpoint::Detail,
        "plugin/install",
        30,
        absent,
        target,
    ),
    way(
        "detail: read, known",
        Endpoint::Detail,
        "plugin/read",
        30,
        seen,
        target,
    ),
    way(
        "detail: read, unknown",
        Endpoint::Detail,
        "plugin/read",
        30,
        nothing,
        target,
    ),
    way(
        "featured: list",
        Endpoint::Featured,
        "plugin/list",
        10,
        nothing,
        forced,
    ),
    way(
        "finalise: save",
        Endpoint::Finalise,
        "plugin/share/save",
        30,
        nothing,
        save,
    ),
    way(
        "install: install",
        Endpoint::Install,
        "plugin/install",
        30,
        absent,
        target,
    ),
    way(
        "installed: list",
        Endpoint::Installed,
        "plugin/list",
        5,
        nothing,
        |_| json!({}),
    ),
    way(
        "installed: reconcile",
        Endpoint::Installed,
        "plugin/reconcile",
        30,
        nothing,
        |_| json!({}),
    ),
    way(
        "list: list, known",
        Endpoint::List,
        "plugin/list",
        30,
        nothing,
        forced,
    ),
    way(
        "list: list, unknown",
        Endpoint::List,
        "plugin/list",
        5,
        unseen,
        |_| json!({}),
    ),
    way(
        "search: search",
        Endpoint::Search,
        "plugin/search",
        5,
        nothing,
        |_| json!({"searchTerm": "target"}),
    ),
    way(
        "share: delete",
        Endpoint::DeleteShare,
        "plugin/share/delete",
        30,
        withdrawable,
        |world| json!({"remotePluginId": world.created}),
    ),
    way(
        "shared: list",
        Endpoint::SharedWithMe,
        "plugin/list",
        30,
        nothing,
        |_| json!({"marketplaceKinds": ["shared-with-me"]}),
    ),
    way(
        "shares: update",
        Endpoint::Shares,
        "plugin/share/updateTargets",
        30,
        withdrawable,
        |world| json!({"remotePluginId": world.created, "discoverability": "PRIVATE", "shareTargets": []}),
    ),
    way(
        "skill: skill/read",
        Endpoint::Skill,
        "plugin/skill/read",
        30,
        nothing,
        |world| {
            json!({"remoteMarketplaceName": "openai-curated-remote", "skillName": "hello",
               "remotePluginId": world.target})
        },
    ),
    way(
        "skill: same, installed",
        Endpoint::Skill,
        "plugin/skill/read",
        30,
        nothing,
        |world| {
            json!({"remoteMarketplaceName": "openai-curated-remote", "skillName": "hello",
               "remotePluginId": world.kept})
        },
    ),
    way(
        "token: list",
        Endpoint::Token,
        "plugin/list",
        15,
        expired,
        |_| json!({}),
    ),
    way(
        "uninstall: uninstall",
        Endpoint::Uninstall,
        "plugin/uninstall",
        30,
        present,
        |world| json!({"pluginId": world.target}),
    ),
    way(
        "upload: save",
        Endpoint::Upload,
        "plugin/share/save",
        30,
        nothing,
        save,
    ),
    way(
        "upload-url: save",
        Endpoint::UploadUrl,
        "plugin/share/save",
        30,
        nothing,
        save,
    ),
];

impl Way {
    /// Whether nothing is changed at its end, so that it may be asked again.
    pub(crate) fn is_read(&self) -> bool {
        self.endpoint.describe().starts_with("GET")
    }
}

/// Whether a column has a meaning there.
pub(crate) fn applies(way: &Way, column: &Column) -> bool {
    let lists = [
        Endpoint::List,
        Endpoint::Installed,
        Endpoint::Search,
        Endpoint::SharedWithMe,
        Endpoint::Created,
    ];
    // Whose good answer is a status alone.
    let is_empty = [Endpoint::Upload, Endpoint::DeleteShare].contains(&way.endpoint);
    let of_bodies = ["cut", "slo", "lon", "sho"].contains(&column.name);
    (!column.of_lists || lists.contains(&way.endpoint)) && !(is_empty && of_bodies)
}

//! What always holds of a home, looked at from outside: a rich configuration of somebody else's that
//! keeps every byte, copies that are whole, and nothing left over when nobody works.
//!
//! Each check panics with what it found. They hold after any kill and beside any neighbour; what an
//! operation must have done besides is its loop's own affair.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plugd_testkit::{Daemon, Fixture, Launch, Sandbox, run_cli};
use serde_json::{Value, json};

use crate::BINARY;
use crate::stock::{Stock, version_of};

/// Stands in a line of [`foreign_config`] for a number that a loop may change in place.
const NUMBER: &str = "#N#";

/// A row that named a plugin before anything was done: it stays enabled and has no files.
pub(crate) const GHOST: &str = "ghost@nowhere";

/// Configuration of many forms, longer than a page: comments, both line ends, foreign tables, dotted
/// keys, an inline table, arrays with comments, strings of all kinds.
pub(crate) fn foreign_config() -> String {
    foreign_lines().concat().replace(NUMBER, "0")
}

fn foreign_lines() -> Vec<String> {
    let mut text = String::from(
        "# written by hand; keep this\n\
         model = \"m\" # mine\n\
         notify = [\"a\", # one\n  'b' , # two\n]\n\
         editor.tab = #N# # dotted\n\
         editor.\"quoted key\".x = 1.50\n\
         ui = { theme = \"d\u{e4}rk\", width = #N# } # inline\n\
         \r\n\
         # a block with the other line ends\r\n\
         [foreign.\"a.b\"] # header\r\n\
         date = 2024-05-06T07:08:09Z\r\n\
         text = '''\r\nraw # no comment\r\n'''\r\n\
         \t spaced   =   \"  x  \"  # odd\r\n\
         \n\
         [[people]]\n\
         name = \"one\"\n\
         [[people]]\n\
         name = \"two\" # second\n\
         \n\
         [plugins.\"ghost@nowhere\"] # gone for long\n\
         enabled = true\n\
         \n",
    );
    for number in 0..90 {
        text.push_str(&format!(
            "[foreign.t{number:02}] # table {number}\nkey = {number} # value of {number}\n"
        ));
    }
    text.push_str("# the end of the foreign part\n\n");
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Every foreign line is still there, byte for byte and in its order; `config` is what
/// `config/read` answers as `config`, which must know every foreign value.
#[track_caller]
pub(crate) fn check_config(sandbox: &Sandbox, config: &Value) {
    let text = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
    let mut lines = text.split_inclusive('\n');
    for wanted in foreign_lines() {
        assert!(
            lines.any(|line| same_line(line, &wanted)),
            "the line {wanted:?} is gone from the configuration:\n{text}"
        );
    }
    for (key, value) in [
        ("/model", json!("m")),
        ("/notify", json!(["a", "b"])),
        ("/editor/quoted key/x", json!(1.5)),
        ("/ui/theme", json!("d\u{e4}rk")),
        ("/foreign/a.b/text", json!("raw # no comment\r\n")),
        ("/foreign/a.b/spaced", json!("  x  ")),
        ("/people/1/name", json!("two")),
        ("/foreign/t00/key", json!(0)),
        ("/foreign/t89/key", json!(89)),
    ] {
        assert_eq!(config.pointer(key), Some(&value), "{key}");
    }
}

fn same_line(line: &str, wanted: &str) -> bool {
    let Some((before, after)) = wanted.split_once(NUMBER) else {
        return line == wanted;
    };
    let number = line
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|number| number.parse::<u64>().is_ok())
}

/// Every copy below the cache, as id and version directory with its whole tree.
#[track_caller]
pub(crate) fn copies(sandbox: &Sandbox) -> BTreeMap<(String, String), String> {
    let mut found: BTreeMap<(String, String), Fixture> = BTreeMap::new();
    let cache = Fixture::read_from(&sandbox.path("ch/plugins/cache")).unwrap();
    for mut item in cache.items {
        let path = item.path.clone();
        let parts: Vec<&str> = path.splitn(4, '/').collect();
        let &[marketplace, plugin, version, rest] = parts.as_slice() else {
            // An empty directory of a marketplace means nothing to anybody.
            assert!(parts.len() < 3, "{path} is no copy");
            continue;
        };
        item.path = rest.to_owned();
        let key = (format!("{plugin}@{marketplace}"), version.to_owned());
        found.entry(key).or_default().items.push(item);
    }
    found
        .into_iter()
        .map(|(key, fixture)| (key, fixture.to_string()))
        .collect()
}

/// What is installed, by id with the number of its version: each plugin has one copy, and that copy
/// is byte for byte a version of its stock.
#[track_caller]
pub(crate) fn whole(sandbox: &Sandbox, stocks: &[&Stock]) -> BTreeMap<String, u64> {
    let mut numbers = BTreeMap::new();
    for ((id, version), tree) in copies(sandbox) {
        let known = stocks.iter().find_map(|stock| {
            let (plugin, number) = stock.recognise(&tree)?;
            (format!("{plugin}@{}", stock.marketplace()) == id).then_some(number)
        });
        let Some(number) = known else {
            panic!("the copy {version} of {id} is not whole:\n{tree}");
        };
        assert_eq!(version, version_of(number), "the directory of {id}");
        let second = numbers.insert(id.clone(), number);
        assert_eq!(second, None, "{id} has two copies");
    }
    numbers
}

/// Exactly the plugins with a copy are configured and enabled. `config` is as in [`check_config`].
#[track_caller]
pub(crate) fn enabled_as_installed(config: &Value, installed: &BTreeMap<String, u64>) {
    let rows = config["plugins"].as_object().into_iter().flatten();
    let enabled: BTreeSet<&str> = rows
        .filter(|(_, row)| row["enabled"] == true)
        .map(|(id, _)| id.as_str())
        .filter(|id| *id != GHOST)
        .collect();
    let copied: BTreeSet<&str> = installed.keys().map(String::as_str).collect();
    assert_eq!(enabled, copied, "what is enabled, and what has files");
}

/// A daemon on the home that tells of changes and tasks, so that their ends can be waited for.
#[track_caller]
pub(crate) fn listening(sandbox: &Sandbox, patience: Duration) -> Daemon {
    let launch = Launch::app_server(BINARY).patience(patience);
    let mut daemon = launch.start(sandbox);
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-torture", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
    daemon
}

/// Every plugin of an answer with marketplaces.
pub(crate) fn plugins_in(listing: &Value) -> impl Iterator<Item = &Value> {
    let marketplaces = listing["marketplaces"].as_array().into_iter().flatten();
    marketplaces.flat_map(|marketplace| marketplace["plugins"].as_array().into_iter().flatten())
}

/// Once nobody works and the configuration has been written again: nothing half made and nothing
/// half removed, no temporary file and no copy of the configuration.
#[track_caller]
pub(crate) fn nothing_left(sandbox: &Sandbox) {
    for dir in ["staging", "trash", "journal"] {
        let left = sandbox.tree(&format!("ch/plugins/.plugd/{dir}"));
        assert_eq!(left, "", "in {dir}");
    }
    let strays = beside_the_config(sandbox);
    assert!(strays.is_empty(), "beside the configuration: {strays:?}");
}

/// The names in the home that do not belong there.
pub(crate) fn beside_the_config(sandbox: &Sandbox) -> Vec<String> {
    let known = ["config.toml", "plugins", ".tmp", "cache"];
    let home = Fixture::read_from(&sandbox.codex_home()).unwrap();
    let names: BTreeSet<String> = home
        .items
        .iter()
        .map(|item| item.path.split('/').next().unwrap().to_owned())
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    names.into_iter().collect()
}

/// What plugd itself says of the home when it looks at everything: no finding, digests included, but
/// that of the plugin that was gone before.
#[track_caller]
pub(crate) fn healthy(sandbox: &Sandbox) {
    let output = run_cli(BINARY, &["doctor", "--strict", "--json"], sandbox);
    let report = output.json();
    let areas = ["home", "store", "remains"];
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        let area = check["area"].as_str().unwrap();
        if areas.contains(&area) {
            let findings = check["findings"].as_array().unwrap().iter();
            let new: Vec<_> = findings.filter(|one| one["plugin"] != GHOST).collect();
            assert_eq!(new, Vec::<&Value>::new(), "{area}");
        }
    }
    let looked = checks
        .iter()
        .filter(|check| areas.contains(&check["area"].as_str().unwrap()));
    assert_eq!(looked.count(), areas.len());
}

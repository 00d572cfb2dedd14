//! The session itself, apart from `main` so that a test can run it too.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program of its own: it writes files"
)]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use serde_json::{Value, json};

use super::daemon::{Daemon, copy, text};

/// Runs the session and tells each step; answers the directory it used, which is gone by then.
pub(crate) fn run(
    binary: &Path,
    sample: &Path,
    print: &mut dyn FnMut(&str),
) -> anyhow::Result<PathBuf> {
    let root = tempfile::tempdir()?;
    let home = root.path().to_path_buf();
    let market = home.join("sample");
    copy(sample, &market)?;
    fs::create_dir(home.join("codex"))?;

    print("1. initialize");
    let (mut daemon, hello) = Daemon::greeted(binary, &home)?;
    print(&format!("   {}", text(&hello["userAgent"])));

    print("2. marketplace/add: the sample marketplace, by its directory");
    let added = daemon.call("marketplace/add", &json!({"source": market}))?;
    print(&format!("   added `{}`", text(&added["marketplaceName"])));

    print("3. plugin/list");
    let listing = daemon.call("plugin/list", &json!({}))?;
    show(&listing, print);
    let manifest = listing["marketplaces"][0]["path"].clone();

    print("4. plugin/read: release-notes from the inside");
    let plugin = json!({"marketplacePath": manifest, "pluginName": "release-notes"});
    let reading = daemon.call("plugin/read", &plugin)?;
    let inside = &reading["plugin"];
    print(&format!("   {}", text(&inside["description"])));
    for (label, key, member) in [("skill", "skills", "name"), ("hook", "hooks", "eventName")] {
        for item in inside[key].as_array().into_iter().flatten() {
            print(&format!("   {label}: {}", text(&item[member])));
        }
    }

    print("5. plugin/install");
    daemon.call("plugin/install", &plugin)?;
    show(&daemon.call("plugin/list", &json!({}))?, print);

    print("6. the author raises the version to 1.1.0; the next plugin/list notices");
    bump(&market.join("plugins/release-notes/.codex-plugin/plugin.json"))?;
    daemon.call("plugin/list", &json!({}))?;
    let change = daemon.wait_for("plugd/changed", |change| change["reason"] == "refresh")?;
    print(&format!(
        "   plugd/changed: {}",
        text(&change["plugins"][0])
    ));
    show(&daemon.call("plugin/list", &json!({}))?, print);

    print("7. plugin/uninstall");
    daemon.call(
        "plugin/uninstall",
        &json!({"pluginId": "release-notes@sample"}),
    )?;
    show(&daemon.call("plugin/list", &json!({}))?, print);

    print("8. end of input: the daemon answers what it owes and ends");
    daemon.stop()?;
    print("done; nothing outside the temporary directory was touched");
    root.close()?;
    Ok(home)
}

fn show(listing: &Value, print: &mut dyn FnMut(&str)) {
    for marketplace in listing["marketplaces"].as_array().into_iter().flatten() {
        for plugin in marketplace["plugins"].as_array().into_iter().flatten() {
            let state = match &plugin["installedVersion"] {
                Value::String(version) => format!("installed {version}"),
                _ => "not installed".to_owned(),
            };
            print(&format!(
                "   {:<24} {:<8} {state}",
                text(&plugin["id"]),
                text(&plugin["localVersion"]),
            ));
        }
    }
}

fn bump(manifest: &Path) -> anyhow::Result<()> {
    let old = fs::read_to_string(manifest)?;
    let new = old.replace("\"1.0.0\"", "\"1.1.0\"");
    ensure!(old != new, "the sample plugin is not at 1.0.0");
    Ok(fs::write(manifest, new)?)
}

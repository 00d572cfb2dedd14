//! The session itself, apart from `main` so that a test can run it too.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program of its own: it starts a process and copies files"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

/// A daemon that speaks newline-delimited JSON over its stdin and stdout.
struct Daemon {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
}

impl Daemon {
    fn start(binary: &Path, home: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(binary)
            .arg("app-server")
            .current_dir(home)
            .env_clear()
            .env("HOME", home)
            .env("CODEX_HOME", home.join("codex"))
            // The official marketplace would be fetched otherwise.
            .env("CODEX_DISABLE_CURATED_PLUGIN_SYNC", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the daemon has no stdout")?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
            next_id: 0,
        })
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        writeln!(stdin, "{message}")?;
        Ok(stdin.flush()?)
    }

    fn receive(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line)?;
        ensure!(read > 0, "the daemon closed its stdout");
        Ok(serde_json::from_str(&line)?)
    }

    /// Sends a request and reads until its answer; notifications in between are passed over.
    fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let mut message = self.receive()?;
            if message["id"] != json!(id) {
                continue;
            }
            if let Some(error) = message.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(message["result"].take());
        }
    }

    /// Reads until a notification that `wanted` accepts.
    fn wait_for(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        loop {
            let message = self.receive()?;
            if message["method"] == method && wanted(&message["params"]) {
                return Ok(message["params"].clone());
            }
        }
    }

    fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the daemon ended with {status}");
        Ok(())
    }
}

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
    let mut daemon = Daemon::start(binary, &home)?;

    print("1. initialize");
    let hello = daemon.call(
        "initialize",
        &json!({
            "clientInfo": {"name": "demo", "version": "1.0.0"},
            "capabilities": {"plugd": {"notifications": true}},
        }),
    )?;
    daemon.send(&json!({"method": "initialized"}))?;
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

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn bump(manifest: &Path) -> anyhow::Result<()> {
    let old = fs::read_to_string(manifest)?;
    let new = old.replace("\"1.0.0\"", "\"1.1.0\"");
    ensure!(old != new, "the sample plugin is not at 1.0.0");
    Ok(fs::write(manifest, new)?)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

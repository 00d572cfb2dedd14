//! The session itself, apart from `main` so that a test can run it too.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program of its own: it writes files"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::daemon::{Daemon, copy, text};

const NOTES: &str = "release-notes@sample";

/// What all steps need.
struct Team<'a> {
    binary: &'a Path,
    root: PathBuf,
    print: &'a mut dyn FnMut(&str),
}

/// Runs the session and tells each step; answers the directory it used, which is gone by then.
pub(crate) fn run(
    binary: &Path,
    sample: &Path,
    print: &mut dyn FnMut(&str),
) -> anyhow::Result<PathBuf> {
    let temporary = tempfile::tempdir()?;
    // As the daemon writes it, also where the directory for temporary files is behind a link.
    let root = temporary.path().canonicalize()?;
    let mut team = Team {
        binary,
        root: root.clone(),
        print,
    };
    team.set_up(sample)?;
    let mut first = team.first_locks()?;
    team.second_syncs(&mut first)?;
    let lease = team.update_under_a_lease(&mut first)?;
    team.back(&mut first)?;
    team.tampering(&mut first)?;
    team.tidy_up(&mut first, &lease)?;
    team.two_frontends(&mut first)?;
    first.stop()?;
    team.say("done; nothing outside the temporary directory was touched");
    temporary.close()?;
    Ok(root)
}

/// What a host holds while it runs.
struct Lease {
    id: Value,
    /// The plugin's directory, as the host was told it.
    plugin: PathBuf,
}

impl Team<'_> {
    fn say(&mut self, line: &str) {
        (self.print)(line);
    }

    fn tell(&mut self, line: &str) {
        (self.print)(&format!("   {line}"));
    }

    /// The project, a repository that has the marketplace in it.
    fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    fn manifest(&self) -> PathBuf {
        let marketplace = self.project().join("tools");
        marketplace.join(".agents/plugins/marketplace.json")
    }

    fn set_up(&self, sample: &Path) -> anyhow::Result<()> {
        for name in ["first", "second"] {
            fs::create_dir_all(self.root.join(name).join("codex"))?;
        }
        // What makes a directory a project.
        fs::create_dir_all(self.project().join(".git"))?;
        copy(sample, &self.project().join("tools"))
    }

    fn start(&self, home: &str) -> anyhow::Result<Daemon> {
        Daemon::greeted(self.binary, &self.root.join(home)).map(|(daemon, _)| daemon)
    }

    fn install(&self, daemon: &mut Daemon, name: &str) -> anyhow::Result<Value> {
        let plugin = json!({"marketplacePath": self.manifest(), "pluginName": name});
        daemon.call("plugin/install", &plugin)
    }

    fn first_locks(&mut self) -> anyhow::Result<Daemon> {
        self.say("1. one of the team installs what the project needs, and locks it");
        let mut first = self.start("first")?;
        let market = json!({"source": self.project().join("tools")});
        first.call("marketplace/add", &market)?;
        for name in ["release-notes", "glossary"] {
            self.install(&mut first, name)?;
        }
        let locked = first.call("plugd/lock", &json!({"cwd": self.project()}))?;
        self.show(&locked);
        Ok(first)
    }

    fn second_syncs(&mut self, first: &mut Daemon) -> anyhow::Result<()> {
        self.say(
            "2. another home is empty: a build would stop here, `plugd/sync` brings what is locked",
        );
        let mut second = self.start("second")?;
        let frozen = json!({"cwd": self.project(), "frozen": true});
        let refusal = second.call("plugd/sync", &frozen).err();
        let refusal = refusal.context("an empty home matches the lock")?;
        ensure!(refusal.to_string().contains("conflict"), "{refusal}");
        let synced = second.call("plugd/sync", &json!({"cwd": self.project()}))?;
        self.show(&synced);

        self.say("3. frozen, nothing has to change any more; both homes have the same content");
        second.call("plugd/sync", &frozen)?;
        let (of_first, of_second) = (digests(first)?, digests(&mut second)?);
        ensure!(
            of_first == of_second && of_first.len() == 2,
            "{of_first:?} {of_second:?}"
        );
        for line in of_first {
            self.tell(&line);
        }
        second.stop()
    }

    fn update_under_a_lease(&mut self, first: &mut Daemon) -> anyhow::Result<Lease> {
        self.say("4. a host runs under a lease, and another process updates the plugin");
        let params = json!({"cwd": self.project(), "lease": true});
        let components = first.call("plugd/components", &params)?;
        let plugins = components["plugins"].as_array().into_iter().flatten();
        let mut plugins = plugins.filter(|plugin| plugin["pluginId"] == NOTES);
        let plugin = plugins.next().context("the plugin does not count")?;
        let lease = Lease {
            id: components["leaseId"].clone(),
            plugin: PathBuf::from(text(&plugin["root"])),
        };
        let before = hooks_of(&lease)?;
        self.author_writes("1.0.0", "1.1.0")?;
        let mut other = self.start("first")?;
        let updated = other.call("plugd/update", &json!({"pluginId": NOTES}))?;
        other.stop()?;
        self.show(&updated);
        let change = &updated["changes"][0]["difference"]["changes"][0];
        self.tell(&format!(
            "differs: {} {}",
            text(&change["category"]),
            text(&change["name"])
        ));
        ensure!(hooks_of(&lease)? == before, "the host's files have changed");
        self.tell("what the host loaded is as it was");
        Ok(lease)
    }

    fn back(&mut self, first: &mut Daemon) -> anyhow::Result<()> {
        self.say("5. the new version is not liked: back, and pinned there");
        let back = first.call("plugd/rollback", &json!({"pluginId": NOTES}))?;
        self.show(&back);
        let held = first.call("plugd/update", &json!({"pluginId": NOTES}))?;
        self.show(&held);
        ensure!(
            held["changes"][0]["changed"] == false,
            "the pin does not hold"
        );
        Ok(())
    }

    fn tampering(&mut self, first: &mut Daemon) -> anyhow::Result<()> {
        self.say("6. somebody changes an installed file: `plugd/verify` names it, an installation mends it");
        let verify = json!({"pluginId": NOTES});
        let whole = first.call("plugd/verify", &verify)?;
        ensure!(whole["matches"] == true, "{whole}");
        let copy = PathBuf::from(text(&whole["plugins"][0]["path"]));
        fs::write(copy.join("hooks/hooks.json"), "{\"hooks\": {}}")?;
        let broken = first.call("plugd/verify", &verify)?;
        ensure!(broken["matches"] == false, "{broken}");
        let changed = text(&broken["plugins"][0]["changed"][0]);
        self.tell(&format!("changed: {changed}"));
        self.install(first, "release-notes")?;
        let mended = first.call("plugd/verify", &verify)?;
        ensure!(mended["matches"] == true, "{mended}");
        self.tell("mended");
        Ok(())
    }

    fn tidy_up(&mut self, first: &mut Daemon, lease: &Lease) -> anyhow::Result<()> {
        self.say("7. the host ends; `plugd/gc` tells what nobody needs, and removes that");
        first.call("plugd/release", &json!({"leaseId": lease.id}))?;
        let planned = first.call("plugd/gc", &json!({"dryRun": true}))?;
        let removed = first.call("plugd/gc", &json!({}))?;
        let freed = &removed["freedBytes"];
        ensure!(
            *freed != json!(0) && *freed == planned["freedBytes"],
            "{planned} {removed}"
        );
        let trees = removed["trees"].as_array().map_or(0, Vec::len);
        self.tell(&format!("{freed} bytes in {trees} kept trees"));
        let again = first.call("plugd/gc", &json!({}))?;
        ensure!(again["freedBytes"] == 0, "{again}");
        Ok(())
    }

    fn two_frontends(&mut self, first: &mut Daemon) -> anyhow::Result<()> {
        self.say("8. two frontends on one home: one installs, the other is told");
        let mut other = self.start("first")?;
        self.install(&mut other, "commit-words")?;
        let installed = Instant::now();
        let id = "commit-words@sample";
        let names_it = |change: &Value| {
            let plugins = change["plugins"].as_array();
            plugins.is_some_and(|plugins| plugins.contains(&json!(id)))
        };
        let change = first.wait_for("plugd/changed", names_it)?;
        let late = installed.elapsed();
        self.tell(&format!(
            "plugd/changed ({}): {id}",
            text(&change["reason"])
        ));
        self.tell(&format!("{} ms after the answer", late.as_millis()));
        other.stop()
    }

    /// The rows of an answer that has `changes`.
    fn show(&mut self, answer: &Value) {
        for row in answer["changes"].as_array().into_iter().flatten() {
            let name = row.get("pluginId").unwrap_or(&row["marketplaceName"]);
            // A directory is of this run, and nothing to compare by.
            let version = |value: &Value| match value.as_str() {
                Some(path) if path.contains(['/', '\\']) => "(here)".to_owned(),
                found => found.unwrap_or("-").to_owned(),
            };
            let (from, to) = (version(&row["from"]), version(&row["to"]));
            let line = format!("{:<24} {from} -> {to} {}", text(name), text(&row["reason"]));
            self.tell(&line);
        }
    }

    /// The author of the plugin changes a hook and raises the version.
    fn author_writes(&self, old: &str, new: &str) -> anyhow::Result<()> {
        let plugin = self.project().join("tools/plugins/release-notes");
        replace(&plugin.join(".codex-plugin/plugin.json"), old, new)?;
        replace(
            &plugin.join("hooks/hooks.json"),
            "remember",
            "do not forget",
        )
    }
}

/// Plugins with their versions and the digests of their content.
fn digests(daemon: &mut Daemon) -> anyhow::Result<Vec<String>> {
    let verified = daemon.call("plugd/verify", &json!({}))?;
    ensure!(verified["matches"] == true, "{verified}");
    let plugins = verified["plugins"].as_array().into_iter().flatten();
    let line = |plugin: &Value| {
        let digest = text(&plugin["recordedDigest"]);
        format!(
            "{:<24} {} {}",
            text(&plugin["pluginId"]),
            text(&plugin["version"]),
            digest.get(..19).unwrap_or(digest),
        )
    };
    Ok(plugins.map(line).collect())
}

fn hooks_of(lease: &Lease) -> anyhow::Result<String> {
    Ok(fs::read_to_string(lease.plugin.join("hooks/hooks.json"))?)
}

fn replace(file: &Path, old: &str, new: &str) -> anyhow::Result<()> {
    let before = fs::read_to_string(file)?;
    let after = before.replace(old, new);
    ensure!(before != after, "{} has no `{old}`", file.display());
    Ok(fs::write(file, after)?)
}

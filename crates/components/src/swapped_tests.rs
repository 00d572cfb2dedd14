//! A part of a plugin turns into a link to a secret between any two operations of a look: nothing
//! of the secret is ever told.
#![expect(
    clippy::disallowed_methods,
    reason = "an intruder does not ask the disk that is tested"
)]

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugd_disk::{Disk, Operation, Probe};
use plugd_model::{AbsPath, PluginId};

use crate::fixture::Plugin;
use crate::{InspectionLimits, apps, hooks, inspect, mcp_definitions, migrated_commands, skills};

const SECRET: &str = "uNsp0ken";

/// Swaps a path for a link before operation `at`, and back before operation `back`.
struct Swap {
    path: AbsPath,
    target: AbsPath,
    aside: AbsPath,
    at: usize,
    back: usize,
    seen: AtomicUsize,
}

impl Swap {
    fn restore(&self) -> io::Result<()> {
        if fs::symlink_metadata(&self.aside).is_ok() {
            fs::remove_file(&self.path)?;
            fs::rename(&self.aside, &self.path)?;
        }
        Ok(())
    }
}

impl Probe for Swap {
    fn before(&self, _operation: &Operation<'_>) -> io::Result<()> {
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        if number == self.at {
            fs::rename(&self.path, &self.aside)?;
            symlink(&self.target, &self.path)?;
        }
        if number == self.back {
            self.restore()?;
        }
        Ok(())
    }
}

/// A plugin with everything that is read, and the same outside with the secret in each text.
fn world() -> Plugin {
    let files = |word: &str| {
        let skill = format!("---\nname: do\ndescription: {word}\n---\n{word}\n");
        let command = format!("---\ndescription: {word}\n---\n{word}\n");
        [
            ("skills/do/SKILL.md", skill),
            (
                "skills/do/agents/openai.yaml",
                format!("interface:\n  display_name: {word}\n"),
            ),
            ("commands/run.md", command),
            (
                ".mcp.json",
                format!("{{\"mcpServers\": {{\"s\": {{\"command\": \"{word}\"}}}}}}"),
            ),
            (
                "hooks/hooks.json",
                format!(
                    "{{\"hooks\": {{\"Stop\": [{{\"hooks\": [{{\"type\": \"command\", \"command\": \"{word}\"}}]}}]}}}}"
                ),
            ),
            (
                ".app.json",
                format!("{{\"apps\": {{\"{word}\": {{\"id\": \"{word}\"}}}}}}"),
            ),
            ("bin/tool.sh", format!("#!/bin/{word}\necho ${word}\n")),
            ("LICENSE", format!("{word}\n")),
        ]
    };
    let mut plugin = Plugin::new();
    for (path, text) in files("innocent") {
        plugin = plugin.file(path, text);
    }
    let outside = plugin.outside().join("outside");
    for (path, text) in files(SECRET) {
        let path = outside.join(path);
        plugin.disk.create_dirs(&path.parent().unwrap()).unwrap();
        plugin
            .disk
            .write_unsynced(&path, text.as_bytes(), 0o755)
            .unwrap();
    }
    plugin
}

/// Everything that a look at the plugin tells.
fn told(plugin: &Plugin, disk: &Disk) -> String {
    let (root, manifest) = (plugin.root(), &plugin.manifest);
    let id = PluginId::parse("p@m").unwrap();
    let limits = InspectionLimits::DEFAULT;
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        skills(disk, &root, manifest),
        migrated_commands(disk, &root, manifest)
            .items
            .into_iter()
            .map(|file| String::from_utf8(file.content).unwrap())
            .collect::<Vec<_>>(),
        hooks(disk, &root, manifest, &id),
        mcp_definitions(disk, &root, manifest),
        apps(disk, &root, manifest),
        inspect(disk, &root, manifest, &id, &limits),
    )
}

#[test]
fn a_link_put_in_place_between_two_operations_shows_nothing() {
    let plugin = world();
    let plain = told(&plugin, &plugin.disk);
    assert!(plain.matches("innocent").count() > 8, "{plain}");
    let outside = plugin.outside().join("outside");
    let swapped = [
        "skills",
        "skills/do",
        "skills/do/SKILL.md",
        "skills/do/agents",
        "commands",
        "commands/run.md",
        ".mcp.json",
        "hooks",
        "hooks/hooks.json",
        ".app.json",
        "bin",
        "bin/tool.sh",
        "LICENSE",
    ];
    for path in swapped {
        for lasts in [1, usize::MAX] {
            let mut at = 0;
            loop {
                let probe = Arc::new(Swap {
                    path: plugin.root().join(path),
                    target: outside.join(path),
                    aside: plugin.outside().join("aside"),
                    at,
                    back: lasts.saturating_add(at),
                    seen: AtomicUsize::new(0),
                });
                let text = told(&plugin, &Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>));
                probe.restore().unwrap();
                assert!(!text.contains(SECRET), "{path} at {at} for {lasts}: {text}");
                if probe.seen.load(Ordering::Relaxed) <= at {
                    break;
                }
                at += 1;
            }
            assert!(at > 20, "{path}: {at} operations are too few for a look");
        }
    }
}

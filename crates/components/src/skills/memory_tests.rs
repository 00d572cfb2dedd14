use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_manifest::Loader;
use plugd_model::{AbsPath, Clock, PluginId, PluginPath};
use pretty_assertions::assert_eq;

use super::SkillMemory;
use crate::fixture::Plugin;
use crate::skills::tests::head;
use crate::{SkillSource, list_skills, skills};

/// Long after every file here was written.
struct Later;

impl Clock for Later {
    fn now(&self) -> Duration {
        Duration::from_secs(1 << 40)
    }
}

pub(in crate::skills) fn memory() -> SkillMemory {
    SkillMemory::new(Arc::new(Later))
}

fn skill(name: &str, description: &str) -> String {
    head(&format!("name: {name}\ndescription: {description}"))
}

fn plugin() -> Plugin {
    Plugin::new()
        .file("skills/a/SKILL.md", skill("a", "does a"))
        .file(
            "skills/a/agents/openai.yaml",
            "interface:\n  short_description: short\n",
        )
        .file("skills/b/SKILL.md", skill("b", "does b"))
        .file("skills/broken/SKILL.md", "no front matter\n")
        .file("more/c/SKILL.md", skill("c", "does c"))
}

fn renamed(plugin: Plugin, from: &str, to: &str) -> Plugin {
    let root = plugin.root();
    plugin
        .disk
        .rename(&root.join(from), &root.join(to))
        .unwrap();
    plugin
}

/// Asks until what is found is remembered, and makes sure that nothing differs from a fresh look.
#[track_caller]
fn ask(memory: &SkillMemory, plugin: &Plugin) {
    let (root, manifest) = (plugin.root(), &plugin.manifest);
    let fresh = skills(&plugin.disk, &root, manifest);
    for _ in 0..4 {
        assert_eq!(memory.skills(&plugin.disk, &root, manifest), fresh);
    }
}

#[test]
fn every_change_is_seen() {
    let changes: &[fn(Plugin) -> Plugin] = &[
        |plugin| plugin.file("skills/a/SKILL.md", skill("a", "does something else")),
        |plugin| plugin.file("skills/new/SKILL.md", skill("new", "is new")),
        |plugin| plugin.file("skills/deep/er/SKILL.md", skill("deeper", "is new")),
        |plugin| {
            plugin.file(
                "skills/b/agents/openai.yaml",
                "interface:\n  short_description: x\n",
            )
        },
        |plugin| {
            plugin.file(
                "skills/a/agents/openai.yaml",
                "policy:\n  allow_implicit_invocation: false\n",
            )
        },
        |plugin| plugin.file("skills/broken/SKILL.md", skill("mended", "is mended")),
        |mut plugin| {
            plugin.manifest.skills = Some(vec![PluginPath::parse("./more").unwrap()]);
            plugin
        },
        |mut plugin| {
            plugin.manifest.name = "q".to_owned();
            plugin
        },
        |plugin| renamed(plugin, "skills/a", "skills/z"),
        |plugin| renamed(plugin, "skills", "gone"),
        |plugin| {
            let disk = Disk::new();
            let root = plugin.root();
            disk.remove_file(&root.join("skills/b/SKILL.md")).unwrap();
            plugin
        },
    ];
    for change in changes {
        let plugin = plugin();
        let before = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
        let memory = memory();
        ask(&memory, &plugin);
        let plugin = change(plugin);
        let after = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_ne!(before, after);
        ask(&memory, &plugin);
    }
}

/// Remembers which operations it saw.
#[derive(Default)]
struct Kinds(Mutex<Vec<OperationKind>>);

impl Probe for Kinds {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.lock().unwrap().push(operation.kind);
        Ok(())
    }
}

impl Kinds {
    fn taken(&self, kind: OperationKind) -> usize {
        let kinds = self.0.lock().unwrap();
        kinds.iter().filter(|seen| **seen == kind).count()
    }
}

/// How many files and directories are read by the fourth look, through the reading of one plugin and
/// through a list of many.
fn read_by_the_fourth(plugin: &Plugin) -> [usize; 2] {
    let memory = memory();
    let id = PluginId::parse("p@m").unwrap();
    let (root, manifest) = (&plugin.root(), &plugin.manifest);
    let source = SkillSource::Plugin {
        id: &id,
        root,
        manifest,
    };
    for _ in 0..3 {
        drop(memory.skills(&plugin.disk, root, manifest));
    }
    let count = |look: &dyn Fn(&Disk)| {
        let kinds = Arc::new(Kinds::default());
        look(&Disk::probed(Arc::<Kinds>::clone(&kinds)));
        kinds.taken(OperationKind::Read) + kinds.taken(OperationKind::List)
    };
    [
        count(&|disk| drop(memory.skills(disk, root, manifest))),
        count(&|disk| drop(list_skills(&Loader::new(disk.clone()), &memory, &[source]))),
    ]
}

#[cfg(not(any(target_vendor = "apple", windows)))]
#[test]
fn who_asks_again_reads_nothing() {
    assert_eq!(read_by_the_fourth(&plugin()), [0, 0]);
}

#[test]
fn a_plugin_with_a_link_is_read_each_time() {
    let plugin = plugin().link("skills/l", "../more/c");
    let [reads, _] = read_by_the_fourth(&plugin);
    assert!(reads > 4, "{reads}");
    let memory = memory();
    ask(&memory, &plugin);
    let plugin = plugin.file("more/c/SKILL.md", skill("c", "does what the link leads to"));
    ask(&memory, &plugin);
}

#[test]
fn a_plugin_that_is_gone_has_its_problem_and_may_come_back() {
    let plugin = plugin();
    let memory = memory();
    ask(&memory, &plugin);
    let (root, aside) = (plugin.root(), plugin.outside().join("aside"));
    plugin.disk.rename(&root, &aside).unwrap();
    ask(&memory, &plugin);
    plugin.disk.rename(&aside, &root).unwrap();
    ask(&memory, &plugin);
}

/// Refuses to read a path as long as it is told to.
struct Refusing {
    path: AbsPath,
    refuses: AtomicBool,
}

impl Probe for Refusing {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let reads = matches!(operation.kind, OperationKind::Read | OperationKind::List);
        match reads && *operation.path == self.path && self.refuses.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }
}

#[test]
fn a_refusal_of_the_system_is_not_remembered() {
    let mut plugin = plugin();
    for path in ["skills", "skills/a", "skills/a/SKILL.md"] {
        let probe = Arc::new(Refusing {
            path: plugin.root().join(path),
            refuses: AtomicBool::new(true),
        });
        plugin.disk = Disk::probed(Arc::<Refusing>::clone(&probe));
        let memory = memory();
        ask(&memory, &plugin);
        // Nothing that has a stamp changes.
        probe.refuses.store(false, Ordering::Relaxed);
        ask(&memory, &plugin);
    }
}

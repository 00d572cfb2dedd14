//! What a look at a plugin asks of the disk: paths are resolved where there are links, and nowhere
//! else.

use std::io;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use pretty_assertions::assert_eq;

use crate::fixture::Plugin;
use crate::skills;

/// Counts operations.
#[derive(Default)]
struct Counter {
    resolved: AtomicUsize,
    all: AtomicUsize,
}

impl Probe for Counter {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let is_resolving = usize::from(operation.kind == OperationKind::Resolve);
        self.resolved.fetch_add(is_resolving, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// The plugin with so many skills more, half of which have a file beside them.
fn with_skills(mut plugin: Plugin, dir: &str, count: usize) -> Plugin {
    for number in 0..count {
        let skill = format!("---\nname: {dir}{number}\ndescription: d\n---\n");
        plugin = plugin.file(&format!("{dir}/s{number}/SKILL.md"), skill);
        if number % 2 == 0 {
            let beside = "interface:\n  display_name: n\n  icon_small: ./assets/i.png\n";
            plugin = plugin
                .file(&format!("{dir}/s{number}/agents/openai.yaml"), beside)
                .file(&format!("{dir}/s{number}/assets/i.png"), "");
        }
    }
    plugin
}

/// How often paths were resolved, and how many operations there were at all.
#[track_caller]
fn check(plugin: &Plugin, expected: usize) -> (usize, usize) {
    let counter = Arc::new(Counter::default());
    let disk = Disk::probed(Arc::clone(&counter) as Arc<dyn Probe>);
    let found = skills(&disk, &plugin.root(), &plugin.manifest);
    assert_eq!(plugin.problems(&found.problems), Vec::<String>::new());
    assert_eq!(found.items.len(), expected);
    (
        counter.resolved.load(Ordering::Relaxed),
        counter.all.load(Ordering::Relaxed),
    )
}

#[test]
fn a_skill_costs_a_few_operations_and_resolves_nothing() {
    let few = check(&with_skills(Plugin::new(), "skills", 4), 4);
    let many = check(&with_skills(Plugin::new(), "skills", 54), 54);
    assert_eq!(few.0, 1, "the root is resolved");
    assert_eq!(many.0, 1, "the root is resolved");
    // Each: its directory, its text, and a look for the file beside it. Half of them: two directories
    // more, that file, and a look at the picture that it names.
    assert_eq!(many.1 - few.1, 50 * 3 + 25 * 4);
}

#[test]
fn what_lies_behind_links_is_resolved_once_for_each_of_them() {
    let plugin = with_skills(Plugin::new(), "elsewhere", 20);
    let target = plugin.root().join("elsewhere");
    symlink(&target, plugin.root().join("skills").as_path()).unwrap();
    let (resolved, _) = check(&plugin, 20);
    assert_eq!(resolved, 2, "the root, and the one link");
}

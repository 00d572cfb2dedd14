//! A link that is put in the way while a manifest is searched.

use std::io;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::{AbsPath, ProblemKind};

use super::super::find_plugin;
use super::{AGENT_PLUGINS, Tree};

/// Puts a link out of the plugin in the manifest's place before it is read for the nth time.
struct Swap {
    file: AbsPath,
    target: AbsPath,
    nth: usize,
    seen: AtomicUsize,
}

impl Probe for Swap {
    #[expect(clippy::disallowed_methods, reason = "an intruder does not ask")]
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.kind == OperationKind::Read
            && *operation.path == self.file
            && self.seen.fetch_add(1, Ordering::Relaxed) == self.nth
        {
            std::fs::remove_file(self.file.as_path())?;
            symlink(self.target.as_path(), self.file.as_path())?;
        }
        Ok(())
    }
}

/// Swaps before each reading of the manifest that a search makes, and tells how many there were.
fn swap_file(place: &str, root: fn(&Tree) -> AbsPath) -> usize {
    for nth in 0.. {
        let outside = format!("../real.json = {AGENT_PLUGINS}");
        let tree = Tree::new(&[&outside, &format!("{place} = {AGENT_PLUGINS}")]);
        let probe = Arc::new(Swap {
            file: root(&tree).join(place),
            target: tree.root().join("../real.json"),
            nth,
            seen: AtomicUsize::new(0),
        });
        let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
        let look = find_plugin(&disk, &root(&tree));
        if probe.seen.load(Ordering::Relaxed) <= nth {
            assert!(look.found.unwrap().is_some(), "nobody has swapped anything");
            return nth;
        }
        let kind = look.found.unwrap_err().kind;
        let refused = matches!(kind, ProblemKind::BadPath | ProblemKind::NotAFile);
        assert!(refused, "{place}, reading {nth}: {kind:?}");
    }
    unreachable!("a search ends")
}

#[test]
fn a_link_that_is_put_in_place_during_the_search_is_not_followed_out() {
    for place in ["plugin.json", ".codex-plugin/plugin.json"] {
        assert!(swap_file(place, Tree::root) >= 1, "{place}");
    }
    // At once, in vain, and then behind the looks.
    assert_eq!(swap_file(".codex-plugin/plugin.json", Tree::linked_root), 2);
}

/// Puts a link out of the plugin in the place of the manifest's directory before one operation.
struct SwapDirectory {
    tree: AbsPath,
    at: usize,
    seen: AtomicUsize,
}

impl Probe for SwapDirectory {
    #[expect(clippy::disallowed_methods, reason = "an intruder does not ask")]
    fn before(&self, _operation: &Operation<'_>) -> io::Result<()> {
        if self.seen.fetch_add(1, Ordering::Relaxed) == self.at {
            let directory = self.tree.join(".codex-plugin");
            std::fs::rename(&directory, self.tree.join("aside"))?;
            symlink(self.tree.join("../outside"), directory)?;
        }
        Ok(())
    }
}

/// Swaps before each operation of a search, and tells how many there were.
fn swap_directory(root: fn(&Tree) -> AbsPath) -> usize {
    for at in 0.. {
        let tree = Tree::new(&[
            "../outside/plugin.json = {\"name\": \"secret\"}",
            ".codex-plugin/plugin.json = {\"name\": \"inside\"}",
        ]);
        let probe = Arc::new(SwapDirectory {
            tree: tree.root(),
            at,
            seen: AtomicUsize::new(0),
        });
        let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
        let look = find_plugin(&disk, &root(&tree));
        if let Ok(Some(found)) = look.found {
            let text = String::from_utf8(found.bytes).unwrap();
            assert!(!text.contains("secret"), "before operation {at}");
        }
        if probe.seen.load(Ordering::Relaxed) <= at {
            return at;
        }
    }
    unreachable!("a search ends")
}

#[test]
fn a_directory_that_becomes_a_link_during_the_search_is_not_followed_out() {
    assert!(swap_directory(Tree::root) >= 2);
    // A look, a reading in vain, two looks and the reading behind them.
    assert_eq!(swap_directory(Tree::linked_root), 5);
}

//! A link that is put in the way while a manifest is searched.

use std::io;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::{AbsPath, ProblemKind};

use super::super::find_plugin;
use super::{AGENT_PLUGINS, Tree};

/// Puts a link out of the plugin in the manifest's place between the look and the read.
struct Swap {
    file: AbsPath,
    target: AbsPath,
}

impl Probe for Swap {
    #[expect(clippy::disallowed_methods, reason = "an intruder does not ask")]
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.kind == OperationKind::Read && *operation.path == self.file {
            std::fs::remove_file(self.file.as_path())?;
            symlink(self.target.as_path(), self.file.as_path())?;
        }
        Ok(())
    }
}

#[test]
fn a_link_that_is_put_in_place_during_the_search_is_not_followed_out() {
    for place in ["plugin.json", ".codex-plugin/plugin.json"] {
        let outside = format!("../real.json = {AGENT_PLUGINS}");
        let tree = Tree::new(&[&outside, &format!("{place} = {AGENT_PLUGINS}")]);
        let probe = Swap {
            file: tree.root().join(place),
            target: tree.root().join("../real.json"),
        };
        let look = find_plugin(&Disk::probed(Arc::new(probe)), &tree.root());
        let kind = look.found.unwrap_err().kind;
        let refused = matches!(kind, ProblemKind::BadPath | ProblemKind::NotAFile);
        assert!(refused, "{place}: {kind:?}");
    }
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

#[test]
fn a_directory_that_becomes_a_link_during_the_search_is_not_followed_out() {
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
        let look = find_plugin(
            &Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>),
            &tree.root(),
        );
        if let Ok(Some(found)) = look.found {
            let text = String::from_utf8(found.bytes).unwrap();
            assert!(!text.contains("secret"), "before operation {at}");
        }
        if probe.seen.load(Ordering::Relaxed) <= at {
            assert!(at > 1, "{at} operations are too few for a search");
            break;
        }
    }
}

//! The directories of the project that a request works in.
//!
//! A project begins at the nearest directory above that holds a marker, and what marks a project is
//! said by every layer but the project's own. A `.git` directory without a head marks no project for
//! its configuration and what stands beside that; for all else it does, as in the reference.

use plugd_config::{Layer, LayerSource, Snapshot};
use plugd_disk::{Disk, Kind};
use plugd_model::AbsPath;
use serde_json::Value;

const MARKERS: &str = "project_root_markers";
const GIT: &str = ".git";

/// What makes a directory the project's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProjectRoot {
    /// Any marker.
    Marked,
    /// A marker that is what it is called: where the project's configuration begins.
    Configured,
}

/// The directories from the project's root down to `cwd`, which need not exist. Without a marker it
/// is `cwd` alone.
pub(crate) fn project_dirs(
    disk: &Disk,
    config: &Snapshot,
    cwd: &AbsPath,
    root: ProjectRoot,
) -> Vec<AbsPath> {
    let markers = markers(config.layers());
    let is_root = |dir: &AbsPath, marker: &str| is_marked(disk, dir, marker, root);
    let marked = |dir: &AbsPath| markers.iter().any(|marker| is_root(dir, marker));
    let above: Vec<AbsPath> = cwd.ancestors().collect();
    let root = above.iter().position(marked).unwrap_or(0);
    above.into_iter().take(root + 1).rev().collect()
}

/// What marks a project: the highest layer that speaks of it decides. A value that is no list counts
/// as not said at all.
fn markers(layers: &[Layer]) -> Vec<String> {
    let is_foreign = |layer: &&Layer| !matches!(layer.source, LayerSource::Project { .. });
    let mut said = layers.iter().rev().filter(is_foreign);
    match said.find_map(|layer| layer.at(&[MARKERS])) {
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            let is_name = |name: &&str| !matches!(*name, "" | "." | "..");
            let names = names
                .filter(is_name)
                .filter(|name| !name.contains(['/', '\0']));
            names.map(str::to_owned).collect()
        }
        _ => vec![GIT.to_owned()],
    }
}

fn is_marked(disk: &Disk, dir: &AbsPath, marker: &str, root: ProjectRoot) -> bool {
    let path = dir.join(marker);
    let must_be_real = root == ProjectRoot::Configured && marker == GIT;
    match disk.stamp(&path) {
        Ok(Some(stamp)) if must_be_real && stamp.kind == Kind::Dir => {
            matches!(disk.link_stamp(&path.join("HEAD")), Ok(Some(_)))
        }
        Ok(found) => found.is_some(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use plugd_config::{SessionFlags, load};
    use plugd_disk::Disk;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::{ProjectRoot, project_dirs};

    const PROJECT: &str = "== work/p/.git/HEAD\nref\n== work/p/a/.hg/\n== work/p/a/b/\n";

    #[track_caller]
    fn check(config: &str, cwd: &str, expected: &[&str]) {
        let sandbox = Sandbox::from(&format!("{PROJECT}== ch/config.toml\n{config}\n"));
        let (disk, cwd) = (Disk::new(), sandbox.path(cwd));
        let config = load(&disk, &sandbox.layout(), &SessionFlags::none(), Some(&cwd));
        let expected: Vec<_> = expected.iter().map(|dir| sandbox.path(dir)).collect();
        for root in [ProjectRoot::Marked, ProjectRoot::Configured] {
            assert_eq!(project_dirs(&disk, &config, &cwd, root), expected);
        }
    }

    #[test]
    fn a_repository_without_a_head_begins_no_configuration() {
        let sandbox = Sandbox::from("== work/.git/\n== work/a/\n");
        let (disk, cwd) = (Disk::new(), sandbox.path("work/a"));
        let config = load(&disk, &sandbox.layout(), &SessionFlags::none(), Some(&cwd));
        let dirs = |root| project_dirs(&disk, &config, &cwd, root);
        assert_eq!(dirs(ProjectRoot::Configured), vec![cwd.clone()]);
        assert_eq!(
            dirs(ProjectRoot::Marked),
            [sandbox.path("work"), cwd.clone()]
        );
    }

    #[test]
    fn from_the_marker_down_to_the_directory() {
        let all = ["work/p", "work/p/a", "work/p/a/b"];
        check("", "work/p/a/b", &all);
        check("", "work/p", &all[..1]);
        // One that does not exist lies in its project all the same.
        check("", "work/p/gone", &["work/p", "work/p/gone"]);
        check("", "work", &["work"]);
    }

    #[test]
    fn other_markers() {
        check(
            "project_root_markers = [\".hg\"]",
            "work/p/a/b",
            &["work/p/a", "work/p/a/b"],
        );
        check("project_root_markers = []", "work/p/a", &["work/p/a"]);
        check("project_root_markers = [\"a/b\"]", "work/p", &["work/p"]);
        check(
            "project_root_markers = 5",
            "work/p/a",
            &["work/p", "work/p/a"],
        );
    }
}

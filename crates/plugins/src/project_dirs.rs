//! The directories of the project that a request works in.
//!
//! Where a project begins is decided as for its configuration: by the nearest directory above that
//! holds a marker, and what marks a project is said by every layer but the project's own.

use plugd_config::{Layer, LayerSource, Snapshot};
use plugd_disk::{Disk, Kind};
use plugd_model::AbsPath;
use serde_json::Value;

const MARKERS: &str = "project_root_markers";
const GIT: &str = ".git";

/// The directories from the project's root down to `cwd`, which need not exist. Without a marker it
/// is `cwd` alone.
pub(crate) fn project_dirs(disk: &Disk, config: &Snapshot, cwd: &AbsPath) -> Vec<AbsPath> {
    let markers = markers(config.layers());
    let marked = |dir: &AbsPath| markers.iter().any(|marker| is_marked(disk, dir, marker));
    let above: Vec<AbsPath> = cwd.ancestors().collect();
    let root = above.iter().position(marked).unwrap_or(0);
    above.into_iter().take(root + 1).rev().collect()
}

/// What marks a project: the highest layer that speaks of it decides. A value that is no list counts
/// as not said at all.
fn markers(layers: &[Layer]) -> Vec<String> {
    let is_foreign = |layer: &&Layer| !matches!(layer.source, LayerSource::Project { .. });
    let mut said = layers.iter().rev().filter(is_foreign);
    match said.find_map(|layer| layer.content.get(MARKERS)) {
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

/// A `.git` directory without a head is no repository and marks nothing.
fn is_marked(disk: &Disk, dir: &AbsPath, marker: &str) -> bool {
    let path = dir.join(marker);
    match disk.stamp(&path) {
        Ok(Some(stamp)) if marker == GIT && stamp.kind == Kind::Dir => {
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

    use super::project_dirs;

    const PROJECT: &str = "== work/p/.git/HEAD\nref\n== work/p/a/.hg/\n== work/p/a/b/\n";

    #[track_caller]
    fn check(config: &str, cwd: &str, expected: &[&str]) {
        let sandbox = Sandbox::from(&format!("{PROJECT}== ch/config.toml\n{config}\n"));
        let (disk, cwd) = (Disk::new(), sandbox.path(cwd));
        let config = load(&disk, &sandbox.layout(), &SessionFlags::none(), Some(&cwd));
        let expected: Vec<_> = expected.iter().map(|dir| sandbox.path(dir)).collect();
        assert_eq!(project_dirs(&disk, &config, &cwd), expected);
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

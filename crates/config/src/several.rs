//! The configuration as seen from several directories at once.
//!
//! Most directories of an editor have no configuration of their own, and from all of these it looks
//! the same: it is read once, and they share the snapshot.

use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout};

use crate::{SessionFlags, Snapshot, load, project};

/// As [`load`] for each directory, in their order.
#[must_use]
pub fn load_several(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    cwds: &[AbsPath],
) -> Vec<Arc<Snapshot>> {
    if let [cwd] = cwds {
        // What is shared is looked for in vain where there is nobody to share it with.
        return vec![load(disk, layout, flags, Some(cwd))];
    }
    let outside = load(disk, layout, flags, None);
    let user_config = layout.user_config();
    let of = |cwd: &AbsPath| {
        let merged = outside.merged();
        let folders = project::folders(disk, layout.home(), &user_config, merged, cwd);
        match folders.is_empty() {
            true => Arc::clone(&outside),
            false => load(disk, layout, flags, Some(cwd)),
        }
    };
    cwds.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plugd_disk::Disk;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::load_several;
    use crate::{SessionFlags, load};

    #[test]
    fn directories_without_configuration_share_what_is_read() {
        let sandbox = Sandbox::from(
            r#"
== ch/config.toml
[projects."$ROOT/own"]
trust_level = "trusted"
== own/.codex/config.toml
[features]
plugins = false
== own/below/notes.md
x
== strange/.codex/config.toml
[features]
plugins = false
== a/notes.md
x
== b/notes.md
x
"#,
        );
        let (disk, flags, layout) = (Disk::new(), SessionFlags::none(), sandbox.layout());
        let cwds = ["a", "own", "b", "strange", "own/below"].map(|cwd| sandbox.path(cwd));
        let found = load_several(&disk, &layout, &flags, &cwds);
        assert!(Arc::ptr_eq(&found[0], &found[2]));
        for (cwd, found) in cwds.iter().zip(&found) {
            let alone = load(&disk, &layout, &flags, Some(cwd));
            assert_eq!(found.layers(), alone.layers(), "{cwd}");
            assert_eq!(found.effective(), alone.effective(), "{cwd}");
            assert_eq!(found.problems(), alone.problems(), "{cwd}");
            assert_eq!(found.origins(), alone.origins(), "{cwd}");
        }
        assert!(!found[1].features().plugins && found[3].features().plugins);
    }
}

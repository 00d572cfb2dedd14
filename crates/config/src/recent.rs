//! The configuration for who asks again and again.
//!
//! Every file is read each time, and understood again only when one of them says something else than
//! the last time. Most directories have no configuration of their own, and from all of these it looks
//! the same: they share the snapshot.

use std::sync::{Arc, Mutex, PoisonError};

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout};

use crate::files::Files;
use crate::snapshot::{build, folders_of};
use crate::{LastEdit, SessionFlags, Snapshot};

/// What was understood last, of one home and with the flags of one process.
#[derive(Debug)]
pub struct Recent {
    layout: Arc<Layout>,
    flags: Arc<SessionFlags>,
    last: Mutex<Option<Arc<Understood>>>,
    last_edit: LastEdit,
}

/// Files, and what they say outside of any project.
#[derive(Debug)]
struct Understood {
    files: Files,
    outside: Arc<Snapshot>,
}

impl Recent {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(layout: Arc<Layout>, flags: Arc<SessionFlags>) -> Self {
        Self {
            layout,
            flags,
            last: Mutex::new(None),
            last_edit: LastEdit::default(),
        }
    }

    /// What the last edit left, for who edits again and again: what one of them has parsed is understood
    /// without being parsed once more.
    #[must_use]
    pub fn last_edit(&self) -> &LastEdit {
        &self.last_edit
    }

    /// As [`load`](crate::load()).
    #[must_use]
    pub fn load(&self, disk: &Disk, cwd: Option<&AbsPath>) -> Arc<Snapshot> {
        let understood = self.understood(disk);
        match cwd {
            Some(cwd) => self.seen_from(disk, &understood, cwd),
            None => Arc::clone(&understood.outside),
        }
    }

    /// The same for several directories at one moment, in their order.
    #[must_use]
    pub fn load_several(&self, disk: &Disk, cwds: &[AbsPath]) -> Vec<Arc<Snapshot>> {
        let understood = self.understood(disk);
        let seen_from = |cwd| self.seen_from(disk, &understood, cwd);
        cwds.iter().map(seen_from).collect()
    }

    fn seen_from(&self, disk: &Disk, understood: &Understood, cwd: &AbsPath) -> Arc<Snapshot> {
        let Understood { files, outside } = understood;
        let folders = folders_of(disk, &self.layout, outside, cwd);
        match folders.is_empty() {
            true => Arc::clone(outside),
            false => build(disk, &self.layout, &self.flags, files, folders),
        }
    }

    fn understood(&self, disk: &Disk) -> Arc<Understood> {
        let files = Files::read(disk, &self.layout, &self.flags).parsed_by(&self.last_edit);
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last().clone();
        if let Some(known) = known.filter(|known| known.files.say(&files)) {
            return known;
        }
        let outside = build(disk, &self.layout, &self.flags, &files, Vec::new());
        let understood = Arc::new(Understood { files, outside });
        *last() = Some(Arc::clone(&understood));
        understood
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use std::time::Duration;

    use plugd_disk::{Disk, Unsynced};
    use plugd_model::PluginId;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::Recent;
    use crate::{Edit, SessionFlags, begin, load};

    fn told(value: &dyn std::fmt::Debug) -> String {
        format!("{value:#?}")
    }

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
        let recent = Recent::new(Arc::new(layout.clone()), Arc::new(flags.clone()));
        let found = recent.load_several(&disk, &cwds);
        assert!(Arc::ptr_eq(&found[0], &found[2]));
        for (cwd, found) in cwds.iter().zip(&found) {
            let alone = load(&disk, &layout, &flags, Some(cwd));
            assert_eq!(told(&found.layers()), told(&alone.layers()), "{cwd}");
            assert_eq!(found.effective(), alone.effective(), "{cwd}");
            assert_eq!(found.problems(), alone.problems(), "{cwd}");
            assert_eq!(told(&found.origins()), told(&alone.origins()), "{cwd}");
        }
        assert!(!found[1].features().plugins && found[3].features().plugins);
    }

    #[test]
    fn what_an_edit_left_is_understood_as_if_it_was_read() {
        let sandbox = Sandbox::from(
            "== etc/config.toml\na = 1\n== ch/config.toml\na = []\n[plugins.\"p@m\"]\nenabled = 1\n",
        );
        let (disk, layout, flags) = (Disk::new(), sandbox.layout(), SessionFlags::none());
        let recent = Recent::new(Arc::new(layout.clone()), Arc::new(flags.clone()));
        let id = PluginId::parse("q@m").unwrap();
        for edits in [
            [Edit::set_plugin_enabled(&id, true)],
            [Edit::set_plugin_enabled(&id, false)],
            [Edit::remove_plugin(&id)],
        ] {
            let (last, wait) = (recent.last_edit(), Duration::ZERO);
            let pending = begin(&disk, &layout, &edits, None, last, wait).unwrap();
            let saved = pending.save(wait, &mut Unsynced::default()).unwrap();
            saved.settle(wait).unwrap();
            assert!(last.of(sandbox.text("ch/config.toml").as_str()).is_some());
            let found = recent.load(&disk, None);
            let alone = load(&disk, &layout, &flags, None);
            assert_eq!(told(&found.layers()), told(&alone.layers()));
            assert_eq!(found.effective(), alone.effective());
            assert_eq!(found.problems(), alone.problems());
            assert_eq!(found.warnings(), alone.warnings());
            assert_eq!(told(&found.origins()), told(&alone.origins()));
            assert!(!found.problems().is_empty());
        }
    }

    #[test]
    fn files_that_say_the_same_are_understood_once() {
        let sandbox = Sandbox::from("== ch/config.toml\n[features]\nplugins = false\n");
        let recent = Recent::new(Arc::new(sandbox.layout()), Arc::new(SessionFlags::none()));
        let load = || recent.load(&Disk::new(), Some(&sandbox.path("a")));
        let first = load();
        assert!(Arc::ptr_eq(&first, &load()));
        for (file, expected) in [
            ("ch/config.toml", true),
            ("ch/plugd.toml", true),
            ("etc/config.toml", false),
            ("etc/managed_config.toml", true),
            ("etc/requirements.toml", true),
        ] {
            let before = load();
            sandbox.add(&format!("== {file}\n[features]\nplugins = {expected}\n"));
            let after = load();
            assert!(!Arc::ptr_eq(&before, &after), "{file}");
            assert!(Arc::ptr_eq(&after, &load()), "{file}");
            let anew = crate::load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
            assert_eq!(after.effective(), anew.effective(), "{file}");
            assert_eq!(after.problems(), anew.problems(), "{file}");
        }
    }
}

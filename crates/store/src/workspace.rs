//! A place for trees that are no plugins, such as the checkout of a marketplace on its way.
//!
//! It obeys the rule of every transaction: its lock is held for its life, and what a dead process
//! leaves is swept by recovery. A tree that was exchanged into it goes away with it.

use plugd_model::AbsPath;

use crate::state::Ticket;
use crate::{Store, StoreError};

/// A directory that goes away when the value is dropped, or with the next recovery.
#[derive(Debug)]
pub struct Workspace(Ticket);

impl Store {
    /// Opens a workspace. It lies on the file system of the home directory, so trees can be renamed
    /// between the two.
    ///
    /// # Errors
    /// A newer program owns the state, or the system refuses.
    pub fn workspace(&self) -> Result<Workspace, StoreError> {
        self.prepare_state()?;
        let ticket = self.open_ticket()?;
        self.disk().create_dirs_durably(&ticket.staging)?;
        Ok(Workspace(ticket))
    }
}

impl Workspace {
    /// The directory, which is empty at first.
    #[must_use]
    pub fn dir(&self) -> &AbsPath {
        &self.0.staging
    }
}

#[cfg(test)]
mod tests {
    use plugd_disk::Disk;

    use crate::fixture::{NO_PATIENCE, World};

    #[test]
    fn a_workspace_goes_away_with_its_value() {
        let world = World::new();
        let (store, disk) = (world.store(), Disk::new());
        let workspace = store.workspace().unwrap();
        let dir = workspace.dir().clone();
        let file = dir.join("a");
        disk.write_new(&file, b"x", 0o644).unwrap();
        // A living workspace is nobody's to sweep.
        world.store().recover(NO_PATIENCE).unwrap();
        assert!(disk.stamp(&file).unwrap().is_some());
        drop(workspace);
        assert!(disk.link_stamp(&dir).unwrap().is_none());
        let left = disk.list(&store.layout().journals()).unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}

//! What stands where directories of the store belong.
//!
//! Other people and programs can put a link or a file there. Working through a link would change a
//! directory that is none of ours, so every change looks first and refuses with the path.

use plugd_disk::Kind;
use plugd_model::{AbsPath, PluginId};

use crate::installed::absent_is_none;
use crate::{Store, StoreError};

impl Store {
    /// Refuses when a directory that all plugins share is something else.
    pub(crate) fn check_state_places(&self) -> Result<(), StoreError> {
        let layout = self.layout();
        let state = layout.state();
        // The directory above may be a link: the user may keep it on another disk.
        if let Some(parent) = state.parent()
            && let Some(stamp) = self.disk().stamp(&parent)?
            && stamp.kind != Kind::Dir
        {
            return Err(in_the_way(parent, stamp.kind));
        }
        if self.kind_of(&state)?.is_some() {
            self.must_be_dir(state.clone())?;
            for place in [
                state.join("locks"),
                layout.journals(),
                layout.staging(),
                layout.trash(),
                layout.records(),
                layout.trees(),
                layout.leases(),
            ] {
                self.must_be_dir(place)?;
            }
        }
        self.must_be_dir(layout.cache())
    }

    /// Refuses when something else stands above the plugin's directory or its record.
    pub(crate) fn check_way_to(&self, id: &PluginId) -> Result<(), StoreError> {
        let (place, record) = (self.layout().plugin_dir(id), self.layout().record(id));
        for path in [place, record] {
            path.parent().map_or(Ok(()), |dir| self.must_be_dir(dir))?;
        }
        Ok(())
    }

    /// As [`Store::check_way_to`], and refuses when the plugin's directory or its record is something
    /// that the store did not make. A link as plugin directory is the way in which people try out a
    /// working tree; it can be replaced and removed without touching what it leads to.
    pub(crate) fn check_places_of(&self, id: &PluginId) -> Result<(), StoreError> {
        self.check_way_to(id)?;
        let place = self.layout().plugin_dir(id);
        match self.kind_of(&place)? {
            None | Some(Kind::Dir | Kind::Link) => {}
            Some(found) => return Err(in_the_way(place, found)),
        }
        let record = self.layout().record(id);
        match self.kind_of(&record)? {
            None | Some(Kind::File) => Ok(()),
            Some(found) => Err(in_the_way(record, found)),
        }
    }

    /// What stands where the directories of marketplaces belong and makes every change to plugins of
    /// theirs fail. A file is told only to whoever meets it: nobody knows whether it bears the name of a
    /// marketplace.
    ///
    /// # Errors
    /// A directory of the store cannot be read.
    pub fn obstacles(&self) -> Result<Vec<StoreError>, StoreError> {
        let mut obstacles = Vec::new();
        for dir in [self.layout().cache(), self.layout().records()] {
            let entries = absent_is_none(self.disk().list(&dir))?.unwrap_or_default();
            let links = entries.into_iter().filter(|entry| entry.kind == Kind::Link);
            obstacles.extend(links.map(|link| in_the_way(dir.join(link.name), link.kind)));
        }
        Ok(obstacles)
    }

    /// Refuses when something else stands there; nothing there is fine.
    pub(crate) fn must_be_dir(&self, path: AbsPath) -> Result<(), StoreError> {
        match self.kind_of(&path)? {
            None | Some(Kind::Dir) => Ok(()),
            Some(found) => Err(in_the_way(path, found)),
        }
    }

    /// What stands there; a link counts as itself.
    pub(crate) fn kind_of(&self, path: &AbsPath) -> Result<Option<Kind>, StoreError> {
        Ok(self.disk().link_stamp(path)?.map(|stamp| stamp.kind))
    }
}

/// The refusal, for a place that was looked at.
pub(crate) fn in_the_way(path: AbsPath, found: Kind) -> StoreError {
    StoreError::InTheWay { path, found }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;

//! Ending a transaction that a crash found at its end: everything is done that its journal speaks of.
//!
//! The commit is the removal of the journal, and nobody waits until that is durable. So a journal may be
//! back after a loss of power, and there may have been changes since: what is asked is not whether all is
//! as the transaction left it, but whether all of it has happened. Where another program has set the
//! configuration back, the places tell: they are swept after the commit and never before.

use plugd_disk::Unsynced;
use plugd_disk::tree::Digest;
use plugd_model::AbsPath;

use crate::journal::{Journal, Operation, Part};
use crate::json::installed_in;
use crate::record::Identity;
use crate::state::Ticket;
use crate::undo::config_undo;
use crate::{Store, StoreError};

impl Store {
    /// Ends a transaction whose change is complete, and tells whether it is. The store lock is held.
    pub(crate) fn go_forward(
        &self,
        ticket: &mut Ticket,
        journal: &Journal,
    ) -> Result<bool, StoreError> {
        journal.plugins().try_for_each(|id| self.check_way_to(id))?;
        let mut unsynced = Unsynced::default();
        if !self.is_each(journal, |part| self.is_in_place(journal.operation, part))?
            || (!self.is_configured(journal, &mut unsynced)?
                && self.is_each(journal, |part| {
                    self.can_go_back(ticket, journal.operation, part)
                })?)
        {
            return Ok(false);
        }
        // The process may have died before any of it was durable, and without a journal nobody would
        // know that it belongs together.
        let layout = self.layout();
        for id in journal.plugins() {
            for path in [layout.plugin_dir(id), layout.record(id)] {
                unsynced.dir(self.nearest_dir(&path)?);
            }
        }
        self.disk().make_durable(&unsynced)?;
        if journal.operation == Operation::Install {
            for part in &journal.parts {
                self.keep_parked(ticket, part);
            }
        }
        ticket.remove_journal()?;
        Ok(true)
    }

    /// Whether something holds of each part.
    fn is_each(
        &self,
        journal: &Journal,
        holds: impl Fn(&Part) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        for part in &journal.parts {
            if !holds(part)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether copy and record are there, or gone, as after the change.
    fn is_in_place(&self, operation: Operation, part: &Part) -> Result<bool, StoreError> {
        let same = |found: Option<Identity>, meant: Option<Identity>| {
            found
                .zip(meant)
                .is_some_and(|(found, meant)| meant.is(&found))
        };
        let there = self.identity(&self.layout().plugin_dir(&part.plugin))?;
        Ok(match operation {
            Operation::Install => {
                // By the directory and not by the text: a pin may have come since.
                let recorded = self.record_file(&part.plugin)?.record;
                let recorded = recorded.map(|record| record.directory);
                same(there, part.new) && same(recorded, part.new_version)
            }
            Operation::Uninstall => {
                let record = self.layout().record(&part.plugin);
                let is_gone = !part.was_present || there.is_none();
                is_gone && self.disk().link_stamp(&record)?.is_none()
            }
        })
    }

    fn is_configured(
        &self,
        journal: &Journal,
        unsynced: &mut Unsynced,
    ) -> Result<bool, StoreError> {
        for note in &journal.config {
            let made = self.inner.config.is_made(note, unsynced);
            if !made.map_err(|source| config_undo(journal, source))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether nothing of what was replaced or removed has gone yet. Only a transaction that is over
    /// sweeps its places, so whoever has set the configuration back has done that since.
    fn can_go_back(
        &self,
        ticket: &Ticket,
        operation: Operation,
        part: &Part,
    ) -> Result<bool, StoreError> {
        let places = [&ticket.staging, &ticket.trash];
        if !part.was_present {
            // A new copy was made in the one, and of nothing nothing is lost.
            let made_in = self.identity(&ticket.staging)?;
            return Ok(operation == Operation::Uninstall || made_in.is_some());
        }
        let before = part.record_before.as_deref();
        let before = before.and_then(|text| serde_json::from_str(text).ok());
        let digest = before.and_then(|members| installed_in(&members));
        for place in places {
            let parked = part.parked_in(place);
            let found = self.identity(&parked)?;
            if found.is_none_or(|found| part.new.is_some_and(|new| new.is(&found))) {
                continue;
            }
            let versions = self.versions_in(&parked, || None)?;
            let is_whole = |digest: Digest| versions.iter().any(|one| one.tree_digest == digest);
            return Ok(digest.is_none_or(is_whole));
        }
        Ok(false)
    }

    /// The innermost directory above a path that there is.
    fn nearest_dir(&self, path: &AbsPath) -> Result<AbsPath, StoreError> {
        let mut dir = path.parent();
        while let Some(here) = dir {
            if self.disk().link_stamp(&here)?.is_some() {
                return Ok(here);
            }
            dir = here.parent();
        }
        Ok(self.layout().state())
    }

    /// Keeps the replaced versions that the new record names. As at the end of an installation, a failure
    /// costs a kept version and nothing else.
    fn keep_parked(&self, ticket: &Ticket, part: &Part) {
        let plugin = &part.plugin;
        for place in [&ticket.staging, &ticket.trash] {
            let parked = part.parked_in(place);
            let kept = self.record_file(plugin).and_then(|file| {
                let kept = file.record.map(|record| record.kept).unwrap_or_default();
                self.keep(&parked, &self.versions_in(&parked, || None)?, &kept, ticket)
            });
            if let Err(error) = kept {
                tracing::warn!(%plugin, %error, "a replaced version is not kept");
            }
        }
    }
}

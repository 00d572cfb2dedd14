//! What edits would do to the text of a file, worked out before they are made.
//!
//! The same edits do the same to the same text, so a plan holds as long as the file has the text that
//! it was made on. Nothing is locked here and nothing is written.

use plugd_disk::Disk;
use plugd_model::Layout;

use super::{Target, WriteError, check_state, edit_parsed, parse, target};
use crate::edit::Edited;
use crate::undo::UndoRecord;
use crate::{Edit, LastEdit, foreign_keys, requirements, swap};

/// What edits do to one text.
#[derive(Debug)]
pub struct Plan {
    pub(super) edits: Vec<Edit>,
    pub(super) own: Vec<Edit>,
    pub(super) edited: Edited,
    pub(super) target: Target,
}

impl Plan {
    /// The text that it was made on.
    pub(super) fn text(&self) -> &str {
        &self.edited.before.text
    }

    /// How the edits could be undone.
    #[must_use]
    pub fn undo(&self) -> UndoRecord {
        UndoRecord::of(self.target, &self.own, &self.edited)
    }
}

/// Works out edits without making them or taking the lock: finds out early whether they can be made
/// at all. Who makes them asks [`begin`](super::begin()) for the way back. `last` is what the last edit
/// left.
///
/// # Errors
/// As [`write`](super::write()): edits that could not be made cannot be planned.
pub fn plan(
    disk: &Disk,
    layout: &Layout,
    edits: &[Edit],
    last: &LastEdit,
) -> Result<Plan, WriteError> {
    check_state(disk, layout)?;
    again(disk, layout, edits, None, last)
}

/// The plan that was made before when the file still has its text, else a new one.
pub(super) fn again(
    disk: &Disk,
    layout: &Layout,
    edits: &[Edit],
    planned: Option<Plan>,
    last: &LastEdit,
) -> Result<Plan, WriteError> {
    let target = Target::of(edits)?;
    target::refuse_nulls(edits)?;
    foreign_keys::refuse_profiles(edits)?;
    requirements::refuse_contrary(disk, layout, edits)?;
    let file = target.file(layout);
    let found = swap::text_at(disk, &file)?.unwrap_or_default();
    if let Some(plan) = planned.filter(|plan| plan.text() == found && plan.edits == edits) {
        return Ok(plan);
    }
    let of_text = |text: String| {
        let before = match last.of(&text) {
            Some(known) => known,
            None => parse(target, &file, &text)?,
        };
        let (own, edited) = edit_parsed(target, &file, &before, edits)?;
        Ok(Plan {
            edits: edits.to_vec(),
            own,
            edited,
            target,
        })
    };
    if !found.is_empty() {
        match of_text(found) {
            Err(WriteError::Broken { .. }) => {}
            planned => return planned,
        }
    }
    // Another program may be in the middle of writing it.
    of_text(swap::read_settled(disk, &file)?.unwrap_or_default())
}

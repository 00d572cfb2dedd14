//! What an installation could not make of a plugin's commands, found out once more from the copy: it
//! was told when the copy came, and is as true as long as the copy stays.

use plugd_components::migrated_commands;
use plugd_model::{PluginId, Problem};

use crate::details::details_of_copy;
use crate::listing::Details;
use crate::{Copies, Lookup};

/// Why a command of an installed plugin is no skill there. Reads the commands.
pub(crate) fn lost_command(lookup: &Lookup, copies: &Copies, id: &PluginId) -> Option<Problem> {
    let copy = copies.store().ok()?.get(id).ok()??;
    let Details::Manifest(manifest, root) = details_of_copy(lookup.loader(), &copy) else {
        return None;
    };
    let migrated = migrated_commands(lookup.disk(), &root, &manifest.value);
    migrated.problems.into_iter().next()
}

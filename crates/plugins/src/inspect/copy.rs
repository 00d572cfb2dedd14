//! A copy, wherever it lies: what an installation would put into its place, or has put there.

use plugd_components::{Inspection, Unread, UnreadKind};
use plugd_manifest::Loaded;
use plugd_model::{AbsPath, PluginId, PluginManifest, Problem, ProblemKind};

use super::side::side;
use crate::{Error, Lookup};

/// What of a copy would run or be read, wherever it lies.
///
/// # Errors
/// Its manifest or its files cannot be read.
pub(crate) fn inspected(
    lookup: &Lookup,
    id: &PluginId,
    root: &AbsPath,
) -> Result<Inspection, Error> {
    let bad = |problem| Error::BadManifest {
        id: id.clone(),
        problem: Box::new(problem),
    };
    let loaded = lookup.loader().plugin_named(root, id.plugin.as_str());
    let Some(loaded) = loaded.map_err(bad)? else {
        let text = "it has no plugin manifest";
        return Err(bad(Problem::error(ProblemKind::Missing, text).in_file(root)));
    };
    let side = side(lookup.disk(), root, &loaded.value, id).map_err(bad)?;
    let mut inspection = side.inspection;
    inspection.unread.extend(unread_members(&loaded, root));
    Ok(inspection)
}

/// The members of a manifest that declare what runs and were passed over. Another host may go by
/// them.
fn unread_members(loaded: &Loaded<PluginManifest>, root: &AbsPath) -> Vec<Unread> {
    let members = [
        ("hooks", UnreadKind::Hooks),
        ("mcpServers", UnreadKind::McpServers),
        ("apps", UnreadKind::Apps),
    ];
    let mut unread = Vec::new();
    for problem in &loaded.problems {
        // So many complaints that some are only counted: any of those may be about such a member.
        if problem.kind == ProblemKind::TooLarge && problem.field.is_none() {
            let all = members.iter().map(|(_, what)| *what);
            unread.extend(all.map(|what| Unread::at(what, Some(&loaded.file), root)));
        }
        let field = problem.field.as_deref().unwrap_or_default();
        let member = field.split(['.', '[']).next().unwrap_or_default();
        if let Some((_, what)) = members.iter().find(|(name, _)| *name == member) {
            unread.push(Unread::at(*what, Some(&loaded.file), root));
        }
    }
    unread
}

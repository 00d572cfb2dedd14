//! One side of a plugin, and what differs between two.

use plugd_components::{Difference, Inspection, InspectionLimits, MIGRATED_SKILLS_DIR, OddityKind};
use plugd_disk::Disk;
use plugd_disk::tree::{Digest, Limits};
use plugd_manifest::plugin_file;
use plugd_model::{
    AbsPath, ManifestFormat, MarketplaceName, PluginId, PluginManifest, PluginName, Problem,
    ProblemKind, Source, error_chain,
};
use plugd_store::{Store, StoreError};

use crate::call::Call;

/// The marketplace in the keys of a plugin that comes from none.
const NOWHERE: &str = "local";

/// One side of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct InspectedSide {
    /// What its manifest calls itself.
    pub name: String,
    /// The name to show.
    pub display_name: Option<String>,
    /// The description, verbatim.
    pub description: Option<String>,
    /// The version directory that it has or would get; nothing when its version can name none.
    pub version: Option<String>,
    /// The directory that was looked at; nothing for what was fetched only to be looked at.
    pub root: Option<AbsPath>,
    /// Where it comes from, as far as that is known, without secrets.
    pub source: Option<Source>,
    /// The commit or release that the source meant.
    pub commit: Option<String>,
    /// The digest of what is installed, or of what an installation would copy; nothing when that
    /// cannot be read as a whole, which is then a problem.
    pub digest: Option<Digest>,
    /// Everything that would run or be read.
    pub inspection: Inspection,
    /// What is wrong with the manifest and the files, components included.
    pub problems: Vec<Problem>,
}

/// The id in the hook keys of a plugin without a marketplace. A name that is none is somebody
/// else's complaint.
#[expect(
    clippy::expect_used,
    reason = "both texts are constants that the name rule accepts"
)]
pub(crate) fn stand_in_id(name: &str) -> PluginId {
    PluginId {
        plugin: PluginName::new(name)
            .unwrap_or_else(|_| PluginName::new("plugin").expect("a legal name")),
        marketplace: MarketplaceName::new(NOWHERE).expect("a legal name"),
    }
}

pub(super) fn side(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
    id: &PluginId,
) -> Result<InspectedSide, Problem> {
    let limits = InspectionLimits::DEFAULT;
    let mut inspection = plugd_components::inspect(disk, root, manifest, id, &limits)?;
    let problems = std::mem::take(&mut inspection.problems);
    let interface = manifest.interface.as_ref();
    Ok(InspectedSide {
        name: manifest.name.clone(),
        display_name: interface.and_then(|interface| interface.display_name.clone()),
        description: manifest.description.clone(),
        version: None,
        root: None,
        source: None,
        commit: None,
        digest: None,
        inspection,
        problems,
    })
}

/// Notes the digest that an installation would record, and what it would leave out.
pub(super) fn digest_source(side: &mut InspectedSide, store: &Store, dir: &AbsPath, call: &Call) {
    let digested = store.plan(dir, &Limits::INSTALL, call).and_then(|plan| {
        side.problems.extend(plan.left_out().iter().cloned());
        store.digest_of(&plan, call)
    });
    match digested {
        Ok(digest) => side.digest = Some(digest),
        Err(error) => side.problems.push(undigested(&error, dir)),
    }
}

pub(super) fn undigested(error: &StoreError, dir: &AbsPath) -> Problem {
    let text = format!("the content has no digest: {}", error_chain(error));
    Problem::warning(ProblemKind::Unreadable, text).in_file(dir)
}

/// Takes the directory out of everything that was fetched only for this look: it is gone when
/// somebody reads the answer. A path below it stays as a relative one, in front of the message.
pub(super) fn forget_place(side: &mut InspectedSide, dir: &AbsPath) {
    side.root = None;
    let problems = side.problems.iter_mut().chain(&mut side.inspection.cut);
    for problem in problems {
        let Some(path) = &problem.path else {
            continue;
        };
        let Some(relative) = below(path, dir) else {
            continue;
        };
        if !relative.is_empty() {
            problem.message = format!("`{relative}`: {}", problem.message);
        }
        problem.path = None;
    }
    for hook in &mut side.inspection.hooks {
        hook.file = None;
    }
    for server in &mut side.inspection.mcp_servers {
        server.origin.file = None;
    }
}

fn below(path: &AbsPath, dir: &AbsPath) -> Option<String> {
    let relative = path.as_path().strip_prefix(dir.as_path()).ok()?;
    Some(relative.to_string_lossy().into_owned())
}

/// What an installation would change.
///
/// An installation adds files of its own and stores links as copies. Neither says anything about the
/// two versions, so both are left out of the comparison.
pub(super) fn difference(installed: &Inspection, offered: &Inspection) -> Difference {
    let (mut before, mut after) = (installed.clone(), offered.clone());
    let fallback = plugin_file(ManifestFormat::Codex);
    let added = |path: &str| {
        let is_new = !offered.texts.iter().any(|text| text.path == path);
        let is_ours = path
            .strip_prefix(MIGRATED_SKILLS_DIR)
            .is_some_and(|rest| rest.starts_with('/'));
        is_new && (is_ours || Some(path) == fallback.as_deref())
    };
    before.texts.retain(|text| !added(&text.path));
    before.hidden.retain(|hidden| !added(&hidden.path));
    let is_link = |kind| {
        matches!(
            kind,
            OddityKind::LinkInside | OddityKind::LinkOutside | OddityKind::LinkToNothing
        )
    };
    after
        .oddities
        .retain(|oddity| !is_link(oddity.kind) && oddity.kind != OddityKind::GitData);
    before.difference(&after)
}

#[cfg(test)]
#[path = "side_tests.rs"]
mod tests;

//! One side of a plugin, and what differs between two.

use plugd_components::{Difference, InspectedFiles, Inspection, InspectionLimits, OddityKind};
use plugd_disk::Disk;
use plugd_disk::tree::{
    Digest, FileDigests, Limits, Pace, TreeError, TreePlan, copy, file_digests,
};
use plugd_manifest::plugin_file;
use plugd_model::{
    AbsPath, ManifestFormat, MarketplaceName, PluginId, PluginManifest, PluginName, Problem,
    ProblemKind, Source, error_chain, is_migrated_skill,
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

/// The files of one side, as an installation holds them.
pub(super) struct Held {
    plan: TreePlan,
    digests: FileDigests,
}

impl Held {
    /// Reads all files below a plan.
    pub(super) fn read(disk: &Disk, plan: TreePlan, pace: &dyn Pace) -> Result<Self, TreeError> {
        let digests = file_digests(disk, &plan, pace)?;
        Ok(Self { plan, digests })
    }

    pub(super) fn digest(&self) -> Digest {
        self.digests.digest()
    }

    /// Whether a copy holds something else than the source: files where that has links, and nothing
    /// where it has what no copy takes.
    pub(super) fn differs_when_copied(&self) -> bool {
        !self.plan.left_out().is_empty() || self.plan.files().any(|file| file.linked)
    }

    /// Copies what is held, to be looked at as it would be installed.
    pub(super) fn copy_to(
        &self,
        disk: &Disk,
        root: &AbsPath,
        call: &Call,
    ) -> Result<(), TreeError> {
        copy(disk, &self.plan, root, call).map(drop)
    }
}

/// Reads what an installation would copy, and notes its digest and what would be left out.
pub(super) fn held_by_source(
    side: &mut InspectedSide,
    store: &Store,
    disk: &Disk,
    dir: &AbsPath,
    call: &Call,
) -> Option<Held> {
    let held = store.plan(dir, &Limits::INSTALL, call).and_then(|plan| {
        side.problems.extend(plan.left_out().iter().cloned());
        Ok(Held::read(disk, plan, call)?)
    });
    held_or_problem(side, held, dir)
}

/// Notes the digest of what is held, or why there is none.
pub(super) fn held_or_problem(
    side: &mut InspectedSide,
    held: Result<Held, StoreError>,
    dir: &AbsPath,
) -> Option<Held> {
    match held {
        Ok(held) => {
            side.digest = Some(held.digest());
            Some(held)
        }
        Err(error) => {
            side.problems.push(undigested(&error, dir));
            None
        }
    }
}

fn undigested(error: &StoreError, dir: &AbsPath) -> Problem {
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
        server.definition.origin.file = None;
    }
}

fn below(path: &AbsPath, dir: &AbsPath) -> Option<String> {
    let relative = path.as_path().strip_prefix(dir.as_path()).ok()?;
    Some(relative.to_string_lossy().into_owned())
}

/// What an installation would change.
///
/// An installation adds files of its own, and leaves out what no copy can hold. Neither says anything
/// about the two versions, so both are left out of the comparison.
pub(super) fn difference(
    installed: (&Inspection, Option<&Held>),
    offered: (&Inspection, Option<&Held>),
) -> Difference {
    let (mut before, mut after) = (installed.0.clone(), offered.0.clone());
    let fallback = plugin_file(ManifestFormat::Codex);
    let is_offered = |path: &str| match offered.1 {
        Some(held) => held.digests.contains(path),
        None => offered.0.texts.iter().any(|text| text.path == path),
    };
    let added = |path: &str| {
        (is_migrated_skill(path) || Some(path) == fallback.as_deref()) && !is_offered(path)
    };
    before.texts.retain(|text| !added(&text.path));
    before.hidden.retain(|hidden| !added(&hidden.path));
    after
        .oddities
        .retain(|oddity| oddity.kind == OddityKind::SameNameButCase);
    let counted = |held: &Held| InspectedFiles::of(&held.plan, &held.digests, |path| !added(path));
    let files = installed.1.map(counted).zip(offered.1.map(counted));
    before.difference(
        &after,
        files.as_ref().map(|(before, after)| (before, after)),
    )
}

#[cfg(test)]
#[path = "side_tests.rs"]
mod tests;

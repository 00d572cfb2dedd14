//! What has to happen so that a home matches a lock: decided from values, before anything is done.

use std::collections::BTreeMap;

use plugd_config::{MarketplaceKind, Snapshot};
use plugd_disk::Disk;
use plugd_disk::tree::Digest;
use plugd_lockfile::{Location, LockedMarketplace, LockedPlugin, Lockfile};
use plugd_marketplace::Binding;
use plugd_model::{
    AbsPath, CURATED_API_MARKETPLACE, CURATED_MARKETPLACE, Layout, MarketplaceName, PackedOrigin,
    PluginId,
};
use plugd_store::{Pin, Provenance};

use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::packed;
use crate::source_text::GitSource;
use crate::standing::Standing;

/// Everything that has to happen, in the order of the lock.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) marketplaces: Vec<MarketplaceStep>,
    pub(crate) plugins: Vec<PluginStep>,
    /// What stands in the way.
    pub(crate) conflicts: Vec<Conflict>,
}

/// One marketplace.
#[derive(Debug, Clone)]
pub(crate) struct MarketplaceStep {
    pub(crate) name: MarketplaceName,
    pub(crate) wanted: LockedMarketplace,
    /// It has to be added.
    pub(crate) adds: bool,
}

/// One plugin, and how it stood when that was decided.
#[derive(Debug, Clone)]
pub(crate) struct PluginStep {
    pub(crate) id: PluginId,
    pub(crate) wanted: LockedPlugin,
    pub(crate) standing: Standing,
    pub(crate) what: What,
    /// It is not configured yet, so it is switched on.
    pub(crate) switches_on: bool,
    /// The other locks that hold it and name the same.
    pub(crate) agreeing: Vec<AbsPath>,
    /// What it is to be bound to.
    pub(crate) bound: Bound,
}

/// The other locks that plugins of this home are held by, as far as they are there.
#[derive(Debug, Default)]
pub(crate) struct Others(BTreeMap<AbsPath, Lockfile>);

impl Others {
    /// Reads those that hold a plugin. One that is gone or broken holds nothing.
    pub(crate) fn read(&mut self, disk: &Disk, place: &LockPlace, standing: &Standing) {
        let locks = standing.pin().map(|pin| pin.locks.as_slice());
        for lock in locks.unwrap_or_default() {
            if *lock == place.file || self.0.contains_key(lock) {
                continue;
            }
            let found = LockPlace::at(lock.clone()).read_whole(disk);
            let lock_of = |(lock, _)| lock;
            self.0
                .insert(lock.clone(), found.map(lock_of).unwrap_or_default());
        }
    }

    /// Those of a pin that name a plugin, and what they name.
    fn naming<'a>(
        &'a self,
        pin: Option<&'a Pin>,
        id: &'a PluginId,
    ) -> impl Iterator<Item = (&'a AbsPath, &'a LockedPlugin)> {
        let locks = pin.map_or(&[][..], |pin| &pin.locks).iter();
        locks.filter_map(|lock| Some((lock, self.0.get(lock)?.plugins.get(id)?)))
    }
}

/// Whether two locks want the same of a plugin.
fn agree(one: &LockedPlugin, other: &LockedPlugin) -> bool {
    one.version == other.version && one.source_digest == other.source_digest
}

/// What happens to a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// It is what the lock says, and stays.
    Nothing,
    /// It is what the lock says, and is held there from now on.
    Pin,
    /// It is not installed.
    Install,
    /// Another version is.
    Move,
    /// The version is the same, and source or content are not.
    Replace,
}

/// Something that the lock may not simply undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) text: String,
    /// Whether the user can say that he means it.
    pub(crate) can_switch: bool,
}

impl Plan {
    /// Whether the home matches the lock.
    pub(crate) fn is_empty(&self) -> bool {
        self.differences().is_empty()
    }

    /// What differs, one sentence each.
    pub(crate) fn differences(&self) -> Vec<String> {
        let marketplaces = self.marketplaces.iter().filter(|step| step.adds);
        let mut told: Vec<String> = marketplaces
            .map(|step| format!("the marketplace `{}` is not configured", step.name))
            .collect();
        for step in &self.plugins {
            let (id, wanted) = (&step.id, &step.wanted.version);
            let is = step
                .standing
                .copy
                .as_ref()
                .map(|copy| copy.version.to_string());
            let is = is.unwrap_or_default();
            told.extend(match step.what {
                What::Nothing if step.switches_on => Some(format!("`{id}` is not switched on")),
                What::Nothing => None,
                What::Pin => Some(format!("`{id}` is not pinned to {wanted}")),
                What::Install => Some(format!("`{id}` is not installed")),
                What::Move => Some(format!("`{id}` is {is} instead of {wanted}")),
                What::Replace => Some(format!("`{id}` {wanted} has other content")),
            });
        }
        told
    }
}

impl PluginStep {
    /// Whether its content has to come.
    pub(crate) fn brings(&self) -> bool {
        matches!(self.what, What::Install | What::Move | What::Replace)
    }
}

/// What decides.
pub(crate) struct Sight<'a> {
    pub(crate) config: &'a Snapshot,
    pub(crate) place: &'a LockPlace,
    pub(crate) lock: &'a Lockfile,
    /// The lock wins over what other locks and the user have pinned.
    pub(crate) switch: bool,
}

/// Plans. `on_disk` is the digest of what a copy holds right now; nothing for one that cannot be
/// read.
pub(crate) fn plan(
    sight: &Sight<'_>,
    others: &Others,
    looked: Vec<(PluginId, Standing, Option<Digest>)>,
) -> Plan {
    let mut plan = Plan::default();
    for (name, wanted) in &sight.lock.marketplaces {
        match marketplace(sight, name, wanted) {
            Ok(adds) => plan.marketplaces.push(MarketplaceStep {
                name: name.clone(),
                wanted: wanted.clone(),
                adds,
            }),
            Err(conflict) => plan.conflicts.push(conflict),
        }
    }
    for (id, standing, on_disk) in looked {
        let lock = sight.lock;
        let found = lock
            .plugins
            .get(&id)
            .zip(lock.marketplaces.get(&id.marketplace));
        let Some((wanted, from)) = found else {
            continue;
        };
        let bound = bound(sight, from);
        let naming = || others.naming(standing.pin(), &id);
        let agreeing = naming().filter(|(_, other)| agree(wanted, other));
        let agreeing: Vec<AbsPath> = agreeing.map(|(lock, _)| lock.clone()).collect();
        let held_by = (sight.place.holder(), agreeing.as_slice());
        let what = what(wanted, &standing, on_disk, &bound, held_by);
        if !sight.switch {
            let other = naming().find(|(_, other)| !agree(wanted, other));
            let found = conflict(&id, wanted, &standing, &bound, other.map(|(lock, _)| lock));
            plan.conflicts.extend(found);
        }
        let switches_on = !sight.config.plugins().iter().any(|row| row.id == id);
        plan.plugins.push(PluginStep {
            id,
            wanted: wanted.clone(),
            standing,
            what,
            switches_on,
            agreeing,
            bound,
        });
    }
    plan
}

/// Whether a marketplace has to be added.
fn marketplace(
    sight: &Sight<'_>,
    name: &MarketplaceName,
    wanted: &LockedMarketplace,
) -> Result<bool, Conflict> {
    if let LockedMarketplace::Local(location) = wanted
        && let Some(origin) = PackedOrigin::of_place(&directory(sight.place, location))
    {
        let text = format!(
            "the directory of `{name}` is where the archive `{origin}` would be put, which a row of it \
             would bring; lock that source itself, or move the directory"
        );
        return Err(Conflict {
            text,
            can_switch: false,
        });
    }
    let mut rows = sight.config.marketplaces().iter();
    let row = rows.rfind(|row| row.key == name.as_str());
    let same = match (wanted, row.map(|row| &row.kind)) {
        (LockedMarketplace::Curated, _) => return Ok(false),
        (_, None) => return Ok(true),
        (LockedMarketplace::Local(location), Some(MarketplaceKind::Local { source })) => {
            *source == directory(sight.place, location)
        }
        (LockedMarketplace::Git { url, ref_name, .. }, Some(kind)) => {
            GitSource::of_row(kind).is_some_and(|row| row.url == *url && row.ref_name == *ref_name)
        }
        (LockedMarketplace::Packed(origin), Some(kind)) => kind.origin() == Some(origin),
        (LockedMarketplace::Local(_), Some(_)) => false,
    };
    match same {
        true => Ok(false),
        false => {
            let from = row.map_or_else(String::new, |row| shown(&row.kind));
            let text = format!(
                "the marketplace `{name}` is configured from {from}, and this lock has it from {wanted}: \
                 `plugd marketplace remove {name}`, if it is not needed"
            );
            Err(Conflict {
                text,
                can_switch: false,
            })
        }
    }
}

/// The source of a configured marketplace, for people.
fn shown(kind: &MarketplaceKind) -> String {
    match kind {
        MarketplaceKind::Local { source } => format!("`{source}`"),
        MarketplaceKind::Git { source, .. } => {
            format!("`{}`", plugd_model::git_url::without_secrets(source))
        }
        MarketplaceKind::Packed { origin, .. } => format!("`{origin}`"),
    }
}

/// Where a directory of the lock is on this machine.
pub(crate) fn directory(place: &LockPlace, location: &Location) -> AbsPath {
    match location {
        Location::InProject(path) if path.is_empty() => place.project.clone(),
        Location::InProject(path) => {
            let names = path.split('/');
            names.fold(place.project.clone(), |dir, name| dir.join(name))
        }
        Location::Machine(path) => path.clone(),
    }
}

/// The row of a marketplace; nothing for the curated one, which has none.
pub(crate) fn kind_of(
    layout: &Layout,
    name: &MarketplaceName,
    place: &LockPlace,
    wanted: &LockedMarketplace,
) -> Option<MarketplaceKind> {
    match wanted {
        LockedMarketplace::Local(location) => Some(MarketplaceKind::Local {
            source: directory(place, location),
        }),
        LockedMarketplace::Packed(origin) => Some(packed::row(layout, name, origin)),
        LockedMarketplace::Git {
            url,
            ref_name,
            sparse_paths,
        } => {
            let source = GitSource {
                url: url.clone(),
                ref_name: ref_name.clone(),
                sparse_paths: sparse_paths.clone(),
            };
            Some(source.row())
        }
        LockedMarketplace::Curated => None,
    }
}

/// A reserved name is that of one place, which is no other's under that name, and has no other.
pub(crate) fn refuse_reserved(
    name: &MarketplaceName,
    wanted: &LockedMarketplace,
) -> Result<(), LockError> {
    let is_curated = [CURATED_MARKETPLACE, CURATED_API_MARKETPLACE].contains(&name.as_str());
    match (wanted, is_curated, name.is_reserved()) {
        (LockedMarketplace::Curated, true, _) => Ok(()),
        (LockedMarketplace::Curated, false, _) => Err(LockError::NotCurated {
            name: name.to_string(),
        }),
        (_, _, true) => Err(LockError::Reserved {
            name: name.to_string(),
        }),
        (_, _, false) => Ok(()),
    }
}

/// What the plugins of a marketplace are bound to. The manifest of a directory is known when it is
/// looked at; here the directory is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    Directory(AbsPath),
    Elsewhere(Binding),
}

fn bound(sight: &Sight<'_>, from: &LockedMarketplace) -> Bound {
    match from {
        LockedMarketplace::Local(location) => Bound::Directory(directory(sight.place, location)),
        LockedMarketplace::Git { url, ref_name, .. } => Bound::Elsewhere(Binding::Git {
            url: url.clone(),
            ref_name: ref_name.clone(),
        }),
        LockedMarketplace::Packed(origin) => Bound::Elsewhere(Binding::Packed(origin.clone())),
        LockedMarketplace::Curated => Bound::Elsewhere(Binding::Curated),
    }
}

impl Bound {
    pub(crate) fn is(&self, binding: &Binding) -> bool {
        match (self, binding) {
            (Self::Directory(dir), Binding::Manifest(manifest)) => {
                plugd_manifest::marketplace_root(manifest).as_ref() == Some(dir)
            }
            (Self::Directory(_), _) => false,
            (Self::Elsewhere(own), other) => own == other,
        }
    }
}

fn what(
    wanted: &LockedPlugin,
    standing: &Standing,
    on_disk: Option<Digest>,
    bound: &Bound,
    (lock, agreeing): (Option<&AbsPath>, &[AbsPath]),
) -> What {
    let Some(copy) = &standing.copy else {
        return What::Install;
    };
    if copy.version != wanted.version {
        return What::Move;
    }
    let record = standing.record.as_ref();
    let is_it = copy.provenance == Provenance::Recorded
        && record.is_some_and(|record| {
            record.source_digest == Some(wanted.source_digest)
                && on_disk == Some(record.tree_digest)
        })
        && standing.binding().is_some_and(|binding| bound.is(&binding));
    if !is_it {
        return What::Replace;
    }
    let held = standing.pin().is_some_and(|pin| {
        // What the user holds there himself stays his, and what is no lock holds nothing.
        let Some(lock) = lock.filter(|_| !pin.locks.is_empty()) else {
            return allows(pin, wanted, standing);
        };
        pin.version == wanted.version
            && pin.tree_digest == record.map(|record| record.tree_digest)
            && pin.locks.contains(lock)
            && pin.locks.len() == agreeing.len() + 1
    });
    match held {
        true => What::Nothing,
        false => What::Pin,
    }
}

/// What somebody else holds or has chosen. `other` is a lock that names something else.
fn conflict(
    id: &PluginId,
    wanted: &LockedPlugin,
    standing: &Standing,
    bound: &Bound,
    other: Option<&AbsPath>,
) -> Option<Conflict> {
    let told = |text: String| {
        Some(Conflict {
            text,
            can_switch: true,
        })
    };
    if let Some(pin) = standing.pin() {
        let (is, to) = (&pin.version, &wanted.version);
        if let Some(lock) = other {
            return told(format!(
                "`{id}` is held at {is} by `{lock}`, and this lock names {to}"
            ));
        }
        if pin.locks.is_empty() && !allows(pin, wanted, standing) {
            return told(format!(
                "`{id}` is pinned to {is} here, and this lock names {to}"
            ));
        }
    }
    match standing.binding() {
        Some(binding) if standing.copy.is_some() && !bound.is(&binding) => told(format!(
            "`{id}` was installed from another marketplace of that name"
        )),
        _ => None,
    }
}

/// Whether a pin and a lock name the same.
fn allows(pin: &Pin, wanted: &LockedPlugin, standing: &Standing) -> bool {
    let Some(digest) = pin.tree_digest else {
        return pin.version == wanted.version;
    };
    let record = standing.record.as_ref();
    let same_source = record.is_some_and(|record| {
        record.tree_digest == digest && record.source_digest == Some(wanted.source_digest)
    });
    pin.version == wanted.version && (same_source || digest == wanted.tree_digest)
}

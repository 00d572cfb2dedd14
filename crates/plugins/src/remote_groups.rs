//! The groups of a listing that the remote catalog fills, worked out of what the service said and of
//! what lies on this disk. Nothing here looks again, so the rules can be tested without either.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_catalog::{Collection, Directory, InstalledItem, InstalledSet, Item};
use plugd_model::{
    Discoverability, RemoteMarketplace, RemotePluginId, RemoteScope, SHARED_PRIVATE_GROUP,
    SHARED_UNLISTED_GROUP,
};

use crate::listing::{ListedMarketplace, Summary};
use crate::remote_listing::Local;
use crate::remote_row::{Here, row};
use crate::rows::ListedPlugin;

/// What there is to show.
#[derive(Default)]
pub(crate) struct Shown {
    /// In the order of the answer. One of which nothing is known is shown as far as the account has
    /// something of it.
    pub(crate) directories: Vec<(Collection, Option<Arc<Directory>>)>,
    pub(crate) installed: Arc<InstalledSet>,
}

/// The groups that have something to show.
pub(crate) fn groups(shown: &Shown, local: &Local) -> Vec<ListedMarketplace> {
    let mut groups = Vec::new();
    for (collection, directory) in &shown.directories {
        let is_missing = directory.is_none();
        let items = directory.as_ref().map_or(&[][..], |known| &known.items);
        // What the account has of a directory that nobody knows.
        let had = |is_of_it: fn(&Item) -> bool| {
            let of_account = shown.installed.items.iter().map(|one| &one.item);
            of_account.filter(move |item| is_missing && is_of_it(item))
        };
        match collection {
            Collection::Scope(RemoteScope::Global) | Collection::Vertical => {
                let is_whole = *collection != Collection::Vertical;
                let missing = |one: &&InstalledItem| {
                    is_whole && one.item.scope == RemoteScope::Global && !has(items, &one.item.id)
                };
                let extra = shown.installed.items.iter().filter(missing);
                let rows = rows(items.iter().chain(extra.map(|one| &one.item)), shown, local);
                groups.push(group(RemoteMarketplace::CuratedRemote, rows));
            }
            Collection::Scope(RemoteScope::User) => {
                let had = had(|item| item.scope == RemoteScope::User);
                let rows = rows(items.iter().chain(had), shown, local);
                groups.push(group(RemoteMarketplace::CreatedByMe, rows));
            }
            Collection::Scope(RemoteScope::Workspace) => {
                let had = had(|item| item.marketplace() == RemoteMarketplace::WorkspaceDirectory);
                let rows = rows(items.iter().chain(had), shown, local);
                groups.push(group(RemoteMarketplace::WorkspaceDirectory, rows));
            }
            Collection::SharedWithMe => {
                // What its owner lists for everybody stands in the directory.
                let is_shared =
                    |item: &&Item| item.marketplace() == RemoteMarketplace::SharedWithMe;
                let had = had(|item| {
                    item.marketplace() == RemoteMarketplace::SharedWithMe
                        && item.discoverability != Some(Discoverability::Unlisted)
                });
                let rows = rows(items.iter().filter(is_shared).chain(had), shown, local);
                groups.push(named(SHARED_PRIVATE_GROUP, "Shared with me", rows));
                let by_link = shown.installed.items.iter().filter(|one| {
                    one.item.scope == RemoteScope::Workspace
                        && one.item.discoverability == Some(Discoverability::Unlisted)
                        && !has(items, &one.item.id)
                });
                let rows = self::rows(by_link.map(|one| &one.item), shown, local);
                let title = "Shared with me (unlisted)";
                groups.push(named(SHARED_UNLISTED_GROUP, title, rows));
            }
            Collection::Created => {}
        }
    }
    groups.retain(|group| !group.plugins.is_empty());
    groups
}

/// What of the account's installed plugins is shown, by the marketplaces that their ids name.
pub(crate) fn installed_groups(
    set: &InstalledSet,
    local: &Local,
    is_open: impl Fn(RemoteMarketplace) -> bool,
) -> Vec<ListedMarketplace> {
    let mut groups = Vec::new();
    for marketplace in RemoteMarketplace::ALL {
        if !is_open(marketplace) {
            continue;
        }
        let of_it = set.items.iter();
        let of_it = of_it.filter(|one| one.item.marketplace() == marketplace);
        let mut of_it: Vec<&InstalledItem> = of_it.collect();
        of_it.sort_by_cached_key(|one| shown_name(&one.item));
        let rows = of_it
            .into_iter()
            .map(|one| one_row(&one.item, Some(one), local));
        groups.push(group(marketplace, rows.collect()));
    }
    groups.retain(|group| !group.plugins.is_empty());
    groups
}

/// What people sort by: the name that is shown, without case; then the id, so that equal names have
/// an order too.
fn shown_name(item: &Item) -> (String, String) {
    let shown = item.release.interface.as_ref();
    let shown = shown.and_then(|interface| interface.texts.display_name.as_deref());
    let name = shown.unwrap_or(item.name.as_str());
    (name.to_lowercase(), item.plugin_id().to_string())
}

/// The row of an item whatever list it came from.
pub(crate) fn one_row(item: &Item, installed: Option<&InstalledItem>, local: &Local) -> Summary {
    let id = item.plugin_id();
    let here = Here {
        installed,
        copy: local.copies.get(&id),
        setting: local.settings.get(&id).copied(),
        trouble: local.troubles.get(&id),
    };
    row(item, here)
}

/// Each item once: a service that names one twice is not believed twice.
fn rows<'a>(items: impl Iterator<Item = &'a Item>, shown: &Shown, local: &Local) -> Vec<Summary> {
    let mut seen = BTreeSet::new();
    let once = items.filter(|item| seen.insert(item.id.clone()));
    once.map(|item| one_row(item, installed(&shown.installed, &item.id), local))
        .collect()
}

fn installed<'a>(set: &'a InstalledSet, id: &RemotePluginId) -> Option<&'a InstalledItem> {
    set.items.iter().find(|one| one.item.id == *id)
}

fn has(items: &[Item], id: &RemotePluginId) -> bool {
    items.iter().any(|item| item.id == *id)
}

/// The group of a marketplace.
pub(crate) fn group(marketplace: RemoteMarketplace, plugins: Vec<Summary>) -> ListedMarketplace {
    named(marketplace.name(), marketplace.display_name(), plugins)
}

fn named(name: &str, display_name: &str, plugins: Vec<Summary>) -> ListedMarketplace {
    ListedMarketplace {
        name: name.to_owned(),
        path: None,
        display_name: Some(display_name.to_owned()),
        plugins: plugins.into_iter().map(ListedPlugin::from).collect(),
    }
}

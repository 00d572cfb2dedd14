//! `plugin/installed`: what is in the store, also when no marketplace speaks of it any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plugd_catalog::{Access, InstalledItem, InstalledSet};
use plugd_config::Snapshot;
use plugd_model::{CURATED_MARKETPLACE, PluginId, Problem, ProblemKind, RemoteScope};
use plugd_store::Installed;

use crate::active::is_remote;
use crate::call::Call;
use crate::curated_now::CuratedNow;
use crate::listing::{ListedMarketplace, LoadError, Summary};
use crate::login_refresh::refresh_login;
use crate::lookup::Resolved;
use crate::remote_groups::installed_groups;
use crate::remote_listing::Local;
use crate::remote_login::resolver_login;
use crate::rows::ListedPlugin;
use crate::survey::Survey;
use crate::{
    Blocking, Copies, Error, Listing, Lookup, Refresher, Roots, remote_listing, remote_login,
    remote_resting,
};

/// Lists installed plugins, and those whose name is in `suggestions`. Behind the local ones come those
/// of the remote catalog; orphans come last, grouped by marketplace name.
///
/// The service is asked only when nothing is known of it; what is known is brought up to date behind
/// the answer.
///
/// # Errors
/// The store cannot be read.
pub async fn installed(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    roots: Roots,
    suggestions: BTreeSet<String>,
) -> Result<Listing, Error> {
    let look = || {
        let (lookup, copies) = (lookup.clone(), copies.clone());
        let (refresher, roots) = (refresher.clone(), roots.clone());
        let suggestions = suggestions.clone();
        blocking.list(move || look(&lookup, &copies, &refresher, &roots, &suggestions))
    };
    let (listing, account) = look().await?;
    match account {
        Known::Enough => return Ok(listing),
        Known::Expired => refresh_login(call, blocking, lookup).await,
        Known::Nothing(access) => {
            let answer = remote_listing::first_look(lookup, call, &access).await;
            let lookup = lookup.clone();
            let taken = blocking.write(move || {
                remote_listing::take_over(lookup.remote(), &access, answer);
                Ok(())
            });
            taken.await?;
        }
    }
    let (listing, _) = look().await?;
    Ok(listing)
}

/// What is known of the account.
enum Known {
    /// As much as there is to know without asking.
    Enough,
    /// Its login has expired and may be refreshed.
    Expired,
    /// Neither memory nor disk has anything.
    Nothing(Access),
}

fn look(
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    roots: &Roots,
    suggestions: &BTreeSet<String>,
) -> Result<(Listing, Known), Error> {
    let resolved = lookup.resolve_beside_catalog(roots);
    let Some(first) = resolved.scopes.first() else {
        return Ok((Listing::default(), Known::Enough));
    };
    let differing = refresher.differing();
    let survey = Survey::new(lookup, copies.store()?, &resolved, &differing)?;
    let mut listing = survey.listing(|summary| {
        let is_here = summary.installed || summary.linked.is_some();
        is_here || suggestions.contains(summary.id.plugin.as_str())
    });
    let OfAccount {
        set,
        known,
        troubles,
        resting,
    } = of_account(lookup, &resolved, &first.config, &mut listing);
    let is_open = |marketplace| {
        let mut declared = resolved.set.declared().iter();
        declared.any(|one| one.marketplace == marketplace && one.is_open())
    };
    let curated = CuratedNow::of_login(resolver_login(&resolved.login), &first.config);
    if curated == CuratedNow::Hosted {
        hide_replaced(&mut listing, &set);
    }
    let orphans = orphans(lookup, &resolved, &survey, curated);
    let local = Local {
        troubles,
        ..survey.into_local()
    };
    let mut remote = installed_groups(&set, &local, is_open);
    if let Some(why) = resting {
        let declared = resolved.set.declared();
        let is_wished = |one| is_open(one) || remote_login::waits_for_login(declared, one);
        remote_resting::add(&mut remote, lookup.loader(), &local, is_wished, why);
    }
    listing.marketplaces.extend(remote);
    listing.marketplaces.extend(orphans);
    Ok((listing, known))
}

/// What is known of the account and what it has installed.
struct OfAccount {
    set: Arc<InstalledSet>,
    known: Known,
    /// Why plugins could not be brought.
    troubles: Arc<BTreeMap<PluginId, Problem>>,
    /// Why nobody can tell what it has, where that is so.
    resting: Option<&'static str>,
}

/// What the account has installed, as far as it is known. Tells what is wrong with the login, and
/// that what is shown may be old because the service did not answer.
fn of_account(
    lookup: &Lookup,
    resolved: &Resolved,
    config: &Snapshot,
    listing: &mut Listing,
) -> OfAccount {
    let (remote, layout) = (lookup.remote(), lookup.layout());
    let Some((access, expired, problems)) = remote.seen_as(config, &resolved.login) else {
        let unread = remote_login::why_unread(&resolved.login);
        let unread = unread.filter(|_| config.features().plugins);
        if let Some(problem) = unread {
            remote_login::tell_unread(listing, lookup, problem);
        }
        return OfAccount {
            set: Arc::default(),
            known: Known::Enough,
            troubles: Arc::default(),
            resting: unread.map(|_| remote_login::UNREAD),
        };
    };
    let set = remote.installed_of(&access);
    let mut tell = |marketplace_path, problem| {
        listing.load_errors.push(LoadError {
            marketplace_path,
            problem,
        });
    };
    for problem in problems {
        tell(layout.auth(), problem);
    }
    if let Some(reason) = remote.unanswered(&access).filter(|_| !expired) {
        let what = "what the account has installed";
        let problem = remote_listing::unanswered(what, &reason, set.is_some());
        tell(layout.catalog_cache(), problem);
    }
    // What came with the last answer and could not be used.
    for problem in set.iter().flat_map(|set| &set.problems) {
        tell(layout.catalog_cache(), problem.clone());
    }
    let troubles = remote.troubles(&access);
    let resting = set.is_none().then_some(remote_listing::UNHEARD);
    let known = match (expired, &set) {
        (true, _) if remote.may_refresh(config, &access.account) => Known::Expired,
        (false, None) => Known::Nothing(access),
        _ => Known::Enough,
    };
    OfAccount {
        set: set.unwrap_or_default(),
        known,
        troubles,
        resting,
    }
}

/// Takes out those of the curated snapshot that the account has from the hosted catalog: there they
/// are shown.
fn hide_replaced(listing: &mut Listing, account: &InstalledSet) {
    let is_replaced = |id: &PluginId| {
        let of_everybody = |one: &&InstalledItem| one.item.scope == RemoteScope::Global;
        let mut items = account.items.iter().filter(of_everybody);
        id.marketplace.as_str() == CURATED_MARKETPLACE
            && items.any(|one| one.item.name == id.plugin)
    };
    for group in &mut listing.marketplaces {
        group.plugins.retain(|summary| !is_replaced(&summary.id));
    }
    listing
        .marketplaces
        .retain(|group| !group.plugins.is_empty());
}

/// What is installed and offered by nobody. Copies of the curated snapshot of another login are none:
/// they rest until that login is back.
fn orphans(
    lookup: &Lookup,
    resolved: &Resolved,
    survey: &Survey<'_>,
    curated: CuratedNow,
) -> Vec<ListedMarketplace> {
    let forbidden = |id: &PluginId| {
        let mut rows = resolved.scopes.iter().flat_map(|one| one.config.plugins());
        rows.find(|row| row.id == *id)?.forbidden.clone()
    };
    let mut groups: BTreeMap<String, Vec<ListedPlugin>> = BTreeMap::new();
    for (copy, enabled) in survey.orphans() {
        if curated.rests(&copy.id) || is_remote(&copy.id) {
            continue;
        }
        groups
            .entry(copy.id.marketplace.to_string())
            .or_default()
            .push(orphan(lookup, copy, enabled, forbidden(&copy.id)).into());
    }
    groups
        .into_iter()
        .map(|(name, plugins)| ListedMarketplace {
            name,
            path: None,
            display_name: None,
            plugins,
        })
        .collect()
}

fn orphan(lookup: &Lookup, copy: &Installed, enabled: bool, forbidden: Option<Problem>) -> Summary {
    let loaded = lookup
        .loader()
        .plugin_named(&copy.root, copy.id.plugin.as_str())
        .ok()
        .flatten();
    let manifest = loaded.as_ref().map(|loaded| &loaded.value);
    let gone = Problem::warning(
        ProblemKind::Orphan,
        format!(
            "`{}` is installed and its marketplace no longer offers it; \
             it stays active until it is uninstalled",
            copy.id
        ),
    )
    .in_file(&copy.root);
    let row = Summary::unoffered(copy.id.clone(), &copy.root, manifest);
    Summary {
        installed: true,
        enabled,
        source: copy.source().unwrap_or(row.source),
        installed_version: Some(copy.version.clone()),
        problems: vec![forbidden.unwrap_or(gone)],
        ..row
    }
}

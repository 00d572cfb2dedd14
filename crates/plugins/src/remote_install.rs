//! `plugin/install` of a plugin of the remote catalog.
//!
//! Order: what the service says of it, checks, download, copy, checks of the copy; then the service is
//! told, and then the swap. So no lock is held while another machine is asked, a service that refuses
//! finds nothing changed here, and what a kill leaves is made good by the next synchronisation. A swap
//! that fails takes the word back, unless the account had the plugin before.
//!
//! Configuration is not touched: the account says what is switched on.

use std::time::Instant;

use plugd_catalog::{
    Access, Availability, Fetched, InstallAnswer, InstalledItem, InstalledSet, Item, Service, Urls,
};
use plugd_components::apps;
use plugd_fetch::{BundleAddress, Integrity};
use plugd_marketplace::Binding;
use plugd_model::{
    InstallPolicy, PluginId, Problem, ProblemKind, RemotePluginId, Source, VersionSegment,
    error_chain,
};
use plugd_store::InstalledBy;

use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::fetcher::Bundle;
use crate::follow::pin_allows;
use crate::install::{Installation, STORE_PATIENCE, is_off};
use crate::install_job::{Job, Prepared, Subject, failed};
use crate::install_why::Why;
use crate::install_wish::PinWish;
use crate::obtain::Obtained;
use crate::parts::Parts;
use crate::remote_apps::{self, RemoteApp};
use crate::remote_error::RemoteError;
use crate::remote_names::{self, RemoteTarget};
use crate::remote_words::Word;
use crate::standing::Standing;
use crate::trust_gate::Gate;
use crate::{Error, remote_bundle, remote_tell};

/// What was tried, in the words that clients of the reference know.
pub(crate) const READ: &str = "read remote plugin details before install";
const TELL: &str = "install remote plugin";

/// What an installation of a remote plugin did.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteInstallation {
    /// What is on the disk.
    pub installation: Installation,
    /// The apps that are not connected yet.
    pub apps_needing_auth: Vec<RemoteApp>,
}

/// What is to be brought, checked.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) item: Item,
    pub(crate) id: PluginId,
    pub(crate) version: VersionSegment,
    pub(crate) bundle: Bundle,
    pub(crate) problems: Vec<Problem>,
}

/// A copy that nobody sees yet, or one that is current.
pub(crate) struct Made {
    job: Job<'static>,
    pub(crate) prepared: Prepared,
    apps: Vec<String>,
}

/// What the service has noted.
struct Told {
    answer: InstallAnswer,
    /// Whether it is known what else the account has.
    is_known: bool,
}

/// What came of the whole, before anybody is told.
struct Placed {
    installation: Installation,
    apps: Vec<String>,
}

/// Installs a plugin of the remote catalog and tells the service. `marketplace` is where the client
/// says that it stands; only a refusal repeats it, since the service's own scope decides.
///
/// # Errors
/// Plugins are switched off, nobody is logged in, the service refuses or cannot be asked, the bundle
/// cannot be had or is not what it should be, or the store cannot be written; then nothing has changed.
pub async fn install_remote(
    call: &Call,
    parts: &Parts,
    target: RemoteTarget,
    marketplace: Option<String>,
) -> Result<RemoteInstallation, Error> {
    call.progress.report("resolving", 0, None);
    let resolved = remote_names::resolve(call, parts, target, READ).await;
    let (access, id) = resolved.map_err(|error| match (error, marketplace) {
        (Error::PluginsDisabled, marketplace @ Some(_)) => {
            let what = "remote plugin install";
            RemoteError::NotEnabled { what, marketplace }.into()
        }
        (error, _) => error,
    })?;
    let service = parts.lookup.remote().service(&access);
    let (item, had) = ask(call, &service, &id).await?;
    admit(&item)?;
    let offered = Offered::new(&access, item)?;
    let mut told = None;
    let placed = place(call, parts, &service, &offered, &mut told).await;
    let Placed {
        mut installation,
        apps,
    } = match placed {
        Ok(placed) => placed,
        Err(error) => {
            if told.is_some() && !had {
                take_back(call, parts, &service, &id).await;
            }
            return Err(error);
        }
    };
    installation.changed |= !had;
    installation.problems.extend(offered.problems);
    let config = parts.lookup.config(None);
    installation.problems.extend(is_off(&config, &offered.id));
    if told.as_ref().is_none_or(|told| !told.is_known) {
        remote_names::learn(parts, &access, call.cancel.wished()).await;
    }
    if installation.changed {
        let change = Change::new(ChangeReason::Request).plugin(offered.id.clone());
        parts.events.changed(change);
    }
    let needed = told.and_then(|told| told.answer.apps_needing_auth);
    let needed = match config.features().apps {
        true => needed.unwrap_or(apps),
        false => Vec::new(),
    };
    Ok(RemoteInstallation {
        installation,
        apps_needing_auth: remote_apps::named(call, &service, &needed).await,
    })
}

/// Brings what the account has already: one plugin of a synchronisation, whose answer named the
/// address of the bundle. Nobody is told, and what has changed here meanwhile is left alone.
///
/// # Errors
/// It is pinned or bound to something else, the bundle cannot be had or is not what it should be, or
/// the store cannot be written or was changed by somebody else; then nothing has changed.
pub(crate) async fn bring_remote(
    call: &Call,
    parts: &Parts,
    one: &InstalledItem,
) -> Result<Installation, Error> {
    let looked = {
        let (of, id) = (parts.clone(), one.item.plugin_id());
        parts.blocking.read(move || {
            let access = of.lookup.remote().access(&of.lookup.config(None), TELL)?;
            let standing = Standing::of(of.copies.store()?, &id);
            Ok((access, standing.map_err(|error| failed(&id, error))?))
        })
    };
    let (access, standing) = looked.await?;
    let offered = Offered::new(&access, one.item.clone())?;
    follows(&offered, &standing)?;
    let standing = approved(parts, &offered, standing).await?;
    let made = make(call, parts, &offered, InstalledBy::Sync, Some(standing)).await?;
    let made = {
        let (lookup, id) = (parts.lookup.clone(), one.item.id.clone());
        let section = parts.blocking.write(move || {
            // An uninstallation may have come first; what was made goes away here.
            match lookup.remote().installed_of(&access) {
                Some(set) if !has(&set, &id) => Err(RemoteError::Unknown { id }.into()),
                _ => Ok(made),
            }
        });
        section.await?
    };
    let mut installation = settle(call, parts, made).await?;
    installation.problems.extend(offered.problems);
    Ok(installation)
}

/// Whether a copy may follow the account by itself.
fn follows(offered: &Offered, standing: &Standing) -> Result<(), Error> {
    let Offered { id, version, .. } = offered;
    match standing.binding() {
        None | Some(Binding::Remote { .. }) => {}
        Some(bound) => {
            return Err(RemoteError::BoundElsewhere {
                plugin: id.clone(),
                to: bound.describe(),
            }
            .into());
        }
    }
    match (pin_allows(id, standing, version, None), standing.pin()) {
        (Err(_), Some(pin)) => Err(Error::Pinned {
            id: id.clone(),
            pinned: pin.version.to_string(),
            offered: version.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Refuses what nobody has approved anything of, before it is downloaded.
async fn approved(parts: &Parts, offered: &Offered, standing: Standing) -> Result<Standing, Error> {
    let (of, subject) = (parts.clone(), offered.subject());
    let section = parts.blocking.read(move || {
        let gate = Gate::of_user(&of.lookup, of.copies.store()?);
        match gate.surely_held(subject.whence(), &standing) {
            None => Ok(standing),
            Some(problem) => Err(Error::Policy {
                problem: Box::new(problem),
            }),
        }
    });
    section.await
}

/// The plugin, and whether the account has it; when that cannot be read to its end, it may well.
async fn ask(call: &Call, service: &Service, id: &RemotePluginId) -> Result<(Item, bool), Error> {
    let asked = |error| RemoteError::asked(READ, error);
    let cancelled = || call.cancel.cancelled();
    let item = service.item(id, Urls::With, None, cancelled()).await;
    let item = item.map_err(asked)?;
    let (scope, urls) = (Some(item.scope), Urls::Without);
    let set = service
        .installed(scope, urls, None, None, cancelled())
        .await;
    let had = match set.map_err(asked)? {
        Fetched::New(set, _) => !set.complete || has(&set, id),
        // Without marks to compare nothing can be unchanged.
        Fetched::Unchanged => true,
    };
    Ok((item, had))
}

fn has(set: &InstalledSet, id: &RemotePluginId) -> bool {
    set.items.iter().any(|one| one.item.id == *id)
}

/// Whether the catalog hands the plugin out.
pub(crate) fn admit(item: &Item) -> Result<(), Error> {
    let plugin = item.plugin_id();
    if item.availability == Availability::DisabledByAdmin {
        return Err(RemoteError::DisabledByAdmin { plugin }.into());
    }
    match item.install_policy {
        InstallPolicy::NotAvailable => Err(RemoteError::NotAvailable { plugin }.into()),
        InstallPolicy::Available | InstallPolicy::InstalledByDefault => Ok(()),
    }
}

impl Offered {
    /// What there is to bring of an item that came with its address.
    pub(crate) fn new(access: &Access, item: Item) -> Result<Self, Error> {
        let id = item.plugin_id();
        let plugin = || id.clone();
        let release = &item.release;
        let Some(version) = &release.version else {
            return Err(RemoteError::NoVersion { plugin: id }.into());
        };
        let version = VersionSegment::new(version).map_err(|source| RemoteError::BadVersion {
            plugin: plugin(),
            source,
        })?;
        let Some(url) = &release.bundle_url else {
            return Err(RemoteError::NoBundle { plugin: id }.into());
        };
        let address = BundleAddress::parse(url.reveal(), access.base.is_loopback_http());
        let address = address.map_err(|source| RemoteError::BadBundleUrl {
            plugin: plugin(),
            source,
        })?;
        let (digest, problems) = promised(&item)?;
        Ok(Self {
            bundle: Bundle { address, digest },
            version,
            id,
            item,
            problems,
        })
    }

    /// Its installation.
    pub(crate) fn job(&self, by: InstalledBy, standing: Standing) -> Job<'static> {
        Job {
            subject: self.subject(),
            why: Why::Account { by },
            pin: PinWish::Keep,
            standing,
        }
    }

    fn subject(&self) -> Subject {
        let id = self.item.id.clone();
        Subject {
            id: self.id.clone(),
            binding: Binding::Remote { id: id.clone() },
            source: Source::Remote,
            auth_policy: self.item.auth_policy,
            remote_id: Some(id),
        }
    }
}

/// The digest that the service promises. One that is meant and broken refuses the bundle; of a kind
/// that is not known here it cannot be checked, and that is told.
fn promised(item: &Item) -> Result<(Option<Integrity>, Vec<Problem>), Error> {
    let Some(text) = &item.release.digest else {
        return Ok((None, Vec::new()));
    };
    if let Some(digest) = Integrity::from_sha256(text).or_else(|| Integrity::parse(text)) {
        return Ok((Some(digest), Vec::new()));
    }
    if text.starts_with("sha256") {
        return Err(RemoteError::Incomplete {
            plugin: item.plugin_id(),
            reason: "the service names a digest that none can have".to_owned(),
        }
        .into());
    }
    let text = "the service names a digest of the bundle of a kind that is not known here; it was \
                not checked";
    let problem = Problem::warning(ProblemKind::BadValue, text);
    Ok((None, vec![problem]))
}

/// Brings a copy, tells the service, and puts the copy into its place. When somebody else changes the
/// plugin meanwhile, all of it is done again except for the telling.
async fn place(
    call: &Call,
    parts: &Parts,
    service: &Service,
    offered: &Offered,
    told: &mut Option<Told>,
) -> Result<Placed, Error> {
    loop {
        let begun = Instant::now();
        let placed = place_once(call, parts, service, offered, told).await;
        match placed {
            Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
            placed => return placed,
        }
    }
}

async fn place_once(
    call: &Call,
    parts: &Parts,
    service: &Service,
    offered: &Offered,
    told: &mut Option<Told>,
) -> Result<Placed, Error> {
    let made = make(call, parts, offered, InstalledBy::Request, None).await?;
    if told.is_none() {
        match tell(call, service, &offered.item.id).await {
            Ok(answer) => {
                *told = Some(Told {
                    answer,
                    is_known: noted(parts, service, &offered.item).await,
                });
            }
            Err(error) => {
                // The removal of what was staged is work for the disk.
                let dropped = parts.blocking.write(move || {
                    drop(made);
                    Ok(())
                });
                dropped.await?;
                return Err(error);
            }
        }
    }
    let apps = made.apps.clone();
    let installation = settle(call, parts, made).await?;
    Ok(Placed { installation, apps })
}

/// From here on the work cannot be cancelled.
async fn tell(call: &Call, service: &Service, id: &RemotePluginId) -> Result<InstallAnswer, Error> {
    call.progress.report("telling", 0, None);
    let answer = service.install(id, None, std::future::pending());
    let answer = remote_tell::tell(call, TELL, answer).await?;
    answer.map_err(|error| RemoteError::asked(TELL, error))
}

/// The account has it from here on, whatever older answers say. Answers whether the rest is known too.
async fn noted(parts: &Parts, service: &Service, item: &Item) -> bool {
    let now = parts.lookup.remote().now();
    let word = Word::Has(Box::new(InstalledItem::noted(item, now)));
    remote_names::note(parts, service.access(), word).await
}

/// Downloads, unpacks, completes, copies and checks. `standing` is what this was decided for; without
/// it, what stands there at the end counts.
pub(crate) async fn make(
    call: &Call,
    parts: &Parts,
    offered: &Offered,
    by: InstalledBy,
    standing: Option<Standing>,
) -> Result<Made, Error> {
    let id = &offered.id;
    let in_bundle = |id: &PluginId, error: Error| match error {
        error @ Error::Cancelled(_) => error,
        error => Error::from(RemoteError::Bundle {
            plugin: id.clone(),
            source: Box::new(error),
        }),
    };
    let catalog = parts.lookup.remote().catalog();
    let (blocking, copies) = (&parts.blocking, &parts.copies);
    let fetched = parts
        .fetcher
        .bundle(call, blocking, copies, &catalog, id, &offered.bundle)
        .await
        .map_err(|error| in_bundle(id, error))?;
    let (call, of, offered) = (call.clone(), parts.clone(), offered.clone());
    let section = parts.blocking.write(move || {
        call.progress.report("checking", 0, None);
        let Offered {
            item, id, version, ..
        } = &offered;
        let content = remote_bundle::read(&of.lookup, item, version, &fetched.dir)
            .map_err(|error| in_bundle(id, error))?;
        let apps = apps(of.lookup.disk(), &fetched.dir, &content.manifest).items;
        let standing = match standing {
            Some(standing) => standing,
            None => Standing::of(of.copies.store()?, id).map_err(|error| failed(id, error))?,
        };
        let job = offered.job(by, standing);
        let obtained = Obtained::of_fetched(fetched);
        let prepared = job.prepare(&call, &of.lookup, &of.copies, &content, obtained)?;
        if let Prepared::Staged(staged) = &prepared {
            job.still_applies(staged)?;
        }
        Ok(Made {
            job,
            prepared,
            apps: apps.into_iter().map(|app| app.id).collect(),
        })
    });
    section.await
}

/// The swap; a copy that is current gets its sidecar.
pub(crate) async fn settle(call: &Call, parts: &Parts, made: Made) -> Result<Installation, Error> {
    let Made { job, prepared, .. } = made;
    let (call, of) = (call.clone(), parts.clone());
    let section = parts.blocking.write(move || match prepared {
        Prepared::Staged(staged) => job.activate(&call, &of.lookup, &of.copies, *staged),
        Prepared::Current(copy) => {
            let (id, remote_id) = (&job.subject.id, job.subject.remote_id.as_ref());
            let patience = call.patience(STORE_PATIENCE);
            let marked = of.copies.store()?.set_remote_id(id, remote_id, patience);
            marked.map_err(|error| failed(id, error))?;
            job.leave(&call, &of.lookup, &of.copies, *copy)
        }
    });
    section.await
}

/// The swap has failed, so the account must not say that the plugin is here. When this fails too, the
/// next synchronisation brings what the account says.
async fn take_back(call: &Call, parts: &Parts, service: &Service, id: &RemotePluginId) {
    let taken = service.uninstall(id, None, std::future::pending());
    let reason = match remote_tell::if_heard(call, taken).await {
        Some(Ok(())) => {
            remote_names::note(parts, service.access(), Word::Gone(id.clone())).await;
            return;
        }
        Some(Err(error)) => error_chain(&error),
        None => "nobody waits for the service".to_owned(),
    };
    tracing::warn!(plugin = %id, "the account may keep a plugin that is not here: {reason}");
}

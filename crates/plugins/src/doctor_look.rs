//! Looking over the home directory for the doctor. Only reading: no lock file is made, no remains are
//! swept, nobody on the network is asked. What cannot be looked at is a finding like any other.

use plugd_config::{Layer, LayerSource, MarketplaceKind};
use plugd_disk::Disk;
use plugd_marketplace::{Marketplace, Origin, State};
use plugd_model::{AbsPath, Layout, Problem};

use crate::call::Call;
use crate::doctor::{self, Area, Check, Diagnosis};
use crate::{
    Blocking, Copies, Error, Fetcher, Lookup, Resolved, Roots, doctor_home, doctor_store,
    doctor_trust, login_status,
};

/// No file of npm that people write is larger.
const MAX_NPMRC: u64 = 1 << 20;
/// A version is a word.
const MAX_VERSION: u64 = 4096;

/// Looks at everything and changes nothing.
///
/// # Errors
/// It was cancelled, or a section panicked.
pub async fn doctor(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
) -> Result<Diagnosis, Error> {
    let login = login_status(blocking, lookup).await?;
    let worker = fetcher.try_worker().await;
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let fetcher = fetcher.clone();
    let look = move || {
        let (disk, layout) = (lookup.disk(), lookup.layout());
        let store = copies.store_as_it_is();
        let version = disk.read(&layout.state_version(), MAX_VERSION).ok();
        let version = version.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut checks = vec![
            doctor_home::versions(version.as_deref(), store.check_format()),
            doctor_home::home(disk, layout),
            configuration(&lookup),
            marketplaces(&lookup),
        ];
        let mut installed = doctor_store::store(&call, &lookup, &copies)?;
        doctor_trust::waiting(&call, &lookup, &copies, &mut installed);
        checks.push(installed);
        checks.push(doctor_store::remains(disk, layout, store));
        checks.push(doctor::git(fetcher.git_command(disk), worker));
        checks.push(npm(disk, lookup.home()));
        checks.push(doctor::login(&login));
        checks.push(remote_cache(disk, layout));
        checks.push(doctor_home::space(disk, layout));
        Ok(Diagnosis { checks })
    };
    blocking.read(look).await
}

fn configuration(lookup: &Lookup) -> Check {
    let mut check = Check::new(Area::Configuration);
    let config = lookup.config(None);
    for layer in config.layers().iter().chain(config.settings_layers()) {
        check.fact(kind_of(layer), described(lookup.disk(), layer));
    }
    check.told(config.problems());
    check
}

fn kind_of(layer: &Layer) -> &'static str {
    match &layer.source {
        LayerSource::System => "system",
        LayerSource::User => "user",
        LayerSource::Profile { .. } => "profile",
        LayerSource::Project { .. } => "project",
        LayerSource::SessionFlags => "flags",
        LayerSource::Managed => "managed",
    }
}

fn described(disk: &Disk, layer: &Layer) -> String {
    let Some(file) = &layer.file else {
        return "from the command line".to_owned();
    };
    let text = file.to_text();
    match (&layer.disabled_reason, disk.stamp(file)) {
        (Some(reason), _) => format!("{text} (not used: {reason})"),
        (None, Ok(None)) => format!("{text} (not there)"),
        (None, _) => text,
    }
}

fn marketplaces(lookup: &Lookup) -> Check {
    let mut check = Check::new(Area::Marketplaces);
    let resolved = lookup.resolve_ungated(&Roots::default());
    if lookup.resolve(&Roots::default()).is_off() {
        doctor::switched_off(&mut check);
    }
    for marketplace in resolved.set.marketplaces() {
        let name = marketplace
            .content()
            .map_or("(unusable)", |content| content.manifest.value.name.as_str());
        check.fact(name, marketplace.named_by.to_text());
        if let State::Failed(problem) = &marketplace.state
            && let Some((key, source)) = configured(&resolved, marketplace)
        {
            let mut problem = problem.clone();
            let owner = &marketplace.named_by;
            problem.path.get_or_insert_with(|| owner.clone());
            let advice = doctor::about_marketplace(key, source, problem.kind);
            check.find(problem, advice);
        }
    }
    let problems = resolved.set.problems().map(|(owner, problem)| {
        let mut problem = problem.clone();
        problem.path.get_or_insert_with(|| owner.clone());
        problem
    });
    let problems: Vec<Problem> = problems.collect();
    check.told(&problems);
    check
}

/// The row that a marketplace comes from.
fn configured<'a>(
    resolved: &'a Resolved,
    marketplace: &'a Marketplace,
) -> Option<(&'a str, &'a MarketplaceKind)> {
    let Origin::Configured { key, .. } = &marketplace.origin else {
        return None;
    };
    let mut rows = resolved
        .scopes
        .iter()
        .flat_map(|sight| sight.config.marketplaces());
    let row = rows.find(|row| row.key == *key)?;
    Some((key, &row.kind))
}

fn npm(disk: &Disk, home: Option<&AbsPath>) -> Check {
    let mut check = Check::new(Area::Npm);
    let Some(file) = home.map(|home| home.join(".npmrc")) else {
        return check;
    };
    match disk.read(&file, MAX_NPMRC) {
        Ok(bytes) => {
            check.fact("file", file.to_text());
            for (name, address) in doctor::registries(&String::from_utf8_lossy(&bytes)) {
                check.fact(&name, address);
            }
        }
        Err(error) if error.is_not_found() => check.fact("file", "none; the usual registry"),
        Err(error) => check.unreadable(&error),
    }
    check
}

fn remote_cache(disk: &Disk, layout: &Layout) -> Check {
    let mut check = Check::new(Area::RemoteCache);
    let dir = layout.catalog_cache();
    check.fact("directory", dir.to_text());
    let entries = doctor_store::count(disk, &mut check, &dir);
    check.fact("entries", entries.to_string());
    check
}

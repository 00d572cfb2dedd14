//! Looking over the home directory for the doctor. Only reading: no lock file is made, no remains are
//! swept, nobody on the network is asked. What cannot be looked at is a finding like any other.

use plugd_config::{Layer, LayerSource};
use plugd_disk::{Disk, Kind};
use plugd_model::{AbsPath, Layout, PluginId, Problem, ProblemKind, error_chain};

use crate::call::Call;
use crate::doctor::{self, Area, Check, Diagnosis, Remains};
use crate::{Blocking, Copies, Error, Fetcher, Lookup, Roots, login_status};

/// No file of npm that people write is larger.
const MAX_NPMRC: u64 = 1 << 20;
/// A version is a word.
const MAX_VERSION: u64 = 4096;
/// The locks that processes hold while they work.
const LOCKS: [&str; 2] = ["store", "share"];

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
        let version = disk.read(&layout.state_version(), MAX_VERSION).ok();
        let version = version.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut checks = vec![
            doctor::versions(version.as_deref()),
            home(disk, layout),
            configuration(&lookup),
            marketplaces(&lookup),
        ];
        checks.push(store(&call, &copies)?);
        checks.push(remains(disk, layout));
        checks.push(doctor::git(fetcher.git_command(disk), worker));
        checks.push(npm(disk, lookup.home()));
        checks.push(doctor::login(&login));
        checks.push(remote_cache(disk, layout));
        checks.push(space(disk, layout));
        Ok(Diagnosis { checks })
    };
    blocking.read(look).await
}

fn home(disk: &Disk, layout: &Layout) -> Check {
    let mut check = Check::new(Area::Home);
    let home = layout.home();
    check.fact("directory", home.to_text());
    match disk.stamp(home) {
        Ok(None) => check.fact("state", "not there yet; the first change makes it"),
        Ok(Some(stamp)) if stamp.kind == Kind::Dir => {
            if let Err(error) = disk.list(home) {
                check.unreadable(&error);
            }
        }
        Ok(Some(_)) => check.find(
            Problem::error(ProblemKind::NotAFile, "the home is not a directory").in_file(home),
            "move what stands there away, or set CODEX_HOME",
        ),
        Err(error) => check.unreadable(&error),
    }
    check
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
    for marketplace in resolved.set.marketplaces() {
        let name = marketplace
            .content()
            .map_or("(unusable)", |content| content.manifest.value.name.as_str());
        check.fact(name, marketplace.named_by.to_text());
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

fn store(call: &Call, copies: &Copies) -> Result<Check, Error> {
    let mut check = Check::new(Area::Store);
    let store = copies.store_as_it_is();
    let (installed, problems) = match store.list() {
        Ok(found) => found,
        Err(error) => {
            let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
            check.told([&problem.in_file(&store.layout().cache())]);
            return Ok(check);
        }
    };
    check.fact("installed", installed.len().to_string());
    check.told(&problems);
    for copy in &installed {
        call.cancel.check()?;
        call.progress.report("checking", 0, None);
        about(&mut check, &copy.id, &copy.problems);
        let compared = store.verify(copy, call);
        doctor::integrity(&mut check, &copy.id, &copy.root, compared);
    }
    Ok(check)
}

/// What is wrong with a plugin's record.
fn about(check: &mut Check, id: &PluginId, problems: &[Problem]) {
    let before = check.findings.len();
    check.told(problems);
    for finding in &mut check.findings[before..] {
        finding.plugin = Some(id.clone());
    }
}

fn remains(disk: &Disk, layout: &Layout) -> Check {
    let mut check = Check::new(Area::Remains);
    let mut found = Remains {
        is_held: is_held(disk, &layout.lock(LOCKS[0])) == Some(true),
        ..Remains::default()
    };
    for name in LOCKS.iter().skip(1) {
        if is_held(disk, &layout.lock(name)) == Some(true) {
            check.fact(&format!("{name} lock"), "held by a living process");
        }
    }
    found.journals = count(disk, &mut check, &layout.journals());
    found.staged = count(disk, &mut check, &layout.staging());
    found.trash = count(disk, &mut check, &layout.trash());
    found.dead_leases = dead_leases(disk, &mut check, &layout.leases());
    doctor::remains(&mut check, found);
    check
}

/// Whether somebody holds a lock; nothing where there is no lock file.
fn is_held(disk: &Disk, path: &AbsPath) -> Option<bool> {
    disk.stamp(path).ok()??;
    let lock = disk.try_lock(path).ok()?;
    Some(lock.is_none())
}

fn count(disk: &Disk, check: &mut Check, dir: &AbsPath) -> usize {
    match disk.list(dir) {
        Ok(entries) => entries.len(),
        Err(error) if error.is_not_found() => 0,
        Err(error) => {
            check.unreadable(&error);
            0
        }
    }
}

fn dead_leases(disk: &Disk, check: &mut Check, dir: &AbsPath) -> usize {
    let entries = match disk.list(dir) {
        Ok(entries) => entries,
        Err(error) if error.is_not_found() => return 0,
        Err(error) => {
            check.unreadable(&error);
            return 0;
        }
    };
    let locks = entries
        .iter()
        .filter(|entry| entry.name.to_string_lossy().ends_with(".lock"));
    locks
        .filter(|entry| is_held(disk, &dir.join(&entry.name)) == Some(false))
        .count()
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
    let entries = count(disk, &mut check, &dir);
    check.fact("entries", entries.to_string());
    check
}

fn space(disk: &Disk, layout: &Layout) -> Check {
    // A home that is not there yet is made where its parent is.
    let mut place = Some(layout.home().clone());
    while let Some(path) = place {
        match disk.free_bytes(&path) {
            Ok(free) => return doctor::space(&path, free),
            Err(_) => place = path.parent(),
        }
    }
    doctor::space(layout.home(), None)
}

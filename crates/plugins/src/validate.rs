//! `plugd validate`: what the author of a plugin or a marketplace should mend, before anybody
//! installs it.
//!
//! The code that loads is the code that validates: whatever a listing, a look inside or an
//! installation would refuse or leave out is a problem here, in the same words. What is loaded and is
//! likely a mistake is added by [`plugd_components::plugin_findings`] and
//! [`plugd_components::marketplace_findings`].
//!
//! Nothing is fetched: of an entry whose plugin lies elsewhere only the address is judged.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;

use plugd_components::{MemberPlaces, manifest_findings, plugin_findings};
use plugd_disk::tree::{AtEase, Limits, TreePlan, is_storable_name};
use plugd_disk::{Disk, Kind};
use plugd_manifest::{
    Loader, MAX_MARKETPLACE_BYTES, marketplace_root, plugin_file, store_version, unclaimed,
};
use plugd_model::{
    AbsPath, MIGRATED_SKILLS_DIR, ManifestFormat, PluginId, PluginManifest, PluginName, Problem,
    ProblemKind, Severity, error_chain, shipped_as_migrated,
};

use crate::Error;
use crate::inspect::stand_in_id;
use crate::validate_marketplace::marketplace;

/// How many entries are listed that an installation leaves out.
const MAX_LEFT_OUT: usize = 1_000;

/// What was found, subject by subject: a marketplace, then the plugins that lie in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// What was looked at; never empty.
    pub subjects: Vec<Validated>,
}

/// A plugin or marketplace that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    /// What it is.
    pub kind: ValidatedKind,
    /// Its name; nothing when that could not be read.
    pub name: Option<String>,
    /// The directory of a plugin, or the file of a marketplace.
    pub path: AbsPath,
    /// The format of a plugin's manifest; nothing when that could not be read.
    pub format: Option<ManifestFormat>,
    /// What is wrong, errors first, each group in the order of files and places.
    pub problems: Vec<Problem>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidatedKind {
    /// A plugin.
    Plugin,
    /// A marketplace.
    Marketplace,
}

impl Validation {
    /// How many problems of a severity there are.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let problems = self.subjects.iter().flat_map(|one| &one.problems);
        problems.filter(|one| one.severity == severity).count()
    }
}

/// Looks at a plugin or a marketplace: at its directory, or at its manifest. A directory can be both.
///
/// # Errors
/// There is nothing at the path, or it is neither.
pub fn validate(disk: &Disk, path: &AbsPath) -> Result<Validation, Error> {
    let loader = Loader::new(disk.clone());
    let nothing = |kind, text: &str| Error::NothingToValidate {
        path: path.clone(),
        problem: Box::new(Problem::error(kind, text).in_file(path)),
    };
    let mut subjects = match disk.stamp(path)?.map(|stamp| stamp.kind) {
        None => return Err(nothing(ProblemKind::Missing, "it does not exist")),
        Some(Kind::Dir) => directory(&loader, path),
        Some(Kind::File) => manifest_file(&loader, path),
        Some(_) => return Err(nothing(ProblemKind::NotAFile, "it is no file or directory")),
    };
    if subjects.is_empty() {
        let text = match is_part(path) {
            true => {
                "it is a part of a plugin, and no directory around it has a manifest; name the \
                 directory of the plugin, or the marketplace whose entry is its manifest"
            }
            false => {
                "it is neither a plugin nor a marketplace; a plugin has a \
                 `.codex-plugin/plugin.json`, a marketplace a `.agents/plugins/marketplace.json`"
            }
        };
        return Err(nothing(ProblemKind::Missing, text));
    }
    find_places(disk, &mut subjects);
    for subject in &mut subjects {
        subject.problems = in_order(std::mem::take(&mut subject.problems));
    }
    Ok(Validation { subjects })
}

/// Gives the problems of members their line and column of which only the member's name is known: names
/// and versions are judged where nobody knows their file any more.
fn find_places(disk: &Disk, subjects: &mut [Validated]) {
    let problems = subjects.iter_mut().flat_map(|one| &mut one.problems);
    let mut by_file: HashMap<AbsPath, Vec<&mut Problem>> = HashMap::new();
    for problem in problems {
        if let (Some(file), Some(_), None) = (&problem.path, &problem.field, problem.place)
            && file.as_path().extension() == Some("json".as_ref())
        {
            by_file.entry(file.clone()).or_default().push(problem);
        }
    }
    for (file, problems) in by_file {
        let text = text_of(disk, &file).unwrap_or_default();
        let Some(places) = MemberPlaces::of(&text) else {
            continue;
        };
        for problem in problems {
            problem.place = problem.field.as_ref().and_then(|field| places.find(field));
        }
    }
}

pub(crate) fn text_of(disk: &Disk, file: &AbsPath) -> Option<String> {
    let bytes = disk.read(file, MAX_MARKETPLACE_BYTES).ok()?;
    String::from_utf8(bytes).ok()
}

/// Each problem once, errors first.
fn in_order(problems: Vec<Problem>) -> Vec<Problem> {
    let mut known = BTreeSet::new();
    let mut kept: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems {
        // Loading and the findings may speak of one member, each in its own words.
        let field = problem.field.as_ref().map(|field| field.replace('"', ""));
        let spot = (problem.path.clone(), problem.place, problem.kind, field);
        let is_known = match problem.place {
            Some(_) => !known.insert(spot),
            None => kept.contains(&problem),
        };
        if !is_known {
            kept.push(problem);
        }
    }
    kept.sort_by(|a, b| (b.severity, &a.path, a.place).cmp(&(a.severity, &b.path, b.place)));
    kept
}

/// What a directory is: a marketplace with its plugins, and a plugin unless it is one of those.
fn directory(loader: &Loader, root: &AbsPath) -> Vec<Validated> {
    let mut subjects = Vec::new();
    let search = loader.find_marketplace(root);
    match search.found {
        Some(file) => {
            subjects = marketplace(loader, &file);
            let passed_over = search.problems.into_iter().map(Problem::as_warning);
            subjects[0].problems.extend(passed_over);
        }
        None if search.problems.is_empty() => {}
        None => subjects.push(Validated {
            kind: ValidatedKind::Marketplace,
            name: None,
            path: root.clone(),
            format: None,
            problems: search.problems,
        }),
    }
    let is_known = subjects.iter().any(|one| one.path == *root);
    let is_plugin = match loader.plugin(root) {
        // Beside a marketplace the file may be anybody's.
        Ok(None) => {
            unclaimed(loader.disk(), root).is_some_and(|one| one.is_meant || subjects.is_empty())
        }
        Ok(Some(_)) | Err(_) => true,
    };
    if !is_known && is_plugin {
        subjects.push(plugin(loader, root));
    }
    subjects
}

/// What a file is by its place, else by its content.
fn manifest_file(loader: &Loader, file: &AbsPath) -> Vec<Validated> {
    if marketplace_root(file).is_some() {
        return marketplace(loader, file);
    }
    if let Some(root) = plugin_root(file) {
        let mut subject = plugin(loader, &root);
        if let Ok(Some(loaded)) = loader.plugin(&root)
            && loaded.file != *file
        {
            let lacking = unclaimed(loader.disk(), &root).map(|one| one.problem.as_warning());
            let lacking = lacking.filter(|problem| problem.path.as_ref() == Some(file));
            subject.problems.push(lacking.unwrap_or_else(|| {
                let text = format!("nobody reads this file, because {} goes first", loaded.file);
                Problem::warning(ProblemKind::Duplicate, text).in_file(file)
            }));
        }
        return vec![subject];
    }
    if is_part(file) {
        // Nothing is wrong with a part that is not wrong in its plugin.
        let around = file.ancestors().skip(1);
        let root = around
            .into_iter()
            .find(|dir| !matches!(loader.plugin(dir), Ok(None)));
        return root.map(|root| plugin(loader, &root)).into_iter().collect();
    }
    if file.as_path().extension() == Some("json".as_ref()) {
        return marketplace(loader, file);
    }
    Vec::new()
}

/// Whether a file is one of a plugin by its name, and not its manifest.
fn is_part(file: &AbsPath) -> bool {
    let name = file.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| PARTS.contains(&name))
}

/// The files in which plugins declare their parts.
const PARTS: [&str; 8] = [
    ".mcp.json",
    "mcp.json",
    "hooks.json",
    ".app.json",
    "app.json",
    "SKILL.md",
    "openai.yaml",
    "openai.yml",
];

/// The formats that have files, those with a directory of their own first.
const FORMATS: [ManifestFormat; 4] = [
    ManifestFormat::Codex,
    ManifestFormat::Claude,
    ManifestFormat::Cursor,
    ManifestFormat::AgentPlugins,
];

/// The root of the plugin whose manifest this is, by its place.
fn plugin_root(file: &AbsPath) -> Option<AbsPath> {
    let place = FORMATS
        .into_iter()
        .filter_map(plugin_file)
        .find(|place| file.as_path().ends_with(place))?;
    let mut root = file.clone();
    for _ in place.split('/') {
        root = root.parent()?;
    }
    Some(root)
}

/// A plugin that is looked at for itself.
fn plugin(loader: &Loader, root: &AbsPath) -> Validated {
    let mut subject = Validated {
        kind: ValidatedKind::Plugin,
        name: None,
        path: root.clone(),
        format: None,
        problems: Vec::new(),
    };
    match loader.plugin(root) {
        Ok(Some(loaded)) => {
            let manifest = &loaded.value;
            subject.problems.extend(loaded.problems.iter().cloned());
            if let Err(error) = PluginName::new(&manifest.name) {
                let text = format!("no marketplace can offer it: {error}");
                let problem = Problem::error(ProblemKind::BadName, text).at_field("name");
                subject.problems.push(problem.in_file(&loaded.file));
            }
            let id = stand_in_id(&manifest.name);
            inside(&mut subject, loader, manifest, &loaded.file, &id, None);
        }
        Ok(None) => match unclaimed(loader.disk(), root) {
            Some(lacking) => {
                let beside = beside(loader.disk(), &lacking.problem);
                subject.problems.extend(beside);
                subject.problems.push(lacking.problem);
            }
            None => {
                let text = "it has no manifest; create .codex-plugin/plugin.json";
                let problem = Problem::error(ProblemKind::Missing, text);
                subject.problems.push(problem.in_file(root));
            }
        },
        Err(problem) => {
            subject.problems.extend(beside(loader.disk(), &problem));
            subject.problems.push(problem);
        }
    }
    subject
}

/// What is likely a mistake in a manifest that cannot be used, beside what spoils it.
fn beside(disk: &Disk, fatal: &Problem) -> Vec<Problem> {
    let Some(file) = &fatal.path else {
        return Vec::new();
    };
    let format = FORMATS
        .into_iter()
        .find(|format| plugin_file(*format).is_some_and(|place| file.as_path().ends_with(place)));
    match (format, text_of(disk, file)) {
        (Some(format), Some(text)) => manifest_findings(&text, format, file),
        _ => Vec::new(),
    }
}

/// Everything behind the manifest. `named_in` is the file that a problem of the manifest is shown
/// at, `entry` the JSON of one that stands in a marketplace.
pub(crate) fn inside(
    subject: &mut Validated,
    loader: &Loader,
    manifest: &PluginManifest,
    named_in: &AbsPath,
    id: &PluginId,
    entry: Option<&str>,
) {
    let (disk, root) = (loader.disk(), subject.path.clone());
    subject.name = Some(manifest.name.clone());
    subject.format = Some(manifest.format);
    if let Err(error) = store_version(manifest) {
        let problem = Problem::error(ProblemKind::BadVersion, error.to_string());
        subject
            .problems
            .push(problem.in_file(named_in).at_field("version"));
    }
    if manifest.format != ManifestFormat::AgentPlugins {
        let passed_over = unclaimed(disk, &root).filter(|one| one.is_meant);
        let passed_over = passed_over.map(|one| one.problem.as_warning());
        subject.problems.extend(passed_over);
    }
    subject
        .problems
        .extend(plugin_findings(disk, &root, manifest, id, entry));
    let shipped = root.join(MIGRATED_SKILLS_DIR);
    if let Ok(Some(_)) = disk.link_stamp(&shipped) {
        subject.problems.push(shipped_as_migrated(&shipped));
    }
    // An installation would stop here, whatever is in the files.
    match TreePlan::scan(disk, &root, &Limits::INSTALL, &[], &AtEase) {
        Ok(plan) => left_out(&plan, &mut subject.problems),
        Err(error) => {
            let problem = Problem::error(ProblemKind::TooLarge, error_chain(&error));
            subject.problems.push(problem.in_file(&root));
        }
    }
}

/// What an installation leaves out and nobody has spoken of: a link to a directory above it, say.
fn left_out(plan: &TreePlan, problems: &mut Vec<Problem>) {
    let known: HashSet<AbsPath> = problems.iter().filter_map(|one| one.path.clone()).collect();
    let is_new = |problem: &&Problem| {
        let path = problem.path.as_ref();
        let name = path.and_then(AbsPath::file_name).and_then(OsStr::to_str);
        // A name that cannot be written is shown otherwise where it was found.
        name.is_some_and(is_storable_name) && path.is_some_and(|path| !known.contains(path))
    };
    let mut new = plan.left_out().iter().filter(is_new);
    for problem in new.by_ref().take(MAX_LEFT_OUT) {
        let text = format!("{}, so an installation does without it", problem.message);
        let path = problem.path.iter();
        problems.extend(path.map(|path| Problem::warning(problem.kind, &text).in_file(path)));
    }
    let more = new.count();
    if more > 0 {
        let text = format!("{more} more entries are left out of an installation");
        problems.push(Problem::warning(ProblemKind::TooLarge, text).in_file(plan.root()));
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;

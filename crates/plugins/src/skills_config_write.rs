//! `skills/config/write`: switching a skill off, and on again.
//!
//! A skill of an installed plugin that is named by its path is switched by its name: the path holds
//! the version, and the rule is to outlive that. Only where two skills of the plugin have one name
//! the path has to do; it counts for other versions all the same.
//!
//! Afterwards the skill is what was asked for, whatever rules there were: those that are about
//! nothing else go, and against one that is about other skills too a rule is put behind it.

use plugd_config::{Edit, LayerSource, SkillRule, SkillSelector};
use plugd_model::AbsPath;

use crate::active::manifest_of;
use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::skill_rules::{CachedSkill, SkillRules, Subject, file_of};
use crate::{Blocking, Copies, Error, Lookup};

/// Which skill to switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkillChoice {
    /// Those of this qualified name.
    Name(String),
    /// The one in this `SKILL.md`.
    Path(AbsPath),
}

/// Switches a skill in the user's configuration. Answers whether it is on afterwards, all rules
/// counted: a flag of this session may decide otherwise.
///
/// # Errors
/// The configuration cannot be written; then nothing has changed.
pub async fn switch_skill(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    events: &Events,
    choice: SkillChoice,
    enabled: bool,
) -> Result<bool, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let events = events.clone();
    blocking
        .write(move || {
            let target = Target::find(&lookup, &copies, choice)?;
            let config = lookup.config(None);
            let rules: Vec<Known<'_>> = config
                .skill_rules()
                .iter()
                .map(|rule| Known::of(&lookup, &copies, rule))
                .collect::<Result<_, _>>()?;
            let edits = edits(&target, &rules, enabled);
            let written = lookup.write_edits(&call, &edits)?;
            if written.changed {
                events.changed(Change::new(ChangeReason::Request).config_key("skills.config"));
            }
            let on = target.on(&lookup, &rules);
            // Of several skills that have the name each must be what was asked for.
            Ok(if on.iter().all(|&on| on == enabled) {
                enabled
            } else {
                !enabled
            })
        })
        .await
}

/// What a choice means.
#[derive(Debug)]
struct Target {
    selector: SkillSelector,
    /// The skill that was chosen by its path, as far as it can be found.
    chosen: Option<Chosen>,
}

/// A skill that a path leads to.
#[derive(Debug)]
struct Chosen {
    /// Its qualified name.
    name: String,
    /// Its `SKILL.md`, links resolved.
    path: AbsPath,
    /// Of an installed plugin.
    installed: Option<InstalledSkill>,
}

#[derive(Debug)]
struct InstalledSkill {
    cached: CachedSkill,
    /// The root of the installed copy, links resolved.
    root: AbsPath,
    /// Whether no other skill of the plugin has its name.
    is_alone: bool,
}

/// A rule with the skill that it names by path.
#[derive(Debug)]
struct Known<'a> {
    rule: &'a SkillRule,
    file: Option<AbsPath>,
    chosen: Option<Chosen>,
}

impl<'a> Known<'a> {
    fn of(lookup: &Lookup, copies: &Copies, rule: &'a SkillRule) -> Result<Self, Error> {
        let file = file_of(lookup, &rule.selector);
        let chosen = match &file {
            Some(path) => Chosen::at(lookup, copies, path)?,
            None => None,
        };
        Ok(Self { rule, file, chosen })
    }
}

impl Chosen {
    /// The skill at a path. One in the cache is looked for in the version that is installed now: the
    /// client may have seen it before an upgrade.
    fn at(lookup: &Lookup, copies: &Copies, path: &AbsPath) -> Result<Option<Self>, Error> {
        if let Some(cached) = CachedSkill::of(lookup.disk(), lookup.layout(), path)
            && let Some(found) = find_installed(lookup, copies, cached)?
        {
            return Ok(Some(found));
        }
        let skill = plugd_components::skill_at(lookup.loader(), path);
        Ok(skill.map(|skill| Self {
            name: skill.name,
            path: skill.path,
            installed: None,
        }))
    }

    fn is_same(&self, other: &Self) -> bool {
        match (&self.installed, &other.installed) {
            (Some(own), Some(other)) => own.cached == other.cached,
            _ => self.path == other.path,
        }
    }

    fn subject(&self) -> Subject<'_> {
        let installed = self.installed.as_ref();
        Subject {
            name: &self.name,
            path: &self.path,
            plugin: installed.map(|one| (&one.cached.plugin, &one.root)),
        }
    }
}

impl Target {
    fn find(lookup: &Lookup, copies: &Copies, choice: SkillChoice) -> Result<Self, Error> {
        let path = match choice {
            SkillChoice::Name(name) => {
                return Ok(Self {
                    selector: SkillSelector::Name(name.trim().to_owned()),
                    chosen: None,
                });
            }
            SkillChoice::Path(path) => path,
        };
        let chosen = Chosen::at(lookup, copies, &path)?;
        let outlives = |chosen: &&Chosen| chosen.installed.as_ref().is_some_and(|one| one.is_alone);
        let selector = match chosen.as_ref().filter(outlives) {
            Some(chosen) => SkillSelector::Name(chosen.name.clone()),
            None => SkillSelector::Path(path),
        };
        Ok(Self { selector, chosen })
    }

    /// Whether a rule is about nothing but the target.
    fn owns(&self, known: &Known<'_>) -> bool {
        if known.rule.selector == self.selector {
            return true;
        }
        match (&self.chosen, &self.selector, &known.chosen) {
            (Some(own), _, Some(other)) => own.is_same(other),
            (None, SkillSelector::Name(name), Some(other)) => other.name == *name,
            (_, SkillSelector::Path(path), _) => known.file.as_ref() == Some(path),
            _ => false,
        }
    }

    /// Whether a rule is about the target among others.
    fn concerns(&self, known: &Known<'_>) -> bool {
        let SkillSelector::Name(name) = &known.rule.selector else {
            return false;
        };
        self.chosen.as_ref().is_some_and(|own| own.name == *name)
    }

    /// Whether each skill that is meant is on, as the configuration is now.
    fn on(&self, lookup: &Lookup, known: &[Known<'_>]) -> Vec<bool> {
        let config = lookup.config(None);
        let rules = SkillRules::new(lookup, config.skill_rules());
        let on = |subject: Subject<'_>| rules.leave_on(&subject);
        match (&self.chosen, &self.selector) {
            (Some(chosen), _) => vec![on(chosen.subject())],
            (None, SkillSelector::Name(name)) => {
                let same = known.iter().filter_map(|known| known.chosen.as_ref());
                let same = same.filter(|chosen| chosen.name == *name);
                // No skill lies at the home directory: rules by path do not match there.
                let path = lookup.layout().home();
                let plugin = None;
                let others = on(Subject { name, path, plugin });
                std::iter::once(others)
                    .chain(same.map(|chosen| on(chosen.subject())))
                    .collect()
            }
            // No skill is called nothing.
            (None, by_path) => {
                let (name, plugin) = ("", None);
                let file = file_of(lookup, by_path);
                file.iter()
                    .map(|path| on(Subject { name, path, plugin }))
                    .collect()
            }
        }
    }
}

/// The skill of the installed copy.
fn find_installed(
    lookup: &Lookup,
    copies: &Copies,
    cached: CachedSkill,
) -> Result<Option<Chosen>, Error> {
    let copy = copies
        .store()?
        .get(&cached.plugin)
        .map_err(|error| Error::StoreState(Box::new(error)))?;
    let Some(copy) = copy else {
        return Ok(None);
    };
    let Ok(manifest) = manifest_of(lookup.loader(), &copy) else {
        return Ok(None);
    };
    let disk = lookup.disk();
    let root = disk
        .resolve(&copy.root)
        .unwrap_or_else(|_| copy.root.clone());
    let skills = plugd_components::skills(disk, &copy.root, &manifest.value).items;
    let path = root.join(&cached.path);
    let Some(skill) = skills.iter().find(|skill| skill.path == path) else {
        return Ok(None);
    };
    let name = skill.name.clone();
    let is_alone = skills.iter().filter(|one| one.name == name).count() == 1;
    Ok(Some(Chosen {
        name,
        path,
        installed: Some(InstalledSkill {
            cached,
            root,
            is_alone,
        }),
    }))
}

/// The edits that switch the target. Only the user's own file is written, so only its rules count.
fn edits(target: &Target, rules: &[Known<'_>], enabled: bool) -> Vec<Edit> {
    let is_own = |known: &&Known<'_>| known.rule.origin.source == LayerSource::User;
    let own = rules.iter().filter(is_own);
    let (owned, others): (Vec<_>, Vec<_>) = own.partition(|known| target.owns(known));
    let mut edits: Vec<Edit> = Vec::new();
    for known in owned {
        let gone = Edit::set_skill_rule(&known.rule.selector, true);
        if known.rule.selector != target.selector && !edits.contains(&gone) {
            edits.push(gone);
        }
    }
    let against = others.iter().rfind(|known| target.concerns(known));
    edits.push(match against {
        Some(known) if known.rule.enabled != enabled => {
            Edit::set_last_skill_rule(&target.selector, enabled)
        }
        _ => Edit::set_skill_rule(&target.selector, enabled),
    });
    edits
}

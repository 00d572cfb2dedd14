//! `skills/config/write`: switching a skill off, and on again.
//!
//! A skill of an installed plugin that is named by its path is switched by its name: the path holds
//! the version, and the rule is to outlive that. Only where two skills of the plugin have one name
//! the path has to do; it counts for other versions all the same.

use plugd_components::Skill;
use plugd_config::{Edit, SkillRule, SkillSelector};
use plugd_model::AbsPath;

use crate::active::manifest_of;
use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::skill_rules::{CachedSkill, SkillRules, Subject};
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
            let edits = edits(&target, config.skill_rules(), enabled, |path| {
                CachedSkill::of(lookup.disk(), lookup.layout(), path)
            });
            let written = lookup.write_edits(&edits, call.patience(CONFIG_PATIENCE))?;
            if written.changed {
                events.changed(Change::new(ChangeReason::Request).config_key("skills.config"));
            }
            Ok(target.is_on(&lookup))
        })
        .await
}

/// What a choice means.
#[derive(Debug)]
struct Target {
    selector: SkillSelector,
    /// The skill of an installed plugin that was chosen by its path.
    installed: Option<Chosen>,
}

#[derive(Debug)]
struct Chosen {
    cached: CachedSkill,
    /// The root of the installed copy, links resolved.
    root: AbsPath,
    skill: Skill,
}

impl Target {
    fn find(lookup: &Lookup, copies: &Copies, choice: SkillChoice) -> Result<Self, Error> {
        let path = match choice {
            SkillChoice::Name(name) => {
                return Ok(Self {
                    selector: SkillSelector::Name(name.trim().to_owned()),
                    installed: None,
                });
            }
            SkillChoice::Path(path) => path,
        };
        let found = match CachedSkill::of(lookup.disk(), lookup.layout(), &path) {
            Some(cached) => find_installed(lookup, copies, cached)?,
            None => None,
        };
        Ok(match found {
            Some((chosen, true)) => Self {
                selector: SkillSelector::Name(chosen.skill.name.clone()),
                installed: Some(chosen),
            },
            found => Self {
                selector: SkillSelector::Path(path),
                installed: found.map(|(chosen, _)| chosen),
            },
        })
    }

    /// Whether the skill is on, as the configuration is now.
    fn is_on(&self, lookup: &Lookup) -> bool {
        let config = lookup.config(None);
        let rules = SkillRules::new(lookup.disk(), lookup.layout(), config.skill_rules());
        let nowhere = lookup.layout().home();
        let subject = match (&self.installed, &self.selector) {
            (Some(chosen), _) => Subject {
                name: &chosen.skill.name,
                path: &chosen.skill.path,
                plugin: Some((&chosen.cached.plugin, &chosen.root)),
            },
            // No skill is called nothing or lies at the home directory: these match no rule.
            (None, SkillSelector::Name(name)) => Subject {
                name,
                path: nowhere,
                plugin: None,
            },
            (None, SkillSelector::Path(path)) => Subject {
                name: "",
                path,
                plugin: None,
            },
        };
        rules.leave_on(&subject)
    }
}

/// The skill of the installed copy, and whether its name is its alone. It is looked for in the version
/// that is installed now: the client may have seen it before an upgrade.
fn find_installed(
    lookup: &Lookup,
    copies: &Copies,
    cached: CachedSkill,
) -> Result<Option<(Chosen, bool)>, Error> {
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
    let Some(skill) = skills.iter().find(|skill| skill.path == path).cloned() else {
        return Ok(None);
    };
    let is_alone = skills.iter().filter(|one| one.name == skill.name).count() == 1;
    let chosen = Chosen {
        cached,
        root,
        skill,
    };
    Ok(Some((chosen, is_alone)))
}

/// The edits that switch the target. Older rules that name the same installed skill by the path of
/// some version go: left behind, they would decide against the new one.
fn edits(
    target: &Target,
    rules: &[SkillRule],
    enabled: bool,
    cached: impl Fn(&AbsPath) -> Option<CachedSkill>,
) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    if let Some(chosen) = &target.installed {
        let is_older = |selector: &SkillSelector| match selector {
            SkillSelector::Path(path) => cached(path).as_ref() == Some(&chosen.cached),
            SkillSelector::Name(_) => false,
        };
        let mut older: Vec<&SkillSelector> = rules.iter().map(|rule| &rule.selector).collect();
        older.retain(|selector| **selector != target.selector && is_older(selector));
        older.dedup();
        let gone = older.into_iter().map(|one| Edit::set_skill_rule(one, true));
        edits.extend(gone);
    }
    edits.push(Edit::set_skill_rule(&target.selector, enabled));
    edits
}

//! `plugin/skill/read`: the text of one skill of a plugin.

use plugd_components::{Skill, skill_text};
use plugd_disk::Disk;
use plugd_marketplace::Selector;
use plugd_model::{AbsPath, PluginId, PluginManifest, Problem};

use crate::active::manifest_of;
use crate::differing::Differing;
use crate::listing::Details;
use crate::read::refusal;
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Lookup, Roots};

/// Which plugin a skill is read of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkillHolder {
    /// One that a manifest names: its source, else its installed copy.
    Offered {
        /// The manifest.
        manifest: AbsPath,
        /// The plugin's name.
        plugin: String,
    },
    /// The installed copy of a plugin.
    Installed(String),
}

/// The text of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillText {
    /// Its `SKILL.md`; nothing when the service handed it out.
    pub path: Option<AbsPath>,
    /// What stands in it; nothing where the service keeps no text.
    pub contents: Option<String>,
}

/// Reads the text of a skill; `skill` is its name with or without the plugin's in front.
///
/// # Errors
/// The plugin or the skill is not there, or the file cannot be read as a text of a bearable size.
pub async fn read_skill(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    holder: SkillHolder,
    skill: String,
) -> Result<SkillText, Error> {
    let (lookup, copies) = (lookup.clone(), copies.clone());
    blocking
        .read(move || match holder {
            SkillHolder::Installed(id) => of_installed(&lookup, &copies, &id, &skill),
            SkillHolder::Offered { manifest, plugin } => {
                of_offered(&lookup, &copies, &manifest, &plugin, &skill)
            }
        })
        .await
}

fn of_installed(
    lookup: &Lookup,
    copies: &Copies,
    id: &str,
    skill: &str,
) -> Result<SkillText, Error> {
    let bad = |_| Error::BadPluginId { id: id.to_owned() };
    let id = PluginId::parse(id).map_err(bad)?;
    let copy = copies
        .store()?
        .get(&id)
        .map_err(|error| Error::StoreState(Box::new(error)))?;
    let Some(copy) = copy else {
        return Err(Error::NotInstalled { id });
    };
    match manifest_of(lookup.loader(), &copy) {
        Ok(manifest) => text(lookup.disk(), &id, &copy.root, &manifest.value, skill),
        Err(problem) => Err(bad_manifest(id, problem)),
    }
}

fn of_offered(
    lookup: &Lookup,
    copies: &Copies,
    manifest: &AbsPath,
    plugin: &str,
    skill: &str,
) -> Result<SkillText, Error> {
    let roots = Roots {
        cwds: Vec::new(),
        manifests: vec![manifest.clone()],
    };
    let resolved = lookup.resolve(&roots);
    if resolved.is_off() {
        return Err(Error::PluginsDisabled);
    }
    let offer = resolved.set.select(&Selector::Named { manifest, plugin })?;
    let none = Differing::default();
    let id = offer.id();
    let survey = Survey::of_one(lookup, copies.store()?, &resolved, &none, &id);
    let details = survey.details(&offer);
    if let Some(refusal) = refusal(&offer, &details) {
        return Err(refusal);
    }
    let disk = lookup.disk();
    match &details {
        Details::Manifest(loaded, root) => text(disk, &id, root, &loaded.value, skill),
        Details::Fallback(fallback, Some(root)) => {
            text(disk, &id, root, fallback.manifest(), skill)
        }
        Details::Fallback(_, None) | Details::NotHere => {
            // What is refused is told, and not taken for what is not there.
            let found = copies.store()?.get(&id);
            found.map_err(|error| Error::StoreState(Box::new(error)))?;
            Err(Error::NotInstalled { id })
        }
        Details::NoDirectory(problem, _) | Details::Outside(problem) | Details::Broken(problem) => {
            Err(bad_manifest(id, problem.clone()))
        }
    }
}

/// The text of a skill of a directory.
pub(crate) fn text(
    disk: &Disk,
    id: &PluginId,
    root: &AbsPath,
    manifest: &PluginManifest,
    name: &str,
) -> Result<SkillText, Error> {
    let skills = plugd_components::skills(disk, root, manifest).items;
    let skill = find(&skills, name).ok_or_else(|| Error::NoSkill {
        id: id.clone(),
        skill: name.to_owned(),
    })?;
    match skill_text(disk, root, &skill.path) {
        Ok(contents) => Ok(SkillText {
            path: Some(skill.path.clone()),
            contents: Some(contents),
        }),
        Err(problem) => Err(Error::BadSkill {
            id: id.clone(),
            problem: Box::new(problem),
        }),
    }
}

/// The skill with a name. The whole name counts first: a bare one may look like another's whole.
fn find<'a>(skills: &'a [Skill], name: &str) -> Option<&'a Skill> {
    let whole = skills.iter().find(|skill| skill.name == name);
    whole.or_else(|| skills.iter().find(|skill| skill.bare_name == name))
}

fn bad_manifest(id: PluginId, problem: Problem) -> Error {
    Error::BadManifest {
        id,
        problem: Box::new(problem),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plugd_testkit::Sandbox;

    use super::of_offered;
    use crate::Error;
    use crate::fixture::{self, Closed};

    #[test]
    fn a_copy_that_cannot_be_read_is_not_taken_for_none() {
        let sandbox = Sandbox::new();
        let manifest = "home/.agents/plugins/marketplace.json";
        let source = r#"{"source":"url","url":"https://example.invalid/r.git"}"#;
        let catalog = format!(r#"{{"name":"m","plugins":[{{"name":"p","source":{source}}}]}}"#);
        sandbox.write(manifest, catalog);
        sandbox.write("ch/config.toml", "[plugins.\"p@m\"]\nenabled = true\n");
        let file = "ch/plugins/cache/m/p/1.0.0/.codex-plugin/plugin.json";
        sandbox.write(file, r#"{"name":"p"}"#);
        let copy = sandbox.path("ch/plugins/cache/m/p");
        let (lookup, copies) = fixture::probed(&sandbox, Arc::new(Closed(copy)));
        let read = of_offered(&lookup, &copies, &sandbox.path(manifest), "p", "s");
        assert!(matches!(read, Err(Error::StoreState(_))), "{read:?}");
    }
}

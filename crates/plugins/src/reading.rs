//! What `plugin/read` tells of a plugin, wherever it comes from.
//!
//! Skills have a shape of their own here, because those of the remote catalog have no files and those
//! of a directory have no addresses.

use plugd_catalog::{AppTemplate, ReleaseSkill, ScheduledTask};
use plugd_components::{HookDeclaration, Skill};
use plugd_model::{AbsPath, Problem};

use crate::listing::Summary;
use crate::remote_apps::RemoteApp;

/// One plugin from the inside.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The marketplace's name.
    pub marketplace: String,
    /// The marketplace's manifest; nothing for the remote catalog, which has none.
    pub path: Option<AbsPath>,
    /// What a listing shows of it.
    pub summary: Summary,
    /// A link to it, where the remote catalog has one.
    pub share_url: Option<String>,
    /// The long text, or why there are no details yet.
    pub description: Option<String>,
    /// Its skills.
    pub skills: Vec<ReadSkill>,
    /// The skill to show first; only of an installed and enabled plugin.
    pub onboarding_skill: Option<ReadSkill>,
    /// Its hooks.
    pub hooks: Vec<HookDeclaration>,
    /// Its apps; empty without a login that can use them.
    pub apps: Vec<RemoteApp>,
    /// Apps that a workspace can set up for it.
    pub app_templates: Vec<AppTemplate>,
    /// The names of its MCP servers.
    pub mcp_servers: Vec<String>,
    /// Prompts that it wants to run on a schedule; nothing where nobody says.
    pub scheduled_tasks: Option<Vec<ScheduledTask>>,
    /// What is wrong with it, components included.
    pub problems: Vec<Problem>,
}

impl Reading {
    /// A plugin of which nothing but its row in a listing is known yet.
    pub(crate) fn of(marketplace: String, path: Option<AbsPath>, summary: Summary) -> Self {
        Self {
            marketplace,
            path,
            share_url: None,
            description: None,
            skills: Vec::new(),
            onboarding_skill: None,
            hooks: Vec::new(),
            apps: Vec::new(),
            app_templates: Vec::new(),
            mcp_servers: Vec::new(),
            scheduled_tasks: None,
            problems: summary.problems.clone(),
            summary,
        }
    }
}

/// A skill of a plugin that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSkill {
    /// Its name.
    pub name: String,
    /// When to use it.
    pub description: String,
    /// One line.
    pub short_description: Option<String>,
    /// How to show it.
    pub interface: Option<ReadSkillInterface>,
    /// Its `SKILL.md`; nothing while it lies on another machine.
    pub path: Option<AbsPath>,
    /// Whether nobody has switched it off.
    pub enabled: bool,
}

/// How a skill is shown, with files or addresses of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadSkillInterface {
    /// The name for people.
    pub display_name: Option<String>,
    /// One line.
    pub short_description: Option<String>,
    /// The file of the small icon.
    pub icon_small: Option<AbsPath>,
    /// The file of the large icon.
    pub icon_large: Option<AbsPath>,
    /// The address of the small icon.
    pub icon_small_url: Option<String>,
    /// The address of the large icon.
    pub icon_large_url: Option<String>,
    /// A colour.
    pub brand_color: Option<String>,
    /// A prompt to begin with.
    pub default_prompt: Option<String>,
}

impl ReadSkill {
    /// A skill of a directory.
    pub(crate) fn of_file(skill: &Skill, enabled: bool) -> Self {
        Self {
            name: skill.name.clone(),
            description: skill.description.clone(),
            short_description: skill.short_description.clone(),
            interface: skill.interface.as_ref().map(|shown| ReadSkillInterface {
                display_name: shown.display_name.clone(),
                short_description: shown.short_description.clone(),
                icon_small: shown.icon_small.clone(),
                icon_large: shown.icon_large.clone(),
                icon_small_url: None,
                icon_large_url: None,
                brand_color: shown.brand_color.clone(),
                default_prompt: shown.default_prompt.clone(),
            }),
            path: Some(skill.path.clone()),
            enabled,
        }
    }

    /// A skill of a release. Its short text is that of its interface, which has the only one.
    pub(crate) fn of_release(skill: &ReleaseSkill, enabled: bool) -> Self {
        let shown = skill.interface.as_ref();
        Self {
            name: skill.name.clone(),
            description: skill.description.clone(),
            short_description: shown.and_then(|shown| shown.short_description.clone()),
            interface: shown.map(|shown| ReadSkillInterface {
                display_name: shown.display_name.clone(),
                short_description: shown.short_description.clone(),
                icon_small: None,
                icon_large: None,
                icon_small_url: shown.icon_small_url.clone(),
                icon_large_url: shown.icon_large_url.clone(),
                brand_color: shown.brand_color.clone(),
                default_prompt: shown.default_prompt.clone(),
            }),
            path: None,
            enabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use plugd_catalog::{ReleaseSkill, SkillInterface};
    use pretty_assertions::assert_eq;

    use super::ReadSkill;

    #[test]
    fn a_skill_of_a_release_has_addresses_and_no_files() {
        let skill = ReleaseSkill {
            name: "s".to_owned(),
            description: "d".to_owned(),
            interface: Some(SkillInterface {
                short_description: Some("short".to_owned()),
                icon_small_url: Some("https://i".to_owned()),
                ..SkillInterface::default()
            }),
        };
        let read = ReadSkill::of_release(&skill, false);
        assert_eq!(read.short_description.as_deref(), Some("short"));
        assert_eq!((read.path, read.enabled), (None, false));
        let shown = read.interface.unwrap();
        assert_eq!(shown.icon_small_url.as_deref(), Some("https://i"));
        assert_eq!(shown.icon_small, None);
    }
}

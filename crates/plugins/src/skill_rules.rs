//! Whether a skill is switched on: the rules of the configuration, applied to one skill.
//!
//! A rule names skills by their qualified name or by the path of a `SKILL.md`. A path into the cache
//! of plugins names the version that was installed when the rule was made; what it means is the
//! plugin's skill, so it counts for every version of the plugin, and for its source as well. Taken
//! to the letter it would stop to count with the next upgrade.

use std::path::{Component, Path, PathBuf};

use plugd_config::{SkillRule, SkillSelector};
use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, MarketplaceName, PluginId, PluginName};

use crate::Lookup;

/// A skill as rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Its qualified name.
    pub(crate) name: &'a str,
    /// Its `SKILL.md`, with links resolved.
    pub(crate) path: &'a AbsPath,
    /// The plugin it belongs to and the directory of that, with links resolved.
    pub(crate) plugin: Option<(&'a PluginId, &'a AbsPath)>,
}

/// The rules of one configuration.
#[derive(Debug)]
pub(crate) struct SkillRules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    about: About,
    enabled: bool,
}

#[derive(Debug)]
enum About {
    Name(String),
    Path {
        /// As written, and with links resolved.
        spellings: [AbsPath; 2],
        skill: Option<CachedSkill>,
    },
}

/// A skill of an installed plugin, whatever its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedSkill {
    /// The plugin.
    pub(crate) plugin: PluginId,
    /// Its `SKILL.md`, from the version directory on.
    pub(crate) path: PathBuf,
}

impl CachedSkill {
    /// What a path into the cache names: `<cache>/<marketplace>/<plugin>/<version>/…`.
    pub(crate) fn of(disk: &Disk, layout: &Layout, path: &AbsPath) -> Option<Self> {
        let cache = layout.cache();
        let resolved = disk.resolve(&cache).ok();
        [Some(cache), resolved]
            .into_iter()
            .flatten()
            .find_map(|cache| {
                let below = path.as_path().strip_prefix(cache.as_path()).ok()?;
                Self::below_cache(below)
            })
    }

    fn below_cache(path: &Path) -> Option<Self> {
        let mut parts = path.components();
        let mut name = || match parts.next()? {
            Component::Normal(name) => name.to_str(),
            _ => None,
        };
        let (marketplace, plugin, _version) = (name()?, name()?, name()?);
        let plugin = PluginId {
            plugin: PluginName::new(plugin).ok()?,
            marketplace: MarketplaceName::new(marketplace).ok()?,
        };
        let path = parts.as_path().to_owned();
        (path.components().next().is_some()).then_some(Self { plugin, path })
    }

    fn is(&self, subject: &Subject<'_>) -> bool {
        subject.plugin.is_some_and(|(id, root)| {
            *id == self.plugin
                && subject.path.as_path().strip_prefix(root.as_path()) == Ok(&self.path)
        })
    }
}

/// The file that a rule by path names.
pub(crate) fn file_of(lookup: &Lookup, selector: &SkillSelector) -> Option<AbsPath> {
    match selector {
        SkillSelector::Name(_) => None,
        SkillSelector::Path(path) => Some(path.clone()),
        SkillSelector::Home(path) => Some(lookup.home()?.join(path)),
    }
}

impl SkillRules {
    /// Makes rules ready to be applied. Each path is resolved once.
    pub(crate) fn new<'a>(lookup: &Lookup, rules: impl IntoIterator<Item = &'a SkillRule>) -> Self {
        let (disk, layout) = (lookup.disk(), lookup.layout());
        let about = |selector: &SkillSelector| {
            if let SkillSelector::Name(name) = selector {
                return Some(About::Name(name.clone()));
            }
            let path = file_of(lookup, selector)?;
            Some(About::Path {
                skill: CachedSkill::of(disk, layout, &path),
                spellings: [disk.resolve(&path).unwrap_or_else(|_| path.clone()), path],
            })
        };
        let rules = rules.into_iter().filter_map(|rule| {
            Some(Rule {
                about: about(&rule.selector)?,
                enabled: rule.enabled,
            })
        });
        Self {
            rules: rules.collect(),
        }
    }

    /// Whether a skill is left on. The last rule that is about it decides; without one it is on.
    pub(crate) fn leave_on(&self, subject: &Subject<'_>) -> bool {
        let of_subject = self.rules.iter().rev().find(|rule| match &rule.about {
            About::Name(name) => name == subject.name,
            About::Path { spellings, skill } => {
                spellings.contains(subject.path)
                    || skill.as_ref().is_some_and(|skill| skill.is(subject))
            }
        });
        of_subject.is_none_or(|rule| rule.enabled)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use plugd_model::PluginId;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::{CachedSkill, SkillRules, Subject};
    use crate::fixture;

    const NEW: &str = "ch/plugins/cache/m/p/2.0.0";

    /// The skill `p:s` of `p@m` in a version, in its source, and a skill of the user.
    #[track_caller]
    fn check(rules: &str, expected: [bool; 3]) {
        let sandbox = Sandbox::from(&format!("== ch/config.toml\n{rules}\n"));
        let lookup = fixture::lookup(&sandbox);
        let config = lookup.config(None);
        let rules = SkillRules::new(&lookup, config.skill_rules());
        let id = PluginId::parse("p@m").unwrap();
        let left_on = ["p:s", "p:s", "mine"].into_iter().zip([NEW, "source", ""]);
        let left_on: Vec<bool> = left_on
            .map(|(name, root)| {
                let root = sandbox.path(root);
                rules.leave_on(&Subject {
                    name,
                    path: &root.join("skills/s/SKILL.md"),
                    plugin: (name != "mine").then_some((&id, &root)),
                })
            })
            .collect();
        assert_eq!(left_on, expected);
    }

    fn rule(selector: &str, enabled: bool) -> String {
        format!("[[skills.config]]\n{selector}\nenabled = {enabled}\n")
    }

    fn cached(id: &str, version: &str, enabled: bool) -> String {
        let path = format!("$ROOT/ch/plugins/cache/{id}/{version}/skills/s/SKILL.md");
        rule(&format!("path = \"{path}\""), enabled)
    }

    #[test]
    fn rules_by_name_and_by_path() {
        check("", [true, true, true]);
        check(&rule("name = \"p:s\"", false), [false, false, true]);
        check(&rule("name = \"s\"", false), [true, true, true]);
        let source = "path = \"$ROOT/source/skills/s/SKILL.md\"";
        check(&rule(source, false), [true, false, true]);
        let mine = "path = \"$ROOT/skills/s/SKILL.md\"";
        check(&rule(mine, false), [true, true, false]);
        check(
            &rule("path = \"~/../skills/s/SKILL.md\"", false),
            [true, true, false],
        );
        check(
            &rule("path = \"~/skills/s/SKILL.md\"", false),
            [true, true, true],
        );
    }

    #[test]
    fn a_path_into_the_cache_survives_an_upgrade() {
        check(&cached("m/p", "2.0.0", false), [false, false, true]);
        check(&cached("m/p", "1.0.0", false), [false, false, true]);
        check(&cached("m/q", "1.0.0", false), [true, true, true]);
        check(&cached("n/p", "1.0.0", false), [true, true, true]);
    }

    #[test]
    fn the_last_rule_decides() {
        let off = rule("name = \"p:s\"", false);
        let on = cached("m/p", "1.0.0", true);
        check(&format!("{off}{on}"), [true, true, true]);
        check(&format!("{on}{off}"), [false, false, true]);
    }

    #[test]
    fn what_lies_in_the_cache() {
        let sandbox = Sandbox::new();
        let of = |path: &str| {
            let path = sandbox.path(format!("ch/plugins/cache/{path}"));
            CachedSkill::of(&plugd_disk::Disk::new(), &sandbox.layout(), &path)
        };
        let skill = CachedSkill {
            plugin: PluginId::parse("p@m").unwrap(),
            path: PathBuf::from("a/SKILL.md"),
        };
        assert_eq!(of("m/p/1.0.0/a/SKILL.md"), Some(skill));
        assert_eq!(of("m/p/1.0.0"), None);
        assert_eq!(of("m/p"), None);
        assert_eq!(of("m m/p/1.0.0/a/SKILL.md"), None);
        assert_eq!(of("../../skills/a/SKILL.md"), None);
    }
}

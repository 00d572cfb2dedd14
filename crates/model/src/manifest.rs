//! What a plugin says about itself, whatever file format it said it in.

use std::sync::Arc;

use crate::AbsPath;

/// Which of the accepted formats a manifest was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestFormat {
    /// `plugin.json` of the Agent Plugins specification.
    AgentPlugins,
    /// `.codex-plugin/plugin.json`.
    Codex,
    /// `.claude-plugin/plugin.json`.
    Claude,
    /// `.cursor-plugin/plugin.json`.
    Cursor,
    /// Extra members of a marketplace entry, used when the directory has no manifest.
    Fallback,
}

/// A path of a plugin, checked lexically: it begins with `./`, what follows is relative, and it does not
/// climb. `./.` is the root itself. Whether it exists, and whether a link leads out, is the reader's
/// question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginPath(String);

impl PluginPath {
    /// Checks a path as manifests write it and stores it without `./` and empty components.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("./")?;
        if rest.is_empty() || rest.starts_with('/') || rest.contains('\0') {
            return None;
        }
        let parts: Vec<&str> = rest
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        if parts.contains(&"..") {
            return None;
        }
        Some(Self(parts.join("/")))
    }

    /// The path below `root`, or `root`.
    #[must_use]
    pub fn below(&self, root: &AbsPath) -> AbsPath {
        root.join(&self.0)
    }

    /// The path relative to the root, without `./`; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a plugin's MCP servers are declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpDeclaration {
    /// The format's default file.
    Default,
    /// This file instead.
    File(PluginPath),
    /// Inline in the manifest: the JSON text of the object of servers.
    Inline(String),
    /// None at all; the default file is not read either.
    Nothing,
}

/// Where a plugin's hooks are declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HooksDeclaration {
    /// The format's default file.
    Default,
    /// These files instead, in order.
    Files(Vec<PluginPath>),
    /// Inline in the manifest: the JSON texts of the objects that each hold a `hooks` member.
    Inline(Vec<String>),
    /// None at all, as in a format without hooks or in a list that mixes paths and objects; the
    /// default file is not read either.
    Nothing,
}

/// Texts and pictures for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// Name to show.
    pub display_name: Option<String>,
    /// One line.
    pub short_description: Option<String>,
    /// A paragraph.
    pub long_description: Option<String>,
    /// Who made it.
    pub developer_name: Option<String>,
    /// Where it is filed.
    pub category: Option<String>,
    /// What it can do, in words.
    pub capabilities: Vec<String>,
    /// Home page.
    pub website_url: Option<String>,
    /// Privacy policy.
    pub privacy_policy_url: Option<String>,
    /// Terms of service.
    pub terms_of_service_url: Option<String>,
    /// Prompts to start with; `None` when none was declared or none survived.
    pub default_prompt: Option<Vec<String>>,
    /// A colour.
    pub brand_color: Option<String>,
    /// Icon beside an input field.
    pub composer_icon: Option<PluginPath>,
    /// Logo.
    pub logo: Option<PluginPath>,
    /// Logo for dark backgrounds.
    pub logo_dark: Option<PluginPath>,
    /// Pictures.
    pub screenshots: Vec<PluginPath>,
}

/// A manifest that can be used. Members with a wrong type are absent here and are problems beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginManifest {
    /// The format it was written in.
    pub format: ManifestFormat,
    /// The declared name, or the directory's when none was declared. Not yet checked against the
    /// name rule of marketplaces: an installation compares it with the entry's name.
    pub name: String,
    /// The declared version, trimmed; blank means absent.
    pub version: Option<String>,
    /// Whether its `$schema` is that of Agent Plugins 1.0.0, wherever it stands: the version directory in
    /// the store goes by that, and everything else by the format.
    pub has_agent_plugins_schema: bool,
    /// The description, verbatim.
    pub description: Option<String>,
    /// Search words.
    pub keywords: Vec<String>,
    /// Texts and pictures, shared with all who show them; `None` when nothing of it survived.
    pub interface: Option<Arc<Interface>>,
    /// Skill roots instead of the default.
    pub skills: Option<Vec<PluginPath>>,
    /// MCP servers.
    pub mcp_servers: McpDeclaration,
    /// The apps file instead of the default.
    pub apps: Option<PluginPath>,
    /// Hooks.
    pub hooks: HooksDeclaration,
    /// Command files and directories instead of the default; an empty list means that there are none.
    pub commands: Option<Vec<PluginPath>>,
    /// The skill to show first.
    pub onboarding_skill: Option<PluginPath>,
    /// The licence, as written.
    pub license: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::PluginPath;

    #[test]
    fn path_rule_of_manifests() {
        for (text, expected) in [
            ("./a/b", Some("a/b")),
            ("./a//b", Some("a/b")),
            ("./a/./b/", Some("a/b")),
            ("./a\\b", Some("a\\b")),
            ("././/a", Some("a")),
            ("./..a", Some("..a")),
            ("./.", Some("")),
            ("././", Some("")),
            ("././/", Some("")),
            ("./", None),
            (".//", None),
            (".//.", None),
            (".//a", None),
            (".///a", None),
            (".", None),
            ("a", None),
            (" ./a", None),
            ("./../a", None),
            ("./a/../b", None),
            ("/a", None),
            ("https://x/y", None),
        ] {
            let parsed = PluginPath::parse(text);
            assert_eq!(
                parsed.as_ref().map(PluginPath::as_str),
                expected,
                "{text:?}"
            );
        }
    }
}

//! Files that look like components and lie where nobody reads them.

use plugd_model::{
    HooksDeclaration, ManifestFormat, McpDeclaration, PluginManifest, PluginPath, Problem,
    ProblemKind,
};

use crate::tree::PluginTree;

use super::is_file;

/// How many entries of the root are compared with the names that are read.
const MAX_ENTRIES: u64 = 10_000;

/// Adds what lies in a place of another format, or under a name that is right but for its case.
pub(super) fn check(tree: &PluginTree<'_>, manifest: &PluginManifest, findings: &mut Vec<Problem>) {
    let is_agent = manifest.format == ManifestFormat::AgentPlugins;
    let places: &[(&str, &str)] = if is_agent {
        &[
            (".mcp.json", "mcp.json"),
            ("hooks/hooks.json", "nowhere: this format has no hooks"),
            (".app.json", "nowhere: this format has no apps"),
        ]
    } else {
        &[
            ("mcp.json", ".mcp.json"),
            ("hooks.json", "hooks/hooks.json"),
            ("app.json", ".app.json"),
        ]
    };
    let is_there = |path: &str| is_file(tree, &tree.root().join(path));
    for (found, right) in places {
        if !is_there(found) || is_there(right) || names_file(manifest, found) {
            continue;
        }
        let text = format!("nobody reads this file; it belongs to {right}");
        let problem = Problem::warning(ProblemKind::BadPath, text);
        findings.push(problem.in_file(&tree.root().join(found)));
    }
    wrong_case(tree, &default_names(manifest), findings);
}

/// Whether the manifest leads a reader to a file.
fn names_file(manifest: &PluginManifest, path: &str) -> bool {
    let is_path = |declared: &PluginPath| declared.as_str() == path;
    let servers = matches!(&manifest.mcp_servers, McpDeclaration::File(file) if is_path(file));
    let hooks =
        matches!(&manifest.hooks, HooksDeclaration::Files(files) if files.iter().any(is_path));
    servers || hooks || manifest.apps.as_ref().is_some_and(is_path)
}

/// The names in the root under which components are looked for, because the manifest names no others.
fn default_names(manifest: &PluginManifest) -> Vec<&'static str> {
    if manifest.format == ManifestFormat::AgentPlugins {
        return vec!["skills", "mcp.json"];
    }
    let has_default = [
        ("skills", manifest.skills.is_none()),
        ("commands", manifest.commands.is_none()),
        (
            ".mcp.json",
            matches!(manifest.mcp_servers, McpDeclaration::Default),
        ),
        (".app.json", manifest.apps.is_none()),
        ("hooks", matches!(manifest.hooks, HooksDeclaration::Default)),
    ];
    let wanted = has_default.into_iter().filter(|(_, wanted)| *wanted);
    wanted.map(|(name, _)| name).collect()
}

/// Entries of the root that are found on systems where case does not count, and on no other.
fn wrong_case(tree: &PluginTree<'_>, names: &[&str], findings: &mut Vec<Problem>) {
    let listed = tree.disk().literally().list_up_to(tree.root(), MAX_ENTRIES);
    let Ok(Some(entries)) = listed else {
        return;
    };
    for name in names {
        let found = || entries.iter().filter_map(|entry| entry.name.to_str());
        if found().any(|one| one == *name) {
            continue;
        }
        for wrong in found().filter(|one| one.eq_ignore_ascii_case(name)) {
            let text = format!("nobody reads this on systems where case counts; call it `{name}`");
            let problem = Problem::warning(ProblemKind::BadName, text);
            findings.push(problem.in_file(&tree.root().join(wrong)));
        }
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{PluginId, PluginPath};
    use pretty_assertions::assert_eq;

    use crate::fixture::Plugin;
    use crate::plugin_findings;

    #[track_caller]
    fn check(plugin: &Plugin, expected: &[&str]) {
        let id = PluginId::parse("p@m").unwrap();
        let found = plugin_findings(&plugin.disk, &plugin.root(), &plugin.manifest, &id, None);
        assert_eq!(plugin.problems(&found), expected);
    }

    #[test]
    fn a_name_that_is_right_but_for_its_case_is_told() {
        let skill = "---\nname: s\ndescription: d\n---\nbody\n";
        let add = |plugin: Plugin| {
            plugin
                .file("Skills/s/SKILL.md", skill)
                .file(".MCP.json", "{}")
                .file("Hooks/hooks.json", "{}")
        };
        check(
            &add(Plugin::new()),
            &["badName .MCP.json", "badName Hooks", "badName Skills"],
        );
        check(&add(Plugin::agent()), &["badName Skills"]);
        // What the manifest names is found where it says.
        let named = add(Plugin::new()).with(|manifest| {
            manifest.skills = Some(vec![PluginPath::parse("./Skills").unwrap()]);
        });
        check(&named, &["badName .MCP.json", "badName Hooks"]);
        check(&Plugin::new().file("skills/s/SKILL.md", skill), &[]);
    }
}

//! Findings in the manifest: members that nobody reads and that are likely typing errors, and files
//! that it names and that are not there.

use plugd_model::{AbsPath, ManifestFormat, PluginManifest, PluginPath, Problem, ProblemKind};

use crate::item::{Document, Member, Origin, clip, take};
use crate::spelling;
use crate::tree::PluginTree;

/// The members of a manifest that some host reads.
pub(super) const MANIFEST: &[&str] = &[
    "$schema",
    "name",
    "version",
    "description",
    "author",
    "homepage",
    "repository",
    "license",
    "keywords",
    "skills",
    "mcpServers",
    "apps",
    "hooks",
    "commands",
    "interface",
    "extensions",
    "agents",
    "lspServers",
    "outputStyles",
    "displayName",
    "title",
    "category",
    "tags",
    "strict",
    "dependencies",
    "settings",
    "channels",
    "userConfig",
    "themes",
    "monitors",
    "rules",
    "logo",
    "id",
];
/// The members that the Agent Plugins format permits.
const AGENT: &[&str] = &[
    "$schema",
    "name",
    "version",
    "description",
    "author",
    "homepage",
    "repository",
    "license",
    "keywords",
    "extensions",
];
/// The members of an interface.
pub(super) const INTERFACE: &[&str] = &[
    "displayName",
    "shortDescription",
    "longDescription",
    "developerName",
    "category",
    "capabilities",
    "websiteUrl",
    "websiteURL",
    "privacyPolicyUrl",
    "privacyPolicyURL",
    "termsOfServiceUrl",
    "termsOfServiceURL",
    "defaultPrompt",
    "brandColor",
    "composerIcon",
    "logo",
    "logoDark",
    "screenshots",
];

/// Adds the findings about a manifest.
pub(super) fn check(tree: &PluginTree<'_>, manifest: &PluginManifest, findings: &mut Vec<Problem>) {
    let text = tree.manifest_text(manifest.format);
    let document = text
        .as_ref()
        .and_then(|(file, text)| Document::parse_file(text, file).ok());
    // What is wrong with the file as such is the business of its loader.
    let mut ignored = Vec::new();
    let top = document
        .as_ref()
        .and_then(|document| document.root("").object(&mut ignored).ok())
        .unwrap_or_default();
    let interface = take(&top, "interface")
        .and_then(|item| item.object(&mut ignored).ok())
        .unwrap_or_default();
    let known = match manifest.format {
        ManifestFormat::AgentPlugins => AGENT,
        _ => MANIFEST,
    };
    misspelt(&top, known, findings);
    misspelt(&interface, INTERFACE, findings);
    pictures(tree, manifest, &interface, findings);
}

/// Adds members that are almost a known one. Those that differ only in case, `_` and `-` are told by
/// the loader of manifests.
pub(super) fn misspelt(members: &[Member<'_>], known: &[&str], findings: &mut Vec<Problem>) {
    for (name, value) in members {
        if let Some(meant) = spelling::meant(name, known)
            && spelling::fold(name) != spelling::fold(meant)
        {
            let text = format!("nobody reads `{}` here; did you mean `{meant}`", clip(name));
            findings.push(value.warning(ProblemKind::UnknownField, text));
        }
    }
}

/// Pictures that an interface names.
fn pictures(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    members: &[Member<'_>],
    findings: &mut Vec<Problem>,
) {
    let Some(interface) = &manifest.interface else {
        return;
    };
    let single = [
        ("composerIcon", &interface.composer_icon),
        ("logo", &interface.logo),
        ("logoDark", &interface.logo_dark),
    ];
    let many = interface
        .screenshots
        .iter()
        .map(|path| ("screenshots", path));
    let named = single
        .into_iter()
        .filter_map(|(name, path)| Some((name, path.as_ref()?)));
    for (name, path) in named.chain(many) {
        if let Some(problem) = picture(tree, path) {
            let origin = take(members, name).map_or_else(
                || Origin::default().below(&format!("interface.{name}")),
                |item| item.origin(),
            );
            findings.push(origin.problem(problem.kind, problem.message).as_warning());
        }
    }
}

fn picture(tree: &PluginTree<'_>, path: &PluginPath) -> Option<Problem> {
    let file: AbsPath = path.below(tree.root());
    match tree.locate(&file) {
        Ok(Some(_)) => None,
        Ok(None) => {
            let text = format!("`./{}` does not exist", clip(path.as_str()));
            Some(Problem::warning(ProblemKind::Missing, text))
        }
        Err(problem) => Some(problem),
    }
}

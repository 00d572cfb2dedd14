//! Findings in the manifest: members that nobody reads and that are likely typing errors, and files
//! that it names and that are not there.

use std::collections::HashMap;

use plugd_model::{AbsPath, ManifestFormat, PluginManifest, PluginPath, Problem, ProblemKind};

use crate::item::{Document, Item, Member, Origin, clip, take};
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
/// The members of an author or owner.
const PERSON: &[&str] = &["name", "email", "url"];
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

/// Adds the findings about a manifest. The members of one without a file of its own are those of an
/// entry, which the marketplace's own findings judge.
pub(super) fn check(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    document: Option<&Document<'_>>,
    has_file: bool,
    findings: &mut Vec<Problem>,
) {
    let top = document.map(members).unwrap_or_default();
    if has_file {
        of_members(&top, manifest.format, findings);
    }
    let interface = interface_of(&top, manifest.format);
    pictures(tree, manifest, interface.as_ref(), findings);
}

/// Where a manifest of a format declares its interface.
fn interface_of<'a>(top: &[Member<'a>], format: ManifestFormat) -> Option<Item<'a>> {
    let inside = |item: Item<'a>| item.object(&mut Vec::new()).ok();
    match format {
        ManifestFormat::AgentPlugins => {
            let extensions = inside(take(top, "extensions")?)?;
            take(&inside(take(&extensions, "com.openai")?)?, "interface")
        }
        ManifestFormat::Codex
        | ManifestFormat::Claude
        | ManifestFormat::Cursor
        | ManifestFormat::Fallback => take(top, "interface"),
    }
}

/// What is likely a mistake in a manifest that cannot be used as a whole, beside the mistake that
/// spoils it.
#[must_use]
pub fn manifest_findings(text: &str, format: ManifestFormat, file: &AbsPath) -> Vec<Problem> {
    let mut findings = Vec::new();
    if let Ok(document) = Document::parse_file(text, file) {
        of_members(&members(&document), format, &mut findings);
    }
    findings
}

/// What is wrong with the file as such is the business of its loader.
fn members<'a>(document: &'a Document<'a>) -> Vec<Member<'a>> {
    let top = document.root("").object(&mut Vec::new());
    top.unwrap_or_default()
}

fn of_members(top: &[Member<'_>], format: ManifestFormat, findings: &mut Vec<Problem>) {
    let is_agent = format == ManifestFormat::AgentPlugins;
    misspelt(top, if is_agent { AGENT } else { MANIFEST }, findings);
    let interface = interface_of(top, format).map(|item| item.object(&mut Vec::new()));
    if let Some(Ok(interface)) = interface {
        misspelt(&interface, INTERFACE, findings);
    }
    // The strict format has rules of its own, and its loader knows them.
    if !is_agent {
        facts(top, findings);
    }
}

/// The members that nothing here depends on and that other programs show.
pub(super) fn facts(members: &[Member<'_>], findings: &mut Vec<Problem>) {
    if let Some(author) = take(members, "author") {
        match author.is_object() {
            true => person(&author, findings),
            false => findings.extend(not_a_text(&author, "a string or an object")),
        }
    }
    if let Some(page) = take(members, "homepage") {
        findings.extend(not_a_text(&page, "a string"));
    }
    if let Some(repository) = take(members, "repository")
        && !repository.is_object()
    {
        findings.extend(not_a_text(&repository, "a string"));
    }
}

/// Somebody with a name.
pub(super) fn person(item: &Item<'_>, findings: &mut Vec<Problem>) {
    let members = match item.object(&mut Vec::new()) {
        Ok(members) => members,
        Err(problem) => {
            findings.push(problem.as_warning());
            return;
        }
    };
    misspelt(&members, PERSON, findings);
    for name in PERSON {
        if let Some(value) = take(&members, name) {
            findings.extend(not_a_text(&value, "a string"));
        }
    }
}

fn not_a_text(item: &Item<'_>, expected: &str) -> Option<Problem> {
    let is_text = item.string().is_ok();
    (!is_text).then(|| item.wrong_type(expected).as_warning())
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
    declared: Option<&Item<'_>>,
    findings: &mut Vec<Problem>,
) {
    let Some(interface) = &manifest.interface else {
        return;
    };
    let members = declared.and_then(|item| item.object(&mut Vec::new()).ok());
    let members = members.unwrap_or_default();
    let mut check = |name: &str, item: Option<&Item<'_>>, path: &PluginPath| {
        if let Some(problem) = picture(tree, path) {
            let unknown = || Origin::default().below(&format!("interface.{name}"));
            let origin = item.map_or_else(unknown, Item::origin);
            findings.push(origin.problem(problem.kind, problem.message).as_warning());
        }
    };
    let single = [
        ("composerIcon", &interface.composer_icon),
        ("logo", &interface.logo),
        ("logoDark", &interface.logo_dark),
    ];
    for (name, path) in single {
        if let Some(path) = path {
            check(name, take(&members, name).as_ref(), path);
        }
    }
    let list = take(&members, "screenshots");
    let items = list.as_ref().and_then(|list| list.array().ok());
    let items: Vec<_> = items.unwrap_or_default();
    let named: HashMap<String, &Item<'_>> = items
        .iter()
        .filter_map(|item| {
            let path = PluginPath::parse(&item.string().ok()?)?;
            Some((path.as_str().to_owned(), item))
        })
        .collect();
    for path in &interface.screenshots {
        let item = named.get(path.as_str()).copied().or(list.as_ref());
        check("screenshots", item, path);
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

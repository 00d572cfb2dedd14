//! Findings in a marketplace: members that are likely typing errors, and names that collide.

use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::item::{Document, Item, take};

use super::manifest::{INTERFACE, MANIFEST, facts, misspelt, person};
use super::{collision_text, collisions, sorted};

/// The members of a marketplace that some host reads.
const MARKETPLACE: &[&str] = &[
    "$schema",
    "name",
    "version",
    "description",
    "owner",
    "metadata",
    "interface",
    "plugins",
    "renames",
    "allowCrossMarketplaceDependenciesOn",
    "forceRemoveDeletedPlugins",
];
/// The members of an entry beside those of a manifest.
const ENTRY: &[&str] = &["source", "policy", "installPolicy", "authPolicy"];
/// The members of a policy.
const POLICY: &[&str] = &["installation", "authentication", "products"];
/// The members of the sources of all kinds.
const SOURCE: &[&str] = &[
    "source",
    "path",
    "url",
    "repo",
    "ref",
    "sha",
    "package",
    "version",
    "registry",
    "commit",
    "integrity",
    "headers",
];

/// What is likely a mistake in a marketplace's manifest, beside what its loader reports; sorted by
/// place. A file that is no JSON has no findings here.
#[must_use]
pub fn marketplace_findings(text: &str, file: &AbsPath) -> Vec<Problem> {
    let mut findings = Vec::new();
    let Ok(document) = Document::parse_file(text, file) else {
        return findings;
    };
    let mut ignored = Vec::new();
    let Ok(top) = document.root("").object(&mut ignored) else {
        return findings;
    };
    misspelt(&top, MARKETPLACE, &mut findings);
    object(take(&top, "interface"), INTERFACE, &mut findings);
    if let Some(owner) = take(&top, "owner") {
        person(&owner, &mut findings);
    }
    if let Some(metadata) = take(&top, "metadata")
        && let Err(problem) = metadata.object(&mut ignored)
    {
        findings.push(problem.as_warning());
    }
    let entries = take(&top, "plugins").and_then(|item| item.array().ok());
    let entry_members: Vec<&str> = ENTRY.iter().chain(MANIFEST).copied().collect();
    let mut names = Vec::new();
    for entry in entries.unwrap_or_default() {
        let Ok(members) = entry.object(&mut ignored) else {
            continue;
        };
        misspelt(&members, &entry_members, &mut findings);
        facts(&members, &mut findings);
        object(take(&members, "interface"), INTERFACE, &mut findings);
        object(take(&members, "policy"), POLICY, &mut findings);
        object(take(&members, "source"), SOURCE, &mut findings);
        if let Some(item) = take(&members, "name")
            && let Ok(name) = item.string()
        {
            names.push((name, item));
        }
    }
    let pairs = names.iter().map(|(name, item)| (name.as_str(), item));
    for (name, other, item) in collisions(pairs) {
        // The very same name is a matter of the loader, which leaves the entry out.
        if name != other {
            let text = collision_text("plugin", name, other);
            findings.push(item.warning(ProblemKind::Duplicate, text));
        }
    }
    sorted(findings)
}

fn object(item: Option<Item<'_>>, known: &[&str], findings: &mut Vec<Problem>) {
    if let Some(Ok(members)) = item.map(|item| item.object(&mut Vec::new())) {
        misspelt(&members, known, findings);
    }
}

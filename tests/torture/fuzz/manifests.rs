//! Manifests of marketplaces and plugins: what they name lies inside, and what is wrong in them has a
//! place in them.

use plugd_manifest::{parse_marketplace, parse_plugin, store_version};
use plugd_model::{
    AbsPath, ArchiveUrl, ManifestFormat, OciReference, PluginManifest, PluginPath, Source,
    sha256_digest,
};

use super::{check_places, sources};

pub(crate) const MARKETPLACE_WORDS: &[&str] = &[
    "\"plugins\": [",
    "\"name\": ",
    "\"source\": ",
    "{\"source\": \"git-subdir\", \"url\": ",
    "{\"source\": \"npm\", \"package\": \"@s/p\", \"registry\": ",
    "\"./",
    "\"../",
    "\"path\": ",
    "\"ref\": ",
    "\"sha\": ",
    "\"policy\": {",
    "\"installation\": ",
    "\"AVAILABLE\"",
    "\"products\": ",
    "\"interface\": {",
    "\"strict\": false",
    "\"https://u:p@h/r.git\"",
    "\"git@h:r\"",
    "\"o/r\"",
    "\"pluginRoot\": ",
    "\"metadata\": {",
    "\\ud800",
    "\\u0000",
    "\u{202e}",
    "null",
    "true",
    "[[[[",
    "{\"a\":",
    "1e999",
    "\u{feff}",
    "github",
    "\"repo\": ",
];

pub(crate) const PLUGIN_WORDS: &[&str] = &[
    "\"name\": ",
    "\"version\": ",
    "\"skills\": ",
    "\"./",
    "\"../",
    "\"mcpServers\": {",
    "\"hooks\": ",
    "\"commands\": ",
    "\"apps\": ",
    "\"interface\": {",
    "\"composerIcon\": ",
    "\"displayName\": ",
    "\"onboardingSkill\": ",
    "\"keywords\": [",
    "\"license\": ",
    "\"schemaVersion\": ",
    "\\ud800",
    "\\u0000",
    "\u{202e}",
    "null",
    "true",
    "[[[[",
    "{\"a\":",
    "1e999",
    "\u{feff}",
    "\"description\": ",
    "\"author\": {",
    "\"extensions\": {",
    "\"defaultPrompt\": [",
];

/// The manifest of a marketplace.
pub(crate) fn marketplace(input: &[u8]) {
    let root = AbsPath::new("/market/place").unwrap();
    let file = root.join(".agents/plugins/marketplace.json");
    match parse_marketplace(input, &file) {
        Err(problem) => check_places(&file, input, &[problem]),
        Ok((manifest, problems)) => {
            check_places(&file, input, &problems);
            let mut names: Vec<_> = manifest.entries.iter().map(|entry| &entry.name).collect();
            let entries = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), entries, "a name is there twice");
            for entry in &manifest.entries {
                check_source(&entry.source, &root);
                if let Some(fallback) = &entry.fallback {
                    check_places(&file, input, fallback.problems());
                    check_manifest(fallback.manifest());
                    let own = root.join(".codex-plugin/plugin.json");
                    let read = parse_plugin(
                        fallback.json().as_bytes(),
                        ManifestFormat::Codex,
                        entry.name.as_str(),
                        &own,
                    );
                    assert!(read.is_ok(), "what is installed cannot be read: {read:?}");
                }
            }
        }
    }
}

fn check_source(source: &Source, root: &AbsPath) {
    match source {
        Source::Local { path } => {
            let inside = path.starts_with(root) && !path.to_text().contains("/../");
            assert!(inside, "{path} leaves the marketplace");
        }
        Source::Git { path, .. } => {
            let path = path.as_deref().unwrap_or_default();
            let leaves = path.starts_with('/') || path.split('/').any(|part| part == "..");
            assert!(!leaves, "{path} leaves the repository");
        }
        Source::Npm { .. } | Source::Remote => {}
        Source::Oci { reference } => {
            let again = OciReference::parse(&reference.to_string());
            assert_eq!(
                again.as_ref(),
                Ok(reference),
                "a reference is what it is written as"
            );
        }
        Source::Archive { url, digest } => {
            let again = ArchiveUrl::parse(url);
            assert_eq!(again.map(|again| again.url().to_owned()), Ok(url.clone()));
            assert_eq!(sha256_digest(digest).as_ref(), Some(digest));
        }
    }
    match source.without_secrets() {
        Source::Git { url, .. } => sources::check_shown(&url),
        Source::Npm { registry, .. } => registry
            .as_deref()
            .into_iter()
            .for_each(sources::check_shown),
        Source::Oci { reference } => sources::check_shown(&reference.to_string()),
        Source::Archive { url, .. } => sources::check_shown(&url),
        Source::Local { .. } | Source::Remote => {}
    }
}

/// The manifest of a plugin. The first byte says in which format.
pub(crate) fn plugin(input: &[u8]) {
    let (format, text) = match input.split_first() {
        Some((b'A', rest)) => (ManifestFormat::AgentPlugins, rest),
        Some((b'C', rest)) => (ManifestFormat::Claude, rest),
        Some((b'U', rest)) => (ManifestFormat::Cursor, rest),
        Some((_, rest)) => (ManifestFormat::Codex, rest),
        None => return,
    };
    let file = AbsPath::new("/plugin/plugin.json").unwrap();
    match parse_plugin(text, format, "directory", &file) {
        Err(problem) => check_places(&file, text, &[problem]),
        Ok((manifest, problems)) => {
            check_places(&file, text, &problems);
            check_manifest(&manifest);
        }
    }
}

fn check_manifest(manifest: &PluginManifest) {
    if let Ok(version) = store_version(manifest) {
        let text = version.to_string();
        let is_name =
            !text.is_empty() && text != "." && text != ".." && !text.contains(['/', '\\']);
        assert!(is_name, "{text:?} is no name of a directory");
    }
    let many = [&manifest.skills, &manifest.commands]
        .into_iter()
        .flatten()
        .flatten();
    let one = [&manifest.apps, &manifest.onboarding_skill]
        .into_iter()
        .flatten();
    for path in many.chain(one) {
        check_path(path);
    }
}

fn check_path(path: &PluginPath) {
    let text = path.as_str();
    let leaves =
        text.starts_with('/') || text.split('/').any(|part| matches!(part, "" | "." | ".."));
    assert!(
        !leaves && !text.contains('\0'),
        "{text:?} leaves the plugin"
    );
}

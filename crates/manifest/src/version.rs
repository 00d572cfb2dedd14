//! Which version directory a plugin gets in the store.

use plugd_model::{ManifestFormat, PluginManifest, VersionError, VersionSegment, hex};
use sha2::{Digest as _, Sha256};

/// The version of an Agent Plugins package that declares none.
const AGENT_PLUGINS_DEFAULT: &str = "1.0.0";

/// How many hexadecimal digits of the digest stand for a version that is no directory name.
const DIGEST_DIGITS: usize = 24;

/// The version directory of a plugin from its manifest. Curated plugins are named by their
/// snapshot instead and do not come here.
///
/// # Errors
/// The declared version cannot name a directory. An Agent Plugins package never fails: its
/// specification (section 5.4) forbids to refuse one for its version, so a digest stands in.
pub fn store_version(manifest: &PluginManifest) -> Result<VersionSegment, VersionError> {
    let declared = manifest.version.as_deref().map(str::trim);
    let declared = declared.filter(|version| !version.is_empty());
    match (manifest.format, declared) {
        (ManifestFormat::AgentPlugins, declared) => {
            let version = declared.unwrap_or(AGENT_PLUGINS_DEFAULT);
            VersionSegment::new(version).or_else(|_| VersionSegment::new(&digest_name(version)))
        }
        (_, Some(version)) => VersionSegment::new(version),
        (_, None) => Ok(VersionSegment::local()),
    }
}

fn digest_name(version: &str) -> String {
    let digest = Sha256::digest(version.as_bytes());
    format!("agent-plugins-{}", hex(&digest[..DIGEST_DIGITS / 2]))
}

#[cfg(test)]
mod tests {
    use plugd_model::{AbsPath, ManifestFormat};
    use pretty_assertions::assert_eq;

    use super::store_version;
    use crate::parse_plugin;

    #[track_caller]
    fn check(format: ManifestFormat, version: Option<&str>, expected: Option<&str>) {
        let schema = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
        let mut json = serde_json::json!({"$schema": schema, "name": "a"});
        if let Some(version) = version {
            json["version"] = version.into();
        }
        let file = AbsPath::new("/p/plugin.json").unwrap();
        let (manifest, _) = parse_plugin(json.to_string().as_bytes(), format, "a", &file).unwrap();
        let found = store_version(&manifest).ok();
        assert_eq!(found.as_ref().map(|version| version.as_str()), expected);
    }

    #[test]
    fn lenient_formats() {
        for format in [
            ManifestFormat::Codex,
            ManifestFormat::Claude,
            ManifestFormat::Fallback,
        ] {
            check(format, None, Some("local"));
            check(format, Some("  "), Some("local"));
            check(format, Some(" 1.2.3 "), Some("1.2.3"));
            check(format, Some("2024+x_y-z"), Some("2024+x_y-z"));
            check(format, Some("1/2"), None);
            check(format, Some(".."), None);
            check(format, Some("v 1"), None);
        }
    }

    #[test]
    fn agent_plugins_always_have_one() {
        let format = ManifestFormat::AgentPlugins;
        check(format, None, Some("1.0.0"));
        check(format, Some(" "), Some("1.0.0"));
        check(format, Some(" 2 "), Some("2"));
        // The first digits of what `printf 1/2 | sha256sum` prints.
        check(
            format,
            Some("1/2"),
            Some("agent-plugins-d939926f05444b0f4495fb96"),
        );
        check(
            format,
            Some(" .. "),
            Some("agent-plugins-5ec1f7e700f37c3d0b2981d0"),
        );
    }
}

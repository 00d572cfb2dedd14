//! Which version directory a plugin gets in the store.

use plugd_model::{PluginManifest, VersionError, VersionSegment, hex};
use sha2::{Digest as _, Sha256};

/// The version of an Agent Plugins package that declares none.
const AGENT_PLUGINS_DEFAULT: &str = "1.0.0";

/// How many hexadecimal digits of the digest stand for a version that is no directory name.
const DIGEST_DIGITS: usize = 24;

/// The version directory of a plugin from its manifest. Curated plugins are named by their
/// snapshot instead and do not come here.
///
/// The reference goes by the `$schema` alone: a manifest of any place that names Agent Plugins 1.0.0, and
/// a marketplace entry that does, get the directory of such a package. Another one would have both
/// programs replace each other's copies in turn.
///
/// # Errors
/// The declared version cannot name a directory. An Agent Plugins package never fails: its
/// specification (section 5.4) forbids to refuse one for its version, so a digest stands in.
pub fn store_version(manifest: &PluginManifest) -> Result<VersionSegment, VersionError> {
    let declared = manifest.version.as_deref().map(str::trim);
    let declared = declared.filter(|version| !version.is_empty());
    match (manifest.has_agent_plugins_schema, declared) {
        (true, declared) => {
            let version = declared.unwrap_or(AGENT_PLUGINS_DEFAULT);
            VersionSegment::new(version).or_else(|_| VersionSegment::new(&digest_name(version)))
        }
        (false, Some(version)) => VersionSegment::new(version),
        (false, None) => Ok(VersionSegment::local()),
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

    const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
    const LENIENT: [ManifestFormat; 4] = [
        ManifestFormat::Codex,
        ManifestFormat::Claude,
        ManifestFormat::Cursor,
        ManifestFormat::Fallback,
    ];

    #[track_caller]
    fn check_json(format: ManifestFormat, json: &serde_json::Value, expected: Option<&str>) {
        let file = AbsPath::new("/p/plugin.json").unwrap();
        let (manifest, _) = parse_plugin(json.to_string().as_bytes(), format, "a", &file).unwrap();
        let found = store_version(&manifest).ok();
        assert_eq!(found.as_ref().map(|version| version.as_str()), expected);
    }

    #[track_caller]
    fn check(format: ManifestFormat, version: Option<&str>, expected: Option<&str>) {
        let mut json = serde_json::json!({"name": "a"});
        if let Some(version) = version {
            json["version"] = version.into();
        }
        check_json(format, &json, expected);
    }

    #[track_caller]
    fn check_with_schema(format: ManifestFormat, version: Option<&str>, expected: &str) {
        let mut json = serde_json::json!({"$schema": SCHEMA, "name": "a"});
        if let Some(version) = version {
            json["version"] = version.into();
        }
        check_json(format, &json, Some(expected));
    }

    #[test]
    fn lenient_formats() {
        for format in LENIENT {
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
    fn whoever_names_agent_plugins_always_has_one() {
        for format in LENIENT.into_iter().chain([ManifestFormat::AgentPlugins]) {
            check_with_schema(format, None, "1.0.0");
            check_with_schema(format, Some(""), "1.0.0");
            check_with_schema(format, Some(" "), "1.0.0");
            check_with_schema(format, Some(" 2 "), "2");
            // The first digits of what `printf 1/2 | sha256sum` prints.
            check_with_schema(
                format,
                Some("1/2"),
                "agent-plugins-d939926f05444b0f4495fb96",
            );
            check_with_schema(
                format,
                Some(" .. "),
                "agent-plugins-5ec1f7e700f37c3d0b2981d0",
            );
        }
    }

    #[test]
    fn in_other_formats_only_the_very_schema_counts() {
        let other = [
            SCHEMA.replace("1.0.0", "9.9.9"),
            SCHEMA.replace("https", "http"),
            SCHEMA.replace("plugin.schema", "mcp.schema"),
            format!(" {SCHEMA}"),
            format!("{SCHEMA}#"),
        ];
        let other = other.map(serde_json::Value::from);
        for schema in other.into_iter().chain([serde_json::json!([SCHEMA])]) {
            for format in LENIENT {
                let json = serde_json::json!({"$schema": schema, "name": "a"});
                check_json(format, &json, Some("local"));
            }
        }
    }
}

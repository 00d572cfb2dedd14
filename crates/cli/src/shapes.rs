//! JSON shapes that several commands share. They are the reference's command line's, which differ
//! from those of the wire; members of ours come after its own.

use plugd_model::git_url::without_secrets;
use plugd_model::{AuthPolicy, InstallPolicy, PluginId, Source};
use plugd_plugins::ConfiguredKind;
use serde::Serialize;

/// Where the content of a plugin comes from.
#[derive(Debug, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub(crate) enum SourceShape {
    Local {
        path: String,
    },
    Git {
        url: String,
        #[serde(flatten)]
        revision: Revision,
    },
    GitSubdir {
        url: String,
        path: String,
        #[serde(flatten)]
        revision: Revision,
    },
    Npm {
        package: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        registry: Option<String>,
    },
    Oci {
        url: String,
    },
    Archive {
        url: String,
        sha256: String,
    },
    Remote,
}

/// Which plugin an answer is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TargetShape {
    plugin_id: String,
    name: String,
    marketplace_name: String,
}

/// Which state of a git repository.
#[derive(Debug, Serialize)]
pub(crate) struct Revision {
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    ref_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha: Option<String>,
}

/// What configuration says about a marketplace.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketplaceSourceShape {
    source_type: &'static str,
    source: String,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    ref_name: Option<String>,
}

/// The shape of an id.
pub(crate) fn target(id: &PluginId) -> TargetShape {
    TargetShape {
        plugin_id: id.to_string(),
        name: id.plugin.to_string(),
        marketplace_name: id.marketplace.to_string(),
    }
}

/// The shape of a source.
pub(crate) fn source(source: &Source) -> SourceShape {
    match source.clone() {
        Source::Local { path } => SourceShape::Local {
            path: path.to_text(),
        },
        Source::Git {
            url,
            path,
            ref_name,
            sha,
        } => {
            let revision = Revision { ref_name, sha };
            let url = without_secrets(&url);
            match path {
                None => SourceShape::Git { url, revision },
                Some(path) => SourceShape::GitSubdir {
                    url,
                    path,
                    revision,
                },
            }
        }
        Source::Npm {
            package,
            version,
            registry,
        } => SourceShape::Npm {
            package,
            version,
            registry: registry.as_deref().map(without_secrets),
        },
        Source::Oci { reference } => SourceShape::Oci {
            url: reference.to_string(),
        },
        Source::Archive { url, digest } => SourceShape::Archive {
            url,
            sha256: digest,
        },
        Source::Remote => SourceShape::Remote,
    }
}

/// A source in words: the place, then what narrows it down.
pub(crate) fn source_text(source: &Source) -> String {
    let (mut text, details) = match source {
        Source::Local { path } => return path.to_text(),
        Source::Git {
            url,
            path,
            ref_name,
            sha,
        } => (
            without_secrets(url),
            [("path", path), ("ref", ref_name), ("sha", sha)],
        ),
        Source::Npm {
            package,
            version,
            registry,
        } => (
            package.clone(),
            [("version", version), ("registry", registry), ("", &None)],
        ),
        Source::Oci { reference } => return reference.to_string(),
        Source::Archive { url, digest } => return format!("{url}, `{digest}`"),
        Source::Remote => return "remote catalog".to_owned(),
    };
    for (label, value) in details {
        if let Some(value) = value {
            let value = without_secrets(value);
            text.push_str(&format!(", {label} `{value}`"));
        }
    }
    text
}

/// The shape of a configured source.
pub(crate) fn configured(kind: &ConfiguredKind) -> MarketplaceSourceShape {
    let (source_type, source, ref_name) = match kind.clone() {
        ConfiguredKind::Local { source } => ("local", source.to_text(), None),
        ConfiguredKind::Packed { origin, .. } => (origin.word(), origin.to_string(), None),
        ConfiguredKind::Git {
            source, ref_name, ..
        } => ("git", without_secrets(&source), ref_name),
    };
    MarketplaceSourceShape {
        source_type,
        source,
        ref_name,
    }
}

/// The word for an install policy.
pub(crate) fn install_policy(policy: InstallPolicy) -> &'static str {
    match policy {
        InstallPolicy::NotAvailable => "NOT_AVAILABLE",
        InstallPolicy::Available => "AVAILABLE",
        InstallPolicy::InstalledByDefault => "INSTALLED_BY_DEFAULT",
    }
}

/// The word for an authentication policy.
pub(crate) fn auth_policy(policy: AuthPolicy) -> &'static str {
    match policy {
        AuthPolicy::OnInstall => "ON_INSTALL",
        AuthPolicy::OnUse => "ON_USE",
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{OciReference, Source};
    use plugd_plugins::ConfiguredKind;
    use pretty_assertions::assert_eq;
    use serde_json::{json, to_value};

    use super::{configured, source, source_text};
    use crate::fixture::path;

    fn git(path: Option<&str>, ref_name: Option<&str>, sha: Option<&str>) -> Source {
        Source::Git {
            url: "https://example.invalid/x".to_owned(),
            path: path.map(str::to_owned),
            ref_name: ref_name.map(str::to_owned),
            sha: sha.map(str::to_owned),
        }
    }

    fn npm(version: Option<&str>, registry: Option<&str>) -> Source {
        Source::Npm {
            package: "@a/b".to_owned(),
            version: version.map(str::to_owned),
            registry: registry.map(str::to_owned),
        }
    }

    #[track_caller]
    fn check(given: &Source, text: &str, json: &serde_json::Value) {
        assert_eq!(source_text(given), text);
        assert_eq!(&to_value(source(given)).unwrap(), json);
    }

    #[test]
    fn sources_as_the_reference_prints_them() {
        let local = Source::Local { path: path("/d/p") };
        check(&local, "/d/p", &json!({"source": "local", "path": "/d/p"}));
        let remote = json!({"source": "remote"});
        check(&Source::Remote, "remote catalog", &remote);
        let url = "https://example.invalid/x";
        check(
            &git(None, None, None),
            url,
            &json!({"source": "git", "url": url}),
        );
        check(
            &git(None, Some("main"), Some("abc")),
            "https://example.invalid/x, ref `main`, sha `abc`",
            &json!({"source": "git", "url": url, "ref": "main", "sha": "abc"}),
        );
        check(
            &git(Some("a/b"), Some("main"), None),
            "https://example.invalid/x, path `a/b`, ref `main`",
            &json!({"source": "git-subdir", "url": url, "path": "a/b", "ref": "main"}),
        );
        check(
            &npm(None, None),
            "@a/b",
            &json!({"source": "npm", "package": "@a/b"}),
        );
        check(
            &npm(Some("1.0"), Some("https://r.example")),
            "@a/b, version `1.0`, registry `https://r.example`",
            &json!({
                "source": "npm", "package": "@a/b", "version": "1.0",
                "registry": "https://r.example"
            }),
        );
    }

    #[test]
    fn artifacts_and_archives() {
        let url = "oci://r.example/a:1";
        let oci = Source::Oci {
            reference: OciReference::parse(url).unwrap(),
        };
        check(&oci, url, &json!({"source": "oci", "url": url}));
        let archive = Source::Archive {
            url: "https://h/x.tgz".to_owned(),
            digest: "sha256:00".to_owned(),
        };
        check(
            &archive,
            "https://h/x.tgz, `sha256:00`",
            &json!({"source": "archive", "url": "https://h/x.tgz", "sha256": "sha256:00"}),
        );
    }

    #[test]
    fn passwords_in_addresses_stay_where_they_are() {
        let secret = "https://user:pw@example.invalid/x";
        let git = Source::Git {
            url: secret.to_owned(),
            path: None,
            ref_name: None,
            sha: None,
        };
        let safe = "https://example.invalid/x";
        check(&git, safe, &json!({"source": "git", "url": safe}));
        check(
            &npm(None, Some(secret)),
            "@a/b, registry `https://example.invalid/x`",
            &json!({"source": "npm", "package": "@a/b", "registry": safe}),
        );
        let row = ConfiguredKind::Git {
            source: secret.to_owned(),
            ref_name: None,
            sparse_paths: Vec::new(),
        };
        assert_eq!(
            to_value(configured(&row)).unwrap(),
            json!({"sourceType": "git", "source": safe})
        );
    }

    #[test]
    fn configured_sources() {
        let local = ConfiguredKind::Local {
            source: path("/demo"),
        };
        assert_eq!(
            to_value(configured(&local)).unwrap(),
            json!({"sourceType": "local", "source": "/demo"})
        );
        let git = ConfiguredKind::Git {
            source: "https://example.invalid/x".to_owned(),
            ref_name: Some("v1".to_owned()),
            sparse_paths: Vec::new(),
        };
        assert_eq!(
            to_value(configured(&git)).unwrap(),
            json!({"sourceType": "git", "source": "https://example.invalid/x", "ref": "v1"})
        );
    }
}

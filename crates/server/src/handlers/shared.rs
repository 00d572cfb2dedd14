//! Conversions that several handlers share. Each destructures its domain value completely, so that
//! a new field forces a decision here.

use std::sync::Arc;

use plugd_model::git_url::without_secrets;
use plugd_model::{AbsPath, AuthPolicy, InstallPolicy, Interface, Place, PluginPath, Source};
use plugd_plugins::{ListedMarketplace, LoadError, PictureUrls, ShownInterface, Summary};
use plugd_protocol as wire;
use serde::Serialize;
use serde_json::value::RawValue;

use super::remote_row;
use crate::context::Context;
use crate::error_map;
use crate::reply::serialise;
use crate::wire_error::WireError;

/// A path of a request: absolute, or refused with the member's name.
pub(super) fn abs_path(field: &str, path: &wire::AbsolutePathBuf) -> Result<AbsPath, WireError> {
    absolute(field, &path.0)
}

/// The same, for a member that is a plain string on the wire.
pub(super) fn absolute(field: &str, path: &str) -> Result<AbsPath, WireError> {
    AbsPath::new(path)
        .map_err(|error| error_map::invalid_params(&error.to_string(), Some(field.to_owned())))
}

/// The working directories of a request; absent means none.
pub(super) fn cwds(paths: Option<Vec<wire::AbsolutePathBuf>>) -> Result<Vec<AbsPath>, WireError> {
    paths
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, path)| abs_path(&format!("cwds[{index}]"), path))
        .collect()
}

/// The working directories of a request that takes them as plain strings: none means the server's
/// own, and a relative one counts from there. Each comes back as it was named, and as a path.
pub(super) fn loose_cwds(
    context: &Context,
    cwds: Option<Vec<String>>,
) -> Result<(Vec<String>, Vec<AbsPath>), WireError> {
    let own = &context.environment.cwd;
    let named = cwds.unwrap_or_default();
    if named.is_empty() {
        return Ok((vec![own.to_text()], vec![own.clone()]));
    }
    if let Some(index) = named.iter().position(|cwd| cwd.contains('\0')) {
        let field = format!("cwds[{index}]");
        return Err(WireError::invalid_params(
            &field,
            "no path holds a null byte",
        ));
    }
    let paths = named.iter().map(|cwd| own.join(cwd)).collect();
    Ok((named, paths))
}

/// The working directory of a request; absent means none.
pub(super) fn cwd(path: Option<wire::AbsolutePathBuf>) -> Result<Option<AbsPath>, WireError> {
    path.map(|path| abs_path("cwd", &path)).transpose()
}

pub(crate) fn path(path: &AbsPath) -> wire::AbsolutePathBuf {
    wire::AbsolutePathBuf(path.to_text())
}

/// `wire::PluginMarketplaceEntry` as it goes out: its plugins are JSON already.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Marketplace<'a> {
    name: &'a str,
    path: Option<wire::AbsolutePathBuf>,
    interface: Option<wire::MarketplaceInterface>,
    plugins: Vec<&'a RawValue>,
}

/// The marketplaces of an answer. What was said of a plugin in an earlier one is said again.
pub(super) fn marketplaces(
    listed: &[ListedMarketplace],
) -> Result<Vec<Marketplace<'_>>, WireError> {
    listed.iter().map(marketplace).collect()
}

fn marketplace(listed: &ListedMarketplace) -> Result<Marketplace<'_>, WireError> {
    let ListedMarketplace {
        name,
        path: manifest,
        display_name,
        plugins,
    } = listed;
    let json = |plugin: &Summary| serialise(&summary(plugin.clone()));
    let plugins: Result<_, _> = plugins.iter().map(|plugin| plugin.json(json)).collect();
    Ok(Marketplace {
        name,
        path: manifest.as_ref().map(path),
        // An interface without a display name says nothing, which the reference writes as null.
        interface: display_name.clone().map(|name| wire::MarketplaceInterface {
            display_name: Some(name),
        }),
        plugins: plugins?,
    })
}

pub(super) fn load_error(row: LoadError) -> wire::MarketplaceLoadErrorInfo {
    let LoadError {
        marketplace_path,
        problem: what,
    } = row;
    wire::MarketplaceLoadErrorInfo::new(path(&marketplace_path), problem(what))
}

pub(crate) fn problem(problem: plugd_model::Problem) -> wire::Problem {
    let plugd_model::Problem {
        kind,
        severity,
        message,
        path: file,
        field,
        place,
    } = problem;
    let (line, column) = match place {
        Some(Place { line, column }) => (Some(line), Some(column)),
        None => (None, None),
    };
    wire::Problem {
        kind: kind.word().to_owned(),
        severity: match severity {
            plugd_model::Severity::Warning => wire::Severity::Warning,
            plugd_model::Severity::Error => wire::Severity::Error,
        },
        message,
        path: file.as_ref().map(path),
        field,
        line,
        column,
    }
}

pub(super) fn summary(summary: Summary) -> wire::PluginSummary {
    let Summary {
        id,
        local_version,
        installed,
        enabled,
        source: from,
        install_policy,
        auth_policy: auth,
        interface: shown,
        keywords,
        installed_version,
        update_available,
        share,
        remote,
        linked: stand_in,
        problems,
    } = summary;
    let remote = remote.as_ref();
    wire::PluginSummary {
        name: id.plugin.to_string(),
        id: id.to_string(),
        remote_plugin_id: remote.map(|row| row.id.to_string()),
        version: remote.and_then(|row| row.version.clone()),
        local_version,
        installed_version: installed_version.map(|version| version.to_string()),
        share_context: share.map(|share| remote_row::share_context(*share)),
        source: source(from),
        installed,
        installed_at: remote.and_then(|row| row.installed_at),
        enabled,
        update_available,
        install_policy: match install_policy {
            InstallPolicy::NotAvailable => wire::PluginInstallPolicy::NotAvailable,
            InstallPolicy::Available => wire::PluginInstallPolicy::Available,
            InstallPolicy::InstalledByDefault => wire::PluginInstallPolicy::InstalledByDefault,
        },
        install_policy_source: remote
            .and_then(|row| row.install_policy_source)
            .map(remote_row::policy_source),
        must_show_installation_interstitial: remote.and_then(|row| row.must_show_interstitial),
        auth_policy: auth_policy(auth),
        availability: remote.map_or(wire::PluginAvailability::Available, |row| {
            remote_row::availability(row.availability)
        }),
        disabled_reason: remote
            .and_then(|row| row.disabled_reason)
            .map(remote_row::disabled_reason),
        eligible_plan_types: remote.and_then(|row| row.eligible_plan_types.clone()),
        interface: shown.map(interface),
        keywords,
        linked: stand_in.as_ref().map(linked),
        problems: problems.into_iter().map(problem).collect(),
    }
}

/// The mark of a plugin that a working tree stands in for.
pub(super) fn linked(dir: &AbsPath) -> wire::PlugdLinked {
    wire::PlugdLinked { path: path(dir) }
}

pub(super) fn auth_policy(policy: AuthPolicy) -> wire::PluginAuthPolicy {
    match policy {
        AuthPolicy::OnInstall => wire::PluginAuthPolicy::OnInstall,
        AuthPolicy::OnUse => wire::PluginAuthPolicy::OnUse,
    }
}

/// A catalog may hold a login in an address, and whoever lists it must not pass it on.
pub(super) fn source(source: Source) -> wire::PluginSource {
    match source {
        Source::Local { path: dir } => wire::PluginSource::Local { path: path(&dir) },
        Source::Git {
            url,
            path,
            ref_name,
            sha,
        } => wire::PluginSource::Git {
            url: without_secrets(&url),
            path,
            ref_name,
            sha,
        },
        Source::Npm {
            package,
            version,
            registry,
        } => wire::PluginSource::Npm {
            package,
            version,
            registry: registry.as_deref().map(without_secrets),
        },
        // A client of the reference knows four words for `type`, and fails on a fifth.
        Source::Oci { reference } => wire::PluginSource::Remote {
            oci: Some(wire::OciSource {
                url: reference.address(),
                tag: reference.tag().map(str::to_owned),
                digest: reference.digest().map(str::to_owned),
            }),
            archive: None,
        },
        Source::Archive { url, digest } => wire::PluginSource::Remote {
            oci: None,
            archive: Some(wire::ArchiveSource { url, digest }),
        },
        Source::Remote => wire::PluginSource::Remote {
            oci: None,
            archive: None,
        },
    }
}

/// Pictures become absolute; without a directory to count from they are left out.
fn interface(shown: ShownInterface) -> wire::PluginInterface {
    let ShownInterface {
        interface,
        filed,
        root,
        urls,
    } = shown;
    let PictureUrls {
        composer_icon: composer_icon_url,
        logo: logo_url,
        logo_dark: logo_url_dark,
        screenshots: screenshot_urls,
    } = urls;
    let Interface {
        display_name,
        short_description,
        long_description,
        developer_name,
        category,
        capabilities,
        website_url,
        privacy_policy_url,
        terms_of_service_url,
        default_prompt,
        brand_color,
        composer_icon,
        logo,
        logo_dark,
        screenshots,
    } = Arc::unwrap_or_clone(interface);
    let absolute = |picture: &PluginPath| root.as_ref().map(|root| path(&picture.below(root)));
    wire::PluginInterface {
        display_name,
        short_description,
        long_description,
        developer_name,
        category: filed.or(category),
        capabilities,
        website_url,
        privacy_policy_url,
        terms_of_service_url,
        default_prompt,
        brand_color,
        composer_icon: composer_icon.as_ref().and_then(absolute),
        composer_icon_url,
        logo: logo.as_ref().and_then(absolute),
        logo_dark: logo_dark.as_ref().and_then(absolute),
        logo_url,
        logo_url_dark,
        screenshots: screenshots.iter().filter_map(absolute).collect(),
        screenshot_urls,
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::Source;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::source;

    fn check(from: Source, expected: Value) {
        assert_eq!(serde_json::to_value(source(from)).unwrap(), expected);
    }

    #[test]
    fn no_login_of_a_catalog_is_passed_on() {
        check(
            Source::Git {
                url: "https://ada:secret@git.example/p".to_owned(),
                path: None,
                ref_name: None,
                sha: None,
            },
            json!({"type": "git", "url": "https://git.example/p", "path": null, "refName": null,
                   "sha": null}),
        );
        check(
            Source::Npm {
                package: "p".to_owned(),
                version: None,
                registry: Some("https://token@npm.example/".to_owned()),
            },
            json!({"type": "npm", "package": "p", "version": null,
                   "registry": "https://npm.example/"}),
        );
        check(Source::Remote, json!({"type": "remote"}));
        check(
            Source::Oci {
                reference: plugd_model::OciReference::parse("oci://r.example/a:1").unwrap(),
            },
            json!({"type": "remote",
                   "oci": {"url": "oci://r.example/a", "tag": "1", "digest": null}}),
        );
        check(
            Source::Archive {
                url: "https://h/a.tgz".to_owned(),
                digest: "sha256:00".to_owned(),
            },
            json!({"type": "remote",
                   "archive": {"url": "https://h/a.tgz", "digest": "sha256:00"}}),
        );
    }
}

//! Which plugin is meant: `name@marketplace`, a name with `--marketplace`, or an id of the remote catalog.

use plugd_model::{MarketplaceName, PluginId, PluginName, RemotePluginId};

use crate::args::PluginArgs;
use crate::failure::Failure;

/// The id of the remote catalog that stands in the place of a plugin. What the service gives out holds
/// a `~` or begins with `plugins_`; any other word without a marketplace is a name that lacks one.
pub(crate) fn remote_id(args: &PluginArgs) -> Option<RemotePluginId> {
    let PluginArgs {
        plugin,
        marketplace,
    } = args;
    let looks_so = plugin.contains('~') || plugin.starts_with("plugins_");
    match marketplace {
        None if looks_so => RemotePluginId::parse(plugin).ok(),
        _ => None,
    }
}

/// The id of what was asked for.
///
/// # Errors
/// The marketplace is missing or said twice differently, or a name is no name.
pub(crate) fn plugin_id(args: &PluginArgs) -> Result<PluginId, Failure> {
    let PluginArgs {
        plugin,
        marketplace,
    } = args;
    let bad = |given: &str| {
        let given = given.to_owned();
        move |source| Failure::BadName { given, source }
    };
    if plugin.contains('@') {
        let id = PluginId::parse(plugin).map_err(bad(plugin))?;
        return match marketplace {
            Some(asked) if asked != id.marketplace.as_str() => Err(Failure::OtherMarketplace {
                named: id.marketplace.to_string(),
                id: id.to_string(),
                asked: asked.clone(),
            }),
            _ => Ok(id),
        };
    }
    let marketplace = marketplace
        .as_ref()
        .ok_or_else(|| Failure::MarketplaceRequired {
            plugin: plugin.clone(),
        })?;
    Ok(PluginId {
        plugin: PluginName::new(plugin).map_err(bad(plugin))?,
        marketplace: MarketplaceName::new(marketplace).map_err(bad(marketplace))?,
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{plugin_id, remote_id};
    use crate::args::PluginArgs;

    #[track_caller]
    fn check(plugin: &str, marketplace: Option<&str>, expected: Result<&str, &str>) {
        let args = PluginArgs {
            plugin: plugin.to_owned(),
            marketplace: marketplace.map(str::to_owned),
        };
        let found = plugin_id(&args)
            .map(|id| id.to_string())
            .map_err(|failure| failure.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{plugin} {marketplace:?}");
    }

    #[test]
    fn a_plugin_is_named_with_its_marketplace_once() {
        check("a.b@m", None, Ok("a.b@m"));
        check("a", Some("m"), Ok("a@m"));
        check("a@m", Some("m"), Ok("a@m"));
    }

    #[test]
    fn ids_of_the_remote_catalog() {
        let check = |plugin: &str, marketplace: Option<&str>, expected: bool| {
            let args = PluginArgs {
                plugin: plugin.to_owned(),
                marketplace: marketplace.map(str::to_owned),
            };
            assert_eq!(remote_id(&args).is_some(), expected, "{plugin}");
        };
        check("plugins~Plugin_0af", None, true);
        check("plugins_0af", None, true);
        check("plugins_0af", Some("m"), false);
        check("a", None, false);
        check("a@openai-curated-remote", None, false);
        check("a~/b", None, false);
    }

    #[test]
    fn what_names_no_plugin() {
        let required = "plugin requires --marketplace unless passed as <plugin>@<marketplace>";
        check("a", None, Err(required));
        check("", None, Err(required));
        check(
            "a@m",
            Some("other"),
            Err("plugin id `a@m` belongs to marketplace `m`, but --marketplace specified `other`"),
        );
        check("bad name@m", None, Err("`bad name@m` names no plugin"));
        check("../a", Some("m"), Err("`../a` names no plugin"));
        check("a", Some("m/n"), Err("`m/n` names no plugin"));
        check("a@", None, Err("`a@` names no plugin"));
    }
}

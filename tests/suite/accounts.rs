//! What the tests of the remote catalog share: a home whose account has a service on loopback.

use plugd_testkit::service::{Item, PluginService};
use plugd_testkit::{Daemon, Sandbox};
use serde_json::{Value, json};

use crate::fixtures::{plugins_in, start, text};

/// A service, and a home that is logged in to it.
pub(crate) struct Account {
    pub(crate) sandbox: Sandbox,
    pub(crate) service: PluginService,
}

impl Account {
    /// A home without anything else.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// A home with some configuration behind the service's address.
    pub(crate) fn with(config: &str) -> Self {
        let account = Self::without_login(config);
        account.service.login().write_to(&account.sandbox);
        account
    }

    /// A home that knows the service, and nobody is logged in.
    pub(crate) fn without_login(config: &str) -> Self {
        let sandbox = Sandbox::new();
        let service = PluginService::start();
        let base = service.base();
        let config = format!("chatgpt_base_url = \"{base}\"\n{config}");
        sandbox.write("ch/config.toml", config);
        Self { sandbox, service }
    }

    /// Offers plugins of everybody's catalog, each with a bundle, and answers their remote ids.
    pub(crate) fn offer(&self, names: &[&str]) -> Vec<String> {
        let offer = |name: &&str| {
            let item = Item::new(name);
            let id = item.id().to_owned();
            self.service.offer_plugin(item);
            id
        };
        names.iter().map(offer).collect()
    }

    /// A daemon that has been greeted.
    #[track_caller]
    pub(crate) fn start(&self) -> Daemon {
        start(&self.sandbox)
    }
}

/// The plugins of an answer as `group: id version installed enabled`.
pub(crate) fn rows(listing: &Value) -> Vec<String> {
    let groups = listing["marketplaces"].as_array().unwrap().iter();
    groups
        .flat_map(|group| {
            let name = text(&group["name"]).to_owned();
            let plugins = group["plugins"].as_array().unwrap().iter();
            plugins.map(move |plugin| {
                let or_none = |value: &Value| value.as_str().unwrap_or("-").to_owned();
                let flag = |value: &Value, yes| if value == true { yes } else { "" };
                let row = format!(
                    "{name}: {} {} {} {}",
                    text(&plugin["id"]),
                    or_none(&plugin["version"]),
                    flag(&plugin["installed"], "installed"),
                    flag(&plugin["enabled"], "enabled"),
                );
                row.trim_end().replace("  ", " ")
            })
        })
        .collect()
}

/// The row of a plugin by its id.
#[track_caller]
pub(crate) fn plugin<'a>(listing: &'a Value, id: &str) -> &'a Value {
    let mut plugins = plugins_in(listing);
    let found = plugins.find(|plugin| plugin["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {listing}"))
}

/// The params of requests that name a remote plugin.
pub(crate) fn remote(id: &str) -> Value {
    json!({"remoteMarketplaceName": "openai-curated-remote", "pluginName": id})
}

//! Which curated marketplace counts for a login.
//!
//! There are three of one catalog: the snapshot for ChatGPT logins, the snapshot for everybody else,
//! and the hosted catalog that takes the first one's place. Their copies lie side by side in one home,
//! and only those of the one that is current count: whoever logs in again, or out, has the others back.

use plugd_config::Snapshot;
use plugd_marketplace::Login;
use plugd_model::{CURATED_API_MARKETPLACE, CURATED_MARKETPLACE, PluginId};

use crate::Remote;

/// The curated marketplace that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CuratedNow {
    /// The snapshot for those without a ChatGPT login.
    Api,
    /// The snapshot for ChatGPT logins.
    Snapshot,
    /// The hosted catalog.
    Hosted,
}

impl CuratedNow {
    /// The one of the login under this configuration. Reads a file.
    pub(crate) fn of(remote: &Remote, config: &Snapshot) -> Self {
        Self::of_login(remote.resolver_login(config), config)
    }

    /// The same for a login that was read already.
    pub(crate) fn of_login(login: Login, config: &Snapshot) -> Self {
        match login {
            Login::None | Login::ApiKey => Self::Api,
            Login::ChatGpt if config.features().remote_plugin => Self::Hosted,
            Login::ChatGpt => Self::Snapshot,
        }
    }

    /// Whether a copy of this plugin is one of another login, and does not count now.
    pub(crate) fn rests(self, id: &PluginId) -> bool {
        match id.marketplace.as_str() {
            CURATED_MARKETPLACE => self != Self::Snapshot,
            CURATED_API_MARKETPLACE => self != Self::Api,
            _ => false,
        }
    }
}

/// Whether the plugin is one of a curated snapshot.
pub(crate) fn is_of_snapshot(id: &PluginId) -> bool {
    matches!(
        id.marketplace.as_str(),
        CURATED_MARKETPLACE | CURATED_API_MARKETPLACE
    )
}

#[cfg(test)]
mod tests {
    use plugd_model::PluginId;
    use pretty_assertions::assert_eq;

    use super::CuratedNow::{Api, Hosted, Snapshot};

    #[test]
    fn only_copies_of_the_current_one_count() {
        for (id, resting) in [
            ("a@openai-curated", vec![Api, Hosted]),
            ("a@openai-api-curated", vec![Snapshot, Hosted]),
            ("a@openai-curated-remote", vec![]),
            ("a@demo", vec![]),
        ] {
            let parsed = PluginId::parse(id).unwrap();
            let mut found = vec![Api, Snapshot, Hosted];
            found.retain(|now| now.rests(&parsed));
            assert_eq!(found, resting, "{id}");
        }
    }
}

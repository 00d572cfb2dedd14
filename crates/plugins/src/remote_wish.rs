//! Which parts of the remote catalog a listing wants, after every switch and login was heard.

use plugd_catalog::Collection;
use plugd_marketplace::{Declared, Gate};
use plugd_model::{RemoteMarketplace, RemoteScope};

use crate::Error;
use crate::list::MarketplaceKind;
use crate::remote_error::RemoteError;

/// The words that clients of the reference know.
const ACTION: &str = "list remote plugin catalog";
const VERTICAL: &str = "list OpenAI Curated remote plugin catalog";

/// What is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wish {
    /// The catalog of everybody.
    pub(crate) everybody: bool,
    /// The part of it for this kind of client.
    pub(crate) vertical: bool,
    /// What the workspace lists.
    pub(crate) workspace: bool,
    /// What members of the workspace share.
    pub(crate) shared: bool,
    /// What the user made.
    pub(crate) mine: bool,
    /// The featured ids.
    pub(crate) featured: bool,
    /// Past every cache.
    pub(crate) insists: bool,
    /// Asked for by name, so it is worth waiting for.
    pub(crate) by_name: bool,
}

impl Wish {
    /// What a request wishes for. `None` for the kinds means the default.
    ///
    /// # Errors
    /// A kind was asked for by name that needs a login, and there is none.
    pub(crate) fn of(
        kinds: Option<&[MarketplaceKind]>,
        declared: &[Declared],
        insists: bool,
    ) -> Result<Self, Error> {
        let gate = |marketplace| {
            let found = declared.iter().find(|one| one.marketplace == marketplace);
            found.map_or(Some(Gate::PluginsOff), Declared::gate)
        };
        let curated = gate(RemoteMarketplace::CuratedRemote);
        let Some(kinds) = kinds else {
            return Ok(Self {
                everybody: curated.is_none(),
                featured: true,
                insists,
                ..Self::default()
            });
        };
        let named = |kind, marketplace| match kinds.contains(&kind) {
            true => allowed(gate(marketplace)),
            false => Ok(false),
        };
        let wants = |kind| kinds.contains(&kind);
        // A collection of the catalog that stands in for it where it is switched off. That switch is
        // told before a missing login, which the directory of the workspace, without a switch, tells.
        let vertical = wants(MarketplaceKind::Vertical) && curated == Some(Gate::RemotePluginOff);
        let gate_of_login = gate(RemoteMarketplace::WorkspaceDirectory);
        if vertical && gate_of_login == Some(Gate::NoLogin) {
            return Err(Error::LoginRequired { action: VERTICAL });
        }
        Ok(Self {
            everybody: false,
            vertical: vertical && gate_of_login.is_none(),
            workspace: named(
                MarketplaceKind::WorkspaceDirectory,
                RemoteMarketplace::WorkspaceDirectory,
            )?,
            shared: named(
                MarketplaceKind::SharedWithMe,
                RemoteMarketplace::SharedWithMe,
            )?,
            mine: named(MarketplaceKind::CreatedByMe, RemoteMarketplace::CreatedByMe)?,
            featured: wants(MarketplaceKind::Local) || wants(MarketplaceKind::Vertical),
            insists,
            by_name: true,
        })
    }

    /// Whether anything is wished for.
    pub(crate) fn is_any(&self) -> bool {
        self.featured || self.collections().next().is_some()
    }

    /// Whether plugins of this marketplace are wished for.
    pub(crate) fn shows(&self, marketplace: RemoteMarketplace) -> bool {
        match marketplace {
            RemoteMarketplace::CuratedRemote => self.everybody,
            RemoteMarketplace::CreatedByMe => self.mine,
            RemoteMarketplace::WorkspaceDirectory => self.workspace,
            RemoteMarketplace::SharedWithMe => self.shared,
        }
    }

    /// The lists of the service that hold it, in the order of the answer.
    pub(crate) fn collections(&self) -> impl Iterator<Item = Collection> + use<> {
        let wanted = [
            (self.everybody, Collection::Scope(RemoteScope::Global)),
            (self.vertical, Collection::Vertical),
            (self.mine, Collection::Scope(RemoteScope::User)),
            (self.workspace, Collection::Scope(RemoteScope::Workspace)),
            (self.shared, Collection::SharedWithMe),
        ];
        let wanted = wanted.into_iter().filter(|(wanted, _)| *wanted);
        wanted.map(|(_, collection)| collection)
    }

    /// Of these the ones that are kept on disk.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = RemoteScope> + use<> {
        self.collections()
            .filter_map(|collection| match collection {
                Collection::Scope(scope) => Some(scope),
                Collection::Vertical | Collection::SharedWithMe | Collection::Created => None,
            })
    }
}

/// Whether a part that was asked for by name is there: what is switched off is empty, and what needs
/// a login says so.
fn allowed(gate: Option<Gate>) -> Result<bool, Error> {
    match gate {
        None => Ok(true),
        Some(Gate::PluginsOff | Gate::RemotePluginOff | Gate::PluginSharingOff) => Ok(false),
        Some(Gate::NoLogin) => Err(Error::LoginRequired { action: ACTION }),
        Some(Gate::ApiKey) => Err(RemoteError::ApiKey { action: ACTION }.into()),
        Some(Gate::NoAddress) => Err(RemoteError::NoService { action: ACTION }.into()),
    }
}

#[cfg(test)]
mod tests {
    use plugd_marketplace::{Declared, DeclaredState, Gate};
    use plugd_model::RemoteMarketplace;
    use pretty_assertions::assert_eq;

    use super::Wish;
    use crate::list::MarketplaceKind;

    fn declared(gate: Option<Gate>) -> Vec<Declared> {
        let state = gate.map_or(DeclaredState::Open, DeclaredState::Closed);
        let of = |marketplace| Declared { marketplace, state };
        RemoteMarketplace::ALL.into_iter().map(of).collect()
    }

    #[track_caller]
    fn check(kinds: Option<&[MarketplaceKind]>, gate: Option<Gate>, expected: &str) {
        let found = match Wish::of(kinds, &declared(gate), false) {
            Ok(wish) => {
                let all: Vec<_> = wish.collections().map(|one| format!("{one:?}")).collect();
                all.join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{kinds:?} {gate:?}");
    }

    #[test]
    fn the_default_is_the_catalog_of_everybody() {
        check(None, None, "Scope(Global)");
        for gate in [
            Gate::RemotePluginOff,
            Gate::NoLogin,
            Gate::ApiKey,
            Gate::NoAddress,
        ] {
            check(None, Some(gate), "");
        }
        check(Some(&[]), None, "");
        check(Some(&[MarketplaceKind::Local]), None, "");
    }

    #[test]
    fn what_is_named_comes_or_says_which_login_is_missing() {
        use MarketplaceKind::{CreatedByMe, SharedWithMe, WorkspaceDirectory};
        let all = [SharedWithMe, WorkspaceDirectory, CreatedByMe];
        check(
            Some(&all),
            None,
            "Scope(User) Scope(Workspace) SharedWithMe",
        );
        check(Some(&all), Some(Gate::RemotePluginOff), "");
        check(Some(&all), Some(Gate::PluginSharingOff), "");
        let words = "list remote plugin catalog: chatgpt authentication required for remote plugin \
                     catalog";
        for kind in all {
            check(Some(&[kind]), Some(Gate::NoLogin), words);
            let key = format!("{words}; api key auth is not supported");
            check(Some(&[kind]), Some(Gate::ApiKey), &key);
        }
    }

    #[test]
    fn the_vertical_collection_stands_in_for_the_catalog() {
        let vertical = [MarketplaceKind::Vertical];
        check(Some(&vertical), None, "");
        let off = |login: Option<Gate>| {
            let mut declared = declared(login);
            for one in &mut declared {
                if one.marketplace == RemoteMarketplace::CuratedRemote {
                    one.state = DeclaredState::Closed(Gate::RemotePluginOff);
                }
            }
            Wish::of(Some(&vertical), &declared, false)
        };
        assert!(off(None).unwrap().vertical);
        assert!(!off(Some(Gate::ApiKey)).unwrap().vertical);
        assert_eq!(
            off(Some(Gate::NoLogin)).unwrap_err().to_string(),
            "list OpenAI Curated remote plugin catalog: chatgpt authentication required for \
             remote plugin catalog"
        );
        check(Some(&vertical), Some(Gate::NoLogin), "");
    }
}

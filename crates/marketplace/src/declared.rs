//! The marketplaces of the hosted catalog: declared here, filled by whoever asks the service.
//!
//! They hold no manifest on this machine, so they are no entries of the set. What is decided here is
//! whether the service may be asked about each of them, before anything goes over the network.

use plugd_model::RemoteMarketplace;

use crate::{Login, ResolveInput, Scope};

/// One marketplace of the hosted catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Which one.
    pub marketplace: RemoteMarketplace,
    /// Whether the service may be asked about it.
    pub state: DeclaredState,
}

/// Whether the service may be asked about a marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredState {
    /// It may.
    Open,
    /// It may not.
    Closed(Gate),
}

/// Why a marketplace of the hosted catalog is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// `features.plugins` is off.
    PluginsOff,
    /// `features.remote_plugin` is off.
    RemotePluginOff,
    /// `features.plugin_sharing` is off.
    PluginSharingOff,
    /// There is no login.
    NoLogin,
    /// An API key opens nothing there.
    ApiKey,
    /// What is configured as the service's address is none that a token may be sent to.
    NoAddress,
}

impl Declared {
    /// Whether the service may be asked about it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == DeclaredState::Open
    }

    /// Why not, when it may not.
    #[must_use]
    pub fn gate(&self) -> Option<Gate> {
        match self.state {
            DeclaredState::Open => None,
            DeclaredState::Closed(gate) => Some(gate),
        }
    }
}

/// Rules 7 and 8 of the resolver.
pub(crate) fn declared(input: &ResolveInput<'_>) -> Vec<Declared> {
    let of = |marketplace| {
        let gates = || input.scopes.iter().map(|one| gate(one, input, marketplace));
        let state = match gates().next() {
            None => DeclaredState::Closed(Gate::PluginsOff),
            Some(None) => DeclaredState::Open,
            Some(Some(first)) => match gates().any(|gate| gate.is_none()) {
                true => DeclaredState::Open,
                false => DeclaredState::Closed(first),
            },
        };
        Declared { marketplace, state }
    };
    RemoteMarketplace::ALL.into_iter().map(of).collect()
}

/// The first gate that is closed, in the order of rule 7.
fn gate(
    scope: &Scope<'_>,
    input: &ResolveInput<'_>,
    marketplace: RemoteMarketplace,
) -> Option<Gate> {
    let features = scope.config.features();
    if !features.plugins {
        return Some(Gate::PluginsOff);
    }
    match marketplace {
        RemoteMarketplace::CuratedRemote | RemoteMarketplace::CreatedByMe => {
            if !features.remote_plugin {
                return Some(Gate::RemotePluginOff);
            }
        }
        RemoteMarketplace::SharedWithMe => {
            if !features.plugin_sharing {
                return Some(Gate::PluginSharingOff);
            }
        }
        RemoteMarketplace::WorkspaceDirectory => {}
    }
    match input.login {
        Login::None => return Some(Gate::NoLogin),
        Login::ApiKey => return Some(Gate::ApiKey),
        Login::ChatGpt => {}
    }
    match scope.config.remote().base_url {
        Some(_) => None,
        None => Some(Gate::NoAddress),
    }
}

#[cfg(test)]
#[path = "declared_tests.rs"]
mod tests;

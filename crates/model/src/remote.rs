//! What the hosted catalog calls things: ids, scopes, and the marketplaces its plugins stand in.
//!
//! A plugin of the hosted catalog has two names. Its id there never changes and is what requests to
//! the service carry; `name@marketplace` is what config keys and cache directories carry, and the
//! marketplace of it follows from the scope alone. Nothing here asks the service.

use std::fmt;

use crate::MarketplaceName;

/// The longest id that is accepted; the service's own are far shorter.
pub const MAX_REMOTE_ID_BYTES: usize = 200;

/// Why a text is not the id of a plugin of the hosted catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteIdError {
    /// Nothing stands where an id belongs.
    #[error("the remote plugin id is empty")]
    Empty,
    /// Longer than any id of the service.
    #[error("the remote plugin id has {length} bytes, at most {MAX_REMOTE_ID_BYTES} are allowed")]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// A character that could change the path of a request.
    #[error(
        "the remote plugin id `{}` has the character {character:?}; only ASCII letters, digits, `_`, `-` and `~` are allowed",
        text.escape_debug()
    )]
    BadCharacter {
        /// The whole text.
        text: String,
        /// The first offending character.
        character: char,
    },
}

/// The id of a plugin in the hosted catalog. It can stand in a URL's path as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemotePluginId(String);

impl RemotePluginId {
    /// Checks and takes an id.
    ///
    /// # Errors
    /// The text breaks the rule; the error says where.
    pub fn parse(text: &str) -> Result<Self, RemoteIdError> {
        if text.is_empty() {
            return Err(RemoteIdError::Empty);
        }
        if text.len() > MAX_REMOTE_ID_BYTES {
            return Err(RemoteIdError::TooLong { length: text.len() });
        }
        let bad = text
            .chars()
            .find(|&c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '~'));
        match bad {
            None => Ok(Self(text.to_owned())),
            Some(character) => Err(RemoteIdError::BadCharacter {
                text: text.to_owned(),
                character,
            }),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemotePluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose catalog a plugin belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemoteScope {
    /// Everybody's.
    Global,
    /// A workspace's.
    Workspace,
    /// The user's own.
    User,
}

impl RemoteScope {
    /// Every scope, in the order of the answers.
    pub const ALL: [Self; 3] = [Self::Global, Self::Workspace, Self::User];

    /// The service's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "GLOBAL",
            Self::Workspace => "WORKSPACE",
            Self::User => "USER",
        }
    }
}

/// Who comes across a plugin of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Discoverability {
    /// Everybody in the workspace's directory.
    Listed,
    /// Whoever has its link.
    Unlisted,
    /// Whom it was shared with.
    Private,
}

impl Discoverability {
    /// Every degree.
    pub const ALL: [Self; 3] = [Self::Listed, Self::Unlisted, Self::Private];

    /// The service's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Listed => "LISTED",
            Self::Unlisted => "UNLISTED",
            Self::Private => "PRIVATE",
        }
    }
}

/// Row group of a listing for what was shared with the user in private; no plugin's id names it.
pub const SHARED_PRIVATE_GROUP: &str = "workspace-shared-with-me-private";
/// Row group of a listing for what was installed by a link; no plugin's id names it.
pub const SHARED_UNLISTED_GROUP: &str = "workspace-shared-with-me-unlisted";

/// The marketplaces that ids and cache directories of hosted plugins name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemoteMarketplace {
    /// The curated catalog of everybody.
    CuratedRemote,
    /// What the user made.
    CreatedByMe,
    /// What a workspace lists for all its members.
    WorkspaceDirectory,
    /// What members of a workspace share with some of it.
    SharedWithMe,
}

impl RemoteMarketplace {
    /// Every marketplace, in the order of the answers.
    pub const ALL: [Self; 4] = [
        Self::CuratedRemote,
        Self::CreatedByMe,
        Self::WorkspaceDirectory,
        Self::SharedWithMe,
    ];

    /// The name, which is a legal and reserved marketplace name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CuratedRemote => "openai-curated-remote",
            Self::CreatedByMe => "created-by-me-remote",
            Self::WorkspaceDirectory => "workspace-directory",
            Self::SharedWithMe => "workspace-shared-with-me",
        }
    }

    /// The name as the second half of a plugin's id.
    #[must_use]
    pub fn marketplace_name(self) -> MarketplaceName {
        MarketplaceName::of_constant(self.name())
    }

    /// What a frontend shows for it.
    #[must_use]
    pub fn display_name(self) -> &'static str {
        match self {
            Self::CuratedRemote => "OpenAI Curated Remote",
            Self::CreatedByMe => "Created by me",
            Self::WorkspaceDirectory => "Workspace Directory",
            Self::SharedWithMe => "Shared with me",
        }
    }

    /// The scope that holds its plugins.
    #[must_use]
    pub fn scope(self) -> RemoteScope {
        match self {
            Self::CuratedRemote => RemoteScope::Global,
            Self::CreatedByMe => RemoteScope::User,
            Self::WorkspaceDirectory | Self::SharedWithMe => RemoteScope::Workspace,
        }
    }

    /// Where a plugin of this scope stands; `None` when a workspace's plugin does not say who finds
    /// it, because any guess would give it an id that changes later.
    #[must_use]
    pub fn canonical(scope: RemoteScope, discoverability: Option<Discoverability>) -> Option<Self> {
        match (scope, discoverability) {
            (RemoteScope::Global, _) => Some(Self::CuratedRemote),
            (RemoteScope::User, _) => Some(Self::CreatedByMe),
            (RemoteScope::Workspace, Some(Discoverability::Listed)) => {
                Some(Self::WorkspaceDirectory)
            }
            (
                RemoteScope::Workspace,
                Some(Discoverability::Unlisted | Discoverability::Private),
            ) => Some(Self::SharedWithMe),
            (RemoteScope::Workspace, None) => None,
        }
    }

    /// The names below which copies of hosted plugins may lie in the cache, sorted: those of all
    /// marketplaces, and those of the row groups, where the reference cleans up as well.
    pub const CACHE_NAMES: [&'static str; 6] = [
        "created-by-me-remote",
        "openai-curated-remote",
        "workspace-directory",
        "workspace-shared-with-me",
        SHARED_PRIVATE_GROUP,
        SHARED_UNLISTED_GROUP,
    ];

    /// [`RemoteMarketplace::CACHE_NAMES`] as second halves of ids.
    pub fn cache_names() -> impl Iterator<Item = MarketplaceName> {
        Self::CACHE_NAMES
            .into_iter()
            .map(MarketplaceName::of_constant)
    }

    /// The marketplace of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for RemoteMarketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Discoverability, RemoteIdError, RemoteMarketplace, RemotePluginId, RemoteScope,
        SHARED_PRIVATE_GROUP, SHARED_UNLISTED_GROUP,
    };
    use crate::{MarketplaceName, RESERVED_MARKETPLACES};

    #[test]
    fn ids_can_stand_in_a_path() {
        for good in ["plugins~Plugin_0a", "plugins_0a", "a-b", "~"] {
            assert_eq!(RemotePluginId::parse(good).unwrap().as_str(), good);
        }
        for bad in [".", "..", "a.b", "a%2F", "a/b", "a b", "a@b", "ä", "a\0"] {
            assert!(
                matches!(
                    RemotePluginId::parse(bad),
                    Err(RemoteIdError::BadCharacter { .. })
                ),
                "{bad:?}"
            );
        }
        assert_eq!(RemotePluginId::parse(""), Err(RemoteIdError::Empty));
        assert!(RemotePluginId::parse(&"x".repeat(200)).is_ok());
        assert_eq!(
            RemotePluginId::parse(&"x".repeat(201)),
            Err(RemoteIdError::TooLong { length: 201 })
        );
    }

    #[test]
    fn every_remote_name_is_legal_and_reserved() {
        let groups = [SHARED_PRIVATE_GROUP, SHARED_UNLISTED_GROUP];
        for name in RemoteMarketplace::ALL.map(RemoteMarketplace::name) {
            assert!(MarketplaceName::new(name).is_ok(), "{name}");
            assert!(RESERVED_MARKETPLACES.contains(&name), "{name}");
            assert_eq!(RemoteMarketplace::of_name(name).unwrap().name(), name);
        }
        let known = RemoteMarketplace::ALL.map(RemoteMarketplace::name);
        let mut cached: Vec<_> = known.into_iter().chain(groups).collect();
        cached.sort_unstable();
        assert_eq!(cached, RemoteMarketplace::CACHE_NAMES);
        for name in RemoteMarketplace::cache_names() {
            assert!(MarketplaceName::new(name.as_str()).is_ok(), "{name}");
        }
        for name in groups {
            assert!(RESERVED_MARKETPLACES.contains(&name), "{name}");
            assert_eq!(RemoteMarketplace::of_name(name), None);
        }
    }

    #[test]
    fn the_scope_decides_the_marketplace() {
        use Discoverability::{Listed, Private, Unlisted};
        let check = |scope, discoverability, expected| {
            assert_eq!(
                RemoteMarketplace::canonical(scope, discoverability),
                expected
            );
        };
        check(
            RemoteScope::Global,
            None,
            Some(RemoteMarketplace::CuratedRemote),
        );
        check(
            RemoteScope::Global,
            Some(Private),
            Some(RemoteMarketplace::CuratedRemote),
        );
        check(
            RemoteScope::User,
            None,
            Some(RemoteMarketplace::CreatedByMe),
        );
        check(
            RemoteScope::Workspace,
            Some(Listed),
            Some(RemoteMarketplace::WorkspaceDirectory),
        );
        for hidden in [Private, Unlisted] {
            check(
                RemoteScope::Workspace,
                Some(hidden),
                Some(RemoteMarketplace::SharedWithMe),
            );
        }
        check(RemoteScope::Workspace, None, None);
    }
}

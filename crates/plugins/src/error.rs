//! Why a use case failed, in terms of the request.
//!
//! [`Error::kind`] sorts every variant into one of a few kinds without a wildcard, so that a new
//! variant forces a decision. Codes and wire shapes belong to the server.

use plugd_config::{KeyPathError, WriteError};
use plugd_disk::DiskError;
use plugd_disk::tree::TreeError;
use plugd_fetch::FetchError;
use plugd_git::{AddressError, GitError, WantError};
use plugd_marketplace::NotSelected;
use plugd_model::{AbsPath, PluginId, Problem, VersionError};
use plugd_store::StoreError;

use crate::call::Cancelled;
use crate::error_kinds::{kind_of_store, kind_of_unselected, kind_of_write};
use crate::error_terms::Kind;
use crate::facts_elsewhere::{kind_of_git, kind_of_registry};
use crate::link_error::LinkError;
use crate::lock_error::LockError;
use crate::remote_error::RemoteError;
use crate::scaffold_error::ScaffoldError;
use crate::share_error::ShareError;
use crate::trust_error::{ApproveError, TrustRefusal};
use crate::version_error::VersionRefusal;

/// Why a use case failed. The errors of the crates below are boxed: they carry paths, and a result is
/// passed on far more often than it is an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Exactly one of two members must be given.
    #[error("{method} requires exactly one of marketplacePath or remoteMarketplaceName")]
    OneSelector {
        /// The method.
        method: &'static str,
    },
    /// A member has a value that cannot be meant.
    #[error("{field}: {reason}")]
    BadValue {
        /// The member.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// Plugins are switched off in configuration. The words are the reference's.
    #[error("plugins feature is disabled")]
    PluginsDisabled,
    /// The remote catalog needs a login. The words are the reference's: clients match on them.
    #[error("{action}: chatgpt authentication required for remote plugin catalog")]
    LoginRequired {
        /// What was tried.
        action: &'static str,
    },
    /// Something that needs the account's catalog could not be done.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A plugin could not be shared or taken from a share.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// A lock could not be written or followed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A version could not be named, pinned or brought back.
    #[error(transparent)]
    Version(Box<VersionRefusal>),
    /// It may not come, or not yet.
    #[error(transparent)]
    Trust(Box<TrustRefusal>),
    /// An approval could not be given or taken back.
    #[error(transparent)]
    Approve(Box<ApproveError>),
    /// Nothing could be begun.
    #[error(transparent)]
    Scaffold(#[from] ScaffoldError),
    /// A directory could not be linked, or a link not be ended.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// An id that can be neither local nor remote.
    #[error("invalid plugin id `{}`: write `plugin@marketplace`", id.escape_debug())]
    BadPluginId {
        /// What was given.
        id: String,
    },
    /// Nothing matches in the resolved set.
    #[error(transparent)]
    NotSelected(#[from] NotSelected),
    /// The entry may not be installed.
    #[error("plugin `{id}` is not available for installation: its marketplace says so")]
    NotAvailable {
        /// The plugin.
        id: PluginId,
    },
    /// Its source lies elsewhere and could not be brought.
    #[error("cannot fetch plugin `{id}`")]
    Source {
        /// The plugin.
        id: PluginId,
        /// Why.
        #[source]
        source: Box<Self>,
    },
    /// An address that nothing is fetched from.
    #[error(transparent)]
    BadAddress {
        /// What is wrong with it.
        source: AddressError,
    },
    /// A branch, tag or commit that cannot be meant.
    #[error(transparent)]
    BadWant {
        /// What is wrong with it.
        source: WantError,
    },
    /// Git could not bring what was asked for.
    #[error("cannot fetch from `{url}`")]
    Git {
        /// The repository, without credentials.
        url: String,
        /// Its machine.
        host: String,
        /// Why.
        #[source]
        source: Box<GitError>,
    },
    /// A registry could not bring what was asked for.
    #[error(transparent)]
    Registry(Box<FetchError>),
    /// The address of a marketplace holds a login, and it would be written to files.
    #[error("the address of `{url}` holds a user name or password, which is stored nowhere")]
    SecretInAddress {
        /// The address without it.
        url: String,
    },
    /// A repository that holds no usable marketplace.
    #[error("`{url}` holds no usable marketplace: {}", problem.message)]
    NoMarketplaceInRepository {
        /// The repository, without credentials.
        url: String,
        /// Why.
        problem: Box<Problem>,
    },
    /// A marketplace calls itself something else than it is configured as.
    #[error("the marketplace configured as `{}` calls itself `{found}` now", name.escape_debug())]
    Renamed {
        /// Its key.
        name: String,
        /// What its manifest says.
        found: String,
    },
    /// Only git marketplaces can be upgraded. The words are the reference's.
    #[error("marketplace `{}` is not configured as a Git marketplace", name.escape_debug())]
    NotAGitMarketplace {
        /// What was asked for.
        name: String,
    },
    /// The directory of a local source is not there.
    #[error("the source of plugin `{id}` does not exist or is not a directory: {path}")]
    SourceMissing {
        /// The plugin.
        id: PluginId,
        /// The directory.
        path: AbsPath,
    },
    /// The directory of a local source cannot be looked at.
    #[error("the source of plugin `{id}` cannot be read")]
    SourceUnreadable {
        /// The plugin.
        id: PluginId,
        /// The directory.
        path: AbsPath,
        /// Why.
        #[source]
        source: Box<DiskError>,
    },
    /// The plugin was taken out of the configuration while it was brought in the background.
    #[error("plugin `{id}` is no longer configured")]
    NoLongerConfigured {
        /// The plugin.
        id: PluginId,
    },
    /// Its copy was to take its place in one transaction with others, and one of those failed.
    #[error("plugin `{id}` was being installed with others, which failed; try again")]
    TakenBack {
        /// The plugin.
        id: PluginId,
    },
    /// A link leads a local source out of its marketplace.
    #[error("the source of plugin `{id}` leads out of its marketplace through a link: {path}")]
    SourceEscapes {
        /// The plugin.
        id: PluginId,
        /// The directory as named.
        path: AbsPath,
    },
    /// The manifest cannot be used.
    #[error("missing or invalid plugin.json: {}", problem.message)]
    BadManifest {
        /// The plugin.
        id: PluginId,
        /// Why, with its place.
        problem: Box<Problem>,
    },
    /// The manifest speaks of another plugin.
    #[error("the manifest's name `{}` differs from the entry's name `{}`", found.escape_debug(), id.plugin)]
    NameMismatch {
        /// The entry.
        id: PluginId,
        /// What the manifest says.
        found: String,
        /// The manifest.
        path: AbsPath,
    },
    /// The declared version cannot name a directory.
    #[error("plugin `{id}` cannot be stored")]
    BadVersion {
        /// The plugin.
        id: PluginId,
        /// Why.
        #[source]
        source: VersionError,
    },
    /// Only an installed copy could answer, and there is none.
    #[error("plugin `{id}` is not installed")]
    NotInstalled {
        /// The plugin.
        id: PluginId,
    },
    /// The plugin has no skill of that name.
    #[error("plugin `{id}` has no skill `{}`", skill.escape_debug())]
    NoSkill {
        /// The plugin.
        id: PluginId,
        /// What was asked for.
        skill: String,
    },
    /// The text of a skill cannot be read.
    #[error("a skill of plugin `{id}` cannot be read: {}", problem.message)]
    BadSkill {
        /// The plugin.
        id: PluginId,
        /// Why.
        problem: Box<Problem>,
    },
    /// The curated snapshot has no recorded commit, which is the version of its plugins.
    #[error("the curated marketplace has no recorded commit: {path} is missing or empty")]
    NoCuratedCommit {
        /// The file that should hold it.
        path: AbsPath,
    },
    /// Something moved the copy past its pin.
    #[error("plugin `{id}` is pinned to {pinned} and its source offers {offered}")]
    Pinned {
        /// The plugin.
        id: PluginId,
        /// What it is pinned to.
        pinned: String,
        /// What would have come.
        offered: String,
    },
    /// A file of the configuration that cannot be read, where what it names decides.
    #[error("the configuration cannot be read, so what it names is not known: {}", problem.message)]
    UnreadableConfig {
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// A source text of `marketplace/add` in no accepted form.
    #[error(
        "invalid marketplace source format `{}`: expected owner/repo, a git URL, or a local marketplace path",
        given.escape_debug()
    )]
    BadMarketplaceSource {
        /// What was given.
        given: String,
    },
    /// A directory that holds no usable marketplace.
    #[error("{path} holds no usable marketplace: {}", problem.message)]
    NoMarketplaceThere {
        /// The directory.
        path: AbsPath,
        /// Why.
        problem: Box<Problem>,
    },
    /// A directory that holds no usable plugin.
    #[error("{path} holds no usable plugin: {}", problem.message)]
    NoPluginThere {
        /// The directory.
        path: AbsPath,
        /// Why.
        problem: Box<Problem>,
    },
    /// A path that holds nothing to validate.
    #[error("there is nothing to validate at {path}: {}", problem.message)]
    NothingToValidate {
        /// The path.
        path: AbsPath,
        /// Why.
        problem: Box<Problem>,
    },
    /// Another source is configured under the same name.
    #[error("marketplace `{name}` is already added from a different source: {existing}")]
    OtherSource {
        /// The name.
        name: String,
        /// What is configured.
        existing: String,
    },
    /// Another layer than the user's configures it, and only the user's is written.
    #[error("marketplace `{}` is not configured in the user's config.toml", name.escape_debug())]
    ConfiguredElsewhere {
        /// The name.
        name: String,
        /// The file of the layer; absent for flags of the session.
        file: Option<AbsPath>,
    },
    /// A layer above the user's configures another source under that name.
    #[error("marketplace `{}` is configured as {existing} where the user's config.toml does not reach", name.escape_debug())]
    ConfiguredAbove {
        /// The name.
        name: String,
        /// What is configured.
        existing: String,
        /// The file of the layer; absent for flags of the session.
        file: Option<AbsPath>,
    },
    /// Nothing is configured under that name.
    #[error("marketplace `{name}` is not configured or installed")]
    NotConfigured {
        /// The name.
        name: String,
        /// The configured name that differs in case only.
        other_case: Option<String>,
    },
    /// Requirements refuse the source.
    #[error("{}", problem.message)]
    Policy {
        /// The refusal, with its file.
        problem: Box<Problem>,
    },
    /// A key path that cannot be parsed.
    #[error("invalid key path `{}`", given.escape_debug())]
    BadKeyPath {
        /// What was given.
        given: String,
        /// Why.
        #[source]
        source: KeyPathError,
    },
    /// Configuration could not be written.
    #[error("failed to write the configuration")]
    Config(#[source] Box<WriteError>),
    /// The store failed.
    #[error("failed to {action} plugin `{id}`")]
    Store {
        /// What was done.
        action: &'static str,
        /// The plugin.
        id: PluginId,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// The store as a whole cannot be used.
    #[error("the plugin store cannot be used")]
    StoreState(#[source] Box<StoreError>),
    /// A file operation outside the store failed.
    #[error("a file operation failed")]
    Disk(#[source] Box<DiskError>),
    /// A whole directory could not be removed.
    #[error("a directory could not be processed")]
    Tree(#[source] Box<TreeError>),
    /// The request was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A bug: a section panicked.
    #[error("internal error")]
    Panicked {
        /// The panic's text, for the log.
        text: String,
    },
}

impl Error {
    /// Whether the work is to begin again: it was overtaken, or taken back with that of others.
    pub(crate) fn is_to_be_repeated(&self) -> bool {
        self.is_superseded() || matches!(self.cause(), Self::TakenBack { .. })
    }

    /// Whether somebody else changed the plugin between the decision and the lock.
    pub(crate) fn is_superseded(&self) -> bool {
        matches!(self.cause(), Self::Store { source, .. } if matches!(**source, StoreError::Superseded { .. }))
    }

    /// What began it. Where a lock was followed in part, that is planned anew with the rest.
    fn cause(&self) -> &Self {
        match self {
            Self::Lock(LockError::InPart { source, .. }) => source.cause(),
            _ => self,
        }
    }

    /// Whether the request was cancelled while a service was told of a change, so that nobody knows
    /// whether it was done there.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Remote(error) if error.is_in_doubt())
    }

    /// Sorts the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::OneSelector { .. }
            | Self::BadValue { .. }
            | Self::BadPluginId { .. }
            | Self::BadKeyPath { .. }
            | Self::BadMarketplaceSource { .. }
            | Self::BadAddress { .. }
            | Self::BadWant { .. }
            | Self::SecretInAddress { .. }
            | Self::UnreadableConfig { .. }
            | Self::NoMarketplaceThere { .. }
            | Self::NoPluginThere { .. }
            | Self::NothingToValidate { .. }
            | Self::NoMarketplaceInRepository { .. }
            | Self::NameMismatch { .. }
            | Self::BadManifest { .. }
            | Self::BadSkill { .. }
            | Self::BadVersion { .. }
            | Self::SourceUnreadable { .. }
            | Self::SourceEscapes { .. } => Kind::InvalidInput,
            Self::NotSelected(reason) => kind_of_unselected(reason),
            Self::SourceMissing { .. }
            | Self::NotInstalled { .. }
            | Self::NoSkill { .. }
            | Self::NotConfigured { .. }
            | Self::NotAGitMarketplace { .. } => Kind::NotFound,
            Self::PluginsDisabled
            | Self::LoginRequired { .. }
            | Self::NotAvailable { .. }
            | Self::ConfiguredElsewhere { .. }
            | Self::ConfiguredAbove { .. }
            | Self::Policy { .. } => Kind::NotAllowed,
            Self::Pinned { .. }
            | Self::OtherSource { .. }
            | Self::Renamed { .. }
            | Self::TakenBack { .. }
            | Self::NoLongerConfigured { .. } => Kind::Conflict,
            Self::NoCuratedCommit { .. } => Kind::Unavailable,
            Self::Remote(error) => error.kind(),
            Self::Share(error) => error.kind(),
            Self::Lock(error) => error.kind(),
            Self::Version(refusal) => refusal.kind(),
            Self::Trust(refusal) => refusal.kind(),
            Self::Approve(error) => error.kind(),
            Self::Link(error) => error.kind(),
            Self::Scaffold(error) => error.kind(),
            Self::Source { source, .. } => source.kind(),
            Self::Git { source, .. } => kind_of_git(source),
            Self::Registry(error) => kind_of_registry(error),
            Self::Config(error) => kind_of_write(error),
            Self::Store { source, .. } | Self::StoreState(source) => kind_of_store(source),
            Self::Disk(error) if matches!(**error, DiskError::Locked { .. }) => Kind::Conflict,
            // Whoever asks has named it.
            Self::Disk(error) if error.is_bad_name() || error.is_link_loop() => Kind::InvalidInput,
            Self::Tree(error) if matches!(**error, TreeError::GivenUp) => Kind::Cancelled,
            Self::Disk(_) | Self::Tree(_) | Self::Panicked { .. } => Kind::Internal,
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }
}

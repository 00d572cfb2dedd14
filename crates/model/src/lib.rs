//! The values that every other crate speaks about: paths, names, versions, policies, manifests,
//! problems and the layout of a home directory.
//!
//! Nothing here reads a file, a variable or a clock, and nothing here knows a wire or file format:
//! these types derive neither `Serialize` nor `JsonSchema`, so that a format can change without
//! them and they without a format.

mod abs_path;
mod archive_url;
mod environment;
mod error_chain;
pub mod git_url;
mod hex;
pub mod json_depth;
mod layout;
mod manifest;
mod migrated_skills;
mod names;
mod oci_reference;
mod packed_origin;
pub mod percent;
mod policy;
mod problem;
mod remote;
mod source;
mod tool_approval;
mod version;

pub use abs_path::{AbsPath, NotAbsolute};
pub use archive_url::ArchiveUrl;
pub use environment::{Clock, Environment, RandomNames};
pub use error_chain::error_chain;
pub use hex::hex;
pub use layout::Layout;
pub use manifest::{
    HooksDeclaration, Interface, ManifestFormat, McpDeclaration, PluginManifest, PluginPath,
};
pub use migrated_skills::{MIGRATED_SKILLS_DIR, is_migrated_skill, shipped_as_migrated};
pub use names::{
    CURATED_API_MARKETPLACE, CURATED_MARKETPLACE, MAX_NAME_BYTES, MarketplaceName, NameError,
    PluginId, PluginName, RESERVED_MARKETPLACES,
};
pub use oci_reference::{OciReference, sha256_digest};
pub use packed_origin::PackedOrigin;
pub use policy::{AuthPolicy, InstallPolicy, Product};
pub use problem::{Place, Problem, ProblemKind, Severity};
pub use remote::{
    Discoverability, MAX_REMOTE_ID_BYTES, RemoteIdError, RemoteMarketplace, RemotePluginId,
    RemoteScope, SHARED_PRIVATE_GROUP, SHARED_UNLISTED_GROUP,
};
pub use source::Source;
pub use tool_approval::ToolApproval;
pub use version::{VersionError, VersionSegment, semantic_order};

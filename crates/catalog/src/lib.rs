//! The remote catalog: the hosted service that offers plugins, the login it wants, and what is kept on
//! disk of its answers.
//!
//! Asking is async and ends by a deadline or because the caller gave up; reading and writing files is
//! synchronous and belongs into a blocking section. [`Catalog`] hands out a [`Service`] for one
//! account; a service answers with domain values whose formats are private here.
//!
//! Invariants:
//! - The token goes to the configured service and to no other host, and stands in no error, no log and
//!   no `Debug` text. Addresses of bundles are treated alike and never written to disk.
//! - Whatever the service sends, memory and time are bounded, and one bad item spoils itself only. A
//!   list whose end is missing says so: nobody may remove anything because of it.
//! - Only reads are repeated, and no answer is taken for one about something else.
//!
//! It decides nothing about plugins: what is listed, installed or removed is decided elsewhere. It
//! downloads no bundle and starts no task.

mod account;
mod account_key;
mod answer;
mod base_url;
mod cache;
mod catalog;
mod error;
#[cfg(test)]
mod fixture;
mod item;
mod json;
mod json_rewrite;
mod json_text;
mod jwt;
mod login;
mod pages;
mod refresh;
mod rfc3339;
mod saved;
mod service;
mod share_paths;
mod sharing;
mod unused;

pub use account::{Access, Account, LoginMode, Secret};
pub use answer::{
    AppInfo, Collection, Directory, Fetched, InstallAnswer, InstalledSet, SearchPage, SearchQuery,
    Urls, Validators,
};
pub use base_url::{BaseUrl, BaseUrlError};
pub use cache::{CachedDirectory, Kept};
pub use catalog::Catalog;
pub use error::{Call, CatalogError, Detail};
pub use item::{
    AppTemplate, Availability, DisabledReason, InstallPolicySource, InstalledItem, Item, Principal,
    PrincipalKind, PrincipalRole, Release, ReleaseInterface, ReleaseSkill, Schedule, ScheduledTask,
    Sharing, SkillInterface, TemplateReason, Weekday,
};
pub use json_rewrite::rewrite_json;
pub use login::{CredentialStore, Login, LoginState, read_login};
pub use refresh::{
    NewTokens, Refresh, RefreshError, RefreshTicket, ask_for_tokens, begin_refresh, finish_refresh,
};
pub use saved::SavedFeatured;
pub use service::Service;
pub use share_paths::{SharePaths, insert_share_path, read_share_paths, remove_share_path};
// The body of an upload, for whoever reads the file that it is made of.
pub use plugd_http::{Body, BodyWriter};
pub use sharing::{
    Publication, ShareState, ShareTarget, Shared, TargetRole, UploadPlace, Uploaded,
};

//! What calls are asked with and what they answer.

use plugd_model::{Problem, RemoteScope};

use crate::{InstalledItem, Item};

/// An answer to a question that may have been asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetched<T> {
    /// The whole answer, and what to ask with the next time where the service gave something.
    New(T, Option<Validators>),
    /// Nothing has changed since the answer that the validators came with.
    Unchanged,
}

/// What a service gives with an answer so that it can be asked whether the answer still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// The mark of the answer.
    pub etag: Option<String>,
    /// When it changed last, as the service wrote it.
    pub last_modified: Option<String>,
}

/// A list of plugins that the service keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collection {
    /// The directory of a scope.
    Scope(RemoteScope),
    /// The part of everybody's directory that is made for this kind of client.
    Vertical,
    /// What members of the workspace share with the account.
    SharedWithMe,
    /// What the account shares with others.
    Created,
}

/// Whether addresses of bundles are wanted. They cost the service something, and are good for whoever
/// has them, so they are asked for only to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urls {
    /// Yes.
    With,
    /// No.
    Without,
}

/// Plugins that are offered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Directory {
    /// In the order of the service, each id once.
    pub items: Vec<Item>,
    /// What is wrong with single items, and why the end is missing.
    pub problems: Vec<Problem>,
    /// Whether the service was read to its end. Items that cannot be understood do not count: what
    /// nobody can show is not missed.
    pub complete: bool,
}

/// Plugins that the account has installed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InstalledSet {
    /// In the order of the service, each id once.
    pub items: Vec<InstalledItem>,
    /// What is wrong with single items, and why the end is missing.
    pub problems: Vec<Problem>,
    /// Whether everything that is installed is in it. Only such a set may remove anything.
    pub complete: bool,
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// Words; white space around them does not count.
    pub term: String,
    /// Where; `None` means everywhere.
    pub scope: Option<RemoteScope>,
    /// How many results; `None` means 16, and none at all means one.
    pub limit: Option<u32>,
    /// Which page, as the page before it said.
    pub token: Option<String>,
}

/// One page of results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchPage {
    /// In the order of the service.
    pub items: Vec<Item>,
    /// What is wrong with single items.
    pub problems: Vec<Problem>,
    /// What to ask with for the next page.
    pub next: Option<String>,
}

/// What the service says when it has noted an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallAnswer {
    /// The apps that want a login; `None` where the service does not say.
    pub apps_needing_auth: Option<Vec<String>>,
}

/// An app, as far as a plugin that uses it shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppInfo {
    /// The name for people.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
}

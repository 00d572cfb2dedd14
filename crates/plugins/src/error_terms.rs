//! The terms that every failure of a use case is told in, whichever crate it began in.

use plugd_model::{AbsPath, Place};

use crate::trust_error::TrustFacts;

/// What an error means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The request cannot be meant.
    InvalidInput,
    /// A plugin or marketplace is absent.
    NotFound,
    /// A policy, a missing login or a switched-off feature.
    NotAllowed,
    /// The user has to say yes to exactly this first.
    ApprovalNeeded,
    /// It has to grow older first.
    CommitTooYoung,
    /// Another operation, a lock, or a clash of names or versions.
    Conflict,
    /// The network or something that needs it.
    Unavailable,
    /// Our bug, our disk, our state file.
    Internal,
    /// The request was cancelled and changed nothing.
    Cancelled,
}

/// What a program can act on beside the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The plugin it is about.
    pub plugin: Option<String>,
    /// The marketplace it is about.
    pub marketplace: Option<String>,
    /// The file or directory it is about.
    pub path: Option<AbsPath>,
    /// The member of a file or request it is about.
    pub field: Option<String>,
    /// The place in the file.
    pub place: Option<Place>,
    /// What to do next.
    pub hint: Option<String>,
    /// The machine that was asked.
    pub host: Option<String>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Why a configuration write was refused, in the reference's terms.
    pub config_write: Option<WriteRefusal>,
    /// What has to be approved, and why.
    pub trust: Option<Box<TrustFacts>>,
}

/// The refusals of a configuration write that clients of the reference tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteRefusal {
    /// The file is not at the version that the client expected.
    VersionConflict,
    /// The key path or value is not valid, or the file is broken.
    Validation,
    /// The file is not the user's.
    LayerReadonly,
}

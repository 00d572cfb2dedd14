//! What a request may lead to beside its result: the kinds of errors that it answers, and the
//! notifications that it causes.
//!
//! The types cannot say it, so it stands here, one row for each method; the generated reference
//! shows it. What can happen to every request stands once, in [`ALWAYS`].

use crate::ErrorKind;
use crate::ErrorKind::{
    AlreadyInitialized, ApprovalNeeded, Cancelled, CommitTooYoung, Conflict, Internal,
    InvalidInput, InvalidParams, NotAllowed, NotFound, NotInitialized, Unavailable,
};

/// What can be answered to every request behind `initialize`, whatever its method.
pub(super) const ALWAYS: &[ErrorKind] = &[
    ErrorKind::InvalidRequest,
    NotInitialized,
    Internal,
    ErrorKind::Overloaded,
    Cancelled,
];

/// What one method may lead to.
pub(super) struct Effects {
    /// The name on the wire.
    pub(super) method: &'static str,
    /// The kinds that its answer can have, in the order of the table of kinds.
    pub(super) errors: &'static [ErrorKind],
    /// The notifications that it causes, apart from its own progress.
    pub(super) notifications: &'static [&'static str],
}

/// The row of a method; a test sees to it that each has one.
pub(super) fn of(method: &str) -> Option<&'static Effects> {
    EFFECTS.iter().find(|row| row.method == method)
}

const fn row(
    method: &'static str,
    errors: &'static [ErrorKind],
    notifications: &'static [&'static str],
) -> Effects {
    Effects {
        method,
        errors,
        notifications,
    }
}

/// What can go wrong where a version of an installed plugin is named and changed.
const OF_VERSION: &[ErrorKind] = &[
    InvalidParams,
    InvalidInput,
    NotFound,
    Conflict,
    Internal,
    Cancelled,
];

/// The same where what comes has to be approved.
const OF_ROLLBACK: &[ErrorKind] = &[
    InvalidParams,
    InvalidInput,
    NotFound,
    ApprovalNeeded,
    Conflict,
    Internal,
    Cancelled,
];

/// The same where that comes from its source, and exactly what was asked for or not at all.
const OF_BRINGING: &[ErrorKind] = &[
    InvalidParams,
    InvalidInput,
    NotFound,
    NotAllowed,
    ApprovalNeeded,
    CommitTooYoung,
    Conflict,
    Unavailable,
    Internal,
    Cancelled,
];

/// What can go wrong where the source of an installed plugin is asked.
const OF_SOURCE: &[ErrorKind] = &[
    InvalidParams,
    InvalidInput,
    NotFound,
    NotAllowed,
    Conflict,
    Unavailable,
    Internal,
    Cancelled,
];

const WARNING: &str = "configWarning";
const CHANGED: &str = "plugd/changed";
const SKILLS: &str = "skills/changed";
const TASK: &str = "plugd/task";

/// One row for each method, in the order of the method table.
pub(super) const EFFECTS: &[Effects] = &[
    row(
        "initialize",
        &[AlreadyInitialized, InvalidParams, InvalidInput],
        &[WARNING],
    ),
    row("shutdown", &[NotInitialized], &[]),
    row(
        "plugin/list",
        &[InvalidParams, NotAllowed, Internal],
        &[TASK],
    ),
    row("plugin/installed", &[InvalidParams, Internal], &[TASK]),
    row("plugin/search", &[InvalidParams, Internal], &[]),
    row(
        "plugin/read",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Unavailable,
            Internal,
        ],
        &[],
    ),
    row(
        "plugin/skill/read",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Unavailable,
        ],
        &[],
    ),
    row("plugin/install", OF_BRINGING, &[SKILLS, CHANGED, TASK]),
    row(
        "plugin/uninstall",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Conflict,
            Unavailable,
            Internal,
            Cancelled,
        ],
        &[SKILLS, CHANGED, TASK],
    ),
    row(
        "plugin/reconcile",
        &[InvalidParams, NotAllowed, Unavailable, Internal, Cancelled],
        &[SKILLS, CHANGED],
    ),
    row(
        "plugin/share/save",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Unavailable,
            Internal,
            Cancelled,
        ],
        &[],
    ),
    row(
        "plugin/share/updateTargets",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Unavailable,
            Cancelled,
        ],
        &[],
    ),
    row(
        "plugin/share/list",
        &[NotAllowed, Unavailable, Internal, Cancelled],
        &[],
    ),
    row(
        "plugin/share/checkout",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Conflict,
            Unavailable,
            Internal,
            Cancelled,
        ],
        &[CHANGED],
    ),
    row(
        "plugin/share/delete",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Unavailable,
            Internal,
            Cancelled,
        ],
        &[],
    ),
    row(
        "marketplace/add",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Conflict,
            Unavailable,
            Internal,
            Cancelled,
        ],
        &[CHANGED],
    ),
    row(
        "marketplace/remove",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            Conflict,
            Internal,
            Cancelled,
        ],
        &[SKILLS, CHANGED],
    ),
    row(
        "marketplace/upgrade",
        &[InvalidParams, NotFound, Internal, Cancelled],
        &[SKILLS, CHANGED],
    ),
    row("skills/list", &[InvalidParams, Internal], &[SKILLS]),
    row(
        "skills/config/write",
        &[InvalidParams, InvalidInput, Conflict, Internal],
        &[SKILLS, CHANGED],
    ),
    row("skills/extraRoots/set", &[InvalidParams], &[SKILLS]),
    row("hooks/list", &[InvalidParams, Internal], &[]),
    row("config/read", &[InvalidParams, Internal], &[]),
    row(
        "config/value/write",
        &[
            InvalidParams,
            InvalidInput,
            NotAllowed,
            Conflict,
            Internal,
            Cancelled,
        ],
        &[SKILLS, CHANGED],
    ),
    row(
        "config/batchWrite",
        &[
            InvalidParams,
            InvalidInput,
            NotAllowed,
            Conflict,
            Internal,
            Cancelled,
        ],
        &[SKILLS, CHANGED],
    ),
    row("configRequirements/read", &[InvalidParams, Internal], &[]),
    row(
        "plugd/inspect",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Conflict,
            Unavailable,
            Internal,
            Cancelled,
        ],
        &[],
    ),
    row(
        "plugd/components",
        &[InvalidParams, Conflict, Internal, Cancelled],
        &[],
    ),
    row("plugd/release", &[InvalidParams, Conflict, Internal], &[]),
    row(
        "plugd/gc",
        &[InvalidParams, Conflict, Internal, Cancelled],
        &[],
    ),
    row(
        "plugd/verify",
        &[InvalidParams, InvalidInput, NotFound, Internal, Cancelled],
        &[],
    ),
    row(
        "plugd/versions",
        &[InvalidParams, InvalidInput, NotFound, Internal, Cancelled],
        &[],
    ),
    row("plugd/outdated", OF_SOURCE, &[]),
    row("plugd/update", OF_SOURCE, &[CHANGED]),
    row("plugd/pin", OF_VERSION, &[CHANGED]),
    row("plugd/approve", OF_SOURCE, &[CHANGED]),
    row("plugd/rollback", OF_ROLLBACK, &[CHANGED]),
    row("plugd/lock", OF_VERSION, &[]),
    row("plugd/sync", OF_BRINGING, &[CHANGED]),
    row("plugd/export", OF_VERSION, &[]),
    row(
        "plugd/import",
        &[
            InvalidParams,
            InvalidInput,
            NotFound,
            NotAllowed,
            Conflict,
            Internal,
            Cancelled,
        ],
        &[CHANGED],
    ),
    row(
        "plugd/link",
        &[InvalidParams, InvalidInput, Conflict, Internal],
        &[SKILLS, CHANGED],
    ),
    row(
        "plugd/unlink",
        &[InvalidParams, InvalidInput, NotFound, Conflict, Internal],
        &[SKILLS, CHANGED],
    ),
    row("plugd/mentions", &[InvalidParams, Internal], &[]),
    row("plugd/instructions", &[InvalidParams, Internal], &[]),
    row("plugd/status", &[InvalidParams, Internal], &[]),
    row("rpc.discover", &[InvalidParams], &[]),
];

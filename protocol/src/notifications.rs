//! The notification table: what may be sent without an answer, in both directions.
//!
//! An entry reads `Marker = "wire/name" (Direction, Origin): Params;` below the sentences that say
//! when it is sent. An unknown notification from a client is ignored and needs no entry.

use crate::method::notifications;
use crate::{
    CancelByIdParams, CancelByRequestIdParams, ChangedParams, ConfigWarningNotification, NoParams,
    NotificationSpec, ProgressNotificationParams, ProgressParams, SetTraceParams,
    SkillsChangedNotification, TaskParams,
};

notifications! {
    /// The client has seen the result of `initialize`. Nothing waits for it.
    Initialized = "initialized" (FromClient, Reference): NoParams;

    /// The client wants the process to end; what was accepted is finished first.
    Exit = "exit" (FromClient, Own): NoParams;

    /// The client no longer wants an answer, in the way of language servers.
    CancelById = "$/cancelRequest" (FromClient, Own): CancelByIdParams;

    /// The client no longer wants an answer, in the way of agent clients.
    CancelByRequestId = "$/cancel_request" (FromClient, Own): CancelByRequestIdParams;

    /// The client no longer wants an answer, in the way of context servers.
    Cancelled = "notifications/cancelled" (FromClient, Own): CancelByRequestIdParams;

    /// Accepted because language clients send it; it changes nothing.
    SetTrace = "$/setTrace" (FromClient, Own): SetTraceParams;

    /// A configuration file is broken or unusual. Sent after the result of `initialize`.
    ConfigWarning = "configWarning" (FromServer, Reference): ConfigWarningNotification;

    /// Skills may be others than before. Sent to a client that has listed skills, or that asked for
    /// notifications of this server; more than once where that is simpler.
    SkillsChanged = "skills/changed" (FromServer, Reference): SkillsChangedNotification;

    /// Marketplaces, plugins or configuration changed. Sent only to a client that asked for it.
    Changed = "plugd/changed" (FromServer, Own): ChangedParams;

    /// Background work started or ended. Sent only to a client that asked for it.
    Task = "plugd/task" (FromServer, Own): TaskParams;

    /// Progress of a request that carried a `workDoneToken`.
    Progress = "$/progress" (FromServer, Own): ProgressParams;

    /// Progress of a request that carried a `_meta.progressToken`.
    ProgressNotification = "notifications/progress" (FromServer, Own): ProgressNotificationParams;
}

/// The entry of a notification; none for one that is not known.
#[must_use]
pub fn find(name: &str) -> Option<&'static NotificationSpec> {
    NOTIFICATIONS
        .iter()
        .find(|notification| notification.name == name)
}

//! Events of the use cases as notifications.
//!
//! Changes are collected for a short time, since one request or one refresh speaks of several. A
//! slow client is told less often and never wrongly: what waits merges in the meantime.

use std::time::Duration;

use plugd_plugins::call::Cancel;
use plugd_plugins::events::{Change, ChangeReason, EventStream, TaskEvent, TaskKind, TaskState};
use plugd_protocol as wire;
use plugd_protocol::notifications;

use crate::handlers::shared;
use crate::notify::Notifier;
use crate::reply::Note;
use crate::wire_error::WireError;

/// Sends events until `stop`, and then those that are left.
pub(crate) async fn pump(
    mut events: EventStream,
    notifier: Notifier,
    debounce: Duration,
    stop: Cancel,
) {
    let mut changes = 0;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = events.ready() => {}
        }
        send_tasks(&mut events, &notifier).await;
        if events.has_changes() || events.has_skills_changed() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(debounce) => {}
            }
            send_skills(&mut events, &notifier).await;
            send_changes(&mut events, &notifier, &mut changes).await;
        }
    }
    send_tasks(&mut events, &notifier).await;
    send_skills(&mut events, &notifier).await;
    send_changes(&mut events, &notifier, &mut changes).await;
}

async fn send_tasks(events: &mut EventStream, notifier: &Notifier) {
    for event in events.take_tasks() {
        send(notifier, task(event)).await;
    }
}

async fn send_skills(events: &mut EventStream, notifier: &Notifier) {
    if events.take_skills_changed() {
        let params = wire::SkillsChangedNotification {};
        send(notifier, Note::of::<notifications::SkillsChanged>(&params)).await;
    }
}

async fn send_changes(events: &mut EventStream, notifier: &Notifier, last: &mut u64) {
    for event in events.take_changes() {
        *last += 1;
        send(notifier, change(*last, event)).await;
    }
}

async fn send(notifier: &Notifier, note: Result<Note, WireError>) {
    match note {
        Ok(note) => notifier.send(note).await,
        Err(error) => error.log("-", "notification"),
    }
}

fn change(id: u64, change: Change) -> Result<Note, WireError> {
    let Change {
        reason,
        marketplaces,
        plugins,
        config_keys,
        rewritten,
    } = change;
    Note::of::<notifications::Changed>(&wire::ChangedParams {
        id,
        reason: match reason {
            ChangeReason::Request => wire::ChangeReason::Request,
            ChangeReason::Refresh => wire::ChangeReason::Refresh,
            ChangeReason::Sync => wire::ChangeReason::Sync,
            ChangeReason::Watcher => wire::ChangeReason::Watcher,
        },
        marketplaces: marketplaces.iter().map(ToString::to_string).collect(),
        plugins: plugins.iter().map(ToString::to_string).collect(),
        config_keys: config_keys.into_iter().collect(),
        rewritten_marketplaces: rewritten.iter().map(ToString::to_string).collect(),
    })
}

fn task(event: TaskEvent) -> Result<Note, WireError> {
    let TaskEvent {
        id,
        kind,
        state,
        message,
        problem,
    } = event;
    Note::of::<notifications::Task>(&wire::TaskParams {
        id,
        kind: match kind {
            TaskKind::Refresh => wire::PlugdTaskKind::Refresh,
            TaskKind::CuratedSync => wire::PlugdTaskKind::CuratedSync,
            TaskKind::RemoteSync => wire::PlugdTaskKind::RemoteSync,
            TaskKind::Recovery => wire::PlugdTaskKind::Recovery,
        },
        state: match state {
            TaskState::Started => wire::TaskEventState::Started,
            TaskState::Done => wire::TaskEventState::Done,
            TaskState::Failed => wire::TaskEventState::Failed,
        },
        message,
        problem: problem.map(shared::problem),
    })
}

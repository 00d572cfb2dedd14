//! Events of the use cases as notifications.
//!
//! Changes are collected for a short time, since one request or one refresh speaks of several. A
//! slow client is told less often and never wrongly: what waits merges in the meantime.

use std::sync::Arc;
use std::time::Duration;

use plugd_plugins::call::Cancel;
use plugd_plugins::events::{Change, ChangeReason, EventStream, TaskEvent, TaskKind, TaskState};
use plugd_protocol as wire;
use plugd_protocol::notifications;

use crate::background::Background;
use crate::handlers::shared;
use crate::notify::Notifier;
use crate::reply::Note;
use crate::wire_error::WireError;

/// Sends events until `stop`, and then those that are left.
pub(crate) async fn pump(
    events: EventStream,
    notifier: Notifier,
    background: Arc<dyn Background>,
    debounce: Duration,
    stop: Cancel,
) {
    let mut pump = Pump {
        events,
        notifier,
        background,
        last: 0,
    };
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = pump.events.ready() => {}
        }
        pump.send_tasks().await;
        // What others did has waited for quiet already.
        if pump.events.has_changes() || pump.events.has_skills_changed() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(debounce) => {}
            }
        }
        pump.send_skills().await;
        pump.send_changes().await;
    }
    pump.send_tasks().await;
    pump.send_skills().await;
    pump.send_changes().await;
}

struct Pump {
    events: EventStream,
    notifier: Notifier,
    background: Arc<dyn Background>,
    /// The number of the last change that was told.
    last: u64,
}

impl Pump {
    async fn send_tasks(&mut self) {
        for event in self.events.take_tasks() {
            self.send(task(event)).await;
        }
    }

    async fn send_skills(&mut self) {
        if self.events.take_skills_changed() {
            let params = wire::SkillsChangedNotification {};
            let note = Note::of::<notifications::SkillsChanged>(&params);
            self.send(note).await;
        }
    }

    async fn send_changes(&mut self) {
        let (changes, look) = (self.events.take_changes(), self.events.take_look());
        if changes.is_empty() && !look {
            return;
        }
        for event in self.background.reconciled(changes).await {
            self.last += 1;
            self.send(change(self.last, event)).await;
        }
    }

    async fn send(&self, note: Result<Note, WireError>) {
        match note {
            Ok(note) => self.notifier.send(note).await,
            Err(error) => error.log("-", "notification"),
        }
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

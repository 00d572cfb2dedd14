//! What waits, merges and is lost.

use pretty_assertions::assert_eq;

use plugd_model::PluginId;

use super::{Change, ChangeReason, Events, MAX_NAMES, MAX_TASKS, TaskEvent, TaskKind, TaskState};

fn plugin(number: usize) -> PluginId {
    PluginId::parse(&format!("p{number}@m")).unwrap()
}

fn task(id: u64) -> TaskEvent {
    TaskEvent {
        id,
        kind: TaskKind::Refresh,
        state: TaskState::Started,
        message: None,
        problem: None,
    }
}

#[test]
fn changes_of_one_reason_merge() {
    let (events, mut stream) = Events::channel();
    let request = Change::new(ChangeReason::Request);
    events.changed(request.clone().plugin(plugin(1)));
    events.changed(request.clone().plugin(plugin(2)).config_key("plugins"));
    events.changed(Change::new(ChangeReason::Watcher).plugin(plugin(1)));
    let expected = vec![
        request
            .plugin(plugin(1))
            .plugin(plugin(2))
            .config_key("plugins"),
        Change::new(ChangeReason::Watcher).plugin(plugin(1)),
    ];
    assert_eq!(stream.take_changes(), expected);
    assert_eq!(stream.take_changes(), Vec::new());
}

#[test]
fn a_change_of_everything_swallows_names() {
    let (events, mut stream) = Events::channel();
    let everything = Change::new(ChangeReason::Refresh);
    events.changed(everything.clone().plugin(plugin(1)));
    events.changed(everything.clone());
    events.changed(everything.clone().plugin(plugin(2)));
    assert_eq!(stream.take_changes(), vec![everything]);
}

#[test]
fn too_many_names_become_everything() {
    let (events, mut stream) = Events::channel();
    for number in 0..=MAX_NAMES {
        events.changed(Change::new(ChangeReason::Sync).plugin(plugin(number)));
    }
    assert!(stream.take_changes()[0].is_everything());
    let many = (0..=MAX_NAMES).fold(Change::new(ChangeReason::Sync), |change, number| {
        change.plugin(plugin(number))
    });
    events.changed(many);
    assert!(stream.take_changes()[0].is_everything());
}

#[test]
fn the_oldest_task_message_goes_when_there_are_too_many() {
    let (events, mut stream) = Events::channel();
    for _ in 0..=MAX_TASKS {
        events.task(task(events.next_task()));
    }
    let tasks = stream.take_tasks();
    assert_eq!((tasks.len(), tasks[0].id), (MAX_TASKS, 2));
}

#[test]
fn nothing_is_kept_when_nobody_listens() {
    let events = Events::detached();
    events.changed(Change::new(ChangeReason::Request));
    events.task(task(1));
    let waiting = events.0.waiting();
    assert!(waiting.changes.is_empty() && waiting.tasks.is_empty());
}

#[test]
fn a_change_of_skills_is_told_once() {
    let (events, mut stream) = Events::channel();
    events.skills_changed();
    assert!(!stream.take_skills_changed());
    events.want_skills();
    events.skills_changed();
    events.skills_changed();
    assert!(stream.take_skills_changed());
    assert!(!stream.take_skills_changed());
    drop(stream);
    events.skills_changed();
    assert!(!events.0.waiting().skills);
}

#[test]
fn changes_that_bring_other_skills() {
    let check = |change: Change, expected: bool| {
        let (events, mut stream) = Events::channel();
        events.want_skills();
        events.changed(change.clone());
        assert_eq!(stream.take_skills_changed(), expected, "{change:?}");
    };
    let change = || Change::new(ChangeReason::Request);
    check(change(), true);
    check(change().plugin(plugin(1)), true);
    check(change().config_key("skills.config"), true);
    check(change().config_key("plugins.p@m.enabled"), true);
    check(change().config_key("model"), false);
}

#[tokio::test]
async fn whoever_asks_for_a_look_wakes_the_listener_once() {
    let (events, mut stream) = Events::channel();
    assert!(!events.changes_wanted());
    stream.want_changes();
    assert!(events.changes_wanted());
    events.look();
    events.look();
    stream.ready().await;
    assert!(stream.take_look());
    assert!(!stream.take_look());
}

#[tokio::test]
async fn the_listener_wakes_for_what_came_before_and_after() {
    let (events, mut stream) = Events::channel();
    events.task(task(1));
    stream.ready().await;
    assert_eq!(stream.take_tasks().len(), 1);
    let listening = tokio::spawn(async move {
        stream.ready().await;
        stream.has_changes()
    });
    events.changed(Change::new(ChangeReason::Request));
    assert!(listening.await.unwrap());
}

use plugd_plugins::call::{Cancel, Cancelled};
use plugd_plugins::{Error, RemoteError};
use pretty_assertions::assert_eq;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::until_told;
use crate::failure::Failure;
use crate::signals::Signal;

type Sender = UnboundedSender<Signal>;

fn cancelled() -> Failure {
    Error::Cancelled(Cancelled).into()
}

/// What the work came to when it does `work`; signals come from its sender.
async fn ended(
    cancel: &Cancel,
    work: impl AsyncFnOnce(Sender) -> Result<&'static str, Failure>,
) -> String {
    let (sender, mut signals): (Sender, UnboundedReceiver<Signal>) = unbounded_channel();
    let next = async || match signals.recv().await {
        Some(signal) => signal,
        None => std::future::pending().await,
    };
    match until_told(cancel, next, work(sender)).await {
        Ok(text) => text.to_owned(),
        Err(Failure::Interrupted(signal)) => format!("interrupted {signal:?}"),
        Err(Failure::Abandoned(signal)) => format!("abandoned {signal:?}"),
        Err(other) => other.to_string(),
    }
}

#[tokio::test]
async fn without_a_signal_nothing_is_cancelled() {
    let cancel = Cancel::new();
    let end = ended(&cancel, async |_| Ok("done")).await;
    assert_eq!((end.as_str(), cancel.is_cancelled()), ("done", false));
}

#[tokio::test]
async fn a_signal_cancels_and_the_clean_up_is_waited_for() {
    let cancel = Cancel::new();
    let (cleaned, mut is_clean) = unbounded_channel();
    let work = async |sender: Sender| {
        sender.send(Signal::Interrupt).unwrap();
        cancel.cancelled().await;
        tokio::task::yield_now().await;
        cleaned.send(()).unwrap();
        Err(cancelled())
    };
    assert_eq!(ended(&cancel, work).await, "interrupted Interrupt");
    is_clean.try_recv().unwrap();
}

#[tokio::test]
async fn behind_the_point_of_no_return_the_result_stands() {
    let cancel = Cancel::new();
    let work = async |sender: Sender| {
        cancel.seal().unwrap();
        sender.send(Signal::Interrupt).unwrap();
        tokio::task::yield_now().await;
        Ok("done")
    };
    assert_eq!(ended(&cancel, work).await, "done");
    assert!(!cancel.is_cancelled());
}

#[tokio::test]
async fn what_may_have_been_done_elsewhere_is_not_said_to_be_undone() {
    let cancel = Cancel::new();
    let work = async |sender: Sender| {
        cancel.seal().unwrap();
        sender.send(Signal::Interrupt).unwrap();
        tokio::task::yield_now().await;
        Err(Error::from(RemoteError::InDoubt { action: "try it" }).into())
    };
    let end = ended(&cancel, work).await;
    assert!(end.contains("may have been done there"), "{end}");
}

#[tokio::test]
async fn a_failure_of_its_own_stays_what_it_is() {
    let cancel = Cancel::new();
    let work = async |sender: Sender| {
        sender.send(Signal::Interrupt).unwrap();
        cancel.cancelled().await;
        Err(Failure::MarketplaceRequired {
            plugin: String::new(),
        })
    };
    let end = ended(&cancel, work).await;
    assert!(end.starts_with("plugin requires"), "{end}");
}

#[tokio::test]
async fn a_second_signal_leaves_the_work_behind() {
    let cancel = Cancel::new();
    let work = async |sender: Sender| {
        sender.send(Signal::Interrupt).unwrap();
        cancel.cancelled().await;
        sender.send(Signal::Terminate).unwrap();
        std::future::pending().await
    };
    assert_eq!(ended(&cancel, work).await, "abandoned Terminate");
}

#[test]
fn the_exit_code_names_the_signal() {
    let check = |failure: Failure, code, kind: &str| {
        assert_eq!(failure.exit_code(), code);
        assert_eq!(failure.json()["error"]["data"]["kind"], kind);
    };
    check(Failure::Interrupted(Signal::Interrupt), 130, "cancelled");
    check(Failure::Interrupted(Signal::Terminate), 143, "cancelled");
    check(Failure::Abandoned(Signal::Interrupt), 130, "internal");
}

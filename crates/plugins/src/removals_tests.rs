use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use plugd_disk::OperationKind;
use plugd_model::PluginId;
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;
use tokio::task::JoinHandle;

use crate::call::Call;
use crate::error_terms::Kind;
use crate::events::Events;
use crate::gathering::TOGETHER;
use crate::removals::remove_with_others;
use crate::uninstall::{Uninstalled, remove_several};
use crate::{Blocking, Copies, Error, Lookup, fixture};

const PLUGINS: [&str; 4] = ["a@m", "b@m", "c@m", "d@m"];

/// A home with plugins that some other program installed.
struct Home {
    sandbox: Sandbox,
    probe: Arc<RecordingProbe>,
    lookup: Lookup,
    copies: Copies,
    blocking: Blocking,
}

impl Home {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let mut config = "# mine\n".to_owned();
        for plugin in PLUGINS {
            let name = &plugin[..1];
            let manifest = format!("ch/plugins/cache/m/{name}/1/.codex-plugin/plugin.json");
            sandbox.add(&format!("== {manifest}\n{{\"name\":\"{name}\"}}\n"));
            config += &format!("\n[plugins.\"{plugin}\"]\nenabled = true\n");
        }
        sandbox.write("ch/config.toml", &config);
        let probe = RecordingProbe::new();
        let (lookup, copies) = fixture::probed(&sandbox, Arc::<RecordingProbe>::clone(&probe));
        let home = Self {
            sandbox,
            probe,
            lookup,
            copies,
            blocking: Blocking::new(8, 8),
        };
        // The directories that stay are there from here on.
        drop(
            home.copies
                .store()
                .unwrap()
                .hold_all(Duration::ZERO)
                .unwrap(),
        );
        home
    }

    /// Asks for a removal, which waits by the time this returns.
    async fn asks(&self, call: &Call, plugin: &str) -> JoinHandle<Result<Uninstalled, Error>> {
        let before = self.copies.removals().came();
        let (call, id, blocking) = (call.clone(), id(plugin), self.blocking.clone());
        let (lookup, copies) = (self.lookup.clone(), self.copies.clone());
        let asked = tokio::spawn(async move {
            let of = (&blocking, &lookup, &copies);
            remove_with_others(&call, of, &Events::detached(), id).await
        });
        while self.copies.removals().came() == before {
            tokio::task::yield_now().await;
        }
        asked
    }

    /// Does something while another process holds the store's lock.
    async fn meanwhile<T>(&self, work: impl Future<Output = T>) -> T {
        let held = fixture::held_by_another(&self.sandbox);
        let done = work.await;
        drop(held);
        done
    }

    fn config(&self) -> String {
        self.sandbox.text("ch/config.toml")
    }

    /// Which of the plugins are there.
    fn copies(&self) -> Vec<&str> {
        let is_there = |plugin: &&str| {
            let name = &plugin[..1];
            self.sandbox.exists(&format!("ch/plugins/cache/m/{name}"))
        };
        PLUGINS.into_iter().filter(is_there).collect()
    }

    /// How often the configuration was written.
    fn edits(&self) -> usize {
        let config = self.sandbox.path("ch/config.toml");
        let operations = self.probe.operations().into_iter();
        let edits = operations.filter(|one| {
            matches!(one.kind, OperationKind::Exchange | OperationKind::Rename)
                && (one.path == config || one.other.as_ref() == Some(&config))
        });
        edits.count()
    }

    fn leftovers(&self) -> String {
        fixture::leftovers(&self.sandbox)
    }
}

fn id(text: &str) -> PluginId {
    PluginId::parse(text).unwrap()
}

#[track_caller]
fn check(answer: Result<Uninstalled, Error>, plugin: &str, changed: bool) {
    let answer = answer.unwrap();
    assert_eq!((answer.id, answer.changed), (Some(id(plugin)), changed));
}

#[tokio::test]
async fn those_who_wait_share_a_transaction_and_each_is_told_his_own() {
    let home = Home::new();
    let asked = home
        .meanwhile(async {
            let mut asked = Vec::new();
            for plugin in ["a@m", "absent@m", "c@m", "a@m"] {
                asked.push((plugin, home.asks(&Call::detached(), plugin).await));
            }
            home.probe.reset();
            asked
        })
        .await;
    for (number, (plugin, asked)) in asked.into_iter().enumerate() {
        // Who asks for the same plugin again finds nothing.
        check(asked.await.unwrap(), plugin, [0, 2].contains(&number));
    }
    assert_eq!(home.copies(), ["b@m", "d@m"]);
    assert_eq!(
        home.config(),
        "# mine\n\n[plugins.\"b@m\"]\nenabled = true\n\n[plugins.\"d@m\"]\nenabled = true\n"
    );
    assert_eq!(home.leftovers(), "");
    // One edit for the first three, and none for the last.
    assert_eq!(home.edits(), 1);
}

/// One section at a time, so that nobody else serves whom the first round leaves.
#[tokio::test]
async fn whom_the_first_round_leaves_is_served_by_his_own() {
    let mut home = Home::new();
    home.blocking = Blocking::new(1, 1);
    let mut asked = Vec::new();
    for number in 0..=TOGETHER {
        asked.push(home.asks(&Call::detached(), &format!("p{number}@m")).await);
    }
    asked.push(home.asks(&Call::detached(), "a@m").await);
    asked.push(home.asks(&Call::detached(), "a@m").await);
    let mut changed = Vec::new();
    for asked in asked {
        changed.push(asked.await.unwrap().unwrap().changed);
    }
    let (others, last) = changed.split_last_chunk::<2>().unwrap();
    assert_eq!(others, [false; TOGETHER + 1]);
    assert_eq!(last, &[true, false]);
}

#[tokio::test]
async fn who_is_not_wanted_any_more_keeps_his_plugin_and_holds_up_nobody() {
    let home = Home::new();
    let (asked, cancelled, gone) = home
        .meanwhile(async {
            let call = Call::detached();
            let first = home.asks(&Call::detached(), "a@m").await;
            let second = home.asks(&call, "b@m").await;
            let third = home.asks(&Call::detached(), "c@m").await;
            let fourth = home.asks(&Call::detached(), "d@m").await;
            assert!(call.cancel.cancel());
            // A client that goes away takes its request with it: it is gone when the handle says so.
            third.abort();
            let gone = third.await.unwrap_err();
            ([(first, "a@m"), (fourth, "d@m")], second, gone)
        })
        .await;
    for (asked, plugin) in asked {
        check(asked.await.unwrap(), plugin, true);
    }
    let refused = cancelled.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), Kind::Cancelled, "{refused:?}");
    assert!(gone.is_cancelled());
    assert_eq!(home.copies(), ["b@m", "c@m"]);
    assert_eq!(home.leftovers(), "");
}

#[tokio::test]
async fn a_plugin_that_cannot_go_keeps_no_other_one() {
    let home = Home::new();
    home.sandbox.remove("ch/plugins/cache/m/b");
    home.sandbox.add("== ch/plugins/cache/m/b\na file\n");
    let asked = home
        .meanwhile(async {
            let mut asked = Vec::new();
            for plugin in PLUGINS {
                asked.push((plugin, home.asks(&Call::detached(), plugin).await));
            }
            asked
        })
        .await;
    for (plugin, asked) in asked {
        match (plugin, asked.await.unwrap()) {
            ("b@m", answer) => {
                let told = answer.unwrap_err().to_string();
                assert!(told.contains("b@m"), "{told}");
            }
            (plugin, answer) => check(answer, plugin, true),
        }
    }
    assert_eq!(home.copies(), ["b@m"]);
    assert!(home.config().contains("b@m") && !home.config().contains("a@m"));
    assert_eq!(home.leftovers(), "");
}

#[tokio::test]
async fn who_does_not_get_the_lock_says_so_and_changes_nothing() {
    let home = Home::new();
    let refused = home
        .meanwhile(async {
            let call = Call::detached();
            call.waits.take(Duration::from_secs(3600));
            home.asks(&call, "a@m").await.await.unwrap()
        })
        .await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(home.copies(), PLUGINS);
}

#[test]
fn several_go_together_and_where_one_cannot_those_before_it() {
    let home = Home::new();
    let (call, ids) = (Call::detached(), PLUGINS.map(id));
    let store = home.copies.store().unwrap();
    home.probe.reset();
    let (gone, ended) = remove_several(&call, &home.lookup, store, &ids[2..]);
    ended.unwrap();
    let gone: Vec<_> = gone.into_iter().filter_map(|one| one.id).collect();
    assert_eq!((gone.as_slice(), home.edits()), (&ids[2..], 1));

    home.sandbox.remove("ch/plugins/cache/m/b");
    home.sandbox.add("== ch/plugins/cache/m/b\na file\n");
    let (gone, ended) = remove_several(&call, &home.lookup, store, &ids);
    let told = ended.unwrap_err().to_string();
    assert!(told.contains("b@m"), "{told}");
    assert_eq!((gone.len(), home.copies()), (1, vec!["b@m"]));
}

use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use plugd_disk::{Operation, OperationKind, Probe};
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::call::Call;
use crate::fixture::Refusing;
use crate::install::{Step, Target, step};
use crate::install_why::Why;
use crate::{Copies, Error, Lookup, Sight, fixture};

const PLUGINS: [&str; 3] = ["a", "b", "c"];

struct Home {
    sandbox: Sandbox,
    lookup: Lookup,
    copies: Copies,
}

impl Home {
    /// One with plugins on offer, in which the directories that stay are there.
    fn new(probe: impl FnOnce(&Sandbox) -> Arc<dyn Probe>) -> Self {
        let sandbox = Sandbox::from("== ch/config.toml\n# mine\n");
        let mut entries = Vec::new();
        for name in PLUGINS {
            sandbox.add(&format!(
                "== m/{name}/.codex-plugin/plugin.json\n{{\"name\":\"{name}\",\"version\":\"1\"}}\n"
            ));
            entries.push(format!("{{\"name\":\"{name}\",\"source\":\"./{name}\"}}"));
        }
        let entries = entries.join(",");
        sandbox.add(&format!(
            "== {MANIFEST}\n{{\"name\":\"m\",\"plugins\":[{entries}]}}\n"
        ));
        let (lookup, copies) = fixture::probed(&sandbox, probe(&sandbox));
        let store = copies.store().unwrap();
        drop(store.hold_all(Duration::ZERO).unwrap());
        Self {
            sandbox,
            lookup,
            copies,
        }
    }

    /// Begins the installation of a plugin, which waits for the lock by the time this returns.
    fn asks(&self, call: &Call, name: &str) -> JoinHandle<Result<String, Error>> {
        self.asks_for(call, name, |_| Why::Request)
    }

    fn asks_for(
        &self,
        call: &Call,
        name: &str,
        why: fn(&[Sight]) -> Why<'_>,
    ) -> JoinHandle<Result<String, Error>> {
        let before = self.copies.activations().came();
        let target = Target::Named {
            manifest: self.sandbox.path(MANIFEST),
            plugin: name.to_owned(),
        };
        let (call, lookup, copies) = (call.clone(), self.lookup.clone(), self.copies.clone());
        let asked = thread::spawn(move || {
            let sight = Sight {
                cwd: None,
                config: lookup.config(None),
            };
            let why = why(std::slice::from_ref(&sight));
            match step(&call, &lookup, &copies, &target, why, None)? {
                Step::Done(done) => Ok(done.id.to_string()),
                Step::Fetch { .. } => unreachable!("the source is here"),
            }
        });
        while self.copies.activations().came() == before {
            thread::yield_now();
        }
        asked
    }

    /// Does something while another process holds the store's lock.
    fn meanwhile<T>(&self, work: impl FnOnce() -> T) -> T {
        let held = fixture::held_by_another(&self.sandbox);
        let done = work();
        drop(held);
        done
    }

    fn config(&self) -> String {
        self.sandbox.text("ch/config.toml")
    }

    fn installed(&self) -> Vec<String> {
        let (copies, problems) = self.copies.store().unwrap().list().unwrap();
        assert_eq!(problems, []);
        copies.iter().map(|copy| copy.id.to_string()).collect()
    }

    fn leftovers(&self) -> String {
        fixture::leftovers(&self.sandbox)
    }
}

const MANIFEST: &str = "m/.agents/plugins/marketplace.json";

fn recorded() -> (Home, Arc<RecordingProbe>) {
    let probe = RecordingProbe::new();
    let seen = Arc::clone(&probe);
    (Home::new(|_| seen), probe)
}

fn config_of(plugins: &[&str]) -> String {
    let rows = plugins.iter();
    let rows = rows.map(|name| format!("\n[plugins.\"{name}@m\"]\nenabled = true\n"));
    format!("# mine\n{}", rows.collect::<String>())
}

#[test]
fn those_who_wait_share_a_transaction_and_each_is_told_his_own() {
    let (home, probe) = recorded();
    let asked = home.meanwhile(|| {
        let asked = PLUGINS.map(|name| home.asks(&Call::detached(), name));
        probe.reset();
        asked
    });
    let told = asked.map(|asked| asked.join().unwrap().unwrap());
    assert_eq!(told, ["a@m", "b@m", "c@m"]);
    assert_eq!(home.installed(), told);
    assert_eq!(home.config(), config_of(&PLUGINS));
    assert_eq!(home.leftovers(), "");
    assert_eq!(fixture::journals(&home.sandbox, &probe), 1);
}

#[test]
fn who_is_given_up_or_no_longer_configured_comes_not_and_holds_up_nobody() {
    let (home, _) = recorded();
    let call = Call::detached();
    let [cancelled, configured, asked] = home.meanwhile(|| {
        let asked = [
            home.asks(&call, "a"),
            home.asks_for(&Call::detached(), "b", |scopes| Why::Configured {
                scopes,
                repaired_from: None,
            }),
            home.asks(&Call::detached(), "c"),
        ];
        assert!(call.cancel.cancel());
        asked
    });
    assert_eq!(
        cancelled.join().unwrap().unwrap_err().kind(),
        crate::Kind::Cancelled
    );
    let refused = configured.join().unwrap().unwrap_err();
    assert!(
        matches!(refused, Error::NoLongerConfigured { .. }),
        "{refused:?}"
    );
    assert_eq!(asked.join().unwrap().unwrap(), "c@m");
    assert_eq!(home.installed(), ["c@m"]);
    assert_eq!(home.config(), config_of(&["c"]));
    assert_eq!(home.leftovers(), "");
}

#[test]
fn whoever_was_overtaken_keeps_no_other_one_from_his_place() {
    let (home, _) = recorded();
    let [first, second, third] = home.meanwhile(|| {
        let asked = PLUGINS.map(|name| home.asks(&Call::detached(), name));
        let place = "ch/plugins/cache/m/b/7/.codex-plugin/plugin.json";
        home.sandbox
            .add(&format!("== {place}\n{{\"name\":\"b\"}}\n"));
        asked
    });
    assert_eq!(first.join().unwrap().unwrap(), "a@m");
    assert!(second.join().unwrap().unwrap_err().is_superseded());
    assert_eq!(third.join().unwrap().unwrap(), "c@m");
    assert_eq!(home.leftovers(), "");
}

impl Home {
    /// All plugins at the same time.
    fn all(&self) -> [Result<String, Error>; 3] {
        let asked = self.meanwhile(|| PLUGINS.map(|name| self.asks(&Call::detached(), name)));
        asked.map(|asked| asked.join().unwrap())
    }
}

#[test]
fn what_fails_late_takes_all_back_and_each_begins_again_by_itself() {
    let home = Home::new(|sandbox| Refusing::new(sandbox, "ch/config.toml", 1));
    for (error, name) in home.all().into_iter().zip(["a@m", "b@m", "c@m"]) {
        let error = error.unwrap_err();
        assert!(error.is_to_be_repeated() && !error.is_superseded());
        assert!(matches!(error, Error::TakenBack { id } if id.to_string() == name));
    }
    assert_eq!(
        (home.installed(), home.config()),
        (Vec::new(), config_of(&[]))
    );
    assert_eq!(home.leftovers(), "");

    assert_eq!(home.all().map(Result::unwrap), ["a@m", "b@m", "c@m"]);
    assert_eq!(home.config(), config_of(&PLUGINS));
}

/// Without a configuration too, whose lock taking back needs then.
#[test]
fn whoever_is_to_blame_is_told_and_the_others_come() {
    for config in ["# mine\n", ""] {
        let home = Home::new(|sandbox| Refusing::new(sandbox, "ch/plugins/cache/m/b", 2));
        if config.is_empty() {
            home.sandbox.remove("ch/config.toml");
        }
        for error in home.all() {
            assert!(matches!(error.unwrap_err(), Error::TakenBack { .. }));
        }
        assert_eq!(
            (home.installed(), home.leftovers()),
            (Vec::new(), String::new())
        );
        let [first, second, third] = home.all();
        assert_eq!(
            (first.unwrap(), third.unwrap()),
            ("a@m".to_owned(), "c@m".to_owned())
        );
        assert!(matches!(second.unwrap_err(), Error::Store { id, .. } if id.to_string() == "b@m"));
        assert_eq!(home.installed(), ["a@m", "c@m"]);
        assert_eq!(home.leftovers(), "");
    }
}

/// Asks at every sync and every file that is copied whether somebody is served.
#[derive(Default)]
struct Asking {
    copies: OnceLock<Copies>,
    seen: Mutex<Vec<(OperationKind, bool)>>,
}

impl Probe for Asking {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let kinds = [OperationKind::Copy, OperationKind::SyncFile];
        if let Some(copies) = self.copies.get()
            && kinds.contains(&operation.kind)
        {
            let is_serving = copies.activations().is_serving();
            self.seen.lock().unwrap().push((operation.kind, is_serving));
        }
        Ok(())
    }
}

#[test]
fn it_shows_while_somebody_is_served() {
    let probe = Arc::new(Asking::default());
    let home = Home::new(|_| Arc::<Asking>::clone(&probe));
    drop(probe.copies.set(home.copies.clone()));
    home.asks(&Call::detached(), "a").join().unwrap().unwrap();
    let seen = std::mem::take(&mut *probe.seen.lock().unwrap());
    assert!(seen.contains(&(OperationKind::Copy, false)), "{seen:?}");
    assert!(seen.contains(&(OperationKind::SyncFile, true)), "{seen:?}");
    let is_as_it_should =
        |(kind, served): &(_, bool)| *served == (*kind == OperationKind::SyncFile);
    assert!(seen.iter().all(is_as_it_should), "{seen:?}");
    assert!(!home.copies.activations().is_serving());
}

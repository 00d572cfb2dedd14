//! Many daemons at work on one home at once, each with random requests of its own.
//!
//! Every answered success must be part of the end, unless a later one undid it: what each key, copy
//! and row is in the end must be what some order of all requests leads to. With a foreign program
//! that edits the configuration meanwhile and takes no lock, nothing of what it wrote may go.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Sandbox};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::foreign_writer::{Manner, Met, Pace, edit_until};
use crate::history::History;
use crate::home;
use crate::stock::Stock;
use crate::tally::{Scale, Tally};

/// An answer that takes longer means that somebody waits for ever: a request waits for others 30 s in
/// all, and what it does itself takes far less than the rest.
const DEADLINE: Duration = Duration::from_secs(45);

/// Plugins that follow a catalog which moves.
const FOLLOWERS: [&str; 2] = ["first", "second"];
/// Plugins of which every daemon has versions of its own, in catalogs of one name.
const CONTESTED: [&str; 2] = ["tool", "lamp"];
/// Keys that everybody writes.
const SHARED: [&str; 3] = ["shared.one", "shared.two.deep", "ui.width"];
/// So far apart are the numbers of the versions that two daemons install.
const APART: u64 = 10_000;

struct World {
    sandbox: Sandbox,
    followed: Mutex<Stock>,
    /// One for each daemon, all of the name `demo`.
    own: Vec<Mutex<Stock>>,
    beta: Stock,
    keys: History<u64>,
    copies: History<Option<u64>>,
    rows: History<bool>,
    next: AtomicU64,
    answered: AtomicU64,
    refused: AtomicU64,
    slowest: Mutex<Duration>,
    overwritten: AtomicU64,
    is_foreign: bool,
}

/// Eight and sixteen daemons, without a foreign program.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for round in 0..scale.pick(1, 6) {
        for daemons in [8, 16] {
            let requests = scale.pick(48 / daemons, 40);
            let dice = Dice::new(scale.seed(), "many_daemons").of(100 * round + daemons);
            World::open(daemons, false).race(&mut tally, daemons, requests, None, &dice);
        }
    }
    tally
}

/// The same beside a foreign program that replaces the file.
pub(crate) fn run_beside_renames(scale: Scale) -> Tally {
    beside(scale, Manner::Rename, Pace::Disk)
}

/// The same beside a foreign program that writes into the file.
pub(crate) fn run_beside_writes(scale: Scale) -> Tally {
    beside(scale, Manner::InPlace, Pace::Disk)
}

/// The same beside one that replaces the file faster than an edit of ours is made durable.
pub(crate) fn run_beside_fast_renames(scale: Scale) -> Tally {
    beside(scale, Manner::Rename, Pace::Fast)
}

/// The same beside one that writes into the file so fast.
pub(crate) fn run_beside_fast_writes(scale: Scale) -> Tally {
    beside(scale, Manner::InPlace, Pace::Fast)
}

fn beside(scale: Scale, manner: Manner, pace: Pace) -> Tally {
    let mut tally = Tally::default();
    for round in 0..scale.pick(1, 6) {
        // Beside a fast one every edit takes its time, on a machine under load seconds.
        let daemons = match pace {
            Pace::Disk if round % 2 == 1 => 16,
            Pace::Disk => 8,
            Pace::Fast => scale.pick(4, 8),
        };
        let requests = scale.pick(3, 10);
        let dice = Dice::new(scale.seed(), "beside_others").of(100 * round + daemons);
        World::open(daemons, true).race(&mut tally, daemons, requests, Some((manner, pace)), &dice);
    }
    tally
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set(key: &str, value: u64) -> Value {
    json!({"keyPath": key, "value": value, "mergeStrategy": "replace"})
}

impl World {
    fn open(daemons: u64, is_foreign: bool) -> Self {
        let sandbox = Sandbox::new();
        let rows = "[marketplaces.alpha]\nsource_type = \"local\"\nsource = \"$ROOT/alpha\"\n\
                    [marketplaces.demo]\nsource_type = \"local\"\nsource = \"$ROOT/own-0\"\n";
        let config = home::foreign_config() + &sandbox.expand(rows);
        sandbox.write("ch/config.toml", config);
        let own = (0..daemons).map(|number| {
            let dir = format!("own-{number}");
            Stock::open(&sandbox, &dir, "demo", &CONTESTED, number * APART)
        });
        Self {
            followed: Mutex::new(Stock::open(&sandbox, "alpha", "alpha", &FOLLOWERS, 0)),
            own: own.map(Mutex::new).collect(),
            beta: Stock::open(&sandbox, "beta", "beta", &["other"], 0),
            sandbox,
            keys: History::new(),
            copies: History::new(),
            rows: History::new(),
            next: AtomicU64::new(1),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            slowest: Mutex::default(),
            overwritten: AtomicU64::new(0),
            is_foreign,
        }
    }

    fn race(
        &self,
        tally: &mut Tally,
        daemons: u64,
        requests: u64,
        foreign: Option<(Manner, Pace)>,
        dice: &Dice,
    ) {
        let (still_on, over) = mpsc::channel();
        let mut met = None;
        thread::scope(|scope| {
            let foreign = foreign.map(|(manner, pace)| {
                let dice = dice.clone();
                scope.spawn(move || edit_until(&self.sandbox, manner, pace, dice, &over))
            });
            let workers: Vec<_> = (0..daemons)
                .map(|number| {
                    let dice = dice.of(number);
                    scope.spawn(move || self.work(number, requests, dice))
                })
                .collect();
            for worker in workers {
                let (answered, failed) = worker.join().unwrap();
                tally.passed(answered);
                if let Some(failed) = failed {
                    tally.attempt("a request", || panic!("{failed}"));
                }
            }
            drop(still_on);
            met = foreign.map(|foreign| foreign.join().unwrap());
        });
        tally.attempt("the end", || self.check_the_end());
        let refused = self.refused.load(Ordering::Relaxed);
        if refused > 0 {
            tally.note(format!("{refused} refused as contended"));
        }
        let slowest = lock(&self.slowest).as_secs_f64();
        tally.note(format!("slowest answer {slowest:.1} s"));
        if matches!(foreign, Some((_, Pace::Fast))) {
            // Being refused is allowed, and beside a program that pauses it is the exception.
            let answered = self.answered.load(Ordering::Relaxed);
            tally.attempt("the edits of a world", || {
                assert!(refused <= answered, "{refused} refused, {answered} made");
            });
        }
        if let Some(met) = met {
            self.tell(tally, met);
        }
    }

    fn tell(&self, tally: &mut Tally, met: Met) {
        tally.passed(met.edits);
        for lost in met.lost {
            tally.fail(format!("a foreign edit was lost {lost}"));
        }
        let overwritten = self.overwritten.load(Ordering::Relaxed);
        let rescued = home::beside_the_config(&self.sandbox).len();
        tally.note(format!(
            "{} foreign edits, which overwrote {overwritten} of ours, {rescued} rescued",
            met.edits
        ));
    }
}

/// What came of one request.
enum Outcome {
    Done(Value),
    /// Somebody else was at it for too long; nothing was changed.
    Contended,
    /// What was to be removed is not there.
    NotThere,
}

impl World {
    /// The requests of one daemon; answers how many went well, and what did not.
    fn work(&self, number: u64, requests: u64, mut dice: Dice) -> (u64, Option<String>) {
        let mut done = 0;
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let mut daemon = home::listening(&self.sandbox, DEADLINE);
            for _ in 0..requests {
                self.one(&mut daemon, number, &mut dice);
                done += 1;
            }
            daemon.shut_down();
        }));
        let failed = worked
            .err()
            .map(|panic| match panic.downcast_ref::<String>() {
                Some(text) => format!("daemon {number}: {text}"),
                None => format!("daemon {number}: a panic without text"),
            });
        (done, failed)
    }

    fn one(&self, daemon: &mut Daemon, number: u64, dice: &mut Dice) {
        match dice.below(14) {
            0..=2 => self.write_own(daemon, number),
            3 | 4 => self.write_shared(daemon, dice),
            5 | 6 => self.install_own(daemon, number, dice),
            7 => self.uninstall(daemon, &format!("{}@demo", dice.pick(&CONTESTED))),
            8 => self.uninstall(daemon, &format!("{}@alpha", dice.pick(&FOLLOWERS))),
            9 => self.install_followed(daemon, dice),
            10 => self.add_or_remove(daemon, dice),
            11 => {
                let plugin = *dice.pick(&FOLLOWERS);
                lock(&self.followed).advance(&self.sandbox, plugin);
                daemon.ok("plugin/list", json!({}));
            }
            12 => self.look(daemon),
            _ => {
                let params = json!({"lease": true});
                if let Outcome::Done(loaded) = self.ask(daemon, "plugd/components", params) {
                    let params = json!({"leaseId": loaded["leaseId"]});
                    self.ask(daemon, "plugd/release", params);
                }
            }
        }
    }

    /// Any other refusal than these two is a failure.
    fn ask(&self, daemon: &mut Daemon, method: &str, params: Value) -> Outcome {
        let asked = Instant::now();
        let mut answer = daemon.call(method, params);
        {
            let mut slowest = lock(&self.slowest);
            *slowest = slowest.max(asked.elapsed());
        }
        if let Some(result) = answer.get_mut("result") {
            self.answered.fetch_add(1, Ordering::Relaxed);
            return Outcome::Done(result.take());
        }
        match answer["error"]["data"]["kind"].as_str() {
            Some("conflict") => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Outcome::Contended
            }
            Some("notFound") if method == "marketplace/remove" => Outcome::NotThere,
            _ => panic!("{method}: {answer:#}"),
        }
    }

    fn write_own(&self, daemon: &mut Daemon, number: u64) {
        let asked = Instant::now();
        let value = self.next.fetch_add(1, Ordering::Relaxed);
        let key = format!("own.d{number}");
        let Outcome::Done(_) = self.ask(daemon, "config/value/write", set(&key, value)) else {
            return;
        };
        self.keys.wrote(&key, asked, value);
        // Nobody else writes this key.
        let config = daemon.ok("config/read", json!({}));
        let found = &config["config"]["own"][format!("d{number}")];
        if *found != value {
            assert!(
                self.is_foreign,
                "{key} is {found} after {value} was answered"
            );
            self.overwritten.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write_shared(&self, daemon: &mut Daemon, dice: &mut Dice) {
        let asked = Instant::now();
        let value = self.next.fetch_add(1, Ordering::Relaxed);
        let key = *dice.pick(&SHARED);
        if let Outcome::Done(_) = self.ask(daemon, "config/value/write", set(key, value)) {
            self.keys.wrote(key, asked, value);
        }
    }

    fn install_own(&self, daemon: &mut Daemon, number: u64, dice: &mut Dice) {
        let plugin = *dice.pick(&CONTESTED);
        let mut stock = lock(&self.own[usize::try_from(number).unwrap()]);
        // The catalog of the first one is configured, so a refresh would follow it.
        let version = match number {
            0 => stock.offered(plugin),
            _ => stock.advance(&self.sandbox, plugin),
        };
        let asked = Instant::now();
        let params =
            json!({"marketplacePath": stock.manifest(&self.sandbox), "pluginName": plugin});
        if let Outcome::Done(_) = self.ask(daemon, "plugin/install", params) {
            self.copies
                .wrote(&format!("{plugin}@demo"), asked, Some(version));
        }
    }

    fn install_followed(&self, daemon: &mut Daemon, dice: &mut Dice) {
        let plugin = *dice.pick(&FOLLOWERS);
        let manifest = lock(&self.followed).manifest(&self.sandbox);
        let asked = Instant::now();
        let params = json!({"marketplacePath": manifest, "pluginName": plugin});
        if let Outcome::Done(_) = self.ask(daemon, "plugin/install", params) {
            self.rows.wrote(&format!("{plugin}@alpha"), asked, true);
        }
    }

    fn uninstall(&self, daemon: &mut Daemon, id: &str) {
        let asked = Instant::now();
        if let Outcome::Done(_) = self.ask(daemon, "plugin/uninstall", json!({"pluginId": id})) {
            match id.ends_with("@demo") {
                true => self.copies.wrote(id, asked, None),
                false => self.rows.wrote(id, asked, false),
            }
        }
    }

    fn add_or_remove(&self, daemon: &mut Daemon, dice: &mut Dice) {
        let asked = Instant::now();
        if dice.below(2) == 0 {
            let source = self.sandbox.path("beta").to_text();
            let outcome = self.ask(daemon, "marketplace/add", json!({"source": source}));
            if let Outcome::Done(_) = outcome {
                self.rows.wrote("beta", asked, true);
            }
        } else {
            let params = json!({"marketplaceName": "beta"});
            if let Outcome::Done(_) = self.ask(daemon, "marketplace/remove", params) {
                self.rows.wrote("beta", asked, false);
            }
        }
    }

    /// Whoever looks in the middle of it sees whole plugins and nothing strange.
    fn look(&self, daemon: &mut Daemon) {
        let listing = daemon.ok("plugin/installed", json!({}));
        for plugin in home::plugins_in(&listing) {
            if self.is_foreign || plugin["id"] == home::GHOST {
                continue;
            }
            assert!(plugin["installedVersion"].is_string(), "{plugin:#}");
            // Each daemon installs from a marketplace of its own, and all of them have one name.
            let mut problems = plugin["problems"].as_array().unwrap().iter();
            assert!(problems.all(|one| one["kind"] == "conflict"), "{plugin:#}");
        }
    }

    fn check_the_end(&self) {
        let mut daemon = home::listening(&self.sandbox, DEADLINE);
        if self.is_foreign {
            // Which of our edits it overwrote is its own affair.
            daemon.ok("config/value/write", set("own.last", 0));
        }
        daemon.ok("plugin/list", json!({}));
        daemon.wait_notification("plugd/task", |task| {
            task["kind"] == "refresh" && task["state"] != "started"
        });
        let config = daemon.ok("config/read", json!({}))["config"].take();
        home::check_config(&self.sandbox, &config);
        let followed = lock(&self.followed);
        let own: Vec<_> = self.own.iter().map(lock).collect();
        let mut stocks: Vec<&Stock> = own.iter().map(|stock| &**stock).collect();
        stocks.extend([&*followed, &self.beta]);
        let installed = home::whole(&self.sandbox, &stocks);
        if !self.is_foreign {
            self.check_the_order(&config, &installed, &followed);
        }
        daemon.ok("config/value/write", set("own.last", 1));
        let params =
            json!({"marketplacePath": self.beta.manifest(&self.sandbox), "pluginName": "other"});
        daemon.ok("plugin/install", params);
        daemon.shut_down();
        home::nothing_left(&self.sandbox);
        home::healthy(&self.sandbox);
    }

    fn check_the_order(&self, config: &Value, installed: &BTreeMap<String, u64>, followed: &Stock) {
        home::enabled_as_installed(config, installed);
        for plugin in CONTESTED {
            let id = format!("{plugin}@demo");
            self.copies.check(&id, &installed.get(&id).copied());
        }
        for plugin in FOLLOWERS {
            let id = format!("{plugin}@alpha");
            let found = installed.get(&id);
            self.rows.check(&id, &found.is_some());
            // The last refresh has seen the last catalog.
            let offered = followed.offered(plugin);
            assert!(
                found.is_none_or(|found| *found == offered),
                "{id}: {found:?} of {offered}"
            );
        }
        self.rows
            .check("beta", &config["marketplaces"].get("beta").is_some());
        let own = (0..self.own.len()).map(|number| format!("own.d{number}"));
        for key in own.chain(SHARED.map(str::to_owned)) {
            let found = config.pointer(&format!("/{}", key.replace('.', "/")));
            let found = found.and_then(Value::as_u64).unwrap_or_default();
            self.keys.check(&key, &found);
        }
    }
}

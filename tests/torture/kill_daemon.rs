//! SIGKILL of the real daemon at a random moment, again and again on homes that live on.
//!
//! A daemon gets a handful of requests at once and dies after a random number of answers and a
//! random while. What was answered must be there, what was not may be, and nothing may be half: the
//! next daemon must find, within a second, a home in which everything holds that always holds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Sandbox, tree};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::home;
use crate::kill_operation::{SOON, SOON_BESIDE_TESTS};
use crate::stock::{Stock, version_of};
use crate::tally::{Scale, Tally};

/// How long anything may take that must not hang.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after the answer that was waited for the kill comes, at most.
const LONGEST_WHILE: u64 = 25_000;
/// How many kills one home survives before the next one begins.
const KILLS_PER_HOME: u64 = 50;

/// The whole home is examined, digests and all, after one kill of so many.
const EVERY: u64 = 8;

const PLUGINS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
/// How many kinds of requests there are.
const ALL: u64 = 12;
/// How many of them, the first ones, are about copies.
const COPIES: u64 = 4;

/// Keys of every form; two of them stand in foreign lines.
const KEYS: [&str; 4] = ["torture.a", "torture.b", "ui.width", "editor.tab"];
/// Keys that are only ever written together.
const PAIR: [&str; 2] = ["pair.left", "pair.right.deep"];

/// What is asked, and what must hold once it has been answered.
#[derive(Debug, Clone)]
enum Asked {
    /// The catalog offered this version or a later one.
    Install(&'static str, u64),
    Uninstall(&'static str),
    Write(&'static str, u64),
    WritePair(u64),
    Add,
    Remove,
    /// Changes nothing that anybody asked for.
    Other,
}

/// What a home was when it was last looked at.
struct Model {
    alpha: Stock,
    beta: Stock,
    /// The number of the installed version.
    installed: BTreeMap<String, u64>,
    /// The values of all keys that are written.
    values: BTreeMap<&'static str, Option<u64>>,
    has_beta: bool,
    /// Values are never used twice.
    next: u64,
}

struct Run {
    sandbox: Sandbox,
    model: Model,
    dice: Dice,
    figures: Figures,
}

/// For the row of the table.
#[derive(Debug, Default)]
struct Figures {
    /// How long a new daemon may take to its first whole listing.
    soon: Duration,
    slowest: Duration,
    answered: usize,
    cut: usize,
    /// How many transactions of several plugins were cut off.
    together: usize,
}

/// Kills, and looks at what is left.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let dice = Dice::new(scale.seed(), "kill_daemon");
    let figures = Figures {
        soon: scale.pick(SOON_BESIDE_TESTS, SOON),
        ..Figures::default()
    };
    let mut run = Run::new(dice.of(0), figures);
    for kill in 0..scale.pick(25, 1_200) {
        let before = tally.failed();
        tally.attempt(format!("kill {kill}"), || run.one());
        // What the next kills find in a home that is not whole would say nothing new.
        if tally.failed() > before || kill % KILLS_PER_HOME == KILLS_PER_HOME - 1 {
            run = Run::new(dice.of(kill + 1), run.figures);
        }
    }
    let Figures {
        slowest,
        answered,
        cut,
        together,
        ..
    } = run.figures;
    tally.note(format!("slowest recovery {} ms", slowest.as_millis()));
    tally.note(format!("{answered} requests answered, {cut} cut off"));
    tally.note(format!(
        "{together} transactions of several plugins cut off"
    ));
    tally
}

impl Run {
    fn new(dice: Dice, figures: Figures) -> Self {
        let sandbox = Sandbox::new();
        let rows = "[marketplaces.alpha]\nsource_type = \"local\"\nsource = \"$ROOT/alpha\"\n";
        let config = home::foreign_config() + &sandbox.expand(rows);
        sandbox.write("ch/config.toml", config);
        let model = Model {
            alpha: Stock::open(&sandbox, "alpha", "alpha", &PLUGINS, 0),
            beta: Stock::open(&sandbox, "beta", "beta", &["other"], 0),
            installed: BTreeMap::new(),
            values: BTreeMap::from([("ui.width", Some(0)), ("editor.tab", Some(0))]),
            has_beta: false,
            next: 1,
        };
        Self {
            sandbox,
            model,
            dice,
            figures,
        }
    }

    /// One daemon dies and the next one is looked at.
    fn one(&mut self) {
        let mut daemon = home::listening(&self.sandbox, PATIENCE);
        let only_adds = self.dice.below(2) == 0;
        // What comes at the same time shares a transaction.
        let (count, kinds) = match self.dice.below(3) {
            0 => (8 + self.dice.below(13), COPIES),
            _ => (4 + self.dice.below(9), ALL),
        };
        let asked: Vec<(u64, Asked)> = (0..count)
            .map(|_| self.ask(&mut daemon, kinds, only_adds))
            .collect();
        let mut answers = BTreeMap::new();
        for _ in 0..self.dice.below(count + 1) {
            let is_answer = |message: &Value| message.get("id").is_some();
            let answer = daemon.wait_message("an answer", is_answer);
            answers.insert(answer["id"].as_u64().unwrap(), answer);
        }
        self.wait_a_while();
        daemon.kill();
        self.figures.together += together_in(&self.sandbox);
        // What had reached the pipe was answered, also when it is read only now.
        for message in daemon.rest() {
            if let Some(id) = message["id"].as_u64() {
                answers.insert(id, message);
            }
        }
        self.figures.answered += answers.len();
        self.figures.cut += asked.len() - answers.len();
        self.recover(&asked, &answers);
    }

    fn ask(&mut self, daemon: &mut Daemon, kinds: u64, only_adds: bool) -> (u64, Asked) {
        let model = &mut self.model;
        let plugin = *self.dice.pick(&PLUGINS);
        model.next += 1;
        let value = model.next;
        let write = |key: &str, value: u64| json!({"keyPath": key, "value": value, "mergeStrategy": "replace"});
        let (asked, method, params) = match self.dice.below(kinds) {
            0 | 1 => {
                let manifest = model.alpha.manifest(&self.sandbox);
                let params = json!({"marketplacePath": manifest, "pluginName": plugin});
                let asked = Asked::Install(plugin, model.alpha.offered(plugin));
                (asked, "plugin/install", params)
            }
            2 | 3 => {
                let params = json!({"pluginId": format!("{plugin}@alpha")});
                (Asked::Uninstall(plugin), "plugin/uninstall", params)
            }
            4 | 5 => {
                let key = *self.dice.pick(&KEYS);
                let params = write(key, value);
                (Asked::Write(key, value), "config/value/write", params)
            }
            6 => {
                let edits: Vec<Value> = PAIR.iter().map(|key| write(key, value)).collect();
                let params = json!({"edits": edits});
                (Asked::WritePair(value), "config/batchWrite", params)
            }
            7 if only_adds => {
                let params = json!({"source": self.sandbox.path("beta").to_text()});
                (Asked::Add, "marketplace/add", params)
            }
            7 => {
                let params = json!({"marketplaceName": "beta"});
                (Asked::Remove, "marketplace/remove", params)
            }
            8 => (Asked::Other, "plugd/components", json!({"lease": true})),
            _ => {
                // The refresh that follows meets a version it has not seen.
                model.alpha.advance(&self.sandbox, plugin);
                (Asked::Other, "plugin/list", json!({}))
            }
        };
        (daemon.request(method, params), asked)
    }

    /// Until a random moment; not asleep, which would be a coarse grid of moments.
    fn wait_a_while(&mut self) {
        let micros = match self.dice.below(3) {
            0 => 0,
            1 => self.dice.below(LONGEST_WHILE / 10),
            _ => self.dice.below(LONGEST_WHILE),
        };
        let until = Instant::now() + Duration::from_micros(micros);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }

    fn recover(&mut self, asked: &[(u64, Asked)], answers: &BTreeMap<u64, Value>) {
        let started = Instant::now();
        let mut daemon = home::listening(&self.sandbox, PATIENCE);
        daemon.ok("plugin/list", json!({}));
        let took = started.elapsed();
        self.figures.slowest = self.figures.slowest.max(took);
        // The refresh that it started may move a copy between two looks.
        daemon.wait_notification("plugd/task", |task| {
            task["kind"] == "refresh" && task["state"] != "started"
        });
        let listing = daemon.ok("plugin/installed", json!({}));
        let config = daemon.ok("config/read", json!({}))["config"].take();
        home::check_config(&self.sandbox, &config);
        self.check_answers(asked, answers, &config, &listing);
        assert!(took < self.figures.soon, "the first listing took {took:?}");
        let write = json!({"keyPath": "torture.next", "value": self.model.next, "mergeStrategy": "replace"});
        daemon.ok("config/value/write", write);
        let plugin = *self.dice.pick(&PLUGINS);
        let manifest = self.model.alpha.manifest(&self.sandbox);
        let params = json!({"marketplacePath": manifest, "pluginName": plugin});
        daemon.ok("plugin/install", params);
        let last = self.model.alpha.offered(plugin);
        self.model.installed.insert(format!("{plugin}@alpha"), last);
        daemon.shut_down();
        home::nothing_left(&self.sandbox);
        if self.dice.below(EVERY) == 0 {
            home::healthy(&self.sandbox);
        }
    }

    /// What was answered is there, what was not may be; the model follows what is.
    fn check_answers(
        &mut self,
        asked: &[(u64, Asked)],
        answers: &BTreeMap<u64, Value>,
        config: &Value,
        listing: &Value,
    ) {
        let model = &mut self.model;
        let mut allowed = Allowed::of(model);
        for (id, asked) in asked {
            match answers.get(id) {
                None => allowed.may(asked),
                Some(answer) if answer.get("result").is_some() => allowed.must(asked),
                Some(answer) => {
                    let is_gone = answer["error"]["data"]["kind"] == "notFound";
                    assert!(
                        matches!(asked, Asked::Remove) && is_gone,
                        "{asked:?}: {answer:#}"
                    );
                }
            }
        }
        let stocks = [&model.alpha, &model.beta];
        model.installed = home::whole(&self.sandbox, &stocks);
        home::enabled_as_installed(config, &model.installed);
        for plugin in PLUGINS {
            let id = format!("{plugin}@alpha");
            let found = model.installed.get(&id).copied();
            let fits = allowed.copies[plugin]
                .iter()
                .any(|from| match (from, found) {
                    (Some(from), Some(found)) => *from <= found,
                    (None, None) => true,
                    _ => false,
                });
            assert!(fits, "{id} is {found:?} after {:?}", allowed.copies[plugin]);
        }
        for (key, allowed) in &allowed.values {
            let pointer = format!("/{}", key.replace('.', "/"));
            let found = config.pointer(&pointer).and_then(Value::as_u64);
            assert!(
                allowed.contains(&found),
                "{key} is {found:?} and not of {allowed:?}"
            );
            model.values.insert(key, found);
        }
        let [left, right] = PAIR.map(|key| model.values[key]);
        assert_eq!(left, right, "a batch was made by half");
        model.has_beta = config["marketplaces"].get("beta").is_some();
        assert!(
            allowed.beta.contains(&model.has_beta),
            "beta: {}",
            model.has_beta
        );
        for plugin in home::plugins_in(listing).filter(|plugin| plugin["id"] != home::GHOST) {
            let number = model.installed.get(plugin["id"].as_str().unwrap());
            let version = number.map(|&number| version_of(number));
            assert_eq!(
                plugin["installedVersion"].as_str(),
                version.as_deref(),
                "{plugin:#}"
            );
            assert_eq!(plugin["problems"], json!([]), "{plugin:#}");
        }
    }
}

/// How many transactions of several plugins have left their journal.
fn together_in(sandbox: &Sandbox) -> usize {
    let journals = tree(&sandbox.layout().journals());
    let texts = journals.lines().filter(|line| line.starts_with('{'));
    texts.filter(|text| text.contains("\"also\"")).count()
}

/// What each thing may be, given what was answered.
#[derive(Debug)]
struct Allowed {
    copies: BTreeMap<&'static str, Vec<Option<u64>>>,
    values: BTreeMap<&'static str, Vec<Option<u64>>>,
    beta: Vec<bool>,
}

impl Allowed {
    fn of(model: &Model) -> Self {
        let copies = PLUGINS.map(|plugin| {
            let id = format!("{plugin}@alpha");
            (plugin, vec![model.installed.get(&id).copied()])
        });
        let keys = KEYS.iter().chain(&PAIR);
        let values = keys.map(|&key| (key, vec![model.values.get(key).copied().flatten()]));
        Self {
            copies: BTreeMap::from(copies),
            values: values.collect(),
            beta: vec![model.has_beta],
        }
    }

    /// It was answered: nothing that was before it counts any more. Requests about one thing are
    /// done in the order of their arrival.
    fn must(&mut self, asked: &Asked) {
        match asked {
            Asked::Install(plugin, _) | Asked::Uninstall(plugin) => {
                self.copies.insert(plugin, Vec::new());
            }
            Asked::Write(key, _) => {
                self.values.insert(key, Vec::new());
            }
            Asked::WritePair(_) => {
                for key in PAIR {
                    self.values.insert(key, Vec::new());
                }
            }
            Asked::Add | Asked::Remove => self.beta.clear(),
            Asked::Other => {}
        }
        self.may(asked);
    }

    /// It was not answered: it may have been done.
    fn may(&mut self, asked: &Asked) {
        let mut value = |key: &'static str, value: u64| {
            self.values.entry(key).or_default().push(Some(value));
        };
        match *asked {
            Asked::Install(plugin, from) => {
                self.copies.entry(plugin).or_default().push(Some(from));
            }
            Asked::Uninstall(plugin) => self.copies.entry(plugin).or_default().push(None),
            Asked::Write(key, new) => value(key, new),
            Asked::WritePair(new) => PAIR.iter().for_each(|key| value(key, new)),
            Asked::Add => self.beta.push(true),
            Asked::Remove => self.beta.push(false),
            Asked::Other => {}
        }
    }
}

//! Proves what becomes of every request when the plugin service fails, for each of its endpoints and
//! each way of failing: the table below, which the test prints with its words.
//!
//! Whatever the answer is: there is exactly one, within its time; what is installed stays as it was;
//! nothing that is no read is sent twice; no token and no address of a bundle or upload is told to
//! anybody; the daemon lives on, and the next request is answered as ever once the service is well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;

use plugd_testkit::Gate;
use plugd_testkit::service::{Endpoint, Fault, Item};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::accounts::{Account, remote};
use crate::lifecycle::memory;
use crate::remote_faults_cells::World;
use crate::remote_faults_ways::{COLUMNS, WAYS, applies};

/// How many daemons run at once. Most of them wait.
const AT_ONCE: usize = 52;

/// What the letters of the table stand for.
const WORDS: &[(&str, &str)] = &[
    ("·", "does not apply"),
    ("A", "answered"),
    ("M", "answered, marked"),
    ("P", "in part"),
    ("Q", "in part, marked"),
    ("F", "refused: notFound/-32600"),
    ("I", "refused: invalidInput/-32600"),
    ("N", "refused: notAllowed/-32600"),
    ("U", "refused: unavailable/-32600"),
];

/// Ways to endpoints, and what goes wrong: a status; a body that is cut, without end, slow; silence; a
/// reset; a page of HTML; a length that is too long or too short; in a list one bad item, a token
/// that comes again, an empty one, and no pagination.
const TABLE: &str = "
                         301 400 401 403 404 409 418 429 500 502 503 504 cut end slo sil res htm lon sho bad rep emp nop
apps: read               P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   ·   ·   ·   ·
bundle: checkout         U   U   U   U   U   U   U   U   U   U   U   U   U   I   A   U   U   I   U   I   ·   ·   ·   ·
bundle: install          U   U   U   U   U   U   U   U   U   U   U   U   U   I   A   U   U   I   U   I   ·   ·   ·   ·
created: share/list      U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   M   M   M   M
detail: install          U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
detail: read, known      Q   Q   Q   Q   F   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   ·   ·   ·   ·
detail: read, unknown    U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
featured: list           A   A   A   A   A   A   A   A   A   A   A   A   A   A   A   A   A   A   A   A   ·   ·   ·   ·
finalise: save           U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
install: install         U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
installed: list          M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
installed: reconcile     U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   M   M   M   M
list: list, known        M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
list: list, unknown      Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   M   M   M   M
search: search           Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   Q   M   A   A   Q
share: delete            U   U   N   N   F   U   U   U   U   U   U   U   ·   U   ·   U   U   U   ·   ·   ·   ·   ·   ·
shared: list             M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
shares: update           U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
skill: skill/read        U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
skill: same, installed   P   P   N   N   F   P   P   P   P   P   P   P   P   P   P   P   P   P   P   P   ·   ·   ·   ·
token: list              M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   ·   ·   ·   ·
uninstall: uninstall     U   U   N   N   A   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
upload: save             U   U   U   U   U   U   U   U   U   U   U   U   ·   U   ·   U   U   U   ·   ·   ·   ·   ·   ·
upload-url: save         U   U   N   N   F   U   U   U   U   U   U   U   U   U   U   U   U   U   U   U   ·   ·   ·   ·
";

type Outcomes = BTreeMap<(&'static str, &'static str), String>;

/// One daemon's share of the table: a way, and a group of columns.
#[derive(Clone, Copy)]
struct Job {
    way: usize,
    group: usize,
}

fn jobs() -> Vec<Job> {
    let groups = COLUMNS.iter().map(|column| column.group).max().unwrap();
    // What takes longest begins first.
    (0..=groups)
        .flat_map(|group| (0..WAYS.len()).map(move |way| Job { way, group }))
        .collect()
}

/// Runs one share; what must not be comes back as text.
fn run(job: Job, outcomes: &Mutex<Outcomes>) -> Vec<String> {
    let way = &WAYS[job.way];
    let mut world = World::new();
    let normal = world.normal(way);
    let mut broken = Vec::new();
    let columns = COLUMNS.iter().filter(|column| column.group == job.group);
    for column in columns.filter(|column| applies(way, column)) {
        let cell = world.meet(way, column, &normal);
        broken.extend(cell.broken);
        let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.insert((way.name, column.name), cell.outcome);
    }
    let ended = world.end();
    broken.extend(ended.into_iter().map(|one| format!("{}: {one}", way.name)));
    broken
}

fn run_all(outcomes: &Mutex<Outcomes>) -> Vec<String> {
    let left = Mutex::new(jobs().into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut broken = Vec::new();
        while let Some(job) = next() {
            // The others go on, so that the whole table can be seen.
            match catch_unwind(AssertUnwindSafe(|| run(job, outcomes))) {
                Ok(mine) => broken.extend(mine),
                Err(panic) => broken.push(format!(
                    "{}, group {}: {}",
                    WAYS[job.way].name,
                    job.group,
                    panic
                        .downcast_ref::<String>()
                        .map_or("panicked", String::as_str)
                )),
            }
        }
        broken
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().flat_map(|one| one.join().unwrap());
        ended.collect()
    })
}

fn letter(outcome: &str) -> String {
    let known = WORDS.iter().find(|(_, word)| *word == outcome);
    known.map_or_else(
        || format!("<{outcome}>"),
        |(letter, _)| (*letter).to_owned(),
    )
}

/// The table in letters.
fn table(outcomes: &Outcomes) -> String {
    let mut table = format!("\n{:24}", "");
    for column in COLUMNS {
        let _ = write!(table, " {:3}", column.name);
    }
    table = table.trim_end().to_owned();
    for way in WAYS {
        let mut row = format!("{:24}", way.name);
        for column in COLUMNS {
            let outcome = outcomes.get(&(way.name, column.name));
            let outcome = outcome.map_or("does not apply", String::as_str);
            let _ = write!(row, " {:3}", letter(outcome));
        }
        let _ = write!(table, "\n{}", row.trim_end());
    }
    table + "\n"
}

/// The table in words: for each way what comes of which faults.
#[expect(
    clippy::print_stdout,
    reason = "who asks for the output of the test wants to see it"
)]
fn print(outcomes: &Outcomes) {
    println!("{}", table(outcomes));
    for way in WAYS {
        println!("{} ({})", way.name, way.endpoint);
        let mut by_outcome: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for column in COLUMNS {
            if let Some(outcome) = outcomes.get(&(way.name, column.name)) {
                by_outcome.entry(outcome).or_default().push(column.name);
            }
        }
        for (outcome, columns) in by_outcome {
            println!("    {outcome}: {}", columns.join(" "));
        }
    }
    println!();
    for (letter, word) in WORDS {
        println!("{letter}  {word}");
    }
}

#[test]
fn every_endpoint_and_every_fault() {
    let outcomes = Mutex::default();
    let broken = run_all(&outcomes);
    let outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    print(&outcomes);
    assert_eq!(broken, Vec::<String>::new());
    assert_eq!(table(&outcomes), TABLE);
}

#[test]
fn a_body_without_an_end_costs_little_memory() {
    for endpoint in [Endpoint::List, Endpoint::Installed, Endpoint::Bundle] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        // It comes as fast as it is taken, which is more than ten megabytes each second.
        account.service.fail(endpoint, Fault::Endless);
        let mut daemon = account.start();
        let answer = match endpoint {
            Endpoint::Bundle => daemon.err("plugin/install", remote(&id)),
            _ => daemon.ok("plugin/list", json!({"forceRefetch": true})),
        };
        let sent = account.service.bytes_sent();
        let peak = memory(&daemon, "VmHWM");
        // The synchronisation behind the answer asks for what is installed as well, at the same time.
        let bound = match endpoint {
            Endpoint::Installed => 60 + 16,
            _ => 60,
        };
        assert!(
            peak < bound * 1024,
            "{endpoint}: {peak} KiB after {sent} bytes: {answer}"
        );
        daemon.shut_down();
    }
}

#[test]
fn one_read_that_fails_is_not_seen() {
    let account = Account::new();
    let item = Item::new("alpha").app_ids(&["app-1"]);
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    account
        .service
        .set_featured(&["alpha@openai-curated-remote"]);
    let faults = [
        Fault::status(429),
        Fault::RetryAfter(503, "1".to_owned()),
        Fault::status(500),
        Fault::status(501),
        Fault::Reset,
        Fault::Cut(10),
    ];
    let mut daemon = account.start();
    for fault in faults {
        for endpoint in [
            Endpoint::List,
            Endpoint::Installed,
            Endpoint::Featured,
            Endpoint::Detail,
        ] {
            account.service.fail_times(endpoint, 1, fault.clone());
        }
        let listing = daemon.ok("plugin/list", json!({"forceRefetch": true}));
        assert_eq!(listing["marketplaceLoadErrors"], json!([]), "{fault:?}");
        assert_eq!(
            listing["featuredPluginIds"],
            json!(["alpha@openai-curated-remote"])
        );
        daemon.ok("plugin/read", remote(&id));
    }
    for fault in [Fault::status(502), Fault::Reset] {
        account.service.fail_times(Endpoint::Bundle, 1, fault);
        daemon.ok("plugin/install", remote(&id));
        daemon.ok("plugin/uninstall", json!({"pluginId": id}));
    }
    daemon.shut_down();
}

#[test]
fn an_uninstallation_that_a_synchronisation_completes_has_changed_something() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&id));
    let gate = Gate::new();
    let held = Fault::HoldAnswer(gate.clone());
    account.service.fail(Endpoint::Uninstall, held);
    let asked = daemon.request("plugin/uninstall", json!({"pluginId": id}));
    account.service.wait_asked(Endpoint::Uninstall, 1);
    // The account does not have it any more; another process hears that and is faster.
    let mut other = account.start();
    let mut looks = 0;
    while account
        .sandbox
        .exists("ch/plugins/cache/openai-curated-remote/alpha")
    {
        other.ok("plugin/reconcile", json!({}));
        looks += 1;
        assert!(looks < 100, "it stays");
    }
    gate.open();
    assert_eq!(daemon.response(asked)["result"]["changed"], true);
    daemon.shut_down();
    other.shut_down();
}

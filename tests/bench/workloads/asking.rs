//! Questions to a server that has answered before.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::{client, named};
use crate::client::{Client, is_error, wait_until};
use crate::measure::Sample;
use crate::places::{Places, Program};

/// How many calls a counted figure is spread over.
const COUNTED: u64 = 10;

/// A server that has been asked a few times.
fn warm(places: &Places, program: &Program) -> Client {
    let mut client = client(places, program, &[places.real()]);
    for _ in 0..3 {
        client.ok("plugin/list", &json!({}));
    }
    client
}

/// The same question again and again, after it was asked a few times and what that began has ended.
fn asked<'a>(mut client: Client, method: &'static str, params: Value) -> Sample<'a> {
    for _ in 0..3 {
        client.ok(method, &params);
    }
    client.rest();
    Box::new(move || Some(client.time(method, &params)))
}

pub(super) fn list<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    asked(warm(places, program), "plugin/list", json!({}))
}

pub(super) fn long_list<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let client = client(places, program, &[places.large()]);
    asked(client, "plugin/list", json!({}))
}

pub(super) fn collected<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let markets: Vec<_> = places.collected().iter().collect();
    asked(client(places, program, &markets), "plugin/list", json!({}))
}

pub(super) fn thousand_installed<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let home = places.full_home(places.thousand());
    let client = Client::greeted(&program.path, &home);
    asked(client, "plugin/list", json!({}))
}

pub(super) fn fifty<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let params = json!({"cwds": places.cwds()});
    asked(client(places, program, &[]), "plugin/list", params)
}

pub(super) fn read<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.real();
    let params = named(market, &market.plugins[7]);
    asked(warm(places, program), "plugin/read", params)
}

/// One of a home with a thousand.
pub(super) fn read_of_thousand<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.thousand();
    let home = places.full_home(market);
    let params = named(market, &market.plugins[7]);
    asked(Client::greeted(&program.path, &home), "plugin/read", params)
}

pub(super) fn read_skills<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.skills();
    let params = named(market, &market.plugins[0]);
    asked(client(places, program, &[market]), "plugin/read", params)
}

pub(super) fn read_behind<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.real();
    let params = named(market, &market.plugins[7]);
    let mut client = warm(places, program);
    Box::new(move || {
        let started = Instant::now();
        for _ in 0..8 {
            client.send("plugin/list", &json!({}));
        }
        let wanted = client.send("plugin/read", &params);
        let mut took = None;
        for _ in 0..9 {
            if client.answered().0 == wanted {
                took = Some(started.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        took
    })
}

/// 200 reads, each with a listing before it that is not waited for, sorted by what they took.
fn read_beside<'a>(places: &'a Places, program: &'a Program, rank: usize) -> Sample<'a> {
    let market = places.real();
    let params = named(market, &market.plugins[7]);
    let mut client = warm(places, program);
    Box::new(move || {
        let mut took = Vec::new();
        for _ in 0..200 {
            let listing = client.send("plugin/list", &json!({}));
            took.push(client.time("plugin/read", &params));
            // The answer to a listing may have come before that to the read, or comes now.
            client.wait_for(listing);
        }
        took.sort_by(f64::total_cmp);
        Some(took[rank - 1])
    })
}

pub(super) fn read_middle<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    read_beside(places, program, 100)
}

pub(super) fn read_slowest<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    read_beside(places, program, 199)
}

/// A client that always waits for 32 answers. Whoever is refused asks again, and only answers count.
pub(super) fn flood<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    const ALL: usize = 320;
    const IN_FLIGHT: usize = 32;
    let mut client = warm(places, program);
    Box::new(move || {
        let started = Instant::now();
        for _ in 0..IN_FLIGHT {
            client.send("plugin/list", &json!({}));
        }
        let (mut answers, mut open) = (0, IN_FLIGHT);
        while open > 0 {
            let (_, line) = client.answered();
            open -= 1;
            answers += usize::from(!is_error(&line));
            if answers + open < ALL {
                client.send("plugin/list", &json!({}));
                open += 1;
            }
        }
        Some(ALL as f64 / started.elapsed().as_secs_f64())
    })
}

pub(super) fn refused<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let mut client = warm(places, program);
    Box::new(move || {
        for _ in 0..200 {
            client.send("plugin/list", &json!({}));
        }
        let refused = (0..200).filter(|_| is_error(&client.answered().1)).count();
        Some(refused as f64)
    })
}

pub(super) fn bytes_read<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let mut client = warm(places, program);
    Box::new(move || {
        let before = client.counted("rchar");
        for _ in 0..COUNTED {
            client.ok("plugin/list", &json!({}));
        }
        Some(((client.counted("rchar") - before) / COUNTED) as f64)
    })
}

/// Counted by perf, where it is installed and may count. Instructions of the program and not of the
/// system.
pub(super) fn instructions<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let mut client = warm(places, program);
    Box::new(move || {
        let report = places.fresh().join("instructions");
        let mut perf = Command::new("perf")
            .args(["stat", "-x", ",", "-e", "instructions:u", "-o"])
            .arg(&report)
            .args(["-p", &client.id().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        // Nothing tells that it has begun but the file that it opens.
        wait_until("the count", || report.exists());
        for _ in 0..COUNTED {
            client.ok("plugin/list", &json!({}));
        }
        let interrupted = Command::new("kill")
            .args(["-INT", &perf.id().to_string()])
            .status();
        interrupted.ok()?;
        perf.wait().ok()?;
        let text = fs::read_to_string(&report).ok()?;
        let line = text.lines().find(|line| line.contains("instructions"))?;
        let count: f64 = line.split(',').next()?.parse().ok()?;
        Some(count / COUNTED as f64)
    })
}

/// Counted by strace, where it is installed.
pub(super) fn system_calls<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let mut client = warm(places, program);
    Box::new(move || {
        let report = places.fresh().join("calls");
        let mut strace = Command::new("strace")
            .args(["-f", "-q", "-o"])
            .arg(&report)
            .args(["-p", &client.id().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        // A call that another thread's line interrupts has a second line, which says so.
        let first = |line: &&str| !line.contains(" resumed>");
        let lines = || {
            let text = fs::read_to_string(&report).unwrap_or_default();
            text.lines().filter(first).count()
        };
        // Nothing tells that it has begun but what it writes.
        wait_until("the count", || {
            client.ok("plugin/list", &json!({}));
            lines() > 0
        });
        let before = lines();
        for _ in 0..COUNTED {
            client.ok("plugin/list", &json!({}));
        }
        let counted = lines() - before;
        strace.kill().ok()?;
        strace.wait().ok()?;
        Some(counted as f64 / COUNTED as f64)
    })
}

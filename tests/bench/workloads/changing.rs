//! What writes: installs, uninstalls and the refresh.

use std::fs;

use serde_json::{Value, json};

use super::{client, installed, named};
use crate::client::{Client, is_error, wait_until};
use crate::limits::milliseconds;
use crate::market::Market;
use crate::measure::Sample;
use crate::places::{Places, Program};

/// How many plugins have a new version when the refresh begins.
pub(super) const BUMPED: usize = 100;

fn install<'a>(places: &'a Places, program: &'a Program, plugin: usize) -> Sample<'a> {
    let market = places.pair();
    let plugin = &market.plugins[plugin];
    let mut client = client(places, program, &[market]);
    Box::new(move || {
        let took = client.time("plugin/install", &named(market, plugin));
        client.ok("plugin/uninstall", &installed(market, plugin));
        Some(took)
    })
}

fn again<'a>(places: &'a Places, program: &'a Program, plugin: usize) -> Sample<'a> {
    let market = places.pair();
    let params = named(market, &market.plugins[plugin]);
    let mut client = client(places, program, &[market]);
    client.ok("plugin/install", &params);
    Box::new(move || Some(client.time("plugin/install", &params)))
}

pub(super) fn install_small<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    install(places, program, 0)
}

pub(super) fn install_large<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    install(places, program, 1)
}

pub(super) fn again_small<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    again(places, program, 0)
}

pub(super) fn again_large<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    again(places, program, 1)
}

/// What the system was told to write, by whatever way; also of what never reached the disk.
pub(super) fn bytes_written<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.pair();
    let plugin = &market.plugins[0];
    let mut client = client(places, program, &[market]);
    Box::new(move || {
        let before = client.counted("write_bytes");
        client.ok("plugin/install", &named(market, plugin));
        let written = client.counted("write_bytes") - before;
        client.ok("plugin/uninstall", &installed(market, plugin));
        Some(written as f64)
    })
}

fn install_each(client: &mut Client, market: &Market) {
    for plugin in &market.plugins {
        client.ok("plugin/install", &named(market, plugin));
    }
}

pub(super) fn install_all<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.real();
    Box::new(move || {
        let mut client = client(places, program, &[market]);
        Some(milliseconds(|| install_each(&mut client, market)))
    })
}

/// Asks for all plugins and waits for all answers. Whoever is refused asks again.
fn ask_at_once(
    client: &mut Client,
    market: &Market,
    method: &str,
    params: fn(&Market, &str) -> Value,
) {
    let mut wanted: Vec<&String> = market.plugins.iter().collect();
    while !wanted.is_empty() {
        let asked: Vec<_> = wanted
            .drain(..)
            .map(|plugin| (client.send(method, &params(market, plugin)), plugin))
            .collect();
        for _ in 0..asked.len() {
            let (id, line) = client.answered();
            let plugin = asked.iter().find(|(asked, _)| *asked == id);
            wanted.extend(
                plugin
                    .filter(|_| is_error(&line))
                    .map(|(_, plugin)| *plugin),
            );
        }
    }
}

pub(super) fn install_at_once<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.real();
    Box::new(move || {
        let mut client = client(places, program, &[market]);
        Some(milliseconds(|| {
            ask_at_once(&mut client, market, "plugin/install", named);
        }))
    })
}

pub(super) fn uninstall_at_once<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.real();
    let mut client = client(places, program, &[market]);
    Box::new(move || {
        install_each(&mut client, market);
        Some(milliseconds(|| {
            ask_at_once(&mut client, market, "plugin/uninstall", installed);
        }))
    })
}

pub(super) fn uninstall_all<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.real();
    let mut client = client(places, program, &[market]);
    Box::new(move || {
        install_each(&mut client, market);
        Some(milliseconds(|| {
            for plugin in &market.plugins {
                client.ok("plugin/uninstall", &installed(market, plugin));
            }
        }))
    })
}

/// From the listing that starts it until the last of the new versions can be seen, in a home that was listed
/// before them.
pub(super) fn refresh<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let market = places.own_real();
    let home = places.home(&[&market]);
    let mut client = Client::greeted(&program.path, &home);
    install_each(&mut client, &market);
    let mut version = 1;
    Box::new(move || {
        version += 1;
        let wanted = format!("{version}.0.0");
        client.ok("plugin/list", &json!({}));
        client.rest();
        for plugin in &market.plugins[..BUMPED] {
            market.bump(plugin, &wanted);
        }
        let cache = home.join(".codex/plugins/cache/real");
        let came =
            |plugin: &String| matches!(fs::exists(cache.join(plugin).join(&wanted)), Ok(true));
        Some(milliseconds(|| {
            client.ok("plugin/list", &json!({}));
            wait_until("the refresh", || market.plugins[..BUMPED].iter().all(came));
        }))
    })
}

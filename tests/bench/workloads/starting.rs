//! From nothing to the first answers, and what a process weighs then.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::client;
use crate::client::Client;
use crate::limits::milliseconds;
use crate::market::Market;
use crate::measure::Sample;
use crate::places::{Places, Program};

/// From the start of a process until it has answered; its end is not measured.
fn until_answered(program: &Program, home: &Path, more: impl FnOnce(&mut Client)) -> f64 {
    let mut started = None;
    milliseconds(|| {
        let mut client = Client::greeted(&program.path, home);
        more(&mut client);
        started = Some(client);
    })
}

pub(super) fn empty_home<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    Box::new(|| Some(until_answered(program, &places.home(&[]), |_| ())))
}

pub(super) fn used_home<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let home = places.home(&[places.real()]);
    Client::greeted(&program.path, &home).ok("plugin/list", &json!({}));
    Box::new(move || Some(until_answered(program, &home, |_| ())))
}

pub(super) fn first_list<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let home = places.home(&[places.real()]);
    let list = |client: &mut Client| client.ok("plugin/list", &json!({}));
    until_answered(program, &home, list);
    Box::new(move || Some(until_answered(program, &home, list)))
}

pub(super) fn memory_idle<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    Box::new(|| Some(client(places, program, &[places.real()]).resident()))
}

pub(super) fn memory_used<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    memory_after_lists(places, program, places.real())
}

pub(super) fn memory_of_many<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    memory_after_lists(places, program, places.large())
}

fn memory_after_lists<'a>(
    places: &'a Places,
    program: &'a Program,
    market: &'a Market,
) -> Sample<'a> {
    Box::new(|| {
        let mut client = client(places, program, &[market]);
        for _ in 0..5 {
            client.ok("plugin/list", &json!({}));
        }
        Some(client.resident())
    })
}

/// What a client that opens a picker has read in all, in a home that was listed before: until its listing is
/// answered, and behind it.
pub(super) fn bytes_of_session<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let home = places.full_home(places.real());
    let session = move || {
        let mut client = Client::greeted(&program.path, &home);
        client.ok("plugin/list", &json!({}));
        client.rest();
        client.counted("rchar") as f64
    };
    session();
    Box::new(move || Some(session()))
}

pub(super) fn size<'a>(_: &'a Places, program: &'a Program) -> Sample<'a> {
    Box::new(|| {
        let bytes = fs::metadata(&program.path).unwrap().len();
        Some(bytes as f64 / 1_000_000.0)
    })
}

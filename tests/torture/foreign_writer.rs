//! A program that edits the configuration and knows no lock, as editors and other tools do.
//!
//! Each of its edits reads the file, counts its own counter up, appends a marker that is never used
//! again, and writes all of it back. What it wrote and does not find when it reads the next time
//! was taken from it by somebody else: that is a loss. Old markers it takes out itself, since nobody's
//! configuration grows with every edit, and the time that an edit takes would grow with it. What stood in the file and it did not see,
//! because it came between its reading and its writing, it overwrites itself: that is its own fault
//! and no loss of anybody's.
#![expect(
    clippy::disallowed_methods,
    reason = "this is another program, which knows nothing of `disk::Disk`"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use plugd_testkit::Sandbox;

use crate::dice::Dice;

/// So many markers stand in the file at a time.
const MARKERS: u64 = 100;

/// How it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Into a new file, which takes the place of the old one.
    Rename,
    /// Into the same file, which is empty for a moment.
    InPlace,
}

/// How fast it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// About as fast as the disk makes a file durable at this moment.
    Disk,
    /// With pauses of 1 to 21 ms, which is less than an edit of ours takes on a busy machine.
    Fast,
}

/// What it met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// How many edits it made.
    pub(crate) edits: u64,
    /// What somebody took from it, or from what it had seen and kept.
    pub(crate) lost: Vec<String>,
}

/// What a text of the configuration says of those who count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    markers: BTreeSet<u64>,
    counter: Option<u64>,
    /// The values below `[own]`, which only ever grow.
    own: BTreeMap<String, u64>,
}

impl Seen {
    fn of(text: &str) -> Self {
        let mut seen = Self::default();
        let mut table = "";
        for line in text.lines() {
            if let Some(header) = line.strip_prefix('[') {
                table = header.split(']').next().unwrap();
                if let Some(number) = table.strip_prefix("marks.m") {
                    seen.markers.insert(number.parse().unwrap());
                }
            } else if let Some((key, value)) = line.split_once(" = ") {
                let number = value.split(' ').next().unwrap().parse();
                match (table, number) {
                    ("counter", Ok(number)) => seen.counter = Some(number),
                    ("own", Ok(number)) => drop(seen.own.insert(key.to_owned(), number)),
                    _ => {}
                }
            }
        }
        seen
    }

    /// What of this is not in a later text.
    fn missing_in(&self, later: &Self) -> Vec<String> {
        let markers = self.markers.difference(&later.markers);
        let mut missing: Vec<String> = markers.map(|number| format!("marker {number}")).collect();
        if self.counter != later.counter {
            missing.push(format!(
                "counter {:?}, now {:?}",
                self.counter, later.counter
            ));
        }
        for (key, value) in &self.own {
            let now = later.own.get(key);
            if now < Some(value) {
                missing.push(format!("{key} = {value}, now {now:?}"));
            }
        }
        missing
    }
}

/// How long this disk takes at this moment to make a file durable, which is what an edit of ours
/// has to wait for. Somebody who rewrites the file all the time while a daemon waits for the disk
/// would only show that it gives up.
fn time_to_sync(sandbox: &Sandbox) -> Duration {
    let started = Instant::now();
    let mut file = File::create(sandbox.path("ch-synced")).unwrap();
    file.write_all(&[b'x'; 5_000]).unwrap();
    file.sync_all().unwrap();
    started.elapsed()
}

/// Edits again and again until the other end of `over` is dropped.
pub(crate) fn edit_until(
    sandbox: &Sandbox,
    manner: Manner,
    pace: Pace,
    mut dice: Dice,
    over: &Receiver<()>,
) -> Met {
    let config = sandbox.path("ch/config.toml");
    let beside = sandbox.path("ch-foreign.toml");
    let mut met = Met::default();
    let mut wrote = Seen::default();
    loop {
        let rest = match pace {
            Pace::Disk => time_to_sync(sandbox) * u32::try_from(dice.below(60)).unwrap() / 10,
            Pace::Fast => Duration::from_micros(1_000 + dice.below(20_001)),
        };
        let going_on = over.recv_timeout(rest) == Err(RecvTimeoutError::Timeout);
        let text = fs::read_to_string(&config).unwrap();
        let number = met.edits;
        for missing in wrote.missing_in(&Seen::of(&text)) {
            met.lost.push(format!("before edit {number}: {missing}"));
        }
        if !going_on {
            return met;
        }
        let new = edited(&text, number);
        match manner {
            Manner::Rename => {
                fs::write(&beside, &new).unwrap();
                fs::rename(&beside, &config).unwrap();
            }
            Manner::InPlace => fs::write(&config, &new).unwrap(),
        }
        wrote = Seen::of(&new);
        met.edits += 1;
    }
}

fn marker(number: u64) -> String {
    format!("[marks.m{number}]\nat = {number} # by another\n")
}

/// The text with the counter at this number and its marker appended.
fn edited(text: &str, number: u64) -> String {
    let head = "[counter]\nvalue = ";
    let mut new = match text.split_once(head) {
        None => format!("{text}\n{head}{number} # counted by another\n"),
        Some((before, after)) => {
            let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{before}{head}{number}{rest}")
        }
    };
    new.push_str(&marker(number));
    match number.checked_sub(MARKERS) {
        Some(old) => new.replacen(&marker(old), "", 1),
        None => new,
    }
}

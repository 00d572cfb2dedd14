//! Rounds in which every program has its turn, and what is left of them.

use std::process::Command;

use crate::options::Options;
use crate::places::{Places, Program};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    PerSecond,
    Megabytes,
    Count,
}

/// Takes one figure; none where the machine cannot tell it.
pub(crate) type Sample<'a> = Box<dyn FnMut() -> Option<f64> + 'a>;

/// Makes a program ready, and the way to take figures of it.
pub(crate) type OfProgram = for<'a> fn(&'a Places, &'a Program) -> Sample<'a>;

/// The barest program for the same.
pub(crate) type Limit = for<'a> fn(&'a Places) -> Sample<'a>;

/// Something that people wait for.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// At most so many rounds: some take seconds.
    pub(crate) rounds: usize,
    pub(crate) sample: OfProgram,
    pub(crate) limit: Option<Limit>,
}

/// The figures of one workload.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// The median of each program, in their order.
    pub(crate) programs: Vec<(&'static str, Option<f64>)>,
    pub(crate) limit: Option<f64>,
}

impl Measured {
    /// Measures: one round after the other, and all programs in each.
    pub(crate) fn of(workload: &Workload, places: &Places, options: &Options) -> Self {
        let programs = places.programs();
        let mut samples: Vec<_> = programs
            .iter()
            .map(|program| (workload.sample)(places, program))
            .collect();
        samples.extend(workload.limit.map(|limit| limit(places)));
        let mut figures = vec![Vec::new(); samples.len()];
        for round in 0..options.rounds.min(workload.rounds) {
            // Whoever comes first meets the colder caches: each has that turn equally often.
            let count = samples.len();
            for turn in 0..count {
                let one = (turn + round) % count;
                settle_disk();
                figures[one].extend(samples[one]());
            }
        }
        let mut medians = figures.into_iter().map(median);
        Self {
            name: workload.name,
            unit: workload.unit,
            programs: programs
                .iter()
                .map(|program| (program.name, medians.next().flatten()))
                .collect(),
            limit: medians.next().flatten(),
        }
    }
}

/// Has the system write what the one before has left to be written: who syncs would pay for all of it.
fn settle_disk() {
    // Where there is no such program the figures are less fair and still figures.
    let _ = Command::new("sync").status();
}

/// The figure in the middle.
fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

//! What may be there after an operation was interrupted: what clean runs of it lead to.

use std::sync::Arc;

use plugd_disk::{Disk, OperationKind, Probe};
use plugd_testkit::RecordingProbe;

use crate::operations::{Operation, Steps};
use crate::states::State;

/// How many clean runs may pass in which no transaction was of several plugins, by chance.
const UNSHARED: usize = 20;

/// What a daemon told before it ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// That the new state is there.
    pub(crate) all: bool,
    /// Of requests about several plugins at once: of which of them it told.
    pub(crate) plugins: Vec<String>,
}

/// What clean runs of an operation lead to.
pub(crate) struct Expected {
    old: State,
    new: State,
    between: Between,
}

/// What else may be there.
enum Between {
    /// States that clean runs were in.
    States(Vec<State>),
    /// The old state with the first of these parts as they are in the new one.
    FirstParts(&'static [&'static str]),
    /// The state with exactly these plugins done.
    Some(Vec<(Vec<&'static str>, State)>),
}

impl Told {
    /// The new state, whatever was said of parts of it.
    pub(crate) fn all() -> Self {
        Self {
            all: true,
            plugins: Vec::new(),
        }
    }
}

impl Expected {
    /// Runs an operation without faults, and finds out what the states are.
    pub(crate) fn of(operation: &Operation) -> Self {
        let old = operation.world().state();
        let between = match operation.steps {
            Steps::One => Between::States(Vec::new()),
            Steps::InOrder(parts) => Between::FirstParts(parts),
            Steps::Chain(steps) => {
                let world = operation.world();
                let states = steps.iter().map(|step| {
                    world.with(step);
                    world.state()
                });
                Between::States(states.collect())
            }
            Steps::Apart(plugins, act) => {
                let subsets = subsets(plugins).into_iter().map(|some| {
                    let world = operation.world();
                    world.with(|session| act(session, &some));
                    (some, world.state())
                });
                Between::Some(subsets.collect())
            }
        };
        let (mut new, mut transactions) = clean(operation);
        let last = match &between {
            Between::States(states) => states.last(),
            Between::FirstParts(_) => None,
            Between::Some(subsets) => subsets.last().map(|(_, state)| state),
        };
        if let Some(last) = last {
            assert!(*last == new, "{}", last.difference(&new));
        }
        if let Between::Some(subsets) = &between {
            let (all, _) = subsets.last().unwrap();
            let shared = 1..all.len();
            for _ in 0..UNSHARED {
                if shared.contains(&transactions) {
                    break;
                }
                (new, transactions) = clean(operation);
            }
            assert!(
                shared.contains(&transactions),
                "{transactions} transactions"
            );
        }
        Self { old, new, between }
    }

    /// What is wrong with a state in which an interrupted operation has left a home.
    pub(crate) fn wrong(&self, state: &State, told: &Told) -> Option<String> {
        let Self { old, new, between } = self;
        if told.all {
            let wrong = || format!("the new state was told of\n{}", state.difference(new));
            return (state != new).then(wrong);
        }
        let fine = match between {
            Between::States(states) => states.contains(state),
            Between::FirstParts(parts) => {
                (0..parts.len()).any(|done| *state == old.with(&parts[..done], new))
            }
            Between::Some(subsets) => {
                let is_there = |done: &[&str]| {
                    let mut told = told.plugins.iter();
                    told.all(|plugin| done.contains(&plugin.as_str()))
                };
                let mut subsets = subsets.iter();
                return (!subsets.any(|(done, its)| is_there(done) && its == state)).then(|| {
                    let told = &told.plugins;
                    let difference = state.difference(new);
                    format!("told of {told:?}, against the new state:\n{difference}")
                });
            }
        };
        (!fine && state != old && state != new).then(|| {
            format!(
                "neither old nor new; against the old state:\n{}against the new state:\n{}",
                state.difference(old),
                state.difference(new)
            )
        })
    }
}

/// The state that a run without faults leads to, and in how many transactions.
fn clean(operation: &Operation) -> (State, usize) {
    let world = operation.world();
    let probe = RecordingProbe::new();
    let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
    let mut session = world.session_on(disk);
    let answer = (operation.act)(&mut session);
    session.end();
    assert!(operation.told(&answer, &mut session).all, "{answer:?}");
    let operations = probe.operations().into_iter();
    let journals = operations.filter(|one| {
        let to = one.other.as_ref().map(ToString::to_string);
        one.kind == OperationKind::Rename && to.is_some_and(|to| to.contains("/.plugd/journal/"))
    });
    (world.state(), journals.count())
}

/// Every choice of some of them, from none to all.
fn subsets(plugins: &[&'static str]) -> Vec<Vec<&'static str>> {
    let chosen = |choice: usize| {
        let plugins = plugins.iter().enumerate();
        let chosen = plugins.filter(|(at, _)| choice & (1 << at) != 0);
        chosen.map(|(_, plugin)| *plugin).collect()
    };
    (0..1 << plugins.len()).map(chosen).collect()
}

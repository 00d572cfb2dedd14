//! The power goes at operation N, and what was not synced is lost or comes in another order.
//!
//! Every prefix of the operations on the disk is followed by cuts of each kind: nothing of what was not
//! synced has happened; all names are there and their content is not; all but the last; and random
//! choices. Then a daemon must find the old state or the new one, and the new one if it was told of:
//! an answer is a promise that outlives the power. This is what proves the order of the syncs.

use std::sync::Arc;

use plugd_disk::{Disk, Probe};

use crate::dice::Dice;
use crate::expected::{Expected, Told};
use crate::fail_operation::{check, shown};
use crate::inside;
use crate::operations::Operation;
use crate::power_cut::{Content, Names, PowerCut};
use crate::tally::{Form, Scale, Tally};
use crate::worlds::World;

/// How many cuts in each kind of request the long form takes, besides one at each operation.
const LONG_TRIES: usize = 30;
/// What may become of what was not synced; the random one comes as often as asked for.
const CUTS: [(Names, Content); 4] = [
    (Names::NoneHappened, Content::Emptied),
    (Names::AllHappened, Content::Emptied),
    (Names::AllHappened, Content::Zeroed),
    (Names::AllButTheLast, Content::Random),
];

/// Random choices for each prefix in the long form.
const RANDOM: usize = 4;

/// One way in which the power goes.
#[derive(Debug, Clone, Copy)]
struct Loss {
    at: u64,
    names: Names,
    content: Content,
    seed: u64,
}

fn run_with(operation: &Operation, world: &World, at: u64) -> (Arc<PowerCut>, Told, String) {
    let probe = Arc::new(PowerCut::new(&world.sandbox, at));
    let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
    let mut session = world.session_on(disk);
    probe.arm();
    let answer = (operation.act)(&mut session);
    session.end();
    let told = operation.told(&answer, &mut session);
    (probe, told, shown(&answer))
}

fn one(operation: &Operation, expected: &Expected, loss: Loss) {
    let world = operation.world();
    inside::panics();
    let (probe, told, answer) = run_with(operation, &world, loss.at);
    let cut = probe.cut().unwrap_or_else(|| "the end".to_owned());
    let mut dice = Dice::new(loss.seed, operation.name);
    let lost = probe.happens(loss.names, loss.content, &mut dice);
    let context = format!("cut at {cut}, answered {answer}, lost {lost:#?}");
    let panics = inside::panics();
    assert!(panics.is_empty(), "{panics:?}: {context}");
    check(operation, expected, &world, &told, &context);
}

/// Every prefix with every kind of cut; the last one is that in which everything was done.
fn losses(operation: &Operation, seed: u64) -> Vec<Loss> {
    let world = operation.world();
    let (probe, ..) = run_with(operation, &world, u64::MAX);
    let mut dice = Dice::new(seed, operation.name);
    let mut losses = Vec::new();
    for at in 1..=probe.operations() + 1 {
        let random = [(Names::Random, Content::Random); RANDOM];
        for (names, content) in CUTS.into_iter().chain(random) {
            losses.push(Loss {
                at,
                names,
                content,
                seed: dice.number(),
            });
        }
    }
    losses
}

/// One of the cuts at each operation.
fn one_each(losses: &[Loss], dice: &mut Dice) -> Vec<Loss> {
    let at_each = losses.chunk_by(|one, next| one.at == next.at);
    at_each.map(|cuts| *dice.pick(cuts)).collect()
}

/// Cuts the power during these requests.
pub(crate) fn run(scale: Scale, operations: &[Operation], bounded_tries: usize) -> Tally {
    let mut tally = Tally::default();
    for operation in operations {
        let expected = Expected::of(operation);
        let mut losses = losses(operation, scale.seed());
        let tries = scale.sample(losses.len(), bounded_tries, LONG_TRIES);
        let mut dice = Dice::new(scale.seed(), operation.name);
        let mut chosen = match scale.form() {
            Form::Long => one_each(&losses, &mut dice),
            Form::Bounded | Form::Whole => Vec::new(),
        };
        chosen.extend(dice.some_of(std::mem::take(&mut losses), tries));
        for loss in chosen {
            let Loss {
                at, names, content, ..
            } = loss;
            let what = format!("{}, cut {at} {names:?} {content:?}", operation.name);
            tally.attempt(what, || one(operation, &expected, loss));
        }
    }
    tally.note(format!("{} kinds of requests", operations.len()));
    tally
}

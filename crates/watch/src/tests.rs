//! Real directories, real watches, and the same changes for both mechanisms. No test sleeps: to show
//! that something is not told, a later change to another root is waited for.

mod ending;
mod limits;
mod links;
mod roots;
mod trees;

use std::collections::BTreeSet;

use plugd_model::AbsPath;

use crate::Mechanism;

/// Both ways to notice a change.
const BOTH: [Mechanism; 2] = [Mechanism::System, Mechanism::Polling];

fn only(path: &AbsPath) -> BTreeSet<AbsPath> {
    BTreeSet::from([path.clone()])
}

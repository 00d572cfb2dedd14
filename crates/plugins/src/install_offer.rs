//! The installation of what a marketplace of this machine offers, from an admitted offer on.
//!
//! Whoever brings one plugin waits for its place; whoever brings many lets those that are ready wait
//! together, and each wait for the disk is that of all of them.

use plugd_marketplace::Offer;
use plugd_model::{AuthPolicy, Problem};

use crate::activations::Entered;
use crate::call::Call;
use crate::content::Content;
use crate::install::{Installation, Rebinding};
use crate::install_job::{Job, Prepared};
use crate::install_why::Why;
use crate::obtain::Obtained;
use crate::standing::Standing;
use crate::{Copies, Error, Lookup};

/// How far an installation has come that nobody waits for.
#[derive(Debug)]
pub(crate) enum HowFar {
    /// To its end: the copy that is there is what it would become.
    Done(Box<Installation>),
    /// The copy is complete.
    Activating(Box<Activating>),
}

/// A complete copy that waits for its place. Dropping it removes the copy, unless somebody has put it there by
/// then.
#[derive(Debug)]
pub(crate) struct Activating {
    pub(crate) entered: Entered,
    pub(crate) auth_policy: AuthPolicy,
    pub(crate) rebound: Option<Rebinding>,
    pub(crate) problems: Vec<Problem>,
}

impl Activating {
    /// Whether nobody puts the copy in its place yet.
    pub(crate) fn waits(&self) -> bool {
        self.entered.waits()
    }

    /// Waits until the copy is in its place, for good.
    ///
    /// # Errors
    /// It cannot take its place; what stood there stands there.
    pub(crate) fn settle(self, lookup: &Lookup, copies: &Copies) -> Result<Installation, Error> {
        let copy = self.entered.settle(lookup, copies)?;
        Ok(Installation {
            id: copy.id,
            version: copy.version,
            root: copy.root,
            auth_policy: self.auth_policy,
            changed: true,
            rebound: self.rebound,
            problems: self.problems,
        })
    }
}

/// From an admitted offer to a committed copy.
pub(crate) fn install_offer(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    offer: &Offer<'_>,
    obtained: Obtained,
    why: Why<'_>,
    standing: &Standing,
) -> Result<Installation, Error> {
    match begin_to_install(call, lookup, copies, offer, obtained, why, standing)? {
        HowFar::Done(done) => Ok(*done),
        HowFar::Activating(activating) => activating.settle(lookup, copies),
    }
}

/// The same up to a complete copy.
pub(crate) fn begin_to_install(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    offer: &Offer<'_>,
    obtained: Obtained,
    why: Why<'_>,
    standing: &Standing,
) -> Result<HowFar, Error> {
    call.progress.report("checking", 0, None);
    let content = Content::read(lookup, offer, obtained.dir.clone())?;
    let job = Job::of_offer(offer, why, standing);
    match job.prepare(call, lookup, copies, &content, obtained)? {
        Prepared::Current(copy) => {
            let done = job.leave(call, lookup, copies, *copy)?;
            Ok(HowFar::Done(Box::new(done)))
        }
        Prepared::Staged(staged) => {
            let activating = job.enter(call, lookup, copies, *staged)?;
            Ok(HowFar::Activating(Box::new(activating)))
        }
    }
}
